//! What can be wrong with a run folder or a study.

use std::path::PathBuf;

use crate::search::SearchError;

/// Why a study was not opened, or had to stop. Whatever is stored stays as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// The run folder cannot be made or written in.
    #[error("cannot write in the run folder `{}`: {problem}; mend it or choose another folder", folder.display())]
    Unwritable {
        /// The run folder.
        folder: PathBuf,
        /// What the system says.
        problem: String,
    },
    /// The disk is full.
    #[error(
        "cannot store the next result in `{}`: {problem}; all trials stored so far are safe: \
         free some space or mend the disk, and run the same command again",
        folder.display()
    )]
    Full {
        /// The run folder.
        folder: PathBuf,
        /// What the system says.
        problem: String,
    },
    /// Another process works on the study.
    #[error("the study in `{}` is in use by {}; wait for it, stop it, or choose another folder", folder.display(), process(*pid))]
    InUse {
        /// The run folder.
        folder: PathBuf,
        /// The process that holds it, where it says so.
        pid: Option<u32>,
    },
    /// The folder holds something else.
    #[error("`{}` is not a run folder: {found}; choose an empty or a new folder", folder.display())]
    NotAStudy {
        /// The folder.
        folder: PathBuf,
        /// What was met there.
        found: String,
    },
    /// There is nothing to read.
    #[error("there is no study in `{}`; start one with `cellwright search`", folder.display())]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// Written by a later release.
    #[error(
        "the study in `{}` has format {found}, and this release knows formats up to {known}: \
         use the newer release that wrote it, or choose another folder",
        folder.display()
    )]
    Newer {
        /// The run folder.
        folder: PathBuf,
        /// The format met.
        found: i64,
        /// The last format known.
        known: i64,
    },
    /// Written by an earlier release, and only opened for reading.
    #[error(
        "the study in `{}` has the old format {found}: run its search again, which brings it to format {known}",
        folder.display()
    )]
    Older {
        /// The run folder.
        folder: PathBuf,
        /// The format met.
        found: i64,
        /// The format of this release.
        known: i64,
    },
    /// The database is damaged.
    #[error(
        "the study in `{}` is damaged: {problem}; bring `study.sqlite` back from a copy, or choose another folder",
        folder.display()
    )]
    Corrupt {
        /// The run folder.
        folder: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The folder belongs to another experiment.
    #[error(
        "the study in `{}` is of another experiment:\n{}\nchoose another folder, or ask for the stored experiment",
        folder.display(),
        differences.join("\n")
    )]
    Other {
        /// The run folder.
        folder: PathBuf,
        /// What differs, a line each.
        differences: Vec<String>,
    },
    /// A file that figures come from was changed since the study began.
    #[error(
        "`{file}` is not what it was when the study in `{}` began: {difference}; figures of both would be mixed: \
         bring it back, or search in another folder",
        folder.display()
    )]
    Changed {
        /// The run folder.
        folder: PathBuf,
        /// The file.
        file: String,
        /// How it differs.
        difference: String,
    },
    /// A fidelity of trials below all that the evaluator knows.
    #[error("{}; {}", .0.problem, .0.hint)]
    Fidelity(crate::evaluate::Mistake),
    /// An objective that the evaluator does not report.
    #[error("the evaluator `{evaluator}` does not report `{metric}`; it reports {}{}", known.join(", "), hint(nearest.as_deref()))]
    Objective {
        /// The evaluator.
        evaluator: String,
        /// The objective's metric.
        metric: String,
        /// What the evaluator reports.
        known: Vec<String>,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// The search cannot go on.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// A trial that is not there.
    #[error(
        "there is no trial {trial}: the study has {count} trials, numbered from 0; `cellwright rank` shows the best"
    )]
    NoTrial {
        /// The trial asked for.
        trial: u64,
        /// How many there are.
        count: usize,
    },
    /// The experiment's device is not there.
    #[error(transparent)]
    Device(#[from] crate::device::DeviceError),
    /// A final training that something keeps from being done.
    #[error("trial {trial} is not trained: {problem}")]
    Obstacle {
        /// The trial.
        trial: u64,
        /// What is in the way, and what to do.
        problem: String,
    },
    /// The workers cannot be started.
    #[error("cannot start {workers} worker threads: {problem}; ask for fewer `workers`")]
    NoThreads {
        /// How many were asked for.
        workers: usize,
        /// What the system says.
        problem: String,
    },
    /// A trained model's file cannot be read or written.
    #[error("{}: {problem}", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A one-shot search with an evaluator that trains nothing.
    #[error(
        "`{algorithm}` searches with weights that all candidates share, and the evaluator `{evaluator}` trains none; \
         use `Train`, or another algorithm"
    )]
    NothingShared {
        /// The algorithm.
        algorithm: String,
        /// The evaluator.
        evaluator: String,
    },
    /// Weights that all candidates share could not be trained.
    #[error("the shared weights cannot be trained: {problem}")]
    Unshared {
        /// What went wrong.
        problem: crate::search::one_shot::OneShotError,
    },
    /// What all trials share could not be made.
    #[error("the evaluator cannot begin: {problem}")]
    Unprepared {
        /// What went wrong, and what to do.
        problem: String,
    },
    /// The database refused for a reason that is none of the above.
    #[error("the study in `{}` cannot be used: {problem}", folder.display())]
    Database {
        /// The run folder.
        folder: PathBuf,
        /// What SQLite says.
        problem: String,
    },
}

impl StudyError {
    /// 2 for what the caller can mend, 1 for a fault of an algorithm.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            StudyError::Search(error) => error.exit_code(),
            StudyError::Unshared { .. } => 1,
            _ => 2,
        }
    }
}

fn process(pid: Option<u32>) -> String {
    pid.map_or("another process".into(), |pid| format!("process {pid}"))
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or(String::new(), |word| format!(" (did you mean `{word}`?)"))
}
