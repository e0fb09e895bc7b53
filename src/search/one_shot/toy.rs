//! A supernet without weights: what candidates are worth is a formula, and every call is counted.

use crate::random::Seed;
use crate::search::Context;
use crate::space::{Draw, Genotype, Space};
use crate::symbolic::Sources;
use crate::trial::{Fidelity, Metrics, Moment, Supernet, SupernetError};

/// Steps an epoch.
pub const EPOCH: u64 = 4;

/// Two ops of three, a learning rate and a smoothing.
pub fn joint() -> Space {
    space(
        "(architecture: (a: OneOf([0, 1, 2]), b: OneOf([0, 1, 2])),
          training: (learning_rate: Float(1e-3, 1.0, Log), smoothing: OneOf([0.0, 0.1])))",
    )
}

/// One choice of so many.
pub fn arms(count: usize) -> Space {
    let arms: Vec<String> = (0..count).map(|arm| arm.to_string()).collect();
    space(&format!("(architecture: OneOf([{}]))", arms.join(", ")))
}

fn space(text: &str) -> Space {
    let program = Sources::default().read("toy.ron", text).expect("valid RON");
    Space::untyped(&program).expect("a valid space")
}

/// A context for `space`.
pub fn context(space: &Space) -> Context<'_> {
    Context { space, seed: Seed(1), trial: 0, trials: 10, fidelity: Fidelity(1), fidelities: &[] }
}

/// Updates by genotype and step.
type Updates = Vec<(String, u64)>;

/// Pays for the last of all choices under `architecture`, the first under `training`, and the middle of numbers.
pub struct Toy {
    /// Candidates whose first choice is this or more cannot be trained.
    pub broken: u32,
    /// All updates, by genotype and moment.
    pub updated: Updates,
    /// Updates on copies.
    pub copies: u64,
    pub kept: Option<(Vec<u8>, Updates)>,
    pub space: Option<Space>,
}

impl Default for Toy {
    fn default() -> Toy {
        Toy { broken: u32::MAX, updated: Vec::new(), copies: 0, kept: None, space: None }
    }
}

impl Toy {
    /// One that pays for large choices and large numbers of `space`.
    pub fn of(space: &Space) -> Toy {
        Toy { space: Some(space.clone()), ..Toy::default() }
    }

    fn refuse(&self, genotype: &Genotype) -> Result<(), SupernetError> {
        match genotype.0.first() {
            Some(crate::space::Gene::Choice(choice, _)) if *choice >= self.broken => {
                Err(SupernetError::Candidate("too broken to train".into()))
            }
            _ => Ok(()),
        }
    }

    fn figures(&self, genotype: &Genotype) -> Metrics {
        let space = self.space.clone().unwrap_or_else(joint);
        let active = space.active(genotype).unwrap_or_default();
        let pay = |(decision, draw): &(usize, Draw)| {
            let decision = &space.decisions()[*decision];
            let last = decision.labels.len().saturating_sub(1).max(1) as f64;
            match draw {
                Draw::Choice(choice) if self.space.is_none() && decision.id.starts_with("training") => {
                    1.0 - f64::from(*choice) / last
                }
                Draw::Choice(choice) => f64::from(*choice) / last,
                number if self.space.is_some() => decision.kind.share(number).unwrap_or(0.5),
                number => 1.0 - 2.0 * (decision.kind.share(number).unwrap_or(0.5) - 0.5).abs(),
            }
        };
        let accuracy = active.iter().map(pay).sum::<f64>() / active.len().max(1) as f64;
        let chosen = |(_, draw): &(usize, Draw)| {
            if let Draw::Choice(choice) = draw { f64::from(*choice) } else { 0.0 }
        };
        let params = 1.0 + active.iter().map(chosen).sum::<f64>();
        [("accuracy", accuracy), ("loss", 1.0 - accuracy), ("params", params)]
            .map(|(name, value)| (name.to_string(), value))
            .into()
    }
}

impl Supernet for Toy {
    fn update(&mut self, genotype: &Genotype, moment: Moment) -> Result<Metrics, SupernetError> {
        self.refuse(genotype)?;
        self.updated.push((genotype.to_string(), moment.step));
        Ok(self.figures(genotype))
    }

    fn worth(&mut self, genotype: &Genotype, _: Moment, updates: u32) -> Result<Metrics, SupernetError> {
        self.refuse(genotype)?;
        self.copies += u64::from(updates);
        Ok(self.figures(genotype))
    }

    fn steps_an_epoch(&mut self, genotype: &Genotype) -> Result<u64, SupernetError> {
        self.refuse(genotype).map(|()| EPOCH)
    }

    fn keep(&mut self, notes: &[u8]) -> Result<(), SupernetError> {
        self.kept = Some((notes.to_vec(), self.updated.clone()));
        Ok(())
    }

    fn restore(&mut self) -> Result<Option<Vec<u8>>, SupernetError> {
        let Some((notes, updated)) = &self.kept else {
            self.updated.clear();
            return Ok(None);
        };
        self.updated.clone_from(updated);
        Ok(Some(notes.clone()))
    }
}
