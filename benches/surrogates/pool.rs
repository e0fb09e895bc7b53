//! Rows with their features: what is drawn from, learnt from and predicted.

use cellwright::Seed;
use cellwright::search::surrogate::{Encoding, Features, Layout, Prediction, Predictor, Scale};
use rand::RngExt;
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::clock::microseconds;
use super::line::Score;
use super::rank::{kendall, spearman};
use super::tables::{Row, Table};

/// Rows of a table that are drawn from.
const POOL: usize = 2_400;
/// Rows that are predicted, at most and at least.
const UNSEEN: usize = 1_000;
const FEWEST: usize = 30;

/// How scores become targets.
pub type Targets = fn(&[f64]) -> Scale;
pub const AS_THEY_ARE: Targets = |scores| Scale::of(scores.iter().copied());
pub const RANKS: Targets = |scores| Scale::ranks(scores.iter().copied());
pub const NORMAL: Targets = |scores| Scale::normal(scores.iter().copied());

/// Rows with their features.
pub struct Pool<'a> {
    layout: Layout,
    rows: Vec<Seen<'a>>,
}

type Seen<'a> = (&'a Row, Features);

impl<'a> Pool<'a> {
    pub fn of(table: &'a Table, encoding: Encoding) -> Pool<'a> {
        Pool::among(table, encoding, |_| true)
    }

    /// Of the rows that are asked for.
    pub fn among(table: &'a Table, encoding: Encoding, wanted: impl Fn(&Row) -> bool) -> Pool<'a> {
        let mut order: Vec<&Row> = table.rows.iter().filter(|row| wanted(row)).collect();
        order.shuffle(&mut Seed(1).stream(0, "pool"));
        order.truncate(POOL);
        let describe =
            |row: &'a Row| (row, encoding.describe(&table.space, &row.genotype).expect("of the space"));
        Pool { layout: encoding.layout().clone(), rows: order.into_par_iter().map(describe).collect() }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether another pool of the same table has the same to show.
    pub fn shows_the_same(&self, other: &Pool) -> bool {
        self.layout == other.layout && self.rows.iter().zip(&other.rows).all(|(a, b)| a.1 == b.1)
    }

    /// The mean over `seeds` draws; `None` where too few rows are left to predict.
    pub fn score(&self, surrogate: &Predictor, count: usize, targets: Targets, seeds: u64) -> Option<Score> {
        if self.rows.len() < count + FEWEST {
            return None;
        }
        let score = |seed| {
            let (known, unknown) = self.drawn(count, Seed(seed));
            self.judged(surrogate, &known, &[&unknown], targets, Seed(seed))[0]
        };
        Score::mean(&(0..seeds).into_par_iter().map(score).collect::<Vec<_>>())
    }

    /// How well each of several lots is ranked after one fit.
    pub fn judged(
        &self,
        surrogate: &Predictor,
        known: &[&Seen],
        lots: &[&[&Seen]],
        targets: Targets,
        seed: Seed,
    ) -> Vec<Score> {
        let (examples, scale) = learnt_from(known, targets, seed);
        let mut learnt = surrogate.start();
        learnt.fit(&self.layout, &examples, seed);
        let judge = |lot: &&[&Seen]| {
            let features: Vec<Features> = lot.iter().map(|(_, features)| features.clone()).collect();
            let truth: Vec<f64> = lot.iter().map(|(row, _)| row.truth()).collect();
            judged(&learnt.predict_all(&features), &truth, &scale)
        };
        lots.iter().map(judge).collect()
    }

    /// So many rows to learn from, and others.
    pub fn drawn(&self, count: usize, seed: Seed) -> (Vec<&Seen<'a>>, Vec<&Seen<'a>>) {
        let mut order: Vec<&Seen> = self.rows.iter().collect();
        order.shuffle(&mut seed.stream(0, "rows"));
        let unknown = order[count..].iter().copied().take(UNSEEN).collect();
        order.truncate(count);
        (order, unknown)
    }

    /// Microseconds of a fit on so many rows, and of 1,000 predictions after it; measured once where that is slow.
    pub fn times(&self, surrogate: &Predictor, count: usize, is_slow: bool) -> (f64, f64) {
        let (known, unknown) = self.drawn(count, Seed(1));
        let (examples, _) = learnt_from(&known, NORMAL, Seed(1));
        let features: Vec<Features> = unknown.iter().map(|(_, features)| features.clone()).collect();
        let repeats = if is_slow { 1 } else { 5 };
        let fit = || {
            let mut learnt = surrogate.start();
            learnt.fit(&self.layout, &examples, Seed(1));
            learnt
        };
        let (learnt, fitting) = microseconds(repeats, fit);
        let (_, predicting) = microseconds(repeats, || learnt.predict_all(&features));
        (fitting, predicting)
    }
}

/// Rows with one reading each, as targets.
fn learnt_from(known: &[&Seen], targets: Targets, seed: Seed) -> (Vec<(Features, f64)>, Scale) {
    let mut rng = seed.stream(0, "readings");
    let draw = |(row, _): &&Seen| row.readings[rng.random_range(0..row.readings.len())];
    let readings: Vec<f64> = known.iter().map(draw).collect();
    let scale = targets(&readings);
    let examples = known.iter().zip(&readings);
    let examples = examples.map(|((_, features), reading)| (features.clone(), scale.target(*reading)));
    (examples.collect(), scale)
}

fn judged(predictions: &[Prediction], truth: &[f64], scale: &Scale) -> Score {
    let predicted: Vec<f64> = predictions.iter().map(|prediction| prediction.mean).collect();
    let mut order: Vec<usize> = (0..truth.len()).collect();
    order.sort_by(|a, b| predicted[*b].total_cmp(&predicted[*a]));
    let best = order.iter().take(10).map(|at| truth[*at]).fold(f64::NEG_INFINITY, f64::max);
    let near =
        |(it, truth): &(&Prediction, &f64)| (it.mean - scale.target(**truth)).abs() <= 2.0 * it.deviation;
    let within = predictions.iter().zip(truth).filter(near).count();
    Score {
        spearman: spearman(&predicted, truth),
        kendall: kendall(&predicted, truth),
        missed: 100.0 * truth.iter().filter(|other| **other > best).count() as f64 / truth.len() as f64,
        covered: within as f64 / truth.len() as f64,
    }
}
