//! Evaluators: what a candidate is worth.
//!
//! To add one: write `x.rs`, and add its `mod` line and its line in the table below.

use std::path::{Path, PathBuf};

use crate::candidate::Candidate;
use crate::device::Device;
use crate::family::family;
use crate::ir::Weights;
use crate::random::Seed;
use crate::space::{Genotype, Key, Space};
use crate::symbolic::{Value, from_value};
use crate::trial::{Fidelity, Metrics, Objective, Supernet, SupernetError};

/// One evaluation to do.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// The candidate as the space's decisions.
    pub genotype: &'a Genotype,
    /// The candidate's identity up to isomorphism.
    pub key: &'a Key,
    /// The candidate as a program.
    pub program: &'a Value,
    /// How much to spend.
    pub fidelity: Fidelity,
    /// The source of all randomness of this evaluation.
    pub seed: Seed,
    /// The last training of a winner: learn from training and validation data, report `test_accuracy`, return weights.
    pub last: bool,
    /// Where a network is trained.
    pub device: Device,
    /// Where a long evaluation keeps its checkpoint, to go on from when it is killed.
    pub checkpoint: Option<&'a Path>,
    /// What a search-time trial has of earlier ones, where the evaluator asks for that.
    pub heritage: Option<&'a Heritage>,
}

/// What a search-time trial has of earlier ones, and leaves for later ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heritage {
    /// The whole evaluation that the trial is the first part of, and goes on with after a promotion.
    pub whole: Option<Fidelity>,
    /// The weights of its parent.
    pub parent: Option<PathBuf>,
    /// Where its own weights go.
    pub leave: Option<PathBuf>,
}

/// What trials of an evaluator have of earlier ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inherits {
    /// A candidate at a higher fidelity goes on from where it stopped at a lower one.
    pub promotions: bool,
    /// A child starts from its parent's weights.
    pub children: bool,
}

impl Job<'_> {
    /// The candidate as a network with its training.
    ///
    /// # Errors
    /// A program that is no such thing, with its first mistake.
    pub fn network(&self) -> Result<Candidate, Failure> {
        from_value(self.program).map_err(|error| {
            Failure::Candidate(format!("the program is no network with its training: {error}"))
        })
    }
}

/// What weights that all candidates share belong to.
#[derive(Clone, Debug)]
pub struct Share<'a> {
    /// The space.
    pub space: &'a Space,
    /// The source of all randomness.
    pub seed: Seed,
    /// Where they live.
    pub device: Device,
    /// Where they are kept.
    pub checkpoint: PathBuf,
}

/// What a study lends its evaluator before the first candidate is evaluated.
#[derive(Clone, Copy, Debug)]
pub struct Home<'a> {
    /// The run folder.
    pub folder: &'a Path,
    /// Where networks are trained.
    pub device: Device,
}

/// What came of an evaluation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The figures.
    pub metrics: Metrics,
    /// The trained network, where the job asked for it.
    pub trained: Option<Trained>,
}

/// A trained network's parameters, and what its user must know of the data it was trained on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trained {
    /// The parameters.
    pub weights: Weights,
    /// The classes' names, by index.
    pub classes: Vec<String>,
    /// Mean of each channel that pictures in [0, 1] are normalised with.
    pub mean: Vec<f32>,
    /// Standard deviation of each channel that pictures in [0, 1] are normalised with.
    pub deviation: Vec<f32>,
}

/// Why an evaluation has no figures.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// The candidate's fault: it diverged, does not fit, cannot be built. Recorded with the trial; the study goes on.
    #[error("{0}")]
    Candidate(String),
    /// Something in the way that is nobody's figure, such as a damaged checkpoint: a final training is not recorded, and
    /// whoever asked for it is told.
    #[error("{0}")]
    Obstacle(String),
    /// Asked to stop; the trial stays pending and is redone on resume.
    #[error("stopped")]
    Stopped,
}

/// Hears how an evaluation goes on, and says when it should stop.
pub trait Progress: Sync {
    /// Called after every step of fidelity with the figures so far, the same for the same job, wherever it goes on from;
    /// `false` asks the evaluation to stop: somebody wants to, or it has no hope.
    fn report(&self, done: Fidelity, metrics: &Metrics) -> bool;
    /// Whether the evaluation should stop: asked by one that waits, and has nothing to report.
    fn should_stop(&self) -> bool {
        false
    }
}

/// Finds out what candidates are worth. Shared by all workers.
pub trait Evaluate: Send + Sync {
    /// The names of the metrics it yields.
    fn metrics(&self) -> Vec<&str>;
    /// The fidelities it knows, ascending; none where it knows every one.
    fn fidelities(&self) -> &[Fidelity] {
        &[]
    }
    /// Makes what all candidates of a study share and what takes long, or takes over what an earlier run left of it in the
    /// run folder. Called before the first evaluation. `tell` hears what is being done, how much of it is done, and of how
    /// much; where that is 0, it is a notice. `false` asks to stop.
    ///
    /// # Errors
    /// [`Failure::Obstacle`] where the study cannot begin, [`Failure::Stopped`] where it was asked to stop.
    fn move_in(&self, _home: &Home, _tell: &mut dyn FnMut(&str, u64, u64) -> bool) -> Result<(), Failure> {
        Ok(())
    }
    /// Evaluates one candidate; the same job gives the same figures.
    ///
    /// # Errors
    /// [`Failure`], which is the trial's, not the study's.
    fn evaluate(&self, job: &Job, progress: &dyn Progress) -> Result<Outcome, Failure>;
    /// Where its figures of a candidate at a fidelity stand, for messages: `table.csv:12`; `None` where they are made anew.
    fn origin(&self, _genotype: &Genotype, _key: &Key, _fidelity: Fidelity) -> Option<String> {
        None
    }
    /// The files that all its figures come from: a study that is gone on with must find them as they were.
    fn sources(&self) -> Vec<&Path> {
        Vec::new()
    }
    /// What its trials have of earlier ones; by default each stands alone.
    fn inherits(&self) -> Inherits {
        Inherits::default()
    }
    /// Weights that all candidates share, untrained until they are trained or restored; from then on jobs at fidelity 0
    /// are judged by them. `None` where nothing is trained.
    ///
    /// # Errors
    /// A device that cannot be used.
    fn share<'a>(&'a self, _share: &Share<'a>) -> Option<Result<Box<dyn Supernet + 'a>, SupernetError>> {
        None
    }
    /// The names of what it knows of candidates and never shows to a search, such as test accuracies: what judges of
    /// searches score them by. They are none of [`Evaluate::metrics`], and so can be no objective.
    fn hidden_metrics(&self) -> Vec<&str> {
        Vec::new()
    }
    /// What it knows of a candidate and never shows to a search; `None` where it knows nothing of the candidate.
    fn hidden(&self, _genotype: &Genotype, _key: &Key) -> Option<Metrics> {
        None
    }
    /// The best value of a hidden metric among all candidates of the space; `None` where it is not known.
    fn hidden_best(&self, _objective: &Objective) -> Option<f64> {
        None
    }
}

/// A mistake in an evaluator's configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}\n  hint: {hint}")]
pub struct Mistake {
    /// The field that it is in.
    pub field: &'static str,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub hint: String,
}

/// An evaluator's configuration: makes the evaluator.
pub trait Prepare {
    /// The names of the metrics that its evaluator yields, known before it is made.
    fn reports(&self) -> Vec<&str>;
    /// The space as the evaluator knows it: one that knows only some candidates may leave out all others, so that no
    /// search proposes them. Called before [`Prepare::prepare`]; most evaluators know every candidate.
    ///
    /// # Errors
    /// A user's mistake: data that is not there, or that knows no candidate of the space.
    fn restrict(&self, space: Space) -> Result<Space, crate::error::Error> {
        Ok(space)
    }
    /// Reads data, checks devices: whatever is done once for a study of the space.
    ///
    /// # Errors
    /// A user's mistake: data that is not there or of another shape, or a space that it cannot evaluate.
    fn prepare(&self, space: &Space) -> Result<Box<dyn Evaluate>, crate::error::Error>;
    /// Whether preparing looks at files only, so that whoever checks a space does that, too.
    fn is_quick(&self) -> bool {
        false
    }
    /// Whether it makes a difference how much a trial may spend.
    fn has_fidelities(&self) -> bool {
        true
    }
    /// What to do where all trials have failed.
    fn mend(&self) -> &'static str {
        "mend the space or its recipe"
    }
}

mod command;
mod cost;
mod must;
mod table;
mod train;
mod zero_cost;
pub use command::Command;
pub use cost::Cost;
pub use must::{Must, Pupil, Tutor};
pub use table::{Columns, Number, Reading, RowKey, Table, TableError};
pub use train::Train;
pub use zero_cost::{Proxy, ZeroCost};

family! {
    /// An evaluator with its configuration.
    pub enum Evaluator: Prepare {
        /// Any program, in any language.
        Command(Command) = "command",
        /// Parameters, multiply-adds, memory and depth, without any training.
        Cost(Cost) = "cost",
        /// Students of several tasks, taught by specialists.
        Must(Must) = "must",
        /// Measurements made before, one row a candidate.
        Table(Table) = "table",
        /// Training on pictures, by the candidate's own recipe.
        Train(Train) = "train",
        /// What initial weights tell of a network, without any training.
        ZeroCost(ZeroCost) = "zero_cost",
    }
}

/// The start of a line or of a table's cell, for a message: what somebody else wrote may be of any length.
fn short(text: &str) -> String {
    const SHOWN: usize = 80;
    let text = text.trim();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.into(),
    }
}

/// A job for a program that is not of any space.
#[cfg(test)]
fn lone_job(program: &Value) -> Job<'_> {
    use std::sync::LazyLock;
    static PLACE: LazyLock<(Genotype, Key)> = LazyLock::new(|| (Genotype::default(), Key::of("")));
    let (genotype, key) = &*PLACE;
    let (device, fidelity, seed) = (Device::Cpu, Fidelity(1), Seed(0));
    Job { genotype, key, program, fidelity, seed, last: false, device, checkpoint: None, heritage: None }
}
