//! How a study is told to whom: bars for a person at a terminal, plain lines for a log, JSON lines for a program.

use std::io::IsTerminal;
use std::time::Duration;

use cellwright::experiment::Experiment;
use cellwright::study::{Event, Final};
use cellwright::trial::{Metrics, Trial, TrialState};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::{out, tell, text};

/// Tells a study's events where standard error goes, or as JSON on standard output.
pub struct Voice {
    way: Way,
    /// The metric that the incumbent is the best by.
    metric: String,
    trials: u64,
    /// Whether it makes a difference how much is spent on a trial.
    has_fidelities: bool,
    /// Tenths of the shared weights' budget that a log was told of.
    tenths: Option<u64>,
    /// What was being prepared when a log was told last.
    preparing: String,
}

enum Way {
    /// A bar on standard error.
    Bar(ProgressBar),
    /// A line an event on standard error.
    Lines,
    /// A JSON object a line on standard output.
    Json,
}

impl Voice {
    pub fn new(json: bool, experiment: &Experiment) -> Voice {
        let way = match (json, std::io::stderr().is_terminal()) {
            (true, _) => Way::Json,
            (false, true) => Way::Bar(bar()),
            (false, false) => Way::Lines,
        };
        Voice {
            way,
            metric: experiment.objectives[0].metric().into(),
            trials: experiment.trials,
            has_fidelities: experiment.evaluator.has_fidelities(),
            tenths: None,
            preparing: String::new(),
        }
    }

    pub fn hear(&mut self, event: &Event) {
        if let (Way::Lines, Event::Sharing { share, .. }) = (&self.way, event) {
            let tenths = Some((share * 10.0) as u64);
            if std::mem::replace(&mut self.tenths, tenths) == tenths {
                return;
            }
        }
        if let (Way::Lines, Event::Preparing { what, .. }) = (&self.way, event) {
            if self.preparing == *what {
                return;
            }
            self.preparing = what.to_string();
        }
        match &self.way {
            Way::Bar(bar) => self.show(bar, event),
            Way::Lines => self.sentence(event).iter().for_each(|line| tell(&format!("{line}\n"))),
            Way::Json => line_of(event).iter().for_each(|line| {
                // A reader that has gone away is no reason to stop a study.
                let _ = out::line(line);
            }),
        }
    }

    /// Takes the bar away, so that what is printed next stands on a line of its own.
    pub fn finish(&mut self) {
        if let Way::Bar(bar) = &self.way {
            bar.finish_and_clear();
        }
    }

    fn show(&self, bar: &ProgressBar, event: &Event) {
        match event {
            Event::Opened { ended, .. } => {
                bar.set_prefix("searching");
                bar.set_length(self.trials);
                bar.set_position(*ended);
            }
            Event::Preparing { what, of: 0, .. } => bar.println(*what),
            Event::Preparing { what, done, of } => {
                bar.set_prefix(what.to_string());
                bar.set_length(*of);
                bar.set_position(*done);
                bar.set_message("");
            }
            Event::Sharing { share, reward, .. } => {
                bar.set_prefix("training shared weights");
                bar.set_length(100);
                bar.set_position((share * 100.0) as u64);
                bar.set_message(reward.map(|reward| format!("mean reward {reward:.4}")).unwrap_or_default());
            }
            Event::Ended { trial, ended, best, time_left, .. } => {
                bar.set_position(*ended);
                bar.set_message(format!("{}{}", self.incumbent(*best), left(*time_left)));
                if let TrialState::Failed(reason) = &trial.state {
                    bar.println(format!("trial {} failed: {reason}", trial.id));
                }
            }
            Event::FinalStarted { trial, fidelity } => {
                bar.set_prefix(format!("training trial {}", trial.id));
                bar.set_length(u64::from(fidelity.0));
                bar.set_position(0);
                bar.set_message("");
            }
            Event::Step { done, .. } if bar.prefix() != "searching" => bar.set_position(u64::from(done.0)),
            Event::Chosen { .. } | Event::FinalEnded { .. } => {
                self.sentence(event).iter().for_each(|line| bar.println(line))
            }
            _ => {}
        }
    }

    fn sentence(&self, event: &Event) -> Option<String> {
        match event {
            Event::Preparing { what, .. } => Some((*what).to_string()),
            Event::Opened { ended, interrupted, .. } => going_on(*ended, *interrupted, self.trials),
            Event::Sharing { step, share, reward } => {
                let reward = reward.map(|reward| format!(", mean reward {reward:.4}")).unwrap_or_default();
                Some(format!("shared weights: {:.0} %, step {step}{reward}", share * 100.0))
            }
            Event::Chosen { why } => Some((*why).to_string()),
            Event::Ended { trial, ended, best, time_left, .. } => Some(format!(
                "{ended}/{} trial {} {}; {}{}",
                self.trials,
                trial.id,
                outcome(&trial.state),
                self.incumbent(*best),
                left(*time_left)
            )),
            Event::FinalStarted { trial, fidelity } if self.has_fidelities => {
                Some(format!("training trial {} at fidelity {}", trial.id, fidelity.0))
            }
            Event::FinalStarted { trial, .. } => Some(format!("training trial {}", trial.id)),
            Event::FinalEnded { training } => Some(format!(
                "trained trial {}: {} in {}",
                training.trial,
                outcome(&training.state),
                text::duration(training.seconds)
            )),
            _ => None,
        }
    }

    /// `best params 1.2 k (trial 5), `, or nothing where no trial has finished.
    fn incumbent(&self, best: Option<&Trial>) -> String {
        let figure = best.and_then(|trial| match &trial.state {
            TrialState::Finished(metrics) => Some((trial.id, *metrics.get(&self.metric)?)),
            TrialState::Pending | TrialState::Stopped(_) | TrialState::Failed(_) => None,
        });
        let Some((id, value)) = figure else { return String::new() };
        format!("best {} {} (trial {id}), ", self.metric, text::metric(&self.metric, value))
    }
}

fn bar() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{prefix} {bar:28} {pos}/{len} {msg}").expect("a valid template");
    let bar = ProgressBar::new(0).with_style(style.progress_chars("=> "));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// What an earlier run left, where there was one.
fn going_on(ended: u64, interrupted: u64, trials: u64) -> Option<String> {
    match (ended, interrupted) {
        (0, 0) => None,
        (ended, 0) if ended >= trials => {
            let all = if trials == 1 {
                "the trial is there".into()
            } else {
                format!("all {trials} trials are there")
            };
            let more = if ended > trials { format!(", and {} more", ended - trials) } else { String::new() };
            Some(all + &more)
        }
        (ended, 0) => Some(format!("going on: {ended} of {trials} trials are there")),
        (ended, _) => Some(format!(
            "going on: {ended} of {trials} trials are there, {interrupted} were interrupted and are done again"
        )),
    }
}

fn line_of(event: &Event) -> Option<Value> {
    match event {
        Event::Opened { ended, interrupted, trials } => {
            Some(json!({"event": "opened", "ended": ended, "interrupted": interrupted, "trials": trials}))
        }
        Event::Preparing { what, done, of } => {
            Some(json!({"event": "preparing", "what": what, "done": done, "of": of}))
        }
        Event::Chosen { why } => Some(json!({"event": "chosen", "why": why})),
        Event::Sharing { step, share, reward } => {
            Some(json!({"event": "sharing", "step": step, "share": share, "reward": reward}))
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
        "wall_seconds": trial.seconds,
    });
    add_state(&mut line, &trial.state);
    line
}

fn final_line(training: &Final) -> Value {
    let mut line = json!({
        "event": "retrained",
        "trial": training.trial,
        "fidelity": training.fidelity.0,
        "wall_seconds": training.seconds,
        "model": training.model,
    });
    add_state(&mut line, &training.state);
    line
}

fn add_state(line: &mut Value, state: &TrialState) {
    let (word, figures, reason) = match state {
        TrialState::Pending => ("pending", None, None),
        TrialState::Finished(metrics) => ("finished", Some(metrics), None),
        TrialState::Stopped(stopped) => ("stopped", Some(&stopped.metrics), None),
        TrialState::Failed(reason) => ("failed", None, Some(reason)),
    };
    line["state"] = json!(word);
    line["metrics"] = json!(figures);
    line["reason"] = json!(reason);
    if let TrialState::Stopped(stopped) = state {
        line["stopped_at"] = json!(stopped.at.0);
        line["expected"] = json!(stopped.expected);
    }
}

/// What became of a trial, in a few words.
pub fn outcome(state: &TrialState) -> String {
    match state {
        TrialState::Pending => "pending".into(),
        TrialState::Finished(metrics) => figures(metrics),
        TrialState::Stopped(stopped) => format!("stopped at {}: {}", stopped.at.0, figures(&stopped.metrics)),
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

fn left(time: Option<Duration>) -> String {
    time.map(|time| format!("about {} left", text::duration(time.as_secs_f64()))).unwrap_or_default()
}
