//! `cellwright search`.

use std::path::PathBuf;

use cellwright::Result;
use cellwright::experiment::Experiment;
use cellwright::study::{Ending, Event, Study};
use clap::Args;

use super::listen::Voice;
use super::{deliver, interrupt, open, rank};

/// Searches a space as its `experiment:` section says. The same command on the same run folder goes on where the
/// last one stopped, however it was stopped.
#[derive(Args, Debug)]
pub struct Search {
    /// The space file.
    space: PathBuf,
    /// The run folder; `runs/<name of the space>` without it.
    #[arg(long)]
    run: Option<PathBuf>,
    /// Trials in all.
    #[arg(long)]
    trials: Option<u64>,
    /// What one trial may spend: epochs, for training.
    #[arg(long)]
    fidelity: Option<u32>,
    /// Trials at the same time.
    #[arg(long)]
    workers: Option<usize>,
    /// Source of all randomness.
    #[arg(long)]
    seed: Option<u64>,
    /// Search only: leave the final training to `cellwright retrain`.
    #[arg(long)]
    no_retrain: bool,
    /// Print JSON lines on standard output.
    #[arg(long)]
    json: bool,
}

impl Search {
    pub fn run(self) -> Result<()> {
        let (space, mut experiment) = open::space_with_experiment(&self.space)?;
        self.adapt(&mut experiment)?;
        let folder = self.run.clone().unwrap_or_else(|| PathBuf::from("runs").join(open::name(&space)));
        let description = open::description(&space, experiment);
        let evaluator = description.experiment.evaluator.prepare()?;
        let mut study = Study::open(&folder, &space, &description)?;
        open::greet(&space, &description.experiment, &folder);

        let stop = interrupt::on_ctrl_c();
        let mut voice = Voice::new(self.json);
        let searched = study.search(&*evaluator, stop, &mut |event: &Event| voice.hear(event));
        let ended = match searched {
            Ok(Ending::Stopped) | Err(_) => searched,
            Ok(_) if self.no_retrain => searched,
            Ok(_) => study.retrain(&*evaluator, stop, &mut |event: &Event| voice.hear(event)),
        };
        voice.finish();
        if ended? == Ending::Stopped {
            eprintln!("stopped; run the same command again to go on");
            return Ok(());
        }
        if !self.json {
            print!("{}", rank::table(study.record(), 5));
        }
        deliver::winner(&space, study.record(), self.json)
    }

    /// What was typed goes before what the file says.
    fn adapt(&self, experiment: &mut Experiment) -> Result<()> {
        experiment.trials = self.trials.unwrap_or(experiment.trials);
        experiment.fidelity = self.fidelity.unwrap_or(experiment.fidelity);
        experiment.workers = self.workers.unwrap_or(experiment.workers);
        experiment.seed = self.seed.unwrap_or(experiment.seed);
        if self.no_retrain {
            experiment.retrain.top = 0;
        }
        open::positive("--trials", experiment.trials)?;
        open::positive("--fidelity", u64::from(experiment.fidelity))?;
        open::positive("--workers", experiment.workers as u64)
    }
}
