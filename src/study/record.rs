//! What a run folder holds, as plain data.

use std::path::{Path, PathBuf};

use super::{StudyError, kendall_tau, rank, store::Store};
use crate::experiment::Experiment;
use crate::search::{Context, SearchAlgorithm};
use crate::space::Space;
use crate::stopping::Curve;
use crate::trial::{Fidelity, History, Metrics, Objective, Trial, TrialId, TrialState};

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

    /// What the trials of a run folder reported on the way, by id; those that told nothing but their end are left out.
    ///
    /// # Errors
    /// As [`Record::read`].
    pub fn curves(folder: &Path) -> Result<Vec<(TrialId, Curve)>, StudyError> {
        let (store, mut curves) = (Store::read(folder)?, Vec::new());
        store.curves(i64::MAX as usize, |id, curve| curves.push((id, curve)))?;
        Ok(curves)
    }

    /// The ids of the best `top` candidates: the one that the algorithm believes best, then the best readings by the
    /// experiment's objectives, best first. Those whose final training failed, and never succeeded, come last.
    pub fn winners(&self, space: &Space, top: usize) -> Vec<TrialId> {
        self.winners_by(&mut *self.description.experiment.algorithm.start(), space, top)
    }

    /// The trial of the candidate that the experiment's algorithm believes best, where that is another one than the best
    /// reading: the best of many readings is a lucky one. `None` where the two agree.
    pub fn believed(&self, space: &Space) -> Option<TrialId> {
        self.believed_by(&mut *self.description.experiment.algorithm.start(), space)
    }

    fn winners_by(&self, algorithm: &mut dyn SearchAlgorithm, space: &Space, top: usize) -> Vec<TrialId> {
        let believed = self.believed_by(algorithm, space);
        let key = believed.map(|id| &self.trials[id as usize].key);
        let ranked = rank(&self.trials, &self.description.experiment.objectives);
        let others = ranked.iter().filter(|ranked| Some(&ranked.trial.key) != key);
        let mut best: Vec<TrialId> =
            believed.into_iter().chain(others.map(|ranked| ranked.trial.id)).collect();
        best.sort_by_key(|id| self.gave_up(*id));
        best.truncate(top);
        best
    }

    /// Whether a trial's candidate was trained to the end in vain.
    pub(super) fn gave_up(&self, trial: TrialId) -> bool {
        let mut finals = self.finals.iter().filter(|one| one.trial == trial).peekable();
        finals.peek().is_some() && finals.all(|one| matches!(one.state, TrialState::Failed(_)))
    }

    fn believed_by(&self, algorithm: &mut dyn SearchAlgorithm, space: &Space) -> Option<TrialId> {
        let experiment = &self.description.experiment;
        let context = Context {
            space,
            seed: experiment.seed(),
            trial: self.trials.len() as TrialId,
            trials: experiment.trials,
            fidelity: experiment.fidelity(),
            fidelities: &[],
        };
        let history = History { trials: &self.trials, objectives: &experiment.objectives };
        let believed = self.trial(algorithm.incumbent(&context, &history)?).ok()?;
        let best = rank(&self.trials, &experiment.objectives).first()?.trial;
        let stopped = matches!(believed.state, TrialState::Stopped(_));
        let agree = stopped || believed.key == best.key || history.score(believed) == history.score(best);
        (!agree).then_some(believed.id)
    }

    /// Whether all trials of the experiment have ended: nothing is left to evaluate.
    pub fn is_complete(&self) -> bool {
        self.trials.len() as u64 >= self.description.experiment.trials
            && self.trials.iter().all(|trial| trial.state != TrialState::Pending)
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
            self.trials.iter().filter_map(|trial| trial.state.metrics()).flat_map(|metrics| metrics.keys());
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
        TrialState::Pending | TrialState::Stopped(_) | TrialState::Failed(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Next;
    use crate::space::GenotypeError;
    use crate::trial::Proposal;

    fn record(space: &Space, readings: &[(&str, u32, f64)]) -> Record {
        let experiment = "(evaluator: Cost(()), objectives: [Maximize(\"accuracy\")])";
        let trial = |(id, (genotype, fidelity, accuracy)): (usize, &(&str, u32, f64))| {
            let genotype = genotype.parse().expect("a genotype");
            let key = space.key(&genotype).expect("a key");
            let proposal =
                Proposal { genotype, fidelity: Fidelity(*fidelity), parent: None, note: String::new() };
            let state = TrialState::Finished([("accuracy".to_owned(), *accuracy)].into_iter().collect());
            Trial { id: id as TrialId, proposal, key, state, seconds: 0.0 }
        };
        Record {
            folder: PathBuf::new(),
            description: Description {
                space: String::new(),
                experiment: ron::from_str(experiment).expect("an experiment"),
            },
            version: String::new(),
            created: String::new(),
            trials: readings.iter().enumerate().map(trial).collect(),
            finals: Vec::new(),
        }
    }

    fn last(trial: TrialId, state: TrialState) -> Final {
        Final { trial, fidelity: Fidelity(5), state, seconds: 1.0, model: None }
    }

    struct Believes(TrialId);

    impl SearchAlgorithm for Believes {
        fn propose(&mut self, _context: &Context, _history: &History) -> Result<Next, GenotypeError> {
            Ok(Next::Done)
        }
        fn incumbent(&mut self, _context: &Context, _history: &History) -> Option<TrialId> {
            Some(self.0)
        }
    }

    #[test]
    fn the_winner_is_what_the_algorithm_believes_best() {
        let space = Space::untyped(&"(a: OneOf([0, 1, 2]))".parse().expect("RON")).expect("a space");
        let record = |readings| record(&space, readings);
        let plain = record(&[("0", 1, 0.7), ("1", 1, 0.9), ("2", 1, 0.8)]);
        assert_eq!((plain.believed(&space), plain.winners(&space, 2)), (None, vec![1, 2]));
        let winners = |believed, top| plain.winners_by(&mut Believes(believed), &space, top);
        assert_eq!([winners(2, 3), winners(1, 3), winners(2, 1)], [vec![2, 1, 0], vec![1, 2, 0], vec![2]]);
        assert_eq!(plain.believed_by(&mut Believes(2), &space), Some(2));
        let mut trained = record(&[("0", 1, 0.7), ("1", 1, 0.9), ("2", 1, 0.8)]);
        let failed = || TrialState::Failed("diverged".into());
        trained.finals =
            vec![last(1, failed()), last(2, failed()), last(2, TrialState::Finished(Metrics::new()))];
        assert_eq!(
            trained.winners(&space, 3),
            [2, 0, 1],
            "the first was trained in vain, the second once not"
        );
        assert_eq!(plain.believed_by(&mut Believes(9), &space), None, "there is no such trial");
        // Equal readings and other readings of the same candidate are no other belief.
        let equal = record(&[("0", 1, 0.9), ("1", 1, 0.9), ("0", 1, 0.9)]);
        assert_eq!([1, 2].map(|id| equal.believed_by(&mut Believes(id), &space)), [None, None]);
        let none = record(&[]);
        assert_eq!((none.believed(&space), none.winners(&space, 1)), (None, vec![]));
    }
}
