//! Whole one-shot searches on the embedded digits, through a study.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::experiment::Experiment;
use crate::space::Space;
use crate::study::{Description, Ending, Event, Record, Study};
use crate::trial::{Fidelity, Trial, TrialState};

const SPACE: &str = r#"Space(
    let: { "op": OneOf([SepConv(kernel: 3), ReluConvBn(kernel: 3), MaxPool(kernel: 3), SkipConnect]) },
    program: (
        task: (input: (1, 8, 8), classes: 10),
        architecture: Stacked(
            cell: Blocks([Block(left: Branch(input: PreviousCell, op: Fresh("op")),
                                right: Branch(input: CellBefore, op: Fresh("op")))]),
            stages: 1, repeats: 1, channels: 8,
        ),
        training: (learning_rate: Float(1e-3, 1.0, Log), schedule: Cosine(), batch: 32),
    ),
)"#;

/// A search that is asked to stop after so many steps or trials, and then goes on, until it is complete.
fn search(folder: &Path, algorithm: &str, trials: u64, rounds: &[u64]) -> (Record, u64) {
    let space = Space::from_ron("test.ron", SPACE).unwrap();
    let text = format!(
        "(evaluator: Train(data: Digits), algorithm: {algorithm}, objectives: [Maximize(\"accuracy\")], trials: {trials})"
    );
    let experiment: Experiment = crate::symbolic::from_value(&text.parse().unwrap()).unwrap();
    let description = Description { space: space.source_text(), experiment };
    let (mut stops, mut rounds) = (0, rounds.iter());
    loop {
        let evaluator = description.experiment.evaluator.prepare(&space).unwrap();
        let mut study = Study::open(folder, &space, &description).unwrap();
        let (stop, mut heard) = (AtomicBool::new(false), 0);
        let most = rounds.next().copied().unwrap_or(u64::MAX);
        let mut hear = |event: &Event| {
            heard += u64::from(matches!(event, Event::Sharing { .. } | Event::Ended { .. }));
            stop.store(heard >= most, Relaxed);
        };
        if study.search(&*evaluator, &stop, &mut hear).unwrap() != Ending::Stopped {
            return (study.record().clone(), stops);
        }
        stops += 1;
    }
}

fn accuracy(trial: &Trial) -> f64 {
    match &trial.state {
        TrialState::Finished(metrics) => metrics["accuracy"],
        other => panic!("{other:?}"),
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation: runs with --release")]
fn a_supernet_whose_hyperparameters_are_searched_learns_the_digits() {
    let folder = tempfile::tempdir().unwrap();
    // A rate of 1, which one step of five starts from, would undo all of it.
    let (record, _) = search(folder.path(), "AutoHas(budget: Epochs(20))", 8, &[]);
    assert_eq!(record.trials.len(), 8);
    assert!(record.trials.iter().all(|trial| trial.proposal.fidelity == Fidelity(0)));
    let best = record.trials.iter().map(accuracy).fold(0.0, f64::max);
    assert!(best > 0.6, "{best}");
    assert!(record.folder.join("checkpoints/supernet").is_file());
}

#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation: runs with --release")]
fn a_search_that_is_stopped_comes_to_the_same_candidates_and_figures() {
    for algorithm in ["AutoHas(budget: Steps(40))", "SinglePath(budget: Steps(20), population: 3)"] {
        let (whole, again) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (whole, _) = search(whole.path(), algorithm, 6, &[]);
        // Stopped before and, on a slow machine, within the training of the shared weights, and between trials.
        let (again, stops) = search(again.path(), algorithm, 6, &[1, 1, 3, 4]);
        assert!(stops >= 2, "{stops}");
        let timeless = |record: &Record| {
            let one = |trial: &Trial| Trial { seconds: 0.0, ..trial.clone() };
            record.trials.iter().map(one).collect::<Vec<_>>()
        };
        assert_eq!(timeless(&again), timeless(&whole), "{algorithm}");
    }
}
