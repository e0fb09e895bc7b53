//! From a genotype to its program.

use std::sync::Arc;

use super::assignment::Assignment;
use super::decision::Draw;
use super::freeze::object;
use super::template::{Body, Node, Open, Part, Template};
use crate::symbolic::{Fields, Kind, Origin, Value};

impl Template {
    /// The program of an assignment. Fixed parts are shared with the template and with every other program of it.
    pub fn materialize(&self, assignment: &Assignment) -> Value {
        let mut build = Build { template: self, assignment, pieces: vec![None; self.pieces.len()] };
        build.node(&self.root.node)
    }
}

struct Build<'a> {
    template: &'a Template,
    assignment: &'a Assignment,
    /// The shared pieces already built.
    pieces: Vec<Option<Value>>,
}

impl<'a> Build<'a> {
    fn node(&mut self, node: &'a Node) -> Value {
        match node {
            Node::Static(value) => value.clone(),
            Node::List(origin, nodes) => list(*origin, nodes.iter().map(|node| self.node(node)).collect()),
            Node::Map(origin, entries) => {
                let entries = entries.iter().map(|(key, node)| (key.clone(), self.node(node))).collect();
                Value { kind: Kind::Map(Arc::new(entries)), origin: *origin }
            }
            Node::Items(origin, name, nodes) => {
                let items = nodes.iter().map(|node| self.node(node)).collect();
                object(*origin, name, Fields::Items(items))
            }
            Node::Named(origin, name, fields) => {
                let fields = fields.iter().map(|(name, node)| (name.clone(), self.node(node))).collect();
                object(*origin, name, Fields::Named(fields))
            }
            Node::Open(Open::Slot(decision)) => self.slot(*decision),
            Node::Open(Open::Piece(piece)) => {
                if let Some(built) = &self.pieces[*piece] {
                    return built.clone();
                }
                let built = self.node(&self.template.pieces[*piece].node);
                self.pieces[*piece] = Some(built.clone());
                built
            }
        }
    }

    fn slot(&mut self, decision: usize) -> Value {
        let (template, assignment) = (self.template, self.assignment);
        let (body, draw) = (&template.bodies[decision], assignment.draw(decision));
        match (body, draw) {
            (Body::Choice(_), Some(Draw::Choice(index))) => match body.single(*index) {
                [part] => self.node(&part.node),
                _ => self.inactive(),
            },
            (Body::Prefix { origin, .. }, Some(Draw::Choice(index))) => {
                self.parts(*origin, body.single(*index).iter())
            }
            (Body::Many { origin, .. }, Some(draw @ Draw::Many(_))) => self.parts(*origin, body.chosen(draw)),
            (Body::Number(origin), Some(Draw::Int(value))) => {
                Value { kind: Kind::Int(i128::from(*value)), origin: *origin }
            }
            (Body::Number(origin), Some(Draw::Float(value))) => {
                Value { kind: Kind::Float(*value), origin: *origin }
            }
            _ => self.inactive(),
        }
    }

    fn parts(&mut self, origin: Origin, parts: impl Iterator<Item = &'a Part>) -> Value {
        list(origin, parts.map(|part| self.node(&part.node)).collect())
    }

    /// Assignments are made by walks over the template that check every draw: none lacks a decision that is met.
    fn inactive(&self) -> Value {
        unreachable!("an assignment holds a draw of its own kind for every decision that it meets")
    }
}

fn list(origin: Origin, items: Vec<Value>) -> Value {
    Value { kind: Kind::List(Arc::new(items)), origin }
}
