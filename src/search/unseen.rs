//! Candidates that the study has not tried: what every algorithm here needs to never propose one twice.

use std::collections::HashSet;

use rand::RngExt;

use super::Context;
use crate::random::Rng;
use crate::space::{Genotype, GenotypeError, Key, Size, Space};
use crate::trial::{History, TrialId};

/// The keys of all trials, up to isomorphism, and what is left once a finite space is nearly used up.
///
/// It is a cache: the same history gives the same answers, whatever it was asked before.
#[derive(Default)]
pub(super) struct Unseen {
    seen: HashSet<Key>,
    read: usize,
    last: Option<TrialId>,
    /// One genotype of every key of the space that no trial had when it was looked at last, in the space's order.
    left: Option<Vec<(Key, Genotype)>>,
}

/// Draws in a row that may repeat before the space is counted through. A space of which 3 % is left survives them in
/// one study out of 400, and then loses nothing but time.
const DRAWS: usize = 200;

/// Larger spaces are not counted through; they are given up after [`LAST_DRAWS`] repeats instead.
const CENSUS_LIMIT: u64 = 1_000_000;

/// Draws that may repeat before a space too large to count through is held to be used up.
const LAST_DRAWS: usize = 20_000;

impl Unseen {
    /// Takes in the trials that are new since the last call.
    pub fn read(&mut self, history: &History) {
        let known = history.trials.get(self.read.wrapping_sub(1)).map(|trial| trial.id);
        if self.read > history.trials.len() || known != self.last {
            *self = Unseen::default();
        }
        self.seen.extend(history.trials[self.read..].iter().map(|trial| trial.key.clone()));
        self.read = history.trials.len();
        self.last = history.trials.last().map(|trial| trial.id);
    }

    /// Whether no trial has this key.
    pub fn is_new(&self, key: &Key) -> bool {
        !self.seen.contains(key)
    }

    /// Counts a key among the seen; whether it was new.
    pub fn add(&mut self, key: &Key) -> bool {
        self.seen.insert(key.clone())
    }

    /// The first of `draws` genotypes by `draw` that no trial has; `None` where all repeat.
    pub fn first(
        &self,
        space: &Space,
        draws: usize,
        mut draw: impl FnMut() -> Result<Genotype, GenotypeError>,
    ) -> Result<Option<Genotype>, GenotypeError> {
        for _ in 0..draws {
            let genotype = draw()?;
            if self.is_new(&space.key(&genotype)?) {
                return Ok(Some(genotype));
            }
        }
        Ok(None)
    }

    /// A uniform draw among what is left; `None` where nothing is.
    pub fn random(&mut self, context: &Context, rng: &mut Rng) -> Result<Option<Genotype>, GenotypeError> {
        let space = context.space;
        if let Some(genotype) = self.first(space, DRAWS, || space.random(rng))? {
            return Ok(Some(genotype));
        }
        match space.size() {
            Size::Finite(size) if size <= CENSUS_LIMIT.into() => self.left(space, rng),
            _ => self.first(space, LAST_DRAWS, || space.random(rng)),
        }
    }

    /// A uniform draw among the unseen of the whole space.
    fn left(&mut self, space: &Space, rng: &mut Rng) -> Result<Option<Genotype>, GenotypeError> {
        let mut left = match self.left.take() {
            Some(left) => left,
            None => census(space)?,
        };
        left.retain(|(key, _)| self.is_new(key));
        let drawn = (!left.is_empty()).then(|| left[rng.random_range(0..left.len())].1.clone());
        self.left = Some(left);
        Ok(drawn)
    }
}

/// One genotype of every key, in the space's order.
fn census(space: &Space) -> Result<Vec<(Key, Genotype)>, GenotypeError> {
    let mut keys = HashSet::new();
    let mut census = Vec::new();
    for genotype in space.genotypes() {
        let key = space.key(&genotype)?;
        if keys.insert(key.clone()) {
            census.push((key, genotype));
        }
    }
    Ok(census)
}
