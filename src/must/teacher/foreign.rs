//! Teachers of somebody else's: an ONNX file, and in words how pictures go in and labels come out.

#[cfg(any(test, feature = "tract"))]
mod reading;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::MustError;
use super::Labeller;
use crate::data::{Classes, Label};
use crate::error::SpaceError;
use crate::symbolic::{Sources, from_value};
#[cfg(feature = "tract")]
pub(super) use reading::Answer;

/// An ONNX file as a teacher: what a `.ron` file beside it says.
///
/// ```
/// use cellwright::data::Label;
/// use cellwright::must::teacher::Foreign;
///
/// let teacher = Foreign::from_ron("depth.ron", r#"Foreign(
///     name: "depth",
///     file: "depth.onnx",
///     input: (size: (256, 192), mean: (0.485, 0.456, 0.406), deviation: (0.229, 0.224, 0.225)),
///     outputs: [Depth(output: 0, inverse: true)],
/// )"#)?;
/// assert_eq!(teacher.labels(), [Label::Depth]);
/// # Ok::<(), cellwright::error::SpaceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Foreign {
    /// What it is called.
    pub name: String,
    /// The ONNX file; a relative path starts at the folder of the `.ron` file.
    pub file: PathBuf,
    /// How pictures go in.
    pub input: Input,
    /// How labels come out.
    pub outputs: Vec<Output>,
    /// The names of its classes, of those labels that have any.
    #[serde(default)]
    pub classes: Classes,
}

/// How pictures go in: one at a time, stretched to one size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Width and height in pixels.
    pub size: (usize, usize),
    /// The order of a picture's numbers; maps come out in the same.
    #[serde(default)]
    pub layout: Layout,
    /// What white is: 1 where levels are divided by 255, as most networks have it.
    #[serde(default = "one")]
    pub white: f32,
    /// Taken from red, green and blue.
    #[serde(default)]
    pub mean: (f32, f32, f32),
    /// What red, green and blue are then divided by.
    #[serde(default = "ones")]
    pub deviation: (f32, f32, f32),
}

/// The order of a picture's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    /// `[1, channels, height, width]`.
    #[default]
    Nchw,
    /// `[1, height, width, channels]`.
    Nhwc,
}

/// How a label comes out. Outputs go by their numbers, from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Output {
    /// A number a class, `[1, classes]`.
    Class {
        /// Which output.
        output: usize,
        /// Whether the numbers are logits, which a softmax makes probabilities of.
        #[serde(default = "yes")]
        logits: bool,
    },
    /// Boxes in pixels of the input, `[boxes, 4]`, with their scores.
    Objects {
        /// The output of the boxes.
        boxes: usize,
        /// How the four numbers of a box are meant.
        #[serde(default)]
        corners: Corners,
        /// The output of the scores in [0, 1]: `[boxes, classes]`, or `[boxes]` where `classes` says of which.
        scores: usize,
        /// The output of the classes' numbers, `[boxes]`.
        #[serde(default)]
        classes: Option<usize>,
        /// Of boxes of one class that overlap more, the best is kept; 1 keeps all.
        #[serde(default = "half")]
        overlap: f64,
    },
    /// A map a class.
    Segmentation {
        /// Which output.
        output: usize,
        /// Whether the numbers are logits, which a softmax makes probabilities of.
        #[serde(default = "yes")]
        logits: bool,
    },
    /// One map.
    Depth {
        /// Which output.
        output: usize,
        /// Whether nearer is more, as MiDaS has it: the depth is then one over it, and what is not above 0 a hole.
        #[serde(default)]
        inverse: bool,
    },
    /// Three maps.
    Normals {
        /// Which output.
        output: usize,
        /// Whether x points to the right, y down and z away from the camera (1), or the other way (-1). By default x to
        /// the right, y up, z towards the camera, as most networks have it.
        #[serde(default = "upwards")]
        signs: (f32, f32, f32),
    },
}

/// How the four numbers of a box are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Corners {
    /// Left, top, right, bottom.
    #[default]
    Corners,
    /// The middle's x and y, width, height.
    Middle,
}

fn one() -> f32 {
    1.0
}
fn ones() -> (f32, f32, f32) {
    (1.0, 1.0, 1.0)
}
fn yes() -> bool {
    true
}
fn half() -> f64 {
    0.5
}
fn upwards() -> (f32, f32, f32) {
    (1.0, -1.0, -1.0)
}

/// The teacher that a `.ron` file describes.
pub(super) fn open(path: &Path) -> Result<Box<dyn Labeller>, MustError> {
    let text = std::fs::read_to_string(path).map_err(MustError::io(path))?;
    let foreign = Foreign::from_ron(&path.display().to_string(), &text)?;
    foreign.check(path)?;
    let onnx = path.parent().unwrap_or(Path::new("")).join(&foreign.file);
    let file = std::fs::read(&onnx).map_err(MustError::io(&onnx))?;
    foreign.labeller(path, &onnx, &file, &text)
}

impl Foreign {
    /// The teacher of a file's text; `label` is its path, for messages.
    ///
    /// # Errors
    /// What is wrong with the text, with its place.
    pub fn from_ron(label: &str, text: &str) -> Result<Foreign, SpaceError> {
        let mut sources = Sources::default();
        let tree = sources.read(label, text)?;
        from_value(&tree).map_err(|error| SpaceError::from_program(&error, &sources))
    }

    /// What it labels.
    pub fn labels(&self) -> Vec<Label> {
        self.outputs.iter().map(Output::label).collect()
    }

    fn check(&self, path: &Path) -> Result<(), MustError> {
        let wrong = |problem: &str, hint: &str| Err(MustError::no_teacher(path, problem, hint));
        let labels = self.labels();
        let twice = labels.iter().enumerate().any(|(index, label)| labels[..index].contains(label));
        match () {
            _ if labels.is_empty() => wrong("`outputs` is empty", "say of at least one output what it means"),
            _ if twice => wrong("two of `outputs` are of one label", "keep one of them"),
            _ if self.input.size.0.min(self.input.size.1) == 0 => {
                wrong("`input.size` has no pixels", "write the width and height that the network takes")
            }
            _ => Ok(()),
        }
    }

    #[cfg(feature = "tract")]
    fn labeller(
        self,
        path: &Path,
        onnx: &Path,
        file: &[u8],
        text: &str,
    ) -> Result<Box<dyn Labeller>, MustError> {
        Ok(Box::new(super::tract::Runner::new(self, (path, onnx), file, text)?))
    }

    #[cfg(not(feature = "tract"))]
    fn labeller(
        self,
        _path: &Path,
        _onnx: &Path,
        _file: &[u8],
        _text: &str,
    ) -> Result<Box<dyn Labeller>, MustError> {
        Err(MustError::Without { what: "a runtime for ONNX files", feature: "tract" })
    }
}

impl Output {
    fn label(&self) -> Label {
        match self {
            Output::Class { .. } => Label::Class,
            Output::Objects { .. } => Label::Objects,
            Output::Segmentation { .. } => Label::Segmentation,
            Output::Depth { .. } => Label::Depth,
            Output::Normals { .. } => Label::Normals,
        }
    }
}
