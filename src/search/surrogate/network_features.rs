//! What is seen of a network beside the decisions that made it: paths, neighbourhoods of ops, and cost.
//!
//! Which paths and neighbourhoods there are is found out by looking at random candidates of the space, the same ones each
//! time: the commonest get a column each, as BANANAS truncates its path encoding to the likeliest paths. Figures become
//! ranks among those candidates, so that no unit matters. Networks without cells have figures only.

use std::collections::HashMap;

use rayon::prelude::*;

use super::encoding::FeatureSet;
use super::{Features, Layout, Measure};
use crate::architecture::{Cell, Node};
use crate::random::{Seed, fnv1a};
use crate::space::{Genotype, GenotypeError, Space};

/// Random candidates that are looked at.
const SAMPLES: u64 = 256;
/// Columns for paths, and for each kind of neighbourhood.
const WORDS: usize = 64;
/// What fewer random candidates have has no column.
const LEAST: usize = 3;
/// Paths of a node that are followed: of more, the shortest.
const PATHS: usize = 128;
/// Places between which a figure lies.
const KNOTS: usize = 7;

/// Which sides of a candidate the features show; 0 are its decisions, 1 its labels.
const PATHS_SIDE: usize = 2;
const GRAPH_SIDE: usize = 3;
const COST_SIDE: usize = 4;

/// Which columns a space's networks have.
#[derive(Clone, Debug, Default)]
pub(super) struct NetworkFeatures {
    bags: Vec<Bag>,
    gauges: Vec<Gauge>,
    /// Whether figures of the whole network are asked for, which need it built.
    cost: bool,
}

/// Columns for things that are there or not.
#[derive(Clone, Debug)]
struct Bag {
    of: Things,
    start: usize,
    places: HashMap<u64, u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Things {
    Paths,
    /// The ops themselves.
    Ops,
    /// Each op, and the output, with what it reads.
    Near,
    /// And with what those read.
    Far,
}

/// Columns for one figure.
#[derive(Clone, Debug)]
struct Gauge {
    figure: usize,
    start: usize,
    /// What random candidates have, ascending.
    known: Vec<f64>,
}

/// All that may be seen of one network.
#[derive(Debug, Default)]
struct Sight {
    paths: HashMap<u64, u32>,
    ops: HashMap<u64, u32>,
    near: HashMap<u64, u32>,
    far: HashMap<u64, u32>,
    /// Of the cells: ops, edges, depth, width; of the network: parameters, multiply-accumulates, depth.
    figures: [Option<f64>; 7],
}

/// The figures of cells, and of the whole network, by their place.
const OF_CELLS: std::ops::Range<usize> = 0..4;
const OF_NETWORK: std::ops::Range<usize> = 4..7;

impl NetworkFeatures {
    /// The features that a space's networks have of those asked for; none where its programs are no networks.
    pub fn of(space: &Space, set: FeatureSet) -> NetworkFeatures {
        if !(set.paths || set.graph || set.cost) {
            return NetworkFeatures::default();
        }
        let look = |sample| {
            let genotype = space.random(&mut Seed(0).stream(sample, "features of a space")).ok()?;
            Sight::of(space, &genotype, set.cost).ok()?
        };
        let sights: Vec<Sight> = (0..SAMPLES).into_par_iter().filter_map(look).collect();
        let paths = set.paths.then_some(Things::Paths);
        let graph = [Things::Ops, Things::Near, Things::Far].into_iter().filter(|_| set.graph);
        let bags = paths.into_iter().chain(graph).map(|of| Bag::of(of, &sights));
        let figures = OF_CELLS.filter(|_| set.graph).chain(OF_NETWORK.filter(|_| set.cost));
        NetworkFeatures {
            bags: bags.filter(|bag| !bag.places.is_empty()).collect(),
            gauges: figures.filter_map(|figure| Gauge::of(figure, &sights)).collect(),
            cost: set.cost,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.bags.is_empty() && self.gauges.is_empty()
    }

    /// Adds the columns to a layout.
    pub fn place(&mut self, layout: &mut Layout) {
        let mut place = |width, measure, side| {
            let slot = layout.add_measured(width, measure);
            layout.slots[slot].side = side;
            layout.slots[slot].start
        };
        for bag in &mut self.bags {
            let side = if bag.of == Things::Paths { PATHS_SIDE } else { GRAPH_SIDE };
            bag.start = place(bag.places.len(), Measure::Bag, side);
        }
        for gauge in &mut self.gauges {
            let side = if OF_CELLS.contains(&gauge.figure) { GRAPH_SIDE } else { COST_SIDE };
            gauge.start = place(KNOTS, Measure::Number, side);
        }
    }

    /// Adds a candidate's features. A network that cannot be built has no figures.
    ///
    /// # Errors
    /// A genotype that is not of the space.
    pub fn describe(
        &self,
        space: &Space,
        genotype: &Genotype,
        features: &mut Features,
    ) -> Result<(), GenotypeError> {
        if self.is_empty() {
            return Ok(());
        }
        let Some(sight) = Sight::of(space, genotype, self.cost)? else { return Ok(()) };
        for bag in &self.bags {
            let from = features.len();
            let places = sight
                .things(bag.of)
                .iter()
                .filter_map(|(thing, count)| Some((bag.places.get(thing)?, *count)));
            features.extend(places.map(|(place, count)| ((bag.start as u32 + place), bag.of.weight(count))));
            features[from..].sort_unstable_by_key(|(column, _)| *column);
        }
        for gauge in &self.gauges {
            if let Some(figure) = sight.figures[gauge.figure] {
                let at = gauge.rank(figure) * (KNOTS - 1) as f64;
                let knot = (at as usize).min(KNOTS - 2);
                let upper = (at - knot as f64) as f32;
                let column = (gauge.start + knot) as u32;
                features.extend([(column, 1.0 - upper), (column + 1, upper)]);
            }
        }
        Ok(())
    }
}

impl Things {
    /// A path is there or not; of neighbourhoods the tenth counts less than the first.
    fn weight(self, count: u32) -> f32 {
        match self {
            Things::Paths => 1.0,
            Things::Ops | Things::Near | Things::Far => (1.0 + count as f32).log2(),
        }
    }
}

impl Bag {
    /// The things that random candidates have and do not all have alike, commonest first.
    fn of(of: Things, sights: &[Sight]) -> Bag {
        // How many have it, and the least and greatest count.
        let mut met: HashMap<u64, (usize, u32, u32)> = HashMap::new();
        for (thing, count) in sights.iter().flat_map(|sight| sight.things(of)) {
            let (candidates, least, most) = met.entry(*thing).or_insert((0, u32::MAX, 0));
            *candidates += 1;
            *least = (*least).min(*count);
            *most = (*most).max(*count);
        }
        let tells = |(candidates, least, most): &(usize, u32, u32)| {
            *candidates >= LEAST && (*candidates < sights.len() || (of != Things::Paths && least < most))
        };
        let mut common: Vec<(u64, usize)> = met
            .into_iter()
            .filter(|(_, met)| tells(met))
            .map(|(thing, (candidates, ..))| (thing, candidates))
            .collect();
        common.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        common.truncate(WORDS);
        let places = common.into_iter().enumerate().map(|(place, (thing, _))| (thing, place as u32));
        Bag { of, start: 0, places: places.collect() }
    }
}

impl Gauge {
    /// `None` where random candidates have it all alike, or not at all.
    fn of(figure: usize, sights: &[Sight]) -> Option<Gauge> {
        let mut known: Vec<f64> = sights.iter().filter_map(|sight| sight.figures[figure]).collect();
        known.sort_by(f64::total_cmp);
        (known.first()? < known.last()?).then_some(Gauge { figure, start: 0, known })
    }

    /// The share of random candidates that have less, in [0, 1].
    fn rank(&self, figure: f64) -> f64 {
        let below = self.known.partition_point(|other| *other < figure);
        let upto = self.known.partition_point(|other| *other <= figure);
        (below + upto) as f64 / (2 * self.known.len()) as f64
    }
}

impl Sight {
    /// `None` where the program is no network.
    fn of(space: &Space, genotype: &Genotype, cost: bool) -> Result<Option<Sight>, GenotypeError> {
        let Some(candidate) = space.candidate(&space.materialize(genotype)?)? else { return Ok(None) };
        let mut sight = Sight::default();
        for (number, (_, cell)) in candidate.architecture.cells().iter().enumerate() {
            Flow::of(&cell.simplified(), number as u64).look(&mut sight);
        }
        if cost && let Ok(graph) = candidate.graph() {
            let cost = graph.cost();
            let figures = [cost.params, cost.macs, cost.depth].map(|figure| Some(figure as f64));
            sight.figures[OF_NETWORK].copy_from_slice(&figures);
        }
        Ok(Some(sight))
    }

    fn things(&self, of: Things) -> &HashMap<u64, u32> {
        match of {
            Things::Paths => &self.paths,
            Things::Ops => &self.ops,
            Things::Near => &self.near,
            Things::Far => &self.far,
        }
    }

    /// Cells add up.
    fn add_figures(&mut self, figures: [usize; 4]) {
        for (sum, figure) in self.figures[OF_CELLS].iter_mut().zip(figures) {
            *sum = Some(sum.unwrap_or(0.0) + figure as f64);
        }
    }
}

/// A cell as its ops see each other: sums and concatenations are seen through. The last node is the output.
struct Flow {
    labels: Vec<u64>,
    /// What each node reads, in ascending order; what it reads twice is there twice.
    sources: Vec<Vec<usize>>,
}

impl Flow {
    /// Labels of different cells of one network differ by their `salt`.
    fn of(cell: &Cell, salt: u64) -> Flow {
        let mut flow = Flow { labels: Vec::new(), sources: Vec::new() };
        // What is seen through each of the cell's nodes.
        let mut seen: Vec<Vec<usize>> = Vec::new();
        for (index, node) in cell.nodes() {
            let mut reads: Vec<usize> =
                cell.sources(index).iter().flat_map(|source| seen[source.index()].iter().copied()).collect();
            reads.sort_unstable();
            let label = match node {
                Node::Add | Node::Concat => {
                    seen.push(reads);
                    continue;
                }
                Node::Input(number) => mix(salt, *number as u64),
                Node::Op(op) => mix(salt, fnv1a(op.label().as_bytes())),
            };
            seen.push(vec![flow.add(label, reads)]);
        }
        let reads = std::mem::take(&mut seen[cell.output().index()]);
        flow.add(mix(salt, OUTPUT), reads);
        flow
    }

    fn add(&mut self, label: u64, reads: Vec<usize>) -> usize {
        self.labels.push(label);
        self.sources.push(reads);
        self.labels.len() - 1
    }

    fn look(&self, sight: &mut Sight) {
        for path in self.paths() {
            sight.paths.insert(path, 1);
        }
        let ops = self.sources.iter().enumerate().filter(|(_, reads)| !reads.is_empty());
        let ops: Vec<usize> =
            ops.map(|(node, _)| node).filter(|node| *node + 1 < self.labels.len()).collect();
        let mut names = self.labels.clone();
        for op in &ops {
            *sight.ops.entry(names[*op]).or_insert(0) += 1;
        }
        // Weisfeiler and Lehman: each name takes in those of what it reads.
        for counts in [&mut sight.near, &mut sight.far] {
            let wider = |node: usize| {
                let mut reads: Vec<u64> = self.sources[node].iter().map(|source| names[*source]).collect();
                reads.sort_unstable();
                reads.into_iter().fold(mix(names[node], WIDER), mix)
            };
            names = (0..names.len()).map(wider).collect();
            for node in ops.iter().copied().chain([self.labels.len() - 1]) {
                *counts.entry(names[node]).or_insert(0) += 1;
            }
        }
        let depths = self.depths();
        let widest = (1..=ops.len()).map(|depth| ops.iter().filter(|op| depths[**op] == depth).count()).max();
        let edges = self.sources.iter().map(Vec::len).sum();
        sight.add_figures([ops.len(), edges, depths[self.labels.len() - 1], widest.unwrap_or(0)]);
    }

    /// The paths from an input to the output, each as one number; all of them, or the shortest.
    fn paths(&self) -> Vec<u64> {
        let mut paths: Vec<Vec<(u32, u64)>> = Vec::with_capacity(self.labels.len());
        for (node, (label, sources)) in self.labels.iter().zip(&self.sources).enumerate() {
            let through = sources.iter().flat_map(|source| &paths[*source]);
            let mut all: Vec<(u32, u64)> =
                through.map(|(length, path)| (length + 1, mix(*path, *label))).collect();
            // An input; an output that reads nothing ends no path.
            if sources.is_empty() && node + 1 < self.labels.len() {
                all.push((0, *label));
            }
            all.sort_unstable();
            all.dedup();
            all.truncate(PATHS);
            paths.push(all);
        }
        paths.pop().into_iter().flatten().map(|(_, path)| path).collect()
    }

    /// How many ops lie on the longest path to each node, itself included; the output is none.
    fn depths(&self) -> Vec<usize> {
        let mut depths: Vec<usize> = Vec::with_capacity(self.labels.len());
        for (node, sources) in self.sources.iter().enumerate() {
            let deepest = sources.iter().map(|source| depths[*source]).max();
            let is_op = deepest.is_some() && node + 1 < self.labels.len();
            depths.push(deepest.unwrap_or(0) + usize::from(is_op));
        }
        depths
    }
}

/// The label of the output, and what a name takes in before the names that it reads.
const OUTPUT: u64 = u64::MAX;
const WIDER: u64 = u64::MAX - 1;

/// Two numbers as one that tells their order.
fn mix(a: u64, b: u64) -> u64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&a.to_le_bytes());
    bytes[8..].copy_from_slice(&b.to_le_bytes());
    fnv1a(&bytes)
}

#[cfg(test)]
mod tests;
