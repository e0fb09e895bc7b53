//! `cellwright retrain`.

use cellwright::Result;
use cellwright::study::{Ending, Event, Study};
use cellwright::trial::{Fidelity, TrialId};
use clap::Args;

use super::listen::Voice;
use super::{RunFolder, deliver, interrupt, open};

/// Trains winners from scratch on training and validation data, and measures them on the test split. A training
/// that was killed goes on from its last epoch.
#[derive(Args, Debug)]
pub struct Retrain {
    #[command(flatten)]
    folder: RunFolder,
    /// How many of the best; the experiment's own number without it.
    #[arg(long, conflicts_with = "trial")]
    top: Option<usize>,
    /// These trials instead of the best.
    #[arg(long)]
    trial: Vec<TrialId>,
    /// What each may spend: epochs, for training.
    #[arg(long)]
    fidelity: Option<u32>,
    /// Print JSON lines on standard output.
    #[arg(long)]
    json: bool,
}

impl Retrain {
    pub fn run(self) -> Result<()> {
        let (space, record) = open::run(&self.folder.run)?;
        let experiment = &record.description.experiment;
        let fidelity = Fidelity(self.fidelity.unwrap_or(experiment.retrain.fidelity));
        open::positive("--fidelity", u64::from(fidelity.0))?;
        let trials = if self.trial.is_empty() {
            record.winners(self.top.unwrap_or(experiment.retrain.top.max(1)))
        } else {
            self.trial.clone()
        };
        let evaluator = experiment.evaluator.prepare()?;
        let mut study = Study::open(&self.folder.run, &space, &record.description)?;
        let stop = interrupt::on_ctrl_c();
        let mut voice = Voice::new(self.json);
        let ending =
            study.train(&trials, fidelity, &*evaluator, stop, &mut |event: &Event| voice.hear(event));
        voice.finish();
        if ending? == Ending::Stopped {
            eprintln!("stopped; run the same command again to go on");
            return Ok(());
        }
        if !self.json {
            print!("{}", deliver::finals(study.record(), fidelity));
        }
        Ok(())
    }
}
