//! Which trial's figures stand for a candidate at a fidelity.

use hashbrown::HashTable;

use crate::space::Key;
use crate::trial::{Fidelity, Trial, TrialId};

/// Trials by candidate and fidelity: their numbers alone, for trials hold their keys themselves.
#[derive(Default)]
pub(super) struct Firsts(HashTable<TrialId>);

impl Firsts {
    /// The trial that stands for a candidate at a fidelity.
    pub fn of(&self, trials: &[Trial], key: &Key, fidelity: Fidelity) -> Option<TrialId> {
        let same = |id: &TrialId| is(&trials[*id as usize], key, fidelity);
        self.0.find(hash(key, fidelity), same).copied()
    }

    /// From now on a trial stands for its candidate at its fidelity.
    pub fn set(&mut self, trials: &[Trial], id: TrialId) {
        let key_of = |id: TrialId| (&trials[id as usize].key, trials[id as usize].proposal.fidelity);
        let (key, fidelity) = key_of(id);
        let same = |other: &TrialId| is(&trials[*other as usize], key, fidelity);
        match self.0.find_mut(hash(key, fidelity), same) {
            Some(known) => *known = id,
            None => {
                let rehash = |other: &TrialId| {
                    let (key, fidelity) = key_of(*other);
                    hash(key, fidelity)
                };
                self.0.insert_unique(hash(key, fidelity), id, rehash);
            }
        }
    }
}

fn is(trial: &Trial, key: &Key, fidelity: Fidelity) -> bool {
    trial.key == *key && trial.proposal.fidelity == fidelity
}

fn hash(key: &Key, fidelity: Fidelity) -> u64 {
    key.bits() ^ u64::from(fidelity.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
