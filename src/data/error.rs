//! What can be wrong with data on disk.

use std::path::PathBuf;

/// A data set that cannot be read, with the file and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file or folder that is not there or cannot be opened.
    #[error("{}: {source}\n  hint: `cellwright data` shows the layout that is expected", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A folder without any of the files that the format names.
    #[error("{}: {missing}\n  hint: `cellwright data` shows the layout that is expected", path.display())]
    Layout {
        /// The folder.
        path: PathBuf,
        /// What was looked for.
        missing: String,
    },
    /// A file whose content is not what its format says.
    #[error("{}: {problem}\n  hint: download or write the file again, or remove it", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A label that cannot be what it says.
    #[error("{}: {place}{problem}\n  hint: {hint}", path.display())]
    Label {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// What is wrong, with the value met.
        problem: String,
        /// What to do.
        hint: String,
    },
    /// Pictures that no decoder reads.
    #[error("{} of {pictures} pictures cannot be decoded: {}\n  hint: remove or replace them, or set `skip_broken: true` to leave them out", broken.len(), listed(broken))]
    Broken {
        /// How many pictures there are in all.
        pictures: usize,
        /// The files and what the decoder says.
        broken: Vec<(PathBuf, String)>,
    },
    /// Nothing to tell apart.
    #[error(
        "{place}: classification needs at least two classes, found {}\n  hint: each class is a folder of its own with pictures in it",
        named(found)
    )]
    TooFewClasses {
        /// The data set.
        place: String,
        /// The classes that are there.
        found: Vec<String>,
    },
    /// A split without pictures.
    #[error("{place}: the {split} split has no pictures\n  hint: every class needs at least three pictures")]
    EmptySplit {
        /// The data set.
        place: String,
        /// Which split.
        split: &'static str,
    },
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// No place of its own.
    Whole,
    /// A line, from 1.
    Line(usize),
    /// A node of JSON, such as `annotations[3].bbox`.
    Path(String),
}

impl std::fmt::Display for Place {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Place::Whole => Ok(()),
            Place::Line(line) => write!(out, "line {line}: "),
            Place::Path(path) => write!(out, "{path}: "),
        }
    }
}

impl DataError {
    /// Wraps a system error with the path it is about.
    pub(super) fn unreadable(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> DataError {
        let path = path.into();
        move |source| DataError::Unreadable { path, source }
    }

    pub(super) fn content(path: impl Into<PathBuf>, problem: impl Into<String>) -> DataError {
        DataError::Content { path: path.into(), problem: problem.into() }
    }

    /// A label of a file, with its place, what is wrong and what to do.
    pub(crate) fn label(
        path: impl Into<PathBuf>,
        place: Place,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) -> DataError {
        DataError::Label { path: path.into(), place, problem: problem.into(), hint: hint.into() }
    }
}

/// "; did you mean ..?" where one of the names is close.
pub(super) fn nearest_name(name: &str, names: &[String]) -> String {
    let close = names.iter().map(|other| (strsim::damerau_levenshtein(name, other), other));
    let best = close.min_by_key(|(distance, _)| *distance).filter(|(distance, _)| *distance <= 2);
    best.map_or(String::new(), |(_, other)| format!("; did you mean `{other}`?"))
}

fn listed(broken: &[(PathBuf, String)]) -> String {
    let mut text: Vec<_> =
        broken.iter().take(3).map(|(path, why)| format!("{} ({why})", path.display())).collect();
    if broken.len() > 3 {
        text.push(format!("and {} more", broken.len() - 3));
    }
    text.join(", ")
}

fn named(found: &[String]) -> String {
    if found.is_empty() { "none".into() } else { format!("only `{}`", found.join("`, `")) }
}
