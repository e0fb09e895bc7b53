//! What one-shot searches propose once their weights are trained: candidates without an epoch of their own.

use super::SHARED;
use crate::random::Rng;
use crate::search::unseen::Unseen;
use crate::search::{Context, Next};
use crate::space::{Genotype, GenotypeError};
use crate::trial::Proposal;

/// Draws from the policy that may repeat before a random candidate takes their place.
const DRAWS: usize = 100;

/// A candidate judged by the shared weights.
pub(super) fn run(genotype: Genotype, note: &str) -> Next {
    Next::Run(Proposal { genotype, fidelity: SHARED, parent: None, note: note.into() })
}

/// Whether no trial has it, it is a program, and it keeps to the constraints.
pub(super) fn is_new(unseen: &Unseen, context: &Context, genotype: &Genotype) -> bool {
    context.space.key(genotype).is_ok_and(|key| unseen.is_new(&key))
        && context.space.admits(genotype).unwrap_or(false)
}

/// The first new candidate that a policy draws; a random one where the policy repeats itself.
pub(super) fn drawn(
    unseen: &mut Unseen,
    context: &Context,
    rng: &mut Rng,
    note: &str,
    draw: impl Fn(&mut Rng) -> Result<Genotype, GenotypeError>,
) -> Result<Next, GenotypeError> {
    for _ in 0..DRAWS {
        let genotype = draw(rng)?;
        if is_new(unseen, context, &genotype) {
            return Ok(run(genotype, note));
        }
    }
    let genotype = unseen.random(context, rng)?;
    Ok(genotype.map_or(Next::Done, |genotype| run(genotype, "random, for the policy repeats itself")))
}
