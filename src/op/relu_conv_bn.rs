//! ReLU, convolution, batch normalisation: the layer of NAS-Bench-201 ([Dong and Yang
//! 2020](https://arxiv.org/abs/2001.00326)), and the projections of NASNet's cells.

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::{Lower, Site, check};
use crate::ir::{self, Graph, ShapeError, Tensor};

/// `y = norm(W * relu(x))`. With `dilation: 2` it is the dilated convolution of NASNet and PNASNet.
///
/// # Shapes
/// `[in, height, width]` to `[channels, height / stride, width / stride]`, rounded up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReluConvBn {
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
}

impl Default for ReluConvBn {
    fn default() -> ReluConvBn {
        ReluConvBn { kernel: 3, channels: None, stride: None, dilation: 1, groups: 1 }
    }
}

impl Lower for ReluConvBn {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        let (channels, stride) = site.resolve(graph, input, self.channels, self.stride);
        let conv = ir::Conv::square(channels, self.kernel)
            .strided(stride)
            .dilated(self.dilation)
            .grouped(self.groups);
        let x = graph.relu(input)?;
        graph.conv_norm("conv", conv, x)
    }

    fn label(&self) -> String {
        let label = Label::new("relu conv bn").kernel(self.kernel);
        let label = label.unless(1, "dilation", self.dilation).unless(1, "groups", self.groups);
        label.sized(self.channels, self.stride)
    }
}
