//! A cell as primitives, at one place of a network.

use petgraph::graph::NodeIndex;

use super::{Cell, Node, Widths};
use crate::ir::{Graph, Primitive, Shape, ShapeError, Tensor};
use crate::op::{ConvBnRelu, Lower, Meaning, Site};

/// Where a cell stands in its network.
#[derive(Clone, Copy, Debug)]
pub(super) struct CellSite {
    /// The width that the network asks of it.
    pub channels: usize,
    /// Stride of the ops that read the cell's inputs.
    pub stride: usize,
    /// How deep in the network it stands, in (0, 1].
    pub depth: f64,
}

impl Cell {
    /// Adds the cell's primitives to `graph`; `inputs` are the previous cell's output and the one before.
    pub(super) fn lower(
        &self,
        graph: &mut Graph,
        inputs: &[Tensor],
        site: CellSite,
    ) -> Result<Tensor, ShapeError> {
        let mut lowering =
            Lowering { cell: self, inputs, site, widths: self.widths_at(site.channels), tensors: vec![] };
        for (index, node) in self.nodes() {
            let tensor = lowering.node(graph, index, node)?;
            lowering.tensors.push(tensor);
        }
        Ok(lowering.tensors[self.output().index()])
    }

    /// The width of every node.
    fn widths_at(&self, channels: usize) -> Vec<usize> {
        let mut widths = vec![channels; self.graph().node_count()];
        if self.widths() == Widths::Equal {
            return widths;
        }
        for index in (0..widths.len()).rev().map(NodeIndex::new) {
            let readers =
                self.readers(index).into_iter().filter(|reader| matches!(self.graph()[*reader], Node::Op(_)));
            match &self.graph()[index] {
                // What the output does not concatenate is as wide as the widest that reads it.
                Node::Op(_) => {
                    widths[index.index()] =
                        readers.map(|reader| widths[reader.index()]).max().unwrap_or(channels)
                }
                // Comes before its parts in this order; the first parts take what is left over.
                Node::Concat | Node::Add | Node::Input(_) => {}
            }
            if let Some((place, parts)) = self.share_of_output(index) {
                widths[index.index()] = channels / parts + usize::from(place < channels % parts);
            }
        }
        widths
    }

    /// Where the concatenation reads this node: which of how many parts it is.
    fn share_of_output(&self, index: NodeIndex) -> Option<(usize, usize)> {
        let concat = self.readers(index).into_iter().find(|reader| self.graph()[*reader] == Node::Concat)?;
        let parts = self.sources(concat);
        Some((parts.iter().position(|part| *part == index)?, parts.len()))
    }

    /// Whether a sum reads this node: a branch beside others, that stochastic depth may drop.
    fn is_branch(&self, index: NodeIndex) -> bool {
        let sums = |reader: NodeIndex| self.graph()[reader] != Node::Concat && self.sources(reader).len() > 1;
        self.readers(index).into_iter().any(sums)
    }
}

struct Lowering<'a> {
    cell: &'a Cell,
    inputs: &'a [Tensor],
    site: CellSite,
    widths: Vec<usize>,
    /// Of the nodes so far, by index.
    tensors: Vec<Tensor>,
}

impl Lowering<'_> {
    fn node(&self, graph: &mut Graph, index: NodeIndex, node: &Node) -> Result<Tensor, ShapeError> {
        match node {
            Node::Input(number) => self.inputs.get(*number).copied().ok_or_else(|| {
                graph.refusal(format!(
                    "the cell reads input {number}, the network has {} for it",
                    self.inputs.len()
                ))
            }),
            Node::Op(_) => graph.scoped(self.cell.place(index).to_string(), |graph| self.op(graph, index)),
            Node::Add if self.cell.sources(index).is_empty() => self.zeros(graph),
            Node::Add => {
                let terms = self.read(graph, index)?;
                graph.sum(&terms)
            }
            Node::Concat => {
                let parts = self.read(graph, index)?;
                graph.concat(&parts)
            }
        }
    }

    fn op(&self, graph: &mut Graph, index: NodeIndex) -> Result<Tensor, ShapeError> {
        let Node::Op(op) = &self.cell.graph()[index] else { return self.zeros(graph) };
        let terms = self.read(graph, index)?;
        let input = graph.sum(&terms)?;
        let reads_input = self
            .cell
            .sources(index)
            .iter()
            .all(|source| matches!(self.cell.graph()[*source], Node::Input(_)));
        let strides = reads_input && self.cell.widths() == Widths::Equal;
        let stride = if strides { self.site.stride } else { 1 };
        let site = Site { channels: Some(self.widths[index.index()]), stride, depth: self.site.depth };
        let output = op.lower(graph, input, site)?;
        if op.meaning() == Meaning::Computes && self.cell.is_branch(index) {
            return graph.add(Primitive::DropPath { depth: self.site.depth }, &[output]);
        }
        Ok(output)
    }

    /// What a node reads, as wide as it needs them.
    fn read(&self, graph: &mut Graph, index: NodeIndex) -> Result<Vec<Tensor>, ShapeError> {
        let sources = self.cell.sources(index);
        if self.cell.widths() == Widths::Equal || self.cell.graph()[index] == Node::Concat {
            return Ok(sources.iter().map(|source| self.tensors[source.index()]).collect());
        }
        sources.iter().map(|source| self.fit(graph, *source, self.widths[index.index()])).collect()
    }

    /// A source at a given width: the cell's input is projected, a wider op is cut.
    fn fit(&self, graph: &mut Graph, source: NodeIndex, width: usize) -> Result<Tensor, ShapeError> {
        let tensor = self.tensors[source.index()];
        match &self.cell.graph()[source] {
            Node::Input(_) => {
                let site = Site { channels: Some(width), stride: self.site.stride, depth: self.site.depth };
                let projection = ConvBnRelu { kernel: 1, ..ConvBnRelu::default() };
                graph.scoped("project", |graph| projection.build(graph, tensor, site))
            }
            _ if graph.shape(tensor).channels() > width => {
                graph.add(Primitive::Slice { start: 0, end: width }, &[tensor])
            }
            _ => Ok(tensor),
        }
    }

    fn zeros(&self, graph: &mut Graph) -> Result<Tensor, ShapeError> {
        let Some(input) = self.inputs.first() else { return Err(graph.refusal("the cell reads no input")) };
        let Shape::Map { .. } = graph.shape(*input) else {
            return Err(graph.refusal("a cell needs maps as inputs"));
        };
        graph.add(Primitive::Zero { channels: self.site.channels, stride: self.site.stride }, &[*input])
    }
}
