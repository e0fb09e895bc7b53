//! What a run folder holds, as plain data.

use std::path::{Path, PathBuf};

use super::{StudyError, kendall_tau, rank, store::Store};
use crate::experiment::Experiment;
use crate::trial::{Fidelity, Metrics, Objective, Trial, TrialId, TrialState};

/// What a study is about: two runs with equal descriptions are one study.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// The space as one self-contained RON text: no `extends` left to look up.
    pub space: String,
    /// How it is searched.
    pub experiment: Experiment,
}

/// All that a run folder remembers.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The run folder.
    pub folder: PathBuf,
    /// What the study is about.
    pub description: Description,
    /// The release of this crate that began it.
    pub version: String,
    /// When it began, in UTC: `2026-11-22T07:15:02.123Z`.
    pub created: String,
    /// All trials by id, with what became of them.
    pub trials: Vec<Trial>,
    /// All final trainings, in the order in which they ended.
    pub finals: Vec<Final>,
}

/// The final training of a trial's candidate, at full fidelity.
#[derive(Clone, Debug, PartialEq)]
pub struct Final {
    /// The trial.
    pub trial: TrialId,
    /// What it might spend.
    pub fidelity: Fidelity,
    /// What became of it; never pending.
    pub state: TrialState,
    /// Wall-clock time of the training.
    pub seconds: f64,
    /// The trained weights, a safetensors file; relative to the run folder.
    pub model: Option<PathBuf>,
}

impl Record {
    /// Reads a run folder, also while a search is running in it.
    ///
    /// # Errors
    /// [`StudyError`] where the folder holds no study, a damaged one, or one of another release's format.
    pub fn read(folder: &Path) -> Result<Record, StudyError> {
        Store::read(folder)?.record()
    }

    /// The ids of the best `top` candidates by the experiment's objectives, best first.
    pub fn winners(&self, top: usize) -> Vec<TrialId> {
        let ranked = rank(&self.trials, &self.description.experiment.objectives);
        ranked.into_iter().take(top).map(|ranked| ranked.trial.id).collect()
    }

    /// A trial by its number.
    ///
    /// # Errors
    /// [`StudyError::NoTrial`] for a number that the study does not have.
    pub fn trial(&self, id: TrialId) -> Result<&Trial, StudyError> {
        let missing = StudyError::NoTrial { trial: id, count: self.trials.len() };
        usize::try_from(id).ok().and_then(|index| self.trials.get(index)).ok_or(missing)
    }

    /// The names of all metrics that any trial has, in the order of their first appearance.
    pub fn metric_names(&self) -> Vec<&str> {
        let all =
            self.trials.iter().filter_map(|trial| figures(&trial.state)).flat_map(|metrics| metrics.keys());
        let names: indexmap::IndexSet<&str> = all.map(String::as_str).collect();
        names.into_iter().collect()
    }

    /// The last final training of a trial that left a trained model, and the model's file.
    pub fn model(&self, trial: TrialId) -> Option<(&Final, PathBuf)> {
        let of_trial = self.finals.iter().rev().filter(|one| one.trial == trial);
        of_trial.filter_map(|one| Some((one, self.folder.join(one.model.as_ref()?)))).next()
    }

    /// Kendall's tau between search-time and final scores by the first objective, over the final trainings at one
    /// fidelity. `None` where fewer than two have scores, or all scores are equal.
    pub fn agreement(&self, fidelity: Fidelity) -> Option<f64> {
        let objective = &self.description.experiment.objectives[0];
        let trainings = self.finals.iter().filter(|one| one.fidelity == fidelity);
        let pairs = trainings.filter_map(|one| {
            let trial = self.trials.get(usize::try_from(one.trial).ok()?)?;
            Some((objective.score(figures(&trial.state)?)?, one.score(objective)?))
        });
        kendall_tau(&pairs.collect::<Vec<_>>())
    }
}

impl Final {
    /// The score by an objective, from the test split where the evaluator has one: `test_accuracy` for `accuracy`.
    pub fn score(&self, objective: &Objective) -> Option<f64> {
        let metrics = figures(&self.state)?;
        let name = format!("test_{}", objective.metric());
        let on_test = match objective {
            Objective::Maximize(_) => Objective::Maximize(name),
            Objective::Minimize(_) => Objective::Minimize(name),
        };
        on_test.score(metrics).or_else(|| objective.score(metrics))
    }
}

fn figures(state: &TrialState) -> Option<&Metrics> {
    match state {
        TrialState::Finished(metrics) => Some(metrics),
        TrialState::Pending | TrialState::Failed(_) => None,
    }
}
