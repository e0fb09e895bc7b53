//! Short texts for candidates, as tables, pictures and messages show them.

use super::form;
use crate::symbolic::{Fields, Kind, Value};

/// Longest label in characters; what is longer is cut to the name.
const MAX_LENGTH: usize = 40;

/// A short text for a value: `sep_conv(kernel: 3)`, `0.1`; open places are `?`.
pub(super) fn label(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value);
    if text.chars().count() <= MAX_LENGTH {
        return text;
    }
    match &value.kind {
        Kind::Object(object) if object.name.is_some() => {
            format!("{}(..)", object.name.as_deref().unwrap_or_default())
        }
        _ => text.chars().take(MAX_LENGTH - 2).chain("..".chars()).collect(),
    }
}

/// Labels of all candidates, made unique by their number where two are the same.
pub(super) fn labels(candidates: &[Value]) -> Vec<String> {
    let plain: Vec<String> = candidates.iter().map(label).collect();
    let numbered = plain.iter().enumerate().map(|(index, text)| {
        let unique = plain.iter().filter(|other| *other == text).count() == 1;
        if unique { text.clone() } else { format!("{text} #{index}") }
    });
    numbered.collect()
}

/// Names of all candidates for paths: the object's name where that tells them apart, else the number.
pub(super) fn names(candidates: &[Value]) -> Vec<String> {
    let name = |value: &Value| match &value.kind {
        Kind::Object(object) => object.name.clone(),
        _ => None,
    };
    let plain: Vec<_> = candidates.iter().map(name).collect();
    let chosen = plain.iter().enumerate().map(|(index, name)| match name {
        Some(text) if plain.iter().filter(|other| *other == name).count() == 1 => text.to_string(),
        _ => index.to_string(),
    });
    chosen.collect()
}

fn write(text: &mut String, value: &Value) {
    // No label is longer, so no more needs writing: a piece of `let` may be large.
    if text.len() > 4 * MAX_LENGTH {
        return;
    }
    if form::is_hyper(value) {
        text.push('?');
        return;
    }
    match &value.kind {
        Kind::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Kind::Int(value) => text.push_str(&value.to_string()),
        Kind::Float(value) => text.push_str(&format!("{value:?}")),
        Kind::Char(value) => text.push_str(&format!("{value:?}")),
        Kind::Str(value) => text.push_str(&format!("{value:?}")),
        Kind::List(items) => between(text, "[", items.iter(), "]", write),
        Kind::Map(entries) => between(text, "{", entries.iter(), "}", |text, (key, value)| {
            write(text, key);
            text.push_str(": ");
            write(text, value);
        }),
        Kind::Object(object) => {
            text.push_str(object.name.as_deref().unwrap_or_default());
            match &object.fields {
                Fields::Unit if object.name.is_none() => text.push_str("()"),
                Fields::Unit => {}
                Fields::Items(items) => between(text, "(", items.iter(), ")", write),
                Fields::Named(fields) => between(text, "(", fields.iter(), ")", |text, (name, value)| {
                    text.push_str(name);
                    text.push_str(": ");
                    write(text, value);
                }),
            }
        }
    }
}

fn between<T>(
    text: &mut String,
    open: &str,
    items: impl Iterator<Item = T>,
    close: &str,
    mut write: impl FnMut(&mut String, T),
) {
    text.push_str(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        write(text, item);
    }
    text.push_str(close);
}
