//! Trials that have something of earlier ones: the same trials however often the search is stopped.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use cellwright::Study;
use cellwright::evaluate::{Evaluate, Failure, Inherits, Job, Outcome, Progress};
use cellwright::study::{Ending, Event, Record};
use cellwright::trial::{Fidelity, Metrics};

use crate::support::{Climber, description, metrics, space, timeless};

/// Worth what the parent left and a little of the candidate's own; what a promotion is worth follows from its first
/// trial's seed, and from how far the checkpoint says it has come.
struct Heir;

fn number(path: Option<&Path>) -> Option<f64> {
    std::fs::read_to_string(path?).ok()?.parse().ok()
}

impl Evaluate for Heir {
    fn metrics(&self) -> Vec<&str> {
        vec!["accuracy", "params"]
    }

    fn inherits(&self) -> Inherits {
        Inherits { promotions: true, children: true }
    }

    fn evaluate(&self, job: &Job, progress: &dyn Progress) -> Result<Outcome, Failure> {
        let heritage = job.heritage.ok_or(Failure::Candidate("no heritage".into()))?;
        let own = job.seed.derive(0, "figures").0 as f64 / u64::MAX as f64;
        let before = number(heritage.parent.as_deref());
        if heritage.parent.is_some() && before.is_none() {
            return Err(Failure::Candidate("the parent's weights are gone".into()));
        }
        let started = number(job.checkpoint).unwrap_or(0.0) as u32;
        for done in started..job.fidelity.0 {
            if let Some(path) = job.checkpoint {
                std::fs::write(path, (done + 1).to_string()).unwrap();
            }
            if !progress.report(Fidelity(done + 1), &Metrics::default()) {
                return Err(Failure::Stopped);
            }
        }
        let worth = 0.9 * before.unwrap_or(0.0) + 0.1 * own * f64::from(job.fidelity.0);
        let leave = heritage.leave.as_deref().unwrap();
        std::fs::create_dir_all(leave.parent().unwrap()).unwrap();
        std::fs::write(leave, worth.to_string()).unwrap();
        Ok(Outcome { metrics: metrics(worth, 1.0), trained: None })
    }
}

fn search(folder: &Path, workers: usize, most: u64) -> (Ending, Record) {
    let (space, description) = (space(), description(&format!("trials: 60, seed: 4, workers: {workers}")));
    let mut study = Study::open(folder, &space, &description).unwrap();
    let (stop, mut ended) = (AtomicBool::new(false), 0);
    let mut listener = |event: &Event| {
        ended += u64::from(matches!(event, Event::Ended { .. }));
        stop.store(ended >= most, Relaxed);
    };
    let ending = study.search_with(&mut Climber, &Heir, &stop, &mut listener).unwrap();
    (ending, study.record().clone())
}

#[test]
fn what_is_inherited_is_the_same_after_every_stop() {
    for workers in [1, 3] {
        let folder = tempfile::tempdir().unwrap();
        let whole = search(folder.path(), workers, u64::MAX).1;
        let inherits =
            |record: &Record| record.trials.iter().filter(|trial| trial.proposal.parent.is_some()).count();
        assert!(inherits(&whole) > 20, "{} of 60", inherits(&whole));
        let folder = tempfile::tempdir().unwrap();
        let mut stops = 0;
        let resumed = loop {
            let (ending, record) = search(folder.path(), workers, 1 + stops % 5);
            if ending == Ending::Complete {
                break record;
            }
            stops += 1;
        };
        assert!(stops >= 8, "{stops}");
        assert_eq!(timeless(&resumed.trials), timeless(&whole.trials), "workers: {workers}");
    }
}
