//! What searches are scored by, and none of them is shown.
//!
//! With one metric, the truth of the candidate that a search believes best; with several objectives, how much of what the
//! best front dominates the front that was found dominates, too. That front is of the trials whose readings no other
//! trial's beat, as the search's user would read it, and measured by what those candidates are in truth.

use rayon::prelude::*;

use super::{BenchError, Scored};
use crate::evaluate::Evaluate;
use crate::experiment::Experiment;
use crate::pareto::{fronts, hypervolume};
use crate::space::{Genotype, Key, Size, Space};
use crate::symbolic::nearest;
use crate::trial::{History, Objective, Trial};

/// Larger spaces are not counted through for their front.
const MOST: u64 = 1_000_000;

/// What a space's searches are scored by.
pub(super) enum Truth {
    /// One figure.
    Figure(Figure),
    /// A front of several.
    Front(Front),
}

impl Truth {
    /// What the bench file asks for.
    ///
    /// # Errors
    /// A metric that the evaluator does not keep from searches, and a front that cannot be known.
    pub fn of(
        scored: &Scored,
        experiment: &Experiment,
        evaluator: &dyn Evaluate,
        space: &Space,
    ) -> Result<Truth, BenchError> {
        let file = || scored.file.clone();
        let known = evaluator.hidden_metrics();
        if known.is_empty() {
            let evaluator = experiment.evaluator.kind().to_owned();
            return Err(BenchError::NoTruth { file: file(), evaluator });
        }
        let no_metric = |metric: &str| BenchError::NoMetric {
            file: file(),
            metric: metric.into(),
            known: known.iter().map(|name| name.to_string()).collect(),
            nearest: nearest(metric, known.iter().copied()).map(String::from),
        };
        if let Some(metric) = &scored.metric {
            let objective = match &experiment.objectives[0] {
                Objective::Maximize(_) => Objective::Maximize(metric.clone()),
                Objective::Minimize(_) => Objective::Minimize(metric.clone()),
            };
            let best = evaluator.hidden_best(&objective).filter(|_| known.contains(&metric.as_str()));
            let best = best.ok_or_else(|| no_metric(metric))?;
            return Ok(Truth::Figure(Figure { objective, best }));
        }
        let unknown = scored.front.iter().map(Objective::metric).find(|metric| !known.contains(metric));
        if let Some(metric) = unknown {
            return Err(no_metric(metric));
        }
        let (front, objectives) = (scored.front.len(), experiment.objectives.len());
        if front != objectives {
            return Err(BenchError::OtherFront { file: file(), front, objectives });
        }
        let front = Front::of(&scored.front, evaluator, space);
        let no_front = || BenchError::NoFront { file: file(), candidates: space.size().to_string() };
        front.map(Truth::Front).ok_or_else(no_front)
    }

    /// The metrics that are looked at.
    pub fn metrics(&self) -> Vec<String> {
        let objectives = match self {
            Truth::Figure(figure) => std::slice::from_ref(&figure.objective),
            Truth::Front(front) => &front.objectives,
        };
        objectives.iter().map(|objective| objective.metric().to_owned()).collect()
    }

    /// The best figure, or the hypervolume of the best front.
    pub fn best(&self) -> f64 {
        match self {
            Truth::Figure(figure) => figure.best,
            Truth::Front(front) => front.volume,
        }
    }
}

/// One figure of a candidate, and the best of all candidates.
pub(super) struct Figure {
    /// What is looked at, and which way is better.
    pub objective: Objective,
    pub best: f64,
}

impl Figure {
    /// How far a candidate's figure is from the best; not a number where it is not known.
    pub fn regret(&self, trial: Option<&Trial>, evaluator: &dyn Evaluate) -> f64 {
        let truth = trial.and_then(|trial| evaluator.hidden(&trial.proposal.genotype, &trial.key));
        let value = truth.and_then(|truth| truth.get(self.objective.metric()).copied()).unwrap_or(f64::NAN);
        if matches!(self.objective, Objective::Maximize(_)) { self.best - value } else { value - self.best }
    }
}

/// The best front of a space.
pub(super) struct Front {
    /// What is looked at, and which way is better.
    objectives: Vec<Objective>,
    /// The least and the greatest score of any candidate, by objective.
    spans: Vec<(f64, f64)>,
    /// What the best front dominates of the box between the worst scores and the best ones.
    volume: f64,
}

impl Front {
    /// The front of all candidates whose figures the evaluator knows; `None` where they are too many, or none dominates
    /// anything.
    pub fn of(objectives: &[Objective], evaluator: &dyn Evaluate, space: &Space) -> Option<Front> {
        if !matches!(space.size(), Size::Finite(size) if size <= MOST.into()) {
            return None;
        }
        let genotypes: Vec<Genotype> = space.genotypes().collect();
        let known = genotypes.par_iter().filter_map(|genotype| {
            let key = space.key(genotype).ok()?;
            scores(objectives, evaluator, genotype, &key)
        });
        let known: Vec<Vec<f64>> = known.collect();
        let span = |objective: usize| {
            let figures = known.iter().map(|scores| scores[objective]);
            figures.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), score| {
                (low.min(score), high.max(score))
            })
        };
        let spans = (0..objectives.len()).map(span).collect();
        let mut front = Front { objectives: objectives.to_vec(), spans, volume: f64::NAN };
        front.volume = front.dominated(&known);
        (front.volume > 0.0).then_some(front)
    }

    /// The share of the best front's volume that the front of these trials lacks; not a number where none has figures.
    pub fn regret(&self, trials: &[Trial], objectives: &[Objective], evaluator: &dyn Evaluate) -> f64 {
        let history = History { trials, objectives };
        let read = trials.iter().filter_map(|trial| Some((trial, history.scores(trial)?)));
        let mut read: Vec<(&Trial, Vec<f64>)> = read.collect();
        let highest = read.iter().map(|(trial, _)| trial.proposal.fidelity).max();
        read.retain(|(trial, _)| Some(trial.proposal.fidelity) == highest);
        if read.is_empty() {
            return f64::NAN;
        }
        let readings: Vec<&[f64]> = read.iter().map(|(_, scores)| scores.as_slice()).collect();
        let first = fronts(&readings);
        let found = read.iter().zip(first).filter(|(_, front)| *front == 0);
        let truth = found.filter_map(|((trial, _), _)| {
            scores(&self.objectives, evaluator, &trial.proposal.genotype, &trial.key)
        });
        1.0 - self.dominated(&truth.collect::<Vec<_>>()) / self.volume
    }

    /// What points dominate of the box between the worst scores and the best ones, as a share of it.
    fn dominated(&self, points: &[Vec<f64>]) -> f64 {
        let share =
            |(score, (low, high)): (&f64, &(f64, f64))| (score - low) / (high - low).max(f64::MIN_POSITIVE);
        let points: Vec<Vec<f64>> =
            points.iter().map(|scores| scores.iter().zip(&self.spans).map(share).collect()).collect();
        hypervolume(&points, &vec![0.0; self.objectives.len()])
    }
}

/// What a candidate is worth in truth, by objective; `None` where one is not known.
fn scores(
    objectives: &[Objective],
    evaluator: &dyn Evaluate,
    genotype: &Genotype,
    key: &Key,
) -> Option<Vec<f64>> {
    let truth = evaluator.hidden(genotype, key)?;
    objectives.iter().map(|objective| objective.score(&truth)).collect()
}
