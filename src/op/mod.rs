//! The ops that spaces choose between: one file each, named as in the papers.
//!
//! An op says once what it is made of ([`Lower::lower`]); shapes, cost, training and every export follow from that.
//! To add one: write `x.rs`, and add its `mod` line and its line in the table below.

use crate::family::family;
use crate::ir::{Graph, ShapeError, Tensor};

/// Where an op stands: what the architecture asks of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Site {
    /// Output channels the architecture wants here; an op's own `channels` field goes before it; without either the
    /// op keeps its input's channels.
    pub channels: Option<usize>,
    /// Stride the architecture wants here, 1 or 2; an op's own `stride` field goes before it.
    pub stride: usize,
    /// How deep in the network this is, in (0, 1]: the `depth` of an op's own residual [`DropPath`](crate::ir::Primitive::DropPath).
    pub depth: f64,
}

/// What an op means to the graph round it, for pruning and for canonical keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Passes its input on (at stride 1 and with equal channels).
    Identity,
    /// Yields zeros.
    Zero,
    /// Anything else.
    Computes,
}

/// What an op is made of.
pub trait Lower {
    /// Adds the op's primitives to `graph`, reading `input`, and returns its output.
    ///
    /// # Errors
    /// [`ShapeError`] where the input's shape does not suit the op.
    fn lower(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError>;

    /// What the op means to the graph round it.
    fn meaning(&self) -> Meaning {
        Meaning::Computes
    }
}

mod skip_connect;
pub use skip_connect::SkipConnect;

family! {
    /// An op with its configuration.
    pub enum Op: Lower {
        /// Identity; at stride 2 or where channels change, a strided projection.
        SkipConnect(SkipConnect) = "skip_connect",
    }
}
