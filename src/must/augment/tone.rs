//! RandAugment's operations on colours: the picture changes, its pixels stay where they are, and so does every label.
//!
//! Cubuk et al. 2019, <https://arxiv.org/abs/1909.13719>. The operations that move pixels are left out: turned and sheared
//! boxes are no boxes, and the scale is jittered anyway.

use rand::RngExt;

use crate::data::Picture;
use crate::random::Rng;

/// The largest strength.
pub(super) const MOST: f64 = 30.0;

/// One of the operations.
#[derive(Clone, Copy, Debug)]
enum Tone {
    Identity,
    /// Away from black or towards it.
    Brightness(f64),
    /// Away from grey or towards it.
    Saturation(f64),
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

/// The picture through `ops` operations, each drawn with equal chance, as strong as `magnitude` of 30.
pub(super) fn toned(picture: Picture, ops: usize, magnitude: f64, rng: &mut Rng) -> Picture {
    (0..ops).fold(picture, |picture, _| Tone::draw(magnitude, rng).apply(picture))
}

impl Tone {
    fn draw(magnitude: f64, rng: &mut Rng) -> Tone {
        let share = magnitude / MOST;
        let which = rng.random_range(0..9);
        // A coin is thrown for every operation, so that which one it is does not move what is drawn next.
        let sign = if rng.random::<bool>() { -1.0 } else { 1.0 };
        let factor = 1.0 + sign * share * 0.9;
        match which {
            0 => Tone::Identity,
            1 => Tone::Brightness(factor),
            2 => Tone::Saturation(factor),
            3 => Tone::Contrast(factor),
            4 => Tone::Sharpness(factor),
            5 => Tone::Posterize(8 - (share * 4.0).round_ties_even() as u32),
            6 => Tone::Solarize(255.0 * (1.0 - share)),
            7 => Tone::AutoContrast,
            _ => Tone::Equalize,
        }
    }

    fn apply(self, picture: Picture) -> Picture {
        match self {
            Tone::Identity => picture,
            Tone::Brightness(factor) => picture.map(|colour| colour.map(|level| blend(0.0, level, factor))),
            Tone::Saturation(factor) => {
                picture.map(|colour| colour.map(|level| blend(grey(colour), level, factor)))
            }
            Tone::Contrast(factor) => {
                let mean = mean(&picture);
                picture.map(|colour| colour.map(|level| blend(mean, level, factor)))
            }
            Tone::Sharpness(factor) => sharpened(&picture, factor),
            Tone::Posterize(bits) => {
                let mask = !(0xff_u32 >> bits.min(8)) as u8;
                picture.map(|colour| colour.map(|level| level & mask))
            }
            Tone::Solarize(threshold) => {
                let turned = |level: u8| if f64::from(level) < threshold { level } else { 255 - level };
                picture.map(|colour| colour.map(turned))
            }
            Tone::AutoContrast => through(&picture, stretched),
            Tone::Equalize => through(&picture, evened),
        }
    }
}

/// From `base` to `level` and, above 1, beyond it.
fn blend(base: f64, level: u8, factor: f64) -> u8 {
    (base + factor * (f64::from(level) - base)).round().clamp(0.0, 255.0) as u8
}

fn grey(colour: [u8; 3]) -> f64 {
    let [red, green, blue] = colour.map(f64::from);
    0.299 * red + 0.587 * green + 0.114 * blue
}

fn mean(picture: &Picture) -> f64 {
    let sum: f64 = picture.values().iter().map(|colour| grey(*colour)).sum();
    sum / picture.values().len().max(1) as f64
}

/// Blended with what the kernel 1 1 1 / 1 5 1 / 1 1 1 makes of it; the outermost pixels stay.
fn sharpened(picture: &Picture, factor: f64) -> Picture {
    let (width, height) = picture.size();
    Picture::from_fn(width, height, |x, y| {
        let here = picture.at(x, y);
        if x == 0 || y == 0 || x + 1 == width || y + 1 == height {
            return here;
        }
        std::array::from_fn(|channel| {
            let level = |x: usize, y: usize| f64::from(picture.at(x, y)[channel]);
            let rows = (y - 1..=y + 1).map(|y| (x - 1..=x + 1).map(|x| level(x, y)).sum::<f64>());
            let smooth = (rows.sum::<f64>() + 4.0 * level(x, y)) / 13.0;
            blend(smooth, here[channel], factor)
        })
    })
}

/// Each channel through a table made of how often each of its values is met.
fn through(picture: &Picture, table: impl Fn(&[u64; 256]) -> [u8; 256]) -> Picture {
    let tables: [[u8; 256]; 3] = std::array::from_fn(|channel| {
        let mut counts = [0; 256];
        picture.values().iter().for_each(|colour| counts[usize::from(colour[channel])] += 1);
        table(&counts)
    });
    picture.map(|colour| std::array::from_fn(|channel| tables[channel][usize::from(colour[channel])]))
}

fn stretched(counts: &[u64; 256]) -> [u8; 256] {
    let met = |count: &u64| *count > 0;
    let low = counts.iter().position(met).unwrap_or(0);
    let high = counts.iter().rposition(met).unwrap_or(0);
    if high <= low {
        return std::array::from_fn(|level| level as u8);
    }
    let scale = 255.0 / (high - low) as f64;
    std::array::from_fn(|level| (level.saturating_sub(low) as f64 * scale).min(255.0) as u8)
}

fn evened(counts: &[u64; 256]) -> [u8; 256] {
    let last = counts.iter().rev().find(|count| **count > 0).copied().unwrap_or(0);
    let step = (counts.iter().sum::<u64>() - last) / 255;
    if step == 0 {
        return std::array::from_fn(|level| level as u8);
    }
    let mut below = step / 2;
    std::array::from_fn(|level| {
        let spread = (below / step).min(255) as u8;
        below += counts[level];
        spread
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    fn ramp() -> Picture {
        Picture::from_fn(16, 16, |x, y| [(40 + 8 * x) as u8, (16 * y) as u8, 100])
    }

    #[test]
    fn each_operation_does_what_its_name_says() {
        let at = |tone: Tone, x: usize, y: usize| tone.apply(ramp()).at(x, y);
        assert_eq!(at(Tone::Brightness(0.5), 4, 2), [36, 16, 50]);
        let grey = at(Tone::Saturation(0.0), 4, 2);
        assert!(grey[0] == grey[1] && grey[1] == grey[2], "{grey:?}");
        assert_eq!(at(Tone::Posterize(1), 15, 15), [128, 128, 0]);
        assert_eq!(at(Tone::Solarize(128.0), 15, 2), [95, 32, 100]);
        assert_eq!((at(Tone::AutoContrast, 0, 0)[0], at(Tone::AutoContrast, 15, 15)[1]), (0, 255));
        assert_eq!(at(Tone::AutoContrast, 3, 3)[2], 100, "one value cannot be stretched");
        let means = [Tone::Contrast(0.0), Tone::Contrast(1.0)].map(|tone| mean(&tone.apply(ramp())));
        assert!((means[0] - means[1]).abs() < 1.0, "{means:?}");
        let flat = Picture::filled(5, 5, [9, 90, 200]);
        assert_eq!(Tone::Sharpness(1.9).apply(flat.clone()), flat);
        assert_eq!(Tone::Equalize.apply(flat.clone()), flat);
    }

    #[test]
    fn no_operation_at_no_strength_but_the_two_that_have_none_changes_anything() {
        let mut rng = Seed(0).stream(0, "tone");
        let changed = (0..60).filter(|_| toned(ramp(), 1, 0.0, &mut rng) != ramp()).count();
        // AutoContrast alone: the picture is too small to be evened out.
        assert!((1..20).contains(&changed), "{changed} of 60");
    }
}
