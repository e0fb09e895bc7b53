//! The parameters that a format writes: all that the graph needs, checked against it.

use super::{ExportError, Model};
use crate::ir::{Graph, Parameter, Weights};

/// Every parameter that the outputs of a model's network depend on, in node order, with its trained values.
pub(super) fn trained<'a>(
    model: &Model<'a>,
    format: &'static str,
) -> Result<Vec<(Parameter, &'a [f32])>, ExportError> {
    let weights =
        model.weights.ok_or_else(|| ExportError::NoWeights { format, name: model.name.to_string() })?;
    of_graph(model.graph, weights)
}

/// Every parameter that a graph's outputs depend on, in node order, with its trained values.
pub(super) fn of_graph<'a>(
    graph: &Graph,
    weights: &'a Weights,
) -> Result<Vec<(Parameter, &'a [f32])>, ExportError> {
    let find = |parameter: Parameter| {
        let (shape, values) = weights
            .get(&parameter.name)
            .ok_or_else(|| ExportError::MissingParameter { parameter: parameter.name.clone() })?;
        check(&parameter, shape, values)?;
        Ok((parameter, values.as_slice()))
    };
    let live = graph.live();
    graph.parameters().into_iter().filter(|parameter| live[parameter.node]).map(find).collect()
}

fn check(parameter: &Parameter, shape: &[usize], values: &[f32]) -> Result<(), ExportError> {
    if parameter.shape != shape || values.len() != shape.iter().product::<usize>() {
        return Err(ExportError::WrongShape {
            parameter: parameter.name.clone(),
            expected: parameter.shape.clone(),
            found: shape.to_vec(),
            values: values.len(),
        });
    }
    match values.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(ExportError::NotFinite { parameter: parameter.name.clone(), value: *value }),
        None => Ok(()),
    }
}

/// The values as little-endian bytes.
pub(super) fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
