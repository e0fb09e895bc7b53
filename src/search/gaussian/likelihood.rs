//! Beliefs learnt from scores: gradient ascent on their likelihood, with priors that hold while scores are few.

use super::kernel::{Belief, JITTER, Standing};
use super::means::Means;
use super::view::{Viewer, apart, distance};
use crate::search::cholesky::{Cholesky, row};

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

/// What the scores of these candidates make believe, on rungs of these costs.
pub(super) fn learn(viewer: &Viewer, costs: &[f64], standings: &[Standing], scores: &[f64]) -> Belief {
    let prior = Belief::prior(viewer, costs);
    if standings.len() < 3 {
        return prior;
    }
    let mut likelihood = Likelihood::new(viewer, standings, scores, prior.clone());
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
    standings: &'a [Standing],
    scores: &'a [f64],
    /// Of every pair of candidates, the later first: the distance in each place and in each group.
    distances: Vec<f32>,
    /// Of every pair: the covariance by places and by each group.
    parts: Vec<f32>,
}

impl<'a> Likelihood<'a> {
    fn new(viewer: &Viewer, standings: &'a [Standing], scores: &'a [f64], prior: Belief) -> Likelihood<'a> {
        let pairs = standings.len() * (standings.len() - 1) / 2;
        let mut distances = Vec::with_capacity(pairs * (prior.places + prior.groups));
        for (later, a) in standings.iter().enumerate() {
            for b in &standings[..later] {
                let (a, b) = (&a.view, &b.view);
                distances.extend(a.places.iter().zip(&b.places).map(|(a, b)| distance(*a, *b)));
                let groups = viewer.groups.iter().zip(&viewer.spreads);
                distances.extend(groups.map(|(group, spread)| {
                    apart(&a.counts[group.clone()], &b.counts[group.clone()]) / spread
                }));
            }
        }
        let parts = vec![0.0; pairs * (1 + prior.groups)];
        Likelihood { prior, standings, scores, distances, parts }
    }

    /// The logarithm of likelihood times prior, up to a constant, with its gradient; `None` where there is no factor.
    fn at(&mut self, belief: &Belief) -> Option<(f64, Vec<f64>)> {
        let factor = Cholesky::of(self.covariances(belief))?;
        let mut half = self.scores.to_vec();
        factor.half_solve(&mut half);
        let mut value = 0.0;
        if belief.rungs > 1 {
            let rungs = self.standings.iter().map(|standing| standing.rung);
            let means = Means::of(&factor, rungs, belief.rungs, &half);
            means.take_from(&mut half);
            value += means.prior();
        }
        let fit = -0.5 * half.iter().map(|value| value * value).sum::<f64>() - 0.5 * factor.log_determinant();
        factor.back_solve(&mut half);
        let slopes = slopes(&half, &factor.inverse());
        let mut gradient = self.gradient(belief, &slopes);
        value += fit;
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
        let (variance, worth) = (exp(0), belief.variance());
        let (own, between) = (belief.own() as f32, between(belief));
        let mut pairs =
            self.distances.chunks_exact(places + groups).zip(self.parts.chunks_exact_mut(1 + groups));
        let mut covariances = Vec::with_capacity(self.scores.len() * (self.scores.len() + 1) / 2);
        for (later, a) in self.standings.iter().enumerate() {
            for (b, (distances, parts)) in self.standings.iter().zip(pairs.by_ref().take(later)) {
                let (by_place, by_group) = distances.split_at(places);
                let far: f32 = weights.iter().zip(by_place).map(|(weight, far)| weight * far).sum();
                parts[0] = variance * (-far).exp();
                for ((part, (variance, weight)), far) in parts[1..].iter_mut().zip(&sides).zip(by_group) {
                    *part = variance * (-weight * far).exp();
                }
                let mut alike = parts.iter().sum::<f32>();
                if is_same(a, b) {
                    alike += own;
                }
                covariances.push(f64::from(alike) * between[a.rung][b.rung]);
            }
            let worth = (worth + f64::from(own)) * between[a.rung][a.rung];
            covariances.push(worth + belief.noise(a.rung) + JITTER);
        }
        covariances
    }

    /// How the likelihood changes with each logarithm, given how it changes with each covariance.
    fn gradient(&self, belief: &Belief, slopes: &[f64]) -> Vec<f64> {
        let (places, groups) = (belief.places, belief.groups);
        let mut gradient = vec![0.0; belief.log.len()];
        let mut pairs = self.distances.chunks_exact(places + groups).zip(self.parts.chunks_exact(1 + groups));
        let (between, mut rungs) = (between(belief), Rungs::new(belief));
        let mut own = 0.0;
        for (later, a) in self.standings.iter().enumerate() {
            let slopes = row(slopes, later);
            let pairs = pairs.by_ref().take(later);
            for ((b, (distances, parts)), slope) in self.standings.iter().zip(pairs).zip(slopes) {
                let (by_place, by_group) = distances.split_at(places);
                let slope = slope * between[a.rung][b.rung];
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
                if belief.rungs > 1 {
                    rungs.pair(a, b, f64::from(parts.iter().sum::<f32>()), slope);
                }
            }
            let slope = 0.5 * slopes[later];
            gradient[belief.noise_at(a.rung)] += slope;
            let slope = slope * between[a.rung][a.rung];
            own += slope;
            if belief.rungs > 1 {
                rungs.pair(a, a, belief.variance(), slope);
            }
        }
        gradient[0] += own * belief.log[0].exp();
        (1..=places).for_each(|place| gradient[place] *= belief.log[place].exp());
        for group in 0..groups {
            let at = belief.group(group);
            gradient[at] += own * belief.log[at].exp();
            gradient[at + 1] *= belief.log[at + 1].exp();
        }
        (0..belief.rungs).for_each(|rung| gradient[belief.noise_at(rung)] *= belief.noise(rung));
        if belief.rungs > 1 {
            rungs.end(belief, &mut gradient[belief.own_at()..]);
        }
        gradient
    }
}

/// Whether two trials are of one candidate.
fn is_same(a: &Standing, b: &Standing) -> bool {
    a.name.is_some() && a.name == b.name
}

/// By what covariances are multiplied between every two rungs.
fn between(belief: &Belief) -> Vec<Vec<f64>> {
    let with = |a: usize| (0..belief.rungs).map(|b| belief.between_rungs(a, b)).collect();
    (0..belief.rungs).map(with).collect()
}

/// How the likelihood changes with what is believed of rungs.
struct Rungs {
    own: f64,
    of_own: f64,
    scales: Vec<f64>,
    distances: Vec<f64>,
}

impl Rungs {
    fn new(belief: &Belief) -> Rungs {
        let rungs = belief.rungs;
        Rungs { own: belief.own(), of_own: 0.0, scales: vec![0.0; rungs], distances: vec![0.0; rungs - 1] }
    }

    /// Two trials, or one with itself: how alike what they look like is, and how the likelihood changes with that.
    fn pair(&mut self, a: &Standing, b: &Standing, alike: f64, slope: f64) {
        let own = if is_same(a, b) { self.own } else { 0.0 };
        let part = (alike + own) * slope;
        self.of_own += own * slope;
        self.scales[a.rung] += part;
        self.scales[b.rung] += part;
        self.distances[a.rung.min(b.rung)..a.rung.max(b.rung)].iter_mut().for_each(|sum| *sum -= part);
    }

    /// Writes what was summed into the end of a gradient.
    fn end(self, belief: &Belief, gradient: &mut [f64]) {
        let from = belief.own_at() + 1 + belief.rungs;
        gradient[0] = self.of_own;
        let rest = gradient[1..].iter_mut();
        let distances = self.distances.iter().zip(&belief.log[from..]).map(|(sum, log)| sum * log.exp());
        rest.zip(self.scales.iter().copied().chain(distances)).for_each(|(entry, sum)| *entry = sum);
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

#[cfg(test)]
mod tests {
    use super::super::kernel::Belief;
    use super::*;
    use crate::space::Space;

    /// Eight trials of six candidates on three rungs.
    fn standings(space: &Space, viewer: &Viewer) -> Vec<Standing> {
        let trials = [(0, 0), (1, 0), (2, 0), (3, 0), (1, 1), (3, 1), (4, 2), (3, 2)];
        let genotypes: Vec<_> = space.genotypes().collect();
        let standing = |(candidate, rung): (u32, usize)| {
            let view = viewer.view(space, &genotypes[candidate as usize * 5 + 1]).expect("of the space");
            Standing { view, rung, name: Some(candidate) }
        };
        trials.into_iter().map(standing).collect()
    }

    #[test]
    fn slopes_equal_finite_differences_on_every_rung() {
        let text = "(a: OneOf([0, 1, 2, 3]), b: OneOf([0, 1, 2, 3]), c: OneOf([0, 1, 2, 3]))";
        let space = Space::untyped(&text.parse().expect("a tree")).expect("a space");
        let viewer = Viewer::of(&space);
        let standings = standings(&space, &viewer);
        let scores = [-1.0, 0.3, -0.2, 1.1, -0.4, 0.6, 0.1, 0.9];
        let mut belief = Belief::prior(&viewer, &[0.1, 0.3, 1.0]);
        belief.log.iter_mut().enumerate().for_each(|(at, log)| *log += 0.1 * (at % 5) as f64 - 0.2);
        let mut likelihood =
            Likelihood::new(&viewer, &standings, &scores, Belief::prior(&viewer, &[0.1, 0.3, 1.0]));
        let (_, slopes) = likelihood.at(&belief).expect("a factor");
        for (at, slope) in slopes.iter().enumerate() {
            // Covariances are in single precision.
            let mut by = |step: f64| {
                let mut belief = belief.clone();
                belief.log[at] += step;
                likelihood.at(&belief).expect("a factor").0
            };
            let measured = (by(1e-2) - by(-1e-2)) / 2e-2;
            assert!((measured - slope).abs() < 2e-3 * (1.0 + slope.abs()), "{at}: {measured} and {slope}");
        }
    }
}
