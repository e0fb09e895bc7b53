//! `cellwright must`: multi-task self-training, a step a command.

mod label;
mod score;
mod self_train;
mod show;
mod teach;
mod voice;

use std::path::Path;
use std::process::ExitCode;

use cellwright::device::{Device, Devices};
use cellwright::trial::Metrics;
use clap::{Args, Subcommand};

use super::{at_least_one, interrupt, out, stopped, text};
use voice::Voice;

/// Multi-task self-training: teachers label pictures, a student learns everything at once.
#[derive(Args, Debug)]
pub struct Must {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a teacher on its own labelled set, or take over the one of this name.
    Teach(teach::Teach),
    /// Let teachers label pictures, and keep what they are sure of.
    Label(label::Label),
    /// Draw pictures with their labels, or with what teachers and students say of them.
    Show(show::Show),
    /// Train a student on labelled and pseudo-labelled sets, all its tasks at once.
    Train(teach::Train),
    /// Repeat teacher, pseudo labels and student on one task.
    SelfTrain(self_train::SelfTrain),
    /// Measure a teacher or student on a labelled set, or what its features are worth for other tasks.
    Score(score::Score),
}

impl Must {
    pub fn run(self) -> cellwright::Result<ExitCode> {
        let done = match self.command {
            Command::Teach(command) => command.run(),
            Command::Label(command) => command.run(),
            Command::Show(command) => command.run(),
            Command::Train(command) => command.run(),
            Command::SelfTrain(command) => command.run(),
            Command::Score(command) => command.run(),
        };
        match done {
            Err(cellwright::Error::Must(cellwright::must::MustError::Stopped)) => Ok(stopped()),
            done => done.map(|()| ExitCode::SUCCESS),
        }
    }
}

/// Where networks of this room run.
#[derive(Args, Debug)]
struct Place {
    /// Where to train: cpu, cuda or cuda:1.
    #[arg(long, value_name = "DEVICE", value_parser = str::parse::<Devices>, default_value = "cpu")]
    device: Devices,
}

impl Place {
    fn find(&self) -> cellwright::Result<Device> {
        Ok(self.device.find()?[0])
    }
}

/// Metrics, a line each, or as JSON.
fn told(who: &str, metrics: &Metrics, json: bool) -> cellwright::Result<()> {
    if json {
        return out::line(serde_json::json!({ "name": who, "metrics": metrics }));
    }
    let rows = metrics.iter().map(|(name, value)| vec![name.clone(), text::metric(name, *value)]);
    let rows: Vec<Vec<String>> = rows.collect();
    out::print(text::columns(&rows))
}

fn wrote(folder: &Path, json: bool) -> cellwright::Result<()> {
    if json { Ok(()) } else { out::print(format!("in {}\n", folder.display())) }
}
