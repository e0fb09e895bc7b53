//! What makes one program another.

use std::fmt;

use super::mistake::describe;
use super::patch::{Patch, Rule};
use super::path::{Path, Step};
use super::value::{Fields, Kind, Value};

/// A node that is not the same in two programs.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Another value.
    Changed {
        /// The node.
        path: Path,
        /// What it was.
        from: Value,
        /// What it is.
        to: Value,
    },
    /// A field, entry or element more.
    Added {
        /// The new node.
        path: Path,
        /// What it is.
        value: Value,
    },
    /// A field, entry or element less.
    Removed {
        /// The node that was.
        path: Path,
        /// What it was.
        value: Value,
    },
}

/// The differences between two programs, in the order in which they are to be made.
///
/// ```
/// use cellwright::symbolic::Value;
///
/// let a: Value = "(cell: [SepConv(kernel: 3), Zero], batch: 64)".parse()?;
/// let b: Value = "(cell: [SepConv(kernel: 5), Zero, MaxPool], flip: true)".parse()?;
/// let diff = a.diff(&b);
/// assert_eq!(diff.to_string(), "\
/// ~ cell[0].kernel: `3` -> `5`
/// + cell[2]: `MaxPool`
/// - batch: `64`
/// + flip: `true`");
/// let mut copy = a.clone();
/// diff.patch().apply(&mut copy)?;
/// assert_eq!(copy, b);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff(pub Vec<Change>);

impl Value {
    /// What is to be done to this program to make it `other`.
    pub fn diff(&self, other: &Value) -> Diff {
        let mut changes = Vec::new();
        compare(self, other, &mut Path::ROOT.clone(), &mut changes);
        Diff(changes)
    }
}

impl Diff {
    /// Whether the programs are equal.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The differences as a patch, which makes the first program the second.
    pub fn patch(&self) -> Patch {
        Patch(self.0.iter().map(Change::rule).collect())
    }
}

impl Change {
    fn rule(&self) -> Rule {
        match self {
            Change::Changed { path, to, .. } => Rule::Set(path.clone(), to.clone()),
            Change::Added { path, value } => match path.0.last() {
                Some(Step::Index(_)) => Rule::Insert(path.clone(), value.clone()),
                _ => Rule::Set(path.clone(), value.clone()),
            },
            Change::Removed { path, .. } => Rule::Remove(path.into()),
        }
    }
}

fn compare(a: &Value, b: &Value, path: &mut Path, changes: &mut Vec<Change>) {
    if a == b {
        return;
    }
    match (&a.kind, &b.kind) {
        (Kind::List(_), Kind::List(_)) => compare_lists(a, b, path, changes),
        (Kind::Map(_), Kind::Map(_)) => compare_keys(a, b, path, changes),
        (Kind::Object(x), Kind::Object(y)) if x.name == y.name => match (&x.fields, &y.fields) {
            (Fields::Items(i), Fields::Items(j)) if i.len() == j.len() => compare_lists(a, b, path, changes),
            (Fields::Named(_), Fields::Named(_)) => compare_keys(a, b, path, changes),
            _ => changes.push(Change::Changed { path: path.clone(), from: a.clone(), to: b.clone() }),
        },
        _ => changes.push(Change::Changed { path: path.clone(), from: a.clone(), to: b.clone() }),
    }
}

/// Elements by position, after what both begin and end with.
fn compare_lists(a: &Value, b: &Value, path: &mut Path, changes: &mut Vec<Change>) {
    let (Some(a), Some(b)) = (a.items(), b.items()) else { return };
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..a.len() - end], &b[start..b.len() - end]);
    for (index, (a, b)) in a.iter().zip(b).enumerate() {
        path.0.push(Step::Index(start + index));
        compare(a, b, path, changes);
        path.0.pop();
    }
    let at = |index: usize| path.join(Step::Index(start + index));
    for (index, value) in b.iter().enumerate().skip(a.len()) {
        changes.push(Change::Added { path: at(index), value: value.clone() });
    }
    // From behind, so that the indices before are still those of the list as it was.
    for (index, value) in a.iter().enumerate().skip(b.len()).rev() {
        changes.push(Change::Removed { path: at(index), value: value.clone() });
    }
}

/// Fields by name, entries by key.
fn compare_keys(a: &Value, b: &Value, path: &mut Path, changes: &mut Vec<Change>) {
    for (step, value) in a.children() {
        match b.child(&step) {
            Some(other) => {
                path.0.push(step);
                compare(value, other, path, changes);
                path.0.pop();
            }
            None => changes.push(Change::Removed { path: path.join(step), value: value.clone() }),
        }
    }
    for (step, value) in b.children().filter(|(step, _)| a.child(step).is_none()) {
        changes.push(Change::Added { path: path.join(step), value: value.clone() });
    }
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let name = |path: &Path| if path.0.is_empty() { "the program".to_owned() } else { path.to_string() };
        match self {
            Change::Changed { path, from, to } => {
                write!(out, "~ {}: {} -> {}", name(path), describe(from), describe(to))
            }
            Change::Added { path, value } => write!(out, "+ {}: {}", name(path), describe(value)),
            Change::Removed { path, value } => write!(out, "- {}: {}", name(path), describe(value)),
        }
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        for (index, change) in self.0.iter().enumerate() {
            let newline = if index > 0 { "\n" } else { "" };
            write!(out, "{newline}{change}")?;
        }
        Ok(())
    }
}
