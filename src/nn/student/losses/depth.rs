//! Depth up to scale and shift.
//!
//! Ranftl et al., *Towards Robust Monocular Depth Estimation* (2019), <https://arxiv.org/abs/1907.01341> (MiDaS): a picture's
//! prediction is first brought to its target by the scale and shift that fit best, by least squares in closed form, then
//! its squares count, and at several distances its gradients. The target is brought to mean 0 and deviation 1 before, for
//! the depth of a set or a teacher is of any unit. A scale below 0 would call near what is far: it is taken as above 0, so
//! that a prediction turned round costs more than none.

use burn::tensor::Tensor;

use super::{Term, constant, ones, per_sample, where_any};
use crate::data::Sample;

/// Added to the prediction's variance, below which it says nothing.
const RIDGE: f64 = 1e-3;
/// What the gradients' term is multiplied by.
const GRADIENTS: f64 = 0.5;
/// Distances in pixels over which gradients are taken.
const DISTANCES: [usize; 4] = [1, 2, 4, 8];

pub(super) struct Targets {
    /// With mean 0 and deviation 1 in each picture, `[batch, height, width]`; 0 in holes.
    depths: Vec<f32>,
    /// 0 in holes, else 1.
    known: Vec<f32>,
    /// Of each picture, one over the pixels that are known.
    shares: Vec<f32>,
    counts: Vec<f32>,
}

pub(super) fn targets(samples: &[Sample]) -> Option<(Targets, Vec<bool>)> {
    let pixels = samples.first().map_or(0, |sample| sample.picture.values().len());
    let mut labelled = Vec::with_capacity(samples.len());
    let (mut depths, mut known, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    for (sample, done) in samples.iter().zip(1..) {
        let plane = sample.depth.as_ref();
        let scale = plane.and_then(|plane| scale(plane.values()));
        if let (Some(plane), Some((mean, deviation, count))) = (plane, scale) {
            let value =
                |depth: &f32| if depth.is_finite() { (f64::from(*depth) - mean) / deviation } else { 0.0 };
            depths.extend(plane.values().iter().map(|depth| value(depth) as f32));
            known.extend(plane.values().iter().map(|depth| f32::from(u8::from(depth.is_finite()))));
            shares.push(1.0 / count as f32);
        } else {
            shares.push(0.0);
        }
        labelled.push(scale.is_some());
        depths.resize(done * pixels, 0.0);
        known.resize(done * pixels, 0.0);
    }
    let counts = ones(&labelled);
    where_any(labelled, Targets { depths, known, shares, counts })
}

/// Mean, deviation and number of what is known; `None` where that is nothing, or all the same.
fn scale(depths: &[f32]) -> Option<(f64, f64, usize)> {
    let known = || depths.iter().filter(|depth| depth.is_finite()).map(|depth| f64::from(*depth));
    let count = known().count();
    let mean = known().sum::<f64>() / count as f64;
    let deviation = (known().map(|depth| (depth - mean).powi(2)).sum::<f64>() / count as f64).sqrt();
    (deviation > 1e-6 * mean.abs().max(1e-6)).then_some((mean, deviation, count))
}

/// `predicted` is `[batch, 1, height, width]`.
pub(super) fn loss(predicted: Tensor<4>, targets: &Targets) -> Vec<Term> {
    let [batch, _, height, width] = predicted.dims();
    let known = constant(&targets.known, [batch, 1, height, width], &predicted);
    let wanted = constant(&targets.depths, [batch, 1, height, width], &predicted);
    let shares = constant(&targets.shares, [batch], &predicted);
    let mean = |x: Tensor<4>| per_sample(x) * shares.clone();
    let spread = |x: Tensor<1>| x.reshape([batch, 1, 1, 1]);

    let middle = mean(predicted.clone() * known.clone());
    let centred = (predicted - spread(middle)) * known.clone();
    let variance = mean(centred.clone().square());
    let scale = mean(centred.clone() * wanted.clone()).abs() / (variance + RIDGE);
    let rest = centred * spread(scale) - wanted; // 0 in holes
    let squares = mean(rest.clone().square()).mul_scalar(0.5);

    let slopes = DISTANCES.into_iter().flat_map(|distance| [(2, height, distance), (3, width, distance)]);
    let slopes = slopes.filter(|(_, length, distance)| distance < length).map(|(axis, length, distance)| {
        let pair = |x: &Tensor<4>| {
            let part = |start| x.clone().narrow(axis, start, length - distance);
            [part(distance), part(0)]
        };
        let ([far, near], [there, here]) = (pair(&rest), pair(&known));
        let both = there * here;
        let count = per_sample(both.clone()).clamp_min(1.0);
        per_sample((far - near).abs() * both) / count
    });
    let count = 2.0 * DISTANCES.len() as f64;
    let sums = slopes.fold(squares, |sum, slope| sum + slope.mul_scalar(GRADIENTS / count));
    vec![Term { sums, counts: targets.counts.clone(), least: 1.0 }]
}
