//! Architectures: cells as graphs of ops, and how cells are stacked into a network.

mod cell;

pub use cell::{Cell, Node, Widths};

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
