//! The predictor of Progressive NAS: an ensemble of small networks over the mean embedding of a cell's blocks.
//!
//! Liu et al. 2018, <https://arxiv.org/abs/1712.00559>, section 4.3 and appendix A: tokens are looked up in tables that
//! all inputs and all ops share, a block's embeddings are joined, blocks are averaged, two hidden layers of 100 and a
//! sigmoid follow; L1 loss, Adam, the last bias at the mean target; five networks, each on another four fifths. Plain Rust:
//! it is there in every build, and what only one slot says it learns without an embedding in between.

use rayon::prelude::*;

use super::network::{Network, Plan};
use super::networks::{Form, folds, networks};
use super::{Configure, Features, Layout, Prediction, Surrogate};
use crate::random::Seed;

networks! {
    /// An ensemble of networks; PNAS's figures are the defaults.
    Mlp { learning_rate: 0.002, epochs: 50, updates: 0, batch: 32 }
}

impl Configure for Mlp {
    fn start(&self) -> Box<dyn Surrogate> {
        Box::new(Ensemble { form: self.form(), members: Vec::new() })
    }
}

/// The networks of an [`Mlp`].
struct Ensemble {
    form: Form,
    members: Vec<Network>,
}

impl Surrogate for Ensemble {
    fn fit(&mut self, layout: &Layout, examples: &[(Features, f64)], seed: Seed) {
        let learn = |(member, fold): (usize, Vec<usize>)| {
            let fold: Vec<_> = fold.into_iter().map(|index| &examples[index]).collect();
            Network::fit(self.plan(), layout, &fold, &mut seed.stream(member as u64, "surrogate member"))
        };
        let folds = folds(self.form.members, examples.len(), seed);
        self.members = folds.into_par_iter().enumerate().map(learn).collect();
    }

    fn predict(&self, features: &Features) -> Prediction {
        if self.members.is_empty() {
            return Prediction::UNKNOWN;
        }
        let opinions: Vec<f64> = self.members.iter().map(|member| member.predict(features)).collect();
        Prediction::of(opinions.into_iter())
    }
}

impl Ensemble {
    fn plan(&self) -> Plan {
        let Form { embedding, hidden, learning_rate, epochs, updates, batch, .. } = self.form;
        Plan { embedding, hidden, learning_rate: learning_rate as f32, epochs, updates, batch }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    /// Cells of one to three blocks: two inputs of one kind, two ops of another.
    fn cells(count: usize, seed: u64) -> (Layout, Vec<(Features, f64)>) {
        let mut layout = Layout::default();
        let (first, second) = (layout.add(3), layout.add(4));
        layout.add_shared(3, layout.slots[first].kind);
        layout.add_shared(4, layout.slots[second].kind);
        let mut rng = Seed(seed).stream(0, "cells");
        let worth = [0.0, 0.1, 0.25, 0.3];
        let cell = |rng: &mut crate::Rng| {
            let blocks = rng.random_range(1..4);
            let mut features = Features::new();
            let mut target = 0.6;
            for _ in 0..blocks {
                let (input, op) = (rng.random_range(0..3), rng.random_range(0..4));
                for (slot, token) in [(0, input), (1, op), (2, 0), (3, op)] {
                    features.push(((layout.slots[slot].start + token) as u32, 1.0 / blocks as f32));
                }
                target += (worth[op] - 0.05 * input as f64) / blocks as f64;
            }
            (features, target)
        };
        let cells = (0..count).map(|_| cell(&mut rng)).collect();
        (layout, cells)
    }

    /// The share of pairs that are predicted in their order.
    fn concordance(ensemble: &dyn Surrogate, cells: &[(Features, f64)]) -> f64 {
        let predicted: Vec<f64> = cells.iter().map(|(features, _)| ensemble.predict(features).mean).collect();
        let (mut right, mut pairs) = (0.0, 0.0);
        for a in 0..cells.len() {
            for b in (0..a).filter(|b| (cells[a].1 - cells[*b].1).abs() > 1e-9) {
                right += f64::from((predicted[a] > predicted[b]) == (cells[a].1 > cells[b].1));
                pairs += 1.0;
            }
        }
        right / pairs
    }

    fn small() -> Mlp {
        Mlp { members: 3, embedding: 12, hidden: 16, learning_rate: 0.01, epochs: 60, updates: 0, batch: 16 }
    }

    #[test]
    fn ranks_cells_it_has_not_seen() {
        let (layout, cells) = cells(120, 5);
        let (known, unknown) = cells.split_at(80);
        let mut ensemble = small().start();
        ensemble.fit(&layout, known, Seed(1));
        let share = concordance(&*ensemble, unknown);
        assert!(share > 0.85, "{share}");
    }
}
