//! Changes to a program as a list of rules that RON can hold.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::mistake::{Mistake, ProgramError};
use super::path::{Path, Step};
use super::pattern::Pattern;
use super::value::{Fields, Kind, Name, Object, Value};

/// One change to a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Rule {
    /// `Set("training.batch", 64)`: puts a value at a path; adds the field or entry where it is not there yet.
    Set(Path, Value),
    /// `Insert("cell.blocks[2]", (..))`: puts an element into a list, before the one that has this index now.
    Insert(Path, Value),
    /// `Remove("training.augment")`: takes out every node that a pattern matches, from its list, map or object.
    Remove(Pattern),
    /// `Replace(query: "**<MaxPool>", with: AvgPool(kernel: 3))`: puts a value in place of every match; what lies inside
    /// a match goes with it.
    Replace {
        /// Which nodes.
        query: Pattern,
        /// By what.
        with: Value,
    },
    /// `Rename(query: "**<MaxPool>", to: "AvgPool")`: gives every object that matches another name; its fields stay.
    Rename {
        /// Which objects.
        query: Pattern,
        /// Their new name.
        to: String,
    },
}

/// A list of rules, made one after another: all of them, or none where one does not fit.
///
/// ```
/// use cellwright::symbolic::{Patch, Value, from_value};
///
/// let rules: Value = r#"[
///     Set("training.batch", 128),
///     Replace(query: "**<MaxPool>", with: AvgPool(kernel: 3)),
///     Insert("cell[0]", SkipConnect),
/// ]"#.parse()?;
/// let patch: Patch = from_value(&rules)?;
///
/// let mut program: Value = "(cell: [MaxPool, Zero], training: (batch: 64))".parse()?;
/// patch.apply(&mut program)?;
/// assert_eq!(program.to_string(), "(cell: [SkipConnect, AvgPool(kernel: 3), Zero], training: (batch: 128))");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Patch(pub Vec<Rule>);

/// A rule that does not fit the program, or changes nothing in it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("rule {} of the patch, `{rule}`: {error}", index + 1)]
pub struct PatchError {
    /// Which rule, from 0.
    pub index: usize,
    /// The rule's text.
    pub rule: String,
    /// Why it does not fit.
    pub error: Box<ProgramError>,
}

impl Patch {
    /// Makes all changes.
    ///
    /// # Errors
    /// The first rule that does not fit or matches nothing; the program is then as it was.
    pub fn apply(&self, program: &mut Value) -> Result<(), PatchError> {
        let mut changed = program.clone();
        for (index, rule) in self.0.iter().enumerate() {
            rule.apply(&mut changed).map_err(|error| PatchError {
                index,
                rule: rule.to_string(),
                error: Box::new(error),
            })?;
        }
        *program = changed;
        Ok(())
    }
}

impl Rule {
    /// Makes the change, and says how many nodes it changed.
    ///
    /// # Errors
    /// Where the path leads nowhere, or the pattern matches nothing; the program is then as it was.
    pub fn apply(&self, program: &mut Value) -> Result<usize, ProgramError> {
        match self {
            Rule::Set(path, value) => program.set(path, value.clone()).map(|()| 1),
            Rule::Insert(path, value) => program.insert(path, value.clone()).map(|()| 1),
            Rule::Remove(query) => {
                let paths = matches(program, query, |_| true)?;
                // From behind, so that indices before stay what they were.
                paths.iter().rev().try_for_each(|path| program.remove(path).map(drop))?;
                Ok(paths.len())
            }
            Rule::Replace { query, with } => {
                let paths = matches(program, query, |_| true)?;
                paths.iter().try_for_each(|path| program.set(path, with.clone()))?;
                Ok(paths.len())
            }
            Rule::Rename { query, to } => {
                let paths = matches(program, query, |node| node.as_object().is_some())?;
                for path in &paths {
                    program.descend(&path.0)?.rename(to);
                }
                Ok(paths.len())
            }
        }
    }
}

/// The outermost nodes that match, at least one.
fn matches(
    program: &Value,
    query: &Pattern,
    fits: impl Fn(&Value) -> bool,
) -> Result<Vec<Path>, ProgramError> {
    let mut paths: Vec<Path> = Vec::new();
    for (path, _) in program.query_where(query, |_, node| fits(node)) {
        if !paths.last().is_some_and(|last| last.contains(&path)) {
            paths.push(path);
        }
    }
    match paths.is_empty() {
        true => Err(nothing(program, query)),
        false => Ok(paths),
    }
}

fn nothing(program: &Value, query: &Pattern) -> ProgramError {
    let (met, allowed) = query.strangers(program).into_iter().next().unwrap_or_default();
    let mistake = Mistake::NoMatch { pattern: query.to_string(), met, allowed };
    ProgramError { origin: program.origin, ..ProgramError::new(mistake) }
}

impl Value {
    /// Puts an element into a list or tuple, before the one that `path` names now (or at its end), or a new entry into a
    /// map.
    ///
    /// # Errors
    /// Where the path does not lead to a list's element or its end; the value is then as it was.
    pub fn insert(&mut self, path: &Path, value: Value) -> Result<(), ProgramError> {
        let Some((last, parents)) = path.0.split_last() else {
            return Err(ProgramError::new(Mistake::Other(
                "the program itself is no element of a list".into(),
            )));
        };
        let parent = self.descend(parents)?;
        let fits = match (parent.items(), last, &parent.kind) {
            (_, _, Kind::Map(_)) if parent.child(last).is_none() => return self.set(path, value),
            (Some(items), Step::Index(index), _) if *index > items.len() => {
                return Err(parent.no_child(last).below(&Path(parents.to_vec())));
            }
            (items, step, _) => items.is_some() && matches!(step, Step::Index(_)),
        };
        if !fits {
            let mistake = Mistake::Other("only a list or tuple takes another element".into());
            return Err(ProgramError { path: path.clone(), origin: parent.origin, mistake });
        }
        parent.put(last, value);
        Ok(())
    }

    /// Puts an element into a list or tuple.
    fn put(&mut self, step: &Step, value: Value) {
        let items = match &mut self.kind {
            Kind::List(items) => Arc::make_mut(items),
            Kind::Object(object) => match &mut Arc::make_mut(object).fields {
                Fields::Items(items) => items,
                Fields::Unit | Fields::Named(_) => return,
            },
            _ => return,
        };
        if let Step::Index(index) = step {
            items.insert(*index, value);
        }
    }

    /// Takes a field, entry or element out, and returns it.
    ///
    /// # Errors
    /// Where the path leads nowhere, or to the root; the value is then as it was.
    pub fn remove(&mut self, path: &Path) -> Result<Value, ProgramError> {
        let Some((last, parents)) = path.0.split_last() else {
            return Err(ProgramError::new(Mistake::Other("the program itself cannot be removed".into())));
        };
        let parent = self.descend(parents)?;
        let at = parent.children().position(|(step, _)| step == *last);
        let Some(at) = at else {
            return Err(parent.no_child(last).below(&Path(parents.to_vec())));
        };
        Ok(parent.take(at))
    }

    /// Takes the child at a position out.
    fn take(&mut self, at: usize) -> Value {
        match &mut self.kind {
            Kind::List(items) => Arc::make_mut(items).remove(at),
            Kind::Map(entries) => Arc::make_mut(entries).remove(at).1,
            Kind::Object(object) => match &mut Arc::make_mut(object).fields {
                Fields::Items(items) => items.remove(at),
                Fields::Named(fields) => fields.remove(at).1,
                Fields::Unit => unreachable!("the position is that of a child"),
            },
            _ => unreachable!("the position is that of a child"),
        }
    }

    /// Gives an object another name.
    fn rename(&mut self, name: &str) {
        if let Kind::Object(object) = &mut self.kind {
            let Object { name: old, .. } = Arc::make_mut(object);
            *old = Some(Name::from(name));
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match super::ser::to_value(self) {
            Ok(value) => write!(out, "{value}"),
            Err(_) => Err(fmt::Error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbolic::from_value;

    const PROGRAM: &str =
        r#"(cell: [MaxPool(kernel: 3), (left: MaxPool, right: Zero)], training: (batch: 64), map: {"a": 1})"#;

    fn patched(rules: &str) -> String {
        let mut program: Value = PROGRAM.parse().unwrap();
        let patch: Patch = from_value(&rules.parse().unwrap()).unwrap();
        match patch.apply(&mut program) {
            Ok(()) => program.to_string(),
            Err(error) => {
                assert_eq!(program.to_string(), PROGRAM, "a patch that fails changes nothing");
                error.to_string()
            }
        }
    }

    #[test]
    fn rules_change_what_they_say() {
        insta::assert_snapshot!(patched(r#"[Set("training.flip", true), Set("map[\"b\"]", 2), Set("cell[0]", Zero)]"#), @r#"(cell: [Zero, (left: MaxPool, right: Zero)], training: (batch: 64, flip: true), map: {"a": 1, "b": 2})"#);
        insta::assert_snapshot!(patched(r#"[Insert("cell[2]", A), Insert("cell[0]", B)]"#), @r#"(cell: [B, MaxPool(kernel: 3), (left: MaxPool, right: Zero), A], training: (batch: 64), map: {"a": 1})"#);
        insta::assert_snapshot!(patched(r#"[Remove("**<MaxPool>"), Remove("map[*]"), Remove("training.batch")]"#), @"(cell: [(right: Zero)], training: (), map: {})");
        insta::assert_snapshot!(patched(r#"[Replace(query: "**<MaxPool|Zero>", with: AvgPool(kernel: 3))]"#), @r#"(cell: [AvgPool(kernel: 3), (left: AvgPool(kernel: 3), right: AvgPool(kernel: 3))], training: (batch: 64), map: {"a": 1})"#);
        insta::assert_snapshot!(patched(r#"[Rename(query: "**<MaxPool>", to: "AvgPool")]"#), @r#"(cell: [AvgPool(kernel: 3), (left: AvgPool, right: Zero)], training: (batch: 64), map: {"a": 1})"#);
        insta::assert_snapshot!(patched(r#"[Replace(query: "", with: 1)]"#), @"1");
    }

    #[test]
    fn rules_that_do_not_fit_say_where() {
        insta::assert_snapshot!(patched(r#"[Set("training.batch", 1), Set("traning.batch", 2)]"#), @r#"rule 2 of the patch, `Set("traning.batch", 2)`: traning: there is no such node; did you mean `training`?"#);
        insta::assert_snapshot!(patched(r#"[Set("cell[2]", 1)]"#), @r#"rule 1 of the patch, `Set("cell[2]", 1)`: cell[2]: there is no such element; there are 2"#);
        insta::assert_snapshot!(patched(r#"[Insert("cell[3]", 1)]"#), @r#"rule 1 of the patch, `Insert("cell[3]", 1)`: cell[3]: there is no such element; there are 2"#);
        insta::assert_snapshot!(patched(r#"[Insert("training.batch", 1)]"#), @r#"rule 1 of the patch, `Insert("training.batch", 1)`: training.batch: only a list or tuple takes another element"#);
        insta::assert_snapshot!(patched(r#"[Remove("training.flip")]"#), @r#"rule 1 of the patch, `Remove("training.flip")`: nothing matches `training.flip`"#);
        insta::assert_snapshot!(patched(r#"[Replace(query: "**<MaxPol>", with: Zero)]"#), @r#"rule 1 of the patch, `Replace(query: "**<MaxPol>", with: Zero)`: nothing matches `**<MaxPol>`; did you mean `MaxPool`?"#);
        insta::assert_snapshot!(patched(r#"[Replace(query: "**.lfet", with: Zero)]"#), @r#"rule 1 of the patch, `Replace(query: "**.lfet", with: Zero)`: nothing matches `**.lfet`; did you mean `left`?"#);
        insta::assert_snapshot!(patched(r#"[Remove("")]"#), @r#"rule 1 of the patch, `Remove("")`: the program itself cannot be removed"#);
    }

    #[test]
    fn patches_are_kept_in_any_format() {
        let rules = r#"[Set("a[0]", SepConv(kernel: 3)), Replace(query: "**<A>", with: 0.5), Remove("b")]"#;
        let patch: Patch = from_value(&rules.parse().unwrap()).unwrap();
        assert_eq!(crate::symbolic::to_value(&patch).unwrap().to_string(), rules);
        let json = serde_json::to_string(&patch).unwrap();
        assert_eq!(serde_json::from_str::<Patch>(&json).unwrap(), patch);
        let ron = ron::to_string(&patch).unwrap();
        assert_eq!(ron::from_str::<Patch>(&ron).unwrap(), patch);
    }
}
