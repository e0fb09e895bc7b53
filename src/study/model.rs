//! Trained networks as safetensors files in the run folder; what is known of their data stands in the metadata.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{SafeTensorError, SafeTensors, TensorView};
use safetensors::{Dtype, serialize};
use serde::{Deserialize, Serialize};

use super::{StudyError, lock};
use crate::evaluate::Trained;
use crate::ir::Weights;

/// The metadata's entry.
const ENTRY: &str = "cellwright";

/// What a user of the network must know of the data it was trained on.
#[derive(Serialize, Deserialize)]
struct Facts {
    classes: Vec<String>,
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

/// Writes a trained network so that the file is there whole or not at all, whenever the process dies.
///
/// # Errors
/// [`StudyError::Full`] and [`StudyError::Unwritable`], as for the rest of the run folder.
pub(super) fn write_model(path: &Path, trained: &Trained) -> Result<(), StudyError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let unwritable = |problem: std::io::Error| lock::unwritable(folder, &problem);
    let bytes = encode(trained).map_err(|problem| broken(path, &problem))?;
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    let part = path.with_extension("safetensors.part");
    let written = File::create(&part).and_then(|mut file| {
        file.write_all(&bytes)?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&part, path)).and_then(|()| sync_folder(folder)).map_err(unwritable)
}

/// Reads a trained network back.
///
/// # Errors
/// [`StudyError::Model`] where the file is missing, cut short, or holds something else than f32 tensors.
pub fn read_model(path: &Path) -> Result<Trained, StudyError> {
    let bytes = std::fs::read(path)
        .map_err(|problem| StudyError::Model { path: path.into(), problem: problem.to_string() })?;
    decode(&bytes).map_err(|problem| broken(path, &problem))
}

fn encode(trained: &Trained) -> Result<Vec<u8>, SafeTensorError> {
    let little = |values: &Vec<f32>| values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let data: Vec<(&String, &Vec<usize>, Vec<u8>)> =
        trained.weights.iter().map(|(name, (shape, values))| (name, shape, little(values))).collect();
    let views: Result<Vec<_>, SafeTensorError> = data
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.to_vec(), bytes)?)))
        .collect();
    // One entry, for the library writes several in random order, and a training should leave one file.
    let facts = Facts {
        classes: trained.classes.clone(),
        mean: trained.mean.clone(),
        deviation: trained.deviation.clone(),
    };
    let facts = serde_json::to_string(&facts).map_err(SafeTensorError::JsonError)?;
    serialize(views?, Some(HashMap::from([(ENTRY.to_owned(), facts)])))
}

fn decode(bytes: &[u8]) -> Result<Trained, SafeTensorError> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    let facts = header.metadata().as_ref().and_then(|entries| entries.get(ENTRY)).map_or("", String::as_str);
    let facts: Facts = serde_json::from_str(facts).map_err(SafeTensorError::InvalidHeaderDeserialization)?;
    let Facts { classes, mean, deviation } = facts;
    Ok(Trained { weights: weights(bytes)?, classes, mean, deviation })
}

fn weights(bytes: &[u8]) -> Result<Weights, SafeTensorError> {
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
    StudyError::Model { path: path.into(), problem: format!("no model of a final training: {problem}") }
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
        let classes = vec!["a \"quoted\" cat".to_owned(), "dog".to_owned()];
        let trained = Trained { weights, classes, mean: vec![0.1], deviation: vec![0.3] };
        write_model(&path, &trained).unwrap();
        let back = read_model(&path).unwrap();
        assert!(trained.weights.iter().all(|(name, tensor)| back.weights[name] == *tensor));
        assert_eq!(Trained { weights: trained.weights.clone(), ..back }, trained);

        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(read_model(&path).unwrap_err().to_string().contains("trial-1.safetensors"));
        assert!(read_model(&folder.path().join("none")).is_err());
    }
}
