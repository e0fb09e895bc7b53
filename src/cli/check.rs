//! `cellwright check`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cellwright::Result;
use clap::Args;

use super::open::Searched;
use super::{complain, open, out, text};

/// Loads each file as `search` would, with its table or its command where it has one, and says how large its space is. No
/// data is read, and nothing is trained. Files are checked to the last, whatever is
/// wrong with the first.
#[derive(Args, Debug)]
pub struct Check {
    /// Space files.
    #[arg(required = true)]
    spaces: Vec<PathBuf>,
}

impl Check {
    pub fn run(self) -> Result<ExitCode> {
        let mut code = ExitCode::SUCCESS;
        for path in &self.spaces {
            match check(path) {
                Ok(line) => out::line(format_args!("{}: {line}", path.display()))?,
                Err(error) => code = complain(&error),
            }
        }
        Ok(code)
    }
}

fn check(path: &Path) -> Result<String> {
    let space = Searched::load(path)?;
    if let Some(experiment) = &space.experiment {
        experiment.check(&space.space)?;
    }
    let searched = space.experiment.as_ref().map_or("no experiment".into(), |experiment| {
        let (algorithm, evaluator) = (experiment.algorithm.kind(), experiment.evaluator.kind());
        format!("{} of {algorithm} by {evaluator}", text::plural(experiment.trials, "trial"))
    });
    Ok(format!("ok, `{}` has {}; {searched}", open::name(&space.whole), space.size()))
}
