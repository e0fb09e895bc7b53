//! Pseudo labels on disk: written once, read by every student.
//!
//! A folder of two files. `labels.ron` says in words what the labels are: of which pictures, by which teachers, above which
//! threshold, of which classes. `labels.bin` is one record a picture, only ever appended to: its length, its checksum, the
//! picture's name and labels. A process that is killed loses at most the record that it was writing; the next one cuts that
//! off and goes on. Records are in the order in which they were written, and are found by their picture's name.

mod error;
mod file;
mod half;
mod labels;
mod record;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::classes::{Tables, union};
use crate::data::{Classes, DataError, Label, Place, Sample, SampleSource, Samples};
use crate::random::fnv1a;
use crate::symbolic::to_value;
pub use error::StoreError;
use file::{Entry, Log};
pub use labels::{Predictions, PseudoLabels};

/// Who labelled what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Teacher {
    /// Its name.
    pub name: String,
    /// FNV-1a of its file's bytes, in 16 hexadecimal digits: tells files apart, proves nothing.
    pub hash: String,
    /// What it labels.
    pub labels: Vec<Label>,
}

impl Teacher {
    /// The teacher whose network and weights are in this file.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn of_file(name: &str, path: &Path, labels: Vec<Label>) -> Result<Teacher, StoreError> {
        let bytes = std::fs::read(path).map_err(StoreError::io(path))?;
        Ok(Teacher { name: name.into(), hash: format!("{:016x}", fnv1a(&bytes)), labels })
    }
}

/// What a store's labels are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreHeader {
    /// The pictures.
    pub pictures: SampleSource,
    /// The names of the teachers' classes.
    pub classes: Classes,
    /// Who labelled them; no two label the same.
    pub teachers: Vec<Teacher>,
    /// Objects and pixels with a lower score are ignored; objects of less than half of it were left out.
    pub threshold: f32,
}

/// The version of the layout, the first word of `labels.ron`.
const LAYOUT: &str = "// cellwright pseudo labels, layout 1\n";

/// Pseudo labels being written.
///
/// ```
/// use cellwright::data::{Classes, Label, SampleSource, Scenes};
/// use cellwright::must::store::{PseudoLabels, Store, StoreHeader, StoreWriter, Teacher};
///
/// let pictures = SampleSource::Scenes(Scenes { count: 2, width: 16, height: 16, ..Scenes::default() });
/// let classes = Classes { pictures: vec!["round".into(), "square".into()], ..Classes::default() };
/// let teacher = Teacher { name: "shapes".into(), hash: "5e1f".into(), labels: vec![Label::Class] };
/// let header = StoreHeader { pictures, classes, teachers: vec![teacher], threshold: 0.5 };
///
/// let folder = tempfile::tempdir()?;
/// let mut writer = StoreWriter::open(folder.path(), &header)?;
/// for name in ["000000", "000001"].into_iter().filter(|name| !writer.has(name)).collect::<Vec<_>>() {
///     writer.add(name, &PseudoLabels { class: Some(vec![0.8, 0.2]), ..PseudoLabels::default() })?;
/// }
/// drop(writer);
/// let store = Store::open(folder.path())?;
/// assert_eq!(store.labels("000001")?.class, Some(vec![0.8, 0.2]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct StoreWriter {
    log: Log,
    there: HashMap<String, Entry>,
}

impl StoreWriter {
    /// A new store, or one to go on with: a record that was cut off by a kill is removed.
    ///
    /// # Errors
    /// [`StoreError::Another`] where the folder holds labels of another teacher, other pictures or another threshold;
    /// [`StoreError::Damaged`] where anything but its end is broken; [`StoreError::Busy`] where another process writes it.
    pub fn open(folder: &Path, header: &StoreHeader) -> Result<StoreWriter, StoreError> {
        std::fs::create_dir_all(folder).map_err(StoreError::io(folder))?;
        let described = folder.join("labels.ron");
        let log = Log::append(&folder.join("labels.bin"))?;
        match described.exists() {
            true => check_same(&described, &read_header(&described)?, header)?,
            false => write_header(&described, header)?,
        }
        let there = log.entries(true)?;
        Ok(StoreWriter { log, there })
    }

    /// Whether a picture is labelled.
    pub fn has(&self, name: &str) -> bool {
        self.there.contains_key(name)
    }

    /// How many pictures are labelled.
    pub fn len(&self) -> usize {
        self.there.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.there.is_empty()
    }

    /// Adds a picture's labels. Once this returns, killing the process does not lose them.
    ///
    /// # Errors
    /// A picture that is labelled already, and what the system refuses.
    pub fn add(&mut self, name: &str, labels: &PseudoLabels) -> Result<(), StoreError> {
        if self.has(name) {
            return Err(StoreError::Twice { path: self.log.path().into(), name: name.into() });
        }
        let bytes = record::encode(name, labels).map_err(StoreError::io(self.log.path()))?;
        let entry = self.log.add(&bytes)?;
        self.there.insert(name.into(), entry);
        Ok(())
    }
}

/// Pseudo labels to read.
#[derive(Debug)]
pub struct Store {
    header: StoreHeader,
    log: Log,
    there: HashMap<String, Entry>,
}

impl Store {
    /// Opens what was written, finished or not.
    ///
    /// # Errors
    /// [`StoreError`] with the file and what to do.
    pub fn open(folder: &Path) -> Result<Store, StoreError> {
        let header = read_header(&folder.join("labels.ron"))?;
        let log = Log::read(&folder.join("labels.bin"))?;
        let there = log.entries(false)?;
        Ok(Store { header, log, there })
    }

    /// What the labels are.
    pub fn header(&self) -> &StoreHeader {
        &self.header
    }

    /// How many pictures are labelled.
    pub fn len(&self) -> usize {
        self.there.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.there.is_empty()
    }

    /// Whether a picture is labelled.
    pub fn has(&self, name: &str) -> bool {
        self.there.contains_key(name)
    }

    /// A picture's labels.
    ///
    /// # Errors
    /// A picture that is not labelled, and a record that was changed after it was written.
    pub fn labels(&self, name: &str) -> Result<PseudoLabels, StoreError> {
        let entry = self.there.get(name).ok_or_else(|| StoreError::NoStore {
            path: self.log.path().into(),
            problem: format!("no picture `{name}` is labelled here, {} others are", self.there.len()),
        })?;
        let bytes = self.log.bytes(entry)?;
        let damaged = || self.log.damaged(entry.offset, "it is no record of labels");
        record::decode(&bytes).map(|(_, labels)| labels).ok_or_else(damaged)
    }

    /// Checks that every picture is labelled.
    ///
    /// # Errors
    /// [`StoreError::Incomplete`], naming one that is not.
    pub fn check_complete(&self, pictures: &dyn Samples) -> Result<(), StoreError> {
        let missing: Vec<String> =
            (0..pictures.len()).map(|index| pictures.name(index)).filter(|name| !self.has(name)).collect();
        match missing.first() {
            None => Ok(()),
            Some(first) => Err(StoreError::Incomplete {
                path: self.log.path().into(),
                there: pictures.len() - missing.len(),
                pictures: pictures.len(),
                missing: first.clone(),
            }),
        }
    }

    /// The store's pictures with its labels, as a set like any other; labels that the pictures have of their own stay.
    ///
    /// # Errors
    /// Pictures that cannot be opened, and [`StoreError::Incomplete`].
    pub fn into_samples(self) -> Result<LabelledSamples, StoreError> {
        let pictures = self.header.pictures.open()?;
        self.labelled(pictures)
    }

    fn labelled(self, pictures: Box<dyn Samples>) -> Result<LabelledSamples, StoreError> {
        self.check_complete(&*pictures)?;
        let indices = (0..pictures.len()).collect();
        let both = Both::of(pictures.classes(), &self.header.classes, self.log.path())?;
        Ok(LabelledSamples { pictures, store: self, indices, own: Some(both) })
    }

    /// The pictures that are labelled so far, with the teachers' labels alone.
    ///
    /// # Errors
    /// Pictures that cannot be opened, and [`StoreError::Incomplete`] where none is labelled yet.
    pub fn into_pseudo_labels(self) -> Result<LabelledSamples, StoreError> {
        let pictures = self.header.pictures.open()?;
        let indices: Vec<usize> =
            (0..pictures.len()).filter(|&index| self.has(&pictures.name(index))).collect();
        if indices.is_empty() {
            self.check_complete(&*pictures)?;
        }
        Ok(LabelledSamples { pictures, store: self, indices, own: None })
    }
}

/// Pictures with their pseudo labels.
pub struct LabelledSamples {
    pictures: Box<dyn Samples>,
    store: Store,
    /// Of the pictures that are labelled.
    indices: Vec<usize>,
    /// Where labels that the pictures have of their own stay: one list of classes for both.
    own: Option<Both>,
}

/// The classes of pictures and of their teachers, each of which numbers its own.
struct Both {
    classes: Classes,
    pictures: Tables,
    teachers: Tables,
}

impl Both {
    /// By name, the teachers' first.
    fn of(pictures: &Classes, teachers: &Classes, store: &Path) -> Result<Both, StoreError> {
        let classes = union([teachers, pictures].into_iter(), &Label::ALL);
        let table = |own: &Classes, of: String| {
            Tables::between(own, &classes, &Label::ALL, &of).map_err(|unknown| StoreError::NoStore {
                path: store.into(),
                problem: format!("`{}` is no class of pictures or teachers", unknown.class),
            })
        };
        let pictures = table(pictures, format!("the own labels of the pictures of {}", store.display()))?;
        let teachers = table(teachers, store.display().to_string())?;
        Ok(Both { classes, pictures, teachers })
    }
}

impl Samples for LabelledSamples {
    fn len(&self) -> usize {
        self.indices.len()
    }

    /// Where the pictures' own labels stay, those of the pictures and of the teachers together.
    fn classes(&self) -> &Classes {
        self.own.as_ref().map_or(&self.store.header.classes, |both| &both.classes)
    }

    fn name(&self, index: usize) -> String {
        self.pictures.name(self.indices[index])
    }

    fn sample(&self, index: usize) -> Result<Sample, DataError> {
        let path = self.store.log.path();
        let wrong = |problem: String| {
            DataError::label(path, Place::Whole, problem, "run `must label` again in another folder")
        };
        let sample = self.pictures.sample(self.indices[index])?;
        let labels = self.store.labels(&sample.name).map_err(|error| wrong(error.to_string()))?;
        let misfit = |problem: String| wrong(format!("picture `{}`: {problem}", sample.name));
        labels.check_size(sample.size()).map_err(misfit)?;
        let mut told = labels.alone();
        told.name.clone_from(&sample.name);
        match &self.own {
            None => Ok(sample.only(&[]).or(told)),
            Some(both) => Ok(both.pictures.tell(sample)?.or(both.teachers.tell(told)?)),
        }
    }

    fn left_out(&self) -> &[(String, String)] {
        self.pictures.left_out()
    }

    fn listed(&self) -> usize {
        self.pictures.listed()
    }
}

fn read_header(path: &PathBuf) -> Result<StoreHeader, StoreError> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(StoreError::NoStore { path: path.clone(), problem: "it is not there".into() });
        }
        read => read.map_err(StoreError::io(path))?,
    };
    let problem = |problem: String| StoreError::NoStore { path: path.clone(), problem };
    // What is written ends with the parenthesis that it begins with.
    let begun = LAYOUT.starts_with(&text) || text.starts_with(LAYOUT);
    if begun && (text.len() <= LAYOUT.len() || !text.trim_end().ends_with(')')) {
        return Err(StoreError::Cut { path: path.clone(), end: text.len() });
    }
    if !text.starts_with(LAYOUT) {
        return Err(problem(format!("it does not begin with `{}`", LAYOUT.trim_end())));
    }
    ron::from_str(&text).map_err(|error| problem(error.to_string()))
}

/// Written beside its place and then moved there: it is whole or it is not there.
fn write_header(path: &Path, header: &StoreHeader) -> Result<(), StoreError> {
    let text = ron::Options::default()
        .to_string_pretty(header, ron::ser::PrettyConfig::default())
        .map_err(|error| StoreError::NoStore { path: path.into(), problem: error.to_string() })?;
    let beside = path.with_extension("ron.new");
    std::fs::write(&beside, format!("{LAYOUT}{text}\n")).map_err(StoreError::io(&beside))?;
    std::fs::rename(&beside, path).map_err(StoreError::io(path))
}

fn check_same(path: &Path, there: &StoreHeader, asked: &StoreHeader) -> Result<(), StoreError> {
    let difference = if there.pictures != asked.pictures {
        let words = |pictures: &SampleSource| {
            to_value(pictures).map_or_else(|_| pictures.place(), |pictures| pictures.to_string())
        };
        format!("pictures {}, not {}", words(&there.pictures), words(&asked.pictures))
    } else if there.teachers != asked.teachers {
        let told = |teachers: &[Teacher]| {
            let one = |teacher: &Teacher| format!("`{}` ({})", teacher.name, teacher.hash);
            teachers.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        format!("by {}, not by {}", told(&there.teachers), told(&asked.teachers))
    } else if there.threshold != asked.threshold {
        format!("above the threshold {}, not {}", there.threshold, asked.threshold)
    } else if there.classes != asked.classes {
        "their classes have other names".into()
    } else {
        return Ok(());
    };
    Err(StoreError::Another { path: path.into(), difference })
}

#[cfg(test)]
mod tests;
