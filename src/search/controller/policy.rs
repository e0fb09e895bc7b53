//! What a controller's choices are drawn from.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::heads::{Action, Heads};
use super::lstm::Lstm;
use crate::random::{Rng, Seed};

/// What the choices of a candidate have to do with each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum PolicyKind {
    /// Nothing: a softmax for each decision, as in AutoHAS and TuNAS. Learns from the fewest trials.
    #[default]
    Softmax,
    /// Every choice is told to a recurrent network that makes the next, as in Zoph and Le 2017.
    Lstm(Recurrent),
}

/// A long short-term memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recurrent {
    /// Width of its state and of a choice's embedding; Zoph et al. 2018 take 100.
    pub units: usize,
}

impl Default for Recurrent {
    fn default() -> Recurrent {
        Recurrent { units: 100 }
    }
}

/// A distribution over rows of choices, with parameters.
pub(super) trait Policy: Send {
    /// The parameters, in a fixed order.
    fn parameters(&mut self) -> &mut [f64];
    /// A row to be drawn, at its first choice.
    fn walk(&self) -> Box<dyn Walk + '_>;
    /// Adds to `gradient` what the parameters have to do with `errors`: the derivatives by the logits of each action's
    /// head.
    fn backward(&self, actions: &[Action], errors: &[Vec<f64>], gradient: &mut [f64]);
}

/// A row of choices in the making.
pub(super) trait Walk {
    /// The logits of a head that chooses next.
    fn logits(&mut self, head: usize) -> Vec<f64>;
    /// Tells what was chosen.
    fn choose(&mut self, head: usize, choice: usize);
}

impl PolicyKind {
    /// A policy that has learnt nothing.
    pub(super) fn start(&self, heads: &Heads, seed: Seed) -> Box<dyn Policy> {
        match self {
            PolicyKind::Softmax => {
                Box::new(Softmax { logits: vec![0.0; heads.columns()], heads: heads.clone() })
            }
            PolicyKind::Lstm(Recurrent { units }) => {
                let mut rng = seed.stream(0, "controller weights");
                Box::new(Lstm::start(heads, (*units).max(1), &mut rng))
            }
        }
    }
}

/// One logit for every choice of every head.
struct Softmax {
    heads: Heads,
    logits: Vec<f64>,
}

impl Policy for Softmax {
    fn parameters(&mut self) -> &mut [f64] {
        &mut self.logits
    }

    fn walk(&self) -> Box<dyn Walk + '_> {
        Box::new(self)
    }

    fn backward(&self, actions: &[Action], errors: &[Vec<f64>], gradient: &mut [f64]) {
        for (action, errors) in actions.iter().zip(errors) {
            let columns = &mut gradient[self.heads.range(action.head)];
            columns.iter_mut().zip(errors).for_each(|(gradient, error)| *gradient += error);
        }
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

/// The logarithm of a row's probability.
pub(super) fn log_probability(policy: &dyn Policy, actions: &[Action]) -> f64 {
    let all = follow(policy, actions);
    all.iter().zip(actions).map(|(probabilities, action)| probabilities[action.choice].max(1e-300).ln()).sum()
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
}
