//! RON text as a tree whose nodes know where they were written.
//!
//! The `ron` crate checks the whole text first, with its own exact positions, and reads every literal. It drops the
//! names of types and variants and the places of nodes, so the walk over the brackets is done again here, in one pass.

use std::ops::Range;
use std::path::Path as FilePath;
use std::str::FromStr;
use std::sync::Arc;

use super::source::{Sources, Span};
use super::syntax::{Flaw, MAX_BYTES, check, too_large};
use super::value::{Fields, Kind, Origin, Value};
use crate::error::{Error, SpaceError};

mod reader;
use reader::Reader;

impl Sources {
    /// Reads a program from a file.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be read, [`Error::Space`] where it is too large, not UTF-8 or not RON.
    pub fn load(&mut self, path: impl AsRef<FilePath>) -> Result<Value, Error> {
        use std::io::Read;
        let name = path.as_ref().display().to_string();
        let io = |source| Error::Io { path: name.clone(), source };
        let file = std::fs::File::open(path.as_ref()).map_err(io)?;
        let mut bytes = Vec::new();
        file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(io)?;
        Ok(self.read_bytes(&name, bytes)?)
    }

    fn read_bytes(&mut self, path: &str, bytes: Vec<u8>) -> Result<Value, SpaceError> {
        if bytes.len() > MAX_BYTES {
            return Err(self.refuse(path, "", 0..0, too_large()));
        }
        match String::from_utf8(bytes) {
            Ok(text) => self.read(path, &text),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let message = "the file is not UTF-8 text from here on".to_owned();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                Err(self.refuse(
                    path,
                    &text,
                    valid..valid + char::REPLACEMENT_CHARACTER.len_utf8(),
                    Flaw::new(message).help("save it as UTF-8; is this the right file?"),
                ))
            }
        }
    }

    /// Reads a program from the text of a file.
    ///
    /// # Errors
    /// Where the text is not RON, or a field or key is given twice: all of those at once.
    pub fn read(&mut self, path: &str, text: &str) -> Result<Value, SpaceError> {
        if text.len() > MAX_BYTES {
            return Err(self.refuse(path, "", 0..0, too_large()));
        }
        if let Err((at, flaw)) = check(text) {
            return Err(self.refuse(path, text, at, flaw));
        }
        let file = self.add_file(path, text);
        let (value, problems) = Reader::new(text, file, self).read();
        match value {
            Ok(value) if problems.is_empty() => Ok(value),
            Ok(_) => Err(SpaceError::new(problems, self)),
            Err(problem) => Err(SpaceError::new(problems.into_iter().chain([problem]).collect(), self)),
        }
    }

    fn refuse(&mut self, path: &str, text: &str, at: Range<usize>, flaw: Flaw) -> SpaceError {
        let file = self.add_file(path, text);
        let origin = self.add_span(span(file, &at));
        SpaceError::new(vec![flaw.problem(origin)], self)
    }
}

impl FromStr for Value {
    type Err = SpaceError;

    /// Reads a program from RON text. Its nodes have no origin; [`Sources::read`] keeps them.
    fn from_str(text: &str) -> Result<Value, SpaceError> {
        let mut value = Sources::default().read("text", text)?;
        value.forget_origins();
        Ok(value)
    }
}

impl Value {
    /// Makes this a tree that was written nowhere: for trees that outlive the [`Sources`] they were read with.
    pub fn forget_origins(&mut self) {
        self.origin = Origin::NONE;
        match &mut self.kind {
            Kind::List(items) => Arc::make_mut(items).iter_mut().for_each(Value::forget_origins),
            Kind::Map(entries) => Arc::make_mut(entries).iter_mut().for_each(|(key, value)| {
                key.forget_origins();
                value.forget_origins();
            }),
            Kind::Object(object) => match &mut Arc::make_mut(object).fields {
                Fields::Unit => {}
                Fields::Items(items) => items.iter_mut().for_each(Value::forget_origins),
                Fields::Named(fields) => fields.iter_mut().for_each(|field| field.1.forget_origins()),
            },
            _ => {}
        }
    }
}

fn span(file: u32, range: &Range<usize>) -> Span {
    Span { file, start: range.start as u32, end: range.end as u32, key: None }
}

#[cfg(test)]
mod tests {
    use super::super::syntax::MAX_DEPTH;
    use super::*;

    fn refused(text: &str) -> String {
        Sources::default().read("a.ron", text).unwrap_err().to_string()
    }

    #[test]
    fn names_literals_and_comments_are_read() {
        let text = r##"
            #![enable(implicit_some, unwrap_newtypes)]
            // a program
            Outer /* of /* nested */ comments */ (
                unit: Zero, empty: Zero(), tuple: (1, -2, +3), unit_value: (), r#odd-name: 1,
                numbers: [1_000, 0xFF, 0b101, 1e3, .5, 7.0, -inf, NaN, b'a', 3u8],
                text: ["plain", "a\"\n\u{e9}", r#"raw "quoted""#, "tab\
                    continued"], char: ['x', '\''],
                map: {"k": A(b: C), 2: true,},
            )
        "##
        .replace("\\\\", "\\");
        let value: Value = text.parse().unwrap();
        insta::assert_snapshot!(value, @r#"Outer(unit: Zero, empty: Zero, tuple: (1, -2, 3), unit_value: (), r#odd-name: 1, numbers: [1000, 255, 5, 1000.0, 0.5, 7.0, -inf, NaN, 97, 3], text: ["plain", "a\"\né", "raw \"quoted\"", "tabcontinued"], char: ['x', '\''], map: {"k": A(b: C), 2: true})"#);
    }

    #[test]
    fn nodes_know_where_they_were_written() {
        let mut sources = Sources::default();
        let value = sources.read("a.ron", "(\n  é: [Zero, Conv(kernel: 3)],\n)").unwrap();
        let place = |path: &str| {
            sources.place(value.get(&path.parse().unwrap()).unwrap().origin).unwrap().to_string()
        };
        assert_eq!(place(""), "a.ron:1:1");
        assert_eq!(place("é[0]"), "a.ron:2:7");
        assert_eq!(place("é[1].kernel"), "a.ron:2:26");
    }

    #[test]
    fn hostile_texts_are_refused_with_their_place() {
        insta::assert_snapshot!(refused(""), @"a.ron:1:1: the file is empty; a program is RON: `Name(field: 1)`");
        insta::assert_snapshot!(refused(" // only this"), @"a.ron:1:14: the file is empty; a program is RON: `Name(field: 1)`");
        insta::assert_snapshot!(refused("fn main() {}"), @"a.ron:1:4: the program ends before this; nothing may follow it; is this the right file? A program is RON: `Name(field: 1)`");
        insta::assert_snapshot!(refused("(a: [1, 2"), @"a.ron:1:5: the text ends before this `[` is closed");
        insta::assert_snapshot!(refused("(a: [1, 2)"), @"a.ron:1:10: `)` stands where a `]` is missing; the `[` at line 1, column 5 is still open");
        insta::assert_snapshot!(refused("(a: 1\nb: 2)"), @"a.ron:2:1: a comma is missing before this");
        insta::assert_snapshot!(refused("(a: \"half"), @"a.ron:1:6: the quotes that open before this are never closed");
        insta::assert_snapshot!(refused("/* half"), @"a.ron:1:8: a comment `/*` is never closed");
        insta::assert_snapshot!(refused("(a: )"), @"a.ron:1:5: `)` cannot stand here");
        insta::assert_snapshot!(refused("(a: 1, b: 2, a: 3, b: 4)"), @"
        a.ron:1:14: the field `a` is given twice
        a.ron:1:20: the field `b` is given twice
        ");
        insta::assert_snapshot!(refused("{1: 2, 1: 3}"), @"a.ron:1:8: the key `1` is given twice");
        insta::assert_snapshot!(refused("Int(1..=8)"), @"a.ron:1:5: a range is not a value here; write its two ends, as in `Int(1, 8)`");
        insta::assert_snapshot!(refused("b\"bytes\""), @"a.ron:1:1: byte strings are not read; write a list of numbers");
        insta::assert_snapshot!(refused("340282366920938463463374607431768211456"), @"a.ron:1:1: the whole number is too large; write it with a point or an exponent");
        insta::assert_snapshot!(refused("#![enable(magic)] 1"), @"a.ron:1:16: no RON extension named `magic`");
        insta::assert_snapshot!(refused("(1) (2)"), @"a.ron:1:5: the program ends before this; nothing may follow it; is this the right file? A program is RON: `Name(field: 1)`");
        insta::assert_snapshot!(refused("\0"), @r"a.ron:1:1: `\u{0}` cannot stand here");
        insta::assert_snapshot!(refused(&"[".repeat(1000)), @"a.ron:1:201: nested more than 200 levels deep, the most that is read; are brackets left open? No program is that deep");
        insta::assert_snapshot!(refused(&"Some(".repeat(1000)), @"a.ron:1:1005: nested more than 200 levels deep, the most that is read; are brackets left open? No program is that deep");
        insta::assert_snapshot!(refused(&"[".repeat(100 << 20)), @"a.ron:1:1: the file is larger than 4 MiB, the most that is read; is this the right file? A program is some pages of text");
    }

    #[test]
    fn nesting_up_to_the_limit_is_read() {
        let nested =
            |open: &str, close: &str, depth| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        for (open, close) in
            [("[", "]"), ("(", ")"), ("A(", ")"), ("(a: ", ")"), ("{1: ", "}"), ("Some(", ")")]
        {
            let value: Value = nested(open, close, MAX_DEPTH).parse().unwrap();
            assert_eq!(value, value.to_string().parse().unwrap());
            let error = nested(open, close, MAX_DEPTH + 1).parse::<Value>().unwrap_err();
            assert!(error.to_string().contains("nested more than 200 levels"), "{error}");
        }
    }

    #[test]
    fn reading_takes_linear_time() {
        let nested = "(a: [".repeat(MAX_DEPTH / 2 - 1) + "1" + &"])".repeat(MAX_DEPTH / 2 - 1);
        let text = format!("[{}]", vec![nested; 200].join(","));
        let start = std::time::Instant::now();
        text.parse::<Value>().unwrap();
        assert!(start.elapsed().as_secs() < 10, "{} bytes took {:?}", text.len(), start.elapsed());
    }

    #[test]
    fn files_that_are_no_text_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ron");
        let refused = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let error = Sources::default().load(&path).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            error.to_string().replace(&path.display().to_string(), "a.ron")
        };
        insta::assert_snapshot!(refused(b"(a: \"\xff\")"), @"a.ron:1:6: the file is not UTF-8 text from here on; save it as UTF-8; is this the right file?");
        insta::assert_snapshot!(refused(&vec![b'['; MAX_BYTES + 1]), @"a.ron:1:1: the file is larger than 4 MiB, the most that is read; is this the right file? A program is some pages of text");
        let missing = Sources::default().load(folder.path().join("b.ron")).unwrap_err();
        assert!(matches!(missing, Error::Io { .. }) && missing.exit_code() == 2);
    }
}
