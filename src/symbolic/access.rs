//! The children of a node, as serde asks for them.

use std::slice;

use serde::de::{self, DeserializeSeed, Error as _, Visitor};

use super::de::Node;
use super::mistake::Fault;
use super::path::Step;
use super::value::{Fields, Name, Object, Value};

/// The elements of a list or tuple.
pub(super) struct Items<'de> {
    items: slice::Iter<'de, Value>,
    index: usize,
}

impl<'de> Items<'de> {
    pub(super) fn new(items: &'de [Value]) -> Items<'de> {
        Items { items: items.iter(), index: 0 }
    }

    /// How many elements were not asked for.
    pub(super) fn left(&self) -> usize {
        self.items.len()
    }

    /// How many elements were asked for.
    pub(super) fn taken(&self) -> usize {
        self.index
    }
}

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let index = self.index;
        self.index += 1;
        seed.deserialize(Node::new(item)).map(Some).map_err(|fault| fault.at(item).within_index(index))
    }
    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The fields of a struct.
pub(super) struct Named<'de> {
    fields: slice::Iter<'de, (Name, Value)>,
    current: Option<&'de (Name, Value)>,
}

impl<'de> Named<'de> {
    pub(super) fn new(fields: &'de [(Name, Value)]) -> Named<'de> {
        Named { fields: fields.iter(), current: None }
    }
}

impl<'de> de::MapAccess<'de> for Named<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.current = self.fields.next();
        let Some((name, value)) = self.current else { return Ok(None) };
        let key = de::value::BorrowedStrDeserializer::new(name);
        let located = |fault: Fault| fault.at(value).within(Step::field(name.clone()));
        seed.deserialize(key).map(Some).map_err(located)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (name, value) =
            self.current.take().ok_or_else(|| Fault::custom("a field's value without its name"))?;
        let located = |fault: Fault| fault.at(value).within(Step::field(name.clone()));
        seed.deserialize(Node::new(value)).map_err(located)
    }
    fn size_hint(&self) -> Option<usize> {
        Some(self.fields.len())
    }
}

/// The entries of a map.
pub(super) struct Entries<'de> {
    entries: slice::Iter<'de, (Value, Value)>,
    current: Option<&'de (Value, Value)>,
}

impl<'de> Entries<'de> {
    pub(super) fn new(entries: &'de [(Value, Value)]) -> Entries<'de> {
        Entries { entries: entries.iter(), current: None }
    }
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.current = self.entries.next();
        let Some((key, _)) = self.current else { return Ok(None) };
        seed.deserialize(Node::new(key)).map(Some).map_err(|fault| fault.at(key).within(Step::key(key)))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (key, value) =
            self.current.take().ok_or_else(|| Fault::custom("a map's value without its key"))?;
        seed.deserialize(Node::new(value)).map_err(|fault| fault.at(value).within(Step::key(key)))
    }
    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// An object with a name, as an enum's variant.
pub(super) struct Variant<'de> {
    object: &'de Object,
    value: &'de Value,
}

impl<'de> Variant<'de> {
    pub(super) fn new(object: &'de Object, value: &'de Value) -> Variant<'de> {
        Variant { object, value }
    }

    fn name(&self) -> &'de str {
        self.object.name.as_deref().unwrap_or_default()
    }

    fn wrong<T>(self, expected: String) -> Result<T, Fault> {
        Err(Fault::wrong(self.value, expected))
    }
}

impl<'de> de::EnumAccess<'de> for Variant<'de> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let variant = seed.deserialize(de::value::BorrowedStrDeserializer::new(self.name()));
        variant.map(|variant| (variant, Variant { ..self })).map_err(|fault: Fault| fault.at(self.value))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        if self.object.fields.is_empty() {
            Ok(())
        } else {
            let name = self.name();
            self.wrong(format!("`{name}` without fields"))
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        match &self.object.fields {
            Fields::Items(items) if items.len() == 1 => {
                let inner = seed.deserialize(Node::new(&items[0]));
                inner.map_err(|fault| fault.at(&items[0]).within_index(0))
            }
            _ => seed.deserialize(Node::bare(self.value)).map_err(|fault| fault.at(self.value)),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        match &self.object.fields {
            Fields::Items(items) => Node::new(self.value).visit_items(items, visitor),
            Fields::Unit => Node::new(self.value).visit_items(&[], visitor),
            Fields::Named(_) => {
                let name = self.name();
                self.wrong(format!("`{name}(..)` without field names"))
            }
        }
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.object.fields {
            Fields::Named(fields) => Node::new(self.value).visit_named(fields, visitor),
            fields if fields.is_empty() => Node::new(self.value).visit_named(&[], visitor),
            _ => {
                let name = self.name();
                self.wrong(format!("`{name}(..)` with named fields"))
            }
        }
    }
}
