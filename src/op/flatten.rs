//! A map as a vector.

use serde::{Deserialize, Serialize};

use super::{Lower, Site};
use crate::ir::{Graph, Primitive, ShapeError, Tensor};

/// `y = x` in another shape, row by row, channel after channel.
///
/// # Shapes
/// `[channels, height, width]` to `[channels * height * width]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Flatten {}

impl Lower for Flatten {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        site.keep(graph, input, self)?;
        graph.add(Primitive::Flatten, &[input])
    }

    fn label(&self) -> String {
        "flatten".into()
    }
}
