//! Puts an ONNX graph together: nodes, constants and the names of values.

use std::collections::HashSet;

use super::proto::{
    Attribute, AttributeKind, DataType, Dimension, DimensionValue, GraphProto, NodeProto, TensorProto,
    TensorShape, TensorType, TypeProto, ValueInfo,
};
use crate::export::weights::bytes;
use crate::ir::{Graph, Shape, Tensor};

/// The name of the network's input.
pub(super) const INPUT: &str = "pictures";
/// The name of a network's one output.
pub(super) const OUTPUT: &str = "logits";

/// An ONNX graph in the making.
pub(super) struct Writer<'a> {
    source: &'a Graph,
    live: Vec<bool>,
    /// By node of `source`: the name of the value that holds its output.
    values: Vec<String>,
    constants: HashSet<String>,
    graph: GraphProto,
}

impl<'a> Writer<'a> {
    pub(super) fn new(source: &'a Graph) -> Writer<'a> {
        Writer {
            source,
            live: source.live(),
            values: vec![String::new(); source.nodes().len()],
            constants: HashSet::new(),
            graph: GraphProto::default(),
        }
    }

    /// Whether the network's output depends on the node.
    pub(super) fn is_live(&self, node: usize) -> bool {
        self.live[node]
    }

    /// The name of the value that holds a tensor.
    pub(super) fn value(&self, tensor: Tensor) -> &str {
        &self.values[tensor.index()]
    }

    /// Says that `value` holds the output of `node`.
    pub(super) fn define(&mut self, node: usize, value: String) {
        self.values[node] = value;
    }

    /// Adds an operator whose one output is called `output`, as is the operator.
    pub(super) fn node(&mut self, op_type: &str, inputs: &[&str], output: &str, attribute: Vec<Attribute>) {
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(ToString::to_string).collect(),
            output: vec![output.to_string()],
            name: output.to_string(),
            op_type: op_type.to_string(),
            attribute,
        });
    }

    /// Adds a tensor of floats.
    pub(super) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        self.constant(name, shape.iter().map(|size| *size as i64).collect(), DataType::Float, bytes(values));
    }

    /// The name of a float constant, which all nodes that ask for it share.
    pub(super) fn scalar(&mut self, value: f32) -> String {
        let name = format!("constant {value}");
        self.constant(&name, Vec::new(), DataType::Float, bytes(&[value]));
        name
    }

    /// The name of a vector of floats, which all nodes that ask for it share.
    pub(super) fn vector(&mut self, values: &[f32]) -> String {
        let name = format!("constant floats {values:?}");
        self.constant(&name, vec![values.len() as i64], DataType::Float, bytes(values));
        name
    }

    /// The name of a vector of integers, which all nodes that ask for it share.
    pub(super) fn integers(&mut self, values: &[i64]) -> String {
        let name = format!("constant {values:?}");
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(&name, vec![values.len() as i64], DataType::Int64, bytes);
        name
    }

    fn constant(&mut self, name: &str, dims: Vec<i64>, data_type: DataType, raw_data: Vec<u8>) {
        if self.constants.insert(name.to_string()) {
            let tensor = TensorProto { dims, data_type: data_type as i32, name: name.to_string(), raw_data };
            self.graph.initializer.push(tensor);
        }
    }

    /// The whole graph, with the network's outputs renamed and every value's shape written down.
    pub(super) fn finish(mut self, name: &str) -> GraphProto {
        let source = self.source;
        let outputs = match source.outputs() {
            [] => vec![(OUTPUT.to_string(), source.output())],
            named => named.to_vec(),
        };
        outputs.iter().enumerate().for_each(|(index, _)| self.name_output(&outputs[..=index]));
        self.graph.input = vec![typed(INPUT, source.shape(source.input()))];
        self.graph.output = outputs.iter().map(|(name, output)| typed(name, source.shape(*output))).collect();
        let mut seen: HashSet<&str> = HashSet::from([INPUT, ""]);
        seen.extend(outputs.iter().map(|(name, _)| name.as_str()));
        for (value, node) in self.values.iter().zip(source.nodes()) {
            if seen.insert(value) {
                self.graph.value_info.push(typed(value, node.shape));
            }
        }
        self.graph.name = name.to_string();
        self.graph
    }

    /// Gives the last of some outputs its name; the others have theirs.
    fn name_output(&mut self, outputs: &[(String, Tensor)]) {
        let Some(((name, output), before)) = outputs.split_last() else { return };
        let last = self.value(*output).to_string();
        if last == INPUT || before.iter().any(|(other, _)| *other == last) {
            return self.node("Identity", &[&last], name, Vec::new());
        }
        let of_nodes =
            self.graph.node.iter_mut().flat_map(|node| node.input.iter_mut().chain(&mut node.output));
        of_nodes
            .chain(&mut self.values)
            .filter(|value| **value == last)
            .for_each(|value| value.clone_from(name));
    }
}

/// A value of floats with a free batch dimension before `shape`.
fn typed(name: &str, shape: Shape) -> ValueInfo {
    let batch = DimensionValue::Free("batch".to_string());
    let fixed = shape.sizes().into_iter().map(|size| DimensionValue::Fixed(size as i64));
    let dim = std::iter::once(batch).chain(fixed).map(|value| Dimension { value: Some(value) }).collect();
    let tensor_type = TensorType { elem_type: DataType::Float as i32, shape: Some(TensorShape { dim }) };
    ValueInfo {
        name: name.to_string(),
        r#type: Some(TypeProto { tensor_type: Some(tensor_type) }),
        doc_string: String::new(),
    }
}

impl Attribute {
    pub(super) fn int(name: &str, value: usize) -> Attribute {
        Attribute {
            name: name.to_string(),
            i: value as i64,
            kind: AttributeKind::Int as i32,
            ..Attribute::default()
        }
    }

    pub(super) fn text(name: &str, value: &str) -> Attribute {
        Attribute {
            name: name.to_string(),
            s: value.as_bytes().to_vec(),
            kind: AttributeKind::Text as i32,
            ..Attribute::default()
        }
    }

    pub(super) fn ints(name: &str, values: &[usize]) -> Attribute {
        let ints = values.iter().map(|value| *value as i64).collect();
        Attribute { name: name.to_string(), ints, kind: AttributeKind::Ints as i32, ..Attribute::default() }
    }

    pub(super) fn float(name: &str, value: f64) -> Attribute {
        let kind = AttributeKind::Float as i32;
        Attribute { name: name.to_string(), f: value as f32, kind, ..Attribute::default() }
    }
}
