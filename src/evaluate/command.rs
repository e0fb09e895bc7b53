//! Any program, in any language, as an evaluator.
//!
//! For each trial the program is started with the candidate as JSON on its standard input, or in a file, and prints what
//! the candidate is worth as JSON lines on its standard output:
//! ```text
//! {"program": {"type": "Mlp", "units": 64}, "genotype": "2", "decisions": {"units": {"index": 2, "label": "64"}},
//!  "fidelity": 3, "seed": 17, "folder": "/tmp/cellwright-x", "last": false,
//!  "device": "cpu"}
//!
//! {"fidelity": 1, "accuracy": 0.71}
//! {"fidelity": 2, "accuracy": 0.80}
//! {"accuracy": 0.84}
//! ```
//! Lines with a `fidelity` (or `step`) say how far it is on its way to the `fidelity` that it was given, so that the
//! experiment's `early_stopping` may end it: it is asked to (SIGTERM), and killed five seconds later; the others are results. It
//! runs in a process group of its own with bounds on time, memory and output. What it leaves behind is killed: its group,
//! and what has left that but still has its environment, its parent or its output (a daemon that gives up all three before
//! anybody has seen it escapes). So is a program whose search was killed: by a shell that waits beside it, and by the search
//! when it goes on.

use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{Evaluate, Mistake, Prepare};
use crate::error::Error;
use crate::space::Space;

#[cfg(unix)]
mod candidate;
mod find;
#[cfg(unix)]
mod guard;
#[cfg(unix)]
mod leftovers;
mod metrics;
#[cfg(unix)]
mod output;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod runner;
#[cfg(all(test, unix))]
mod tests;

/// A program that is run once for each trial.
///
/// ```
/// use cellwright::evaluate::{Command, Prepare};
///
/// let command: Command = ron::from_str(r#"(
///     program: "python3",
///     args: ["train.py", "{candidate}"],
///     metrics: ["accuracy"],
///     seconds: 60,
/// )"#)?;
/// assert_eq!(command.reports(), ["accuracy"]);
/// # Ok::<(), ron::error::SpannedError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The program: a path, or a name that is looked for where the system looks for programs.
    pub program: String,
    /// What it is given. `{candidate}` stands for a file with the candidate, which is then not on standard input;
    /// `{folder}` for the trial's own folder, `{fidelity}` and `{seed}` for their numbers.
    #[serde(default)]
    pub args: Vec<String>,
    /// The metrics that it reports. All of them must be there at its end.
    pub metrics: Vec<String>,
    /// The longest that it may run, in seconds.
    #[serde(default = "hour")]
    pub seconds: f64,
    /// The most memory that it and all that it starts may take, in MiB; 0 for no bound. Looked at five times a second,
    /// on Linux only.
    #[serde(default)]
    pub memory_mib: u64,
    /// How often it is started again after it failed.
    #[serde(default)]
    pub retries: u32,
    /// Environment variables besides those of the search.
    #[serde(default)]
    pub environment: IndexMap<String, String>,
    /// Where it is run; where the search is run without it.
    #[serde(default)]
    pub directory: Option<PathBuf>,
    /// Where each trial has its own folder, which is kept; without it, a temporary one that goes with the trial.
    #[serde(default)]
    pub folder: Option<PathBuf>,
}

fn hour() -> f64 {
    3600.0
}

impl Prepare for Command {
    fn reports(&self) -> Vec<&str> {
        self.metrics.iter().map(String::as_str).collect()
    }

    fn prepare(&self, space: &Space) -> Result<Box<dyn Evaluate>, Error> {
        self.check_metrics()?;
        let wrong = |field, problem: String, hint: &str| {
            Err(Error::Evaluator(Mistake { field, problem, hint: hint.into() }))
        };
        let limit = Duration::try_from_secs_f64(self.seconds).ok().filter(|limit| !limit.is_zero());
        let Some(limit) = limit else {
            return wrong(
                "seconds",
                format!("a command cannot run for {} seconds", brief(self.seconds)),
                "write `seconds: 60`",
            );
        };
        if let Some(folder) = self.directory.as_ref().filter(|folder| !folder.is_dir()) {
            return wrong(
                "directory",
                format!("the command's `directory` {} is no folder", folder.display()),
                "name the folder that the program is run in, or leave it out",
            );
        }
        if self.memory_mib > 0 && !cfg!(target_os = "linux") {
            return wrong("memory_mib", "memory is bounded on Linux only".into(), "leave out `memory_mib`");
        }
        self.runner(find::program(&self.program)?, limit, space)
    }

    fn is_quick(&self) -> bool {
        true
    }

    fn mend(&self) -> &'static str {
        "run the program by itself to see what is wrong; mend it, or the evaluator's `program` and `args`"
    }
}

/// A number as it was written, but for hundreds of digits.
fn brief(number: f64) -> String {
    if number.abs() < 1e16 { number.to_string() } else { format!("{number:e}") }
}

impl Command {
    fn check_metrics(&self) -> Result<(), Mistake> {
        let wrong =
            |problem: String, hint: &str| Err(Mistake { field: "metrics", problem, hint: hint.into() });
        if self.metrics.is_empty() {
            return wrong(
                "the evaluator `command` reports no metric".into(),
                "name what the program prints: `metrics: [\"accuracy\"]`",
            );
        }
        if let Some(name) = self.metrics.iter().find(|name| metrics::is_reserved(name)) {
            let hint = "give the metric another name";
            return wrong(format!("`{name}` says how far a program is, and so is no metric"), hint);
        }
        let mut earlier = self.metrics.iter().enumerate().map(|(place, name)| (name, &self.metrics[..place]));
        match earlier.find(|(name, earlier)| earlier.contains(name)) {
            Some((name, _)) => wrong(format!("`metrics` names `{name}` twice"), "name each metric once"),
            None => Ok(()),
        }
    }

    #[cfg(unix)]
    fn runner(&self, program: PathBuf, time: Duration, space: &Space) -> Result<Box<dyn Evaluate>, Error> {
        let memory = (self.memory_mib > 0).then_some(self.memory_mib << 20);
        let limits = process::Limits { time, memory };
        let (command, space, study) = (self.clone(), space.clone(), Default::default());
        Ok(Box::new(runner::Runner { command, program, limits, space, study }))
    }

    #[cfg(not(unix))]
    fn runner(&self, _: PathBuf, _: Duration, _: &Space) -> Result<Box<dyn Evaluate>, Error> {
        let problem = "the evaluator `command` runs programs on Unix only".into();
        Err(Mistake { field: "program", problem, hint: "use another evaluator".into() }.into())
    }
}
