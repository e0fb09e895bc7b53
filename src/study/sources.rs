//! The files that all figures of a study come from: as they were when it began, or it does not go on.
//!
//! A table that is edited between two runs of a study would leave it with figures of both, which nothing tells apart.

use std::fs::File;
use std::io::{BufReader, sink};
use std::path::Path;

use flate2::CrcReader;

use super::store::Store;
use super::{Record, StudyError};
use crate::evaluate::Evaluate;

/// A file as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Its name, as the evaluator has it.
    pub file: String,
    pub bytes: u64,
    /// CRC-32 of all its bytes.
    pub sum: u32,
}

impl Source {
    fn of(path: &Path) -> std::io::Result<Source> {
        let mut reader = CrcReader::new(BufReader::with_capacity(1 << 16, File::open(path)?));
        let bytes = std::io::copy(&mut reader, &mut sink())?;
        Ok(Source { file: path.display().to_string(), bytes, sum: reader.crc().sum() })
    }
}

/// Compares an evaluator's files with what they were, or keeps what they are: of a study that was begun before that was
/// kept, too.
///
/// # Errors
/// [`StudyError::Changed`] for the first that is another.
pub(super) fn check(record: &Record, store: &mut Store, evaluator: &dyn Evaluate) -> Result<(), StudyError> {
    let paths = evaluator.sources();
    if paths.is_empty() {
        return Ok(());
    }
    let kept = store.sources()?;
    for path in paths {
        let now = Source::of(path).map_err(|problem| StudyError::Unprepared {
            problem: format!("{}: {problem}; check the path and its permissions", path.display()),
        })?;
        match kept.iter().find(|kept| kept.file == now.file) {
            None => store.keep_source(&now)?,
            Some(kept) if *kept == now => {}
            Some(kept) => {
                let difference = match kept.bytes == now.bytes {
                    true => format!("it still has {} bytes, but others", now.bytes),
                    false => format!("it had {} bytes and has {}", kept.bytes, now.bytes),
                };
                return Err(StudyError::Changed {
                    folder: record.folder.clone(),
                    file: now.file,
                    difference,
                });
            }
        }
    }
    Ok(())
}
