//! Surrogates: what a search predicts with, learnt from the trials so far.
//!
//! A surrogate sees a candidate as [`Features`], a weighted bag of tokens laid out by a [`Layout`], and knows nothing
//! of spaces; [`Encoding`] turns genotypes into tokens, [`Scale`] turns scores into targets.
//!
//! To add one: write `x.rs` (the paper and the idea in three sentences, the configuration with its defaults, the two
//! traits, tests), and add its `mod` line and its line in the table below.
//!
//! ```
//! use cellwright::search::surrogate::{Encoding, FeatureSet, GaussianProcess, Predictor, Scale};
//! use cellwright::{Seed, Space};
//!
//! let space = Space::untyped(&"(depth: Int(1, 9), op: OneOf([Conv, Pool, Skip]))".parse()?)?;
//! let encoding = Encoding::with(&space, FeatureSet::default());
//! let trials = [("#2,0", 0.61), ("#8,0", 0.83), ("#8,1", 0.74), ("#3,2", 0.42), ("#5,1", 0.66)];
//! let scale = Scale::of(trials.iter().map(|(_, score)| *score));
//! let example = |(genotype, score): &(&str, f64)| {
//!     Ok((encoding.describe(&space, &genotype.parse()?)?, scale.target(*score)))
//! };
//! let examples: Vec<_> = trials.iter().map(example).collect::<Result<_, cellwright::space::GenotypeError>>()?;
//!
//! let mut surrogate = Predictor::GaussianProcess(GaussianProcess::default()).start();
//! surrogate.fit(encoding.layout(), &examples, Seed(1));
//! let expects = |genotype: &str| Ok::<_, cellwright::Error>(surrogate.predict(&encoding.describe(&space, &genotype.parse()?)?));
//! assert!(expects("#9,0")?.mean > expects("#1,2")?.mean);
//! # Ok::<(), cellwright::Error>(())
//! ```

#[cfg(test)]
mod contract;
mod dense;
mod elastic_net;
#[cfg(feature = "train")]
mod embedded_mlp;
mod encoding;
mod figure_slots;
mod forest;
mod gaussian_process;
mod kernel;
#[cfg(feature = "train")]
mod lstm;
mod mlp;
mod network;
mod network_features;
mod networks;
#[cfg(feature = "train")]
mod on_burn;
mod ridge;
mod scale;

pub use elastic_net::ElasticNet;
#[cfg(feature = "train")]
pub use embedded_mlp::EmbeddedMlp;
pub use encoding::{Encoding, FeatureSet};
pub use forest::Forest;
pub use gaussian_process::GaussianProcess;
#[cfg(feature = "train")]
pub use lstm::Lstm;
pub use mlp::Mlp;
pub use ridge::Ridge;
pub use scale::Scale;

use rayon::prelude::*;

#[cfg(not(feature = "train"))]
use super::{NeedsTraining, NeedsTraining as Lstm, NeedsTraining as EmbeddedMlp};
use crate::family::family;
use crate::random::Seed;
use crate::space::Space;

/// A run of columns that mean the choices of one decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Which table of embeddings its tokens are looked up in; slots of one kind share it.
    pub kind: usize,
    /// Its first column.
    pub start: usize,
    /// Its number of columns: at most the rows of its kind's table.
    pub width: usize,
    /// How its columns compare.
    pub measure: Measure,
    /// Which side of the candidate it shows: slots that stand together and have equal numbers show one.
    pub side: usize,
}

/// How the columns of one slot compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measure {
    /// Any two are equally far apart: one of a few.
    #[default]
    Choice,
    /// They are places along a line, in order: a number, which lies at one of them or between two.
    Number,
    /// Each is a thing of its own that may be there or not, or several times: a bag.
    Bag,
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

    /// Adds a slot of choices whose table no other slot reads; returns its index.
    pub fn add(&mut self, width: usize) -> usize {
        self.kinds.push(0);
        self.add_shared(width, self.kinds.len() - 1)
    }

    /// Adds a slot whose table no other slot reads; returns its index.
    pub fn add_measured(&mut self, width: usize, measure: Measure) -> usize {
        let slot = self.add(width);
        self.slots[slot].measure = measure;
        slot
    }

    /// Adds a slot of choices that reads the table of `kind`, which grows to hold it; returns the slot's index.
    pub fn add_shared(&mut self, width: usize, kind: usize) -> usize {
        self.kinds[kind] = self.kinds[kind].max(width);
        self.slots.push(Slot { kind, start: self.columns(), width, measure: Measure::Choice, side: 0 });
        self.slots.len() - 1
    }

    /// The slot of every column.
    fn slot_of_columns(&self) -> Vec<u32> {
        let columns = |(number, slot): (usize, &Slot)| std::iter::repeat_n(number as u32, slot.width);
        self.slots.iter().enumerate().flat_map(columns).collect()
    }
}

/// A candidate as a surrogate sees it: `(column, weight)`, in any order; a column that is not there weighs 0.
pub type Features = Vec<(u32, f32)>;

/// What a surrogate expects of a candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prediction {
    /// The expected target.
    pub mean: f64,
    /// How unsure the surrogate is of the mean: a standard deviation, in units of the target.
    pub deviation: f64,
}

impl Prediction {
    /// What is expected where nothing is known.
    const UNKNOWN: Prediction = Prediction { mean: 0.5, deviation: 0.5 };

    /// The mean of several opinions, and how far they are apart.
    fn of(opinions: impl Iterator<Item = f64> + Clone) -> Prediction {
        let count = opinions.clone().count() as f64;
        let mean = opinions.clone().sum::<f64>() / count;
        let variance = opinions.map(|opinion| (opinion - mean).powi(2)).sum::<f64>() / count;
        Prediction { mean, deviation: variance.sqrt() }
    }
}

/// Learns what candidates are worth from those whose worth is known.
pub trait Surrogate: Send + Sync {
    /// Learns from scratch; the same call gives the same surrogate. Targets are within [0, 1], more is better; examples
    /// are in the order of their trials.
    fn fit(&mut self, layout: &Layout, examples: &[(Features, f64)], seed: Seed);

    /// What it expects of one candidate; meant to be called from many threads. Before [`Surrogate::fit`], and after
    /// one without examples, it expects 0.5 of everything, with a deviation of 0.5.
    fn predict(&self, features: &Features) -> Prediction;

    /// What it expects of many candidates, in their order, on all cores.
    fn predict_all(&self, candidates: &[Features]) -> Vec<Prediction> {
        candidates.par_iter().with_min_len(16).map(|features| self.predict(features)).collect()
    }
}

/// A surrogate's configuration: makes the surrogate.
pub trait Configure {
    /// A surrogate that has learnt nothing yet.
    fn start(&self) -> Box<dyn Surrogate>;

    /// How it sees a space's candidates: with these features, the decisions of a `Prefix`'s blocks averaged unless it
    /// reads them in order.
    fn encoding(&self, space: &Space, set: FeatureSet) -> Encoding {
        Encoding::with(space, set)
    }
}

#[cfg(not(feature = "train"))]
impl Configure for NeedsTraining {
    fn start(&self) -> Box<dyn Surrogate> {
        match *self {}
    }
}

family! {
    /// A surrogate with its configuration.
    pub enum Predictor: Configure {
        /// PNAS's ensemble of small networks.
        Mlp(Mlp) = "mlp",
        /// The same with an embedding for every token, on Burn.
        EmbeddedMlp(EmbeddedMlp) = "embedded_mlp",
        /// PNAS's ensemble of recurrent networks, on Burn.
        Lstm(Lstm) = "lstm",
        /// Extremely randomised trees.
        Forest(Forest) = "forest",
        /// Bayesian linear regression.
        Ridge(Ridge) = "ridge",
        /// Linear regression in which most columns do not count.
        ElasticNet(ElasticNet) = "elastic_net",
        /// A Gaussian process over choices, conditions and numbers.
        GaussianProcess(GaussianProcess) = "gaussian_process",
    }
}

impl Predictor {
    /// The names of all members that this build can make: those on Burn need the feature `train`.
    pub fn available() -> impl Iterator<Item = &'static str> {
        let on_burn = ["EmbeddedMlp", "Lstm"];
        Predictor::NAMES
            .iter()
            .copied()
            .filter(move |name| cfg!(feature = "train") || !on_burn.contains(name))
    }

    /// With another learning rate, where it is of networks; else as it is.
    pub fn with_learning_rate(self, learning_rate: f64) -> Predictor {
        match self {
            Predictor::Mlp(mlp) => Predictor::Mlp(Mlp { learning_rate, ..mlp }),
            #[cfg(feature = "train")]
            Predictor::EmbeddedMlp(mlp) => Predictor::EmbeddedMlp(EmbeddedMlp { learning_rate, ..mlp }),
            #[cfg(feature = "train")]
            Predictor::Lstm(lstm) => Predictor::Lstm(Lstm { learning_rate, ..lstm }),
            other => other,
        }
    }
}

impl Default for Predictor {
    /// What PNAS searched with.
    fn default() -> Predictor {
        Predictor::Mlp(Mlp::default())
    }
}
