//! A network of ours that learned something, in its folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::store::{Predictions, Teacher};
use super::super::student::Student;
use super::super::{Course, MustError};
use super::{Labeller, weights};
use crate::data::{Classes, Picture};
use crate::device::Device;
use crate::error::SpaceError;
use crate::ir::Weights;
use crate::random::fnv1a;
use crate::symbolic::{Sources, from_value, to_value};
use crate::trial::Metrics;

/// What the folder says of the network.
pub(crate) const TEACHER: &str = "teacher.ron";
/// Its weights.
const WEIGHTS: &str = "weights.safetensors";
/// The version of the layout, the first line of `teacher.ron`.
const LAYOUT: &str = "// cellwright teacher, layout 1\n";

/// What `teacher.ron` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    /// What it was taught.
    course: Course,
    /// Whose pseudo labels it learned from, a text for each portion that has any.
    labels: Vec<Option<String>>,
    /// The network.
    student: Student,
    /// How it did on the course's validation set.
    scores: Metrics,
    /// FNV-1a of the weights' file.
    weights: String,
}

/// A trained network with all that is known of it.
#[derive(Clone, Debug)]
pub struct Taught {
    folder: PathBuf,
    description: Description,
    weights: Weights,
    teacher: Teacher,
}

impl Taught {
    /// Writes a trained network: first its weights, then what is said of them, each in one piece.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn save(
        folder: &Path,
        course: &Course,
        student: &Student,
        weights: Weights,
        scores: Metrics,
    ) -> Result<Taught, MustError> {
        std::fs::create_dir_all(folder).map_err(MustError::io(folder))?;
        let path = folder.join(WEIGHTS);
        let bytes = weights::encode(&path, &weights)?;
        write_whole(&path, &bytes)?;
        let (course, student) = (course.clone(), student.clone());
        let labels = identities(&course)?;
        let description = Description { course, labels, student, scores, weights: hash(&bytes) };
        write_whole(&folder.join(TEACHER), description.text(folder)?.as_bytes())?;
        Ok(Taught { folder: folder.into(), teacher: description.teacher(), description, weights })
    }

    /// The network of a folder.
    ///
    /// # Errors
    /// [`MustError::NoTeacher`] where the folder holds none, a damaged one, or weights of another network.
    pub fn open(folder: &Path) -> Result<Taught, MustError> {
        let description = Description::read(&folder.join(TEACHER))?;
        let path = folder.join(WEIGHTS);
        let bytes = std::fs::read(&path).map_err(MustError::io(&path))?;
        let weights = weights::decode(&path, &bytes)?;
        weights::check(&path, &description.student.graph()?, &weights)?;
        if hash(&bytes) != description.weights {
            let problem = format!("its hash is {}, {TEACHER} says {}", hash(&bytes), description.weights);
            let hint = "put the right file back, or remove the folder to train the network anew";
            return Err(MustError::no_teacher(&path, problem, hint));
        }
        Ok(Taught { folder: folder.into(), teacher: description.teacher(), description, weights })
    }

    /// The network of a folder if it was taught this course; `None` where nothing was finished there.
    ///
    /// # Errors
    /// [`MustError::Another`] where another network is there, and as [`Taught::open`].
    pub fn of_course(folder: &Path, course: &Course) -> Result<Option<Taught>, MustError> {
        if !folder.join(TEACHER).exists() {
            return Ok(None);
        }
        let taught = Taught::open(folder)?;
        match taught.description.difference(course)? {
            None => Ok(Some(taught)),
            Some(difference) => Err(MustError::Another { path: folder.join(TEACHER), difference }),
        }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it was taught.
    pub fn course(&self) -> &Course {
        &self.description.course
    }

    /// The network.
    pub fn student(&self) -> &Student {
        &self.description.student
    }

    /// Its weights.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// How it did on its course's validation set.
    pub fn scores(&self) -> &Metrics {
        &self.description.scores
    }
}

impl Labeller for Taught {
    fn described(&self) -> &Teacher {
        &self.teacher
    }

    fn classes(&self) -> &Classes {
        &self.description.student.classes
    }

    #[cfg(feature = "train")]
    fn label(&self, pictures: &[Picture], device: Device) -> Result<Vec<Predictions>, MustError> {
        crate::nn::predict(self.student(), &self.weights, pictures, device).map_err(|error| {
            MustError::Training { who: self.teacher.name.clone(), problem: error.to_string() }
        })
    }

    #[cfg(not(feature = "train"))]
    fn label(&self, _pictures: &[Picture], _device: Device) -> Result<Vec<Predictions>, MustError> {
        Err(MustError::Without { what: "training", feature: "train" })
    }
}

impl Description {
    fn read(path: &Path) -> Result<Description, MustError> {
        let hint = "name a folder that `must teach` or `must train` wrote";
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(MustError::no_teacher(path, "it is not there", hint));
            }
            read => read.map_err(MustError::io(path))?,
        };
        if !text.starts_with(LAYOUT) {
            let problem = format!("it does not begin with `{}`", LAYOUT.trim_end());
            return Err(MustError::no_teacher(path, problem, hint));
        }
        let mut sources = Sources::default();
        let tree = sources.read(&path.display().to_string(), &text)?;
        Ok(from_value(&tree).map_err(|error| SpaceError::from_program(&error, &sources))?)
    }

    fn text(&self, folder: &Path) -> Result<String, MustError> {
        let value = to_value(self);
        let value = value.map_err(|problem| {
            MustError::no_teacher(&folder.join(TEACHER), problem.to_string(), "please report this")
        })?;
        Ok(format!("{LAYOUT}{}\n", value.pretty()))
    }

    fn teacher(&self) -> Teacher {
        Teacher {
            name: self.course.name.clone(),
            hash: self.weights.clone(),
            labels: self.student.tasks.clone(),
        }
    }

    /// What of a course is not as it is here.
    fn difference(&self, asked: &Course) -> Result<Option<String>, MustError> {
        let there = &self.course;
        let backbone = self.student.backbone != asked.backbone.architecture()?;
        let differs = [
            ("another architecture", backbone || there.pyramid != asked.pyramid || there.size != asked.size),
            ("other tasks", there.tasks != asked.tasks),
            ("other sets to learn from", there.sources != asked.sources),
            ("another validation set", there.validation != asked.validation),
            ("another lesson", there.lesson != asked.lesson),
            ("another seed", there.seed != asked.seed),
        ];
        if let Some((what, _)) = differs.iter().find(|(_, differs)| *differs) {
            return Ok(Some(format!("it was taught with {what}")));
        }
        let labels = identities(asked)?;
        let changed = self.labels.iter().zip(&labels).find(|(there, asked)| there != asked);
        Ok(changed.map(|(there, asked)| {
            let told = |labels: &Option<String>| labels.clone().unwrap_or_else(|| "nobody".into());
            format!("it learned from the pseudo labels of {}, not of {}", told(there), told(asked))
        }))
    }
}

fn identities(course: &Course) -> Result<Vec<Option<String>>, MustError> {
    course.sources.iter().map(|portion| portion.identity()).collect()
}

fn hash(bytes: &[u8]) -> String {
    format!("{:016x}", fnv1a(bytes))
}

/// Written beside its place and then moved there: it is whole or it is not there.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), MustError> {
    let beside = path.with_extension("new");
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&beside, path)).map_err(MustError::io(path))
}

/// A folder that one process alone trains in, as long as this lives.
pub(crate) struct Claim {
    file: File,
}

impl Claim {
    /// Takes the folder, which is made where it is not there; `None` where another process has it.
    pub fn take(folder: &Path) -> Result<Option<Claim>, MustError> {
        std::fs::create_dir_all(folder).map_err(MustError::io(folder))?;
        let path = folder.join("lock");
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(MustError::io(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Claim { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(MustError::Io { path, source }),
        }
    }
}

impl Drop for Claim {
    /// Closing the file would free the lock too, but not while a process that is just being started still has a copy.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests;
