//! What a network costs, known before anything is trained.

use serde::{Deserialize, Serialize};

use super::{Graph, Primitive, Shape};

/// No node may have more outputs, parameters or multiply-adds than this: the largest count that an `f64` holds exactly.
pub(super) const LIMIT: u64 = 1 << 53;

/// The cost of one forward pass of one sample.
///
/// Every node counts, whether the output depends on it or not: what is built is paid for. This is the convention of the
/// published tables of NAS-Bench-101 and NAS-Bench-201.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Trainable parameters; running statistics are not.
    pub params: u64,
    /// Multiply-accumulate operations of convolutions and linear layers, biases not counted.
    pub macs: u64,
    /// Bytes of all activations of one sample in f32, as training keeps them: every node's output but views of another.
    pub activation_bytes: u64,
    /// Convolutions and linear layers on the longest path from input to an output.
    pub depth: u64,
}

impl Graph {
    /// Parameters, multiply-adds, activation memory and depth.
    pub fn cost(&self) -> Cost {
        let sum = |figure: fn(&Graph, usize) -> u64| {
            (0..self.nodes.len()).map(|node| figure(self, node)).fold(0, u64::saturating_add)
        };
        Cost {
            params: sum(Graph::params_of),
            macs: sum(Graph::macs_of),
            activation_bytes: sum(Graph::activation_bytes_of),
            depth: self.depth(),
        }
    }

    /// Trainable parameters of one node.
    pub fn params_of(&self, node: usize) -> u64 {
        let trained = self.parameters_of(node).into_iter().filter(|(role, ..)| role.trained());
        trained.map(|(_, shape, _)| product(&shape).unwrap_or(u64::MAX)).fold(0, u64::saturating_add)
    }

    /// Multiply-adds of one node.
    pub fn macs_of(&self, node: usize) -> u64 {
        let node = &self.nodes[node];
        let input = node.inputs.first().map(|input| self.shape(*input));
        input.and_then(|input| node.primitive.macs(input, node.shape)).unwrap_or(0)
    }

    fn activation_bytes_of(&self, node: usize) -> u64 {
        let node = &self.nodes[node];
        if node.primitive == Primitive::Flatten { 0 } else { node.shape.elements().saturating_mul(4) }
    }

    fn depth(&self) -> u64 {
        let mut depths: Vec<u64> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let before = node.inputs.iter().map(|input| depths[input.0]).max().unwrap_or(0);
            let layer = matches!(node.primitive, Primitive::Conv(_) | Primitive::Linear { .. });
            depths.push(before + u64::from(layer));
        }
        self.ends().into_iter().map(|end| depths[end.index()]).max().unwrap_or(0)
    }
}

impl Primitive {
    /// Multiply-adds; `None` where they exceed [`LIMIT`]. The one `match` that says what counts.
    fn macs(&self, input: Shape, output: Shape) -> Option<u64> {
        match self {
            Primitive::Conv(conv) => {
                let taps = product(&[conv.kernel[0], conv.kernel[1], input.channels() / conv.groups])?;
                output.elements().checked_mul(taps).filter(|macs| *macs <= LIMIT)
            }
            Primitive::Linear { features, .. } => product(&[input.channels(), *features]),
            Primitive::Input
            | Primitive::BatchNorm { .. }
            | Primitive::Activation(_)
            | Primitive::MaxPool(_)
            | Primitive::AvgPool { .. }
            | Primitive::GlobalAvgPool
            | Primitive::Flatten
            | Primitive::Add
            | Primitive::Mul
            | Primitive::Concat
            | Primitive::Slice { .. }
            | Primitive::Shift { .. }
            | Primitive::Resize { .. }
            | Primitive::Zero { .. }
            | Primitive::Dropout { .. }
            | Primitive::DropPath { .. } => Some(0),
        }
    }

    /// Whether outputs, parameters and multiply-adds are all countable.
    pub(super) fn within_limit(&self, inputs: &[Shape], output: Shape) -> bool {
        let Some(input) = inputs.first() else { return false };
        output.elements() <= LIMIT
            && self.parameters(*input).iter().all(|(_, shape, _)| product(shape).is_some())
            && self.macs(*input, output).is_some()
    }
}

/// The product of sizes; `None` above [`LIMIT`].
fn product(sizes: &[usize]) -> Option<u64> {
    let product = sizes.iter().try_fold(1u64, |product, size| product.checked_mul(*size as u64));
    product.filter(|product| *product <= LIMIT)
}
