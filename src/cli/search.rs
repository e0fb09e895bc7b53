//! `cellwright search`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cellwright::device::{Device, Devices};
use cellwright::evaluate::Evaluate;
use cellwright::experiment::{Experiment, Retrain};
use cellwright::search::Algorithm;
use cellwright::study::{Description, Ending, Event, Record, Study};
use cellwright::trial::{Fidelity, Trial, TrialId, TrialState};
use cellwright::{Error, Result, Space};
use clap::Args;
use serde_json::json;

use super::listen::Voice;
use super::workers::{self, Workers};
use super::{at_least_one, complain, deliver, interrupt, number, open, out, rank, stopped, tell};

/// Searches a space as its `experiment:` section says. The same command on the same run folder goes on where the
/// last one stopped, however it was stopped.
#[derive(Args, Debug)]
pub struct Search {
    /// The space file.
    space: PathBuf,
    /// The run folder; `runs/<name of the space>` without it.
    #[arg(long)]
    run: Option<PathBuf>,
    /// What proposes candidates: a name such as `local_search`, or RON such as `Progressive(preset: Pnas)`.
    #[arg(long, value_name = "NAME", value_parser = str::parse::<Algorithm>)]
    algorithm: Option<Algorithm>,
    /// Trials in all.
    #[arg(long, allow_negative_numbers = true, value_parser = at_least_one::<u64>)]
    trials: Option<u64>,
    /// What one trial may spend: epochs, for training.
    #[arg(long, allow_negative_numbers = true, value_parser = at_least_one::<u32>)]
    fidelity: Option<u32>,
    /// Trials at the same time: a number, or `auto` for as many as train most together here.
    #[arg(long, allow_negative_numbers = true, value_parser = workers::workers)]
    workers: Option<Workers>,
    /// Source of all randomness.
    #[arg(long, allow_negative_numbers = true, value_parser = number)]
    seed: Option<u64>,
    /// Where to train: cpu, cuda, cuda:1 or all.
    #[arg(long, value_name = "DEVICE", value_parser = str::parse::<Devices>)]
    device: Option<Devices>,
    /// Search only: leave the final training to `cellwright retrain`.
    #[arg(long)]
    no_retrain: bool,
    /// Print JSON lines on standard output.
    #[arg(long)]
    json: bool,
}

impl Search {
    pub fn run(self) -> Result<ExitCode> {
        let (whole, mut experiment) = open::space_with_experiment(&self.space)?;
        let devices = self.adapt(&mut experiment)?;
        let folder = self.run.clone().unwrap_or_else(|| PathBuf::from("runs").join(open::file_name(&whole)));
        let (space, description, evaluator) = match self.prepare(&whole, &experiment, &folder, &devices) {
            Ok(prepared) => prepared,
            // What the evaluator needs may be gone when all is there that it was needed for.
            Err(error) => return self.without_evaluator(&whole, experiment, &folder, &devices, error),
        };
        let mut study = Study::open(&folder, &space, &description)?;
        open::greet(&whole, &space, &description.experiment, &folder);

        let stop = interrupt::on_ctrl_c();
        let mut voice = Voice::new(self.json, &description.experiment);
        let searched = study.search(&*evaluator, stop, &mut |event: &Event| voice.hear(event));
        let ended = match searched {
            Ok(Ending::Stopped) | Err(_) => searched,
            Ok(_) if self.no_retrain => searched,
            Ok(_) => study.retrain(&*evaluator, stop, &mut |event: &Event| voice.hear(event)),
        };
        voice.finish();
        if ended? == Ending::Stopped {
            return Ok(stopped());
        }
        self.deliver(&space, study.record())
    }

    /// The space that is searched, what the study is about, and the evaluator.
    fn prepare(
        &self,
        whole: &Space,
        experiment: &Experiment,
        folder: &Path,
        devices: &[Device],
    ) -> Result<(Space, Description, Box<dyn Evaluate>)> {
        let space = experiment.restrict(whole)?;
        let experiment = self.staff(&space, experiment.clone(), folder, devices)?;
        let description = open::description(&space, experiment);
        let evaluator = description.experiment.prepare(&space)?;
        let space = description.experiment.informed(space, Some(folder))?;
        Ok((space, description, evaluator))
    }

    /// The experiment with as many workers as are asked for.
    fn staff(
        &self,
        space: &Space,
        mut experiment: Experiment,
        folder: &Path,
        devices: &[Device],
    ) -> Result<Experiment> {
        if let Some(workers) = self.workers {
            experiment.workers = workers.choose(folder, space, &experiment, devices[0])?;
        }
        experiment.workers = experiment.device.workers(experiment.workers, devices.len());
        Ok(experiment)
    }

    /// Tells again of a study that has nothing left to evaluate; of any other, the error that keeps it from going on.
    fn without_evaluator(
        &self,
        whole: &Space,
        experiment: Experiment,
        folder: &Path,
        devices: &[Device],
        error: Error,
    ) -> Result<ExitCode> {
        if !Record::read(folder).is_ok_and(|record| is_done(whole, &record)) {
            return Err(error);
        }
        let description = open::description(whole, self.staff(whole, experiment, folder, devices)?);
        let Ok(study) = Study::open(folder, whole, &description) else { return Err(error) };
        if !is_done(whole, study.record()) {
            return Err(error);
        }
        complain(&error);
        tell("the study is complete without it:\n");
        self.deliver(whole, study.record())
    }

    /// Prints what the study came to, and writes its winner's files.
    fn deliver(&self, space: &Space, record: &Record) -> Result<ExitCode> {
        let delivered = deliver::winner(space, record)?;
        if self.json {
            let believed = record.believed(space);
            believed.map_or(Ok(()), |trial| out::line(json!({"event": "believed", "trial": trial})))?;
        } else {
            let belief = deliver::belief(space, record);
            out::print(rank::table(record, 5) + &belief + &delivered)?;
        }
        Ok(outcome(record))
    }

    /// What was typed goes before what the file says; the devices that it comes to.
    fn adapt(&self, experiment: &mut Experiment) -> Result<Vec<Device>> {
        if let Some(algorithm) = &self.algorithm {
            experiment.algorithm = algorithm.clone();
        }
        experiment.trials = self.trials.unwrap_or(experiment.trials);
        experiment.fidelity = self.fidelity.unwrap_or(experiment.fidelity);
        experiment.seed = self.seed.unwrap_or(experiment.seed);
        if self.no_retrain {
            experiment.retrain.top = 0;
        }
        experiment.device = self.device.unwrap_or(experiment.device);
        Ok(experiment.device.find()?)
    }
}

/// Whether all trials have ended and all winners are trained.
fn is_done(space: &Space, record: &Record) -> bool {
    let Retrain { top, fidelity } = record.description.experiment.retrain;
    let trained =
        |id: &TrialId| record.finals.iter().any(|one| one.trial == *id && one.fidelity == Fidelity(fidelity));
    record.is_complete() && record.winners(space, top).iter().all(trained)
}

/// A search of which no trial came to anything is work that failed.
fn outcome(record: &Record) -> ExitCode {
    let reason = |trial: &Trial| match &trial.state {
        TrialState::Failed(reason) => Some(reason.clone()),
        TrialState::Finished(_) | TrialState::Stopped(_) | TrialState::Pending => None,
    };
    let all_failed = record.trials.iter().map(reason).collect::<Option<Vec<_>>>();
    let Some(last) = all_failed.and_then(|mut reasons| reasons.pop()) else { return ExitCode::SUCCESS };
    let all = match record.trials.len() {
        1 => "the only trial failed".to_owned(),
        count => format!("all {count} trials failed, the last of them so"),
    };
    tell(&format!(
        "error: {all}: {last}\n  hint: {}, and search in a new run folder\n",
        record.description.experiment.evaluator.mend()
    ));
    ExitCode::FAILURE
}
