//! What can be wrong with a program, and how it is said.

use std::fmt;

use super::path::{Path, PathError, Step};
use super::source::Part;
use super::value::{Origin, Value};
use crate::error::Problem;

/// A program that is not of its type, or a change that does not fit it: what is wrong, and at which node.
#[derive(Clone, Debug, PartialEq)]
pub struct ProgramError {
    /// The node.
    pub path: Path,
    /// Where the node was written.
    pub origin: Origin,
    /// What is wrong with it.
    pub mistake: Mistake,
}

/// What is wrong with a node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistake {
    /// A field that the type does not have; the path ends in it.
    UnknownField {
        /// The field met.
        met: String,
        /// The fields there are.
        allowed: Vec<String>,
    },
    /// A variant that the type does not have.
    UnknownVariant {
        /// The name met.
        met: String,
        /// The variants there are.
        allowed: Vec<String>,
    },
    /// An object of another name than the type's.
    WrongName {
        /// The name met.
        met: String,
        /// The type's name.
        expected: String,
    },
    /// A field is not there, and has no default.
    MissingField {
        /// The field.
        field: String,
    },
    /// A field is there twice.
    DuplicateField {
        /// The field.
        field: String,
    },
    /// Another type of value was expected, or another range.
    WrongValue {
        /// The value met, shortened.
        met: String,
        /// What was expected.
        expected: String,
    },
    /// Too many or too few elements.
    WrongLength {
        /// How many were met.
        met: usize,
        /// What was expected.
        expected: String,
    },
    /// A path that leads nowhere; it ends in the step that fails.
    NoSuchNode {
        /// The names of the steps that there are instead.
        allowed: Vec<String>,
    },
    /// A pattern that no node fits.
    NoMatch {
        /// The pattern.
        pattern: String,
        /// A word of the pattern that the program does not have; may be empty.
        met: String,
        /// The words there are.
        allowed: Vec<String>,
    },
    /// What a type says about its own values.
    Other(String),
}

impl ProgramError {
    /// An error at the root, of a node not known.
    pub fn new(mistake: Mistake) -> ProgramError {
        ProgramError { path: Path::ROOT, origin: Origin::NONE, mistake }
    }

    /// The same error, at a node of a larger program.
    pub fn below(mut self, parent: &Path) -> ProgramError {
        self.path.0.splice(0..0, parent.0.iter().cloned());
        self
    }

    /// The next step for whoever reads the message: "did you mean", or what there is to choose from.
    pub fn help(&self) -> Option<String> {
        match &self.mistake {
            Mistake::UnknownField { met, allowed } => alternatives("fields", met, allowed),
            Mistake::UnknownVariant { met, allowed } => alternatives("names", met, allowed),
            Mistake::WrongName { expected, .. } => {
                Some(format!("write `{expected}(..)`, or leave the name out"))
            }
            Mistake::MissingField { field } => Some(format!("add `{field}: ..`")),
            Mistake::NoMatch { met, allowed, .. } => {
                let near = nearest(met, allowed.iter().map(String::as_str))?;
                Some(format!("did you mean `{near}`?"))
            }
            Mistake::NoSuchNode { allowed } => {
                let step = self.path.0.last().map(ToString::to_string).unwrap_or_default();
                alternatives("children", &step, allowed)
            }
            _ => None,
        }
    }

    /// The error as a problem of a file, to be shown with its source.
    pub fn problem(&self) -> Problem {
        let part = match &self.mistake {
            Mistake::UnknownField { met, .. } => Part::Key(met.clone()),
            Mistake::UnknownVariant { .. } | Mistake::WrongName { .. } | Mistake::MissingField { .. } => {
                Part::Name
            }
            _ => Part::Whole,
        };
        let mut problem = Problem::new(self.origin, self.mistake.to_string()).part(part);
        problem.label = self.path.to_string();
        problem.help = self.help();
        problem
    }
}

/// The words "did you mean ..?" where one of `allowed` is near, else a list of `what` there is.
pub fn alternatives(what: &str, met: &str, allowed: &[String]) -> Option<String> {
    if let Some(near) = nearest(met, allowed.iter().map(String::as_str)) {
        return Some(format!("did you mean `{near}`?"));
    }
    let shown: Vec<_> = allowed.iter().take(16).map(|name| format!("`{name}`")).collect();
    let more = if allowed.len() > shown.len() {
        format!(" and {} more", allowed.len() - shown.len())
    } else {
        String::new()
    };
    (!shown.is_empty()).then(|| format!("the {what} are {}{more}", shown.join(", ")))
}

/// The candidate that `met` is most probably a slip of.
///
/// ```
/// use cellwright::symbolic::nearest;
///
/// assert_eq!(nearest("SepCnv", ["MaxPool", "SepConv"]), Some("SepConv"));
/// assert_eq!(nearest("Transformer", ["MaxPool", "SepConv"]), None);
/// ```
pub fn nearest<'a>(met: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let bare = |name: &str| name.to_lowercase().replace(['_', '-', ' '], "");
    let met = bare(met);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&met, &bare(candidate)), candidate))
        .filter(|(edits, candidate)| *edits <= met.chars().count().max(candidate.chars().count()) / 3)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Mistake::UnknownField { met, .. } => write!(out, "unknown field `{met}`"),
            Mistake::UnknownVariant { met, .. } => write!(out, "unknown name `{met}`"),
            Mistake::WrongName { met, expected } => write!(out, "found `{met}` where a `{expected}` belongs"),
            Mistake::MissingField { field } => write!(out, "the field `{field}` is missing"),
            Mistake::DuplicateField { field } => write!(out, "the field `{field}` is given twice"),
            Mistake::WrongValue { met, expected } => write!(out, "expected {expected}, found {met}"),
            Mistake::WrongLength { met, expected } => {
                write!(out, "expected {expected}, found {met}")
            }
            Mistake::NoSuchNode { .. } => write!(out, "there is no such node"),
            Mistake::NoMatch { pattern, .. } => write!(out, "nothing matches `{pattern}`"),
            Mistake::Other(message) => out.write_str(message),
        }
    }
}

impl fmt::Display for ProgramError {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self.path.0.is_empty() {
            true => write!(out, "{}", self.mistake)?,
            false => write!(out, "{}: {}", self.path, self.mistake)?,
        }
        self.help().map_or(Ok(()), |help| write!(out, "; {help}"))
    }
}

impl std::error::Error for ProgramError {}

impl From<PathError> for ProgramError {
    fn from(error: PathError) -> ProgramError {
        ProgramError::new(Mistake::Other(error.to_string()))
    }
}

/// A [`ProgramError`] on its way up through serde: its path is collected step by step, and only when there is one.
#[derive(Debug)]
pub(super) struct Fault(Box<Flight>);

#[derive(Debug)]
struct Flight {
    mistake: Mistake,
    /// The node, once it is known.
    origin: Option<Origin>,
    /// From the innermost step outwards.
    steps: Vec<Step>,
}

impl Fault {
    pub(super) fn new(mistake: Mistake) -> Fault {
        Fault(Box::new(Flight { mistake, origin: None, steps: Vec::new() }))
    }

    /// Another value was expected at `node`.
    pub(super) fn wrong(node: &Value, expected: impl Into<String>) -> Fault {
        let mistake = Mistake::WrongValue { met: describe(node), expected: expected.into() };
        Fault::new(mistake).at(node)
    }

    /// The fault is `node`'s, unless it is already known to be another's.
    pub(super) fn at(mut self, node: &Value) -> Fault {
        if self.0.origin.is_none() {
            self.0.origin = Some(node.origin);
            if let Mistake::WrongValue { met, .. } = &mut self.0.mistake {
                *met = describe(node);
            }
        }
        self
    }

    /// The fault lies `step` further down.
    pub(super) fn within(mut self, step: Step) -> Fault {
        self.0.steps.push(step);
        self
    }

    /// The fault lies in the element at `index`.
    pub(super) fn within_index(self, index: usize) -> Fault {
        self.within(Step::Index(index))
    }

    /// What was expected, where another value was met.
    pub(super) fn expected(&self) -> Option<String> {
        match &self.0.mistake {
            Mistake::WrongValue { expected, .. } => Some(expected.clone()),
            _ => None,
        }
    }

    pub(super) fn error(self) -> ProgramError {
        let Flight { mistake, origin, mut steps } = *self.0;
        steps.reverse();
        ProgramError { path: Path(steps), origin: origin.unwrap_or(Origin::NONE), mistake }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "{}", self.0.mistake)
    }
}
impl std::error::Error for Fault {}

impl serde::ser::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Fault {
        Fault::new(Mistake::Other(message.to_string()))
    }
}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Fault {
        Fault::new(Mistake::Other(message.to_string()))
    }
    fn invalid_type(met: serde::de::Unexpected, expected: &dyn serde::de::Expected) -> Fault {
        Fault::new(Mistake::WrongValue { met: met.to_string(), expected: in_words(&expected.to_string()) })
    }
    fn invalid_value(met: serde::de::Unexpected, expected: &dyn serde::de::Expected) -> Fault {
        serde::de::Error::invalid_type(met, expected)
    }
    fn invalid_length(met: usize, expected: &dyn serde::de::Expected) -> Fault {
        Fault::new(Mistake::WrongLength { met, expected: in_words(&expected.to_string()) })
    }
    fn unknown_variant(met: &str, allowed: &'static [&'static str]) -> Fault {
        Fault::new(Mistake::UnknownVariant { met: met.into(), allowed: owned(allowed) })
    }
    fn unknown_field(met: &str, allowed: &'static [&'static str]) -> Fault {
        Fault::new(Mistake::UnknownField { met: met.into(), allowed: owned(allowed) })
    }
    fn missing_field(field: &'static str) -> Fault {
        Fault::new(Mistake::MissingField { field: field.into() })
    }
    fn duplicate_field(field: &'static str) -> Fault {
        Fault::new(Mistake::DuplicateField { field: field.into() })
    }
}

pub(super) fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// What serde calls a type, as a reader of RON would.
fn in_words(expected: &str) -> String {
    let unsigned = |bits: u32| format!("a whole number from 0 to {}", u128::MAX >> (128 - bits));
    let signed = |bits: u32| {
        format!("a whole number from {} to {}", i128::MIN >> (128 - bits), i128::MAX >> (128 - bits))
    };
    match expected {
        "u8" => unsigned(8),
        "u16" => unsigned(16),
        "u32" => unsigned(32),
        "u64" | "usize" | "u128" => "a whole number, not below 0".into(),
        "i8" => signed(8),
        "i16" => signed(16),
        "i32" => signed(32),
        "i64" | "isize" | "i128" => "a whole number".into(),
        "f32" | "f64" => "a number".into(),
        "a boolean" => "`true` or `false`".into(),
        "a string" | "str" => "a text in quotes".into(),
        tuple if tuple.contains(" with ") && tuple.contains(" element") => {
            tuple.rsplit(" with ").next().unwrap_or(tuple).into()
        }
        tuple if tuple.starts_with("a tuple of size ") || tuple.starts_with("an array of length ") => {
            format!("{} elements", tuple.rsplit(' ').next().unwrap_or(tuple))
        }
        "a sequence" => "a list `[..]`".into(),
        "a map" => "a map `{..}`".into(),
        other => other.into(),
    }
}

/// A value as a message quotes it: in full if it is short, else its beginning.
pub(super) fn describe(value: &Value) -> String {
    let mut text = Short(String::new());
    match fmt::write(&mut text, format_args!("{value}")) {
        Ok(()) => format!("`{}`", text.0),
        Err(_) => format!("`{}..`", text.0),
    }
}

/// A text that takes no more than a few words.
struct Short(String);

impl fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        const WIDTH: usize = 40;
        let free = WIDTH.saturating_sub(self.0.chars().count());
        match text.char_indices().nth(free) {
            None => self.0.push_str(text),
            Some((end, _)) => self.0.push_str(&text[..end]),
        }
        if text.chars().nth(free).is_some() { Err(fmt::Error) } else { Ok(()) }
    }
}
