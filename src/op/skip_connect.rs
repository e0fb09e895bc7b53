//! Identity.

use serde::{Deserialize, Serialize};

use super::{Lower, Meaning, Site};
use crate::ir::{Graph, ShapeError, Tensor};

/// Passes its input on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SkipConnect {}

impl Lower for SkipConnect {
    fn lower(&self, _graph: &mut Graph, input: Tensor, _site: Site) -> Result<Tensor, ShapeError> {
        Ok(input)
    }
    fn meaning(&self) -> Meaning {
        Meaning::Identity
    }
}
