//! Brightness, contrast and saturation: the picture changes, no label does.

use rand::RngExt;

use crate::data::Picture;
use crate::random::Rng;

/// The picture in other light: each of brightness, contrast and saturation times a factor in `1 ± strength`.
pub(super) fn jittered(picture: &Picture, strength: f64, rng: &mut Rng) -> Picture {
    let mut factor = || 1.0 + strength * (2.0 * rng.random::<f64>() - 1.0);
    let (brightness, contrast, saturation) = (factor(), factor(), factor());
    let grey = |colour: [f64; 3]| 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2];
    let count = picture.values().len().max(1) as f64;
    let mean =
        picture.values().iter().map(|colour| grey(colour.map(f64::from))).sum::<f64>() / count * brightness;
    picture.map(|colour| {
        let lit = colour.map(|level| (f64::from(level) * brightness - mean) * contrast + mean);
        let grey = grey(lit);
        lit.map(|level| ((level - grey) * saturation + grey).round().clamp(0.0, 255.0) as u8)
    })
}
