//! Where samples come from, as RON writes it, and sets of them that were opened.

use std::str::FromStr;

use rayon::prelude::*;
use ron::extensions::Extensions;
use serde::{Deserialize, Serialize};

use super::layers::PictureFolder;
use super::sample::{Class, Classes, Label, Picture, Plane, Sample};
use super::scenes::Scenes;
use super::{DataError, Dataset, Pictures, Place, Source};

/// A set of samples with any subset of labels.
///
/// ```
/// use cellwright::data::{Label, SampleSource};
///
/// let source: SampleSource = "Part(of: Scenes(count: 50), labels: [Depth], skip: 10, take: 5)".parse()?;
/// let set = source.open()?;
/// assert_eq!((set.len(), set.sample(0)?.labels()), (5, vec![Label::Depth]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SampleSource {
    /// The embedded set: rendered solids with all labels.
    Scenes(Scenes),
    /// A folder of pictures with labels in the field's formats, or without any.
    Pictures(PictureFolder),
    /// Pictures of one size with a class each: one split of a set that classification is trained on.
    Classes {
        /// The set.
        source: Source,
        /// Which of its splits.
        #[serde(default)]
        split: Split,
    },
    /// Some samples of another set, or some of their labels.
    Part {
        /// The other set.
        of: Box<SampleSource>,
        /// The labels that are kept; `None` keeps all, an empty list none.
        #[serde(default)]
        labels: Option<Vec<Label>>,
        /// Samples left out at the beginning.
        #[serde(default)]
        skip: usize,
        /// Samples taken behind those; `None` takes all.
        #[serde(default)]
        take: Option<usize>,
    },
}

/// A split of a set of class pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Split {
    /// What gradients are taken on.
    #[default]
    Train,
    /// What candidates are ranked by.
    Validation,
    /// Looked at once.
    Test,
}

/// Samples by index. Reading one needs no other, and gives the same each time.
#[allow(clippy::len_without_is_empty)]
pub trait Samples: Send + Sync {
    /// How many there are: at least one.
    fn len(&self) -> usize;

    /// The names of its classes.
    fn classes(&self) -> &Classes;

    /// The name of one, which no other has.
    ///
    /// # Panics
    /// Beyond the last.
    fn name(&self, index: usize) -> String;

    /// Reads or renders one.
    ///
    /// # Errors
    /// [`DataError`] with the file, the place in it, and what to do.
    ///
    /// # Panics
    /// Beyond the last.
    fn sample(&self, index: usize) -> Result<Sample, DataError>;

    /// What could not be read and was left out because the source says so: names, and why.
    fn left_out(&self) -> &[(String, String)] {
        &[]
    }

    /// How many there would be if none were left out.
    fn listed(&self) -> usize {
        self.len() + self.left_out().len()
    }

    /// Whether reading one cannot fail, as far as anybody can tell: nothing is read from files, or all was read once when
    /// the set was opened.
    fn is_sound(&self) -> bool {
        false
    }

    /// Reads everything once: the names of what cannot be read, and why.
    fn check(&self) -> Vec<(String, DataError)> {
        let all = (0..self.len()).into_par_iter();
        all.filter_map(|index| self.sample(index).err().map(|error| (self.name(index), error))).collect()
    }
}

impl SampleSource {
    /// Where its pictures are, for messages: a folder, or the name of an embedded set.
    ///
    /// ```
    /// let source: cellwright::data::SampleSource = "Part(of: Pictures(folder: \"photos\"), take: 5)".parse()?;
    /// assert_eq!(source.place(), "photos");
    /// # Ok::<(), cellwright::data::DataError>(())
    /// ```
    pub fn place(&self) -> String {
        match self {
            SampleSource::Scenes(_) => "Scenes".into(),
            SampleSource::Pictures(folder) => folder.folder.display().to_string(),
            SampleSource::Classes { source, .. } => source.place(),
            SampleSource::Part { of, .. } => of.place(),
        }
    }

    /// Each source with what it reads.
    pub const LAYOUTS: &'static [(&'static str, &'static str)] = &[
        (
            "Scenes(count: 1000, width: 64, height: 64, seed: 0)",
            "embedded: rendered solids on a floor with class, objects, segmentation, depth and normals",
        ),
        (
            "Pictures(folder: \"folder\", labels: [..])",
            "*.jpg|jpeg|png, unlabelled or with any of:\n\
             ByFolder, a class for each of its folders\n\
             Coco(instances: \"instances.json\")\n\
             Panoptic(json: \"panoptic.json\", masks: \"folder\")\n\
             Yolo(folder: \"labels\", classes: File(\"data.yaml\"))\n\
             Voc(folder: \"Annotations\")\n\
             Masks(folder: \"masks\", classes: File(\"classes.yaml\"), ignored: [255])\n\
             Depth(folder: \"depth\", metres_per_unit: 0.001, camera: File(\"intrinsics.txt\"))\n\
             Normals(folder: \"normals\")\n\
             options: suffix: \".color.jpg\", skip_broken: true",
        ),
        ("Classes(source: Digits, split: Train)", "a split of any set of class pictures"),
        (
            "Part(of: .., labels: [Depth], skip: 0, take: 100)",
            "some samples of another set, or some of their labels",
        ),
    ];

    /// Opens the set; pictures are read when they are asked for.
    ///
    /// # Errors
    /// [`DataError`] with the file or folder, what is wrong with it, and what to do.
    pub fn open(&self) -> Result<Box<dyn Samples>, DataError> {
        Ok(match self {
            SampleSource::Scenes(scenes) => Box::new(SceneSet::new(scenes)?),
            SampleSource::Pictures(folder) => Box::new(folder.open()?),
            SampleSource::Classes { source, split } => Box::new(PictureSet::new(source.load()?, *split)),
            SampleSource::Part { of, labels, skip, take } => {
                Box::new(PartSet::new(of.open()?, labels.clone(), *skip, *take)?)
            }
        })
    }
}

impl FromStr for SampleSource {
    type Err = DataError;

    /// Reads a source as space files write it: `Scenes(count: 50)`.
    fn from_str(text: &str) -> Result<SampleSource, DataError> {
        let extensions = Extensions::IMPLICIT_SOME | Extensions::UNWRAP_VARIANT_NEWTYPES;
        let options = ron::Options::default().with_default_extension(extensions);
        options.from_str(text).map_err(|error| {
            let place = Place::Line(error.span.start.line);
            let problem = format!("`{text}` is no source of samples: {}", error.code);
            DataError::label(
                "the source",
                place,
                problem,
                "`cellwright data` lists all sources, as they are written",
            )
        })
    }
}

struct SceneSet {
    scenes: Scenes,
    classes: Classes,
}

impl SceneSet {
    fn new(scenes: &Scenes) -> Result<SceneSet, DataError> {
        match scenes.problem() {
            Some(missing) => Err(DataError::Layout { path: "Scenes".into(), missing }),
            None => Ok(SceneSet { scenes: scenes.clone(), classes: scenes.classes() }),
        }
    }
}

impl Samples for SceneSet {
    fn len(&self) -> usize {
        self.scenes.count
    }

    fn classes(&self) -> &Classes {
        &self.classes
    }

    fn name(&self, index: usize) -> String {
        Scenes::name(index)
    }

    fn sample(&self, index: usize) -> Result<Sample, DataError> {
        assert!(index < self.len(), "scene {index} of {}", self.len());
        Ok(self.scenes.sample(index))
    }

    fn is_sound(&self) -> bool {
        true
    }
}

struct PictureSet {
    pictures: Pictures,
    classes: Classes,
}

impl PictureSet {
    fn new(data: Dataset, split: Split) -> PictureSet {
        let pictures = match split {
            Split::Train => data.train,
            Split::Validation => data.validation,
            Split::Test => data.test,
        };
        PictureSet { pictures, classes: Classes { pictures: data.classes, ..Classes::default() } }
    }
}

impl Samples for PictureSet {
    fn len(&self) -> usize {
        self.pictures.len()
    }

    fn classes(&self) -> &Classes {
        &self.classes
    }

    fn name(&self, index: usize) -> String {
        format!("{index:06}")
    }

    fn sample(&self, index: usize) -> Result<Sample, DataError> {
        let class = Some(Class::Hard(self.pictures.labels[index]));
        Ok(Sample { class, ..Sample::unlabelled(self.name(index), colour(&self.pictures, index)) })
    }

    fn is_sound(&self) -> bool {
        true
    }
}

/// Planes of channels as colours; grey gives the same to all three.
fn colour(pictures: &Pictures, index: usize) -> Picture {
    let ((channels, height, width), bytes) = (pictures.shape, pictures.picture(index));
    let at = |channel: usize, pixel: usize| bytes[channel.min(channels - 1) * height * width + pixel];
    let pixels = (0..height * width).map(|pixel| [0, 1, 2].map(|channel| at(channel, pixel)));
    Plane::new(width, height, pixels.collect())
}

struct PartSet {
    of: Box<dyn Samples>,
    /// Of the labels that are kept: a label that no sample has names no class.
    classes: Classes,
    labels: Option<Vec<Label>>,
    first: usize,
    count: usize,
}

impl PartSet {
    fn new(
        of: Box<dyn Samples>,
        labels: Option<Vec<Label>>,
        skip: usize,
        take: Option<usize>,
    ) -> Result<PartSet, DataError> {
        let left = of.len().saturating_sub(skip);
        let count = take.unwrap_or(left).min(left);
        if count == 0 {
            let missing = format!("`skip: {skip}, take: {take:?}` leave none of {} samples", of.len());
            return Err(DataError::Layout { path: "Part".into(), missing });
        }
        let classes = of.classes().clone();
        let classes = labels.iter().fold(classes, |classes, labels| classes.only(labels));
        Ok(PartSet { of, classes, labels, first: skip, count })
    }
}

impl Samples for PartSet {
    fn len(&self) -> usize {
        self.count
    }

    fn classes(&self) -> &Classes {
        &self.classes
    }

    fn name(&self, index: usize) -> String {
        assert!(index < self.count, "sample {index} of {}", self.count);
        self.of.name(self.first + index)
    }

    fn sample(&self, index: usize) -> Result<Sample, DataError> {
        assert!(index < self.count, "sample {index} of {}", self.count);
        let sample = self.of.sample(self.first + index)?;
        Ok(match &self.labels {
            Some(labels) => sample.only(labels),
            None => sample,
        })
    }

    fn left_out(&self) -> &[(String, String)] {
        self.of.left_out()
    }

    fn listed(&self) -> usize {
        self.of.listed()
    }

    fn is_sound(&self) -> bool {
        self.of.is_sound()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_pictures_become_samples_with_a_class_alone() {
        let source = SampleSource::Classes { source: Source::Digits, split: Split::Validation };
        let (set, data) = (source.open().unwrap(), Source::Digits.load().unwrap());
        assert_eq!(set.len(), data.validation.len());
        let sample = set.sample(5).unwrap();
        assert_eq!((sample.labels(), sample.size()), (vec![Label::Class], (8, 8)));
        assert_eq!(sample.class, Some(Class::Hard(data.validation.labels[5])));
        assert_eq!(sample.picture.at(3, 2), [data.validation.picture(5)[19]; 3]);
        assert_eq!(sample.contradiction(set.classes()), None);
    }

    #[test]
    fn a_part_of_nothing_is_told() {
        let source = |text: &str| {
            text.parse::<SampleSource>().and_then(|source| source.open()).err().unwrap().to_string()
        };
        insta::assert_snapshot!(source("Part(of: Scenes(count: 3), skip: 3)"), @"
        Part: `skip: 3, take: None` leave none of 3 samples
          hint: `cellwright data` shows the layout that is expected
        ");
        insta::assert_snapshot!(source("Scenes(width: 2)"), @"
        Scenes: pictures of 2x64: sides are 8 to 4096 pixels
          hint: `cellwright data` shows the layout that is expected
        ");
        insta::assert_snapshot!(source("Scene(width: 2)"), @"
        the source: line 1: `Scene(width: 2)` is no source of samples: Unexpected variant named `Scene` in enum `SampleSource`, expected one of `Scenes`, `Pictures`, `Classes`, or `Part` instead
          hint: `cellwright data` lists all sources, as they are written
        ");
        insta::assert_snapshot!(source("Scenes(wdth: 2)"), @"
        the source: line 1: `Scenes(wdth: 2)` is no source of samples: Unexpected field named `wdth` in `Scenes`, expected one of `count`, `width`, `height`, `seed`, or `objects` instead
          hint: `cellwright data` lists all sources, as they are written
        ");
    }
}
