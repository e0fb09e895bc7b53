//! Mean over height and width ([Lin et al. 2014](https://arxiv.org/abs/1312.4400)).

use serde::{Deserialize, Serialize};

use super::{Lower, Site};
use crate::ir::{Graph, Primitive, ShapeError, Tensor};

/// `y = mean over all rows and columns of x`; a `Flatten` makes a vector of it.
///
/// # Shapes
/// `[channels, height, width]` to `[channels, 1, 1]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GlobalAvgPool {}

impl Lower for GlobalAvgPool {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        site.keep(graph, input, self)?;
        graph.add(Primitive::GlobalAvgPool, &[input])
    }

    fn label(&self) -> String {
        "global avg pool".into()
    }
}
