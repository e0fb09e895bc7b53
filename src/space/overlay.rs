//! A template's fixed parts laid over a program: what is open below them, or where they first differ.

use std::rc::Rc;

use super::label::label;
use super::template::Node;
use crate::symbolic::{Change, Fields, Kind, Name, Object, Value};

/// An open place of the template, and what the program has there.
pub(super) struct Over<'a> {
    pub node: &'a Node,
    pub value: &'a Value,
    pub path: Rc<str>,
}

/// A place where the program has something else than the space.
pub(super) struct Difference {
    path: Rc<str>,
    met: Option<String>,
    expected: String,
}

impl Difference {
    fn at(path: &Rc<str>, met: &Value, expected: String) -> Difference {
        Difference { path: path.clone(), met: Some(label(met)), expected }
    }

    pub fn message(&self) -> String {
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

/// What is open below a node that is itself no open place.
///
/// # Errors
/// The first place where a fixed part does not match.
pub(super) fn overlay<'a>(
    node: &'a Node,
    value: &'a Value,
    path: &Rc<str>,
) -> Result<Vec<Over<'a>>, Difference> {
    let mut opens = Vec::new();
    collect(node, value, path, &mut opens)?;
    Ok(opens)
}

fn collect<'a>(
    node: &'a Node,
    value: &'a Value,
    path: &Rc<str>,
    opens: &mut Vec<Over<'a>>,
) -> Result<(), Difference> {
    match (node, &value.kind) {
        (Node::Static(fixed), _) if holds(value, fixed) => Ok(()),
        (Node::Static(fixed), _) => Err(difference(value, fixed, path)),
        (Node::Open(_), _) => {
            opens.push(Over { node, value, path: path.clone() });
            Ok(())
        }
        (Node::List(_, nodes), Kind::List(values)) if nodes.len() == values.len() => {
            collect_items(nodes, values, path, opens)
        }
        (Node::Map(_, entries), Kind::Map(values)) if entries.len() == values.len() => {
            entries.iter().try_for_each(|(key, node)| {
                let path = Rc::from(format!("{path}[{}]", label(key)));
                let met = values.iter().find(|(other, _)| other == key);
                let (_, value) = met.ok_or_else(|| missing(&path, node))?;
                collect(node, value, &path, opens)
            })
        }
        (Node::Items(_, name, nodes), Kind::Object(object)) if same_name(name, object) => {
            match &object.fields {
                Fields::Items(values) if nodes.len() == values.len() => {
                    collect_items(nodes, values, path, opens)
                }
                _ => Err(Difference::at(path, value, shown(node))),
            }
        }
        (Node::Named(_, name, nodes), Kind::Object(object)) if same_name(name, object) => {
            nodes.iter().try_for_each(|(name, node)| {
                let path = field(path, name);
                let value = named(object, name).ok_or_else(|| missing(&path, node))?;
                collect(node, value, &path, opens)
            })
        }
        _ => Err(Difference::at(path, value, shown(node))),
    }
}

fn collect_items<'a>(
    nodes: &'a [Node],
    values: &'a [Value],
    path: &Rc<str>,
    opens: &mut Vec<Over<'a>>,
) -> Result<(), Difference> {
    let mut pairs = nodes.iter().zip(values).enumerate();
    pairs.try_for_each(|(index, (node, value))| collect(node, value, &item(path, index), opens))
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
fn same_name(name: &Option<Name>, object: &Object) -> bool {
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
pub(super) fn same_number(met: f64, fixed: f64) -> bool {
    met == fixed || met == f64::from(fixed as f32)
}

/// How much a node says.
pub(super) fn weight(node: &Node) -> usize {
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

pub(super) fn field(path: &Rc<str>, name: &str) -> Rc<str> {
    if path.is_empty() { Rc::from(name) } else { Rc::from(format!("{path}.{name}")) }
}

pub(super) fn item(path: &Rc<str>, index: usize) -> Rc<str> {
    Rc::from(format!("{path}[{index}]"))
}

/// A path as messages write it.
pub(super) fn place(path: &str) -> &str {
    if path.is_empty() { "the program" } else { path }
}

/// Where a program of the space and another one differ first.
pub(super) fn first_difference(space: &Value, program: &Value) -> String {
    match space.diff(program).0.first() {
        Some(Change::Changed { path, from, to }) => {
            let (from, to) = (label(from), label(to));
            format!("{}: the program has `{to}` where the space has `{from}`", place(&path.to_string()))
        }
        Some(Change::Added { path, value }) => {
            format!("{path}: the program has `{}` where the space has nothing", label(value))
        }
        Some(Change::Removed { path, value }) => {
            format!("{path}: the program has nothing where the space has `{}`", label(value))
        }
        None => "the program is written differently in the space".to_string(),
    }
}
