//! RandAugment, Cubuk et al. 2019, <https://arxiv.org/abs/1909.13719>.
//!
//! Every picture goes through a few operations, each drawn with equal chance from fourteen, all at one strength, so that
//! two numbers take the place of a searched policy. Operations, their ranges over the 31 steps of strength and the coin
//! for their sign are torchvision's; what they do to bytes is Pillow's, to the bit.

use rand::RngExt;

use super::Raster;
use crate::random::Rng;
use crate::recipe;

mod geometry;
mod tone;

/// The largest strength.
const MOST: f64 = 30.0;

/// An operation at its strength.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operation {
    Identity,
    /// Rows moved by so many columns for each row further down.
    ShearX(f64),
    /// Columns moved by so many rows for each column further right.
    ShearY(f64),
    /// Columns to the right.
    TranslateX(f64),
    /// Rows down.
    TranslateY(f64),
    /// Degrees against the clock.
    Rotate(f64),
    /// Away from black (above 1) or towards it.
    Brightness(f64),
    /// Away from grey or towards it.
    Colour(f64),
    /// Away from the mean's grey or towards it.
    Contrast(f64),
    /// Away from a smoothed picture or towards it.
    Sharpness(f64),
    /// So many upper bits are kept.
    Posterize(u32),
    /// What is at least as bright is inverted.
    Solarize(f64),
    /// Every channel stretched over all values.
    AutoContrast,
    /// Every channel's values spread evenly.
    Equalize,
}

impl Operation {
    /// One of the fourteen for a picture of `height` and `width`, as strong as `magnitude` of 30.
    fn draw(magnitude: f64, height: usize, width: usize, rng: &mut Rng) -> Operation {
        let share = magnitude / MOST;
        let which = rng.random_range(0..14);
        // A coin is thrown for every operation, so that which one it is does not move what is drawn next.
        let sign = if rng.random::<bool>() { -1.0 } else { 1.0 };
        let far = |side: usize| sign * share * 150.0 / 331.0 * side as f64;
        let factor = 1.0 + sign * share * 0.9;
        match which {
            0 => Operation::Identity,
            1 => Operation::ShearX(sign * share * 0.3),
            2 => Operation::ShearY(sign * share * 0.3),
            3 => Operation::TranslateX(far(width)),
            4 => Operation::TranslateY(far(height)),
            5 => Operation::Rotate(sign * share * 30.0),
            6 => Operation::Brightness(factor),
            7 => Operation::Colour(factor),
            8 => Operation::Contrast(factor),
            9 => Operation::Sharpness(factor),
            10 => Operation::Posterize(8 - (share * 4.0).round_ties_even() as u32),
            11 => Operation::Solarize(255.0 * (1.0 - share)),
            12 => Operation::AutoContrast,
            _ => Operation::Equalize,
        }
    }

    /// Changes `raster`, with `spare` to work in.
    pub(super) fn apply(self, raster: &mut Raster, spare: &mut Vec<u8>) {
        match self {
            Operation::Identity => (),
            Operation::ShearX(slope) => geometry::affine(raster, spare, [1.0, slope, 0.0, 0.0, 1.0, 0.0]),
            Operation::ShearY(slope) => geometry::affine(raster, spare, [1.0, 0.0, 0.0, slope, 1.0, 0.0]),
            Operation::TranslateX(columns) => {
                geometry::affine(raster, spare, [1.0, 0.0, -columns.trunc(), 0.0, 1.0, 0.0])
            }
            Operation::TranslateY(rows) => {
                geometry::affine(raster, spare, [1.0, 0.0, 0.0, 0.0, 1.0, -rows.trunc()])
            }
            Operation::Rotate(degrees) => geometry::rotate(raster, spare, degrees),
            Operation::Brightness(factor) => tone::brightness(raster, factor),
            Operation::Colour(factor) => tone::colour(raster, factor),
            Operation::Contrast(factor) => tone::contrast(raster, factor),
            Operation::Sharpness(factor) => tone::sharpness(raster, spare, factor),
            Operation::Posterize(bits) => tone::posterize(raster, bits),
            Operation::Solarize(threshold) => tone::solarize(raster, threshold),
            Operation::AutoContrast => tone::auto_contrast(raster),
            Operation::Equalize => tone::equalize(raster),
        }
    }
}

/// Puts a picture through as many operations as the recipe says.
pub(super) fn rand_augment(
    raster: &mut Raster,
    settings: recipe::RandAugment,
    rng: &mut Rng,
    spare: &mut Vec<u8>,
) {
    for _ in 0..settings.ops {
        Operation::draw(settings.magnitude, raster.height, raster.width, rng).apply(raster, spare);
    }
}

#[cfg(test)]
mod tests;
