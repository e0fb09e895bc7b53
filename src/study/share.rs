//! What is done before the first proposal: whatever all trials share, and the weights of a one-shot search.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::{Event, Listener, Record, StudyError, lock};
use crate::device::Device;
use crate::evaluate::{Evaluate, Failure, Home, Share};
use crate::search::one_shot::Sharing;
use crate::search::{Context, SearchAlgorithm};
use crate::space::Space;

/// How often a listener hears of the steps.
const HEARD: Duration = Duration::from_millis(500);

/// Lets the evaluator make what all trials share, in the run folder; `false` where somebody asked to stop.
pub(super) fn move_in(
    record: &Record,
    evaluator: &dyn Evaluate,
    device: Device,
    stop: &AtomicBool,
    listener: &mut dyn Listener,
) -> Result<bool, StudyError> {
    let home = Home { folder: &record.folder, device };
    let mut heard: Option<Instant> = None;
    let mut tell = |what: &str, done: u64, of: u64| {
        if done >= of || heard.is_none_or(|heard| heard.elapsed() >= HEARD) {
            heard = Some(Instant::now());
            listener.hear(&Event::Preparing { what, done, of });
        }
        !stop.load(Relaxed)
    };
    match evaluator.move_in(&home, &mut tell) {
        Ok(()) => Ok(true),
        Err(Failure::Stopped) => Ok(false),
        Err(Failure::Candidate(problem) | Failure::Obstacle(problem)) => {
            Err(StudyError::Unprepared { problem })
        }
    }
}

/// Trains the shared weights of an algorithm that has any, or goes on with them from their checkpoint in the run folder;
/// `false` where somebody asked to stop. A study with nothing left to evaluate needs none.
pub(super) fn train(
    space: &Space,
    record: &Record,
    algorithm: &mut dyn SearchAlgorithm,
    evaluator: &dyn Evaluate,
    device: Device,
    stop: &AtomicBool,
    listener: &mut dyn Listener,
) -> Result<bool, StudyError> {
    let experiment = &record.description.experiment;
    let Some(one_shot) = algorithm.one_shot().filter(|_| !record.is_complete()) else { return Ok(true) };
    let folder = record.folder.join("checkpoints");
    std::fs::create_dir_all(&folder).map_err(|problem| lock::unwritable(&record.folder, &problem))?;
    let share = Share { space, seed: experiment.seed(), device, checkpoint: folder.join("supernet") };
    let Some(supernet) = evaluator.share(&share) else {
        let (algorithm, evaluator) = (experiment.algorithm.kind().into(), experiment.evaluator.kind().into());
        return Err(StudyError::NothingShared { algorithm, evaluator });
    };
    let mut supernet = supernet.map_err(|problem| StudyError::Unshared { problem: problem.into() })?;
    let context = Context {
        space,
        seed: experiment.seed(),
        trial: 0,
        trials: experiment.trials,
        fidelity: experiment.fidelity(),
        fidelities: evaluator.fidelities(),
    };
    let mut heard = None;
    let mut hear = |sharing: &Sharing| {
        let due = heard.is_none_or(|heard: Instant| heard.elapsed() >= HEARD) || sharing.share >= 1.0;
        if due {
            heard = Some(Instant::now());
            let Sharing { step, share, reward } = *sharing;
            listener.hear(&Event::Sharing { step, share, reward });
        }
        !stop.load(Relaxed)
    };
    one_shot
        .train(&context, &experiment.objectives, &mut *supernet, &mut hear)
        .map_err(|problem| StudyError::Unshared { problem })
}
