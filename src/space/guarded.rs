//! Moves that keep to the constraints, and what candidates are and cost.

use std::sync::atomic::Ordering;

use super::constraint::{Breach, MAX_DRAWS};
use super::{Genotype, GenotypeError, Key, Space};
use crate::candidate::Candidate;
use crate::ir::{Cost, Graph};
use crate::random::Rng;
use crate::symbolic::Value;

impl Space {
    /// A uniform draw of every decision that becomes active, redrawn until the constraints hold (bounded).
    ///
    /// # Errors
    /// Where no draw meets the constraints: which one turned them down, and the closest value met.
    pub fn random(&self, rng: &mut Rng) -> Result<Genotype, GenotypeError> {
        match &self.rows {
            Some(rows) => Ok(rows.random(rng)),
            None => self.within(|| self.template.random(rng)),
        }
    }

    /// `parent` with one decision (and what hangs on it) drawn anew, never equal to `parent` where the space has
    /// another that differs in a decision of `parent`'s. In a space of rows only, one of the rows nearest to it.
    ///
    /// # Errors
    /// A parent that is not of the space, or of which no mutation meets the constraints.
    pub fn mutate(&self, parent: &Genotype, rng: &mut Rng) -> Result<Genotype, GenotypeError> {
        match &self.rows {
            Some(rows) => rows.mutate(&self.template, parent, rng),
            None => self.within(|| self.template.mutate(parent, rng)),
        }
    }

    /// A child that takes each decision from one of its parents.
    ///
    /// # Errors
    /// A parent that is not of the space, or parents of which no child meets the constraints.
    pub fn crossover(&self, a: &Genotype, b: &Genotype, rng: &mut Rng) -> Result<Genotype, GenotypeError> {
        match &self.rows {
            Some(rows) => rows.nearest(&self.template, &self.template.crossover(a, b, rng)?, rng),
            None => self.within(|| self.template.crossover(a, b, rng)),
        }
    }

    /// All genotypes one edit away (numbers: a few steps each way) that meet the constraints.
    ///
    /// # Errors
    /// A genotype that is not of the space.
    pub fn neighbours(&self, genotype: &Genotype) -> Result<Vec<Genotype>, GenotypeError> {
        if let Some(rows) = &self.rows {
            return rows.neighbours(&self.template, genotype);
        }
        let mut near = self.template.neighbours(genotype)?;
        if !self.constraints.is_empty() {
            near.retain(|genotype| self.admits(genotype).unwrap_or(false));
        }
        Ok(near)
    }

    /// Every genotype of a finite space that meets the constraints, in order; a continuous space's floats take their
    /// low end only.
    pub fn genotypes(&self) -> Box<dyn Iterator<Item = Genotype> + '_> {
        if let Some(rows) = &self.rows {
            return Box::new(rows.genotypes().cloned());
        }
        let all = std::iter::successors(Some(self.template.first()), |last| self.template.next(last));
        let all = all.map(|assignment| self.template.write(&assignment));
        if self.constraints.is_empty() {
            return Box::new(all);
        }
        Box::new(all.filter(|genotype| self.admits(genotype).unwrap_or(false)))
    }

    /// Whether a genotype meets the constraints, and, in a space of rows only, is one of them up to isomorphism.
    ///
    /// # Errors
    /// A genotype that is not of the space.
    pub fn admits(&self, genotype: &Genotype) -> Result<bool, GenotypeError> {
        if let Some(rows) = &self.rows {
            return Ok(rows.has(&self.key(genotype)?));
        }
        Ok(self.breach(genotype)?.is_none())
    }

    /// How many draws the constraints have turned down so far.
    pub fn rejections(&self) -> u64 {
        self.rejections.load(Ordering::Relaxed)
    }

    /// The candidate's identity: the same for isomorphic candidates.
    ///
    /// # Errors
    /// A genotype that is not of the space.
    pub fn key(&self, genotype: &Genotype) -> Result<Key, GenotypeError> {
        if let Some(key) = self.rows.as_ref().and_then(|rows| rows.key(genotype)) {
            return Ok(key.clone());
        }
        let program = self.materialize(genotype)?;
        self.program_type.key(&program).map_err(|error| self.no_program(&error))
    }

    /// The candidate's cost, where the program is a [`Candidate`]; `None` for a user's own type.
    ///
    /// # Errors
    /// A genotype that is not of the space, or a network that cannot be built.
    pub fn cost(&self, genotype: &Genotype) -> Result<Option<Cost>, GenotypeError> {
        Ok(self.network(genotype)?.map(|graph| graph.cost()))
    }

    pub(super) fn network(&self, genotype: &Genotype) -> Result<Option<Graph>, GenotypeError> {
        match self.candidate(&self.materialize(genotype)?)? {
            Some(candidate) => candidate.graph().map(Some).map_err(|error| GenotypeError(error.to_string())),
            None => Ok(None),
        }
    }

    /// A program of the space as a network with its training; `None` where the space's programs are no such thing.
    ///
    /// # Errors
    /// A program that is not of the space's type.
    pub fn candidate(&self, program: &Value) -> Result<Option<Candidate>, GenotypeError> {
        self.program_type.candidate(program).map_err(|error| self.no_program(&error))
    }

    /// The constraint that a genotype breaks.
    fn breach(&self, genotype: &Genotype) -> Result<Option<Breach>, GenotypeError> {
        let Some(candidate) =
            (if self.constraints.is_empty() { None } else { self.candidate(&self.materialize(genotype)?)? })
        else {
            return Ok(None);
        };
        Ok(match candidate.graph() {
            Ok(graph) => Breach::of(&self.constraints, &graph.cost()),
            Err(error) => Some(Breach::Shape(error.to_string())),
        })
    }

    /// The first of many draws that meets the constraints.
    fn within(
        &self,
        mut draw: impl FnMut() -> Result<Genotype, GenotypeError>,
    ) -> Result<Genotype, GenotypeError> {
        let mut closest: Option<Breach> = None;
        for _ in 0..MAX_DRAWS {
            let genotype = draw()?;
            let Some(breach) = self.breach(&genotype)? else { return Ok(genotype) };
            self.rejections.fetch_add(1, Ordering::Relaxed);
            closest = Some(match closest {
                None => breach,
                Some(before) => before.closer(Some(breach)),
            });
        }
        let why = closest.map(|breach| breach.to_string()).unwrap_or_default();
        Err(GenotypeError(format!(
            "no candidate within the constraints in {MAX_DRAWS} draws: {why}; loosen the constraint or widen the space"
        )))
    }
}
