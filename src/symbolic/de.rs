//! A tree as any `Deserialize` type, with the path of what does not fit.
//!
//! Names of structs may be left out, but where one is written it must be the type's. `Some(x)` may be written `x`, a
//! variant around a struct takes the struct's fields or none at all (`SepConv` is `SepConv` with its defaults), and a
//! whole number will do for a float. Nothing is allocated for the path unless there is an error.

use serde::de::{self, DeserializeOwned, Error as _, Unexpected, Visitor};

use super::access::{Entries, Items, Named, Variant};
use super::handover::{HANDED_OVER, HANDOVER};
use super::mistake::{Fault, Mistake, ProgramError};
use super::value::{Fields, Kind, Name, Object, Value};

/// The typed program of a tree.
///
/// ```
/// use cellwright::symbolic::{Value, from_value};
///
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Sgd { learning_rate: f64, nesterov: bool }
///
/// let tree: Value = "Sgd(learning_rate: 1, nesterov: true)".parse()?;
/// let sgd: Sgd = from_value(&tree)?;
/// assert_eq!((sgd.learning_rate, sgd.nesterov), (1.0, true));
///
/// let tree: Value = "(lerning_rate: 1, nesterov: true)".parse()?;
/// let error = from_value::<Sgd>(&tree).err().unwrap();
/// assert_eq!(error.to_string(), "lerning_rate: unknown field `lerning_rate`; did you mean `learning_rate`?");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The first node that does not fit the type.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, ProgramError> {
    T::deserialize(Node::new(value)).map_err(|fault| fault.at(value).error())
}

/// A node to be read as some type.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    value: &'a Value,
    /// The node's name is that of a variant, and was dealt with: what is left to read are its fields.
    bare: bool,
}

impl<'de> Node<'de> {
    pub(super) fn new(value: &'de Value) -> Node<'de> {
        Node { value, bare: false }
    }

    /// The fields of a node whose name is dealt with.
    pub(super) fn bare(value: &'de Value) -> Node<'de> {
        Node { value, bare: true }
    }

    fn object(self) -> Option<&'de Object> {
        self.value.as_object()
    }

    /// The object's name, as far as it is not yet dealt with.
    fn name(self) -> Option<&'de str> {
        self.object().filter(|_| !self.bare)?.name.as_deref()
    }

    /// The node as it is left to read.
    fn to_value(self) -> Value {
        match self.object() {
            Some(object) if self.bare => {
                Value::from(Object { name: None, fields: object.fields.clone() }).at(self.value.origin)
            }
            _ => self.value.clone(),
        }
    }

    fn wrong<T>(self, expected: impl Into<String>) -> Result<T, Fault> {
        let expected = expected.into();
        match self.object() {
            Some(object) if self.bare && object.fields.is_empty() => {
                let name = object.name.as_deref().unwrap_or_default();
                Err(Fault::new(Mistake::Other(format!("`{name}` needs {expected} in parentheses")))
                    .at(self.value))
            }
            _ => Err(Fault::wrong(self.value, expected)),
        }
    }

    /// The fields of an object that is called `name`, or has no name.
    fn fields(self, name: &str, shape: &str) -> Result<&'de Fields, Fault> {
        let expected = || match name.is_empty() {
            true => shape.to_owned(),
            false => format!("`{name}{shape}`"),
        };
        let Some(object) = self.object() else { return self.wrong(expected()) };
        match self.name() {
            Some(met) if met != name => {
                let mistake = Mistake::WrongName { met: met.into(), expected: name.into() };
                Err(Fault::new(mistake).at(self.value))
            }
            _ => Ok(&object.fields),
        }
    }

    /// Elements by position, all of which must be used.
    pub(super) fn visit_items<V: Visitor<'de>>(
        self,
        items: &'de [Value],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let mut access = Items::new(items);
        let done = visitor.visit_seq(&mut access)?;
        match access.left() {
            0 => Ok(done),
            _ => {
                let expected = format!("{} elements", access.taken());
                Err(Fault::new(Mistake::WrongLength { met: items.len(), expected }).at(self.value))
            }
        }
    }

    pub(super) fn visit_named<V: Visitor<'de>>(
        self,
        fields: &'de [(Name, Value)],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_map(Named::new(fields))
    }

    fn visit_object<V: Visitor<'de>>(self, object: &'de Object, visitor: V) -> Result<V::Value, Fault> {
        match (self.name(), &object.fields) {
            (Some("None"), fields) if fields.is_empty() => visitor.visit_none(),
            (Some("Some"), Fields::Items(items)) if items.len() == 1 => {
                visitor.visit_some(Node::new(&items[0]))
            }
            (_, Fields::Named(fields)) => self.visit_named(fields, visitor),
            (Some(name), fields) if fields.is_empty() => visitor.visit_borrowed_str(name),
            (Some(_), _) => visitor.visit_enum(Variant::new(object, self.value)),
            (None, Fields::Items(items)) if !items.is_empty() => self.visit_items(items, visitor),
            (None, _) => visitor.visit_unit(),
        }
    }
}

/// Numbers, texts and truth values are offered to the visitor as what they are; it says what it wanted instead.
macro_rules! offer {
    ($($deserialize:ident)*) => { $(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match &self.value.kind {
                Kind::List(_) | Kind::Map(_) | Kind::Object(_) => {
                    let fault = Fault::invalid_type(Unexpected::Unit, &visitor);
                    match fault.expected() {
                        Some(expected) => self.wrong(expected),
                        None => Err(fault.at(self.value)),
                    }
                }
                _ => self.deserialize_any(visitor),
            }
        }
    )* };
}

impl<'de> de::Deserializer<'de> for Node<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value.kind {
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Int(value) => visit_int(*value, visitor),
            Kind::Float(value) => visitor.visit_f64(*value),
            Kind::Char(value) => visitor.visit_char(*value),
            Kind::Str(value) => visitor.visit_borrowed_str(value),
            Kind::List(items) => self.visit_items(items, visitor),
            Kind::Map(entries) => visitor.visit_map(Entries::new(entries)),
            Kind::Object(object) => self.visit_object(object, visitor),
        }
        .map_err(|fault| fault.at(self.value))
    }

    offer! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32
        deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_identifier
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_any(visitor)
    }
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match (self.name(), self.object().map(|object| &object.fields)) {
            (Some("None"), Some(fields)) if fields.is_empty() => visitor.visit_none(),
            (Some("Some"), Some(Fields::Items(items))) if items.len() == 1 => {
                visitor.visit_some(Node::new(&items[0])).map_err(|fault| fault.at(&items[0]).within_index(0))
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match (self.name(), self.object()) {
            (None, Some(object)) if object.fields.is_empty() => visitor.visit_unit(),
            _ => self.wrong("`()`"),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.fields(name, "")? {
            fields if fields.is_empty() => visitor.visit_unit(),
            _ => self.wrong(format!("`{name}`")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if name == HANDED_OVER {
            HANDOVER.set(Some(self.to_value()));
            return visitor.visit_unit();
        }
        match self.object() {
            Some(Object { name: met, fields: Fields::Items(items) })
                if items.len() == 1 && !self.bare && met.as_deref().is_none_or(|met| met == name) =>
            {
                let inner = visitor.visit_newtype_struct(Node::new(&items[0]));
                inner.map_err(|fault| fault.at(&items[0]).within_index(0))
            }
            Some(object) if self.name() == Some(name) && !matches!(object.fields, Fields::Items(_)) => {
                visitor.visit_newtype_struct(Node::bare(self.value))
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value.kind {
            Kind::List(items) => self.visit_items(items, visitor),
            _ => self.wrong("a list `[..]`"),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        match &self.value.kind {
            Kind::List(items) => self.visit_items(items, visitor),
            _ => match self.fields("", "a tuple `(..)`")? {
                Fields::Items(items) => self.visit_items(items, visitor),
                Fields::Unit => self.visit_items(&[], visitor),
                Fields::Named(_) => self.wrong("a tuple `(..)`"),
            },
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.fields(name, "(..)")? {
            Fields::Items(items) => self.visit_items(items, visitor),
            Fields::Unit => self.visit_items(&[], visitor),
            Fields::Named(_) => self.wrong(format!("`{name}(..)` without field names")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match (&self.value.kind, self.object().map(|object| &object.fields)) {
            (Kind::Map(entries), _) => visitor.visit_map(Entries::new(entries)),
            // A struct with flattened fields asks for a map.
            (_, Some(Fields::Named(fields))) => self.visit_named(fields, visitor),
            _ => self.wrong("a map `{..}`"),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.fields(name, "(..)")? {
            Fields::Named(fields) => self.visit_named(fields, visitor),
            fields if fields.is_empty() => self.visit_named(&[], visitor),
            _ => self.wrong(format!("`{name}(..)` with named fields")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.object() {
            Some(object) if self.name().is_some() => visitor.visit_enum(Variant::new(object, self.value)),
            _ if self.value.as_str().is_some_and(|text| variants.contains(&text)) => {
                let message = format!("{} is a text; write the name without quotes", self.value);
                Err(Fault::new(Mistake::Other(message)).at(self.value))
            }
            _ => self.wrong(one_of(name, variants)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }
}

fn visit_int<'de, V: Visitor<'de>>(value: i128, visitor: V) -> Result<V::Value, Fault> {
    match (u64::try_from(value), i64::try_from(value)) {
        (Ok(value), _) => visitor.visit_u64(value),
        (_, Ok(value)) => visitor.visit_i64(value),
        _ => visitor.visit_i128(value),
    }
}

/// The names there are to choose from, for a message.
fn one_of(name: &str, variants: &[&str]) -> String {
    match variants {
        [] => format!("a `{name}`"),
        [only] => format!("`{only}`"),
        [names @ .., last] if variants.len() <= 12 => {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("{} or `{last}`", names.join(", "))
        }
        [first, second, ..] => {
            format!("one of the {} names of `{name}` (`{first}`, `{second}`, ..)", variants.len())
        }
    }
}
