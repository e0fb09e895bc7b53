//! The candidates that a model chooses from: random ones from all over the space, and the neighbours of the best so far.

use std::collections::HashMap;
use std::sync::Arc;

use rand::RngExt;
use rand::seq::SliceRandom;

use super::census::Census;
use super::view::{View, Viewer};
use crate::random::{Rng, Seed};
use crate::search::unseen::Unseen;
use crate::space::{Genotype, Key, Space};
use crate::trial::{Trial, TrialId};

/// How many candidates a pool has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// Random ones, in a space that costs nothing to draw from.
    pub scattered: usize,
    /// Of the best trials' neighbours so many each: of more, some.
    pub near: usize,
    /// Mutants of each of these, for what a neighbour newly decides is always the first choice.
    pub mutants: usize,
    /// Children of pairs of these.
    pub children: usize,
}

/// What all searches of a space share.
pub(super) struct Ground {
    pub viewer: Viewer,
    census: Option<Census>,
}

impl Ground {
    /// What a space's candidates look like, and all of them where they are few.
    pub fn of(space: &Space) -> Arc<Ground> {
        space.derived(|space| {
            let viewer = Viewer::of(space);
            let census = Census::of(space);
            Ground { viewer, census }
        })
    }

    /// What a candidate looks like; `None` for what is not of the space.
    pub fn view(&self, space: &Space, genotype: &Genotype) -> Option<View> {
        if let Some(census) = &self.census
            && let Some(number) = census.number(&genotype.to_string())
        {
            return census.candidates[number].view(space, &self.viewer);
        }
        self.viewer.view(space, genotype).ok()
    }

    /// Random candidates that are tried out where the space is too large to count through: fewer where each costs more.
    fn draws(&self, space: &Space, wanted: usize) -> usize {
        match (self.census.is_some(), space.constraints().is_empty()) {
            (true, _) => wanted,
            (false, true) => wanted / if self.viewer.is_graph() { 4 } else { 1 },
            (false, false) => wanted / 16,
        }
    }
}

/// Candidates by number, each once.
pub(super) struct Pool {
    ground: Arc<Ground>,
    members: Vec<Member>,
    /// Where each member stands.
    places: HashMap<Spot, usize>,
    size: Size,
}

/// What tells members apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Spot {
    /// A candidate of a counted space, by its number.
    Counted(usize),
    /// A genotype by its text.
    Text(Box<str>),
}

struct Member {
    genotype: Genotype,
    parent: Option<TrialId>,
    /// Known from the start in a counted space; else when it is asked for.
    key: Option<Key>,
    /// Its number among the candidates that were tried, where it may be tried again.
    name: Option<u32>,
    /// Whether it was tried, or cannot be.
    is_gone: bool,
}

impl Pool {
    /// An empty pool.
    pub fn new(ground: Arc<Ground>, size: Size) -> Pool {
        Pool { ground, members: Vec::new(), places: HashMap::new(), size }
    }

    /// Adds random candidates; returns the views of those that are new, in the order of their numbers.
    pub fn scatter(&mut self, space: &Space, rng: &mut Rng) -> Vec<View> {
        let (ground, wanted) = (self.ground.clone(), self.size.scattered);
        match &ground.census {
            Some(census) => {
                let mut numbers: Vec<usize> = (0..census.candidates.len()).collect();
                // A space of little more than what is wanted is looked at as a whole.
                if numbers.len() > wanted + wanted / 2 {
                    numbers = numbers.partial_shuffle(rng, wanted).0.to_vec();
                }
                numbers
                    .into_iter()
                    .filter_map(|number| self.add_counted(space, census, number, None))
                    .collect()
            }
            None => {
                let draws = 0..ground.draws(space, wanted);
                let drawn: Vec<Genotype> = draws.map_while(|_| space.random(rng).ok()).collect();
                drawn.into_iter().filter_map(|genotype| self.add(space, genotype, None)).collect()
            }
        }
    }

    /// Adds what lies near a trial; returns the views of those that are new.
    pub fn surround(&mut self, space: &Space, trial: &Trial, seed: Seed) -> Vec<View> {
        let genotype = &trial.proposal.genotype;
        let mut rng = seed.stream(trial.id, "what lies near a trial");
        let mut near = space.neighbours(genotype).unwrap_or_default();
        if near.len() > self.size.near {
            near = near.partial_shuffle(&mut rng, self.size.near).0.to_vec();
        }
        if self.ground.census.is_none() {
            near.extend((0..self.size.mutants).map_while(|_| space.mutate(genotype, &mut rng).ok()));
        }
        near.into_iter().filter_map(|genotype| self.add(space, genotype, Some(trial.id))).collect()
    }

    /// Adds children of pairs of trials; returns the views of those that are new.
    pub fn cross(&mut self, space: &Space, parents: &[&Trial], rng: &mut Rng) -> Vec<View> {
        if parents.len() < 2 {
            return Vec::new();
        }
        let mut child = || {
            let a = rng.random_range(0..parents.len());
            let b = (a + rng.random_range(1..parents.len())) % parents.len();
            let [a, b] = [a, b].map(|parent| parents[parent]);
            let child = space.crossover(&a.proposal.genotype, &b.proposal.genotype, rng).ok()?;
            Some((child, a.id.max(b.id)))
        };
        let children: Vec<_> = (0..self.size.children).filter_map(|_| child()).collect();
        children.into_iter().filter_map(|(child, parent)| self.add(space, child, Some(parent))).collect()
    }

    /// The number of a genotype that is in the pool.
    pub fn find(&self, genotype: &Genotype) -> Option<usize> {
        self.places.get(&self.spot(genotype)?).copied()
    }

    /// Adds a candidate that was tried, unless it is there; returns its view if it is new.
    pub fn seat(&mut self, space: &Space, trial: &Trial) -> Option<View> {
        self.add(space, trial.proposal.genotype.clone(), Some(trial.id))
    }

    /// From now on a member is a candidate that was tried and may be tried again.
    pub fn name(&mut self, number: usize, name: u32) {
        self.members[number].name = Some(name);
    }

    /// The name of a member.
    pub fn named(&self, number: usize) -> Option<u32> {
        self.members[number].name
    }

    /// The best by their scores of the members that no trial has, and of those with a name that are open; members that
    /// turn out to be tried are never looked at again.
    pub fn best(
        &mut self,
        space: &Space,
        unseen: &Unseen,
        scores: &[f32],
        is_open: impl Fn(u32) -> bool,
    ) -> Option<usize> {
        loop {
            let is_alive = |member: &Member| match member.name {
                Some(name) => is_open(name),
                None => !member.is_gone,
            };
            let alive = (0..self.members.len()).filter(|number| is_alive(&self.members[*number]));
            // Of equals the first: `max_by` would take the last.
            let best = alive.reduce(|best, next| if scores[next] > scores[best] { next } else { best })?;
            let member = &mut self.members[best];
            if member.name.is_some() {
                return Some(best);
            }
            if member.key.is_none() {
                member.key = space.key(&member.genotype).ok();
            }
            if member.key.as_ref().is_some_and(|key| unseen.is_new(key)) {
                return Some(best);
            }
            member.is_gone = true;
        }
    }

    /// A member's genotype, and the trial that it derives from.
    pub fn member(&self, number: usize) -> (Genotype, Option<TrialId>) {
        (self.members[number].genotype.clone(), self.members[number].parent)
    }

    fn spot(&self, genotype: &Genotype) -> Option<Spot> {
        let text = genotype.to_string();
        match &self.ground.census {
            Some(census) => census.number(&text).map(Spot::Counted),
            None => Some(Spot::Text(text.into())),
        }
    }

    fn add(&mut self, space: &Space, genotype: Genotype, parent: Option<TrialId>) -> Option<View> {
        let ground = self.ground.clone();
        let spot = self.spot(&genotype)?;
        if let (Some(census), Spot::Counted(number)) = (&ground.census, &spot) {
            return self.add_counted(space, census, *number, parent);
        }
        if self.places.contains_key(&spot) {
            return None;
        }
        let view = ground.viewer.view(space, &genotype).ok()?;
        self.places.insert(spot, self.members.len());
        self.members.push(Member { genotype, parent, key: None, name: None, is_gone: false });
        Some(view)
    }

    fn add_counted(
        &mut self,
        space: &Space,
        census: &Census,
        number: usize,
        parent: Option<TrialId>,
    ) -> Option<View> {
        let spot = Spot::Counted(number);
        if self.places.contains_key(&spot) {
            return None;
        }
        let counted = &census.candidates[number];
        let view = counted.view(space, &self.ground.viewer)?;
        self.places.insert(spot, self.members.len());
        let (genotype, key) = (counted.genotype.clone(), Some(counted.key.clone()));
        self.members.push(Member { genotype, parent, key, name: None, is_gone: false });
        Some(view)
    }
}
