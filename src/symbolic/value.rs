//! The tree of a symbolic program.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A name of a type, a variant or a field.
pub type Name = Arc<str>;

/// Where a node was written: an index into a [`Sources`](super::Sources) table. `Origin::NONE` for nodes made by code.
///
/// Origins never take part in equality, order or hash: they only give errors their place, whatever `let`, `extends`,
/// `patch` and materialisation have done to the node since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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
///
/// Two sets of fields are equal whatever the order in which named fields are written, and all empty ones are equal.
#[derive(Clone, Debug)]
pub enum Fields {
    /// Nothing, nor parentheses.
    Unit,
    /// `(a, b)`.
    Items(Vec<Value>),
    /// `(x: a, y: b)`.
    Named(Vec<(Name, Value)>),
}

impl Value {
    /// An object with named fields.
    ///
    /// ```
    /// use cellwright::symbolic::Value;
    ///
    /// let op = Value::object("MaxPool", [("kernel", 3), ("stride", 2)]);
    /// assert_eq!(op.to_string(), "MaxPool(kernel: 3, stride: 2)");
    /// assert_eq!(op.field("kernel"), Some(&Value::from(3)));
    /// ```
    pub fn object<V: Into<Value>>(name: &str, fields: impl IntoIterator<Item = (&'static str, V)>) -> Value {
        let fields: Vec<_> =
            fields.into_iter().map(|(field, value)| (Name::from(field), value.into())).collect();
        let fields = if fields.is_empty() { Fields::Unit } else { Fields::Named(fields) };
        Object { name: Some(Name::from(name)), fields }.into()
    }

    /// An object that is no more than a name: a unit variant, or a struct with all its defaults.
    pub fn unit(name: &str) -> Value {
        Object { name: Some(Name::from(name)), fields: Fields::Unit }.into()
    }

    /// An object with fields by position: `Value::call("Int", [1, 8])` is `Int(1, 8)`.
    pub fn call<V: Into<Value>>(name: &str, items: impl IntoIterator<Item = V>) -> Value {
        let items = items.into_iter().map(Into::into).collect();
        Object { name: Some(Name::from(name)), fields: Fields::Items(items) }.into()
    }

    /// The object's name, where the node is an object with a name.
    pub fn name(&self) -> Option<&str> {
        self.as_object()?.name.as_deref()
    }

    /// The named field of an object.
    pub fn field(&self, name: &str) -> Option<&Value> {
        match &self.as_object()?.fields {
            Fields::Named(fields) => fields.iter().find(|field| *field.0 == *name).map(|field| &field.1),
            Fields::Unit | Fields::Items(_) => None,
        }
    }

    /// The node as an object.
    pub fn as_object(&self) -> Option<&Object> {
        match &self.kind {
            Kind::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The elements of a list, or an object's fields by position.
    pub fn items(&self) -> Option<&[Value]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            Kind::Object(object) => match &object.fields {
                Fields::Items(items) => Some(items),
                Fields::Unit | Fields::Named(_) => None,
            },
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The integer.
    pub fn as_int(&self) -> Option<i128> {
        match self.kind {
            Kind::Int(value) => Some(value),
            _ => None,
        }
    }

    /// The number: an integer counts as one.
    pub fn as_float(&self) -> Option<f64> {
        match self.kind {
            Kind::Float(value) => Some(value),
            Kind::Int(value) => Some(value as f64),
            _ => None,
        }
    }

    /// The truth value.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The same node, written at `origin`.
    pub fn at(mut self, origin: Origin) -> Value {
        self.origin = origin;
        self
    }

    /// How many nodes the tree has, this one included.
    pub fn count(&self) -> usize {
        1 + self.children().map(|(_, child)| child.count()).sum::<usize>()
    }
}

impl From<Kind> for Value {
    fn from(kind: Kind) -> Value {
        Value { kind, origin: Origin::NONE }
    }
}
impl From<Object> for Value {
    fn from(object: Object) -> Value {
        Kind::Object(Arc::new(object)).into()
    }
}
impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Kind::Bool(value).into()
    }
}
impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Kind::Float(value).into()
    }
}
impl From<char> for Value {
    fn from(value: char) -> Value {
        Kind::Char(value).into()
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Kind::Str(value.into()).into()
    }
}
impl From<String> for Value {
    fn from(value: String) -> Value {
        Kind::Str(value.into()).into()
    }
}
impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(items: Vec<V>) -> Value {
        Kind::List(Arc::new(items.into_iter().map(Into::into).collect())).into()
    }
}
macro_rules! from_integer {
    ($($integer:ty)*) => { $(
        impl From<$integer> for Value {
            fn from(value: $integer) -> Value {
                Kind::Int(value as i128).into()
            }
        }
    )* };
}
from_integer! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 usize }

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::List(a), Kind::List(b)) => Arc::ptr_eq(a, b) || a == b,
            (Kind::Map(a), Kind::Map(b)) => Arc::ptr_eq(a, b) || **a == **b || sorted(a) == sorted(b),
            (Kind::Object(a), Kind::Object(b)) => Arc::ptr_eq(a, b) || a == b,
            _ => self.cmp(other).is_eq(),
        }
    }
}
impl Eq for Value {}
impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Value) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Value {
    /// A total order: by kind, then by content; floats by IEEE 754's total order.
    fn cmp(&self, other: &Value) -> Ordering {
        match (&self.kind, &other.kind) {
            (Kind::Bool(a), Kind::Bool(b)) => a.cmp(b),
            (Kind::Int(a), Kind::Int(b)) => a.cmp(b),
            (Kind::Float(a), Kind::Float(b)) => a.total_cmp(b),
            (Kind::Char(a), Kind::Char(b)) => a.cmp(b),
            (Kind::Str(a), Kind::Str(b)) => a.cmp(b),
            (Kind::List(a), Kind::List(b)) => a.cmp(b),
            (Kind::Map(a), Kind::Map(b)) => sorted(a).cmp(&sorted(b)),
            (Kind::Object(a), Kind::Object(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }
}
impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.rank().hash(state);
        match &self.kind {
            Kind::Bool(value) => value.hash(state),
            Kind::Int(value) => value.hash(state),
            Kind::Float(value) => value.to_bits().hash(state),
            Kind::Char(value) => value.hash(state),
            Kind::Str(value) => value.hash(state),
            Kind::List(items) => items.hash(state),
            Kind::Map(entries) => sorted(entries).hash(state),
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

impl Fields {
    /// How many fields there are.
    pub fn len(&self) -> usize {
        match self {
            Fields::Unit => 0,
            Fields::Items(items) => items.len(),
            Fields::Named(fields) => fields.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn rank(&self) -> u8 {
        match self {
            fields if fields.is_empty() => 0,
            Fields::Unit => 0,
            Fields::Items(_) => 1,
            Fields::Named(_) => 2,
        }
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Fields) -> bool {
        match (self, other) {
            (Fields::Items(a), Fields::Items(b)) => a == b,
            (Fields::Named(a), Fields::Named(b)) => a.len() == b.len() && (a == b || sorted(a) == sorted(b)),
            (a, b) => a.rank() == b.rank(),
        }
    }
}
impl Eq for Fields {}
impl PartialOrd for Fields {
    fn partial_cmp(&self, other: &Fields) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Fields {
    fn cmp(&self, other: &Fields) -> Ordering {
        match (self, other) {
            (Fields::Items(a), Fields::Items(b)) => a.cmp(b),
            (Fields::Named(a), Fields::Named(b)) => sorted(a).cmp(&sorted(b)),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }
}
impl Hash for Fields {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match self {
            Fields::Items(items) if !items.is_empty() => items.hash(state),
            Fields::Named(fields) if !fields.is_empty() => sorted(fields).hash(state),
            _ => {}
        }
    }
}

/// Entries by key: the order in which they are written does not count.
fn sorted<K: Ord>(entries: &[(K, Value)]) -> Vec<&(K, Value)> {
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    entries
}
