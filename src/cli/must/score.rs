//! `cellwright must score`.

use std::path::PathBuf;

use cellwright::data::SampleSource;
use cellwright::device::Device;
use cellwright::must::teacher::Taught;
use cellwright::must::{Hear, MustError, Transfer, look_through, score};
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
        let mut voice = Voice::new();
        let metrics = self.metrics(&taught, device, &mut |news| voice.hear(news));
        voice.finish();
        told(&taught.course().name, &metrics?, self.json)
    }

    fn metrics(&self, taught: &Taught, device: Device, hear: &mut Hear) -> cellwright::Result<Metrics> {
        let mut metrics = Metrics::default();
        if let Some(set) = &self.on {
            metrics.extend(score(taught, set, device, hear)?);
        }
        if let Some(file) = &self.transfer {
            let transfer = Transfer::load(file)?;
            look_through(&transfer.sources(), hear)?;
            let transfer = transfer.open()?;
            let folder = self.network.parent().unwrap_or(&self.network);
            let reference = transfer.reference(folder, device, hear)?;
            metrics.extend(transfer.run(taught.student(), taught.weights(), &reference, device, hear)?);
        }
        Ok(metrics)
    }
}
