//! How a study is told to whom: bars for a person at a terminal, plain lines for a log, JSON lines for a program.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use cellwright::study::{Event, Final};
use cellwright::trial::{Metrics, Trial, TrialState};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::text;

/// The listener that suits where standard error goes, or JSON on standard output.
pub enum Voice {
    /// A bar on standard error.
    Bar(Bar),
    /// A line an event on standard error.
    Lines { trials: u64, best: String },
    /// A JSON object a line on standard output.
    Json,
}

/// A progress bar with the incumbent.
pub struct Bar {
    bar: ProgressBar,
    best: String,
}

impl Voice {
    pub fn new(json: bool) -> Voice {
        match (json, std::io::stderr().is_terminal()) {
            (true, _) => Voice::Json,
            (false, true) => Voice::Bar(Bar::new()),
            (false, false) => Voice::Lines { trials: 0, best: String::new() },
        }
    }

    pub fn hear(&mut self, event: &Event) {
        match self {
            Voice::Bar(bar) => bar.hear(event),
            Voice::Lines { trials, best } => say(event, trials, best),
            Voice::Json => {
                if let Some(line) = line_of(event) {
                    // A reader that has gone away is no reason to stop a study.
                    let _ = writeln!(std::io::stdout(), "{line}");
                }
            }
        }
    }

    /// Takes the bar away, so that what is printed next stands on a line of its own.
    pub fn finish(&mut self) {
        if let Voice::Bar(bar) = self {
            bar.bar.finish_and_clear();
        }
    }
}

impl Bar {
    fn new() -> Bar {
        let style =
            ProgressStyle::with_template("{prefix} {bar:28} {pos}/{len} {msg}").expect("a valid template");
        let bar = ProgressBar::new(0).with_style(style.progress_chars("=> "));
        bar.enable_steady_tick(Duration::from_millis(200));
        Bar { bar, best: String::new() }
    }

    fn hear(&mut self, event: &Event) {
        match event {
            Event::Opened { ended, trials, .. } => {
                self.bar.set_prefix("searching");
                self.bar.set_length(*trials);
                self.bar.set_position(*ended);
            }
            Event::Ended { trial, ended, time_left, .. } => {
                self.bar.set_position(*ended);
                self.bar.set_message(format!("{} {}", self.best, left(*time_left)));
                if let TrialState::Failed(reason) = &trial.state {
                    self.bar.println(format!("trial {} failed: {reason}", trial.id));
                }
            }
            Event::Incumbent { trial } => self.best = format!("best {}", figure(trial)),
            Event::FinalStarted { trial, fidelity } => {
                self.bar.set_prefix(format!("training trial {}", trial.id));
                self.bar.set_length(u64::from(fidelity.0));
                self.bar.set_position(0);
                self.bar.set_message("");
            }
            Event::Step { done, .. } if self.bar.prefix() != "searching" => {
                self.bar.set_position(u64::from(done.0))
            }
            _ => {}
        }
    }
}

fn say(event: &Event, all: &mut u64, best: &mut String) {
    match event {
        Event::Opened { ended, interrupted, trials } => {
            *all = *trials;
            if *ended > 0 || *interrupted > 0 {
                eprintln!(
                    "going on: {ended} of {trials} trials are there, {interrupted} were interrupted and are redone"
                );
            }
        }
        Event::Ended { trial, ended, time_left, .. } => {
            eprintln!(
                "{ended}/{all} trial {} {}  {best}  {}",
                trial.id,
                outcome(&trial.state),
                left(*time_left)
            );
        }
        Event::Incumbent { trial } => *best = format!("best {}", figure(trial)),
        Event::FinalStarted { trial, fidelity } => {
            eprintln!("training trial {} for {}", trial.id, fidelity.0)
        }
        Event::FinalEnded { training } => {
            eprintln!(
                "trained trial {}: {} in {}",
                training.trial,
                outcome(&training.state),
                text::duration(training.seconds)
            );
        }
        _ => {}
    }
}

fn line_of(event: &Event) -> Option<Value> {
    match event {
        Event::Opened { ended, interrupted, trials } => {
            Some(json!({"event": "opened", "ended": ended, "interrupted": interrupted, "trials": trials}))
        }
        Event::Ended { trial, copied_from, .. } => {
            let mut line = trial_line(trial);
            line["event"] = json!("trial");
            line["copied_from"] = json!(copied_from);
            Some(line)
        }
        Event::Incumbent { trial } => Some(json!({"event": "incumbent", "trial": trial.id})),
        Event::FinalEnded { training } => Some(final_line(training)),
        _ => None,
    }
}

/// A trial as JSON: its number, genotype, state, figures.
pub fn trial_line(trial: &Trial) -> Value {
    let mut line = json!({
        "trial": trial.id,
        "genotype": trial.proposal.genotype.to_string(),
        "fidelity": trial.proposal.fidelity.0,
        "parent": trial.proposal.parent,
        "note": trial.proposal.note,
        "seconds": trial.seconds,
    });
    add_state(&mut line, &trial.state);
    line
}

fn final_line(training: &Final) -> Value {
    let mut line = json!({
        "event": "retrained",
        "trial": training.trial,
        "fidelity": training.fidelity.0,
        "seconds": training.seconds,
        "model": training.model,
    });
    add_state(&mut line, &training.state);
    line
}

fn add_state(line: &mut Value, state: &TrialState) {
    let (word, figures, reason) = match state {
        TrialState::Pending => ("pending", None, None),
        TrialState::Finished(metrics) => ("finished", Some(metrics), None),
        TrialState::Failed(reason) => ("failed", None, Some(reason)),
    };
    line["state"] = json!(word);
    line["metrics"] = json!(figures);
    line["reason"] = json!(reason);
}

/// What became of a trial, in a few words.
pub fn outcome(state: &TrialState) -> String {
    match state {
        TrialState::Pending => "pending".into(),
        TrialState::Finished(metrics) => figures(metrics),
        TrialState::Failed(reason) => format!("failed: {reason}"),
    }
}

fn figures(metrics: &Metrics) -> String {
    metrics
        .iter()
        .map(|(name, value)| format!("{name} {}", text::metric(name, *value)))
        .collect::<Vec<_>>()
        .join(", ")
}

fn figure(trial: &Trial) -> String {
    match &trial.state {
        TrialState::Finished(metrics) => match metrics.first() {
            Some((name, value)) => format!("{} (trial {})", text::metric(name, *value), trial.id),
            None => String::new(),
        },
        _ => String::new(),
    }
}

fn left(time: Option<Duration>) -> String {
    time.map(|time| format!("about {} left", text::duration(time.as_secs_f64()))).unwrap_or_default()
}
