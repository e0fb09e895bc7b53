//! The graph of primitives and its builder, which infers every shape as nodes are added.

use super::{Primitive, ShapeError};

/// The shape of one sample, without the batch: `[channels, height, width]` or `[features]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A picture or feature map.
    Map {
        /// Channels.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// A vector.
    Flat(usize),
}

/// The output of a node: what later nodes take as input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tensor(pub(crate) usize);

impl Tensor {
    /// The index of the node that computes it, in [`Graph::nodes`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// One primitive with its inputs, where it stands in the architecture, and its output's shape.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it computes.
    pub primitive: Primitive,
    /// Whose outputs it reads, all of them earlier nodes.
    pub inputs: Vec<Tensor>,
    /// The output's shape.
    pub shape: Shape,
    /// The node's unique place, such as `cells.3/block2/left/sep_conv.0/depthwise`: names its parameters.
    pub scope: String,
}

/// A network as primitives in topological order: the last word on shapes, cost, execution and export.
///
/// ```
/// use cellwright::ir::{Activation, Conv, Graph, Primitive, Shape};
///
/// let mut graph = Graph::new(Shape::Map { channels: 3, height: 32, width: 32 });
/// let stem = Conv { channels: 16, kernel: [3, 3], stride: 1, dilation: 1, groups: 1, padding: [1, 1], bias: false };
/// let input = graph.input();
/// let x = graph.scoped("stem", |graph| {
///     let x = graph.add(Primitive::Conv(stem), &[input])?;
///     graph.add(Primitive::Activation(Activation::Relu), &[x])
/// })?;
/// graph.set_output(x);
/// assert_eq!(graph.shape(x), Shape::Map { channels: 16, height: 32, width: 32 });
/// # Ok::<(), cellwright::ir::ShapeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) output: Tensor,
    pub(super) scope: Vec<String>,
}

impl Graph {
    /// A graph of just its input.
    pub fn new(input: Shape) -> Graph {
        let _ = input;
        todo!()
    }
    /// The network's input.
    pub fn input(&self) -> Tensor {
        Tensor(0)
    }
    /// The network's output (its logits).
    pub fn output(&self) -> Tensor {
        self.output
    }
    /// Says which tensor is the network's output.
    pub fn set_output(&mut self, output: Tensor) {
        self.output = output;
    }
    /// All nodes; every node's inputs come before it.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }
    /// The shape of a tensor.
    pub fn shape(&self, tensor: Tensor) -> Shape {
        self.nodes[tensor.0].shape
    }
    /// Adds a node under the current scope and infers its shape.
    ///
    /// # Errors
    /// [`ShapeError`] with the scope, the primitive and the shapes met, when they do not fit.
    pub fn add(&mut self, primitive: Primitive, inputs: &[Tensor]) -> Result<Tensor, ShapeError> {
        let _ = (primitive, inputs);
        todo!()
    }
    /// Runs `build` with `name` pushed on the scope; scopes nest with `/`.
    pub fn scoped<R>(&mut self, name: impl Into<String>, build: impl FnOnce(&mut Graph) -> R) -> R {
        self.scope.push(name.into());
        let result = build(self);
        self.scope.pop();
        result
    }
}
