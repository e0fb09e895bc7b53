//! Every candidate of every decision, held against the program's type where it stands.

use std::collections::HashSet;

use super::assignment::Assignment;
use super::decision::{Condition, DecisionKind, Draw};
use super::genotype::GenotypeError;
use super::program_type::ProgramType;
use super::template::Template;
use crate::error::Problem;
use crate::symbolic::{Fields, Kind, Mistake, Origin, Path, ProgramError, Step, Value};
use std::sync::Arc;

/// Programs looked at, at most: a second's work, and all candidates of any shipped space many times over.
const MAX_PROGRAMS: usize = 20_000;

/// Mistakes told, at most: more help nobody.
const MAX_PROBLEMS: usize = 100;

/// Integers of which every value is tried; of wider ones the ends are.
const MAX_INTEGERS: i128 = 32;

/// Everything about the programs of a template that their type objects to.
///
/// Each candidate is tried with all other decisions at their first value, wherever it can become active.
pub(super) fn problems(template: &Template, program_type: &dyn ProgramType) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut told = HashSet::new();
    let mut look = |program: &Value| {
        for error in mistakes(program, program_type) {
            if told.insert((error.origin.0, error.mistake.to_string())) {
                problems.push(problem(&error));
            }
        }
        problems.len() < MAX_PROBLEMS
    };
    if look(&template.materialize(&template.first())) {
        let trials = trials(template).take(MAX_PROGRAMS);
        for assignment in trials {
            if !look(&template.materialize(&assignment)) {
                break;
            }
        }
    }
    problems
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
fn sort_round(choices: &mut Vec<u32>, slot: usize, candidates: u32, distinct: bool) {
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

/// All that a type objects to in a program, as far as one mistake does not hide another: what is objected to is taken
/// out and the rest looked at again.
fn mistakes(program: &Value, program_type: &dyn ProgramType) -> Vec<ProgramError> {
    let mut rest = program.clone();
    let mut removed: Vec<Path> = Vec::new();
    let mut mistakes = Vec::new();
    while let Err(error) = program_type.check(&rest) {
        if !is_consequence(&error, &removed) {
            mistakes.push(error.clone());
        }
        let Some((parent, step)) = error.path.split_last() else { break };
        if mistakes.len() >= MAX_PROBLEMS || !remove(&mut rest, &parent, step) {
            break;
        }
        removed.push(parent);
    }
    mistakes
}

/// Whether the type only misses what was taken out.
fn is_consequence(error: &ProgramError, removed: &[Path]) -> bool {
    let missing = match &error.mistake {
        Mistake::MissingField { .. } | Mistake::WrongLength { .. } => true,
        Mistake::Other(_) | Mistake::WrongValue { .. } => true,
        _ => false,
    };
    missing && removed.iter().any(|parent| *parent == error.path)
}

/// Takes a child out of a node; false where there is none.
fn remove(program: &mut Value, parent: &Path, step: &Step) -> bool {
    let Some(node) = program.get(parent) else { return false };
    let mut node = node.clone();
    let removed = match (&mut node.kind, step) {
        (Kind::List(items), Step::Index(index)) => take(Arc::make_mut(items), *index),
        (Kind::Map(entries), step) => {
            let before = entries.len();
            Arc::make_mut(entries).retain(|(key, _)| Step::key(key) != *step);
            entries.len() < before
        }
        (Kind::Object(object), step) => match (&mut Arc::make_mut(object).fields, step) {
            (Fields::Items(items), Step::Index(index)) => take(items, *index),
            (Fields::Named(fields), step) => {
                let before = fields.len();
                fields.retain(|(name, _)| Step::field(name.clone()) != *step);
                fields.len() < before
            }
            _ => false,
        },
        _ => false,
    };
    removed && program.set(parent, node).is_ok()
}

fn take(items: &mut Vec<Value>, index: usize) -> bool {
    let there = index < items.len();
    if there {
        items.remove(index);
    }
    there
}
