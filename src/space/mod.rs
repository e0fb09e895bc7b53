//! A program with hyper values: its decisions, its size, its genotypes, and the way there and back.
//!
//! A space is any symbolic program in which some places are left open by [hyper values](hyper). It is compiled once
//! into a template; a [`Genotype`] says what each decision of the template holds, and the two together make a program.
//!
//! Any type of a user's own becomes a space by opening some of its fields:
//!
//! ```
//! use cellwright::space::hyper::{float, one_of};
//! use cellwright::{Seed, Space};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Training { batch: usize, optimizer: Optimizer }
//! #[derive(Serialize, Deserialize)]
//! enum Optimizer { Sgd { learning_rate: f64, momentum: f64 }, Adam { learning_rate: f64 } }
//! # let training = Training { batch: 64, optimizer: Optimizer::Sgd { learning_rate: 0.1, momentum: 0.9 } };
//!
//! let space = Space::of(&training)?
//!     .rebind("optimizer.learning_rate", float(1e-4, 1e-1).log())?
//!     .rebind("batch", one_of([32, 64, 128]))?;
//!
//! let genotype = space.random(&mut Seed(1).stream(0, "example"))?;
//! let candidate: Training = space.decode(&genotype)?;
//! assert!([32, 64, 128].contains(&candidate.batch));
//! # Ok::<(), cellwright::Error>(())
//! ```

mod assignment;
mod check;
mod compile;
mod constraint;
mod decision;
mod derived;
mod draw;
mod encode;
mod figures;
mod file;
mod form;
mod freeze;
mod genotype;
mod guarded;
pub mod hyper;
mod key;
mod label;
mod materialize;
mod moves;
mod open;
mod overlay;
mod program_type;
mod references;
mod rows;
mod size;
mod template;
#[cfg(test)]
mod tests;

pub use constraint::{Bounds, Constraint};
pub use decision::{Condition, Decision, DecisionKind, Draw};
pub use figures::FreeFigures;
pub use genotype::{Gene, Genes, Genotype, GenotypeError};
pub use key::{Key, NoKey};
pub use size::Size;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use num_bigint::BigUint;
use serde::de::DeserializeOwned;

use crate::symbolic::{Name, ProgramError, Sources, Value, from_value};
use compile::Pieces;
use derived::Derived;
use program_type::ProgramType;
use rows::Rows;
use template::{Body, Template};

/// A search space: a program with decisions left open. Clones share all that is large.
#[derive(Clone, Debug)]
pub struct Space {
    name: Option<Name>,
    about: Option<Name>,
    program: Value,
    pieces: Pieces,
    template: Arc<Template>,
    count: BigUint,
    program_type: Arc<dyn ProgramType>,
    constraints: Vec<Constraint>,
    experiment: Option<Value>,
    /// The whole space as one program, where it was read from a file.
    tree: Option<Value>,
    sources: Sources,
    rejections: Arc<AtomicU64>,
    /// The only candidates there are, where the space was [restricted](Space::only).
    rows: Option<Arc<Rows>>,
    derived: Derived,
    figures: figures::Source,
}

impl Space {
    /// What the space is called, where its file says so.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What the space is about, where its file says so.
    pub fn about(&self) -> Option<&str> {
        self.about.as_deref()
    }

    /// What is left open, by number, in the order in which it is met.
    pub fn decisions(&self) -> &[Decision] {
        &self.template.decisions
    }

    /// What candidates may cost.
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// The files that the space was read from: where its nodes' origins lie.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The exact number of genotypes, before any constraint.
    pub fn size(&self) -> Size {
        let is_continuous = self.rows.is_none() && self.template.is_continuous();
        if is_continuous { Size::Continuous } else { Size::Finite(self.count.clone()) }
    }

    /// The exact number of genotypes, before any constraint, with every open `Float` counted as one value.
    pub fn discrete_size(&self) -> &BigUint {
        &self.count
    }

    /// Whether a genotype is one of the space's, its constraints aside.
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

    /// The least length of the `Prefix` that a decision is the length of; `None` for all other decisions.
    pub fn prefix_min(&self, decision: usize) -> Option<usize> {
        match self.template.bodies.get(decision)? {
            Body::Prefix { min, .. } => Some(*min),
            _ => None,
        }
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

    /// The program that a genotype stands for.
    ///
    /// # Errors
    /// A genotype that is not of the space.
    pub fn materialize(&self, genotype: &Genotype) -> Result<Value, GenotypeError> {
        Ok(self.template.materialize(&self.template.read(genotype)?))
    }

    /// The typed program that a genotype stands for.
    ///
    /// # Errors
    /// A genotype that is not of the space, or a type that is not the space's.
    pub fn decode<P: DeserializeOwned>(&self, genotype: &Genotype) -> Result<P, GenotypeError> {
        from_value(&self.materialize(genotype)?).map_err(|error| self.no_program(&error))
    }

    /// The genotype of a program: the inverse of [`Space::materialize`]. Where several stand for the program, the one
    /// whose choices say most, and of those the first.
    ///
    /// ```
    /// use cellwright::Space;
    ///
    /// let space = Space::untyped(&"(op: OneOf([Conv(kernel: OneOf([3, 5])), Zero]))".parse()?)?;
    /// let genotype = space.encode(&"(op: Conv(kernel: 5))".parse()?)?;
    /// assert_eq!(genotype.to_string(), "0(1)");
    /// let error = space.encode(&"(op: Conv(kernel: 7))".parse()?).unwrap_err();
    /// assert_eq!(error.to_string(), "op.kernel: `7` is not one of: 3, 5");
    /// # Ok::<(), cellwright::Error>(())
    /// ```
    ///
    /// # Errors
    /// The first place of the program that fits no candidate, or that the program is not of the space's type.
    pub fn encode(&self, program: &Value) -> Result<Genotype, GenotypeError> {
        let given = self.program_type.spelled_out(program).map_err(|error| self.no_program(&error))?;
        let mut first_difference = None;
        let found = self.template.encode(&given, &mut |assignment| {
            let made = self.template.materialize(assignment);
            let Ok(made) = self.program_type.spelled_out(&made) else { return false };
            if made != given {
                first_difference.get_or_insert_with(|| overlay::first_difference(&made, &given));
            }
            made == given
        });
        match (found, first_difference) {
            (Ok(assignment), _) => Ok(self.template.write(&assignment)),
            (Err(_), Some(difference)) => Err(GenotypeError(difference)),
            (Err(error), None) => Err(error),
        }
    }

    /// A type's objection to a program, with the place in the file that it comes from.
    fn no_program(&self, error: &ProgramError) -> GenotypeError {
        match self.sources.place(error.origin) {
            Some(place) => GenotypeError(format!("{place}: {error}")),
            None => GenotypeError(error.to_string()),
        }
    }
}
