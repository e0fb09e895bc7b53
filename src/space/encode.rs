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
use super::template::{Body, Node, Open, Part, Template};
use crate::symbolic::{Fields, Kind, Object, Value};

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
        let root = Task::Node { node: &self.root.node, value: program, path: Rc::from("") };
        matcher.run(queue(vec![root], &None));
        match (matcher.found, matcher.furthest, matcher.readings) {
            (Some(found), ..) => Ok(found),
            (None, _, MAX_READINGS..) => Err(GenotypeError(format!(
                "none of the first {MAX_READINGS} readings of the program is the program"
            ))),
            (None, _, 1..) => Err(GenotypeError(
                "the program fits the space's candidates only where it says more than they do".to_string(),
            )),
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
#[derive(Clone)]
enum Task<'a> {
    Node {
        node: &'a Node,
        value: &'a Value,
        path: Rc<str>,
    },
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
            Task::Node { node: Node::Open(Open::Slot(decision)), value, path } => {
                self.slot(*decision, value, path, next)
            }
            Task::Node { node: Node::Open(Open::Piece(piece)), value, path } => {
                self.piece(*piece, value, path, next)
            }
            Task::Node { node, value, path } => match children(node, value, path) {
                Ok(tasks) => Step::Go(None, queue(tasks, next)),
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
                let task = Task::Node { node, value, path: path.clone() };
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
                    let task = Task::Node { node, value, path: path.clone() };
                    (Settled::Draw(decision, Draw::Choice(index)), queue(vec![task], next))
                });
                self.ways(ways.collect(), decision, value, path)
            }
            (Body::Prefix { min, items, .. }, Kind::List(values))
                if (*min..=items.len()).contains(&values.len()) =>
            {
                let tasks = items.iter().zip(values.iter()).enumerate().map(|(index, (part, value))| {
                    Task::Node { node: &part.node, value, path: item(path, index) }
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
        let allowed = |index: &u32| {
            !(distinct && before.contains(index))
                && !(sorted && before.last().is_some_and(|last| last > index))
        };
        let place = item(path, slot);
        let ways = fitting(&slots[slot], value).into_iter().filter(allowed).map(|index| {
            let node = Task::Node { node: &slots[slot][index as usize].node, value, path: place.clone() };
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

/// A place where the program has something else than the space.
struct Difference {
    path: Rc<str>,
    met: Option<String>,
    expected: String,
}

impl Difference {
    fn at(path: &Rc<str>, met: &Value, expected: String) -> Difference {
        Difference { path: path.clone(), met: Some(label(met)), expected }
    }

    fn message(&self) -> String {
        match &self.met {
            Some(met) => format!(
                "{}: the program has `{met}` where the space has {}",
                place(&self.path),
                self.expected
            ),
            None => format!(
                "{}: the program has nothing where the space has {}",
                place(&self.path),
                self.expected
            ),
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

fn place(path: &str) -> &str {
    if path.is_empty() { "the program" } else { path }
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
    children(node, value, &Rc::from("")).is_ok()
}

/// How much a node says.
fn weight(node: &Node) -> usize {
    match node {
        Node::Static(value) => weight_of(value),
        Node::List(_, nodes) | Node::Items(_, _, nodes) => 1 + nodes.iter().map(weight).sum::<usize>(),
        Node::Map(_, entries) => 1 + entries.iter().map(|(_, node)| weight(node)).sum::<usize>(),
        Node::Named(_, _, fields) => 1 + fields.iter().map(|(_, node)| weight(node)).sum::<usize>(),
        Node::Open(_) => 0,
    }
}

fn weight_of(value: &Value) -> usize {
    match &value.kind {
        Kind::List(items) => 1 + items.iter().map(weight_of).sum::<usize>(),
        Kind::Map(entries) => 1 + entries.iter().map(|(_, value)| weight_of(value)).sum::<usize>(),
        Kind::Object(object) => match &object.fields {
            Fields::Unit => 1,
            Fields::Items(items) => 1 + items.iter().map(weight_of).sum::<usize>(),
            Fields::Named(fields) => 1 + fields.iter().map(|(_, value)| weight_of(value)).sum::<usize>(),
        },
        _ => 1,
    }
}

/// What is open below a node that is itself no open place.
///
/// # Errors
/// The first place where a fixed part does not match.
fn children<'a>(node: &'a Node, value: &'a Value, path: &Rc<str>) -> Result<Vec<Task<'a>>, Difference> {
    let mut tasks = Vec::new();
    collect(node, value, path, &mut tasks)?;
    Ok(tasks)
}

fn collect<'a>(
    node: &'a Node,
    value: &'a Value,
    path: &Rc<str>,
    tasks: &mut Vec<Task<'a>>,
) -> Result<(), Difference> {
    match (node, &value.kind) {
        (Node::Static(fixed), _) if holds(value, fixed) => Ok(()),
        (Node::Static(fixed), _) => Err(difference(value, fixed, path)),
        (Node::Open(_), _) => {
            tasks.push(Task::Node { node, value, path: path.clone() });
            Ok(())
        }
        (Node::List(_, nodes), Kind::List(values)) if nodes.len() == values.len() => {
            collect_items(nodes, values, path, tasks)
        }
        (Node::Map(_, entries), Kind::Map(values)) if entries.len() == values.len() => {
            entries.iter().try_for_each(|(key, node)| {
                let path = Rc::from(format!("{path}[{}]", label(key)));
                let met = values.iter().find(|(other, _)| other == key);
                let (_, value) = met.ok_or_else(|| missing(&path, node))?;
                collect(node, value, &path, tasks)
            })
        }
        (Node::Items(_, name, nodes), Kind::Object(object)) if same_name(name, object) => {
            match &object.fields {
                Fields::Items(values) if nodes.len() == values.len() => {
                    collect_items(nodes, values, path, tasks)
                }
                _ => Err(Difference::at(path, value, shown(node))),
            }
        }
        (Node::Named(_, name, nodes), Kind::Object(object)) if same_name(name, object) => {
            nodes.iter().try_for_each(|(name, node)| {
                let path = field(path, name);
                let value = named(object, name).ok_or_else(|| missing(&path, node))?;
                collect(node, value, &path, tasks)
            })
        }
        _ => Err(Difference::at(path, value, shown(node))),
    }
}

fn collect_items<'a>(
    nodes: &'a [Node],
    values: &'a [Value],
    path: &Rc<str>,
    tasks: &mut Vec<Task<'a>>,
) -> Result<(), Difference> {
    let mut pairs = nodes.iter().zip(values).enumerate();
    pairs.try_for_each(|(index, (node, value))| collect(node, value, &item(path, index), tasks))
}

fn named<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    match &object.fields {
        Fields::Named(fields) => fields.iter().find(|(other, _)| &**other == name).map(|(_, value)| value),
        _ => None,
    }
}

fn missing(path: &Rc<str>, node: &Node) -> Difference {
    Difference { path: path.clone(), met: None, expected: shown(node) }
}

/// A node as messages show it.
fn shown(node: &Node) -> String {
    match node {
        Node::Static(value) => format!("`{}`", label(value)),
        Node::List(_, nodes) => format!("a list of {}", nodes.len()),
        Node::Map(_, entries) => format!("a map of {}", entries.len()),
        Node::Items(_, Some(name), _) | Node::Named(_, Some(name), _) => format!("`{name}(..)`"),
        Node::Items(_, None, _) => "`(..)`".to_string(),
        Node::Named(_, None, fields) => {
            let names: Vec<&str> = fields.iter().map(|(name, _)| &**name).collect();
            format!("`({})`", names.join(", "))
        }
        Node::Open(_) => "something to decide".to_string(),
    }
}

/// The innermost place where a program differs from a fixed part that it does not hold.
fn difference(met: &Value, fixed: &Value, path: &Rc<str>) -> Difference {
    let inner = match (&met.kind, &fixed.kind) {
        (Kind::List(met), Kind::List(fixed)) if met.len() == fixed.len() => {
            let mut pairs = met.iter().zip(fixed.iter()).enumerate();
            pairs
                .find(|(_, (met, fixed))| !holds(met, fixed))
                .map(|(at, (met, fixed))| (met, fixed, item(path, at)))
        }
        (Kind::Object(met), Kind::Object(fixed)) if same_name(&fixed.name, met) => match &fixed.fields {
            Fields::Named(fields) => fields.iter().find_map(|(name, fixed)| {
                let met = named(met, name)?;
                (!holds(met, fixed)).then(|| (met, fixed, field(path, name)))
            }),
            _ => None,
        },
        _ => None,
    };
    match inner {
        Some((met, fixed, path)) => difference(met, fixed, &path),
        None => Difference::at(path, met, format!("`{}`", label(fixed))),
    }
}

/// A struct written without its name is any struct; one written with it may come without.
fn same_name(name: &Option<crate::symbolic::Name>, object: &Object) -> bool {
    name.is_none() || object.name.is_none() || *name == object.name
}

/// Whether a program holds all that a fixed part says.
fn holds(program: &Value, fixed: &Value) -> bool {
    match (&program.kind, &fixed.kind) {
        (Kind::Int(met), Kind::Int(fixed)) => met == fixed,
        (Kind::Float(met), Kind::Float(fixed)) => same_number(*met, *fixed),
        (Kind::Float(met), Kind::Int(fixed)) => same_number(*met, *fixed as f64),
        (Kind::List(met), Kind::List(fixed)) => all_hold(met, fixed),
        (Kind::Map(met), Kind::Map(fixed)) => {
            let held = |key: &Value| met.iter().find(|(other, _)| other == key).map(|(_, value)| value);
            met.len() == fixed.len()
                && fixed.iter().all(|(key, fixed)| held(key).is_some_and(|met| holds(met, fixed)))
        }
        (Kind::Object(met), Kind::Object(fixed)) => {
            same_name(&fixed.name, met)
                && match (&met.fields, &fixed.fields) {
                    (_, fixed) if fixed.is_empty() => true,
                    (Fields::Items(met), Fields::Items(fixed)) => all_hold(met, fixed),
                    (Fields::Named(met), Fields::Named(fixed)) => {
                        let held = |name| met.iter().find(|(other, _)| other == name).map(|(_, value)| value);
                        fixed.iter().all(|(name, fixed)| held(name).is_some_and(|met| holds(met, fixed)))
                    }
                    _ => false,
                }
        }
        // `Some(x)` may be written `x`, in a program as in a template.
        (_, Kind::Object(some)) if some.name.as_deref() == Some("Some") => match &some.fields {
            Fields::Items(items) if items.len() == 1 => holds(program, &items[0]),
            _ => false,
        },
        _ => program == fixed,
    }
}

fn all_hold(met: &[Value], fixed: &[Value]) -> bool {
    met.len() == fixed.len() && met.iter().zip(fixed).all(|(met, fixed)| holds(met, fixed))
}

/// Equal as the template's number, or as that number kept in an `f32` field.
fn same_number(met: f64, fixed: f64) -> bool {
    met == fixed || met == f64::from(fixed as f32)
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

fn field(path: &Rc<str>, name: &str) -> Rc<str> {
    if path.is_empty() { Rc::from(name) } else { Rc::from(format!("{path}.{name}")) }
}

fn item(path: &Rc<str>, index: usize) -> Rc<str> {
    Rc::from(format!("{path}[{index}]"))
}
