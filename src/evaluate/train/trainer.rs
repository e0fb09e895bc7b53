//! The evaluator behind [`Train`](super::Train): data in memory, one thread pool a training.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use rayon::ThreadPoolBuilder;

use super::Train;
use super::supernet::Shared;
use crate::candidate::Candidate;
use crate::data::{Dataset, Pictures};
use crate::device::Device;
use crate::error::Error;
use crate::evaluate::{self, Evaluate, Failure, Job, Outcome, Progress, Share};
use crate::ir::{Graph, Weights};
use crate::nn::{self, Epoch, NnError, Trained, Training, score};
use crate::random::fnv1a;
use crate::trial::{Fidelity, Metrics, Supernet, SupernetError};

pub(super) struct Trainer {
    /// What search-time trials see.
    search: Dataset,
    /// What the last training of a winner learns from: all training and validation pictures.
    last: Pictures,
    threads: usize,
    /// Weights that all candidates share, in a one-shot search.
    shared: Mutex<Option<nn::Supernet>>,
}

impl Trainer {
    pub(super) fn new(config: &Train) -> Result<Trainer, Error> {
        let data = config.data.load()?;
        let last = data.train.join(&data.validation);
        let search = data.limited(config.limit, config.validation_limit);
        Ok(Trainer { search, last, threads: config.threads.max(1), shared: Mutex::default() })
    }

    fn train(&self, job: &Job, progress: &dyn Progress) -> Result<Outcome, Failure> {
        let candidate = job.network()?;
        if job.fidelity == Fidelity(0) {
            return self.look(&candidate, job.seed);
        }
        let graph = self.graph(&candidate)?;
        let cost = graph.cost();
        let size = [("params", cost.params as f64), ("macs", cost.macs as f64)];
        let mut heard = |epoch: &Epoch| {
            let metrics = named(figures(epoch).into_iter().chain(size));
            progress.report(Fidelity(epoch.number), &metrics)
        };
        let trained = self.training(job, &graph, &candidate).run(&mut heard).map_err(failure)?;
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
        let (shape, classes) = (self.search.shape(), self.search.classes.len());
        if (task.input, task.classes) != (shape, classes) {
            return Err(Failure::Candidate(format!(
                "the task is {:?} pictures of {} classes, the data has {shape:?} and {classes}: make `task` and \
                 the evaluator's `data` agree",
                task.input, task.classes
            )));
        }
        candidate.graph().map_err(|error| Failure::Candidate(error.to_string()))
    }

    fn training<'a>(&'a self, job: &'a Job, graph: &'a Graph, candidate: &'a Candidate) -> Training<'a> {
        Training {
            graph,
            recipe: &candidate.training,
            epochs: job.fidelity.0,
            seed: job.seed,
            train: if job.last { &self.last } else { &self.search.train },
            validation: (!job.last).then_some(&self.search.validation),
            normal: self.normal(),
            device: job.device,
            checkpoint: job.checkpoint,
        }
    }

    /// The weights with what their user must know of the data.
    fn described(&self, weights: Weights) -> evaluate::Trained {
        let Dataset { classes, mean, deviation, .. } = self.search.clone();
        evaluate::Trained { weights, classes, mean, deviation }
    }

    /// What search-time trials learn from.
    pub(super) fn train_pictures(&self) -> &Pictures {
        &self.search.train
    }

    /// What search-time trials are judged by.
    pub(super) fn validation_pictures(&self) -> &Pictures {
        &self.search.validation
    }

    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    pub(super) fn shared(&self) -> &Mutex<Option<nn::Supernet>> {
        &self.shared
    }

    /// Tells the data that search-time trials see from other data.
    pub(super) fn identity(&self) -> u64 {
        let parts = [&self.search.train, &self.search.validation];
        let of = |part: &Pictures| (fnv1a(&part.pixels), part.len(), part.shape);
        fnv1a(format!("{:?} {:?}", parts.map(of), self.normal()).as_bytes())
    }

    pub(super) fn normal(&self) -> (&[f32], &[f32]) {
        (&self.search.mean, &self.search.deviation)
    }

    fn tested(
        &self,
        graph: &Graph,
        trained: &Trained,
        device: Device,
    ) -> Result<Vec<(&'static str, f64)>, Failure> {
        let test =
            score(graph, &trained.weights, &self.search.test, self.normal(), device).map_err(failure)?;
        let learnt = trained.curve.last().map_or(f64::NAN, |epoch| epoch.train_loss);
        Ok(vec![("test_accuracy", test.accuracy), ("test_loss", test.loss), ("train_loss", learnt)])
    }
}

impl Evaluate for Trainer {
    fn metrics(&self) -> Vec<&str> {
        super::METRICS.to_vec()
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
        other => Failure::Candidate(other.to_string()),
    }
}

pub(super) fn panicked(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.unwrap_or_else(|| "without a message".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Source;
    use crate::evaluate::{Prepare, lone_job};
    use crate::random::Seed;
    use crate::space::Space;
    use crate::symbolic::{Value, from_value, to_value};
    use std::sync::Mutex;

    /// Keeps what it hears, and asks to stop after so many epochs.
    struct Listener {
        heard: Mutex<Vec<(Fidelity, Metrics)>>,
        most: u32,
    }

    impl Progress for Listener {
        fn report(&self, done: Fidelity, metrics: &Metrics) -> bool {
            self.heard.lock().unwrap().push((done, metrics.clone()));
            done.0 < self.most
        }
    }

    fn listener(most: u32) -> Listener {
        Listener { heard: Mutex::default(), most }
    }

    fn anything() -> Space {
        Space::untyped(&Value::unit("Anything")).unwrap()
    }

    fn digits() -> Box<dyn Evaluate> {
        let train = Train { data: Source::Digits, limit: 600, validation_limit: 0, threads: 1 };
        train.prepare(&anything()).unwrap()
    }

    fn candidate(classes: usize, layers: &str, recipe: &str) -> Value {
        let text = format!(
            "(task: (input: (1, 8, 8), classes: {classes}), architecture: Sequential([{layers}]), training: ({recipe}))"
        );
        to_value(&ron::from_str::<Candidate>(&text).unwrap()).unwrap()
    }

    fn graph(program: &Value) -> Graph {
        from_value::<Candidate>(program).unwrap().graph().unwrap()
    }

    const LAYERS: &str = "ConvBnRelu(ConvBnRelu(channels: Some(16))), MaxPool(MaxPool(stride: Some(2))), \
                          ConvBnRelu(ConvBnRelu(channels: Some(32)))";
    const RECIPE: &str = "batch: 16";

    fn job(program: &Value) -> Job<'_> {
        Job { fidelity: Fidelity(2), seed: Seed(3), ..lone_job(program) }
    }

    #[test]
    fn a_search_time_trial_is_scored_on_validation_data() {
        let candidate = candidate(10, LAYERS, RECIPE);
        let (evaluator, listener) = (digits(), listener(9));
        let outcome = evaluator.evaluate(&job(&candidate), &listener).unwrap();
        let names: Vec<&str> = outcome.metrics.keys().map(String::as_str).collect();
        assert_eq!(names, evaluator.metrics());
        assert!(outcome.metrics["accuracy"] > 0.3, "{:?}", outcome.metrics);
        assert_eq!(outcome.metrics["params"], graph(&candidate).cost().params as f64);
        assert_eq!(outcome.trained, None);
        let heard = listener.heard.into_inner().unwrap();
        assert_eq!(heard.iter().map(|(done, _)| done.0).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(heard[1].1, outcome.metrics);
    }

    #[test]
    fn the_last_training_reports_the_test_split_and_returns_weights() {
        let candidate = candidate(10, LAYERS, RECIPE);
        let job = Job { last: true, ..job(&candidate) };
        let outcome = digits().evaluate(&job, &listener(9)).unwrap();
        assert!(outcome.metrics["test_accuracy"] > 0.5, "{:?}", outcome.metrics);
        assert!(!outcome.metrics.contains_key("accuracy"));
        let trained = outcome.trained.unwrap();
        assert_eq!(trained.weights.len(), graph(&candidate).parameters().len());
        assert_eq!((trained.classes.len(), trained.mean.len()), (10, 1));
    }

    #[test]
    fn failures_are_the_candidates_and_stopping_is_not_one() {
        let evaluator = digits();
        let said =
            |candidate: &Value, most| evaluator.evaluate(&job(candidate), &listener(most)).unwrap_err();
        assert_eq!(said(&candidate(10, LAYERS, RECIPE), 1), Failure::Stopped);
        let Failure::Candidate(text) = said(&candidate(7, LAYERS, RECIPE), 9) else { panic!("stopped") };
        assert!(text.contains("pictures of 7 classes, the data has (1, 8, 8) and 10"), "{text}");
        let hot = "learning_rate: 1e30, schedule: Constant()";
        let Failure::Candidate(text) = said(&candidate(10, LAYERS, hot), 9) else { panic!("stopped") };
        assert!(text.starts_with("diverged at epoch 1, step "), "{text}");
    }

    #[test]
    fn a_panic_in_a_training_is_a_failure_with_its_words() {
        struct Broken;
        impl Progress for Broken {
            fn report(&self, _done: Fidelity, _metrics: &Metrics) -> bool {
                panic!("the listener broke")
            }
        }
        let candidate = candidate(10, LAYERS, RECIPE);
        let evaluator = digits();
        let failure = evaluator.evaluate(&job(&candidate), &Broken).unwrap_err();
        assert_eq!(failure, Failure::Candidate("panicked: the listener broke".into()));
        assert!(evaluator.evaluate(&job(&candidate), &listener(9)).is_ok(), "the next one is not harmed");
    }

    #[test]
    fn data_that_is_not_there_is_a_users_mistake() {
        let train = Train {
            data: Source::Cifar10("no/such/folder".into()),
            limit: 0,
            validation_limit: 0,
            threads: 1,
        };
        let error = train.prepare(&anything()).err().unwrap();
        assert!(error.to_string().contains("no/such/folder"), "{error}");
    }
}
