//! What a study leaves behind: the finals' table, and the winner's files.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use cellwright::export::{Format, Model};
use cellwright::study::{Record, read_model};
use cellwright::symbolic::Value;
use cellwright::trial::{Fidelity, TrialId, TrialState};
use cellwright::{Error, Result, Space};

use super::{listen, open, rank, text};

/// All final trainings at a fidelity, and how well the search's ranking agrees with theirs.
pub fn finals(record: &Record, fidelity: Fidelity) -> String {
    let objective = &record.description.experiment.objectives[0];
    let mut rows = vec![["trial", "search", "final", rank::WALL_SECONDS, ""].map(String::from).to_vec()];
    for one in record.finals.iter().filter(|one| one.fidelity == fidelity) {
        let searched = &record.trials[one.trial as usize].state;
        let searched = match searched {
            TrialState::Finished(metrics) => metrics.get(objective.metric()).copied(),
            _ => None,
        };
        let figure =
            |value: Option<f64>| value.map_or("-".into(), |value| text::metric(objective.metric(), value));
        let score = one.score(objective).map(|score| {
            if matches!(objective, cellwright::trial::Objective::Minimize(_)) { -score } else { score }
        });
        rows.push(vec![
            one.trial.to_string(),
            figure(searched),
            figure(score),
            format!("{:.1}", one.seconds),
            listen::outcome(&one.state),
        ]);
    }
    let agreement = match record.agreement(fidelity) {
        Some(tau) => {
            format!("Kendall's tau between search-time and final {}: {tau:.3}\n", objective.metric())
        }
        None => String::new(),
    };
    text::columns(&rows) + &agreement
}

/// A sentence where the algorithm believes another candidate best than the one with the best reading.
pub fn belief(space: &Space, record: &Record) -> String {
    let Some(believed) = record.believed(space) else { return String::new() };
    let experiment = &record.description.experiment;
    let (trial, metric) = (&record.trials[believed as usize], experiment.objectives[0].metric());
    let reading = match &trial.state {
        TrialState::Finished(metrics) => metrics.get(metric).copied(),
        TrialState::Pending | TrialState::Stopped(_) | TrialState::Failed(_) => None,
    };
    let reading = reading.map_or("-".into(), |value| text::metric(metric, value));
    format!(
        "\n{} believes trial {believed} best ({metric} {reading} at fidelity {}), not the best reading\n",
        experiment.algorithm.kind(),
        trial.proposal.fidelity.0,
    )
}

/// Writes the best trial's drawing, program and trained network into the run folder; returns what there is to say of
/// it: its test accuracy, and the files.
pub fn winner(space: &Space, record: &Record) -> Result<String> {
    let Some(&best) = record.winners(space, 1).first() else { return Ok(String::new()) };
    let trained = record.model(best);
    let mut written = Vec::new();
    let program = space.materialize(&record.trial(best)?.proposal.genotype)?;
    if space.candidate(&program)?.is_none() {
        let path = record.folder.join("best").join("program.ron");
        write_program(&program, &path)?;
        return Ok(report(record, best, &[path]));
    }
    for format in Format::LABELS.iter().filter_map(|label| label.parse::<Format>().ok()) {
        if trained.is_some() || !format.needs_weights() {
            let path = record.folder.join("best").join(format!("cell.{}", format.extension()));
            write(space, record, best, &format, &path)?;
            written.push(path);
        }
    }
    Ok(report(record, best, &written))
}

fn report(record: &Record, best: TrialId, written: &[PathBuf]) -> String {
    let mut report = String::new();
    if let Some((training, _)) = record.model(best)
        && let TrialState::Finished(metrics) = &training.state
        && let Some(accuracy) = metrics.get("test_accuracy")
    {
        report +=
            &format!("\ntest accuracy of trial {best} after {} epochs: {accuracy:.4}\n", training.fidelity.0);
    }
    let written: Vec<_> = written.iter().map(|path| path.display().to_string()).collect();
    report + &format!("wrote {}\n", written.join(", "))
}

/// Writes one trial in one format.
pub fn write(space: &Space, record: &Record, trial: TrialId, format: &Format, path: &Path) -> Result<()> {
    let proposal = &record.trial(trial)?.proposal;
    let program = space.materialize(&proposal.genotype)?;
    let Some(candidate) = space.candidate(&program)? else {
        let is_text = matches!(format, Format::Ron(_));
        return if is_text { write_program(&program, path) } else { Err(no_network(format.kind())) };
    };
    let graph = candidate.graph()?;
    let trained = record.model(trial);
    let model = trained.as_ref().map(|(_, file)| read_model(file)).transpose()?;
    let data = model.clone().unwrap_or_default();
    let score = |state: &TrialState, name: &str| match state {
        TrialState::Finished(metrics) => metrics.get(name).copied(),
        _ => None,
    };
    let accuracy = trained
        .as_ref()
        .and_then(|(training, _)| score(&training.state, "test_accuracy"))
        .or_else(|| score(&record.trials[trial as usize].state, "accuracy"));
    let genotype = proposal.genotype.to_string();
    let name = format!("{} trial {trial}", open::name(space));
    let exported = Model {
        name: &name,
        candidate: &candidate,
        program: &program,
        graph: &graph,
        weights: model.as_ref().map(|model| &model.weights),
        classes: &data.classes,
        mean: &data.mean,
        deviation: &data.deviation,
        accuracy,
        genotype: Some(&genotype),
    };
    save(path, |out| format.export(&exported, out).map_err(Error::from))
}

/// Writes a program that is no network: its own text is all that is known of it.
fn write_program(program: &Value, path: &Path) -> Result<()> {
    let failed = |source| Error::Io { path: path.display().to_string(), source };
    save(path, |out| writeln!(out, "{}", program.pretty()).map_err(failed))
}

/// The refusal of what only networks can be made into.
pub fn no_network(what: &str) -> Error {
    Error::Usage {
        problem: format!("the space's programs are no networks, of which {what} could be made"),
        hint: "`--format ron` writes the program itself".into(),
    }
}

/// Writes beside the file and renames, so that no half file ever has its name.
pub fn save(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
    let failed = |source| Error::Io { path: path.display().to_string(), source };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let beside = path.with_extension(format!("{}.part", path.extension().unwrap_or_default().display()));
    let mut out = BufWriter::new(File::create(&beside).map_err(failed)?);
    let written =
        write(&mut out).and_then(|()| out.into_inner().map_err(|error| failed(error.into_error())).map(drop));
    let renamed = written.and_then(|()| std::fs::rename(&beside, path).map_err(failed));
    if renamed.is_err() {
        // The error that is reported is the first one; the half file goes where it can.
        let _ = std::fs::remove_file(&beside);
    }
    renamed
}
