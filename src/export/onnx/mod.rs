//! ONNX with trained weights: what onnxruntime, PyTorch, OpenVINO, TensorRT and tract read.
//!
//! Operator set 17 of [ONNX](https://onnx.ai/onnx/operators/): old enough for every runtime in use, new enough for all
//! of our primitives. Each primitive becomes the operators that compute exactly the same at inference.

mod lower;
mod proto;
mod writer;

use std::io::Write;

use prost::Message;
use serde::{Deserialize, Serialize};

use super::weights::{of_graph, trained};
use super::{ExportError, Exporter, Model, facts};
use crate::ir::{Graph, Parameter, Weights};
use proto::{Entry, GraphProto, ModelProto, OperatorSetId};
use writer::Writer;

const OPERATOR_SET: i64 = 17;
/// The file format that came out together with operator set 17 (ONNX 1.12).
const IR_VERSION: i64 = 8;

/// Writes `network.onnx`: input `pictures`, output `logits`, both with a free batch dimension.
///
/// # Shapes
/// - `pictures`: `[batch, channels, height, width]`, pixels in [0, 1] less `mean`, over `deviation` (see the metadata).
/// - `logits`: `[batch, classes]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Onnx {}

impl Exporter for Onnx {
    fn export(&self, model: &Model, out: &mut dyn Write) -> Result<(), ExportError> {
        let graph = graph(model.name, model.graph, &trained(model, "onnx")?);
        let facts = facts(model).into_iter().map(|(key, value)| (key.to_string(), value));
        write(graph, facts.collect(), out)
    }

    fn extension(&self) -> &'static str {
        "onnx"
    }

    fn needs_weights(&self) -> bool {
        true
    }
}

/// Writes any network with trained weights, such as a student with several outputs: an ONNX output for each that has a
/// name, called by it; else `logits`.
///
/// ```
/// use cellwright::export::write_onnx;
/// use cellwright::ir::{Graph, Primitive, Shape, Weights};
///
/// let mut graph = Graph::new(Shape::Map { channels: 1, height: 4, width: 4 });
/// let mean = graph.add(Primitive::GlobalAvgPool, &[graph.input()])?;
/// graph.name_output("mean", mean);
/// let mut file = Vec::new();
/// write_onnx("means", &graph, &Weights::new(), &[("task", "none".to_string())], &mut file)?;
/// assert!(file.windows(4).any(|word| word == b"mean"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ExportError`] where weights are missing, of another shape or no numbers, and what the system refuses.
pub fn write_onnx(
    name: &str,
    network: &Graph,
    weights: &Weights,
    facts: &[(&str, String)],
    out: &mut dyn Write,
) -> Result<(), ExportError> {
    let graph = graph(name, network, &of_graph(network, weights)?);
    write(graph, facts.iter().map(|(key, value)| (key.to_string(), value.clone())).collect(), out)
}

fn write(graph: GraphProto, facts: Vec<(String, String)>, out: &mut dyn Write) -> Result<(), ExportError> {
    let file = ModelProto {
        ir_version: IR_VERSION,
        producer_name: "cellwright".to_string(),
        producer_version: env!("CARGO_PKG_VERSION").to_string(),
        doc_string: "Input: pixels in [0, 1], less the metadata's `mean`, over its `deviation`, by channel."
            .to_string(),
        graph: Some(graph),
        opset_import: vec![OperatorSetId { domain: String::new(), version: OPERATOR_SET }],
        metadata_props: facts.into_iter().map(|(key, value)| Entry { key, value }).collect(),
    };
    Ok(out.write_all(&file.encode_to_vec())?)
}

fn graph(name: &str, network: &Graph, trained: &[(Parameter, &[f32])]) -> GraphProto {
    let mut writer = Writer::new(network);
    for (parameter, values) in trained {
        writer.floats(&parameter.name, &parameter.shape, values);
    }
    lower::nodes(network, &mut writer);
    writer.finish(name)
}
