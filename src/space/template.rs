//! A program with hyper values, compiled: fixed parts are shared values, open parts point to decisions.

use std::sync::Arc;

use super::decision::{Decision, Draw};
use crate::symbolic::{Kind, Name, Origin, Value};

/// A compiled program.
#[derive(Debug, Default)]
pub(super) struct Template {
    /// The program's root.
    pub root: Part,
    /// The decisions, by number: in the order in which they are met.
    pub decisions: Vec<Decision>,
    /// What each decision decides between, by number.
    pub bodies: Vec<Body>,
    /// The pieces of `let` that hold decisions and are referred to: each is decided once.
    pub pieces: Vec<Part>,
}

/// A part of a program, with what is open in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    pub node: Node,
    /// Its open places in order, those within candidates left out: all that walks over decisions need to see.
    pub opens: Arc<[Open]>,
}

/// An open place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Open {
    /// What a decision decides.
    Slot(usize),
    /// A shared piece: its decisions are met where it is met first.
    Piece(usize),
}

/// A node of a compiled program.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// A subtree without decisions.
    Static(Value),
    List(Origin, Arc<[Node]>),
    Map(Origin, Arc<[(Value, Node)]>),
    Items(Origin, Option<Name>, Arc<[Node]>),
    Named(Origin, Option<Name>, Arc<[(Name, Node)]>),
    Open(Open),
}

/// What a decision decides between.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// One candidate.
    Choice(Arc<[Part]>),
    /// The first `min + choice` elements.
    Prefix { min: usize, items: Arc<[Part]>, origin: Origin },
    /// The candidates of each slot: copies of each other, so that each slot has decisions of its own.
    Many { slots: Arc<[Arc<[Part]>]>, origin: Origin },
    /// A number, and where its hyper value was written.
    Number(Origin),
}

impl Default for Node {
    fn default() -> Node {
        Node::Static(Value { kind: Kind::Bool(false), origin: Origin::NONE })
    }
}

impl From<Node> for Part {
    fn from(node: Node) -> Part {
        let mut opens = Vec::new();
        node.collect_opens(&mut opens);
        Part { node, opens: opens.into() }
    }
}

impl Node {
    /// Where the node was written.
    pub fn origin(&self, template: &Template) -> Origin {
        match self {
            Node::Static(value) => value.origin,
            Node::List(origin, _)
            | Node::Map(origin, _)
            | Node::Items(origin, ..)
            | Node::Named(origin, ..) => *origin,
            Node::Open(Open::Slot(decision)) => template.decisions[*decision].origin,
            Node::Open(Open::Piece(piece)) => template.pieces[*piece].node.origin(template),
        }
    }

    fn collect_opens(&self, opens: &mut Vec<Open>) {
        match self {
            Node::Static(_) => {}
            Node::List(_, nodes) | Node::Items(_, _, nodes) => {
                nodes.iter().for_each(|node| node.collect_opens(opens));
            }
            Node::Map(_, entries) => entries.iter().for_each(|(_, node)| node.collect_opens(opens)),
            Node::Named(_, _, fields) => fields.iter().for_each(|(_, node)| node.collect_opens(opens)),
            Node::Open(open) => opens.push(*open),
        }
    }
}

impl Body {
    /// The parts that one choice brings; none where there is no such choice.
    pub fn single(&self, index: u32) -> &[Part] {
        let index = index as usize;
        match self {
            Body::Choice(candidates) => candidates.get(index..=index).unwrap_or_default(),
            Body::Prefix { min, items, .. } => items.get(..min + index).unwrap_or_default(),
            Body::Many { .. } | Body::Number(_) => &[],
        }
    }

    /// The part that a choice brings in one slot of a `ManyOf`; none where there is no such choice or slot.
    pub fn slot(&self, slot: usize, index: u32) -> &[Part] {
        let index = index as usize;
        match self {
            Body::Many { slots, .. } => {
                slots.get(slot).and_then(|parts| parts.get(index..=index)).unwrap_or_default()
            }
            _ => &[],
        }
    }

    /// The parts that a draw brings, over all slots.
    pub fn chosen<'b>(&'b self, draw: &'b Draw) -> impl Iterator<Item = &'b Part> {
        let (one, many) = match draw {
            Draw::Choice(index) => (self.single(*index), [].as_slice()),
            Draw::Many(choices) => ([].as_slice(), choices.as_slice()),
            Draw::Int(_) | Draw::Float(_) => ([].as_slice(), [].as_slice()),
        };
        one.iter().chain(many.iter().enumerate().flat_map(|(slot, index)| self.slot(slot, *index)))
    }
}
