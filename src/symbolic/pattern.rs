//! Path patterns: `**<MaxPool>` is every max pooling of a program, `blocks[*].left` the left op of every block.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::path::{Path, PathError, Scan, Step};
use super::value::{Name, Value};

/// Which nodes of a program are meant: a path with wildcards.
///
/// | written | matches |
/// |---|---|
/// | `name`, `[2]`, `["key"]` | this one step, as in a [`Path`] |
/// | `*` | any one step: every field or element |
/// | `[*]` | any one element of a list, tuple or map |
/// | `**` | any number of steps, also none |
/// | `<A>`, `<A\|B>` | no step: the node here is an object named `A` (or `B`) |
///
/// Steps are parted by points, brackets follow directly, as in paths.
///
/// ```
/// use cellwright::symbolic::Value;
///
/// let cell: Value = "(blocks: [(left: MaxPool(kernel: 3), right: Zero), (left: SepConv(kernel: 5), right: MaxPool)])".parse()?;
/// let paths = |pattern: &str| -> Vec<String> {
///     cell.query(&pattern.parse().unwrap()).iter().map(|(path, _)| path.to_string()).collect()
/// };
/// assert_eq!(paths("**<MaxPool>"), ["blocks[0].left", "blocks[1].right"]);
/// assert_eq!(paths("blocks[*].left<SepConv|MaxPool>.kernel"), ["blocks[0].left.kernel", "blocks[1].left.kernel"]);
/// assert_eq!(paths("blocks[1].*"), ["blocks[1].left", "blocks[1].right"]);
/// assert_eq!(paths("**.kernel"), ["blocks[0].left.kernel", "blocks[1].left.kernel"]);
/// # Ok::<(), cellwright::error::SpaceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// `*`.
    Any,
    /// `[*]`.
    AnyElement,
    /// `**`.
    Deep,
    /// `name`, `[2]`.
    Step(Step),
    /// `<A|B>`.
    Named(Vec<Name>),
}

/// More parts than this are refused, so that a set of them is one word.
const MAX_PARTS: usize = 60;

impl Pattern {
    /// The names and fields that the pattern asks for and that are nowhere in `value`: what is probably misspelt.
    pub(super) fn strangers(&self, value: &Value) -> Vec<(String, Vec<String>)> {
        let (mut names, mut fields) = (BTreeSet::new(), BTreeSet::new());
        words(value, &mut names, &mut fields);
        let asked = self.0.iter().flat_map(|part| match part {
            Part::Named(wanted) => wanted.iter().map(|name| (name.to_string(), &names)).collect(),
            Part::Step(Step::Field(name)) => vec![(name.to_string(), &fields)],
            _ => Vec::new(),
        });
        asked
            .filter(|(word, known)| !known.contains(word))
            .map(|(word, known)| (word, known.iter().cloned().collect()))
            .collect()
    }

    /// The states that are reached without a step once `states` are reached at `node`.
    fn close(&self, states: u64, node: &Value) -> u64 {
        self.0.iter().enumerate().fold(states, |states, (index, part)| {
            let passes = match part {
                Part::Deep => true,
                Part::Named(names) => node.name().is_some_and(|met| names.iter().any(|name| **name == *met)),
                Part::Any | Part::AnyElement | Part::Step(_) => false,
            };
            if passes && states >> index & 1 == 1 { states | 1 << (index + 1) } else { states }
        })
    }

    /// The states after a step.
    fn advance(&self, states: u64, step: &Step) -> u64 {
        self.0.iter().enumerate().filter(|(index, _)| states >> index & 1 == 1).fold(
            0,
            |next, (index, part)| {
                next | match part {
                    Part::Deep => 1 << index,
                    Part::Any => 1 << (index + 1),
                    Part::AnyElement if !matches!(step, Step::Field(_)) => 1 << (index + 1),
                    Part::Step(wanted) if wanted == step => 1 << (index + 1),
                    Part::AnyElement | Part::Step(_) | Part::Named(_) => 0,
                }
            },
        )
    }

    fn walk<'a>(&self, node: &'a Value, states: u64, path: &mut Path, found: &mut Vec<(Path, &'a Value)>) {
        let states = self.close(states, node);
        if states >> self.0.len() & 1 == 1 {
            found.push((path.clone(), node));
        }
        for (step, child) in node.children() {
            let next = self.advance(states, &step);
            if next != 0 {
                path.0.push(step);
                self.walk(child, next, path, found);
                path.0.pop();
            }
        }
    }
}

/// The object names and field names of a program.
fn words(value: &Value, names: &mut BTreeSet<String>, fields: &mut BTreeSet<String>) {
    names.extend(value.name().map(str::to_owned));
    for (step, child) in value.children() {
        fields.extend(step.as_field().map(str::to_owned));
        words(child, names, fields);
    }
}

impl Value {
    /// The nodes that a pattern matches, parents before children.
    pub fn query(&self, pattern: &Pattern) -> Vec<(Path, &Value)> {
        let mut found = Vec::new();
        pattern.walk(self, 1, &mut Path::ROOT.clone(), &mut found);
        found
    }

    /// The nodes that a pattern matches and of which `predicate` is true.
    ///
    /// ```
    /// use cellwright::symbolic::Value;
    ///
    /// let ops: Value = "[SepConv(kernel: 3), SepConv(kernel: 7), Zero]".parse()?;
    /// let large = |_: &_, op: &Value| op.field("kernel").and_then(Value::as_int) > Some(5);
    /// let found = ops.query_where(&"[*]".parse().unwrap(), large);
    /// assert_eq!(found[0].0.to_string(), "[1]");
    /// # Ok::<(), cellwright::error::SpaceError>(())
    /// ```
    pub fn query_where(
        &self,
        pattern: &Pattern,
        predicate: impl Fn(&Path, &Value) -> bool,
    ) -> Vec<(Path, &Value)> {
        let mut found = self.query(pattern);
        found.retain(|(path, node)| predicate(path, node));
        found
    }
}

impl From<&Path> for Pattern {
    fn from(path: &Path) -> Pattern {
        Pattern(path.0.iter().cloned().map(Part::Step).collect())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        for (index, part) in self.0.iter().enumerate() {
            let point = if index > 0 { "." } else { "" };
            match part {
                Part::Any => write!(out, "{point}*")?,
                Part::AnyElement => write!(out, "[*]")?,
                Part::Deep => write!(out, "{point}**")?,
                Part::Step(Step::Field(name)) => write!(out, "{point}{name}")?,
                Part::Step(step) => write!(out, "{step}")?,
                Part::Named(names) => write!(out, "<{}>", names.join("|"))?,
            }
        }
        Ok(())
    }
}

impl FromStr for Pattern {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Pattern, PathError> {
        let mut scan = Scan::new(text, "pattern");
        let mut parts = Vec::new();
        while !scan.rest().is_empty() {
            if parts.len() == MAX_PARTS {
                return Err(scan.error(format!("more than {MAX_PARTS} parts")));
            }
            parts.push(part(&mut scan, parts.is_empty())?);
        }
        Ok(Pattern(parts))
    }
}

fn part(scan: &mut Scan, first: bool) -> Result<Part, PathError> {
    if scan.eat("[*]") {
        return Ok(Part::AnyElement);
    }
    if scan.rest().starts_with('[') {
        return scan.bracket().map(Part::Step);
    }
    if scan.eat("<") {
        return names(scan);
    }
    if !first && !scan.eat(".") {
        return Err(scan.error("expected `.`, `[` or `<`"));
    }
    if scan.eat("**") {
        return Ok(Part::Deep);
    }
    if scan.eat("*") {
        return Ok(Part::Any);
    }
    scan.word().map(|name| Part::Step(Step::Field(name.into())))
}

/// `A|B>`.
fn names(scan: &mut Scan) -> Result<Part, PathError> {
    let mut names = vec![scan.word()?.into()];
    while scan.eat("|") {
        names.push(scan.word()?.into());
    }
    if scan.eat(">") { Ok(Part::Named(names)) } else { Err(scan.error("expected `|` or `>`")) }
}

/// Serde of a type through its text.
macro_rules! serde_as_text {
    ($type:ty, $expecting:literal) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $type;
                    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
                        out.write_str($expecting)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}
serde_as_text! { Path, "a path in quotes, such as \"cell.blocks[0]\"" }
serde_as_text! { Pattern, "a pattern in quotes, such as \"**<MaxPool>\"" }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_print_as_they_are_written() {
        for text in ["", "*", "**", "**<A|B>.x", "a.*[*][2].**.b", "<A>", "[*]", "m[\"k\"]<A>[0]"] {
            assert_eq!(text.parse::<Pattern>().map(|pattern| pattern.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn texts_that_are_no_patterns_are_refused() {
        let error = |text: &str| text.parse::<Pattern>().unwrap_err().to_string();
        insta::assert_snapshot!(error("a<"), @"`a<` is not a pattern: expected a name at character 3");
        insta::assert_snapshot!(error("a<A"), @"`a<A` is not a pattern: expected `|` or `>` at character 4");
        insta::assert_snapshot!(error("***"), @"`***` is not a pattern: expected `.`, `[` or `<` at character 3");
        insta::assert_snapshot!(error("a*"), @"`a*` is not a pattern: expected `.`, `[` or `<` at character 2");
        assert!(error(&"*.".repeat(100)).contains("more than 60 parts"));
    }

    #[test]
    fn any_depth_includes_none() {
        let value: Value = "A(x: A(y: [A, B(z: A)]))".parse().unwrap();
        let count = |pattern: &str| value.query(&pattern.parse().unwrap()).len();
        assert_eq!(count("**"), value.count());
        assert_eq!(count("**<A>"), 4);
        assert_eq!(count("x.**<A>"), 3);
        assert_eq!(count("**.**<A>"), 4);
        assert_eq!(count("**<A>.*"), 2);
        assert_eq!(count("<A>"), 1);
        assert_eq!(count("<B>"), 0);
    }
}
