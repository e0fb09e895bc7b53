//! The evaluator behind [`Command`]: one run of the program a trial, and more where it fails.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::metrics::Figures;
use super::process::{self, Limits, Order};
use super::{Command, candidate, leftovers};
use crate::evaluate::{Evaluate, Failure, Home, Job, Outcome, Prepare, Progress};
use crate::space::{Key, Space};

/// The word for trials that are of no study.
const LONE: &str = "lone";

/// A program that is there, and the space whose candidates it is given.
pub(super) struct Runner {
    pub command: Command,
    /// The program's file.
    pub program: PathBuf,
    pub limits: Limits,
    pub space: Space,
    /// The word for the study: all its trials' processes and temporary folders are known by it, also when the process that
    /// has started them is no more.
    pub study: OnceLock<String>,
}

impl Evaluate for Runner {
    fn metrics(&self) -> Vec<&str> {
        self.command.reports()
    }

    /// Ends what trials of the study left when their process was killed: none runs beside what is left of an earlier try.
    fn move_in(&self, home: &Home, _tell: &mut dyn FnMut(&str, u64, u64) -> bool) -> Result<(), Failure> {
        let folder = home.folder.canonicalize();
        let folder = folder.map_err(|error| {
            Failure::Obstacle(format!("the run folder {} cannot be found: {error}", home.folder.display()))
        })?;
        let study = self.study.get_or_init(|| Key::of(&folder.display().to_string()).to_string());
        leftovers::kill_all_of(&format!("{study}-"));
        remove_folders(&std::env::temp_dir(), &prefix(study));
        Ok(())
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
        let study = self.study.get().map_or(LONE, String::as_str);
        let place = Place::new(self.command.folder.as_deref(), study, job)
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
            passing: matches!(place, Place::Passing(_)),
            study,
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

/// How the names of a study's temporary folders begin.
fn prefix(study: &str) -> String {
    format!("cellwright-{study}-")
}

/// Removes the folders of a beginning. One that cannot be removed is in nobody's way.
fn remove_folders(from: &Path, prefix: &str) {
    for entry in std::fs::read_dir(from).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// A trial's own folder.
enum Place {
    Kept(PathBuf),
    Passing(tempfile::TempDir),
}

impl Place {
    /// A folder of the trial's own: its seed is no other trial's.
    fn new(folder: Option<&Path>, study: &str, job: &Job) -> std::io::Result<Place> {
        let Some(folder) = folder else {
            return tempfile::Builder::new().prefix(&prefix(study)).tempdir().map(Place::Passing);
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
