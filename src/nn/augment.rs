//! What happens to a training picture: random crop, mirror, cutout, and normalisation, in one pass over its bytes.
//!
//! Crop pads with zero bytes before normalising; cutout ([DeVries and Taylor 2017](https://arxiv.org/abs/1708.04552))
//! sets to the mean, which is zero after it. Mixup is [Zhang et al. 2018](https://arxiv.org/abs/1710.09412).

use std::ops::Range;

use rand::RngExt;

use super::bank::normal;
use crate::random::Rng;
use crate::recipe::Augment;

/// From bytes to numbers of mean 0 and deviation 1, channel by channel.
pub(super) struct Normalizer(Vec<[f32; 256]>);

impl Normalizer {
    /// `mean` and `deviation` of each channel, of pixels in [0, 1]. A channel that never varies is only centred.
    pub(super) fn new(mean: &[f32], deviation: &[f32]) -> Normalizer {
        let table = |(mean, deviation): (&f32, &f32)| {
            let deviation = if *deviation > 0.0 { *deviation } else { 1.0 };
            std::array::from_fn(|byte| (byte as f32 / 255.0 - mean) / deviation)
        };
        Normalizer(mean.iter().zip(deviation).map(table).collect())
    }
}

/// How one picture is looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct View {
    /// Rows and columns that the picture is moved down and right by.
    moved: (isize, isize),
    mirrored: bool,
    /// Rows and columns set to the mean.
    cut: Option<(Range<usize>, Range<usize>)>,
}

impl View {
    /// Draws a view of a picture of `height` and `width`.
    pub(super) fn draw(augment: &Augment, height: usize, width: usize, rng: &mut Rng) -> View {
        let reach = augment.crop as i64;
        let mut shift = || if reach == 0 { 0 } else { rng.random_range(-reach..=reach) as isize };
        let moved = (shift(), shift());
        let mirrored = augment.flip && rng.random::<bool>();
        let cut = (augment.cutout > 0).then(|| {
            let mut side = |size: usize| {
                let centre = rng.random_range(0..size);
                let start = centre.saturating_sub(augment.cutout / 2);
                start..(centre + augment.cutout.div_ceil(2)).min(size)
            };
            (side(height), side(width))
        });
        View { moved, mirrored, cut }
    }

    /// Appends the picture's view, normalised, to `out`. `bytes` are `[channels, height, width]`.
    pub(super) fn write(
        &self,
        bytes: &[u8],
        (height, width): (usize, usize),
        normalizer: &Normalizer,
        out: &mut Vec<f32>,
    ) {
        for (plane, table) in bytes.chunks(height * width).zip(&normalizer.0) {
            let start = out.len();
            for row in 0..height {
                let source = row.checked_add_signed(-self.moved.0).filter(|row| *row < height);
                let line = source.map(|row| &plane[row * width..][..width]);
                out.extend((0..width).map(|column| {
                    let column = if self.mirrored { width - 1 - column } else { column };
                    let source = column.checked_add_signed(-self.moved.1);
                    let byte = line.zip(source).and_then(|(line, column)| line.get(column));
                    table[usize::from(byte.copied().unwrap_or(0))]
                }));
            }
            if let Some((rows, columns)) = &self.cut {
                rows.clone().for_each(|row| out[start + row * width..][columns.clone()].fill(0.0));
            }
        }
    }
}

/// Mixes every picture and its target with those of a random partner, by one share drawn from Beta(alpha, alpha).
pub(super) fn mixup(pixels: &mut [f32], targets: &mut [f32], batch: usize, alpha: f64, rng: &mut Rng) {
    let share = beta(alpha, rng) as f32;
    let mut partner: Vec<usize> = (0..batch).collect();
    shuffle(&mut partner, rng);
    for values in [pixels, targets] {
        let one = values.len() / batch;
        let before = values.to_vec();
        for (row, partner) in values.chunks_mut(one).zip(&partner) {
            let other = &before[partner * one..][..one];
            row.iter_mut()
                .zip(other)
                .for_each(|(value, other)| *value = share * *value + (1.0 - share) * other);
        }
    }
}

/// A uniform permutation (Fisher and Yates).
pub(super) fn shuffle(items: &mut [usize], rng: &mut Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, rng.random_range(0..=last));
    }
}

fn beta(alpha: f64, rng: &mut Rng) -> f64 {
    let (a, b) = (gamma(alpha, rng), gamma(alpha, rng));
    // Both underflow for a tiny alpha, whose distribution is all at the ends.
    if a + b > 0.0 { a / (a + b) } else { f64::from(u8::from(rng.random::<bool>())) }
}

/// A draw from Gamma(shape, 1) ([Marsaglia and Tsang 2000](https://doi.org/10.1145/358407.358414)).
fn gamma(shape: f64, rng: &mut Rng) -> f64 {
    if shape < 1.0 {
        let boost = (1.0 - rng.random::<f64>()).powf(1.0 / shape);
        return gamma(shape + 1.0, rng) * boost;
    }
    let d = shape - 1.0 / 3.0;
    loop {
        let x = normal(rng);
        let v = (1.0 + x / (9.0 * d).sqrt()).powi(3);
        let u: f64 = 1.0 - rng.random::<f64>();
        if v > 0.0 && u.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    fn plain() -> Normalizer {
        Normalizer::new(&[0.0], &[1.0 / 255.0])
    }

    fn seen(view: &View) -> Vec<f32> {
        let mut out = Vec::new();
        view.write(&[1, 2, 3, 4, 5, 6], (2, 3), &plain(), &mut out);
        out.iter().map(|value| value.round()).collect()
    }

    #[test]
    fn views_move_mirror_and_cut() {
        assert_eq!(seen(&View::default()), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let moved = View { moved: (1, -1), ..View::default() };
        assert_eq!(seen(&moved), [0.0, 0.0, 0.0, 2.0, 3.0, 0.0]);
        let mirrored = View { mirrored: true, ..View::default() };
        assert_eq!(seen(&mirrored), [3.0, 2.0, 1.0, 6.0, 5.0, 4.0]);
        let cut = View { cut: Some((0..1, 1..3)), ..View::default() };
        assert_eq!(seen(&cut), [1.0, 0.0, 0.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    fn draws_stay_in_bounds_and_reach_them() {
        let augment = Augment { crop: 2, flip: true, cutout: 3, ..Augment::default() };
        let mut rng = Seed(5).stream(0, "test");
        let views: Vec<View> = (0..500).map(|_| View::draw(&augment, 8, 8, &mut rng)).collect();
        let rows: Vec<isize> = views.iter().map(|view| view.moved.0).collect();
        assert_eq!((rows.iter().min(), rows.iter().max()), (Some(&-2), Some(&2)));
        assert!((150..350).contains(&views.iter().filter(|view| view.mirrored).count()));
        for view in views {
            let (rows, columns) = view.cut.expect("cutout is on");
            assert!(rows.end <= 8 && columns.end <= 8 && (2..=3).contains(&rows.len()));
        }
        assert_eq!(View::draw(&Augment::default(), 8, 8, &mut rng), View::default());
    }

    #[test]
    fn normalised_channels_have_mean_zero_and_deviation_one() {
        let normalizer = Normalizer::new(&[0.5, 0.2], &[0.25, 0.0]);
        let mut out = Vec::new();
        View::default().write(&[255, 51], (1, 1), &normalizer, &mut out);
        assert!((out[0] - 2.0).abs() < 1e-6 && out[1].abs() < 1e-6, "{out:?}");
    }

    #[test]
    fn mixup_keeps_targets_a_distribution() {
        let mut rng = Seed(2).stream(0, "test");
        let mut pixels: Vec<f32> = (0..8).map(|value| value as f32).collect();
        let mut targets = vec![1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0];
        mixup(&mut pixels, &mut targets, 4, 1.0, &mut rng);
        assert!(targets.chunks(2).all(|row| (row[0] + row[1] - 1.0).abs() < 1e-6), "{targets:?}");
        assert!((pixels.iter().sum::<f32>() - 28.0).abs() < 1e-4, "a permutation keeps the sum: {pixels:?}");
    }

    #[test]
    fn beta_has_its_mean_and_variance() {
        for alpha in [0.2, 1.0, 4.0] {
            let mut rng = Seed(9).stream(0, "beta");
            let draws: Vec<f64> = (0..20_000).map(|_| beta(alpha, &mut rng)).collect();
            let mean = draws.iter().sum::<f64>() / draws.len() as f64;
            let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / draws.len() as f64;
            let wanted = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!(
                (mean - 0.5).abs() < 0.01 && (variance / wanted - 1.0).abs() < 0.05,
                "{alpha} {variance}"
            );
        }
    }
}
