//! `cellwright retrain`.

use std::process::ExitCode;

use cellwright::Result;
use cellwright::device::Devices;
use cellwright::study::{Ending, Event, Study};
use cellwright::trial::{Fidelity, TrialId};
use clap::Args;

use super::listen::Voice;
use super::{RunFolder, at_least_one, deliver, interrupt, number, open, out, stopped};

/// Trains winners from scratch on training and validation data, and measures them on the test split. A training
/// that was killed goes on from its last epoch; where one of the best fails, the next best takes its place.
#[derive(Args, Debug)]
pub struct Retrain {
    #[command(flatten)]
    folder: RunFolder,
    /// How many of the best; the experiment's own number without it.
    #[arg(long, conflicts_with = "trial", allow_negative_numbers = true, value_parser = at_least_one::<usize>)]
    top: Option<usize>,
    /// These trials instead of the best.
    #[arg(long, allow_negative_numbers = true, value_parser = number)]
    trial: Vec<TrialId>,
    /// What each may spend: epochs, for training.
    #[arg(long, allow_negative_numbers = true, value_parser = at_least_one::<u32>)]
    fidelity: Option<u32>,
    /// Where to train: cpu, cuda, cuda:1 or all; where the search did without it.
    #[arg(long, value_name = "DEVICE", value_parser = str::parse::<Devices>)]
    device: Option<Devices>,
    /// Print JSON lines on standard output.
    #[arg(long)]
    json: bool,
}

impl Retrain {
    pub fn run(self) -> Result<ExitCode> {
        let (space, mut record) = open::run(&self.folder.run)?;
        if let Some(device) = self.device {
            device.find()?;
            record.description.experiment.device = device;
        }
        let searched = match &self.trial[..] {
            [] => open::searched(&space, &record)?,
            _ => space.clone(),
        };
        if self.trial.is_empty() {
            open::winner(&searched, &record)?;
        }
        let experiment = &record.description.experiment;
        let top = self.top.unwrap_or(experiment.retrain.top.max(1));
        let fidelity = Fidelity(self.fidelity.unwrap_or(experiment.retrain.fidelity));
        let evaluator = experiment.evaluator.prepare(&space)?;
        let mut study = Study::open(&self.folder.run, &searched, &record.description)?;
        let stop = interrupt::on_ctrl_c();
        let mut voice = Voice::new(self.json, experiment);
        let mut hear = |event: &Event| voice.hear(event);
        let ending = match &self.trial[..] {
            [] => study.train_best(top, fidelity, &*evaluator, stop, &mut hear),
            trials => study.train(trials, fidelity, &*evaluator, stop, &mut hear),
        };
        voice.finish();
        if ending? == Ending::Stopped {
            return Ok(stopped());
        }
        if !self.json {
            out::print(deliver::finals(study.record(), fidelity))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
