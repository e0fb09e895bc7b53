//! A program with hyper values: its decisions, its size, its genotypes, and the way there and back.
//!
//! A space is any symbolic program in which some places are left open by [hyper values](hyper). It is compiled once
//! into a template; a [`Genotype`] says what each decision of the template holds, and the two together make a program.

mod assignment;
mod compile;
mod decision;
mod draw;
mod genotype;
pub mod hyper;
mod label;
mod materialize;
mod moves;
mod problem;
mod size;
mod template;
#[cfg(test)]
mod tests;

pub use decision::{Condition, Decision, DecisionKind, Draw};
pub use genotype::{Gene, Genotype, GenotypeError};
pub use size::Size;

use num_bigint::BigUint;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ir::Cost;
use crate::random::Rng;
use crate::symbolic::{Origin, Value};
use compile::Pieces;
use problem::Problem;
use template::{Body, Template};

/// Two candidates with equal keys are the same candidate: isomorphic architectures with equal hyperparameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub String);

/// A search space.
#[derive(Debug)]
pub struct Space {
    template: Template,
    count: BigUint,
}

impl Space {
    /// A space over a bare tree, whose programs have no type to be checked against.
    ///
    /// # Errors
    /// Hyper values that are written wrongly.
    pub fn untyped(program: &Value) -> Result<Space, GenotypeError> {
        Space::compile(program, &Pieces::new()).map_err(|problems| {
            let messages: Vec<String> = problems.into_iter().map(|problem| problem.message).collect();
            GenotypeError(messages.join("\n"))
        })
    }

    fn compile(program: &Value, pieces: &Pieces) -> Result<Space, Vec<Problem>> {
        let template = compile::compile(program, pieces)?;
        let count = template.count().map_err(|_| {
            let message = "too many combinations of shared pieces that may or may not be met";
            vec![Problem::new(Origin::NONE, message).help("refer to some of them outside of all choices")]
        })?;
        Ok(Space { template, count })
    }

    /// What is left open, by number, in the order in which it is met.
    pub fn decisions(&self) -> &[Decision] {
        &self.template.decisions
    }

    /// The least length of a `Prefix`, whose length the decision is: `Choice(n)` is n more; `None` for all others.
    pub fn prefix_min(&self, decision: usize) -> Option<usize> {
        match self.template.bodies.get(decision)? {
            Body::Prefix { min, .. } => Some(*min),
            _ => None,
        }
    }

    /// The exact number of genotypes, before any constraint.
    pub fn size(&self) -> Size {
        if self.template.is_continuous() { Size::Continuous } else { Size::Finite(self.count.clone()) }
    }

    /// The exact number of genotypes, before any constraint, with every open `Float` counted as one value.
    pub fn discrete_size(&self) -> &BigUint {
        &self.count
    }

    /// Whether a genotype is one of the space's.
    ///
    /// # Errors
    /// The first gene that is not, with its decision, the value met and the range.
    pub fn validate(&self, genotype: &Genotype) -> Result<(), GenotypeError> {
        self.template.read(genotype).map(|_| ())
    }

    /// The active decisions by number, in the genotype's order, with what each holds.
    ///
    /// # Errors
    /// A genotype that is not of the space.
    pub fn active(&self, genotype: &Genotype) -> Result<Vec<(usize, Draw)>, GenotypeError> {
        let assignment = self.template.read(genotype)?;
        Ok(assignment.active().map(|(decision, draw)| (decision, draw.clone())).collect())
    }

    /// A genotype made decision by decision: `ask` gets the number of each decision as it becomes active.
    ///
    /// # Errors
    /// What `ask` refuses, and answers that the decision cannot take.
    pub fn build(
        &self,
        ask: &mut dyn FnMut(usize) -> Result<Draw, GenotypeError>,
    ) -> Result<Genotype, GenotypeError> {
        Ok(self.template.write(&self.template.assign(ask)?))
    }

    /// A uniform draw of every decision that becomes active, redrawn until the constraints hold (bounded).
    pub fn random(&self, rng: &mut Rng) -> Result<Genotype, GenotypeError> {
        self.template.random(rng)
    }

    /// `parent` with one decision (and what hangs on it) drawn anew, never equal to `parent` where the space has another.
    pub fn mutate(&self, parent: &Genotype, rng: &mut Rng) -> Result<Genotype, GenotypeError> {
        self.template.mutate(parent, rng)
    }

    /// A child that takes each decision from one of its parents.
    pub fn crossover(&self, a: &Genotype, b: &Genotype, rng: &mut Rng) -> Result<Genotype, GenotypeError> {
        self.template.crossover(a, b, rng)
    }

    /// All genotypes one edit away (numbers: a few steps each way).
    pub fn neighbours(&self, genotype: &Genotype) -> Result<Vec<Genotype>, GenotypeError> {
        self.template.neighbours(genotype)
    }

    /// Every genotype of a finite space, in order; a continuous space's floats take their low end only.
    pub fn genotypes(&self) -> Box<dyn Iterator<Item = Genotype> + '_> {
        let all = std::iter::successors(Some(self.template.first()), |last| self.template.next(last));
        Box::new(all.map(|assignment| self.template.write(&assignment)))
    }

    /// The program that a genotype stands for.
    pub fn materialize(&self, genotype: &Genotype) -> Result<Value, GenotypeError> {
        Ok(self.template.materialize(&self.template.read(genotype)?))
    }
}

#[allow(unused_variables)]
impl Space {
    /// A space over the user's own type, given as one program of it; rebind fields to hyper values to open them.
    pub fn of<P: Serialize + DeserializeOwned + 'static>(program: &P) -> Result<Space, GenotypeError> {
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
