//! Cells as adjacency matrices with ops on vertices, as in NAS-Bench-101 (<https://arxiv.org/abs/1902.09635>).

use serde::{Deserialize, Serialize};

use super::{Cell, Node, Place, Widths, WiringError};
use crate::op::Op;

/// The most vertices of a cell, its input and output included.
pub const MAX_VERTICES: usize = 7;
/// The most edges of a cell, counted after vertices that lead nowhere are removed.
pub const MAX_EDGES: usize = 9;

/// Vertices in topological order (the cell's input, one vertex an op, the cell's output) and the edges between them.
///
/// ```
/// use cellwright::architecture::Matrix;
///
/// // input -> op -> output, and input -> output
/// let matrix: Matrix = ron::from_str("(adjacency: [[1, 1], [1]], ops: [SkipConnect(())])")?;
/// assert_eq!(matrix.cell().graph().edge_count(), 4);
/// # Ok::<(), ron::error::SpannedError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Matrix(Written);

/// The matrix as RON writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Matrix", deny_unknown_fields)]
struct Written {
    /// Above the diagonal: row `i` holds a 0 or 1 for every vertex after vertex `i`.
    adjacency: Vec<Vec<u8>>,
    /// The ops of the vertices between input and output.
    ops: Vec<Op>,
}

impl From<Matrix> for Written {
    fn from(matrix: Matrix) -> Written {
        matrix.0
    }
}

impl TryFrom<Written> for Matrix {
    type Error = WiringError;

    fn try_from(written: Written) -> Result<Matrix, WiringError> {
        check_form(&written).map_err(WiringError)?;
        Ok(Matrix(written))
    }
}

fn check_form(written: &Written) -> Result<(), String> {
    let vertices = written.ops.len() + 2;
    if vertices > MAX_VERTICES {
        return Err(format!("the matrix has {vertices} vertices; at most {MAX_VERTICES} are allowed"));
    }
    if written.adjacency.len() != vertices - 1 {
        let (rows, ops) = (written.adjacency.len(), vertices - 2);
        return Err(format!(
            "the adjacency has {rows} rows; {ops} ops, an input and an output need {}",
            vertices - 1
        ));
    }
    for (index, row) in written.adjacency.iter().enumerate() {
        let expected = vertices - 1 - index;
        if row.len() != expected {
            return Err(format!(
                "row {index} of the adjacency has {} entries; {expected} vertices come after vertex {index}",
                row.len()
            ));
        }
        if let Some(entry) = row.iter().find(|entry| **entry > 1) {
            return Err(format!("row {index} of the adjacency holds {entry}; an entry is 0 or 1"));
        }
    }
    Ok(())
}

impl Matrix {
    /// A matrix from the rows above the diagonal and the ops of the inner vertices.
    ///
    /// # Errors
    /// Where rows and ops do not fit together.
    pub fn new(adjacency: Vec<Vec<u8>>, ops: Vec<Op>) -> Result<Matrix, WiringError> {
        Matrix::try_from(Written { adjacency, ops })
    }

    /// Whether the matrix is a cell of NAS-Bench-101. Most random matrices are not: they are no mistake, but no network.
    ///
    /// # Errors
    /// Where nothing connects input and output, or more than [`MAX_EDGES`] edges remain.
    pub fn check(&self) -> Result<(), WiringError> {
        let alive = self.alive();
        if !alive[0] {
            return Err(WiringError("no path leads from the input to the output of the matrix".into()));
        }
        let edges = self.edges().filter(|(from, to)| alive[*from] && alive[*to]).count();
        if edges > MAX_EDGES {
            return Err(WiringError(format!(
                "the matrix has {edges} edges that matter; at most {MAX_EDGES} are allowed"
            )));
        }
        Ok(())
    }

    /// The cell, without the vertices that are on no path from input to output.
    pub fn cell(&self) -> Cell {
        let last = self.0.ops.len() + 1;
        let alive = self.alive();
        let mut cell = Cell::new(Widths::Split);
        let mut nodes = vec![cell.add(Node::Input(0), &[]); last + 1];
        for (index, op) in self.0.ops.iter().enumerate().filter(|(index, _)| alive[index + 1]) {
            let sources: Vec<_> = (0..=index)
                .filter(|from| alive[*from] && self.has(*from, index + 1))
                .map(|from| nodes[from])
                .collect();
            nodes[index + 1] = cell.add_at(Place::Vertex(index + 1), Node::Op(op.clone()), &sources);
        }
        let joined: Vec<_> =
            (1..last).filter(|from| alive[*from] && self.has(*from, last)).map(|from| nodes[from]).collect();
        let mut output = vec![];
        if !joined.is_empty() {
            output.push(cell.add(Node::Concat, &joined));
        }
        if self.has(0, last) {
            output.insert(0, nodes[0]);
        }
        if self.has(0, last) || joined.is_empty() {
            cell.add(Node::Add, &output);
        }
        cell
    }

    fn has(&self, from: usize, to: usize) -> bool {
        self.0.adjacency[from][to - from - 1] == 1
    }

    fn edges(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let vertices = self.0.ops.len() + 2;
        (0..vertices)
            .flat_map(move |from| (from + 1..vertices).map(move |to| (from, to)))
            .filter(|(from, to)| self.has(*from, *to))
    }

    /// Which vertices are on a path from the input to the output.
    fn alive(&self) -> [bool; MAX_VERTICES] {
        let last = self.0.ops.len() + 1;
        let (mut reached, mut leading) = ([false; MAX_VERTICES], [false; MAX_VERTICES]);
        reached[0] = true;
        leading[last] = true;
        for to in 1..=last {
            reached[to] = (0..to).any(|from| reached[from] && self.has(from, to));
        }
        for from in (0..last).rev() {
            leading[from] = (from + 1..=last).any(|to| leading[to] && self.has(from, to));
        }
        std::array::from_fn(|vertex| reached[vertex] && leading[vertex])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::SkipConnect;

    fn matrix(adjacency: &[&[u8]]) -> Result<Matrix, String> {
        let ops = vec![Op::SkipConnect(SkipConnect::default()); adjacency.len() - 1];
        let matrix = Matrix::new(adjacency.iter().map(|row| row.to_vec()).collect(), ops);
        matrix.and_then(|matrix| matrix.check().map(|()| matrix)).map_err(|error| error.0)
    }

    #[test]
    fn vertices_that_lead_nowhere_are_left_out() {
        // 0 -> 1 -> 3 counts; 2 is read by nobody.
        let cell = matrix(&[&[1, 1, 0], &[1, 1], &[0]]).expect("valid").cell();
        assert_eq!(cell.graph().node_count(), 3);
        let direct = matrix(&[&[1]]).expect("valid").cell();
        assert_eq!(direct.graph()[direct.output()], Node::Add);
    }

    #[test]
    fn a_broken_matrix_says_what_is_wrong() {
        assert_eq!(
            matrix(&[&[1, 0], &[0]]).unwrap_err(),
            "no path leads from the input to the output of the matrix"
        );
        assert_eq!(
            matrix(&[&[1], &[0]]).unwrap_err(),
            "row 0 of the adjacency has 1 entries; 2 vertices come after vertex 0"
        );
        assert_eq!(matrix(&[&[2]]).unwrap_err(), "row 0 of the adjacency holds 2; an entry is 0 or 1");
        let full: Vec<Vec<u8>> = (1..7).rev().map(|length| vec![1; length]).collect();
        let full: Vec<&[u8]> = full.iter().map(Vec::as_slice).collect();
        assert_eq!(matrix(&full).unwrap_err(), "the matrix has 21 edges that matter; at most 9 are allowed");
    }
}
