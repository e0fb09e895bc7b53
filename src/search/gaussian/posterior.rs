//! What is expected of candidates after some trials: a Gaussian process that grows trial by trial.
//!
//! With `L` the factor of the trials' covariances, a candidate's column `v` solves `L v = k`, `k` being its covariances
//! with the trials; its mean is `v · L⁻¹ y` and its variance what `v · v` leaves of its own (Rasmussen and Williams 2006,
//! algorithm 2.1, <https://gaussianprocess.org/gpml/>). A new trial adds one row to `L` and one entry to every column, so
//! that nothing is solved twice.

use super::kernel::{Belief, JITTER, Kernel, Standing};
use super::means::Means;
use super::view::Viewer;
use crate::search::cholesky::{Cholesky, dot};

/// A process over the trials so far, and what it expects of a pool of candidates.
pub(super) struct Posterior {
    kernel: Kernel,
    /// A candidate's variance before any trial, on each rung.
    priors: Vec<f64>,
    /// On each rung.
    noises: Vec<f64>,
    trials: Vec<Standing>,
    factor: Cholesky,
    /// On the highest rung.
    candidates: Vec<Standing>,
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
            priors: (0..belief.rungs)
                .map(|rung| (belief.variance() + belief.own()) * belief.between_rungs(rung, rung))
                .collect(),
            noises: (0..belief.rungs).map(|rung| belief.noise(rung) + JITTER).collect(),
            trials: Vec::new(),
            factor: Cholesky::default(),
            candidates: Vec::new(),
            columns: Vec::new(),
            variances: Vec::new(),
        }
    }

    /// Learns where a trial stands; what its score is, is told when means are asked for.
    pub fn learn(&mut self, trial: Standing) {
        let covariances = self.covariances(&trial);
        let mut column: Vec<f32> =
            self.candidates.iter().map(|candidate| self.kernel.on_rungs(candidate, &trial)).collect();
        self.factor.grow(covariances, self.priors[trial.rung] + self.noises[trial.rung]);
        let entries = self.factor.row(self.trials.len());
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
        self.trials.push(trial);
    }

    /// Adds a candidate to the pool; it gets the next number.
    pub fn offer(&mut self, candidate: Standing) {
        let column = self.column(&candidate);
        let mut variance = self.priors[candidate.rung] as f32;
        for (row, value) in self.columns.iter_mut().zip(column) {
            row.push(value as f32);
            variance -= (value * value) as f32;
        }
        self.variances.push(variance);
        self.candidates.push(candidate);
    }

    /// A candidate of the pool is going to be tried.
    pub fn name(&mut self, number: usize, name: u32) {
        self.candidates[number].name = Some(name);
    }

    /// How much of a candidate's variance on the highest rung a trial on each rung would explain.
    pub fn gains(&self, number: usize) -> Vec<f64> {
        let top = &self.candidates[number];
        let own = self.column(top);
        let gain = |rung: usize| {
            let there = Standing { rung, ..top.clone() };
            let column = self.column(&there);
            let variance = self.priors[rung] + self.noises[rung] - dot(&column, &column);
            let both = f64::from(self.kernel.on_itself(top.rung, rung)) - dot(&own, &column);
            both * both / variance.max(1e-9)
        };
        (0..self.priors.len()).map(gain).collect()
    }

    /// What is to be expected on each rung: none where there is but one.
    pub fn means(&self, scores: &[Option<f64>], explained: &mut Explained) -> Vec<f64> {
        if self.priors.len() == 1 {
            return vec![0.0];
        }
        let on = |rung: usize| {
            let known = scores.iter().zip(&self.trials);
            let on: Vec<Option<f64>> =
                known.map(|(score, trial)| score.map(|_| f64::from(u8::from(trial.rung == rung)))).collect();
            self.explain(&on).0
        };
        let means = Means::fitted((0..self.priors.len()).map(on).collect(), &explained.0);
        means.take_from(&mut explained.0);
        means.means
    }

    /// The scores of the trials, made independent; one that is not known yet is what was to be expected.
    pub fn explain(&self, scores: &[Option<f64>]) -> Explained {
        let mut half = vec![0.0; scores.len()];
        for (at, score) in scores.iter().enumerate() {
            let Some(score) = score else { continue };
            let entries = self.factor.row(at);
            half[at] = (score - dot(&entries[..at], &half[..at])) / entries[at];
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
        let mut weights = explained.0.clone();
        self.factor.back_solve(&mut weights);
        let believed =
            |(score, weight): (&Option<f64>, f64)| score.map(|score| score - self.noises[0] * weight);
        scores.iter().zip(weights).map(believed).collect()
    }

    fn covariances(&self, standing: &Standing) -> Vec<f64> {
        self.trials.iter().map(|trial| f64::from(self.kernel.on_rungs(trial, standing))).collect()
    }

    fn column(&self, standing: &Standing) -> Vec<f64> {
        let mut column = self.covariances(standing);
        self.factor.half_solve(&mut column);
        column
    }
}

/// Scores that a [`Posterior`] has explained.
pub(super) struct Explained(Vec<f64>);
