//! Space files and run folders, opened as every command needs them.

use std::path::Path;

use cellwright::experiment::Experiment;
use cellwright::study::{Description, Record};
use cellwright::symbolic::nearest;
use cellwright::trial::{Objective, TrialId};
use cellwright::{Error, Result, Space};

use super::{tell, text};

/// A space file, with its `experiment:` section where it has one.
pub fn space(path: &Path) -> Result<(Space, Option<Experiment>)> {
    let space = Space::load(path)?;
    let experiment: Option<Experiment> = space.experiment_as()?;
    if let Some(experiment) = &experiment {
        check_known(&space, experiment, path)?;
    }
    Ok((space, experiment))
}

/// Whether the evaluator reports what is searched for. One that reports nothing has a mistake of its own.
fn check_known(space: &Space, experiment: &Experiment, path: &Path) -> Result<()> {
    let known = experiment.evaluator.reports();
    let is_unknown = |objective: &Objective| !known.contains(&objective.metric());
    let unknown = experiment.objectives.iter().position(is_unknown).filter(|_| !known.is_empty());
    let Some((place, objective)) = unknown.map(|place| (place, &experiment.objectives[place])) else {
        return Ok(());
    };
    let (evaluator, metric, listed) = (experiment.evaluator.kind(), objective.metric(), known.join(", "));
    let problem = format!("the evaluator `{evaluator}` does not report `{metric}`; it reports {listed}");
    let hint = match nearest(metric, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "name one of those in the experiment's `objectives`".into(),
    };
    match space.objection(format!("objectives[{place}]").as_str(), &problem, &hint) {
        Some(error) => Err(error.into()),
        None => Err(Error::Usage { problem: format!("{}: {problem}", path.display()), hint }),
    }
}

/// A space as its file describes it and as its search knows it: the same, but for an evaluator that knows only some
/// candidates and has no others proposed.
pub struct Searched {
    pub whole: Space,
    pub space: Space,
    pub experiment: Option<Experiment>,
}

impl Searched {
    /// A space file, as `search` opens it.
    pub fn load(path: &Path) -> Result<Searched> {
        let (whole, experiment) = space(path)?;
        let space = match &experiment {
            Some(experiment) => experiment.restrict(&whole)?,
            None => whole.clone(),
        };
        Ok(Searched { whole, space, experiment })
    }

    /// How large it is: `15,625 candidates`, or `4,096 candidates, of which 91 are in its table`.
    pub fn size(&self) -> String {
        match &self.experiment {
            Some(experiment) => size(&self.whole, &self.space, experiment),
            None => text::size(&self.whole),
        }
    }
}

/// How large a space is, and how many of its candidates the evaluator knows, where those are all that is proposed.
fn size(whole: &Space, searched: &Space, experiment: &Experiment) -> String {
    let (size, kind) = (text::size(whole), experiment.evaluator.kind());
    match searched.restricted_size() {
        None => size,
        Some(1) => format!("{size}, of which 1 is in its {kind}"),
        Some(count) => format!("{size}, of which {} are in its {kind}", text::grouped(&count.to_string())),
    }
}

/// A space file that says how it is searched.
pub fn space_with_experiment(path: &Path) -> Result<(Space, Experiment)> {
    let (space, experiment) = space(path)?;
    let experiment = experiment.ok_or_else(|| Error::Usage {
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

/// The space that a study searched, with what its search believes of it.
pub fn searched(space: &Space, record: &Record) -> Result<Space> {
    let experiment = &record.description.experiment;
    experiment.informed_by_folder(experiment.restrict(space)?, &record.folder)
}

/// The best trial of a study, in the space that it searched.
pub fn winner(searched: &Space, record: &Record) -> Result<TrialId> {
    record.winners(searched, 1).first().copied().ok_or_else(|| Error::Usage {
        problem: format!("no trial of the study in {} has finished", record.folder.display()),
        hint: "run its search first, or with more trials".into(),
    })
}

/// What a study is about, for its store.
pub fn description(space: &Space, experiment: Experiment) -> Description {
    Description { space: space.source_text(), experiment }
}

/// The space's name, or the word for one without.
pub fn name(space: &Space) -> &str {
    space.name().unwrap_or("space")
}

/// The space's name as that of a file: no separator in it leads anywhere else.
pub fn file_name(space: &Space) -> String {
    let tame = |letter: char| if letter.is_alphanumeric() || "-_.".contains(letter) { letter } else { '-' };
    let name: String = name(space).chars().map(tame).collect();
    if name.trim_matches('.').is_empty() { "space".into() } else { name }
}

/// One line on standard error: what is about to happen.
pub fn greet(whole: &Space, space: &Space, experiment: &Experiment, folder: &Path) {
    let rule = experiment.early_stopping.as_ref();
    let rule = rule.map(|rule| format!(", hopeless trials stopped by {}", rule.kind())).unwrap_or_default();
    tell(&format!(
        "{}: {}, {}; {}, {}{}{rule}, {}, seed {}; run folder {}\n",
        name(space),
        size(whole, space, experiment),
        text::plural(space.decisions().len(), "decision"),
        experiment.algorithm.kind(),
        text::plural(experiment.trials, "trial"),
        spent(experiment),
        text::plural(experiment.workers, "worker"),
        experiment.seed,
        folder.display(),
    ));
}

/// What a trial may spend, or that it spends nothing of its own.
fn spent(experiment: &Experiment) -> String {
    match experiment.algorithm.start().one_shot() {
        Some(_) => " judged by shared weights".into(),
        None if !experiment.evaluator.has_fidelities() => String::new(),
        None => format!(" at fidelity {}", experiment.fidelity),
    }
}
