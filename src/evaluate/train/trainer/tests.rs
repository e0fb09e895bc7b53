//! Trainings of candidates on the embedded digits, as trials and as a winner's last.

use super::*;
use crate::data::Source;
use crate::evaluate::{Heritage, Prepare, lone_job};
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

fn config(inherits: bool) -> Train {
    let data = Source::Digits;
    Train {
        data,
        limit: 600,
        validation_limit: 0,
        threads: 1,
        resume: inherits,
        inherit: inherits,
        loaders: 1,
    }
}

fn digits() -> Box<dyn Evaluate> {
    config(false).prepare(&anything()).unwrap()
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
    let said = |candidate: &Value, most| evaluator.evaluate(&job(candidate), &listener(most)).unwrap_err();
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
fn a_child_starts_from_its_parent_and_a_promotion_goes_on() {
    let candidate = candidate(10, LAYERS, RECIPE);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| Some(folder.path().join(name));
    let evaluator = config(true).prepare(&anything()).unwrap();
    let evaluate = |fidelity, checkpoint: Option<&std::path::Path>, heritage: &Heritage| {
        let fidelity = Fidelity(fidelity);
        let job = Job { fidelity, checkpoint, heritage: Some(heritage), ..job(&candidate) };
        evaluator.evaluate(&job, &listener(9)).unwrap().metrics
    };
    let alone = Heritage { leave: path("parent"), ..Heritage::default() };
    let parent = evaluate(1, None, &alone);
    let child = evaluate(1, None, &Heritage { parent: path("parent"), ..Heritage::default() });
    assert_eq!((parent["inherited"], child["inherited"]), (0.0, 1.0));
    assert!(child["train_loss"] < parent["train_loss"] - 0.1, "{child:?} after {parent:?}");
    // The first two epochs of three, then the third: together what three at once are.
    let part = Heritage { whole: Some(Fidelity(3)), ..Heritage::default() };
    let checkpoint = path("checkpoint");
    let whole = evaluate(3, None, &part);
    let two = evaluate(2, checkpoint.as_deref(), &part);
    assert_eq!(evaluate(3, checkpoint.as_deref(), &part), whole);
    assert_ne!(two["accuracy"], whole["accuracy"]);
}

#[test]
fn data_that_is_not_there_is_a_users_mistake() {
    let train = Train { data: Source::Cifar10("no/such/folder".into()), ..config(false) };
    let error = train.prepare(&anything()).err().unwrap();
    assert!(error.to_string().contains("no/such/folder"), "{error}");
}
