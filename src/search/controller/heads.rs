//! A candidate as a row of choices, each made by one head of the policy.
//!
//! A `OneOf` is one choice among its candidates, a `ManyOf` one for each of its slots, and a number one of a few equal
//! parts of its scale, within which it is drawn evenly, or one of a few values of a [basis](Numbers::Basis). A decision
//! that cannot be decided otherwise has no head.

use rand::RngExt;

use crate::random::Rng;
use crate::space::{DecisionKind, Draw, Genotype, GenotypeError, Space};

/// How numbers become choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::search) enum Numbers {
    /// So many equal parts of the scale, within which a number is drawn evenly.
    Parts(usize),
    /// So many values, evenly over the scale and with both its ends.
    Basis(usize),
}

impl Numbers {
    fn most(self) -> usize {
        let (Numbers::Parts(count) | Numbers::Basis(count)) = self;
        count.max(1)
    }
}

/// The heads of a space.
#[derive(Clone, Debug)]
pub(in crate::search) struct Heads {
    /// The first head of each decision, and how many it has.
    of: Vec<(usize, usize)>,
    /// The first column of each head; one more at the end.
    starts: Vec<usize>,
    numbers: Numbers,
}

/// One choice: its head, what was chosen, and what could have been.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::search) struct Action {
    pub head: usize,
    pub choice: usize,
    /// By choice; empty where all are allowed.
    pub allowed: Vec<bool>,
}

impl Action {
    pub fn allows(&self, choice: usize) -> bool {
        self.allowed.get(choice).copied().unwrap_or(true)
    }
}

/// Chooses for one head among what is allowed.
pub(in crate::search) type Choose<'a> = dyn FnMut(usize, &[bool], &mut Rng) -> usize + 'a;

impl Heads {
    /// With numbers as so many equal parts of their scales.
    pub fn of(space: &Space, bins: usize) -> Heads {
        Heads::with(space, Numbers::Parts(bins))
    }

    pub fn with(space: &Space, numbers: Numbers) -> Heads {
        let mut heads = Heads { of: Vec::new(), starts: vec![0], numbers };
        for decision in space.decisions() {
            let (repeats, width) = match decision.kind {
                kind if kind.is_single() => (0, 0),
                DecisionKind::Choice { candidates } => (1, candidates as usize),
                DecisionKind::Many { k, candidates, .. } => (k as usize, candidates as usize),
                DecisionKind::Int { .. } | DecisionKind::Float { .. } => (1, heads.parts(&decision.kind)),
            };
            heads.of.push((heads.starts.len() - 1, repeats));
            for _ in 0..repeats {
                heads.starts.push(heads.columns() + width);
            }
        }
        heads
    }

    /// The number of columns of all heads.
    pub fn columns(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// The columns of a head.
    pub fn range(&self, head: usize) -> std::ops::Range<usize> {
        self.starts[head]..self.starts[head + 1]
    }

    /// How many parts a number's scale has.
    fn parts(&self, kind: &DecisionKind) -> usize {
        match *kind {
            DecisionKind::Int { low, high } => {
                let count = i128::from(high) - i128::from(low) + 1;
                usize::try_from(count).unwrap_or(usize::MAX).min(self.numbers.most())
            }
            _ => self.numbers.most(),
        }
    }

    /// The part that a number stands in.
    fn part(&self, kind: &DecisionKind, draw: &Draw) -> usize {
        let parts = self.parts(kind);
        if let Numbers::Basis(_) = self.numbers {
            return (kind.share(draw).unwrap_or(0.0) * (parts - 1) as f64).round() as usize;
        }
        match (*kind, draw) {
            (DecisionKind::Int { low, high }, Draw::Int(value)) => {
                let count = i128::from(high) - i128::from(low) + 1;
                ((i128::from(*value) - i128::from(low)) * parts as i128 / count) as usize
            }
            _ => ((kind.share(draw).unwrap_or(0.0) * parts as f64) as usize).min(parts - 1),
        }
    }

    /// A number within a part, all alike.
    fn within(&self, kind: &DecisionKind, part: usize, rng: &mut Rng) -> Draw {
        let parts = self.parts(kind);
        if let Numbers::Basis(_) = self.numbers {
            return self.basis(kind).swap_remove(part);
        }
        match *kind {
            DecisionKind::Int { low, high } => {
                let count = i128::from(high) - i128::from(low) + 1;
                // The values of which `part` is the quotient: from one ceiling to the next.
                let edge = |part: usize| (part as i128 * count + parts as i128 - 1) / parts as i128;
                let value = i128::from(low) + rng.random_range(edge(part)..edge(part + 1));
                Draw::Int(value.clamp(low.into(), high.into()) as i64)
            }
            _ => kind.at((part as f64 + rng.random::<f64>()) / parts as f64).unwrap_or_else(|| kind.first()),
        }
    }

    /// The values of a number's basis, from low to high: the middle of its scale where it has only one.
    pub fn basis(&self, kind: &DecisionKind) -> Vec<Draw> {
        let parts = self.parts(kind);
        let share = |part: usize| if parts == 1 { 0.5 } else { part as f64 / (parts - 1) as f64 };
        (0..parts).map(|part| kind.at(share(part)).unwrap_or_else(|| kind.first())).collect()
    }

    /// The heads of a decision; none for what cannot be decided otherwise.
    pub fn heads(&self, decision: usize) -> std::ops::Range<usize> {
        let (head, repeats) = self.of[decision];
        head..head + repeats
    }

    /// A candidate of which every head's choice is `choose`'s.
    pub fn draw(&self, space: &Space, rng: &mut Rng, choose: &mut Choose) -> Result<Genotype, GenotypeError> {
        space.build(&mut |decision| Ok(self.decide(space, decision, rng, choose)))
    }

    /// One decision whose heads' choices are `choose`'s.
    pub fn decide(&self, space: &Space, decision: usize, rng: &mut Rng, choose: &mut Choose) -> Draw {
        let kind = &space.decisions()[decision].kind;
        let (head, repeats) = self.of[decision];
        if repeats == 0 {
            return kind.first();
        }
        match kind {
            DecisionKind::Choice { .. } => Draw::Choice(choose(head, &[], rng) as u32),
            DecisionKind::Many { .. } => {
                let mut choices = Vec::with_capacity(repeats);
                for slot in 0..repeats {
                    choices.push(choose(head + slot, &allowed(kind, &choices), rng) as u32);
                }
                Draw::Many(choices)
            }
            DecisionKind::Int { .. } | DecisionKind::Float { .. } => {
                let part = choose(head, &[], rng);
                self.within(kind, part, rng)
            }
        }
    }

    /// The choices of a candidate, in order.
    pub fn actions(&self, space: &Space, genotype: &Genotype) -> Result<Vec<Action>, GenotypeError> {
        let mut actions = Vec::new();
        for (decision, draw) in space.active(genotype)? {
            let kind = &space.decisions()[decision].kind;
            let (head, repeats) = self.of[decision];
            match &draw {
                _ if repeats == 0 => {}
                Draw::Choice(choice) => {
                    actions.push(Action { head, choice: *choice as usize, allowed: Vec::new() });
                }
                Draw::Many(choices) => {
                    let slot = |slot: usize| Action {
                        head: head + slot,
                        choice: choices[slot] as usize,
                        allowed: allowed(kind, &choices[..slot]),
                    };
                    actions.extend((0..choices.len()).map(slot));
                }
                number => {
                    actions.push(Action { head, choice: self.part(kind, number), allowed: Vec::new() });
                }
            }
        }
        Ok(actions)
    }
}

/// What the next slot of a list may hold, such that the rest can still be filled; empty for all.
fn allowed(kind: &DecisionKind, before: &[u32]) -> Vec<bool> {
    let DecisionKind::Many { k, candidates, distinct, sorted } = *kind else { return Vec::new() };
    if !distinct && !sorted {
        return Vec::new();
    }
    let after = k - before.len() as u32 - 1;
    let fits = |choice: u32| {
        let rises = !sorted || before.last().is_none_or(|last| choice >= *last);
        let room = !(sorted && distinct) || choice + after < candidates;
        rises && room && !(distinct && before.contains(&choice))
    };
    (0..candidates).map(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::contract::spaces;
    use super::*;
    use crate::random::Seed;

    #[test]
    fn whatever_is_chosen_is_of_the_space_and_reads_back() {
        for (kind, space) in spaces::all() {
            let heads =
                if kind == "numeric" { Heads::with(&space, Numbers::Basis(4)) } else { Heads::of(&space, 4) };
            for seed in 0..50 {
                let mut rng = Seed(seed).stream(0, "test");
                let mut choices = Seed(seed).stream(1, "test");
                let mut chosen = Vec::new();
                let genotype = heads.draw(&space, &mut rng, &mut |head, allowed, _| {
                    let width = heads.range(head).len();
                    let choice = loop {
                        let choice = choices.random_range(0..width);
                        if allowed.get(choice).copied().unwrap_or(true) {
                            break choice;
                        }
                    };
                    chosen.push((head, choice));
                    choice
                });
                let genotype = genotype.unwrap_or_else(|error| panic!("{kind}: {error}"));
                let actions = heads.actions(&space, &genotype).expect("a genotype of the space");
                let read: Vec<_> = actions.iter().map(|action| (action.head, action.choice)).collect();
                assert_eq!(read, chosen, "{kind}: {genotype}");
                assert!(actions.iter().all(|action| action.allows(action.choice)));
            }
        }
    }

    #[test]
    fn lists_leave_room_for_what_follows() {
        let kind = |distinct, sorted| DecisionKind::Many { k: 3, candidates: 4, distinct, sorted };
        assert_eq!(allowed(&kind(true, true), &[]), [true, true, false, false]);
        assert_eq!(allowed(&kind(true, true), &[1]), [false, false, true, false]);
        assert_eq!(allowed(&kind(false, true), &[2]), [false, false, true, true]);
        assert_eq!(allowed(&kind(true, false), &[2]), [true, true, false, true]);
        assert!(allowed(&kind(false, false), &[2]).is_empty());
    }
}
