//! How far predicted normals point away from the true ones: one minus the cosine of the angle between them.

use burn::tensor::Tensor;

use super::{Term, constant, per_sample, where_any};
use crate::data::Sample;

/// Added to the square of a prediction's length.
const SHORTEST: f64 = 1e-6;

pub(super) struct Targets {
    /// Unit normals, `[batch, 3, height, width]`; 0 in holes.
    normals: Vec<f32>,
    /// 0 in holes, else 1, `[batch, 1, height, width]`.
    known: Vec<f32>,
    counts: Vec<f32>,
}

pub(super) fn targets(samples: &[Sample]) -> Option<(Targets, Vec<bool>)> {
    let pixels = samples.first().map_or(0, |sample| sample.picture.values().len());
    let mut targets = Targets { normals: Vec::new(), known: Vec::new(), counts: Vec::new() };
    let is_known = |normal: &[f32; 3]| normal.iter().all(|part| part.is_finite());
    for (sample, done) in samples.iter().zip(1..) {
        if let Some(plane) = &sample.normals {
            for axis in 0..3 {
                let part = |normal: &[f32; 3]| if is_known(normal) { normal[axis] } else { 0.0 };
                targets.normals.extend(plane.values().iter().map(part));
            }
            targets.known.extend(plane.values().iter().map(|normal| f32::from(u8::from(is_known(normal)))));
        }
        targets.normals.resize(done * 3 * pixels, 0.0);
        targets.known.resize(done * pixels, 0.0);
        targets.counts.push(targets.known[(done - 1) * pixels..].iter().sum());
    }
    let labelled = targets.counts.iter().map(|count| *count > 0.0).collect();
    where_any(labelled, targets)
}

/// `predicted` is `[batch, 3, height, width]`, of any length.
pub(super) fn loss(predicted: Tensor<4>, targets: &Targets) -> Vec<Term> {
    let [batch, _, height, width] = predicted.dims();
    let wanted = constant(&targets.normals, [batch, 3, height, width], &predicted);
    let known = constant(&targets.known, [batch, 1, height, width], &predicted);
    let length = (predicted.clone().square().sum_dim(1) + SHORTEST).sqrt();
    let cosine = (predicted * wanted).sum_dim(1) / length; // [batch, 1, height, width]
    let sums = per_sample((cosine.neg() + 1.0) * known);
    vec![Term { sums, counts: targets.counts.clone(), least: 1.0 }]
}
