//! Surrogates: what a search predicts with, learnt from the trials so far.
//!
//! A surrogate sees a candidate as [`Features`], a weighted bag of tokens laid out by a [`Layout`], and knows nothing
//! of spaces; [`Encoding`] turns genotypes into tokens, [`Scale`] turns scores into targets.

mod encoding;
mod mlp;
mod network;
mod scale;

pub use encoding::Encoding;
pub use mlp::{Mlp, MlpEnsemble};
pub use scale::Scale;

use crate::random::Seed;

/// A run of columns that mean the choices of one decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Which table of embeddings its tokens are looked up in; slots of one kind share it.
    pub kind: usize,
    /// Its first column.
    pub start: usize,
    /// Its number of columns: at most the rows of its kind's table.
    pub width: usize,
}

/// What the columns of [`Features`] mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The slots, by first column, without gaps.
    pub slots: Vec<Slot>,
    /// The number of rows of each kind's table.
    pub kinds: Vec<usize>,
}

impl Layout {
    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.slots.last().map_or(0, |slot| slot.start + slot.width)
    }

    /// Whether more than one slot reads the table of `kind`.
    pub fn is_shared(&self, kind: usize) -> bool {
        self.slots.iter().filter(|slot| slot.kind == kind).count() > 1
    }

    /// Adds a slot whose table no other slot reads; returns its index.
    pub fn add(&mut self, width: usize) -> usize {
        self.kinds.push(0);
        self.add_shared(width, self.kinds.len() - 1)
    }

    /// Adds a slot that reads the table of `kind`, which grows to hold it; returns the slot's index.
    pub fn add_shared(&mut self, width: usize, kind: usize) -> usize {
        self.kinds[kind] = self.kinds[kind].max(width);
        self.slots.push(Slot { kind, start: self.columns(), width });
        self.slots.len() - 1
    }
}

/// A candidate as a surrogate sees it: `(column, weight)`, in any order; a column that is not there weighs 0.
pub type Features = Vec<(u32, f32)>;

/// What a surrogate expects of a candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prediction {
    /// The expected target.
    pub mean: f64,
    /// How far the surrogate's own opinions are apart: its uncertainty.
    pub deviation: f64,
}

/// Learns what candidates are worth from those whose worth is known.
pub trait Surrogate: Send + Sync {
    /// Learns from scratch; the same call gives the same surrogate. Targets are within [0, 1], more is better.
    fn fit(&mut self, layout: &Layout, examples: &[(Features, f64)], seed: Seed);

    /// What it expects of one candidate; meant to be called from many threads.
    fn predict(&self, features: &Features) -> Prediction;
}
