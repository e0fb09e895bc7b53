//! The walk over the brackets of a text that `ron` has found in order: values, each with its place.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::span;
use crate::error::Problem;
use crate::symbolic::source::Sources;
use crate::symbolic::syntax::{Flaw, lower_first};
use crate::symbolic::token::{identifier, is_bytes, literal, number, skip_blank};
use crate::symbolic::value::{Fields, Kind, Name, Object, Value};

/// Walks over a text that `ron` has found in order.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    file: u32,
    sources: &'a mut Sources,
    names: HashMap<&'a str, Name>,
    /// What is wrong but does not stop the reading.
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub fn new(text: &'a str, file: u32, sources: &'a mut Sources) -> Reader<'a> {
        Reader { text, at: 0, file, sources, names: HashMap::new(), problems: Vec::new() }
    }

    /// The text's value, or what stopped the reading; and what else is wrong.
    pub fn read(mut self) -> (Result<Value, Problem>, Vec<Problem>) {
        (self.document(), self.problems)
    }

    fn document(&mut self) -> Result<Value, Problem> {
        self.blank();
        while self.rest().starts_with('#') {
            self.attribute();
            self.blank();
        }
        self.value()
    }

    /// `#![enable(..)]`: it changes nothing here, where `Some` and newtypes may always be left out.
    fn attribute(&mut self) {
        while !matches!(self.peek(), None | Some(']')) {
            let length = literal(self.rest()).max(self.peek().map_or(0, char::len_utf8));
            self.at += length;
            self.blank();
        }
        self.eat(']');
    }

    fn value(&mut self) -> Result<Value, Problem> {
        let start = self.at;
        let kind = match self.peek() {
            Some('[') => Kind::List(Arc::new(self.list()?)),
            Some('{') => Kind::Map(Arc::new(self.map()?)),
            Some('(') => Kind::Object(Arc::new(Object { name: None, fields: self.fields()? })),
            Some('"' | '\'') => self.quoted()?,
            Some('r') if literal(self.rest()) > 0 => self.quoted()?,
            Some('b') if is_bytes(self.rest()) => {
                return Err(self
                    .flaw(start..start + 2, "byte strings are not read")
                    .help("write a list of numbers"));
            }
            Some('0'..='9' | '+' | '-' | '.') => self.number()?,
            Some('b') if self.rest().starts_with("b'") => self.number()?,
            _ => self.word()?,
        };
        let origin = self.sources.add_span(span(self.file, &(start..self.at)));
        Ok(Value { kind, origin })
    }

    /// `[a, b]`.
    fn list(&mut self) -> Result<Vec<Value>, Problem> {
        let mut items = Vec::new();
        self.each(']', |reader| reader.value().map(|item| items.push(item)))?;
        Ok(items)
    }

    /// `{a: b}`.
    fn map(&mut self) -> Result<Vec<(Value, Value)>, Problem> {
        let mut entries: Vec<(Value, Value)> = Vec::new();
        let mut seen = HashSet::new();
        self.each('}', |reader| {
            let start = reader.at;
            let key = reader.value()?;
            if !seen.insert(key.clone()) {
                let message = format!("the key {} is given twice", crate::symbolic::mistake::describe(&key));
                reader.twice(start..reader.at, message);
            }
            let value = reader.after_colon(start)?;
            entries.push((key, value));
            Ok(())
        })?;
        Ok(entries)
    }

    /// `(a, b)` or `(x: a)`.
    fn fields(&mut self) -> Result<Fields, Problem> {
        let inside = skip_blank(self.text, self.at + 1);
        let name = identifier(&self.text[inside..]);
        let after = skip_blank(self.text, inside + name);
        if name > 0 && self.text[after..].starts_with(':') { self.named() } else { self.unnamed() }
    }

    fn unnamed(&mut self) -> Result<Fields, Problem> {
        let mut items = Vec::new();
        self.each(')', |reader| reader.value().map(|item| items.push(item)))?;
        Ok(Fields::Items(items))
    }

    fn named(&mut self) -> Result<Fields, Problem> {
        let mut fields: Vec<(Name, Value)> = Vec::new();
        let mut seen = HashSet::new();
        self.each(')', |reader| {
            let start = reader.at;
            let name = reader.identifier();
            if !seen.insert(name.clone()) {
                reader.twice(start..reader.at, format!("the field `{name}` is given twice"));
            }
            let value = reader.after_colon(start)?;
            fields.push((name, value));
            Ok(())
        })?;
        Ok(Fields::Named(fields))
    }

    /// Reads what stands between the bracket here and `close`, one by one.
    fn each(
        &mut self,
        close: char,
        mut one: impl FnMut(&mut Self) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        self.skip_char();
        self.blank();
        while !self.eat(close) {
            if self.rest().is_empty() {
                return Err(self.flaw(self.at..self.at, &format!("`{close}` is missing")));
            }
            one(self)?;
            self.blank();
            self.eat(',');
            self.blank();
        }
        Ok(())
    }

    /// `: value`, of a key that starts at `key`.
    fn after_colon(&mut self, key: usize) -> Result<Value, Problem> {
        self.blank();
        self.eat(':');
        self.blank();
        let value = self.value()?;
        self.sources.set_key(value.origin, key);
        Ok(value)
    }

    fn quoted(&mut self) -> Result<Kind, Problem> {
        let range = self.at..self.at + literal(self.rest());
        let text = &self.text[range.clone()];
        self.at = range.end;
        if text.starts_with('\'') {
            return self.ron(range, text).map(Kind::Char);
        }
        match text.strip_prefix('"').and_then(|body| body.strip_suffix('"')) {
            Some(plain) if !plain.contains('\\') => Ok(Kind::Str(plain.into())),
            _ => self.ron::<String>(range, text).map(|text| Kind::Str(text.into())),
        }
    }

    fn number(&mut self) -> Result<Kind, Problem> {
        let range = self.at..self.at + number(self.rest());
        let text = &self.text[range.clone()];
        self.at = range.end;
        if text.contains("..") {
            let problem = self.flaw(range, "a range is not a value here");
            return Err(problem.help("write its two ends, as in `Int(1, 8)`"));
        }
        match self.ron::<ron::Value>(range.clone(), text)? {
            ron::Value::Number(number) => self.kind(range, text, number),
            _ => Err(self.flaw(range, "this is not a number")),
        }
    }

    fn kind(&mut self, range: Range<usize>, text: &str, number: ron::Number) -> Result<Kind, Problem> {
        use ron::Number;
        Ok(Kind::Int(match number {
            Number::I8(value) => value.into(),
            Number::I16(value) => value.into(),
            Number::I32(value) => value.into(),
            Number::I64(value) => value.into(),
            Number::I128(value) => value,
            Number::U8(value) => value.into(),
            Number::U16(value) => value.into(),
            Number::U32(value) => value.into(),
            Number::U64(value) => value.into(),
            Number::U128(value) => match i128::try_from(value) {
                Ok(value) => value,
                Err(_) => return Err(self.flaw(range, "the whole number is too large")),
            },
            // `ron` reads whole numbers that are too large for it as floats.
            number if text.bytes().all(|byte| byte.is_ascii_digit() || b"+-_".contains(&byte)) => {
                let _ = number;
                return Err(self
                    .flaw(range, "the whole number is too large")
                    .help("write it with a point or an exponent"));
            }
            number => return Ok(Kind::Float(number.into_f64())),
        }))
    }

    /// `true`, `inf`, `Name`, `Name(..)`.
    fn word(&mut self) -> Result<Kind, Problem> {
        let start = self.at;
        if identifier(self.rest()) == 0 {
            return Err(self.flaw(start..start, "a value is missing here"));
        }
        let raw = self.rest().starts_with("r#");
        let name = self.identifier();
        match &*name {
            _ if raw => {}
            "true" => return Ok(Kind::Bool(true)),
            "false" => return Ok(Kind::Bool(false)),
            "inf" | "inff32" | "inff64" => return Ok(Kind::Float(f64::INFINITY)),
            "NaN" | "NaNf32" | "NaNf64" => return Ok(Kind::Float(f64::NAN)),
            _ => {}
        }
        let after = skip_blank(self.text, self.at);
        if !self.text[after..].starts_with('(') {
            return Ok(Kind::Object(Arc::new(Object { name: Some(name), fields: Fields::Unit })));
        }
        self.at = after;
        let fields = self.fields()?;
        let fields = if fields.is_empty() { Fields::Unit } else { fields };
        Ok(Kind::Object(Arc::new(Object { name: Some(name), fields })))
    }

    /// An identifier as a name, of which equal ones are kept once.
    fn identifier(&mut self) -> Name {
        let length = identifier(self.rest());
        let text = &self.rest()[..length];
        self.at += length;
        let text = text.strip_prefix("r#").unwrap_or(text);
        self.names.entry(text).or_insert_with(|| text.into()).clone()
    }

    /// Has `ron` read a literal.
    fn ron<T: serde::de::DeserializeOwned>(&mut self, range: Range<usize>, text: &str) -> Result<T, Problem> {
        ron::from_str(text).map_err(|error| self.flaw(range, &lower_first(&error.code.to_string())))
    }

    fn twice(&mut self, range: Range<usize>, message: String) {
        let problem = self.flaw(range, &message).label("the second one");
        self.problems.push(problem);
    }

    fn flaw(&mut self, range: Range<usize>, message: &str) -> Problem {
        let origin = self.sources.add_span(span(self.file, &range));
        Flaw::new(message).problem(origin)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_char(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.rest().starts_with(c);
        self.at += if found { c.len_utf8() } else { 0 };
        found
    }

    fn blank(&mut self) {
        self.at = skip_blank(self.text, self.at);
    }
}
