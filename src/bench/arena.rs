//! A space with its evaluator and the truth that searches are scored by, ready for runs.

use super::{Bench, BenchError, Scored, Unit};
use crate::device::Device;
use crate::error::Result;
use crate::evaluate::{Evaluate, Failure, Job, Progress};
use crate::experiment::Experiment;
use crate::random::Seed;
use crate::space::{GenotypeError, Space};
use crate::symbolic::nearest;
use crate::trial::{Fidelity, Metrics, Objective, Trial, unfit};

/// Where runs take place.
pub(super) struct Arena {
    pub label: String,
    pub space: Space,
    pub experiment: Experiment,
    pub evaluator: Box<dyn Evaluate>,
    pub unit: Unit,
    /// What of the truth is looked at, and which way is better.
    pub truth: Objective,
    /// The best truth of all candidates.
    pub best: f64,
}

impl Arena {
    /// Loads the space and its table.
    pub fn open(scored: &Scored, bench: &Bench) -> Result<Arena> {
        let file = scored.file.clone();
        let space = Space::load(&file)?;
        let experiment: Experiment = match space.experiment_as()? {
            Some(experiment) => experiment,
            None => return Err(BenchError::NoExperiment { file }.into()),
        };
        let space = experiment.evaluator.restrict(space)?;
        let evaluator = experiment.evaluator.prepare(&space)?;
        let truth = match &experiment.objectives[0] {
            Objective::Maximize(_) => Objective::Maximize(scored.metric.clone()),
            Objective::Minimize(_) => Objective::Minimize(scored.metric.clone()),
        };
        let best = best(scored, &experiment, &*evaluator, &truth)?;
        if !bench.budgets.seconds.is_empty() && !evaluator.metrics().contains(&"seconds") {
            return Err(BenchError::NoSeconds { file }.into());
        }
        let label = scored.label.as_deref().or(space.name()).unwrap_or("space").to_owned();
        Ok(Arena { label, space, experiment, evaluator, unit: scored.unit, truth, best })
    }

    /// How far the truth of a trial's candidate is from the best, in the unit; not a number where it is not known.
    pub fn regret(&self, trial: Option<&Trial>) -> f64 {
        let truth = trial.and_then(|trial| self.evaluator.hidden(&trial.proposal.genotype, &trial.key));
        let value = truth.and_then(|truth| truth.get(self.truth.metric()).copied()).unwrap_or(f64::NAN);
        let worse =
            if matches!(self.truth, Objective::Maximize(_)) { self.best - value } else { value - self.best };
        worse * self.unit.scale()
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

/// The best truth of the space.
fn best(
    scored: &Scored,
    experiment: &Experiment,
    evaluator: &dyn Evaluate,
    truth: &Objective,
) -> Result<f64, BenchError> {
    let known = evaluator.hidden_metrics();
    if known.is_empty() {
        let evaluator = experiment.evaluator.kind().to_owned();
        return Err(BenchError::NoTruth { file: scored.file.clone(), evaluator });
    }
    let (file, metric) = (scored.file.clone(), scored.metric.clone());
    if known.contains(&metric.as_str())
        && let Some(best) = evaluator.hidden_best(truth)
    {
        return Ok(best);
    }
    let nearest = nearest(&metric, known.iter().copied()).map(String::from);
    Err(BenchError::NoMetric {
        file,
        metric,
        known: known.iter().map(|name| name.to_string()).collect(),
        nearest,
    })
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
    use super::*;
    use crate::evaluate::Outcome;
    use crate::space::{Genotype, Key};

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
            vec!["test"]
        }
        fn hidden(&self, genotype: &Genotype, _key: &Key) -> Option<Metrics> {
            Some([("test".to_owned(), sum(genotype))].into_iter().collect())
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
            truth: Objective::Maximize("test".into()),
            best: 9.0,
        }
    }

    fn trial(genotype: &str) -> Trial {
        let proposal = crate::trial::Proposal {
            genotype: genotype.parse().expect("a genotype"),
            fidelity: Fidelity(1),
            parent: None,
            note: String::new(),
        };
        let state = crate::trial::TrialState::Pending;
        Trial { id: 0, proposal, key: Key(genotype.into()), state, seconds: 0.0 }
    }

    #[test]
    fn regret_is_of_the_truth_in_the_unit_and_never_negative() {
        let arena = arena();
        assert_eq!([trial("3,3,3"), trial("0,1,2")].map(|trial| arena.regret(Some(&trial))), [0.0, 6.0]);
        assert!(arena.regret(None).is_nan());
        let points = Arena { unit: Unit::Points, ..arena };
        assert_eq!(points.regret(Some(&trial("3,3,2"))), 100.0);
        let less = Arena { truth: Objective::Minimize("test".into()), best: 0.0, unit: Unit::Own, ..points };
        assert_eq!(less.regret(Some(&trial("3,3,2"))), 8.0);
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
