//! What a model is of: the trials of a study, each on its rung.

use super::kernel::Standing;
use super::pool::Ground;
use crate::random::Seed;
use crate::search::order::Order;
use crate::space::Space;
use crate::trial::{Fidelity, Trial};

/// What a trial may spend.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::search) struct Rungs {
    /// The fidelities, ascending.
    pub fidelities: Vec<Fidelity>,
    /// What a trial of each costs, the highest being 1.
    pub costs: Vec<f64>,
}

impl Rungs {
    /// These fidelities, ascending, each costing its share of the highest.
    pub fn of(fidelities: Vec<Fidelity>) -> Rungs {
        let top = fidelities.last().map_or(1, |top| top.0.max(1));
        let costs = fidelities.iter().map(|rung| f64::from(rung.0.max(1)) / f64::from(top)).collect();
        Rungs { fidelities, costs }
    }

    /// The rung of a trial: the highest that it reaches.
    pub fn rung(&self, trial: &Trial) -> usize {
        self.fidelities.iter().rposition(|rung| *rung <= trial.proposal.fidelity).unwrap_or(0)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.costs.len()
    }

    /// What a trial's note begins with: its rung, where there are several.
    pub fn note(&self, rung: usize) -> String {
        match self.count() {
            1 => String::new(),
            count => format!("rung {} of {count}: ", rung + 1),
        }
    }
}

/// What a model is of: a study so far.
#[derive(Clone, Copy)]
pub(in crate::search) struct Study<'a> {
    pub space: &'a Space,
    pub seed: Seed,
    pub rungs: &'a Rungs,
    pub trials: &'a [Trial],
    /// What a trial on its rung is worth: more is better, minus infinity for a failed one, `None` for one that has not
    /// ended.
    pub score: &'a dyn Fn(usize, usize) -> Option<f64>,
    /// All scores of every rung among each other; none while a model only learns where trials stand.
    pub orders: &'a [Order],
}

impl Study<'_> {
    /// The rung of a trial.
    pub fn rung(&self, trial: usize) -> usize {
        self.rungs.rung(&self.trials[trial])
    }

    /// The trial as the process sees it.
    pub(super) fn standing(&self, ground: &Ground, trial: usize, name: Option<u32>) -> Option<Standing> {
        let view = ground.view(self.space, &self.trials[trial].proposal.genotype)?;
        Some(Standing { view, rung: self.rung(trial), name })
    }

    /// What a trial is worth.
    pub(super) fn score(&self, trial: usize) -> Option<f64> {
        (self.score)(trial, self.rung(trial))
    }

    /// Whether a trial has ended with a figure.
    pub(super) fn is_scored(&self, trial: usize) -> bool {
        self.score(trial).is_some_and(|score| score > f64::NEG_INFINITY)
    }
}
