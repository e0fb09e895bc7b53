//! Pixels moved: the nearest one is taken, what comes from outside is black.

use super::Raster;

/// One in 16 bits after the point, as Pillow counts where a pixel comes from.
fn fixed(value: f64) -> i64 {
    (value * 65536.0 + 0.5).floor() as i64
}

/// Takes the pixel at column x and row y from column `a x + b y + c` and row `d x + e y + f` of `[a, b, c, d, e, f]`, both
/// from the middle of a pixel.
pub(super) fn affine(raster: &mut Raster, spare: &mut Vec<u8>, matrix: [f64; 6]) {
    let Raster { channels, height, width, .. } = *raster;
    let [a, b, c, d, e, f] = matrix;
    let steps = [a, b, d, e].map(fixed);
    let mut start = (fixed(c + a * 0.5 + b * 0.5), fixed(f + d * 0.5 + e * 0.5));
    spare.clear();
    spare.resize(raster.bytes.len(), 0);
    for line in spare.chunks_exact_mut(width * channels) {
        let (mut column, mut row) = start;
        for pixel in line.chunks_exact_mut(channels) {
            let (x, y) = (column >> 16, row >> 16);
            if (0..width as i64).contains(&x) && (0..height as i64).contains(&y) {
                let from = (y as usize * width + x as usize) * channels;
                pixel.copy_from_slice(&raster.bytes[from..from + channels]);
            }
            column += steps[0];
            row += steps[2];
        }
        start = (start.0 + steps[1], start.1 + steps[3]);
    }
    std::mem::swap(&mut raster.bytes, spare);
}

/// Turns a picture round its middle.
pub(super) fn rotate(raster: &mut Raster, spare: &mut Vec<u8>, degrees: f64) {
    if degrees == 0.0 {
        return;
    }
    let rounded = |value: f64| (value * 1e15).round() / 1e15;
    let angle = -degrees.to_radians();
    let (sin, cos) = (rounded(angle.sin()), rounded(angle.cos()));
    let (x, y) = (raster.width as f64 / 2.0, raster.height as f64 / 2.0);
    affine(raster, spare, [cos, sin, x - cos * x - sin * y, -sin, cos, y + sin * x - cos * y]);
}
