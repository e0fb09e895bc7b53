//! Successive halving, Hyperband and ASHA: a scheduler round any other algorithm.
//!
//! Jamieson and Talwalkar 2016, <https://arxiv.org/abs/1502.07943>: evaluate many candidates for little, keep the best
//! of `eta`, give them `eta` times as much, and so on: most of the budget goes to what deserves it. Li et al. 2018
//! (Hyperband, <https://arxiv.org/abs/1603.06560>) hedge against figures that mislead early with brackets that start
//! ever higher; Li et al. 2020 (ASHA, <https://arxiv.org/abs/1810.05934>) promote a candidate as soon as it is among
//! the best of its rung so far, so that no worker waits for a rung to fill.
//!
//! # Rungs
//! The highest is the study's fidelity; each one below has an `eta`-th of it, down to `min_fidelity`. Where the
//! evaluator knows only some fidelities, those nearest to these are taken. Between two rungs that are further apart
//! than `eta` a smaller share is promoted, so that all rungs cost about the same.
//!
//! # What a trial costs
//! A promotion is a trial of its own, whose parent is the candidate's trial one rung below: the study's `trials` count
//! all of them, though one on the lowest rung costs little. With four rungs and `eta` 3, ten trials of which six or
//! seven are of new candidates cost as much as one on the highest rung does. A promotion is counted at its whole
//! fidelity; whether it goes on from where the lower trial stopped is up to the evaluator.
//!
//! # What the proposer sees
//! Every candidate once, under numbers of its own, as if all had been evaluated on the highest rung: with the score of
//! the highest rung that it has finished, carried over to the highest rung that anything has finished. A rung's scores
//! are carried to the next by the line that gives those who were on both rungs the same mean and spread there: order
//! within a rung is kept, and what is always lower after short trainings is no longer so. All that is made anew each
//! time the study has grown by a sixteenth; in between the proposer sees new candidates by their first trials, so that a
//! proposal takes as long after many trials as after few. Its `trials` are the candidates that the study has room for.

use serde::{Deserialize, Deserializer, Serialize, de};

use super::{Algorithm, Configure, Context, Next, Random, SearchAlgorithm};
use crate::space::GenotypeError;
use crate::trial::{History, Proposal, Trial, TrialState};

mod ladder;
mod standing;
mod view;
use ladder::Ladder;
pub(super) use ladder::rungs;
use standing::Standing;
use view::View;

/// The scheduler, and what proposes the candidates that it starts with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SuccessiveHalving {
    /// What proposes new candidates.
    pub proposer: Box<Algorithm>,
    /// One of so many goes on to the next rung, with so many times the fidelity; at least 2.
    #[serde(deserialize_with = "at_least_two")]
    pub eta: u32,
    /// The fidelity of the lowest rung, or more, in the evaluator's unit. By default such that there are at most four
    /// rungs.
    pub min_fidelity: Option<u32>,
    /// When candidates go on.
    pub mode: Mode,
}

/// When candidates go on to the next rung.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// As soon as they are among the best of their rung so far (ASHA).
    #[default]
    Asynchronous,
    /// When their rung is full: brackets of as many candidates as let one reach the highest rung, one after another.
    Synchronous,
    /// As `Synchronous`; of every round of brackets the first starts on the lowest rung, and the last on the highest.
    Hyperband,
}

impl Default for SuccessiveHalving {
    fn default() -> SuccessiveHalving {
        let proposer = Box::new(Algorithm::Random(Random::default()));
        SuccessiveHalving { proposer, eta: 3, min_fidelity: None, mode: Mode::default() }
    }
}

/// Reads a number of at least 2.
pub(super) fn at_least_two<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let eta = u32::deserialize(from)?;
    if eta < 2 {
        return Err(de::Error::custom(format!(
            "an eta of {eta} halves nothing: at least 2 is needed, 3 is usual"
        )));
    }
    Ok(eta)
}

impl Configure for SuccessiveHalving {
    fn start(&self) -> Box<dyn SearchAlgorithm> {
        let (standing, view) = (Standing::default(), View::new(self.proposer.start()));
        Box::new(Scheduler { config: self.clone(), standing, view })
    }
}

struct Scheduler {
    config: SuccessiveHalving,
    standing: Standing,
    view: View,
}

/// What comes next on the rungs.
enum Step {
    /// The candidate of a trial goes on to the next rung.
    Promote(usize),
    /// A new candidate starts on a rung, in a bracket.
    Start { rung: usize, bracket: usize },
    /// A rung must fill first.
    Wait,
}

impl SearchAlgorithm for Scheduler {
    fn propose(&mut self, context: &Context, history: &History) -> Result<Next, GenotypeError> {
        let ladder = Ladder::of(&self.config, context);
        if !self.standing.read(&ladder, history) {
            self.view = View::new(self.config.proposer.start());
        }
        let standing = &self.standing;
        let step = match self.config.mode {
            Mode::Asynchronous => asynchronous(&ladder, standing),
            Mode::Synchronous | Mode::Hyperband => self.in_brackets(&ladder, history),
        };
        match step {
            Step::Promote(trial) => Ok(promotion(&ladder, &history.trials[trial])),
            Step::Wait => Ok(Next::Wait),
            Step::Start { rung, bracket } => {
                let fresh = self.view.propose(&self.config.proposer, context, history, &ladder, standing)?;
                Ok(match fresh {
                    Next::Run(proposal) => start(&ladder, proposal, rung, bracket),
                    Next::Wait => Next::Wait,
                    Next::Done => last_steps(&ladder, standing, history),
                })
            }
        }
    }
}

impl Scheduler {
    /// The next step of brackets that follow each other.
    fn in_brackets(&self, ladder: &Ladder, history: &History) -> Step {
        let standing = &self.standing;
        let bracket = standing.bracket.max(1);
        let first = match self.config.mode {
            // Li et al. count the other way round: their first bracket, of the most candidates, is the highest number.
            Mode::Hyperband => (bracket - 1) % ladder.rungs.len(),
            Mode::Synchronous | Mode::Asynchronous => 0,
        };
        let mut wanted = ladder.bracket_size(first, self.config.mode == Mode::Hyperband);
        if standing.bracket == 0 || standing.members(bracket, first).len() < wanted {
            return Step::Start { rung: first, bracket };
        }
        for rung in first..ladder.top() {
            wanted = ladder.promoted(rung, wanted).max(1);
            let (members, promoted) =
                (standing.members(bracket, rung), standing.members(bracket, rung + 1).len());
            if promoted == wanted {
                continue;
            }
            if members.iter().any(|trial| history.trials[*trial].state == TrialState::Pending) {
                return Step::Wait;
            }
            match standing.best_left_of(ladder, history, members) {
                Some(trial) => return Step::Promote(trial),
                // Nothing left that has a score: the bracket goes on with those that were promoted.
                None => wanted = promoted,
            }
            if promoted == 0 {
                break;
            }
        }
        let bracket = bracket + 1;
        let rung = if self.config.mode == Mode::Hyperband { (bracket - 1) % ladder.rungs.len() } else { 0 };
        Step::Start { rung, bracket }
    }
}

/// The best that is not promoted yet, of the highest rung where one is among the best of those that have ended; else
/// a new candidate.
fn asynchronous(ladder: &Ladder, standing: &Standing) -> Step {
    for rung in (0..ladder.top()).rev() {
        let room = ladder.promoted(rung, standing.ended(rung));
        if let Some(trial) = standing.left_among_best(rung, room) {
            return Step::Promote(trial);
        }
    }
    Step::Start { rung: 0, bracket: 0 }
}

/// Once there is nothing new: the rest of the candidates go on, those that got furthest first.
fn last_steps(ladder: &Ladder, standing: &Standing, history: &History) -> Next {
    for rung in (0..ladder.top()).rev() {
        if let Some(trial) = standing.best_left(rung) {
            return promotion(ladder, &history.trials[trial]);
        }
    }
    if standing.waits() { Next::Wait } else { Next::Done }
}

fn promotion(ladder: &Ladder, trial: &Trial) -> Next {
    let rung = ladder.rung(trial.proposal.fidelity) + 1;
    let note = ladder.note(rung, ladder::bracket(trial));
    let genotype = trial.proposal.genotype.clone();
    Next::Run(Proposal { genotype, fidelity: ladder.rungs[rung], parent: Some(trial.id), note })
}

fn start(ladder: &Ladder, proposal: Proposal, rung: usize, bracket: usize) -> Next {
    let note = format!("{}: {}", ladder.note(rung, bracket), proposal.note);
    Next::Run(Proposal { fidelity: ladder.rungs[rung], note, ..proposal })
}

#[cfg(test)]
mod tests {
    use super::super::contract::{FULL, affording, schedules_alike, spaces, study_on_rungs, truth};
    use super::*;
    use crate::random::Seed;
    use crate::trial::Objective;

    fn config(mode: Mode) -> Algorithm {
        Algorithm::SuccessiveHalving(SuccessiveHalving { mode, ..SuccessiveHalving::default() })
    }

    fn around(mode: Mode, name: &str) -> Algorithm {
        let proposer =
            crate::symbolic::from_value(&crate::symbolic::Value::unit(name)).expect("an algorithm");
        Algorithm::SuccessiveHalving(SuccessiveHalving { mode, proposer, ..SuccessiveHalving::default() })
    }

    const MODES: [Mode; 3] = [Mode::Asynchronous, Mode::Synchronous, Mode::Hyperband];

    fn found(config: &Algorithm, trials: u64) -> f64 {
        let space = spaces::wide();
        let best = |seed| {
            let trials = affording(study_on_rungs(&space, config, trials, seed).0, 12);
            let history = History { trials: &trials, objectives: &[Objective::Maximize("accuracy".into())] };
            truth(&space, history.best().expect("a trial"))
        };
        (0..8).map(best).sum::<f64>() / 8.0
    }

    #[test]
    fn at_the_same_cost_it_finds_more_than_its_proposer_alone() {
        let random = found(&Algorithm::Random(Random::default()), 12);
        for mode in MODES {
            let halving = found(&config(mode), 120);
            assert!(halving > random + 0.01, "{mode:?}: {halving} is hardly more than {random}");
        }
    }

    #[test]
    fn a_proposer_that_learns_learns_from_all_rungs() {
        let random = found(&config(Mode::Asynchronous), 120);
        let evolution = found(&around(Mode::Asynchronous, "RegularizedEvolution"), 120);
        assert!(evolution > random, "{evolution} is no better than {random}");
    }

    #[test]
    fn every_proposer_goes_on_after_interruptions_in_every_mode() {
        for mode in MODES {
            for name in ["Random", "RegularizedEvolution", "LocalSearch", "Nsga2", "Controller", "Grid"] {
                schedules_alike(&spaces::conditional(), &around(mode, name));
            }
        }
        schedules_alike(&spaces::flat(), &around(Mode::Asynchronous, "SuccessiveHalving"));
    }

    fn rungs(trials: &[Trial]) -> Vec<u32> {
        trials.iter().map(|trial| trial.proposal.fidelity.0).collect()
    }

    #[test]
    fn synchronous_brackets_are_full_before_their_best_third_goes_on() {
        let (trials, _) = study_on_rungs(&spaces::wide(), &config(Mode::Synchronous), 41, 1);
        assert_eq!(rungs(&trials), [vec![1; 27], vec![3; 9], vec![9; 3], vec![27], vec![1]].concat());
        assert_eq!(trials[39].proposal.note, "rung 4 of 4, bracket 1");
        assert_eq!(trials[40].proposal.note, "rung 1 of 4, bracket 2: random");
        let objectives = [Objective::Maximize("accuracy".into())];
        let history = History { trials: &trials, objectives: &objectives };
        let score = |trial: &Trial| history.score(trial).expect("a score");
        let worst =
            trials[27..36].iter().map(|trial| score(&trials[trial.proposal.parent.unwrap() as usize]));
        let worst = worst.fold(1.0, f64::min);
        assert_eq!(trials[..27].iter().filter(|trial| score(trial) >= worst).count(), 9);
    }

    #[test]
    fn hyperband_s_brackets_start_ever_higher() {
        let (trials, _) = study_on_rungs(&spaces::wide(), &config(Mode::Hyperband), 80, 1);
        let starts = |rung: usize, bracket: usize| {
            let note = format!("rung {rung} of 4, bracket {bracket}: random");
            trials.iter().filter(|trial| trial.proposal.note == note).count()
        };
        assert_eq!([starts(1, 1), starts(2, 2), starts(3, 3), starts(4, 4)], [27, 12, 6, 4]);
    }

    #[test]
    fn promotions_are_of_the_best_third_so_far() {
        let (trials, _) = study_on_rungs(&spaces::wide(), &config(Mode::Asynchronous), 80, 1);
        let objectives = [Objective::Maximize("accuracy".into())];
        let mut promotions = 0;
        for trial in &trials {
            let Some(parent) = trial.proposal.parent.map(|parent| &trials[parent as usize]) else { continue };
            promotions += 1;
            assert_eq!(parent.proposal.genotype, trial.proposal.genotype);
            assert_eq!(parent.proposal.fidelity.0 * 3, trial.proposal.fidelity.0);
            let history = History { trials: &trials[..trial.id as usize], objectives: &objectives };
            let rung =
                history.scored().filter(|(other, _)| other.proposal.fidelity == parent.proposal.fidelity);
            let scores: Vec<f64> = rung.map(|(_, score)| score).collect();
            let better = scores.iter().filter(|score| **score > history.score(parent).unwrap()).count();
            assert!(better < scores.len() / 3, "trial {}: {better} of {} are better", trial.id, scores.len());
        }
        assert!((20..30).contains(&promotions), "{promotions}");
        assert!(trials.iter().any(|trial| trial.proposal.fidelity == FULL));
    }

    #[test]
    fn once_nothing_is_new_everything_goes_to_the_top_and_then_it_ends() {
        for mode in MODES {
            let (trials, done) = study_on_rungs(&spaces::small(), &config(mode), 1000, 1);
            let top = trials.iter().filter(|trial| trial.proposal.fidelity == FULL).count();
            assert_eq!((top, done), (6, true), "{mode:?}");
        }
    }

    fn ladder(config: &SuccessiveHalving, fidelity: u32, known: &[u32]) -> Ladder {
        let fidelities: Vec<crate::trial::Fidelity> =
            known.iter().copied().map(crate::trial::Fidelity).collect();
        let space = spaces::one_point();
        let context = Context {
            space: &space,
            seed: Seed(0),
            trial: 0,
            trials: 10,
            fidelity: crate::trial::Fidelity(fidelity),
            fidelities: &fidelities,
        };
        Ladder::of(config, &context)
    }

    #[test]
    fn rungs_are_those_that_the_evaluator_knows() {
        let default = SuccessiveHalving::default();
        let rungs = |ladder: &Ladder| ladder.rungs.iter().map(|rung| rung.0).collect::<Vec<_>>();
        assert_eq!(rungs(&ladder(&default, 200, &[])), [7, 22, 66, 200]);
        assert_eq!(rungs(&ladder(&default, 5, &[])), [1, 5]);
        assert_eq!(rungs(&ladder(&default, 1, &[])), [1]);
        assert_eq!(rungs(&ladder(&default, 108, &[4, 12, 36, 108])), [4, 12, 36, 108]);
        assert_eq!(rungs(&ladder(&default, 36, &[4, 12, 36, 108])), [4, 12, 36]);
        let two = ladder(&default, 200, &[12, 200]);
        assert_eq!(rungs(&two), [12, 200]);
        // The next rung costs 16.7 times as much, so that fewer than a third go on.
        assert_eq!((two.promoted(0, 50), two.bracket_size(0, false)), (3, 17));
        let least = SuccessiveHalving { min_fidelity: Some(20), ..default };
        assert_eq!(rungs(&ladder(&least, 200, &[])), [22, 66, 200]);
    }

    #[test]
    fn an_eta_of_one_is_refused() {
        let program = "SuccessiveHalving(eta: 1)".parse().expect("RON");
        let error = crate::symbolic::from_value::<Algorithm>(&program).unwrap_err().to_string();
        assert!(error.contains("at least 2 is needed"), "{error}");
    }
}
