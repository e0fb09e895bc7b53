//! Identity, and what stands for it where it cannot be.

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::{Lower, Meaning, Site};
use crate::ir::{Conv, Graph, Primitive, ShapeError, Tensor};

/// `y = x`. Where channels change, ReLU, 1x1 convolution and batch normalisation; with a stride, what `reduction` says.
///
/// # Shapes
/// `[in, height, width]` to `[channels, height / stride, width / stride]`, rounded up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SkipConnect {
    /// How it strides.
    pub reduction: Reduction,
}

/// How a skip connection strides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reduction {
    /// ReLU, then two strided 1x1 convolutions side by side, the second on the map moved by one pixel, each yielding
    /// half of the channels; then batch normalisation. No pixel of a stride-2 map is lost. As in NASNet, DARTS, NAS-Bench-201.
    #[default]
    Factorized,
    /// ReLU, one strided 1x1 convolution, batch normalisation. As in PNASNet.
    Strided,
}

impl Lower for SkipConnect {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        let (channels, stride) = site.resolve(graph, input, None, None);
        if stride == 1 && channels == graph.shape(input).channels() {
            return Ok(input);
        }
        let x = graph.relu(input)?;
        match self.reduction {
            Reduction::Factorized if stride > 1 => factorized(graph, x, channels, stride),
            _ => graph.conv_norm("projection", Conv::square(channels, 1).strided(stride), x),
        }
    }

    fn label(&self) -> String {
        Label::new("skip connect").when(self.reduction == Reduction::Strided, "strided").end()
    }

    fn meaning(&self) -> Meaning {
        Meaning::Identity
    }
}

/// Half of the channels from the even pixels, half from the odd ones.
fn factorized(graph: &mut Graph, x: Tensor, channels: usize, stride: usize) -> Result<Tensor, ShapeError> {
    if channels < 2 {
        return Err(
            graph.refusal(format!("factorised reduction needs at least 2 output channels, got {channels}"))
        );
    }
    let even = graph.conv("even", Conv::square(channels / 2, 1).strided(stride), x)?;
    let moved = graph.add(Primitive::Shift { rows: 1 }, &[x])?;
    let odd = graph.conv("odd", Conv::square(channels - channels / 2, 1).strided(stride), moved)?;
    let both = graph.concat(&[even, odd])?;
    graph.add(Primitive::BATCH_NORM, &[both])
}
