//! What can go wrong in a training.

use std::path::Path;

/// Why a training, or a pass through a network, came to nothing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NnError {
    /// Whoever listens asked to stop.
    #[error("stopped")]
    Stopped,
    /// Numbers went out of bounds. Epochs and steps count from 1.
    #[error(
        "diverged at epoch {epoch}, step {step}: {what}; a smaller learning rate or `clip_norm` may help"
    )]
    Diverged {
        /// The epoch.
        epoch: u32,
        /// The step within the epoch.
        step: usize,
        /// Such as `loss is NaN`.
        what: String,
    },
    /// The network, the recipe and the pictures do not go together.
    #[error("{0}")]
    Unfit(String),
    /// A sample that cannot be read, or contradicts itself; the text names it and its file.
    #[error("{0}")]
    Sample(String),
    /// A checkpoint that cannot be written, read, or gone on from.
    #[error("checkpoint {path}: {problem}")]
    Checkpoint {
        /// The file.
        path: String,
        /// What is the matter, and what to do.
        problem: String,
    },
}

impl NnError {
    pub(super) fn checkpoint(path: &Path, problem: impl ToString) -> NnError {
        NnError::Checkpoint { path: path.display().to_string(), problem: problem.to_string() }
    }
}
