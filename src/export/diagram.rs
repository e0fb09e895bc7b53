//! What a drawing of a network shows, whatever draws it: boxes of a kind, and edges between them.

use crate::architecture::{Cell, Node};
use crate::ir::{Graph, Primitive, Shape};
use crate::op::{Meaning, Op, Site};

/// One picture of a drawing: a cell, or the whole network as a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Diagram {
    /// What the picture shows.
    pub(super) title: String,
    /// The boxes, in topological order.
    pub(super) items: Vec<Item>,
    /// `(from, to)`, from lower to higher indices.
    pub(super) edges: Vec<(usize, usize)>,
}

/// A box of a diagram.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    /// Its name.
    pub(super) label: String,
    /// A second line, smaller; empty for none.
    pub(super) detail: String,
    /// What it is.
    pub(super) kind: Kind,
}

/// What a box is: gives it its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Where tensors come from or go to.
    End,
    /// A cell of a network.
    Cell,
    /// A sum.
    Add,
    /// A concatenation.
    Concat,
    /// Plain convolutions.
    Convolution,
    /// Depthwise convolutions.
    Separable,
    /// Convolutions with holes.
    Dilated,
    /// A block with a residual or a gate of its own.
    Block,
    /// A window's maximum or mean.
    Pool,
    /// A linear layer.
    Linear,
    /// Nothing but elementwise.
    Pointwise,
    /// The input as it is.
    Identity,
    /// Zeros.
    Zero,
}

impl Kind {
    /// The kind in one word, for style sheets.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::End => "end",
            Kind::Cell => "cell",
            Kind::Add => "add",
            Kind::Concat => "concat",
            Kind::Convolution => "convolution",
            Kind::Separable => "separable",
            Kind::Dilated => "dilated",
            Kind::Block => "block",
            Kind::Pool => "pool",
            Kind::Linear => "linear",
            Kind::Pointwise => "pointwise",
            Kind::Identity => "identity",
            Kind::Zero => "zero",
        }
    }

    /// The kind of an op follows from what it is made of, so that new ops have a colour without anybody's doing.
    pub(super) fn of(op: &Op) -> Kind {
        match op.meaning() {
            Meaning::Identity => Kind::Identity,
            Meaning::Zero => Kind::Zero,
            Meaning::Computes => Kind::of_primitives(&primitives(op)),
        }
    }

    fn of_primitives(primitives: &[Primitive]) -> Kind {
        let any = |is: fn(&Primitive) -> bool| primitives.iter().any(is);
        if any(|primitive| matches!(primitive, Primitive::Add | Primitive::Mul)) {
            Kind::Block
        } else if any(|primitive| matches!(primitive, Primitive::Conv(conv) if conv.dilation > 1)) {
            Kind::Dilated
        } else if any(|primitive| matches!(primitive, Primitive::Conv(conv) if conv.groups > 1)) {
            Kind::Separable
        } else if any(|primitive| matches!(primitive, Primitive::Conv(_))) {
            Kind::Convolution
        } else if any(|primitive| matches!(primitive, Primitive::Linear { .. })) {
            Kind::Linear
        } else if any(|p| {
            matches!(p, Primitive::MaxPool(_) | Primitive::AvgPool { .. } | Primitive::GlobalAvgPool)
        }) {
            Kind::Pool
        } else {
            Kind::Pointwise
        }
    }
}

/// What an op is made of at a usual place: on a map, or on a vector where it cannot read a map.
fn primitives(op: &Op) -> Vec<Primitive> {
    let lower = |shape: Shape| {
        let mut graph = Graph::new(shape);
        let input = graph.input();
        op.lower(&mut graph, input, Site { channels: Some(shape.channels()), stride: 1, depth: 1.0 }).ok()?;
        Some(graph.nodes().iter().map(|node| node.primitive.clone()).collect())
    };
    lower(Shape::Map { channels: 16, height: 32, width: 32 })
        .or_else(|| lower(Shape::Flat(16)))
        .unwrap_or_default()
}

impl Diagram {
    /// A cell with its inputs on top and what it hands on below.
    pub(super) fn of_cell(title: &str, cell: &Cell) -> Diagram {
        let mut items: Vec<Item> = cell.nodes().map(|(index, node)| item(cell.label(index), node)).collect();
        let ends = cell.graph().edge_indices().filter_map(|edge| cell.graph().edge_endpoints(edge));
        let mut edges: Vec<(usize, usize)> = ends.map(|(from, to)| (from.index(), to.index())).collect();
        edges.push((cell.output().index(), items.len()));
        items.push(Item { label: "output".to_string(), detail: String::new(), kind: Kind::End });
        edges.sort_unstable();
        let title = if title.ends_with("cell") { title.to_string() } else { format!("{title} cell") };
        Diagram { title, items, edges }
    }
}

fn item(label: String, node: &Node) -> Item {
    let kind = match node {
        Node::Input(_) => Kind::End,
        Node::Op(op) => Kind::of(op),
        Node::Add => Kind::Add,
        Node::Concat => Kind::Concat,
    };
    Item { label, detail: String::new(), kind }
}
