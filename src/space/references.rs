//! Pieces of `let` in the `experiment` section: `Ref("x")` stands for the piece there, too. An experiment is no program, so
//! nothing in it may be open: whatever type reads it says so of a piece that is.

use std::sync::Arc;

use super::compile::Pieces;
use crate::error::Problem;
use crate::symbolic::{Fields, Kind, Object, Value, nearest};

/// How deep pieces may stand in pieces.
const MAX_DEPTH: usize = 100;

/// The value with its references replaced by what they stand for.
pub(super) fn replaced(value: &Value, pieces: &Pieces, problems: &mut Vec<Problem>) -> Value {
    Replacer { pieces, problems }.value(value, 0)
}

struct Replacer<'a> {
    pieces: &'a Pieces,
    problems: &'a mut Vec<Problem>,
}

impl Replacer<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Value {
        if depth > MAX_DEPTH {
            let problem =
                Problem::new(value.origin, "pieces of `let` that stand in one another without an end");
            self.problems.push(problem.help("let no piece refer to itself"));
            return Value::unit("Ref").at(value.origin);
        }
        let below = depth + 1;
        let kind = match &value.kind {
            Kind::Object(object) => match reference(object) {
                Some(name) => return self.piece(value, name, below),
                None => Kind::Object(Arc::new(Object {
                    name: object.name.clone(),
                    fields: self.fields(&object.fields, below),
                })),
            },
            Kind::List(items) => Kind::List(Arc::new(self.values(items, below))),
            Kind::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| (key.clone(), self.value(value, below)));
                Kind::Map(Arc::new(entries.collect()))
            }
            plain => plain.clone(),
        };
        Value { kind, origin: value.origin }
    }

    fn values(&mut self, values: &[Value], depth: usize) -> Vec<Value> {
        values.iter().map(|value| self.value(value, depth)).collect()
    }

    fn fields(&mut self, fields: &Fields, depth: usize) -> Fields {
        match fields {
            Fields::Unit => Fields::Unit,
            Fields::Items(items) => Fields::Items(self.values(items, depth)),
            Fields::Named(fields) => {
                let fields = fields.iter().map(|(name, value)| (name.clone(), self.value(value, depth)));
                Fields::Named(fields.collect())
            }
        }
    }

    fn piece(&mut self, value: &Value, name: &str, depth: usize) -> Value {
        if let Some(piece) = self.pieces.get(name) {
            return self.value(&piece.clone(), depth);
        }
        let known = self.pieces.keys().map(|name| &**name);
        let help = match nearest(name, known) {
            Some(best) => format!("did you mean `{best}`?"),
            None => "pieces are named in `let`".into(),
        };
        self.problems.push(Problem::new(value.origin, format!("`let` has no piece `{name}`")).help(help));
        value.clone()
    }
}

/// The name of the piece that an object stands for: `Ref("x")`.
fn reference(object: &Object) -> Option<&str> {
    let is_ref = object.name.as_deref() == Some("Ref");
    match &object.fields {
        Fields::Items(items) if is_ref && items.len() == 1 => items[0].as_str(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::space::Space;

    fn open(pieces: &str, experiment: &str) -> Result<String, String> {
        let text = format!(
            "Space(let: {{{pieces}}}, program_type: Any, program: (x: OneOf([1, 2])), experiment: {experiment})"
        );
        let space = Space::from_ron("a.ron", &text).map_err(|error| error.to_string())?;
        Ok(space.experiment().unwrap().to_string())
    }

    #[test]
    fn pieces_stand_in_experiments_as_they_do_in_programs() {
        let pieces = r#""a": (trials: 3), "weekly": [Ref("a"), 7]"#;
        assert_eq!(
            open(pieces, r#"(x: Ref("weekly"), y: {"k": Ref("a")})"#).unwrap(),
            "(x: [(trials: 3), 7], y: {\"k\": (trials: 3)})"
        );
        let error = open(pieces, "(x: Ref(\"wekly\"))").unwrap_err();
        assert!(
            error.contains("`let` has no piece `wekly`") && error.contains("did you mean `weekly`"),
            "{error}"
        );
        let circle = open(r#""a": [Ref("b")], "b": [Ref("a")]"#, "(x: Ref(\"a\"))").unwrap_err();
        assert!(circle.contains("without an end") || circle.contains("itself"), "{circle}");
    }
}
