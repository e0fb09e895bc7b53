//! A program with hyper values: its decisions, its size, its genotypes, and the way there and back.

use num_bigint::BigUint;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ir::Cost;
use crate::random::Rng;
use crate::symbolic::Value;

/// One decided value: a tree, for a choice brings its own decisions with it.
#[derive(Clone, Debug, PartialEq)]
pub enum Gene {
    /// The index of a candidate and the genes of the decisions that this candidate holds.
    Choice(u32, Vec<Gene>),
    /// `ManyOf` and `Permutation`: one choice a slot, in slot order.
    Many(Vec<Gene>),
    /// An `Int`.
    Int(i64),
    /// A `Float`.
    Float(f64),
}

/// All decisions of one candidate, in the space's order: what algorithms see and studies store.
///
/// Its text form is frozen: `2,3(1,0),#16,0.001,[2,0,1]` is a choice, a choice with two decisions of its own, an
/// integer, a float (always with a point or an exponent), and a `ManyOf`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Genotype(pub Vec<Gene>);

/// How many programs a space holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Size {
    /// Exactly this many.
    Finite(BigUint),
    /// At least one `Float` is open.
    Continuous,
}

/// Two candidates with equal keys are the same candidate: isomorphic architectures with equal hyperparameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub String);

/// Why a genotype is not of a space, or has no program.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct GenotypeError(pub String);

/// A search space.
pub struct Space {}

#[allow(unused_variables)]
impl Space {
    /// A space over the user's own type, given as one program of it; rebind fields to hyper values to open them.
    pub fn of<P: Serialize + DeserializeOwned + 'static>(program: &P) -> Result<Space, GenotypeError> {
        todo!()
    }
    /// The exact number of programs.
    pub fn size(&self) -> Size {
        todo!()
    }
    /// A uniform draw of every decision that becomes active, redrawn until the constraints hold (bounded).
    pub fn random(&self, rng: &mut Rng) -> Result<Genotype, GenotypeError> {
        todo!()
    }
    /// `parent` with one decision (and what hangs on it) drawn anew, never equal to `parent` where the space has another.
    pub fn mutate(&self, parent: &Genotype, rng: &mut Rng) -> Result<Genotype, GenotypeError> {
        todo!()
    }
    /// A child that takes each decision from one of its parents.
    pub fn crossover(&self, a: &Genotype, b: &Genotype, rng: &mut Rng) -> Result<Genotype, GenotypeError> {
        todo!()
    }
    /// All genotypes one edit away (numbers: a few steps each way).
    pub fn neighbours(&self, genotype: &Genotype) -> Result<Vec<Genotype>, GenotypeError> {
        todo!()
    }
    /// Every genotype of a finite space, in order; a continuous space's floats take their low end only.
    pub fn genotypes(&self) -> Box<dyn Iterator<Item = Genotype> + '_> {
        todo!()
    }
    /// The program that a genotype stands for.
    pub fn materialize(&self, genotype: &Genotype) -> Result<Value, GenotypeError> {
        todo!()
    }
    /// The typed program that a genotype stands for.
    pub fn decode<P: DeserializeOwned>(&self, genotype: &Genotype) -> Result<P, GenotypeError> {
        todo!()
    }
    /// The genotype of a program: the inverse of [`Space::materialize`].
    pub fn encode(&self, program: &Value) -> Result<Genotype, GenotypeError> {
        todo!()
    }
    /// The candidate's identity: the same for isomorphic candidates.
    pub fn key(&self, genotype: &Genotype) -> Result<Key, GenotypeError> {
        todo!()
    }
    /// The candidate's cost, where the program is a [`Candidate`](crate::Candidate); `None` for a user's own type.
    pub fn cost(&self, genotype: &Genotype) -> Result<Option<Cost>, GenotypeError> {
        todo!()
    }
}
