//! From genotype to genotype: random draws, mutation, crossover, neighbours, and all of them in order.

use rand::RngExt;

use super::assignment::Assignment;
use super::decision::Draw;
use super::genotype::{Genotype, GenotypeError};
use super::template::Template;
use crate::random::Rng;

impl Template {
    /// A uniform draw of every decision that becomes active.
    pub fn random(&self, rng: &mut Rng) -> Result<Genotype, GenotypeError> {
        let assignment = self.assign(&mut |decision| Ok(self.decisions[decision].kind.draw(rng)))?;
        Ok(self.write(&assignment))
    }

    /// One active decision, any alike, drawn anew; what hung on its old value goes, what hangs on the new is drawn.
    pub fn mutate(&self, parent: &Genotype, rng: &mut Rng) -> Result<Genotype, GenotypeError> {
        let old = self.read(parent)?;
        let open: Vec<usize> = old
            .order
            .iter()
            .copied()
            .filter(|decision| !self.decisions[*decision].kind.is_single())
            .collect();
        if open.is_empty() {
            return Ok(parent.clone());
        }
        let chosen = open[rng.random_range(0..open.len())];
        let child = self.assign(&mut |decision| {
            let kind = &self.decisions[decision].kind;
            Ok(match old.draw(decision) {
                Some(draw) if decision == chosen => kind.redraw(draw, rng),
                Some(draw) => draw.clone(),
                None => kind.draw(rng),
            })
        })?;
        Ok(self.write(&child))
    }

    /// Each decision from one of the parents: where they agree on a choice, its decisions mix; where they differ,
    /// the whole subtree comes with the choice.
    pub fn crossover(&self, a: &Genotype, b: &Genotype, rng: &mut Rng) -> Result<Genotype, GenotypeError> {
        let parents = [self.read(a)?, self.read(b)?];
        let child = self.assign(&mut |decision| {
            let drawn = parents.each_ref().map(|parent| parent.draw(decision));
            Ok(match drawn {
                [Some(a), Some(b)] => if rng.random() { a } else { b }.clone(),
                [Some(only), None] | [None, Some(only)] => only.clone(),
                // A decision is active under a value that one parent holds, and so in that parent.
                [None, None] => self.decisions[decision].kind.draw(rng),
            })
        })?;
        Ok(self.write(&child))
    }

    /// All genotypes with one decision changed to a value near its own; newly active decisions hold their first.
    pub fn neighbours(&self, genotype: &Genotype) -> Result<Vec<Genotype>, GenotypeError> {
        let old = self.read(genotype)?;
        let mut near = Vec::new();
        for (changed, draw) in old.active() {
            for other in self.decisions[changed].kind.near(draw) {
                let child = self.assign(&mut |decision| {
                    if decision == changed {
                        return Ok(other.clone());
                    }
                    Ok(self.held_or_first(&old, decision))
                })?;
                near.push(self.write(&child));
            }
        }
        Ok(near)
    }

    /// The first genotype in order.
    pub fn first(&self) -> Assignment {
        self.assign_infallibly(&mut |decision| self.decisions[decision].kind.first())
    }

    /// The genotype after `old` in order: the last decision that can be raised is raised, all after it start anew.
    pub fn next(&self, old: &Assignment) -> Option<Assignment> {
        let (place, raised) = old.order.iter().enumerate().rev().find_map(|(place, decision)| {
            let raised = self.decisions[*decision].kind.next(old.draw(*decision)?)?;
            Some((place, raised))
        })?;
        let mut met = 0;
        Some(self.assign_infallibly(&mut |decision| {
            met += 1;
            match met - 1 {
                before if before < place => self.held_or_first(old, decision),
                at if at == place => raised.clone(),
                _ => self.decisions[decision].kind.first(),
            }
        }))
    }

    fn held_or_first(&self, old: &Assignment, decision: usize) -> Draw {
        old.draw(decision).cloned().unwrap_or_else(|| self.decisions[decision].kind.first())
    }

    /// An assignment of draws that are the decisions' own.
    fn assign_infallibly(&self, draw: &mut dyn FnMut(usize) -> Draw) -> Assignment {
        self.assign(&mut |decision| Ok(draw(decision))).unwrap_or_default()
    }
}
