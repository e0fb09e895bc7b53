//! The study: the search loop and its memory.
//!
//! A study lives in a run folder:
//! ```text
//! runs/quickstart/
//!   study.sqlite              the experiment, all trials, all final trainings
//!   study.lock                held by the process that works on the study
//!   checkpoints/              of final trainings under way, and of weights that all candidates share; the evaluator's own format
//!   figures.tsv               what is known of candidates for nothing, where the experiment says how
//!   weights/                  of the last search-time trials, where their children start from them
//!   models/trial-12.safetensors   trained weights
//!   must/                     teachers, pseudo labels and students, where the evaluator is `must`
//! ```
//! Whatever kills the process, opening the study again and calling [`Study::search`] goes on: trials that ended are
//! there, interrupted ones are redone with the same seed, and new ones are those that an uninterrupted search would
//! have proposed. A candidate that was already evaluated at the same fidelity is not evaluated again: its trial takes
//! over the figures of the first that finished. One that failed is tried again, with its own seed. What trials report on
//! the way is stored with them, and the experiment's `early_stopping` ends those that have no hope.

mod difference;
mod error;
mod figures;
mod firsts;
mod heritage;
mod listen;
mod lock;
mod model;
mod pool;
mod rank;
mod record;
mod retrain;
mod run;
mod share;
mod sources;
mod store;
mod tau;
mod umpire;

use std::path::Path;
use std::sync::atomic::AtomicBool;

pub use error::StudyError;
pub use listen::{Event, Listener};
pub use model::read_model;
pub use rank::{Ranked, rank};
pub use record::{Description, Final, Record};
pub use tau::kendall_tau;

use crate::device::Device;
use crate::evaluate::Evaluate;
use crate::experiment::{Experiment, Retrain};
use crate::search::SearchAlgorithm;
use crate::space::Space;
use crate::symbolic::nearest;
use crate::trial::{Fidelity, TrialId};
use pool::{Pool, Site};
use retrain::Retraining;
use run::{Memory, Search};
use store::Store;
use umpire::Umpire;

/// How often final trainings that failed have others take their place.
const REPLACEMENTS: usize = 3;

/// How a search or the final trainings ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All trials of the budget, or all winners, are there.
    Complete,
    /// The space or the algorithm was exhausted before the budget.
    Exhausted,
    /// Somebody asked to stop; the same call on the same folder goes on.
    Stopped,
}

/// Whether all objectives of an experiment are among the metrics that an evaluator yields.
///
/// # Errors
/// [`StudyError::Objective`] for the first that is not.
pub fn check_objectives(experiment: &Experiment, known: &[&str]) -> Result<(), StudyError> {
    let metrics = experiment.objectives.iter().map(|objective| objective.metric());
    match metrics.into_iter().find(|metric| !known.contains(metric)) {
        None => Ok(()),
        Some(metric) => Err(StudyError::Objective {
            evaluator: experiment.evaluator.kind().into(),
            metric: metric.into(),
            known: known.iter().map(|name| name.to_string()).collect(),
            nearest: nearest(metric, known.iter().copied()).map(String::from),
        }),
    }
}

/// An open study; nobody else can open it for searching until it is dropped.
///
/// ```
/// use std::sync::atomic::AtomicBool;
///
/// use cellwright::study::{Description, Ending, Event, Record, Study, rank};
/// use cellwright::{Experiment, Space};
///
/// let space = Space::from_ron("example.ron", "Space(program: (
///     task: (input: (1, 8, 8), classes: 10),
///     architecture: Sequential([Conv(kernel: OneOf([1, 3, 5]), channels: 16)]),
/// ))")?;
/// let experiment: Experiment = ron::from_str(r#"(evaluator: Cost(()), objectives: [Minimize("params")])"#)?;
/// let description = Description { space: space.source_text(), experiment };
/// let folder = tempfile::tempdir()?;
///
/// let evaluator = description.experiment.evaluator.prepare(&space)?;
/// let mut study = Study::open(folder.path(), &space, &description)?;
/// let ending = study.search(&*evaluator, &AtomicBool::new(false), &mut |event: &Event| println!("{event:?}"))?;
/// assert_eq!(ending, Ending::Exhausted); // three candidates, and 100 trials to find them
///
/// let record = Record::read(folder.path())?; // from any process, at any time
/// let best = &rank(&record.trials, &description.experiment.objectives)[0];
/// assert_eq!(best.metrics["params"], f64::from(16 + 16 + 16 * 10 + 10)); // the 1x1 convolution's network
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Study<'a> {
    space: &'a Space,
    record: Record,
    store: Store,
}

impl<'a> Study<'a> {
    /// Opens the study of a run folder, or begins it where the folder is new or empty.
    ///
    /// # Errors
    /// [`StudyError`]: the folder cannot be written, is in use, holds something else or another experiment, is of a
    /// newer release, or is damaged. What is there stays as it is.
    pub fn open(folder: &Path, space: &'a Space, description: &Description) -> Result<Study<'a>, StudyError> {
        let store = Store::open(folder, description)?;
        Ok(Study { space, record: store.record()?, store })
    }

    /// All that the study remembers.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Searches with the experiment's algorithm until its trials are there, or `stop` becomes true.
    ///
    /// # Errors
    /// [`StudyError`] where a result cannot be stored, the algorithm finds no candidate, or an objective is not among
    /// the evaluator's metrics. All that was stored before is safe.
    pub fn search(
        &mut self,
        evaluator: &dyn Evaluate,
        stop: &AtomicBool,
        listener: &mut dyn Listener,
    ) -> Result<Ending, StudyError> {
        let mut algorithm = self.record.description.experiment.algorithm.start();
        self.search_with(&mut *algorithm, evaluator, stop, listener)
    }

    /// Searches with an algorithm of the caller's own, which must be the same whenever the study is gone on with.
    ///
    /// # Errors
    /// As [`Study::search`].
    pub fn search_with(
        &mut self,
        algorithm: &mut dyn SearchAlgorithm,
        evaluator: &dyn Evaluate,
        stop: &AtomicBool,
        listener: &mut dyn Listener,
    ) -> Result<Ending, StudyError> {
        check_objectives(&self.record.description.experiment, &evaluator.metrics())?;
        let left = !self.record.is_complete();
        if left {
            self.check_figures(evaluator)?;
        }
        let devices = self.devices()?;
        if left && !share::move_in(&self.record, evaluator, devices[0], stop, listener)? {
            return Ok(Ending::Stopped);
        }
        if !share::train(self.space, &self.record, algorithm, evaluator, devices[0], stop, listener)? {
            return Ok(Ending::Stopped);
        }
        let shown = self.store.shown()?;
        let (site, store) = (Site { space: self.space, evaluator, devices: &devices, stop }, &mut self.store);
        let experiment = &self.record.description.experiment;
        let trials = std::mem::take(&mut self.record.trials);
        let umpire = Umpire::open(experiment, store, &trials, shown)?;
        let memory = Memory::new(trials, shown, &experiment.objectives[0]);
        let searched = Pool::with(experiment.workers, site, |pool| {
            let mut search = Search {
                site,
                experiment,
                folder: &self.record.folder,
                store,
                listener,
                pool,
                memory,
                umpire,
            };
            let ending = search.run(algorithm);
            (ending, search.memory.into_trials())
        });
        let (ending, trials) = searched.map_err(|problem| self.no_threads(&problem))?;
        self.record.trials = trials;
        ending
    }

    /// Trains the best candidates at full fidelity, as the experiment's `retrain` says, and keeps their weights.
    ///
    /// # Errors
    /// As [`Study::train_best`].
    pub fn retrain(
        &mut self,
        evaluator: &dyn Evaluate,
        stop: &AtomicBool,
        listener: &mut dyn Listener,
    ) -> Result<Ending, StudyError> {
        let Retrain { top, fidelity } = self.record.description.experiment.retrain;
        self.train_best(top, Fidelity(fidelity), evaluator, stop, listener)
    }

    /// Trains the best `top` candidates at a fidelity. A training that fails is stored as failed, and the next best takes
    /// its place, a few times at most.
    ///
    /// # Errors
    /// [`StudyError`] where a result cannot be stored.
    pub fn train_best(
        &mut self,
        top: usize,
        fidelity: Fidelity,
        evaluator: &dyn Evaluate,
        stop: &AtomicBool,
        listener: &mut dyn Listener,
    ) -> Result<Ending, StudyError> {
        for _ in 0..=REPLACEMENTS {
            let winners = self.record.winners(self.space, top);
            let ending = self.train(&winners, fidelity, evaluator, stop, listener)?;
            if ending == Ending::Stopped || !winners.iter().any(|id| self.record.gave_up(*id)) {
                return Ok(ending);
            }
        }
        Ok(Ending::Complete)
    }

    /// Trains the candidates of these trials, except those that were already trained at this fidelity.
    ///
    /// # Errors
    /// As [`Study::train_best`]; [`StudyError::NoTrial`] for an id that the study does not have.
    pub fn train(
        &mut self,
        trials: &[TrialId],
        fidelity: Fidelity,
        evaluator: &dyn Evaluate,
        stop: &AtomicBool,
        listener: &mut dyn Listener,
    ) -> Result<Ending, StudyError> {
        trials.iter().try_for_each(|id| self.record.trial(*id).map(drop))?;
        let devices = self.devices()?;
        let done =
            |id: &TrialId| self.record.finals.iter().any(|one| one.trial == *id && one.fidelity == fidelity);
        if !trials.iter().all(done) {
            sources::check(&self.record, &mut self.store, evaluator)?;
            if !share::move_in(&self.record, evaluator, devices[0], stop, listener)? {
                return Ok(Ending::Stopped);
            }
        }
        let site = Site { space: self.space, evaluator, devices: &devices, stop };
        Retraining { site, record: &mut self.record, store: &mut self.store, listener, fidelity }.run(trials)
    }

    /// Whether an evaluator's figures will be of the fidelity asked for, and of the files that earlier ones are of.
    fn check_figures(&mut self, evaluator: &dyn Evaluate) -> Result<(), StudyError> {
        let too_little = self.record.description.experiment.too_little(evaluator.fidelities());
        too_little.map_or(Ok(()), |mistake| Err(StudyError::Fidelity(mistake)))?;
        sources::check(&self.record, &mut self.store, evaluator)
    }

    fn devices(&self) -> Result<Vec<Device>, StudyError> {
        Ok(self.record.description.experiment.device.find()?)
    }

    fn no_threads(&self, problem: &std::io::Error) -> StudyError {
        StudyError::NoThreads {
            workers: self.record.description.experiment.workers,
            problem: problem.to_string(),
        }
    }
}
