//! `cellwright export`.

use std::path::{Path, PathBuf};

use cellwright::export::Format;
use cellwright::study::Record;
use cellwright::trial::TrialId;
use cellwright::{Error, Result};
use clap::Args;
use clap::builder::PossibleValuesParser;

use super::{RunFolder, deliver, number, open, out};

/// ONNX and safetensors need trained weights: `search` trains the winner, `retrain` any other trial.
#[derive(Args, Debug)]
pub struct Export {
    #[command(flatten)]
    folder: RunFolder,
    /// Which trial; the best without it.
    #[arg(long, allow_negative_numbers = true, value_parser = number)]
    trial: Option<TrialId>,
    /// The file's format.
    #[arg(long, value_parser = PossibleValuesParser::new(Format::LABELS))]
    format: String,
    /// The file; `<space>-<trial>.<extension>` without it.
    #[arg(long, short)]
    output: Option<PathBuf>,
}

impl Export {
    pub fn run(self) -> Result<()> {
        let (space, record) = open::run(&self.folder.run)?;
        let trial = match self.trial {
            Some(trial) => record.trial(trial)?.id,
            None => best(&record, &self.folder.run)?,
        };
        let format: Format = self.format.parse()?;
        let name = || PathBuf::from(format!("{}-{trial}.{}", open::file_name(&space), format.extension()));
        let path = self.output.clone().unwrap_or_else(name);
        deliver::write(&space, &record, trial, &format, &path)?;
        out::line(format_args!("wrote {}", path.display()))
    }
}

fn best(record: &Record, folder: &Path) -> Result<TrialId> {
    record.winners(1).first().copied().ok_or_else(|| Error::Usage {
        problem: format!("no trial of the study in {} has finished", folder.display()),
        hint: "run its search first".into(),
    })
}
