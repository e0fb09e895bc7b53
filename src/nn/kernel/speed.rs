//! What each operation takes, here and by Burn's own CPU operations: the Rust half of `benches/training/ops`.

use std::hint::black_box;
use std::time::Instant;

use burn::tensor::{Device, Distribution};

use super::*;

type Of = Box<dyn Fn(Tensor<4>, Tensor<4>) -> Tensor<4>>;

/// An operation of a map and weights (which it may not look at).
struct Case {
    name: String,
    x: [usize; 4],
    weights: Option<[usize; 4]>,
    ours: Of,
    burns: Of,
}

fn convolution(x: [usize; 4], conv: Conv) -> Case {
    let [rows, columns] = conv.kernel;
    let weights = [conv.channels, x[1] / conv.groups, rows, columns];
    let burns = conv.clone();
    Case {
        name: format!("{conv} from {} to {} channels, {} x {}x{}", x[1], conv.channels, x[0], x[2], x[3]),
        x,
        weights: Some(weights),
        ours: Box::new(move |x, weights| convolve(&conv, x, weights, None, false)),
        burns: Box::new(move |x, weights| {
            let options = ConvOptions::new(burns.stride, burns.padding, [burns.dilation; 2], burns.groups);
            conv2d(x, weights, None, options)
        }),
    }
}

fn cases() -> Vec<Case> {
    let mut cases = vec![
        convolution([64, 16, 32, 32], Conv::square(16, 3)),
        convolution([64, 32, 16, 16], Conv::square(32, 3)),
        convolution([64, 64, 8, 8], Conv::square(64, 3)),
        convolution([64, 16, 32, 32], Conv::square(32, 3).strided(2)),
        convolution([64, 16, 32, 32], Conv::square(16, 1)),
        convolution([32, 120, 32, 32], Conv::square(24, 1)),
        convolution([32, 24, 32, 32], Conv::square(24, 3).dilated(2)),
    ];
    cases.extend([3, 5, 7].map(|kernel| convolution([32, 24, 32, 32], Conv::square(24, kernel).grouped(24))));
    cases.push(convolution([32, 96, 8, 8], Conv::square(96, 5).grouped(96)));
    let x = [32, 24, 32, 32];
    let case = |name: &str, ours: Of, burns: Of| {
        let name = format!("{name}, {} channels, {} x {}x{}", x[1], x[0], x[2], x[3]);
        Case { name, x, weights: None, ours, burns }
    };
    let window = Window::padded(3, 1);
    let ours = window.clone();
    cases.push(case(
        "max pool 3x3",
        Box::new(move |x, _| max_pool(x, &ours)),
        Box::new(|x, _| max_pool2d(x, MaxPoolOptions::new([3; 2]).with_stride([1; 2]).with_padding([1; 2]))),
    ));
    cases.push(case(
        "avg pool 3x3",
        Box::new(move |x, _| avg_pool(x, &window, false)),
        Box::new(|x, _| {
            let options = AvgPoolOptions::new([3; 2]).with_stride([1; 2]).with_padding([1; 2]);
            avg_pool2d(x, options.with_count_include_pad(false))
        }),
    ));
    let vector = |x: &Tensor<4>, fill: f32| Tensor::<1>::full([x.dims()[1]], fill, &x.device());
    cases.push(case(
        "batch norm",
        Box::new(move |x, _| {
            let (scale, offset) = (vector(&x, 1.0), vector(&x, 0.0));
            normalize(x, scale, offset, 1e-5, false).output
        }),
        Box::new(move |x, _| {
            let (scale, offset) = (vector(&x, 1.0), vector(&x, 0.0));
            batch_norm_train(x, scale, offset, 1e-5).output
        }),
    ));
    cases.push(case("relu", Box::new(|x, _| rectify(x)), Box::new(|x, _| relu(x))));
    cases.push(case("sum of two", Box::new(|x, _| add(x.clone(), x)), Box::new(|x, _| x.clone() + x)));
    cases
}

/// The median milliseconds of a call.
fn milliseconds(mut call: impl FnMut()) -> f64 {
    call();
    let start = Instant::now();
    let mut each = Vec::new();
    while each.len() < 5 || (each.len() < 30 && start.elapsed().as_secs_f64() < 0.5) {
        let start = Instant::now();
        call();
        each.push(start.elapsed().as_secs_f64() * 1e3);
    }
    each.sort_by(f64::total_cmp);
    each[each.len() / 2]
}

/// Forward, and what the gradients of the map and of the weights take beyond it.
fn figures(case: &Case, of: &Of) -> [Option<f64>; 3] {
    let plain = Device::flex();
    let draw = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &plain);
    let (x, weights) = (draw(case.x), draw(case.weights.unwrap_or([1; 4])));
    let forward = milliseconds(|| {
        black_box(of(x.clone(), weights.clone()));
    });
    let graded = |tensor: &Tensor<4>, wanted: bool| {
        let tensor = tensor.clone().autodiff();
        if wanted { tensor.require_grad() } else { tensor }
    };
    let beyond = |map: bool| {
        let both = milliseconds(|| {
            black_box(of(graded(&x, map), graded(&weights, !map)).sum().backward());
        });
        both - forward
    };
    [Some(forward), Some(beyond(true)), case.weights.map(|_| beyond(false))]
}

#[test]
#[ignore = "measures, for benches/training/ops"]
fn operations() {
    let _kept = Kept;
    for case in cases() {
        for (who, of) in [("cellwright", &case.ours), ("Burn", &case.burns)] {
            println!(
                "{}",
                serde_json::json!({ "op": case.name, "by": who, "milliseconds": figures(&case, of) })
            );
        }
    }
}
