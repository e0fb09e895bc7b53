//! Values changed, pixels where they are.

use super::super::decode::luma;
use super::Raster;

/// Goes from `base` to `value` and, above 1, beyond it, as Pillow blends: in 32 bits, without rounding up.
fn blend(base: u8, value: u8, factor: f32) -> u8 {
    // A cast from a float stops at the bounds of a byte.
    (f32::from(base) + factor * (f32::from(value) - f32::from(base))) as u8
}

/// Every byte through a table of its channel.
fn look_up(raster: &mut Raster, table: impl Fn(usize) -> [u8; 256]) {
    let channels = raster.channels;
    let tables: Vec<[u8; 256]> = (0..channels).map(table).collect();
    for pixel in raster.bytes.chunks_exact_mut(channels) {
        pixel.iter_mut().zip(&tables).for_each(|(value, table)| *value = table[usize::from(*value)]);
    }
}

/// The same table for all channels.
fn map(raster: &mut Raster, table: impl Fn(u8) -> u8) {
    let table: [u8; 256] = std::array::from_fn(|value| table(value as u8));
    raster.bytes.iter_mut().for_each(|value| *value = table[usize::from(*value)]);
}

/// How often each value stands in a channel.
fn histogram(raster: &Raster, channel: usize) -> [u32; 256] {
    let mut counts = [0; 256];
    raster
        .bytes
        .iter()
        .skip(channel)
        .step_by(raster.channels)
        .for_each(|value| counts[usize::from(*value)] += 1);
    counts
}

pub(super) fn brightness(raster: &mut Raster, factor: f64) {
    map(raster, |value| blend(0, value, factor as f32));
}

/// A grey picture has no colour to change.
pub(super) fn colour(raster: &mut Raster, factor: f64) {
    if raster.channels == 3 {
        for pixel in raster.bytes.chunks_exact_mut(3) {
            let grey = luma([pixel[0], pixel[1], pixel[2]]);
            pixel.iter_mut().for_each(|value| *value = blend(grey, *value, factor as f32));
        }
    }
}

pub(super) fn contrast(raster: &mut Raster, factor: f64) {
    let area = (raster.height * raster.width).max(1) as f64;
    let sum: u64 = match raster.channels {
        3 => raster.bytes.chunks_exact(3).map(|pixel| u64::from(luma([pixel[0], pixel[1], pixel[2]]))).sum(),
        _ => raster.bytes.iter().map(|value| u64::from(*value)).sum(),
    };
    let mean = (sum as f64 / area + 0.5) as u8;
    map(raster, |value| blend(mean, value, factor as f32));
}

/// Blends with a picture smoothed by the kernel 1 1 1 / 1 5 1 / 1 1 1; the outermost pixels stay.
pub(super) fn sharpness(raster: &mut Raster, spare: &mut Vec<u8>, factor: f64) {
    let Raster { channels, height, width, .. } = *raster;
    spare.clone_from(&raster.bytes);
    let line = width * channels;
    for row in 1..height.saturating_sub(1) {
        let rows = [row - 1, row, row + 1].map(|row| &spare[row * line..][..line]);
        let out = &mut raster.bytes[row * line..][..line];
        for at in channels..line.saturating_sub(channels) {
            let three = |row: &[u8]| {
                u32::from(row[at - channels]) + u32::from(row[at]) + u32::from(row[at + channels])
            };
            let sum = three(rows[0]) + three(rows[1]) + three(rows[2]) + 4 * u32::from(rows[1][at]);
            // The nearest whole number of sum / 13.
            let smooth = ((2 * sum + 13) / 26) as u8;
            out[at] = blend(smooth, rows[1][at], factor as f32);
        }
    }
}

pub(super) fn posterize(raster: &mut Raster, bits: u32) {
    let mask = !(0xff_u32 >> bits.min(8)) as u8;
    map(raster, |value| value & mask);
}

pub(super) fn solarize(raster: &mut Raster, threshold: f64) {
    map(raster, |value| if f64::from(value) < threshold { value } else { 255 - value });
}

pub(super) fn auto_contrast(raster: &mut Raster) {
    let histograms: Vec<[u32; 256]> =
        (0..raster.channels).map(|channel| histogram(raster, channel)).collect();
    look_up(raster, |channel| {
        let met = |count: &u32| *count > 0;
        let low = histograms[channel].iter().position(met).unwrap_or(0);
        let high = histograms[channel].iter().rposition(met).unwrap_or(0);
        let scale = 255.0 / (high.max(low + 1) - low) as f64;
        let offset = -(low as f64) * scale;
        std::array::from_fn(
            |value| if high <= low { value as u8 } else { (value as f64 * scale + offset) as u8 },
        )
    });
}

pub(super) fn equalize(raster: &mut Raster) {
    let histograms: Vec<[u32; 256]> =
        (0..raster.channels).map(|channel| histogram(raster, channel)).collect();
    look_up(raster, |channel| {
        let counts = &histograms[channel];
        let met: Vec<u32> = counts.iter().copied().filter(|count| *count > 0).collect();
        let step = (met.iter().sum::<u32>() - met.last().copied().unwrap_or(0)) / 255;
        if met.len() <= 1 || step == 0 {
            return std::array::from_fn(|value| value as u8);
        }
        let mut below = step / 2;
        std::array::from_fn(|value| {
            let spread = (below / step).min(255) as u8;
            below += counts[value];
            spread
        })
    });
}
