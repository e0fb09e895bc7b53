//! A first step's numbers as a file.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;

use super::pace::noise;
use super::{Field, NnError, Training};
use crate::data::Supply;
use crate::ir::{Graph, Weights};

/// Writes all numbers of the first step of the field's first candidate (see [`Training::first_step`]) as a safetensors
/// file. The metadata's entry `graph` holds the network as JSON: a list of nodes with primitive, inputs and scope.
///
/// # Errors
/// [`NnError`]: the candidate does not fit, or the file cannot be written.
pub fn write_numbers(field: &Field, path: &Path) -> Result<(), NnError> {
    let Some((graph, recipe)) = field.candidates.first() else { return Ok(()) };
    let pictures = noise(graph, recipe.batch, field.seed)?;
    let channels = vec![0.5; pictures.shape.0];
    let training = Training {
        graph,
        recipe,
        epochs: 1,
        whole: 1,
        parent: None,
        smaller: &[],
        loaders: 0,
        seed: field.seed,
        train: Supply::Memory(&pictures),
        validation: None,
        normal: (&channels, &channels),
        device: field.device,
        checkpoint: None,
    };
    let bytes =
        encode(graph, &training.first_step()?).map_err(|problem| NnError::Unfit(problem.to_string()))?;
    std::fs::write(path, bytes).map_err(|error| NnError::Unfit(format!("{}: {error}", path.display())))
}

fn encode(graph: &Graph, numbers: &Weights) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let nodes: Vec<_> = graph
        .nodes()
        .iter()
        .map(|node| {
            let inputs: Vec<usize> = node.inputs.iter().map(|input| input.index()).collect();
            json!({"primitive": node.primitive, "inputs": inputs, "scope": node.scope})
        })
        .collect();
    let network = json!({"nodes": nodes, "output": graph.output().index()}).to_string();
    let bytes: Vec<Vec<u8>> = numbers
        .values()
        .map(|(_, values)| values.iter().flat_map(|value| value.to_le_bytes()).collect())
        .collect();
    let views = numbers.iter().zip(&bytes).map(|((name, (shape, _)), bytes)| {
        TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name, view))
    });
    let views = views.collect::<Result<Vec<_>, _>>()?;
    safetensors::serialize(views, Some(HashMap::from([("graph".to_owned(), network)])))
}
