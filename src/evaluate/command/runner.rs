//! The evaluator behind [`Command`]: one run of the program a trial, and more where it fails.

use std::path::{Path, PathBuf};

use super::metrics::Figures;
use super::process::{self, Limits, Order};
use super::{Command, candidate};
use crate::evaluate::{Evaluate, Failure, Job, Outcome, Prepare, Progress};
use crate::space::Space;

/// A program that is there, and the space whose candidates it is given.
pub(super) struct Runner {
    pub command: Command,
    /// The program's file.
    pub program: PathBuf,
    pub limits: Limits,
    pub space: Space,
}

impl Evaluate for Runner {
    fn metrics(&self) -> Vec<&str> {
        self.command.reports()
    }

    fn evaluate(&self, job: &Job, progress: &dyn Progress) -> Result<Outcome, Failure> {
        let mut failed = String::new();
        for _ in 0..=self.command.retries {
            match self.attempt(job, progress) {
                Err(Failure::Candidate(reason)) => failed = reason,
                other => return other,
            }
        }
        let attempts = u64::from(self.command.retries) + 1;
        let of = if attempts > 1 { format!(" (the last of {attempts} attempts)") } else { String::new() };
        Err(Failure::Candidate(failed + &of))
    }
}

impl Runner {
    fn attempt(&self, job: &Job, progress: &dyn Progress) -> Result<Outcome, Failure> {
        let failed = |what: &str, error: &std::io::Error| Failure::Candidate(format!("{what}: {error}"));
        let place = Place::new(self.command.folder.as_deref(), job)
            .map_err(|error| failed("the trial's folder cannot be made", &error))?;
        let candidate = candidate::json(&self.space, job, place.path())?;
        let file = place.path().join("candidate.json");
        std::fs::write(&file, &candidate)
            .map_err(|error| failed("the candidate cannot be written", &error))?;
        let args: Vec<String> =
            self.command.args.iter().map(|arg| fill(arg, job, place.path(), &file)).collect();
        let reads_file = self.command.args.iter().any(|arg| arg.contains("{candidate}"));
        let order = Order {
            name: &self.command.program,
            program: &self.program,
            args: &args,
            environment: &self.command.environment,
            directory: self.command.directory.as_deref(),
            folder: place.path(),
            input: if reads_file { String::new() } else { candidate },
            limits: self.limits,
        };
        let mut figures = Figures::new(&self.command.metrics, job.last);
        process::run(order, &mut figures, progress)?;
        Ok(Outcome { metrics: figures.outcome(job.fidelity, progress)?, trained: None })
    }
}

/// An argument with what its placeholders stand for.
fn fill(arg: &str, job: &Job, folder: &Path, candidate: &Path) -> String {
    arg.replace("{candidate}", &candidate.display().to_string())
        .replace("{folder}", &folder.display().to_string())
        .replace("{fidelity}", &job.fidelity.0.to_string())
        .replace("{seed}", &job.seed.0.to_string())
}

/// A trial's own folder.
enum Place {
    Kept(PathBuf),
    Passing(tempfile::TempDir),
}

impl Place {
    /// A folder of the trial's own: its seed is no other trial's.
    fn new(folder: Option<&Path>, job: &Job) -> std::io::Result<Place> {
        let Some(folder) = folder else {
            return tempfile::Builder::new().prefix("cellwright-").tempdir().map(Place::Passing);
        };
        let folder = std::path::absolute(folder)?.join(format!("trial-{:016x}", job.seed.0));
        std::fs::create_dir_all(&folder).map(|()| Place::Kept(folder))
    }

    fn path(&self) -> &Path {
        match self {
            Place::Kept(path) => path,
            Place::Passing(folder) => folder.path(),
        }
    }
}
