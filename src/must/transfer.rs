//! What a network's features are worth for tasks that they were not made for: a short training on held-out sets, of the
//! heads alone or of everything.
//!
//! As in section 4 of *Multi-Task Self-Training* (Ghiasi, Zoph et al. 2021, <https://arxiv.org/abs/2108.11353>): the
//! network goes on to small labelled sets of each task, with new heads. Each task is summed up by one metric in [0, 1];
//! the transfer score is the mean of what each gains over a fixed reference.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::course::check_tasks;
use super::scores::metric_names;
use super::student::{Lesson, Student};
use super::teach::{Training, held_out, kept, measure};
use super::{Backbone, Hear, Mixture, MustError, Portion};
use crate::data::{Classes, Label, SampleSource, Samples};
use crate::device::Device;
use crate::error::SpaceError;
use crate::ir::Weights;
use crate::random::{Seed, fnv1a};
use crate::symbolic::{Sources, from_value, to_value};
use crate::trial::Metrics;

/// The score's name among metrics.
pub const TRANSFER: &str = "transfer";

/// How a transfer score is taken.
///
/// ```
/// use cellwright::must::Transfer;
///
/// let transfer = Transfer::from_ron("transfer.ron", r#"Transfer(
///     sets: [(tasks: [Class, Depth], train: Scenes(count: 50, seed: 8), test: Scenes(count: 50, seed: 9))],
///     lesson: (steps: 60, frozen: true),
///     reference: Scores({"accuracy": 0.4, "depth_delta": 0.6}),
/// )"#)?;
/// assert_eq!(transfer.metrics(), ["transfer_accuracy", "transfer_depth_delta"]);
/// # Ok::<(), cellwright::error::SpaceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// The held-out sets; each task stands in one of them.
    pub sets: Vec<TaskSet>,
    /// How long and how the network learns there. With `frozen: true` its backbone stays as it is: a probe.
    pub lesson: Lesson,
    /// What gains are counted from.
    pub reference: Reference,
    /// The source of all randomness: the same for all networks, so that they are compared on equal terms.
    #[serde(default)]
    pub seed: u64,
}

/// A held-out set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSet {
    /// What is learned of it, together.
    pub tasks: Vec<Label>,
    /// What from.
    pub train: SampleSource,
    /// What it is measured on.
    pub test: SampleSource,
}

/// What gains are counted from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reference {
    /// These scores, by the names of the tasks' first metrics.
    Scores(Metrics),
    /// What this network comes to from random weights on the same sets, by the same lesson, its backbone learning too.
    Scratch {
        /// The network below the heads.
        backbone: Box<Backbone>,
        /// Width and height in pixels of the pictures that it sees.
        size: (usize, usize),
        /// Channels of its feature pyramid.
        #[serde(default = "pyramid")]
        pyramid: usize,
    },
}

fn pyramid() -> usize {
    32
}

impl Transfer {
    /// How a transfer score is taken, from a file's text; `label` is its path, for messages.
    ///
    /// # Errors
    /// What is wrong with the text, with its place.
    pub fn from_ron(label: &str, text: &str) -> Result<Transfer, SpaceError> {
        let mut sources = Sources::default();
        let tree = sources.read(label, text)?;
        from_value(&tree).map_err(|error| SpaceError::from_program(&error, &sources))
    }

    /// How a transfer score is taken, from a file.
    ///
    /// # Errors
    /// [`MustError::Io`], and what is wrong with the text, with its place.
    pub fn load(path: &Path) -> Result<Transfer, MustError> {
        let text = std::fs::read_to_string(path).map_err(MustError::io(path))?;
        Ok(Transfer::from_ron(&path.display().to_string(), &text)?)
    }

    /// The names of the metrics that it gives besides [`TRANSFER`].
    pub fn metrics(&self) -> Vec<&'static str> {
        self.tasks().map(transferred).collect()
    }

    /// The held-out sets, to learn from and to measure on.
    pub fn sources(&self) -> Vec<&SampleSource> {
        self.sets.iter().flat_map(|set| [&set.train, &set.test]).collect()
    }

    fn tasks(&self) -> impl Iterator<Item = Label> {
        self.sets.iter().flat_map(|set| set.tasks.iter().copied())
    }

    fn check(&self) -> Result<(), MustError> {
        check_tasks(&self.tasks().collect::<Vec<_>>())?;
        let Reference::Scores(scores) = &self.reference else { return Ok(()) };
        match self.tasks().map(|task| metric_names(task)[0]).find(|name| !scores.contains_key(name)) {
            None => Ok(()),
            Some(name) => {
                let problem = format!("the transfer's `reference` says nothing of `{name}`");
                Err(MustError::settings(problem, format!("add `\"{name}\": 0.5`, or use `Scratch(..)`")))
            }
        }
    }

    /// Opens the sets.
    ///
    /// # Errors
    /// Tasks that stand twice, references that are missing, and sets that cannot be read or have nothing of their task.
    pub fn open(&self) -> Result<OpenTransfer, MustError> {
        self.check()?;
        let open = |set: &TaskSet| {
            let portion = Portion::Labelled { set: set.train.clone(), share: 1.0 };
            let mixture = kept(Mixture::open(&[portion], &set.tasks)?);
            // Only the classes and the tasks of a student matter for what it is measured on.
            let reader = Student::new(no_backbone(), (1, 1), set.tasks.clone(), mixture.classes.clone());
            let test = held_out(&set.test, &reader)?;
            Ok(OpenSet { tasks: set.tasks.clone(), train: mixture, test })
        };
        let sets = self.sets.iter().map(open).collect::<Result<_, MustError>>()?;
        Ok(OpenTransfer { transfer: self.clone(), sets })
    }
}

fn no_backbone() -> crate::architecture::Architecture {
    crate::architecture::Architecture::Sequential(Vec::new())
}

/// A task's metric on its held-out set, as metrics call it.
fn transferred(task: Label) -> &'static str {
    match task {
        Label::Class => "transfer_accuracy",
        Label::Objects => "transfer_ap50",
        Label::Segmentation => "transfer_miou",
        Label::Depth => "transfer_depth_delta",
        Label::Normals => "transfer_normals_within",
    }
}

struct OpenSet {
    tasks: Vec<Label>,
    train: Mixture,
    test: Box<dyn Samples>,
}

/// A transfer whose sets are open.
pub struct OpenTransfer {
    transfer: Transfer,
    sets: Vec<OpenSet>,
}

impl OpenTransfer {
    /// What gains are counted from, by the names of the tasks' first metrics. A network that is the reference is trained
    /// once, and what it came to kept in this folder.
    ///
    /// # Errors
    /// What its training says, and a folder that cannot be written.
    pub fn reference(&self, folder: &Path, device: Device, hear: &mut Hear) -> Result<Metrics, MustError> {
        let (backbone, size, pyramid) = match &self.transfer.reference {
            Reference::Scores(scores) => return Ok(scores.clone()),
            Reference::Scratch { backbone, size, pyramid } => (backbone, *size, *pyramid),
        };
        let text = to_value(&self.transfer).map(|transfer| transfer.pretty()).unwrap_or_default();
        let path = folder.join(format!("reference-{:016x}.ron", fnv1a(text.as_bytes())));
        if let Ok(kept) = std::fs::read_to_string(&path) {
            return kept_scores(&path, &kept);
        }
        let student = Student::new(backbone.architecture()?, size, Vec::new(), Classes::default());
        let scores = self.scores(&Student { pyramid, ..student }, None, device, hear)?;
        std::fs::create_dir_all(folder).map_err(MustError::io(folder))?;
        let text = to_value(&scores).map(|scores| scores.pretty()).unwrap_or_default();
        // Written beside its place and then moved there: it is whole or it is not there.
        let beside = path.with_extension("new");
        std::fs::write(&beside, text + "\n").map_err(MustError::io(&beside))?;
        std::fs::rename(&beside, &path).map_err(MustError::io(&path))?;
        Ok(scores)
    }

    /// What a trained network comes to: [`TRANSFER`], and each task's metric.
    ///
    /// # Errors
    /// What a training says.
    pub fn run(
        &self,
        student: &Student,
        weights: &Weights,
        reference: &Metrics,
        device: Device,
        hear: &mut Hear,
    ) -> Result<Metrics, MustError> {
        let scores = self.scores(student, Some(&without_heads(weights)), device, hear)?;
        let gains = scores.iter().map(|(name, score)| score - reference.get(name).copied().unwrap_or(0.0));
        let mean = gains.sum::<f64>() / scores.len().max(1) as f64;
        let named = self
            .transfer
            .tasks()
            .filter_map(|task| Some((transferred(task).to_string(), *scores.get(metric_names(task)[0])?)));
        Ok(std::iter::once((TRANSFER.to_string(), mean)).chain(named).collect())
    }

    /// Each task's first metric on its held-out set.
    fn scores(
        &self,
        student: &Student,
        parent: Option<&Weights>,
        device: Device,
        hear: &mut Hear,
    ) -> Result<Metrics, MustError> {
        let frozen = self.transfer.lesson.frozen && parent.is_some();
        let lesson = Lesson { frozen, ..self.transfer.lesson.clone() };
        let mut scores = Metrics::default();
        for (number, set) in self.sets.iter().enumerate() {
            let classes = set.train.classes.clone();
            let student = Student { tasks: set.tasks.clone(), classes, ..student.clone() };
            let training = Training {
                who: TRANSFER,
                student: &student,
                lesson: &lesson,
                portions: &set.train.portions,
                parent,
                seed: Seed(self.transfer.seed).derive(number as u64, TRANSFER),
                device,
                checkpoint: None,
            };
            let weights = training.run(hear)?.weights;
            let metrics = measure(TRANSFER, &student, &weights, &*set.test, device)?;
            let firsts = set.tasks.iter().map(|task| metric_names(*task)[0]);
            scores.extend(firsts.map(|name| (name.to_string(), metrics.get(name).copied().unwrap_or(0.0))));
        }
        Ok(scores)
    }
}

/// What heads' names begin with; the classifier is the backbone's own.
const HEADS: [&str; 2] = ["heads/", "head/"];

/// The scores of a reference that was kept.
fn kept_scores(path: &Path, text: &str) -> Result<Metrics, MustError> {
    let mut sources = Sources::default();
    let tree = sources.read(&path.display().to_string(), text)?;
    Ok(from_value(&tree).map_err(|error| SpaceError::from_program(&error, &sources))?)
}

/// What a network brings to other tasks: all but its heads.
fn without_heads(weights: &Weights) -> Weights {
    let kept = weights.iter().filter(|(name, _)| !HEADS.iter().any(|head| name.starts_with(head)));
    kept.map(|(name, values)| (name.clone(), values.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let transfer: Transfer = from_value(&text.parse().unwrap()).unwrap();
        transfer.open().err().unwrap().to_string()
    }

    #[test]
    fn what_cannot_be_compared_is_told() {
        let set = |tasks: &str| {
            format!(
                "(tasks: [{tasks}], train: Scenes(count: 2, width: 8, height: 8), test: Scenes(count: 2, width: 8, height: 8))"
            )
        };
        let with = |sets: String, reference: &str| {
            told(&format!("(sets: [{sets}], lesson: (steps: 1), reference: Scores({{{reference}}}))"))
        };
        insta::assert_snapshot!(with(set("Depth"), "\"accuracy\": 0.1"), @r#"
        the transfer's `reference` says nothing of `depth_delta`
          hint: add `"depth_delta": 0.5`, or use `Scratch(..)`
        "#);
        let twice = with(format!("{}, {}", set("Depth"), set("Depth")), "");
        assert!(twice.starts_with("`tasks` names depth twice"), "{twice}");
    }

    #[test]
    fn heads_stay_behind() {
        let weights: Weights = ["stem/weight", "pyramid/0/weight", "heads/depth/weight", "head/linear/bias"]
            .map(|name| (name.into(), (vec![], vec![1.0])))
            .into();
        let kept: Vec<String> = without_heads(&weights).into_keys().collect();
        assert_eq!(kept, ["stem/weight", "pyramid/0/weight"]);
    }
}
