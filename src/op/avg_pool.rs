//! Mean over a window.

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::max_pool::after_pool;
use super::{Lower, Site, check};
use crate::ir::{Graph, Primitive, ShapeError, Tensor, Window};

/// `y[i, j] = mean x[i * stride + r, j * stride + c]` over the window; where channels change, a 1x1 convolution and
/// batch normalisation follow, as in NASNet.
///
/// # Shapes
/// `[in, height, width]` to `[channels, height / stride, width / stride]`, rounded up for odd windows and down for
/// even ones at stride 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AvgPool {
    /// Window size.
    #[serde(deserialize_with = "check::positive")]
    pub kernel: usize,
    /// Stride; otherwise the site's.
    #[serde(deserialize_with = "check::positive_or_none")]
    pub stride: Option<usize>,
    /// Whether padded positions count as zeros; no published cell wants it, PyTorch's default does.
    pub count_padding: bool,
    /// Whether batch normalisation without scale and shift follows, as in DARTS.
    pub normalize: bool,
}

impl Default for AvgPool {
    fn default() -> AvgPool {
        AvgPool { kernel: 3, stride: None, count_padding: false, normalize: false }
    }
}

impl Lower for AvgPool {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        let (channels, stride) = site.resolve(graph, input, None, self.stride);
        let window = Window::padded(self.kernel, stride);
        let x = graph.add(Primitive::AvgPool { window, count_padding: self.count_padding }, &[input])?;
        after_pool(graph, x, channels, self.normalize)
    }

    fn label(&self) -> String {
        let label = Label::new("avg pool").kernel(self.kernel).when(self.count_padding, "counting padding");
        label.when(self.normalize, "bn").sized(None, self.stride)
    }
}
