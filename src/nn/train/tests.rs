//! Learning, repeating, going on, and refusing.

use super::*;
use crate::data::{Dataset, Source};
use crate::ir::{Conv, Primitive, Window};
use crate::recipe::{Augment, Optimizer, Precision, Schedule};

/// A small network for the digits, with batch norm, dropout and drop path.
fn network() -> Graph {
    let mut graph = Graph::new(Shape::Map { channels: 1, height: 8, width: 8 });
    let x = graph.add(Primitive::Conv(Conv::square(8, 3)), &[graph.input()]).unwrap();
    let x = graph.add(Primitive::BATCH_NORM, &[x]).unwrap();
    let x = graph.add(Primitive::RELU, &[x]).unwrap();
    graph.set_auxiliary(x);
    let y = graph.add(Primitive::Conv(Conv::square(8, 3)), &[x]).unwrap();
    let y = graph.add(Primitive::DropPath { depth: 1.0 }, &[y]).unwrap();
    let x = graph.add(Primitive::Add, &[x, y]).unwrap();
    let x = graph.add(Primitive::BATCH_NORM, &[x]).unwrap();
    let x = graph.add(Primitive::MaxPool(Window::padded(3, 2)), &[x]).unwrap();
    let x = graph.add(Primitive::Flatten, &[x]).unwrap();
    let x = graph.add(Primitive::Dropout { rate: 0.1 }, &[x]).unwrap();
    let x = graph.add(Primitive::Linear { features: 10, bias: true }, &[x]).unwrap();
    graph.set_output(x);
    graph
}

fn recipe() -> Recipe {
    let augment = Augment { crop: 1, cutout: 2, mixup: 0.1, ..Augment::default() };
    Recipe { learning_rate: 0.05, drop_path: 0.1, label_smoothing: 0.05, augment, ..Recipe::default() }
}

pub(super) fn training<'a>(
    graph: &'a Graph,
    recipe: &'a Recipe,
    data: &'a Dataset,
    epochs: u32,
) -> Training<'a> {
    Training {
        graph,
        recipe,
        epochs,
        whole: epochs,
        parent: None,
        seed: Seed(1),
        smaller: &[],
        train: (&data.train).into(),
        validation: Some((&data.validation).into()),
        loaders: 1,
        normal: (&data.mean, &data.deviation),
        device: Device::Cpu,
        checkpoint: None,
    }
}

#[test]
fn digits_are_learnt_and_the_score_comes_back_from_the_weights() {
    let (graph, recipe, data) = (network(), recipe(), Source::Digits.load().unwrap());
    let mut heard = Vec::new();
    let trained = training(&graph, &recipe, &data, 6)
        .run(&mut |epoch| {
            heard.push(*epoch);
            true
        })
        .unwrap();
    assert_eq!(heard, trained.curve);
    let last = trained.curve[5].validation.unwrap();
    assert!(last.accuracy > 0.9 && last.loss < 0.5, "{:?}", trained.curve);
    assert!(trained.curve[5].train_loss < trained.curve[0].train_loss);
    let normal = (&data.mean[..], &data.deviation[..]);
    let again = score(&graph, &trained.weights, (&data.validation).into(), normal, Device::Cpu);
    assert_eq!(again.unwrap().0, last);
}

#[test]
fn trainings_side_by_side_are_the_same_to_the_bit_as_alone() {
    let (graph, recipe, data) = (network(), recipe(), Source::Digits.load().unwrap());
    let run = || training(&graph, &recipe, &data, 2).run(&mut |_| true).unwrap();
    let alone = run();
    let beside: Vec<Trained> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for other in beside {
        assert_eq!(other.curve, alone.curve);
        assert_eq!(other.weights, alone.weights);
    }
    let other = Training { seed: Seed(2), ..training(&graph, &recipe, &data, 2) };
    assert_ne!(other.run(&mut |_| true).unwrap().curve, alone.curve);
}

#[test]
fn a_killed_training_goes_on_as_if_nothing_had_happened() {
    let (graph, data) = (network(), Source::Digits.load().unwrap());
    let optimizers = [
        Optimizer::default(),
        Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        Optimizer::RmsProp { alpha: 0.9, momentum: 0.9, epsilon: 1e-3 },
    ];
    let plain = |optimizer| Recipe { optimizer, learning_rate: 0.01, ..recipe() };
    let full = Recipe { ema: 0.9, auxiliary: 0.4, precision: Precision::Bf16, clip_norm: 1.0, ..recipe() };
    for recipe in optimizers.map(plain).into_iter().chain([full]) {
        let whole = training(&graph, &recipe, &data, 4).run(&mut |_| true).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trial.safetensors");
        let kept = Training { checkpoint: Some(&path), ..training(&graph, &recipe, &data, 4) };
        for stop in [1, 3] {
            assert_eq!(kept.run(&mut |epoch| epoch.number < stop).unwrap_err(), NnError::Stopped);
        }
        let mut heard = Vec::new();
        let resumed = kept
            .run(&mut |epoch| {
                heard.push(epoch.number);
                true
            })
            .unwrap();
        assert_eq!(heard, [1, 2, 3, 4], "{:?}", recipe.optimizer);
        assert_eq!(resumed.curve, whole.curve);
        assert_eq!(resumed.weights, whole.weights);
    }
}

#[test]
fn a_checkpoint_of_another_training_is_refused() {
    let (graph, recipe, data) = (network(), recipe(), Source::Digits.load().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trial.safetensors");
    let first = Training { checkpoint: Some(&path), ..training(&graph, &recipe, &data, 2) };
    assert_eq!(first.run(&mut |_| false).unwrap_err(), NnError::Stopped);
    let hotter = Recipe { learning_rate: 0.06, ..recipe.clone() };
    for other in [
        Training { recipe: &hotter, ..first },
        Training { epochs: 3, whole: 3, ..first },
        Training { seed: Seed(9), ..first },
        Training { train: (&data.validation).into(), ..first },
    ] {
        let error = other.run(&mut |_| true).unwrap_err().to_string();
        assert!(error.contains("belongs to another network"), "{error}");
    }
    assert!(first.run(&mut |_| true).is_ok(), "the checkpoint was left alone");
}

#[test]
fn divergence_says_when() {
    let (graph, data) = (network(), Source::Digits.load().unwrap());
    let recipe =
        Recipe { learning_rate: 1e30, schedule: Schedule::Constant { warmup: 0.0 }, ..Recipe::default() };
    let error = training(&graph, &recipe, &data, 2).run(&mut |_| true).unwrap_err();
    let NnError::Diverged { epoch: 1, step, .. } = error else { panic!("{error}") };
    assert!(step >= 2, "{error}");
    assert!(error.to_string().starts_with("diverged at epoch 1, step "), "{error}");
}

#[test]
fn what_does_not_fit_is_refused_before_it_starts() {
    let (graph, recipe, data) = (network(), recipe(), Source::Digits.load().unwrap());
    let said = |training: Training| training.run(&mut |_| true).unwrap_err().to_string();
    let mut colour = Graph::new(Shape::Map { channels: 3, height: 8, width: 8 });
    let y = colour.add(Primitive::Flatten, &[colour.input()]).unwrap();
    colour.set_output(y);
    let error = said(training(&colour, &recipe, &data, 1));
    assert!(error.contains("the network takes [3, 8, 8], the pictures are (1, 8, 8)"), "{error}");
    let mut grey = Graph::new(Shape::Map { channels: 1, height: 8, width: 8 });
    assert!(said(training(&grey, &recipe, &data, 1)).contains("ends in a map"));
    let flat = grey.add(Primitive::Flatten, &[grey.input()]).unwrap();
    grey.set_output(flat);
    assert!(said(training(&grey, &recipe, &data, 1)).contains("no parameters to train"));
    let few = grey.add(Primitive::Linear { features: 9, bias: true }, &[flat]).unwrap();
    grey.set_output(few);
    assert!(said(training(&grey, &recipe, &data, 1)).contains("class 9 is met"));
    let mut huge = Graph::new(Shape::Map { channels: 1, height: 8, width: 8 });
    let y = huge.add(Primitive::Conv(Conv::square(1 << 26, 1)), &[huge.input()]).unwrap();
    let y = huge.add(Primitive::GlobalAvgPool, &[y]).unwrap();
    let y = huge.add(Primitive::Flatten, &[y]).unwrap();
    let y = huge.add(Primitive::Linear { features: 10, bias: true }, &[y]).unwrap();
    huge.set_output(y);
    if crate::nn::free_bytes().is_some() {
        assert!(said(training(&huge, &recipe, &data, 1)).contains("out of memory"));
    }
    assert!(training(&graph, &recipe, &data, 1).run(&mut |_| true).is_ok());
}

#[test]
fn a_batch_larger_than_the_data_is_all_of_it() {
    let (graph, data) = (network(), Source::Digits.load().unwrap());
    let recipe = Recipe { batch: 5000, ..recipe() };
    let training = training(&graph, &recipe, &data, 1);
    assert_eq!((training.batch(), training.steps()), (data.train.labels.len(), 1));
    assert!(training.run(&mut |_| true).is_ok());
}

/// What a training of some epochs comes to: its last epoch and its weights.
fn last(recipe: &Recipe, epochs: u32) -> (Epoch, Weights) {
    let (graph, data) = (network(), Source::Digits.load().unwrap());
    let trained = training(&graph, recipe, &data, epochs).run(&mut |_| true).unwrap();
    (*trained.curve.last().unwrap(), trained.weights)
}

#[test]
fn bfloat16_learns_as_float32_does_and_keeps_its_weights_in_32_bits() {
    let rounded = Recipe { precision: Precision::Bf16, ..recipe() };
    let ((full, _), (half, weights)) = (last(&recipe(), 3), last(&rounded, 3));
    assert_ne!(full, half);
    let far = (full.train_loss - half.train_loss).abs() / full.train_loss;
    assert!(far < 0.05, "{full:?} {half:?}");
    let accuracy = |epoch: Epoch| epoch.validation.unwrap().accuracy;
    assert!((accuracy(full) - accuracy(half)).abs() < 0.05, "{full:?} {half:?}");
    let kept = |value: &f32| value.to_bits() & 0xffff != 0;
    let (_, values) = &weights["conv/weight"];
    assert!(
        values.iter().filter(|value| kept(value)).count() > values.len() / 2,
        "master weights are rounded"
    );
    assert!(weights["batch_norm/running_mean"].1.iter().any(kept), "norm statistics are rounded");
}

#[test]
fn fp32_is_refused_where_kernels_do_not_promise_it() {
    let exact = Recipe { precision: Precision::Fp32, ..recipe() };
    let said =
        check_precision(exact.precision, Device::Cuda(1), &crate::nn::device()).unwrap_err().to_string();
    assert!(said.contains("`precision: Fp32` is not to be had on cuda:1"), "{said}");
    assert_eq!(last(&exact, 1), last(&Recipe { precision: Precision::Tf32, ..exact.clone() }, 1));
}

#[test]
fn a_moving_average_is_what_is_judged_and_kept() {
    let (plain, weights) = last(&recipe(), 2);
    let forgetful = last(&Recipe { ema: 1e-30, ..recipe() }, 2);
    assert_eq!(
        (plain, &weights),
        (forgetful.0, &forgetful.1),
        "an average that forgets at once is the last step"
    );
    let (averaged, slow) = last(&Recipe { ema: 0.999, ..recipe() }, 2);
    assert_eq!(averaged.train_loss, plain.train_loss, "the average moves nothing");
    assert_ne!(averaged.validation, plain.validation);
    assert!(slow["conv/weight"] != weights["conv/weight"]);
    assert!(slow["batch_norm/running_mean"] != weights["batch_norm/running_mean"]);
}

#[test]
fn a_second_classifier_teaches_and_is_not_kept() {
    let (plain, weights) = last(&recipe(), 1);
    let (taught, other) = last(&Recipe { auxiliary: 0.4, ..recipe() }, 1);
    assert_ne!(plain, taught);
    assert!(weights.keys().eq(other.keys()));
    assert_ne!(weights["conv/weight"], other["conv/weight"]);
    let data = Source::Digits.load().unwrap();
    let mut graph = Graph::new(Shape::Map { channels: 1, height: 8, width: 8 });
    let x = graph.add(Primitive::Flatten, &[graph.input()]).unwrap();
    let x = graph.add(Primitive::Linear { features: 10, bias: true }, &[x]).unwrap();
    graph.set_output(x);
    let recipe = Recipe { auxiliary: 0.4, ..recipe() };
    let said = training(&graph, &recipe, &data, 1).run(&mut |_| true).unwrap_err().to_string();
    assert!(said.contains("`auxiliary` asks for a second classifier"), "{said}");
}
