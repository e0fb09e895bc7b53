//! Every candidate of a small space, as a model sees it: looked at once, however many searches there are.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::thread;

use super::view::{View, Viewer};
use crate::space::{Genotype, Key, Size, Space};

/// One genotype of every candidate of a space.
pub(super) struct Census {
    pub candidates: Vec<Counted>,
    /// Which candidate each genotype's text stands for, isomorphic ones included.
    numbers: HashMap<Box<str>, u32>,
}

/// A candidate with its identity.
pub(super) struct Counted {
    pub genotype: Genotype,
    pub key: Key,
    /// Looked at when it is first asked for; `None` where it cannot be.
    view: OnceLock<Option<View>>,
}

impl Counted {
    /// What it looks like.
    pub fn view(&self, space: &Space, viewer: &Viewer) -> Option<View> {
        self.view.get_or_init(|| viewer.view(space, &self.genotype).ok()).clone()
    }
}

/// Spaces of more genotypes are not counted through.
const MOST: u32 = 25_000;

impl Census {
    /// The census of a space; `None` where it is continuous or too large.
    pub fn of(space: &Space) -> Option<Census> {
        match space.size() {
            Size::Finite(size) if size <= MOST.into() => {}
            Size::Finite(_) | Size::Continuous => return None,
        }
        let genotypes: Vec<Genotype> = space.genotypes().collect();
        let mut census = Census { candidates: Vec::new(), numbers: HashMap::with_capacity(genotypes.len()) };
        let mut known: HashMap<Key, u32> = HashMap::new();
        for (genotype, key) in genotypes.iter().zip(keys(space, &genotypes)) {
            let Some(key) = key else { continue };
            let number = *known.entry(key).or_insert_with_key(|key| {
                let (genotype, key) = (genotype.clone(), key.clone());
                census.candidates.push(Counted { genotype, key, view: OnceLock::new() });
                census.candidates.len() as u32 - 1
            });
            census.numbers.insert(genotype.to_string().into(), number);
        }
        Some(census)
    }

    /// The candidate that a genotype stands for.
    pub fn number(&self, genotype: &str) -> Option<usize> {
        self.numbers.get(genotype).map(|number| *number as usize)
    }
}

/// The keys of many genotypes; `None` for those that have none.
///
/// On threads of its own: a pool's thread that waits for its share may turn to another search, which waits for this one.
fn keys(space: &Space, genotypes: &[Genotype]) -> Vec<Option<Key>> {
    let share =
        genotypes.len().div_ceil(thread::available_parallelism().map_or(1, |threads| threads.get())).max(500);
    let key = |genotype: &Genotype| space.key(genotype).ok();
    thread::scope(|scope| {
        let parts: Vec<_> = genotypes
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(key).collect::<Vec<_>>()))
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
    })
}
