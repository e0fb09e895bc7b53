//! A training's state between two epochs, in a safetensors file that is replaced in one piece.
//!
//! The file names the training that it belongs to and carries a checksum. One of another training, or a damaged one, is
//! refused and left alone: starting over in silence would throw away hours, and going on would give false figures.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;

use indexmap::IndexMap;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

use super::{Epoch, NnError};
use crate::random::fnv1a;

const FORMAT: &str = "cellwright-checkpoint-1";
const OPTIMIZER: &str = "optimizer";
const CURVE: &str = "curve";

/// What a training needs to go on as if it had never stopped.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Checkpoint {
    /// All parameters by name, running statistics included.
    pub(super) values: IndexMap<String, Vec<f32>>,
    /// The optimizer's own bytes.
    pub(super) optimizer: Vec<u8>,
    /// The epochs done, one entry each.
    pub(super) curve: Vec<Epoch>,
}

impl Checkpoint {
    /// Writes to a neighbouring file, waits for the disk, and renames: a kill leaves the old file or the new one.
    pub(super) fn save(&self, path: &Path, training: u64) -> Result<(), NnError> {
        let bytes = self.to_bytes(training).map_err(|problem| NnError::checkpoint(path, problem))?;
        let fresh = path.with_extension("new");
        let write = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut file = File::create(&fresh)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&fresh, path)
        };
        write().map_err(|error| NnError::checkpoint(path, format!("cannot be written: {error}")))
    }

    /// The checkpoint at `path`; `None` where there is none.
    pub(super) fn load(path: &Path, training: u64) -> Result<Option<Checkpoint>, NnError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(NnError::checkpoint(path, format!("cannot be read: {error}"))),
        };
        let checkpoint = Checkpoint::from_bytes(&bytes, training);
        checkpoint.map(Some).map_err(|problem| {
            NnError::checkpoint(path, format!("{problem}; delete the file to train from the start"))
        })
    }

    fn to_bytes(&self, training: u64) -> Result<Vec<u8>, String> {
        let curve: Vec<u8> = self.curve.iter().copied().flat_map(Epoch::to_bytes).collect();
        let values: Vec<(&String, Vec<u8>)> = self
            .values
            .iter()
            .map(|(name, values)| (name, values.iter().flat_map(|value| value.to_le_bytes()).collect()))
            .collect();
        let mut tensors = vec![
            (OPTIMIZER.to_string(), view(Dtype::U8, &self.optimizer)?),
            (CURVE.to_string(), view(Dtype::U8, &curve)?),
        ];
        for (name, bytes) in &values {
            tensors.push((format!("values/{name}"), view(Dtype::F32, bytes)?));
        }
        let checksum = checksum(tensors.iter().map(|(name, view)| (name.as_str(), view.data())));
        let notes = [("format", FORMAT.into()), ("training", hex(training)), ("checksum", hex(checksum))];
        let notes: HashMap<String, String> =
            notes.into_iter().map(|(key, value): (&str, String)| (key.into(), value)).collect();
        serialize(tensors, Some(notes)).map_err(|error| error.to_string())
    }

    fn from_bytes(bytes: &[u8], training: u64) -> Result<Checkpoint, String> {
        let damaged = |error: safetensors::SafeTensorError| format!("is damaged ({error})");
        let (_, head) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let note = |key: &str| head.metadata().as_ref().and_then(|notes| notes.get(key)).cloned();
        if note("format").as_deref() != Some(FORMAT) {
            return Err("is not a checkpoint of this version".into());
        }
        if note("training") != Some(hex(training)) {
            return Err("belongs to another network, recipe, seed, data set or number of epochs".into());
        }
        let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let mut named: Vec<(&str, TensorView)> = tensors.iter().collect();
        named.sort_by_key(|(name, _)| *name);
        if note("checksum") != Some(hex(checksum(named.iter().map(|(name, view)| (*name, view.data()))))) {
            return Err("is damaged (its checksum is another)".into());
        }
        let part = |name: &str| tensors.tensor(name).map(|view| view.data().to_vec()).map_err(damaged);
        let values = named.iter().filter_map(|(name, view)| {
            let floats = view
                .data()
                .chunks_exact(4)
                .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
            Some((name.strip_prefix("values/")?.to_string(), floats.collect()))
        });
        let curve = part(CURVE)?.chunks(Epoch::BYTES).map(Epoch::from_bytes).collect::<Option<_>>();
        let curve = curve.ok_or("is damaged (its curve is cut)")?;
        Ok(Checkpoint { values: values.collect(), optimizer: part(OPTIMIZER)?, curve })
    }
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
    use crate::nn::Score;

    fn example() -> Checkpoint {
        Checkpoint {
            values: IndexMap::from([
                ("a/weight".into(), vec![1.5, -2.0]),
                ("b".into(), vec![f32::MIN_POSITIVE]),
            ]),
            optimizer: vec![1, 2, 3],
            curve: vec![
                Epoch { number: 1, train_loss: 2.25, validation: Some(Score { accuracy: 0.5, loss: 1.0 }) },
                Epoch { number: 2, train_loss: 1.0 / 3.0, validation: None },
            ],
        }
    }

    #[test]
    fn comes_back_to_the_bit_and_replaces_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/trial.safetensors");
        assert_eq!(Checkpoint::load(&path, 7).unwrap(), None);
        Checkpoint::default().save(&path, 7).unwrap();
        example().save(&path, 7).unwrap();
        let mut loaded = Checkpoint::load(&path, 7).unwrap().unwrap();
        loaded.values.sort_keys();
        assert_eq!(loaded, example());
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
