//! Trainings from files, on pictures that grow, and on pictures that cannot be read.

use std::path::Path;

use super::tests::training;
use super::*;
use crate::data::{FileSet, Set, Source};
use crate::ir::{Conv, Primitive};
use crate::recipe::{Augment, Progressive, RandAugment};

/// A network whose parameters do not depend on the pictures' size.
fn network(channels: usize, side: usize, classes: usize) -> Graph {
    let mut graph = Graph::new(Shape::Map { channels, height: side, width: side });
    let x = graph.add(Primitive::Conv(Conv::square(8, 3)), &[graph.input()]).unwrap();
    let x = graph.add(Primitive::BATCH_NORM, &[x]).unwrap();
    let x = graph.add(Primitive::RELU, &[x]).unwrap();
    let x = graph.add(Primitive::GlobalAvgPool, &[x]).unwrap();
    let x = graph.add(Primitive::Flatten, &[x]).unwrap();
    let x = graph.add(Primitive::Dropout { rate: 0.1 }, &[x]).unwrap();
    let x = graph.add(Primitive::Linear { features: classes, bias: true }, &[x]).unwrap();
    graph.set_output(x);
    graph
}

/// Red and blue pictures of several sizes.
fn paint(folder: &Path) {
    for (part, count) in [("train", 40), ("val", 10), ("test", 10)] {
        for (class, colour) in [("red", [200, 40, 40]), ("blue", [40, 40, 200])] {
            let place = folder.join(part).join(class);
            std::fs::create_dir_all(&place).unwrap();
            for index in 0..count {
                let shade = |x: u32, y: u32| {
                    colour.map(|value: u8| value.wrapping_add((x * 3 + y * 2 + index) as u8 % 40))
                };
                let picture = image::RgbImage::from_fn(20 + index, 24, |x, y| image::Rgb(shade(x, y)));
                picture.save(place.join(format!("{index:02}.jpg"))).unwrap();
            }
        }
    }
}

fn files(folder: &Path) -> FileSet {
    let source = Source::Stream { path: folder.into(), size: 16, channels: 3, middle: 0.875 };
    let Set::Files(files) = source.open().unwrap() else { panic!("a stream is files") };
    files
}

fn recipe() -> Recipe {
    let rand_augment = RandAugment { ops: 1, magnitude: 6.0 };
    let augment = Augment { flip: true, resized_crop: 0.4, rand_augment, cutmix: 0.2, ..Augment::default() };
    let progressive = Progressive { stages: 2, size: 0.5, dropout: 0.0, ..Progressive::default() };
    Recipe { batch: 16, learning_rate: 0.05, augment, progressive, ..Recipe::default() }
}

fn streamed<'a>(
    graph: &'a Graph,
    smaller: &'a [Graph],
    recipe: &'a Recipe,
    data: &'a FileSet,
) -> Training<'a> {
    Training {
        graph,
        smaller,
        recipe,
        epochs: 4,
        whole: 4,
        parent: None,
        seed: Seed(1),
        train: (&data.train).into(),
        validation: Some((&data.validation).into()),
        loaders: 2,
        normal: (&data.mean, &data.deviation),
        device: Device::Cpu,
        checkpoint: None,
    }
}

#[test]
fn colours_are_learnt_from_files_that_grow_and_a_killed_training_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    paint(folder.path());
    let (data, recipe) = (files(folder.path()), recipe());
    let (graph, smaller) = (network(3, 16, 2), [network(3, 8, 2)]);
    let whole = streamed(&graph, &smaller, &recipe, &data).run(&mut |_| true).unwrap();
    let score = whole.curve[3].validation.unwrap();
    assert!(score.accuracy > 0.9, "{:?}", whole.curve);
    assert_eq!((whole.throughput.pictures, whole.throughput.broken.count()), (4 * 80, 0));
    let path = folder.path().join("trial.safetensors");
    let kept = Training { checkpoint: Some(&path), loaders: 1, ..streamed(&graph, &smaller, &recipe, &data) };
    assert_eq!(kept.run(&mut |epoch| epoch.number < 3).unwrap_err(), NnError::Stopped);
    let resumed = kept.run(&mut |_| true).unwrap();
    assert_eq!((resumed.curve, resumed.weights), (whole.curve, whole.weights.clone()));
    let normal = (&data.mean[..], &data.deviation[..]);
    let (test, _) = score_of(&graph, &whole.weights, &data, normal);
    assert!(test.accuracy > 0.9, "{test:?}");
}

fn score_of(graph: &Graph, weights: &Weights, data: &FileSet, normal: (&[f32], &[f32])) -> (Score, Broken) {
    score(graph, weights, (&data.test).into(), normal, Device::Cpu).unwrap()
}

#[test]
fn pictures_that_cannot_be_decoded_are_skipped_and_named_and_do_not_end_a_training() {
    let folder = tempfile::tempdir().unwrap();
    paint(folder.path());
    let (data, recipe) = (files(folder.path()), recipe());
    let (graph, smaller) = (network(3, 16, 2), [network(3, 8, 2)]);
    let broken = folder.path().join("train/red/07.jpg");
    let whole = std::fs::read(&broken).unwrap();
    std::fs::write(&broken, &whole[..whole.len() / 2]).unwrap();
    std::fs::write(folder.path().join("test/blue/03.jpg"), b"no picture").unwrap();
    let trained = streamed(&graph, &smaller, &recipe, &data).run(&mut |_| true).unwrap();
    let text = trained.throughput.broken.to_string();
    assert_eq!(trained.throughput.broken.count(), 1);
    assert!(text.contains("train/red/07.jpg (cut short"), "{text}");
    let (_, unseen) = score_of(&graph, &trained.weights, &data, (&data.mean, &data.deviation));
    assert!(unseen.to_string().contains("03.jpg (neither a JPEG nor a PNG"), "{unseen}");
    for index in 0..data.train.len() {
        std::fs::write(data.train.path(index), b"").unwrap();
    }
    let error = streamed(&graph, &smaller, &recipe, &data).run(&mut |_| true).unwrap_err().to_string();
    assert!(
        error.contains("nothing to learn from in epoch 1") && error.contains("the file is empty"),
        "{error}"
    );
}

#[test]
fn pictures_in_memory_grow_too_and_networks_that_cannot_are_refused() {
    let data = Source::Digits.load().unwrap();
    let progressive = Progressive { stages: 2, size: 0.5, ..Progressive::default() };
    let recipe = Recipe { learning_rate: 0.05, progressive, ..Recipe::default() };
    let (graph, smaller) = (network(1, 8, 10), [network(1, 4, 10)]);
    let grown = Training { smaller: &smaller, ..training(&graph, &recipe, &data, 2) };
    let trained = grown.run(&mut |_| true).unwrap();
    // Better than a guess among ten classes.
    assert!(trained.curve[1].validation.unwrap().loss < 2.3, "{:?}", trained.curve);
    let said = |training: Training| training.run(&mut |_| true).unwrap_err().to_string();
    let missing = said(Training { smaller: &[], ..grown });
    assert!(missing.contains("no network for the 4x4 pictures of epoch 1"), "{missing}");
    let flat = |side: usize| {
        let mut graph = Graph::new(Shape::Map { channels: 1, height: side, width: side });
        let x = graph.add(Primitive::Flatten, &[graph.input()]).unwrap();
        let x = graph.add(Primitive::Linear { features: 10, bias: true }, &[x]).unwrap();
        graph.set_output(x);
        graph
    };
    let (graph, smaller) = (flat(8), [flat(4)]);
    let refused = said(Training { smaller: &smaller, ..training(&graph, &recipe, &data, 2) });
    assert!(
        refused.contains("depends on the size of the pictures") && refused.contains("pool globally"),
        "{refused}"
    );
}
