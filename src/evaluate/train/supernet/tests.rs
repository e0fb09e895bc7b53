//! Whole one-shot searches on the embedded digits, through a study.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::data::Source;
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
    search_in(SPACE, "Digits", folder, algorithm, trials, rounds)
}

fn search_in(
    space: &str,
    data: &str,
    folder: &Path,
    algorithm: &str,
    trials: u64,
    rounds: &[u64],
) -> (Record, u64) {
    let space = Space::from_ron("test.ron", space).unwrap();
    let text = format!(
        "(evaluator: Train(data: {data}), algorithm: {algorithm}, objectives: [Maximize(\"accuracy\")], trials: {trials})"
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

/// The embedded digits as class folders of PNG files, a few of each class.
fn paint(folder: &Path) {
    let data = Source::Digits.load().unwrap();
    for (part, pictures, most) in
        [("train", &data.train, 30), ("val", &data.validation, 8), ("test", &data.test, 4)]
    {
        let mut counts = [0; 10];
        for (index, label) in pictures.labels.iter().enumerate() {
            let count = &mut counts[usize::from(*label)];
            *count += 1;
            if *count > most {
                continue;
            }
            let place = folder.join(part).join(&data.classes[usize::from(*label)]);
            std::fs::create_dir_all(&place).unwrap();
            let picture = image::GrayImage::from_raw(8, 8, pictures.picture(index).to_vec()).unwrap();
            picture.save(place.join(format!("{count:02}.png"))).unwrap();
        }
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation: runs with --release")]
fn a_recipe_with_all_that_changes_pictures_is_searched_on_files() {
    let data = tempfile::tempdir().unwrap();
    paint(data.path());
    let recipe = "augment: (resized_crop: 0.7, rand_augment: (ops: 1, magnitude: Float(1.0, 9.0))), \
                  progressive: (stages: 2, size: OneOf([0.5, 1.0])), ema: 0.9, batch: 32";
    let space = SPACE.replace("batch: 32", recipe).replace("Float(1e-3, 1.0, Log)", "Float(1e-2, 0.2, Log)");
    let data = format!("Stream(path: {:?}, size: 8, channels: 1, middle: 1.0)", data.path());
    let folder = tempfile::tempdir().unwrap();
    let (record, _) = search_in(&space, &data, folder.path(), "AutoHas(budget: Epochs(60))", 4, &[2]);
    let best = record.trials.iter().map(accuracy).fold(0.0, f64::max);
    assert!(best > 0.25, "a guess among ten is right in a tenth: {best}");
}
