//! `cellwright check`.

use std::path::PathBuf;

use cellwright::experiment::Experiment;
use cellwright::{Result, Space};
use clap::Args;

use super::{open, text};

/// Loads each file as `search` would, and says how large its space is. Files are checked to the last, whatever is
/// wrong with the first.
#[derive(Args, Debug)]
pub struct Check {
    /// Space files.
    #[arg(required = true)]
    spaces: Vec<PathBuf>,
}

impl Check {
    pub fn run(self) -> Result<()> {
        let mut first = Ok(());
        for path in &self.spaces {
            match check(path) {
                Ok(line) => println!("{}: {line}", path.display()),
                Err(error) if first.is_ok() => first = Err(error),
                Err(error) => super::complain(&error),
            }
        }
        first
    }
}

fn check(path: &PathBuf) -> Result<String> {
    let space = Space::load(path)?;
    let experiment: Option<Experiment> = space.experiment_as()?;
    let searched = experiment.map_or("no experiment".into(), |experiment| {
        format!(
            "{} trials of {} by {}",
            experiment.trials,
            experiment.algorithm.kind(),
            experiment.evaluator.kind()
        )
    });
    Ok(format!("ok, `{}` has {} candidates; {searched}", open::name(&space), text::size(&space)))
}
