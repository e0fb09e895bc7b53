//! Parts of a program in which nothing is open, as plain values: they are shared by all programs and never made again.

use std::sync::Arc;

use super::template::Node;
use crate::symbolic::{Fields, Kind, Name, Object, Origin, Value};

/// The values of nodes that are all static.
fn statics<'n>(nodes: impl Iterator<Item = &'n Node>) -> Option<Vec<Value>> {
    let values = nodes.map(|node| match node {
        Node::Static(value) => Some(value.clone()),
        _ => None,
    });
    values.collect()
}

/// A list, frozen where nothing in it is open.
pub(super) fn freeze_list(nodes: Vec<Node>, origin: Origin) -> Node {
    match statics(nodes.iter()) {
        Some(values) => Node::Static(Value { kind: Kind::List(Arc::new(values)), origin }),
        None => Node::List(origin, nodes.into()),
    }
}

/// A map, frozen where nothing in it is open.
pub(super) fn freeze_map(nodes: Vec<(Value, Node)>, origin: Origin) -> Node {
    match statics(nodes.iter().map(|(_, node)| node)) {
        Some(values) => {
            let entries = nodes.into_iter().map(|(key, _)| key).zip(values).collect();
            Node::Static(Value { kind: Kind::Map(Arc::new(entries)), origin })
        }
        None => Node::Map(origin, nodes.into()),
    }
}

/// An object of unnamed fields, frozen where nothing in it is open.
pub(super) fn freeze_items(nodes: Vec<Node>, origin: Origin, name: &Option<Name>) -> Node {
    match statics(nodes.iter()) {
        Some(values) => Node::Static(object(origin, name, Fields::Items(values))),
        None => Node::Items(origin, name.clone(), nodes.into()),
    }
}

/// An object of named fields, frozen where nothing in it is open.
pub(super) fn freeze_named(nodes: Vec<(Name, Node)>, origin: Origin, name: &Option<Name>) -> Node {
    match statics(nodes.iter().map(|(_, node)| node)) {
        Some(values) => {
            let fields = nodes.into_iter().map(|(name, _)| name).zip(values).collect();
            Node::Static(object(origin, name, Fields::Named(fields)))
        }
        None => Node::Named(origin, name.clone(), nodes.into()),
    }
}

/// An object as a value.
pub(super) fn object(origin: Origin, name: &Option<Name>, fields: Fields) -> Value {
    Value { kind: Kind::Object(Arc::new(Object { name: name.clone(), fields })), origin }
}
