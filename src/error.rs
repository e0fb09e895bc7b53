//! Everything that can go wrong, as a person reads it.

use std::fmt;
use std::io::IsTerminal;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

use crate::symbolic::{Origin, Part, Place, ProgramError, Sources};

mod shown;

use shown::Shown;

/// The crate's error: a transparent sum of the modules' own.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that cannot be read or written.
    #[error("{path}: {source}\n  hint: {}", next_step(source))]
    Io {
        /// The file or folder.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// Words on the command line that mean nothing here.
    #[error("{problem}\n  hint: {hint}")]
    Usage {
        /// What was met.
        problem: String,
        /// What to write instead.
        hint: String,
    },
    /// A model that cannot be exported.
    #[error(transparent)]
    Export(#[from] crate::export::ExportError),
    /// A word that names no export format.
    #[error(transparent)]
    Format(#[from] crate::export::UnknownFormat),
    /// A device that is not there.
    #[error(transparent)]
    Device(#[from] crate::device::DeviceError),
    /// Layers that do not fit together.
    #[error(transparent)]
    Shape(#[from] crate::ir::ShapeError),
    /// Data that cannot be read.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    /// Pseudo labels that cannot be written or read.
    #[error(transparent)]
    PseudoLabels(#[from] crate::must::store::StoreError),
    /// Teachers, labels or students that came to nothing.
    #[error(transparent)]
    Must(#[from] crate::must::MustError),
    /// A mistake in an evaluator's configuration.
    #[error(transparent)]
    Evaluator(#[from] crate::evaluate::Mistake),
    /// A table of measurements that cannot be used.
    #[error(transparent)]
    Table(#[from] crate::evaluate::TableError),
    /// A file that is not what it should be, with the places of all that is wrong.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// A program that is not of its type.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A run folder or a study that cannot be used.
    #[error(transparent)]
    Study(#[from] crate::study::StudyError),
    /// Training asked of a binary that was built without it.
    #[error(
        "this binary was built without training\n  hint: build it with the default features, or use another evaluator"
    )]
    WithoutTraining,
    /// A search that cannot go on.
    #[error(transparent)]
    Search(#[from] crate::search::SearchError),
    /// A search that was told what it will not have.
    #[error(transparent)]
    AskTell(#[from] crate::search::AskTellError),
    /// Algorithms that cannot be compared.
    #[error(transparent)]
    Bench(#[from] crate::bench::BenchError),
    /// A genotype without a program.
    #[error(transparent)]
    Genotype(#[from] crate::space::GenotypeError),
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// What a process that ends with this error should exit with: 2 for a mistake in what it was given, 1 for work that
    /// failed.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Io { .. } | Error::Space(_) | Error::Program(_) | Error::Genotype(_) => 2,
            Error::Shape(_) | Error::Data(_) | Error::Device(_) | Error::Usage { .. } | Error::Format(_) => 2,
            Error::WithoutTraining | Error::Table(_) | Error::Evaluator(_) => 2,
            Error::AskTell(error) => error.exit_code(),
            Error::Search(error) => error.exit_code(),
            Error::Bench(error) => error.exit_code(),
            Error::Export(error) => error.exit_code(),
            Error::PseudoLabels(error) => error.exit_code(),
            Error::Must(error) => error.exit_code(),
            Error::Study(error) => error.exit_code(),
        }
    }
}

/// What to do about a file that the system refuses.
fn next_step(source: &std::io::Error) -> &'static str {
    use std::io::ErrorKind::{
        AlreadyExists, IsADirectory, NotADirectory, NotFound, PermissionDenied, StorageFull,
    };
    match source.kind() {
        NotFound => "check the path, which starts at the folder that the command is run in",
        IsADirectory => "name a file, not a folder",
        NotADirectory | AlreadyExists => "a part of the path is a file, not a folder: check it",
        PermissionDenied => "ask for the permission, or choose another place",
        StorageFull => "free some space, or choose another place",
        _ => "check the path and its permissions",
    }
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The node that it is about.
    pub origin: Origin,
    /// What of the node it is about.
    pub part: Part,
    /// What is wrong.
    pub message: String,
    /// What to write at the place itself; may be empty.
    pub label: String,
    /// What to do next.
    pub help: Option<String>,
}

impl Problem {
    /// A problem of the node that was written at `origin`.
    pub fn new(origin: Origin, message: impl Into<String>) -> Problem {
        Problem { origin, part: Part::Whole, message: message.into(), label: String::new(), help: None }
    }

    /// The same, of a part of the node.
    pub fn part(self, part: Part) -> Problem {
        Problem { part, ..self }
    }

    /// The same, with words at the place itself.
    pub fn label(self, label: impl Into<String>) -> Problem {
        Problem { label: label.into(), ..self }
    }

    /// The same, with the next step.
    pub fn help(self, help: impl Into<String>) -> Problem {
        Problem { help: Some(help.into()), ..self }
    }
}

/// All that is wrong with one or several files, each with its place.
///
/// `Display` gives a line for each problem, [`SpaceError::render`] their source lines too.
///
/// ```
/// use cellwright::symbolic::Sources;
///
/// let error = Sources::default().read("recipe.ron", "(batch: 64 flip: true)").unwrap_err();
/// assert_eq!(error.to_string(), "recipe.ron:1:12: a comma is missing before this");
/// ```
#[derive(Clone, Debug)]
pub struct SpaceError(Box<Report>);

#[derive(Clone, Debug)]
struct Report {
    problems: Vec<Problem>,
    shown: Vec<Shown>,
}

impl SpaceError {
    /// The error that consists of these problems (at least one), whose origins are of `sources`.
    pub fn new(mut problems: Vec<Problem>, sources: &Sources) -> SpaceError {
        problems.sort_by_key(|problem| {
            sources.range(problem.origin, &problem.part).map(|(file, range)| (file, range.start))
        });
        problems.dedup();
        let shown = problems.iter().map(|problem| Shown::new(problem, sources)).collect();
        SpaceError(Box::new(Report { problems, shown }))
    }

    /// A single problem of a program that was read from `sources`.
    pub fn from_program(error: &ProgramError, sources: &Sources) -> SpaceError {
        SpaceError::new(vec![error.problem()], sources)
    }

    /// The problems, in order of their places.
    pub fn problems(&self) -> &[Problem] {
        &self.0.problems
    }

    /// Where the problems are, one for each; `None` for what was not read from a file.
    pub fn places(&self) -> impl Iterator<Item = Option<&Place>> {
        self.0.shown.iter().map(|shown| shown.place.as_ref())
    }

    /// The problems with their source lines; in colour where that is wanted.
    pub fn render(&self, colour: bool) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(110).with_context_lines(1);
        let mut out = String::new();
        for (index, shown) in self.0.shown.iter().enumerate() {
            out += if index > 0 { "\n" } else { "" };
            if handler.render_report(&mut out, shown).is_err() {
                return self.to_string();
            }
        }
        match self.0.shown.len() {
            0 | 1 => out,
            count => out + &format!("\n{count} problems\n"),
        }
    }

    /// [`SpaceError::render`] for stderr: in colour where that is a terminal and `NO_COLOR` is not set.
    pub fn render_for_stderr(&self) -> String {
        self.render(
            std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty()),
        )
    }
}

impl fmt::Display for SpaceError {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        for (index, shown) in self.0.shown.iter().enumerate() {
            let newline = if index > 0 { "\n" } else { "" };
            let place = shown.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
            write!(out, "{newline}{place}{shown}")?;
            shown.help.iter().try_for_each(|help| write!(out, "; {help}"))?;
        }
        Ok(())
    }
}
impl std::error::Error for SpaceError {}

impl Diagnostic for SpaceError {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.0.shown.iter().map(|shown| shown as &dyn Diagnostic)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbolic::from_value;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Recipe {
        batch: usize,
        flip: bool,
    }

    fn rendered(text: &str) -> String {
        let mut sources = Sources::default();
        let read = sources.read("recipe.ron", text);
        let error = match read {
            Ok(value) => SpaceError::from_program(&from_value::<Recipe>(&value).unwrap_err(), &sources),
            Err(error) => error,
        };
        error.render(false)
    }

    #[test]
    fn problems_are_drawn_with_their_source() {
        insta::assert_snapshot!(rendered("Recipe(\n    batch: 64,\n    flop: true,\n)"), @"
         × unknown field `flop`
          ╭─[recipe.ron:3:5]
        2 │     batch: 64,
        3 │     flop: true,
          ·     ──┬─
          ·       ╰── flop
        4 │ )
          ╰────
         help: did you mean `flip`?
        ");
        insta::assert_snapshot!(rendered("Recipe(\n    batch: [1,\n        2],\n    flip: true,\n)"), @"
         × expected a whole number, not below 0, found `[1, 2]`
          ╭─[recipe.ron:2:12]
        1 │ Recipe(
        2 │     batch: [1,
          ·            ─┬─
          ·             ╰── batch
        3 │         2],
          ╰────
        ");
        insta::assert_snapshot!(rendered("(\n    batch: 64,\n    batch: 32,\n    flip: true,\n    flip: false,\n)"), @"
          × the field `batch` is given twice
           ╭─[recipe.ron:3:5]
         2 │     batch: 64,
         3 │     batch: 32,
           ·     ──┬──
           ·       ╰── the second one
         4 │     flip: true,
           ╰────

          × the field `flip` is given twice
           ╭─[recipe.ron:5:5]
         4 │     flip: true,
         5 │     flip: false,
           ·     ──┬─
           ·       ╰── the second one
         6 │ )
           ╰────

        2 problems
        ");
        insta::assert_snapshot!(rendered("(\n    batch: 64,\n    // é\n"), @"
         × the text ends before this `(` is closed
          ╭─[recipe.ron:1:1]
        1 │ (
          · ┬
          · ╰── never closed
        2 │     batch: 64,
          ╰────
        ");
        insta::assert_snapshot!(rendered(""), @"
        × the file is empty
         ╭─[recipe.ron:1:1]
         ╰────
        help: a program is RON: `Name(field: 1)`
        ");
    }

    #[test]
    fn long_lines_are_cut_to_what_matters() {
        let items = "1, ".repeat(100_000);
        let drawn = rendered(&format!("(flip: true, batch: 3, x: [{items}], flop: 3, y: [{items}])"));
        assert!(drawn.len() < 2000, "{} bytes", drawn.len());
        assert!(drawn.contains("x: [1, 1"), "{drawn}");
    }
}
