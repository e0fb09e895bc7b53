//! A file of records that is only appended to: for each its length and checksum, then its bytes.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use flate2::Crc;

use super::error::StoreError;
use super::record;

/// Four letters, length, checksum of both, checksum of the bytes. A length that was changed is not taken for a record that
/// was cut off.
const HEAD: usize = 16;
const MARK: &[u8; 4] = b"PLR1";

/// Where a record is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub offset: u64,
    length: u32,
    checksum: u32,
}

#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: Mutex<File>,
}

impl Log {
    /// To write: made where it is not there, and locked against other writers.
    pub fn append(path: &Path) -> Result<Log, StoreError> {
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(path).map_err(StoreError::io(path))?;
        match file.try_lock() {
            Ok(()) => Ok(Log { path: path.into(), file: Mutex::new(file) }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Busy { path: path.into() }),
            Err(TryLockError::Error(error)) => Err(StoreError::io(path)(error)),
        }
    }

    pub fn read(path: &Path) -> Result<Log, StoreError> {
        let file = File::open(path).map_err(StoreError::io(path))?;
        Ok(Log { path: path.into(), file: Mutex::new(file) })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn damaged(&self, offset: u64, problem: impl Into<String>) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), offset, problem: problem.into() }
    }

    fn file(&self) -> std::sync::MutexGuard<'_, File> {
        // A thread that panicked while it read left the file as it was.
        self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Every whole record by its picture's name. What was cut off at the end is no record; with `mend`, it is removed.
    pub fn entries(&self, mend: bool) -> Result<HashMap<String, Entry>, StoreError> {
        let mut file = self.file();
        let io = || StoreError::io(&self.path);
        let end = file.seek(SeekFrom::End(0)).map_err(io())?;
        let (mut offset, mut entries) = (0, HashMap::new());
        while let Some(entry) = self.head(&mut file, offset, end)? {
            let next = offset + HEAD as u64 + u64::from(entry.length);
            let bytes = read_at(&mut file, offset + HEAD as u64, entry.length).map_err(io())?;
            if checksum(&bytes) != entry.checksum {
                if next == end {
                    break;
                }
                return Err(self.damaged(offset, "its bytes do not give its checksum"));
            }
            let name = record::name(&bytes).ok_or_else(|| self.damaged(offset, "it has no name"))?;
            if entries.insert(name.clone(), entry).is_some() {
                return Err(self.damaged(offset, format!("`{name}` is labelled twice")));
            }
            offset = next;
        }
        if mend && offset < end {
            file.set_len(offset).map_err(io())?;
        }
        Ok(entries)
    }

    /// The head of the record at `offset`; `None` at the end, and where a record begins that the file does not hold whole.
    fn head(&self, file: &mut File, offset: u64, end: u64) -> Result<Option<Entry>, StoreError> {
        if offset + HEAD as u64 > end {
            return Ok(None);
        }
        let head = read_at(file, offset, HEAD as u32).map_err(StoreError::io(&self.path))?;
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        if &head[..4] != MARK {
            return Err(self.damaged(offset, "no record begins here"));
        }
        if number(8) != checksum(&head[..8]) {
            return Err(self.damaged(offset, "its length does not give its checksum"));
        }
        let entry = Entry { offset, length: number(4), checksum: number(12) };
        Ok((offset + HEAD as u64 + u64::from(entry.length) <= end).then_some(entry))
    }

    /// A record's bytes, checked.
    pub fn bytes(&self, entry: &Entry) -> Result<Vec<u8>, StoreError> {
        let mut file = self.file();
        let bytes = read_at(&mut file, entry.offset + HEAD as u64, entry.length)
            .map_err(StoreError::io(&self.path))?;
        match checksum(&bytes) == entry.checksum {
            true => Ok(bytes),
            false => Err(self.damaged(entry.offset, "its bytes do not give its checksum")),
        }
    }

    /// Appends a record in one write.
    pub fn add(&self, bytes: &[u8]) -> Result<Entry, StoreError> {
        let mut file = self.file();
        let offset = file.seek(SeekFrom::End(0)).map_err(StoreError::io(&self.path))?;
        let entry = Entry { offset, length: bytes.len() as u32, checksum: checksum(bytes) };
        let head = [&MARK[..], &entry.length.to_le_bytes()].concat();
        let sums = [checksum(&head).to_le_bytes(), entry.checksum.to_le_bytes()].concat();
        file.write_all(&[&head, &sums, bytes].concat()).map_err(StoreError::io(&self.path))?;
        Ok(entry)
    }
}

fn read_at(file: &mut File, offset: u64, length: u32) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; length as usize];
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}
