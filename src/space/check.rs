//! Every candidate of every decision, held against the program's type where it stands.

use std::collections::{HashMap, HashSet};

use super::assignment::Assignment;
use super::decision::{Condition, DecisionKind, Draw};
use super::genotype::GenotypeError;
use super::program_type::ProgramType;
use super::template::{Body, Template};
use crate::error::Problem;
use crate::symbolic::{Mistake, Origin, ProgramError};

/// Programs looked at, at most: a second's work, and all candidates of any shipped space many times over.
const MAX_PROGRAMS: usize = 20_000;

/// Mistakes told, at most: more help nobody.
const MAX_PROBLEMS: usize = 100;

/// Hyper values directly within one another, at most.
const MAX_NESTING: usize = 256;

/// Integers of which every value is tried; of wider ones the ends are.
const MAX_INTEGERS: i128 = 32;

/// Everything about the programs of a template that their type objects to.
///
/// Each candidate is tried with all other decisions at their first value, wherever it can become active.
pub(super) fn problems(template: &Template, program_type: &dyn ProgramType) -> Vec<Problem> {
    let origins = Origins::of(template);
    let mut problems = Vec::new();
    let mut told = HashSet::new();
    let first = std::iter::once(template.first());
    for assignment in first.chain(trials(template)).take(MAX_PROGRAMS) {
        for error in program_type.mistakes(&template.materialize(&assignment)) {
            let error = origins.as_written(error);
            // Of a number that does not fit, one value is enough to tell.
            let what = if origins.numbers.contains(&error.origin.0) {
                String::new()
            } else {
                error.mistake.to_string()
            };
            if told.insert((error.origin.0, what)) {
                problems.push(problem(&error));
            }
        }
        if problems.len() >= MAX_PROBLEMS {
            break;
        }
    }
    problems
}

/// Where decisions were written.
struct Origins {
    /// The hyper value of each candidate.
    holders: HashMap<u32, Origin>,
    /// `Int`s and `Float`s.
    numbers: HashSet<u32>,
}

impl Origins {
    fn of(template: &Template) -> Origins {
        let mut origins = Origins { holders: HashMap::new(), numbers: HashSet::new() };
        for (body, decision) in template.bodies.iter().zip(&template.decisions) {
            match body {
                Body::Choice(candidates) => origins
                    .holders
                    .extend(candidates.iter().map(|part| (part.node.origin(template).0, decision.origin))),
                Body::Number(origin) => {
                    origins.numbers.insert(origin.0);
                }
                Body::Prefix { .. } | Body::Many { .. } => {}
            }
        }
        origins
    }

    /// A field that does not exist is written once, whatever may be chosen for it.
    fn as_written(&self, mut error: ProgramError) -> ProgramError {
        if matches!(error.mistake, Mistake::UnknownField { .. }) {
            // No further than the program is deep: hyper values made by code all have the same origin.
            for _ in 0..MAX_NESTING {
                match self.holders.get(&error.origin.0) {
                    Some(holder) if error.origin.0 != Origin::NONE.0 => error.origin = *holder,
                    _ => break,
                }
            }
        }
        error
    }
}

/// A type's objection as a problem; without a file to point into, the path says where.
pub(super) fn problem(error: &ProgramError) -> Problem {
    let mut problem = error.problem();
    if error.origin.0 == Origin::NONE.0 && !error.path.0.is_empty() {
        problem.message = format!("{}: {}", error.path, error.mistake);
    }
    problem
}

/// One assignment for every value to look at of every decision, under every condition that makes it active.
fn trials(template: &Template) -> impl Iterator<Item = Assignment> + '_ {
    (0..template.decisions.len()).flat_map(move |decision| {
        let conditions = &template.decisions[decision].conditions;
        let always = conditions.is_empty().then_some(None);
        let ways = always.into_iter().chain(conditions.iter().map(Some));
        ways.flat_map(move |condition| {
            values(template.decisions[decision].kind).into_iter().filter_map(move |draw| {
                let mut forced = vec![(decision, draw)];
                if let Some(condition) = condition {
                    force(template, condition, &mut forced);
                }
                assignment(template, &forced).ok().filter(|made| made.draw(decision).is_some())
            })
        })
    })
}

/// The draws that make a condition hold, added to those that are forced already.
fn force(template: &Template, condition: &Condition, forced: &mut Vec<(usize, Draw)>) {
    let mut next = Some(condition);
    while let Some(condition) = next {
        let parent = &template.decisions[condition.decision];
        if !forced.iter().any(|(decision, _)| *decision == condition.decision) {
            let draw = holding(parent.kind, condition.choices.first().copied().unwrap_or(0), condition.slot);
            forced.push((condition.decision, draw));
        }
        next = parent.conditions.first();
    }
}

fn assignment(template: &Template, forced: &[(usize, Draw)]) -> Result<Assignment, GenotypeError> {
    template.assign(&mut |decision| {
        let forced = forced.iter().find(|(other, _)| *other == decision);
        Ok(forced.map_or_else(|| template.decisions[decision].kind.first(), |(_, draw)| draw.clone()))
    })
}

/// The values of a decision that are worth a look.
fn values(kind: DecisionKind) -> Vec<Draw> {
    match kind {
        DecisionKind::Choice { candidates } => (0..candidates).map(Draw::Choice).collect(),
        DecisionKind::Int { low, high } if i128::from(high) - i128::from(low) < MAX_INTEGERS => {
            (low..=high).map(Draw::Int).collect()
        }
        DecisionKind::Int { low, high } => vec![Draw::Int(low), Draw::Int(high)],
        DecisionKind::Float { low, high, .. } => vec![Draw::Float(low), Draw::Float(high)],
        DecisionKind::Many { k, candidates, .. } => {
            let slots = (0..k as usize).flat_map(|slot| (0..candidates).map(move |index| (slot, index)));
            let mut values: Vec<Draw> = slots.map(|(slot, index)| holding(kind, index, Some(slot))).collect();
            values.dedup();
            values
        }
    }
}

/// A value of a decision that holds a choice, in a slot where it has slots (or, sorted, in some slot).
fn holding(kind: DecisionKind, choice: u32, slot: Option<usize>) -> Draw {
    let DecisionKind::Many { k, candidates, distinct, sorted } = kind else { return Draw::Choice(choice) };
    let Draw::Many(mut choices) = kind.first() else { return Draw::Choice(choice) };
    let slot = slot.unwrap_or(0).min(choices.len().saturating_sub(1));
    match choices.iter().position(|other| *other == choice) {
        _ if k == 0 => {}
        Some(place) if distinct => choices.swap(place, slot),
        _ => choices[slot] = choice,
    }
    if sorted {
        sort_round(&mut choices, slot, candidates, distinct);
    }
    Draw::Many(choices)
}

/// Makes a list sorted that keeps its choice in its slot, where there is one; else sorted all the same.
fn sort_round(choices: &mut [u32], slot: usize, candidates: u32, distinct: bool) {
    let choice = choices[slot];
    let after = choices.len() - slot - 1;
    let fits = !distinct || (choice as usize >= slot && (candidates - choice - 1) as usize >= after);
    if !fits {
        choices.sort_unstable();
        return;
    }
    for (place, other) in choices.iter_mut().enumerate() {
        *other = match (distinct, place < slot) {
            (true, true) => place as u32,
            (true, false) => choice + (place - slot) as u32,
            (false, true) => 0,
            (false, false) => choice,
        };
    }
}
