//! The program as RON: what this crate reads again, and what a person reads first.

use std::io::Write;

use serde::{Deserialize, Serialize};

use super::{ExportError, Exporter, Model};
use crate::symbolic::Value;

/// Writes `network.ron`: a space file whose program has nothing open.
///
/// The field `program` parses to the very program that was exported. The file can be checked, shown and trained like
/// any space, and another file makes a search round it with `extends` and `patch`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ron {}

impl Exporter for Ron {
    fn export(&self, model: &Model, out: &mut dyn Write) -> Result<(), ExportError> {
        writeln!(out, "// Found by cellwright {}; nothing in it is left open.", env!("CARGO_PKG_VERSION"))?;
        if let Some(genotype) = model.genotype {
            writeln!(out, "// Genotype: {}", genotype.replace(char::is_control, " "))?;
        }
        let space = Value::object(
            "Space",
            [
                ("name", model.name.into()),
                ("about", model.caption().as_str().into()),
                ("program", model.program.clone()),
            ],
        );
        Ok(writeln!(out, "{}", space.pretty())?)
    }

    fn extension(&self) -> &'static str {
        "ron"
    }
}
