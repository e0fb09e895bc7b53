//! Objects, as in *FCOS* (Tian et al. 2019, <https://arxiv.org/abs/1904.01355>): focal loss of classes (Lin et al. 2017,
//! <https://arxiv.org/abs/1708.02002>), generalised overlap of boxes (Rezatofighi et al. 2019,
//! <https://arxiv.org/abs/1902.09630>), and cross-entropy of how near the middle a pixel is.

use burn::tensor::Tensor;
use burn::tensor::activation::{log_sigmoid, sigmoid};

use super::{Term, constant, per_sample, where_any};
use crate::data::Sample;
use crate::must::student::{Grid, SIDES, Spot, assign};

/// The share of a class's pixels in the focal loss; background has the rest.
const POSITIVE: f32 = 0.25;
/// Logarithms of distances above this are cut off: no box is larger.
const FARTHEST: f64 = 7.0;
/// What nothing is divided by.
const LEAST: f64 = 1e-6;

pub(super) struct Targets {
    /// 1 where a pixel is of the class, `[batch, classes, pixels]`.
    classes: Vec<f32>,
    /// 0 where nothing is asked, `[batch, 1, pixels]`.
    asked: Vec<f32>,
    /// Distances to the sides; 1 where there is no object, `[batch, 4, pixels]`.
    sides: Vec<f32>,
    /// How near the middle, `[batch, 1, pixels]`; 0 where there is no object.
    middles: Vec<f32>,
    /// 1 where there is one.
    found: Vec<f32>,
    /// Pixels of each sample that are of an object.
    counts: Vec<f32>,
    /// The sum of how near the middle those are.
    nearness: Vec<f32>,
    /// Classes, and pixels of all levels.
    shape: [usize; 2],
}

pub(super) fn targets(samples: &[Sample], classes: usize, grids: &[Grid]) -> Option<(Targets, Vec<bool>)> {
    let pixels: usize = grids.iter().map(Grid::area).sum();
    let batch = samples.len();
    let mut targets = Targets {
        classes: vec![0.0; batch * classes * pixels],
        asked: vec![0.0; batch * pixels],
        sides: vec![1.0; batch * SIDES * pixels],
        middles: vec![0.0; batch * pixels],
        found: vec![0.0; batch * pixels],
        counts: vec![0.0; batch],
        nearness: vec![0.0; batch],
        shape: [classes, pixels],
    };
    for (index, sample) in samples.iter().enumerate() {
        let spots = sample.objects.as_ref().map(|objects| assign(objects, grids)).unwrap_or_default();
        spots.into_iter().enumerate().for_each(|(pixel, spot)| targets.ask(index, pixel, spot));
    }
    where_any(samples.iter().map(|sample| sample.objects.is_some()).collect(), targets)
}

impl Targets {
    fn ask(&mut self, sample: usize, pixel: usize, spot: Spot) {
        let [classes, pixels] = self.shape;
        let place = sample * pixels + pixel;
        self.asked[place] = if spot == Spot::Ignored { 0.0 } else { 1.0 };
        if let Spot::Object { class, sides, middle } = spot {
            if usize::from(class) < classes {
                self.classes[(sample * classes + usize::from(class)) * pixels + pixel] = 1.0;
            }
            for (side, distance) in sides.into_iter().enumerate() {
                self.sides[(sample * SIDES + side) * pixels + pixel] = distance;
            }
            (self.middles[place], self.found[place]) = (middle, 1.0);
            self.counts[sample] += 1.0;
            self.nearness[sample] += middle;
        }
    }
}

/// Logits of classes, logarithms of distances to the sides, and logits of nearness, of each level
/// `[batch, channels, height, width]`.
pub(super) fn loss([classes, sides, middles]: [Vec<Tensor<4>>; 3], targets: &Targets) -> Vec<Term> {
    let [classes, sides, middles] = [joined(classes), joined(sides), joined(middles)];
    let [batch, _, pixels] = classes.dims();
    let like = classes.clone();
    let of = |values: &[f32], channels: usize| constant(values, [batch, channels, pixels], &like);
    let wanted = of(&targets.classes, targets.shape[0]);
    let (near, found) = (of(&targets.middles, 1), of(&targets.found, 1));
    let focal = per_sample(focal(classes, wanted) * of(&targets.asked, 1));
    let apart = per_sample(apart(sides.clamp_max(FARTHEST).exp(), of(&targets.sides, SIDES)) * near.clone());
    let unsure = per_sample(entropy(middles, near) * found);
    let counts = || targets.counts.clone();
    vec![
        Term { sums: focal, counts: counts(), least: 1.0 },
        Term { sums: apart, counts: targets.nearness.clone(), least: 1.0 },
        Term { sums: unsure, counts: counts(), least: 1.0 },
    ]
}

/// All levels behind each other, `[batch, channels, pixels]`.
fn joined(levels: Vec<Tensor<4>>) -> Tensor<3> {
    let flat = |level: Tensor<4>| {
        let [batch, channels, height, width] = level.dims();
        level.reshape([batch, channels, height * width])
    };
    Tensor::cat(levels.into_iter().map(flat).collect(), 2)
}

/// Cross-entropy of each, weighed down where it is small already.
pub(super) fn focal(logits: Tensor<3>, wanted: Tensor<3>) -> Tensor<3> {
    let wrong = {
        let chance = sigmoid(logits.clone());
        // p + y - 2 p y: what the answer is away from 0 or 1.
        chance.clone() + wanted.clone() - (chance * wanted.clone()).mul_scalar(2.0)
    };
    let share = wanted.clone().mul_scalar(2.0 * POSITIVE - 1.0).add_scalar(1.0 - POSITIVE);
    entropy(logits, wanted) * wrong.square() * share
}

/// Cross-entropy of a logit and a share in [0, 1].
fn entropy(logits: Tensor<3>, wanted: Tensor<3>) -> Tensor<3> {
    // -y ln p - (1 - y) ln (1 - p), where ln (1 - p) is ln p less the logit.
    logits.clone() - log_sigmoid(logits.clone()) - logits * wanted
}

/// One minus the generalised overlap of two boxes round one pixel, by the distances to their sides
/// `[batch, 4, pixels]`: left, top, right, bottom. Returns `[batch, 1, pixels]`.
pub(super) fn apart(a: Tensor<3>, b: Tensor<3>) -> Tensor<3> {
    let side = |x: &Tensor<3>, index: usize| x.clone().narrow(1, index, 1);
    let size = |x: &Tensor<3>, axis: usize| side(x, axis) + side(x, axis + 2);
    let area = |x: &Tensor<3>| size(x, 0) * size(x, 1);
    let (smaller, larger) = (a.clone().min_pair(b.clone()), a.clone().max_pair(b.clone()));
    let (shared, round) = (area(&smaller), area(&larger));
    let both = area(&a) + area(&b) - shared.clone() + LEAST;
    let overlap = shared / both.clone();
    let wasted = (round.clone() - both) / (round + LEAST);
    overlap.neg() + wasted + 1.0
}
