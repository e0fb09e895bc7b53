//! Changing a program: by path, by rule, and with its type checked.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::de::from_value;
use super::mistake::{Mistake, ProgramError, describe};
use super::path::{IntoPath, Path, Step};
use super::ser::to_value;
use super::value::{Fields, Kind, Object, Value};

impl Value {
    /// Puts `value` at `path`. A field that an object does not have yet is added: it may have been left to its default.
    ///
    /// ```
    /// use cellwright::symbolic::Value;
    ///
    /// let mut program: Value = "(training: (batch: 64), cell: [Zero, Zero])".parse()?;
    /// program.set("training.batch", 128)?;
    /// program.set("training.flip", true)?;
    /// program.set("cell[1]", Value::unit("SkipConnect"))?;
    /// assert_eq!(program.to_string(), "(training: (batch: 128, flip: true), cell: [Zero, SkipConnect])");
    /// let error = program.set("trainings.batch", 128).unwrap_err();
    /// assert_eq!(error.to_string(), "trainings: there is no such node; did you mean `training`?");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Where the path leads nowhere; the value is then as it was.
    pub fn set(&mut self, path: impl IntoPath, value: impl Into<Value>) -> Result<(), ProgramError> {
        let path = path.into_path()?;
        let Some((last, parents)) = path.0.split_last() else {
            *self = value.into();
            return Ok(());
        };
        let parent = self.descend(parents)?;
        if let Some(child) = parent.child_mut(last) {
            *child = value.into();
            return Ok(());
        }
        parent.add(last, value.into()).map_err(|error| error.below(&Path(parents.to_vec())))
    }

    /// Puts several values at their paths, one after another: all of them, or none where one does not fit.
    ///
    /// # Errors
    /// The first path that leads nowhere; the value is then as it was.
    pub fn rebind<P: IntoPath, V: Into<Value>>(
        &mut self,
        changes: impl IntoIterator<Item = (P, V)>,
    ) -> Result<(), ProgramError> {
        let mut changed = self.clone();
        for (path, value) in changes {
            changed.set(path, value)?;
        }
        *self = changed;
        Ok(())
    }

    /// Asks `rule` about every node, parents first, and puts what it returns in the node's place. What it put there is
    /// not asked about again. Returns how many nodes it changed.
    ///
    /// ```
    /// use cellwright::symbolic::Value;
    ///
    /// let mut cell: Value = "[MaxPool(kernel: 3), (left: MaxPool(kernel: 5)), Zero]".parse()?;
    /// let pools = cell.rebind_where(|_, node| (node.name() == Some("MaxPool")).then(|| Value::unit("AvgPool")));
    /// assert_eq!((pools, cell.to_string()), (2, "[AvgPool, (left: AvgPool), Zero]".to_owned()));
    /// # Ok::<(), cellwright::error::SpaceError>(())
    /// ```
    pub fn rebind_where(&mut self, mut rule: impl FnMut(&Path, &Value) -> Option<Value>) -> usize {
        self.rebind_below(&mut Path::ROOT.clone(), &mut rule)
    }

    fn rebind_below(
        &mut self,
        path: &mut Path,
        rule: &mut impl FnMut(&Path, &Value) -> Option<Value>,
    ) -> usize {
        if let Some(value) = rule(path, self) {
            *self = value;
            return 1;
        }
        // Copies a shared node only once a child of it has changed.
        let mut changes = Vec::new();
        let mut count = 0;
        for (step, child) in self.children() {
            path.0.push(step);
            let mut changed = child.clone();
            let here = changed.rebind_below(path, rule);
            if let (1.., Some(step)) = (here, path.0.pop()) {
                changes.push((step, changed));
                count += here;
            }
        }
        for (step, changed) in changes {
            if let Some(child) = self.child_mut(&step) {
                *child = changed;
            }
        }
        count
    }

    /// The node that the steps lead to, to be changed.
    pub(super) fn descend(&mut self, steps: &[Step]) -> Result<&mut Value, ProgramError> {
        let mut node = self;
        for (depth, step) in steps.iter().enumerate() {
            if node.child(step).is_none() {
                let error = node.no_child(step);
                return Err(error.below(&Path(steps[..depth].to_vec())));
            }
            node = match node.child_mut(step) {
                Some(child) => child,
                None => unreachable!("`child` has just found it"),
            };
        }
        Ok(node)
    }

    /// Adds a field to an object or an entry to a map.
    fn add(&mut self, step: &Step, value: Value) -> Result<(), ProgramError> {
        match (&mut self.kind, step.as_field(), step.to_key()) {
            (Kind::Map(entries), _, Some(key)) => Arc::make_mut(entries).push((key, value)),
            (Kind::Object(object), Some(name), _) if object.may_be_named() => {
                match &mut Arc::make_mut(object).fields {
                    Fields::Named(fields) => fields.push((name.into(), value)),
                    empty => *empty = Fields::Named(vec![(name.into(), value)]),
                }
            }
            _ => return Err(self.no_child(step)),
        }
        Ok(())
    }

    /// The error that this node has no such child.
    pub(super) fn no_child(&self, step: &Step) -> ProgramError {
        let mistake = match (self.items(), self.len()) {
            (Some(items), _) => {
                Mistake::Other(format!("there is no such element; there are {}", items.len()))
            }
            (None, 0) => Mistake::Other(format!("there is no such node; {} has none", describe(self))),
            _ => Mistake::NoSuchNode { allowed: self.children().map(|(step, _)| step.to_string()).collect() },
        };
        ProgramError { path: Path(vec![step.clone()]), origin: self.origin, mistake }
    }
}

impl Object {
    fn may_be_named(&self) -> bool {
        self.fields.is_empty() || matches!(self.fields, Fields::Named(_))
    }
}

/// A program that is always one of `T`: what is rebound is checked against the type.
///
/// ```
/// use cellwright::symbolic::Program;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Training { epochs: u32, optimizer: Optimizer }
/// #[derive(Serialize, Deserialize, Debug, PartialEq)]
/// enum Optimizer { Sgd { learning_rate: f64, momentum: f64 }, Adam { learning_rate: f64 } }
///
/// let sgd = Optimizer::Sgd { learning_rate: 0.1, momentum: 0.9 };
/// let mut program = Program::new(&Training { epochs: 10, optimizer: sgd })?;
/// program.rebind("optimizer.learning_rate", 0.05)?;
/// assert_eq!(program.get().optimizer, Optimizer::Sgd { learning_rate: 0.05, momentum: 0.9 });
///
/// let error = program.rebind("optimizer.learning_rate", "fast").unwrap_err();
/// assert_eq!(error.to_string(), r#"optimizer.learning_rate: expected a number, found `"fast"`"#);
/// let error = program.rebind("optimizer.momentun", 0.8).unwrap_err();
/// assert_eq!(error.to_string(), "optimizer.momentun: unknown field `momentun`; did you mean `momentum`?");
/// assert_eq!(program.value().to_string(), "Training(epochs: 10, optimizer: Sgd(learning_rate: 0.05, momentum: 0.9))");
/// # Ok::<(), cellwright::symbolic::ProgramError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Program<T> {
    value: Value,
    typed: T,
}

impl<T: Serialize + DeserializeOwned> Program<T> {
    /// The program that is this value of the type.
    ///
    /// # Errors
    /// Where the type does not read back what it writes.
    pub fn new(typed: &T) -> Result<Program<T>, ProgramError> {
        Program::from_value(to_value(typed)?)
    }

    /// A tree as a program of the type.
    ///
    /// # Errors
    /// Where the tree is not of the type.
    pub fn from_value(value: Value) -> Result<Program<T>, ProgramError> {
        let typed = from_value(&value)?;
        Ok(Program { value, typed })
    }

    /// Puts `value` at `path`.
    ///
    /// # Errors
    /// Where the path leads nowhere or the result is not of the type; the program is then as it was.
    pub fn rebind(&mut self, path: impl IntoPath, value: impl Into<Value>) -> Result<(), ProgramError> {
        self.rebind_all([(path, value)])
    }

    /// Puts several values at their paths: all of them, or none. Only the end result has to be of the type.
    ///
    /// # Errors
    /// As for [`Program::rebind`].
    pub fn rebind_all<P: IntoPath, V: Into<Value>>(
        &mut self,
        changes: impl IntoIterator<Item = (P, V)>,
    ) -> Result<(), ProgramError> {
        let mut value = self.value.clone();
        let mut added = Vec::new();
        for (path, change) in changes {
            let path = path.into_path()?;
            if value.get(&path).is_none() {
                added.push(path.clone());
            }
            value.set(path, change)?;
        }
        let typed = from_value(&value)?;
        if !added.is_empty() {
            value = keeps(&typed, &added)?;
        }
        *self = Program { value, typed };
        Ok(())
    }

    /// Asks `rule` about every node as [`Value::rebind_where`] does, and checks the result.
    ///
    /// # Errors
    /// Where the result is not of the type; the program is then as it was.
    pub fn rebind_where(
        &mut self,
        rule: impl FnMut(&Path, &Value) -> Option<Value>,
    ) -> Result<usize, ProgramError> {
        let mut value = self.value.clone();
        let changed = value.rebind_where(rule);
        *self = Program::from_value(value)?;
        Ok(changed)
    }

    /// The tree.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The typed program.
    pub fn get(&self) -> &T {
        &self.typed
    }

    /// The typed program, without its tree.
    pub fn into_inner(self) -> T {
        self.typed
    }
}

/// The tree of `typed`, if it has a node at each of the paths: a type that ignores unknown fields would drop a
/// misspelt one silently.
fn keeps<T: Serialize>(typed: &T, paths: &[Path]) -> Result<Value, ProgramError> {
    let value = to_value(typed)?;
    for path in paths.iter().filter(|path| value.get(path).is_none()) {
        let Some((parent, step)) = path.split_last() else { continue };
        let allowed =
            value.get(&parent).into_iter().flat_map(Value::children).map(|(step, _)| step.to_string());
        let mistake = Mistake::UnknownField { met: step.to_string(), allowed: allowed.collect() };
        return Err(ProgramError { path: path.clone(), ..ProgramError::new(mistake) });
    }
    Ok(value)
}
