//! All that is wrong with a program at once.
//!
//! Serde stops at the first error. So the node that it stumbles over is cut out of a copy, and the rest is tried
//! again; errors that only say that the cut node is missing are not reported, but their node is cut out in turn.

use std::collections::HashSet;

use serde::de::DeserializeOwned;

use super::de::from_value;
use super::mistake::{Mistake, ProgramError, nearest};
use super::path::{Path, Step};
use super::value::{Fields, Kind, Object, Origin, Value};

/// After so many attempts the rest is left for the next time.
const ATTEMPTS: usize = 200;

/// Everything that keeps a program from being a `T`; nothing if it is one.
///
/// ```
/// use cellwright::symbolic::{Value, check_all};
///
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Recipe { batch: usize, rates: Vec<f64>, #[serde(default)] flip: bool }
///
/// let tree: Value = r#"(batch: -1, rates: [0.1, "x", 0.2, false], flop: true)"#.parse()?;
/// let problems: Vec<String> = check_all::<Recipe>(&tree).iter().map(ToString::to_string).collect();
/// assert_eq!(problems, [
///     "batch: expected a whole number, not below 0, found `-1`",
///     r#"rates[1]: expected a number, found `"x"`"#,
///     "rates[3]: expected a number, found `false`",
///     "flop: unknown field `flop`; did you mean `flip`?",
/// ]);
/// # Ok::<(), cellwright::error::SpaceError>(())
/// ```
pub fn check_all<T: DeserializeOwned>(value: &Value) -> Vec<ProgramError> {
    let mut nodes = Nodes(Vec::new());
    let mut tree = nodes.number(value, 0, None);
    let mut cut = Cut::default();
    let mut found = Vec::new();
    for _ in 0..ATTEMPTS {
        let Err(error) = from_value::<T>(&tree) else { break };
        let node = error.origin.0;
        if !cut.explains(node, &error.mistake) {
            found.push(nodes.original(&error));
        }
        if node == 0 || tree.remove(&error.path).is_err() {
            break;
        }
        cut.add(node, &error.mistake, &nodes);
    }
    found.sort_by_key(|(node, _)| *node);
    found.into_iter().map(|(_, error)| error).collect()
}

/// Where the nodes of a program stand, by number: a copy's nodes carry the numbers in place of their origins.
struct Nodes(Vec<Entry>);

struct Entry {
    /// The number of the parent; 0 above the root.
    parent: u32,
    step: Option<Step>,
    origin: Origin,
}

impl Nodes {
    /// A copy of `value` whose nodes are numbered from 1 in order of writing.
    fn number(&mut self, value: &Value, parent: u32, step: Option<Step>) -> Value {
        self.0.push(Entry { parent, step, origin: value.origin });
        let number = self.0.len() as u32;
        let mut children = value.children();
        let mut next = |nodes: &mut Nodes| {
            children
                .next()
                .map(|(step, child)| nodes.number(child, number, Some(step)))
                .unwrap_or_else(|| value.clone())
        };
        let kind = match &value.kind {
            Kind::List(items) => Kind::List(items.iter().map(|_| next(self)).collect::<Vec<_>>().into()),
            Kind::Map(entries) => {
                let numbered = entries.iter().map(|(key, _)| {
                    self.0.push(Entry { parent: number, step: Some(Step::key(key)), origin: key.origin });
                    (key.clone().at(Origin(self.0.len() as u32)), next(self))
                });
                Kind::Map(numbered.collect::<Vec<_>>().into())
            }
            Kind::Object(object) => {
                let fields = match &object.fields {
                    Fields::Unit => Fields::Unit,
                    Fields::Items(items) => Fields::Items(items.iter().map(|_| next(self)).collect()),
                    Fields::Named(fields) => {
                        Fields::Named(fields.iter().map(|(name, _)| (name.clone(), next(self))).collect())
                    }
                };
                Kind::Object(Object { name: object.name.clone(), fields }.into())
            }
            leaf => leaf.clone(),
        };
        Value { kind, origin: Origin(number) }
    }

    fn entry(&self, number: u32) -> Option<&Entry> {
        self.0.get((number as usize).checked_sub(1)?)
    }

    /// An error in the copy as one of the original, with the number of its node.
    fn original(&self, error: &ProgramError) -> (u32, ProgramError) {
        let number = error.origin.0;
        let mut steps: Vec<Step> =
            self.and_above(number).filter_map(|number| self.entry(number)?.step.clone()).collect();
        steps.reverse();
        let origin = self.entry(number).map_or(Origin::NONE, |entry| entry.origin);
        (number, ProgramError { path: Path(steps), origin, mistake: error.mistake.clone() })
    }

    /// A node and all those above it.
    fn and_above(&self, number: u32) -> impl Iterator<Item = u32> {
        let above = |number: &u32| self.entry(*number).map(|entry| entry.parent).filter(|parent| *parent > 0);
        std::iter::successors(Some(number), above)
    }
}

/// What was cut out.
#[derive(Default)]
struct Cut {
    /// `(parent, field)`, also of the field that a misspelt one was meant to be.
    fields: HashSet<(u32, String)>,
    /// The nodes that lack something below them.
    above: HashSet<u32>,
}

impl Cut {
    fn add(&mut self, number: u32, mistake: &Mistake, nodes: &Nodes) {
        let meant = match mistake {
            Mistake::UnknownField { met, allowed } => nearest(met, allowed.iter().map(String::as_str)),
            _ => None,
        };
        if let Some(Entry { parent, step: Some(step), .. }) = nodes.entry(number) {
            let fields = step.as_field().into_iter().chain(meant);
            self.fields.extend(fields.map(|field| (*parent, field.to_owned())));
        }
        self.above.extend(nodes.and_above(number).skip(1));
    }

    /// Whether an error at a node may be there only because something was cut out.
    fn explains(&self, number: u32, mistake: &Mistake) -> bool {
        match mistake {
            Mistake::MissingField { field } => self.fields.contains(&(number, field.clone())),
            Mistake::UnknownField { .. } | Mistake::UnknownVariant { .. } | Mistake::WrongName { .. } => {
                false
            }
            _ => self.above.contains(&number),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::error::SpaceError;
    use crate::symbolic::Sources;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Program {
        input: (usize, usize),
        blocks: Vec<Block>,
        head: Option<Op>,
        #[serde(default)]
        names: std::collections::BTreeMap<String, u8>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Block {
        left: Op,
        right: Op,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    enum Op {
        Zero,
        Conv(Conv),
        Scale(f64),
        Pair(u8, u8),
        Pool { kernel: usize },
    }

    #[derive(Debug, Deserialize)]
    #[serde(try_from = "RawConv")]
    #[allow(dead_code)]
    struct Conv(RawConv);

    #[derive(Debug, Deserialize)]
    #[serde(rename = "Conv", deny_unknown_fields)]
    #[allow(dead_code)]
    struct RawConv {
        kernel: usize,
        #[serde(default)]
        dilation: usize,
    }

    impl TryFrom<RawConv> for Conv {
        type Error = String;
        fn try_from(raw: RawConv) -> Result<Conv, String> {
            match raw.kernel % 2 {
                1 => Ok(Conv(raw)),
                _ => Err(format!("a kernel of {} has no middle; take an odd one", raw.kernel)),
            }
        }
    }

    fn report(text: &str) -> String {
        let mut sources = Sources::default();
        let value = sources.read("a.ron", text).unwrap();
        let problems: Vec<_> = check_all::<Program>(&value).iter().map(ProgramError::problem).collect();
        if problems.is_empty() { "none".into() } else { SpaceError::new(problems, &sources).to_string() }
    }

    #[test]
    fn every_error_is_found_once_and_none_is_made_up() {
        insta::assert_snapshot!(report("(input: (3, 32), blocks: [(left: Zero, right: Conv(kernel: 3))], head: None)"), @"none");
        insta::assert_snapshot!(report(r#"(
    input: (3, "x"),
    blocks: [
        (left: Zro, right: Conv(kernel: 4)),
        (left: Conv(kernel: 3, dilaton: 2), rigth: Zero),
        (left: Scale("big"), right: Pair(1, 300)),
        (left: Pool(kernel: 2.5), right: Conv(dilation: "wide", kernel: 3)),
        Blok(left: Zero, right: Zero),
        (left: Conv, right: Scale),
        (left: Pair(1), right: "Zero"),
    ],
    head: Pool(3),
    names: {"a": 1, "b": 256, 3: 4},
    nmes: 1,
)"#), @r#"
        a.ron:2:16: expected a whole number, not below 0, found `"x"`
        a.ron:4:16: unknown name `Zro`; did you mean `Zero`?
        a.ron:4:28: a kernel of 4 has no middle; take an odd one
        a.ron:5:32: unknown field `dilaton`; did you mean `dilation`?
        a.ron:5:45: unknown field `rigth`; did you mean `right`?
        a.ron:6:22: expected a number, found `"big"`
        a.ron:6:45: expected a whole number from 0 to 255, found `300`
        a.ron:7:29: expected a whole number, not below 0, found `2.5`
        a.ron:7:57: expected a whole number, not below 0, found `"wide"`
        a.ron:8:9: found `Blok` where a `Block` belongs; write `Block(..)`, or leave the name out
        a.ron:9:16: the field `kernel` is missing; add `kernel: ..`
        a.ron:9:29: `Scale` needs a number in parentheses
        a.ron:10:16: expected 2 elements, found 1
        a.ron:10:32: "Zero" is a text; write the name without quotes
        a.ron:12:11: expected `Pool(..)` with named fields, found `Pool(3)`
        a.ron:13:26: expected a whole number from 0 to 255, found `256`
        a.ron:13:31: expected a text in quotes, found `3`
        a.ron:14:5: unknown field `nmes`; did you mean `names`?
        "#);
        insta::assert_snapshot!(report("[]"), @"a.ron:1:1: expected `Program(..)`, found `[]`");
        insta::assert_snapshot!(report("()"), @"a.ron:1:1: the field `input` is missing; add `input: ..`");
    }
}
