//! Cross-entropy of a picture's class, hard or soft.

use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;

use super::{Term, constant, ones, per_sample, where_any};
use crate::data::{Class, Sample};

pub(super) struct Targets {
    /// A share of every class, `[batch, classes]`; all 0 where there is no label.
    shares: Vec<f32>,
    counts: Vec<f32>,
}

pub(super) fn targets(samples: &[Sample], classes: usize) -> Option<(Targets, Vec<bool>)> {
    let mut shares = Vec::with_capacity(samples.len() * classes);
    for sample in samples {
        match &sample.class {
            Some(Class::Soft(soft)) => shares.extend(soft),
            Some(Class::Hard(class)) => {
                shares.extend((0..classes).map(|index| f32::from(u8::from(index == usize::from(*class)))));
            }
            None => shares.extend(std::iter::repeat_n(0.0, classes)),
        }
    }
    let labelled: Vec<bool> = samples.iter().map(|sample| sample.class.is_some()).collect();
    let counts = ones(&labelled);
    where_any(labelled, Targets { shares, counts })
}

/// `logits` are `[batch, classes]`.
pub(super) fn loss(logits: Tensor<2>, targets: &Targets) -> Vec<Term> {
    let shares = constant(&targets.shares, logits.dims(), &logits);
    let sums = per_sample(log_softmax(logits, 1) * shares).neg();
    vec![Term { sums, counts: targets.counts.clone(), least: 1.0 }]
}
