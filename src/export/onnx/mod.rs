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

use super::weights::trained;
use super::{ExportError, Exporter, Model, facts};
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
        let file = ModelProto {
            ir_version: IR_VERSION,
            producer_name: "cellwright".to_string(),
            producer_version: env!("CARGO_PKG_VERSION").to_string(),
            doc_string:
                "Input: pixels in [0, 1], less the metadata's `mean`, over its `deviation`, by channel."
                    .to_string(),
            graph: Some(graph(model)?),
            opset_import: vec![OperatorSetId { domain: String::new(), version: OPERATOR_SET }],
            metadata_props: facts(model)
                .into_iter()
                .map(|(key, value)| Entry { key: key.to_string(), value })
                .collect(),
        };
        Ok(out.write_all(&file.encode_to_vec())?)
    }

    fn extension(&self) -> &'static str {
        "onnx"
    }

    fn needs_weights(&self) -> bool {
        true
    }
}

fn graph(model: &Model) -> Result<GraphProto, ExportError> {
    let trained = trained(model, "onnx")?;
    let mut writer = Writer::new(model.graph);
    for (parameter, values) in &trained {
        writer.floats(&parameter.name, &parameter.shape, values);
    }
    lower::nodes(model.graph, &mut writer);
    Ok(writer.finish(model.name))
}
