//! What can be wrong with a comparison.

use std::path::PathBuf;

use crate::search::AskTellError;

/// Why algorithms cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// A space that says nothing of how it is searched.
    #[error("{}: it says nothing of how it is searched; add an `experiment:` section with its evaluator and objectives", file.display())]
    NoExperiment {
        /// The space file.
        file: PathBuf,
    },
    /// A space whose evaluator knows no truth.
    #[error(
        "{}: its evaluator `{evaluator}` knows no truth that is kept from the search, so that nothing can be scored by it; \
         use a `Table` with hidden columns",
        file.display()
    )]
    NoTruth {
        /// The space file.
        file: PathBuf,
        /// The evaluator.
        evaluator: String,
    },
    /// A metric that is none of the truth's.
    #[error("{}: its evaluator keeps no `{metric}` from the search; it keeps {}{}", file.display(), known.join(", "), hint(nearest.as_deref()))]
    NoMetric {
        /// The space file.
        file: PathBuf,
        /// The metric asked for.
        metric: String,
        /// What the evaluator keeps.
        known: Vec<String>,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// Budgets of seconds, or workers at the same time, where nobody tells the seconds.
    #[error("{}: there are {what}, and its evaluator reports no `seconds`; name the column, or leave them out", file.display())]
    NoSeconds {
        /// The space file.
        file: PathBuf,
        /// What needs them.
        what: &'static str,
    },
    /// An objective that the evaluator does not report.
    #[error("{}: its evaluator does not report `{metric}`; it reports {}{}", file.display(), known.join(", "), hint(nearest.as_deref()))]
    NoObjective {
        /// The space file.
        file: PathBuf,
        /// The objective's metric.
        metric: String,
        /// What the evaluator reports.
        known: Vec<String>,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// A front of another number of objectives.
    #[error("{}: its `front` has {front}, and its searches have {objectives} objectives; name what each of them is in truth, in their order", file.display())]
    OtherFront {
        /// The space file.
        file: PathBuf,
        /// How many are judged.
        front: usize,
        /// How many are optimised.
        objectives: usize,
    },
    /// A space whose best front cannot be known.
    #[error("{}: the best front of {candidates} candidates cannot be known; judge a space of at most a million, whose figures the evaluator knows", file.display())]
    NoFront {
        /// The space file.
        file: PathBuf,
        /// How many candidates there are.
        candidates: String,
    },
    /// A choice of spaces or algorithms that are not in the file.
    #[error("there is no {what} `{asked}` in the file; it has {}", known.join(", "))]
    Unknown {
        /// `space` or `algorithm`.
        what: &'static str,
        /// What was asked for.
        asked: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A search that could not go on.
    #[error("{algorithm} on {space}, seed {seed}: {problem}")]
    Run {
        /// The space's label.
        space: String,
        /// The algorithm's label.
        algorithm: String,
        /// The seed.
        seed: u64,
        /// What happened.
        problem: AskTellError,
    },
    /// Threads that cannot be started.
    #[error("cannot start {threads} threads: {problem}; ask for fewer `--threads`")]
    NoThreads {
        /// How many were asked for.
        threads: usize,
        /// What the system says.
        problem: String,
    },
}

impl BenchError {
    /// 2 for what the caller can mend, 1 for a search that failed.
    pub(crate) fn exit_code(&self) -> u8 {
        if matches!(self, BenchError::Run { .. }) { 1 } else { 2 }
    }
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or(String::new(), |word| format!(" (did you mean `{word}`?)"))
}
