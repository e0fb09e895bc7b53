//! Who is stopped early: the experiment's rule, and what it may know when a trial begins.
//!
//! A trial is held against the curves of those trials whose results its proposal saw, and no others: which these are does
//! not depend on which evaluation is faster, and is stored with the proposal. So a trial that was interrupted is stopped
//! after the same step when it is done again, whatever has ended meanwhile.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::StudyError;
use super::store::Store;
use crate::experiment::Experiment;
use crate::stopping::{Curve, Peers, Watch};
use crate::trial::{Fidelity, Objective, Trial, TrialId, TrialState};

/// What trials came to, by the fidelity that was asked for.
type Known = BTreeMap<Fidelity, Peers>;

/// Keeps what the rule of an experiment needs; nothing where it has none.
pub(super) struct Umpire<'a> {
    experiment: &'a Experiment,
    /// Of the trials that are shown.
    known: Known,
    /// Of trials that have ended and are not shown yet.
    waiting: HashMap<TrialId, Curve>,
    /// Of trials that have not ended: how many trials each one's proposal saw the results of.
    saw: HashMap<TrialId, usize>,
}

impl<'a> Umpire<'a> {
    /// What a store knows of `trials`, of which the first `shown` are.
    pub fn open(
        experiment: &'a Experiment,
        store: &Store,
        trials: &[Trial],
        shown: usize,
    ) -> Result<Umpire<'a>, StudyError> {
        let (waiting, saw) = (HashMap::new(), HashMap::new());
        let mut umpire = Umpire { experiment, known: Known::new(), waiting, saw };
        if experiment.early_stopping.is_some() {
            umpire.saw.extend(store.pending()?);
            umpire.known = recall(experiment, store, trials, shown)?;
            store.curves(trials.len(), |id, curve| {
                if id >= shown as TrialId {
                    umpire.waiting.insert(id, curve);
                }
            })?;
        }
        Ok(umpire)
    }

    /// Takes note of a new proposal.
    pub fn propose(&mut self, id: TrialId, shown: usize) {
        if self.experiment.early_stopping.is_some() {
            self.saw.insert(id, shown);
        }
    }

    /// Takes note of a trial that has ended.
    pub fn end(&mut self, id: TrialId, curve: Option<Curve>) {
        self.saw.remove(&id);
        if let Some(curve) = curve.filter(|_| self.experiment.early_stopping.is_some()) {
            self.waiting.insert(id, curve);
        }
    }

    /// Takes note of a trial that is shown from now on.
    pub fn show(&mut self, trial: &Trial) {
        if let Some(curve) = self.waiting.remove(&trial.id) {
            admit(&mut self.known, &self.experiment.objectives, trial, &curve);
        }
    }

    /// The watch over a trial that begins now, `trials` being as they are shown, the first `shown` with their results.
    pub fn watch(
        &self,
        store: &Store,
        trials: &[Trial],
        shown: usize,
        id: TrialId,
    ) -> Result<Option<Arc<Watch>>, StudyError> {
        let Some(rule) = &self.experiment.early_stopping else { return Ok(None) };
        let (objectives, whole) = (&self.experiment.objectives, trials[id as usize].proposal.fidelity);
        let none = Peers::new(objectives.len());
        let watch = |known: &Known| {
            let peers = known.get(&whole).unwrap_or(&none);
            Some(Arc::new(Watch::new(rule, peers, objectives, whole)))
        };
        match self.saw.get(&id) {
            // One that was interrupted, or that waited for another of its candidate, knows no more than it did then.
            Some(saw) if *saw < shown => Ok(watch(&recall(self.experiment, store, trials, *saw)?)),
            _ => Ok(watch(&self.known)),
        }
    }
}

/// What the first `count` trials came to, as it is stored.
fn recall(
    experiment: &Experiment,
    store: &Store,
    trials: &[Trial],
    count: usize,
) -> Result<Known, StudyError> {
    let mut known = Known::new();
    store.curves(count, |id, curve| {
        admit(&mut known, &experiment.objectives, &trials[id as usize], &curve);
    })?;
    Ok(known)
}

/// Counts a trial among those that others are held against, if it has figures.
fn admit(known: &mut Known, objectives: &[Objective], trial: &Trial, curve: &Curve) {
    let last = match &trial.state {
        TrialState::Finished(metrics) => {
            objectives.iter().map(|objective| objective.score(metrics)).collect::<Option<Vec<f64>>>()
        }
        TrialState::Stopped(_) => None,
        TrialState::Pending | TrialState::Failed(_) => return,
    };
    let curves: Vec<_> = objectives.iter().map(|objective| curve.points(objective)).collect();
    let peers = known.entry(trial.proposal.fidelity).or_insert_with(|| Peers::new(objectives.len()));
    peers.add(&curves, last.as_deref());
}
