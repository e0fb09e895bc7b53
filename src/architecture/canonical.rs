//! A cell's identity: the same for isomorphic cells, different for all others.
//!
//! Every node gets a colour from its op, from what it reads, and from who reads it (two sweeps along the edges, there and
//! back, until the colours stop splitting). Colours that several nodes still share are split by singling one node out
//! and refining again; where the nodes are no twins, each is tried and the least form is kept (McKay's
//! individualisation and refinement, <https://arxiv.org/abs/1301.1493>). Colours are hashes, but only guide the order:
//! the form that comes out spells the whole graph, so two cells have equal forms exactly if they are isomorphic.

use petgraph::Direction::Incoming;

use super::{Cell, Node, Widths};
use crate::random::fnv1a_128;

impl Cell {
    /// 32 hexadecimal digits that isomorphic cells share, nodes that lead nowhere left out.
    ///
    /// They are the 128-bit FNV-1a hash of the canonical form, which spells the graph in full: fixed for all time, as
    /// stored studies need it.
    ///
    /// ```
    /// use cellwright::architecture::Wiring;
    ///
    /// let cell = |text: &str| ron::from_str::<Wiring>(text).map(|wiring| wiring.cell());
    /// let (a, b) = ("(input: PreviousCell, op: SkipConnect(()))", "(input: CellBefore, op: SkipConnect(()))");
    /// let one = cell(&format!("Blocks([(left: {a}, right: {b})])"))?;
    /// let swapped = cell(&format!("Blocks([(left: {b}, right: {a})])"))?;
    /// let other = cell(&format!("Blocks([(left: {a}, right: {a})])"))?;
    /// assert_eq!(one.key(), swapped.key());
    /// assert_ne!(one.key(), other.key());
    /// # Ok::<(), ron::error::SpannedError>(())
    /// ```
    pub fn key(&self) -> String {
        hash(&self.canonical_form())
    }

    /// The graph of the nodes that matter, spelled in canonical order: what [`Cell::key`] hashes.
    pub(super) fn canonical_form(&self) -> Vec<u8> {
        Labelled::new(self).canonical_form()
    }
}

/// The 128-bit FNV-1a hash as hexadecimal digits.
pub(super) fn hash(bytes: &[u8]) -> String {
    format!("{:032x}", fnv1a_128(bytes))
}

/// A cell in arrays: for each live node its label's text and what it reads, in topological order.
struct Labelled {
    text: Vec<u8>,
    /// Where each node's label ends in `text`.
    ends: Vec<usize>,
    reads: Vec<u16>,
    /// Where each node's sources end in `reads`.
    read_ends: Vec<usize>,
    output: usize,
}

impl Labelled {
    fn new(cell: &Cell) -> Labelled {
        let alive = cell.alive();
        let mut position = vec![0u16; alive.len()];
        let mut graph = Labelled { text: vec![], ends: vec![], reads: vec![], read_ends: vec![], output: 0 };
        graph.text.reserve(64 * alive.len());
        let live = cell.nodes().filter(|(index, _)| alive[index.index()]);
        for (index, node) in live {
            position[index.index()] = graph.ends.len() as u16;
            write_label(&mut graph.text, node);
            graph.ends.push(graph.text.len());
            let sources = cell.graph().neighbors_directed(index, Incoming);
            graph.reads.extend(
                sources.filter(|source| alive[source.index()]).map(|source| position[source.index()]),
            );
            graph.read_ends.push(graph.reads.len());
        }
        graph.output = position[cell.output().index()].into();
        // The output is told apart from an equal node elsewhere, and the rule for widths belongs to the cell.
        graph.text.push(if cell.widths() == Widths::Split { b'/' } else { b'=' });
        graph
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn label(&self, node: usize) -> &[u8] {
        let start = if node == 0 { 0 } else { self.ends[node - 1] };
        &self.text[start..self.ends[node]]
    }

    fn sources(&self, node: usize) -> &[u16] {
        let start = if node == 0 { 0 } else { self.read_ends[node - 1] };
        &self.reads[start..self.read_ends[node]]
    }

    fn canonical_form(&self) -> Vec<u8> {
        let mut colours: Vec<u64> = (0..self.len())
            .map(|node| self.label(node).iter().fold(0, |hash, byte| mix(hash ^ u64::from(*byte))))
            .collect();
        colours[self.output] = mix(!colours[self.output]);
        self.refine(&mut colours);
        self.search(&colours)
    }

    /// Splits colours by what nodes read and by who reads them, until nothing splits any more.
    fn refine(&self, colours: &mut [u64]) {
        let mut classes = count_distinct(colours);
        while classes < colours.len() {
            self.sweep(colours);
            let split = count_distinct(colours);
            if split == classes {
                break;
            }
            classes = split;
        }
    }

    /// Carries colours along all edges, from the inputs to the output and back.
    fn sweep(&self, colours: &mut [u64]) {
        for node in 0..colours.len() {
            let read = self
                .sources(node)
                .iter()
                .fold(0u64, |sum, source| sum.wrapping_add(mix(colours[usize::from(*source)])));
            colours[node] = mix(colours[node] ^ read);
        }
        let mut readers = vec![0u64; colours.len()];
        for node in (0..colours.len()).rev() {
            colours[node] = mix(colours[node] ^ readers[node].rotate_left(32));
            for source in self.sources(node) {
                let sum = &mut readers[usize::from(*source)];
                *sum = sum.wrapping_add(mix(colours[node]));
            }
        }
    }

    /// The least form among all orders that refine the colours.
    fn search(&self, colours: &[u64]) -> Vec<u8> {
        let Some(class) = self.ambiguous_class(colours) else { return self.spell(colours) };
        let mut seen: Vec<Vec<u8>> = Vec::new();
        let mut least: Option<Vec<u8>> = None;
        for node in class {
            let split = self.single_out(colours, node);
            // Equal first leaves mean that a symmetry of the graph leads from one branch to the other.
            let leaf = self.first_leaf(split.clone());
            if seen.contains(&leaf) {
                continue;
            }
            seen.push(leaf);
            let form = self.search(&split);
            least = Some(least.map_or(form.clone(), |least| least.min(form)));
        }
        least.unwrap_or_default()
    }

    fn first_leaf(&self, mut colours: Vec<u64>) -> Vec<u8> {
        while let Some(class) = self.ambiguous_class(&colours) {
            colours = self.single_out(&colours, class[0]);
        }
        self.spell(&colours)
    }

    fn single_out(&self, colours: &[u64], node: usize) -> Vec<u64> {
        let mut split = colours.to_vec();
        split[node] = mix(!split[node]);
        self.refine(&mut split);
        split
    }

    /// The least colour that several nodes share, twins aside: twins can stand in any order.
    fn ambiguous_class(&self, colours: &[u64]) -> Option<Vec<usize>> {
        let order = self.order(colours);
        let classes = order.chunk_by(|a, b| colours[*a] == colours[*b]);
        classes.filter(|class| class.len() > 1).find(|class| !self.are_twins(class)).map(<[usize]>::to_vec)
    }

    /// Whether all of a class read the same nodes and are read by the same nodes, so that any swap is a symmetry.
    fn are_twins(&self, class: &[usize]) -> bool {
        let equal = |a: usize, b: usize| {
            self.label(a) == self.label(b)
                && sorted(self.sources(a)) == sorted(self.sources(b))
                && (0..self.len()).all(|reader| self.count(reader, a) == self.count(reader, b))
        };
        class.iter().skip(1).all(|other| equal(class[0], *other))
            && class.iter().all(|node| *node != self.output)
    }

    fn count(&self, reader: usize, source: usize) -> usize {
        self.sources(reader).iter().filter(|read| usize::from(**read) == source).count()
    }

    fn order(&self, colours: &[u64]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..colours.len()).collect();
        order.sort_by_key(|node| colours[*node]);
        order
    }

    /// The whole graph as bytes, nodes in the order of their colours.
    fn spell(&self, colours: &[u64]) -> Vec<u8> {
        let order = self.order(colours);
        let mut rank = vec![0u16; order.len()];
        for (place, node) in order.iter().enumerate() {
            rank[*node] = place as u16;
        }
        let mut form = Vec::with_capacity(self.text.len() + 2 * (self.reads.len() + 3 * self.len()) + 3);
        form.extend(self.text.last());
        form.extend(rank[self.output].to_le_bytes());
        for node in order {
            let mut sources: Vec<u16> =
                self.sources(node).iter().map(|source| rank[usize::from(*source)]).collect();
            sources.sort_unstable();
            form.extend((self.label(node).len() as u32).to_le_bytes());
            form.extend(self.label(node));
            form.extend((sources.len() as u16).to_le_bytes());
            form.extend(sources.iter().flat_map(|source| source.to_le_bytes()));
        }
        form
    }
}

/// A node's kind as text. Ops have equal labels exactly if they compute the same.
fn write_label(text: &mut Vec<u8>, node: &Node) {
    match node {
        Node::Input(number) => text.extend([b'i', *number as u8]),
        Node::Add => text.push(b'+'),
        Node::Concat => text.push(b'|'),
        Node::Op(op) => text.extend(op.label().bytes()),
    }
}

fn sorted(numbers: &[u16]) -> Vec<u16> {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers
}

fn count_distinct(colours: &[u64]) -> usize {
    let mut colours = colours.to_vec();
    colours.sort_unstable();
    colours.dedup();
    colours.len()
}

/// The finaliser of SplitMix64: every bit of the input reaches every bit of the output.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use petgraph::algo::is_isomorphic_matching;
    use petgraph::graph::DiGraph;
    use rand::RngExt;

    use super::*;
    use crate::Seed;
    use crate::op::{Op, SkipConnect};
    use crate::random::Rng;

    fn random_cell(rng: &mut Rng) -> Cell {
        let mut cell = Cell::new(Widths::Equal);
        let mut nodes = vec![cell.add(Node::Input(0), &[])];
        for _ in 0..rng.random_range(1..7) {
            let mut sources: Vec<_> = nodes.iter().copied().filter(|_| rng.random_bool(0.4)).collect();
            if sources.is_empty() {
                sources.push(nodes[rng.random_range(0..nodes.len())]);
            }
            let node = [Node::Add, Node::Concat, Node::Op(Op::SkipConnect(SkipConnect::default()))]
                [rng.random_range(0..3)]
            .clone();
            nodes.push(cell.add(node, &sources));
        }
        cell
    }

    /// The same cell with its nodes added in another order.
    fn renumbered(cell: &Cell, rng: &mut Rng) -> Cell {
        let mut new = Cell::new(cell.widths());
        let mut places = vec![None; cell.graph().node_count()];
        for _ in 0..places.len() {
            let ready: Vec<_> = cell
                .nodes()
                .filter(|(node, _)| places[node.index()].is_none())
                .filter(|(node, _)| cell.sources(*node).iter().all(|source| places[source.index()].is_some()))
                .collect();
            let (index, node) = ready[rng.random_range(0..ready.len())];
            let mut sources: Vec<_> =
                cell.sources(index).iter().filter_map(|source| places[source.index()]).collect();
            sources.reverse();
            places[index.index()] = Some(new.add(node.clone(), &sources));
        }
        new.set_output(places[cell.output().index()].expect("placed"));
        new
    }

    fn with_output(cell: &Cell) -> DiGraph<(Node, bool), ()> {
        let cell = cell.pruned();
        cell.graph().map(|index, node| (node.clone(), index == cell.output()), |_, ()| ())
    }

    #[test]
    fn keys_do_not_see_the_order_of_nodes() {
        let mut rng = Seed(1).stream(0, "cells");
        for _ in 0..500 {
            let cell = random_cell(&mut rng);
            assert_eq!(cell.key(), renumbered(&cell, &mut rng).key());
        }
    }

    #[test]
    fn keys_are_equal_exactly_for_isomorphic_cells() {
        let mut rng = Seed(2).stream(0, "cells");
        let mut equal = 0;
        for _ in 0..20_000 {
            let (a, b) = (random_cell(&mut rng), random_cell(&mut rng));
            let isomorphic =
                is_isomorphic_matching(&with_output(&a), &with_output(&b), |a, b| a == b, |(), ()| true);
            assert_eq!(a.key() == b.key(), isomorphic, "{a:?} {b:?}");
            equal += usize::from(isomorphic);
        }
        assert!(equal > 100, "the comparison needs isomorphic pairs too, met {equal}");
    }

    #[test]
    fn regular_graphs_need_more_than_colours() {
        // Readers and sources form one ring of six or two rings of three: every node looks alike to its neighbours.
        let ring = |steps: &[(usize, usize)]| {
            let mut cell = Cell::new(Widths::Equal);
            let input = cell.add(Node::Input(0), &[]);
            let low: Vec<_> = (0..6).map(|_| cell.add(Node::Add, &[input])).collect();
            let high: Vec<_> = steps.iter().map(|(a, b)| cell.add(Node::Add, &[low[*a], low[*b]])).collect();
            cell.add(Node::Concat, &high);
            cell
        };
        let six = ring(&[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5)]);
        let threes = ring(&[(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5)]);
        assert_ne!(six.key(), threes.key());
        let mut rng = Seed(3).stream(0, "cells");
        for _ in 0..20 {
            assert_eq!(six.key(), renumbered(&six, &mut rng).key());
            assert_eq!(threes.key(), renumbered(&threes, &mut rng).key());
        }
    }

    #[test]
    fn keys_are_fixed_for_all_time() {
        let mut cell = Cell::new(Widths::Equal);
        let input = cell.add(Node::Input(0), &[]);
        cell.add(Node::Add, &[input, input]);
        assert_eq!(hash(b""), "6c62272e07bb014262b821756295c58d");
        assert_eq!(hash(b"a"), "d228cb696f1a8caf78912b704e4a8964");
        assert_eq!(cell.key(), "19f345f435d416d81f675b8366ad79ca");
    }
}
