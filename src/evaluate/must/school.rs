//! The evaluator behind [`Must`](super::Must): what all students share, made once, and the students.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::course::Schooling;
use super::{Must, Tutor};
use crate::data::{Classes, SampleSource, Samples};
use crate::error::Error;
use crate::evaluate::{Evaluate, Failure, Home, Inherits, Job, Outcome, Progress};
use crate::must::store::Teacher;
use crate::must::student::Student;
use crate::must::teacher::{self, Labeller, TEACHER};
use crate::must::{
    Course, Hear, Labelling, Mixture, MustError, News, OpenTransfer, Portion, Transfer, check_different,
    check_lesson, check_tasks, check_threshold, held_out, kept, look_through, teach_from, union,
};
use crate::panics;
use crate::trial::Metrics;

/// How long another process may hold the folder of what all students share before this one says so again.
const PATIENCE: Duration = Duration::from_millis(500);

/// Finds out what backbones learn of everything.
pub(super) struct School {
    pub config: Must,
    ready: OnceLock<Ready>,
}

/// What all students share.
pub(super) struct Ready {
    /// Where it is kept.
    pub folder: PathBuf,
    /// What students learn from.
    pub mixture: Mixture,
    /// The same as words, for the files of students that are kept.
    pub portions: Vec<Portion>,
    pub validation: Box<dyn Samples>,
    pub test: Option<Box<dyn Samples>>,
    pub transfer: Option<(OpenTransfer, Metrics)>,
}

impl School {
    /// Checks all that can be checked before anything is trained.
    pub fn new(config: &Must) -> Result<School, Error> {
        School::check(config)?;
        Ok(School { config: config.clone(), ready: OnceLock::new() })
    }

    fn check(config: &Must) -> Result<(), MustError> {
        check_tasks(&config.tasks)?;
        let wrong = |problem: &str, hint: &str| Err(MustError::settings(problem, hint));
        match (config.teachers.is_empty(), &config.pictures) {
            (true, Some(_)) => return wrong("`pictures` has no `teachers` to label it", "name at least one"),
            (false, None) => {
                return wrong(
                    "`teachers` have nothing to label",
                    "name their `pictures`, such as `Scenes()`",
                );
            }
            (true, None) if config.labelled.is_empty() => {
                return wrong(
                    "students have nothing to learn from",
                    "name `teachers` and `pictures`, or sets that people `labelled`",
                );
            }
            _ => {}
        }
        if config.unit == 0 || config.rounds == 0 || config.threads == 0 {
            return wrong("`unit`, `rounds` or `threads` is 0", "write at least 1");
        }
        if config.rounds > 1 && config.teachers.is_empty() {
            return wrong("`rounds` repeats what no teacher begins", "name a teacher, or leave `rounds` out");
        }
        check_lesson(&config.lesson)?;
        check_threshold(config.threshold)?;
        let opened = config.labelled.iter().map(Portion::is_pseudo);
        if opened.into_iter().any(|pseudo| pseudo) {
            return wrong("`labelled` names pseudo labels", "name the teachers, who write them anew");
        }
        let mut classes = School::check_teachers(&config.teachers)?;
        for set in config.labelled.iter().filter_map(Portion::set).chain(&config.pictures) {
            classes.push(set.open()?.classes().clone());
        }
        // Who is measured at the end should not learn only then that nothing can be measured.
        let reader = reader(config, union(classes.iter(), &config.tasks));
        held_out(&config.validation, &reader)?;
        config.test.as_ref().map(|test| held_out(test, &reader)).transpose()?;
        config.transfer.as_ref().map(|transfer| transfer.open().map(drop)).transpose()?;
        Ok(())
    }

    /// That each can be taught and measured, or is there, and that no two have one name or one task; returns the classes
    /// that each tells apart.
    fn check_teachers(tutors: &[Tutor]) -> Result<Vec<Classes>, MustError> {
        let (mut described, mut classes) = (Vec::new(), Vec::new());
        for tutor in tutors {
            match tutor {
                Tutor::At { path } => {
                    let there = teacher::open(path)?;
                    let labels = &there.described().labels;
                    classes.push(there.classes().clone().only(labels));
                    described.push(there.described().clone());
                }
                Tutor::Taught(course) => {
                    let name = course.name.clone();
                    course.check().map_err(|error| error.within(&format!("the teacher `{name}`")))?;
                    described.push(Teacher { name, hash: String::new(), labels: course.tasks.clone() });
                }
            }
        }
        check_different(described.iter())?;
        for (index, tutor) in tutors.iter().enumerate() {
            let Tutor::Taught(course) = tutor else { continue };
            let same = |other: &Tutor| matches!(other, Tutor::Taught(other) if other.name == course.name);
            if tutors[..index].iter().any(same) {
                let problem = format!("two `teachers` are called `{}`", course.name);
                return Err(MustError::settings(problem, "give each a name of its own: it is its folder's"));
            }
            let student = course.student(course.open()?.classes)?;
            student.graph()?;
            course.validation.as_ref().map(|set| held_out(set, &student)).transpose()?;
            classes.push(student.classes);
        }
        Ok(classes)
    }

    /// Looks through all sets, so that no trial fails by a file that is broken; then teaches, labels, opens: whatever
    /// students share.
    fn make(&self, home: &Home, tell: &mut dyn FnMut(&str, u64, u64) -> bool) -> Result<Ready, MustError> {
        let config = &self.config;
        let folder = config.home.clone().unwrap_or_else(|| home.folder.join("must"));
        let mut lines: Vec<String> = Vec::new();
        let claim = wait_for(&folder, tell)?;
        let hear: &mut Hear = &mut |news: &News| match *news {
            News::LeftOut { line } if lines.iter().any(|told| told == line) => true,
            News::LeftOut { line } => {
                lines.push(line.into());
                tell(line, 0, 0)
            }
            News::Looking { place, done, of, in_all } => {
                let some =
                    if of < in_all { format!(", {of} of its {in_all} samples") } else { String::new() };
                tell(&format!("reading {place} once{some}"), done as u64, of as u64)
            }
            News::Step { who, step, steps, .. } => {
                tell(&format!("teaching {who}"), step as u64, steps as u64)
            }
            News::Taught { who, scores, again } => {
                let word = if again { "is there" } else { "is taught" };
                tell(&format!("{who} {word}: {}", told(scores)), 0, 0)
            }
            News::Labelled { done, pictures } => tell("labelling", done as u64, pictures as u64),
            News::Round { .. } => true,
        };
        look_through(&self.sources(&folder), hear)?;
        let mut portions = config.labelled.clone();
        if let Some(pictures) = &config.pictures {
            let teachers = self.teachers(&folder, home, hear)?;
            let store = folder.join("labels");
            let labelling = Labelling {
                teachers: &teachers,
                pictures,
                threshold: config.threshold,
                folder: &store,
                device: home.device,
            };
            labelling.run(hear)?;
            portions.push(Portion::PseudoLabelled { store, share: config.share });
        }
        let mixture = kept(Mixture::open(&portions, &config.tasks)?);
        let reader = reader(config, mixture.classes.clone());
        let validation = held_out(&config.validation, &reader)?;
        let test = config.test.as_ref().map(|test| held_out(test, &reader)).transpose()?;
        let transfer = self.transfer(&folder, home, hear)?;
        drop(claim);
        Ok(Ready { folder, mixture, portions, validation, test, transfer })
    }

    fn teachers(
        &self,
        folder: &Path,
        home: &Home,
        hear: &mut Hear,
    ) -> Result<Vec<Box<dyn Labeller>>, MustError> {
        let one = |tutor: &Tutor| match tutor {
            Tutor::At { path } => teacher::open(path),
            Tutor::Taught(course) => {
                let place = folder.join("teachers").join(&course.name);
                Ok(Box::new(teach_from(course, &place, home.device, true, hear)?) as Box<dyn Labeller>)
            }
        };
        self.config.teachers.iter().map(one).collect()
    }

    /// All sets that anything is learned from or measured on, but those of teachers that are there already.
    fn sources(&self, folder: &Path) -> Vec<&SampleSource> {
        let config = &self.config;
        let missing = |course: &&Course| !folder.join("teachers").join(&course.name).join(TEACHER).exists();
        let courses = config.teachers.iter().filter_map(|tutor| match tutor {
            Tutor::Taught(course) => Some(&**course),
            Tutor::At { .. } => None,
        });
        let courses: Vec<&Course> = courses.filter(missing).collect();
        let taught = courses.iter().flat_map(|course| &course.sources).chain(&config.labelled);
        let taught = taught.filter_map(Portion::set);
        taught
            .chain(courses.iter().filter_map(|course| course.validation.as_ref()))
            .chain(&config.pictures)
            .chain([&config.validation])
            .chain(&config.test)
            .chain(config.transfer.iter().flat_map(Transfer::sources))
            .collect()
    }

    /// The transfer's sets, and what gains are counted from, which is kept: a training may stand behind it.
    fn transfer(
        &self,
        folder: &Path,
        home: &Home,
        hear: &mut Hear,
    ) -> Result<Option<(OpenTransfer, Metrics)>, MustError> {
        let Some(transfer) = &self.config.transfer else { return Ok(None) };
        let open = transfer.open()?;
        let reference = open.reference(folder, home.device, hear)?;
        Ok(Some((open, reference)))
    }

    pub fn ready(&self) -> Result<&Ready, Failure> {
        let missing = || Failure::Obstacle("teachers and labels are made by a study: search with one".into());
        self.ready.get().ok_or_else(missing)
    }

    fn pool(&self, threads: usize) -> Result<ThreadPool, Failure> {
        // A pool of its own keeps trainings beside each other from sharing threads, and fixes the order of their sums.
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        pool.map_err(|error| Failure::Candidate(format!("no threads to train on: {error}")))
    }
}

/// A student without a backbone: what sets are read for.
fn reader(config: &Must, classes: Classes) -> Student {
    let none = crate::architecture::Architecture::Sequential(Vec::new());
    let student = Student::new(none, (1, 1), config.tasks.clone(), classes);
    Student { pyramid: config.pyramid, ..student }
}

/// The folder of what students share, for this process alone: another study may be making the same.
fn wait_for(
    folder: &Path,
    tell: &mut dyn FnMut(&str, u64, u64) -> bool,
) -> Result<teacher::Claim, MustError> {
    loop {
        if let Some(claim) = teacher::Claim::take(folder)? {
            return Ok(claim);
        }
        if !tell("waiting for another process that makes the same", 0, 1) {
            return Err(MustError::Stopped);
        }
        std::thread::sleep(PATIENCE);
    }
}

/// Figures in one line.
fn told(scores: &Metrics) -> String {
    let one = |(name, value): (&String, &f64)| format!("{name} {value:.4}");
    scores.iter().map(one).collect::<Vec<_>>().join(", ")
}

pub(super) fn failure(error: MustError) -> Failure {
    match error {
        MustError::Stopped => Failure::Stopped,
        MustError::Training { .. } | MustError::Shape(_) => Failure::Candidate(error.to_string()),
        other => Failure::Obstacle(other.to_string()),
    }
}

impl Evaluate for School {
    fn metrics(&self) -> Vec<&str> {
        self.config.names()
    }

    fn inherits(&self) -> Inherits {
        Inherits { promotions: false, children: self.config.inherit }
    }

    fn move_in(&self, home: &Home, tell: &mut dyn FnMut(&str, u64, u64) -> bool) -> Result<(), Failure> {
        if self.ready.get().is_some() {
            return Ok(());
        }
        let ready = self.make(home, tell).map_err(|error| match error {
            MustError::Stopped => Failure::Stopped,
            other => Failure::Obstacle(other.to_string()),
        })?;
        // Nobody else sets it: a study moves in before its workers start.
        let _ = self.ready.set(ready);
        Ok(())
    }

    fn evaluate(&self, job: &Job, progress: &dyn Progress) -> Result<Outcome, Failure> {
        let ready = self.ready()?;
        let pool = self.pool(self.config.threads)?;
        let run = || pool.install(|| Schooling { school: self, ready, job, progress }.run());
        panics::catch(run).unwrap_or_else(|panic| Err(Failure::Candidate(panic)))
    }
}
