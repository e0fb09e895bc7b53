//! Pictures with classes: the embedded digits, and readers of CIFAR, IDX and class folders. No Burn here.

use std::sync::Arc;

/// Pictures of one size with one class each, as bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Pictures {
    /// `[count, channels, height, width]`, row-major.
    pub pixels: Arc<Vec<u8>>,
    /// One class index a picture.
    pub labels: Arc<Vec<u16>>,
    /// `(channels, height, width)`.
    pub shape: (usize, usize, usize),
}

/// A data set with its fixed splits. The search sees `train` and `validation` only.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// What gradients are taken on.
    pub train: Pictures,
    /// What candidates are ranked by: a fixed part of the training data.
    pub validation: Pictures,
    /// Looked at once, by the final training of a winner.
    pub test: Pictures,
    /// The classes' names, by index.
    pub classes: Vec<String>,
    /// Mean of each channel over `train`, of pixels in [0, 1].
    pub mean: Vec<f32>,
    /// Standard deviation of each channel over `train`, of pixels in [0, 1].
    pub deviation: Vec<f32>,
}
