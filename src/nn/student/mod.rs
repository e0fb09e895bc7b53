//! Students on Burn: their losses, their training on mixed sets, and what they say of pictures.

mod batches;
mod losses;
mod predict;
mod state;
mod train;
mod weighing;

pub use predict::{features, predict};
pub use train::{Source, Step, StudentTraining, TrainedStudent};

use crate::data::Picture;
use crate::must::student::{DEVIATION, MEAN};

/// Appends a picture's numbers, normalised, `[3, height, width]`.
fn normalize(picture: &Picture, numbers: &mut Vec<f32>) {
    for channel in 0..3 {
        let (mean, deviation) = (MEAN[channel], DEVIATION[channel]);
        let number = |colour: &[u8; 3]| (f32::from(colour[channel]) / 255.0 - mean) / deviation;
        numbers.extend(picture.values().iter().map(number));
    }
}
