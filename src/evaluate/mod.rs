//! Evaluators: what a candidate is worth.
//!
//! To add one: write `x.rs`, and add its `mod` line and its line in the table below.

use std::path::Path;

use crate::candidate::Candidate;
use crate::family::family;
use crate::ir::Weights;
use crate::random::Seed;
use crate::trial::{Fidelity, Metrics};

/// One evaluation to do.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// The candidate.
    pub candidate: &'a Candidate,
    /// How much to spend.
    pub fidelity: Fidelity,
    /// The source of all randomness of this evaluation.
    pub seed: Seed,
    /// The last training of a winner: learn from training and validation data, report `test_accuracy`, return weights.
    pub last: bool,
    /// Where a long evaluation keeps its checkpoint, to go on from when it is killed.
    pub checkpoint: Option<&'a Path>,
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
    /// Asked to stop; the trial stays pending and is redone on resume.
    #[error("stopped")]
    Stopped,
}

/// Hears how an evaluation goes on, and says when it should stop.
pub trait Progress: Sync {
    /// Called after every step of fidelity with the figures so far; `false` asks the evaluation to stop.
    fn report(&self, done: Fidelity, metrics: &Metrics) -> bool;
}

/// Finds out what candidates are worth. Shared by all workers.
pub trait Evaluate: Send + Sync {
    /// The names of the metrics it yields.
    fn metrics(&self) -> &'static [&'static str];
    /// Evaluates one candidate; the same job gives the same figures.
    ///
    /// # Errors
    /// [`Failure`], which is the trial's, not the study's.
    fn evaluate(&self, job: &Job, progress: &dyn Progress) -> Result<Outcome, Failure>;
}

/// An evaluator's configuration: makes the evaluator.
pub trait Prepare {
    /// The names of the metrics that its evaluator yields, known before it is made.
    fn reports(&self) -> &'static [&'static str];
    /// Reads data, checks devices: whatever is done once for a study.
    ///
    /// # Errors
    /// A user's mistake: data that is not there or of another shape.
    fn prepare(&self) -> Result<Box<dyn Evaluate>, crate::error::Error>;
}

mod cost;
mod train;
pub use cost::Cost;
pub use train::Train;

family! {
    /// An evaluator with its configuration.
    pub enum Evaluator: Prepare {
        /// Parameters, multiply-adds, memory and depth, without any training.
        Cost(Cost) = "cost",
        /// Training on pictures, by the candidate's own recipe.
        Train(Train) = "train",
    }
}
