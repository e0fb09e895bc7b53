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

impl DataError {
    /// Wraps a system error with the path it is about.
    pub(super) fn unreadable(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> DataError {
        let path = path.into();
        move |source| DataError::Unreadable { path, source }
    }

    pub(super) fn content(path: impl Into<PathBuf>, problem: impl Into<String>) -> DataError {
        DataError::Content { path: path.into(), problem: problem.into() }
    }
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
