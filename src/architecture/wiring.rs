//! The notations that a cell can be written in.

use serde::{Deserialize, Serialize};

use super::{Blocks, Cell, Edges, Matrix};

/// A cell as RON writes it, in the notation of its paper; all of them become a [`Cell`].
///
/// ```
/// use cellwright::architecture::Wiring;
///
/// let edges: Wiring = ron::from_str("Edges([[(from: PreviousCell, op: SkipConnect(()))]])")?;
/// let blocks: Wiring = ron::from_str(
///     "Blocks([(left: (input: PreviousCell, op: SkipConnect(())), right: (input: CellBefore, op: SkipConnect(())))])",
/// )?;
/// assert_eq!((edges.cell().arity(), blocks.cell().arity()), (1, 2));
/// # Ok::<(), ron::error::SpannedError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Wiring {
    /// Blocks of two branches, all of them concatenated: PNAS.
    Blocks(Blocks),
    /// Blocks of two branches; those that no block reads are concatenated: NASNet, AmoebaNet.
    LooseBlocks(Blocks),
    /// An adjacency matrix with ops on vertices: NAS-Bench-101.
    Matrix(Matrix),
    /// Nodes as sums of edges with ops; the last node is the output: NAS-Bench-201.
    Edges(Edges),
    /// Nodes as sums of edges with ops, all of them concatenated: DARTS.
    ConcatEdges(Edges),
}

/// A cell that does not hold together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WiringError(pub String);

impl Wiring {
    /// Whether the notation's own rules allow the cell.
    ///
    /// # Errors
    /// As [`Matrix::check`]; the other notations hold only cells.
    pub fn check(&self) -> Result<(), WiringError> {
        if let Wiring::Matrix(matrix) = self { matrix.check() } else { Ok(()) }
    }

    /// The cell as a graph.
    pub fn cell(&self) -> Cell {
        match self {
            Wiring::Blocks(blocks) => blocks.cell(),
            Wiring::LooseBlocks(blocks) => blocks.loose_cell(),
            Wiring::Matrix(matrix) => matrix.cell(),
            Wiring::Edges(edges) => edges.cell(),
            Wiring::ConcatEdges(edges) => edges.concat_cell(),
        }
    }
}
