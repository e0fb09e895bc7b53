//! `--workers`: a number, or `auto` for as many as train most together.

use std::path::Path;

use cellwright::device::Device;
use cellwright::evaluate::Evaluator;
use cellwright::experiment::Experiment;
use cellwright::study::Record;
use cellwright::{Result, Space};

use super::{at_least_one, tell, text};

/// How many random candidates the measurement may use.
#[cfg(feature = "train")]
const TRIED: u64 = 64;

/// What `--workers` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workers {
    /// As many as train most together on this machine, found out before a study begins and stored with it.
    Auto,
    /// So many.
    Number(usize),
}

/// Reads `auto` or a number of at least 1.
pub fn workers(word: &str) -> Result<Workers, &'static str> {
    if word == "auto" { Ok(Workers::Auto) } else { at_least_one(word).map(Workers::Number) }
}

impl Workers {
    /// The number for an experiment. A study that has begun keeps its own: its proposals depend on it.
    pub fn choose(
        self,
        folder: &Path,
        space: &Space,
        experiment: &Experiment,
        device: Device,
    ) -> Result<usize> {
        let known = || Record::read(folder).ok().map(|record| record.description.experiment.workers);
        match self {
            Workers::Number(number) => Ok(number),
            Workers::Auto => match known() {
                Some(number) => Ok(number),
                None => {
                    let number = measured(space, experiment, device)?;
                    tell(&format!("{} on {device}\n", text::plural(number, "worker")));
                    Ok(number)
                }
            },
        }
    }
}

/// Threads of one evaluation, where it says.
fn threads(experiment: &Experiment) -> usize {
    match &experiment.evaluator {
        Evaluator::Train(train) => train.threads.max(1),
        Evaluator::Must(must) => must.threads.max(1),
        _ => 1,
    }
}

#[cfg(feature = "train")]
fn measured(space: &Space, experiment: &Experiment, device: Device) -> Result<usize> {
    use cellwright::nn::Field;

    let wanted = if device == Device::Cpu { 0 } else { TRIED };
    let mut candidates = Vec::new();
    for index in 0..wanted {
        let program = space.materialize(&space.random(&mut experiment.seed().stream(index, "pace"))?)?;
        // What cannot be built, or is no network, is not trained in the search either.
        if let Ok(Some(candidate)) = space.candidate(&program)
            && let Ok(graph) = candidate.graph()
        {
            candidates.push((graph, candidate.training));
        }
    }
    let seed = experiment.seed();
    let field = Field { candidates: &candidates, device, threads: threads(experiment), seed };
    field.best_workers().map_err(|problem| cellwright::Error::Usage {
        problem: format!("the number of workers cannot be measured: {problem}"),
        hint: "name a number with `--workers`".into(),
    })
}

#[cfg(not(feature = "train"))]
fn measured(_space: &Space, experiment: &Experiment, _device: Device) -> Result<usize> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok((cores / threads(experiment)).max(1))
}
