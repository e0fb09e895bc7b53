//! The fused inverted bottleneck of EfficientNetV2 ([Tan and Le 2021](https://arxiv.org/abs/2104.00298)).

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::mb_conv::{excited, expanded, residual};
use super::{Lower, Site, check};
use crate::ir::{Activation, Conv, Graph, ShapeError, Tensor};

/// One full convolution in place of [`MbConv`](super::MbConv)'s expansion and depthwise convolution, then
/// squeeze-excitation at will and the 1x1 projection; plus the input where shapes agree. At expansion 1 the full
/// convolution is all there is.
///
/// # Shapes
/// `[in, height, width]` to `[channels, height / stride, width / stride]`, rounded up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FusedMbConv {
    /// Kernel size of the full convolution, odd.
    #[serde(deserialize_with = "check::odd")]
    pub kernel: usize,
    /// How many times the input's channels the inner map has, at least 1; at 1 there is no projection layer.
    #[serde(deserialize_with = "check::factor")]
    pub expansion: f64,
    /// As [`MbConv`](super::MbConv)'s.
    #[serde(deserialize_with = "check::not_negative")]
    pub squeeze_excitation: f64,
    /// As [`MbConv`](super::MbConv)'s.
    pub activation: Activation,
    /// Output channels; otherwise the site's.
    #[serde(deserialize_with = "check::positive_or_none")]
    pub channels: Option<usize>,
    /// Stride; otherwise the site's.
    #[serde(deserialize_with = "check::positive_or_none")]
    pub stride: Option<usize>,
}

impl Default for FusedMbConv {
    fn default() -> FusedMbConv {
        let activation = Activation::Silu;
        FusedMbConv {
            kernel: 3,
            expansion: 4.0,
            squeeze_excitation: 0.0,
            activation,
            channels: None,
            stride: None,
        }
    }
}

impl Lower for FusedMbConv {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        let (channels, stride) = site.resolve(graph, input, self.channels, self.stride);
        let (before, ..) = graph.map(input, "fused mbconv")?;
        let inner = expanded(before, self.expansion);
        let fused = if inner == before { channels } else { inner };
        let mut x = graph.conv_norm("fused", Conv::square(fused, self.kernel).strided(stride), input)?;
        x = graph.activation(self.activation, x)?;
        x = excited(graph, x, before, self.squeeze_excitation, self.activation)?;
        if inner != before {
            x = graph.conv_norm("project", Conv::square(channels, 1), x)?;
        }
        residual(graph, input, x, stride, site.depth)
    }

    fn label(&self) -> String {
        let label = Label::new("fused mbconv").kernel(self.kernel).word(format!("x{}", self.expansion));
        let label =
            label.unless(0.0, "se", self.squeeze_excitation).unless_usual("silu", self.activation.name());
        label.sized(self.channels, self.stride)
    }
}
