//! Convolution: the one place that says how it is computed.

use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

use crate::ir::Conv;

/// `x` `[batch, in, height, width]` convolved with `weight` `[out, in / groups, rows, columns]`.
pub(super) fn convolve(conv: &Conv, x: Tensor<4>, weight: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
    let options = ConvOptions::new(conv.stride, conv.padding, [conv.dilation; 2], conv.groups);
    conv2d(x, weight, bias, options)
}
