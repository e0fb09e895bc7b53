//! The cell: one directed acyclic graph with ops on its nodes, whatever notation it was written in.

use std::fmt;

use petgraph::Direction::{Incoming, Outgoing};
use petgraph::graph::{DiGraph, NodeIndex};

use super::EdgeInput;
use crate::op::Op;

/// A node of a cell. Edges carry tensors.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// What the cell reads: input 0 is the previous cell's output, input 1 the output of the cell before that one.
    Input(usize),
    /// An op; several edges into it mean that it reads their sum.
    Op(Op),
    /// The sum of its edges; without any, zeros.
    Add,
    /// The concatenation of its edges along channels, in the order of the nodes they come from.
    Concat,
}

/// Where a node stands in the notation that its cell was written in: names its parameters, so that a piece that two
/// cells share is named the same in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Place {
    /// Nowhere in particular: inputs, and joins of the whole cell.
    #[default]
    Whole,
    /// The sum of a block.
    Block(usize),
    /// The left branch of a block.
    Left(usize),
    /// The right branch of a block.
    Right(usize),
    /// A node that sums edges.
    Node(usize),
    /// The edge into a node (first) from another or from an input.
    Edge(usize, EdgeInput),
    /// A vertex of a matrix.
    Vertex(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Whole => f.write_str("cell"),
            Place::Block(block) => write!(f, "block{block}"),
            Place::Left(block) => write!(f, "block{block}/left"),
            Place::Right(block) => write!(f, "block{block}/right"),
            Place::Node(node) => write!(f, "node{node}"),
            Place::Edge(node, EdgeInput::PreviousCell) => write!(f, "node{node}/previous"),
            Place::Edge(node, EdgeInput::CellBefore) => write!(f, "node{node}/before"),
            Place::Edge(node, EdgeInput::Node(from)) => write!(f, "node{node}/node{from}"),
            Place::Vertex(vertex) => write!(f, "vertex{vertex}"),
        }
    }
}

/// How wide the nodes of a cell are, given the width `C` that the network asks of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Widths {
    /// Every op has `C` channels; inputs are brought to `C` before the cell (PNAS, DARTS, NAS-Bench-201).
    Equal,
    /// The output has `C` channels, split over the ops that it concatenates; an op is as wide as the widest that reads
    /// it, edges from the input are projected, and others cut to the reader's width (NAS-Bench-101).
    Split,
}

/// A cell: a directed acyclic graph with ops on nodes, one output, and one or two inputs.
///
/// Node indices are a topological order: every edge goes from a lower index to a higher one.
///
/// ```
/// use cellwright::architecture::{Cell, Node, Widths};
/// use cellwright::op::{Op, SkipConnect};
///
/// let mut cell = Cell::new(Widths::Equal);
/// let input = cell.add(Node::Input(0), &[]);
/// let skip = cell.add(Node::Op(Op::SkipConnect(SkipConnect::default())), &[input]);
/// let sum = cell.add(Node::Add, &[input, skip]);
/// cell.set_output(sum);
/// assert_eq!(cell.graph().edge_count(), 3);
/// assert_eq!(cell.sources(sum), [input, skip]);
/// ```
#[derive(Clone, Debug)]
pub struct Cell {
    graph: DiGraph<Node, ()>,
    /// Of every node, by index.
    places: Vec<Place>,
    output: NodeIndex,
    widths: Widths,
}

impl Cell {
    /// A cell without nodes.
    pub fn new(widths: Widths) -> Cell {
        Cell { graph: DiGraph::new(), places: vec![], output: NodeIndex::new(0), widths }
    }

    /// Adds a node that reads `sources`; the last node added is the output.
    ///
    /// # Panics
    /// Where a source was not added before.
    pub fn add(&mut self, node: Node, sources: &[NodeIndex]) -> NodeIndex {
        self.add_at(Place::Whole, node, sources)
    }

    /// [`Cell::add`] of a node that stands at `place`.
    ///
    /// # Panics
    /// Where a source was not added before.
    pub fn add_at(&mut self, place: Place, node: Node, sources: &[NodeIndex]) -> NodeIndex {
        let index = self.graph.add_node(node);
        self.places.push(place);
        for source in sources {
            assert!(*source < index, "a node reads nodes that were added before it");
            self.graph.add_edge(*source, index, ());
        }
        self.output = index;
        index
    }

    /// Says which node is the cell's output.
    pub fn set_output(&mut self, output: NodeIndex) {
        self.output = output;
    }

    /// The node whose tensor leaves the cell.
    pub fn output(&self) -> NodeIndex {
        self.output
    }

    /// Nodes and edges, for walking and drawing.
    pub fn graph(&self) -> &DiGraph<Node, ()> {
        &self.graph
    }

    /// Where a node stands in the notation that the cell was written in.
    pub fn place(&self, node: NodeIndex) -> Place {
        self.places[node.index()]
    }

    /// How wide the nodes are.
    pub fn widths(&self) -> Widths {
        self.widths
    }

    /// All nodes with their indices, in topological order.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeIndex, &Node)> {
        self.graph.node_indices().map(|index| (index, &self.graph[index]))
    }

    /// The input nodes, by index.
    pub fn inputs(&self) -> impl Iterator<Item = NodeIndex> + '_ {
        self.nodes().filter(|(_, node)| matches!(node, Node::Input(_))).map(|(index, _)| index)
    }

    /// The number of the cell's inputs, read or not: 2 where any node is input 1.
    pub fn arity(&self) -> usize {
        let numbers =
            self.nodes().filter_map(|(_, node)| if let Node::Input(n) = node { Some(n + 1) } else { None });
        numbers.max().unwrap_or(0)
    }

    /// What a node reads, sorted; a source read twice is there twice.
    pub fn sources(&self, node: NodeIndex) -> Vec<NodeIndex> {
        let mut sources: Vec<_> = self.graph.neighbors_directed(node, Incoming).collect();
        sources.sort_unstable();
        sources
    }

    /// Who reads a node, sorted; a reader that reads it twice is there twice.
    pub fn readers(&self, node: NodeIndex) -> Vec<NodeIndex> {
        let mut readers: Vec<_> = self.graph.neighbors_directed(node, Outgoing).collect();
        readers.sort_unstable();
        readers
    }

    /// A node as a drawing names it: `previous cell`, `sep conv 5x5`, `add`, `concat`.
    pub fn label(&self, node: NodeIndex) -> String {
        match &self.graph[node] {
            Node::Input(0) if self.arity() < 2 => "input".to_owned(),
            Node::Input(0) => "previous cell".to_owned(),
            Node::Input(1) => "cell before".to_owned(),
            Node::Input(n) => format!("input {n}"),
            Node::Op(op) => op.label(),
            Node::Add => "add".to_owned(),
            Node::Concat => "concat".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::SkipConnect;

    #[test]
    fn labels_say_what_is_drawn() {
        let mut cell = Cell::new(Widths::Equal);
        let previous = cell.add(Node::Input(0), &[]);
        assert_eq!(cell.label(previous), "input");
        let before = cell.add(Node::Input(1), &[]);
        let skip = cell.add(Node::Op(Op::SkipConnect(SkipConnect::default())), &[previous]);
        let add = cell.add(Node::Add, &[skip, before, before]);
        let labels: Vec<_> = cell.graph().node_indices().map(|node| cell.label(node)).collect();
        assert_eq!(labels, ["previous cell", "cell before", "skip connect", "add"]);
        assert_eq!(cell.sources(add), [before, before, skip]);
        assert_eq!((cell.output(), cell.arity()), (add, 2));
    }

    #[test]
    #[should_panic(expected = "added before it")]
    fn edges_go_forward_only() {
        Cell::new(Widths::Equal).add(Node::Add, &[NodeIndex::new(0)]);
    }
}
