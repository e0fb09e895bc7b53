//! Where spaces come from: a user's own type, a bare tree, or a file.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Space;
use super::check;
use super::compile::{Pieces, compile};
use super::file::{self, SpaceFile};
use super::program_type::{self, ProgramType};
use super::template::Template;
use crate::error::{Error, Problem, SpaceError};
use crate::symbolic::{self, IntoPath, Mistake, Origin, ProgramError, Sources, Value, from_value, to_value};

/// Random candidates whose networks are built at loading: if none can be, the space is wrong.
const BUILT_AT_LOAD: u64 = 8;

impl Space {
    /// A space over the user's own type, given as one program of it; [rebind](Space::rebind) fields to
    /// [hyper values](super::hyper) to open them.
    ///
    /// # Errors
    /// Where the type does not read back what it writes, or has a variant with the name of a hyper value.
    pub fn of<P: Serialize + DeserializeOwned + 'static>(program: &P) -> Result<Space, SpaceError> {
        let tree = to_value(program).map_err(|error| told(vec![check::problem(&error)]))?;
        Space::open(tree, Pieces::new(), program_type::of::<P>())
    }

    /// A space over a bare tree, whose programs have no type to be checked against.
    ///
    /// # Errors
    /// Hyper values that are written wrongly.
    pub fn untyped(program: &Value) -> Result<Space, SpaceError> {
        Space::open(program.clone(), Pieces::new(), program_type::untyped())
    }

    /// The space with another value at a path of its program: a [hyper value](super::hyper), or anything that stays.
    ///
    /// ```
    /// use cellwright::Space;
    /// use cellwright::recipe::Recipe;
    /// use cellwright::space::hyper::one_of;
    ///
    /// let space = Space::of(&Recipe::default())?.rebind("batch", one_of([32, 64]))?;
    /// assert_eq!(space.size().to_string(), "2");
    /// let error = space.rebind("batch", one_of(["a few", "many"])).unwrap_err();
    /// assert_eq!(error.problems()[0].message, r#"batch: expected a whole number, not below 0, found `"a few"`"#);
    /// # Ok::<(), cellwright::Error>(())
    /// ```
    ///
    /// # Errors
    /// Where the path leads nowhere, a hyper value is written wrongly, or the type refuses any of the candidates.
    pub fn rebind(self, path: impl IntoPath, value: impl Into<Value>) -> Result<Space, SpaceError> {
        let refused = |error: ProgramError| told(vec![check::problem(&error)]);
        let path = path.into_path().map_err(|error| refused(error.into()))?;
        let mut program = self.program;
        let is_new = program.get(&path).is_none();
        program.set(&path, value).map_err(refused)?;
        let mut tree = self.tree;
        if let Some(tree) = &mut tree {
            tree.set("program", program.clone()).map_err(refused)?;
        }
        let rebound = Space::open(program, self.pieces, self.program_type)?;
        if is_new {
            rebound.keeps(&path).map_err(refused)?;
        }
        let (name, about, constraints) = (self.name, self.about, self.constraints);
        let (experiment, sources) = (self.experiment, self.sources);
        Ok(Space { name, about, constraints, experiment, sources, tree, ..rebound })
    }

    /// Whether the type takes note of what is at a path: one that ignores unknown fields would drop a misspelt one.
    fn keeps(&self, path: &symbolic::Path) -> Result<(), ProgramError> {
        let written = self.template.materialize(&self.template.first());
        let kept = self.program_type.spelled_out(&written)?;
        let Some((parent, step)) = path.split_last().filter(|_| written.get(path).is_some()) else {
            return Ok(());
        };
        if kept.get(path).is_some() {
            return Ok(());
        }
        let known = kept.get(&parent).into_iter().flat_map(Value::children);
        let allowed = known.map(|(step, _)| step.to_string()).collect();
        let mistake = Mistake::UnknownField { met: step.to_string(), allowed };
        Err(ProgramError { path: path.clone(), ..ProgramError::new(mistake) })
    }

    /// The space of a file, over [candidates](crate::Candidate), or over programs of any type where the file says
    /// `program_type: Any`.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be read; [`Error::Space`] with all that is wrong with it, each with its place.
    pub fn load(path: impl AsRef<Path>) -> Result<Space, Error> {
        let mut sources = Sources::default();
        let tree = sources.load(path.as_ref())?;
        Ok(Space::of_file(&tree, path.as_ref(), sources)?)
    }

    /// The space of a file's text; `label` is its path, for messages and for finding what it extends.
    ///
    /// # Errors
    /// All that is wrong with the text, each with its place.
    pub fn from_ron(label: &str, text: &str) -> Result<Space, SpaceError> {
        let mut sources = Sources::default();
        let tree = sources.read(label, text)?;
        Space::of_file(&tree, Path::new(label), sources)
    }

    fn of_file(tree: &Value, path: &Path, mut sources: Sources) -> Result<Space, SpaceError> {
        let SpaceFile {
            name,
            about,
            pieces,
            program_type,
            program,
            constraints,
            experiment,
            tree,
            mut problems,
        } = file::resolve(tree, path, &mut sources);
        let space = program.and_then(|program| {
            let (space, more) = Space::checked(program, pieces, program_type);
            problems.extend(more);
            space
        });
        let Some(space) = space.filter(|_| problems.is_empty()) else {
            return Err(SpaceError::new(problems, &sources));
        };
        let space = Space { name, about, constraints, experiment, tree: Some(tree), sources, ..space };
        match space.unbuildable() {
            Some(problem) => Err(SpaceError::new(vec![problem], &space.sources)),
            None => Ok(space),
        }
    }

    pub(super) fn open(
        program: Value,
        pieces: Pieces,
        program_type: Arc<dyn ProgramType>,
    ) -> Result<Space, SpaceError> {
        match Space::checked(program, pieces, program_type) {
            (Some(space), problems) if problems.is_empty() => Ok(space),
            (_, problems) => Err(told(problems)),
        }
    }

    /// The space, as far as there is one, and all that is wrong with it.
    fn checked(
        program: Value,
        pieces: Pieces,
        program_type: Arc<dyn ProgramType>,
    ) -> (Option<Space>, Vec<Problem>) {
        let (template, mut problems) = compile(&program, &pieces);
        let Some(template) = template else { return (None, problems) };
        let wrong = !problems.is_empty();
        let objections = check::problems(&template, &*program_type).into_iter();
        // A place that has no origin in a file that has problems is what stands in for a wrong hyper value.
        problems.extend(objections.filter(|objection| !wrong || objection.origin.0 != Origin::NONE.0));
        if !problems.is_empty() {
            return (None, problems);
        }
        match template.count() {
            Ok(count) => (Some(Space::compiled(program, pieces, template, count, program_type)), problems),
            Err(_) => {
                let message = "too many combinations of shared pieces that may or may not be met";
                let help = "refer to some of them outside of all choices";
                (None, vec![Problem::new(program.origin, message).help(help)])
            }
        }
    }

    fn compiled(
        program: Value,
        pieces: Pieces,
        template: Template,
        count: num_bigint::BigUint,
        program_type: Arc<dyn ProgramType>,
    ) -> Space {
        Space {
            name: None,
            about: None,
            program,
            pieces,
            template: Arc::new(template),
            count,
            program_type,
            constraints: Vec::new(),
            experiment: None,
            tree: None,
            sources: Sources::default(),
            rejections: Arc::default(),
            rows: None,
            derived: Default::default(),
            figures: Default::default(),
        }
    }

    /// What is wrong with a space of which neither the first candidate nor some random ones can be built.
    fn unbuildable(&self) -> Option<Problem> {
        let first = self.template.write(&self.template.first());
        let message = self.network(&first).err()?;
        let random = (0..BUILT_AT_LOAD).filter_map(|index| {
            self.template.random(&mut crate::random::Seed(0).stream(index, "built at load")).ok()
        });
        if random.into_iter().any(|genotype| self.network(&genotype).is_ok()) {
            return None;
        }
        let origin = self.program.field("architecture").unwrap_or(&self.program).origin;
        Some(Problem::new(origin, format!("no candidate's network can be built: {message}")))
    }

    /// How the space is searched: the `experiment` section of its file, as it stands there.
    pub fn experiment(&self) -> Option<&Value> {
        self.experiment.as_ref()
    }

    /// The `experiment` section as a type; `None` where the file has none.
    ///
    /// # Errors
    /// What the type objects to, with its place in the file.
    pub fn experiment_as<T: DeserializeOwned>(&self) -> Result<Option<T>, SpaceError> {
        let read = |experiment: &Value| {
            from_value(experiment).map_err(|error| SpaceError::from_program(&error, &self.sources))
        };
        self.experiment.as_ref().map(read).transpose()
    }

    /// What whoever uses the `experiment` section objects to, with its place in the file: at a path of the section, or at as
    /// much of the path as is there. `None` where the space is of no file.
    ///
    /// ```
    /// use cellwright::Space;
    ///
    /// let space = Space::from_ron("a.ron", "Space(program_type: Any, program: (a: 1), experiment: (trials: 3))")?;
    /// let error = space.objection("trials", "these are few", "ask for more").unwrap();
    /// assert_eq!(error.to_string(), "a.ron:1:64: these are few; ask for more");
    /// # Ok::<(), cellwright::Error>(())
    /// ```
    pub fn objection(&self, path: impl IntoPath, problem: &str, hint: &str) -> Option<SpaceError> {
        let (section, mut path) = (self.experiment.as_ref()?, path.into_path().ok()?);
        let node = loop {
            match section.get(&path) {
                Some(node) => break node,
                None => path = path.split_last()?.0,
            }
        };
        self.sources.place(node.origin)?;
        let problem = Problem::new(node.origin, problem).label(path.to_string()).help(hint);
        Some(SpaceError::new(vec![problem], &self.sources))
    }

    /// The whole space as a file of its own, with what it extends and its patches applied: the same space when read
    /// again, and the same genotypes.
    pub fn source_text(&self) -> String {
        match &self.tree {
            Some(tree) => tree.pretty(),
            None => Value::object("Space", [("program", self.program.clone())]).pretty(),
        }
    }
}

fn told(problems: Vec<Problem>) -> SpaceError {
    SpaceError::new(problems, &Sources::default())
}
