//! Which candidate stands on which rung.
//!
//! It is a cache that takes in what is new, so that a proposal takes as long after many trials as after few; the same
//! history always gives the same answers.

use std::collections::HashMap;

use super::super::order::Order;
use super::ladder::{Ladder, bracket};
use crate::space::Key;
use crate::trial::{Fidelity, History, TrialId, TrialState};

/// Who stands where.
#[derive(Default)]
pub(super) struct Standing {
    /// In the order of their first trials.
    pub candidates: Vec<Candidate>,
    /// The number of each trial's candidate.
    pub candidate_of: Vec<usize>,
    numbers: HashMap<Key, usize>,
    rungs: Vec<Rung>,
    /// The trials of every bracket, by rung.
    brackets: HashMap<usize, Vec<Vec<usize>>>,
    /// The bracket of the last trial; 0 where there is none.
    pub bracket: usize,
    /// The trials that had not ended when they were read last, ascending.
    open: Vec<usize>,
    /// What all this was read of: the rungs, and the last trial.
    fidelities: Vec<Fidelity>,
    last: Option<TrialId>,
}

/// A candidate with its trials.
pub(super) struct Candidate {
    /// The index of its first trial.
    pub first: usize,
    /// The index of its trial on each rung.
    pub trials: Vec<Option<usize>>,
}

/// The trials on a rung that have ended.
#[derive(Default)]
struct Rung {
    ended: usize,
    /// Those with a score.
    scored: Order,
    /// Those of them whose candidates are on no higher rung.
    left: Order,
}

impl Standing {
    /// Takes in the trials that are new or have ended since the last call; `false` where the history does not go on from
    /// the one before.
    pub fn read(&mut self, ladder: &Ladder, history: &History) -> bool {
        let read = self.candidate_of.len();
        let known = history.trials.get(read.wrapping_sub(1)).map(|trial| trial.id);
        let goes_on = read <= history.trials.len() && known == self.last && self.fidelities == ladder.rungs;
        if !goes_on {
            let rungs = ladder.rungs.iter().map(|_| Rung::default()).collect();
            *self = Standing { rungs, fidelities: ladder.rungs.clone(), ..Standing::default() };
        }
        for index in self.candidate_of.len()..history.trials.len() {
            self.enter(ladder, history, index);
        }
        self.last = history.trials.last().map(|trial| trial.id);
        self.bracket = history.trials.last().map_or(0, bracket);
        let mut open = std::mem::take(&mut self.open);
        open.retain(|index| {
            let is_open = history.trials[*index].state == TrialState::Pending;
            if !is_open {
                self.end(ladder, history, *index);
            }
            is_open
        });
        self.open = open;
        goes_on
    }

    fn enter(&mut self, ladder: &Ladder, history: &History, index: usize) {
        let trial = &history.trials[index];
        let next = self.candidates.len();
        let number = *self.numbers.entry(trial.key.clone()).or_insert(next);
        self.candidate_of.push(number);
        if number == next {
            self.candidates.push(Candidate { first: index, trials: vec![None; ladder.rungs.len()] });
        }
        let rung = ladder.rung(trial.proposal.fidelity);
        let trials = &mut self.candidates[number].trials;
        if trials[rung].is_some() {
            return;
        }
        trials[rung] = Some(index);
        self.open.push(index);
        for (below, left) in trials[..rung].iter().zip(&mut self.rungs) {
            if let Some((score, trial)) = below.and_then(|below| score(history, below)) {
                left.left.remove(score, trial);
            }
        }
        let bracket =
            self.brackets.entry(bracket(trial)).or_insert_with(|| vec![Vec::new(); ladder.rungs.len()]);
        bracket[rung].push(index);
    }

    fn end(&mut self, ladder: &Ladder, history: &History, index: usize) {
        let rung = ladder.rung(history.trials[index].proposal.fidelity);
        let promoted = self.is_promoted(ladder, history, index);
        let rung = &mut self.rungs[rung];
        rung.ended += 1;
        if let Some((score, trial)) = score(history, index) {
            rung.scored.put(score, trial);
            if !promoted {
                rung.left.put(score, trial);
            }
        }
    }

    /// Whether the candidate of a trial is on a higher rung, too.
    fn is_promoted(&self, ladder: &Ladder, history: &History, index: usize) -> bool {
        let above = ladder.rung(history.trials[index].proposal.fidelity) + 1;
        self.candidates[self.candidate_of[index]].trials[above..].iter().any(Option::is_some)
    }

    /// How many trials on a rung have ended.
    pub fn ended(&self, rung: usize) -> usize {
        self.rungs[rung].ended
    }

    /// The best trial on a rung whose candidate is on no higher one.
    pub fn best_left(&self, rung: usize) -> Option<usize> {
        let (_, trial) = self.rungs[rung].left.best_first().next()?;
        Some(trial)
    }

    /// The same, if it is among so many best of its rung.
    pub fn left_among_best(&self, rung: usize, count: usize) -> Option<usize> {
        let (score, trial) = self.rungs[rung].left.best_first().next()?;
        (self.rungs[rung].scored.better(score, trial) < count).then_some(trial)
    }

    /// The trials of one bracket on a rung.
    pub fn members(&self, bracket: usize, rung: usize) -> &[usize] {
        self.brackets.get(&bracket).map_or(&[], |rungs| &rungs[rung])
    }

    /// The best of these trials whose candidate is on no higher rung.
    pub fn best_left_of(&self, ladder: &Ladder, history: &History, trials: &[usize]) -> Option<usize> {
        let left = trials.iter().filter(|trial| !self.is_promoted(ladder, history, **trial));
        let scored = left.filter_map(|trial| score(history, *trial));
        // Of equals the first.
        let best = scored.reduce(|best, next| if next.0.total_cmp(&best.0).is_gt() { next } else { best });
        best.map(|(_, trial)| trial)
    }

    /// The number of trials before the first that has not ended.
    pub fn ended_in_a_row(&self) -> usize {
        self.open.first().copied().unwrap_or(self.candidate_of.len())
    }

    /// Whether any trial has not ended.
    pub fn waits(&self) -> bool {
        !self.open.is_empty()
    }
}

/// The score of a trial by which it may go on; what was stopped does not, however few are better.
fn score(history: &History, index: usize) -> Option<(f64, usize)> {
    let trial = &history.trials[index];
    let score = history.score(trial).filter(|_| !matches!(trial.state, TrialState::Stopped(_)))?;
    Some((score, index))
}
