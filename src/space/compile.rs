//! From a program with hyper values to a [`Template`]: pieces resolved, decisions numbered, every problem told.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::decision::{Condition, Decision, DecisionKind};
use super::form::{self, Hyper};
use super::freeze::{freeze_items, freeze_list, freeze_map, freeze_named};
use super::label::{label, labels, names};
use super::template::{Body, Node, Open, Part, Template};
use crate::error::Problem;
use crate::symbolic::nearest;
use crate::symbolic::{Fields, Kind, Name, Origin, Value};

/// The pieces of `let`, by name.
pub(super) type Pieces = IndexMap<Name, Value>;

/// Bounds that no real space meets, so that a few lines of doubling pieces cannot fill the memory.
const MAX_DECISIONS: usize = 100_000;
const MAX_NODES: usize = 2_000_000;
const MAX_DEPTH: usize = 200;

/// Compiles a program; every piece is looked at, used or not. Where something is wrong, a node without an origin stands
/// in its place, so that the rest can still be checked; `None` where the program is too large for that.
pub(super) fn compile(program: &Value, pieces: &Pieces) -> (Option<Template>, Vec<Problem>) {
    let mut compiler = Compiler::new(pieces);
    let root = compiler.node(program, &Place::root());
    compiler.template.root = root.into();
    let problems = compiler.problems_with_unused();
    ((!compiler.full).then(|| compiler.finish()), problems)
}

/// Where a node stands: what its decisions are called and when they are active.
#[derive(Clone)]
struct Place {
    path: String,
    name: Option<Name>,
    scope: Scope,
}

/// When the decisions of a part of the program are active.
#[derive(Clone, PartialEq)]
enum Scope {
    Always,
    Under(Condition),
    /// Wherever a piece is referred to.
    Piece(usize),
}

impl Place {
    fn root() -> Place {
        Place { path: String::new(), name: None, scope: Scope::Always }
    }

    fn field(&self, name: &str) -> Place {
        let path = if self.path.is_empty() { name.to_string() } else { format!("{}.{name}", self.path) };
        Place { path, name: None, scope: self.scope.clone() }
    }

    fn item(&self, index: usize) -> Place {
        Place { path: format!("{}[{index}]", self.path), name: None, scope: self.scope.clone() }
    }

    fn key(&self, key: &Value) -> Place {
        Place { path: format!("{}[{}]", self.path, label(key)), name: None, scope: self.scope.clone() }
    }

    fn candidate(&self, name: &str, condition: Condition) -> Place {
        Place { path: format!("{}:{name}", self.path), name: None, scope: Scope::Under(condition) }
    }
}

struct Compiler<'a> {
    pieces: &'a Pieces,
    template: Template,
    /// When each decision is active, by number.
    scopes: Vec<Scope>,
    /// Where each shared piece is referred to, by its number in the template.
    entries: Vec<Vec<Scope>>,
    /// Pieces already compiled for `Ref`, with the number of nodes they stand for.
    done: HashMap<&'a str, (Node, usize)>,
    /// Names of the pieces being compiled, outermost first.
    open: Vec<&'a str>,
    nodes: usize,
    depth: usize,
    problems: Vec<Problem>,
    full: bool,
}

impl<'a> Compiler<'a> {
    fn new(pieces: &'a Pieces) -> Self {
        Compiler {
            pieces,
            template: Template::default(),
            scopes: Vec::new(),
            entries: Vec::new(),
            done: HashMap::new(),
            open: Vec::new(),
            nodes: 0,
            depth: 0,
            problems: Vec::new(),
            full: false,
        }
    }

    fn node(&mut self, value: &'a Value, place: &Place) -> Node {
        if !self.room_for(value.origin, 1) {
            return Node::default();
        }
        self.depth += 1;
        let node = match form::read(value) {
            Some(Ok((hyper, name))) => self.hyper(value.origin, hyper, name, place),
            Some(Err(problem)) => {
                self.problems.push(problem);
                Node::default()
            }
            None => self.plain(value, place),
        };
        self.depth -= 1;
        node
    }

    /// Whether the program may grow by so many nodes; tells once that it may not.
    fn room_for(&mut self, origin: Origin, nodes: usize) -> bool {
        if self.full {
            return false;
        }
        self.nodes = self.nodes.saturating_add(nodes);
        let too_much = if self.nodes > MAX_NODES {
            format!("with its pieces in place the program has more than {MAX_NODES} nodes")
        } else if self.template.decisions.len() > MAX_DECISIONS {
            format!("with its pieces in place the program has more than {MAX_DECISIONS} decisions")
        } else if self.depth > MAX_DEPTH {
            format!("with its pieces in place the program is nested more than {MAX_DEPTH} deep")
        } else {
            return true;
        };
        self.full = true;
        self.problems
            .push(Problem::new(origin, too_much).help("a piece that holds another twice doubles it"));
        false
    }

    fn plain(&mut self, value: &'a Value, place: &Place) -> Node {
        let origin = value.origin;
        match &value.kind {
            Kind::List(items) => {
                let nodes = self.items(items, place);
                freeze_list(nodes, origin)
            }
            Kind::Map(entries) => {
                let nodes =
                    entries.iter().map(|(key, value)| (key.clone(), self.node(value, &place.key(key))));
                freeze_map(nodes.collect(), origin)
            }
            Kind::Object(object) => match &object.fields {
                Fields::Unit => Node::Static(value.clone()),
                Fields::Items(items) => freeze_items(self.items(items, place), origin, &object.name),
                Fields::Named(fields) => {
                    let nodes = fields
                        .iter()
                        .map(|(name, value)| (name.clone(), self.node(value, &place.field(name))));
                    freeze_named(nodes.collect(), origin, &object.name)
                }
            },
            _ => Node::Static(value.clone()),
        }
    }

    fn items(&mut self, items: &'a [Value], place: &Place) -> Vec<Node> {
        items.iter().enumerate().map(|(index, item)| self.node(item, &place.item(index))).collect()
    }

    fn hyper(&mut self, origin: Origin, hyper: Hyper<'a>, name: Option<&Name>, place: &Place) -> Node {
        let named = Place { name: name.cloned().or_else(|| place.name.clone()), ..place.clone() };
        match hyper {
            Hyper::Ref(piece) => self.shared(origin, piece, place),
            Hyper::Fresh(piece) => self.fresh(origin, piece, place),
            Hyper::OneOf(candidates) => self.one_of(origin, candidates, &named),
            Hyper::Prefix { min, of } => self.prefix(origin, min, of, &named),
            Hyper::Many { k, of, distinct, sorted } => {
                let kind = DecisionKind::Many { k: k as u32, candidates: of.len() as u32, distinct, sorted };
                let decision = self.decide(origin, kind, labels(of), &named);
                self.many(origin, decision, k, of, &named)
            }
            Hyper::Int { low, high } => self.number(origin, DecisionKind::Int { low, high }, &named),
            Hyper::Float { low, high, scale } => {
                self.number(origin, DecisionKind::Float { low, high, scale }, &named)
            }
        }
    }

    /// Numbers a decision; its body follows when its candidates are compiled.
    fn decide(&mut self, origin: Origin, kind: DecisionKind, labels: Vec<String>, place: &Place) -> usize {
        let id = if place.path.is_empty() { "program".to_string() } else { place.path.clone() };
        let name = place.name.as_deref().map(str::to_string);
        self.template.decisions.push(Decision { id, name, kind, labels, conditions: Vec::new(), origin });
        self.template.bodies.push(Body::Number(origin));
        self.scopes.push(place.scope.clone());
        self.template.decisions.len() - 1
    }

    fn number(&mut self, origin: Origin, kind: DecisionKind, place: &Place) -> Node {
        Node::Open(Open::Slot(self.decide(origin, kind, Vec::new(), place)))
    }

    fn one_of(&mut self, origin: Origin, candidates: &'a [Value], place: &Place) -> Node {
        let kind = DecisionKind::Choice { candidates: candidates.len() as u32 };
        let decision = self.decide(origin, kind, labels(candidates), place);
        let nodes = self.candidates(decision, None, candidates, place);
        self.template.bodies[decision] = Body::Choice(nodes);
        Node::Open(Open::Slot(decision))
    }

    fn candidates(
        &mut self,
        decision: usize,
        slot: Option<usize>,
        candidates: &'a [Value],
        place: &Place,
    ) -> Arc<[Part]> {
        let named = names(candidates).into_iter().zip(candidates).enumerate();
        let nodes = named.map(|(index, (name, candidate))| {
            let condition = Condition { decision, choices: vec![index as u32], slot };
            self.node(candidate, &place.candidate(&name, condition)).into()
        });
        nodes.collect()
    }

    fn many(&mut self, origin: Origin, decision: usize, k: usize, of: &'a [Value], place: &Place) -> Node {
        let mut slots: Vec<Arc<[Part]>> = Vec::new();
        for slot in 0..k {
            let before = self.nodes;
            let nodes = self.candidates(decision, Some(slot), of, &place.item(slot));
            let all_static = nodes.iter().all(|part| part.opens.is_empty());
            slots.push(nodes.clone());
            if all_static {
                // Nothing to decide within: all slots are the same.
                slots.resize(k, nodes);
                self.room_for(origin, (self.nodes - before).saturating_mul(k - slot - 1));
                break;
            }
        }
        self.template.bodies[decision] = Body::Many { slots: slots.into(), origin };
        Node::Open(Open::Slot(decision))
    }

    fn prefix(&mut self, origin: Origin, min: usize, of: &'a [Value], place: &Place) -> Node {
        let longest = (of.len() - min) as u32;
        let lengths = (min..=of.len()).map(|length| length.to_string()).collect();
        let decision = self.decide(origin, DecisionKind::Choice { candidates: longest + 1 }, lengths, place);
        let nodes = of.iter().enumerate().map(|(index, item)| {
            let mut inner = place.item(index);
            if index >= min {
                let choices = ((index + 1 - min) as u32..=longest).collect();
                inner.scope = Scope::Under(Condition { decision, choices, slot: None });
            }
            self.node(item, &inner).into()
        });
        let items = nodes.collect();
        self.template.bodies[decision] = Body::Prefix { min, items, origin };
        Node::Open(Open::Slot(decision))
    }

    /// A `Ref`: compiled where it is met first, shared from then on.
    fn shared(&mut self, origin: Origin, name: &'a Name, place: &Place) -> Node {
        if let Some((node, nodes)) = self.done.get(&**name).cloned() {
            if let (Node::Open(Open::Piece(piece)), true) = (&node, self.room_for(origin, nodes)) {
                let entries = &mut self.entries[*piece];
                if !entries.contains(&place.scope) {
                    entries.push(place.scope.clone());
                }
            }
            return node;
        }
        let number = self.template.pieces.len();
        self.template.pieces.push(Part::default());
        self.entries.push(vec![place.scope.clone()]);
        let before = self.nodes;
        let inner = Place { scope: Scope::Piece(number), ..place.clone() };
        let Some(node) = self.piece(origin, name, &inner) else { return Node::default() };
        let node = match node {
            Node::Static(_) => node,
            dynamic => {
                self.template.pieces[number] = dynamic.into();
                Node::Open(Open::Piece(number))
            }
        };
        self.done.insert(name, (node.clone(), self.nodes - before));
        node
    }

    /// A `Fresh`: compiled anew each time.
    fn fresh(&mut self, origin: Origin, name: &'a Name, place: &Place) -> Node {
        self.piece(origin, name, place).unwrap_or_default()
    }

    /// The node of a piece; `None`, with the problem told, where there is no such piece or it holds itself.
    fn piece(&mut self, origin: Origin, name: &'a Name, place: &Place) -> Option<Node> {
        let Some((name, value)) = self.pieces.get_key_value(name) else {
            let help = match nearest(name, self.pieces.keys().map(|key| &**key)) {
                Some(best) => format!("did you mean \"{best}\"?"),
                None if self.pieces.is_empty() => "there is no `let`".to_string(),
                None => format!("`let` has {}", list(self.pieces.keys())),
            };
            self.problems.push(Problem::new(origin, format!("no piece \"{name}\" in `let`")).help(help));
            return None;
        };
        if let Some(start) = self.open.iter().position(|open| *open == &**name) {
            let circle =
                self.open[start..].iter().copied().chain([&**name]).map(|name| format!("\"{name}\""));
            let message = format!("circular piece: {}", circle.collect::<Vec<_>>().join(" holds "));
            self.problems.push(Problem::new(origin, message).help("a piece cannot hold itself"));
            return None;
        }
        self.open.push(name);
        let node = self.node(value, &Place { name: Some(name.clone()), ..place.clone() });
        self.open.pop();
        Some(node)
    }

    /// All problems, each once, those of pieces that the program does not use included.
    fn problems_with_unused(&mut self) -> Vec<Problem> {
        let mut spare = Compiler::new(self.pieces);
        for (name, value) in self.pieces {
            if !self.done.contains_key(&**name) {
                spare.open.push(name);
                spare.node(value, &Place::root());
                spare.open.pop();
            }
        }
        let mut problems: Vec<Problem> = Vec::new();
        for problem in std::mem::take(&mut self.problems).into_iter().chain(spare.problems) {
            // One mistake met twice, through two references or along two circles, is one problem.
            let told = |other: &Problem| {
                other.origin.0 == problem.origin.0
                    && (problem.origin.0 != Origin::NONE.0 || other.message == problem.message)
            };
            if !problems.iter().any(told) {
                problems.push(problem);
            }
        }
        problems
    }

    fn finish(mut self) -> Template {
        let mut known = HashMap::new();
        for (decision, scope) in self.template.decisions.iter_mut().zip(&self.scopes) {
            decision.conditions = conditions(scope, &self.entries, &mut known).unwrap_or_default();
        }
        self.template
    }
}

/// The conditions of a scope, `None` for always.
fn conditions(
    scope: &Scope,
    entries: &[Vec<Scope>],
    known: &mut HashMap<usize, Option<Vec<Condition>>>,
) -> Option<Vec<Condition>> {
    let piece = match scope {
        Scope::Always => return None,
        Scope::Under(condition) => return Some(vec![condition.clone()]),
        Scope::Piece(piece) => *piece,
    };
    if let Some(found) = known.get(&piece) {
        return found.clone();
    }
    let mut all: Option<Vec<Condition>> = Some(Vec::new());
    for entry in &entries[piece] {
        match (conditions(entry, entries, known), &mut all) {
            (Some(more), Some(all)) => more.into_iter().for_each(|condition| {
                if !all.contains(&condition) {
                    all.push(condition);
                }
            }),
            _ => all = None,
        }
    }
    known.insert(piece, all.clone());
    all
}

fn list<'n>(names: impl Iterator<Item = &'n Name>) -> String {
    names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}
