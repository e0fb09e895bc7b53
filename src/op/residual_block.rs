//! The basic residual block ([He et al. 2016](https://arxiv.org/abs/1512.03385)), and its sister that reduces the maps of
//! NAS-Bench-201.

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::{Lower, Site, check};
use crate::ir::{Conv, Graph, Primitive, ShapeError, Tensor, Window};

/// `y = relu(norm(W2 * relu(norm(W1 * x))) + shortcut(x))`, or in pre-activation order
/// `y = norm(W2 * relu(norm(W1 * relu(x)))) + shortcut(x)`.
///
/// NAS-Bench-201's reduction is `ResidualBlock(order: ReluConvBn, shortcut: AvgPool)` at stride 2.
///
/// # Shapes
/// `[in, height, width]` to `[channels, height / stride, width / stride]`, rounded up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResidualBlock {
    /// Kernel size of both convolutions, odd.
    #[serde(deserialize_with = "check::odd")]
    pub kernel: usize,
    /// The order of its layers.
    pub order: Order,
    /// What stands for the identity where shapes change.
    pub shortcut: Shortcut,
    /// Output channels; otherwise the site's.
    #[serde(deserialize_with = "check::positive_or_none")]
    pub channels: Option<usize>,
    /// Stride; otherwise the site's.
    #[serde(deserialize_with = "check::positive_or_none")]
    pub stride: Option<usize>,
}

/// The order of a residual branch's layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// ReLU last, also after the sum.
    #[default]
    ConvBnRelu,
    /// ReLU first, and none after the sum.
    ReluConvBn,
}

/// What stands for the identity where a residual block changes the shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shortcut {
    /// A strided 1x1 convolution and batch normalisation.
    #[default]
    Conv,
    /// Average pooling over windows of the stride's size, then a 1x1 convolution alone.
    AvgPool,
}

impl Default for ResidualBlock {
    fn default() -> ResidualBlock {
        let (order, shortcut) = (Order::default(), Shortcut::default());
        ResidualBlock { kernel: 3, order, shortcut, channels: None, stride: None }
    }
}

impl Lower for ResidualBlock {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        let (channels, stride) = site.resolve(graph, input, self.channels, self.stride);
        let conv = Conv::square(channels, self.kernel);
        let early = self.order == Order::ReluConvBn;
        let mut x = if early { graph.relu(input)? } else { input };
        x = graph.conv_norm("first", conv.clone().strided(stride), x)?;
        x = graph.relu(x)?;
        x = graph.conv_norm("second", conv, x)?;
        let sum = joined(graph, input, x, self.shortcut, stride, site.depth)?;
        if early { Ok(sum) } else { graph.relu(sum) }
    }

    fn label(&self) -> String {
        let label = Label::new("residual block").kernel(self.kernel);
        let label = label.when(self.order == Order::ReluConvBn, "relu first");
        label.when(self.shortcut == Shortcut::AvgPool, "pooled").sized(self.channels, self.stride)
    }
}

/// The branch, dropped at times, plus the block's input by way of the shortcut.
pub(super) fn joined(
    graph: &mut Graph,
    input: Tensor,
    branch: Tensor,
    shortcut: Shortcut,
    stride: usize,
    depth: f64,
) -> Result<Tensor, ShapeError> {
    let channels = graph.shape(branch).channels();
    let branch = graph.add(Primitive::DropPath { depth }, &[branch])?;
    let same = stride == 1 && channels == graph.shape(input).channels();
    let short = match shortcut {
        _ if same => input,
        Shortcut::Conv => graph.conv_norm("shortcut", Conv::square(channels, 1).strided(stride), input)?,
        Shortcut::AvgPool => {
            let window = Window { kernel: stride, stride, padding: 0 };
            let pooled = graph.add(Primitive::AvgPool { window, count_padding: false }, &[input])?;
            graph.conv("shortcut", Conv::square(channels, 1), pooled)?
        }
    };
    graph.sum(&[branch, short])
}
