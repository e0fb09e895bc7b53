//! Final trainings that are killed with no warning, and checkpoints that are not what they should be.
#![cfg(feature = "train")]

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::Home;

const RETRAIN: &str = "retrain run --trial 0 --fidelity 6";
const RECIPE: &str =
    "training: (learning_rate: 0.1, ema: 0.9, auxiliary: 0.4, augment: (crop: 1, mixup: 0.2))";

/// With one trial of a space of digits searched in `run`.
fn searched() -> Home {
    let home = Home::new();
    home.small_but("digits.ron", "training: (learning_rate: 0.1)", RECIPE);
    let train = "evaluator: Train(data: Digits, limit: 64), objectives: [Maximize(\"accuracy\")]";
    let space = home.read("digits.ron");
    let space = space.replace(
        "evaluator: Cost, algorithm: Random, objectives: [Minimize(\"params\"), Maximize(\"depth\")]",
        train,
    );
    home.write("digits.ron", space);
    home.run("search digits.ron --trials 1 --no-retrain --run run").succeeded();
    home
}

fn checkpoint(home: &Home) -> PathBuf {
    home.path("run/checkpoints/trial-0-at-6")
}

/// Starts the training and kills it as soon as a new checkpoint is there; `false` where it ended before.
fn killed(home: &Home) -> bool {
    let written = || std::fs::metadata(checkpoint(home)).and_then(|file| file.modified()).ok();
    let (before, start) = (written(), Instant::now());
    let words: Vec<&str> = RETRAIN.split_whitespace().collect();
    let mut child =
        home.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    while written().is_none() || written() == before {
        assert!(start.elapsed() < Duration::from_secs(300), "no checkpoint is written");
        if child.try_wait().expect("it can be asked").is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("it can be killed");
    !child.wait().expect("it ends").success()
}

#[test]
#[cfg_attr(debug_assertions, ignore = "trains")]
fn a_killed_training_comes_to_the_same_model_to_the_bit() {
    let (calm, home) = (searched(), searched());
    calm.run(RETRAIN).succeeded();
    assert!(killed(&home) && killed(&home) && killed(&home), "it was over before it could be killed");
    assert!(checkpoint(&home).is_file());
    home.run(RETRAIN).succeeded();
    let model = |home: &Home| std::fs::read(home.path("run/models/trial-0.safetensors")).expect("a model");
    assert!(model(&calm) == model(&home));
    assert_eq!(std::fs::read_dir(home.path("run/checkpoints")).expect("a folder").count(), 0);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "trains")]
fn a_checkpoint_cut_in_half_or_of_another_network_is_told_and_left_alone() {
    let home = searched();
    assert!(killed(&home));
    let whole = std::fs::read(checkpoint(&home)).expect("a checkpoint");
    for (bytes, words) in [(&whole[..whole.len() / 2], "is damaged"), (&b"something else"[..], "is damaged")]
    {
        std::fs::write(checkpoint(&home), bytes).expect("a file");
        let said = home.run(RETRAIN).refused();
        assert!(
            said.contains("error: trial 0 is not trained: checkpoint run/checkpoints/trial-0-at-6"),
            "{said}"
        );
        assert!(said.contains(words) && said.contains("delete the file to train from the start"), "{said}");
        assert!(std::fs::read(checkpoint(&home)).expect("a file") == bytes, "it was left alone");
    }
    let longer = RETRAIN.replace("--fidelity 6", "--fidelity 7");
    std::fs::write(home.path("run/checkpoints/trial-0-at-7"), &whole).expect("a file");
    assert!(home.run(&longer).refused().contains("belongs to another network"));
    std::fs::write(checkpoint(&home), whole).expect("a file");
    home.run(RETRAIN).succeeded();
}
