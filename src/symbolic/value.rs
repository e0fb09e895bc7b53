//! The tree of a symbolic program.

use std::sync::Arc;

/// A name of a type, a variant or a field.
pub type Name = Arc<str>;

/// Where a node was written: an index into a [`Sources`](super::Sources) table. `Origin::NONE` for nodes made by code.
///
/// Origins never take part in equality, order or hash: they only give errors their place, whatever `let`, `extends`,
/// `patch` and materialisation have done to the node since.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin(pub u32);

impl Origin {
    /// A node that was not read from a file.
    pub const NONE: Origin = Origin(0);
}

/// A node of a symbolic program: a piece of data that remembers the type and variant names it was written with.
///
/// Cloning is cheap: inner nodes are shared until one of the copies is changed.
#[derive(Clone, Debug)]
pub struct Value {
    /// What the node holds.
    pub kind: Kind,
    /// Where it was written.
    pub origin: Origin,
}

/// What a node holds. `None`, `Some(x)`, unit, tuples, structs and enum variants are all objects, as in RON's text.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `true`, `false`.
    Bool(bool),
    /// Any integer of serde's data model.
    Int(i128),
    /// A number with a point or an exponent.
    Float(f64),
    /// `'c'`.
    Char(char),
    /// `"text"`.
    Str(Arc<str>),
    /// `[a, b]`.
    List(Arc<Vec<Value>>),
    /// `{a: b}`.
    Map(Arc<Vec<(Value, Value)>>),
    /// `Name`, `Name(a, b)`, `Name(x: a)`, `(a, b)`, `(x: a)`, `()`.
    Object(Arc<Object>),
}

/// A struct, tuple, unit or variant: an optional name and fields.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    /// The struct's or variant's name; `None` for tuples and for structs written without theirs.
    pub name: Option<Name>,
    /// What is between the parentheses.
    pub fields: Fields,
}

/// What is between an object's parentheses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fields {
    /// Nothing, nor parentheses.
    Unit,
    /// `(a, b)`.
    Items(Vec<Value>),
    /// `(x: a, y: b)`.
    Named(Vec<(Name, Value)>),
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Value {}
impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Value) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Value {
    /// A total order: by kind, then by content; floats by IEEE 754's total order.
    fn cmp(&self, other: &Value) -> std::cmp::Ordering {
        match (&self.kind, &other.kind) {
            (Kind::Bool(a), Kind::Bool(b)) => a.cmp(b),
            (Kind::Int(a), Kind::Int(b)) => a.cmp(b),
            (Kind::Float(a), Kind::Float(b)) => a.total_cmp(b),
            (Kind::Char(a), Kind::Char(b)) => a.cmp(b),
            (Kind::Str(a), Kind::Str(b)) => a.cmp(b),
            (Kind::List(a), Kind::List(b)) => a.cmp(b),
            (Kind::Map(a), Kind::Map(b)) => a.cmp(b),
            (Kind::Object(a), Kind::Object(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }
}
impl std::hash::Hash for Value {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.kind.rank().hash(state);
        match &self.kind {
            Kind::Bool(value) => value.hash(state),
            Kind::Int(value) => value.hash(state),
            Kind::Float(value) => value.to_bits().hash(state),
            Kind::Char(value) => value.hash(state),
            Kind::Str(value) => value.hash(state),
            Kind::List(items) => items.hash(state),
            Kind::Map(entries) => entries.hash(state),
            Kind::Object(object) => object.hash(state),
        }
    }
}

impl Kind {
    fn rank(&self) -> u8 {
        match self {
            Kind::Bool(_) => 0,
            Kind::Int(_) => 1,
            Kind::Float(_) => 2,
            Kind::Char(_) => 3,
            Kind::Str(_) => 4,
            Kind::List(_) => 5,
            Kind::Map(_) => 6,
            Kind::Object(_) => 7,
        }
    }
}
