//! Why a caller who owns the loop is refused.

use crate::search::SearchError;
use crate::trial::TrialId;

/// Why a search cannot be asked, or will not be told.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AskTellError {
    /// The search cannot go on.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// A trial that was never asked for.
    #[error(
        "there is no trial {trial}: {asked} were asked for, numbered from 0; tell the `id` of what `ask` yielded"
    )]
    NotAsked {
        /// The number told.
        trial: TrialId,
        /// How many trials there are.
        asked: usize,
    },
    /// A trial that has ended.
    #[error("trial {trial} was told before: ask for a trial of its own for every evaluation")]
    ToldBefore {
        /// The trial.
        trial: TrialId,
    },
    /// Figures without the objective.
    #[error(
        "trial {trial} was told without the objective `{metric}`, but with {}; tell it, or `tell_failure`",
        listed(told)
    )]
    NoObjective {
        /// The trial.
        trial: TrialId,
        /// The objective's metric.
        metric: String,
        /// The figures told.
        told: Vec<String>,
    },
    /// Stored trials that are of no search in this space.
    #[error(
        "trial {place} of the history does not fit: {problem}; give the trials of a search in the same space, by id"
    )]
    History {
        /// Its place, from 0.
        place: usize,
        /// What is wrong with it.
        problem: String,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "no figures".into() } else { names.join(", ") }
}

impl AskTellError {
    /// 2 for what the caller can mend, 1 for a fault of an algorithm.
    pub(crate) fn exit_code(&self) -> u8 {
        if let AskTellError::Search(error) = self { error.exit_code() } else { 2 }
    }
}
