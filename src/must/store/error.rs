//! What can be wrong with stored pseudo labels.

use std::path::PathBuf;

use crate::data::DataError;

/// Pseudo labels that cannot be written or read, with the file and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder that the system refuses.
    #[error("{}: {source}\n  hint: check the path, its permissions and the space left", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A folder that holds no pseudo labels, or not ours.
    #[error("{}: {problem}\n  hint: name a folder that `must label` wrote, or write it again", path.display())]
    NoStore {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A description that is not whole.
    #[error("{}: it was cut off at byte {end}\n  hint: copy the file again, or remove the folder and run `must label` again", path.display())]
    Cut {
        /// The file.
        path: PathBuf,
        /// How many bytes are there.
        end: usize,
    },
    /// Labels of another teacher, or of other pictures.
    #[error("{}: these labels are for another run: {difference}\n  hint: write to another folder, or remove this one", path.display())]
    Another {
        /// The file.
        path: PathBuf,
        /// What differs, as it is there and as it is asked for.
        difference: String,
    },
    /// Fewer pictures than there should be.
    #[error("{}: {there} of {pictures} pictures are labelled, `{missing}` is not\n  hint: run the same `must label` again: it goes on where it stopped", path.display())]
    Incomplete {
        /// The file.
        path: PathBuf,
        /// How many are labelled.
        there: usize,
        /// How many there are.
        pictures: usize,
        /// One that is not labelled.
        missing: String,
    },
    /// A record that was changed after it was written.
    #[error("{}: the record at byte {offset} is damaged: {problem}\n  hint: copy the file again, or remove it and run `must label` again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the record begins.
        offset: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// Another process that writes the same labels.
    #[error("{}: another process is writing these labels\n  hint: wait until it has ended, or write to another folder", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// A picture that is labelled already.
    #[error("{}: `{name}` is labelled already\n  hint: ask `has` before a picture is labelled", path.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// The picture's name.
        name: String,
    },
    /// Pictures that cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
}

impl StoreError {
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> StoreError {
        let path = path.into();
        move |source| StoreError::Io { path, source }
    }

    /// 1 for work that failed, 2 for a mistake in what was given.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            StoreError::Busy { .. } | StoreError::Twice { .. } => 1,
            _ => 2,
        }
    }
}
