//! An elementwise non-linearity on its own.

use serde::{Deserialize, Serialize};

use super::{Lower, Site};
use crate::ir::{Activation, Graph, ShapeError, Tensor};

/// `y = function(x)`: `Relu`, `Silu` ([Ramachandran et al. 2017](https://arxiv.org/abs/1710.05941)), `Gelu` ([Hendrycks and
/// Gimpel 2016](https://arxiv.org/abs/1606.08415)), `HardSwish` ([Howard et al. 2019](https://arxiv.org/abs/1905.02244)), ...
///
/// # Shapes
/// Any, to the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ActivationOp {
    /// Which.
    pub function: Activation,
}

impl Lower for ActivationOp {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        site.keep(graph, input, self)?;
        graph.activation(self.function, input)
    }

    fn label(&self) -> String {
        self.function.name().replace('_', " ")
    }
}
