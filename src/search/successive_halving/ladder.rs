//! The rungs.

use super::super::Context;
use super::SuccessiveHalving;
use crate::trial::{Fidelity, Trial};

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
