//! The space file: its sections read and checked, its `extends` and `patch` resolved.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::compile::Pieces;
use super::constraint::Constraint;
use super::program_type::{self, ProgramType};
use super::references::replaced;
use crate::error::{Error, Problem};
use crate::symbolic::{
    Fields, Kind, Name, Object, Part, ProgramError, Rule, Sources, Value, from_value, nearest,
};

/// The sections of a space file, in the order in which they are written.
const SECTIONS: [&str; 9] =
    ["name", "about", "extends", "patch", "let", "program_type", "program", "constraints", "experiment"];

/// What a file's programs may be: the words of its `program_type`.
const PROGRAM_TYPES: [&str; 2] = ["Candidate", "Any"];

/// How many files may extend one another.
const MAX_FILES: usize = 32;

/// A space file, read and resolved: what it extends is in it.
#[derive(Debug)]
pub(super) struct SpaceFile {
    pub name: Option<Name>,
    pub about: Option<Name>,
    pub pieces: Pieces,
    pub program_type: Arc<dyn ProgramType>,
    pub program: Option<Value>,
    pub constraints: Vec<Constraint>,
    pub experiment: Option<Value>,
    /// All of the above as one program, as a file could hold it.
    pub tree: Value,
    pub problems: Vec<Problem>,
}

/// The sections of one file, each with its name.
type Sections = Vec<(Name, Value)>;

/// Resolves a file that was read as `tree` from `path`.
pub(super) fn resolve(tree: &Value, path: &Path, sources: &mut Sources) -> SpaceFile {
    let mut resolver = Resolver { sources, open: vec![normal(path)], problems: Vec::new() };
    let sections = resolver.resolve(tree, path);
    let problems = resolver.problems;
    SpaceFile::new(sections, problems)
}

struct Resolver<'a> {
    sources: &'a mut Sources,
    /// The files being resolved, the first one first.
    open: Vec<PathBuf>,
    problems: Vec<Problem>,
}

impl Resolver<'_> {
    fn resolve(&mut self, tree: &Value, path: &Path) -> Sections {
        let mut own = self.sections(tree);
        let extends = take(&mut own, "extends");
        let patch = take(&mut own, "patch");
        let mut base = match &extends {
            Some(extends) => self.base(extends, path),
            None => Sections::new(),
        };
        match (patch, &extends) {
            (Some(patch), Some(_)) => self.patch(&mut base, &patch),
            (Some(patch), None) => self.problems.push(
                Problem::new(patch.origin, "`patch` without `extends`: there is nothing to change")
                    .part(Part::Key("patch".into()))
                    .help("add `extends: \"other.ron\"`, or change the program itself"),
            ),
            (None, _) => {}
        }
        merge(base, own)
    }

    fn sections(&mut self, tree: &Value) -> Sections {
        let fields = match &tree.kind {
            Kind::Object(object) if object.name.as_deref().is_none_or(|name| name == "Space") => {
                &object.fields
            }
            _ => &Fields::Unit,
        };
        let Fields::Named(fields) = fields else {
            self.problems.push(
                Problem::new(tree.origin, "a space file is `Space(name: .., program: .., ..)`")
                    .help(format!("its sections are {}", SECTIONS.join(", "))),
            );
            return Sections::new();
        };
        let (known, unknown): (Sections, Sections) =
            fields.iter().cloned().partition(|(name, _)| SECTIONS.contains(&&**name));
        for (name, value) in unknown {
            let help = match nearest(&name, SECTIONS) {
                Some(best) => format!("did you mean `{best}`?"),
                None => format!("the sections are {}", SECTIONS.join(", ")),
            };
            let problem = Problem::new(value.origin, format!("a space has no section `{name}`"));
            self.problems.push(problem.part(Part::Key(name.to_string())).help(help));
        }
        known
    }

    /// The sections of the file that is extended.
    fn base(&mut self, extends: &Value, path: &Path) -> Sections {
        let Some(file) = extends.as_str() else {
            self.problems.push(Problem::new(extends.origin, "`extends` is the name of a file in quotes"));
            return Sections::new();
        };
        let found = path.parent().unwrap_or(Path::new("")).join(file);
        let key = normal(&found);
        if let Some(start) = self.open.iter().position(|open| *open == key) {
            let circle = self.open[start..].iter().chain([&key]).map(|file| file_name(file));
            let message = format!("circular `extends`: {}", circle.collect::<Vec<_>>().join(" extends "));
            self.problems.push(Problem::new(extends.origin, message).help("a space cannot extend itself"));
            return Sections::new();
        }
        if self.open.len() >= MAX_FILES {
            let message = format!("more than {MAX_FILES} files extend one another");
            self.problems.push(Problem::new(extends.origin, message));
            return Sections::new();
        }
        match self.sources.load(&found) {
            Ok(tree) => {
                self.open.push(key);
                let sections = self.resolve(&tree, &found);
                self.open.pop();
                sections
            }
            Err(Error::Space(error)) => {
                self.problems.extend(error.problems().iter().cloned());
                Sections::new()
            }
            Err(error) => {
                let reason = match error {
                    Error::Io { path, source } => format!("{path}: {source}"),
                    error => error.to_string(),
                };
                self.problems.push(
                    Problem::new(extends.origin, format!("cannot read {reason}"))
                        .help("`extends` is looked for beside the file that it stands in"),
                );
                Sections::new()
            }
        }
    }

    /// Changes the sections of the file that is extended, rule by rule.
    fn patch(&mut self, base: &mut Sections, patch: &Value) {
        let Kind::List(rules) = &patch.kind else {
            let problem = Problem::new(patch.origin, "`patch` is a list of rules");
            self.problems.push(problem.help("write `patch: [Set(\"training.batch\", 64)]`"));
            return;
        };
        let broken = base.is_empty();
        for item in rules.iter() {
            let done = match from_value::<Rule>(item) {
                Ok(_) if broken => continue,
                Ok(rule) => change(base, &rule).map_err(|error| {
                    let place =
                        if error.path.0.is_empty() { String::new() } else { format!("{}: ", error.path) };
                    let problem = Problem::new(item.origin, format!("{place}{}", error.mistake));
                    Problem { help: error.help(), ..problem }
                }),
                Err(error) => Err(error.problem()),
            };
            self.problems.extend(done.err());
        }
    }
}

/// Makes one change: paths start at the program, unless they start with the name of a section or with a wildcard.
fn change(sections: &mut Sections, rule: &Rule) -> Result<(), ProgramError> {
    let place = match rule {
        Rule::Set(path, _) | Rule::Insert(path, _) => path.to_string(),
        Rule::Remove(query) | Rule::Replace { query, .. } | Rule::Rename { query, .. } => query.to_string(),
    };
    let first = place.split(['.', '[', '<']).next().unwrap_or_default();
    if !SECTIONS.contains(&first) && !first.is_empty() && !first.starts_with('*') {
        let program = sections.iter_mut().find(|(name, _)| &**name == "program");
        return program.map_or(Ok(()), |(_, program)| rule.apply(program).map(drop));
    }
    let mut whole = tree(sections);
    rule.apply(&mut whole)?;
    if let Some(Object { fields: Fields::Named(changed), .. }) = whole.as_object() {
        sections.clone_from(changed);
    }
    Ok(())
}

impl SpaceFile {
    fn new(sections: Sections, problems: Vec<Problem>) -> SpaceFile {
        let mut file = SpaceFile {
            name: None,
            about: None,
            pieces: Pieces::new(),
            program_type: program_type::candidates(),
            program: None,
            constraints: Vec::new(),
            experiment: None,
            tree: tree(&sections),
            problems,
        };
        for (name, value) in sections {
            match &*name {
                "name" => file.name = file.text("name", &value),
                "about" => file.about = file.text("about", &value),
                "let" => file.read_pieces(&value),
                "program_type" => file.read_program_type(&value),
                "constraints" => file.read_constraints(&value),
                "experiment" => file.experiment = Some(value),
                _ => file.program = Some(value),
            }
        }
        file.experiment =
            file.experiment.take().map(|value| replaced(&value, &file.pieces, &mut file.problems));
        file.check_constraints();
        if file.program.is_none() && file.problems.is_empty() {
            let problem = Problem::new(file.tree.origin, "the space has no `program`");
            file.problems.push(problem.help("add `program: (task: .., architecture: .., training: ..)`"));
        }
        file
    }

    fn text(&mut self, section: &str, value: &Value) -> Option<Name> {
        match &value.kind {
            Kind::Str(text) => Some(text.clone()),
            _ => {
                self.problems.push(Problem::new(value.origin, format!("`{section}` is a text in quotes")));
                None
            }
        }
    }

    fn read_pieces(&mut self, value: &Value) {
        let Kind::Map(entries) = &value.kind else {
            let problem = Problem::new(value.origin, "`let` is a map from names to pieces");
            self.problems.push(problem.help("write `let: { \"op\": OneOf([..]) }`"));
            return;
        };
        for (key, piece) in entries.iter() {
            match &key.kind {
                Kind::Str(name) => {
                    self.pieces.insert(name.clone(), piece.clone());
                }
                _ => self.problems.push(Problem::new(key.origin, "the name of a piece is a text in quotes")),
            }
        }
    }

    fn read_program_type(&mut self, value: &Value) {
        let word = value.as_object().filter(|object| object.fields.is_empty());
        match word.and_then(|object| object.name.as_deref()) {
            Some("Candidate") => self.program_type = program_type::candidates(),
            Some("Any") => self.program_type = program_type::untyped(),
            met => {
                // Nothing more is said of programs whose type is not known.
                self.program_type = program_type::untyped();
                let help = met.and_then(|met| nearest(met, PROGRAM_TYPES));
                let help = match help {
                    Some(best) => format!("did you mean `{best}`?"),
                    None => "leave the section out for networks with their training".into(),
                };
                let message = "`program_type` is `Candidate` (a network with its training) or `Any`";
                self.problems.push(Problem::new(value.origin, message).help(help));
            }
        }
    }

    /// Constraints bound what networks cost: a program that is none would meet them all without being looked at.
    fn check_constraints(&mut self) {
        if self.program_type.has_networks() || self.constraints.is_empty() || !self.problems.is_empty() {
            return;
        }
        let origin = self.tree.field("constraints").map_or(self.tree.origin, |section| section.origin);
        let problem =
            Problem::new(origin, "`constraints` bound networks, which programs of `Any` type are not");
        self.problems.push(problem.help("leave them out, or leave out `program_type: Any`"));
    }

    fn read_constraints(&mut self, value: &Value) {
        let Kind::List(items) = &value.kind else {
            let problem = Problem::new(value.origin, "`constraints` is a list");
            self.problems.push(problem.help("write `constraints: [Params(max: 200000)]`"));
            return;
        };
        for item in items.iter() {
            match from_value::<Constraint>(item) {
                Ok(constraint) => match constraint.flaw() {
                    None => self.constraints.push(constraint),
                    Some((message, help)) => {
                        self.problems.push(Problem::new(item.origin, message).help(help));
                    }
                },
                Err(error) => self.problems.push(error.problem()),
            }
        }
    }
}

/// The sections of `own` in place of those of `base`; pieces one by one.
fn merge(mut base: Sections, own: Sections) -> Sections {
    for (name, value) in own {
        match base.iter_mut().find(|(other, _)| *other == name) {
            Some((_, old)) => *old = if &*name == "let" { merge_pieces(old, value) } else { value },
            None => base.push((name, value)),
        }
    }
    base
}

fn merge_pieces(old: &Value, new: Value) -> Value {
    let (Kind::Map(old), Kind::Map(more)) = (&old.kind, &new.kind) else { return new };
    let mut entries = (**old).clone();
    for (key, piece) in more.iter() {
        match entries.iter_mut().find(|(other, _)| other == key) {
            Some((_, old)) => *old = piece.clone(),
            None => entries.push((key.clone(), piece.clone())),
        }
    }
    Value::from(Kind::Map(entries.into())).at(new.origin)
}

fn take(sections: &mut Sections, name: &str) -> Option<Value> {
    let at = sections.iter().position(|(other, _)| &**other == name)?;
    Some(sections.remove(at).1)
}

/// Sections as the program that a file holds, in the usual order.
fn tree(sections: &Sections) -> Value {
    let ordered = SECTIONS.iter().filter_map(|section| sections.iter().find(|(name, _)| &**name == *section));
    Object { name: Some("Space".into()), fields: Fields::Named(ordered.cloned().collect()) }.into()
}

/// A path by which a file is known, however it is written.
fn normal(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
