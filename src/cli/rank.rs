//! `cellwright rank`.

use cellwright::Result;
use cellwright::study::{Ranked, Record, rank};
use cellwright::trial::{Metrics, Objective, TrialState};
use clap::Args;
use serde_json::json;

use super::{RunFolder, at_least_one, listen, out, text};

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
    /// How many to show.
    #[arg(long, default_value_t = 10, allow_negative_numbers = true, value_parser = at_least_one::<usize>)]
    top: usize,
    /// Print JSON lines.
    #[arg(long)]
    json: bool,
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
        ranked.retain(|one| !self.pareto || one.front == 0);
        ranked.truncate(self.top);
        if self.json {
            for (place, one) in ranked.iter().enumerate() {
                let mut line = listen::trial_line(one.trial);
                line["rank"] = json!(place + 1);
                line["front"] = json!(one.front + 1);
                out::line(line)?;
            }
        } else {
            out::print(rows(&ranked, objectives.len() > 1))?;
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

fn rows(ranked: &[Ranked], fronts: bool) -> String {
    let Some(first) = ranked.first().and_then(metrics) else { return "no trial has finished\n".into() };
    let names: Vec<&String> = first.keys().collect();
    let mut rows = vec![vec!["rank".to_owned(), "trial".to_owned()]];
    rows[0].extend(fronts.then(|| "front".to_owned()));
    rows[0].extend(names.iter().map(|name| name.to_string()));
    rows[0].extend(["seconds".to_owned(), "genotype".to_owned()]);
    for (place, one) in ranked.iter().enumerate() {
        let mut row = vec![(place + 1).to_string(), one.trial.id.to_string()];
        row.extend(fronts.then(|| (one.front + 1).to_string()));
        let figure = |name: &&String| metrics(one).and_then(|metrics| metrics.get(*name)).copied();
        row.extend(
            names.iter().map(|name| figure(name).map_or("-".into(), |value| text::metric(name, value))),
        );
        row.extend([format!("{:.1}", one.trial.seconds), one.trial.proposal.genotype.to_string()]);
        rows.push(row);
    }
    text::columns(&rows)
}

fn metrics<'a>(one: &Ranked<'a>) -> Option<&'a Metrics> {
    match &one.trial.state {
        TrialState::Finished(metrics) => Some(metrics),
        TrialState::Pending | TrialState::Failed(_) => None,
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
