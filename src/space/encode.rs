//! From a program to its genotype: the template is laid over the program, and every open place is read off it.
//!
//! A program may be written with more than the template says (its type's defaults are explicit in it), so a fixed part
//! of the template matches every program that holds it. Where candidates overlap, all are tried, the most particular
//! first, until the genotype's own program is the one that was given.

use std::rc::Rc;

use super::assignment::Assignment;
use super::decision::{DecisionKind, Draw};
use super::genotype::GenotypeError;
use super::label::label;
use super::overlay::{Over, item, overlay, place, same_number, weight};
use super::template::{Body, Node, Open, Part, Template};
use crate::symbolic::{Kind, Value};

/// How many ways to read an ambiguous program are tried.
const MAX_READINGS: usize = 10_000;

impl Template {
    /// The assignment whose program `accept` takes for the given one.
    ///
    /// # Errors
    /// The place of the program that fits no candidate.
    pub fn encode(
        &self,
        program: &Value,
        accept: &mut dyn FnMut(&Assignment) -> bool,
    ) -> Result<Assignment, GenotypeError> {
        let mut matcher = Matcher {
            template: self,
            accept,
            drawn: vec![None; self.decisions.len()],
            pieces: vec![None; self.pieces.len()],
            found: None,
            readings: 0,
            progress: 0,
            furthest: None,
        };
        let root = Task::Over(Over { node: &self.root.node, value: program, path: Rc::from("") });
        matcher.run(queue(vec![root], &None));
        match (matcher.found, matcher.furthest, matcher.readings) {
            (Some(found), ..) => Ok(found),
            (None, _, MAX_READINGS..) => Err(GenotypeError(format!(
                "none of the first {MAX_READINGS} readings of the program is the program"
            ))),
            (None, _, 1..) => Err(GenotypeError("the program is not quite one of the space's".to_string())),
            (None, Some(miss), _) => Err(GenotypeError(miss.message)),
            (None, None, _) => Err(GenotypeError("the program does not fit the space".to_string())),
        }
    }
}

/// What is still to be matched, in order: a list that readings share.
struct Todo<'a> {
    task: Task<'a>,
    next: Link<'a>,
}
type Link<'a> = Option<Rc<Todo<'a>>>;

/// One thing to be matched.
enum Task<'a> {
    Over(Over<'a>),
    /// The slots of a `ManyOf` from one on; those before it are drawn.
    Slots {
        decision: usize,
        values: &'a [Value],
        path: Rc<str>,
    },
}

/// The mismatch that most of the program was matched before.
struct Miss {
    progress: usize,
    message: String,
}

struct Matcher<'a, 'f> {
    template: &'a Template,
    accept: &'f mut dyn FnMut(&Assignment) -> bool,
    drawn: Vec<Option<Draw>>,
    /// What each shared piece stands for, once one is met.
    pieces: Vec<Option<&'a Value>>,
    found: Option<Assignment>,
    readings: usize,
    /// How many tasks were matched before the one at hand.
    progress: usize,
    furthest: Option<Miss>,
}

/// What one task comes to.
enum Step<'a> {
    /// It matches, perhaps with one more thing settled; go on.
    Go(Option<Settled<'a>>, Link<'a>),
    /// There are several ways on.
    Fork(Vec<(Settled<'a>, Link<'a>)>),
    /// It does not match.
    Stop,
}

/// What a step settles, until it is taken back.
enum Settled<'a> {
    Draw(usize, Draw),
    Piece(usize, &'a Value),
}

/// What stood before something was settled.
enum Undo<'a> {
    Draw(usize, Option<Draw>),
    Piece(usize, Option<&'a Value>),
}

impl<'a> Matcher<'a, '_> {
    /// Matches all there is to do; true where that ended in an accepted reading. Only forks recurse, so that a large
    /// program needs no large stack.
    fn run(&mut self, mut todo: Link<'a>) -> bool {
        let (mut undo, progress) = (Vec::new(), self.progress);
        let done = loop {
            let Some(next) = todo else { break self.read() };
            self.progress += 1;
            match self.step(&next) {
                Step::Go(settled, rest) => {
                    undo.extend(settled.map(|settled| self.settle(settled)));
                    todo = rest;
                }
                Step::Fork(ways) => {
                    break ways.into_iter().any(|(settled, rest)| self.try_way(settled, rest));
                }
                Step::Stop => break false,
            }
        };
        undo.into_iter().rev().for_each(|undo| self.take_back(undo));
        self.progress = progress;
        done
    }

    fn try_way(&mut self, settled: Settled<'a>, rest: Link<'a>) -> bool {
        let undo = self.settle(settled);
        let done = self.readings < MAX_READINGS && self.run(rest);
        self.take_back(undo);
        done
    }

    fn settle(&mut self, settled: Settled<'a>) -> Undo<'a> {
        match settled {
            Settled::Draw(decision, draw) => Undo::Draw(decision, self.drawn[decision].replace(draw)),
            Settled::Piece(piece, value) => Undo::Piece(piece, self.pieces[piece].replace(value)),
        }
    }

    fn take_back(&mut self, undo: Undo<'a>) {
        match undo {
            Undo::Draw(decision, before) => self.drawn[decision] = before,
            Undo::Piece(piece, before) => self.pieces[piece] = before,
        }
    }

    /// All is matched: is it the program?
    fn read(&mut self) -> bool {
        self.readings += 1;
        let drawn = &self.drawn;
        let assignment = self.template.assign(&mut |decision| {
            drawn[decision].clone().ok_or_else(|| GenotypeError("a decision without a value".to_string()))
        });
        self.found = assignment.ok().filter(|assignment| (self.accept)(assignment));
        self.found.is_some()
    }

    fn miss(&mut self, message: impl FnOnce() -> String) -> Step<'a> {
        if self.furthest.as_ref().is_none_or(|furthest| furthest.progress < self.progress) {
            self.furthest = Some(Miss { progress: self.progress, message: message() });
        }
        Step::Stop
    }

    fn step(&mut self, todo: &Todo<'a>) -> Step<'a> {
        let next = &todo.next;
        match &todo.task {
            Task::Slots { decision, values, path } => self.slots(*decision, values, path, next),
            Task::Over(Over { node: Node::Open(Open::Slot(decision)), value, path }) => {
                self.slot(*decision, value, path, next)
            }
            Task::Over(Over { node: Node::Open(Open::Piece(piece)), value, path }) => {
                self.piece(*piece, value, path, next)
            }
            Task::Over(Over { node, value, path }) => match overlay(node, value, path) {
                Ok(opens) => Step::Go(None, queue(opens.into_iter().map(Task::Over).collect(), next)),
                Err(difference) => self.miss(|| difference.message()),
            },
        }
    }

    fn piece(&mut self, piece: usize, value: &'a Value, path: &Rc<str>, next: &Link<'a>) -> Step<'a> {
        match self.pieces[piece] {
            Some(met) if met == value => Step::Go(None, next.clone()),
            Some(met) => self.miss(|| {
                let (value, met) = (label(value), label(met));
                format!("{}: `{value}` differs from `{met}`, which it shares its decisions with", place(path))
            }),
            None => {
                let node = &self.template.pieces[piece].node;
                let task = Task::Over(Over { node, value, path: path.clone() });
                Step::Go(Some(Settled::Piece(piece, value)), queue(vec![task], next))
            }
        }
    }

    fn slot(&mut self, decision: usize, value: &'a Value, path: &Rc<str>, next: &Link<'a>) -> Step<'a> {
        let template = self.template;
        match (&template.bodies[decision], &value.kind) {
            (Body::Choice(candidates), _) => {
                let ways = fitting(candidates, value).into_iter().map(|index| {
                    let node = &candidates[index as usize].node;
                    let task = Task::Over(Over { node, value, path: path.clone() });
                    (Settled::Draw(decision, Draw::Choice(index)), queue(vec![task], next))
                });
                self.ways(ways.collect(), decision, value, path)
            }
            (Body::Prefix { min, items, .. }, Kind::List(values))
                if (*min..=items.len()).contains(&values.len()) =>
            {
                let tasks = items.iter().zip(values.iter()).enumerate().map(|(index, (part, value))| {
                    Task::Over(Over { node: &part.node, value, path: item(path, index) })
                });
                let draw = Draw::Choice((values.len() - min) as u32);
                Step::Go(Some(Settled::Draw(decision, draw)), queue(tasks.collect(), next))
            }
            (Body::Many { slots, .. }, Kind::List(values)) if slots.len() == values.len() => {
                let task = Task::Slots { decision, values, path: path.clone() };
                Step::Go(Some(Settled::Draw(decision, Draw::Many(Vec::new()))), queue(vec![task], next))
            }
            (Body::Number(_), kind) => match number(template.decisions[decision].kind, kind) {
                Some(draw) => Step::Go(Some(Settled::Draw(decision, draw)), next.clone()),
                None => self.ways(Vec::new(), decision, value, path),
            },
            _ => self.ways(Vec::new(), decision, value, path),
        }
    }

    /// The next slot of a `ManyOf`.
    fn slots(&mut self, decision: usize, values: &'a [Value], path: &Rc<str>, next: &Link<'a>) -> Step<'a> {
        let template = self.template;
        let (Body::Many { slots, .. }, DecisionKind::Many { distinct, sorted, .. }, Some(Draw::Many(before))) =
            (&template.bodies[decision], template.decisions[decision].kind, self.drawn[decision].clone())
        else {
            return Step::Stop;
        };
        let slot = before.len();
        let Some(value) = values.get(slot) else { return Step::Go(None, next.clone()) };
        let twice = |index: &u32| distinct && before.contains(index);
        let falls = |index: &u32| sorted && before.last().is_some_and(|last| last > index);
        let place = item(path, slot);
        let ways = fitting(&slots[slot], value)
            .into_iter()
            .filter(|index| !twice(index) && !falls(index))
            .map(|index| {
                let node =
                    Task::Over(Over { node: &slots[slot][index as usize].node, value, path: place.clone() });
                let rest = Task::Slots { decision, values, path: path.clone() };
                let drawn = before.iter().copied().chain([index]).collect();
                (Settled::Draw(decision, Draw::Many(drawn)), queue(vec![node, rest], next))
            });
        self.ways(ways.collect(), decision, value, &place)
    }

    fn ways(
        &mut self,
        mut ways: Vec<(Settled<'a>, Link<'a>)>,
        decision: usize,
        value: &Value,
        path: &str,
    ) -> Step<'a> {
        match ways.pop() {
            None => {
                let template = self.template;
                self.miss(|| none_of(template, decision, value, path))
            }
            Some((settled, rest)) if ways.is_empty() => Step::Go(Some(settled), rest),
            Some(last) => {
                ways.push(last);
                Step::Fork(ways)
            }
        }
    }
}

fn queue<'a>(tasks: Vec<Task<'a>>, next: &Link<'a>) -> Link<'a> {
    tasks.into_iter().rev().fold(next.clone(), |next, task| Some(Rc::new(Todo { task, next })))
}

fn none_of(template: &Template, decision: usize, value: &Value, path: &str) -> String {
    let decision = &template.decisions[decision];
    let expected = match decision.kind {
        DecisionKind::Int { low, high } => format!("an integer in {low}..={high}"),
        DecisionKind::Float { low, high, .. } => format!("a number in {low:?}..={high:?}"),
        _ => {
            let shown: Vec<&str> = decision.labels.iter().take(12).map(String::as_str).collect();
            let more = if decision.labels.len() > shown.len() { ", .." } else { "" };
            format!("one of: {}{more}", shown.join(", "))
        }
    };
    format!("{}: `{}` is not {expected}", place(path), label(value))
}

/// The candidates that the value may be, the most particular first.
fn fitting(candidates: &[Part], value: &Value) -> Vec<u32> {
    let mut fitting: Vec<(usize, u32)> = candidates
        .iter()
        .zip(0..)
        .filter(|(part, _)| fits(&part.node, value))
        .map(|(part, index)| (weight(&part.node), index))
        .collect();
    fitting.sort_by_key(|(weight, index)| (std::cmp::Reverse(*weight), *index));
    fitting.into_iter().map(|(_, index)| index).collect()
}

/// Whether the fixed parts of a node match, whatever its open places hold.
fn fits(node: &Node, value: &Value) -> bool {
    overlay(node, value, &Rc::from("")).is_ok()
}

/// What a number of a program is for a decision; `None` where it is out of range or none.
fn number(kind: DecisionKind, met: &Kind) -> Option<Draw> {
    let draw = match (kind, met) {
        (DecisionKind::Int { .. }, Kind::Int(value)) => Draw::Int(i64::try_from(*value).ok()?),
        (DecisionKind::Int { .. }, Kind::Float(value)) if value.fract() == 0.0 && value.abs() < 9e15 => {
            Draw::Int(*value as i64)
        }
        (DecisionKind::Float { low, high, .. }, Kind::Float(value)) => {
            // An end of the range that went through an `f32` may have left it by a hair.
            let ends = [low, high].into_iter().find(|end| same_number(*value, *end));
            Draw::Float(ends.unwrap_or(*value))
        }
        (DecisionKind::Float { .. }, Kind::Int(value)) => Draw::Float(*value as f64),
        _ => return None,
    };
    kind.objection(&draw).is_none().then_some(draw)
}
