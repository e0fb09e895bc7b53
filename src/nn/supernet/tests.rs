use super::*;
use crate::data::{FileSet, Set, Source};
use crate::device::Device;
use crate::ir::{Conv, Primitive, Shape, Weights};
use crate::recipe::{Augment, Precision, Progressive, RandAugment, Recipe};

/// Two convolutions; the second is named, so that networks share the first and differ in the second.
fn graph(second: &str) -> Graph {
    sized(second, 1, 8)
}

fn sized(second: &str, channels: usize, side: usize) -> Graph {
    let mut graph = Graph::new(Shape::Map { channels, height: side, width: side });
    let x = graph.add_named("first", Primitive::Conv(Conv::square(4, 3)), &[graph.input()]).unwrap();
    let x = graph.add_named("norm", Primitive::BATCH_NORM, &[x]).unwrap();
    let x = graph.relu(x).unwrap();
    let x = graph.add_named(second, Primitive::Conv(Conv::square(4, 3)), &[x]).unwrap();
    graph.set_auxiliary(x);
    let x = graph.add_named("pool", Primitive::GlobalAvgPool, &[x]).unwrap();
    let x = graph.add_named("flat", Primitive::Flatten, &[x]).unwrap();
    let x = graph.add_named("head", Primitive::Linear { features: 10, bias: true }, &[x]).unwrap();
    graph.set_output(x);
    graph
}

struct Digits(crate::data::Dataset, Recipe);

impl Digits {
    fn new() -> Digits {
        let recipe = Recipe { batch: 16, ..Recipe::default() };
        Digits(Source::Digits.load().unwrap().limited(200, 100), recipe)
    }

    fn lesson<'a>(&'a self, graph: &'a Graph, step: u64) -> Lesson<'a> {
        let normal = (&self.0.mean[..], &self.0.deviation[..]);
        let train = (&self.0.train).into();
        Lesson { graph, learnt: graph, recipe: &self.1, train, normal, share: 0.1, seed: Seed(step) }
    }

    fn validation(&self) -> Supply<'_> {
        (&self.0.validation).into()
    }

    fn score(&self, supernet: &mut Supernet, graph: &Graph) -> Score {
        let normal = (&self.0.mean[..], &self.0.deviation[..]);
        let (train, validation) = ((&self.0.train).into(), self.validation());
        supernet.snapshot(graph).unwrap().score(train, validation, normal, Seed(1)).unwrap().0
    }
}

/// A bank that loads pictures by so many threads.
fn bank(loaders: usize) -> Supernet {
    Supernet::new(Seed(1), Device::Cpu, loaders).unwrap()
}

fn weights(supernet: &Supernet) -> Weights {
    let one = |(key, held): (&Key, &Held)| (written(key), (key.1.clone(), floats(held.value.clone())));
    supernet.held.iter().map(one).collect()
}

#[test]
fn a_step_moves_the_path_and_nothing_else() {
    let (digits, a, b) = (Digits::new(), graph("a"), graph("b"));
    let mut supernet = bank(1);
    supernet.snapshot(&a).unwrap();
    supernet.snapshot(&b).unwrap();
    let before = weights(&supernet);
    supernet.update(&digits.lesson(&a, 1)).unwrap();
    let after = weights(&supernet);
    for (name, values) in &before {
        let moved = after[name] != *values;
        assert_eq!(moved, !name.starts_with("b/"), "{name}");
    }
    // Nor does it leave anything for a later step of the other: only what both have has a memory.
    let remembers = |name: &str| {
        let (_, held) = supernet.held.iter().find(|(key, _)| key.0 == name).unwrap();
        held.memories[0].steps
    };
    assert_eq!(["first/weight", "a/weight", "b/weight"].map(remembers), [1, 1, 0]);
}

#[test]
fn a_copy_leaves_the_shared_weights_as_they_are() {
    let (digits, a) = (Digits::new(), graph("a"));
    let mut supernet = bank(1);
    supernet.update(&digits.lesson(&a, 1)).unwrap();
    let before = weights(&supernet);
    let lesson = digits.lesson(&a, 2);
    let worth =
        |supernet: &mut Supernet, updates| supernet.worth(&lesson, updates, digits.validation(), 64).unwrap();
    let (as_is, stepped) = (worth(&mut supernet, 0), worth(&mut supernet, 1));
    assert_eq!(weights(&supernet), before);
    assert_ne!(as_is, stepped, "but the copy has moved");
    assert_eq!(worth(&mut supernet, 1), stepped);
    supernet.update(&lesson).unwrap();
    assert_eq!(worth(&mut supernet, 0), stepped, "the same step on the weights themselves comes to the same");
}

#[test]
fn a_step_that_undoes_what_was_learnt_is_not_taken() {
    let (mut digits, a) = (Digits::new(), graph("a"));
    let mut supernet = bank(1);
    supernet.update(&digits.lesson(&a, 1)).unwrap();
    let before = weights(&supernet);
    for rate in [1e3, 1e30] {
        digits.1.learning_rate = rate;
        supernet.update(&digits.lesson(&a, 2)).unwrap();
        assert_eq!(weights(&supernet), before, "{rate}");
    }
    // On a copy nothing is held back, and a second such step has no finite gradient.
    let error = supernet.worth(&digits.lesson(&a, 3), 2, digits.validation(), 64).unwrap_err();
    assert!(matches!(error, NnError::Diverged { .. }), "{error}");
    assert_eq!(weights(&supernet), before);
}

#[test]
fn goes_on_from_its_checkpoint_to_the_bit() {
    let (mut digits, a, b) = (Digits::new(), graph("a"), graph("b"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("supernet");
    let mut whole = bank(1);
    assert_eq!(bank(1).load(&path, 7).unwrap(), None);
    whole.update(&digits.lesson(&a, 1)).unwrap();
    digits.1.optimizer = crate::recipe::Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    whole.update(&digits.lesson(&b, 2)).unwrap();
    whole.save(&path, 7, b"notes").unwrap();
    let mut again = bank(1);
    assert_eq!(again.load(&path, 7).unwrap().as_deref(), Some(&b"notes"[..]));
    for (step, graph) in [(3, &a), (4, &b)] {
        let losses = [&mut whole, &mut again].map(|one| one.update(&digits.lesson(graph, step)).unwrap());
        assert_eq!(losses[0], losses[1]);
    }
    let sorted = |supernet: &Supernet| {
        let mut all = weights(supernet);
        all.sort_keys();
        all
    };
    assert_eq!(sorted(&whole), sorted(&again));
    assert!(again.load(&path, 8).unwrap_err().to_string().contains("another"), "another training's");
}

#[test]
#[cfg_attr(debug_assertions, ignore = "slow without optimisation: runs with --release")]
fn learns_and_takes_no_more_memory_after_a_thousand_steps() {
    let (digits, a, b) = (Digits::new(), graph("a"), graph("b"));
    let mut supernet = bank(1);
    let resident = || {
        let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        text.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or(0.0)
    };
    let mut early = 0.0;
    for step in 0..1000 {
        let lesson = digits.lesson(if step % 2 == 0 { &a } else { &b }, step);
        supernet.worth(&lesson, 1, digits.validation(), 64).unwrap();
        supernet.update(&lesson).unwrap();
        early = if step == 100 { resident() } else { early };
    }
    assert_eq!(supernet.len(), a.parameters().len() + 1, "one tensor more: the other second convolution");
    let late = resident();
    // Other tests of the process come and go beside this one: a leak of one copy a step would be far more.
    assert!(late < early * 1.1 + 8192.0, "{early} pages became {late}");
    for graph in [&a, &b] {
        let score = digits.score(&mut supernet, graph);
        assert!(score.accuracy > 0.5, "{score:?}");
    }
}

#[test]
fn half_precision_learns_as_much_on_weights_of_full_precision() {
    let learnt = |precision| {
        let (mut digits, a) = (Digits::new(), graph("a"));
        digits.1.precision = precision;
        let mut supernet = bank(1);
        let losses: Vec<f64> =
            (0..300).map(|step| supernet.update(&digits.lesson(&a, step)).unwrap()).collect();
        (losses, weights(&supernet))
    };
    let ((full, _), (half, shared)) = (learnt(Precision::Tf32), learnt(Precision::Bf16));
    assert_ne!(full, half, "it was the same computation");
    for (step, (full, half)) in full.iter().zip(&half).enumerate().take(60) {
        assert!((full - half).abs() < 0.02 + 0.05 * full, "step {step}: {full} and {half}");
    }
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let (first, last) = (mean(&half[..20]), mean(&half[280..]));
    assert!(last < 0.9 * first, "{first} became {last}");
    let is_rounded = |value: &f32| value.to_bits() & 0xffff == 0;
    assert!(
        shared.values().any(|(_, values)| !values.iter().all(is_rounded)),
        "the weights themselves are rounded"
    );
}

#[test]
fn pictures_are_cropped_scaled_and_changed_as_in_a_training_of_their_own() {
    let (mut digits, a) = (Digits::new(), graph("a"));
    let stepped = |digits: &Digits, loaders| {
        let mut supernet = bank(loaders);
        let loss = supernet.update(&digits.lesson(&a, 1)).unwrap();
        (loss, weights(&supernet))
    };
    let plain = stepped(&digits, 1);
    digits.1.augment.rand_augment = RandAugment { ops: 2, magnitude: 9.0 };
    let changed = stepped(&digits, 1);
    assert_ne!(changed.0, plain.0);
    assert_eq!(stepped(&digits, 3), changed, "whatever the number of threads");
    digits.1.augment.resized_crop = 0.3;
    assert_ne!(stepped(&digits, 1).0, changed.0);
    assert_eq!(bank(1).broken().count(), 0);
}

#[test]
fn pictures_grow_over_the_training_and_networks_that_cannot_are_refused() {
    let (mut digits, whole, small) = (Digits::new(), graph("a"), sized("a", 1, 4));
    digits.1.learning_rate = 0.01;
    digits.1.progressive = Progressive { stages: 2, size: 0.5, ..Progressive::default() };
    let mut supernet = bank(1);
    let early = Lesson { learnt: &small, ..digits.lesson(&whole, 1) };
    supernet.update(&early).unwrap();
    // What is learnt from small pictures is the network's own, and is judged on whole ones.
    assert_eq!(supernet.len(), whole.parameters().len());
    let worth = supernet.worth(&early, 1, digits.validation(), 64).unwrap();
    assert!(worth.loss.is_finite() && worth.loss < 3.0, "{worth:?}");
    let late = Lesson { share: 0.9, ..digits.lesson(&whole, 2) };
    supernet.update(&late).unwrap();
    let flat = |side: usize| {
        let mut graph = Graph::new(Shape::Map { channels: 1, height: side, width: side });
        let x = graph.add(Primitive::Flatten, &[graph.input()]).unwrap();
        let x = graph.add(Primitive::Linear { features: 10, bias: true }, &[x]).unwrap();
        graph.set_output(x);
        graph
    };
    let (whole, small) = (flat(8), flat(4));
    let error = supernet.update(&Lesson { learnt: &small, ..digits.lesson(&whole, 1) }).unwrap_err();
    assert!(error.to_string().contains("pool globally before the classifier"), "{error}");
}

#[test]
fn a_second_classifier_teaches_and_is_not_judged() {
    let (mut digits, a) = (Digits::new(), graph("a"));
    digits.1.learning_rate = 0.01;
    let mut without = bank(1);
    without.update(&digits.lesson(&a, 1)).unwrap();
    digits.1.auxiliary = 0.4;
    let mut with = bank(1);
    let loss = with.update(&digits.lesson(&a, 1)).unwrap();
    assert!(with.len() > a.parameters().len());
    let (without, all) = (weights(&without), weights(&with));
    assert_ne!(all["first/weight|4x1x3x3"], without["first/weight|4x1x3x3"], "its gradient comes along");
    assert!(loss < 5.0, "and its loss is not told: {loss}");
    assert_eq!(with.snapshot(&a).unwrap().count(), a.parameters().len());
    with.worth(&digits.lesson(&a, 2), 1, digits.validation(), 64).unwrap();
}

#[test]
fn averages_are_judged_and_kept() {
    let (mut digits, a) = (Digits::new(), graph("a"));
    (digits.1.ema, digits.1.learning_rate) = (0.5, 0.01);
    let mut supernet = bank(1);
    supernet.snapshot(&a).unwrap();
    let key = &supernet.held.keys().find(|key| key.0 == "a/weight").unwrap().clone();
    let first = |value: Tensor<1>| floats(value)[0];
    let before = first(supernet.held[key].value.clone());
    supernet.update(&digits.lesson(&a, 1)).unwrap();
    let held = &supernet.held[key];
    // The first step's decay is 2/11, below 0.5.
    let wanted = before * 2.0 / 11.0 + first(held.value.clone()) * 9.0 / 11.0;
    assert!((first(held.judged()) - wanted).abs() < 1e-6);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("supernet");
    supernet.save(&path, 7, b"").unwrap();
    let mut again = bank(1);
    again.load(&path, 7).unwrap();
    supernet.update(&digits.lesson(&a, 2)).unwrap();
    again.update(&digits.lesson(&a, 2)).unwrap();
    let judged = |supernet: &Supernet| floats(supernet.held[key].judged());
    assert_eq!(judged(&again), judged(&supernet));
    digits.1.ema = 0.0;
    supernet.update(&digits.lesson(&a, 3)).unwrap();
    assert_eq!(judged(&supernet), floats(supernet.held[key].value.clone()), "nothing is averaged any more");
}

/// Bright and dark pictures of several sizes in class folders.
fn paint(folder: &std::path::Path) -> FileSet {
    for (part, count) in [("train", 24), ("val", 8), ("test", 2)] {
        for (class, level) in [("bright", 200u8), ("dark", 40)] {
            let place = folder.join(part).join(class);
            std::fs::create_dir_all(&place).unwrap();
            for index in 0..count {
                let shade = |x: u32, y: u32| image::Luma([level + (x * 3 + y * 2 + index) as u8 % 40]);
                image::GrayImage::from_fn(14 + index, 20, shade)
                    .save(place.join(format!("{index:02}.jpg")))
                    .unwrap();
            }
        }
    }
    let source = Source::Stream { path: folder.into(), size: 8, channels: 1, middle: 0.875 };
    let Set::Files(files) = source.open().unwrap() else { panic!("a stream is files") };
    files
}

#[test]
fn pictures_in_files_are_learnt_from_and_broken_ones_are_skipped_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let (files, a) = (paint(folder.path()), graph("a"));
    let augment = Augment { flip: true, resized_crop: 0.5, mixup: 0.1, ..Augment::default() };
    let recipe = Recipe { batch: 16, learning_rate: 0.05, augment, ..Recipe::default() };
    let normal = (&files.mean[..], &files.deviation[..]);
    let train = Supply::from(&files.train);
    let lesson =
        |step| Lesson { graph: &a, learnt: &a, recipe: &recipe, train, normal, share: 0.1, seed: Seed(step) };
    let mut supernet = bank(2);
    std::fs::write(folder.path().join("train/dark/05.jpg"), b"no picture").unwrap();
    for step in 0..40 {
        supernet.update(&lesson(step)).unwrap();
    }
    assert!(supernet.broken().to_string().starts_with("1 picture cannot"), "{}", supernet.broken());
    let validation = Supply::from(&files.validation);
    let worth = supernet.worth(&lesson(40), 1, validation, 64).unwrap();
    let (score, broken) = supernet.snapshot(&a).unwrap().score(train, validation, normal, Seed(1)).unwrap();
    assert!(worth.accuracy > 0.8 && score.accuracy > 0.8, "{worth:?} {score:?}");
    assert!(broken.to_string().contains("05.jpg"), "met while statistics were counted: {broken}");
    let shared = weights(&supernet);
    for index in 0..files.train.len() {
        std::fs::write(files.train.path(index), b"").unwrap();
    }
    let error = supernet.update(&lesson(41)).unwrap_err().to_string();
    assert!(error.contains("not one picture of a batch") && error.contains("the file is empty"), "{error}");
    assert_eq!(weights(&supernet), shared);
}
