//! Bayesian linear regression.
//!
//! MacKay 1992, <https://doi.org/10.1162/neco.1992.4.3.415>: every column adds its weight to the target, weights are normal
//! with one variance, and so is the noise. Their ratio is where the examples are likeliest (the evidence), so nothing is
//! left to tune, and the posterior says how unsure the sum is.
//!
//! Written out, because linfa has no posterior: its linear regression knows no penalty, and its ridge is the elastic net
//! without L1, whose descent has no stopping rule then and runs to the last iteration.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{Configure, Features, Layout, Prediction, Surrogate};
use crate::random::Seed;
use crate::search::cholesky::{Cholesky, add_scaled, dot};

/// Bayesian linear regression; the evidence chooses how much weights are held back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ridge {}

impl Configure for Ridge {
    fn start(&self) -> Box<dyn Surrogate> {
        Box::new(Line { centre: Vec::new(), fitted: None })
    }
}

/// Ratios of the noise's variance to a weight's that are tried.
const RATIOS: [f64; 9] = [1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0];

/// What a [`Ridge`] has learnt.
struct Line {
    /// The mean of every column.
    centre: Vec<f64>,
    fitted: Option<Fitted>,
}

struct Fitted {
    /// The mean target.
    mean: f64,
    /// The weight of every column.
    weights: Vec<f64>,
    /// The prior variance of a weight.
    variance: f64,
    ratio: f64,
    posterior: Posterior,
}

/// How far the examples have narrowed the weights down: by the columns that differ, or by the examples, whichever are
/// fewer.
enum Posterior {
    /// The factor of `XᵀX + ratio`, and the place of each column in it.
    Columns(Cholesky, Vec<Option<usize>>),
    /// The factor of `XXᵀ + ratio`, and the centred examples, one a row.
    Examples(Cholesky, Array2<f64>),
}

impl Surrogate for Line {
    fn fit(&mut self, layout: &Layout, examples: &[(Features, f64)], _seed: Seed) {
        let width = layout.columns();
        let mut table = Array2::zeros((examples.len(), width));
        for ((features, _), mut row) in examples.iter().zip(table.rows_mut()) {
            features.iter().for_each(|(column, weight)| row[*column as usize] += f64::from(*weight));
        }
        let count = examples.len().max(1) as f64;
        self.centre = table.columns().into_iter().map(|column| column.sum() / count).collect();
        for mut row in table.rows_mut() {
            row.iter_mut().zip(&self.centre).for_each(|(value, centre)| *value -= centre);
        }
        let mean = examples.iter().map(|(_, target)| target).sum::<f64>() / count;
        let targets: Vec<f64> = examples.iter().map(|(_, target)| target - mean).collect();
        self.fitted = (!examples.is_empty()).then(|| Fitted::of(mean, table, &targets)).flatten();
    }

    fn predict(&self, features: &Features) -> Prediction {
        let Some(fitted) = &self.fitted else { return Prediction::UNKNOWN };
        let mut row: Vec<f64> = self.centre.iter().map(|centre| -centre).collect();
        features.iter().for_each(|(column, weight)| row[*column as usize] += f64::from(*weight));
        let mean = fitted.mean + dot(&row, &fitted.weights);
        Prediction { mean, deviation: fitted.posterior_variance(&row).max(0.0).sqrt() }
    }
}

impl Fitted {
    fn of(mean: f64, table: Array2<f64>, targets: &[f64]) -> Option<Fitted> {
        let differs = |column: ndarray::ArrayView1<f64>| column.iter().any(|value| value.abs() > 1e-12);
        let columns: Vec<usize> = table
            .columns()
            .into_iter()
            .enumerate()
            .filter(|(_, it)| differs(*it))
            .map(|(at, _)| at)
            .collect();
        let narrow = table.select(ndarray::Axis(1), &columns);
        let by_columns = columns.len() <= targets.len();
        let gram = if by_columns { squared(&narrow.t().to_owned()) } else { squared(&narrow) };
        let (ratio, factor, slopes) = RATIOS
            .iter()
            .filter_map(|ratio| solved(&narrow, &gram, targets, *ratio, by_columns))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, ratio, factor, slopes)| (ratio, factor, slopes))?;
        let mut weights = vec![0.0; table.ncols()];
        columns.iter().zip(&slopes).for_each(|(column, slope)| weights[*column] = *slope);
        let noise = noise_variance(&narrow, targets, &slopes, ratio);
        let posterior = if by_columns {
            let mut places = vec![None; table.ncols()];
            columns.iter().enumerate().for_each(|(place, column)| places[*column] = Some(place));
            Posterior::Columns(factor, places)
        } else {
            Posterior::Examples(factor, table)
        };
        Some(Fitted { mean, weights, variance: noise / ratio, ratio, posterior })
    }

    /// The variance of the weighted sum of a centred row.
    fn posterior_variance(&self, row: &[f64]) -> f64 {
        match &self.posterior {
            Posterior::Columns(factor, places) => {
                let mut known = vec![0.0; places.iter().flatten().count()];
                let mut unknown = 0.0;
                for (value, place) in row.iter().zip(places) {
                    match place {
                        Some(place) => known[*place] = *value,
                        None => unknown += value * value,
                    }
                }
                factor.half_solve(&mut known);
                self.variance * (unknown + self.ratio * dot(&known, &known))
            }
            Posterior::Examples(factor, table) => {
                let rows = table.as_slice().unwrap_or_default().chunks_exact(row.len().max(1));
                let mut near: Vec<f64> = rows.map(|example| dot(example, row)).collect();
                factor.half_solve(&mut near);
                self.variance * (dot(row, row) - dot(&near, &near))
            }
        }
    }
}

/// The weights where the noise's variance is `ratio` times theirs, with how likely the examples then are (a logarithm, up
/// to a constant): `(evidence, ratio, factor, weights)`.
fn solved(
    table: &Array2<f64>,
    gram: &Array2<f64>,
    targets: &[f64],
    ratio: f64,
    by_columns: bool,
) -> Option<(f64, f64, Cholesky, Vec<f64>)> {
    let factor = Cholesky::of_upper(&(gram + ratio * Array2::<f64>::eye(gram.nrows())))?;
    let mut log_determinant = factor.log_determinant();
    let weights = if by_columns {
        log_determinant += (targets.len() as f64 - gram.nrows() as f64) * ratio.ln();
        let mut weights = transposed(table, targets);
        factor.solve(&mut weights);
        weights
    } else {
        let mut coefficients = targets.to_vec();
        factor.solve(&mut coefficients);
        transposed(table, &coefficients)
    };
    let noise = noise_variance(table, targets, &weights, ratio);
    // Of `targets ~ N(0, variance · (XXᵀ + ratio))`, the variance at its likeliest.
    let evidence = -0.5 * (targets.len() as f64 * (noise / ratio).ln() + log_determinant);
    Some((evidence, ratio, factor, weights))
}

/// `table · tableᵀ`.
fn squared(table: &Array2<f64>) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = table.rows().into_iter().map(|row| row.to_vec()).collect();
    Array2::from_shape_fn(
        (rows.len(), rows.len()),
        |(a, b)| if a <= b { dot(&rows[a], &rows[b]) } else { 0.0 },
    )
}

/// `tableᵀ · values`.
fn transposed(table: &Array2<f64>, values: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; table.ncols()];
    for (row, value) in table.rows().into_iter().zip(values) {
        add_scaled(&mut sum, *value, &row.to_vec());
    }
    sum
}

/// The noise's likeliest variance: the errors and, by the ratio, the weights share it. Held above zero by a prior as
/// strong as one example, so that a perfect fit is no certainty.
fn noise_variance(table: &Array2<f64>, targets: &[f64], weights: &[f64], ratio: f64) -> f64 {
    let errors = table.rows().into_iter().zip(targets).map(|(row, target)| {
        let predicted: f64 = row.iter().zip(weights).map(|(value, weight)| value * weight).sum();
        (target - predicted).powi(2)
    });
    let sum = errors.sum::<f64>() + ratio * dot(weights, weights);
    (sum + LEAST_NOISE) / (targets.len() as f64 + 1.0)
}

/// The variance that the prior of the noise expects, in units of the target.
const LEAST_NOISE: f64 = 1e-6;

#[cfg(test)]
mod tests {
    use super::*;

    /// Targets that add up, with or without more columns than examples.
    fn additive(extra: usize) -> (Layout, Vec<(Features, f64)>) {
        let mut layout = Layout::default();
        let (a, b) = (layout.add(4), layout.add(4));
        layout.add_measured(extra, super::super::Measure::Bag);
        let start = |slot: usize| layout.slots[slot].start as u32;
        let example = |n: u32| {
            let (x, y) = (n % 4, n / 4 % 4);
            let mut features = vec![(start(a) + x, 1.0), (start(b) + y, 1.0)];
            if extra > 0 {
                features.push((8 + n, 1.0));
            }
            (features, 0.2 + 0.1 * f64::from(x) + 0.05 * f64::from(y))
        };
        let examples = (0..16).filter(|n| n % 5 != 3).map(example).collect();
        (layout, examples)
    }

    #[test]
    fn what_adds_up_is_learnt_from_a_part() {
        for extra in [0, 40] {
            let (layout, examples) = additive(extra);
            let mut ridge = Ridge::default().start();
            ridge.fit(&layout, &examples, Seed(1));
            let unseen = ridge.predict(&vec![(3, 1.0), (4, 1.0)]);
            assert!((unseen.mean - 0.5).abs() < if extra == 0 { 0.02 } else { 0.1 }, "{extra}: {unseen:?}");
        }
    }

    #[test]
    fn both_ways_of_solving_agree() {
        let (layout, examples) = additive(0);
        let columns = layout.columns();
        let mut table = Array2::zeros((examples.len(), columns));
        for ((features, _), mut row) in examples.iter().zip(table.rows_mut()) {
            features.iter().for_each(|(column, weight)| row[*column as usize] = f64::from(*weight) - 0.25);
        }
        let targets: Vec<f64> = examples.iter().map(|(_, target)| target - 0.4).collect();
        let by_columns = solved(&table, &squared(&table.t().to_owned()), &targets, 0.3, true).unwrap();
        let by_examples = solved(&table, &squared(&table), &targets, 0.3, false).unwrap();
        assert!((by_columns.0 - by_examples.0).abs() < 1e-9);
        assert!(by_columns.3.iter().zip(&by_examples.3).all(|(a, b)| (a - b).abs() < 1e-9));
    }
}
