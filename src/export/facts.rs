//! What a file of weights says about itself, so that it can be used and made again by whoever finds it.

use super::Model;
use crate::architecture::Architecture;
use crate::symbolic::to_value;

/// Names and values, in a fixed order; lists are JSON, programs are RON.
pub(super) fn facts(model: &Model) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("cellwright_version", env!("CARGO_PKG_VERSION").to_string()),
        ("name", model.name.to_string()),
        ("classes", json(model.classes)),
        ("mean", json(model.mean)),
        ("deviation", json(model.deviation)),
    ];
    facts.extend(model.genotype.map(|genotype| ("genotype", genotype.to_string())));
    facts.extend(model.accuracy.map(|accuracy| ("accuracy", accuracy.to_string())));
    facts.push(("program", model.program.to_string()));
    if let Architecture::Stacked(stacked) = &model.candidate.architecture {
        let cell = to_value(&stacked.cell).expect("cells are plain data");
        facts.push(("cell", cell.to_string()));
    }
    facts
}

fn json<T: serde::Serialize>(list: &[T]) -> String {
    serde_json::to_string(list).expect("lists of text and numbers are JSON")
}
