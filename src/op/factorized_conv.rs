//! A large kernel as a row and a column: 1x7 then 7x1, after Inception ([Szegedy et al.
//! 2016](https://arxiv.org/abs/1512.00567)), as NASNet and PNASNet list it.

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::{Lower, Site, check};
use crate::ir::{Conv, Graph, ShapeError, Tensor};

/// ReLU, 1xk convolution striding across, kx1 convolution striding down, batch normalisation.
///
/// # Shapes
/// `[in, height, width]` to `[channels, height / stride, width / stride]`, rounded up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FactorizedConv {
    /// Kernel size, odd.
    #[serde(deserialize_with = "check::odd")]
    pub kernel: usize,
    /// Output channels; otherwise the site's.
    #[serde(deserialize_with = "check::positive_or_none")]
    pub channels: Option<usize>,
    /// Stride; otherwise the site's.
    #[serde(deserialize_with = "check::positive_or_none")]
    pub stride: Option<usize>,
}

impl Default for FactorizedConv {
    fn default() -> FactorizedConv {
        FactorizedConv { kernel: 7, channels: None, stride: None }
    }
}

impl Lower for FactorizedConv {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        let (channels, stride) = site.resolve(graph, input, self.channels, self.stride);
        let row = Conv { stride: [1, stride], ..Conv::new(channels, [1, self.kernel]) };
        let column = Conv { stride: [stride, 1], ..Conv::new(channels, [self.kernel, 1]) };
        let x = graph.relu(input)?;
        let x = graph.conv("row", row, x)?;
        graph.conv_norm("column", column, x)
    }

    fn label(&self) -> String {
        let size = self.kernel;
        Label::new("conv").word(format!("1x{size}-{size}x1")).sized(self.channels, self.stride)
    }
}
