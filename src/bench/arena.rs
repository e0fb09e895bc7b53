//! A space with its evaluator and the truth that searches are scored by, ready for runs.

use std::path::Path;

use super::truth::Truth;
use super::{Bench, BenchError, Scored, Unit};
use crate::device::Device;
use crate::error::Result;
use crate::evaluate::{Evaluate, Failure, Job, Progress};
use crate::experiment::Experiment;
use crate::random::Seed;
use crate::search::AskTell;
use crate::space::{GenotypeError, Space};
use crate::symbolic::nearest;
use crate::trial::{Fidelity, Metrics, Objective, Trial, TrialState, unfit};

/// Where runs take place.
pub(super) struct Arena {
    pub label: String,
    pub space: Space,
    pub experiment: Experiment,
    pub evaluator: Box<dyn Evaluate>,
    pub unit: Unit,
    pub truth: Truth,
    /// How many trials a regret is the mean of.
    pub top: usize,
}

impl Arena {
    /// Loads the space and its table.
    pub fn open(scored: &Scored, bench: &Bench) -> Result<Arena> {
        let file = scored.file.clone();
        let space = Space::load(&file)?;
        let mut experiment: Experiment = match space.experiment_as()? {
            Some(experiment) => experiment,
            None => return Err(BenchError::NoExperiment { file }.into()),
        };
        if !scored.objectives.is_empty() {
            experiment.objectives = scored.objectives.clone();
        }
        let space = experiment.restrict(&space)?;
        let evaluator = experiment.prepare(&space)?;
        let space = experiment.informed(space, None)?;
        let truth = Truth::of(scored, &experiment, &*evaluator, &space)?;
        check(bench, &file, &experiment, &evaluator.metrics())?;
        let label = scored.label.as_deref().or(space.name()).unwrap_or("space").to_owned();
        Ok(Arena { label, space, experiment, evaluator, unit: scored.unit, truth, top: bench.top })
    }

    /// How far a search is from the best there is, in the unit; not a number where nothing is known of what it found.
    pub fn regret(&self, search: &mut AskTell) -> f64 {
        let regret = match &self.truth {
            Truth::Figure(figure) if self.top > 1 => {
                let best = self.best_readings(search.trials(), self.top);
                let regrets = best.iter().map(|trial| figure.regret(Some(trial), &*self.evaluator));
                regrets.sum::<f64>() / best.len() as f64
            }
            Truth::Figure(figure) => figure.regret(search.incumbent(), &*self.evaluator),
            Truth::Front(front) => {
                front.regret(search.trials(), &self.experiment.objectives, &*self.evaluator)
            }
        };
        regret * self.unit.scale()
    }

    /// The trials with the best readings, so many or as many as there are.
    fn best_readings<'t>(&self, trials: &'t [Trial], count: usize) -> Vec<&'t Trial> {
        let objective = &self.experiment.objectives[0];
        let score = |trial: &Trial| match &trial.state {
            TrialState::Finished(metrics) => objective.score(metrics),
            TrialState::Pending | TrialState::Stopped(_) | TrialState::Failed(_) => None,
        };
        let mut scored: Vec<(f64, &Trial)> =
            trials.iter().filter_map(|trial| Some((score(trial)?, trial))).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        scored.truncate(count);
        scored.into_iter().map(|(_, trial)| trial).collect()
    }

    /// What becomes of a trial, as in a study with this seed.
    pub fn evaluate(&self, trial: &Trial, seed: Seed) -> Result<Metrics, String> {
        let unbuilt = |problem: GenotypeError| problem.to_string();
        let program = self.space.materialize(&trial.proposal.genotype).map_err(unbuilt)?;
        let job = Job {
            genotype: &trial.proposal.genotype,
            key: &trial.key,
            program: &program,
            fidelity: trial.proposal.fidelity,
            seed: seed.derive(trial.id, "trial"),
            last: false,
            device: Device::Cpu,
            checkpoint: None,
            heritage: None,
        };
        let metrics =
            self.evaluator.evaluate(&job, &Quiet).map_err(|failure: Failure| failure.to_string())?.metrics;
        unfit(&metrics, &self.experiment.objectives).map_or(Ok(metrics), Err)
    }

    /// How much of a full trial a trial is.
    pub fn share(&self, trial: &Trial) -> f64 {
        f64::from(trial.proposal.fidelity.0) / f64::from(self.experiment.fidelity)
    }
}

/// Whether the evaluator reports what the searches optimise, and the seconds where they are asked for.
fn check(bench: &Bench, file: &Path, experiment: &Experiment, known: &[&str]) -> Result<(), BenchError> {
    let unknown = experiment.objectives.iter().map(Objective::metric).find(|metric| !known.contains(metric));
    if let Some(metric) = unknown {
        return Err(BenchError::NoObjective {
            file: file.into(),
            metric: metric.into(),
            known: known.iter().map(|name| name.to_string()).collect(),
            nearest: nearest(metric, known.iter().copied()).map(String::from),
        });
    }
    let several = bench.algorithms.iter().any(|entrant| entrant.workers(bench) > 1);
    let what = match (bench.budgets.seconds.is_empty(), several) {
        (true, false) => return Ok(()),
        (false, _) => "budgets of seconds",
        (true, true) => "several workers",
    };
    if known.contains(&"seconds") { Ok(()) } else { Err(BenchError::NoSeconds { file: file.into(), what }) }
}

impl Unit {
    /// What a difference of the metric is multiplied by.
    fn scale(self) -> f64 {
        match self {
            Unit::Own => 1.0,
            Unit::Points => 100.0,
        }
    }
}

/// Nobody listens.
struct Quiet;

impl Progress for Quiet {
    fn report(&self, _done: Fidelity, _metrics: &Metrics) -> bool {
        true
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::truth::{Figure, Front};
    use super::*;
    use crate::evaluate::Outcome;
    use crate::search::{Algorithm, Random};
    use crate::space::{Genotype, Key};
    use crate::trial::TrialState;

    /// Three digits: their sum with noise is shown, the sum itself is hidden.
    struct Sum;

    fn sum(genotype: &Genotype) -> f64 {
        genotype.to_string().chars().filter_map(|digit| digit.to_digit(10)).map(f64::from).sum()
    }

    impl Evaluate for Sum {
        fn metrics(&self) -> Vec<&str> {
            vec!["reading", "seconds"]
        }
        fn evaluate(&self, job: &Job, _progress: &dyn Progress) -> Result<Outcome, Failure> {
            use rand::RngExt;
            let noise: f64 = job.seed.stream(0, "noise").random_range(-0.2..0.2);
            let figures = [("reading", sum(job.genotype) + noise), ("seconds", 10.0 + sum(job.genotype))];
            let metrics = figures.map(|(name, figure)| (name.to_owned(), figure)).into_iter().collect();
            Ok(Outcome { metrics, trained: None })
        }
        fn hidden_metrics(&self) -> Vec<&str> {
            vec!["test", "price"]
        }
        fn hidden(&self, genotype: &Genotype, _key: &Key) -> Option<Metrics> {
            let figures = [("test", sum(genotype)), ("price", 10.0 * sum(genotype))];
            Some(figures.map(|(name, figure)| (name.to_owned(), figure)).into_iter().collect())
        }
        fn hidden_best(&self, objective: &Objective) -> Option<f64> {
            (*objective == Objective::Maximize("test".into())).then_some(9.0)
        }
    }

    /// A space of 64 candidates, the best of which has a truth of 9.
    pub fn arena() -> Arena {
        let digit = "OneOf([0, 1, 2, 3])";
        let program = format!("({digit}, {digit}, {digit})").parse().expect("RON");
        let experiment = "(evaluator: Cost(()), objectives: [Maximize(\"reading\")])";
        Arena {
            label: "sums".into(),
            space: Space::untyped(&program).expect("a space"),
            experiment: ron::from_str(experiment).expect("an experiment"),
            evaluator: Box::new(Sum),
            unit: Unit::Own,
            truth: Truth::Figure(Figure { objective: Objective::Maximize("test".into()), best: 9.0 }),
            top: 1,
        }
    }

    pub fn trial(genotype: &str) -> Trial {
        let proposal = crate::trial::Proposal {
            genotype: genotype.parse().expect("a genotype"),
            fidelity: Fidelity(1),
            parent: None,
            note: String::new(),
        };
        let state = TrialState::Pending;
        Trial { id: 0, proposal, key: Key::of(genotype), state, seconds: 0.0 }
    }

    /// A search that was told of some candidates.
    fn told<'a>(arena: &'a Arena, random: &Algorithm, genotypes: &[&str]) -> AskTell<'a> {
        let trials = genotypes.iter().enumerate().map(|(id, genotype)| {
            let mut trial = trial(genotype);
            trial.id = id as u64;
            trial.state = TrialState::Finished(arena.evaluate(&trial, Seed(0)).expect("figures"));
            trial
        });
        let objectives = arena.experiment.objectives.iter().cloned();
        let search = AskTell::new(&arena.space, random, arena.experiment.objectives[0].clone());
        let search = objectives.skip(1).fold(search, AskTell::with_objective);
        search.with_history(trials.collect()).expect("trials")
    }

    #[test]
    fn regret_is_of_the_truth_in_the_unit_and_never_negative() {
        let random = Algorithm::Random(Random::default());
        let regret = |arena: &Arena, genotypes: &[&str]| arena.regret(&mut told(arena, &random, genotypes));
        let arena = arena();
        assert_eq!([&["3,3,3"], &["0,1,2"]].map(|found| regret(&arena, found)), [0.0, 6.0]);
        assert!(regret(&arena, &[]).is_nan());
        let points = Arena { unit: Unit::Points, ..arena };
        assert_eq!(regret(&points, &["3,3,2", "0,0,0"]), 100.0);
        let least = Truth::Figure(Figure { objective: Objective::Minimize("test".into()), best: 0.0 });
        let less = Arena { truth: least, unit: Unit::Own, ..points };
        assert_eq!(regret(&less, &["3,3,2"]), 8.0);
    }

    #[test]
    fn a_front_is_judged_by_what_it_dominates_in_truth() {
        let arena = arena();
        let [more, less] = [Objective::Maximize("test".into()), Objective::Minimize("price".into())];
        let front = Front::of(&[more, less], &*arena.evaluator, &arena.space).expect("a front");
        let objectives = vec![Objective::Maximize("reading".into()), Objective::Minimize("seconds".into())];
        let experiment = Experiment { objectives, ..arena.experiment.clone() };
        let arena = Arena { truth: Truth::Front(front), experiment, ..arena };
        let random = Algorithm::Random(Random::default());
        let regret = |genotypes: &[&str]| arena.regret(&mut told(&arena, &random, genotypes));
        // The price is ten times the sum: from the worst of both, a sum of s dominates s / 9 * (9 - s) / 9, all sums
        // together the staircase of 1 + .. + 8 = 36 squares of 81.
        assert!((regret(&["3,0,0"]) - (1.0 - 18.0 / 36.0)).abs() < 1e-12);
        assert!((regret(&["3,0,0", "3,3,0"]) - (1.0 - 27.0 / 36.0)).abs() < 1e-12);
        let all = ["0,0,0", "1,0,0", "2,0,0", "3,0,0", "3,1,0", "3,2,0", "3,3,0", "3,3,1", "3,3,2", "3,3,3"];
        assert!(regret(&all).abs() < 1e-12);
        assert!(regret(&[]).is_nan());
    }

    #[test]
    fn the_mean_is_of_the_best_readings() {
        let ended = |genotype: &str, reading: f64| {
            let state = TrialState::Finished([("reading".to_owned(), reading)].into());
            Trial { state, ..trial(genotype) }
        };
        let trials = [ended("0,0,0", 8.0), ended("3,3,2", 0.1), ended("3,0,0", 3.0), trial("3,3,3")];
        let arena = Arena { top: 2, ..arena() };
        let best = |count| {
            let best = arena.best_readings(&trials, count);
            best.iter().map(|trial| trial.proposal.genotype.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(best(2), ["0,0,0", "3,0,0"]);
        assert_eq!(best(9).len(), 3);
        let random = Algorithm::Random(Random::default());
        // Readings are near the truth, so that the two best are those of a regret of 1 and of 2.
        assert_eq!(arena.regret(&mut told(&arena, &random, &["3,3,2", "3,3,1", "0,0,0"])), 1.5);
        assert!(arena.regret(&mut told(&arena, &random, &[])).is_nan());
    }

    #[test]
    fn the_same_trial_and_seed_give_the_same_reading() {
        let (arena, trial) = (arena(), trial("1,2,3"));
        let reading = |seed| arena.evaluate(&trial, Seed(seed)).expect("figures")["reading"];
        assert_eq!(reading(1), reading(1));
        assert_ne!(reading(1), reading(2));
        assert!((reading(1) - 6.0).abs() < 0.2);
    }
}
