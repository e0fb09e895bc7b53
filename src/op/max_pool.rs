//! Maximum over a window.

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::{Lower, Site, check};
use crate::ir::{Conv, Graph, Primitive, ShapeError, Tensor, Window};

/// `y[i, j] = max x[i * stride + r, j * stride + c]` over the window; where channels change, a 1x1 convolution and
/// batch normalisation follow, as in NASNet.
///
/// # Shapes
/// `[in, height, width]` to `[channels, height / stride, width / stride]`, rounded up for odd windows and down for
/// even ones at stride 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MaxPool {
    /// Window size.
    #[serde(deserialize_with = "check::positive")]
    pub kernel: usize,
    /// Stride; otherwise the site's.
    #[serde(deserialize_with = "check::positive_or_none")]
    pub stride: Option<usize>,
    /// Whether batch normalisation without scale and shift follows, as in DARTS.
    pub normalize: bool,
}

impl Default for MaxPool {
    fn default() -> MaxPool {
        MaxPool { kernel: 3, stride: None, normalize: false }
    }
}

impl Lower for MaxPool {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        let (channels, stride) = site.resolve(graph, input, None, self.stride);
        let x = graph.add(Primitive::MaxPool(Window::padded(self.kernel, stride)), &[input])?;
        after_pool(graph, x, channels, self.normalize)
    }

    fn label(&self) -> String {
        Label::new("max pool").kernel(self.kernel).when(self.normalize, "bn").sized(None, self.stride)
    }
}

/// What follows a pooling: normalisation without scale and shift at will, and a projection where channels change.
pub(super) fn after_pool(
    graph: &mut Graph,
    x: Tensor,
    channels: usize,
    normalize: bool,
) -> Result<Tensor, ShapeError> {
    let norm = Primitive::BatchNorm { affine: false, epsilon: 1e-5, momentum: 0.1 };
    let x = if normalize { graph.add(norm, &[x])? } else { x };
    if graph.shape(x).channels() == channels {
        return Ok(x);
    }
    graph.conv_norm("projection", Conv::square(channels, 1), x)
}
