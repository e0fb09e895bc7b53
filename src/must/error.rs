//! What can go wrong between teachers, labels and students.

use std::path::{Path, PathBuf};

use super::store::StoreError;
use crate::data::DataError;

/// Why nothing came of a teacher, of its labels, or of a student; with the file where there is one, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MustError {
    /// A file or folder that the system refuses.
    #[error("{}: {source}\n  hint: check the path, its permissions and the space left", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A folder or file that holds no teacher, or a damaged one.
    #[error("{}: {problem}\n  hint: {hint}", path.display())]
    NoTeacher {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        hint: String,
    },
    /// A teacher of this name that is another one.
    #[error("{}: this is another teacher: {difference}\n  hint: give yours another name, or remove the folder to train it anew", path.display())]
    Another {
        /// The file.
        path: PathBuf,
        /// What differs, as it is there and as it is asked for.
        difference: String,
    },
    /// Another process that trains the same network.
    #[error("{}: another process is training this network\n  hint: wait until it has ended, or write to another folder", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// Settings that do not go together.
    #[error("{problem}\n  hint: {hint}")]
    Settings {
        /// What was met.
        problem: String,
        /// What to write instead.
        hint: String,
    },
    /// A task that nothing is learned of or measured by.
    #[error(
        "no sample of {of} has {label}, so that there is nothing to {purpose}\n  hint: add a set that has it, or leave the task out"
    )]
    NoSamples {
        /// Which sets were gone through.
        of: String,
        /// The label.
        label: &'static str,
        /// `learn it from`, or `measure it by`.
        purpose: &'static str,
    },
    /// Classes that a network does not know.
    #[error(
        "{of} have the {kind} class `{class}`, which is none of {}\n  hint: use sets whose classes have the same names",
        listed(known)
    )]
    Class {
        /// Which set.
        of: String,
        /// What it is a class of.
        kind: &'static str,
        /// Its name.
        class: String,
        /// The names that are known.
        known: Vec<String>,
    },
    /// Two teachers of one task.
    #[error(
        "both `{first}` and `{second}` label {label}\n  hint: leave one of them out: students are told one thing of a picture"
    )]
    TwoTeachers {
        /// A teacher.
        first: String,
        /// The other.
        second: String,
        /// What both label.
        label: &'static str,
    },
    /// A training that came to nothing.
    #[error("`{who}`: {problem}")]
    Training {
        /// The network's name.
        who: String,
        /// What the training says.
        problem: String,
    },
    /// Somebody asked to stop.
    #[error("stopped; what had ended is kept: the same command goes on")]
    Stopped,
    /// Work of a kind that this binary was built without.
    #[error("this binary was built without {what}\n  hint: build it with `--features {feature}`")]
    Without {
        /// What is missing.
        what: &'static str,
        /// The feature that brings it.
        feature: &'static str,
    },
    /// Networks whose layers do not fit together.
    #[error(transparent)]
    Shape(#[from] crate::ir::ShapeError),
    /// A sample that a training met and cannot learn from; the text names its file.
    #[error("{0}")]
    Sample(String),
    /// Pictures that cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Pseudo labels that cannot be written or read.
    #[error(transparent)]
    Labels(#[from] StoreError),
    /// A file whose words are not what they should be.
    #[error(transparent)]
    File(#[from] crate::error::SpaceError),
}

impl MustError {
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> MustError {
        let path = path.to_path_buf();
        move |source| MustError::Io { path, source }
    }

    pub(crate) fn settings(problem: impl Into<String>, hint: impl Into<String>) -> MustError {
        MustError::Settings { problem: problem.into(), hint: hint.into() }
    }

    pub(super) fn no_teacher(path: &Path, problem: impl Into<String>, hint: impl Into<String>) -> MustError {
        MustError::NoTeacher { path: path.into(), problem: problem.into(), hint: hint.into() }
    }

    /// The same, where settings do not go together, with the file or part that they stand in.
    pub(crate) fn within(self, place: &str) -> MustError {
        match self {
            MustError::Settings { problem, hint } => MustError::settings(format!("{place}: {problem}"), hint),
            other => other,
        }
    }

    /// The same, where sets have no sample of a task, with the course that names them.
    pub(super) fn of_course(self, name: &str) -> MustError {
        match self {
            MustError::NoSamples { of, label, purpose } => {
                MustError::NoSamples { of: format!("{of} of course `{name}`"), label, purpose }
            }
            other => other,
        }
    }

    /// 1 for work that failed, 2 for a mistake in what was given, 130 for what was stopped.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            MustError::Training { .. } | MustError::Busy { .. } => 1,
            MustError::Stopped => 130,
            MustError::Labels(error) => error.exit_code(),
            _ => 2,
        }
    }
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 6;
    match names.len() {
        0 => "the classes: there are none".into(),
        count if count > SHOWN => {
            format!("`{}` and {} more", names[..SHOWN].join("`, `"), count - SHOWN)
        }
        _ => format!("`{}`", names.join("`, `")),
    }
}
