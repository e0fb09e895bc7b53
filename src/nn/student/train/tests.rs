//! Students that learn, that go on, and that are given strange things to learn from.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::*;
use crate::data::{
    Bounds, Class, Classes, DataError, IGNORE, Object, Picture, Plane, Sample, SampleSource, Scenes,
};
use crate::ir::Graph;
use crate::must::augment::{Augment, Augmentation};
use crate::must::metrics::{
    Alignment, AveragePrecision, DepthError, Detection, MeanIou, NormalAngle, TopOne,
};
use crate::must::student::TaskWeights;
use crate::nn::{Bank, features, predict};

/// Samples in memory.
struct List(Vec<Sample>, Classes);

impl Samples for List {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn classes(&self) -> &Classes {
        &self.1
    }

    fn name(&self, index: usize) -> String {
        self.0[index].name.clone()
    }

    fn sample(&self, index: usize) -> Result<Sample, DataError> {
        Ok(self.0[index].clone())
    }
}

fn student(channels: [usize; 3], size: (usize, usize)) -> Student {
    let stage =
        |channels: usize| format!("(op: ConvBnRelu(()), repeats: 1, channels: {channels}, stride: 2)");
    let text = format!("Staged((stem: (stride: 1), stages: [{}]))", channels.map(stage).join(", "));
    let backbone = ron::from_str(&text).expect("a network");
    Student::new(backbone, size, Label::ALL.to_vec(), Scenes::default().classes())
}

fn tiny() -> Student {
    Student { pyramid: 8, tower: 1, ..student([4, 8, 8], (16, 16)) }
}

fn scenes(text: &str) -> Box<dyn Samples> {
    text.parse::<SampleSource>().expect("a source").open().expect("rendered")
}

const SMALL: &str = "Scenes(count: 12, width: 16, height: 16, objects: 2)";

fn source(samples: &dyn Samples) -> Source<'_> {
    Source { samples, share: 1.0 }
}

/// A set whose labels are all a teacher's.
struct Guessed<'a>(&'a dyn Samples);

impl Samples for Guessed<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn classes(&self) -> &Classes {
        self.0.classes()
    }

    fn name(&self, index: usize) -> String {
        self.0.name(index)
    }

    fn sample(&self, index: usize) -> Result<Sample, DataError> {
        let sample = self.0.sample(index)?;
        Ok(Sample { pseudo: sample.labels(), ..sample })
    }
}

fn training<'a>(student: &'a Student, lesson: &'a Lesson, sources: &'a [Source<'a>]) -> StudentTraining<'a> {
    let device = Device::Cpu;
    StudentTraining { student, lesson, sources, parent: None, seed: Seed(5), device, checkpoint: None }
}

#[test]
fn a_student_learns_all_five_tasks_at_once() {
    let student = student([16, 32, 64], (64, 64));
    let samples = scenes("Scenes(count: 8, width: 64, height: 64, seed: 3)");
    let augment = Augmentation::None;
    let lesson = Lesson { steps: 160, batch: 8, augment, weight_decay: 0.0, ..Lesson::default() };
    let sources = [source(&*samples)];
    let trained = training(&student, &lesson, &sources).run(&mut |_| true).expect("it learns");
    println!("{:.3} s a step", trained.seconds / lesson.steps as f64);
    for task in Label::ALL {
        let mean = |steps: &[Step]| {
            steps.iter().filter_map(|step| step.loss(task)).sum::<f64>() / steps.len() as f64
        };
        let (first, last) = (mean(&trained.curve[..5]), mean(&trained.curve[150..]));
        println!("{}: {first:.4} to {last:.4}", task.name());
        assert!(last < 0.35 * first, "{}: {first} to {last}", task.name());
    }

    let samples: Vec<Sample> = (0..8).map(|index| samples.sample(index).unwrap()).collect();
    let pictures: Vec<Picture> = samples.iter().map(|sample| sample.picture.clone()).collect();
    let said = predict(&student, &trained.weights, &pictures, Device::Cpu).expect("it answers");
    let (mut top, mut boxes, mut pixels) = (TopOne::default(), AveragePrecision::new(6), MeanIou::new(9));
    let (mut depths, mut angles) = (DepthError::new(Alignment::ScaleAndShift), NormalAngle::default());
    for (sample, said) in samples.iter().zip(said) {
        top.add(sample.class.as_ref().unwrap(), &said.class.unwrap());
        let found: Vec<Detection> = said.objects.unwrap().iter().map(Detection::of).collect();
        boxes.add(sample.objects.as_ref().unwrap(), &found);
        pixels.add(sample.segmentation.as_ref().unwrap(), &said.segmentation.unwrap().0);
        depths.add(sample.depth.as_ref().unwrap(), &said.depth.unwrap());
        angles.add(sample.normals.as_ref().unwrap(), &said.normals.unwrap());
    }
    let figures = [
        top.accuracy().unwrap(),
        boxes.scores().ap50.unwrap(),
        pixels.scores().unwrap().mean_iou,
        depths.scores().unwrap().delta[0],
        angles.scores().unwrap().within[0],
    ];
    println!("{figures:?}");
    let least = [0.99, 0.6, 0.5, 0.6, 0.5];
    assert!(figures.iter().zip(least).all(|(met, least)| *met >= least), "{figures:?}");
}

#[test]
fn what_has_no_labels_teaches_nothing_and_breaks_nothing() {
    let student = tiny();
    let picture = || Picture::from_fn(16, 16, |x, y| [x as u8 * 9, y as u8 * 9, 90]);
    let bare = |name: &str| Sample::unlabelled(name, picture());
    let samples = List(
        vec![
            bare("unlabelled"),
            Sample { objects: Some(vec![]), ..bare("no boxes") },
            Sample { segmentation: Some(Plane::filled(16, 16, IGNORE)), ..bare("ignored") },
            Sample { depth: Some(Plane::filled(16, 16, f32::NAN)), ..bare("holes") },
            Sample { depth: Some(Plane::filled(16, 16, 2.0)), ..bare("a wall") },
            Sample { normals: Some(Plane::filled(16, 16, [f32::NAN; 3])), ..bare("more holes") },
        ],
        student.classes.clone(),
    );
    let lesson = Lesson { steps: 6, batch: 4, normalised: Some(1.0), ..Lesson::default() };
    let guessed = Guessed(&samples);
    let sources = [source(&samples), source(&guessed)];
    let trained = training(&student, &lesson, &sources).run(&mut |_| true).expect("nothing breaks");
    assert!(trained.curve.iter().all(|step| step.losses.iter().all(|(task, _)| *task == Label::Objects)));
    assert!(trained.curve.iter().any(|step| step.loss(Label::Objects).is_some()));
    assert!(trained.weights.values().all(|(_, values)| values.iter().all(|value| value.is_finite())));

    let nothing = List(vec![bare("unlabelled")], student.classes.clone());
    let sources = [source(&nothing)];
    let trained = training(&student, &lesson, &sources).run(&mut |_| true).expect("nothing breaks");
    assert!(trained.curve.iter().all(|step| step.losses.is_empty()));
    let crowd =
        Object { crowd: true, ..Object::new(Bounds { left: 0.0, top: 0.0, width: 16.0, height: 16.0 }, 0) };
    let crowds =
        List(vec![Sample { objects: Some(vec![crowd]), ..bare("a crowd") }], student.classes.clone());
    let sources = [source(&crowds)];
    let trained = training(&student, &lesson, &sources).run(&mut |_| true).expect("nothing breaks");
    assert!(trained.curve[0].loss(Label::Objects).is_some_and(|loss| loss < 1.0));
}

/// A set whose files break after some were read.
struct Fragile<'a>(&'a dyn Samples, AtomicUsize);

impl Samples for Fragile<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn classes(&self) -> &Classes {
        self.0.classes()
    }

    fn name(&self, index: usize) -> String {
        self.0.name(index)
    }

    fn sample(&self, index: usize) -> Result<Sample, DataError> {
        match self.1.fetch_add(1, Relaxed) {
            reads if reads < 16 => self.0.sample(index),
            _ => Err(DataError::label("pics/9.png", crate::data::Place::Whole, "it is cut", "mend it")),
        }
    }
}

#[test]
fn a_file_that_breaks_on_the_way_is_named_and_no_step_is_lost() {
    let student = tiny();
    let samples = scenes("Scenes(count: 40, width: 16, height: 16, objects: 2)");
    let lesson = Lesson { steps: 8, batch: 4, ..Lesson::default() };
    let fragile = Fragile(&*samples, AtomicUsize::new(0));
    let (sources, broken) = ([source(&*samples)], [source(&fragile)]);
    let whole = training(&student, &lesson, &sources).run(&mut |_| true).expect("it learns");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("student");
    let mut done = 0;
    let first = StudentTraining { checkpoint: Some(&path), ..training(&student, &lesson, &broken) };
    let error = first.run(&mut |step| {
        done = step.number;
        true
    });
    assert_eq!(error.err(), Some(NnError::Sample("pics/9.png: it is cut\n  hint: mend it".into())));
    let mut heard = Vec::new();
    let second = StudentTraining { sources: &sources, ..first }.run(&mut |step| {
        heard.push(step.number);
        true
    });
    assert_eq!(heard, (done + 1..=8).collect::<Vec<_>>());
    assert!(second.expect("it goes on").weights == whole.weights, "not a bit differs from step {done} on");
}

#[test]
fn one_that_was_stopped_goes_on_as_if_nothing_had_happened() {
    let student = tiny();
    let samples = scenes(SMALL);
    let lesson = Lesson {
        steps: 60,
        batch: 4,
        ema: 0.9,
        weights: TaskWeights::Uncertainty,
        normalised: Some(0.5),
        augment: Augmentation::Own(Augment { copy_paste: 0.5, ..Augment::large(16, 16) }),
        ..Lesson::default()
    };
    let guessed = Guessed(&*samples);
    let sources = [source(&*samples), Source { share: 2.0, ..source(&guessed) }];
    let whole = training(&student, &lesson, &sources).run(&mut |_| true).expect("it learns");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("student");
    let kept = StudentTraining { checkpoint: Some(&path), ..training(&student, &lesson, &sources) };
    let killed = folder.path().join("killed");
    let stopped = kept.run(&mut |step| {
        if step.number == 53 {
            std::fs::copy(&path, &killed).expect("a checkpoint was written on the way");
        }
        step.number < 55
    });
    assert_eq!(stopped.err(), Some(NnError::Stopped));
    // Whoever stops loses no step, a kill those since the last checkpoint.
    for (checkpoint, first) in [(&path, 56), (&killed, 51)] {
        let mut heard = Vec::new();
        let resumed = StudentTraining { checkpoint: Some(checkpoint), ..kept }.run(&mut |step| {
            heard.push(step.number);
            true
        });
        let resumed = resumed.expect("it goes on");
        assert_eq!(heard, (first..=60).collect::<Vec<_>>());
        assert_eq!(resumed.curve, whole.curve);
        assert!(resumed.weights == whole.weights, "not a bit differs");
    }
    let other = Lesson { batch: 5, ..lesson.clone() };
    let refused = StudentTraining { lesson: &other, ..kept }.run(&mut |_| true).unwrap_err().to_string();
    assert!(refused.contains("belongs to another"), "{refused}");
}

#[test]
fn a_frozen_backbone_stays_as_it_was_and_a_parent_is_where_one_starts() {
    let student = tiny();
    let samples = scenes(SMALL);
    let lesson = Lesson { steps: 5, batch: 4, frozen: true, ..Lesson::default() };
    let parent = Bank::new(Seed(9)).export(&student.graph().unwrap());
    let sources = [source(&*samples)];
    let trained = StudentTraining { parent: Some(&parent), ..training(&student, &lesson, &sources) };
    let trained = trained.run(&mut |_| true).expect("heads learn");
    for (name, (_, values)) in trained.weights.iter().filter(|(name, _)| Student::is_backbone(name)) {
        assert!(parent[name].1 == *values, "{name} has changed");
    }
    for name in ["head/linear/weight", "pyramid/level0/conv/weight", "heads/depth/answer/weight"] {
        assert!(parent[name] != trained.weights[name], "{name} has not learned");
    }
    let pictures = [samples.sample(0).unwrap().picture];
    let [before, after] = [&parent, &trained.weights]
        .map(|weights| features(&student, weights, &pictures, Device::Cpu).expect("they are there"));
    assert_eq!(before, after);
    assert_eq!(before[0].len(), 4 + 4 + 8 + 8, "one number a channel of each stage");
}

#[test]
fn predictions_are_of_the_pictures_own_size() {
    let student = tiny();
    let graph: Graph = student.graph().unwrap();
    let weights = Bank::new(Seed(2)).export(&graph);
    let pictures = [(16, 16), (40, 11), (7, 30), (1, 1)].map(|(width, height)| {
        Picture::from_fn(width, height, |x, y| [(x * 5) as u8, (y * 7) as u8, (x + y) as u8])
    });
    let said = predict(&student, &weights, &pictures, Device::Cpu).expect("it answers");
    for (picture, said) in pictures.iter().zip(&said) {
        let (width, height) = picture.size();
        assert!((said.class.as_ref().unwrap().iter().sum::<f32>() - 1.0).abs() < 1e-5);
        let (classes, scores) = said.segmentation.as_ref().unwrap();
        assert_eq!((classes.size(), scores.size()), (picture.size(), picture.size()));
        assert!(scores.values().iter().all(|score| *score >= 1.0 / 9.0 - 1e-6 && *score <= 1.0 + 1e-6));
        assert_eq!(said.depth.as_ref().unwrap().size(), picture.size());
        assert!(said.depth.as_ref().unwrap().values().iter().all(|depth| depth.is_finite()));
        assert_eq!(said.normals.as_ref().unwrap().size(), picture.size());
        let objects = said.objects.as_ref().unwrap();
        assert!(objects.iter().all(|object| object.bounds.problem(width, height).is_none()));
    }
    let whole = predict(&student, &weights, &pictures[..1], Device::Cpu).expect("it answers");
    assert_eq!(whole[0].class, said[0].class, "whatever else is asked with it");
}

#[test]
fn what_does_not_go_together_is_told() {
    let student = tiny();
    let samples = scenes(SMALL);
    let lesson = Lesson { steps: 3, batch: 2, ..Lesson::default() };
    let said = |training: StudentTraining| training.run(&mut |_| true).unwrap_err().to_string();
    let none: [Source; 0] = [];
    assert_eq!(said(training(&student, &lesson, &none)), "there are no samples to learn from");
    let weightless = [Source { share: 0.0, ..source(&*samples) }];
    assert_eq!(
        said(training(&student, &lesson, &weightless)),
        "a set's share of batches is 0; it is above 0"
    );
    let sources = [source(&*samples)];
    let broken = Lesson { batch: 0, ..lesson.clone() };
    let met = said(training(&student, &broken, &sources));
    assert_eq!(met, "the lesson cannot be given: `batch` is 0; at least 1 is needed");
    let few = Student {
        classes: Classes { pictures: vec!["a".into(), "b".into()], ..student.classes.clone() },
        ..tiny()
    };
    let class =
        Sample { class: Some(Class::Hard(4)), ..Sample::unlabelled("no7", Picture::filled(16, 16, [0; 3])) };
    let other = List(vec![class], student.classes.clone());
    let sources = [source(&other)];
    let error = training(&few, &lesson, &sources).run(&mut |_| true).unwrap_err();
    assert!(matches!(error, NnError::Sample(_)), "{error:?}");
    let met = error.to_string();
    assert_eq!(
        met,
        "sample `no7` is none for this student: its class is 4, which the set's classes do not have"
    );
    let wild = Lesson { learning_rate: 1e30, clip_norm: 0.0, steps: 30, warm_up: 0.0, ..lesson };
    let sources = [source(&*samples)];
    let met = said(training(&student, &wild, &sources));
    assert!(met.starts_with("diverged at epoch 1, step"), "{met}");
}
