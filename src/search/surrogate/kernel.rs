//! How alike two candidates are, slot by slot: what a Gaussian process compares by.
//!
//! Each slot has a distance in [0, 1]: choices are alike or not, where several blocks share the slot the share that is not
//! common to both; a decision that is not active is at distance 1 from any that is; numbers lie on a line; bags have
//! the share that they do not have in common (Jaccard). All of them are conditionally negative definite, and so is every
//! weighted sum, hence `exp(-sum)` is a kernel whatever the weights are; so is the mean of all `1 - distance`. The kernel
//! is a mixture of the two (Ru et al. 2020, <https://arxiv.org/abs/1906.08878>): the first knows candidates as a whole, the
//! second adds up what their slots are worth. Where a candidate is seen from several sides (its decisions, its paths, its
//! cost), each side is one more part of the mixture, since two candidates may be alike in it and in nothing else.

use std::ops::Range;

use super::{Features, Layout, Measure, Slot};
use crate::search::cholesky::{add_scaled, dot};

/// A candidate as the kernel compares it: what each slot holds.
#[derive(Clone, Debug)]
pub(super) struct Point(Vec<Content>);

#[derive(Clone, Debug, PartialEq)]
enum Content {
    /// The decision is not active, the bag empty.
    Nothing,
    /// One choice with all weight.
    Choice(u32),
    /// Where on the line, in [0, 1].
    Number(f64),
    /// Columns with their weights, by column.
    Several(Vec<(u32, f32)>),
}

/// Reads features slot by slot.
#[derive(Clone, Debug, Default)]
pub(super) struct Reader {
    slots: Vec<Slot>,
    slot_of_columns: Vec<u32>,
}

impl Reader {
    pub fn new(layout: &Layout) -> Reader {
        Reader { slots: layout.slots.clone(), slot_of_columns: layout.slot_of_columns() }
    }

    /// The number of slots.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// The slots of each side.
    pub fn sides(&self) -> Vec<Range<usize>> {
        let mut start = 0;
        let sides = self.slots.chunk_by(|a, b| a.side == b.side).map(|slots| {
            start += slots.len();
            start - slots.len()..start
        });
        sides.collect()
    }

    pub fn point(&self, features: &Features) -> Point {
        let mut sorted = features.clone();
        sorted.retain(|(_, weight)| *weight != 0.0);
        sorted.sort_unstable_by_key(|(column, _)| *column);
        let mut contents = vec![Content::Nothing; self.slots.len()];
        let slot = |column: u32| self.slot_of_columns[column as usize];
        for tokens in sorted.chunk_by(|(a, _), (b, _)| slot(*a) == slot(*b)) {
            let slot = slot(tokens[0].0) as usize;
            contents[slot] = content(&self.slots[slot], tokens);
        }
        Point(contents)
    }
}

/// What a slot's tokens, sorted by column, say together.
fn content(slot: &Slot, tokens: &[(u32, f32)]) -> Content {
    match (slot.measure, tokens) {
        (Measure::Number, _) => {
            let total: f64 = tokens.iter().map(|(_, weight)| f64::from(*weight)).sum();
            let place = |column: u32| f64::from(column - slot.start as u32) / (slot.width.max(2) - 1) as f64;
            let sum: f64 = tokens.iter().map(|(column, weight)| place(*column) * f64::from(*weight)).sum();
            if total > 0.0 { Content::Number(sum / total) } else { Content::Nothing }
        }
        (Measure::Choice, [(column, weight)]) if *weight == 1.0 => Content::Choice(*column),
        _ => {
            let mut merged: Vec<(u32, f32)> = Vec::with_capacity(tokens.len());
            for (column, weight) in tokens {
                match merged.last_mut() {
                    Some((last, sum)) if last == column => *sum += weight,
                    _ => merged.push((*column, *weight)),
                }
            }
            match (slot.measure, merged.as_slice()) {
                (Measure::Choice, [(column, weight)]) if (weight - 1.0).abs() < 1e-4 => {
                    Content::Choice(*column)
                }
                _ => Content::Several(merged),
            }
        }
    }
}

impl Point {
    /// How far apart two candidates are in each slot.
    pub fn distances<'a>(&'a self, other: &'a Point, reader: &'a Reader) -> impl Iterator<Item = f64> + 'a {
        let pairs = self.0.iter().zip(&other.0).zip(&reader.slots);
        pairs.map(|((a, b), slot)| distance(slot.measure, a, b))
    }
}

/// How far apart two contents of one slot are, in [0, 1].
fn distance(measure: Measure, a: &Content, b: &Content) -> f64 {
    match (a, b) {
        (Content::Nothing, Content::Nothing) => 0.0,
        (Content::Nothing, _) | (_, Content::Nothing) => 1.0,
        (Content::Choice(a), Content::Choice(b)) => f64::from(u8::from(a != b)),
        // Between the line's length and its square: smooth, but not so smooth that a step cannot be learnt.
        (Content::Number(a), Content::Number(b)) => {
            let apart = (a - b).abs();
            apart * apart.sqrt()
        }
        (Content::Several(a), Content::Several(b)) => apart(measure, a, b),
        (Content::Several(many), Content::Choice(one)) | (Content::Choice(one), Content::Several(many)) => {
            apart(measure, many, &[(*one, 1.0)])
        }
        (Content::Number(_), _) | (_, Content::Number(_)) => 1.0,
    }
}

/// Of choices with weights the weight that is not common to both; of bags, its share in all.
fn apart(measure: Measure, a: &[(u32, f32)], b: &[(u32, f32)]) -> f64 {
    let sum = |tokens: &[(u32, f32)]| tokens.iter().map(|(_, weight)| f64::from(*weight)).sum::<f64>();
    let (all_a, all_b) = (sum(a), sum(b));
    let (mut common, mut at) = (0.0, 0);
    for (column, weight) in a {
        while at < b.len() && b[at].0 < *column {
            at += 1;
        }
        if at < b.len() && b[at].0 == *column {
            common += f64::from(weight.min(b[at].1));
        }
    }
    match measure {
        Measure::Bag => 1.0 - common / (all_a + all_b - common),
        Measure::Choice | Measure::Number => (all_a.max(all_b) - common).min(1.0),
    }
}

/// What the kernel makes of distances: a mixture of parts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kernel {
    /// How much a distance of 1 in each slot counts.
    pub weights: Vec<f64>,
    /// The shares of the parts, which sum up to 1: candidates as a whole, their slots one by one, and, where there is more
    /// than one, each side of a candidate.
    pub shares: Vec<f64>,
    /// The slots of each side, in order.
    sides: Vec<Range<usize>>,
    total: f64,
}

/// The parts that every kernel has: candidates as a whole, and slot by slot.
const WHOLE: usize = 0;
const ADDED: usize = 1;
const FIRST_SIDE: usize = 2;

impl Kernel {
    pub fn new(weights: Vec<f64>, shares: Vec<f64>, sides: Vec<Range<usize>>) -> Kernel {
        let total = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        Kernel { weights, shares, sides, total }
    }

    /// How many parts a kernel over these sides has.
    pub fn parts(sides: &[Range<usize>]) -> usize {
        FIRST_SIDE + if sides.len() > 1 { sides.len() } else { 0 }
    }

    /// The covariance at these distances: 1 where all are 0.
    pub fn at(&self, mut distances: impl Iterator<Item = f64>) -> f64 {
        let (mut whole, mut covariance) = (0.0, 0.0);
        for (side, slots) in self.sides.iter().enumerate() {
            let weights = &self.weights[slots.clone()];
            let sum: f64 =
                weights.iter().zip(&mut distances).map(|(weight, distance)| weight * distance).sum();
            if let Some(share) = self.shares.get(FIRST_SIDE + side) {
                covariance += share * (-sum).exp();
            }
            whole += sum;
        }
        covariance + self.shares[WHOLE] * (-whole).exp() + self.shares[ADDED] * (1.0 - whole / self.total)
    }

    /// The covariance of every part, into `parts`, and of them together.
    pub fn apart(&self, distances: &[f64], parts: &mut [f64]) -> f64 {
        let mut whole = 0.0;
        for (side, slots) in self.sides.iter().enumerate() {
            let sum = dot(&self.weights[slots.clone()], &distances[slots.clone()]);
            if let Some(part) = parts.get_mut(FIRST_SIDE + side) {
                *part = (-sum).exp();
            }
            whole += sum;
        }
        parts[WHOLE] = (-whole).exp();
        parts[ADDED] = 1.0 - whole / self.total;
        dot(parts, &self.shares)
    }

    /// Adds to `falls`, for each slot, how much the covariance of `parts` falls with its weight, times `factor`. What all
    /// slots have in common, since their sum divides what is added up, is returned: it is to be added to each.
    pub fn fall(&self, distances: &[f64], parts: &[f64], factor: f64, falls: &mut [f64]) -> f64 {
        let both = self.shares[WHOLE] * parts[WHOLE] + self.shares[ADDED] / self.total;
        for (side, slots) in self.sides.iter().enumerate() {
            let own =
                self.shares.get(FIRST_SIDE + side).map_or(0.0, |share| share * parts[FIRST_SIDE + side]);
            add_scaled(&mut falls[slots.clone()], factor * (both + own), &distances[slots.clone()]);
        }
        factor * self.shares[ADDED] * (1.0 - parts[ADDED]) / self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        let mut layout = Layout::default();
        layout.add(3);
        layout.add_measured(5, Measure::Number);
        layout.add_measured(4, Measure::Bag);
        layout
    }

    fn distances(a: &[(u32, f32)], b: &[(u32, f32)]) -> Vec<f64> {
        let reader = Reader::new(&layout());
        let (a, b) = (reader.point(&a.to_vec()), reader.point(&b.to_vec()));
        a.distances(&b, &reader).collect()
    }

    #[test]
    fn inactive_decisions_differ_from_all_active_ones() {
        assert_eq!(distances(&[(0, 1.0)], &[(0, 1.0)]), [0.0, 0.0, 0.0]);
        assert_eq!(distances(&[(0, 1.0)], &[(2, 1.0)]), [1.0, 0.0, 0.0]);
        assert_eq!(distances(&[(0, 1.0), (3, 1.0)], &[]), [1.0, 1.0, 0.0]);
    }

    #[test]
    fn averaged_blocks_numbers_and_bags_are_partly_alike() {
        // Half the blocks agree; a quarter of the line; one of three things in common.
        let a = [(0, 0.5), (1, 0.5), (3, 1.0), (8, 1.0), (9, 1.0)];
        let b = [(1, 0.25), (1, 0.25), (2, 0.5), (4, 1.0), (9, 1.0), (10, 1.0)];
        assert_eq!(distances(&a, &b), [0.5, 0.125, 1.0 - 1.0 / 3.0]);
    }

    #[test]
    fn the_kernel_is_one_where_nothing_differs_and_falls_with_every_weight() {
        let sides = vec![0..1, 1..2];
        let kernel = Kernel::new(vec![1.0, 3.0], vec![0.4, 0.3, 0.2, 0.1], sides.clone());
        assert_eq!(Kernel::parts(&sides), 4);
        assert!((kernel.at([0.0, 0.0].into_iter()) - 1.0).abs() < 1e-12);
        let known = 0.4 * (-1f64).exp() + 0.3 * 0.75 + 0.2 * (-1f64).exp() + 0.1;
        assert!((kernel.at([1.0, 0.0].into_iter()) - known).abs() < 1e-12);
        assert!((kernel.apart(&[1.0, 0.0], &mut [0.0; 4]) - known).abs() < 1e-12);
        assert!(kernel.at([1.0, 1.0].into_iter()) < kernel.at([0.0, 1.0].into_iter()));
    }
}
