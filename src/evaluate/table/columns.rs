//! Names of columns: one text, or a list of them.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The names of one or several columns: `"val12"`, or `["val200_a", "val200_b"]`.
///
/// ```
/// use cellwright::evaluate::Columns;
///
/// let [one, two]: [Columns; 2] = [ron::from_str("\"a\"")?, ron::from_str("[\"a\", \"b\"]")?];
/// assert_eq!((one.0.len(), two.0.len()), (1, 2));
/// # Ok::<(), ron::error::SpannedError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns(pub Vec<String>);

impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(serializer),
            all => all.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Columns, D::Error> {
        deserializer.deserialize_any(Names)
    }
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = Columns;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("the name of a column, or a list of such names")
    }

    fn visit_str<E>(self, name: &str) -> Result<Columns, E> {
        Ok(Columns(vec![name.into()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Columns, A::Error> {
        let mut all = Vec::new();
        while let Some(name) = names.next_element()? {
            all.push(name);
        }
        Ok(Columns(all))
    }
}
