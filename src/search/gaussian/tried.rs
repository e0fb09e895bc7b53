//! Which candidates were tried on which rungs, for those that may be tried again.

use std::collections::HashMap;

use super::study::Study;
use crate::space::Key;
use crate::trial::{TrialId, TrialState};

/// The candidates that were tried, by name: kept only where one may be tried again, on another rung.
#[derive(Default)]
pub(super) struct Tried {
    names: HashMap<Key, u32>,
    /// Of every trial that was read.
    of_trial: Vec<u32>,
    /// Where each stands in the pool.
    pub seats: Vec<Option<usize>>,
}

impl Tried {
    /// Takes in the trials that are new.
    pub fn read(&mut self, study: &Study) {
        if study.rungs.count() == 1 {
            return;
        }
        for trial in &study.trials[self.of_trial.len()..] {
            let next = self.names.len() as u32;
            let name = *self.names.entry(trial.key.clone()).or_insert(next);
            if name == next {
                self.seats.push(None);
            }
            self.of_trial.push(name);
        }
    }

    /// The name of a trial's candidate.
    pub fn name(&self, trial: usize) -> Option<u32> {
        self.of_trial.get(trial).copied()
    }

    /// The last trial of a candidate.
    pub fn last(&self, name: u32) -> Option<TrialId> {
        self.of_trial.iter().rposition(|other| *other == name).map(|trial| trial as TrialId)
    }

    /// Of every candidate, the lowest rung above all that it was tried on; `None` where there is none, or where it is
    /// being tried.
    pub fn next(&self, study: &Study) -> Vec<Option<usize>> {
        let mut next = vec![Some(0); self.names.len()];
        for (trial, name) in self.of_trial.iter().enumerate() {
            let (entry, above) = (&mut next[*name as usize], study.rung(trial) + 1);
            let stopped = matches!(study.trials[trial].state, TrialState::Stopped(_));
            let goes_on = !stopped && study.is_scored(trial);
            *entry = entry.filter(|_| goes_on && above < study.rungs.count()).map(|next| next.max(above));
        }
        next
    }
}
