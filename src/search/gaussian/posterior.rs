//! What is expected of candidates after some trials: a Gaussian process that grows trial by trial.
//!
//! With `L` the factor of the trials' covariances, a candidate's column `v` solves `L v = k`, `k` being its covariances
//! with the trials; its mean is `v · L⁻¹ y` and its variance what `v · v` leaves of its own (Rasmussen and Williams 2006,
//! algorithm 2.1, <https://gaussianprocess.org/gpml/>). A new trial adds one row to `L` and one entry to every column, so
//! that nothing is solved twice.

use super::factor::{backward, grow, solve_row};
use super::kernel::{Belief, JITTER, Kernel};
use super::view::{View, Viewer};

/// A process over the trials so far, and what it expects of a pool of candidates.
pub(super) struct Posterior {
    kernel: Kernel,
    /// A candidate's variance before any trial.
    prior: f64,
    noise: f64,
    trials: Vec<View>,
    factor: Vec<f64>,
    candidates: Vec<View>,
    /// Row `t` holds entry `t` of every candidate's column.
    columns: Vec<Vec<f32>>,
    /// Of every candidate.
    variances: Vec<f32>,
}

impl Posterior {
    /// Before any trial.
    pub fn new(viewer: &Viewer, belief: &Belief) -> Posterior {
        Posterior {
            kernel: Kernel::new(viewer, belief),
            prior: belief.variance(),
            noise: belief.noise() + JITTER,
            trials: Vec::new(),
            factor: Vec::new(),
            candidates: Vec::new(),
            columns: Vec::new(),
            variances: Vec::new(),
        }
    }

    /// Learns where a trial stands; what its score is, is told when means are asked for.
    pub fn learn(&mut self, view: View) {
        let covariances = self.covariances(&view);
        let mut column: Vec<f32> =
            self.candidates.iter().map(|candidate| self.kernel.between(candidate, &view)).collect();
        grow(&mut self.factor, covariances, self.prior + self.noise);
        let entries = &self.factor[self.factor.len() - self.trials.len() - 1..];
        for (row, entry) in self.columns.iter().zip(entries) {
            let entry = *entry as f32;
            column.iter_mut().zip(row).for_each(|(sum, value)| *sum -= entry * value);
        }
        let scale = 1.0 / entries[self.trials.len()] as f32;
        for (value, variance) in column.iter_mut().zip(&mut self.variances) {
            *value *= scale;
            *variance -= *value * *value;
        }
        self.columns.push(column);
        self.trials.push(view);
    }

    /// Adds a candidate to the pool; it gets the next number.
    pub fn offer(&mut self, view: View) {
        let mut column = self.covariances(&view);
        let count = column.len();
        solve_row(&self.factor, &mut column, count);
        let mut variance = self.prior as f32;
        for (row, value) in self.columns.iter_mut().zip(column) {
            row.push(value as f32);
            variance -= (value * value) as f32;
        }
        self.variances.push(variance);
        self.candidates.push(view);
    }

    /// The scores of the trials, made independent; one that is not known yet is what was to be expected.
    pub fn explain(&self, scores: &[Option<f64>]) -> Explained {
        let mut half = vec![0.0; scores.len()];
        for (at, score) in scores.iter().enumerate() {
            let Some(score) = score else { continue };
            let entries = &super::factor::row(&self.factor, at);
            half[at] = (score - super::factor::dot(&entries[..at], &half[..at])) / entries[at];
        }
        Explained(half)
    }

    /// What is expected of every candidate of the pool, and how unsure that is: a standard deviation.
    pub fn predict(&self, explained: &Explained) -> Vec<(f32, f32)> {
        let mut means = vec![0.0f32; self.candidates.len()];
        for (row, value) in self.columns.iter().zip(&explained.0) {
            let value = *value as f32;
            means.iter_mut().zip(row).for_each(|(sum, entry)| *sum += value * entry);
        }
        let deviation = |variance: &f32| variance.max(0.0).sqrt();
        means.into_iter().zip(&self.variances).map(|(mean, variance)| (mean, deviation(variance))).collect()
    }

    /// What is believed of the trials themselves, the noise taken out of their scores; nothing of those without.
    pub fn believed(&self, explained: &Explained, scores: &[Option<f64>]) -> Vec<Option<f64>> {
        let weights = backward(&self.factor, &explained.0);
        let believed = |(score, weight): (&Option<f64>, f64)| score.map(|score| score - self.noise * weight);
        scores.iter().zip(weights).map(believed).collect()
    }

    fn covariances(&self, view: &View) -> Vec<f64> {
        self.trials.iter().map(|trial| f64::from(self.kernel.between(trial, view))).collect()
    }
}

/// Scores that a [`Posterior`] has explained.
pub(super) struct Explained(Vec<f64>);
