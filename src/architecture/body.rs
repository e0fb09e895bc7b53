//! A network without its head: what other heads are put on.

use crate::ir::{Graph, Shape, Tensor};

/// The layers of a network, its head left out.
///
/// ```
/// use cellwright::architecture::Architecture;
/// use cellwright::ir::Shape;
///
/// let text = "Staged((stages: [(op: ConvBnRelu(()), repeats: 2, channels: 8, stride: 2)]))";
/// let network: Architecture = ron::from_str(text)?;
/// let body = network.body(Shape::Map { channels: 3, height: 32, width: 32 })?;
/// let shapes: Vec<String> = body.levels().into_iter().map(|level| body.graph.shape(level).to_string()).collect();
/// assert_eq!(shapes, ["[8, 32, 32]", "[8, 16, 16]"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Body {
    /// The layers as primitives; none of them is marked as an output.
    pub graph: Graph,
    /// What each layer hands on, in order: the stem, then cells, ops of stages or ops of a sequence.
    pub layers: Vec<Tensor>,
}

impl Body {
    /// A body of no layer yet.
    pub(super) fn new(input: Shape) -> Body {
        Body { graph: Graph::new(input), layers: Vec::new() }
    }

    /// The network, whose output is this tensor.
    pub(super) fn ending_in(mut self, output: Tensor) -> Graph {
        self.graph.set_output(output);
        self.graph
    }

    /// What the last layer hands on; the input where there is none.
    pub fn last(&self) -> Tensor {
        self.layers.last().copied().unwrap_or(self.graph.input())
    }

    /// The last map of each resolution, finest first. None where no layer hands on a map.
    pub fn levels(&self) -> Vec<Tensor> {
        let mut levels: Vec<(Tensor, [usize; 2])> = Vec::new();
        for layer in &self.layers {
            let Shape::Map { height, width, .. } = self.graph.shape(*layer) else { break };
            match levels.last_mut() {
                Some((level, size)) if *size == [height, width] => *level = *layer,
                _ => levels.push((*layer, [height, width])),
            }
        }
        levels.into_iter().map(|(level, _)| level).collect()
    }
}
