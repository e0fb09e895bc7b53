//! A Gaussian process over choices, conditions and numbers.
//!
//! Rasmussen and Williams 2006, <https://gaussianprocess.org/gpml/>: what a candidate is worth is expected to be like what
//! similar candidates are worth, the closer the more; the posterior given the examples has a mean and an exact deviation.
//! How much each slot counts, how much adds up and how noisy targets are is learnt by climbing the likelihood of the
//! examples, with priors that hold all slots near a common weight while there are few.
//!
//! Written out: linfa has none, and the crates that do (friedrich, egobox-gp) compare vectors of numbers, not choices that
//! hang on other choices.

use std::ops::Range;

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::kernel::{Kernel, Point, Reader};
use super::{Configure, Features, Layout, Prediction, Surrogate};
use crate::random::Seed;
use crate::search::cholesky::{Cholesky, add_scaled, dot};

/// A Gaussian process. A fit takes time with the cube of the examples, so there is a limit to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GaussianProcess {
    /// Examples that are learnt from, at most: of more, the best half and of the others the latest.
    pub examples: usize,
    /// Examples by which the kernel is chosen, at most: of more, a random part.
    pub kernel_examples: usize,
    /// Steps by which the kernel is chosen.
    pub kernel_steps: usize,
}

impl Default for GaussianProcess {
    fn default() -> GaussianProcess {
        GaussianProcess { examples: 400, kernel_examples: 80, kernel_steps: 15 }
    }
}

impl Configure for GaussianProcess {
    fn start(&self) -> Box<dyn Surrogate> {
        Box::new(Process { config: self.clone(), reader: Reader::default(), posterior: None })
    }
}

/// What a [`GaussianProcess`] has learnt.
struct Process {
    config: GaussianProcess,
    reader: Reader,
    posterior: Option<Posterior>,
}

struct Posterior {
    kernel: Kernel,
    points: Vec<Point>,
    factor: Cholesky,
    /// `(K + noise)⁻¹ · targets`.
    coefficients: Vec<f64>,
    /// The mean target, and a target's deviation before anything is known.
    mean: f64,
    deviation: f64,
}

impl Surrogate for Process {
    fn fit(&mut self, layout: &Layout, examples: &[(Features, f64)], seed: Seed) {
        self.reader = Reader::new(layout);
        let kept = kept(examples, self.config.examples);
        let points: Vec<Point> = kept.iter().map(|at| self.reader.point(&examples[*at].0)).collect();
        let targets: Vec<f64> = kept.iter().map(|at| examples[*at].1).collect();
        self.posterior = (!targets.is_empty()).then(|| self.learn(points, &targets, seed)).flatten();
    }

    fn predict(&self, features: &Features) -> Prediction {
        let Some(posterior) = &self.posterior else { return Prediction::UNKNOWN };
        posterior.predict(&self.reader, &self.reader.point(features))
    }
}

/// The examples that are learnt from, in order.
fn kept(examples: &[(Features, f64)], most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let most = most.max(1);
    if order.len() > most {
        order.sort_by(|a, b| examples[*b].1.total_cmp(&examples[*a].1));
        order[most / 2..].sort_unstable_by(|a, b| b.cmp(a));
        order.truncate(most);
        order.sort_unstable();
    }
    order
}

/// What the posterior is made with: the kernel, and the noise's share in it.
#[derive(Clone, Debug)]
struct Belief {
    /// The logarithm of the weight that all slots tend to.
    common: f64,
    /// How far each slot's logarithmic weight is from it.
    own: Vec<f64>,
    /// The logarithm of each part's share, up to a constant.
    parts: Vec<f64>,
    /// The logarithm of the noise's variance, where a target's own is 1.
    noise: f64,
}

/// The deviation of each belief's prior: a factor of e or so either way.
const COMMON_SPREAD: f64 = 1.0;
const OWN_SPREAD: f64 = 0.8;
const PART_SPREAD: f64 = 1.5;
const NOISE_SPREAD: f64 = 1.5;
/// The noise that is expected before anything is known.
const NOISE: f64 = -3.5;
/// Bounds of the logarithm of the noise: below, no factor exists; above, there is nothing but noise.
const NOISE_BOUNDS: (f64, f64) = (-9.0, 1.0);
/// How much evidence there is for a deviation of 1 before any example: as much as two give.
const SCALE_EXAMPLES: f64 = 2.0;

impl Belief {
    /// Before anything is known: candidates that differ in everything have next to nothing in common.
    fn prior(sides: &[Range<usize>]) -> Belief {
        let slots = sides.last().map_or(0, |side| side.end);
        Belief {
            common: prior_common(slots),
            own: vec![0.0; slots],
            parts: vec![0.0; Kernel::parts(sides)],
            noise: NOISE,
        }
    }

    fn kernel(&self, sides: &[Range<usize>]) -> Kernel {
        let shares: Vec<f64> = self.parts.iter().map(|part| part.exp()).collect();
        let all: f64 = shares.iter().sum();
        let weights = self.own.iter().map(|own| (self.common + own).exp()).collect();
        Kernel::new(weights, shares.into_iter().map(|share| share / all).collect(), sides.to_vec())
    }

    /// All beliefs in a row, to be climbed with.
    fn values(&mut self) -> impl Iterator<Item = &mut f64> {
        [&mut self.common, &mut self.noise].into_iter().chain(&mut self.parts).chain(&mut self.own)
    }
}

fn prior_common(slots: usize) -> f64 {
    (3.0 / slots.max(1) as f64).ln()
}

impl Process {
    fn learn(&self, points: Vec<Point>, targets: &[f64], seed: Seed) -> Option<Posterior> {
        let count = targets.len() as f64;
        let mean = targets.iter().sum::<f64>() / count;
        let spread = (targets.iter().map(|target| (target - mean).powi(2)).sum::<f64>() / count).sqrt();
        // Equal targets are no reason to be certain of all others.
        let spread = spread.max(LEAST_SPREAD);
        let scaled: Vec<f64> = targets.iter().map(|target| (target - mean) / spread).collect();
        let belief = self.believe(&points, &scaled, seed);
        let kernel = belief.kernel(&self.reader.sides());
        let factor = Cholesky::of(self.covariances(&kernel, &points, belief.noise.exp()))?;
        let mut coefficients = scaled.clone();
        factor.solve(&mut coefficients);
        let deviation = spread * scale(&scaled, &coefficients).sqrt();
        let coefficients = coefficients.into_iter().map(|coefficient| coefficient * spread).collect();
        Some(Posterior { kernel, points, factor, coefficients, mean, deviation })
    }

    /// `K + noise`, row after row up to the diagonal.
    fn covariances(&self, kernel: &Kernel, points: &[Point], noise: f64) -> Vec<f64> {
        let mut covariances = Vec::with_capacity(points.len() * (points.len() + 1) / 2);
        for (row, point) in points.iter().enumerate() {
            let before = points[..row].iter().map(|other| kernel.at(other.distances(point, &self.reader)));
            covariances.extend(before);
            covariances.push(1.0 + noise);
        }
        covariances
    }

    /// The likeliest belief, by resilient steps (Riedmiller and Braun 1993) up the gradient.
    fn believe(&self, points: &[Point], targets: &[f64], seed: Seed) -> Belief {
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.shuffle(&mut seed.stream(0, "surrogate kernel"));
        order.truncate(self.config.kernel_examples);
        let pairs = Pairs::new(&order.iter().map(|at| &points[*at]).collect::<Vec<_>>(), &self.reader);
        let targets: Vec<f64> = order.iter().map(|at| targets[*at]).collect();
        let mut belief = Belief::prior(&pairs.sides);
        let mut steps = vec![FIRST_STEP; belief.values().count()];
        let mut before = vec![0.0; steps.len()];
        let mut best = (f64::NEG_INFINITY, belief.clone());
        for _ in 0..self.config.kernel_steps {
            let Some((likelihood, gradient)) = pairs.likelihood(&belief, &targets) else { break };
            if likelihood > best.0 {
                best = (likelihood, belief.clone());
            }
            let climb = belief.values().zip(gradient).zip(steps.iter_mut().zip(&mut before));
            for ((value, slope), (step, before)) in climb {
                let turned = slope * *before < 0.0;
                *step = (*step * if turned { 0.5 } else { 1.3 }).clamp(1e-3, 1.0);
                *value += if turned { 0.0 } else { slope.signum() * *step };
                *before = if turned { 0.0 } else { slope };
            }
            belief.noise = belief.noise.clamp(NOISE_BOUNDS.0, NOISE_BOUNDS.1);
        }
        best.1
    }
}

/// The first step of every belief.
const FIRST_STEP: f64 = 0.3;

/// The least deviation that targets are taken to have.
const LEAST_SPREAD: f64 = 1e-3;

/// The likeliest variance of targets whose covariances are known but for a factor.
fn scale(targets: &[f64], coefficients: &[f64]) -> f64 {
    (dot(targets, coefficients) + SCALE_EXAMPLES) / (targets.len() as f64 + SCALE_EXAMPLES)
}

/// The distances of all pairs of examples.
struct Pairs {
    count: usize,
    /// For each pair, the later first, the distance in every slot.
    distances: Vec<f64>,
    slots: usize,
    sides: Vec<Range<usize>>,
}

impl Pairs {
    fn new(points: &[&Point], reader: &Reader) -> Pairs {
        let mut distances = Vec::with_capacity(points.len() * points.len() / 2 * reader.slots());
        for (row, point) in points.iter().enumerate() {
            for other in &points[..row] {
                distances.extend(other.distances(point, reader));
            }
        }
        Pairs { count: points.len(), distances, slots: reader.slots(), sides: reader.sides() }
    }

    fn each(&self) -> impl Iterator<Item = ((usize, usize), &[f64])> {
        let pairs = (0..self.count).flat_map(|row| (0..row).map(move |column| (row, column)));
        pairs
            .enumerate()
            .map(|(pair, place)| (place, &self.distances[pair * self.slots..(pair + 1) * self.slots]))
    }

    /// How likely targets are under a belief, its prior included (a logarithm, up to a constant), and the slope of that
    /// in every belief; `None` where the covariances have no factor.
    fn likelihood(&self, belief: &Belief, targets: &[f64]) -> Option<(f64, Vec<f64>)> {
        let kernel = belief.kernel(&self.sides);
        let noise = belief.noise.exp();
        let mut covariances = vec![1.0 + noise; self.count * (self.count + 1) / 2];
        let count = kernel.shares.len();
        let mut parts = vec![0.0; count * self.count * self.count.saturating_sub(1) / 2];
        for ((place, distances), parts) in self.each().zip(parts.chunks_exact_mut(count)) {
            covariances[packed(place)] = kernel.apart(distances, parts);
        }
        let factor = Cholesky::of(covariances)?;
        let mut coefficients = targets.to_vec();
        factor.solve(&mut coefficients);
        let scale = scale(targets, &coefficients);
        let weight = targets.len() as f64 + SCALE_EXAMPLES;
        let likelihood = -0.5 * (weight * scale.ln() + factor.log_determinant());

        // The slope in a covariance C is ½ tr[(a aᵀ / scale - C⁻¹) dC].
        let inverse = factor.inverse();
        let slope = |row: usize, column: usize| {
            coefficients[row] * coefficients[column] / scale - inverse[packed((row, column))]
        };
        let (mut mixed, mut own, mut each) = (vec![0.0; count], vec![0.0; self.slots], 0.0);
        for ((place, distances), parts) in self.each().zip(parts.chunks_exact(count)) {
            // Both triangles.
            let slope = slope(place.0, place.1);
            add_scaled(&mut mixed, slope, parts);
            each += kernel.fall(distances, parts, -slope, &mut own);
        }
        own.iter_mut().zip(&kernel.weights).for_each(|(own, weight)| *own = weight * (*own - each));
        // The diagonal is 1 whatever the shares are.
        let all = dot(&mixed, &kernel.shares);
        mixed.iter_mut().zip(&kernel.shares).for_each(|(mixed, share)| *mixed = share * (*mixed - all));
        let noise = 0.5 * noise * (0..self.count).map(|at| slope(at, at)).sum::<f64>();
        let common = own.iter().sum::<f64>();
        Some(with_prior(belief, likelihood, [common, noise].into_iter().chain(mixed).chain(own)))
    }
}

/// Where a pair, the later first, stands in a packed triangle.
fn packed((row, column): (usize, usize)) -> usize {
    row * (row + 1) / 2 + column
}

/// A likelihood and its slopes with those of the prior.
fn with_prior(belief: &Belief, mut likelihood: f64, slopes: impl Iterator<Item = f64>) -> (f64, Vec<f64>) {
    let common = (belief.common - prior_common(belief.own.len()), COMMON_SPREAD);
    let parts = belief.parts.iter().map(|part| (*part, PART_SPREAD));
    let own = belief.own.iter().map(|own| (*own, OWN_SPREAD));
    let all = [common, (belief.noise - NOISE, NOISE_SPREAD)].into_iter().chain(parts).chain(own);
    let with = |((value, spread), slope): ((f64, f64), f64)| {
        likelihood -= 0.5 * (value / spread).powi(2);
        slope - value / (spread * spread)
    };
    let slopes = all.zip(slopes).map(with).collect();
    (likelihood, slopes)
}

impl Posterior {
    fn predict(&self, reader: &Reader, point: &Point) -> Prediction {
        let covariance = |other: &Point| self.kernel.at(point.distances(other, reader));
        let mut covariances: Vec<f64> = self.points.iter().map(covariance).collect();
        let mean = self.mean + dot(&covariances, &self.coefficients);
        self.factor.half_solve(&mut covariances);
        let variance = (1.0 - dot(&covariances, &covariances)).max(0.0);
        Prediction { mean, deviation: self.deviation * variance.sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Measure;
    use super::*;

    /// Numbers on a line with a wave over them, two choices of which one does not matter.
    fn examples(count: u32) -> (Layout, Vec<(Features, f64)>) {
        let mut layout = Layout::default();
        layout.add_measured(9, Measure::Number);
        layout.add(2);
        layout.add(3);
        let example = |n: u32| {
            let (place, matters, idle) = (n * 5 % 9, n % 2, n * 7 % 3);
            let target = 0.5 + 0.2 * (f64::from(place) / 3.0).sin() + 0.1 * f64::from(matters);
            (vec![(place, 1.0), (9 + matters, 1.0), (11 + idle, 1.0)], target)
        };
        (layout, (0..count).map(example).collect())
    }

    fn learnt(count: u32) -> (Process, Vec<(Features, f64)>) {
        let (layout, examples) = examples(count);
        let mut process =
            Process { config: GaussianProcess::default(), reader: Reader::default(), posterior: None };
        process.fit(&layout, &examples, Seed(1));
        (process, examples)
    }

    #[test]
    fn slopes_equal_finite_differences() {
        let (mut layout, examples) = examples(14);
        layout.slots[2].side = 1;
        let reader = Reader::new(&layout);
        let points: Vec<Point> = examples.iter().map(|(features, _)| reader.point(features)).collect();
        let pairs = Pairs::new(&points.iter().collect::<Vec<_>>(), &reader);
        let targets: Vec<f64> = examples.iter().map(|(_, target)| 8.0 * (target - 0.5)).collect();
        let parts = vec![0.4, -0.3, 0.1, 0.2];
        let belief = Belief { common: -0.7, own: vec![0.3, -0.2, 0.5], parts, noise: -2.0 };
        let (_, slopes) = pairs.likelihood(&belief, &targets).unwrap();
        for (number, slope) in slopes.iter().enumerate() {
            let at = |by: f64| {
                let mut belief = belief.clone();
                *belief.values().nth(number).unwrap() += by;
                pairs.likelihood(&belief, &targets).unwrap().0
            };
            let measured = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!(
                (measured - slope).abs() < 1e-5 * (1.0 + slope.abs()),
                "{number}: {measured} and {slope}"
            );
        }
    }

    #[test]
    fn what_does_not_matter_weighs_least_and_the_known_is_known() {
        let (process, examples) = learnt(40);
        let posterior = process.posterior.as_ref().unwrap();
        let weights = &posterior.kernel.weights;
        assert!(weights[2] < 0.5 * weights[0] && weights[2] < 0.5 * weights[1], "{weights:?}");
        for (features, target) in &examples {
            let prediction = process.predict(features);
            assert!((prediction.mean - target).abs() < 0.03, "{prediction:?} is not {target}");
            assert!(prediction.deviation < 0.05, "{prediction:?}");
        }
    }

    #[test]
    fn of_many_examples_the_best_and_the_latest_are_kept() {
        let examples: Vec<(Features, f64)> =
            (0..10).map(|n| (vec![], f64::from(n * 3 % 10) / 10.0)).collect();
        // 0.9, 0.8 are at 3 and 6; of the others 9 and 8 are the latest.
        assert_eq!(kept(&examples, 4), [3, 6, 8, 9]);
        assert_eq!(kept(&examples, 10).len(), 10);
    }
}
