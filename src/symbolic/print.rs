//! Trees as RON text: one line, or as many as read well.

use std::fmt::{self, Display, Write};

use super::value::{Fields, Kind, Object, Value};

/// How wide [`Value::pretty`] lets a line become.
const WIDTH: usize = 100;

impl Display for Value {
    /// The program as RON on one line.
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        Line(out).value(self)
    }
}

/// Writes values without a line break.
struct Line<'a, W>(&'a mut W);

impl<W: Write> Line<'_, W> {
    fn value(&mut self, value: &Value) -> fmt::Result {
        match &value.kind {
            Kind::Bool(value) => write!(self.0, "{value}"),
            Kind::Int(value) => write!(self.0, "{value}"),
            Kind::Float(value) => float(self.0, *value),
            Kind::Char(value) => write!(self.0, "'{}'", escaped(*value, '\'')),
            Kind::Str(value) => string(self.0, value),
            Kind::List(items) => self.all('[', items, ']', |line, item| line.value(item)),
            Kind::Map(entries) => self.all('{', entries, '}', |line, (key, value)| {
                line.value(key)?;
                line.0.write_str(": ")?;
                line.value(value)
            }),
            Kind::Object(object) => {
                object_name(self.0, object)?;
                match &object.fields {
                    fields if fields.is_empty() && object.name.is_some() => Ok(()),
                    Fields::Unit => self.0.write_str("()"),
                    Fields::Items(items) => self.all('(', items, ')', |line, item| line.value(item)),
                    Fields::Named(fields) => self.all('(', fields, ')', |line, (name, value)| {
                        identifier(line.0, name)?;
                        line.0.write_str(": ")?;
                        line.value(value)
                    }),
                }
            }
        }
    }

    fn all<T>(
        &mut self,
        open: char,
        items: &[T],
        close: char,
        mut one: impl FnMut(&mut Self, &T) -> fmt::Result,
    ) -> fmt::Result {
        self.0.write_char(open)?;
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.0.write_str(", ")?;
            }
            one(self, item)?;
        }
        self.0.write_char(close)
    }
}

/// A float as RON reads it back: with a point or an exponent, and every bit.
fn float(out: &mut impl Write, value: f64) -> fmt::Result {
    match value {
        _ if value.is_nan() && value.is_sign_negative() => out.write_str("-NaN"),
        _ if value.is_nan() => out.write_str("NaN"),
        _ if value.is_infinite() => out.write_str(if value > 0.0 { "inf" } else { "-inf" }),
        _ => write!(out, "{value:?}"),
    }
}

/// A string between quotes.
fn string(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for c in text.chars() {
        write!(out, "{}", escaped(c, '"'))?;
    }
    out.write_char('"')
}

/// A character as it stands between quotes.
fn escaped(c: char, quote: char) -> impl Display {
    let keep = !c.is_control() && c != quote && c != '\\';
    fmt::from_fn(move |out| if keep { out.write_char(c) } else { write!(out, "{}", c.escape_default()) })
}

/// The name of an object. `None` and `Some` that are not an option's are marked as raw, for RON has its own idea of them.
fn object_name(out: &mut impl Write, object: &Object) -> fmt::Result {
    let Some(name) = object.name.as_deref() else { return Ok(()) };
    let plain = match name {
        "None" => object.fields.is_empty(),
        "Some" => matches!(&object.fields, Fields::Items(items) if items.len() == 1),
        _ => true,
    };
    out.write_str(if plain { "" } else { "r#" })?;
    if plain { identifier(out, name) } else { out.write_str(name) }
}

/// A name, marked as raw where RON would not take it as a word.
fn identifier(out: &mut impl Write, name: &str) -> fmt::Result {
    let mut chars = name.chars();
    let word = chars.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && chars.all(|c| c == '_' || c.is_alphanumeric());
    let reserved = ["true", "false", "inf", "NaN", "inff32", "inff64", "NaNf32", "NaNf64"].contains(&name);
    if !word || reserved {
        out.write_str("r#")?;
    }
    out.write_str(name)
}

impl Value {
    /// The program as RON over several lines: what fits on a line of 100 characters stands on one.
    pub fn pretty(&self) -> String {
        let mut pretty = Pretty { out: String::new(), indent: 0 };
        pretty.value(self, 0);
        pretty.out
    }
}

struct Pretty {
    out: String,
    indent: usize,
}

impl Pretty {
    /// Writes `value` where `used` characters of its line are taken, and `after` follows it.
    fn value(&mut self, value: &Value, used: usize) {
        let is_leaf = value.is_empty();
        if is_leaf {
            self.out += &value.to_string();
        }
        if is_leaf || one_line(value, WIDTH.saturating_sub(used + 1), &mut self.out) {
            return;
        }
        match &value.kind {
            Kind::List(items) => {
                self.block('[', items, ']', |pretty, item| pretty.value(item, pretty.indent))
            }
            Kind::Map(entries) => self.block('{', entries, '}', |pretty, (key, value)| {
                pretty.keyed(&key.to_string(), value);
            }),
            Kind::Object(object) => {
                let _ = object_name(&mut self.out, object);
                match &object.fields {
                    Fields::Unit => {}
                    Fields::Items(items) => {
                        self.block('(', items, ')', |pretty, item| pretty.value(item, pretty.indent));
                    }
                    Fields::Named(fields) => self.block('(', fields, ')', |pretty, (name, value)| {
                        let mut key = String::new();
                        let _ = identifier(&mut key, name);
                        pretty.keyed(&key, value);
                    }),
                }
            }
            _ => self.out += &value.to_string(),
        }
    }

    fn keyed(&mut self, key: &str, value: &Value) {
        self.out += key;
        self.out += ": ";
        self.value(value, self.indent + key.chars().count() + 2);
    }

    fn block<T>(&mut self, open: char, items: &[T], close: char, mut one: impl FnMut(&mut Self, &T)) {
        self.out.push(open);
        self.indent += 4;
        for item in items {
            self.new_line();
            one(self, item);
            self.out.push(',');
        }
        self.indent -= 4;
        self.new_line();
        self.out.push(close);
    }

    fn new_line(&mut self) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', self.indent));
    }
}

/// Appends `value` to `out` if it takes no more than `width` characters.
fn one_line(value: &Value, width: usize, out: &mut String) -> bool {
    let before = out.len();
    let fits = write!(Narrow { out, left: width }, "{value}").is_ok();
    if !fits {
        out.truncate(before);
    }
    fits
}

/// A text that ends with an error where it is full, so that nothing long is printed only to be measured.
struct Narrow<'a> {
    out: &'a mut String,
    left: usize,
}

impl Write for Narrow<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.left = self.left.checked_sub(text.chars().count()).ok_or(fmt::Error)?;
        self.out.push_str(text);
        Ok(())
    }
}
