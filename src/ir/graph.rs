//! The graph of primitives and its builder, which infers every shape as nodes are added.

use std::collections::HashSet;

use super::cost::LIMIT;
use super::{Primitive, Shape, ShapeError};

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
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it computes.
    pub primitive: Primitive,
    /// Whose outputs it reads, all of them earlier nodes.
    pub inputs: Vec<Tensor>,
    /// The output's shape.
    pub shape: Shape,
    /// The node's unique place, such as `cell3/block2/sep_conv_5x5/depthwise`: names its parameters.
    pub scope: String,
    /// Whose parameters it computes with, where they are not its own: an earlier node with the same primitive.
    pub shares: Option<Tensor>,
}

/// A network as primitives in topological order: the last word on shapes, cost, execution and export.
///
/// ```
/// use cellwright::ir::{Conv, Graph, Primitive, Shape};
///
/// let mut graph = Graph::new(Shape::Map { channels: 3, height: 32, width: 32 });
/// let input = graph.input();
/// let x = graph.scoped("stem", |graph| {
///     let x = graph.add(Primitive::Conv(Conv::square(16, 3)), &[input])?;
///     graph.add(Primitive::RELU, &[x])
/// })?;
/// graph.set_output(x);
/// assert_eq!(graph.shape(x), Shape::Map { channels: 16, height: 32, width: 32 });
/// assert_eq!(graph.nodes()[1].scope, "stem/conv");
/// assert_eq!(graph.parameters()[0].name, "stem/conv/weight");
/// assert_eq!(graph.cost().params, 3 * 16 * 9);
/// # Ok::<(), cellwright::ir::ShapeError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    pub(super) nodes: Vec<Node>,
    output: Tensor,
    /// Further outputs by name.
    outputs: Vec<(String, Tensor)>,
    /// Where an auxiliary classifier may look.
    auxiliary: Option<Tensor>,
    /// The scope that new nodes go under: empty, or ending in `/`.
    scope: String,
    taken: HashSet<String>,
}

impl Graph {
    /// A graph of just its input.
    pub fn new(input: Shape) -> Graph {
        let node = Node {
            primitive: Primitive::Input,
            inputs: Vec::new(),
            shape: input,
            scope: "input".into(),
            shares: None,
        };
        let taken = HashSet::from([node.scope.clone()]);
        Graph {
            nodes: vec![node],
            output: Tensor(0),
            outputs: Vec::new(),
            auxiliary: None,
            scope: String::new(),
            taken,
        }
    }

    /// The network's input.
    pub fn input(&self) -> Tensor {
        Tensor(0)
    }

    /// The network's output (its logits); the input until [`Graph::set_output`].
    pub fn output(&self) -> Tensor {
        self.output
    }

    /// Says which tensor is the network's output.
    ///
    /// # Panics
    /// Where the tensor is of another, larger graph.
    pub fn set_output(&mut self, output: Tensor) {
        assert!(output.0 < self.nodes.len(), "the output must be a tensor of this graph");
        self.output = output;
    }

    /// Further outputs, for networks that answer more than one question, in the order in which they were named.
    pub fn outputs(&self) -> &[(String, Tensor)] {
        &self.outputs
    }

    /// The output of this name, if there is one.
    pub fn output_named(&self, name: &str) -> Option<Tensor> {
        self.outputs.iter().find(|(known, _)| known == name).map(|(_, tensor)| *tensor)
    }

    /// Says that a tensor is a further output; one that has the name already is replaced.
    ///
    /// # Panics
    /// Where the tensor is of another, larger graph.
    pub fn name_output(&mut self, name: impl Into<String>, output: Tensor) {
        assert!(output.0 < self.nodes.len(), "the output must be a tensor of this graph");
        let name = name.into();
        self.outputs.retain(|(known, _)| *known != name);
        self.outputs.push((name, output));
    }

    /// The output, and all that have a name.
    pub(super) fn ends(&self) -> Vec<Tensor> {
        std::iter::once(self.output).chain(self.outputs.iter().map(|(_, tensor)| *tensor)).collect()
    }

    /// Where a second classifier may look during training; none of the network's own nodes reads it there.
    pub fn auxiliary(&self) -> Option<Tensor> {
        self.auxiliary
    }

    /// Says where a second classifier may look during training. Changes nothing of the network itself.
    ///
    /// # Panics
    /// Where the tensor is of another, larger graph.
    pub fn set_auxiliary(&mut self, place: Tensor) {
        assert!(place.0 < self.nodes.len(), "the place must be a tensor of this graph");
        self.auxiliary = Some(place);
    }

    /// All nodes; every node's inputs come before it.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// For every node, whether an output depends on it. Only these need to be executed or exported.
    pub fn live(&self) -> Vec<bool> {
        self.live_for(&self.ends())
    }

    /// For every node, whether any of `outputs` depends on it or on its parameters.
    ///
    /// # Panics
    /// Where one is of another, larger graph.
    pub fn live_for(&self, outputs: &[Tensor]) -> Vec<bool> {
        let mut live = vec![false; self.nodes.len()];
        outputs.iter().for_each(|output| live[output.0] = true);
        for (index, node) in self.nodes.iter().enumerate().rev() {
            if live[index] {
                node.inputs.iter().chain(&node.shares).for_each(|input| live[input.0] = true);
            }
        }
        live
    }

    /// The shape of a tensor.
    ///
    /// # Panics
    /// Where the tensor is of another, larger graph.
    pub fn shape(&self, tensor: Tensor) -> Shape {
        self.nodes[tensor.0].shape
    }

    /// `(channels, height, width)` of a tensor that must be a map; `what` is who needs it, in the error.
    ///
    /// # Errors
    /// [`ShapeError`] where it is a vector or empty.
    pub fn map(&self, tensor: Tensor, what: &str) -> Result<(usize, usize, usize), ShapeError> {
        match self.shape(tensor) {
            Shape::Map { channels, height, width } if channels > 0 && height > 0 && width > 0 => {
                Ok((channels, height, width))
            }
            shape => Err(self.refusal(format!("{what} needs a map, got {shape}"))),
        }
    }

    /// An error at the current scope, for whoever lowers something onto this graph and cannot.
    pub fn refusal(&self, problem: impl Into<String>) -> ShapeError {
        let scope = if self.scope.is_empty() { "network" } else { self.scope.trim_end_matches('/') };
        ShapeError { scope: scope.into(), problem: problem.into() }
    }

    /// Adds a node under the current scope, named by its primitive's kind, and infers its shape.
    ///
    /// # Errors
    /// [`ShapeError`] with the scope, the primitive and the shapes met, when they do not fit.
    pub fn add(&mut self, primitive: Primitive, inputs: &[Tensor]) -> Result<Tensor, ShapeError> {
        let kind = primitive.kind();
        self.add_named(kind, primitive, inputs)
    }

    /// Adds a node as `name` under the current scope; a name taken there already gets a number: `conv`, `conv.1`.
    ///
    /// # Errors
    /// As [`Graph::add`].
    pub fn add_named(
        &mut self,
        name: &str,
        primitive: Primitive,
        inputs: &[Tensor],
    ) -> Result<Tensor, ShapeError> {
        if inputs.iter().any(|input| input.0 >= self.nodes.len()) {
            return Err(self.refusal(format!("{primitive} reads a tensor of another graph")));
        }
        let shapes: Vec<Shape> = inputs.iter().map(|input| self.shape(*input)).collect();
        let shape = primitive.infer(&shapes).map_err(|problem| self.refusal(problem))?;
        if !primitive.within_limit(&shapes, shape) {
            let problem = format!(
                "{primitive} from {} to {shape} has more than {LIMIT} values; use fewer channels",
                shapes[0]
            );
            return Err(self.refusal(problem));
        }
        let scope = self.claim(name);
        self.nodes.push(Node { primitive, inputs: inputs.to_vec(), shape, scope, shares: None });
        Ok(Tensor(self.nodes.len() - 1))
    }

    /// Adds a node that does to another input what the node of `owner` does, with that one's parameters.
    ///
    /// # Errors
    /// [`ShapeError`] as [`Graph::add`], and where the input needs parameters of other shapes.
    pub fn add_shared(&mut self, name: &str, owner: Tensor, input: Tensor) -> Result<Tensor, ShapeError> {
        let Some(node) = self.nodes.get(owner.0) else {
            return Err(self.refusal(format!("{name} shares the parameters of another graph")));
        };
        let (primitive, owner) = (node.primitive.clone(), node.shares.unwrap_or(owner));
        let added = self.add_named(name, primitive, &[input])?;
        let (own, theirs) = (self.parameters_of(added.0), self.parameters_of(owner.0));
        if own != theirs {
            let shapes = (self.shape(input), self.nodes[owner.0].scope.clone());
            return Err(
                self.refusal(format!("{name} cannot share parameters with {} from {}", shapes.1, shapes.0))
            );
        }
        self.nodes[added.0].shares = Some(owner);
        Ok(added)
    }

    /// The sum of equal shapes; one tensor alone is its own sum.
    ///
    /// # Errors
    /// [`ShapeError`] where shapes differ or there is none.
    pub fn sum(&mut self, terms: &[Tensor]) -> Result<Tensor, ShapeError> {
        if let [single] = terms { Ok(*single) } else { self.add(Primitive::Add, terms) }
    }

    /// The concatenation along channels; one tensor alone is its own.
    ///
    /// # Errors
    /// [`ShapeError`] where heights or widths differ or there is none.
    pub fn concat(&mut self, parts: &[Tensor]) -> Result<Tensor, ShapeError> {
        if let [single] = parts { Ok(*single) } else { self.add(Primitive::Concat, parts) }
    }

    /// Runs `build` under `name`; scopes nest with `/`. A scope entered again under the same parent gets a number, so
    /// that no two nodes ever share one: `sep_conv_3x3`, `sep_conv_3x3.1`.
    pub fn scoped<R>(&mut self, name: impl AsRef<str>, build: impl FnOnce(&mut Graph) -> R) -> R {
        let inner = self.claim(name.as_ref()) + "/";
        let outer = std::mem::replace(&mut self.scope, inner);
        let result = build(self);
        self.scope = outer;
        result
    }

    fn claim(&mut self, name: &str) -> String {
        let wanted = format!("{}{name}", self.scope);
        let free = if self.taken.contains(&wanted) {
            let numbered = (1..).map(|number| format!("{wanted}.{number}"));
            numbered.into_iter().find(|scope| !self.taken.contains(scope)).unwrap_or_default()
        } else {
            wanted
        };
        self.taken.insert(free.clone());
        free
    }
}
