//! Space files and run folders, opened as every command needs them.

use std::path::Path;

use cellwright::experiment::Experiment;
use cellwright::study::{Description, Record};
use cellwright::{Error, Result, Space};

use super::text;

/// A space file with its `experiment:` section.
pub fn space_with_experiment(path: &Path) -> Result<(Space, Experiment)> {
    let space = Space::load(path)?;
    let experiment = space.experiment_as()?.ok_or_else(|| Error::Usage {
        problem: format!("{} says nothing of how it is searched", path.display()),
        hint: "add an `experiment:` section: `experiment: (evaluator: Train(data: Digits), objectives: \
               [Maximize(\"accuracy\")], trials: 24, fidelity: 5)`"
            .into(),
    })?;
    Ok((space, experiment))
}

/// A run folder with the space it holds.
pub fn run(folder: &Path) -> Result<(Space, Record)> {
    let record = Record::read(folder)?;
    let space =
        Space::from_ron(&folder.join("study.sqlite").display().to_string(), &record.description.space)?;
    Ok((space, record))
}

/// What a study is about, for its store.
pub fn description(space: &Space, experiment: Experiment) -> Description {
    Description { space: space.source_text(), experiment }
}

/// The space's name, or the word for one without.
pub fn name(space: &Space) -> &str {
    space.name().unwrap_or("space")
}

/// One line on standard error: what is about to happen.
pub fn greet(space: &Space, experiment: &Experiment, folder: &Path) {
    let plural =
        |count: usize, word: &str| if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") };
    eprintln!(
        "{}: {} candidates, {}; {}, {} trials at fidelity {}, {}, seed {}; run folder {}",
        name(space),
        text::size(space),
        plural(space.decisions().len(), "decision"),
        experiment.algorithm.kind(),
        experiment.trials,
        experiment.fidelity,
        plural(experiment.workers, "worker"),
        experiment.seed,
        folder.display(),
    );
}

/// A count that must not be 0.
pub fn positive(option: &str, value: u64) -> Result<()> {
    if value > 0 {
        return Ok(());
    }
    Err(Error::Usage { problem: format!("`{option} 0`"), hint: "give at least 1".into() })
}
