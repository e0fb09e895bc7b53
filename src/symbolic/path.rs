//! Where a node stands in a program: `architecture.cell.blocks[1].left`.

use std::fmt;
use std::str::FromStr;

use super::token::literal;
use super::value::{Fields, Kind, Name, Value};

/// One step down from a node to a child.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A named field: `.kernel`.
    Field(Name),
    /// A position in a list or tuple, or a whole number as the key of a map: `[2]`.
    Index(usize),
    /// Any other key of a map, or a field whose name is no plain word: `["batch norm"]`.
    Key(Value),
}

impl Step {
    /// The step to a named field.
    pub fn field(name: impl Into<Name>) -> Step {
        let name = name.into();
        if is_word(&name) { Step::Field(name) } else { Step::Key(Value::from(&*name)) }
    }

    /// The step to the value of a map's key.
    pub fn key(key: &Value) -> Step {
        match key.kind {
            Kind::Int(index) if usize::try_from(index).is_ok() => Step::Index(index as usize),
            _ => Step::Key(key.clone()),
        }
    }

    /// The field that this step names in an object with named fields.
    pub(super) fn as_field(&self) -> Option<&str> {
        match self {
            Step::Field(name) => Some(name),
            Step::Key(key) => key.as_str(),
            Step::Index(_) => None,
        }
    }

    /// The key that this step names in a map.
    pub(super) fn to_key(&self) -> Option<Value> {
        match self {
            Step::Field(_) => None,
            Step::Index(index) => Some(Value::from(*index)),
            Step::Key(key) => Some(key.clone()),
        }
    }

    fn is_key(&self, key: &Value) -> bool {
        match self {
            Step::Field(_) => false,
            Step::Index(index) => matches!(key.kind, Kind::Int(key) if key == *index as i128),
            Step::Key(step) => step == key,
        }
    }
}

/// The way from a program's root to one of its nodes.
///
/// A path is written as steps one after another: `.name` for a field (the first one without its point), `[2]` for an
/// element of a list or tuple, `["key"]` for the value of a map's key. The root's path is the empty text.
///
/// ```
/// use cellwright::symbolic::{Path, Value};
///
/// let path: Path = "cell.blocks[1].left".parse()?;
/// assert_eq!(path.to_string(), "cell.blocks[1].left");
/// let program: Value = "(cell: (blocks: [(left: Zero), (left: SkipConnect)]))".parse()?;
/// assert_eq!(program.get(&path), Some(&Value::unit("SkipConnect")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(pub Vec<Step>);

/// A text that is not a path, or not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}: {reason} at character {}", text[..*at].chars().count() + 1)]
pub struct PathError {
    pub(super) text: String,
    pub(super) what: &'static str,
    pub(super) reason: String,
    pub(super) at: usize,
}

/// What can be read as a path: a path, or its text.
pub trait IntoPath {
    /// The path.
    ///
    /// # Errors
    /// Where the text is not a path.
    fn into_path(self) -> Result<Path, PathError>;
}
impl IntoPath for Path {
    fn into_path(self) -> Result<Path, PathError> {
        Ok(self)
    }
}
impl IntoPath for &Path {
    fn into_path(self) -> Result<Path, PathError> {
        Ok(self.clone())
    }
}
impl IntoPath for &str {
    fn into_path(self) -> Result<Path, PathError> {
        self.parse()
    }
}
impl IntoPath for String {
    fn into_path(self) -> Result<Path, PathError> {
        self.parse()
    }
}

impl Path {
    /// The path of the program itself.
    pub const ROOT: Path = Path(Vec::new());

    /// The path of a child.
    pub fn join(&self, step: Step) -> Path {
        Path(self.0.iter().cloned().chain([step]).collect())
    }

    /// The path of the parent and the step from there; `None` for the root.
    pub fn split_last(&self) -> Option<(Path, &Step)> {
        let (last, parent) = self.0.split_last()?;
        Some((Path(parent.to_vec()), last))
    }

    /// Whether `other` is this node or lies below it.
    pub fn contains(&self, other: &Path) -> bool {
        other.0.starts_with(&self.0)
    }
}

impl Value {
    /// The node at `path`.
    pub fn get(&self, path: &Path) -> Option<&Value> {
        path.0.iter().try_fold(self, |node, step| node.child(step))
    }

    /// The child that `step` leads to.
    pub fn child(&self, step: &Step) -> Option<&Value> {
        match &self.kind {
            Kind::List(items) => items.get(index(step)?),
            Kind::Map(entries) => entries.iter().find(|entry| step.is_key(&entry.0)).map(|entry| &entry.1),
            Kind::Object(object) => match &object.fields {
                Fields::Unit => None,
                Fields::Items(items) => items.get(index(step)?),
                Fields::Named(_) => self.field(step.as_field()?),
            },
            _ => None,
        }
    }

    /// The children with the steps to them, in order of writing. A map's keys are not children, its values are.
    pub fn children(&self) -> impl Iterator<Item = (Step, &Value)> {
        (0..self.len()).filter_map(|index| self.child_at(index))
    }

    /// How many children the node has.
    pub fn len(&self) -> usize {
        match &self.kind {
            Kind::List(items) => items.len(),
            Kind::Map(entries) => entries.len(),
            Kind::Object(object) => object.fields.len(),
            _ => 0,
        }
    }

    /// Whether the node has no children.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn child_at(&self, index: usize) -> Option<(Step, &Value)> {
        match &self.kind {
            Kind::List(items) => Some((Step::Index(index), items.get(index)?)),
            Kind::Map(entries) => entries.get(index).map(|entry| (Step::key(&entry.0), &entry.1)),
            Kind::Object(object) => match &object.fields {
                Fields::Unit => None,
                Fields::Items(items) => Some((Step::Index(index), items.get(index)?)),
                Fields::Named(fields) => {
                    fields.get(index).map(|(name, value)| (Step::field(name.clone()), value))
                }
            },
            _ => None,
        }
    }

    /// The child that `step` leads to, to be changed. What is shared with other trees is copied first.
    pub(super) fn child_mut(&mut self, step: &Step) -> Option<&mut Value> {
        use std::sync::Arc;
        match &mut self.kind {
            Kind::List(items) => Arc::make_mut(items).get_mut(index(step)?),
            Kind::Map(entries) => {
                let at = entries.iter().position(|entry| step.is_key(&entry.0))?;
                Some(&mut Arc::make_mut(entries)[at].1)
            }
            Kind::Object(object) => match &mut Arc::make_mut(object).fields {
                Fields::Unit => None,
                Fields::Items(items) => items.get_mut(index(step)?),
                Fields::Named(fields) => {
                    let name = step.as_field()?;
                    fields.iter_mut().find(|field| *field.0 == *name).map(|field| &mut field.1)
                }
            },
            _ => None,
        }
    }
}

fn index(step: &Step) -> Option<usize> {
    match step {
        Step::Index(index) => Some(*index),
        Step::Field(_) | Step::Key(_) => None,
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(_) if index > 0 => write!(out, ".{step}")?,
                _ => write!(out, "{step}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Step::Field(name) => out.write_str(name),
            Step::Index(index) => write!(out, "[{index}]"),
            Step::Key(key) => write!(out, "[{key}]"),
        }
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Path, PathError> {
        let mut scan = Scan::new(text, "path");
        let mut steps = Vec::new();
        while !scan.rest().is_empty() {
            steps.push(scan.step(steps.is_empty())?);
        }
        Ok(Path(steps))
    }
}

/// Reads the text of a path or of a pattern from left to right.
pub(super) struct Scan<'a> {
    text: &'a str,
    what: &'static str,
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str, what: &'static str) -> Scan<'a> {
        Scan { text, what, at: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    pub(super) fn error(&self, reason: impl Into<String>) -> PathError {
        PathError { text: self.text.into(), what: self.what, reason: reason.into(), at: self.at }
    }

    /// A field (with its point, unless it is the first step) or a bracket.
    fn step(&mut self, first: bool) -> Result<Step, PathError> {
        if self.rest().starts_with('[') {
            return self.bracket();
        }
        if !first && !self.eat(".") {
            return Err(self.error("expected `.` or `[`"));
        }
        Ok(Step::Field(self.word()?.into()))
    }

    pub(super) fn word(&mut self) -> Result<&'a str, PathError> {
        let rest = self.rest();
        let length = rest.find(|c: char| !is_word_char(c)).unwrap_or(rest.len());
        if length == 0 {
            return Err(self.error("expected a name"));
        }
        self.at += length;
        Ok(&rest[..length])
    }

    /// `[2]` or `["key"]`.
    pub(super) fn bracket(&mut self) -> Result<Step, PathError> {
        let inner = self.rest()[1..].to_owned();
        let end = closing(&inner).ok_or_else(|| self.error("`[` without its `]`"))?;
        let key: Value =
            inner[..end].parse().map_err(|_| self.error("expected a number or a key between `[` and `]`"))?;
        self.at += end + 2;
        Ok(Step::key(&key))
    }
}

/// The offset of the bracket that closes one opened just before `text`; brackets in literals do not count.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0usize, 0);
    while let Some(c) = text[at..].chars().next() {
        match c {
            '[' | '(' | '{' => depth += 1,
            ']' if depth == 0 => return Some(at),
            ']' | ')' | '}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += literal(&text[at..]).max(c.len_utf8());
    }
    None
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_word_char)
}

fn is_word_char(c: char) -> bool {
    c == '-' || c == '_' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_print_as_they_are_written() {
        for text in ["", "a", "a.b[0].c", "[2][3].x", "let[\"a ] b\"].c", "a[-3]", "m['x']", "m[(1, 2)].y"] {
            assert_eq!(text.parse::<Path>().map(|path| path.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn texts_that_are_no_paths_are_refused_with_their_place() {
        let error = |text: &str| text.parse::<Path>().unwrap_err().to_string();
        insta::assert_snapshot!(error("a..b"), @"`a..b` is not a path: expected a name at character 3");
        insta::assert_snapshot!(error("é[0"), @"`é[0` is not a path: `[` without its `]` at character 2");
        insta::assert_snapshot!(error("a[0]b"), @"`a[0]b` is not a path: expected `.` or `[` at character 5");
        insta::assert_snapshot!(error("a[]"), @"`a[]` is not a path: expected a number or a key between `[` and `]` at character 2");
    }

    #[test]
    fn steps_lead_into_maps_tuples_and_odd_names() {
        let program: Value = r#"(r#a.b: {3: "three", "k": ("x", 'y')})"#.parse().unwrap();
        let get = |text: &str| program.get(&text.parse().unwrap()).map(ToString::to_string);
        assert_eq!(get(r#"["a.b"][3]"#).as_deref(), Some(r#""three""#));
        assert_eq!(get(r#"["a.b"]["k"][1]"#).as_deref(), Some("'y'"));
        assert_eq!(get(r#"["a.b"][4]"#), None);
    }
}
