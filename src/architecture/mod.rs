//! Architectures: cells as graphs of ops, and how cells are stacked into a network.

mod blocks;
mod canonical;
mod cell;
mod edges;
mod matrix;
mod prune;
mod wiring;

pub use blocks::{Block, BlockInput, Blocks, Branch};
pub use cell::{Cell, Node, Widths};
pub use edges::{Edge, EdgeInput, Edges};
pub use matrix::{MAX_EDGES, MAX_VERTICES, Matrix};
pub use wiring::{Wiring, WiringError};

use serde::{Deserialize, Serialize};

use crate::candidate::Task;
use crate::ir::{Graph, ShapeError};
use crate::op::Op;

/// A network, as RON writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Architecture {
    /// Ops one after another, then global pooling and a classifier.
    Sequential(Vec<Op>),
}

impl Architecture {
    /// The network as primitives.
    ///
    /// # Errors
    /// Where a layer's input has a shape that it cannot take.
    pub fn graph(&self, task: &Task) -> Result<Graph, ShapeError> {
        let _ = task;
        todo!()
    }

    /// The cells of the network, each with its name: what drawings show. None for networks that have no cell.
    pub fn cells(&self) -> Vec<(&'static str, Cell)> {
        Vec::new()
    }
}
