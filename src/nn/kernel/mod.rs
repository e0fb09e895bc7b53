//! Training on the CPU at the hardware's speed: the operations that training spends its time in, with backward passes
//! of their own.
//!
//! Every function here takes and returns Burn tensors. On the CPU device in single precision it computes by the loops
//! of this folder; on any other device by Burn's own operations, which are good there. Both mean the same, which the
//! tests hold them to.
//!
//! A family of operations is one file of loops over slices ([`conv`], [`depthwise`], [`pool`], [`norm`], [`merge`]),
//! cut into tasks by picture: a task's result does not depend on who runs it, and sums over pictures are added in
//! their order, so that figures do not depend on the number of threads. [`operation`] makes them part of Burn's graph.

mod conv;
mod depthwise;
mod merge;
mod norm;
mod operation;
mod plane;
mod pool;
mod product;
mod resample;
mod reuse;
mod scratch;
mod simd;

use std::sync::Arc;

use burn::tensor::activation::relu;
use burn::tensor::module::{avg_pool2d, batch_norm_train, conv2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{Tensor, TensorData};

use crate::ir::{Conv, Interpolation, Window};
pub(super) use operation::Kept;
use operation::{ours, run};
use plane::Slide;

/// `x` `[batch, in, height, width]` convolved with `weight` `[out, in / groups, rows, columns]`; what is below zero in
/// `x` counts as zero where `rectified`.
pub(super) fn convolve(
    conv: &Conv,
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    rectified: bool,
) -> Tensor<4> {
    if !ours(&x) {
        let options = ConvOptions::new(conv.stride, conv.padding, [conv.dilation; 2], conv.groups);
        let x = if rectified { relu(x) } else { x };
        return conv2d(x, weight, bias, options);
    }
    let [batch, channels, height, width] = x.dims();
    let slide = Slide {
        size: [height, width],
        kernel: conv.kernel,
        stride: conv.stride,
        padding: conv.padding,
        dilation: conv.dilation,
    };
    let inputs = [x.into_dispatch(), weight.into_dispatch()];
    let y = if conv.groups == channels && conv.channels == channels {
        run(depthwise::Depthwise { slide, batch, channels, relu: rectified }, inputs).0
    } else {
        let channels = [channels, conv.channels];
        run(conv::Conv { slide, batch, channels, groups: conv.groups, relu: rectified }, inputs).0
    };
    let y = Tensor::from_dispatch(y);
    match bias {
        Some(bias) => y + bias.reshape([1, conv.channels, 1, 1]),
        None => y,
    }
}

/// The largest value of each window of `x` `[batch, channels, height, width]`; padding never wins.
pub(super) fn max_pool(x: Tensor<4>, window: &Window) -> Tensor<4> {
    if !ours(&x) {
        let options = MaxPoolOptions::new([window.kernel; 2]).with_stride([window.stride; 2]);
        return max_pool2d(x, options.with_padding([window.padding; 2]));
    }
    let pool = pooling(&x, window);
    Tensor::from_dispatch(run(pool::Max(pool), [x.into_dispatch()]).0)
}

/// The mean of each window of `x` `[batch, channels, height, width]`; padding counts as zeros where `counted`.
pub(super) fn avg_pool(x: Tensor<4>, window: &Window, counted: bool) -> Tensor<4> {
    if !ours(&x) {
        let options = AvgPoolOptions::new([window.kernel; 2]).with_stride([window.stride; 2]);
        return avg_pool2d(x, options.with_padding([window.padding; 2]).with_count_include_pad(counted));
    }
    let pool = pooling(&x, window);
    Tensor::from_dispatch(run(pool::Mean { pool, counted }, [x.into_dispatch()]).0)
}

/// The mean of each map: `[batch, channels, height, width]` to `[batch, channels, 1, 1]`.
pub(super) fn global_pool(x: Tensor<4>) -> Tensor<4> {
    if !ours(&x) {
        return x.mean_dims(&[2, 3]);
    }
    let [batch, channels, height, width] = x.dims();
    let whole = pool::Whole { batch, channels, area: height * width };
    Tensor::from_dispatch(run(whole, [x.into_dispatch()]).0)
}

/// `x` `[batch, channels, rows, columns]` with the rows and columns of `size`, of which there are not fewer.
pub(super) fn resize(x: Tensor<4>, size: [usize; 2], interpolation: Interpolation) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    if [height, width] == size {
        return x;
    }
    if !ours(&x) {
        let matrix = |from: usize, to: usize| {
            let data = TensorData::new(interpolation.matrix(from, to), [1, 1, from, to]);
            Tensor::<4>::from_data(data, (&x.device(), x.dtype()))
        };
        let wider = x.clone().matmul(matrix(width, size[1]));
        return wider.swap_dims(2, 3).matmul(matrix(height, size[0])).swap_dims(2, 3);
    }
    let taps = [(height, size[0]), (width, size[1])].map(|(from, to)| Arc::new(interpolation.taps(from, to)));
    let larger = resample::Resample { batch, channels, size: [height, width], taps };
    Tensor::from_dispatch(run(larger, [x.into_dispatch()]).0)
}

fn pooling(x: &Tensor<4>, window: &Window) -> pool::Pool {
    let [batch, channels, height, width] = x.dims();
    let Window { kernel, stride, padding } = *window;
    let slide = Slide {
        size: [height, width],
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [padding; 2],
        dilation: 1,
    };
    pool::Pool { slide, batch, channels }
}

/// A batch normalised by its own statistics.
pub(super) struct Normalized<const D: usize> {
    pub(super) output: Tensor<D>,
    /// Mean and biased variance of each channel, off autodiff.
    pub(super) mean: Tensor<1>,
    pub(super) variance: Tensor<1>,
}

/// `x` `[batch, channels, ..]` with mean `offset` and deviation `scale` in each channel, then a ReLU where `rectified`.
pub(super) fn normalize<const D: usize>(
    x: Tensor<D>,
    scale: Tensor<1>,
    offset: Tensor<1>,
    epsilon: f64,
    rectified: bool,
) -> Normalized<D> {
    if !ours(&x) {
        let made = batch_norm_train(x, scale, offset, epsilon);
        let output = if rectified { relu(made.output) } else { made.output };
        return Normalized { output, mean: made.mean.inner(), variance: made.variance.inner() };
    }
    let shape = x.dims();
    let [batch, channels] = [shape[0], shape[1]];
    let norm = norm::Norm { batch, channels, area: shape[2..].iter().product(), epsilon, relu: rectified };
    let device = x.device().inner();
    let kernel = norm::Train { norm, shape: shape.to_vec() };
    let (output, statistics) =
        run(kernel, [x.into_dispatch(), scale.into_dispatch(), offset.into_dispatch()]);
    let vector = |values: &[f32]| Tensor::from_floats(values, &device);
    Normalized {
        output: Tensor::from_dispatch(output),
        mean: vector(&statistics.mean),
        variance: vector(&statistics.variance),
    }
}

/// `max(x, 0)`.
pub(super) fn rectify<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !ours(&x) {
        return relu(x);
    }
    let shape = x.dims().to_vec();
    Tensor::from_dispatch(run(merge::Relu { shape }, [x.into_dispatch()]).0)
}

/// The sum of two tensors of one shape.
pub(super) fn add<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> Tensor<D> {
    if !ours(&a) || a.dims() != b.dims() {
        return a + b;
    }
    let shape = a.dims().to_vec();
    Tensor::from_dispatch(run(merge::Sum { shape }, [a.into_dispatch(), b.into_dispatch()]).0)
}

/// Tensors `[batch, channels, ..]` behind each other along channels.
pub(super) fn concat<const D: usize>(parts: Vec<Tensor<D>>) -> Tensor<D> {
    /// As many inputs as Burn's graph is told of at compile time.
    macro_rules! of {
        ($($count:literal)*) => {
            match parts.len() {
                $($count if ours(&parts[0]) => {
                    let shapes: Vec<Vec<usize>> = parts.iter().map(|part| part.dims().to_vec()).collect();
                    let mut parts = parts.into_iter().map(Tensor::into_dispatch);
                    let parts: [_; $count] = std::array::from_fn(|_| parts.next().expect("as many as were counted"));
                    Tensor::from_dispatch(run(merge::Concat::new(&shapes), parts).0)
                })*
                _ => Tensor::cat(parts, 1),
            }
        };
    }
    of!(2 3 4 5 6 7 8)
}

#[cfg(test)]
mod speed;
#[cfg(test)]
mod tests;
