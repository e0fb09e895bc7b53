//! How long work of this room is told: a bar for a person, a line now and then for a log.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use cellwright::must::News;
use cellwright::trial::Metrics;
use indicatif::{ProgressBar, ProgressStyle};

use super::interrupt;
use crate::cli::{tell, text};

/// Tells news on standard error, and hears Ctrl-C.
pub struct Voice {
    bar: Option<ProgressBar>,
    /// What a log was told last: of whom, and the tenth that was done.
    last: (String, usize),
    /// What was left out, as far as it was told.
    lines: Vec<String>,
    stop: &'static AtomicBool,
}

impl Voice {
    pub fn new() -> Voice {
        let style =
            ProgressStyle::with_template("{prefix} {bar:28} {pos}/{len} {msg}").expect("a valid template");
        let bar = || ProgressBar::new(0).with_style(style.progress_chars("=> "));
        let bar = std::io::stderr().is_terminal().then(bar);
        Voice { bar, last: (String::new(), 0), lines: Vec::new(), stop: interrupt::on_ctrl_c() }
    }

    /// Tells; `false` where somebody asked to stop.
    pub fn hear(&mut self, news: &News) -> bool {
        match news {
            News::Step { who, step, steps, loss } => {
                self.progress(&format!("training {who}"), *step, *steps, &format!("loss {loss:.4}"));
            }
            News::LeftOut { line } if self.lines.iter().any(|told| told == line) => {}
            News::LeftOut { line } => {
                self.lines.push((*line).to_string());
                self.line(line);
            }
            News::Looking { place, done, of, in_all } => {
                let some = if of < in_all { format!("of its {in_all} samples") } else { String::new() };
                self.progress(&format!("reading {place} once"), *done, *of, &some);
            }
            News::Labelled { done, pictures } => self.progress("labelling", *done, *pictures, ""),
            News::Taught { who, scores, again } => {
                let word = if *again { "is there" } else { "is trained" };
                self.line(&format!("{who} {word}{}", figures(scores)));
            }
            News::Round { round: 0, .. } => self.line("the first teacher"),
            News::Round { round, rounds } => self.line(&format!("round {round} of {rounds}")),
            _ => {}
        }
        !self.stop.load(Relaxed)
    }

    fn progress(&mut self, what: &str, done: usize, of: usize, more: &str) {
        if let Some(bar) = &self.bar {
            bar.set_prefix(what.to_string());
            bar.set_length(of as u64);
            bar.set_position(done as u64);
            bar.set_message(more.to_string());
            return;
        }
        let tenth = 10 * done / of.max(1);
        if self.last != (what.to_string(), tenth) {
            self.last = (what.to_string(), tenth);
            tell(format!("{what}: {done} of {of} {more}").trim_end());
            tell("\n");
        }
    }

    fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => tell(&format!("{line}\n")),
        }
    }

    /// Takes the bar away, so that what is printed next stands on a line of its own.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn figures(scores: &Metrics) -> String {
    let one = |(name, value): (&String, &f64)| format!("{name} {}", text::metric(name, *value));
    let all = scores.iter().map(one).collect::<Vec<_>>().join(", ");
    if all.is_empty() { all } else { format!(": {all}") }
}
