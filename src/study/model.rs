//! Trained weights as safetensors files in the run folder.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{SafeTensorError, SafeTensors, TensorView};
use safetensors::{Dtype, serialize};

use super::{StudyError, lock};
use crate::ir::Weights;

/// Writes weights so that the file is there whole or not at all, whenever the process dies.
///
/// # Errors
/// [`StudyError::Full`] and [`StudyError::Unwritable`], as for the rest of the run folder.
pub(super) fn write_weights(path: &Path, weights: &Weights) -> Result<(), StudyError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let unwritable = |problem: std::io::Error| lock::unwritable(folder, &problem);
    let bytes = encode(weights).map_err(|problem| broken(path, &problem))?;
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    let part = path.with_extension("safetensors.part");
    let written = File::create(&part).and_then(|mut file| {
        file.write_all(&bytes)?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&part, path)).and_then(|()| sync_folder(folder)).map_err(unwritable)
}

/// Reads weights back.
///
/// # Errors
/// [`StudyError::Model`] where the file is missing, cut short, or holds something else than f32 tensors.
pub fn read_weights(path: &Path) -> Result<Weights, StudyError> {
    let bytes = std::fs::read(path)
        .map_err(|problem| StudyError::Model { path: path.into(), problem: problem.to_string() })?;
    decode(&bytes).map_err(|problem| broken(path, &problem))
}

fn encode(weights: &Weights) -> Result<Vec<u8>, SafeTensorError> {
    let little = |values: &Vec<f32>| values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let data: Vec<(&String, &Vec<usize>, Vec<u8>)> =
        weights.iter().map(|(name, (shape, values))| (name, shape, little(values))).collect();
    let views: Result<Vec<_>, SafeTensorError> = data
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.to_vec(), bytes)?)))
        .collect();
    serialize(views?, None)
}

fn decode(bytes: &[u8]) -> Result<Weights, SafeTensorError> {
    let tensors = SafeTensors::deserialize(bytes)?;
    tensors
        .iter()
        .map(|(name, view)| match view.dtype() {
            Dtype::F32 => {
                let values = view.data().chunks_exact(4);
                let values = values.map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]]));
                Ok((name.to_string(), (view.shape().to_vec(), values.collect())))
            }
            _ => Err(SafeTensorError::InvalidTensorView(
                view.dtype(),
                view.shape().to_vec(),
                view.data().len(),
            )),
        })
        .collect()
}

fn broken(path: &Path, problem: &SafeTensorError) -> StudyError {
    StudyError::Model { path: path.into(), problem: format!("no safetensors file of f32 weights: {problem}") }
}

/// Makes a rename survive a loss of power; only Unix lets folders be flushed.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_come_back_and_broken_files_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("models/trial-1.safetensors");
        let weights: Weights = [
            ("stem/weight".to_string(), (vec![2, 3], vec![0.5, -1.0, f32::MIN_POSITIVE, 3.0, 4.0, 5.0])),
            ("head/bias".to_string(), (vec![1], vec![7.25])),
        ]
        .into();
        write_weights(&path, &weights).unwrap();
        let back = read_weights(&path).unwrap();
        assert_eq!(back.len(), 2);
        assert!(weights.iter().all(|(name, tensor)| back[name] == *tensor));

        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(read_weights(&path).unwrap_err().to_string().contains("trial-1.safetensors"));
        assert!(read_weights(&folder.path().join("none")).is_err());
    }
}
