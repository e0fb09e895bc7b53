//! `cellwright export`.

use std::path::PathBuf;

use cellwright::Result;
use cellwright::export::Format;
use cellwright::trial::TrialId;
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
            None => open::winner(&open::searched(&space, &record)?, &record)?,
        };
        let format: Format = self.format.parse()?;
        let name = || PathBuf::from(format!("{}-{trial}.{}", open::file_name(&space), format.extension()));
        let path = self.output.clone().unwrap_or_else(name);
        deliver::write(&space, &record, trial, &format, &path)?;
        out::line(format_args!("wrote {}", path.display()))
    }
}
