//! Shapes, arithmetic and gradients of every primitive.

use super::*;
use crate::ir::Window;
use crate::ir::{Conv, Tensor as Place};
use crate::nn::Bank;
use crate::nn::bank::normal;
use crate::nn::loss::cross_entropy;
use crate::random::Seed;

/// A small network with every primitive in it, and most of their variants.
fn everything() -> Graph {
    let mut graph = Graph::new(Shape::Map { channels: 2, height: 6, width: 6 });
    let mut add = |primitive, inputs: &[Place]| graph.add(primitive, inputs).expect("shapes fit");
    let x = add(Primitive::Conv(Conv { bias: true, ..Conv::square(4, 3) }), &[Place(0)]);
    let x = add(Primitive::BATCH_NORM, &[x]);
    // Smooth non-linearities first: finite differences across a kink say nothing.
    let a = add(Primitive::Activation(Activation::Silu), &[x]);
    let b = add(Primitive::Activation(Activation::Gelu), &[x]);
    let c = add(Primitive::Conv(Conv { groups: 4, ..Conv::square(4, 3).dilated(2) }), &[a]);
    let d = add(Primitive::Conv(Conv { stride: [1, 2], padding: [0, 3], ..Conv::new(4, [1, 7]) }), &[b]);
    let d = add(
        Primitive::Conv(Conv { stride: [2, 1], padding: [3, 0], groups: 2, ..Conv::new(4, [7, 1]) }),
        &[d],
    );
    let e = add(Primitive::MaxPool(Window::padded(3, 2)), &[c]);
    let f = add(Primitive::AvgPool { window: Window::padded(3, 2), count_padding: false }, &[c]);
    let g = add(Primitive::AvgPool { window: Window::padded(3, 2), count_padding: true }, &[b]);
    let h = add(Primitive::Zero { channels: 4, stride: 2 }, &[c]);
    let sum = add(Primitive::Add, &[d, e, f, g, h]);
    let sum = add(Primitive::DropPath { depth: 0.5 }, &[sum]);
    let shifted = add(Primitive::Shift { rows: 1 }, &[sum]);
    let kept = add(Primitive::Slice { start: 1, end: 3 }, &[shifted]);
    let joined = add(Primitive::Concat, &[sum, kept]);
    let y = add(Primitive::BatchNorm { affine: false, epsilon: 1e-3, momentum: 0.5 }, &[joined]);
    let gate = add(Primitive::GlobalAvgPool, &[y]);
    let gate = add(Primitive::Conv(Conv { bias: true, ..Conv::square(6, 1) }), &[gate]);
    let gate = add(Primitive::Activation(Activation::Sigmoid), &[gate]);
    let y = add(Primitive::Mul, &[y, gate]);
    let y = add(Primitive::Flatten, &[y]);
    let y = add(Primitive::Linear { features: 5, bias: true }, &[y]);
    let y = add(Primitive::BATCH_NORM, &[y]);
    let y = add(Primitive::Activation(Activation::Tanh), &[y]);
    let y = add(Primitive::Dropout { rate: 0.3 }, &[y]);
    let y = add(Primitive::Linear { features: 3, bias: false }, &[y]);
    graph.set_output(y);
    graph
}

fn noise(count: usize, purpose: &str) -> Vec<f32> {
    let mut rng = Seed(11).stream(0, purpose);
    std::iter::repeat_with(|| normal(&mut rng) as f32).take(count).collect()
}

fn chance() -> Chance {
    Chance { rng: Seed(4).stream(0, "drop"), drop_path: 0.4, dropout: 1.0 }
}

/// The training loss of `values`, with the same dropped paths every time.
fn loss(plan: &Plan, values: &[Tensor<1>], input: Tensor<4>) -> Tensor<1> {
    let (logits, _) = Pass::new(plan, values, Some(&mut chance())).run(input);
    let targets =
        Tensor::from_data([[0.8, 0.1, 0.1], [0.0, 1.0, 0.0], [0.3, 0.3, 0.4], [0.0, 0.0, 1.0]], &device());
    cross_entropy(logits, targets.autodiff())
}

#[test]
fn gradients_agree_with_finite_differences() {
    let graph = everything();
    let plan = Plan::new(&graph);
    let mut bank = Bank::new(Seed(2));
    // Away from the start, where many biases are zero and many gradients too.
    let values: Vec<Vec<f32>> = plan
        .parameters
        .iter()
        .map(|one| {
            let moved = noise(one.shape.iter().product(), &one.name);
            bank.value(one).iter().zip(moved).map(|(value, noise)| value + 0.2 * noise).collect()
        })
        .collect();
    let input = || {
        let data = TensorData::new(noise(4 * 2 * 36, "input"), [4, 2, 6, 6]);
        Tensor::<4>::from_data(data, &device()).autodiff()
    };
    let leaf = |values: &Vec<f32>| vector(values.clone()).autodiff().require_grad();
    let leaves: Vec<Tensor<1>> = values.iter().map(leaf).collect();
    let gradients = loss(&plan, &leaves, input()).backward();
    let mut checked = 0;
    for slot in (0..values.len()).filter(|slot| plan.trained(*slot)) {
        let name = &plan.parameters[slot].name;
        let gradient: Vec<f32> = leaves[slot]
            .grad(&gradients)
            .unwrap_or_else(|| panic!("{name} has no gradient"))
            .try_into_vec_as()
            .unwrap();
        for index in [0, gradient.len() / 2, gradient.len() - 1] {
            let at = |step: f32| {
                let mut moved = values.clone();
                moved[slot][index] += step;
                let moved: Vec<Tensor<1>> = moved.iter().map(leaf).collect();
                f64::from(loss(&plan, &moved, input()).into_scalar::<f32>())
            };
            let step = 4e-3;
            let numeric = (at(step) - at(-step)) / (2.0 * f64::from(step));
            let met = f64::from(gradient[index]);
            assert!(
                (met - numeric).abs() < 2e-3 + 0.03 * numeric.abs(),
                "{name}[{index}]: {met}, not {numeric}"
            );
            checked += 1;
        }
    }
    assert!(checked >= 40, "{checked}");
}

#[test]
fn every_node_has_the_shape_the_graph_says() {
    let mut graph = everything();
    let places: Vec<Place> = (0..graph.nodes().len()).map(Place).collect();
    for place in places {
        graph.set_output(place);
        let weights = Bank::new(Seed(2)).export(&graph);
        let logits = forward(&graph, &weights, &noise(2 * 72, "input")).unwrap();
        assert_eq!(
            logits.len() as u64,
            2 * graph.shape(place).elements(),
            "{}",
            graph.nodes()[place.index()].scope
        );
        assert!(logits.iter().all(|value| value.is_finite()));
    }
}

/// The output of one primitive on one channel of 3x3, 1 to 9.
fn on_nine(primitive: Primitive) -> Vec<f32> {
    let mut graph = Graph::new(Shape::Map { channels: 1, height: 3, width: 3 });
    let y = graph.add(primitive, &[graph.input()]).unwrap();
    graph.set_output(y);
    let weights = Bank::new(Seed(0)).export(&graph);
    forward(&graph, &weights, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]).unwrap()
}

#[test]
fn pooling_treats_its_padding_as_documented() {
    let window = Window::padded(3, 2);
    assert_eq!(on_nine(Primitive::MaxPool(window.clone())), [5.0, 6.0, 8.0, 9.0]);
    let without = on_nine(Primitive::AvgPool { window: window.clone(), count_padding: false });
    assert_eq!(without, [3.0, 4.0, 6.0, 7.0]);
    let with = on_nine(Primitive::AvgPool { window, count_padding: true });
    let wanted = [12.0 / 9.0, 16.0 / 9.0, 24.0 / 9.0, 28.0 / 9.0];
    assert!(with.iter().zip(wanted).all(|(met, wanted)| (met - wanted).abs() < 1e-6), "{with:?}");
    assert_eq!(on_nine(Primitive::Shift { rows: 1 }), [5.0, 6.0, 0.0, 8.0, 9.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(on_nine(Primitive::GlobalAvgPool), [5.0]);
    // Strides that the size is no multiple of.
    assert_eq!(on_nine(Primitive::MaxPool(Window { kernel: 2, stride: 2, padding: 0 })), [5.0]);
    assert_eq!(on_nine(Primitive::Zero { channels: 2, stride: 2 }), [0.0; 8]);
}

#[test]
fn activations_are_their_formulas() {
    type Formula = fn(f64) -> f64;
    let formulas: [(Activation, Formula); 7] = [
        (Activation::Relu, |x| x.max(0.0)),
        (Activation::Relu6, |x| x.clamp(0.0, 6.0)),
        (Activation::Silu, |x| x / (1.0 + (-x).exp())),
        (Activation::HardSwish, |x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0),
        (Activation::Sigmoid, |x| 1.0 / (1.0 + (-x).exp())),
        (Activation::HardSigmoid, |x| (x + 3.0).clamp(0.0, 6.0) / 6.0),
        (Activation::Tanh, f64::tanh),
    ];
    let points = [-7.0, -3.0, -1.5, -0.1, 0.0, 0.3, 2.0, 3.0, 8.0];
    let met = |activation| {
        let x = Tensor::<1>::from_data(points.map(|x| x as f32), &device());
        activate(activation, x).try_into_vec_as::<f32>().unwrap()
    };
    for (activation, formula) in formulas {
        for (met, x) in met(activation).into_iter().zip(points) {
            assert!((f64::from(met) - formula(x)).abs() < 1e-5, "{activation:?}({x}) = {met}");
        }
    }
    // x * Phi(x) from tables of the normal distribution.
    for (met, wanted) in
        met(Activation::Gelu)[2..7].iter().zip([-0.100_211, -0.046_017, 0.0, 0.185_373, 1.954_5])
    {
        assert!((met - wanted).abs() < 1e-5, "{met} {wanted}");
    }
}

#[test]
fn running_statistics_are_pytorchs() {
    let mut graph = Graph::new(Shape::Map { channels: 1, height: 1, width: 2 });
    let y = graph.add(Primitive::BATCH_NORM, &[graph.input()]).unwrap();
    let y = graph.add(Primitive::Flatten, &[y]).unwrap();
    graph.set_output(y);
    let plan = Plan::new(&graph);
    let mut bank = Bank::new(Seed(0));
    let values: Vec<Tensor<1>> =
        plan.parameters.iter().map(|one| vector(bank.value(one).to_vec()).autodiff()).collect();
    let input = Tensor::<4>::from_data([[[[1.0, 2.0]]], [[[3.0, 6.0]]]], &device()).autodiff();
    let (logits, running) = Pass::new(&plan, &values, Some(&mut chance())).run(input);
    // Mean 3, biased variance 3.5, unbiased 14/3; momentum 0.1 from 0 and 1.
    let first = (1.0 - 3.0) / (3.5f32 + 1e-5).sqrt();
    assert!((logits.try_into_vec_as::<f32>().unwrap()[0] - first).abs() < 1e-5);
    let kept: Vec<f32> = running.into_iter().map(|(_, value)| value.into_scalar()).collect();
    assert!((kept[0] - 0.3).abs() < 1e-6 && (kept[1] - (0.9 + 0.1 * 14.0 / 3.0)).abs() < 1e-6, "{kept:?}");
}

#[test]
fn dropping_keeps_the_mean_and_stops_after_training() {
    let mut graph = Graph::new(Shape::Map { channels: 1, height: 1, width: 4 });
    let y = graph.add(Primitive::DropPath { depth: 1.0 }, &[graph.input()]).unwrap();
    let y = graph.add(Primitive::Flatten, &[y]).unwrap();
    graph.set_output(y);
    let plan = Plan::new(&graph);
    let input = Tensor::<4>::ones([2000, 1, 1, 4], &device());
    let (logits, _) = Pass::new(&plan, &[], Some(&mut chance())).run(input);
    let values: Vec<f32> = logits.try_into_vec_as().unwrap();
    assert!(
        values.chunks(4).all(|row| row.iter().all(|value| *value == row[0])),
        "whole samples are dropped"
    );
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    let dropped = values.iter().filter(|value| **value == 0.0).count() as f32 / values.len() as f32;
    assert!((mean - 1.0).abs() < 0.05 && (dropped - 0.4).abs() < 0.05, "{mean} {dropped}");
    assert_eq!(forward(&graph, &Weights::new(), &[2.0; 8]).unwrap(), [2.0; 8]);
}

#[test]
fn forward_refuses_what_does_not_fit() {
    let graph = everything();
    let mut weights = Bank::new(Seed(2)).export(&graph);
    let said = |weights: &Weights, input: &[f32]| forward(&graph, weights, input).unwrap_err().to_string();
    assert!(said(&weights, &[0.0; 71]).contains("71 values are not a number of pictures of shape [2, 6, 6]"));
    assert!(said(&weights, &[]).contains("0 values"));
    weights["conv/bias"].0 = vec![2, 2];
    assert!(said(&weights, &[0.0; 72]).contains("`conv/bias` are [2, 2]; the network wants [4]"));
    weights.shift_remove("conv/bias");
    assert!(said(&weights, &[0.0; 72]).contains("`conv/bias` of shape [4] are missing"));
}
