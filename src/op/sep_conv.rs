//! Depthwise-separable convolution as in NASNet ([Zoph et al. 2018](https://arxiv.org/abs/1707.07012)), which PNASNet
//! and DARTS took over.

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::{Lower, Site, check};
use crate::ir::{Conv, Graph, ShapeError, Tensor};

/// ReLU, depthwise convolution, 1x1 convolution, batch normalisation, all of it applied twice.
///
/// The first application strides and changes the channels.
///
/// # Shapes
/// `[in, height, width]` to `[channels, height / stride, width / stride]`, rounded up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SepConv {
    /// Kernel size, odd.
    #[serde(deserialize_with = "check::odd")]
    pub kernel: usize,
    /// Output channels; otherwise the site's.
    #[serde(deserialize_with = "check::positive_or_none")]
    pub channels: Option<usize>,
    /// Stride; otherwise the site's.
    #[serde(deserialize_with = "check::positive_or_none")]
    pub stride: Option<usize>,
    /// How many times it is applied, in [1, 64].
    #[serde(deserialize_with = "check::few")]
    pub repeats: usize,
}

impl Default for SepConv {
    fn default() -> SepConv {
        SepConv { kernel: 3, channels: None, stride: None, repeats: 2 }
    }
}

impl Lower for SepConv {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        let (channels, mut stride) = site.resolve(graph, input, self.channels, self.stride);
        let mut x = input;
        for _ in 0..self.repeats {
            x = separable(graph, x, channels, Conv::square(0, self.kernel).strided(stride))?;
            stride = 1;
        }
        Ok(x)
    }

    fn label(&self) -> String {
        let label = Label::new("sep conv").kernel(self.kernel);
        label.unless(2, "repeats", self.repeats).sized(self.channels, self.stride)
    }
}

/// ReLU, `depthwise` over all channels of `x`, 1x1 convolution to `channels`, batch normalisation.
pub(super) fn separable(
    graph: &mut Graph,
    x: Tensor,
    channels: usize,
    depthwise: Conv,
) -> Result<Tensor, ShapeError> {
    let (every, ..) = graph.map(x, "depthwise conv")?;
    let x = graph.relu(x)?;
    let x = graph.conv("depthwise", Conv { channels: every, groups: every, ..depthwise }, x)?;
    graph.conv_norm("pointwise", Conv::square(channels, 1), x)
}
