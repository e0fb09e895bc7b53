//! Cells without what does not matter: dead nodes, and what skips and zeros make superfluous.

use petgraph::Direction::Incoming;
use petgraph::graph::NodeIndex;

use super::{Cell, Node, Widths};
use crate::op::Meaning;

impl Cell {
    /// The cell without its dead nodes: those that the output does not read, directly or through others.
    pub fn pruned(&self) -> Cell {
        let alive = self.alive();
        let mut pruned = Cell::new(self.widths());
        let mut places = vec![NodeIndex::end(); alive.len()];
        for (index, node) in self.nodes().filter(|(index, _)| alive[index.index()]) {
            let sources: Vec<_> = self.sources(index).iter().map(|source| places[source.index()]).collect();
            places[index.index()] = pruned.add_at(self.place(index), node.clone(), &sources);
        }
        pruned.set_output(places[self.output().index()]);
        pruned
    }

    /// The cell as a function: skips are contracted, zeros vanish with everything that reads nothing else, a sum of
    /// sums is one sum, and dead nodes are removed.
    ///
    /// Two equal ops on the same input stay two (each has weights of its own), and a tensor that enters a sum twice
    /// counts twice. This holds where the cell stands at stride 1 with equal channels: elsewhere a skip is a
    /// projection. Cells of [`Widths::Split`] are only pruned.
    pub fn simplified(&self) -> Cell {
        if self.widths() == Widths::Split {
            return self.pruned();
        }
        let mut simple = Simplified { cell: Cell::new(self.widths()), sums: vec![] };
        for (index, node) in self.nodes() {
            let sum = simple.sum(self, index, node);
            simple.sums.push(sum);
        }
        let output = simple.tensor(&simple.sums[self.output().index()].clone());
        simple.cell.set_output(output);
        simple.cell.pruned()
    }

    /// Which nodes the output reads, directly or through others.
    pub(super) fn alive(&self) -> Vec<bool> {
        let mut alive = vec![false; self.graph().node_count()];
        alive[self.output().index()] = true;
        for index in (0..=self.output().index()).rev() {
            if alive[index] {
                for source in self.graph().neighbors_directed(NodeIndex::new(index), Incoming) {
                    alive[source.index()] = true;
                }
            }
        }
        alive
    }
}

/// A simplified cell on the way: every node of the old one as a sum of nodes of the new one.
struct Simplified {
    cell: Cell,
    sums: Vec<Vec<NodeIndex>>,
}

impl Simplified {
    fn sum(&mut self, old: &Cell, index: NodeIndex, node: &Node) -> Vec<NodeIndex> {
        let read =
            || old.sources(index).into_iter().flat_map(|source| self.sums[source.index()].clone()).collect();
        match node {
            Node::Input(_) => vec![self.cell.add(node.clone(), &[])],
            Node::Add => read(),
            Node::Op(op) => match op.meaning() {
                Meaning::Zero => vec![],
                Meaning::Identity => read(),
                Meaning::Computes => {
                    let read: Vec<_> = read();
                    if read.is_empty() {
                        read
                    } else {
                        vec![self.cell.add_at(old.place(index), node.clone(), &read)]
                    }
                }
            },
            Node::Concat => {
                let sums: Vec<_> =
                    old.sources(index).iter().map(|source| self.sums[source.index()].clone()).collect();
                let parts: Vec<_> = sums.iter().map(|sum| self.tensor(sum)).collect();
                vec![self.cell.add(Node::Concat, &parts)]
            }
        }
    }

    /// One node that holds a sum.
    fn tensor(&mut self, sum: &[NodeIndex]) -> NodeIndex {
        match sum {
            [single] => *single,
            _ => self.cell.add(Node::Add, sum),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{Op, SkipConnect};

    #[test]
    fn skips_and_sums_of_sums_are_contracted() {
        let skip = Node::Op(Op::SkipConnect(SkipConnect::default()));
        let mut cell = Cell::new(Widths::Equal);
        let input = cell.add(Node::Input(0), &[]);
        let first = cell.add(skip.clone(), &[input]);
        let inner = cell.add(Node::Add, &[first, input]);
        let dead = cell.add(Node::Concat, &[inner, first]);
        let last = cell.add(Node::Add, &[inner, first]);
        let simple = cell.simplified();
        assert_eq!(simple.graph().node_count(), 2);
        assert_eq!(simple.sources(simple.output()).len(), 3);
        assert_eq!(cell.pruned().graph().node_count(), 4);
        assert_ne!(dead, last);
    }
}
