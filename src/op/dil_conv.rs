//! Dilated depthwise-separable convolution as in DARTS ([Liu et al. 2019](https://arxiv.org/abs/1806.09055)).

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::sep_conv::separable;
use super::{Lower, Site, check};
use crate::ir::{Conv, Graph, ShapeError, Tensor};

/// ReLU, dilated depthwise convolution, 1x1 convolution, batch normalisation, once.
///
/// # Shapes
/// `[in, height, width]` to `[channels, height / stride, width / stride]`, rounded up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DilConv {
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
}

impl Default for DilConv {
    fn default() -> DilConv {
        DilConv { kernel: 3, channels: None, stride: None, dilation: 2 }
    }
}

impl Lower for DilConv {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        let (channels, stride) = site.resolve(graph, input, self.channels, self.stride);
        let depthwise = Conv::square(0, self.kernel).strided(stride).dilated(self.dilation);
        separable(graph, input, channels, depthwise)
    }

    fn label(&self) -> String {
        let label = Label::new("dil conv").kernel(self.kernel);
        label.unless(2, "dilation", self.dilation).sized(self.channels, self.stride)
    }
}
