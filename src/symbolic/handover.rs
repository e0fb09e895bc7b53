//! A [`Value`] as a part of other types: in a program it is the node itself, in any other format its RON text.

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, Unexpected, Visitor};
use serde::ser::{self, Serialize};

use super::value::Value;

/// The newtype under which a [`Value`] passes through serde as itself.
pub(super) const HANDED_OVER: &str = "cellwright_program";

thread_local! {
    /// A [`Value`] on its way through serde's generic signatures, between two neighbouring calls.
    pub(super) static HANDOVER: RefCell<Option<Value>> = const { RefCell::new(None) };
}

impl Serialize for Value {
    /// In a program, the value itself; in any other format, its RON text.
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        HANDOVER.set(Some(self.clone()));
        let done = serializer.serialize_newtype_struct(HANDED_OVER, &Text(self));
        HANDOVER.take();
        done
    }
}

/// A value as its text.
struct Text<'a>(&'a Value);

impl Serialize for Text<'_> {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

impl<'de> de::Deserialize<'de> for Value {
    /// From a program, the node itself; from any other format, its RON text.
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_newtype_struct(HANDED_OVER, ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a program's RON text")
    }
    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        HANDOVER.take().ok_or_else(|| E::invalid_type(Unexpected::Unit, &self))
    }
    fn visit_newtype_struct<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_str(self)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        text.parse().map_err(|error: crate::error::SpaceError| E::custom(error))
    }
}
