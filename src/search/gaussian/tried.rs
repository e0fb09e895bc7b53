//! Which candidates were tried on which rungs, for those that may be tried again.
//!
//! It is a cache that takes in what is new; the same history always gives the same answers.

use std::collections::{BTreeSet, HashMap};

use super::study::Study;
use crate::space::Key;
use crate::trial::{TrialId, TrialState};

/// The candidates that were tried, by name: kept only where one may be tried again, on another rung.
#[derive(Default)]
pub(super) struct Tried {
    names: HashMap<Key, u32>,
    /// Of every trial that was read.
    of_trial: Vec<u32>,
    /// Of every candidate.
    climbs: Vec<Climb>,
    /// The trials that had not ended when they were read last, ascending.
    open: Vec<usize>,
    /// The candidates that may go on, by their next rung.
    going_on: BTreeSet<(usize, u32)>,
}

/// How far a candidate got.
#[derive(Default)]
struct Climb {
    last: TrialId,
    /// The last trial with a figure.
    last_scored: Option<usize>,
    /// The lowest rung above all that it was tried on.
    next: usize,
    /// How many of its trials have not ended.
    open: usize,
    /// Whether one of them was stopped or has no figure.
    is_over: bool,
}

impl Tried {
    /// Takes in the trials that are new or have ended since the last call.
    pub fn read(&mut self, study: &Study) {
        if study.rungs.count() == 1 {
            return;
        }
        for number in self.of_trial.len()..study.trials.len() {
            let trial = &study.trials[number];
            let next = self.names.len() as u32;
            let name = *self.names.entry(trial.key.clone()).or_insert(next);
            if name == next {
                self.climbs.push(Climb::default());
            }
            self.of_trial.push(name);
            self.open.push(number);
            let climb = &mut self.climbs[name as usize];
            self.going_on.remove(&(climb.next, name));
            climb.last = number as TrialId;
            climb.open += 1;
        }
        let mut open = std::mem::take(&mut self.open);
        open.retain(|number| {
            let is_open = study.trials[*number].state == TrialState::Pending;
            if !is_open {
                self.end(study, *number);
            }
            is_open
        });
        self.open = open;
    }

    fn end(&mut self, study: &Study, number: usize) {
        let name = self.of_trial[number];
        let climb = &mut self.climbs[name as usize];
        let (stopped, scored) =
            (matches!(study.trials[number].state, TrialState::Stopped(_)), study.is_scored(number));
        if scored {
            climb.last_scored = climb.last_scored.max(Some(number));
        }
        climb.is_over |= stopped || !scored;
        climb.next = climb.next.max(study.rung(number) + 1);
        climb.open -= 1;
        if !climb.is_over && climb.open == 0 && climb.next < study.rungs.count() {
            self.going_on.insert((climb.next, name));
        }
    }

    /// The name of a trial's candidate.
    pub fn name(&self, trial: usize) -> Option<u32> {
        self.of_trial.get(trial).copied()
    }

    /// The last trial of a candidate.
    pub fn last(&self, name: u32) -> TrialId {
        self.climbs[name as usize].last
    }

    /// The last trial of a candidate that has a figure.
    pub fn last_scored(&self, name: u32) -> Option<usize> {
        self.climbs[name as usize].last_scored
    }

    /// The lowest rung above all that a candidate was tried on; `None` where there is none, or where it is being tried.
    pub fn next(&self, name: u32) -> Option<usize> {
        let next = self.climbs[name as usize].next;
        self.going_on.contains(&(next, name)).then_some(next)
    }

    /// Of the candidates that may go on one that got furthest, and its next rung.
    pub fn furthest(&self) -> Option<(u32, usize)> {
        let (furthest, _) = self.going_on.last()?;
        self.going_on.range((*furthest, 0)..).next().map(|(rung, name)| (*name, *rung))
    }
}
