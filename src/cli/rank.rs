//! `cellwright rank`.

use std::collections::HashMap;

use cellwright::pareto::hypervolume;
use cellwright::stopping::Curve;
use cellwright::study::{Ranked, Record, rank};
use cellwright::trial::{Metrics, Objective, TrialId, TrialState};
use cellwright::{Error, Result};
use clap::Args;
use serde_json::json;

use super::{RunFolder, at_least_one, listen, out, text};

/// What the time that a trial itself took is called, to tell it from the `seconds` that an evaluator reports: those of
/// a table are the seconds of the trainings that were measured.
pub const WALL_SECONDS: &str = "wall_seconds";

/// Best first. Without options, by the experiment's own objectives.
#[derive(Args, Debug)]
pub struct Rank {
    #[command(flatten)]
    folder: RunFolder,
    /// Rank by metrics of your own: `accuracy` (more is better) or `-params` (less is better). Several make a
    /// Pareto front: give the option once for each.
    #[arg(long, value_name = "METRIC", allow_hyphen_values = true)]
    by: Vec<String>,
    /// Show only the Pareto front.
    #[arg(long)]
    pareto: bool,
    /// Measure the front's hypervolume from this point: a figure for each objective, such as `0.5,1e6`. Without it,
    /// from the worst figures that any candidate has. With `--json`, its line comes last.
    #[arg(long, value_name = "FIGURES", value_delimiter = ',', allow_hyphen_values = true)]
    reference: Vec<f64>,
    /// How many to show.
    #[arg(long, default_value_t = 10, allow_negative_numbers = true, value_parser = at_least_one::<usize>)]
    top: usize,
    /// Print JSON lines.
    #[arg(long)]
    json: bool,
    /// Print what each trial reported on the way, too.
    #[arg(long, requires = "json")]
    curves: bool,
}

impl Rank {
    pub fn run(self) -> Result<()> {
        let record = Record::read(&self.folder.run)?;
        let objectives = if self.by.is_empty() {
            record.description.experiment.objectives.clone()
        } else {
            self.by.iter().map(|text| objective(text, &record)).collect::<Result<_>>()?
        };
        let mut ranked = rank(&record.trials, &objectives);
        let volume = Volume::of(&ranked, &objectives, &self.reference)?;
        ranked.retain(|one| !self.pareto || one.front == 0);
        ranked.truncate(self.top);
        if self.json {
            let mut curves: HashMap<TrialId, Curve> = match self.curves {
                true => Record::curves(&self.folder.run)?.into_iter().collect(),
                false => HashMap::new(),
            };
            for (place, one) in ranked.iter().enumerate() {
                let mut line = listen::trial_line(one.trial);
                line["rank"] = json!(place + 1);
                line["front"] = json!(one.front + 1);
                if let Some(Curve { steps, figures }) = curves.remove(&one.trial.id) {
                    line["curve"] = json!({ "steps": steps, "figures": figures });
                }
                out::line(line)?;
            }
            if let Some(volume) = volume.filter(|_| !self.reference.is_empty()) {
                out::line(json!({ "hypervolume": volume.volume, "reference": volume.reference }))?;
            }
        } else {
            let volume = volume.map(|volume| volume.to_string()).unwrap_or_default();
            out::print(rows(&ranked, objectives.len() > 1) + &volume)?;
        }
        Ok(())
    }
}

/// The best `top` trials by the experiment's objectives, as a table.
pub fn table(record: &Record, top: usize) -> String {
    let objectives = &record.description.experiment.objectives;
    let mut ranked = rank(&record.trials, objectives);
    ranked.truncate(top);
    rows(&ranked, objectives.len() > 1)
}

/// How much the front of several objectives dominates.
struct Volume {
    volume: f64,
    /// The point that it is measured from, by metric.
    reference: Metrics,
}

impl Volume {
    /// `None` with a single objective, and where no trial has finished.
    fn of(ranked: &[Ranked], objectives: &[Objective], reference: &[f64]) -> Result<Option<Volume>> {
        if objectives.len() < 2 || ranked.is_empty() {
            return Ok(None);
        }
        if ![0, objectives.len()].contains(&reference.len()) {
            let (given, wanted) = (text::plural(reference.len(), "figure"), objectives.len());
            return Err(Error::Usage {
                problem: format!("the reference has {given}, and there are {wanted} objectives"),
                hint: "give one figure for each objective, in their order: `--reference 0.5,1e6`".into(),
            });
        }
        let sign =
            |objective: &Objective| if matches!(objective, Objective::Maximize(_)) { 1.0 } else { -1.0 };
        let worst = |place: usize| {
            let scores = ranked.iter().map(|one| one.scores[place]).filter(|score| score.is_finite());
            scores.reduce(f64::min).unwrap_or(0.0)
        };
        let score = |(place, objective): (usize, &Objective)| {
            reference.get(place).map_or_else(|| worst(place), |figure| sign(objective) * figure)
        };
        let scores: Vec<f64> = objectives.iter().enumerate().map(score).collect();
        let front: Vec<&[f64]> =
            ranked.iter().filter(|one| one.front == 0).map(|one| one.scores.as_slice()).collect();
        let reference = objectives.iter().zip(&scores);
        let figure = |(objective, score): (&Objective, &f64)| {
            (objective.metric().to_owned(), sign(objective) * score + 0.0)
        };
        Ok(Some(Volume { volume: hypervolume(&front, &scores), reference: reference.map(figure).collect() }))
    }
}

impl std::fmt::Display for Volume {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        let figures =
            self.reference.iter().map(|(name, value)| format!("{name} {}", text::metric(name, *value)));
        let figures: Vec<String> = figures.collect();
        let figures = figures.join(", ");
        match self.volume {
            large if large >= 1e4 => writeln!(out, "hypervolume of the front, from {figures}: {large:.5e}"),
            volume => writeln!(out, "hypervolume of the front, from {figures}: {volume:.6}"),
        }
    }
}

fn rows(ranked: &[Ranked], fronts: bool) -> String {
    let Some(first) = ranked.first().and_then(metrics) else { return "no trial has finished\n".into() };
    let names: Vec<&String> = first.keys().collect();
    let any_stopped = ranked.iter().any(|one| stopped(one).is_some());
    let mut rows = vec![vec!["rank".to_owned(), "trial".to_owned()]];
    rows[0].extend(fronts.then(|| "front".to_owned()));
    rows[0].extend(names.iter().map(|name| name.to_string()));
    rows[0].extend(any_stopped.then(|| "stopped".to_owned()));
    rows[0].extend([WALL_SECONDS.to_owned(), "genotype".to_owned()]);
    for (place, one) in ranked.iter().enumerate() {
        let mut row = vec![(place + 1).to_string(), one.trial.id.to_string()];
        row.extend(fronts.then(|| (one.front + 1).to_string()));
        let figure = |name: &&String| metrics(one).and_then(|metrics| metrics.get(name)).copied();
        row.extend(
            names.iter().map(|name| figure(name).map_or("-".into(), |value| text::metric(name, value))),
        );
        row.extend(any_stopped.then(|| stopped(one).unwrap_or("-".into())));
        row.extend([format!("{:.1}", one.trial.seconds), one.trial.proposal.genotype.to_string()]);
        rows.push(row);
    }
    text::columns(&rows)
}

fn metrics<'a>(one: &Ranked<'a>) -> Option<&'a Metrics> {
    one.trial.state.metrics()
}

/// `3 of 9`, for a trial that was stopped on the way.
fn stopped(one: &Ranked) -> Option<String> {
    match &one.trial.state {
        TrialState::Stopped(stopped) => {
            Some(format!("{} of {}", stopped.at.0, one.trial.proposal.fidelity.0))
        }
        _ => None,
    }
}

/// `accuracy` or `-params`, checked against the metrics that the study has.
fn objective(text: &str, record: &Record) -> Result<Objective> {
    let (name, objective) = match text.strip_prefix('-') {
        Some(name) => (name, Objective::Minimize(name.into())),
        None => (text, Objective::Maximize(text.into())),
    };
    let known: Vec<&str> = record.metric_names();
    if known.contains(&name) {
        return Ok(objective);
    }
    Err(cellwright::Error::Usage {
        problem: format!("no trial of this study has the metric `{name}`"),
        hint: format!("its metrics are {}", known.join(", ")),
    })
}
