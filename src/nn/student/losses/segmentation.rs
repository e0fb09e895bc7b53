//! Cross-entropy of every pixel's class; pixels without one do not count.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};

use super::{Term, constant, per_sample, where_any};
use crate::data::{IGNORE, Sample};

pub(super) struct Targets {
    /// The class of each pixel, `[batch, height, width]`; 0 where there is none.
    classes: Vec<i32>,
    /// 1 where there is one.
    known: Vec<f32>,
    counts: Vec<f32>,
}

pub(super) fn targets(samples: &[Sample], classes: usize) -> Option<(Targets, Vec<bool>)> {
    let pixels = samples.first().map_or(0, |sample| sample.picture.values().len());
    let mut targets = Targets { classes: Vec::new(), known: Vec::new(), counts: Vec::new() };
    for (sample, done) in samples.iter().zip(1..) {
        for class in sample.segmentation.iter().flat_map(|plane| plane.values()) {
            let known = *class != IGNORE && usize::from(*class) < classes;
            targets.classes.push(if known { i32::from(*class) } else { 0 });
            targets.known.push(f32::from(u8::from(known)));
        }
        targets.classes.resize(done * pixels, 0);
        targets.known.resize(done * pixels, 0.0);
        targets.counts.push(targets.known[(done - 1) * pixels..].iter().sum());
    }
    let labelled = targets.counts.iter().map(|count| *count > 0.0).collect();
    where_any(labelled, targets)
}

/// `logits` are `[batch, classes, height, width]`.
pub(super) fn loss(logits: Tensor<4>, targets: &Targets) -> Vec<Term> {
    let [batch, _, height, width] = logits.dims();
    let shape = [batch, 1, height, width];
    let classes =
        Tensor::<4, Int>::from_data(TensorData::new(targets.classes.clone(), shape), &logits.device());
    let known = constant(&targets.known, shape, &logits);
    let sums = per_sample(log_softmax(logits, 1).gather(1, classes) * known).neg();
    vec![Term { sums, counts: targets.counts.clone(), least: 1.0 }]
}
