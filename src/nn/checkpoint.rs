//! The state of something long under way, in a safetensors file that is replaced in one piece.
//!
//! The file names what it belongs to and carries a checksum. One of something else, or a damaged one, is refused and
//! left alone: starting over in silence would throw away hours, and going on would give false figures.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;

use indexmap::IndexMap;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

use super::NnError;
use crate::random::fnv1a;

const FORMAT: &str = "cellwright-checkpoint-2";
const NUMBERS: &str = "numbers/";
const BYTES: &str = "bytes/";

/// What is needed to go on as if nothing had stopped it: of a training, or of anything else that takes long.
///
/// ```
/// use cellwright::nn::Checkpoint;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("supernet");
/// let mut state = Checkpoint::default();
/// state.numbers.insert("stem/weight".into(), vec![0.5, -1.0]);
/// state.bytes.insert("steps".into(), 12u64.to_le_bytes().to_vec());
/// state.save(&path, 7)?;
/// assert_eq!(Checkpoint::load(&path, 7)?, Some(state)); // 7 is whatever tells this work from all other
/// assert!(Checkpoint::load(&path, 8).is_err());
/// assert_eq!(Checkpoint::load(&folder.path().join("none"), 7)?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    /// Vectors of numbers by name.
    pub numbers: IndexMap<String, Vec<f32>>,
    /// Everything else by name.
    pub bytes: IndexMap<String, Vec<u8>>,
}

impl Checkpoint {
    /// Writes to a neighbouring file, waits for the disk, and renames: a kill leaves the old file or the new one, and
    /// there is never more than one. `owner` tells what the state is of from everything else.
    ///
    /// # Errors
    /// [`NnError::Checkpoint`] where the file cannot be written.
    pub fn save(&self, path: &Path, owner: u64) -> Result<(), NnError> {
        let bytes = self.to_bytes(owner).map_err(|problem| NnError::checkpoint(path, problem))?;
        let fresh = path.with_extension("new");
        let write = || {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            folder.map_or(Ok(()), fs::create_dir_all)?;
            let mut file = File::create(&fresh)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&fresh, path)?;
            // Only Unix lets folders be flushed, which makes the rename survive a loss of power.
            if cfg!(unix) { File::open(folder.unwrap_or(Path::new(".")))?.sync_all() } else { Ok(()) }
        };
        write().map_err(|error| NnError::checkpoint(path, format!("cannot be written: {error}")))
    }

    /// The checkpoint at `path`; `None` where there is none.
    ///
    /// # Errors
    /// [`NnError::Checkpoint`] where it is of something else, damaged, or cannot be read. The file stays as it is.
    pub fn load(path: &Path, owner: u64) -> Result<Option<Checkpoint>, NnError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(NnError::checkpoint(path, format!("cannot be read: {error}"))),
        };
        let checkpoint = Checkpoint::from_bytes(&bytes, owner);
        checkpoint.map(Some).map_err(|problem| {
            NnError::checkpoint(path, format!("{problem}; delete the file to train from the start"))
        })
    }

    fn to_bytes(&self, owner: u64) -> Result<Vec<u8>, String> {
        let little = |values: &Vec<f32>| values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let numbers: Vec<(&String, Vec<u8>)> =
            self.numbers.iter().map(|(name, values)| (name, little(values))).collect();
        let mut tensors = Vec::with_capacity(numbers.len() + self.bytes.len());
        for (name, bytes) in &numbers {
            tensors.push((format!("{NUMBERS}{name}"), view(Dtype::F32, bytes)?));
        }
        for (name, bytes) in &self.bytes {
            tensors.push((format!("{BYTES}{name}"), view(Dtype::U8, bytes)?));
        }
        let checksum = checksum(tensors.iter().map(|(name, view)| (name.as_str(), view.data())));
        let notes = [("format", FORMAT.into()), ("owner", hex(owner)), ("checksum", hex(checksum))];
        let notes: HashMap<String, String> =
            notes.into_iter().map(|(key, value): (&str, String)| (key.into(), value)).collect();
        serialize(tensors, Some(notes)).map_err(|error| error.to_string())
    }

    fn from_bytes(bytes: &[u8], owner: u64) -> Result<Checkpoint, String> {
        let damaged = |error: safetensors::SafeTensorError| format!("is damaged ({error})");
        let (_, head) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let note = |key: &str| head.metadata().as_ref().and_then(|notes| notes.get(key)).cloned();
        if note("format").as_deref() != Some(FORMAT) {
            return Err("is not a checkpoint of this version".into());
        }
        if note("owner") != Some(hex(owner)) {
            return Err("belongs to another network, recipe, seed, data set or number of epochs".into());
        }
        let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let mut named: Vec<(&str, TensorView)> = tensors.iter().collect();
        named.sort_by_key(|(name, _)| *name);
        if note("checksum") != Some(hex(checksum(named.iter().map(|(name, view)| (*name, view.data()))))) {
            return Err("is damaged (its checksum is another)".into());
        }
        let mut checkpoint = Checkpoint::default();
        for (name, view) in &named {
            if let Some(name) = name.strip_prefix(NUMBERS) {
                checkpoint.numbers.insert(name.into(), floats(view.data()));
            } else if let Some(name) = name.strip_prefix(BYTES) {
                checkpoint.bytes.insert(name.into(), view.data().to_vec());
            }
        }
        Ok(checkpoint)
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect()
}

fn view(dtype: Dtype, bytes: &[u8]) -> Result<TensorView<'_>, String> {
    let size = if dtype == Dtype::F32 { 4 } else { 1 };
    TensorView::new(dtype, vec![bytes.len() / size], bytes).map_err(|error| error.to_string())
}

/// A sum over names and contents that does not depend on their order.
fn checksum<'a>(tensors: impl Iterator<Item = (&'a str, &'a [u8])>) -> u64 {
    let one = |(name, bytes): (&str, &[u8])| fnv1a(name.as_bytes()).rotate_left(17) ^ fnv1a(bytes);
    tensors.map(one).fold(0, u64::wrapping_add)
}

fn hex(number: u64) -> String {
    format!("{number:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Checkpoint {
        Checkpoint {
            numbers: IndexMap::from([
                ("a/weight".into(), vec![1.5, -2.0]),
                ("b".into(), vec![f32::MIN_POSITIVE]),
            ]),
            bytes: IndexMap::from([("a/weight".into(), vec![1, 2, 3]), ("empty".into(), vec![])]),
        }
    }

    #[test]
    fn comes_back_to_the_bit_and_replaces_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/trial.safetensors");
        assert_eq!(Checkpoint::load(&path, 7).unwrap(), None);
        Checkpoint::default().save(&path, 7).unwrap();
        example().save(&path, 7).unwrap();
        assert_eq!(Checkpoint::load(&path, 7).unwrap(), Some(example()));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no leftovers");
    }

    #[test]
    fn refuses_what_it_cannot_go_on_from_and_leaves_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trial.safetensors");
        example().save(&path, 7).unwrap();
        let whole = fs::read(&path).unwrap();
        let said = |bytes: &[u8], training| {
            fs::write(&path, bytes).unwrap();
            let error = Checkpoint::load(&path, training).unwrap_err().to_string();
            assert_eq!(fs::read(&path).unwrap(), bytes);
            assert!(error.contains("trial.safetensors") && error.contains("delete the file"), "{error}");
            error
        };
        assert!(said(&whole, 8).contains("belongs to another network"));
        for length in 0..whole.len() {
            said(&whole[..length], 7);
        }
        let mut flipped = whole.clone();
        *flipped.last_mut().unwrap() ^= 1;
        assert!(said(&flipped, 7).contains("checksum"));
        said(b"not a checkpoint at all, but long enough for a header", 7);
    }

    #[test]
    fn says_where_it_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = example().save(&file.join("inside"), 7).unwrap_err().to_string();
        assert!(error.contains("cannot be written"), "{error}");
    }
}
