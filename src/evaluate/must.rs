//! Candidates as students of several tasks: a backbone is worth what it learns of everything at once.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Evaluate, Prepare};
use crate::data::{Label, SampleSource};
use crate::error::Error;
use crate::must::student::Lesson;
use crate::must::{Backbone, Course, Portion, THRESHOLD, TRANSFER, Transfer, metric_names};
use crate::space::Space;

/// Trains each candidate as a student, as in *Multi-Task Self-Training* (Ghiasi, Zoph et al. 2021,
/// <https://arxiv.org/abs/2108.11353>); fidelity counts `unit` steps.
///
/// Before the first trial the teachers are taught and label the pictures, once for a study: what they leave is in the run
/// folder, or in `home`. A trial is then a short training on the labelled sets and the pseudo labels. It reports the
/// metrics of its tasks on the validation set, what its features are worth elsewhere (`transfer`), `loss`, `params` and
/// `macs`. The last training of a winner reports `test_` metrics too, and keeps the student beside the teachers.
///
/// With one task, the teacher of that task and `rounds` it is self-training (Zoph et al. 2020,
/// <https://arxiv.org/abs/2006.06882>).
///
/// ```
/// use cellwright::evaluate::Must;
///
/// let must: Must = cellwright::symbolic::from_value(&r#"(
///     tasks: [Class, Depth],
///     labelled: [Labelled(set: Scenes(count: 100))],
///     validation: Scenes(count: 50, seed: 1),
/// )"#.parse()?)?;
/// assert_eq!((must.unit, must.threshold, must.rounds), (50, 0.5, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Must {
    /// Who labels the pictures; no two the same task.
    #[serde(default)]
    pub teachers: Vec<Tutor>,
    /// What teachers label; labels that it has of its own stay.
    #[serde(default)]
    pub pictures: Option<SampleSource>,
    /// Objects and pixels that a teacher is less sure of are ignored.
    #[serde(default = "threshold")]
    pub threshold: f32,
    /// The pictures' share of a batch, relative to those of `labelled`.
    #[serde(default = "equal")]
    pub share: f64,
    /// What people labelled, and students see too.
    #[serde(default)]
    pub labelled: Vec<Portion>,
    /// What students learn.
    pub tasks: Vec<Label>,
    /// Channels of their feature pyramid.
    #[serde(default = "pyramid")]
    pub pyramid: usize,
    /// How they learn; `steps` is the trial's own.
    #[serde(default)]
    pub lesson: Lesson,
    /// Steps of a unit of fidelity.
    #[serde(default = "unit")]
    pub unit: usize,
    /// How often a student is taught: from the second round on by the one before, in place of the teachers.
    #[serde(default = "once")]
    pub rounds: u32,
    /// What students are measured on.
    pub validation: SampleSource,
    /// What the last training's student is measured on.
    #[serde(default)]
    pub test: Option<SampleSource>,
    /// What its features are worth for other tasks; `None` for not at all.
    #[serde(default)]
    pub transfer: Option<Transfer>,
    /// Processor threads of one training.
    #[serde(default = "one")]
    pub threads: usize,
    /// Whether a child starts from its parent's weights wherever name and shape agree.
    #[serde(default)]
    pub inherit: bool,
    /// Where teachers and pseudo labels are kept, for several studies to share; `None` for the run folder.
    #[serde(default)]
    pub home: Option<PathBuf>,
}

/// A teacher: one that is taught when it is needed, or one that is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Tutor {
    /// Taught before the first trial.
    Taught(Box<Course>),
    /// The folder of one that `must teach` made, or the RON file that describes an ONNX file.
    At {
        /// The folder or file.
        path: PathBuf,
    },
}

/// What a program over which one searches may say of a student, in spaces whose `program_type` is `Any`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pupil {
    /// The network below the heads.
    pub backbone: Backbone,
    /// Width and height in pixels of the pictures that it sees.
    pub size: (usize, usize),
    /// How it learns, in place of the evaluator's lesson.
    #[serde(default)]
    pub lesson: Option<Lesson>,
}

fn threshold() -> f32 {
    THRESHOLD
}
fn equal() -> f64 {
    1.0
}
fn pyramid() -> usize {
    32
}
fn unit() -> usize {
    50
}
fn once() -> u32 {
    1
}
fn one() -> usize {
    1
}

/// What it reports besides where children start from their parents' weights.
const INHERITED: &str = "inherited";

impl Must {
    fn names(&self) -> Vec<&'static str> {
        let tasks = self.tasks.iter().flat_map(|task| metric_names(*task)).copied();
        let transfer =
            self.transfer.iter().flat_map(|transfer| std::iter::once(TRANSFER).chain(transfer.metrics()));
        let inherited = self.inherit.then_some(INHERITED);
        tasks.chain(transfer).chain(["loss", "params", "macs"]).chain(inherited).collect()
    }
}

impl Prepare for Must {
    fn reports(&self) -> Vec<&str> {
        self.names()
    }

    #[cfg(feature = "train")]
    fn prepare(&self, _space: &Space) -> Result<Box<dyn Evaluate>, Error> {
        Ok(Box::new(school::School::new(self)?))
    }

    #[cfg(not(feature = "train"))]
    fn prepare(&self, _space: &Space) -> Result<Box<dyn Evaluate>, Error> {
        Err(Error::WithoutTraining)
    }
}

#[cfg(feature = "train")]
mod course;
#[cfg(feature = "train")]
mod school;
