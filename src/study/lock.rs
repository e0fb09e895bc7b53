//! One process a run folder: a lock that the operating system takes back when its holder dies, however it dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use super::StudyError;

/// The lock file's name in the run folder. It stays there: a file that comes and goes could be locked twice.
pub(super) const NAME: &str = "study.lock";

/// Held while it lives.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Closing the file would free the lock too, but not while a process that is just being started still has a copy.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

impl Lock {
    /// Takes the lock of a run folder, without waiting.
    ///
    /// # Errors
    /// [`StudyError::InUse`] where another process holds it, [`StudyError::Unwritable`] where it cannot be written.
    pub fn take(folder: &Path) -> Result<Lock, StudyError> {
        let unwritable = |problem: std::io::Error| unwritable(folder, &problem);
        let path = folder.join(NAME);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(unwritable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StudyError::InUse { folder: folder.into(), pid: holder(&mut file) });
            }
            Err(TryLockError::Error(problem)) => return Err(unwritable(problem)),
        }
        sign(&mut file).map_err(unwritable)?;
        Ok(Lock { file })
    }
}

/// Writes who holds the lock, for the message that others get.
fn sign(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// The error of a folder that cannot be written, which may be for want of space.
pub(super) fn unwritable(folder: &Path, problem: &std::io::Error) -> StudyError {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let (folder, kind, problem) = (folder.to_path_buf(), problem.kind(), problem.to_string());
    match kind {
        StorageFull | QuotaExceeded | FileTooLarge => StudyError::Full { folder, problem },
        _ => StudyError::Unwritable { folder, problem },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_is_first() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        let second = Lock::take(folder.path()).unwrap_err();
        assert!(
            matches!(second, StudyError::InUse { pid: Some(pid), .. } if pid == std::process::id()),
            "{second}"
        );
        drop(first);
        assert!(Lock::take(folder.path()).is_ok());
    }
}
