//! A small space, an evaluator that only pretends, and an algorithm that is easily led astray by what it is shown.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use cellwright::evaluate::{Evaluate, Failure, Job, Outcome, Progress};
use cellwright::search::{Context, Next, SearchAlgorithm};
use cellwright::space::GenotypeError;
use cellwright::study::{Description, Ending, Event, Listener, Record, StudyError};
use cellwright::symbolic::Value;
use cellwright::trial::{Fidelity, History, Metrics, Proposal, Trial, TrialState};
use cellwright::{Experiment, Space, Study};
use rand::{Rng as _, RngExt};

/// 96 candidates, so that a search of some hundred trials meets many of them again.
pub const SPACE: &str = "(
    task: (input: (1, 8, 8), classes: 10),
    architecture: Sequential([]),
    training: (
        batch: OneOf([8, 16, 32, 64]),
        label_smoothing: OneOf([0.0, 0.1, 0.2]),
        clip_norm: OneOf([0.0, 0.5, 1.0, 2.0]),
        augment: (flip: OneOf([true, false])),
    ),
)";

pub fn space() -> Space {
    let program: Value = SPACE.parse().unwrap();
    Space::untyped(&program).unwrap()
}

pub fn description(fields: &str) -> Description {
    let text = format!(
        "(evaluator: Cost(()), objectives: [Maximize(\"accuracy\"), Minimize(\"params\")], fidelity: 2, {fields})"
    );
    Description { space: SPACE.into(), experiment: ron::from_str::<Experiment>(&text).unwrap() }
}

/// Figures made of the candidate, the seed and the fidelity; some candidates fail, some panic.
pub struct Simulated {
    /// Most that an evaluation takes, in steps of a millisecond.
    pub milliseconds: u64,
}

impl Evaluate for Simulated {
    fn metrics(&self) -> Vec<&str> {
        vec!["accuracy", "params"]
    }

    fn evaluate(&self, job: &Job, progress: &dyn Progress) -> Result<Outcome, Failure> {
        let candidate = job.seed.derive(0, &ron::to_string(&job.network()?).unwrap());
        let mut rng = candidate.stream(job.fidelity.0.into(), "figures");
        let steps = rng.next_u64() % (self.milliseconds + 1);
        for step in 0..steps {
            std::thread::sleep(Duration::from_millis(1));
            if !progress.report(Fidelity(step as u32), &Metrics::default()) {
                return Err(Failure::Stopped);
            }
        }
        let batch = job.network()?.training.batch as f64;
        match rng.random_range(0..12) {
            0 => Err(Failure::Candidate(format!("diverged at batch {batch}"))),
            1 => panic!("no batch of {batch} fits"),
            2 => Ok(Outcome { metrics: metrics(f64::NAN, batch), trained: None }),
            _ => Ok(Outcome { metrics: metrics(rng.random::<f64>(), batch), trained: None }),
        }
    }
}

pub fn metrics(accuracy: f64, params: f64) -> Metrics {
    [("accuracy".to_string(), accuracy), ("params".to_string(), params)].into()
}

/// Mutates the best of the last few that it is shown, promotes now and then, and sometimes waits for all to end.
pub struct Climber;

impl SearchAlgorithm for Climber {
    fn propose(&mut self, context: &Context, history: &History) -> Result<Next, GenotypeError> {
        let pending = history.trials.iter().filter(|trial| trial.state == TrialState::Pending).count();
        if context.trial % 7 == 3 && pending > (context.trial % 2) as usize {
            return Ok(Next::Wait);
        }
        let recent = &history.trials[history.trials.len().saturating_sub(12)..];
        let best = recent
            .iter()
            .filter_map(|trial| Some((trial, history.score(trial)?)))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let mut rng = context.seed.stream(context.trial, "climb");
        let (genotype, parent, fidelity) = match best {
            Some((best, _)) if context.trial % 10 == 9 => {
                (best.proposal.genotype.clone(), Some(best.id), Fidelity(context.fidelity.0 * 3))
            }
            Some((best, _)) if rng.random_bool(0.6) => {
                (context.space.mutate(&best.proposal.genotype, &mut rng)?, Some(best.id), context.fidelity)
            }
            _ => (context.space.random(&mut rng)?, None, context.fidelity),
        };
        Ok(Next::Run(Proposal { genotype, fidelity, parent, note: format!("{pending} pending") }))
    }
}

/// Runs or resumes a whole search.
pub fn search(folder: &Path, description: &Description, milliseconds: u64) -> Result<Record, StudyError> {
    search_until(folder, description, milliseconds, &AtomicBool::new(false), &mut |_: &Event| {})
        .map(|(_, record)| record)
}

pub fn search_until(
    folder: &Path,
    description: &Description,
    milliseconds: u64,
    stop: &AtomicBool,
    listener: &mut dyn Listener,
) -> Result<(Ending, Record), StudyError> {
    let space = space();
    let mut study = Study::open(folder, &space, description)?;
    let ending = study.search_with(&mut Climber, &Simulated { milliseconds }, stop, listener)?;
    assert_eq!(study.record(), &Record::read(folder).unwrap(), "what is in memory is what is stored");
    Ok((ending, study.record().clone()))
}

/// Trials without what the clock says.
pub fn timeless(trials: &[Trial]) -> Vec<Trial> {
    trials.iter().map(|trial| Trial { seconds: 0.0, ..trial.clone() }).collect()
}
