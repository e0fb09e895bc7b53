//! What algorithms that try candidates on several rungs must do beside all else.

use std::collections::HashSet;

use super::study::Study;
use super::{algorithm, spaces, strange, worth_on_rungs};
use crate::search::{Algorithm, Auto, Mode, Next, SuccessiveHalving};
use crate::trial::{Fidelity, Trial};

/// What tries candidates on several rungs, where there are any.
fn climbers() -> Vec<(&'static str, Algorithm)> {
    let halving = |mode| {
        let SuccessiveHalving { proposer, eta, min_fidelity, .. } = SuccessiveHalving::default();
        Algorithm::SuccessiveHalving(SuccessiveHalving { proposer, eta, min_fidelity, mode })
    };
    vec![
        ("MultiFidelity", algorithm("MultiFidelity")),
        ("Auto, halving", Algorithm::Auto(Auto { halving: true })),
        ("SuccessiveHalving", halving(Mode::Asynchronous)),
        ("SuccessiveHalving in brackets", halving(Mode::Synchronous)),
        ("Hyperband", halving(Mode::Hyperband)),
    ]
}

/// Two rungs: a third of the full fidelity, and all of it.
const TWO_RUNGS: Fidelity = Fidelity(3);

fn never_twice_on_a_rung(trials: &[Trial], name: &str) {
    let places: HashSet<_> = trials.iter().map(|trial| (&trial.key, trial.proposal.fidelity)).collect();
    assert_eq!(places.len(), trials.len(), "{name}");
}

#[test]
fn failures_and_strange_figures_do_not_stop_a_climb() {
    for (name, config) in climbers() {
        // The default is the first of them here.
        let spaces = if name == "Auto, halving" { Vec::new() } else { spaces::all() };
        for (kind, space) in spaces {
            for (number, worth) in strange().iter().enumerate() {
                let study = Study { trials: 12, fidelity: TWO_RUNGS, ..Study::new(&space, worth) };
                let (trials, done) = study.run(&config);
                assert!(done || trials.len() == 12, "{name}, {kind}, {number}: {} trials", trials.len());
                never_twice_on_a_rung(&trials, name);
            }
        }
    }
}

#[test]
fn a_small_space_is_tried_to_its_last_candidate_on_the_highest_rung() {
    for (name, config) in climbers() {
        for (space, count, workers) in
            [(spaces::one_point(), 1, 1), (spaces::small(), 6, 1), (spaces::small(), 6, 4)]
        {
            let study = Study { trials: 100, fidelity: TWO_RUNGS, ..Study::new(&space, &worth_on_rungs) };
            let (trials, done) = Study { workers, ..study }.run(&config);
            let top = trials.iter().filter(|trial| trial.proposal.fidelity == TWO_RUNGS).count();
            assert_eq!((top, done), (count, true), "{name}, {workers} workers");
            never_twice_on_a_rung(&trials, name);
        }
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "many proposals: runs with --release")]
fn so_is_a_space_of_more_candidates_than_are_learnt_from() {
    for (name, config) in climbers() {
        let space = spaces::flat();
        let study = Study { trials: 600, fidelity: TWO_RUNGS, ..Study::new(&space, &worth_on_rungs) };
        let (trials, done) = Study { workers: 4, ..study }.run(&config);
        let top = trials.iter().filter(|trial| trial.proposal.fidelity == TWO_RUNGS).count();
        assert_eq!((top, done), (256, true), "{name}");
        never_twice_on_a_rung(&trials, name);
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "many proposals: runs with --release")]
fn what_is_kept_of_a_long_history_is_no_state() {
    let (space, fidelity) = (spaces::wide(), Fidelity(27));
    for (name, config) in climbers() {
        let study = Study { trials: 400, fidelity, ..Study::new(&space, &worth_on_rungs) };
        let (trials, _) = study.run(&config);
        for known in [256, 257, 287, 288, 300, 351, 399] {
            let next = study.ask(&mut *config.start(), &trials[..known]);
            assert_eq!(next, Next::Run(trials[known].proposal.clone()), "{name} after {known} trials");
        }
    }
}
