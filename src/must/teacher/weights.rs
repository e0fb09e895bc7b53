//! Weights as a safetensors file, under the names of the network's parameters.

use std::path::Path;

use safetensors::tensor::{SafeTensorError, SafeTensors, TensorView};
use safetensors::{Dtype, serialize};

use super::super::MustError;
use crate::ir::{Graph, Weights};

/// The file's bytes.
pub(super) fn encode(path: &Path, weights: &Weights) -> Result<Vec<u8>, MustError> {
    let little = |values: &Vec<f32>| values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let data: Vec<(&String, &Vec<usize>, Vec<u8>)> =
        weights.iter().map(|(name, (shape, values))| (name, shape, little(values))).collect();
    let views: Result<Vec<_>, SafeTensorError> = data
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.to_vec(), bytes)?)))
        .collect();
    views.and_then(|views| serialize(views, None)).map_err(|problem| broken(path, &problem.to_string()))
}

/// The weights of a file's bytes.
pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<Weights, MustError> {
    let problem = |problem: SafeTensorError| broken(path, &problem.to_string());
    let tensors = SafeTensors::deserialize(bytes).map_err(problem)?;
    let tensor = |(name, view): (&str, TensorView)| {
        if view.dtype() != Dtype::F32 {
            return Err(broken(path, &format!("`{name}` holds {:?}, not 32-bit floats", view.dtype())));
        }
        let values = view.data().chunks_exact(4);
        let values = values.map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        Ok((name.to_string(), (view.shape().to_vec(), values.collect())))
    };
    tensors.iter().map(tensor).collect()
}

fn broken(path: &Path, problem: &str) -> MustError {
    let hint = "copy the file again, or remove the folder to train the network anew";
    MustError::no_teacher(path, format!("these are no weights: {problem}"), hint)
}

/// Checks that the weights are all of this network's.
pub(super) fn check(path: &Path, graph: &Graph, weights: &Weights) -> Result<(), MustError> {
    let wrong = |problem: String| {
        let hint = "these are the weights of another network: put the right file back, or remove the folder to train \
                    the network anew";
        MustError::no_teacher(path, problem, hint)
    };
    for parameter in graph.parameters() {
        match weights.get(&parameter.name) {
            None => return Err(wrong(format!("there is no `{}`, which the network has", parameter.name))),
            Some((shape, _)) if *shape != parameter.shape => {
                let (name, own) = (&parameter.name, &parameter.shape);
                return Err(wrong(format!("`{name}` is of {shape:?}, the network's is of {own:?}")));
            }
            Some(_) => {}
        }
    }
    Ok(())
}
