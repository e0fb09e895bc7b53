//! What each level of progressive search decides, and the candidates that come of it.

use rand::RngExt;

use crate::random::Rng;
use crate::space::{DecisionKind, Draw, Genotype, GenotypeError, Space};

/// A candidate with its active decisions, in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decided {
    pub genotype: Genotype,
    pub active: Vec<(usize, Draw)>,
}

/// How a candidate becomes several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The `Prefix` grows by one block, in every possible way.
    Grow(usize),
    /// The decision takes every value.
    Decide(usize),
    /// Any one decision takes any other value.
    Vary,
}

/// How a space is climbed: what each level adds to the one before it.
///
/// Where the program has a `Prefix`, a level is one block more, after which the decisions outside of all blocks are
/// decided again. Where it has none, the first level is random, and each further one decides the next few decisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Levels {
    /// What the growing `Prefix`es hold at first; `None` for all other decisions.
    shortest: Vec<Option<u32>>,
    /// Whether a decision stands in a block that grows.
    in_block: Vec<bool>,
    /// The steps of each level after the first.
    steps: Vec<Vec<Step>>,
}

/// Numbers are tried at so many places.
const PLACES: usize = 8;

/// A `ManyOf` of more values than this is tried at as many random ones.
const LISTS: usize = 64;

impl Levels {
    /// The levels of a space. A `Prefix` is grown to its end, or for `limit` levels; other spaces have `limit` levels,
    /// or `groups`.
    pub fn of(space: &Space, limit: Option<usize>, groups: usize) -> Levels {
        let decisions = space.decisions();
        let all = 0..decisions.len();
        let open = |decision: &usize| !decisions[*decision].kind.is_single();
        let prefixes: Vec<usize> =
            all.clone().filter(|it| open(it) && space.prefix_min(*it).is_some()).collect();
        let stands =
            |it: usize| prefixes.iter().any(|prefix| decisions[it].place_in(&decisions[*prefix]).is_some());
        let in_block: Vec<bool> = all.clone().map(stands).collect();
        let growing: Vec<usize> = prefixes.iter().copied().filter(|prefix| !in_block[*prefix]).collect();
        let others = all.clone().filter(|it| open(it) && !in_block[*it] && !growing.contains(it));
        // A cell of no block at all is where nothing can be learnt from.
        let first = |it: usize| growing.contains(&it).then_some(u32::from(space.prefix_min(it) == Some(0)));
        let shortest: Vec<_> = all.clone().map(first).collect();
        let steps = match growing.is_empty() {
            true => shared_out(others.collect(), limit.unwrap_or(groups)),
            false => {
                let step = growing
                    .iter()
                    .map(|prefix| Step::Grow(*prefix))
                    .chain(others.map(Step::Decide))
                    .collect();
                vec![step; growth(space, &growing, &shortest).min(limit.unwrap_or(usize::MAX).max(1) - 1)]
            }
        };
        Levels { shortest, in_block, steps }
    }

    /// The number of levels.
    pub fn count(&self) -> usize {
        self.steps.len() + 1
    }

    /// Whether levels are lengths of a `Prefix`.
    pub fn grow(&self) -> bool {
        self.shortest.iter().any(Option::is_some)
    }

    /// The steps from the level before to this one; beyond the last level candidates are varied.
    pub fn steps(&self, level: usize) -> &[Step] {
        level.checked_sub(2).and_then(|index| self.steps.get(index)).map_or(&[Step::Vary], Vec::as_slice)
    }

    /// All candidates whose blocks are the fewest, everything outside of the blocks drawn at random; random ones
    /// where there are more than `limit`.
    pub fn first(&self, space: &Space, limit: usize, rng: &mut Rng) -> Result<Vec<Decided>, GenotypeError> {
        let rule = |decision: usize| match self.shortest[decision] {
            Some(length) => Rule::Is(Draw::Choice(length)),
            None if self.in_block[decision] => Rule::Every,
            None => Rule::Any,
        };
        every(space, limit, rng, &rule)
    }
}

/// How often the longest of the `Prefix`es can grow.
fn growth(space: &Space, growing: &[usize], shortest: &[Option<u32>]) -> usize {
    let growth = growing.iter().map(|prefix| match space.decisions()[*prefix].kind {
        DecisionKind::Choice { candidates } => (candidates - 1 - shortest[*prefix].unwrap_or(0)) as usize,
        _ => 0,
    });
    growth.max().unwrap_or(0)
}

/// The decisions in order, shared out over the levels after the first.
fn shared_out(decisions: Vec<usize>, levels: usize) -> Vec<Vec<Step>> {
    let size = decisions.len().div_ceil(levels.max(2) - 1).max(1);
    decisions
        .chunks(size)
        .map(|group| group.iter().map(|decision| Step::Decide(*decision)).collect())
        .collect()
}

impl Step {
    /// Every candidate that the step makes of `parent`; random ones where there are more than `limit`. Decisions that
    /// become active beside are drawn at random.
    pub fn expand(
        self,
        space: &Space,
        parent: &Decided,
        limit: usize,
        rng: &mut Rng,
    ) -> Result<Vec<Decided>, GenotypeError> {
        match self {
            Step::Grow(prefix) => grow(space, parent, prefix, limit, rng),
            Step::Decide(decision) if parent.draw(decision).is_none() => Ok(vec![parent.clone()]),
            Step::Decide(decision) => {
                let rule = |other: usize| match parent.draw(other) {
                    Some(_) if other == decision => Rule::Every,
                    Some(draw) => Rule::Is(draw.clone()),
                    None => Rule::Any,
                };
                let mut decided = every(space, limit, rng, &rule)?;
                decided.retain(|other| other.active != parent.active);
                decided.insert(0, parent.clone());
                Ok(decided)
            }
            Step::Vary => {
                let mut varied = Vec::new();
                for (decision, _) in &parent.active {
                    varied.extend(Step::Decide(*decision).expand(space, parent, limit, rng)?.drain(1..));
                }
                Ok(varied)
            }
        }
    }
}

/// Every candidate with one block more; `parent` itself where it has none, or is of full length.
fn grow(
    space: &Space,
    parent: &Decided,
    prefix: usize,
    limit: usize,
    rng: &mut Rng,
) -> Result<Vec<Decided>, GenotypeError> {
    let longest = match space.decisions()[prefix].kind {
        DecisionKind::Choice { candidates } => candidates - 1,
        _ => 0,
    };
    let Some(Draw::Choice(length)) = parent.draw(prefix) else { return Ok(vec![parent.clone()]) };
    if *length >= longest {
        return Ok(vec![parent.clone()]);
    }
    let rule = |decision: usize| match parent.draw(decision) {
        _ if decision == prefix => Rule::Is(Draw::Choice(length + 1)),
        Some(draw) => Rule::Is(draw.clone()),
        None => Rule::Every,
    };
    every(space, limit, rng, &rule)
}

impl Decided {
    /// A candidate of the space with its decisions.
    pub fn of(space: &Space, genotype: &Genotype) -> Result<Decided, GenotypeError> {
        Ok(Decided { active: space.active(genotype)?, genotype: genotype.clone() })
    }

    fn draw(&self, decision: usize) -> Option<&Draw> {
        self.active.iter().find(|(other, _)| *other == decision).map(|(_, draw)| draw)
    }
}

/// Every candidate that has one block more than `genotype` and is the same otherwise: what progressive search makes of
/// a cell of its beam. Where a program has several growing `Prefix`es, the first grows.
///
/// # Errors
/// A genotype that is not of the space.
pub fn grown(space: &Space, genotype: &Genotype) -> Result<Vec<Genotype>, GenotypeError> {
    let parent = Decided::of(space, genotype)?;
    let prefix = parent.active.iter().find(|(decision, _)| space.prefix_min(*decision).is_some());
    let Some((prefix, _)) = prefix else { return Ok(Vec::new()) };
    let mut rng = crate::random::Seed(0).stream(0, "grown");
    let grown = grow(space, &parent, *prefix, usize::MAX, &mut rng)?;
    Ok(grown.into_iter().map(|decided| decided.genotype).filter(|grown| grown != genotype).collect())
}

/// What a decision may hold.
enum Rule {
    Is(Draw),
    Every,
    Any,
}

/// Every candidate that follows the rules; `limit` random ones of them where there are more.
fn every(
    space: &Space,
    limit: usize,
    rng: &mut Rng,
    rule: &dyn Fn(usize) -> Rule,
) -> Result<Vec<Decided>, GenotypeError> {
    let mut all = Vec::new();
    // The values still to try of each decision that takes every one, as far as they are met; the last are tried now.
    let mut open: Vec<Vec<Draw>> = Vec::new();
    loop {
        let mut met = 0;
        all.push(build(space, |decision| match rule(decision) {
            Rule::Is(draw) => draw,
            Rule::Any => space.decisions()[decision].kind.draw(rng),
            Rule::Every => {
                if met == open.len() {
                    open.push(values(&space.decisions()[decision].kind, rng));
                }
                met += 1;
                open[met - 1][open[met - 1].len() - 1].clone()
            }
        })?);
        while open.last_mut().is_some_and(|values| values.pop().is_some() && values.is_empty()) {
            open.pop();
        }
        match open.is_empty() {
            true => return Ok(all),
            false if all.len() >= limit => return some(space, limit, rng, rule),
            false => {}
        }
    }
}

/// `count` random candidates that follow the rules.
fn some(
    space: &Space,
    count: usize,
    rng: &mut Rng,
    rule: &dyn Fn(usize) -> Rule,
) -> Result<Vec<Decided>, GenotypeError> {
    let draws = (0..count).map(|_| {
        build(space, |decision| match rule(decision) {
            Rule::Is(draw) => draw,
            Rule::Any | Rule::Every => space.decisions()[decision].kind.draw(rng),
        })
    });
    draws.collect()
}

fn build(space: &Space, mut draw: impl FnMut(usize) -> Draw) -> Result<Decided, GenotypeError> {
    let mut active = Vec::new();
    let genotype = space.build(&mut |decision| {
        let drawn = draw(decision);
        active.push((decision, drawn.clone()));
        Ok(drawn)
    })?;
    Ok(Decided { genotype, active })
}

/// The values that a decision is tried at, last first: all of a choice; one in each of [`PLACES`] equal parts of a
/// larger range; all of a list, or [`LISTS`] random ones.
fn values(kind: &DecisionKind, rng: &mut Rng) -> Vec<Draw> {
    let count = match *kind {
        DecisionKind::Choice { .. } => usize::MAX,
        DecisionKind::Many { .. } => LISTS,
        DecisionKind::Int { .. } => PLACES,
        DecisionKind::Float { low, high, .. } if low == high => PLACES,
        DecisionKind::Float { .. } => 0,
    };
    let all = std::iter::successors(Some(kind.first()), |draw| kind.next(draw));
    let mut values: Vec<Draw> = all.take(count.saturating_add(1)).collect();
    if values.len() > count {
        values = match kind {
            DecisionKind::Many { .. } => (0..LISTS).map(|_| kind.draw(rng)).collect(),
            _ => {
                let share = |place: usize| (place as f64 + rng.random::<f64>()) / PLACES as f64;
                (0..PLACES).map(share).filter_map(|share| kind.at(share)).collect()
            }
        };
        values.dedup();
    }
    values.reverse();
    values
}

#[cfg(test)]
mod tests {
    use super::super::contract::spaces;
    use super::*;
    use crate::random::Seed;

    fn rng() -> Rng {
        Seed(1).stream(0, "test")
    }

    fn texts(decided: &[Decided]) -> Vec<String> {
        decided.iter().map(|decided| decided.genotype.to_string()).collect()
    }

    #[test]
    fn cells_start_with_every_single_block_and_grow_by_every_block() {
        let space = spaces::cell();
        let levels = Levels::of(&space, None, 9);
        assert_eq!(levels.count(), 3);
        let first = levels.first(&space, 1000, &mut rng()).unwrap();
        // Two inputs and three ops on each side; the hyperparameter beside is drawn.
        assert_eq!(first.len(), 6 * 6);
        let grown = levels.steps(2)[0].expand(&space, &first[0], 1000, &mut rng()).unwrap();
        assert_eq!(grown.len(), 9 * 9);
        let again = levels.steps(3)[0].expand(&space, &grown[7], 1000, &mut rng()).unwrap();
        assert_eq!(again.len(), 12 * 12);
        assert_eq!(levels.steps(4), [Step::Vary]);
        let full = levels.steps(3)[0].expand(&space, &again[0], 1000, &mut rng()).unwrap();
        assert_eq!(full, [again[0].clone()]);
    }

    #[test]
    fn decisions_are_shared_out_in_order() {
        let space = spaces::flat();
        let levels = Levels::of(&space, None, 3);
        assert_eq!(levels.steps(2), [Step::Decide(0), Step::Decide(1)]);
        assert_eq!(levels.steps(3), [Step::Decide(2), Step::Decide(3)]);
        assert_eq!(levels.count(), 3);
        assert_eq!(Levels::of(&space, Some(2), 3).count(), 2);
        assert_eq!(Levels::of(&spaces::one_point(), None, 3).count(), 1);
    }

    #[test]
    fn deciding_keeps_all_else_and_draws_what_becomes_active() {
        let space = spaces::conditional();
        let parent = Decided::of(&space, &"0(0.5),1".parse().unwrap()).unwrap();
        let decided = Step::Decide(0).expand(&space, &parent, 100, &mut rng()).unwrap();
        let texts = texts(&decided);
        assert_eq!(texts[0], "0(0.5),1");
        assert_eq!(texts.len(), 3);
        assert!(texts[1..].iter().all(|text| text.ends_with(",1") && !text.starts_with("0(")), "{texts:?}");
        let varied = Step::Vary.expand(&space, &parent, 100, &mut rng()).unwrap();
        assert_eq!(varied.len(), 2 + PLACES + 3);
        assert!(varied.iter().all(|other| other.genotype != parent.genotype));
    }

    #[test]
    fn too_many_candidates_become_as_many_random_ones_as_allowed() {
        let space = spaces::cell();
        let levels = Levels::of(&space, None, 9);
        let first = levels.first(&space, 10, &mut rng()).unwrap();
        assert_eq!(first.len(), 10);
        assert!(first.iter().all(|decided| space.validate(&decided.genotype).is_ok()));
    }
}
