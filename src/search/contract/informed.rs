//! What searches that predict make of figures that a space knows for nothing.

use std::sync::Arc;

use rand::RngExt;

use super::study::Study;
use super::{accuracy, algorithm, finished, goes_on_after_interruptions, spaces};
use crate::random::{Seed, fnv1a};
use crate::search::surrogate::{Forest, Predictor};
use crate::search::{Algorithm, Bananas, Progressive};
use crate::space::{FreeFigures, Genotype, Space};
use crate::trial::Trial;

/// Tells of a candidate what nobody could learn from its decisions, and something that means nothing; of some nothing.
struct Teller([String; 2]);

impl FreeFigures for Teller {
    fn names(&self) -> &[String] {
        &self.0
    }

    fn figures(&self, genotype: &Genotype) -> Option<Vec<f64>> {
        let told = luck(genotype, "a proxy of luck") * 0.2 + luck(genotype, "luck");
        let known = [1e6 * told, luck(genotype, "nothing")];
        let missing = |figure| if luck(genotype, "missing") < 0.05 { f64::NAN } else { figure };
        (luck(genotype, "broken") > 0.02).then(|| known.map(missing).to_vec())
    }
}

fn luck(genotype: &Genotype, of: &str) -> f64 {
    Seed(fnv1a(genotype.to_string().as_bytes())).stream(0, of).random()
}

fn informed(space: Space) -> Space {
    space.informed(Arc::new(Teller(["luck".into(), "nothing".into()])))
}

#[test]
#[cfg_attr(debug_assertions, ignore = "every proposal by a fresh search: runs with --release")]
fn what_is_known_for_nothing_is_no_state() {
    for space in [spaces::wide(), spaces::cell()] {
        for name in ["Bayesian", "Bananas", "Progressive"] {
            goes_on_after_interruptions(&informed(space.clone()), &algorithm(name));
        }
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "many networks: runs with --release")]
fn what_is_known_for_nothing_is_made_use_of() {
    let worth = |space: &Space, trial: &Trial| {
        let genotype = &trial.proposal.genotype;
        finished(0.4 * accuracy(space, genotype) + 0.6 * luck(genotype, "luck"))
    };
    let best = |space: &Space, config: &Algorithm| {
        let best = |seed| {
            let (trials, _) = Study { seed: Seed(seed), trials: 40, ..Study::new(space, &worth) }.run(config);
            let found = trials.iter().filter_map(|trial| Some(trial.state.metrics()?["accuracy"]));
            found.fold(0.0, f64::max)
        };
        (0..6).map(best).sum::<f64>() / 6.0
    };
    let forest = Predictor::Forest(Forest::default());
    let configs = [
        algorithm("Bayesian"),
        Algorithm::Bananas(Bananas { surrogate: forest.clone(), ..Bananas::default() }),
        Algorithm::Progressive(Progressive { surrogate: forest, ..Progressive::default() }),
    ];
    for config in configs {
        let (with, without) = (best(&informed(spaces::wide()), &config), best(&spaces::wide(), &config));
        assert!(with > without + 0.01, "{config:?}: {with} with figures, {without} without");
    }
}
