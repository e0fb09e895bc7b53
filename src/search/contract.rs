//! What every algorithm of the table must do, on spaces of every kind.

use std::collections::HashSet;

use rand::RngExt;

use super::one_shot::SHARED;
use super::surrogate::{Mlp, Predictor};
use super::{
    Algorithm, AutoHas, Bananas, Budget, Controller, Enas, Method, Next, Ppo, Progressive, SinglePath,
};
#[cfg(feature = "train")]
use super::{PolicyKind, Recurrent};
use crate::random::{Seed, fnv1a};
use crate::space::{Draw, Genotype, Space};
use crate::symbolic::{self, Value};
use crate::trial::{Fidelity, Objective, Stopped, Trial, TrialState};

mod informed;
mod noise;
mod rungs;
pub(super) mod spaces;
mod study;
use study::{Study, Worth};

/// An algorithm by its name, with its defaults; but networks are small, for unoptimised builds.
fn algorithm(name: &str) -> Algorithm {
    match symbolic::from_value(&Value::unit(name)).expect("every algorithm has defaults") {
        Algorithm::Progressive(config) => {
            Algorithm::Progressive(Progressive { surrogate: small_networks(), ..config })
        }
        Algorithm::Bananas(config) => Algorithm::Bananas(Bananas { surrogate: small_networks(), ..config }),
        Algorithm::AutoHas(config) => Algorithm::AutoHas(AutoHas { budget: STEPS, ..config }),
        Algorithm::Enas(config) => Algorithm::Enas(Enas { budget: STEPS, learning_rate: 0.1, ..config }),
        Algorithm::SinglePath(config) => {
            Algorithm::SinglePath(SinglePath { budget: STEPS, population: 10, ..config })
        }
        other => other,
    }
}

/// What shared weights are trained for, which are no weights here.
const STEPS: Budget = Budget::Steps(150);

/// A surrogate for unoptimised builds.
pub(super) fn small_networks() -> Predictor {
    Predictor::Mlp(Mlp { members: 3, embedding: 8, hidden: 8, epochs: 20, ..Mlp::default() })
}

/// The trials of an undisturbed study of [`accuracy`].
pub(super) fn study(space: &Space, config: &Algorithm, trials: u64) -> Vec<Trial> {
    Study { trials, ..Study::new(space, &worth) }.run(config).0
}

/// The trials of a study of accuracy and of what it costs, which is more the larger the choices are.
pub(super) fn study_of_two(
    space: &Space,
    config: &Algorithm,
    objectives: &[Objective],
    trials: u64,
    seed: u64,
) -> Vec<Trial> {
    let study = Study { trials, seed: Seed(seed), ..Study::new(space, &worth_of_two) };
    Study { objectives: objectives.to_vec(), ..study }.run(config).0
}

fn worth_of_two(space: &Space, trial: &Trial) -> TrialState {
    let accuracy = accuracy(space, &trial.proposal.genotype);
    let cost = mean_share(space, &trial.proposal.genotype).powi(2);
    TrialState::Finished([("accuracy".to_string(), accuracy), ("cost".to_string(), cost)].into())
}

/// What trials on the highest rung of [`study_on_rungs`] may spend.
pub(super) const FULL: Fidelity = Fidelity(27);

/// The trials of a study whose figures are the lower and the noisier the less is spent on them.
pub(super) fn study_on_rungs(
    space: &Space,
    config: &Algorithm,
    trials: u64,
    seed: u64,
) -> (Vec<Trial>, bool) {
    let study = Study { trials, seed: Seed(seed), ..Study::new(space, &worth_on_rungs) };
    Study { fidelity: FULL, ..study }.run(config)
}

/// As many of the first trials as cost no more than so many on the highest rung.
pub(super) fn affording(mut trials: Vec<Trial>, full: u32) -> Vec<Trial> {
    let mut left = full * FULL.0;
    let afforded = trials.iter().take_while(|trial| {
        let cost = trial.proposal.fidelity.0;
        let pays = cost <= left;
        left -= cost.min(left);
        pays
    });
    trials.truncate(afforded.count());
    trials
}

fn worth_on_rungs(space: &Space, trial: &Trial) -> TrialState {
    let missing = 1.0 - f64::from(trial.proposal.fidelity.0) / f64::from(FULL.0);
    let luck: f64 = Seed(fnv1a(trial.key.to_string().as_bytes()))
        .stream(trial.proposal.fidelity.0.into(), "luck")
        .random();
    finished(accuracy(space, &trial.proposal.genotype) - missing * (0.3 + 0.1 * luck))
}

/// Checks that a schedule of rungs proposes no candidate twice on one rung, and the same whatever interrupts it.
pub(super) fn schedules_alike(space: &Space, config: &Algorithm) {
    for workers in [1, 3] {
        let study = Study { workers, trials: 40, fidelity: FULL, ..Study::new(space, &worth_on_rungs) };
        let (whole, _) = study.run(config);
        let places: HashSet<_> = whole.iter().map(|trial| (&trial.key, trial.proposal.fidelity)).collect();
        assert_eq!(places.len(), whole.len(), "{config:?}");
        assert_eq!(
            whole,
            Study { interrupted: true, ..study }.run(config).0,
            "{config:?}, {workers} workers"
        );
    }
}

/// Checks that an algorithm proposes the same whatever interrupts it.
pub(super) fn goes_on_after_interruptions(space: &Space, config: &Algorithm) {
    for workers in [1, 3] {
        let study = Study { workers, trials: 20, ..Study::new(space, &worth) };
        let (whole, _) = study.run(config);
        assert_eq!(
            whole,
            Study { interrupted: true, ..study }.run(config).0,
            "{config:?}, {workers} workers"
        );
    }
}

/// Checks that an algorithm finds more than random search.
pub(super) fn beats_random(space: &Space, config: &Algorithm) {
    let accuracy = Objective::Maximize("accuracy".into());
    let random = best(space, &algorithm("Random"), &accuracy, &worth);
    let learnt = best(space, config, &accuracy, &worth);
    assert!(learnt > random, "{config:?}: {learnt} is no better than {random}");
}

/// The accuracy that a candidate really has.
pub(super) fn truth(space: &Space, trial: &Trial) -> f64 {
    accuracy(space, &trial.proposal.genotype)
}

/// What an algorithm that has just started proposes after these trials.
pub(super) fn ask(space: &Space, config: &Algorithm, trials: &[Trial], all: u64) -> Next {
    Study { trials: all, ..Study::new(space, &worth) }.ask(&mut *config.start(), trials)
}

fn finished(accuracy: f64) -> TrialState {
    TrialState::Finished([("accuracy".to_string(), accuracy)].into_iter().collect())
}

/// More for larger choices, with a bonus for neighbours that agree: easy to learn, not quite additive.
fn accuracy(space: &Space, genotype: &Genotype) -> f64 {
    let shares = shares(space, genotype);
    let agree = shares.windows(2).filter(|pair| pair[0] == pair[1]).count() as f64;
    0.5 + 0.4 * mean_share(space, genotype) + 0.1 * agree / shares.len().max(1) as f64
}

fn mean_share(space: &Space, genotype: &Genotype) -> f64 {
    let shares = shares(space, genotype);
    shares.iter().sum::<f64>() / shares.len().max(1) as f64
}

/// How far each decision stands on the way from its first value to its last.
fn shares(space: &Space, genotype: &Genotype) -> Vec<f64> {
    let active = space.active(genotype).expect("a genotype of the space");
    let share = |(decision, draw): &(usize, Draw)| match draw {
        Draw::Choice(choice) => f64::from(*choice) / space.decisions()[*decision].labels.len() as f64,
        draw => space.decisions()[*decision].kind.share(draw).unwrap_or(0.5),
    };
    active.iter().map(share).collect()
}

fn worth(space: &Space, trial: &Trial) -> TrialState {
    finished(accuracy(space, &trial.proposal.genotype))
}

/// Every algorithm of the table, and what others of them may be told to be.
fn algorithms() -> Vec<(&'static str, Algorithm)> {
    let table = Algorithm::NAMES.iter().map(|name| (*name, algorithm(name)));
    let by = |controller| Algorithm::Controller(controller);
    table.chain(controllers().into_iter().map(|(name, controller)| (name, by(controller)))).collect()
}

/// Controllers that the defaults are not.
#[cfg(not(feature = "train"))]
fn controllers() -> Vec<(&'static str, Controller)> {
    vec![("Controller by PPO", Controller { method: Method::Ppo(Ppo::default()), ..Controller::default() })]
}

/// Controllers that the defaults are not.
#[cfg(feature = "train")]
fn controllers() -> Vec<(&'static str, Controller)> {
    let ppo = Controller { method: Method::Ppo(Ppo::default()), ..Controller::default() };
    let lstm = PolicyKind::Lstm(Recurrent { units: 8 });
    let lstm = Controller { policy: lstm, learning_rate: Some(0.03), ..Controller::default() };
    let both = Controller { method: ppo.method.clone(), ..lstm.clone() };
    vec![("Controller by PPO", ppo), ("Controller with an LSTM", lstm), ("Controller with both", both)]
}

/// What the default hands over to is what searches, and nothing of it is lost by an interruption.
#[test]
fn the_default_is_what_it_chooses() {
    for space in [spaces::conditional(), spaces::small()] {
        let study = Study { trials: 8, ..Study::new(&space, &worth) };
        let (whole, _) = study.run(&algorithm("Auto"));
        assert_eq!(genotypes(&whole), genotypes(&study.run(&algorithm("Bayesian")).0));
        assert_eq!(whole, Study { interrupted: true, ..study }.run(&algorithm("Auto")).0);
    }
}

fn each(mut check: impl FnMut(&str, &Algorithm, &str, &Space)) {
    for (name, config) in algorithms() {
        for (kind, space) in spaces::all() {
            if !is_spared(name, kind) {
                check(name, &config, kind, &space);
            }
        }
    }
}

/// What hands over to `Bayesian` where there is one rung is not asked everything again by unoptimised builds.
fn is_spared(name: &str, kind: &str) -> bool {
    cfg!(debug_assertions)
        && ["Auto", "MultiFidelity"].contains(&name)
        && ["flat", "numeric", "cell"].contains(&kind)
}

fn genotypes(trials: &[Trial]) -> Vec<String> {
    trials.iter().map(|trial| trial.proposal.genotype.to_string()).collect()
}

#[test]
fn proposals_are_of_the_space_never_alike_and_follow_from_the_seed() {
    each(|name, config, kind, space| {
        let (first, _) = Study::new(space, &worth).run(config);
        let mut keys = HashSet::new();
        for trial in &first {
            space
                .validate(&trial.proposal.genotype)
                .unwrap_or_else(|error| panic!("{name}, {kind}: {error}"));
            assert!(keys.insert(trial.key.clone()), "{name}, {kind}: {} twice", trial.proposal.genotype);
            let shares = config.start().one_shot().is_some();
            assert_eq!(trial.proposal.fidelity, if shares { SHARED } else { Fidelity(1) });
            assert!(trial.proposal.parent.is_none_or(|parent| parent < trial.id), "{name}, {kind}");
        }
        assert!(!first.is_empty(), "{name}, {kind}");
        assert!((name, kind) != ("Random", "constrained") || space.rejections() > 0, "nothing is forbidden");
        let (again, _) = Study::new(space, &worth).run(config);
        assert_eq!(first, again, "{name}, {kind}");
        let (other, _) = Study { seed: Seed(2), ..Study::new(space, &worth) }.run(config);
        if first.len() == 30 {
            assert_ne!(genotypes(&first), genotypes(&other), "{name}, {kind}");
        }
    });
}

#[test]
fn interrupted_at_any_trial_it_goes_on_as_if_it_had_not_been() {
    each(|name, config, kind, space| {
        let study = Study { trials: 14, ..Study::new(space, &worth) };
        let (whole, _) = study.run(config);
        assert_eq!(whole, Study { interrupted: true, ..study }.run(config).0, "{name}, {kind}");
    });
}

#[test]
fn several_workers_and_interruptions_change_nothing_either() {
    each(|name, config, kind, space| {
        let workers = Study { workers: 4, trials: 14, ..Study::new(space, &worth) };
        let (whole, _) = workers.run(config);
        let keys: HashSet<_> = whole.iter().map(|trial| &trial.key).collect();
        assert_eq!(keys.len(), whole.len(), "{name}, {kind}");
        assert_eq!(whole, Study { interrupted: true, ..workers }.run(config).0, "{name}, {kind}");
    });
}

#[test]
fn several_objectives_are_no_state_either() {
    let objectives = [Objective::Maximize("accuracy".into()), Objective::Minimize("cost".into())];
    let space = spaces::conditional();
    for (name, config) in algorithms() {
        let study =
            Study { trials: 14, objectives: objectives.to_vec(), ..Study::new(&space, &worth_of_two) };
        let (whole, _) = study.run(&config);
        assert_eq!(whole, Study { interrupted: true, ..study }.run(&config).0, "{name}");
    }
}

#[test]
fn a_finite_space_is_proposed_to_its_last_candidate_and_then_done() {
    let spaces =
        [("one point", spaces::one_point(), 1), ("small", spaces::small(), 6), ("flat", spaces::flat(), 256)];
    for (name, config) in algorithms() {
        for (kind, space, count) in spaces.iter().filter(|(kind, ..)| !is_spared(name, kind)) {
            let study = Study { trials: 1000, ..Study::new(space, &worth) };
            let (trials, done) = study.run(&config);
            assert_eq!((trials.len(), done), (*count, true), "{name}, {kind}");
        }
    }
}

/// What may become of trials.
fn strange() -> [&'static Worth<'static>; 5] {
    [
        &|_, _| TrialState::Failed("diverged".into()),
        &|_, _| finished(f64::NAN),
        &|_, _| finished(0.5),
        &|_, _| TrialState::Finished(Default::default()),
        &|space, trial| match trial.id % 4 {
            0 => TrialState::Failed("out of memory".into()),
            1 => finished([f64::INFINITY, f64::NEG_INFINITY, 1e300, f64::NAN][trial.id as usize / 4 % 4]),
            _ => worth(space, trial),
        },
    ]
}

#[test]
fn failures_and_strange_figures_do_not_stop_it() {
    each(|name, config, kind, space| {
        for (number, worth) in strange().iter().enumerate() {
            let (trials, done) = Study { trials: 20, ..Study::new(space, worth) }.run(config);
            assert!(done || trials.len() == 20, "{name}, {kind}, {number}: {} trials", trials.len());
            let keys: HashSet<_> = trials.iter().map(|trial| &trial.key).collect();
            assert_eq!(keys.len(), trials.len(), "{name}, {kind}, {number}");
        }
    });
}

#[test]
fn what_was_stopped_is_learnt_from_by_what_is_expected_of_it() {
    let stopped = |space: &Space, trial: &Trial| {
        let expected = accuracy(space, &trial.proposal.genotype);
        let metrics = |figure| [("accuracy".to_string(), figure)].into_iter().collect();
        let it = Stopped { at: Fidelity(0), metrics: metrics(9.0), expected: metrics(expected) };
        if trial.id % 3 == 1 { TrialState::Stopped(Box::new(it)) } else { worth(space, trial) }
    };
    let space = spaces::conditional();
    for (name, config) in algorithms() {
        let (whole, _) = Study { trials: 14, ..Study::new(&space, &worth) }.run(&config);
        let study = Study { trials: 14, ..Study::new(&space, &stopped) };
        let (some, _) = study.run(&config);
        assert_eq!(genotypes(&some), genotypes(&whole), "{name}");
        assert_eq!(some, Study { interrupted: true, ..study }.run(&config).0, "{name}");
    }
}

/// The best accuracy after 60 trials, mean over seeds.
fn best(space: &Space, config: &Algorithm, objective: &Objective, worth: &Worth) -> f64 {
    let seeds = 6;
    let best = |seed| {
        let study = Study {
            seed: Seed(seed),
            trials: 60,
            objectives: vec![objective.clone()],
            ..Study::new(space, worth)
        };
        let (trials, _) = study.run(config);
        trials.iter().map(|trial| accuracy(space, &trial.proposal.genotype)).fold(0.0, f64::max)
    };
    (0..seeds).map(best).sum::<f64>() / seeds as f64
}

#[test]
#[cfg_attr(debug_assertions, ignore = "half a minute without optimisation: runs with --release")]
fn what_learns_beats_random_search() {
    let loss = |space: &Space, trial: &Trial| {
        let loss = 100.0 * (1.0 - accuracy(space, &trial.proposal.genotype));
        TrialState::Finished([("loss".to_string(), loss)].into_iter().collect())
    };
    let accuracy = Objective::Maximize("accuracy".into());
    for (kind, space) in [("wide", spaces::wide()), ("numeric", spaces::numeric()), ("cell", spaces::cell())]
    {
        let random = best(&space, &algorithm("Random"), &accuracy, &worth);
        // Grid search does not learn; without rungs successive halving is what it schedules, here random search.
        let learns = |name: &str| !["Random", "Grid", "SuccessiveHalving"].contains(&name);
        for (name, config) in algorithms().into_iter().filter(|(name, _)| learns(name)) {
            let learnt = best(&space, &config, &accuracy, &worth);
            assert!(learnt > random, "{name}, {kind}: {learnt} is no better than {random}");
            if kind != "wide" {
                continue;
            }
            let minimized = best(&space, &config, &Objective::Minimize("loss".into()), &loss);
            assert!(minimized > random, "{name}, {kind}, loss: {minimized} is no better than {random}");
        }
    }
}
