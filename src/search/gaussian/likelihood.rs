//! Beliefs learnt from scores: gradient ascent on their likelihood, with priors that hold while scores are few.

use super::factor::{backward, factorize, forward, inverse, row};
use super::kernel::{Belief, JITTER};
use super::view::{View, Viewer, apart, distance};

/// Steps of the ascent.
const STEPS: usize = 20;

/// How far the logarithm of each figure strays from its prior: a factor of e either way.
const SPREAD: f64 = 1.0;

/// The first step of each figure, the least and the greatest, and by what factors steps grow and shrink
/// (Riedmiller and Braun 1993, resilient propagation: the gradient's sign counts, not its size).
const STEP: (f64, f64, f64) = (0.2, 1e-3, 1.0);
const GROW: f64 = 1.3;
const SHRINK: f64 = 0.5;

/// Bounds of every logarithm.
const BOUNDS: (f64, f64) = (-12.0, 6.0);

/// What the scores of these candidates make believe.
pub(super) fn learn(viewer: &Viewer, views: &[&View], scores: &[f64]) -> Belief {
    let prior = Belief::prior(viewer);
    if views.len() < 3 {
        return prior;
    }
    let mut likelihood = Likelihood::new(viewer, views, scores, prior.clone());
    let mut ascent = Ascent { steps: vec![STEP.0; prior.log.len()], last: vec![0.0; prior.log.len()] };
    let (mut belief, mut best) = (prior.clone(), (f64::NEG_INFINITY, prior));
    for _ in 0..STEPS {
        let Some((value, gradient)) = likelihood.at(&belief) else { break };
        if value > best.0 {
            best = (value, belief.clone());
        }
        ascent.step(&mut belief.log, gradient);
    }
    best.1
}

/// Resilient propagation.
struct Ascent {
    steps: Vec<f64>,
    last: Vec<f64>,
}

impl Ascent {
    fn step(&mut self, point: &mut [f64], gradient: Vec<f64>) {
        for (at, mut slope) in gradient.into_iter().enumerate() {
            let (step, agrees) = (&mut self.steps[at], slope * self.last[at]);
            if agrees > 0.0 {
                *step = (*step * GROW).min(STEP.2);
            } else if agrees < 0.0 {
                *step = (*step * SHRINK).max(STEP.1);
                slope = 0.0;
            }
            if slope != 0.0 {
                point[at] = (point[at] + *step * slope.signum()).clamp(BOUNDS.0, BOUNDS.1);
            }
            self.last[at] = slope;
        }
    }
}

/// The likelihood of scores, whatever is believed.
struct Likelihood<'a> {
    prior: Belief,
    scores: &'a [f64],
    /// Of every pair of candidates, the later first: the distance in each place and in each group.
    distances: Vec<f32>,
    /// Of every pair: the covariance by places and by each group.
    parts: Vec<f32>,
}

impl<'a> Likelihood<'a> {
    fn new(viewer: &Viewer, views: &[&View], scores: &'a [f64], prior: Belief) -> Likelihood<'a> {
        let pairs = views.len() * (views.len() - 1) / 2;
        let mut distances = Vec::with_capacity(pairs * (prior.places + prior.groups));
        for (later, a) in views.iter().enumerate() {
            for b in &views[..later] {
                distances.extend(a.places.iter().zip(&b.places).map(|(a, b)| distance(*a, *b)));
                let groups = viewer.groups.iter().zip(&viewer.spreads);
                distances.extend(groups.map(|(group, spread)| {
                    apart(&a.counts[group.clone()], &b.counts[group.clone()]) / spread
                }));
            }
        }
        let parts = vec![0.0; pairs * (1 + prior.groups)];
        Likelihood { prior, scores, distances, parts }
    }

    /// The logarithm of likelihood times prior, up to a constant, with its gradient; `None` where there is no factor.
    fn at(&mut self, belief: &Belief) -> Option<(f64, Vec<f64>)> {
        let count = self.scores.len();
        let mut factor = self.covariances(belief);
        if !factorize(&mut factor, count) {
            return None;
        }
        let half = forward(&factor, self.scores);
        let weights = backward(&factor, &half);
        let determinant: f64 = (0..count).map(|at| row(&factor, at)[at].ln()).sum();
        let fit = -0.5 * half.iter().map(|value| value * value).sum::<f64>() - determinant;
        let slopes = slopes(&weights, &inverse(&factor, count));
        let mut gradient = self.gradient(belief, &slopes);
        let mut value = fit;
        for (at, slope) in gradient.iter_mut().enumerate() {
            let astray = (belief.log[at] - self.prior.log[at]) / SPREAD;
            value -= 0.5 * astray * astray;
            *slope -= astray / SPREAD;
        }
        Some((value, gradient))
    }

    /// The covariances of all candidates' scores, row after row up to the diagonal.
    fn covariances(&mut self, belief: &Belief) -> Vec<f64> {
        let (places, groups) = (belief.places, belief.groups);
        let exp = |at: usize| belief.log[at].exp() as f32;
        let weights: Vec<f32> = (0..places).map(|place| exp(1 + place)).collect();
        let sides: Vec<(f32, f32)> =
            (0..groups).map(|group| (exp(belief.group(group)), exp(belief.group(group) + 1))).collect();
        let (variance, own) = (exp(0), belief.variance() + belief.noise() + JITTER);
        let mut pairs =
            self.distances.chunks_exact(places + groups).zip(self.parts.chunks_exact_mut(1 + groups));
        let mut covariances = Vec::with_capacity(self.scores.len() * (self.scores.len() + 1) / 2);
        for later in 0..self.scores.len() {
            for (distances, parts) in pairs.by_ref().take(later) {
                let (by_place, by_group) = distances.split_at(places);
                let far: f32 = weights.iter().zip(by_place).map(|(weight, far)| weight * far).sum();
                parts[0] = variance * (-far).exp();
                for ((part, (variance, weight)), far) in parts[1..].iter_mut().zip(&sides).zip(by_group) {
                    *part = variance * (-weight * far).exp();
                }
                covariances.push(f64::from(parts.iter().sum::<f32>()));
            }
            covariances.push(own);
        }
        covariances
    }

    /// How the likelihood changes with each logarithm, given how it changes with each covariance.
    fn gradient(&self, belief: &Belief, slopes: &[f64]) -> Vec<f64> {
        let (places, groups) = (belief.places, belief.groups);
        let mut gradient = vec![0.0; belief.log.len()];
        let mut pairs = self.distances.chunks_exact(places + groups).zip(self.parts.chunks_exact(1 + groups));
        let mut own = 0.0;
        for later in 0..self.scores.len() {
            let slopes = row(slopes, later);
            for ((distances, parts), slope) in pairs.by_ref().take(later).zip(slopes) {
                let (by_place, by_group) = distances.split_at(places);
                let part = f64::from(parts[0]) * slope;
                gradient[0] += part;
                for (sum, far) in gradient[1..=places].iter_mut().zip(by_place) {
                    *sum -= part * f64::from(*far);
                }
                let sums = gradient[1 + places..].chunks_exact_mut(2);
                for ((sums, part), far) in sums.zip(&parts[1..]).zip(by_group) {
                    let part = f64::from(*part) * slope;
                    sums[0] += part;
                    sums[1] -= part * f64::from(*far);
                }
            }
            own += 0.5 * slopes[later];
        }
        gradient[0] += own * belief.log[0].exp();
        (1..=places).for_each(|place| gradient[place] *= belief.log[place].exp());
        for group in 0..groups {
            let at = belief.group(group);
            gradient[at] += own * belief.log[at].exp();
            gradient[at + 1] *= belief.log[at + 1].exp();
        }
        let noise = gradient.len() - 1;
        gradient[noise] = own * belief.noise();
        gradient
    }
}

/// How the likelihood changes with the covariance of each pair, both ways counted: rows up to the diagonal.
fn slopes(weights: &[f64], inverse: &[f64]) -> Vec<f64> {
    let mut slopes = Vec::with_capacity(inverse.len());
    for (later, weight) in weights.iter().enumerate() {
        let entries = row(inverse, later).iter().zip(weights);
        slopes.extend(entries.map(|(entry, other)| weight * other - entry));
    }
    slopes
}
