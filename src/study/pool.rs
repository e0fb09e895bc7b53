//! Worker threads that evaluate candidates, and let nothing that happens there end the study.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope};
use std::time::Instant;

use crate::device::Device;
use crate::evaluate::{Evaluate, Failure, Heritage, Job, Outcome, Progress};
use crate::panics;
use crate::random::Seed;
use crate::space::{Genotype, Key, Space};
use crate::stopping::{Curve, Watch};
use crate::trial::{Fidelity, Metrics, Stopped, TrialId};

/// Deep networks are built and differentiated by recursion; a thread's usual 2 MiB are little for that.
const STACK_BYTES: usize = 16 << 20;

/// One evaluation to do, for whichever worker is free.
#[derive(Clone)]
pub(super) struct Task {
    pub trial: TrialId,
    pub genotype: Genotype,
    pub key: Key,
    pub fidelity: Fidelity,
    pub seed: Seed,
    pub last: bool,
    pub checkpoint: Option<PathBuf>,
    pub heritage: Option<Heritage>,
    /// Who says whether it is hopeless.
    pub watch: Option<Arc<Watch>>,
}

/// What workers say.
pub(super) enum Report {
    /// An evaluation came further.
    Step(TrialId, Fidelity, Metrics),
    /// An evaluation ended.
    Ended(TrialId, Box<Ended>),
}

/// How an evaluation ended.
pub(super) struct Ended {
    pub result: Result<Outcome, Failure>,
    /// How it stood when it was stopped for having no hope: then the result says that it stopped.
    pub stopped: Option<Box<Stopped>>,
    /// What it reported on the way.
    pub curve: Curve,
    pub seconds: f64,
}

/// What all workers share.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub space: &'a Space,
    pub evaluator: &'a dyn Evaluate,
    /// Where the workers train, in turn; never empty.
    pub devices: &'a [Device],
    /// Asks all evaluations to stop.
    pub stop: &'a AtomicBool,
}

/// The workers. Dropping it asks them to stop.
pub(super) struct Pool<'a> {
    tasks: Option<Sender<Task>>,
    reports: Receiver<Report>,
    abandoned: &'a AtomicBool,
}

impl Pool<'_> {
    /// Runs `work` with as many workers, and waits for them to end.
    pub fn with<R>(workers: usize, site: Site, work: impl FnOnce(&Pool) -> R) -> std::io::Result<R> {
        let abandoned = AtomicBool::new(false);
        let (tasks, queue) = channel();
        let (reporter, reports) = channel();
        let queue = Mutex::new(queue);
        std::thread::scope(|scope| {
            let pool = Pool { tasks: Some(tasks), reports, abandoned: &abandoned };
            for number in 0..workers {
                let device = site.devices[number % site.devices.len()];
                let reporter = reporter.clone();
                let worker = Worker { site, device, queue: &queue, abandoned: &abandoned, reporter };
                worker.spawn(scope, number)?;
            }
            drop(reporter);
            Ok(work(&pool))
        })
    }

    /// Hands a task to the next free worker.
    pub fn start(&self, task: Task) {
        // Workers listen as long as the pool lives, so that sending cannot fail.
        if let Some(tasks) = &self.tasks {
            let _ = tasks.send(task);
        }
    }

    /// The next report; `None` where all workers are gone.
    pub fn wait(&self) -> Option<Report> {
        self.reports.recv().ok()
    }

    /// A report that is already there.
    pub fn poll(&self) -> Option<Report> {
        self.reports.try_recv().ok()
    }
}

impl Drop for Pool<'_> {
    fn drop(&mut self) {
        self.abandoned.store(true, Relaxed);
        self.tasks = None;
    }
}

struct Worker<'a> {
    site: Site<'a>,
    device: Device,
    queue: &'a Mutex<Receiver<Task>>,
    abandoned: &'a AtomicBool,
    reporter: Sender<Report>,
}

impl<'a> Worker<'a> {
    fn spawn<'scope>(self, scope: &'scope Scope<'scope, '_>, number: usize) -> std::io::Result<()>
    where
        'a: 'scope,
    {
        let name = format!("trial worker {number}");
        Builder::new().name(name).stack_size(STACK_BYTES).spawn_scoped(scope, move || self.work()).map(drop)
    }

    fn work(self) {
        loop {
            let task = self.queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(task) = task else { return };
            let start = Instant::now();
            let progress = Reporting {
                trial: task.trial,
                reporter: &self.reporter,
                stop: [self.site.stop, self.abandoned],
                asked: AtomicBool::new(false),
                watch: task.watch.as_deref(),
                heard: Mutex::default(),
            };
            let result = self.evaluate(&task, &progress);
            let Heard { curve, stopped } =
                progress.heard.into_inner().unwrap_or_else(PoisonError::into_inner);
            let stopped = stopped.filter(|_| result == Err(Failure::Stopped));
            let ended = Ended { result, stopped, curve, seconds: start.elapsed().as_secs_f64() };
            // Nobody listens any more where the study ended with an error.
            let _ = self.reporter.send(Report::Ended(task.trial, Box::new(ended)));
        }
    }

    fn evaluate(&self, task: &Task, progress: &Reporting) -> Result<Outcome, Failure> {
        if progress.should_stop() {
            return Err(Failure::Stopped);
        }
        match panics::catch(|| self.site.evaluate(task, self.device, progress)) {
            Ok(Err(Failure::Stopped)) if !progress.asked.load(Relaxed) => {
                Err(Failure::Candidate("the evaluator stopped, though nobody asked it to".into()))
            }
            Ok(result) => result,
            Err(panic) => Err(Failure::Candidate(panic)),
        }
    }
}

impl Site<'_> {
    fn evaluate(&self, task: &Task, device: Device, progress: &dyn Progress) -> Result<Outcome, Failure> {
        let program = self.space.materialize(&task.genotype);
        let program = program.map_err(|problem| Failure::Candidate(problem.to_string()))?;
        let job = Job {
            genotype: &task.genotype,
            key: &task.key,
            program: &program,
            fidelity: task.fidelity,
            seed: task.seed,
            last: task.last,
            device,
            checkpoint: task.checkpoint.as_deref(),
            heritage: task.heritage.as_ref(),
        };
        self.evaluator.evaluate(&job, progress)
    }
}

struct Reporting<'a> {
    trial: TrialId,
    reporter: &'a Sender<Report>,
    stop: [&'a AtomicBool; 2],
    /// Whether the evaluator was told to stop.
    asked: AtomicBool,
    watch: Option<&'a Watch>,
    heard: Mutex<Heard>,
}

/// What an evaluation reported.
#[derive(Default)]
struct Heard {
    curve: Curve,
    stopped: Option<Box<Stopped>>,
}

impl Reporting<'_> {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Reporting<'_> {
    fn report(&self, done: Fidelity, metrics: &Metrics) -> bool {
        let mut heard = self.heard();
        // What goes on after it was stopped changes nothing any more.
        if heard.stopped.is_none() && heard.curve.add(done, metrics) {
            let stopped = self.watch.and_then(|watch| watch.look(&heard.curve, metrics));
            heard.stopped = stopped.map(Box::new);
        }
        drop(heard);
        let _ = self.reporter.send(Report::Step(self.trial, done, metrics.clone()));
        !self.should_stop()
    }

    fn should_stop(&self) -> bool {
        let stop = self.stop.iter().any(|flag| flag.load(Relaxed)) || self.heard().stopped.is_some();
        self.asked.fetch_or(stop, Relaxed);
        stop
    }
}

#[cfg(test)]
mod tests;
