//! Pictures with any subset of labels: class, objects, segmentation, depth, normals.

mod camera;
mod mask;
mod normals;
mod object;
mod plane;

use serde::{Deserialize, Serialize};

pub use camera::Camera;
pub use mask::Mask;
pub use normals::NormalFit;
pub(in crate::data) use object::rounded;
pub use object::{Bounds, Object};
pub use plane::{Pixel, Plane};

/// Red, green and blue of each pixel.
pub type Picture = Plane<[u8; 3]>;

/// The segmentation's class of a pixel that has none: it takes no part in any loss or metric.
pub const IGNORE: u16 = u16::MAX;

/// What a picture may be labelled with: the five tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Label {
    /// One class for the whole picture.
    Class,
    /// A box and a class for each object.
    Objects,
    /// A class for each pixel.
    Segmentation,
    /// A distance for each pixel.
    Depth,
    /// A direction for each pixel.
    Normals,
}

impl Label {
    /// All, in the order in which they are listed everywhere.
    pub const ALL: [Label; 5] =
        [Label::Class, Label::Objects, Label::Segmentation, Label::Depth, Label::Normals];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Label::Class => "class",
            Label::Objects => "objects",
            Label::Segmentation => "segmentation",
            Label::Depth => "depth",
            Label::Normals => "normals",
        }
    }
}

/// The class of a picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Class {
    /// What people say it is: an index into the set's classes of pictures.
    Hard(u16),
    /// How likely a teacher thinks each class: one probability a class, which sum to 1.
    Soft(Vec<f32>),
}

/// A picture with what is known of it. A label that its set lacks is `None`: absent, never zero.
///
/// ```
/// use cellwright::data::{Class, Label, Picture, Sample};
///
/// let grey = Picture::filled(4, 4, [128; 3]);
/// let sample = Sample { class: Some(Class::Hard(2)), ..Sample::unlabelled("grey", grey) };
/// assert!(sample.has(Label::Class) && !sample.has(Label::Depth));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Tells it from all others of its set: a file's name, without its extension, or a number.
    pub name: String,
    /// Its pixels.
    pub picture: Picture,
    /// Its class.
    pub class: Option<Class>,
    /// Its objects. An empty list says that there are none.
    pub objects: Option<Vec<Object>>,
    /// The class of each pixel, or [`IGNORE`].
    pub segmentation: Option<Plane<u16>>,
    /// Metres along the camera's axis (a teacher's may be of any scale and shift); NaN is a hole.
    pub depth: Option<Plane<f32>>,
    /// Unit normals towards the camera, x to the right, y down, z away from it; NaN is a hole.
    pub normals: Option<Plane<[f32; 3]>>,
    /// The camera, where it is known.
    pub camera: Option<Camera>,
    /// Which of its labels teachers gave; the others are people's.
    pub pseudo: Vec<Label>,
}

impl Sample {
    /// A picture of which nothing is known.
    pub fn unlabelled(name: impl Into<String>, picture: Picture) -> Sample {
        Sample {
            name: name.into(),
            picture,
            class: None,
            objects: None,
            segmentation: None,
            depth: None,
            normals: None,
            camera: None,
            pseudo: Vec::new(),
        }
    }

    /// Whether it has this label.
    pub fn has(&self, label: Label) -> bool {
        match label {
            Label::Class => self.class.is_some(),
            Label::Objects => self.objects.is_some(),
            Label::Segmentation => self.segmentation.is_some(),
            Label::Depth => self.depth.is_some(),
            Label::Normals => self.normals.is_some(),
        }
    }

    /// The labels that it has.
    pub fn labels(&self) -> Vec<Label> {
        Label::ALL.into_iter().filter(|&label| self.has(label)).collect()
    }

    /// The same with only these labels.
    pub fn only(mut self, labels: &[Label]) -> Sample {
        self.pseudo.retain(|label| labels.contains(label));
        for label in Label::ALL.into_iter().filter(|label| !labels.contains(label)) {
            match label {
                Label::Class => self.class = None,
                Label::Objects => self.objects = None,
                Label::Segmentation => self.segmentation = None,
                Label::Depth => self.depth = None,
                Label::Normals => self.normals = None,
            }
        }
        self
    }

    /// The same with the labels of `other` where it has none of its own.
    pub fn or(self, other: Sample) -> Sample {
        let taken = other.pseudo.iter().copied().filter(|label| !self.has(*label));
        Sample {
            pseudo: self.pseudo.iter().copied().chain(taken).collect(),
            class: self.class.or(other.class),
            objects: self.objects.or(other.objects),
            segmentation: self.segmentation.or(other.segmentation),
            depth: self.depth.or(other.depth),
            normals: self.normals.or(other.normals),
            ..self
        }
    }

    /// `(width, height)` in pixels.
    pub fn size(&self) -> (usize, usize) {
        self.picture.size()
    }

    /// What contradicts itself, if anything: the readers and the augmentation keep to this.
    pub fn contradiction(&self, classes: &Classes) -> Option<String> {
        self.wrong_size()
            .or_else(|| self.wrong_class(classes))
            .or_else(|| self.wrong_pixel(classes))
            .or_else(|| self.wrong_objects(classes))
            .or_else(|| {
                let bent = |normal: &&[f32; 3]| {
                    let length = normal.iter().map(|part| part * part).sum::<f32>();
                    (length - 1.0).abs() > 1e-3
                };
                let bent = self.normals.as_ref()?.values().iter().find(bent)?;
                Some(format!("the normal {bent:?} is not of length 1"))
            })
    }

    fn wrong_size(&self) -> Option<String> {
        let sizes = [
            ("segmentation", self.segmentation.as_ref().map(Plane::size)),
            ("depth", self.depth.as_ref().map(Plane::size)),
            ("normals", self.normals.as_ref().map(Plane::size)),
        ];
        let (name, size) =
            sizes.into_iter().find(|(_, size)| size.is_some_and(|size| size != self.size()))?;
        let ((width, height), (w, h)) = (size?, self.size());
        Some(format!("its {name} is {width}x{height}, its picture {w}x{h}"))
    }

    fn wrong_class(&self, classes: &Classes) -> Option<String> {
        let count = classes.pictures.len();
        let problem = match self.class.as_ref()? {
            Class::Hard(class) => (usize::from(*class) >= count).then(|| format!("its class is {class}")),
            Class::Soft(shares) => (shares.len() != count).then(|| format!("it has {} shares", shares.len())),
        };
        problem.map(unknown)
    }

    fn wrong_pixel(&self, classes: &Classes) -> Option<String> {
        let known = |class: u16| class == IGNORE || usize::from(class) < classes.segmentation.len();
        let wrong = self.segmentation.as_ref()?.values().iter().find(|&&class| !known(class));
        wrong.map(|class| unknown(format!("a pixel's class is {class}")))
    }

    fn wrong_objects(&self, classes: &Classes) -> Option<String> {
        let (width, height) = self.size();
        self.objects.iter().flatten().find_map(|object| {
            let class = usize::from(object.class) >= classes.objects.len();
            let class =
                class.then(|| format!("an object's class is {}, of {}", object.class, classes.objects.len()));
            let size = object.mask.as_ref().filter(|mask| mask.size() != (width, height));
            let size = size
                .map(|mask| format!("an object's mask is {:?}, its picture {width}x{height}", mask.size()));
            object.bounds.problem(width, height).or(class).or(size)
        })
    }
}

fn unknown(problem: String) -> String {
    format!("{problem}, which the set's classes do not have")
}

/// The names of a set's classes, by label; empty where a label is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Classes {
    /// Of pictures as a whole.
    pub pictures: Vec<String>,
    /// Of objects.
    pub objects: Vec<String>,
    /// Of pixels.
    pub segmentation: Vec<String>,
}

impl Classes {
    /// The same with the names of these labels alone.
    pub fn only(mut self, labels: &[Label]) -> Classes {
        let named = [
            (Label::Class, &mut self.pictures),
            (Label::Objects, &mut self.objects),
            (Label::Segmentation, &mut self.segmentation),
        ];
        named.into_iter().filter(|(label, _)| !labels.contains(label)).for_each(|(_, names)| names.clear());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_of_no_class_is_told_without_a_class_of_the_picture() {
        let picture = Picture::filled(2, 1, [0; 3]);
        let classes = Classes { segmentation: vec!["sky".into()], ..Classes::default() };
        let of = |class: u16| Sample {
            segmentation: Some(Plane::new(2, 1, vec![IGNORE, class])),
            ..Sample::unlabelled("a", picture.clone())
        };
        assert_eq!(of(0).contradiction(&classes), None);
        let told = of(1).contradiction(&classes).unwrap();
        assert_eq!(told, "a pixel's class is 1, which the set's classes do not have");
    }
}
