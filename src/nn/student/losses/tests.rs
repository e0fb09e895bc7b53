//! Losses against values worked out by hand, and their gradients against differences.

use burn::tensor::{DType, Device};
use rand::RngExt;

use super::objects::{apart, focal};
use super::*;
use crate::data::{Bounds, Class, IGNORE, Object, Picture, Plane};
use crate::must::student::Grid;
use crate::random::Seed;

fn sample(width: usize, height: usize) -> Sample {
    Sample::unlabelled("", Picture::filled(width, height, [0; 3]))
}

fn tensor<const D: usize>(values: &[f64], shape: [usize; D]) -> Tensor<D> {
    let data = TensorData::new(values.to_vec(), shape);
    Tensor::from_data(data, (&Device::flex().autodiff(), DType::F64))
}

fn numbers<const D: usize>(x: Tensor<D>) -> Vec<f64> {
    x.into_data().iter::<f64>().collect()
}

#[track_caller]
fn close(met: &[f64], wanted: &[f64], within: f64) {
    assert_eq!(met.len(), wanted.len(), "{met:?}, not {wanted:?}");
    let near = met.iter().zip(wanted).all(|(met, wanted)| (met - wanted).abs() < within);
    assert!(near, "{met:?}, not {wanted:?}");
}

/// The sums of the terms of a loss, added up.
fn all(terms: Vec<Term>) -> Tensor<1> {
    terms.into_iter().map(|term| term.sums).reduce(|a, b| a + b).expect("a term")
}

/// Holds the gradient of `loss` against differences in a random direction.
#[track_caller]
fn differentiates(shape: [usize; 4], loss: &dyn Fn(Tensor<4>) -> Tensor<1>) {
    let draw = |purpose: &str| -> Vec<f64> {
        let mut rng = Seed(3).stream(0, purpose);
        (0..shape.iter().product()).map(|_| rng.random::<f64>() * 2.0 - 1.0).collect()
    };
    let (values, direction) = (draw("values"), draw("direction"));
    let leaf = tensor(&values, shape).require_grad();
    let slope = numbers(leaf.grad(&loss(leaf.clone()).sum().backward()).expect("it depends on its input"));
    let at = |step: f64| {
        let moved: Vec<f64> = values.iter().zip(&direction).map(|(value, by)| value + step * by).collect();
        numbers(loss(tensor(&moved, shape)).sum())[0]
    };
    let wanted = (at(1e-5) - at(-1e-5)) / 2e-5;
    let met: f64 = slope.iter().zip(&direction).map(|(slope, by)| slope * by).sum();
    assert!((met - wanted).abs() < 1e-5 * (1.0 + wanted.abs()), "{met}, not {wanted}");
}

#[test]
fn classes_hard_and_soft() {
    let labelled = |class| Sample { class, ..sample(1, 1) };
    let samples =
        [labelled(Some(Class::Hard(0))), labelled(Some(Class::Soft(vec![0.5, 0.5, 0.0]))), labelled(None)];
    let (targets, known) = class::targets(&samples, 3).unwrap();
    assert_eq!(known, [true, true, false]);
    let logits = tensor(&[2.0, 1.0, 0.0, 2.0, 1.0, 0.0, 5.0, 0.0, 0.0], [3, 3]);
    let terms = class::loss(logits, &targets);
    assert_eq!(terms[0].counts, [1.0, 1.0, 0.0]);
    // ln(e^2 + e + 1) = 2.4076059.
    close(&numbers(all(terms)), &[0.407_605_9, 0.907_605_9, 0.0], 1e-6);
    differentiates([3, 3, 1, 1], &|x| all(class::loss(x.reshape([3, 3]), &targets)));
    assert!(class::targets(&samples[2..], 3).is_none());
}

#[test]
fn pixels_without_a_class_do_not_count() {
    let segmented =
        |values: Vec<u16>| Sample { segmentation: Some(Plane::new(2, 1, values)), ..sample(2, 1) };
    let samples = [segmented(vec![1, IGNORE]), segmented(vec![IGNORE, IGNORE]), sample(2, 1)];
    let (targets, known) = segmentation::targets(&samples, 2).unwrap();
    assert_eq!(known, [true, false, false]);
    let logits = tensor(&[0.0, 9.0, 1.0, -9.0, 3.0, 3.0, 3.0, 3.0, 7.0, 1.0, 2.0, 3.0], [3, 2, 1, 2]);
    let terms = segmentation::loss(logits, &targets);
    assert_eq!(terms[0].counts, [1.0, 0.0, 0.0]);
    close(&numbers(all(terms)), &[(1.0 + (-1f64).exp()).ln(), 0.0, 0.0], 1e-6);
    differentiates([3, 2, 1, 2], &|x| all(segmentation::loss(x, &targets)));
    assert!(segmentation::targets(&samples[1..], 2).is_none(), "nothing but ignored pixels is no label");
}

#[test]
fn depth_of_any_scale_and_shift_is_right_and_turned_round_is_wrong() {
    let deep = |values: Vec<f32>| Sample { depth: Some(Plane::new(2, 2, values)), ..sample(2, 2) };
    let hole = f32::NAN;
    let samples =
        [deep(vec![1.0, 3.0, 1.0, 3.0]), deep(vec![1.0, 3.0, 1.0, hole]), sample(2, 2), deep(vec![hole; 4])];
    let (targets, known) = depth::targets(&samples).unwrap();
    assert_eq!(known, [true, true, false, false]);
    let loss = |values: &[f64]| {
        let x = tensor(&values.repeat(4), [4, 1, 2, 2]);
        numbers(all(depth::loss(x, &targets)))
    };
    // Whatever stands in the hole.
    let right = loss(&[-695.0, 305.0, -695.0, 4e9]);
    assert!(right[1] < 1e-6, "{right:?}");
    close(&loss(&[10.0, 50.0, 10.0, 50.0]), &[0.0, 0.0, 0.0, 0.0], 1e-3);
    // Rests of 2 and -2: half their squares, and of 8 slopes two of 4 and two that are 0 in the mean.
    close(&loss(&[50.0, 10.0, 50.0, 10.0])[..1], &[2.0 + 0.5 * 4.0 / 8.0], 1e-3);
    let nothing = loss(&[7.0; 4]);
    assert!((nothing[0] - (0.5 + 0.5 * 2.0 / 8.0)).abs() < 1e-6, "{nothing:?}");
    differentiates([4, 1, 2, 2], &|x| all(depth::loss(x, &targets)));
    assert!(depth::targets(&samples[2..]).is_none() && depth::targets(&[deep(vec![2.0; 4])]).is_none());
}

#[test]
fn normals_cost_what_their_angle_is() {
    let mut plane = Plane::filled(2, 2, [0.0, 0.0, -1.0]);
    plane.set(1, 1, [f32::NAN; 3]);
    let samples = [Sample { normals: Some(plane), ..sample(2, 2) }, sample(2, 2)];
    let (targets, known) = normals::targets(&samples).unwrap();
    assert_eq!(known, [true, false]);
    // The same, at a right angle, the opposite, and a hole.
    let said = [0.0, 3.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, -2.0, 0.0, 4.0, 1.0];
    let terms = normals::loss(tensor(&[said, said].concat(), [2, 3, 2, 2]), &targets);
    assert_eq!(terms[0].counts, [3.0, 0.0]);
    close(&numbers(all(terms)), &[3.0, 0.0], 1e-6);
    differentiates([2, 3, 2, 2], &|x| all(normals::loss(x, &targets)));
}

#[test]
fn focal_loss_and_generalised_overlap_are_the_papers() {
    let line = |values: &[f64]| tensor(values, [1, 1, values.len()]);
    let ln2 = std::f64::consts::LN_2;
    let met = focal(line(&[0.0, 0.0, -100.0, 100.0]), line(&[1.0, 0.0, 0.0, 0.0]));
    close(&numbers(met), &[0.25 * 0.25 * ln2, 0.75 * 0.25 * ln2, 0.0, 0.75 * 100.0], 1e-6);
    let boxes = |sides: [[f64; 4]; 3]| {
        tensor(&(0..4).flat_map(|side| sides.map(|one| one[side])).collect::<Vec<_>>(), [1, 4, 3])
    };
    let ours = boxes([[1.0; 4], [1.0; 4], [1.0, 2.0, 1.0, 2.0]]);
    let theirs = boxes([[1.0; 4], [2.0, 1.0, 2.0, 1.0], [2.0, 1.0, 2.0, 1.0]]);
    // Overlaps 1, 4 of 8 and 4 of 12; the last two boxes leave 4 of 16 round them empty.
    close(&numbers(apart(ours, theirs)), &[0.0, 0.5, 1.0 - 4.0 / 12.0 + 4.0 / 16.0], 1e-5);
}

#[test]
fn objects_are_asked_of_those_who_know_them() {
    let bounds = Bounds { left: 2.0, top: 2.0, width: 12.0, height: 12.0 };
    let with = |objects| Sample { objects, ..sample(16, 16) };
    let samples = [with(Some(vec![Object::new(bounds, 1)])), with(Some(vec![])), with(None)];
    let grids =
        [Grid { width: 4, height: 4, stride: (4.0, 4.0) }, Grid { width: 2, height: 2, stride: (8.0, 8.0) }];
    let (targets, known) = objects::targets(&samples, 2, &grids).unwrap();
    assert_eq!(known, [true, true, false]);
    let loss = |x: Tensor<4>| {
        // Both levels from one tensor: `[3, 7, 5, 4]`.
        let level = |rows: usize, start: usize, channels: std::ops::Range<usize>| {
            let part = x.clone().narrow(1, channels.start, channels.len()).narrow(2, start, rows);
            if rows == 4 { part } else { part.reshape([3, channels.len() as i32, 2, 2]) }
        };
        let part =
            |channels: std::ops::Range<usize>| vec![level(4, 0, channels.clone()), level(1, 4, channels)];
        objects::loss([part(0..2), part(2..6), part(6..7)], &targets)
    };
    let terms = loss(tensor(&[0.0; 420], [3, 7, 5, 4]));
    assert_eq!(terms[0].counts, [4.0, 0.0, 0.0]);
    let sums = terms.into_iter().map(|term| numbers(term.sums)).collect::<Vec<_>>();
    let ln2 = std::f64::consts::LN_2;
    close(&sums[0], &[(4.0 * 0.25 + 36.0 * 0.75) * 0.25 * ln2, 40.0 * 0.75 * 0.25 * ln2, 0.0], 1e-5);
    assert!(sums[1][0] > 0.0 && sums[1][1..] == [0.0, 0.0]);
    close(&sums[2], &[4.0 * ln2, 0.0, 0.0], 1e-5);
    differentiates([3, 7, 5, 4], &|x| all(loss(x)));
    assert!(objects::targets(&samples[2..], 2, &grids).is_none());
}
