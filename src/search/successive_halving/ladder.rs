//! The rungs, and which candidate stands on which.

use std::collections::HashMap;

use super::super::Context;
use super::SuccessiveHalving;
use crate::space::Key;
use crate::trial::{Fidelity, History, Trial, TrialState};

/// Rungs by default, at most.
const RUNGS: u32 = 4;

/// The rungs of a study.
pub(super) struct Ladder {
    /// Their fidelities, ascending; the last is the study's.
    pub rungs: Vec<Fidelity>,
    eta: f64,
}

impl Ladder {
    pub fn of(config: &SuccessiveHalving, context: &Context) -> Ladder {
        Ladder { rungs: rungs(config.eta, config.min_fidelity, context), eta: f64::from(config.eta) }
    }

    /// The number of the highest rung.
    pub fn top(&self) -> usize {
        self.rungs.len() - 1
    }

    /// The rung of a trial: the highest that it reaches.
    pub fn rung(&self, fidelity: Fidelity) -> usize {
        self.rungs.iter().rposition(|rung| *rung <= fidelity).unwrap_or(0)
    }

    /// How many of so many on a rung go on: an `eta`-th, or as much less as the next rung costs more.
    pub fn promoted(&self, rung: usize, count: usize) -> usize {
        let dearer = f64::from(self.rungs[rung + 1].0) / f64::from(self.rungs[rung].0);
        // The least excess keeps whole shares whole: 27 / 3 is 9 and not 8.
        (count as f64 / dearer.max(self.eta) + 1e-9) as usize
    }

    /// How many candidates a bracket has that starts on a rung: as many as let one reach the highest; Hyperband's
    /// have more the higher they start, so that each costs about the same.
    pub fn bracket_size(&self, first: usize, hyperband: bool) -> usize {
        let dearer = f64::from(self.rungs[self.top()].0) / f64::from(self.rungs[first].0);
        let halvings = (self.top() - first) as f64;
        let least = dearer.max(self.eta.powf(halvings));
        let share = if hyperband { self.rungs.len() as f64 / (halvings + 1.0) } else { 1.0 };
        (share * least - 1e-9).ceil() as usize
    }

    /// The share of trials that are of new candidates, where all rungs are filled from the lowest.
    pub fn new_candidates(&self) -> f64 {
        let mut share = 1.0;
        let mut trials = 1.0;
        for pair in self.rungs.windows(2) {
            share /= (f64::from(pair[1].0) / f64::from(pair[0].0)).max(self.eta);
            trials += share;
        }
        1.0 / trials
    }

    /// A trial's note: its rung and, where there are such, its bracket.
    pub fn note(&self, rung: usize, bracket: usize) -> String {
        let bracket = if bracket == 0 { String::new() } else { format!("{BRACKET}{bracket}") };
        format!("rung {} of {}{bracket}", rung + 1, self.rungs.len())
    }
}

/// The fidelities of a study's rungs, ascending: the highest is the study's, each one below an `eta`-th of it, down to
/// `least`; by default four of them.
pub(in crate::search) fn rungs(eta: u32, least: Option<u32>, context: &Context) -> Vec<Fidelity> {
    let (top, eta) = (context.fidelity.0.max(1), eta.max(2));
    let lowest = least.unwrap_or(top / eta.saturating_pow(RUNGS - 1)).clamp(1, top);
    let mut rungs = Vec::new();
    let mut fidelity = top;
    while fidelity >= lowest && fidelity > 0 {
        rungs.push(nearest(context.fidelities, Fidelity(fidelity), context.fidelity));
        fidelity /= eta;
    }
    rungs.retain(|rung| *rung == context.fidelity || least.is_none_or(|least| rung.0 >= least));
    rungs.sort_unstable();
    rungs.dedup();
    rungs
}

const BRACKET: &str = ", bracket ";

/// The bracket of a trial, by its note; 0 for none.
pub(super) fn bracket(trial: &Trial) -> usize {
    let own = trial.proposal.note.split(": ").next().unwrap_or_default();
    own.split_once(BRACKET).and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}

/// What the proposer itself said of a trial.
pub(super) fn proposer_s_note(trial: &Trial) -> &str {
    trial.proposal.note.split_once(": ").map_or("", |(_, note)| note)
}

/// Of the fidelities that there are, not above `top`, the one nearest by ratio; the wish itself where all are.
fn nearest(known: &[Fidelity], wish: Fidelity, top: Fidelity) -> Fidelity {
    // The highest rung is the study's own fidelity, whatever the evaluator says of it.
    if wish == top {
        return top;
    }
    let ratio = |fidelity: Fidelity| (f64::from(fidelity.0.max(1)) / f64::from(wish.0)).ln().abs();
    let below = known.iter().copied().filter(|fidelity| *fidelity <= top);
    below.min_by(|a, b| ratio(*a).total_cmp(&ratio(*b))).unwrap_or(wish)
}

/// A candidate with its trials.
pub(super) struct Candidate {
    /// The index of its first trial.
    pub first: usize,
    /// The index of its trial on each rung.
    pub trials: Vec<Option<usize>>,
}

/// A trial on a rung.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Its index.
    pub trial: usize,
    bracket: usize,
    pub pending: bool,
    score: Option<f64>,
    /// Whether its candidate is on a higher rung, too.
    pub promoted: bool,
}

/// Who stands where.
pub(super) struct Standing {
    /// In the order of their first trials.
    pub candidates: Vec<Candidate>,
    /// The number of each trial's candidate.
    pub candidate_of: Vec<usize>,
    /// The bracket of the last trial; 0 where there is none.
    pub bracket: usize,
    places: Vec<Vec<Place>>,
}

impl Standing {
    pub fn of(ladder: &Ladder, history: &History) -> Standing {
        let mut known: HashMap<&Key, usize> = HashMap::new();
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut candidate_of = Vec::with_capacity(history.trials.len());
        for (index, trial) in history.trials.iter().enumerate() {
            let number = *known.entry(&trial.key).or_insert(candidates.len());
            candidate_of.push(number);
            if number == candidates.len() {
                candidates.push(Candidate { first: index, trials: vec![None; ladder.rungs.len()] });
            }
            candidates[number].trials[ladder.rung(trial.proposal.fidelity)].get_or_insert(index);
        }
        let mut places = vec![Vec::new(); ladder.rungs.len()];
        for candidate in &candidates {
            for (rung, trial) in candidate.trials.iter().enumerate() {
                let promoted = candidate.trials[rung + 1..].iter().any(Option::is_some);
                places[rung].extend(trial.map(|trial| Place::of(history, trial, promoted)));
            }
        }
        Standing { candidates, candidate_of, bracket: history.trials.last().map_or(0, bracket), places }
    }

    /// All trials on a rung.
    pub fn on(&self, rung: usize) -> impl Iterator<Item = &Place> {
        self.places[rung].iter()
    }

    /// The trials of one bracket on a rung.
    pub fn members(&self, bracket: usize, rung: usize) -> impl Iterator<Item = &Place> {
        self.on(rung).filter(move |place| place.bracket == bracket)
    }

    /// The best of these, those without a score last and left out; of equals the first trials.
    pub fn best<'a>(&self, places: impl Iterator<Item = &'a Place>, count: usize) -> Vec<&'a Place> {
        let mut scored: Vec<(f64, &Place)> = places.filter_map(|place| Some((place.score?, place))).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.trial.cmp(&b.1.trial)));
        scored.into_iter().take(count).map(|(_, place)| place).collect()
    }

    /// The trial of the best of these that is not promoted.
    pub fn best_left<'a>(&self, places: impl Iterator<Item = &'a Place>) -> Option<usize> {
        self.best(places.filter(|place| !place.promoted), 1).first().map(|place| place.trial)
    }
}

impl Place {
    fn of(history: &History, index: usize, promoted: bool) -> Place {
        let trial = &history.trials[index];
        Place {
            trial: index,
            bracket: bracket(trial),
            pending: trial.state == TrialState::Pending,
            // What was stopped here is not promoted, however few are better.
            score: history.score(trial).filter(|_| !matches!(trial.state, TrialState::Stopped(_))),
            promoted,
        }
    }
}
