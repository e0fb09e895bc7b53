//! The history as the proposer sees it: every candidate once, on the highest rung.

use super::super::unseen::Unseen;
use super::super::{Algorithm, Context, Next, SearchAlgorithm};
use super::ladder::{Ladder, proposer_s_note};
use super::standing::{Candidate, Standing};
use crate::space::GenotypeError;
use crate::trial::{History, Objective, Proposal, Trial, TrialId, TrialState};

/// The proposer and what it was shown last.
pub(super) struct View {
    proposer: Box<dyn SearchAlgorithm>,
    trials: Vec<Trial>,
    unseen: Unseen,
    /// So many of the study's trials, which have all ended, are shown as they stand among each other; none before the
    /// first proposal.
    settled: Option<usize>,
    /// By objective, what carries the scores of these from rung to rung.
    lines: Vec<Vec<Line>>,
    /// The candidates that are shown as pending, ascending.
    open: Vec<usize>,
}

impl View {
    pub fn new(proposer: Box<dyn SearchAlgorithm>) -> View {
        let (trials, unseen, lines, open) = Default::default();
        View { proposer, trials, unseen, settled: None, lines, open }
    }

    /// The proposer's next candidate, its parent told by the real trial.
    pub fn propose(
        &mut self,
        config: &Algorithm,
        context: &Context,
        history: &History,
        ladder: &Ladder,
        standing: &Standing,
    ) -> Result<Next, GenotypeError> {
        self.unseen.read(history);
        self.settle(config, history, ladder, standing);
        self.show(context, history, ladder, standing);
        let room = (context.trials as f64 * ladder.new_candidates()).ceil() as u64;
        let trial = self.trials.len() as TrialId;
        let inner = Context { trial, trials: room.max(trial + 1), fidelities: &[], ..*context };
        let shown = History { trials: &self.trials, objectives: history.objectives };
        let Next::Run(proposal) = self.proposer.propose(&inner, &shown)? else {
            // The proposer waits for what it sees as pending, and that is.
            return Ok(if self.open.is_empty() { Next::Done } else { Next::Wait });
        };
        if !self.unseen.is_new(&context.space.key(&proposal.genotype)?) {
            return self.other(context);
        }
        let parent = proposal
            .parent
            .and_then(|parent| standing.candidates.get(parent as usize))
            .map(|parent| parent.first as TrialId);
        Ok(Next::Run(Proposal { parent, ..proposal }))
    }

    /// A random candidate in the place of one that was there before: scores that change may lead a proposer back.
    fn other(&mut self, context: &Context) -> Result<Next, GenotypeError> {
        let mut rng = context.seed.stream(context.trial, "successive halving");
        let genotype = self.unseen.random(context, &mut rng)?;
        let note = "random, for the proposer repeats itself".to_string();
        Ok(genotype.map_or(Next::Done, |genotype| {
            Next::Run(Proposal { genotype, fidelity: context.fidelity, parent: None, note })
        }))
    }

    /// From time to time all that is shown changes, and with it the proposer starts anew.
    fn settle(&mut self, config: &Algorithm, history: &History, ladder: &Ladder, standing: &Standing) {
        let settled = settled(standing.ended_in_a_row());
        if self.settled.replace(settled) == Some(settled) {
            return;
        }
        let objectives = history.objectives.iter();
        self.lines =
            objectives.map(|objective| lines(history, ladder, standing, objective, settled)).collect();
        self.trials.clear();
        self.open.clear();
        self.proposer = config.start();
    }

    /// Brings what is shown up to date: candidates that are new, and those that have ended since the last call.
    fn show(&mut self, context: &Context, history: &History, ladder: &Ladder, standing: &Standing) {
        let (trials, settled, lines) = (&mut self.trials, self.settled.unwrap_or_default(), &self.lines);
        let state = |candidate: &Candidate| state(history, ladder, candidate, settled, lines);
        self.open.retain(|number| {
            let state = state(&standing.candidates[*number]);
            let is_open = state == TrialState::Pending;
            trials[*number].state = state;
            is_open
        });
        for number in trials.len()..standing.candidates.len() {
            let candidate = &standing.candidates[number];
            let (first, state) = (&history.trials[candidate.first], state(candidate));
            if state == TrialState::Pending {
                self.open.push(number);
            }
            let parent = first.proposal.parent.and_then(|parent| standing.candidate_of.get(parent as usize));
            let proposal = Proposal {
                genotype: first.proposal.genotype.clone(),
                fidelity: context.fidelity,
                parent: parent.map(|number| *number as TrialId),
                note: proposer_s_note(first).into(),
            };
            let (id, key) = (number as TrialId, first.key.clone());
            trials.push(Trial { id, proposal, key, state, seconds: first.seconds });
        }
    }
}

/// How many trials are shown as they stand among each other when so many have ended: it grows by a sixteenth.
fn settled(ended: usize) -> usize {
    let mut settled = 0;
    loop {
        let next = settled + 1 + settled / 16;
        if next > ended {
            return settled;
        }
        settled = next;
    }
}

/// What became of a candidate: its figures on the highest rung that it had ended on when `settled` trials had, or of its
/// first trial if that came later, carried over to the highest.
fn state(
    history: &History,
    ladder: &Ladder,
    candidate: &Candidate,
    settled: usize,
    lines: &[Vec<Line>],
) -> TrialState {
    let there = candidate.trials.iter().rev().flatten().find(|trial| **trial < settled);
    let trial = &history.trials[*there.unwrap_or(&candidate.first)];
    let rung = ladder.rung(trial.proposal.fidelity);
    let ended = match &trial.state {
        TrialState::Pending => return TrialState::Pending,
        TrialState::Failed(reason) => return TrialState::Failed(reason.clone()),
        ended => ended,
    };
    let mut carried = ended.whole().cloned().unwrap_or_default();
    for (objective, lines) in history.objectives.iter().zip(lines) {
        if let (Some(score), Some(value)) = (objective.score(&carried), carried.get_mut(objective.metric())) {
            let score = lines.iter().skip(rung).fold(score, |score, line| line.carry(score));
            *value = if matches!(objective, Objective::Maximize(_)) { score } else { -score };
        }
    }
    TrialState::Finished(carried)
}

/// How scores on one rung are carried to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Line {
    from: f64,
    to: f64,
    slope: f64,
}

/// Candidates on two rungs from which on their spreads count; fewer tell only how far the rungs are apart.
const SPREAD: usize = 4;

impl Line {
    /// The line that gives the second scores' mean and spread to the first ones.
    fn through(pairs: &[(f64, f64)]) -> Line {
        let count = pairs.len() as f64;
        if pairs.is_empty() {
            return Line { from: 0.0, to: 0.0, slope: 1.0 };
        }
        let mean = |side: fn(&(f64, f64)) -> f64| pairs.iter().map(side).sum::<f64>() / count;
        let (from, to) = (mean(|pair| pair.0), mean(|pair| pair.1));
        let spread_from = pairs.iter().map(|pair| (pair.0 - from).powi(2)).sum::<f64>().sqrt();
        let spread_to = pairs.iter().map(|pair| (pair.1 - to).powi(2)).sum::<f64>().sqrt();
        let slope = spread_to / spread_from;
        let known = pairs.len() >= SPREAD && slope.is_finite() && slope > 0.0;
        Line { from, to, slope: if known { slope } else { 1.0 } }
    }

    fn carry(&self, score: f64) -> f64 {
        self.to + self.slope * (score - self.from)
    }
}

/// The lines between the rungs up to the highest that any of the first `settled` trials has finished; from there on scores
/// stay as they are.
fn lines(
    history: &History,
    ladder: &Ladder,
    standing: &Standing,
    objective: &Objective,
    settled: usize,
) -> Vec<Line> {
    let score = |trial: Option<usize>| match &history.trials[trial.filter(|trial| *trial < settled)?].state {
        TrialState::Finished(metrics) => objective.score(metrics).filter(|score| score.is_finite()),
        TrialState::Pending | TrialState::Stopped(_) | TrialState::Failed(_) => None,
    };
    let pairs = |rung: usize| -> Vec<(f64, f64)> {
        let both =
            standing.candidates.iter().map(|candidate| (candidate.trials[rung], candidate.trials[rung + 1]));
        both.filter_map(|(lower, upper)| Some((score(lower)?, score(upper)?))).collect()
    };
    (0..ladder.top()).map(|rung| Line::through(&pairs(rung))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_keep_their_order_and_get_the_mean_and_spread_of_the_rung_above() {
        let pairs = [(0.1, 0.80), (0.2, 0.84), (0.3, 0.82), (0.4, 0.86)];
        let line = Line::through(&pairs);
        let carried: Vec<f64> = pairs.iter().map(|(lower, _)| line.carry(*lower)).collect();
        assert!(carried.is_sorted());
        let mean = carried.iter().sum::<f64>() / 4.0;
        assert!((mean - 0.83).abs() < 1e-12);
        let spread = carried.iter().map(|score| (score - mean).powi(2)).sum::<f64>();
        assert!((spread - 0.002).abs() < 1e-12, "{spread}");
    }

    #[test]
    fn few_pairs_tell_the_distance_alone_and_none_tells_nothing() {
        let line = Line::through(&[(0.1, 0.7), (0.3, 0.8)]);
        assert!((line.carry(0.0) - 0.55).abs() < 1e-12);
        assert_eq!(Line::through(&[]).carry(0.4), 0.4);
        let same = Line::through(&[(0.5, 0.9), (0.5, 0.9), (0.5, 0.9), (0.5, 0.9)]);
        assert_eq!(same.carry(0.4), 0.8);
    }

    #[test]
    fn what_is_shown_changes_ever_more_rarely() {
        let changes: Vec<usize> = (0..200).filter(|ended| settled(*ended) == *ended).collect();
        assert_eq!(changes[..17], (0..17).collect::<Vec<_>>());
        assert!(changes.windows(2).all(|pair| pair[1] - pair[0] <= 1 + pair[0] / 16), "{changes:?}");
        assert!(changes.len() < 80, "{}", changes.len());
    }
}
