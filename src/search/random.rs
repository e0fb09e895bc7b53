//! Random search.

use serde::{Deserialize, Serialize};

use super::{Configure, Context, Next, SearchAlgorithm};
use crate::space::GenotypeError;
use crate::trial::History;

/// Uniform draws without repeats, up to isomorphism.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Random {}

impl Configure for Random {
    fn start(&self) -> Box<dyn SearchAlgorithm> {
        Box::new(self.clone())
    }
}

impl SearchAlgorithm for Random {
    fn propose(&mut self, _context: &Context, _history: &History) -> Result<Next, GenotypeError> {
        todo!()
    }
}
