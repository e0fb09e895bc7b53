//! What searches believe best where every reading is noisy.

use rand::RngExt;

use super::study::Study;
use super::{accuracy, algorithm, finished, spaces, truth};
use crate::random::{Seed, fnv1a};
use crate::space::Space;
use crate::trial::{History, Objective, Trial, TrialState};

/// Readings stray from the truth by more than most candidates do from each other.
const NOISE: f64 = 0.3;

fn reading(space: &Space, trial: &Trial, study: u64) -> TrialState {
    let mut luck = Seed(fnv1a(trial.key.to_string().as_bytes())).stream(study, "luck");
    let noise: f64 = (0..4).map(|_| luck.random_range(-0.5..0.5)).sum();
    finished(accuracy(space, &trial.proposal.genotype) + NOISE * noise)
}

/// What a search believes best and its luckiest reading, both by their true worth, summed over studies.
fn believed_and_luckiest(name: &str, studies: u64, trials: u64) -> [f64; 2] {
    let (space, objectives) = (spaces::wide(), [Objective::Maximize("accuracy".into())]);
    let (mut believed, mut luckiest) = (0.0, 0.0);
    for seed in 0..studies {
        let worth = |space: &Space, trial: &Trial| reading(space, trial, seed);
        let study = Study { seed: Seed(seed), trials, ..Study::new(&space, &worth) };
        let (trials, _) = study.run(&algorithm(name));
        let best = study.believed(&mut *algorithm(name).start(), &trials).expect("a trial");
        believed += truth(&space, &trials[best as usize]);
        let best = History { trials: &trials, objectives: &objectives }.best().expect("a trial");
        luckiest += truth(&space, best);
    }
    [believed, luckiest]
}

#[test]
#[cfg_attr(debug_assertions, ignore = "many studies: runs with --release")]
fn what_is_believed_best_is_better_than_the_luckiest_reading() {
    // 29.95 beside 29.24, 28.38 beside 28.24, 27.95 beside 27.63.
    for (name, more) in [("Auto", 0.4), ("RegularizedEvolution", 0.05), ("LocalSearch", 0.1)] {
        let [believed, luckiest] = believed_and_luckiest(name, 40, 40);
        assert!(believed > luckiest + more, "{name}: {believed} is no better than {luckiest}");
    }
}
