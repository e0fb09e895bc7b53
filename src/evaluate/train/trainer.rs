//! The evaluator behind [`Train`](super::Train): data in memory, one thread pool a training.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use rayon::ThreadPoolBuilder;

use super::Train;
use super::supernet::Shared;
use crate::candidate::{Candidate, Task};
use crate::data::{Dataset, FileSet, Files, Pictures, Set, Supply};
use crate::device::Device;
use crate::error::Error;
use crate::evaluate::{self, Evaluate, Failure, Inherits, Job, Outcome, Progress, Share};
use crate::ir::{Graph, Weights};
use crate::loader::Broken;
use crate::nn::{self, Epoch, NnError, Trained, Training, score};
use crate::random::fnv1a;
use crate::recipe::Stage;
use crate::trial::{Fidelity, Metrics, Supernet, SupernetError};

pub(super) struct Trainer {
    /// What search-time trials see.
    search: Set,
    /// What the last training of a winner learns from: all training and validation pictures.
    last: Whole,
    threads: usize,
    inherits: Inherits,
    loaders: usize,
    /// Weights that all candidates share, in a one-shot search.
    shared: Mutex<Option<nn::Supernet>>,
}

impl Trainer {
    pub(super) fn new(config: &Train) -> Result<Trainer, Error> {
        let data = config.data.open()?;
        let last = match &data {
            Set::Memory(Dataset { train, validation, .. }) => Whole::Memory(train.join(validation)),
            Set::Files(FileSet { train, validation, .. }) => Whole::Files(train.join(validation)),
        };
        let search = data.limited(config.limit, config.validation_limit);
        let inherits = Inherits { promotions: config.resume, children: config.inherit };
        let (threads, loaders) = (config.threads.max(1), config.loaders);
        Ok(Trainer { search, last, threads, loaders, inherits, shared: Mutex::default() })
    }

    fn train(&self, job: &Job, progress: &dyn Progress) -> Result<Outcome, Failure> {
        let candidate = job.network()?;
        if job.fidelity == Fidelity(0) {
            return self.look(&candidate, job.seed);
        }
        let graph = self.graph(&candidate)?;
        let cost = graph.cost();
        let parent = job.heritage.and_then(|heritage| heritage.parent.as_deref());
        let parent = parent.map(nn::inherit).transpose().map_err(failure)?;
        let share = parent.as_ref().map_or(0.0, |weights| nn::inherited(&graph, weights));
        let inherited = (self.inherits.children && !job.last).then_some((super::INHERITED, share));
        let size = [("params", cost.params as f64), ("macs", cost.macs as f64)].into_iter().chain(inherited);
        let mut heard = |epoch: &Epoch| {
            let metrics = named(figures(epoch).into_iter().chain(size.clone()));
            progress.report(Fidelity(epoch.number), &metrics)
        };
        let smaller = self.smaller(&candidate, whole(job))?;
        let training = self.training(job, &graph, &smaller, &candidate);
        let training = Training { parent: parent.as_ref(), ..training };
        let taken = training.share(&|| progress.should_stop()).map_err(failure)?.ok_or(Failure::Stopped)?;
        let trained = training.run_with(&taken, &mut heard).map_err(failure)?;
        drop(taken);
        tell(job, &trained);
        if let Some(path) = job.heritage.and_then(|heritage| heritage.leave.as_deref()) {
            nn::leave(&trained.weights, path).map_err(failure)?;
        }
        if !job.last {
            let metrics = trained.curve.last().map(figures).unwrap_or_default();
            return Ok(Outcome { metrics: named(metrics.into_iter().chain(size)), trained: None });
        }
        let metrics = named(self.tested(&graph, &trained, job.device)?.into_iter().chain(size));
        Ok(Outcome { metrics, trained: Some(self.described(trained.weights)) })
    }

    /// The candidate's network, if it is for this data.
    pub(super) fn graph(&self, candidate: &Candidate) -> Result<Graph, Failure> {
        let task = candidate.task;
        let (shape, classes) = (self.search.shape(), self.search.classes().len());
        if (task.input, task.classes) != (shape, classes) {
            return Err(Failure::Candidate(format!(
                "the task is {:?} pictures of {} classes, the data has {shape:?} and {classes}: make `task` and \
                 the evaluator's `data` agree",
                task.input, task.classes
            )));
        }
        candidate.graph().map_err(|error| Failure::Candidate(error.to_string()))
    }

    /// The candidate's network for the smaller pictures that a training of so many epochs begins with.
    fn smaller(&self, candidate: &Candidate, whole: Fidelity) -> Result<Vec<Graph>, Failure> {
        let full = candidate.task.input;
        let stages = (0..whole.0).map(|epoch| candidate.training.stage(epoch, whole.0));
        let mut inputs: Vec<_> =
            stages.map(|stage| staged(candidate, &stage)).filter(|input| *input != full).collect();
        inputs.dedup();
        inputs.into_iter().map(|input| at_size(candidate, input)).collect()
    }

    /// The candidate's network for the pictures of a stage; `None` where those are whole.
    pub(super) fn staged(&self, candidate: &Candidate, stage: &Stage) -> Result<Option<Graph>, Failure> {
        let input = staged(candidate, stage);
        (input != candidate.task.input).then(|| at_size(candidate, input)).transpose()
    }

    fn training<'a>(
        &'a self,
        job: &'a Job,
        graph: &'a Graph,
        smaller: &'a [Graph],
        candidate: &'a Candidate,
    ) -> Training<'a> {
        let [train, validation, _] = self.search.splits();
        Training {
            graph,
            smaller,
            recipe: &candidate.training,
            epochs: job.fidelity.0,
            whole: whole(job).0,
            parent: None,
            seed: job.seed,
            train: if job.last { self.last.supply() } else { train },
            validation: (!job.last).then_some(validation),
            loaders: self.loaders,
            normal: self.normal(),
            device: job.device,
            checkpoint: job.checkpoint,
        }
    }

    /// The weights with what their user must know of the data.
    fn described(&self, weights: Weights) -> evaluate::Trained {
        let (mean, deviation) = self.normal();
        let classes = self.search.classes().to_vec();
        evaluate::Trained { weights, classes, mean: mean.to_vec(), deviation: deviation.to_vec() }
    }

    /// What search-time trials learn from, and what they are judged by.
    pub(super) fn supplies(&self) -> [Supply<'_>; 2] {
        let [train, validation, _] = self.search.splits();
        [train, validation]
    }

    /// Threads that load pictures.
    pub(super) fn loaders(&self) -> usize {
        self.loaders
    }

    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    pub(super) fn shared(&self) -> &Mutex<Option<nn::Supernet>> {
        &self.shared
    }

    /// Tells the data that search-time trials see from other data.
    pub(super) fn identity(&self) -> u64 {
        let [train, validation, _] = self.search.splits();
        let of = |part: Supply| match part {
            Supply::Memory(pictures) => (fnv1a(&pictures.pixels), part.len(), part.shape()),
            Supply::Files(files) => (files.identity(), part.len(), part.shape()),
        };
        fnv1a(format!("{:?} {:?}", [train, validation].map(of), self.normal()).as_bytes())
    }

    pub(super) fn normal(&self) -> (&[f32], &[f32]) {
        self.search.normal()
    }

    fn tested(
        &self,
        graph: &Graph,
        trained: &Trained,
        device: Device,
    ) -> Result<Vec<(&'static str, f64)>, Failure> {
        let [_, _, test] = self.search.splits();
        let (test, broken) = score(graph, &trained.weights, test, self.normal(), device).map_err(failure)?;
        warn(&broken);
        let learnt = trained.curve.last().map_or(f64::NAN, |epoch| epoch.train_loss);
        Ok(vec![
            ("test_accuracy", test.accuracy),
            ("test_loss", test.loss),
            ("train_loss", learnt),
            ("pictures_per_second", trained.throughput.pictures_per_second()),
            ("waited_share", trained.throughput.waited_share()),
        ])
    }
}

impl Evaluate for Trainer {
    fn metrics(&self) -> Vec<&str> {
        let inherited = self.inherits.children.then_some(super::INHERITED);
        super::METRICS.iter().copied().chain(inherited).collect()
    }

    fn inherits(&self) -> Inherits {
        self.inherits
    }

    fn share<'a>(&'a self, share: &Share<'a>) -> Option<Result<Box<dyn Supernet + 'a>, SupernetError>> {
        Some(Shared::new(self, share.clone()).map(|shared| Box::new(shared) as Box<dyn Supernet>))
    }

    fn evaluate(&self, job: &Job, progress: &dyn Progress) -> Result<Outcome, Failure> {
        // A pool of its own keeps trainings beside each other from sharing threads, and fixes the order of their sums.
        let pool = ThreadPoolBuilder::new().num_threads(self.threads).build();
        let pool = pool.map_err(|error| Failure::Candidate(format!("no threads to train on: {error}")))?;
        let training = AssertUnwindSafe(|| pool.install(|| self.train(job, progress)));
        catch_unwind(training).unwrap_or_else(|panic| Err(Failure::Candidate(panicked(&*panic))))
    }
}

/// The shape of a stage's pictures.
fn staged(candidate: &Candidate, stage: &Stage) -> (usize, usize, usize) {
    let (channels, height, width) = candidate.task.input;
    (channels, stage.side(height), stage.side(width))
}

/// The candidate's network for pictures of another size.
fn at_size(candidate: &Candidate, input: (usize, usize, usize)) -> Result<Graph, Failure> {
    let smaller = Candidate { task: Task { input, ..candidate.task }, ..candidate.clone() };
    let said = |error| format!("with the pictures that `progressive` begins with: {error}");
    smaller.graph().map_err(|error| Failure::Candidate(said(error)))
}

/// The training that the job is a part of.
fn whole(job: &Job) -> Fidelity {
    job.heritage.and_then(|heritage| heritage.whole).unwrap_or(job.fidelity)
}

/// Training and validation pictures together.
enum Whole {
    Memory(Pictures),
    Files(Files),
}

impl Whole {
    fn supply(&self) -> Supply<'_> {
        match self {
            Whole::Memory(pictures) => pictures.into(),
            Whole::Files(files) => files.into(),
        }
    }
}

/// Says how fast a long training was, and what it could not read. Short ones in memory would only fill the screen.
fn tell(job: &Job, trained: &Trained) {
    let Trained { throughput, curve, .. } = trained;
    if job.last {
        eprintln!("trained for {} epochs: {throughput}", curve.len());
    }
    warn(&throughput.broken);
}

pub(super) fn warn(broken: &Broken) {
    if broken.count() > 0 {
        eprintln!("warning: {broken}");
    }
}

fn figures(epoch: &Epoch) -> Vec<(&'static str, f64)> {
    let score = epoch.validation.map(|score| [("accuracy", score.accuracy), ("loss", score.loss)]);
    score.into_iter().flatten().chain([("train_loss", epoch.train_loss)]).collect()
}

pub(super) fn named(figures: impl Iterator<Item = (&'static str, f64)>) -> Metrics {
    figures.map(|(name, figure)| (name.to_string(), figure)).collect()
}

pub(super) fn failure(error: NnError) -> Failure {
    match error {
        NnError::Stopped => Failure::Stopped,
        problem @ NnError::Checkpoint { .. } => Failure::Obstacle(problem.to_string()),
        other => Failure::Candidate(other.to_string()),
    }
}

pub(super) fn panicked(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.unwrap_or_else(|| "without a message".into()))
}

#[cfg(test)]
mod tests;
