//! Convolution, batch normalisation, activation: the layer of NAS-Bench-101 ([Ying et al.
//! 2019](https://arxiv.org/abs/1902.09635)), and the stem and head of most networks.

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::{Lower, Site, check};
use crate::ir::{self, Activation, Graph, ShapeError, Tensor};

/// `y = activation(norm(W * x))`.
///
/// # Shapes
/// `[in, height, width]` to `[channels, height / stride, width / stride]`, rounded up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConvBnRelu {
    /// Kernel size, odd.
    #[serde(deserialize_with = "check::odd")]
    pub kernel: usize,
    /// Output channels; otherwise the site's.
    #[serde(deserialize_with = "check::positive_or_none")]
    pub channels: Option<usize>,
    /// Stride; otherwise the site's.
    #[serde(deserialize_with = "check::positive_or_none")]
    pub stride: Option<usize>,
    /// Distance between the kernel's taps.
    #[serde(deserialize_with = "check::positive")]
    pub dilation: usize,
    /// Groups, which must divide the channels on both sides.
    #[serde(deserialize_with = "check::positive")]
    pub groups: usize,
    /// The non-linearity.
    pub activation: Activation,
}

impl Default for ConvBnRelu {
    fn default() -> ConvBnRelu {
        let activation = Activation::default();
        ConvBnRelu { kernel: 3, channels: None, stride: None, dilation: 1, groups: 1, activation }
    }
}

impl Lower for ConvBnRelu {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        let (channels, stride) = site.resolve(graph, input, self.channels, self.stride);
        let conv = ir::Conv::square(channels, self.kernel)
            .strided(stride)
            .dilated(self.dilation)
            .grouped(self.groups);
        let x = graph.conv_norm("conv", conv, input)?;
        graph.activation(self.activation, x)
    }

    fn label(&self) -> String {
        let label = Label::new("conv bn").word(self.activation.name()).kernel(self.kernel);
        let label = label.unless(1, "dilation", self.dilation).unless(1, "groups", self.groups);
        label.sized(self.channels, self.stride)
    }
}
