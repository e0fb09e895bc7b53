//! Every operation against Burn's own in double precision, forward and backward, and against differences.

use burn::tensor::{DType, Device, TensorData};
use rand::RngExt;

use super::*;
use crate::random::Seed;

/// Result and gradients of `of` at `inputs` under a loss that weighs every result differently.
struct Found {
    result: Vec<f64>,
    gradients: Vec<Vec<f64>>,
    loss: f64,
}

fn values(count: usize, seed: u64) -> Vec<f64> {
    let mut rng = Seed(seed).stream(0, "values");
    (0..count).map(|_| f64::from((rng.random::<f64>() * 2.0 - 1.0) as f32)).collect()
}

fn tensor(values: &[f64], shape: &[usize], dtype: DType) -> Tensor<4> {
    let data = TensorData::new(values.to_vec(), shape.to_vec()).convert_dtype(dtype);
    Tensor::from_data(data, (&Device::flex().autodiff(), dtype))
}

fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().convert_dtype(DType::F64).iter::<f64>().collect()
}

fn found(of: &dyn Fn(Vec<Tensor<4>>) -> Tensor<4>, inputs: &[(Vec<f64>, Vec<usize>)], dtype: DType) -> Found {
    let leaves: Vec<Tensor<4>> =
        inputs.iter().map(|(values, shape)| tensor(values, shape, dtype).require_grad()).collect();
    let result = of(leaves.clone());
    let shape = result.dims();
    let weights = tensor(&values(shape.iter().product(), 99), &shape, dtype);
    let loss = (result.clone() * weights).sum();
    let gradients = loss.backward();
    let of_leaf = |leaf: &Tensor<4>| floats(leaf.grad(&gradients).expect("every input is asked for"));
    Found { result: floats(result), gradients: leaves.iter().map(of_leaf).collect(), loss: floats(loss)[0] }
}

fn close(what: &str, met: &[f64], wanted: &[f64]) {
    assert_eq!(met.len(), wanted.len(), "{what}");
    let scale = wanted.iter().fold(1.0f64, |most, value| most.max(value.abs()));
    for (index, (met, wanted)) in met.iter().zip(wanted).enumerate() {
        assert!((met - wanted).abs() < 2e-5 * scale, "{what}: {met} instead of {wanted} at {index}");
    }
}

/// In single precision the operations of this folder compute, in double precision Burn's own.
fn agrees(what: &str, of: &dyn Fn(Vec<Tensor<4>>) -> Tensor<4>, shapes: &[&[usize]]) {
    let draw =
        |(seed, shape): (usize, &&[usize])| (values(shape.iter().product(), seed as u64), shape.to_vec());
    let inputs: Vec<_> = shapes.iter().enumerate().map(draw).collect();
    let (ours, theirs) = (found(of, &inputs, DType::F32), found(of, &inputs, DType::F64));
    close(what, &ours.result, &theirs.result);
    for (input, (ours, theirs)) in ours.gradients.iter().zip(&theirs.gradients).enumerate() {
        close(&format!("{what}, gradient of input {input}"), ours, theirs);
    }
}

fn conv(
    channels: usize,
    kernel: [usize; 2],
    stride: usize,
    padding: usize,
    dilation: usize,
    groups: usize,
) -> Conv {
    Conv { channels, kernel, stride: [stride; 2], padding: [padding; 2], dilation, groups, bias: false }
}

/// Convolutions and the shape of what they read.
fn convolutions() -> Vec<(Conv, [usize; 4])> {
    vec![
        (conv(16, [3, 3], 1, 1, 1, 1), [2, 16, 8, 8]),
        (conv(7, [3, 3], 1, 1, 1, 1), [3, 5, 7, 9]),
        (conv(16, [3, 3], 2, 1, 1, 1), [2, 8, 8, 8]),
        (conv(10, [3, 3], 2, 1, 1, 2), [3, 6, 7, 5]),
        (conv(8, [1, 1], 2, 0, 1, 1), [2, 5, 9, 9]),
        (conv(9, [5, 5], 1, 4, 2, 1), [2, 3, 12, 6]),
        (conv(4, [3, 3], 1, 0, 1, 1), [1, 4, 5, 5]),
        (conv(24, [1, 1], 1, 0, 1, 1), [2, 16, 4, 4]),
        (conv(9, [1, 1], 1, 0, 1, 3), [2, 6, 3, 3]),
        (conv(12, [3, 3], 3, 2, 2, 1), [2, 4, 11, 13]),
        (conv(16, [3, 3], 1, 1, 1, 1), [9, 3, 1, 1]),
        (conv(8, [1, 7], 1, 3, 1, 1), [1, 3, 4, 17]),
        (conv(16, [2, 2], 2, 0, 1, 1), [20, 8, 6, 6]),
        (conv(6, [3, 3], 1, 1, 1, 6), [3, 6, 7, 9]),
        (conv(6, [5, 5], 2, 2, 1, 6), [2, 6, 8, 8]),
        (conv(5, [3, 3], 1, 2, 2, 5), [2, 5, 6, 5]),
        (conv(3, [7, 7], 1, 3, 1, 3), [17, 3, 20, 20]),
        (conv(4, [3, 3], 3, 1, 1, 4), [1, 4, 11, 10]),
        (conv(3, [3, 3], 1, 1, 1, 3), [1, 3, 1, 1]),
    ]
}

#[test]
fn convolutions_agree_with_burns() {
    for (conv, shape) in convolutions() {
        let weights = [conv.channels, shape[1] / conv.groups, conv.kernel[0], conv.kernel[1]];
        for rectified in [false, true] {
            let of = |mut inputs: Vec<Tensor<4>>| {
                let weights = inputs.remove(1);
                convolve(&conv, inputs.remove(0), weights, None, rectified)
            };
            agrees(&format!("{conv:?} of {shape:?}"), &of, &[&shape, &weights]);
        }
    }
}

#[test]
fn single_precision_on_the_cpu_is_computed_here_and_nothing_else() {
    let met = |dtype| ours(&tensor(&[1.0], &[1, 1, 1, 1], dtype));
    assert_eq!([DType::F32, DType::F64].map(met), [true, false]);
    assert!(ours(&Tensor::<1>::zeros([1], &Device::flex())));
}

#[test]
fn a_bias_is_added_and_has_its_gradient() {
    let of = |inputs: Vec<Tensor<4>>| {
        let [x, weights, bias] = [0, 1, 2].map(|index: usize| inputs[index].clone());
        convolve(&conv(5, [3, 3], 1, 1, 1, 1), x, weights, Some(bias.flatten(0, 3)), false)
    };
    agrees("bias", &of, &[&[2, 3, 6, 6], &[5, 3, 3, 3], &[1, 5, 1, 1]]);
}

#[test]
fn pools_agree_with_burns() {
    for (kernel, stride, padding, shape) in [
        (3, 1, 1, [2, 3, 8, 8]),
        (3, 2, 1, [2, 3, 7, 9]),
        (2, 2, 0, [3, 5, 8, 6]),
        (5, 3, 2, [1, 2, 11, 11]),
        (3, 1, 1, [1, 1, 1, 1]),
        (3, 1, 1, [2, 9, 20, 33]),
    ] {
        let window = Window { kernel, stride, padding };
        agrees("max pool", &|mut inputs| max_pool(inputs.remove(0), &window), &[&shape]);
        for counted in [false, true] {
            agrees("avg pool", &|mut inputs| avg_pool(inputs.remove(0), &window, counted), &[&shape]);
        }
    }
}

#[test]
fn means_of_whole_maps_agree_with_burns() {
    agrees("global pool", &|mut inputs| global_pool(inputs.remove(0)), &[&[3, 7, 5, 6]]);
}

#[test]
fn what_is_no_number_stays_with_those_who_made_it() {
    let of = |mut inputs: Vec<Tensor<4>>| {
        let weights = inputs.remove(1);
        convolve(&conv(8, [3, 3], 1, 1, 1, 1), inputs.remove(0), weights, None, false)
    };
    let broken = [(vec![f64::NAN; 8 * 64], vec![1, 8, 8, 8]), (values(576, 1), vec![8, 8, 3, 3])];
    assert!(found(&of, &broken, DType::F32).loss.is_nan());
    agrees("after a network that diverged", &of, &[&[1, 8, 7, 7], &[8, 8, 3, 3]]);
}

#[test]
fn larger_maps_agree_with_products_of_matrices() {
    for interpolation in [Interpolation::Nearest, Interpolation::Bilinear] {
        for (shape, size) in [
            ([2, 3, 4, 4], [8, 8]),
            ([1, 9, 3, 5], [7, 5]),
            ([3, 1, 1, 1], [4, 2]),
            ([1, 2, 16, 8], [64, 64]),
        ] {
            let of = |mut inputs: Vec<Tensor<4>>| resize(inputs.remove(0), size, interpolation);
            agrees(&format!("{interpolation} from {shape:?} to {size:?}"), &of, &[&shape]);
        }
    }
}

#[test]
fn norms_agree_with_burns() {
    for shape in [[4, 3, 5, 5], [2, 5, 16, 16], [1, 2, 3, 4], [9, 4, 1, 1]] {
        for rectified in [false, true] {
            let of = |inputs: Vec<Tensor<4>>| {
                let [x, scale, offset] = [0, 1, 2].map(|index: usize| inputs[index].clone());
                normalize(x, scale.flatten(0, 3), offset.flatten(0, 3), 1e-3, rectified).output
            };
            let vector = [1, shape[1], 1, 1];
            agrees(&format!("norm of {shape:?}"), &of, &[&shape, &vector, &vector]);
        }
    }
}

#[test]
fn statistics_are_exact_far_from_zero() {
    let deviations = values(4 * 3 * 64, 5);
    let data: Vec<f32> = deviations.iter().map(|value| 1e3 + 0.01 * *value as f32).collect();
    let exact = |channel: usize| {
        let members: Vec<f64> = (0..4)
            .flat_map(|image| &data[(image * 3 + channel) * 64..][..64])
            .map(|value| f64::from(*value))
            .collect();
        let mean = members.iter().sum::<f64>() / 256.0;
        (mean, members.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 256.0)
    };
    let x = Tensor::<4>::from_data(TensorData::new(data.clone(), [4, 3, 8, 8]), &Device::flex());
    let vector = |fill: f32| Tensor::<1>::full([3], fill, &Device::flex());
    let made = normalize(x, vector(1.0), vector(0.0), 1e-5, false);
    for (channel, (mean, variance)) in floats(made.mean).into_iter().zip(floats(made.variance)).enumerate() {
        let exact = exact(channel);
        assert!((mean / exact.0 - 1.0).abs() < 1e-6 && (variance / exact.1 - 1.0).abs() < 0.05, "{exact:?}");
    }
}

#[test]
fn merges_agree_with_burns() {
    let shape: &[usize] = &[3, 4, 5, 7];
    agrees("relu", &|mut inputs| rectify(inputs.remove(0)), &[shape]);
    agrees("sum", &|mut inputs| add(inputs.remove(0), inputs.remove(0)), &[shape, shape]);
    let twice = |mut inputs: Vec<Tensor<4>>| {
        let x = inputs.remove(0);
        add(add(x.clone(), rectify(x.clone())), x)
    };
    agrees("one gradient for several", &twice, &[shape]);
    agrees("concat", &concat, &[shape, &[3, 1, 5, 7], &[3, 9, 5, 7]]);
}

#[test]
fn gradients_agree_with_differences() {
    let window = Window { kernel: 3, stride: 2, padding: 1 };
    let of = |inputs: Vec<Tensor<4>>| {
        let [x, weights, scale, offset] = [0, 1, 2, 3].map(|index: usize| inputs[index].clone());
        let y = convolve(&conv(6, [3, 3], 1, 1, 1, 1), x, weights, None, false);
        let y = normalize(y, scale.flatten(0, 3), offset.flatten(0, 3), 1e-5, false).output;
        avg_pool(y, &window, false)
    };
    let shapes: [&[usize]; 4] = [&[2, 4, 6, 6], &[6, 4, 3, 3], &[1, 6, 1, 1], &[1, 6, 1, 1]];
    let inputs: Vec<(Vec<f64>, Vec<usize>)> = shapes
        .iter()
        .zip(1..)
        .map(|(shape, seed)| (values(shape.iter().product(), seed), shape.to_vec()))
        .collect();
    let here = found(&of, &inputs, DType::F32);
    for input in 0..inputs.len() {
        let direction = values(inputs[input].0.len(), 50 + input as u64);
        let moved = |by: f64| {
            let mut inputs = inputs.clone();
            inputs[input].0.iter_mut().zip(&direction).for_each(|(value, step)| *value += by * step);
            found(&of, &inputs, DType::F64).loss
        };
        let wanted = (moved(1e-4) - moved(-1e-4)) / 2e-4;
        let met: f64 = here.gradients[input].iter().zip(&direction).map(|(slope, step)| slope * step).sum();
        assert!(
            (met - wanted).abs() < 1e-4 * (1.0 + wanted.abs()),
            "input {input}: {met} instead of {wanted}"
        );
    }
}

#[test]
fn figures_do_not_depend_on_the_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let of = |inputs: Vec<Tensor<4>>| {
                let [x, weights, scale, offset, narrow] =
                    [0, 1, 2, 3, 4].map(|index: usize| inputs[index].clone());
                let y = convolve(&conv(12, [3, 3], 1, 1, 1, 1), x, weights, None, true);
                let y = normalize(y, scale.flatten(0, 3), offset.flatten(0, 3), 1e-5, true).output;
                let y = convolve(&conv(12, [3, 3], 1, 1, 1, 12), y, narrow, None, false);
                max_pool(y, &Window { kernel: 3, stride: 1, padding: 1 })
            };
            let shapes: [&[usize]; 5] =
                [&[19, 5, 9, 9], &[12, 5, 3, 3], &[1, 12, 1, 1], &[1, 12, 1, 1], &[12, 1, 3, 3]];
            let draw = |(seed, shape): (usize, &&[usize])| {
                (values(shape.iter().product(), seed as u64), shape.to_vec())
            };
            let inputs: Vec<_> = shapes.iter().enumerate().map(draw).collect();
            let found = found(&of, &inputs, DType::F32);
            (found.result, found.gradients)
        })
    };
    assert!(run(1) == run(3), "not a bit differs");
}
