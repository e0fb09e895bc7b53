//! Batches mixed with themselves: mixup ([Zhang et al. 2018](https://arxiv.org/abs/1710.09412)) blends every picture and
//! its target with those of a partner; CutMix ([Yun et al. 2019](https://arxiv.org/abs/1905.04899)) pastes a box of it.
//!
//! What is mixed with what is drawn here, once; it is then done to numbers in memory or to a tensor on any device.

use std::ops::Range;

use burn::tensor::{Int, Tensor, TensorData};
use rand::RngExt;

use super::augment::{beta, shuffle};
use crate::random::Rng;
use crate::recipe::Augment;

/// How one batch is mixed with itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mix {
    /// What a picture keeps of itself; its partner gives the rest.
    share: f32,
    partners: Vec<usize>,
    /// Rows and columns that come from the partner alone; `None` where all are blended.
    cut: Option<(Range<usize>, Range<usize>)>,
}

impl Mix {
    /// Draws it for `batch` pictures of `height` and `width`; `None` where nothing is to be mixed.
    pub(super) fn draw(augment: &Augment, batch: usize, sides: (usize, usize), rng: &mut Rng) -> Option<Mix> {
        let cuts = match (augment.mixup > 0.0, augment.cutmix > 0.0) {
            (false, false) => return None,
            (true, true) => rng.random::<bool>(),
            (_, cuts) => cuts,
        };
        let mut share = beta(if cuts { augment.cutmix } else { augment.mixup }, rng) as f32;
        let mut partners: Vec<usize> = (0..batch).collect();
        shuffle(&mut partners, rng);
        let cut = cuts.then(|| {
            let part = f64::from(1.0 - share).sqrt();
            let mut side = |size: usize| {
                let (centre, half) = (rng.random_range(0..size), (size as f64 * part) as usize / 2);
                centre.saturating_sub(half)..(centre + half).min(size)
            };
            (side(sides.0), side(sides.1))
        });
        if let Some((rows, columns)) = &cut {
            // What was pasted, after the picture's edge had its say.
            share = 1.0 - (rows.len() * columns.len()) as f32 / (sides.0 * sides.1) as f32;
        }
        Some(Mix { share, partners, cut })
    }

    /// Mixes `[batch, classes]` targets.
    pub(super) fn targets(&self, targets: &mut [f32]) {
        self.blend(targets);
    }

    /// Mixes `[batch, channels, height, width]` pixels.
    pub(super) fn pixels(&self, pixels: &mut [f32], (height, width): (usize, usize)) {
        let Some((rows, columns)) = &self.cut else { return self.blend(pixels) };
        let one = pixels.len() / self.partners.len();
        let before = pixels.to_vec();
        for (picture, partner) in pixels.chunks_mut(one).zip(&self.partners) {
            let other = &before[partner * one..][..one];
            for start in (0..one).step_by(height * width) {
                for row in rows.clone() {
                    let line = start + row * width + columns.start..start + row * width + columns.end;
                    picture[line.clone()].copy_from_slice(&other[line]);
                }
            }
        }
    }

    /// Mixes a batch where it lies, `[batch, channels, height, width]`.
    pub(super) fn tensor(&self, x: Tensor<4>) -> Tensor<4> {
        let ([_, _, height, width], device) = (x.dims(), x.device());
        let partners: Vec<i32> = self.partners.iter().map(|partner| *partner as i32).collect();
        let partners = Tensor::<1, Int>::from_data(TensorData::new(partners, [self.partners.len()]), &device);
        let other = x.clone().select(0, partners);
        let Some((rows, columns)) = &self.cut else {
            return x.mul_scalar(self.share) + other.mul_scalar(1.0 - self.share);
        };
        let pasted: Vec<f32> = (0..height * width)
            .map(|at| f32::from(u8::from(rows.contains(&(at / width)) && columns.contains(&(at % width)))))
            .collect();
        let pasted = Tensor::<4>::from_data(TensorData::new(pasted, [1, 1, height, width]), &device);
        x * (pasted.clone().neg() + 1.0) + other * pasted
    }

    fn blend(&self, values: &mut [f32]) {
        let one = values.len() / self.partners.len();
        let before = values.to_vec();
        for (row, partner) in values.chunks_mut(one).zip(&self.partners) {
            let other = &before[partner * one..][..one];
            row.iter_mut()
                .zip(other)
                .for_each(|(value, other)| *value = self.share * *value + (1.0 - self.share) * other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    const SIDES: (usize, usize) = (4, 5);
    const BATCH: usize = 6;

    fn drawn(mixup: f64, cutmix: f64, count: usize) -> Vec<Mix> {
        let augment = Augment { mixup, cutmix, ..Augment::default() };
        let mut rng = Seed(2).stream(0, "test");
        (0..count).filter_map(|_| Mix::draw(&augment, BATCH, SIDES, &mut rng)).collect()
    }

    fn pixels() -> Vec<f32> {
        (0..BATCH * 2 * SIDES.0 * SIDES.1).map(|at| (at * 7 % 31) as f32).collect()
    }

    #[test]
    fn targets_stay_a_distribution() {
        for mix in drawn(1.0, 1.0, 40) {
            let mut targets: Vec<f32> =
                (0..BATCH * 3).map(|at| f32::from(u8::from(at % 3 == at / 3 % 3))).collect();
            mix.targets(&mut targets);
            assert!(targets.chunks(3).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-6), "{targets:?}");
            assert!(targets.iter().all(|share| (0.0..=1.0).contains(share)));
        }
    }

    #[test]
    fn a_permutation_keeps_the_sum_of_what_is_blended() {
        for mix in drawn(0.4, 0.0, 10) {
            let mut mixed = pixels();
            mix.pixels(&mut mixed, SIDES);
            let apart = mixed.iter().sum::<f32>() - pixels().iter().sum::<f32>();
            assert!(mix.cut.is_none() && apart.abs() < 1e-2, "{apart}");
        }
    }

    #[test]
    fn a_pasted_box_has_the_area_that_the_targets_say() {
        let area = (SIDES.0 * SIDES.1) as f32;
        for mix in drawn(0.0, 1.0, 30) {
            let mut mixed = pixels();
            mix.pixels(&mut mixed, SIDES);
            let one = 2 * SIDES.0 * SIDES.1;
            let (rows, columns) = mix.cut.clone().expect("only boxes are drawn");
            assert!(((rows.len() * columns.len()) as f32 / area - (1.0 - mix.share)).abs() < 1e-6);
            for (at, met) in mixed.iter().enumerate() {
                let (picture, place) = (at / one, at % one);
                let (row, column) = (place / SIDES.1 % SIDES.0, place % SIDES.1);
                let pasted = rows.contains(&row) && columns.contains(&column);
                let from = if pasted { mix.partners[picture] } else { picture };
                assert_eq!(*met, pixels()[from * one + place]);
            }
        }
    }

    #[test]
    fn a_coin_decides_between_the_two() {
        let boxes = drawn(0.2, 1.0, 200).iter().filter(|mix| mix.cut.is_some()).count();
        assert!((60..140).contains(&boxes), "{boxes}");
        assert!(drawn(0.0, 0.0, 5).is_empty());
    }

    #[test]
    fn a_tensor_is_mixed_as_numbers_are() {
        for mix in drawn(0.5, 0.5, 12) {
            let mut wanted = pixels();
            mix.pixels(&mut wanted, SIDES);
            let data = TensorData::new(pixels(), [BATCH, 2, SIDES.0, SIDES.1]);
            let met = mix.tensor(Tensor::from_data(data, &crate::nn::device())).into_data();
            let close = met.iter::<f32>().zip(wanted).all(|(met, wanted)| (met - wanted).abs() < 1e-5);
            assert!(close, "{mix:?}");
        }
    }
}
