//! The winners' final training: at full fidelity, each going on from its checkpoint when it was killed.

use std::path::{Path, PathBuf};

use super::model::write_model;
use super::pool::{Pool, Report, Site, Task};
use super::store::Store;
use super::{Ending, Event, Final, Listener, Record, StudyError};
use crate::evaluate::{Failure, Outcome};
use crate::trial::{Fidelity, Metrics, TrialId, TrialState};

/// Final trainings under way.
pub(super) struct Retraining<'a> {
    pub site: Site<'a>,
    pub record: &'a mut Record,
    pub store: &'a mut Store,
    pub listener: &'a mut dyn Listener,
    pub fidelity: Fidelity,
}

impl Retraining<'_> {
    /// Trains those of `trials` that were not trained before.
    pub fn run(&mut self, trials: &[TrialId]) -> Result<Ending, StudyError> {
        let done = |id: &&TrialId| {
            !self.record.finals.iter().any(|one| one.trial == **id && one.fidelity == self.fidelity)
        };
        let left: Vec<TrialId> = trials.iter().filter(done).copied().collect();
        let workers = self.record.description.experiment.workers.min(left.len());
        let site = self.site;
        Pool::with(workers, site, |pool| self.train(pool, &left))
            .map_err(|problem| StudyError::NoThreads { workers, problem: problem.to_string() })?
    }

    fn train(&mut self, pool: &Pool, trials: &[TrialId]) -> Result<Ending, StudyError> {
        let checkpoints = self.record.folder.join("checkpoints");
        if !trials.is_empty() {
            std::fs::create_dir_all(&checkpoints)
                .map_err(|problem| super::lock::unwritable(&self.record.folder, &problem))?;
        }
        for id in trials {
            pool.start(self.task(*id));
            let trial = &self.record.trials[*id as usize];
            self.listener.hear(&Event::FinalStarted { trial, fidelity: self.fidelity });
        }
        let (mut running, mut ending) = (trials.len(), Ending::Complete);
        while running > 0 {
            match pool.wait() {
                Some(Report::Step(trial, done, metrics)) => {
                    self.listener.hear(&Event::Step { trial, done, metrics: &metrics });
                }
                Some(Report::Ended(id, ended)) => match ended.result {
                    Err(Failure::Stopped) => (running, ending) = (running - 1, Ending::Stopped),
                    Err(Failure::Obstacle(problem)) => {
                        return Err(StudyError::Obstacle { trial: id, problem });
                    }
                    result => {
                        running -= 1;
                        self.settle(id, result, ended.seconds)?;
                    }
                },
                None => return Ok(Ending::Stopped),
            }
        }
        Ok(ending)
    }

    fn task(&self, id: TrialId) -> Task {
        let trial = &self.record.trials[id as usize];
        Task {
            trial: id,
            genotype: trial.proposal.genotype.clone(),
            key: trial.key.clone(),
            fidelity: self.fidelity,
            seed: self.record.description.experiment.seed().derive(id, "final training"),
            last: true,
            checkpoint: Some(self.checkpoint(id)),
            heritage: None,
            watch: None,
        }
    }

    fn checkpoint(&self, id: TrialId) -> PathBuf {
        self.record.folder.join("checkpoints").join(format!("trial-{id}-at-{}", self.fidelity.0))
    }

    /// Stores a training: first the weights, then the figures, and only then the checkpoint may go.
    fn settle(
        &mut self,
        id: TrialId,
        result: Result<Outcome, Failure>,
        seconds: f64,
    ) -> Result<(), StudyError> {
        let (state, trained) = match result {
            Ok(outcome) => match self.refused(&outcome.metrics) {
                None => (TrialState::Finished(outcome.metrics), outcome.trained),
                Some(reason) => (TrialState::Failed(reason), None),
            },
            Err(problem) => (TrialState::Failed(problem.to_string()), None),
        };
        let model = match trained {
            None => None,
            Some(trained) => {
                let name = self.free_name(id);
                write_model(&self.record.folder.join(&name), &trained)?;
                Some(name)
            }
        };
        let training = Final { trial: id, fidelity: self.fidelity, state, seconds, model };
        self.store.end_final(&training)?;
        discard(&self.checkpoint(id));
        self.listener.hear(&Event::FinalEnded { training: &training });
        self.record.finals.push(training);
        Ok(())
    }

    /// Why an objective's figure, or that of its test, says nothing.
    fn refused(&self, metrics: &Metrics) -> Option<String> {
        let objectives = &self.record.description.experiment.objectives;
        metrics.iter().find_map(|(name, figure)| {
            let ranked = name.strip_prefix("test_").unwrap_or(name);
            let objective = objectives.iter().find(|one| one.metric() == ranked || one.metric() == name)?;
            objective.refuses(name, *figure)
        })
    }

    /// Where the model goes, relative to the run folder: an earlier training's stays.
    fn free_name(&self, id: TrialId) -> PathBuf {
        let name = Path::new("models").join(format!("trial-{id}.safetensors"));
        if self.record.finals.iter().any(|one| one.model.as_ref() == Some(&name)) {
            return Path::new("models").join(format!("trial-{id}-at-{}.safetensors", self.fidelity.0));
        }
        name
    }
}

/// Removes a checkpoint, file or folder. What stays behind is never read again, so that failing does no harm.
pub(super) fn discard(checkpoint: &Path) {
    let _ = if checkpoint.is_dir() {
        std::fs::remove_dir_all(checkpoint)
    } else {
        std::fs::remove_file(checkpoint)
    };
}
