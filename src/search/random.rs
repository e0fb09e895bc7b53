//! Random search.
//!
//! Uniform draws are the baseline that every other algorithm must beat (Li and Talwalkar 2019,
//! <https://arxiv.org/abs/1902.07638>). None is drawn twice, not even as another drawing of the same graph, and a
//! finite space that is nearly used up is counted through, so that the search ends with its last candidate.

use serde::{Deserialize, Serialize};

use super::unseen::Unseen;
use super::{Configure, Context, Next, SearchAlgorithm};
use crate::space::GenotypeError;
use crate::trial::{History, Proposal};

/// Uniform draws without repeats, up to isomorphism.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Random {}

impl Configure for Random {
    fn start(&self) -> Box<dyn SearchAlgorithm> {
        Box::new(RandomSearch::default())
    }
}

#[derive(Default)]
struct RandomSearch {
    unseen: Unseen,
}

impl SearchAlgorithm for RandomSearch {
    fn propose(&mut self, context: &Context, history: &History) -> Result<Next, GenotypeError> {
        self.unseen.read(history);
        let mut rng = context.seed.stream(context.trial, "random search");
        let genotype = self.unseen.random(context, &mut rng)?;
        Ok(genotype.map_or(Next::Done, |genotype| {
            Next::Run(Proposal { genotype, fidelity: context.fidelity, parent: None, note: "random".into() })
        }))
    }
}
