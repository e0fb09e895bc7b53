//! The exact number of genotypes of a space.

use std::collections::BTreeMap;

use num_bigint::BigUint;

use super::decision::DecisionKind;
use super::template::{Body, Open, Part, Template};

/// How many programs a space holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Size {
    /// Exactly this many.
    Finite(BigUint),
    /// At least one `Float` is open.
    Continuous,
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Size::Finite(count) => write!(f, "{count}"),
            Size::Continuous => f.write_str("continuous"),
        }
    }
}

/// More ways in which shared pieces are met or not than any real space has.
const MAX_WAYS: usize = 4096;

/// How many assignments there are for each set of shared pieces that they have met. A piece counts where it is met
/// first; so what a part of the program multiplies depends on what was met before it.
type Ways = BTreeMap<Vec<bool>, BigUint>;

/// Too many combinations of shared pieces to count.
#[derive(Debug)]
pub(super) struct Uncountable;

impl Template {
    /// The number of genotypes, each `Float` counted as one value.
    pub fn count(&self) -> Result<BigUint, Uncountable> {
        let mut counter = Counter { template: self, alone: BTreeMap::new() };
        let start = Ways::from([(vec![false; self.pieces.len()], BigUint::from(1u8))]);
        Ok(counter.part(&self.root, start)?.into_values().sum())
    }

    /// Whether a `Float` is open.
    pub fn is_continuous(&self) -> bool {
        self.decisions.iter().any(|decision| match decision.kind {
            DecisionKind::Float { low, high, .. } => low < high,
            _ => false,
        })
    }
}

struct Counter<'a> {
    template: &'a Template,
    /// Sizes of decisions that no shared piece hangs on, by number.
    alone: BTreeMap<usize, Option<BigUint>>,
}

impl<'a> Counter<'a> {
    fn part(&mut self, part: &'a Part, mut ways: Ways) -> Result<Ways, Uncountable> {
        for open in part.opens.iter() {
            ways = match *open {
                Open::Slot(decision) => self.slot(decision, ways)?,
                Open::Piece(piece) => self.piece(piece, ways)?,
            };
        }
        Ok(ways)
    }

    fn piece(&mut self, piece: usize, ways: Ways) -> Result<Ways, Uncountable> {
        let (mut after, before): (Ways, Ways) = ways.into_iter().partition(|(met, _)| met[piece]);
        if before.is_empty() {
            return Ok(after);
        }
        let meeting = before.into_iter().map(|(mut met, count)| {
            met[piece] = true;
            (met, count)
        });
        let template = self.template;
        add(&mut after, self.part(&template.pieces[piece], meeting.collect())?)?;
        Ok(after)
    }

    fn slot(&mut self, decision: usize, mut ways: Ways) -> Result<Ways, Uncountable> {
        let template = self.template;
        if self.is_alone(decision) {
            let size = match self.alone.get(&decision) {
                Some(Some(size)) => size.clone(),
                _ => {
                    let start = Ways::from([(vec![false; template.pieces.len()], BigUint::from(1u8))]);
                    let size: BigUint = self.body(decision, start)?.into_values().sum();
                    self.alone.insert(decision, Some(size.clone()));
                    size
                }
            };
            ways.values_mut().for_each(|count| *count *= &size);
            return Ok(ways);
        }
        self.body(decision, ways)
    }

    /// Whether no shared piece hangs on a decision, so that its size is the same wherever it is met.
    fn is_alone(&mut self, decision: usize) -> bool {
        if let Some(known) = self.alone.get(&decision) {
            return known.is_some();
        }
        let template = self.template;
        let parts: Vec<&Part> = match &template.bodies[decision] {
            Body::Choice(parts) | Body::Prefix { items: parts, .. } => parts.iter().collect(),
            Body::Many { slots, .. } => slots.iter().flat_map(|parts| parts.iter()).collect(),
            Body::Number(_) => Vec::new(),
        };
        let alone = parts.iter().flat_map(|part| part.opens.iter()).all(|open| match open {
            Open::Slot(inner) => self.is_alone(*inner),
            Open::Piece(_) => false,
        });
        if !alone {
            self.alone.insert(decision, None);
        }
        alone
    }

    fn body(&mut self, decision: usize, ways: Ways) -> Result<Ways, Uncountable> {
        let template = self.template;
        match (&template.bodies[decision], template.decisions[decision].kind) {
            (Body::Choice(candidates), _) => self.any_of(candidates, &ways),
            (Body::Prefix { min, items, .. }, _) => self.prefix(*min, items, ways),
            (Body::Many { slots, .. }, DecisionKind::Many { k, distinct: false, sorted: false, .. }) => {
                (0..k as usize).try_fold(ways, |ways, slot| self.any_of(&slots[slot], &ways))
            }
            (Body::Many { slots, .. }, DecisionKind::Many { k, distinct, sorted, .. }) => {
                let mut sets =
                    self.sets(slots.first().map_or(&[], |parts| parts), k as usize, distinct, ways)?;
                // Every order of distinct choices is a list of its own, and what it brings is the same.
                let orders: BigUint =
                    if sorted { BigUint::from(1u8) } else { (1..=k).map(BigUint::from).product() };
                sets.values_mut().for_each(|count| *count *= &orders);
                Ok(sets)
            }
            (_, DecisionKind::Int { low, high }) => {
                Ok(times(ways, (i128::from(high) - i128::from(low) + 1) as u128))
            }
            _ => Ok(ways),
        }
    }

    fn any_of(&mut self, candidates: &'a [Part], ways: &Ways) -> Result<Ways, Uncountable> {
        let closed = candidates.iter().filter(|part| part.opens.is_empty()).count();
        let mut sum = if closed > 0 { times(ways.clone(), closed as u128) } else { Ways::new() };
        for candidate in candidates.iter().filter(|part| !part.opens.is_empty()) {
            add(&mut sum, self.part(candidate, ways.clone())?)?;
        }
        Ok(sum)
    }

    fn prefix(&mut self, min: usize, items: &'a [Part], mut ways: Ways) -> Result<Ways, Uncountable> {
        for item in &items[..min] {
            ways = self.part(item, ways)?;
        }
        let mut sum = ways.clone();
        for item in &items[min..] {
            ways = self.part(item, ways)?;
            add(&mut sum, ways.clone())?;
        }
        Ok(sum)
    }

    /// Sets (multisets where not `distinct`) of k candidates, counted with what each brings: entry j of `taken` is
    /// for j taken so far, candidate after candidate.
    fn sets(
        &mut self,
        candidates: &'a [Part],
        k: usize,
        distinct: bool,
        ways: Ways,
    ) -> Result<Ways, Uncountable> {
        let mut taken = vec![Ways::new(); k + 1];
        taken[0] = ways;
        for candidate in candidates {
            let counts: Vec<usize> = if distinct { (0..k).rev().collect() } else { (0..k).collect() };
            for j in counts {
                let more = self.part(candidate, taken[j].clone())?;
                add(&mut taken[j + 1], more)?;
            }
        }
        Ok(taken.pop().unwrap_or_default())
    }
}

fn add(sum: &mut Ways, more: Ways) -> Result<(), Uncountable> {
    for (met, count) in more {
        *sum.entry(met).or_default() += count;
    }
    if sum.len() > MAX_WAYS { Err(Uncountable) } else { Ok(()) }
}

fn times(mut ways: Ways, factor: u128) -> Ways {
    ways.values_mut().for_each(|count| *count *= factor);
    ways
}
