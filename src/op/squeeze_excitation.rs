//! A gate on every channel ([Hu et al. 2018](https://arxiv.org/abs/1709.01507)).

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::{Lower, Site, check};
use crate::ir::{Activation, Conv, Graph, Primitive, ShapeError, Tensor};

/// `y = x * gate(W2 activation(W1 mean(x)))`, channel by channel.
///
/// # Shapes
/// `[channels, height, width]` to the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SqueezeExcitation {
    /// The share of the channels that the squeezed vector has, in (0, 1]; rounded down, at least one.
    #[serde(deserialize_with = "check::positive_share")]
    pub ratio: f64,
    /// The non-linearity between the two layers.
    pub activation: Activation,
    /// The gate: `Sigmoid`, or `HardSigmoid` as in MobileNetV3.
    pub gate: Activation,
}

impl Default for SqueezeExcitation {
    fn default() -> SqueezeExcitation {
        SqueezeExcitation { ratio: 0.25, activation: Activation::Relu, gate: Activation::Sigmoid }
    }
}

impl Lower for SqueezeExcitation {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        site.keep(graph, input, self)?;
        let (channels, ..) = graph.map(input, "squeeze-excitation")?;
        gated(graph, input, squeezed(channels, self.ratio), self.activation, self.gate)
    }

    fn label(&self) -> String {
        let label = Label::new("squeeze excitation").word(self.ratio);
        label.unless_usual("relu", self.activation.name()).unless("sigmoid", "gate", self.gate.name()).end()
    }
}

/// The size of the squeezed vector.
pub(super) fn squeezed(channels: usize, ratio: f64) -> usize {
    ((channels as f64 * ratio) as usize).max(1)
}

/// The gate of [`SqueezeExcitation`] on `x`, by way of a vector of `squeezed` features.
pub(super) fn gated(
    graph: &mut Graph,
    x: Tensor,
    squeezed: usize,
    activation: Activation,
    gate: Activation,
) -> Result<Tensor, ShapeError> {
    let layer = |channels| Conv { bias: true, ..Conv::square(channels, 1) };
    let channels = graph.shape(x).channels();
    let mean = graph.add(Primitive::GlobalAvgPool, &[x])?;
    let hidden = graph.conv("squeeze", layer(squeezed), mean)?;
    let hidden = graph.activation(activation, hidden)?;
    let weights = graph.conv("excite", layer(channels), hidden)?;
    let weights = graph.activation(gate, weights)?;
    graph.add(Primitive::Mul, &[x, weights])
}
