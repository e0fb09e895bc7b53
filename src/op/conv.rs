//! A plain convolution.

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::{Lower, Site, check};
use crate::ir::{self, Graph, ShapeError, Tensor};

/// `y = W * x (+ b)`: a square convolution alone, padded so that stride 1 keeps the size.
///
/// # Shapes
/// `[in, height, width]` to `[channels, height / stride, width / stride]`, rounded up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conv {
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
    /// Whether there is a bias.
    pub bias: bool,
}

impl Default for Conv {
    fn default() -> Conv {
        Conv { kernel: 3, channels: None, stride: None, dilation: 1, groups: 1, bias: true }
    }
}

impl Lower for Conv {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        let (channels, stride) = site.resolve(graph, input, self.channels, self.stride);
        let conv = ir::Conv::square(channels, self.kernel)
            .strided(stride)
            .dilated(self.dilation)
            .grouped(self.groups);
        graph.conv("conv", ir::Conv { bias: self.bias, ..conv }, input)
    }

    fn label(&self) -> String {
        let label = Label::new("conv").kernel(self.kernel);
        let label = label.unless(1, "dilation", self.dilation).unless(1, "groups", self.groups);
        label.when(!self.bias, "unbiased").sized(self.channels, self.stride)
    }
}
