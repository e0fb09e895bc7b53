//! The mobile inverted bottleneck of MobileNetV2 ([Sandler et al. 2018](https://arxiv.org/abs/1801.04381)), with the
//! squeeze-excitation of MobileNetV3 and EfficientNet ([Tan and Le 2019](https://arxiv.org/abs/1905.11946)).

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::squeeze_excitation::{gated, squeezed};
use super::{Lower, Site, check};
use crate::ir::{Activation, Conv, Graph, Primitive, ShapeError, Tensor};

/// 1x1 expansion, depthwise convolution, squeeze-excitation at will, 1x1 projection, each with batch normalisation and
/// all but the last with the activation; plus the input where shapes agree.
///
/// # Shapes
/// `[in, height, width]` to `[channels, height / stride, width / stride]`, rounded up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MbConv {
    /// Kernel size of the depthwise convolution, odd.
    #[serde(deserialize_with = "check::odd")]
    pub kernel: usize,
    /// How many times the input's channels the inner map has, at least 1; at 1 there is no expansion layer.
    #[serde(deserialize_with = "check::factor")]
    pub expansion: f64,
    /// Features of the squeezed vector as a multiple of the block's input channels; 0 for no squeeze-excitation.
    /// EfficientNet: 0.25.
    #[serde(deserialize_with = "check::not_negative")]
    pub squeeze_excitation: f64,
    /// The non-linearity. With `Silu` the gate is EfficientNet's (SiLU, sigmoid), otherwise MobileNetV3's (ReLU, hard
    /// sigmoid).
    pub activation: Activation,
    /// Output channels; otherwise the site's.
    #[serde(deserialize_with = "check::positive_or_none")]
    pub channels: Option<usize>,
    /// Stride; otherwise the site's.
    #[serde(deserialize_with = "check::positive_or_none")]
    pub stride: Option<usize>,
}

impl Default for MbConv {
    fn default() -> MbConv {
        let activation = Activation::Relu6;
        MbConv {
            kernel: 3,
            expansion: 6.0,
            squeeze_excitation: 0.0,
            activation,
            channels: None,
            stride: None,
        }
    }
}

impl Lower for MbConv {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        let (channels, stride) = site.resolve(graph, input, self.channels, self.stride);
        let (before, ..) = graph.map(input, "mbconv")?;
        let inner = expanded(before, self.expansion);
        let mut x = input;
        if inner != before {
            x = graph.conv_norm("expand", Conv::square(inner, 1), x)?;
            x = graph.activation(self.activation, x)?;
        }
        x = graph.conv_norm(
            "depthwise",
            Conv::square(inner, self.kernel).strided(stride).grouped(inner),
            x,
        )?;
        x = graph.activation(self.activation, x)?;
        x = excited(graph, x, before, self.squeeze_excitation, self.activation)?;
        x = graph.conv_norm("project", Conv::square(channels, 1), x)?;
        residual(graph, input, x, stride, site.depth)
    }

    fn label(&self) -> String {
        let label = Label::new("mbconv").kernel(self.kernel).word(format!("x{}", self.expansion));
        let label =
            label.unless(0.0, "se", self.squeeze_excitation).unless_usual("relu6", self.activation.name());
        label.sized(self.channels, self.stride)
    }
}

/// Channels inside the block, to the nearest.
pub(super) fn expanded(channels: usize, expansion: f64) -> usize {
    (channels as f64 * expansion).round() as usize
}

/// `x` behind the gate that MobileNetV3 and EfficientNet put there, or `x` itself for a ratio of 0.
pub(super) fn excited(
    graph: &mut Graph,
    x: Tensor,
    before: usize,
    ratio: f64,
    activation: Activation,
) -> Result<Tensor, ShapeError> {
    if ratio == 0.0 {
        return Ok(x);
    }
    let (inner, gate) = match activation {
        Activation::Silu => (Activation::Silu, Activation::Sigmoid),
        _ => (Activation::Relu, Activation::HardSigmoid),
    };
    graph.scoped("squeeze_excitation", |graph| gated(graph, x, squeezed(before, ratio), inner, gate))
}

/// The block's input plus its branch where their shapes agree, the branch alone otherwise.
pub(super) fn residual(
    graph: &mut Graph,
    input: Tensor,
    branch: Tensor,
    stride: usize,
    depth: f64,
) -> Result<Tensor, ShapeError> {
    if stride != 1 || graph.shape(input) != graph.shape(branch) {
        return Ok(branch);
    }
    let branch = graph.add(Primitive::DropPath { depth }, &[branch])?;
    graph.sum(&[branch, input])
}
