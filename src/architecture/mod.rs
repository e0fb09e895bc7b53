//! Architectures: cells as graphs of ops, and how cells, stages and layers make a network.
//!
//! A cell is written in the notation of its paper ([`Wiring`]) and becomes a [`Cell`], the one graph type that pruning,
//! canonical keys, lowering and drawings know.

mod blocks;
mod body;
mod canonical;
mod cell;
mod edges;
mod ends;
mod lower;
mod matrix;
mod prune;
mod stacked;
mod staged;
mod wiring;

pub use blocks::{Block, BlockInput, Blocks, Branch};
pub use body::Body;
pub use cell::{Cell, Node, Place, Widths};
pub use edges::{Edge, EdgeInput, Edges};
pub use ends::{Head, Stem};
pub use matrix::{MAX_EDGES, MAX_VERTICES, Matrix};
pub use stacked::{Reduction, Stacked};
pub use staged::{Stage, Staged};
pub use wiring::{Wiring, WiringError};

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};

use crate::candidate::Task;
use crate::ir::{Graph, Shape, ShapeError, Tensor};
use crate::op::{Op, Site};

/// A network, as RON writes it.
///
/// ```
/// use cellwright::Task;
/// use cellwright::architecture::Architecture;
/// use cellwright::symbolic::{Sources, from_value};
///
/// let text = "Stacked(
///     cell: Blocks([
///         Block(
///             left: Branch(input: PreviousCell, op: SepConv(kernel: 3)),
///             right: Branch(input: CellBefore, op: SkipConnect),
///         ),
///     ]),
///     stages: 2, repeats: 3, channels: 16,
/// )";
/// let network: Architecture = from_value(&Sources::default().read("network.ron", text)?)?;
/// let graph = network.graph(&Task { input: (3, 32, 32), classes: 10 })?;
/// assert_eq!(graph.shape(graph.output()).to_string(), "[10]");
/// assert_eq!(network.cells().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Architecture {
    /// Stages of equal cells.
    Stacked(Stacked),
    /// Stages of one op each.
    Staged(Staged),
    /// Ops one after another, then global pooling and a classifier.
    Sequential(Vec<Op>),
}

impl Architecture {
    /// The network as primitives.
    ///
    /// # Errors
    /// Where a layer's input has a shape that it cannot take.
    pub fn graph(&self, task: &Task) -> Result<Graph, ShapeError> {
        let mut body = self.body(task.shape())?;
        let logits = self.lower_head(&mut body, task.classes)?;
        Ok(body.ending_in(logits))
    }

    /// The network without its head, for pictures or maps of this shape.
    ///
    /// # Errors
    /// As [`Architecture::graph`].
    pub fn body(&self, input: Shape) -> Result<Body, ShapeError> {
        match self {
            Architecture::Stacked(stacked) => stacked.body(input),
            Architecture::Staged(staged) => staged.body(input),
            Architecture::Sequential(ops) => sequential(ops, input),
        }
    }

    /// Puts the network's own head on its body, for so many classes; returns the logits.
    ///
    /// # Errors
    /// As [`Architecture::graph`].
    pub fn lower_head(&self, body: &mut Body, classes: usize) -> Result<Tensor, ShapeError> {
        let head = match self {
            Architecture::Stacked(stacked) => stacked.head.clone(),
            Architecture::Staged(staged) => staged.widened_head(),
            Architecture::Sequential(_) => Head::default(),
        };
        head.lower(body, classes)
    }

    /// The cells of the network, each with its name: what drawings show. None for networks that have no cell.
    pub fn cells(&self) -> Vec<(&'static str, Cell)> {
        let Architecture::Stacked(stacked) = self else { return vec![] };
        match stacked.reduction_cell() {
            Some(reduction) => vec![("normal", stacked.cell.cell()), ("reduction", reduction)],
            None => vec![("cell", stacked.cell.cell())],
        }
    }

    /// 32 hexadecimal digits that equal networks share, and networks that differ only by the names of a cell's nodes.
    ///
    /// Cells are compared by their graphs without dead nodes. A cell that stands at stride 1 only is
    /// [simplified](Cell::simplified) before: there a skip is nothing but an edge. Everything else must be equal.
    pub fn key(&self) -> String {
        let mut form = Vec::with_capacity(1024);
        match self {
            Architecture::Stacked(stacked) => stacked.write_form(&mut form),
            other => serde_json::to_writer(&mut form, other).expect("networks are plain data"),
        }
        canonical::hash(&form)
    }
}

impl Stacked {
    /// Everything that tells two networks apart: the cells' canonical forms, then the rest as JSON.
    fn write_form(&self, form: &mut Vec<u8>) {
        let normal = self.cell.cell();
        let normal = if self.keeps_resolution() { normal.simplified() } else { normal };
        form.extend(normal.canonical_form());
        let reduction = match &self.reduction {
            Reduction::Cell(wiring) => {
                form.extend(wiring.cell().canonical_form());
                None
            }
            other => Some(other),
        };
        let rest = (&self.stem, reduction, self.stages, self.repeats, self.channels, &self.head);
        serde_json::to_writer(form, &rest).expect("networks are plain data");
    }
}

/// Says that an auxiliary classifier may look at this layer's output, if it is the one at two thirds of the depth and a
/// map ([Zoph et al. 2018](https://arxiv.org/abs/1707.07012)).
fn mark_auxiliary(graph: &mut Graph, output: Tensor, layer: usize, layers: usize) {
    if layer == (2 * layers - 1) / 3 && matches!(graph.shape(output), Shape::Map { .. }) {
        graph.set_auxiliary(output);
    }
}

fn sequential(ops: &[Op], input: Shape) -> Result<Body, ShapeError> {
    let mut body = Body::new(input);
    for (index, op) in ops.iter().enumerate() {
        let site = Site { channels: None, stride: 1, depth: (index + 1) as f64 / ops.len() as f64 };
        let x = body.last();
        let x = body.graph.scoped(format!("layers.{index}"), |graph| op.lower(graph, x, site))?;
        mark_auxiliary(&mut body.graph, x, index, ops.len());
        body.layers.push(x);
    }
    Ok(body)
}

/// Reads a number between 1 and `MOST`: so many layers that a network could never be built are refused when read.
fn count<'de, const MOST: usize, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let count = usize::deserialize(deserializer)?;
    if (1..=MOST).contains(&count) {
        return Ok(count);
    }
    Err(D::Error::custom(format!("{count} is not between 1 and {MOST}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Primitive;

    const TASK: Task = Task { input: (3, 9, 9), classes: 4 };

    fn read(text: &str) -> Architecture {
        let extensions =
            ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES | ron::extensions::Extensions::IMPLICIT_SOME;
        ron::Options::default().with_default_extension(extensions).from_str(text).expect("a network")
    }

    fn pnas(left: &str, right: &str, more: &str) -> Architecture {
        read(&format!(
            "Stacked(
                cell: Blocks([(left: (input: {left}), right: (input: {right}))]),
                stages: 2, repeats: 1, channels: 6, {more}
            )"
        ))
    }

    const SKIP: &str = "CellBefore, op: SkipConnect()";
    const CONV: &str = "PreviousCell, op: ReluConvBn(kernel: 3)";

    #[test]
    fn cells_halve_the_resolution_and_double_the_width_from_stage_to_stage() {
        let graph = pnas(SKIP, CONV, "").graph(&TASK).expect("fits");
        let shapes: Vec<_> = (0..3)
            .map(|cell| {
                let scope = format!("cells.{cell}/");
                let last = graph.nodes().iter().rev().find(|node| node.scope.starts_with(&scope));
                last.expect("the cell has nodes").shape
            })
            .collect();
        let map = |channels, side| Shape::Map { channels, height: side, width: side };
        assert_eq!(shapes, [map(6, 9), map(12, 5), map(12, 5)]);
        assert_eq!(graph.shape(graph.output()), Shape::Flat(4));
        let halved =
            graph.nodes().iter().filter(|node| matches!(node.primitive, Primitive::Shift { .. })).count();
        // The skip of the strided cell, and what the cell after it reads from before.
        assert_eq!(halved, 2);
    }

    #[test]
    fn a_second_classifier_looks_at_two_thirds_of_the_depth() {
        let place = |architecture: Architecture| {
            let graph = architecture.graph(&TASK).expect("fits");
            graph.auxiliary().map(|place| graph.nodes()[place.index()].scope.clone())
        };
        let scope = |text| place(read(text)).unwrap_or_default();
        // 20 cells as DARTS has them on CIFAR-10: 6 a stage, one of each reduction between.
        let darts =
            "Stacked(cell: Edges([[(from: PreviousCell, op: Conv())]]), stages: 3, repeats: 6, channels: 2)";
        assert!(scope(darts).starts_with("cells.13/"), "{}", scope(darts));
        let layers = "Sequential([Conv(), Conv(), Conv()])";
        assert!(scope(layers).starts_with("layers.1/"), "{}", scope(layers));
        assert_eq!(place(read("Sequential([Conv(), Flatten(), Linear(features: 4)])")), None);
        assert_eq!(place(read("Sequential([])")), None);
    }

    #[test]
    fn branches_that_compute_can_be_dropped_more_often_the_deeper_they_are() {
        let graph = pnas(SKIP, CONV, "").graph(&TASK).expect("fits");
        let depths: Vec<_> = graph
            .nodes()
            .iter()
            .filter_map(
                |node| if let Primitive::DropPath { depth } = node.primitive { Some(depth) } else { None },
            )
            .collect();
        assert_eq!(depths, [1.0 / 3.0, 2.0 / 3.0, 1.0]);
    }

    #[test]
    fn isomorphic_networks_share_a_key() {
        assert_eq!(pnas(SKIP, CONV, "").key(), pnas(CONV, SKIP, "").key());
        assert_ne!(pnas(SKIP, CONV, "").key(), pnas(SKIP, CONV, "stem: (channels: 5),").key());
        assert_ne!(pnas(SKIP, CONV, "").key(), pnas(SKIP, SKIP, "").key());
        assert_ne!(read("Sequential([Conv()])").key(), read("Sequential([])").key());
    }

    #[test]
    fn a_skip_is_an_edge_only_where_it_never_strides() {
        let cells = |reduction: &str| {
            let network = |cell: &str| {
                read(&format!("Stacked(cell: {cell}, stages: 2, repeats: 1, channels: 6, {reduction})"))
            };
            let straight = network("Edges([[(from: PreviousCell, op: Conv())]])");
            let skipped = "Edges([[(from: PreviousCell, op: SkipConnect())], [(from: Node(1), op: Conv())]])";
            (straight.key(), network(skipped).key())
        };
        let (straight, skipped) = cells("reduction: Op(MaxPool(kernel: 2))");
        assert_eq!(straight, skipped);
        let (straight, skipped) = cells("reduction: SameCell");
        assert_ne!(straight, skipped);
    }

    #[test]
    fn what_cannot_be_built_says_where_and_why() {
        let error =
            read("Stacked(cell: Matrix(adjacency: [[0]], ops: []), repeats: 1, channels: 6)").graph(&TASK);
        assert_eq!(
            error.unwrap_err().to_string(),
            "network: no path leads from the input to the output of the matrix"
        );
        let narrow = pnas(SKIP, CONV, "stem: (cells: 3),").graph(&TASK).unwrap_err();
        assert!(narrow.to_string().starts_with("cells.0/previous"), "{narrow}");
    }

    #[test]
    fn absurd_numbers_are_refused_when_read() {
        let cell = "Edges([[(from: PreviousCell, op: SkipConnect(()))]])";
        let error =
            ron::from_str::<Stacked>(&format!("(cell: {cell}, repeats: 1000000, channels: 6)")).unwrap_err();
        assert!(error.to_string().contains("1000000 is not between 1 and 1024"), "{error}");
        let error = ron::from_str::<Stem>("(kernel: 0)").unwrap_err();
        assert!(error.to_string().contains("0 is not between 1 and 16"), "{error}");
    }
}
