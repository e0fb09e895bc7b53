//! Trained weights alone, by parameter name: what PyTorch, JAX, Candle and Burn load without running code.
//!
//! The [format](https://github.com/huggingface/safetensors) is a JSON header and raw little-endian numbers.

use std::collections::HashMap;
use std::io::Write;

use safetensors::Dtype;
use safetensors::tensor::{SafeTensorError, TensorView};
use serde::{Deserialize, Serialize};

use super::weights::{bytes, trained};
use super::{ExportError, Exporter, Model, facts};

/// Writes `network.safetensors`: every parameter as f32 under its name in the graph, such as `stem/conv/weight`.
///
/// The header's metadata has one entry, `cellwright`: a JSON object with the version, the program, the classes and the
/// normalisation. (One entry, for the library writes several in random order, and a model should have one file.)
///
/// # Shapes
/// Convolutions `[out, in / groups, rows, columns]`, linear layers `[in, out]`, norms `[channels]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Safetensors {}

impl Exporter for Safetensors {
    fn export(&self, model: &Model, out: &mut dyn Write) -> Result<(), ExportError> {
        let trained = trained(model, "safetensors")?;
        let data: Vec<_> = trained
            .into_iter()
            .map(|(parameter, values)| (parameter.name, parameter.shape, bytes(values)))
            .collect();
        let views = data
            .iter()
            .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, SafeTensorError>>()
            .map_err(refused)?;
        let about: serde_json::Map<_, _> =
            facts(model).into_iter().map(|(key, value)| (key.to_string(), value.into())).collect();
        let metadata =
            HashMap::from([("cellwright".to_string(), serde_json::Value::Object(about).to_string())]);
        Ok(out.write_all(&safetensors::serialize(views, Some(metadata)).map_err(refused)?)?)
    }

    fn extension(&self) -> &'static str {
        "safetensors"
    }

    fn needs_weights(&self) -> bool {
        true
    }
}

fn refused(error: SafeTensorError) -> ExportError {
    ExportError::Format { format: "safetensors", problem: error.to_string() }
}
