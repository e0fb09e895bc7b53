//! Batch normalisation ([Ioffe and Szegedy 2015](https://arxiv.org/abs/1502.03167)).

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::{Lower, Site, check};
use crate::ir::{Graph, Primitive, ShapeError, Tensor};

/// `y = scale * (x - mean) / sqrt(variance + epsilon) + shift`, channel by channel; mean and variance are the batch's
/// while training, running ones afterwards.
///
/// # Shapes
/// Any, to the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BatchNorm {
    /// Whether scale and shift are learned.
    pub affine: bool,
    /// Added to the variance.
    #[serde(deserialize_with = "check::above_zero")]
    pub epsilon: f64,
    /// The share of a batch's statistics that enters the running ones.
    #[serde(deserialize_with = "check::share")]
    pub momentum: f64,
}

impl Default for BatchNorm {
    fn default() -> BatchNorm {
        BatchNorm { affine: true, epsilon: 1e-5, momentum: 0.1 }
    }
}

impl Lower for BatchNorm {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        site.keep(graph, input, self)?;
        let BatchNorm { affine, epsilon, momentum } = *self;
        graph.add(Primitive::BatchNorm { affine, epsilon, momentum }, &[input])
    }

    fn label(&self) -> String {
        let label = Label::new("batch norm").when(!self.affine, "plain");
        label.unless(1e-5, "epsilon", self.epsilon).unless(0.1, "momentum", self.momentum).end()
    }
}
