//! A fully connected layer.

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::{Lower, Site, check};
use crate::ir::{Graph, Primitive, ShapeError, Tensor};

/// `y = x W + b`. A map must be flattened first.
///
/// # Shapes
/// `[in]` to `[features]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Linear {
    /// Output features; otherwise the site's channels.
    #[serde(deserialize_with = "check::positive_or_none")]
    pub features: Option<usize>,
    /// Whether there is a bias.
    pub bias: bool,
}

impl Default for Linear {
    fn default() -> Linear {
        Linear { features: None, bias: true }
    }
}

impl Lower for Linear {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        let (features, stride) = site.resolve(graph, input, self.features, None);
        if stride != 1 {
            return Err(graph.refusal(format!("linear has no stride, but stride {stride} is asked for here")));
        }
        graph.add(Primitive::Linear { features, bias: self.bias }, &[input])
    }

    fn label(&self) -> String {
        Label::new("linear").when(!self.bias, "unbiased").sized(self.features, None)
    }
}
