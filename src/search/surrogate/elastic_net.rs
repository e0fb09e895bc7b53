//! Linear regression in which most columns do not count.
//!
//! Zou and Hastie 2005, <https://doi.org/10.1111/j.1467-9868.2005.00503.x>: weights pay for their size and for being there
//! at all, so that of hundreds of columns a few dozen stay. The descent is linfa's. As in PNAS's ensemble every member
//! learns from another four fifths; what they say of the fifth that they have not seen chooses the penalty, and how far
//! they are apart is their uncertainty, to which columns that no example differs in add what a weight usually is.

use linfa::prelude::*;
use ndarray_16::{Array1, Array2};
use rand::seq::SliceRandom;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Configure, Features, Layout, Prediction, Surrogate};
use crate::random::Seed;

/// Linear regression with few weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ElasticNet {
    /// How many members; each learns from all but one `members`-th of the examples.
    pub members: usize,
    /// Which share of the penalty is for being there (L1), above 0 and at most 1; the rest is for size (L2).
    pub l1_ratio: f64,
    /// Penalties that are tried, each half the one before it.
    pub penalties: usize,
}

impl Default for ElasticNet {
    fn default() -> ElasticNet {
        ElasticNet { members: 5, l1_ratio: 0.5, penalties: 8 }
    }
}

impl Configure for ElasticNet {
    fn start(&self) -> Box<dyn Surrogate> {
        Box::new(Lines {
            config: self.clone(),
            centre: Vec::new(),
            seen: Vec::new(),
            members: Vec::new(),
            weight: 0.0,
        })
    }
}

/// Changes of weights below this share of the largest end the descent.
const TOLERANCE: f64 = 1e-3;
/// Passes over the columns, at most.
const PASSES: u32 = 200;

/// The members of an [`ElasticNet`].
struct Lines {
    config: ElasticNet,
    /// The mean of every column: linfa centres the targets only.
    centre: Vec<f64>,
    /// Whether any two examples differ in a column.
    seen: Vec<bool>,
    members: Vec<Line>,
    /// The root mean square of the members' weights.
    weight: f64,
}

/// One member.
#[derive(Clone)]
struct Line {
    intercept: f64,
    weights: Vec<f64>,
}

impl Surrogate for Lines {
    fn fit(&mut self, layout: &Layout, examples: &[(Features, f64)], seed: Seed) {
        let count = examples.len();
        let mut table = Array2::<f64>::zeros((count, layout.columns()));
        for ((features, _), mut row) in examples.iter().zip(table.rows_mut()) {
            features.iter().for_each(|(column, weight)| row[*column as usize] += f64::from(*weight));
        }
        self.centre = table.columns().into_iter().map(|it| it.sum() / count.max(1) as f64).collect();
        self.seen = table.columns().into_iter().map(|it| it.iter().any(|value| *value != it[0])).collect();
        for mut row in table.rows_mut() {
            row.iter_mut().zip(&self.centre).for_each(|(value, centre)| *value -= centre);
        }
        let targets: Array1<f64> = examples.iter().map(|(_, target)| *target).collect();
        self.members = if examples.is_empty() { Vec::new() } else { self.learn(&table, &targets, seed) };
        let squares = self.members.iter().flat_map(|line| &line.weights).map(|weight| weight * weight);
        let weights = self.seen.iter().filter(|seen| **seen).count() * self.members.len();
        self.weight = (squares.sum::<f64>() / weights.max(1) as f64).sqrt();
    }

    fn predict(&self, features: &Features) -> Prediction {
        if self.members.is_empty() {
            return Prediction::UNKNOWN;
        }
        let opinions: Vec<f64> =
            self.members.iter().map(|line| line.predict(features, &self.centre)).collect();
        let Prediction { mean, deviation } = Prediction::of(opinions.into_iter());
        let strange = features.iter().filter(|(column, _)| !self.seen[*column as usize]);
        let strange: f64 = strange
            .map(|(column, weight)| (f64::from(*weight) - self.centre[*column as usize]).powi(2))
            .sum();
        Prediction { mean, deviation: (deviation * deviation + strange * self.weight * self.weight).sqrt() }
    }
}

impl Lines {
    /// The members under the penalty that predicts best what they have not seen.
    fn learn(&self, table: &Array2<f64>, targets: &Array1<f64>, seed: Seed) -> Vec<Line> {
        let count = targets.len();
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(&mut seed.stream(0, "surrogate folds"));
        let members = self.config.members.max(1);
        let share = members > 1 && count >= 2 * members;
        let part = |member: usize, own: bool| -> Vec<usize> {
            let places = order.iter().enumerate();
            places
                .filter(|(place, _)| (share && place % members == member) == own)
                .map(|(_, row)| *row)
                .collect()
        };
        let penalties = self.penalties(table, targets);
        let paths: Vec<Vec<(Line, f64)>> = (0..members)
            .into_par_iter()
            .map(|member| {
                let (known, unknown) = (part(member, false), part(member, true));
                let learn = |penalty: &f64| {
                    let line = self.line(table, targets, &known, *penalty);
                    let error =
                        unknown.iter().map(|row| (line.at(table, *row) - targets[*row]).powi(2)).sum();
                    (line, error)
                };
                penalties.iter().map(learn).collect()
            })
            .collect();
        let error = |penalty: usize| paths.iter().map(|path| path[penalty].1).sum::<f64>();
        let best = (0..penalties.len()).min_by(|a, b| error(*a).total_cmp(&error(*b))).unwrap_or(0);
        paths.into_iter().map(|mut path| path.swap_remove(best).0).collect()
    }

    /// From half of what leaves no weight at all, downwards.
    fn penalties(&self, table: &Array2<f64>, targets: &Array1<f64>) -> Vec<f64> {
        let mean = targets.sum() / targets.len() as f64;
        let mut sums = vec![0.0; table.ncols()];
        for (row, target) in table.rows().into_iter().zip(targets) {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value * (target - mean));
        }
        let most = sums.iter().fold(0.0f64, |most, sum| most.max(sum.abs()));
        let highest = most / (targets.len() as f64 * self.l1_ratio());
        (1..=self.config.penalties.max(1)).map(|halvings| highest * 0.5f64.powi(halvings as i32)).collect()
    }

    fn l1_ratio(&self) -> f64 {
        self.config.l1_ratio.clamp(0.01, 1.0)
    }

    /// What linfa learns from these rows; the mean target where there is nothing to learn.
    fn line(&self, table: &Array2<f64>, targets: &Array1<f64>, rows: &[usize], penalty: f64) -> Line {
        let axis = ndarray_16::Axis(0);
        let known = Dataset::new(table.select(axis, rows), targets.select(axis, rows));
        let params = linfa_elasticnet::ElasticNet::params().penalty(penalty).l1_ratio(self.l1_ratio());
        let learnt = params.tolerance(TOLERANCE).max_iterations(PASSES).fit(&known);
        match learnt {
            Ok(line) if line.hyperplane().iter().all(|weight| weight.is_finite()) => {
                Line { intercept: line.intercept(), weights: line.hyperplane().to_vec() }
            }
            _ => Line {
                intercept: known.targets().sum() / rows.len().max(1) as f64,
                weights: vec![0.0; table.ncols()],
            },
        }
    }
}

impl Line {
    fn predict(&self, features: &Features, centre: &[f64]) -> f64 {
        let base: f64 = self.weights.iter().zip(centre).map(|(weight, centre)| weight * centre).sum();
        let sum = features.iter().map(|(column, weight)| self.weights[*column as usize] * f64::from(*weight));
        self.intercept - base + sum.sum::<f64>()
    }

    fn at(&self, table: &Array2<f64>, row: usize) -> f64 {
        self.intercept
            + table.row(row).iter().zip(&self.weights).map(|(value, weight)| value * weight).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    #[test]
    fn columns_that_mean_nothing_get_no_weight() {
        let mut layout = Layout::default();
        layout.add_measured(30, super::super::Measure::Bag);
        let mut rng = Seed(1).stream(0, "test");
        let examples: Vec<(Features, f64)> = (0..80)
            .map(|_| {
                let features: Features =
                    (0..30).filter(|_| rng.random_bool(0.5)).map(|column| (column, 1.0)).collect();
                let has =
                    |column: u32| f64::from(u8::from(features.iter().any(|(other, _)| *other == column)));
                let target = 0.3 + 0.3 * has(4) - 0.2 * has(9);
                (features, target)
            })
            .collect();
        let config = ElasticNet { l1_ratio: 1.0, ..ElasticNet::default() };
        let mut lines = Lines { config, centre: vec![], seen: vec![], members: vec![], weight: 0.0 };
        lines.fit(&layout, &examples, Seed(1));
        for line in &lines.members {
            assert!((line.weights[4] - 0.3).abs() < 0.03 && (line.weights[9] + 0.2).abs() < 0.03);
            let others = line.weights.iter().enumerate().filter(|(column, _)| ![4, 9].contains(column));
            assert!(others.filter(|(_, weight)| weight.abs() > 0.01).count() < 4, "{:?}", line.weights);
        }
    }
}
