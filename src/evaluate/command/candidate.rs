//! A candidate as JSON that a program in any language reads.
//!
//! Texts, numbers, truth values and lists are JSON's own. Of a program's other values
//! - a bare name, such as `Relu`, is a text;
//! - `Conv(kernel: 3)` is `{"type": "Conv", "kernel": 3}`, and `(kernel: 3)` the same without its type;
//! - `Pair(1, 2)` is `{"type": "Pair", "items": [1, 2]}`, and `(1, 2)` is a list;
//! - `None` and `()` are `null`, `Some(x)` is `x`; a map whose keys are no texts is a list of pairs;
//! - a number that JSON cannot write is a text: `"inf"`.

use std::path::Path;

use serde_json::{Map, Value as Json, json};

use crate::evaluate::{Failure, Job};
use crate::space::{Decision, Draw, Space};
use crate::symbolic::{Fields, Kind, Object, Value};

/// All that a program is told of a trial.
pub(super) fn json(space: &Space, job: &Job, folder: &Path) -> Result<String, Failure> {
    let active = space.active(job.genotype).map_err(|error| Failure::Candidate(error.to_string()))?;
    let decisions: Map<String, Json> = active
        .into_iter()
        .map(|(number, draw)| (&space.decisions()[number], draw))
        .map(|(decision, draw)| (decision.id.clone(), decided(decision, &draw)))
        .collect();
    let told = json!({
        "program": plain(job.program).map_err(Failure::Candidate)?,
        "genotype": job.genotype.to_string(),
        "decisions": decisions,
        "fidelity": job.fidelity.0,
        "seed": job.seed.0,
        "folder": folder.display().to_string(),
        "last": job.last,
        "device": job.device.to_string(),
    });
    Ok(told.to_string() + "\n")
}

fn decided(decision: &Decision, draw: &Draw) -> Json {
    let choice = |index: u32| json!({"index": index, "label": decision.labels.get(index as usize)});
    match draw {
        Draw::Choice(index) => choice(*index),
        Draw::Many(choices) => choices.iter().map(|index| choice(*index)).collect(),
        Draw::Int(value) => json!(value),
        Draw::Float(value) => number(*value),
    }
}

fn number(value: f64) -> Json {
    if value.is_finite() { json!(value) } else { json!(value.to_string()) }
}

/// A value as JSON, or why it has none.
fn plain(value: &Value) -> Result<Json, String> {
    Ok(match &value.kind {
        Kind::Bool(value) => json!(value),
        Kind::Int(value) => match (i64::try_from(*value), u64::try_from(*value)) {
            (Ok(value), _) => json!(value),
            (_, Ok(value)) => json!(value),
            _ => json!(value.to_string()),
        },
        Kind::Float(value) => number(*value),
        Kind::Char(value) => json!(value),
        Kind::Str(text) => json!(**text),
        Kind::List(items) => list(items)?,
        Kind::Map(entries) => map(entries)?,
        Kind::Object(object) => plain_object(object)?,
    })
}

fn list(items: &[Value]) -> Result<Json, String> {
    items.iter().map(plain).collect::<Result<Vec<_>, _>>().map(Json::from)
}

fn map(entries: &[(Value, Value)]) -> Result<Json, String> {
    let named = entries.iter().map(|(key, value)| Some((key.as_str()?, value))).collect::<Option<Vec<_>>>();
    match named {
        Some(named) => named
            .into_iter()
            .map(|(key, value)| Ok((key.to_owned(), plain(value)?)))
            .collect::<Result<Map<_, _>, _>>()
            .map(Json::from),
        None => {
            let pair = |(key, value): &(Value, Value)| Ok(json!([plain(key)?, plain(value)?]));
            entries.iter().map(pair).collect::<Result<Vec<_>, String>>().map(Json::from)
        }
    }
}

fn plain_object(object: &Object) -> Result<Json, String> {
    let name = object.name.as_deref();
    Ok(match (name, &object.fields) {
        (None | Some("None"), fields) if fields.is_empty() => Json::Null,
        (Some("Some"), Fields::Items(items)) if items.len() == 1 => plain(&items[0])?,
        (Some(name), fields) if fields.is_empty() => json!(name),
        (None, Fields::Items(items)) => list(items)?,
        (Some(name), Fields::Items(items)) => json!({"type": name, "items": list(items)?}),
        (name, Fields::Named(fields)) => {
            let mut all = Map::new();
            for (field, value) in fields {
                all.insert(field.to_string(), plain(value)?);
            }
            if let Some(name) = name
                && all.insert("type".into(), json!(name)).is_some()
            {
                return Err(format!(
                    "`{name}` has a field `type`, where its own name goes: rename the field"
                ));
            }
            all.into()
        }
        (_, Fields::Unit) => Json::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<String, String> {
        plain(&text.parse().expect("RON")).map(|json| json.to_string())
    }

    #[test]
    fn every_kind_of_value_has_its_form() {
        let forms = [
            ("Relu", r#""Relu""#),
            ("(a: 1, b: 0.5, c: true, d: 'x', e: \"y\")", r#"{"a":1,"b":0.5,"c":true,"d":"x","e":"y"}"#),
            ("[Conv(kernel: 3), Skip]", r#"[{"kernel":3,"type":"Conv"},"Skip"]"#),
            (
                "(Pair(1, 2), (1, 2), (), None, Some(3))",
                r#"[{"items":[1,2],"type":"Pair"},[1,2],null,null,3]"#,
            ),
            ("({\"a\": 1}, {1: 2})", r#"[{"a":1},[[1,2]]]"#),
            ("(inf, 18446744073709551615)", r#"["inf",18446744073709551615]"#),
        ];
        for (text, json) in forms {
            assert_eq!(told(text).as_deref(), Ok(json), "{text}");
        }
        assert_eq!(
            told("Layer(type: 3)").unwrap_err(),
            "`Layer` has a field `type`, where its own name goes: rename the field"
        );
    }
}
