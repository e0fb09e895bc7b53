//! Cells with ops on edges, as in DARTS (<https://arxiv.org/abs/1806.09055>) and NAS-Bench-201 (<https://arxiv.org/abs/2001.00326>).

use petgraph::graph::NodeIndex;
use serde::{Deserialize, Serialize};

use super::{Cell, Node, Place, Widths, WiringError};
use crate::op::Op;

/// The nodes of a cell, in order: each is the sum of its edges, and every edge has an op.
///
/// ```
/// use cellwright::architecture::Edges;
///
/// let edges: Edges = ron::from_str("[[Edge(from: PreviousCell, op: SkipConnect(()))], [Edge(from: Node(1), op: SkipConnect(()))]]")?;
/// assert_eq!(edges.len(), 2);
/// # Ok::<(), ron::error::SpannedError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<Edge>>", into = "Vec<Vec<Edge>>")]
pub struct Edges(Vec<Vec<Edge>>);

/// An edge into a node: where it comes from and its op.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// Where it comes from.
    pub from: EdgeInput,
    /// What it does on the way.
    pub op: Op,
}

/// Where an edge comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EdgeInput {
    /// The output of the previous cell.
    PreviousCell,
    /// The output of the cell before the previous one.
    CellBefore,
    /// An earlier node of this cell, counted from 1.
    Node(usize),
}

impl std::ops::Deref for Edges {
    type Target = [Vec<Edge>];
    fn deref(&self) -> &[Vec<Edge>] {
        &self.0
    }
}

impl From<Edges> for Vec<Vec<Edge>> {
    fn from(edges: Edges) -> Vec<Vec<Edge>> {
        edges.0
    }
}

impl TryFrom<Vec<Vec<Edge>>> for Edges {
    type Error = WiringError;

    fn try_from(nodes: Vec<Vec<Edge>>) -> Result<Edges, WiringError> {
        if nodes.is_empty() {
            return Err(WiringError("a cell needs at least one node".into()));
        }
        for (index, edges) in nodes.iter().enumerate() {
            check(index, edges)?;
        }
        Ok(Edges(nodes))
    }
}

fn check(index: usize, edges: &[Edge]) -> Result<(), WiringError> {
    let node = index + 1;
    if edges.is_empty() {
        return Err(WiringError(format!("node {node} has no edge; each node needs at least one")));
    }
    for edge in edges {
        match edge.from {
            EdgeInput::Node(number) if number == 0 || number > index => {
                let earlier =
                    if index == 0 { String::new() } else { format!(", or Node(1) to Node({index})") };
                return Err(WiringError(format!(
                    "an edge into node {node} comes from Node({number}); it can come from PreviousCell, CellBefore{earlier}"
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

impl Edges {
    /// The cell whose output is its last node (NAS-Bench-201).
    pub fn cell(&self) -> Cell {
        self.build().0
    }

    /// The cell whose output concatenates its nodes (DARTS).
    pub fn concat_cell(&self) -> Cell {
        let (mut cell, nodes) = self.build();
        cell.add(Node::Concat, &nodes);
        cell
    }

    fn build(&self) -> (Cell, Vec<NodeIndex>) {
        let mut cell = Cell::new(Widths::Equal);
        let mut states = vec![cell.add(Node::Input(0), &[])];
        let two = self.iter().flatten().any(|edge| edge.from == EdgeInput::CellBefore);
        let before = two.then(|| cell.add(Node::Input(1), &[]));
        for (index, edges) in self.iter().enumerate() {
            let mut sum = Vec::with_capacity(edges.len());
            for edge in edges {
                let from = match edge.from {
                    EdgeInput::PreviousCell => states[0],
                    EdgeInput::CellBefore => before.unwrap_or(states[0]),
                    EdgeInput::Node(number) => states[number],
                };
                let place = Place::Edge(index + 1, edge.from);
                sum.push(cell.add_at(place, Node::Op(edge.op.clone()), &[from]));
            }
            let place = Place::Node(index + 1);
            states.push(if sum.len() == 1 { sum[0] } else { cell.add_at(place, Node::Add, &sum) });
        }
        (cell, states.split_off(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::SkipConnect;

    fn edge(from: EdgeInput) -> Edge {
        Edge { from, op: Op::SkipConnect(SkipConnect::default()) }
    }

    #[test]
    fn the_last_node_or_all_of_them_leave_the_cell() {
        use EdgeInput::{CellBefore, Node as At, PreviousCell};
        let one = Edges::try_from(vec![vec![edge(PreviousCell)], vec![edge(PreviousCell), edge(At(1))]])
            .expect("valid");
        assert_eq!(one.cell().arity(), 1);
        assert_eq!(one.cell().graph()[one.cell().output()], Node::Add);
        let two = Edges::try_from(vec![vec![edge(CellBefore), edge(PreviousCell)]; 4]).expect("valid");
        let cell = two.concat_cell();
        assert_eq!((cell.arity(), cell.sources(cell.output()).len()), (2, 4));
    }

    #[test]
    fn edges_come_from_earlier_nodes() {
        let error = Edges::try_from(vec![vec![edge(EdgeInput::Node(1))]]).unwrap_err();
        assert_eq!(
            error.0,
            "an edge into node 1 comes from Node(1); it can come from PreviousCell, CellBefore"
        );
        let error = Edges::try_from(vec![vec![edge(EdgeInput::PreviousCell)], vec![]]).unwrap_err();
        assert_eq!(error.0, "node 2 has no edge; each node needs at least one");
    }
}
