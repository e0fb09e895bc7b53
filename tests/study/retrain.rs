//! Final trainings: the best, once each, going on from their checkpoints.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use cellwright::Study;
use cellwright::evaluate::{Evaluate, Failure, Job, Outcome, Progress, Trained};
use cellwright::ir::Weights;
use cellwright::study::{Ending, Event, Record, StudyError, rank, read_model};
use cellwright::trial::{Fidelity, Metrics, TrialState};

use crate::kill;
use crate::support::{Climber, Simulated, description, search, space};

/// Counts to its fidelity in its checkpoint, a step at a time.
#[derive(Default)]
struct Trainer {
    /// Where each training began.
    begun_at: Mutex<Vec<u32>>,
    /// How many trainings more fail.
    failing: AtomicU32,
    diverges: bool,
    blocked: bool,
    /// How long a step takes.
    milliseconds: u64,
}

impl Evaluate for Trainer {
    fn metrics(&self) -> Vec<&str> {
        vec!["accuracy", "params"]
    }

    fn evaluate(&self, job: &Job, progress: &dyn Progress) -> Result<Outcome, Failure> {
        assert!(job.last);
        if self.failing.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
            return Err(Failure::Candidate("diverged".into()));
        }
        if self.blocked {
            return Err(Failure::Obstacle("the checkpoint is of another".into()));
        }
        let checkpoint = job.checkpoint.unwrap();
        let begun_at: u32 = std::fs::read_to_string(checkpoint).map_or(0, |text| text.parse().unwrap());
        self.begun_at.lock().unwrap().push(begun_at);
        for step in begun_at..job.fidelity.0 {
            let part = checkpoint.with_extension("part");
            std::fs::write(&part, (step + 1).to_string()).unwrap();
            std::fs::rename(&part, checkpoint).unwrap();
            std::thread::sleep(Duration::from_millis(self.milliseconds));
            if !progress.report(Fidelity(step + 1), &Metrics::default()) {
                return Err(Failure::Stopped);
            }
        }
        let batch = job.network()?.training.batch as f64;
        let metrics = [
            ("accuracy", 0.5),
            ("test_accuracy", if self.diverges { f64::NAN } else { 1.0 / batch }),
            ("params", batch),
        ];
        let weights: Weights = [("bias".to_string(), (vec![1], vec![batch as f32]))].into();
        let metrics = metrics.map(|(name, figure)| (name.to_string(), figure)).into();
        let classes = vec!["one".to_string()];
        Ok(Outcome {
            metrics,
            trained: Some(Trained { weights, classes, mean: vec![0.5], deviation: vec![0.25] }),
        })
    }
}

const FIELDS: &str = "trials: 40, retrain: (top: 3, fidelity: 5)";

fn retrain(folder: &Path, fields: &str, trainer: &Trainer, steps: u32) -> (Ending, Record) {
    let space = space();
    let mut study = Study::open(folder, &space, &description(fields)).unwrap();
    let stop = AtomicBool::new(steps == 0);
    let mut done = 0;
    let mut listen = |event: &Event| {
        done += u32::from(matches!(event, Event::Step { .. }));
        stop.store(done >= steps, Relaxed);
    };
    let ending = study.retrain(trainer, &stop, &mut listen).unwrap();
    assert_eq!(study.record(), &Record::read(folder).unwrap());
    (ending, study.record().clone())
}

#[test]
fn the_best_are_trained_once_and_go_on_after_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let searched = search(folder.path(), &description(FIELDS), 0).unwrap();
    let trainer = Trainer { milliseconds: 20, ..Trainer::default() };
    let (mut stops, record) = (0, loop_until_complete(folder.path(), &trainer));
    let best = rank(&searched.trials, &searched.description.experiment.objectives);
    let best: Vec<u64> = best[..3].iter().map(|ranked| ranked.trial.id).collect();
    assert_eq!(record.finals.iter().map(|one| one.trial).collect::<Vec<_>>(), best);
    stops += trainer.begun_at.lock().unwrap().iter().filter(|step| **step > 0).count();
    assert!(stops > 0, "no training went on from its checkpoint");

    for training in &record.finals {
        let (same, path) = record.model(training.trial).unwrap();
        assert_eq!(same, training);
        let TrialState::Finished(metrics) = &training.state else { panic!("{training:?}") };
        assert_eq!(f64::from(read_model(&path).unwrap().weights["bias"].1[0]), metrics["params"]);
        assert_eq!(
            training.score(&record.description.experiment.objectives[0]),
            Some(metrics["test_accuracy"])
        );
    }
    assert_eq!(std::fs::read_dir(folder.path().join("checkpoints")).unwrap().count(), 0);
    assert!(folder.path().join(format!("models/trial-{}.safetensors", best[0])).is_file());

    let trainings = trainer.begun_at.lock().unwrap().len();
    assert_eq!(retrain(folder.path(), FIELDS, &trainer, u32::MAX).1.finals, record.finals);
    assert_eq!(trainer.begun_at.lock().unwrap().len(), trainings, "nothing was trained again");
}

fn loop_until_complete(folder: &Path, trainer: &Trainer) -> Record {
    for _ in 0..30 {
        let (ending, record) = retrain(folder, FIELDS, trainer, 2);
        if ending == Ending::Complete {
            return record;
        }
    }
    panic!("the trainings never end");
}

#[test]
fn another_fidelity_leaves_the_first_model() {
    let folder = tempfile::tempdir().unwrap();
    search(folder.path(), &description(FIELDS), 0).unwrap();
    let trainer = Trainer::default();
    let (_, first) = retrain(folder.path(), FIELDS, &trainer, u32::MAX);
    let longer = "trials: 40, workers: 1, retrain: (top: 1, fidelity: 9)";
    let (_, record) = retrain(folder.path(), longer, &trainer, u32::MAX);
    assert_eq!(record.finals.len(), 4);
    assert_eq!(record.finals[..3], first.finals);
    let models: std::collections::HashSet<_> = record.finals.iter().map(|one| &one.model).collect();
    assert_eq!(models.len(), 4);
    assert_eq!(record.model(record.finals[3].trial).unwrap().0.fidelity, Fidelity(9));
}

#[test]
fn the_search_s_ranking_is_compared_with_the_final_one() {
    let folder = tempfile::tempdir().unwrap();
    let fields = "trials: 40, retrain: (top: 12, fidelity: 2)";
    search(folder.path(), &description(fields), 0).unwrap();
    let (_, record) = retrain(folder.path(), fields, &Trainer::default(), u32::MAX);
    let tau = record.agreement(Fidelity(2)).unwrap();
    assert!((-1.0..=1.0).contains(&tau));
    assert_eq!(record.agreement(Fidelity(3)), None);
    assert_eq!(record.finals.len(), 12);
}

#[test]
fn a_failed_training_is_kept_as_failed_and_an_unknown_trial_refused() {
    let folder = tempfile::tempdir().unwrap();
    search(folder.path(), &description(FIELDS), 0).unwrap();
    let trainer = Trainer { failing: u32::MAX.into(), ..Trainer::default() };
    let (ending, record) = retrain(folder.path(), FIELDS, &trainer, u32::MAX);
    assert_eq!((ending, record.finals.len()), (Ending::Complete, 12), "three, replaced three times");
    assert!(record.finals.iter().all(|one| one.state == TrialState::Failed("diverged".into())));
    assert!(record.model(record.finals[0].trial).is_none());

    let space = space();
    let mut study = Study::open(folder.path(), &space, &description(FIELDS)).unwrap();
    let (stop, silent) = (AtomicBool::new(false), &mut |_: &Event| {});
    let error = study.train(&[40], Fidelity(1), &Trainer::default(), &stop, silent).unwrap_err();
    assert!(matches!(error, StudyError::NoTrial { trial: 40, count: 40 }), "{error}");
    let evaluator = Simulated { milliseconds: 0 };
    study.search_with(&mut Climber, &evaluator, &stop, &mut |_: &Event| {}).unwrap();
}

#[test]
fn what_cannot_be_trained_to_the_end_is_replaced_by_the_next_best() {
    let folder = tempfile::tempdir().unwrap();
    let searched = search(folder.path(), &description(FIELDS), 0).unwrap();
    let best = searched.winners(&space(), 5);
    let one_by_one = FIELDS.replace("retrain", "workers: 1, retrain");
    let trainer = Trainer { failing: 2.into(), ..Trainer::default() };
    let (_, record) = retrain(folder.path(), &one_by_one, &trainer, u32::MAX);
    let trained = |id: &u64| record.model(*id).is_some();
    assert_eq!(record.finals.iter().map(|one| one.trial).collect::<Vec<_>>(), best);
    assert_eq!(best.iter().map(trained).collect::<Vec<_>>(), [false, false, true, true, true]);
    assert_eq!(record.winners(&space(), 3), best[2..]);
    let again = retrain(folder.path(), &one_by_one, &trainer, u32::MAX).1;
    assert_eq!(again.finals, record.finals, "nothing was trained again");
}

const KILLED: &str = "trials: 40, workers: 2, retrain: (top: 4, fidelity: 200)";

/// What a child does that is to be killed.
pub fn retrain_slowly(folder: &Path) {
    let trainer = Trainer { milliseconds: 4, ..Trainer::default() };
    retrain(folder, KILLED, &trainer, u32::MAX);
    let begun_at = format!("{:?}", trainer.begun_at.lock().unwrap());
    std::fs::write(folder.with_extension("begun"), begun_at).unwrap();
}

#[test]
fn a_final_training_that_diverges_has_failed_and_leaves_no_model() {
    let folder = tempfile::tempdir().unwrap();
    search(folder.path(), &description(FIELDS), 0).unwrap();
    let trainer = Trainer { diverges: true, ..Trainer::default() };
    let (_, record) = retrain(folder.path(), FIELDS, &trainer, u32::MAX);
    let reason = "`test_accuracy` is not a number: it diverged";
    assert!(record.finals.iter().all(|one| one.state == TrialState::Failed(reason.into())));
    assert!(record.finals.iter().all(|one| one.model.is_none()));
}

#[test]
fn what_is_in_the_way_of_a_training_is_told_and_not_recorded() {
    let folder = tempfile::tempdir().unwrap();
    search(folder.path(), &description(FIELDS), 0).unwrap();
    let space = space();
    let stop = AtomicBool::new(false);
    {
        let mut study = Study::open(folder.path(), &space, &description(FIELDS)).unwrap();
        let blocked = Trainer { blocked: true, ..Trainer::default() };
        let error = study.retrain(&blocked, &stop, &mut |_: &Event| {}).unwrap_err().to_string();
        assert!(error.ends_with("is not trained: the checkpoint is of another"), "{error}");
        assert_eq!(study.record().finals, []);
    }
    assert_eq!(retrain(folder.path(), FIELDS, &Trainer::default(), u32::MAX).1.finals.len(), 3);
}

#[test]
fn final_trainings_survive_kills() {
    let home = tempfile::tempdir().unwrap();
    let (calm, killed) = (home.path().join("calm"), home.path().join("killed"));
    for folder in [&calm, &killed] {
        search(folder, &description(KILLED), 0).unwrap();
    }
    let (_, undisturbed) = retrain(&calm, KILLED, &Trainer::default(), u32::MAX);

    let (mut kills, mut patience) = (0, 40);
    while kill::lives(kill::child("retrain", &killed), Duration::from_millis(patience)) {
        (kills, patience) = (kills + 1, patience * 11 / 10);
    }
    assert!(kills >= 5, "{kills} kills");
    let begun_at = std::fs::read_to_string(killed.with_extension("begun")).unwrap();
    assert_ne!(begun_at, "[0, 0, 0, 0]", "the last child began nothing from the start");
    let mut finals = Record::read(&killed).unwrap().finals;
    finals.iter_mut().for_each(|one| one.seconds = 0.0);
    finals.sort_by_key(|one| one.trial);
    let mut expected = undisturbed.finals.clone();
    expected.iter_mut().for_each(|one| one.seconds = 0.0);
    expected.sort_by_key(|one| one.trial);
    assert_eq!(finals, expected);
    for one in &finals {
        let path = one.model.as_ref().unwrap();
        assert!(std::fs::read(calm.join(path)).unwrap() == std::fs::read(killed.join(path)).unwrap());
    }
}
