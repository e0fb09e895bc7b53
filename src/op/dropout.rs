//! Dropout ([Srivastava et al. 2014](https://jmlr.org/papers/v15/srivastava14a.html)).

use serde::{Deserialize, Serialize};

use super::label::Label;
use super::{Lower, Site, check};
use crate::ir::{Graph, Primitive, ShapeError, Tensor};

/// While training, each activation is zero with probability `rate` and otherwise divided by `1 - rate`; afterwards
/// `y = x`.
///
/// # Shapes
/// Any, to the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dropout {
    /// The probability, in [0, 1).
    #[serde(deserialize_with = "check::rate")]
    pub rate: f64,
}

impl Default for Dropout {
    fn default() -> Dropout {
        Dropout { rate: 0.5 }
    }
}

impl Lower for Dropout {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        site.keep(graph, input, self)?;
        graph.add(Primitive::Dropout { rate: self.rate }, &[input])
    }

    fn label(&self) -> String {
        Label::new("dropout").word(self.rate).end()
    }
}
