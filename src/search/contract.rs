//! What every algorithm of the table must do, on spaces of every kind.

use std::collections::HashSet;

use rand::RngExt;

use super::one_shot::{SHARED, Toy};
use super::surrogate::{Mlp, Predictor};
use super::{Algorithm, AutoHas, Budget, Context, Enas, Next, Progressive, SearchAlgorithm, SinglePath};
use crate::random::{Seed, fnv1a};
use crate::space::{Draw, Genotype, Space};
use crate::symbolic::{self, Value};
use crate::trial::{Fidelity, History, Objective, Proposal, Trial, TrialState};

/// Spaces of every kind, over bare trees: no network is built.
pub(super) mod spaces {
    use crate::space::Space;
    use crate::symbolic::Sources;

    fn space(text: &str) -> Space {
        let program = Sources::default().read("test.ron", text).expect("valid RON");
        Space::untyped(&program).expect("a valid space")
    }

    /// 4 decisions of 4: 256 candidates.
    pub fn flat() -> Space {
        space(
            "(a: OneOf([0, 1, 2, 3]), b: OneOf([0, 1, 2, 3]), c: OneOf([0, 1, 2, 3]), d: OneOf([0, 1, 2, 3]))",
        )
    }

    /// 8 decisions of 4: 65,536 candidates.
    pub fn wide() -> Space {
        let fields: Vec<String> = ('a'..='h').map(|name| format!("{name}: OneOf([0, 1, 2, 3])")).collect();
        space(&format!("({})", fields.join(", ")))
    }

    /// A choice that brings a number, and one that brings nothing.
    pub fn conditional() -> Space {
        space("(optimizer: OneOf([Sgd(momentum: Float(0.0, 1.0)), Adam, Rms]), depth: OneOf([1, 2, 3, 4]))")
    }

    /// Numbers of all scales, a list and a permutation.
    pub fn numeric() -> Space {
        space(
            "(width: Int(1, 1000), rate: Float(1e-4, 1.0, Log), momentum: Float(0.9, 0.999, ReverseLog),
              few: Int(0, 2), ops: ManyOf(2, [0, 1, 2], distinct), order: Permutation([0, 1, 2]))",
        )
    }

    /// A single candidate.
    pub fn one_point() -> Space {
        space("(a: OneOf([7]), b: Int(3, 3), c: 1)")
    }

    /// 6 candidates, three of them conditional.
    pub fn small() -> Space {
        space("(a: OneOf([X(OneOf([0, 1, 2])), Y, Z, W]))")
    }

    /// A cell of 1 to 3 blocks, and a hyperparameter beside it.
    pub fn cell() -> Space {
        let input = |block: usize| {
            let earlier: String = (1..block).map(|number| format!(", Block({number})")).collect();
            format!("OneOf([PreviousCell, CellBefore{earlier}])")
        };
        let branch = |block| format!("(input: {}, op: OneOf([Conv, Pool, Skip]))", input(block));
        let blocks: Vec<String> =
            (1..=3).map(|block| format!("(left: {0}, right: {0})", branch(block))).collect();
        space(&format!("(cell: Prefix(1, [{}]), rate: Float(1e-3, 1.0, Log))", blocks.join(", ")))
    }

    /// Networks of one or two blocks, many of them isomorphic, of which only the smaller half may be proposed.
    pub fn constrained() -> Space {
        let text = r#"Space(
            let: { "op": OneOf([SepConv(kernel: 3), ReluConvBn(kernel: 3), MaxPool(kernel: 3), SkipConnect]) },
            program: (
                task: (input: (1, 8, 8), classes: 10),
                architecture: Stacked(cell: Blocks(Prefix(1, [
                    (left: (input: PreviousCell, op: Fresh("op")), right: (input: CellBefore, op: Fresh("op"))),
                    (left: (input: Block(1), op: Fresh("op")), right: (input: PreviousCell, op: Fresh("op"))),
                ])), stages: 1, repeats: 1, channels: 8),
                training: (learning_rate: OneOf([0.1, 0.01])),
            ),
            constraints: [Params(max: 1500)],
        )"#;
        Space::from_ron("test.ron", text).expect("a valid space")
    }

    /// All of them, by name.
    pub fn all() -> Vec<(&'static str, Space)> {
        vec![
            ("flat", flat()),
            ("conditional", conditional()),
            ("numeric", numeric()),
            ("one point", one_point()),
            ("small", small()),
            ("cell", cell()),
            ("constrained", constrained()),
        ]
    }
}

/// An algorithm by its name, with its defaults; but networks are small, for unoptimised builds.
fn algorithm(name: &str) -> Algorithm {
    match symbolic::from_value(&Value::unit(name)).expect("every algorithm has defaults") {
        Algorithm::Progressive(config) => {
            Algorithm::Progressive(Progressive { surrogate: small_networks(), ..config })
        }
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
    let worth = |space: &Space, trial: &Trial| {
        let accuracy = accuracy(space, &trial.proposal.genotype);
        let cost = mean_share(space, &trial.proposal.genotype).powi(2);
        TrialState::Finished([("accuracy".to_string(), accuracy), ("cost".to_string(), cost)].into())
    };
    let study = Study { trials, seed: Seed(seed), ..Study::new(space, &worth) };
    Study { objectives: objectives.to_vec(), ..study }.run(config).0
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

fn worth_on_rungs(space: &Space, trial: &Trial) -> TrialState {
    let missing = 1.0 - f64::from(trial.proposal.fidelity.0) / f64::from(FULL.0);
    let luck: f64 =
        Seed(fnv1a(trial.key.0.as_bytes())).stream(trial.proposal.fidelity.0.into(), "luck").random();
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

/// What becomes of a trial.
type Worth<'a> = dyn Fn(&Space, &Trial) -> TrialState + 'a;

/// A study without a store.
struct Study<'a> {
    space: &'a Space,
    seed: Seed,
    trials: u64,
    objectives: Vec<Objective>,
    fidelity: Fidelity,
    worth: &'a Worth<'a>,
    /// How many trials may be under way at once.
    workers: usize,
    /// Whether a fresh algorithm makes every proposal.
    interrupted: bool,
}

impl<'a> Study<'a> {
    fn new(space: &'a Space, worth: &'a Worth<'a>) -> Study<'a> {
        let objectives = vec![Objective::Maximize("accuracy".into())];
        let (seed, fidelity) = (Seed(1), Fidelity(1));
        Study { space, seed, trials: 30, objectives, fidelity, worth, workers: 1, interrupted: false }
    }

    /// All trials, and whether the algorithm ended the study itself.
    fn run(&self, config: &Algorithm) -> (Vec<Trial>, bool) {
        let mut supernet = Toy::of(self.space);
        let mut algorithm = self.start(config, &mut supernet);
        let mut results: Vec<TrialState> = Vec::new();
        let mut trials: Vec<Trial> = Vec::new();
        while (trials.len() as u64) < self.trials {
            // Proposal n sees the results of trials up to n - workers; where that is not enough, of one more each time.
            let mut pending = (self.workers - 1).min(trials.len());
            let proposal = loop {
                let ended = trials.len() - pending;
                trials[..ended]
                    .iter_mut()
                    .zip(&results)
                    .for_each(|(trial, result)| trial.state = result.clone());
                if self.interrupted {
                    algorithm = self.start(config, &mut supernet);
                }
                match self.ask(&mut *algorithm, &trials) {
                    Next::Run(proposal) => break Some(proposal),
                    Next::Done => break None,
                    Next::Wait => {
                        pending = pending.checked_sub(1).expect("waits for a trial that is pending")
                    }
                }
            };
            let Some(proposal) = proposal else {
                return (trials, true);
            };
            let trial = self.trial(proposal, trials.len() as u64);
            results.push((self.worth)(self.space, &trial));
            trials.push(trial);
        }
        trials.iter_mut().zip(results).for_each(|(trial, result)| trial.state = result);
        (trials, false)
    }

    /// A fresh algorithm; its shared weights, where it has any, are trained or found in their checkpoint.
    fn start(&self, config: &Algorithm, supernet: &mut Toy) -> Box<dyn SearchAlgorithm> {
        let mut algorithm = config.start();
        if let Some(one_shot) = algorithm.one_shot() {
            let trained = one_shot.train(&self.context(0), &self.objectives, supernet, &mut |_| true);
            assert_eq!(trained, Ok(true));
        }
        algorithm
    }

    fn context(&self, trial: u64) -> Context<'_> {
        Context {
            space: self.space,
            seed: self.seed,
            trial,
            trials: self.trials,
            fidelity: self.fidelity,
            fidelities: &[],
        }
    }

    fn ask(&self, algorithm: &mut dyn SearchAlgorithm, trials: &[Trial]) -> Next {
        let context = self.context(trials.len() as u64);
        algorithm.propose(&context, &History { trials, objectives: &self.objectives }).expect("a proposal")
    }

    fn trial(&self, proposal: Proposal, id: u64) -> Trial {
        let key = self.space.key(&proposal.genotype).expect("a genotype of the space");
        Trial { id, proposal, key, state: TrialState::Pending, seconds: 0.0 }
    }
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

/// All algorithms but the one that hands over to others of them.
fn own() -> impl Iterator<Item = &'static str> {
    Algorithm::NAMES.iter().copied().filter(|name| *name != "Auto")
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
    for name in own() {
        for (kind, space) in spaces::all() {
            check(name, &algorithm(name), kind, &space);
        }
    }
}

fn genotypes(trials: &[Trial]) -> Vec<String> {
    trials.iter().map(|trial| trial.proposal.genotype.to_string()).collect()
}

#[test]
fn proposals_are_of_the_space_and_never_alike() {
    each(|name, config, kind, space| {
        let (trials, _) = Study::new(space, &worth).run(config);
        let mut keys = HashSet::new();
        for trial in &trials {
            space
                .validate(&trial.proposal.genotype)
                .unwrap_or_else(|error| panic!("{name}, {kind}: {error}"));
            assert!(keys.insert(trial.key.clone()), "{name}, {kind}: {} twice", trial.proposal.genotype);
            let shares = config.start().one_shot().is_some();
            assert_eq!(trial.proposal.fidelity, if shares { SHARED } else { Fidelity(1) });
            assert!(trial.proposal.parent.is_none_or(|parent| parent < trial.id), "{name}, {kind}");
        }
        assert!(!trials.is_empty(), "{name}, {kind}");
        assert!((name, kind) != ("Random", "constrained") || space.rejections() > 0, "nothing is forbidden");
    });
}

#[test]
fn the_same_seed_proposes_the_same_and_another_seed_something_else() {
    each(|name, config, kind, space| {
        let (first, _) = Study::new(space, &worth).run(config);
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
fn a_finite_space_is_proposed_to_its_last_candidate_and_then_done() {
    let spaces =
        [("one point", spaces::one_point(), 1), ("small", spaces::small(), 6), ("flat", spaces::flat(), 256)];
    for name in own() {
        for (kind, space, count) in &spaces {
            let study = Study { trials: 1000, ..Study::new(space, &worth) };
            let (trials, done) = study.run(&algorithm(name));
            assert_eq!((trials.len(), done), (*count, true), "{name}, {kind}");
        }
    }
}

#[test]
fn failures_and_strange_figures_do_not_stop_it() {
    let strange: [&Worth; 5] = [
        &|_, _| TrialState::Failed("diverged".into()),
        &|_, _| finished(f64::NAN),
        &|_, _| finished(0.5),
        &|_, _| TrialState::Finished(Default::default()),
        &|space, trial| match trial.id % 4 {
            0 => TrialState::Failed("out of memory".into()),
            1 => finished([f64::INFINITY, f64::NEG_INFINITY, 1e300, f64::NAN][trial.id as usize / 4 % 4]),
            _ => worth(space, trial),
        },
    ];
    each(|name, config, kind, space| {
        for (number, worth) in strange.iter().enumerate() {
            let (trials, done) = Study { trials: 20, ..Study::new(space, worth) }.run(config);
            assert!(done || trials.len() == 20, "{name}, {kind}, {number}: {} trials", trials.len());
            let keys: HashSet<_> = trials.iter().map(|trial| &trial.key).collect();
            assert_eq!(keys.len(), trials.len(), "{name}, {kind}, {number}");
        }
    });
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
        let learns = |name: &&str| !["Random", "Grid", "SuccessiveHalving"].contains(name);
        for name in own().filter(learns) {
            let learnt = best(&space, &algorithm(name), &accuracy, &worth);
            assert!(learnt > random, "{name}, {kind}: {learnt} is no better than {random}");
            if kind != "wide" {
                continue;
            }
            let minimized = best(&space, &algorithm(name), &Objective::Minimize("loss".into()), &loss);
            assert!(minimized > random, "{name}, {kind}, loss: {minimized} is no better than {random}");
        }
    }
}
