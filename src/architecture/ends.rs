//! The two ends of a network: its stem, which takes the pictures in, and its head, which names their class.

use serde::{Deserialize, Serialize};

use super::{Body, count};
use crate::ir::{Activation, Conv, Graph, Primitive, Shape, ShapeError, Tensor};

/// The first layers: a convolution with batch norm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stem {
    /// Output channels; without them, as many as the first stage has.
    pub channels: Option<usize>,
    /// Kernel height and width.
    #[serde(deserialize_with = "count::<16, _>")]
    pub kernel: usize,
    /// Stride.
    #[serde(deserialize_with = "count::<16, _>")]
    pub stride: usize,
    /// What follows the batch norm.
    pub activation: Option<Activation>,
    /// How many cells at stride 2 stand before the first stage, each half as wide as what follows it (NASNet and
    /// PNASNet on ImageNet have 2). Only stacked cells have them.
    pub cells: usize,
}

impl Default for Stem {
    fn default() -> Stem {
        Stem { channels: None, kernel: 3, stride: 1, activation: None, cells: 0 }
    }
}

impl Stem {
    /// Adds the convolution with so many channels under the scope `stem`.
    pub(super) fn lower(&self, graph: &mut Graph, channels: usize) -> Result<Tensor, ShapeError> {
        let input = graph.input();
        graph.scoped("stem", |graph| {
            let x =
                graph.conv_norm("conv", Conv::square(channels, self.kernel).strided(self.stride), input)?;
            activate(graph, x, self.activation)
        })
    }
}

/// The last layers: global average pooling and a linear classifier, and what stands before them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Head {
    /// Width of a 1x1 convolution with batch norm before pooling; without it there is none.
    pub channels: Option<usize>,
    /// Whether a batch norm stands before pooling where there is no such convolution.
    pub norm: bool,
    /// The activation before pooling.
    pub activation: Option<Activation>,
    /// Probability of dropping a feature before the classifier, in [0, 1).
    pub dropout: f64,
}

impl Head {
    /// Adds the head behind the last layer, under the scope `head`; returns the logits.
    pub(super) fn lower(&self, body: &mut Body, classes: usize) -> Result<Tensor, ShapeError> {
        let mut x = body.last();
        body.graph.scoped("head", |graph| {
            if let Some(channels) = self.channels {
                x = graph.add(Primitive::Conv(Conv::square(channels, 1)), &[x])?;
            }
            if self.norm || self.channels.is_some() {
                x = graph.add(Primitive::BATCH_NORM, &[x])?;
            }
            x = activate(graph, x, self.activation)?;
            if let Shape::Map { .. } = graph.shape(x) {
                x = graph.add(Primitive::GlobalAvgPool, &[x])?;
                x = graph.add(Primitive::Flatten, &[x])?;
            }
            if self.dropout != 0.0 {
                x = graph.add(Primitive::Dropout { rate: self.dropout }, &[x])?;
            }
            graph.add(Primitive::Linear { features: classes, bias: true }, &[x])
        })
    }
}

fn activate(graph: &mut Graph, input: Tensor, activation: Option<Activation>) -> Result<Tensor, ShapeError> {
    activation.map_or(Ok(input), |activation| graph.activation(activation, input))
}
