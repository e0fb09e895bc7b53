//! A course: which network learns what, from which sets, and how. What teachers and students are made from, as a file.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::student::{Lesson, Student};
use super::{Mixture, MustError, Portion};
use crate::architecture::{Architecture, Stacked, Staged};
use crate::candidate::Candidate;
use crate::data::{Classes, Label, SampleSource};
use crate::error::{Error, SpaceError};
use crate::op::Op;
use crate::space::Space;
use crate::symbolic::{Sources, from_value};

/// What a network is taught.
///
/// ```
/// use cellwright::data::Label;
/// use cellwright::must::Course;
///
/// let course = Course::from_ron("depth.ron", r#"Course(
///     name: "depth",
///     backbone: Sequential([ConvBnRelu(channels: 16), MaxPool(stride: 2), ConvBnRelu(channels: 32)]),
///     size: (32, 32),
///     tasks: [Depth],
///     sources: [Labelled(set: Scenes(count: 100, width: 32, height: 32))],
/// )"#)?;
/// assert_eq!((course.tasks, course.sources[0].share()), (vec![Label::Depth], 1.0));
/// # Ok::<(), cellwright::error::SpaceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Course {
    /// What the network is called: its folder's name.
    pub name: String,
    /// The network below the heads.
    pub backbone: Backbone,
    /// Width and height in pixels of the pictures that it sees.
    #[serde(default = "size")]
    pub size: (usize, usize),
    /// Channels of the feature pyramid.
    #[serde(default = "pyramid")]
    pub pyramid: usize,
    /// What it learns.
    pub tasks: Vec<Label>,
    /// What from.
    pub sources: Vec<Portion>,
    /// What it is measured on; `None` for not at all.
    #[serde(default)]
    pub validation: Option<SampleSource>,
    /// How.
    #[serde(default)]
    pub lesson: Lesson,
    /// The source of all randomness.
    #[serde(default)]
    pub seed: u64,
}

fn size() -> (usize, usize) {
    (64, 64)
}

fn pyramid() -> usize {
    32
}

/// A network below its heads: written down, or a candidate of a space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Backbone {
    /// Stages of equal cells.
    Stacked(Stacked),
    /// Stages of one op each.
    Staged(Staged),
    /// Ops one after another.
    Sequential(Vec<Op>),
    /// A candidate of a space.
    Space {
        /// The space file.
        file: PathBuf,
        /// Which candidate, as searches print it.
        genotype: String,
    },
}

impl From<Architecture> for Backbone {
    fn from(architecture: Architecture) -> Backbone {
        match architecture {
            Architecture::Stacked(stacked) => Backbone::Stacked(stacked),
            Architecture::Staged(staged) => Backbone::Staged(staged),
            Architecture::Sequential(ops) => Backbone::Sequential(ops),
        }
    }
}

impl Backbone {
    /// The network itself.
    ///
    /// # Errors
    /// A space that cannot be read, or has no such candidate.
    pub fn architecture(&self) -> Result<Architecture, MustError> {
        match self {
            Backbone::Stacked(stacked) => Ok(Architecture::Stacked(stacked.clone())),
            Backbone::Staged(staged) => Ok(Architecture::Staged(staged.clone())),
            Backbone::Sequential(ops) => Ok(Architecture::Sequential(ops.clone())),
            Backbone::Space { file, genotype } => candidate(file, genotype),
        }
    }
}

fn candidate(file: &Path, genotype: &str) -> Result<Architecture, MustError> {
    let space = Space::load(file).map_err(|error| match error {
        Error::Space(problems) => MustError::File(problems),
        Error::Io { path, source } => MustError::Io { path: path.into(), source },
        other => MustError::settings(other.to_string(), "check the space file"),
    })?;
    let told = |problem: String| {
        let problem = format!("{}: `{genotype}` is no candidate: {problem}", file.display());
        MustError::settings(problem, "`cellwright sample` prints genotypes of a space")
    };
    let genotype = genotype.parse().map_err(|problem| told(format!("{problem}")))?;
    let candidate: Candidate = space.decode(&genotype).map_err(|problem| told(problem.to_string()))?;
    Ok(candidate.architecture)
}

impl Course {
    /// The course of a file's text; `label` is its path, for messages.
    ///
    /// # Errors
    /// What is wrong with the text, with its place.
    pub fn from_ron(label: &str, text: &str) -> Result<Course, SpaceError> {
        let mut sources = Sources::default();
        let tree = sources.read(label, text)?;
        from_value(&tree).map_err(|error| SpaceError::from_program(&error, &sources))
    }

    /// The course of a file.
    ///
    /// # Errors
    /// [`MustError::Io`], and what is wrong with the text, with its place.
    pub fn load(path: &Path) -> Result<Course, MustError> {
        let text = std::fs::read_to_string(path).map_err(MustError::io(path))?;
        let course = Course::from_ron(&path.display().to_string(), &text)?;
        course.check().map_err(|error| error.within(&path.display().to_string()))?;
        Ok(course)
    }

    /// What can be told to be wrong before anything is opened.
    ///
    /// # Errors
    /// [`MustError::Settings`].
    pub fn check(&self) -> Result<(), MustError> {
        let tame = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
        if self.name.trim_matches('.').is_empty() || !self.name.chars().all(tame) {
            let problem = format!("`{}` names no folder", self.name);
            return Err(MustError::settings(problem, "use letters, digits, `-`, `_` and `.`"));
        }
        check_tasks(&self.tasks)?;
        check_lesson(&self.lesson)
    }

    /// The network with its heads, for these classes.
    ///
    /// # Errors
    /// A backbone that cannot be read.
    pub fn student(&self, classes: Classes) -> Result<Student, MustError> {
        let backbone = self.backbone.architecture()?;
        let student = Student::new(backbone, self.size, self.tasks.clone(), classes);
        Ok(Student { pyramid: self.pyramid, ..student })
    }

    /// The sets, opened.
    ///
    /// # Errors
    /// As [`Mixture::open`].
    pub fn open(&self) -> Result<Mixture, MustError> {
        Mixture::open(&self.sources, &self.tasks).map_err(|error| error.of_course(&self.name))
    }
}

/// Numbers that a training can use.
pub(crate) fn check_lesson(lesson: &Lesson) -> Result<(), MustError> {
    match lesson.problem() {
        None => Ok(()),
        Some(problem) => Err(MustError::settings(format!("`lesson`: {problem}"), "mend the lesson")),
    }
}

/// At least one task, and none twice.
pub(crate) fn check_tasks(tasks: &[Label]) -> Result<(), MustError> {
    let twice = tasks.iter().enumerate().find(|(index, task)| tasks[..*index].contains(task));
    match (tasks.is_empty(), twice) {
        (true, _) => Err(MustError::settings("`tasks` is empty", "name at least one, such as `[Class]`")),
        (_, Some((_, task))) => {
            let problem = format!("`tasks` names {} twice", task.name());
            Err(MustError::settings(problem, "name each task once"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Course(
    name: \"a\",
    backbone: Sequential([Conv(channels: 4)]),
    tasks: [Class],
    sources: [Labelled(set: Scenes(count: 3))],
)";

    fn told(from: &str, to: &str) -> String {
        assert!(TEXT.contains(from), "{from}");
        let text = TEXT.replace(from, to);
        let course = Course::from_ron("course.ron", &text).map_err(MustError::from);
        course.and_then(|course| course.check()).unwrap_err().to_string()
    }

    #[test]
    fn mistakes_have_places_and_hints() {
        insta::assert_snapshot!(told("tasks: [Class]", "task: [Class]"), @"course.ron:4:5: unknown field `task`; did you mean `tasks`?");
        insta::assert_snapshot!(told("[Class]", "[Class, Depth, Class]"), @"
        `tasks` names class twice
          hint: name each task once
        ");
        insta::assert_snapshot!(told("[Class]", "[]"), @"
        `tasks` is empty
          hint: name at least one, such as `[Class]`
        ");
        insta::assert_snapshot!(told("tasks:", "lesson: (steps: 0), tasks:"), @"
        `lesson`: `steps` is 0; at least 1 is needed
          hint: mend the lesson
        ");
        insta::assert_snapshot!(told("\"a\"", "\"../a\""), @"
        `../a` names no folder
          hint: use letters, digits, `-`, `_` and `.`
        ");
    }

    #[test]
    fn a_backbone_may_be_a_candidate_of_a_space() {
        let file = PathBuf::from("search_spaces/quickstart.ron");
        let of = |genotype: &str| Backbone::Space { file: file.clone(), genotype: genotype.into() };
        let architecture = of("0(0,1,1,2)").architecture().unwrap();
        assert_eq!(Backbone::from(architecture.clone()).architecture().unwrap(), architecture);
        let error = of("9(0,1)").architecture().unwrap_err().to_string();
        assert!(error.contains("`9(0,1)` is no candidate") && error.contains("cellwright sample"), "{error}");
        let none = Backbone::Space { file: "none.ron".into(), genotype: "0".into() };
        assert!(none.architecture().unwrap_err().to_string().starts_with("none.ron: "));
    }
}
