//! Any `Serialize` type as a tree that keeps the names of types and variants.
//!
//! The tree is written as a person would write it: `Some(x)` is `x` (unless that would be read as something else), and
//! a variant around a struct takes the struct's fields, so `Op::SepConv(SepConv { kernel: 3 })` is `SepConv(kernel: 3)`.

use std::sync::Arc;

use serde::ser::{self, Serialize};

use super::handover::{HANDED_OVER, HANDOVER};
use super::mistake::{Fault, Mistake, ProgramError};
use super::syntax::MAX_DEPTH;
use super::value::{Fields, Kind, Name, Object, Value};

/// The program of any type that serde can serialise.
///
/// ```
/// use cellwright::symbolic::to_value;
///
/// #[derive(serde::Serialize)]
/// enum Layer { Conv(Conv), Flatten }
/// #[derive(serde::Serialize)]
/// struct Conv { channels: usize, dropout: Option<f64> }
///
/// let layers = vec![Layer::Conv(Conv { channels: 16, dropout: Some(0.5) }), Layer::Flatten];
/// assert_eq!(to_value(&layers)?.to_string(), "[Conv(channels: 16, dropout: 0.5), Flatten]");
/// # Ok::<(), cellwright::symbolic::ProgramError>(())
/// ```
///
/// # Errors
/// Where the type refuses to be serialised, or a number is too large for a tree.
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, ProgramError> {
    value.serialize(Serializer { depth: 0 }).map(|node| node.value).map_err(Fault::error)
}

/// A node, and whether its name may be left out because it is a struct's.
struct Node {
    value: Value,
    is_struct: bool,
}

#[derive(Clone, Copy)]
struct Serializer {
    depth: usize,
}

impl Serializer {
    fn deeper(self) -> Result<Serializer, Fault> {
        match self.depth {
            MAX_DEPTH => Err(Fault::new(Mistake::Other(format!("nested more than {MAX_DEPTH} levels deep")))),
            depth => Ok(Serializer { depth: depth + 1 }),
        }
    }

    fn value<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Fault> {
        Ok(value.serialize(self)?.value)
    }
}

fn leaf(value: impl Into<Value>) -> Result<Node, Fault> {
    Ok(Node { value: value.into(), is_struct: false })
}

fn object(name: Option<&str>, fields: Fields) -> Value {
    Object { name: name.map(Name::from), fields }.into()
}

/// Whether `Some(value)` must be written out, because `value` alone would not be read as it.
fn needs_some(value: &Value) -> bool {
    match &value.kind {
        Kind::Object(object) => match object.name.as_deref() {
            Some("None") => object.fields.is_empty(),
            Some("Some") => true,
            Some(_) => false,
            None => object.fields.is_empty(),
        },
        _ => false,
    }
}

impl ser::Serializer for Serializer {
    type Ok = Node;
    type Error = Fault;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Named;
    type SerializeStructVariant = Named;

    fn serialize_bool(self, value: bool) -> Result<Node, Fault> {
        leaf(value)
    }
    fn serialize_i8(self, value: i8) -> Result<Node, Fault> {
        leaf(value)
    }
    fn serialize_i16(self, value: i16) -> Result<Node, Fault> {
        leaf(value)
    }
    fn serialize_i32(self, value: i32) -> Result<Node, Fault> {
        leaf(value)
    }
    fn serialize_i64(self, value: i64) -> Result<Node, Fault> {
        leaf(value)
    }
    fn serialize_i128(self, value: i128) -> Result<Node, Fault> {
        leaf(value)
    }
    fn serialize_u8(self, value: u8) -> Result<Node, Fault> {
        leaf(value)
    }
    fn serialize_u16(self, value: u16) -> Result<Node, Fault> {
        leaf(value)
    }
    fn serialize_u32(self, value: u32) -> Result<Node, Fault> {
        leaf(value)
    }
    fn serialize_u64(self, value: u64) -> Result<Node, Fault> {
        leaf(value)
    }
    fn serialize_u128(self, value: u128) -> Result<Node, Fault> {
        let too_large =
            |_| Fault::new(Mistake::Other(format!("the number {value} is too large for a program")));
        leaf(i128::try_from(value).map_err(too_large)?)
    }
    fn serialize_f32(self, value: f32) -> Result<Node, Fault> {
        // The shortest text that means this number: 0.1 stays 0.1.
        leaf(value.to_string().parse::<f64>().unwrap_or_else(|_| value.into()))
    }
    fn serialize_f64(self, value: f64) -> Result<Node, Fault> {
        leaf(value)
    }
    fn serialize_char(self, value: char) -> Result<Node, Fault> {
        leaf(value)
    }
    fn serialize_str(self, value: &str) -> Result<Node, Fault> {
        leaf(value)
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<Node, Fault> {
        leaf(value.to_vec())
    }
    fn serialize_none(self) -> Result<Node, Fault> {
        leaf(Value::unit("None"))
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Node, Fault> {
        let inner = value.serialize(self.deeper()?)?;
        if needs_some(&inner.value) { leaf(Value::call("Some", [inner.value])) } else { Ok(inner) }
    }
    fn serialize_unit(self) -> Result<Node, Fault> {
        leaf(object(None, Fields::Items(Vec::new())))
    }
    fn serialize_unit_struct(self, name: &'static str) -> Result<Node, Fault> {
        Ok(Node { value: Value::unit(name), is_struct: true })
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Node, Fault> {
        leaf(Value::unit(variant))
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Node, Fault> {
        if name == HANDED_OVER
            && let Some(value) = HANDOVER.take()
        {
            return leaf(value);
        }
        leaf(Value::call(name, [self.deeper()?.value(value)?]))
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Node, Fault> {
        let inner = value.serialize(self.deeper()?)?;
        match inner.value.kind {
            Kind::Object(object) if inner.is_struct => {
                let fields = Arc::unwrap_or_clone(object).fields;
                leaf(Object { name: Some(variant.into()), fields })
            }
            kind => leaf(Value::call(variant, [Value::from(kind)])),
        }
    }
    fn serialize_seq(self, length: Option<usize>) -> Result<Items, Fault> {
        Items::new(self, length.unwrap_or(0), |items| Kind::List(Arc::new(items)).into())
    }
    fn serialize_tuple(self, length: usize) -> Result<Items, Fault> {
        Items::new(self, length, |items| object(None, Fields::Items(items)))
    }
    fn serialize_tuple_struct(self, name: &'static str, length: usize) -> Result<Items, Fault> {
        Items::new(self, length, move |items| object(Some(name), Fields::Items(items)))
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Items, Fault> {
        self.serialize_tuple_struct(variant, length)
    }
    fn serialize_map(self, length: Option<usize>) -> Result<Entries, Fault> {
        Ok(Entries { inner: self.deeper()?, entries: Vec::with_capacity(length.unwrap_or(0)), key: None })
    }
    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Named, Fault> {
        Ok(Named { inner: self.deeper()?, name, is_struct: true, fields: Vec::with_capacity(length) })
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Named, Fault> {
        Ok(Named { is_struct: false, ..self.serialize_struct(variant, length)? })
    }
}

/// A list or tuple in the making.
struct Items {
    inner: Serializer,
    items: Vec<Value>,
    finish: Box<dyn FnOnce(Vec<Value>) -> Value>,
}

impl Items {
    fn new(
        outer: Serializer,
        length: usize,
        finish: impl FnOnce(Vec<Value>) -> Value + 'static,
    ) -> Result<Items, Fault> {
        Ok(Items {
            inner: outer.deeper()?,
            items: Vec::with_capacity(length.min(4096)),
            finish: Box::new(finish),
        })
    }
}

macro_rules! items {
    ($($serialize:ident $method:ident,)*) => { $(
        impl ser::$serialize for Items {
            type Ok = Node;
            type Error = Fault;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
                let value = self.inner.value(value).map_err(|fault| fault.within_index(self.items.len()))?;
                self.items.push(value);
                Ok(())
            }
            fn end(self) -> Result<Node, Fault> {
                leaf((self.finish)(self.items))
            }
        }
    )* };
}
items! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

/// A map in the making.
struct Entries {
    inner: Serializer,
    entries: Vec<(Value, Value)>,
    key: Option<Value>,
}

impl ser::SerializeMap for Entries {
    type Ok = Node;
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        self.key = Some(self.inner.value(key)?);
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let key = self
            .key
            .take()
            .ok_or_else(|| Fault::new(Mistake::Other("a map's value without its key".into())))?;
        let value = self.inner.value(value).map_err(|fault| fault.within(super::Step::key(&key)))?;
        self.entries.push((key, value));
        Ok(())
    }
    fn end(self) -> Result<Node, Fault> {
        leaf(Kind::Map(Arc::new(self.entries)))
    }
}

/// A struct or struct variant in the making.
struct Named {
    inner: Serializer,
    name: &'static str,
    is_struct: bool,
    fields: Vec<(Name, Value)>,
}

impl Named {
    fn push<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Fault> {
        let value = self.inner.value(value).map_err(|fault| fault.within(super::Step::field(name)))?;
        self.fields.push((name.into(), value));
        Ok(())
    }

    fn node(self) -> Node {
        let fields = if self.fields.is_empty() { Fields::Unit } else { Fields::Named(self.fields) };
        Node { value: object(Some(self.name), fields), is_struct: self.is_struct }
    }
}

impl ser::SerializeStruct for Named {
    type Ok = Node;
    type Error = Fault;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Fault> {
        self.push(name, value)
    }
    fn end(self) -> Result<Node, Fault> {
        Ok(self.node())
    }
}
impl ser::SerializeStructVariant for Named {
    type Ok = Node;
    type Error = Fault;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Fault> {
        self.push(name, value)
    }
    fn end(self) -> Result<Node, Fault> {
        Ok(self.node())
    }
}
