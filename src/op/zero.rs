//! No connection.

use serde::{Deserialize, Serialize};

use super::{Lower, Meaning, Site};
use crate::ir::{Graph, Primitive, ShapeError, Tensor};

/// `y = 0`: NAS-Bench-201's `none`, DARTS's zero.
///
/// # Shapes
/// `[in, height, width]` to `[channels, height / stride, width / stride]`, rounded up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Zero {}

impl Lower for Zero {
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        let (channels, stride) = site.resolve(graph, input, None, None);
        graph.add(Primitive::Zero { channels, stride }, &[input])
    }

    fn label(&self) -> String {
        "zero".into()
    }

    fn meaning(&self) -> Meaning {
        Meaning::Zero
    }
}
