//! A folder of pictures, and beside it any number of labels, each in the format that the field has for it.
//!
//! To add a format: one file with a [`Reader`], its line in [`Layer`] and in [`Layer::open`].

mod class;
mod coco;
mod depth;
mod keys;
mod masks;
mod names;
mod panoptic;
mod raw;
#[cfg(test)]
mod real;
mod voc;
mod yolo;

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::sample::{Classes, Label, NormalFit, Sample};
use super::set::Samples;
use super::{DataError, Place};
pub use depth::Intrinsics;
use keys::{Keys, beside, listed};
pub use names::ClassMap;

/// Pictures with labels from other files. A picture that a label's files do not know lacks that label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PictureFolder {
    /// The folder of the pictures, JPEG or PNG; folders inside of it are read too.
    pub folder: PathBuf,
    /// How the pictures' names end; what is before it is the name that labels go by. `None` for `.jpg`, `.jpeg` and `.png`.
    #[serde(default)]
    pub suffix: Option<String>,
    /// None leaves the pictures unlabelled.
    #[serde(default)]
    pub labels: Vec<Layer>,
    /// Leave out and count what cannot be read or contradicts itself, instead of stopping. Everything is read once to know.
    #[serde(default)]
    pub skip_broken: bool,
}

/// Labels in one format. Files go by their picture's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Layer {
    /// The class of a picture is the name of the folder that it is in.
    ByFolder,
    /// COCO's instances: boxes, with masks from polygons or runs.
    Coco {
        /// The JSON file.
        instances: PathBuf,
    },
    /// COCO's panoptic segmentation: classes of pixels, boxes and masks; boxes alone without `masks`.
    Panoptic {
        /// The JSON file.
        json: PathBuf,
        /// The folder of its PNG files.
        #[serde(default)]
        masks: Option<PathBuf>,
    },
    /// A text file a picture: boxes or polygons as shares of the picture.
    Yolo {
        /// The folder of the text files.
        folder: PathBuf,
        /// Names by number.
        classes: ClassMap,
    },
    /// An XML file a picture.
    Voc {
        /// The folder of the XML files.
        folder: PathBuf,
        /// Names; `None` for those that the files have, in alphabetical order.
        #[serde(default)]
        classes: Option<ClassMap>,
        /// The number of the first pixel: 1 in Pascal VOC, 0 where other tools wrote the files.
        #[serde(default = "first_pixel")]
        first_pixel: u8,
    },
    /// A PNG file a picture, each value the number of a class.
    Masks {
        /// The folder of the PNG files.
        folder: PathBuf,
        /// How their names end, behind the picture's.
        #[serde(default = "png")]
        suffix: String,
        /// Names by number.
        classes: ClassMap,
        /// Numbers of pixels that take no part.
        #[serde(default = "void")]
        ignored: Vec<u32>,
    },
    /// A 16-bit PNG file a picture; normals are derived from it.
    Depth {
        /// The folder of the PNG files.
        folder: PathBuf,
        /// How their names end, behind the picture's.
        #[serde(default = "png")]
        suffix: String,
        /// Metres that 1 stands for.
        #[serde(default = "millimetre")]
        metres_per_unit: f64,
        /// Numbers of pixels without a depth.
        #[serde(default = "no_depth")]
        holes: Vec<u16>,
        /// The camera, without which there are no normals.
        #[serde(default)]
        camera: Option<Intrinsics>,
        /// How normals are derived; `None` leaves them absent.
        #[serde(default = "fitted")]
        normals: Option<NormalFit>,
    },
    /// A PNG file a picture, whose red, green and blue are the parts of unit vectors; black is a hole.
    Normals {
        /// The folder of the PNG files.
        folder: PathBuf,
        /// How their names end, behind the picture's.
        #[serde(default = "png")]
        suffix: String,
        /// Whether x points to the right, y down and z away from the camera (1), or the other way (-1). By default x to
        /// the right, y up, z towards the camera, as most files have it.
        #[serde(default = "upwards")]
        signs: [i8; 3],
    },
}

fn first_pixel() -> u8 {
    1
}
fn png() -> String {
    ".png".into()
}
fn void() -> Vec<u32> {
    vec![255]
}
fn millimetre() -> f64 {
    0.001
}
fn no_depth() -> Vec<u16> {
    vec![0, u16::MAX]
}
fn fitted() -> Option<NormalFit> {
    Some(NormalFit::default())
}
fn upwards() -> [i8; 3] {
    [1, -1, -1]
}

/// Labels of one format, found by the picture's name.
pub(super) trait Reader: Send + Sync {
    /// What it may add.
    fn gives(&self) -> Vec<Label>;
    /// Writes down the names of its classes.
    fn name_classes(&self, _classes: &mut Classes) {}
    /// Adds what it knows of the picture of this name.
    fn label(&self, key: &str, sample: &mut Sample) -> Result<(), DataError>;
}

impl Layer {
    fn open(&self, keys: &Keys) -> Result<Box<dyn Reader>, DataError> {
        Ok(match self {
            Layer::ByFolder => Box::new(class::ByFolder::open(keys)?),
            Layer::Coco { instances } => Box::new(coco::Coco::open(instances, keys)?),
            Layer::Panoptic { json, masks } => {
                Box::new(panoptic::Panoptic::open(json, masks.as_deref(), keys)?)
            }
            Layer::Yolo { folder, classes } => {
                Box::new(yolo::Yolo::open(folder, classes.ids(&[])?, keys.names())?)
            }
            Layer::Voc { folder, classes, first_pixel } => {
                Box::new(voc::Voc::open(folder, classes.as_ref(), *first_pixel, keys.names())?)
            }
            Layer::Masks { folder, suffix, classes, ignored } => {
                Box::new(masks::Masks::open(folder, suffix, classes.ids(ignored)?, ignored, keys)?)
            }
            Layer::Depth { folder, suffix, metres_per_unit, holes, camera, normals } => Box::new(
                depth::Depth::open(folder, suffix, *metres_per_unit, holes, camera.as_ref(), *normals, keys)?,
            ),
            Layer::Normals { folder, suffix, signs } => {
                Box::new(depth::Normals::open(folder, suffix, *signs, keys)?)
            }
        })
    }
}

/// A folder that was opened.
pub(super) struct FolderSet {
    names: Vec<String>,
    files: Vec<PathBuf>,
    readers: Vec<Box<dyn Reader>>,
    classes: Classes,
    left_out: Vec<(String, String)>,
    /// Whether all was read once.
    sound: bool,
}

impl PictureFolder {
    pub(super) fn open(&self) -> Result<FolderSet, DataError> {
        let suffixes = match &self.suffix {
            Some(suffix) => vec![suffix.clone()],
            None => [".jpg", ".jpeg", ".png"].map(String::from).to_vec(),
        };
        let (names, files): (Vec<_>, Vec<_>) = listed(&self.folder, &suffixes)?.into_iter().unzip();
        let keys = Keys::new(&self.folder, &suffixes, self.skip_broken, names);
        let readers: Vec<Box<dyn Reader>> =
            self.labels.iter().map(|layer| layer.open(&keys)).collect::<Result<_, _>>()?;
        self.check_twice(&readers)?;
        let mut classes = Classes::default();
        readers.iter().for_each(|reader| reader.name_classes(&mut classes));
        let left_out = keys.missing();
        let set = FolderSet { names: keys.names, files, readers, classes, left_out, sound: false };
        if self.skip_broken { set.without_broken(&self.folder) } else { Ok(set) }
    }

    fn check_twice(&self, readers: &[Box<dyn Reader>]) -> Result<(), DataError> {
        let given: Vec<Label> = readers.iter().flat_map(|reader| reader.gives()).collect();
        let twice =
            Label::ALL.into_iter().find(|label| given.iter().filter(|other| *other == label).count() > 1);
        twice.map_or(Ok(()), |label| {
            let problem = format!("two of `labels` give {}", label.name());
            let hint = "keep one of them (`normals: None` leaves a depth without normals)";
            Err(DataError::label(&self.folder, Place::Whole, problem, hint))
        })
    }
}

impl FolderSet {
    /// Reads everything once and leaves out what cannot be read.
    fn without_broken(mut self, folder: &Path) -> Result<FolderSet, DataError> {
        let results: Vec<Option<String>> = (0..self.names.len())
            .into_par_iter()
            .map(|index| self.sample(index).err().map(|error| error.to_string()))
            .collect();
        let (mut names, mut files) = (Vec::new(), Vec::new());
        for ((name, file), problem) in self.names.into_iter().zip(self.files).zip(results) {
            match problem {
                Some(problem) => self.left_out.push((name, problem)),
                None => {
                    names.push(name);
                    files.push(file);
                }
            }
        }
        if names.is_empty() {
            let first = self.left_out.first().map_or("", |(_, problem)| problem);
            let problem = format!("none of {} pictures can be used; the first: {first}", self.left_out.len());
            return Err(DataError::label(
                folder,
                Place::Whole,
                problem,
                "mend what is told, or check the folders",
            ));
        }
        Ok(FolderSet { names, files, sound: true, ..self })
    }
}

impl Samples for FolderSet {
    fn len(&self) -> usize {
        self.names.len()
    }

    fn classes(&self) -> &Classes {
        &self.classes
    }

    fn name(&self, index: usize) -> String {
        self.names[index].clone()
    }

    fn sample(&self, index: usize) -> Result<Sample, DataError> {
        let picture = raw::picture(&self.files[index])?;
        let mut sample = Sample::unlabelled(&self.names[index], picture);
        self.readers.iter().try_for_each(|reader| reader.label(&self.names[index], &mut sample))?;
        Ok(sample)
    }

    fn left_out(&self) -> &[(String, String)] {
        &self.left_out
    }

    fn is_sound(&self) -> bool {
        self.sound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paint(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::RgbImage::from_pixel(6, 4, image::Rgb([1, 2, 3])).save(path).unwrap();
    }

    fn files(folder: &Path, labels: Vec<Layer>, skip_broken: bool) -> Result<FolderSet, String> {
        let files = PictureFolder { folder: folder.join("pictures"), suffix: None, labels, skip_broken };
        files.open().map_err(|error| error.to_string().replace(&folder.display().to_string(), "DATA"))
    }

    #[test]
    fn pictures_without_labels_have_none_and_go_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        ["b/2.png", "a.PNG", "b/1.png"]
            .iter()
            .for_each(|name| paint(&folder.path().join("pictures").join(name)));
        std::fs::write(folder.path().join("pictures/notes.txt"), "no picture").unwrap();
        let set = files(folder.path(), vec![], false).unwrap();
        assert_eq!((0..set.len()).map(|index| set.name(index)).collect::<Vec<_>>(), ["a", "b/1", "b/2"]);
        assert_eq!(set.sample(2).unwrap().labels(), []);
        assert_eq!(set.sample(2).unwrap().size(), (6, 4));
    }

    #[test]
    fn broken_samples_stop_or_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        ["a.png", "b.png"].iter().for_each(|name| paint(&folder.path().join("pictures").join(name)));
        std::fs::write(folder.path().join("pictures/c.jpg"), b"\xff\xd8\xff\xe0 and then nothing").unwrap();
        std::fs::create_dir(folder.path().join("boxes")).unwrap();
        std::fs::write(folder.path().join("boxes/b.txt"), "0 2 2 1 1").unwrap();
        let yolo = || Layer::Yolo {
            folder: folder.path().join("boxes"),
            classes: ClassMap::Names(vec!["x".into()]),
        };
        let set = files(folder.path(), vec![yolo()], false).unwrap();
        assert_eq!((0..3).map(|index| set.sample(index).is_ok()).collect::<Vec<_>>(), [true, false, false]);
        let set = files(folder.path(), vec![yolo()], true).unwrap();
        assert_eq!((set.len(), set.left_out().len()), (1, 2));
        assert_eq!((set.listed(), set.is_sound()), (3, true));
        assert!(set.left_out()[0].1.contains("boxes/b.txt: line 1: "), "{:?}", set.left_out());
        std::fs::remove_file(folder.path().join("pictures/a.png")).unwrap();
        let message = files(folder.path(), vec![yolo()], true).err().unwrap();
        assert!(message.starts_with("DATA/pictures: none of 2 pictures can be used"), "{message}");
    }

    #[test]
    fn says_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("pictures")).unwrap();
        let message = |labels| files(folder.path(), labels, false).err().unwrap();
        insta::assert_snapshot!(message(vec![]), @"
        DATA/pictures: no pictures whose names end in .jpg, .jpeg, .png
          hint: `cellwright data` shows the layout that is expected
        ");
        paint(&folder.path().join("pictures/a.png"));
        let classes = || ClassMap::Names(vec!["x".into()]);
        let yolo = |name: &str| Layer::Yolo { folder: folder.path().join(name), classes: classes() };
        insta::assert_snapshot!(message(vec![yolo("boxes")]), @"
        DATA/boxes: No such file or directory (os error 2)
          hint: `cellwright data` shows the layout that is expected
        ");
        std::fs::create_dir(folder.path().join("boxes")).unwrap();
        insta::assert_snapshot!(message(vec![yolo("boxes")]), @"
        DATA/boxes: none of the 1 pictures has a file here, such as `a.txt`
          hint: check the folder, and `suffix` of pictures and labels
        ");
        std::fs::write(folder.path().join("boxes/a.txt"), "").unwrap();
        insta::assert_snapshot!(message(vec![yolo("boxes"), yolo("boxes")]), @"
        DATA/pictures: two of `labels` give objects
          hint: keep one of them (`normals: None` leaves a depth without normals)
        ");
        paint(&folder.path().join("pictures/a.jpg"));
        insta::assert_snapshot!(message(vec![]), @"
        DATA/pictures: `DATA/pictures/a.jpg` and `DATA/pictures/a.png` have one name
          hint: labels go by the name: remove or rename one
        ");
    }
}
