//! What a search with a model keeps of a history: the scores of its trials, in order.
//!
//! It is a cache that takes in what is new, so that a proposal takes as long after many trials as after few; the same
//! history always gives the same answers.

use std::borrow::Cow;

use super::gaussian::{Rungs, seen};
use super::order::Order;
use crate::trial::{History, Trial, TrialState};

/// The scores of a history's trials by every objective.
#[derive(Default)]
pub(super) struct Ledger {
    /// By objective.
    columns: Vec<Column>,
    read: usize,
    /// The trials that had not ended when they were read last, ascending.
    open: Vec<usize>,
    /// How many trials are in [`Column::first`].
    settled: usize,
}

/// The scores by one objective.
struct Column {
    /// Of every trial; none where it has not ended.
    scores: Vec<Option<f64>>,
    /// Of all that have ended, by rung.
    ended: Vec<Order>,
    /// Of the first few, by rung: what they are told by does not change with every trial.
    first: Vec<Order>,
}

/// Trials that several objectives are blended of for ranks, at most, beside those that are learnt from.
const BLENDED: usize = 2048;

/// How much of the sum of all losses counts beside the largest, so that no one else's is forgotten.
const SUM: f64 = 0.05;

impl Ledger {
    /// Takes in the trials that are new or have ended since the last call; `false` where the history does not go on from
    /// the one before.
    pub fn read(&mut self, history: &History, rungs: &Rungs) -> bool {
        let goes_on = self.read <= history.trials.len();
        if !goes_on || self.columns.len() != history.objectives.len() {
            let column = || {
                let orders = || vec![Order::default(); rungs.count()];
                Column { scores: Vec::new(), ended: orders(), first: orders() }
            };
            let columns = history.objectives.iter().map(|_| column()).collect();
            *self = Ledger { columns, ..Ledger::default() };
        }
        self.open.extend(self.read..history.trials.len());
        self.read = history.trials.len();
        self.columns.iter_mut().for_each(|column| column.scores.resize(self.read, None));
        let columns = &mut self.columns;
        self.open.retain(|number| {
            let trial = &history.trials[*number];
            let is_open = trial.state == TrialState::Pending;
            if !is_open {
                end(columns, history, *number, rungs.rung(trial));
            }
            is_open
        });
        goes_on
    }

    /// The number of trials before the first that has not ended.
    pub fn ended(&self) -> usize {
        self.open.first().copied().unwrap_or(self.read)
    }

    /// Until this is called again the scores of all trials are told by how they stand among the first so many.
    pub fn settle(&mut self, trials: &[Trial], rungs: &Rungs, count: usize) {
        if count < self.settled {
            self.columns
                .iter_mut()
                .flat_map(|column| &mut column.first)
                .for_each(|order| *order = Order::default());
            self.settled = 0;
        }
        for (number, trial) in trials.iter().enumerate().take(count).skip(self.settled) {
            for column in &mut self.columns {
                if let Some(score) = column.scores[number] {
                    column.first[rungs.rung(trial)].put(score, number);
                }
            }
        }
        self.settled = count;
    }

    /// The score of a trial by one objective.
    pub fn score(&self, objective: usize, trial: usize) -> Option<f64> {
        self.columns[objective].scores[trial]
    }

    /// The scores by one objective of all trials that have ended, by rung.
    pub fn orders(&self, objective: usize) -> &[Order] {
        &self.columns[objective].ended
    }

    /// The score of a trial on a rung: with several objectives all of them count alike.
    pub fn settled_score(&self, trial: usize, rung: usize) -> Option<f64> {
        match &*self.columns {
            [column] => column.scores[trial],
            several => blend(several, &alike(several.len()), trial, |column| &several[column].first[rung]),
        }
    }

    /// The scores of the first so many trials among themselves, by rung: with several objectives all count alike.
    pub fn first(&self, trials: &[Trial], rungs: &Rungs, count: usize) -> Cow<'_, [Order]> {
        let is_settled = count == self.settled;
        if let ([column], true) = (&*self.columns, is_settled) {
            return Cow::Borrowed(&column.first);
        }
        let all = (0..count).map(|trial| (trial, rungs.rung(&trials[trial])));
        let of = |column: &Column| by_rung(rungs, all.clone(), |trial, _| column.scores[trial]);
        let among: Vec<Vec<Order>> = match is_settled {
            true => Vec::new(),
            false => self.columns.iter().map(of).collect(),
        };
        let several = match &*self.columns {
            [_] => return Cow::Owned(among.into_iter().next().unwrap_or_default()),
            several => several,
        };
        let order = |column: usize, rung: usize| match is_settled {
            true => &several[column].first[rung],
            false => &among[column][rung],
        };
        let weights = alike(several.len());
        Cow::Owned(by_rung(rungs, all, |trial, rung| {
            blend(several, &weights, trial, |column| order(column, rung))
        }))
    }

    /// The score of a trial on a rung by all objectives, so weighted.
    pub fn blended(&self, weights: &[f64], trial: usize, rung: usize) -> Option<f64> {
        blend(&self.columns, weights, trial, |column| &self.columns[column].ended[rung])
    }

    /// The scores by all objectives, so weighted, of all trials that have ended, by rung; of very many trials these are
    /// those that are learnt from and as many others as suffice to tell a rank.
    pub fn blends(&self, trials: &[Trial], rungs: &Rungs, weights: &[f64], learnt: &[usize]) -> Vec<Order> {
        let mut some: Vec<usize> = match self.read {
            ..=BLENDED => (0..self.read).collect(),
            many => {
                (0..BLENDED).map(|number| number * many / BLENDED).chain(learnt.iter().copied()).collect()
            }
        };
        some.sort_unstable();
        some.dedup();
        let some = some.into_iter().map(|trial| (trial, rungs.rung(&trials[trial])));
        by_rung(rungs, some, |trial, rung| self.blended(weights, trial, rung))
    }
}

/// Takes in a trial that has ended.
fn end(columns: &mut [Column], history: &History, number: usize, rung: usize) {
    let trial = &history.trials[number];
    for (column, objective) in columns.iter_mut().zip(history.objectives) {
        let score = seen(trial, trial.state.whole().and_then(|metrics| objective.score(metrics)));
        column.scores[number] = score;
        if let Some(score) = score {
            column.ended[rung].put(score, number);
        }
    }
}

/// Trials by the scores that they have, those of each rung in order.
fn by_rung(
    rungs: &Rungs,
    trials: impl Iterator<Item = (usize, usize)>,
    score: impl Fn(usize, usize) -> Option<f64>,
) -> Vec<Order> {
    let mut scores = vec![Vec::new(); rungs.count()];
    for (trial, rung) in trials {
        scores[rung].extend(score(trial, rung).map(|score| (score, trial)));
    }
    scores.into_iter().map(|scores| Order::of(scores.into_iter())).collect()
}

/// Weights that make all objectives count alike.
fn alike(objectives: usize) -> Vec<f64> {
    vec![1.0 / objectives as f64; objectives]
}

/// One score for several objectives: the largest weighted loss, a loss being the share of trials that are better
/// (Knowles 2006, <https://doi.org/10.1109/TEVC.2005.851274>).
fn blend<'a>(
    columns: &[Column],
    weights: &[f64],
    trial: usize,
    order: impl Fn(usize) -> &'a Order,
) -> Option<f64> {
    let (mut most, mut sum) = (0.0f64, 0.0);
    for (number, (column, weight)) in columns.iter().zip(weights).enumerate() {
        let score = column.scores[trial]?;
        if !score.is_finite() {
            return Some(f64::NEG_INFINITY);
        }
        let order = order(number);
        let better = order.len() - order.upto(score);
        let loss = better as f64 / order.len().max(1) as f64 * weight;
        (most, sum) = (most.max(loss), sum + loss);
    }
    Some(-most - SUM * sum)
}
