//! `cellwright must score`.

use std::path::PathBuf;

use cellwright::data::SampleSource;
use cellwright::must::teacher::Taught;
use cellwright::must::{MustError, Transfer, score};
use cellwright::trial::Metrics;
use clap::Args;

use super::{Place, Voice, told};

/// Measures a network of `must teach` or `must train` by all its tasks' metrics, or by what its features are worth for
/// other tasks: the transfer score.
#[derive(Args, Debug)]
pub struct Score {
    /// The network's folder.
    network: PathBuf,
    /// A labelled set to measure it on.
    #[arg(long, value_name = "SOURCE", value_parser = str::parse::<SampleSource>)]
    on: Option<SampleSource>,
    /// How the transfer score is taken: `Transfer(sets: [..], lesson: (..), reference: ..)`.
    #[arg(long, value_name = "FILE")]
    transfer: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// Print JSON lines on standard output.
    #[arg(long)]
    json: bool,
}

impl Score {
    pub fn run(self) -> cellwright::Result<()> {
        if self.on.is_none() && self.transfer.is_none() {
            let problem = "there is nothing to measure it by".to_string();
            let hint = "name a set with `--on`, or a file with `--transfer`".to_string();
            return Err(MustError::Settings { problem, hint }.into());
        }
        let (device, taught) = (self.place.find()?, Taught::open(&self.network)?);
        let mut metrics = Metrics::default();
        if let Some(set) = &self.on {
            metrics.extend(score(&taught, set, device)?);
        }
        if let Some(file) = &self.transfer {
            let transfer = Transfer::load(file)?.open()?;
            let mut voice = Voice::new();
            let folder = self.network.parent().unwrap_or(&self.network);
            let mut hear = |news: &cellwright::must::News| voice.hear(news);
            let reference = transfer.reference(folder, device, &mut hear);
            let worth = reference.and_then(|reference| {
                transfer.run(taught.student(), taught.weights(), &reference, device, &mut hear)
            });
            voice.finish();
            metrics.extend(worth?);
        }
        told(&taught.course().name, &metrics, self.json)
    }
}
