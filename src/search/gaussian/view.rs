//! What a model sees of a candidate: its decisions, and how often it holds each thing that can stand in several places.
//!
//! A [`View`] has two sides. Its *places* are the decisions one by one: the same choice at the same place is alike. Its
//! *counts* forget the place: how often each label is chosen among decisions that offer the same labels, and, where the
//! program is a network of cells, which paths of ops lead from a cell's input to its output (White et al. 2021,
//! <https://arxiv.org/abs/1910.11858>) and which op feeds which (the first step of Weisfeiler and Lehman's test, Ru et
//! al. 2021, <https://arxiv.org/abs/2006.07556>). From few trials far more can be learnt of "how many convolutions" than
//! of "which op on which of six edges".

use std::ops::Range;

use crate::architecture::{Cell, Node};
use crate::random::{Seed, fnv1a};
use crate::search::gauge::Gauges;
use crate::space::{Decision, DecisionKind, Draw, Genotype, GenotypeError, Space};

/// One candidate as a model sees it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct View {
    /// A choice's number, how far a number stands on its way from low to high, or [`INACTIVE`]; last the figures that are
    /// known for nothing.
    pub places: Box<[f32]>,
    /// All groups, one after the other; 255 and more are 255.
    pub counts: Box<[u8]>,
}

/// What stands in the place of a decision that is not active.
pub(super) const INACTIVE: f32 = -1.0;

/// How a space's candidates become views; the same space always has the same.
#[derive(Clone, Debug)]
pub(super) struct Viewer {
    /// Number of places.
    pub places: usize,
    /// The groups of counts.
    pub groups: Vec<Range<usize>>,
    /// The mean distance of two random candidates in each group.
    pub spreads: Vec<f32>,
    /// The mean distance of two random candidates in each place.
    pub place_spreads: Vec<f32>,
    /// Of every decision: its first place and what it counts as.
    slots: Vec<Slot>,
    /// Whether the programs are networks of cells.
    is_graph: bool,
    /// The figures that the space knows for nothing, in the last places.
    gauges: Gauges,
}

#[derive(Clone, Debug)]
struct Slot {
    /// Its first place; none for what cannot be decided otherwise.
    place: Option<usize>,
    /// Candidates with numbers for labels stand in order: what to divide a choice by.
    steps: Option<f32>,
    /// Where the label of choice 0 is counted.
    bag: Option<usize>,
}

/// Labels are counted where at least two places offer the same; of more kinds than this the first are.
const MAX_LABELS: usize = 128;

/// Paths and pairs of ops are hashed into so many counts each.
const HASHED: usize = 64;

/// Paths to one node that are followed on, at most.
const MAX_PATHS: usize = 64;

/// The label of what reads the cell's output.
const OUTPUT: u64 = u64::MAX;

/// Random candidates that tell how far apart candidates are.
const SAMPLE: usize = 24;

impl Viewer {
    /// The views of a space.
    pub fn of(space: &Space) -> Viewer {
        let mut viewer = Viewer::of_decisions(space.decisions());
        viewer.gauges = Gauges::of(space);
        viewer.places += viewer.gauges.len();
        let mut rng = Seed(0).stream(0, "what candidates look like");
        let sample: Vec<Genotype> = (0..SAMPLE).filter_map(|_| space.random(&mut rng).ok()).collect();
        viewer.is_graph = sample.iter().any(|genotype| !cells(space, genotype).is_empty());
        if viewer.is_graph {
            let start = viewer.groups.last().map_or(0, |group| group.end);
            viewer.groups.extend([start..start + HASHED, start + HASHED..start + 2 * HASHED]);
        }
        let views: Vec<View> =
            sample.iter().filter_map(|genotype| viewer.view(space, genotype).ok()).collect();
        viewer.measure_spreads(&views);
        viewer
    }

    /// Whether the programs are networks of cells: those take longer to look at.
    pub fn is_graph(&self) -> bool {
        self.is_graph
    }

    fn of_decisions(decisions: &[Decision]) -> Viewer {
        let (mut bags, mut places, mut slots) = (Bags::default(), 0, Vec::with_capacity(decisions.len()));
        for decision in decisions {
            let taken = match decision.kind {
                kind if kind.is_single() => 0,
                DecisionKind::Many { k, .. } => k as usize,
                _ => 1,
            };
            if taken > 0 {
                bags.offer(&decision.labels, slots.len(), taken);
            }
            slots.push(Slot { place: (taken > 0).then_some(places), steps: steps(decision), bag: None });
            places += taken;
        }
        let labels = bags.settle(&mut slots);
        let groups = if labels > 0 { std::iter::once(0..labels).collect() } else { Vec::new() };
        let (spreads, place_spreads, gauges) = Default::default();
        Viewer { places, groups, spreads, place_spreads, slots, is_graph: false, gauges }
    }

    /// What a candidate looks like.
    ///
    /// # Errors
    /// A genotype that is not of the space.
    pub fn view(&self, space: &Space, genotype: &Genotype) -> Result<View, GenotypeError> {
        let mut places = vec![INACTIVE; self.places];
        let mut counts = vec![0u8; self.groups.last().map_or(0, |group| group.end)];
        for (decision, draw) in space.active(genotype)? {
            let slot = &self.slots[decision];
            let Some(place) = slot.place else { continue };
            let mut choose = |place: usize, choice: u32| {
                places[place] = slot.steps.map_or(choice as f32, |steps| choice as f32 / steps);
                if let Some(bag) = slot.bag {
                    count(&mut counts[bag + choice as usize]);
                }
            };
            match &draw {
                Draw::Choice(choice) => choose(place, *choice),
                Draw::Many(choices) => {
                    choices.iter().enumerate().for_each(|(slot, choice)| choose(place + slot, *choice));
                }
                number => {
                    let share = space.decisions()[decision].kind.share(number);
                    places[place] = share.unwrap_or(0.0) as f32;
                }
            }
        }
        let known = self.gauges.places(space, genotype).into_iter().zip(places.iter_mut().rev());
        known.for_each(|(known, place)| *place = known.map_or(INACTIVE, |known| known as f32));
        if self.is_graph {
            let [.., paths, pairs] = self.groups.as_slice() else { unreachable!("graphs have two groups") };
            for cell in cells(space, genotype) {
                count_graph(&cell, &mut counts, paths, pairs);
            }
        }
        Ok(View { places: places.into(), counts: counts.into() })
    }

    fn measure_spreads(&mut self, views: &[View]) {
        let pairs = || (1..views.len()).flat_map(|b| (0..b).map(move |a| (&views[a], &views[b])));
        let mean = |distance: &dyn Fn(&View, &View) -> f32| {
            let (sum, count) =
                pairs().fold((0.0, 0), |(sum, count), (a, b)| (sum + distance(a, b), count + 1));
            if count > 0 && sum > 0.0 { sum / count as f32 } else { 1.0 }
        };
        let group =
            |group: &Range<usize>| mean(&|a, b| apart(&a.counts[group.clone()], &b.counts[group.clone()]));
        self.spreads = self.groups.iter().map(group).collect();
        let place = |place: usize| mean(&|a: &View, b: &View| distance(a.places[place], b.places[place]));
        self.place_spreads = (0..self.places).map(place).collect();
    }
}

/// How far two values of a place are apart, in [0, 1]: any two choices are 1 apart, and what is active from what is not.
pub(super) fn distance(a: f32, b: f32) -> f32 {
    (a - b).abs().min(1.0)
}

/// By how much counts differ in all.
pub(super) fn apart(a: &[u8], b: &[u8]) -> f32 {
    a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>() as f32
}

/// How many steps lead from the first candidate to the last, where they are numbers in order.
fn steps(decision: &Decision) -> Option<f32> {
    let DecisionKind::Choice { candidates } = decision.kind else { return None };
    let numbers: Vec<f64> = decision.labels.iter().map_while(|label| label.parse().ok()).collect();
    let rises = numbers.windows(2).all(|pair| pair[0] < pair[1]);
    let falls = numbers.windows(2).all(|pair| pair[0] > pair[1]);
    (candidates > 2 && numbers.len() == candidates as usize && (rises || falls))
        .then(|| (candidates - 1) as f32)
}

/// Decisions that offer the same labels.
#[derive(Default)]
struct Bags {
    /// The labels, the decisions, and how many places these have together.
    offers: Vec<(Vec<String>, Vec<usize>, usize)>,
}

impl Bags {
    fn offer(&mut self, labels: &[String], decision: usize, places: usize) {
        if labels.is_empty() {
            return;
        }
        match self.offers.iter_mut().find(|(known, ..)| known == labels) {
            Some((_, decisions, all)) => {
                decisions.push(decision);
                *all += places;
            }
            None => self.offers.push((labels.to_vec(), vec![decision], places)),
        }
    }

    /// Tells the slots where their labels are counted; returns the number of counts.
    fn settle(self, slots: &mut [Slot]) -> usize {
        let mut counts = 0;
        for (labels, decisions, places) in self.offers {
            if places > 1 && counts + labels.len() <= MAX_LABELS {
                decisions.into_iter().for_each(|decision| slots[decision].bag = Some(counts));
                counts += labels.len();
            }
        }
        counts
    }
}

/// The cells of a candidate as functions; none where it is no network of cells.
fn cells(space: &Space, genotype: &Genotype) -> Vec<Cell> {
    let candidate = space.materialize(genotype).and_then(|program| space.candidate(&program));
    let Ok(Some(candidate)) = candidate else { return Vec::new() };
    candidate.architecture.cells().into_iter().map(|(_, cell)| cell.simplified()).collect()
}

fn count(counter: &mut u8) {
    *counter = counter.saturating_add(1);
}

/// Counts a cell's paths from input to output, and which op feeds which.
fn count_graph(cell: &Cell, counts: &mut [u8], paths: &Range<usize>, pairs: &Range<usize>) {
    let graph = cell.graph();
    let mut labels: Vec<u64> = Vec::with_capacity(graph.node_count());
    let mut arriving: Vec<Vec<u64>> = Vec::with_capacity(graph.node_count());
    for (index, node) in cell.nodes() {
        let label = match node {
            Node::Input(number) => *number as u64,
            Node::Op(op) => fnv1a(op.label().as_bytes()),
            Node::Add => 2,
            Node::Concat => 3,
        };
        let sources = cell.sources(index);
        let mut here: Vec<u64> = sources
            .iter()
            .flat_map(|source| arriving[source.index()].iter().copied())
            .take(MAX_PATHS)
            .collect();
        match node {
            Node::Input(_) => here.push(label),
            // A path is the ops that it leads through: sums and concatenations are none.
            Node::Op(_) => here.iter_mut().for_each(|path| *path = joined(*path, label)),
            Node::Add | Node::Concat => {}
        }
        let is_output = index == cell.output();
        // A cell that ends in a sum and one that ends in an op feed the same output.
        let reader = if is_output && matches!(node, Node::Add | Node::Concat) { OUTPUT } else { label };
        let mut pair =
            |from: u64, to: u64| count(&mut counts[pairs.start + joined(from, to) as usize % HASHED]);
        sources.iter().for_each(|source| pair(labels[source.index()], reader));
        if is_output {
            if reader != OUTPUT {
                pair(label, OUTPUT);
            }
            here.iter().for_each(|path| count(&mut counts[paths.start + *path as usize % HASHED]));
        }
        labels.push(label);
        arriving.push(here);
    }
}

/// A hash of two in order; its low bits are well mixed.
fn joined(a: u64, b: u64) -> u64 {
    let mixed = (a.rotate_left(23) ^ b).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 32)
}
