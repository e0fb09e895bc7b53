//! The evaluator of an experiment, made for its space: what is wrong with it has its place in the space's file.

use super::Experiment;
use crate::error::Error;
use crate::evaluate::{Evaluate, Mistake, TableError};
use crate::space::Space;
use crate::symbolic::{IntoPath, Path, Step, Value};
use crate::trial::Fidelity;

impl Experiment {
    /// The space as the evaluator knows it, as [`Prepare::restrict`](crate::evaluate::Prepare::restrict) has it.
    ///
    /// # Errors
    /// The evaluator's; a mistake in its configuration with its place, where the experiment is the space file's.
    pub fn restrict(&self, space: &Space) -> Result<Space, Error> {
        self.evaluator.restrict(space.clone()).map_err(|error| located(space, "evaluator", error))
    }

    /// The evaluator, as [`Prepare::prepare`](crate::evaluate::Prepare::prepare) makes it.
    ///
    /// # Errors
    /// As [`Experiment::restrict`]; and a fidelity of trials below all that the evaluator knows.
    pub fn prepare(&self, space: &Space) -> Result<Box<dyn Evaluate>, Error> {
        let evaluator = self.evaluator.prepare(space).map_err(|error| located(space, "evaluator", error))?;
        match self.too_little(evaluator.fidelities()) {
            None => Ok(evaluator),
            Some(mistake) => Err(self.at_fidelity(space, mistake)),
        }
    }

    /// Whether the evaluator, and that of the figures that cost nothing, can be made, as far as that is quickly known.
    ///
    /// # Errors
    /// As [`Experiment::prepare`].
    pub fn check(&self, space: &Space) -> Result<(), Error> {
        if let Some(figures) = self.figures.as_ref().filter(|figures| figures.is_quick()) {
            figures.prepare(space).map_err(|error| located(space, "figures", error))?;
        }
        if self.evaluator.is_quick() { self.prepare(space).map(drop) } else { Ok(()) }
    }

    /// What is wrong with the trials' fidelity where it is below all that there are.
    pub(crate) fn too_little(&self, known: &[Fidelity]) -> Option<Mistake> {
        let least = known.iter().min().filter(|least| self.fidelity() < **least)?;
        let known: Vec<String> = known.iter().map(|fidelity| fidelity.0.to_string()).collect();
        Some(Mistake {
            field: "fidelity",
            problem: format!(
                "trials have fidelity {}, and the evaluator `{}` knows none below {}",
                self.fidelity,
                self.evaluator.kind(),
                least.0
            ),
            hint: format!("let the experiment say `fidelity:` {}", known.join(" or ")),
        })
    }

    /// A mistake of the fidelity, in the file where it is the file's.
    fn at_fidelity(&self, space: &Space, mistake: Mistake) -> Error {
        let written = space.experiment().and_then(|section| section.field("fidelity")?.as_int());
        let is_written = written.unwrap_or(1) == i128::from(self.fidelity);
        let in_file = space.objection("fidelity", &mistake.problem, &mistake.hint).filter(|_| is_written);
        in_file.map_or(mistake.into(), Error::Space)
    }
}

/// An error of the evaluator that a field of the experiment holds, with its place where it is a mistake in the space file.
pub(super) fn located(space: &Space, field: &'static str, error: Error) -> Error {
    let Some(path) = path_of(space, field, &error) else { return error };
    let text = error.to_string();
    let (problem, hint) = text.split_once("\n  hint: ").unwrap_or((&text, ""));
    space.objection(path, problem, hint).map_or(error, Error::Space)
}

/// The path of what is wrong with an evaluator's configuration; `None` for an error of something else.
fn path_of(space: &Space, field: &'static str, error: &Error) -> Option<Path> {
    let evaluator = field.into_path().ok()?;
    let within = |field: &str| evaluator.join(Step::field(field));
    match error {
        Error::Evaluator(mistake) => Some(within(mistake.field)),
        Error::Table(TableError::Description { field: "", .. }) => Some(evaluator),
        Error::Table(TableError::Description { field, .. }) => Some(within(field)),
        Error::Table(TableError::NoColumn { column, .. }) => {
            let description = space.experiment()?.get(&evaluator)?;
            Some(text_in(description, column, &evaluator).unwrap_or(evaluator))
        }
        Error::Table(TableError::Unreadable { line: None, .. } | TableError::NoFile { .. }) => {
            Some(within("file"))
        }
        _ => None,
    }
}

/// The path of the first such text in a tree.
fn text_in(tree: &Value, text: &str, path: &Path) -> Option<Path> {
    if tree.as_str() == Some(text) {
        return Some(path.clone());
    }
    tree.children().find_map(|(step, child)| text_in(child, text, &path.join(step)))
}
