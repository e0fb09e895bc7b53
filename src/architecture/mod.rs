//! Architectures: cells as graphs of ops, and how cells, stages and layers make a network.
//!
//! A cell is written in the notation of its paper ([`Wiring`]) and becomes a [`Cell`], the one graph type that pruning,
//! canonical keys, lowering and drawings know.

mod blocks;
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
use crate::ir::{Graph, ShapeError};
use crate::op::{Op, Site};

/// A network, as RON writes it.
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
        match self {
            Architecture::Stacked(stacked) => stacked.graph(task),
            Architecture::Staged(staged) => staged.graph(task),
            Architecture::Sequential(ops) => sequential(ops, task),
        }
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

fn sequential(ops: &[Op], task: &Task) -> Result<Graph, ShapeError> {
    let mut graph = Graph::new(task.shape());
    let mut x = graph.input();
    for (index, op) in ops.iter().enumerate() {
        let site = Site { channels: None, stride: 1, depth: (index + 1) as f64 / ops.len() as f64 };
        x = graph.scoped(format!("layers.{index}"), |graph| op.lower(graph, x, site))?;
    }
    Head::default().lower(&mut graph, x, task.classes)?;
    Ok(graph)
}

/// Reads a number between 1 and `MOST`: so many layers that a network could never be built are refused when read.
fn count<'de, const MOST: usize, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let count = usize::deserialize(deserializer)?;
    if (1..=MOST).contains(&count) {
        return Ok(count);
    }
    Err(D::Error::custom(format!("{count} is not between 1 and {MOST}")))
}
