//! Why a search has no next trial.

use crate::space::GenotypeError;
use crate::trial::TrialId;

/// Why a search cannot go on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The space yields no candidate.
    #[error("no candidate to propose for trial {trial}: {problem}")]
    NoCandidate {
        /// The trial to be proposed.
        trial: TrialId,
        /// What the space says.
        problem: GenotypeError,
    },
    /// An algorithm that waits for nothing.
    #[error(
        "the algorithm waits for results though all {trials} trials have ended: this is a fault of the algorithm; \
         choose another one, and please report it"
    )]
    Stuck {
        /// How many trials there are.
        trials: usize,
    },
}

impl SearchError {
    /// 2 for what the caller can mend, 1 for a fault of an algorithm.
    pub(crate) fn exit_code(&self) -> u8 {
        if matches!(self, SearchError::Stuck { .. }) { 1 } else { 2 }
    }
}
