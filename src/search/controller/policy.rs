//! What a controller's choices are drawn from.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::Recurrent;
use super::heads::{Action, Heads};
#[cfg(feature = "train")]
use super::lstm::Lstm;
use crate::random::{Rng, Seed};

/// What the choices of a candidate have to do with each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum PolicyKind {
    /// Nothing: a softmax for each decision, as in AutoHAS and TuNAS. Learns from the fewest trials.
    #[default]
    Softmax,
    /// Every choice is told to a recurrent network that makes the next, as in Zoph and Le 2017. It is Burn's, and needs
    /// the feature `train`.
    Lstm(Recurrent),
}

/// A distribution over rows of choices that learns.
pub(super) trait Policy: Send {
    /// A row to be drawn, at its first choice.
    fn walk(&self) -> Box<dyn Walk + '_>;
    /// One step of Adam uphill, from what a batch of rows wants.
    fn climb(&mut self, rows: &[&[Action]], wants: &mut Wants);
}

/// The derivatives by the logits of each action's head of what is to grow, given a row's number and those logits.
pub(super) type Wants<'a> = dyn FnMut(usize, &[Vec<f64>]) -> Vec<Vec<f64>> + 'a;

/// A row of choices in the making.
pub(super) trait Walk {
    /// The logits of a head that chooses next.
    fn logits(&mut self, head: usize) -> Vec<f64>;
    /// Tells what was chosen.
    fn choose(&mut self, head: usize, choice: usize);
}

impl PolicyKind {
    /// A policy that has learnt nothing, with Adam's rate; a default of its own where none is given.
    pub(super) fn start(&self, heads: &Heads, rate: Option<f64>, seed: Seed) -> Box<dyn Policy> {
        match self {
            PolicyKind::Softmax => Box::new(Softmax {
                logits: vec![0.0; heads.columns()],
                adam: Adam::start(heads.columns(), rate.unwrap_or(0.1)),
                heads: heads.clone(),
            }),
            #[cfg(feature = "train")]
            PolicyKind::Lstm(recurrent) => {
                Box::new(Lstm::start(recurrent, heads, rate.unwrap_or(0.005), seed))
            }
            #[cfg(not(feature = "train"))]
            PolicyKind::Lstm(none) => {
                let _ = seed;
                match *none {}
            }
        }
    }
}

/// One logit for every choice of every head.
struct Softmax {
    heads: Heads,
    logits: Vec<f64>,
    adam: Adam,
}

impl Policy for Softmax {
    fn walk(&self) -> Box<dyn Walk + '_> {
        Box::new(self)
    }

    fn climb(&mut self, rows: &[&[Action]], wants: &mut Wants) {
        let mut gradient = vec![0.0; self.logits.len()];
        for (row, actions) in rows.iter().enumerate() {
            let logits: Vec<Vec<f64>> =
                actions.iter().map(|action| self.logits[self.heads.range(action.head)].to_vec()).collect();
            for (action, slopes) in actions.iter().zip(wants(row, &logits)) {
                let columns = &mut gradient[self.heads.range(action.head)];
                columns.iter_mut().zip(slopes).for_each(|(gradient, slope)| *gradient += slope);
            }
        }
        self.adam.climb(&mut self.logits, &gradient);
    }
}

impl Walk for &Softmax {
    fn logits(&mut self, head: usize) -> Vec<f64> {
        self.logits[self.heads.range(head)].to_vec()
    }

    fn choose(&mut self, _head: usize, _choice: usize) {}
}

/// The probabilities of a head's choices; 0 for what is not allowed.
pub(in crate::search) fn probabilities(logits: &[f64], allows: impl Fn(usize) -> bool) -> Vec<f64> {
    let allowed = || logits.iter().enumerate().filter(|(choice, _)| allows(*choice));
    let most = allowed().map(|(_, logit)| *logit).fold(f64::NEG_INFINITY, f64::max);
    let weight = |(choice, logit): (usize, &f64)| if allows(choice) { (logit - most).exp() } else { 0.0 };
    let weights: Vec<f64> = logits.iter().enumerate().map(weight).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// A draw by probabilities.
pub(in crate::search) fn sample(probabilities: &[f64], rng: &mut Rng) -> usize {
    let mut left = rng.random::<f64>();
    for (choice, probability) in probabilities.iter().enumerate() {
        left -= probability;
        if left < 0.0 {
            return choice;
        }
    }
    // Rounding may leave a rest: it is the last possible choice's.
    probabilities.iter().rposition(|probability| *probability > 0.0).unwrap_or(0)
}

/// The logarithm of a row's probability, given the probabilities of all choices along it.
pub(super) fn log_probability(all: &[Vec<f64>], actions: &[Action]) -> f64 {
    all.iter().zip(actions).map(|(probabilities, action)| probabilities[action.choice].max(1e-300).ln()).sum()
}

/// The probabilities of all choices along a row.
pub(super) fn follow(policy: &dyn Policy, actions: &[Action]) -> Vec<Vec<f64>> {
    let mut walk = policy.walk();
    let step = |action: &Action| {
        let probabilities = probabilities(&walk.logits(action.head), |choice| action.allows(choice));
        walk.choose(action.head, action.choice);
        probabilities
    };
    actions.iter().map(step).collect()
}

/// The derivatives, by a head's logits, of `weight` times the logarithm of its choice's probability plus `bonus` times
/// its entropy.
pub(in crate::search) fn errors(probabilities: &[f64], choice: usize, weight: f64, bonus: f64) -> Vec<f64> {
    let log = |probability: f64| probability.max(1e-300).ln();
    let entropy: f64 = probabilities.iter().map(|probability| -probability * log(*probability)).sum();
    let error = |(number, probability): (usize, &f64)| {
        let chosen = if number == choice { 1.0 } else { 0.0 };
        weight * (chosen - probability) - bonus * probability * (log(*probability) + entropy)
    };
    probabilities.iter().enumerate().map(error).collect()
}

/// Adam (Kingma and Ba 2015, <https://arxiv.org/abs/1412.6980>), uphill.
struct Adam {
    rate: f64,
    steps: i32,
    mean: Vec<f64>,
    square: Vec<f64>,
}

/// How much of the means of gradients and of their squares remains with every step.
const KEEP: (f64, f64) = (0.9, 0.999);

impl Adam {
    fn start(parameters: usize, rate: f64) -> Adam {
        Adam { rate, steps: 0, mean: vec![0.0; parameters], square: vec![0.0; parameters] }
    }

    fn climb(&mut self, parameters: &mut [f64], gradient: &[f64]) {
        self.steps = self.steps.saturating_add(1);
        let whole = (1.0 - KEEP.0.powi(self.steps), 1.0 - KEEP.1.powi(self.steps));
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((parameter, slope), (mean, square)) in parameters.iter_mut().zip(gradient).zip(moments) {
            *mean = KEEP.0 * *mean + (1.0 - KEEP.0) * slope;
            *square = KEEP.1 * *square + (1.0 - KEEP.1) * slope * slope;
            *parameter += self.rate * (*mean / whole.0) / ((*square / whole.1).sqrt() + 1e-8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_the_derivatives() {
        let logits = [0.3, -0.7, 1.1, 0.0];
        let allows = |choice: usize| choice != 3;
        let worth = |logits: &[f64]| {
            let all = probabilities(logits, allows);
            let entropy: f64 = all.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
            1.7 * all[1].ln() + 0.4 * entropy
        };
        let errors = errors(&probabilities(&logits, allows), 1, 1.7, 0.4);
        for (place, error) in errors.iter().enumerate() {
            let shifted = |by: f64| {
                let mut logits = logits;
                logits[place] += by;
                worth(&logits)
            };
            let slope = (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
            assert!((error - slope).abs() < 1e-6, "{place}: {error} is not {slope}");
        }
    }

    #[test]
    fn draws_are_as_frequent_as_they_are_probable() {
        let mut rng = Seed(1).stream(0, "test");
        let all = [0.5, 0.0, 0.3, 0.2];
        let mut counts = [0.0; 4];
        (0..10_000).for_each(|_| counts[sample(&all, &mut rng)] += 1e-4);
        assert!(all.iter().zip(counts).all(|(probability, share)| (probability - share).abs() < 0.02));
        assert_eq!(counts[1], 0.0);
    }

    #[test]
    fn adam_climbs_a_hill() {
        let mut adam = Adam::start(2, 0.05);
        let mut at = [3.0, -2.0];
        for _ in 0..500 {
            let slope = [-2.0 * (at[0] - 1.0), -20.0 * at[1]];
            adam.climb(&mut at, &slope);
        }
        assert!((at[0] - 1.0).abs() < 0.01 && at[1].abs() < 0.01, "{at:?}");
    }
}
