//! Extremely randomised trees.
//!
//! Geurts, Ernst and Wehenkel 2006, <https://doi.org/10.1007/s10994-006-6226-1>: every tree learns from all examples, and
//! each split is the best of a few columns at a random threshold each. The trees agree where examples are near and
//! differ elsewhere, so how far they are apart says how unsure they are.
//!
//! Written out, because no crate has it: the trees of linfa only classify, and so do its forests; the forests of smartcore
//! keep their trees to themselves, without which there is no deviation, and draw from a generator that is not fixed
//! for all platforms.

use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::dense::Dense;
use super::{Configure, Features, Layout, Prediction, Surrogate};
use crate::random::{Rng, Seed};

/// Extremely randomised trees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Forest {
    /// How many trees.
    pub trees: usize,
    /// Which share of the columns a split chooses from, at least one.
    pub columns: f64,
    /// A node of fewer examples is not split.
    pub split: usize,
    /// Whether each tree learns from examples drawn with repeats, as many as there are, instead of from all.
    pub bootstrap: bool,
}

impl Default for Forest {
    fn default() -> Forest {
        Forest { trees: 60, columns: 0.35, split: 4, bootstrap: false }
    }
}

impl Configure for Forest {
    fn start(&self) -> Box<dyn Surrogate> {
        Box::new(Trees { config: self.clone(), dense: Dense::default(), trees: Vec::new() })
    }
}

/// The trees of a [`Forest`].
struct Trees {
    config: Forest,
    dense: Dense,
    trees: Vec<Tree>,
}

impl Surrogate for Trees {
    fn fit(&mut self, layout: &Layout, examples: &[(Features, f64)], seed: Seed) {
        self.dense = Dense::of(layout);
        let table = Table::of(&self.dense, examples);
        let trees = if examples.is_empty() { 0 } else { self.config.trees.max(1) };
        let grow = |tree: usize| Tree::grow(&self.config, &table, seed.stream(tree as u64, "surrogate tree"));
        self.trees = (0..trees).into_par_iter().map(grow).collect();
    }

    fn predict(&self, features: &Features) -> Prediction {
        if self.trees.is_empty() {
            return Prediction::UNKNOWN;
        }
        let row = self.dense.row(features);
        let opinions: Vec<f64> = self.trees.iter().map(|tree| tree.predict(&row)).collect();
        Prediction::of(opinions.into_iter())
    }
}

/// The examples, column by column.
struct Table {
    columns: Vec<Vec<f32>>,
    targets: Vec<f64>,
}

impl Table {
    fn of(dense: &Dense, examples: &[(Features, f64)]) -> Table {
        let rows: Vec<Vec<f32>> = examples.iter().map(|(features, _)| dense.row(features)).collect();
        let column = |column: usize| rows.iter().map(|row| row[column]).collect::<Vec<f32>>();
        let mut columns: Vec<Vec<f32>> = (0..dense.width()).map(column).collect();
        // A column that no example differs in splits nothing.
        for column in &mut columns {
            if column.windows(2).all(|pair| pair[0] == pair[1]) {
                column.clear();
            }
        }
        Table { columns, targets: examples.iter().map(|(_, target)| *target).collect() }
    }
}

/// One tree; the first node is the root.
struct Tree {
    nodes: Vec<Node>,
}

enum Node {
    Leaf(f64),
    Split { column: u32, threshold: f32, low: u32, high: u32 },
}

/// What is known while a tree grows.
struct Growth<'a> {
    config: &'a Forest,
    table: &'a Table,
    /// The columns that differ anywhere, in an order that is shuffled anew for each split.
    columns: Vec<u32>,
    rng: Rng,
}

/// A split: rows whose column is at most the threshold go low.
#[derive(Clone, Copy)]
struct Cut {
    column: u32,
    threshold: f32,
    /// By how much the sum of squared errors falls.
    gain: f64,
}

impl Tree {
    fn grow(config: &Forest, table: &Table, mut rng: Rng) -> Tree {
        let count = table.targets.len() as u32;
        let mut rows: Vec<u32> = match config.bootstrap {
            true => (0..count).map(|_| rng.random_range(0..count)).collect(),
            false => (0..count).collect(),
        };
        let differs = |column: &u32| !table.columns[*column as usize].is_empty();
        let columns = (0..table.columns.len() as u32).filter(differs).collect();
        let mut tree = Tree { nodes: Vec::with_capacity(2 * rows.len()) };
        Growth { config, table, columns, rng }.grow(&mut tree.nodes, &mut rows);
        tree
    }

    fn predict(&self, row: &[f32]) -> f64 {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Leaf(mean) => return mean,
                Node::Split { column, threshold, low, high } => {
                    at = if row[column as usize] <= threshold { low } else { high } as usize;
                }
            }
        }
    }
}

impl Growth<'_> {
    /// Adds the node of these rows and all below it; returns its index.
    fn grow(&mut self, nodes: &mut Vec<Node>, rows: &mut [u32]) -> u32 {
        let at = nodes.len();
        let sum: f64 = rows.iter().map(|row| self.table.targets[*row as usize]).sum();
        let mean = sum / rows.len() as f64;
        nodes.push(Node::Leaf(mean));
        let Some(Cut { column, threshold, .. }) = self.cut(rows, mean) else { return at as u32 };
        let values = &self.table.columns[column as usize];
        let count = partition(rows, |row| values[row as usize] <= threshold);
        let (below, above) = rows.split_at_mut(count);
        let low = self.grow(nodes, below);
        let high = self.grow(nodes, above);
        nodes[at] = Node::Split { column, threshold, low, high };
        at as u32
    }

    /// The best of a few random cuts; `None` where these rows stay together.
    fn cut(&mut self, rows: &[u32], mean: f64) -> Option<Cut> {
        let first = self.table.targets[rows[0] as usize];
        if rows.len() < self.config.split.max(2)
            || rows.iter().all(|row| self.table.targets[*row as usize] == first)
        {
            return None;
        }
        let wanted = (self.config.columns * self.columns.len() as f64).ceil().max(1.0) as usize;
        let mut best: Option<Cut> = None;
        let mut met = 0;
        // Columns are shuffled as far as they are looked at; those in which these rows are alike do not count.
        for place in 0..self.columns.len() {
            let other = self.rng.random_range(place..self.columns.len());
            self.columns.swap(place, other);
            let Some(cut) = self.random_cut(self.columns[place], rows, mean) else { continue };
            if best.is_none_or(|best| cut.gain > best.gain) {
                best = Some(cut);
            }
            met += 1;
            if met == wanted {
                break;
            }
        }
        best
    }

    /// A cut of one column at a random threshold; `None` where the rows are alike in it.
    fn random_cut(&mut self, column: u32, rows: &[u32], mean: f64) -> Option<Cut> {
        let values = &self.table.columns[column as usize];
        let (mut least, mut most) = (f32::INFINITY, f32::NEG_INFINITY);
        for row in rows {
            let value = values[*row as usize];
            least = least.min(value);
            most = most.max(value);
        }
        if least >= most {
            return None;
        }
        // A range of floats may give its high end, above which there is nothing.
        let drawn = self.rng.random_range(least..most);
        let threshold = if drawn < most { drawn } else { least };
        let (mut count, mut sum) = (0.0, 0.0);
        for row in rows {
            if values[*row as usize] <= threshold {
                count += 1.0;
                sum += self.table.targets[*row as usize] - mean;
            }
        }
        // Both sides together are off by nothing from their mean.
        let gain = sum * sum / count + sum * sum / (rows.len() as f64 - count);
        Some(Cut { column, threshold, gain })
    }
}

/// Brings the rows that hold to the front; returns how many.
fn partition(rows: &mut [u32], holds: impl Fn(u32) -> bool) -> usize {
    let mut count = 0;
    for at in 0..rows.len() {
        if holds(rows[at]) {
            rows.swap(count, at);
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_that_may_split_to_the_last_example_knows_them_all() {
        let mut layout = Layout::default();
        layout.add_measured(9, super::super::Measure::Number);
        let examples: Vec<(Features, f64)> =
            (0..9).map(|knot| (vec![(knot, 1.0)], f64::from(knot * knot) / 81.0)).collect();
        let mut forest = Forest { split: 2, ..Forest::default() }.start();
        forest.fit(&layout, &examples, Seed(1));
        for (features, target) in &examples {
            let prediction = forest.predict(features);
            assert!(
                (prediction.mean - target).abs() < 1e-12 && prediction.deviation < 1e-12,
                "{prediction:?}"
            );
        }
        // Between two examples the trees disagree, since thresholds are random.
        let between = forest.predict(&vec![(7, 0.5), (8, 0.5)]);
        assert!(between.mean > examples[7].1 && between.mean < examples[8].1 && between.deviation > 0.05);
    }

    #[test]
    fn values_that_no_float_lies_between_are_still_told_apart() {
        let mut layout = Layout::default();
        layout.add_measured(1, super::super::Measure::Bag);
        let weight = |n: u32| f32::from_bits(1.0f32.to_bits() + n % 2);
        let examples: Vec<(Features, f64)> =
            (0..8).map(|n| (vec![(0, weight(n))], f64::from(n % 2))).collect();
        let mut forest = Forest { split: 2, ..Forest::default() }.start();
        forest.fit(&layout, &examples, Seed(1));
        assert_eq!(forest.predict(&examples[1].0).mean, 1.0);
    }

    #[test]
    fn rows_are_parted_in_place() {
        let mut rows = [5, 2, 8, 1, 9];
        assert_eq!(partition(&mut rows, |row| row > 4), 3);
        assert!(rows[..3].iter().all(|row| *row > 4) && rows[3..].iter().all(|row| *row <= 4));
    }
}
