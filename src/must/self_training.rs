//! Self-training on one task, in rounds: a teacher labels what nobody labelled, a student learns from both, and becomes the
//! teacher.
//!
//! *Rethinking Pre-training and Self-training* (Zoph et al. 2020, <https://arxiv.org/abs/2006.06882>): pseudo labels above
//! a threshold, labelled and pseudo-labelled samples side by side in every batch, the student from random weights, as
//! strongly augmented as it bears. It is the machinery of several tasks with one.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::course::check_lesson;
use super::label::{Labelling, THRESHOLD, check_threshold};
use super::student::Lesson;
use super::teach::teach;
use super::teacher::{Labeller, TEACHER, Taught};
use super::{Backbone, Course, Hear, MustError, News, Portion, look_through};
use crate::data::SampleSource;
use crate::device::Device;
use crate::error::SpaceError;
use crate::symbolic::{Sources, from_value};

/// What is repeated.
///
/// ```
/// use cellwright::must::SelfTraining;
///
/// let plan = SelfTraining::from_ron("rounds.ron", r#"SelfTraining(
///     teacher: (
///         name: "solids",
///         backbone: Sequential([ConvBnRelu(channels: 16)]),
///         tasks: [Segmentation],
///         sources: [Labelled(set: Part(of: Scenes(count: 500), take: 50))],
///     ),
///     pictures: Part(of: Scenes(count: 500), labels: []),
///     rounds: 2,
/// )"#)?;
/// assert_eq!((plan.threshold, plan.share), (0.5, 1.0));
/// # Ok::<(), cellwright::error::SpaceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfTraining {
    /// What the first teacher is taught: from people's labels alone.
    pub teacher: Course,
    /// The pictures that are labelled in each round.
    pub pictures: SampleSource,
    /// Objects and pixels with a lower score are ignored.
    #[serde(default = "threshold")]
    pub threshold: f32,
    /// How often a student is taught by the one before.
    #[serde(default = "one")]
    pub rounds: u32,
    /// The students' share of pseudo-labelled samples, relative to that of the labelled ones together.
    #[serde(default = "equal")]
    pub share: f64,
    /// The students' network, where it is not the teacher's.
    #[serde(default)]
    pub backbone: Option<Backbone>,
    /// The students' lesson, where it is not the teacher's.
    #[serde(default)]
    pub lesson: Option<Lesson>,
}

fn threshold() -> f32 {
    THRESHOLD
}
fn one() -> u32 {
    1
}
fn equal() -> f64 {
    1.0
}

impl SelfTraining {
    /// The plan of a file's text; `label` is its path, for messages.
    ///
    /// # Errors
    /// What is wrong with the text, with its place.
    pub fn from_ron(label: &str, text: &str) -> Result<SelfTraining, SpaceError> {
        let mut sources = Sources::default();
        let tree = sources.read(label, text)?;
        from_value(&tree).map_err(|error| SpaceError::from_program(&error, &sources))
    }

    /// The plan of a file.
    ///
    /// # Errors
    /// [`MustError::Io`], and what is wrong with the text, with its place.
    pub fn load(path: &Path) -> Result<SelfTraining, MustError> {
        let text = std::fs::read_to_string(path).map_err(MustError::io(path))?;
        Ok(SelfTraining::from_ron(&path.display().to_string(), &text)?)
    }

    /// Teaches the teacher and one student a round, each in a folder of its own; what is there already is taken over.
    /// Returns all of them, the teacher first.
    ///
    /// # Errors
    /// What teaching and labelling say.
    pub fn run(&self, folder: &Path, device: Device, hear: &mut Hear) -> Result<Vec<Taught>, MustError> {
        if self.teacher.sources.iter().any(Portion::is_pseudo) {
            let problem = "the first teacher's `sources` are pseudo-labelled";
            return Err(MustError::settings(problem, "give it people's labels: `Labelled(set: ..)`"));
        }
        self.check()?;
        // Labelled in hours from now, they are looked through first.
        if !self.is_done(folder) {
            look_through(&[&self.pictures], hear)?;
        }
        hear(&News::Round { round: 0, rounds: self.rounds });
        let mut taught = vec![teach(&self.teacher, &folder.join("teacher"), device, hear)?];
        for round in 1..=self.rounds {
            hear(&News::Round { round, rounds: self.rounds });
            let here = folder.join(format!("round-{round}"));
            let store = here.join("labels");
            let teacher = taught.last().cloned().map(|teacher| Box::new(teacher) as Box<dyn Labeller>);
            let teachers: Vec<Box<dyn Labeller>> = teacher.into_iter().collect();
            let (pictures, threshold) = (&self.pictures, self.threshold);
            Labelling { teachers: &teachers, pictures, threshold, folder: &store, device }.run(hear)?;
            taught.push(teach(&self.student(round, &store), &here.join("student"), device, hear)?);
        }
        Ok(taught)
    }

    /// What can be told to be wrong before the first teacher is taught.
    fn check(&self) -> Result<(), MustError> {
        self.teacher.check().map_err(|error| error.within("`teacher`"))?;
        self.lesson.iter().try_for_each(check_lesson)?;
        check_threshold(self.threshold)?;
        match self.share > 0.0 && self.share.is_finite() {
            true => Ok(()),
            false => {
                let problem = format!("`share` of the pseudo-labelled samples is {}", self.share);
                Err(MustError::settings(problem, "write a number above 0"))
            }
        }
    }

    fn is_done(&self, folder: &Path) -> bool {
        folder.join(format!("round-{}", self.rounds)).join("student").join(TEACHER).exists()
    }

    /// What the student of a round is taught.
    fn student(&self, round: u32, store: &Path) -> Course {
        let labelled: f64 = self.teacher.sources.iter().map(Portion::share).sum();
        let pseudo = Portion::PseudoLabelled { store: store.into(), share: self.share * labelled };
        let teacher = self.teacher.clone();
        Course {
            name: format!("{}-{round}", teacher.name),
            backbone: self.backbone.clone().unwrap_or(teacher.backbone),
            sources: teacher.sources.into_iter().chain([pseudo]).collect(),
            lesson: self.lesson.clone().unwrap_or(teacher.lesson),
            ..teacher
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_learn_from_both_in_the_shares_that_are_asked_for() {
        let text = "(
            teacher: (
                name: \"a\", backbone: Sequential([Conv(channels: 4)]), tasks: [Depth],
                sources: [Labelled(set: Scenes(count: 4), share: 2), Labelled(set: Scenes(count: 8), share: 1)],
            ),
            pictures: Scenes(count: 9), share: 3, lesson: (steps: 7, augment: S4),
        )";
        let plan = SelfTraining::from_ron("plan.ron", text).unwrap();
        let student = plan.student(2, Path::new("labels"));
        assert_eq!((student.name.as_str(), student.lesson.steps), ("a-2", 7));
        let shares: Vec<f64> = student.sources.iter().map(Portion::share).collect();
        assert_eq!(shares, [2.0, 1.0, 9.0]);
        assert!(student.sources[2].is_pseudo());
        assert_eq!(student.backbone, plan.teacher.backbone);
    }

    #[test]
    fn plans_that_come_to_nothing_are_refused_before_anything_is_taught() {
        let said = |from: &str, to: &str| {
            let text = "(teacher: (name: \"a\", backbone: Sequential([]), tasks: [Depth],
                sources: [Labelled(set: Scenes(count: 3))]), pictures: Scenes(count: 9))";
            assert!(text.contains(from), "{from}");
            let plan = SelfTraining::from_ron("plan.ron", &text.replace(from, to)).unwrap();
            let error = plan.run(Path::new("never/written"), Device::Cpu, &mut |_: &News| true).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        };
        let labelled = "Labelled(set: Scenes(count: 3))";
        let pseudo = said(labelled, "PseudoLabelled(store: \"labels\")");
        assert!(pseudo.starts_with("the first teacher's `sources`"), "{pseudo}");
        let last = "pictures: Scenes(count: 9)";
        let sure = said(last, "pictures: Scenes(count: 9), threshold: 7");
        assert!(sure.starts_with("the threshold is 7"), "{sure}");
        let none = said(last, "pictures: Scenes(count: 9), lesson: (steps: 0)");
        assert!(none.starts_with("`lesson`: `steps` is 0"), "{none}");
        let share = said(last, "pictures: Scenes(count: 9), share: 0");
        assert!(share.starts_with("`share` of the pseudo-labelled samples is 0"), "{share}");
        let teacher = said("tasks: [Depth]", "tasks: []");
        assert!(teacher.starts_with("`teacher`: `tasks` is empty"), "{teacher}");
    }
}
