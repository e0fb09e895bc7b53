//! Early stopping: the hopeless are stopped and the good never, the same ones however often the search was.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use cellwright::Study;
use cellwright::evaluate::{Evaluate, Failure, Job, Outcome, Progress};
use cellwright::study::{Description, Ending, Event, Listener, Record, rank};
use cellwright::symbolic::{Value, from_value};
use cellwright::trial::{Fidelity, Metrics, TrialState};
use rand::RngExt;

use crate::kill::{child, lives};
use crate::support::{Climber, SPACE, metrics, space, timeless};

const STEPS: u32 = 6;

fn description(trials: u64, workers: usize, rule: &str) -> Description {
    let text = format!(
        "(evaluator: Cost(()), algorithm: Random, objectives: [Maximize(\"accuracy\")], fidelity: {STEPS}, \
          seed: 4, trials: {trials}, workers: {workers}, early_stopping: {rule})"
    );
    let value: Value = text.parse().unwrap();
    Description { space: SPACE.into(), experiment: from_value(&value).unwrap() }
}

const MEDIAN: &str = "Some(Median(after: 3, grace: 1))";
const HALVING: &str = "Some(Halving(eta: 2, first: 1))";

/// Rises in a straight line to what the candidate is worth.
#[derive(Default)]
struct Rising {
    pause: Duration,
    /// Steps that were evaluated in all.
    steps: Mutex<u32>,
}

/// What the candidate is worth, in [0.1, 1.1).
fn worth(job: &Job) -> f64 {
    let text = ron::to_string(&job.network().unwrap()).unwrap();
    0.1 + cellwright::Seed(1).derive(0, &text).stream(0, "worth").random::<f64>()
}

impl Evaluate for Rising {
    fn metrics(&self) -> Vec<&str> {
        vec!["accuracy", "params"]
    }

    fn evaluate(&self, job: &Job, progress: &dyn Progress) -> Result<Outcome, Failure> {
        let at = |step: u32| metrics(worth(job) * f64::from(step) / f64::from(job.fidelity.0), 7.0);
        for step in 1..=job.fidelity.0 {
            std::thread::sleep(self.pause);
            *self.steps.lock().unwrap() += 1;
            if !progress.report(Fidelity(step), &at(step)) {
                return Err(Failure::Stopped);
            }
        }
        Ok(Outcome { metrics: at(job.fidelity.0), trained: None })
    }
}

fn search(folder: &Path, description: &Description, evaluator: &Rising) -> Record {
    search_until(folder, description, evaluator, &AtomicBool::new(false), &mut |_: &Event| {}).1
}

/// By an algorithm that is easily led astray by what it is shown.
fn search_until(
    folder: &Path,
    description: &Description,
    evaluator: &Rising,
    stop: &AtomicBool,
    listener: &mut dyn Listener,
) -> (Ending, Record) {
    let space = space();
    let mut study = Study::open(folder, &space, description).unwrap();
    let ending = study.search_with(&mut Climber, evaluator, stop, listener).unwrap();
    assert_eq!(study.record(), &Record::read(folder).unwrap(), "what is in memory is what is stored");
    (ending, study.record().clone())
}

/// By random proposals, which no result changes.
fn random(rule: &str) -> (Record, u32) {
    let (space, folder, description) = (space(), tempfile::tempdir().unwrap(), description(40, 2, rule));
    let mut study = Study::open(folder.path(), &space, &description).unwrap();
    let evaluator = Rising::default();
    study.search(&evaluator, &AtomicBool::new(false), &mut |_: &Event| {}).unwrap();
    (study.record().clone(), *evaluator.steps.lock().unwrap())
}

#[test]
fn the_hopeless_are_stopped_and_the_good_never() {
    let (whole, all) = random("None");
    assert_eq!(all, 40 * STEPS);
    let accuracy = |metrics: &Metrics| metrics["accuracy"];
    let mut worths: Vec<f64> =
        whole.trials.iter().map(|trial| accuracy(trial.state.metrics().unwrap())).collect();
    let worth = worths.clone();
    worths.sort_by(f64::total_cmp);
    for (rule, good) in [(MEDIAN, worths[20]), (HALVING, worths[37])] {
        let (record, steps) = random(rule);
        let mut stopped = 0;
        for (trial, other) in record.trials.iter().zip(&whole.trials) {
            assert_eq!(trial.proposal.genotype, other.proposal.genotype);
            let worth = worth[trial.id as usize];
            let TrialState::Stopped(it) = &trial.state else { continue };
            stopped += 1;
            assert!(worth < good, "{rule}: trial {} is worth {worth}", trial.id);
            assert!((1..STEPS).contains(&it.at.0));
            let measured = worth * f64::from(it.at.0) / f64::from(STEPS);
            assert!((accuracy(&it.metrics) - measured).abs() < 1e-12);
            // Two that ended tell how far the end is, four how much the spread grows.
            let ended = record.trials[..trial.id.saturating_sub(2) as usize].iter();
            let ended = ended.filter(|trial| matches!(trial.state, TrialState::Finished(_))).count();
            assert!(ended < 4 || (accuracy(&it.expected) - worth).abs() < 1e-6, "{it:?} of {worth}");
        }
        assert!(stopped >= 8 && steps < all * 9 / 10, "{rule}: {stopped} stopped, {steps} steps");
        let best = rank(&record.trials, &record.description.experiment.objectives)[0].trial.id;
        assert_eq!(worth[best as usize], worths[39], "{rule}");
    }
}

#[test]
fn a_search_stopped_anywhere_stops_the_same_trials() {
    for (workers, rule) in [(1, MEDIAN), (3, MEDIAN), (2, HALVING)] {
        let description = description(40, workers, rule);
        let folder = tempfile::tempdir().unwrap();
        let whole = timeless(&search(folder.path(), &description, &Rising::default()).trials);
        let count = |stopped: bool| {
            whole.iter().filter(|trial| matches!(trial.state, TrialState::Stopped(_)) == stopped).count()
        };
        assert!(count(true) >= 5 && count(false) >= 5, "{rule}: {} stopped", count(true));

        let folder = tempfile::tempdir().unwrap();
        let mut stops = 0;
        loop {
            let stop = AtomicBool::new(false);
            let mut heard = 0;
            let mut stop_soon = |event: &Event| {
                heard += u64::from(matches!(event, Event::Ended { .. } | Event::Step { .. }));
                stop.store(heard > 7 * (stops % 3 + 1), Relaxed);
            };
            let evaluator = Rising { pause: Duration::from_millis(2), ..Rising::default() };
            let (ending, record) =
                search_until(folder.path(), &description, &evaluator, &stop, &mut stop_soon);
            if ending == Ending::Complete {
                assert_eq!(timeless(&record.trials), whole, "{rule}, workers: {workers}");
                break;
            }
            stops += 1;
        }
        assert!(stops >= 8, "{stops}");
    }
}

/// What the children of the next test do.
pub fn search_slowly(folder: &Path) {
    let evaluator = Rising { pause: Duration::from_millis(8), ..Rising::default() };
    search(folder, &killed(), &evaluator);
}

fn killed() -> Description {
    description(60, 2, MEDIAN)
}

#[test]
fn curves_survive_kills() {
    let home = tempfile::tempdir().unwrap();
    let calm = search(&home.path().join("calm"), &killed(), &Rising::default());
    let folder = home.path().join("killed");
    let (mut kills, mut time) = (0, 20);
    while lives(child("stopping", &folder), Duration::from_millis(time)) {
        (kills, time) = (kills + 1, time * 11 / 10 + 1);
    }
    assert!(kills >= 5, "{kills} kills");
    let killed = Record::read(&folder).unwrap();
    assert_eq!(timeless(&killed.trials), timeless(&calm.trials));
    let curves = |folder: &Path| Record::curves(folder).unwrap();
    assert_eq!(curves(&folder), curves(&home.path().join("calm")));
    let (id, curve) = curves(&folder).into_iter().last().unwrap();
    let reached = calm.trials[id as usize].reached().0;
    assert_eq!(curve.steps, (1..=reached).collect::<Vec<u32>>());
}
