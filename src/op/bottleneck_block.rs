//! The bottleneck residual block ([He et al. 2016](https://arxiv.org/abs/1512.03385)).

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::residual_block::{Shortcut, joined};
use super::{Lower, Site, check};
use crate::ir::{Conv, Graph, ShapeError, Tensor};

/// 1x1 convolution to fewer channels, square convolution, 1x1 convolution back, each with batch normalisation, with
/// ReLU between; plus the shortcut, then ReLU. The square convolution strides, as in torchvision.
///
/// # Shapes
/// `[in, height, width]` to `[channels, height / stride, width / stride]`, rounded up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BottleneckBlock {
    /// Kernel size of the middle convolution, odd.
    #[serde(deserialize_with = "check::odd")]
    pub kernel: usize,
    /// How many times fewer channels the inside has; rounded down, at least one.
    #[serde(deserialize_with = "check::positive")]
    pub reduction: usize,
    /// Groups of the middle convolution (ResNeXt).
    #[serde(deserialize_with = "check::positive")]
    pub groups: usize,
    /// Output channels; otherwise the site's.
    #[serde(deserialize_with = "check::positive_or_none")]
    pub channels: Option<usize>,
    /// Stride; otherwise the site's.
    #[serde(deserialize_with = "check::positive_or_none")]
    pub stride: Option<usize>,
}

impl Default for BottleneckBlock {
    fn default() -> BottleneckBlock {
        BottleneckBlock { kernel: 3, reduction: 4, groups: 1, channels: None, stride: None }
    }
}

impl Lower for BottleneckBlock {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        let (channels, stride) = site.resolve(graph, input, self.channels, self.stride);
        let inner = channels.checked_div(self.reduction).unwrap_or(0).max(1);
        let mut x = graph.conv_norm("reduce", Conv::square(inner, 1), input)?;
        x = graph.relu(x)?;
        x = graph.conv_norm(
            "middle",
            Conv::square(inner, self.kernel).strided(stride).grouped(self.groups),
            x,
        )?;
        x = graph.relu(x)?;
        x = graph.conv_norm("expand", Conv::square(channels, 1), x)?;
        let sum = joined(graph, input, x, Shortcut::Conv, stride, site.depth)?;
        graph.relu(sum)
    }

    fn label(&self) -> String {
        let label = Label::new("bottleneck block").kernel(self.kernel);
        let label = label.unless(4, "reduction", self.reduction).unless(1, "groups", self.groups);
        label.sized(self.channels, self.stride)
    }
}
