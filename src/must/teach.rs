//! Trains networks by their courses, measures them, and keeps them in folders.

use std::path::Path;

use super::kept::Kept;
use super::mixture::{check_labels, in_classes};
use super::sound::{check_sound, tell_left_out};
use super::student::{Lesson, Student};
use super::teacher::{Claim, TEACHER, Taught};
use super::{Course, Hear, Mixture, MustError, News, OpenPortion};
use crate::data::{Label, SampleSource, Samples};
use crate::device::Device;
use crate::ir::Weights;
use crate::random::Seed;
use crate::trial::Metrics;

/// Bytes that samples of one set may take in memory.
const ROOM: i64 = 1 << 30;

/// How messages call what a network is measured on.
fn measured(set: &SampleSource) -> String {
    format!("the pictures to measure on ({})", set.place())
}

/// The network that a course makes, in its folder: the one that is there, or one that is trained now, from its last
/// checkpoint where it was stopped before.
///
/// # Errors
/// [`MustError::Another`] where the folder holds a network of another course, [`MustError::Busy`] where another process
/// trains there, and whatever is wrong with the course, its sets or its training.
pub fn teach(course: &Course, folder: &Path, device: Device, hear: &mut Hear) -> Result<Taught, MustError> {
    teach_from(course, folder, device, false, hear)
}

/// [`teach`], where its sets may have been `looked` through before.
pub(crate) fn teach_from(
    course: &Course,
    folder: &Path,
    device: Device,
    looked: bool,
    hear: &mut Hear,
) -> Result<Taught, MustError> {
    course.check()?;
    if let Some(taught) = Taught::of_course(folder, course)? {
        hear(&News::Taught { who: &course.name, scores: taught.scores(), again: true });
        return Ok(taught);
    }
    let Some(_claim) = Claim::take(folder)? else { return Err(MustError::Busy { path: folder.into() }) };
    // Whoever had the folder may have finished in the meantime.
    if folder.join(TEACHER).exists() {
        return teach_from(course, folder, device, looked, hear);
    }
    let mixture = kept(course.open()?);
    let student = course.student(mixture.classes.clone())?;
    student.graph()?;
    let validation = course.validation.as_ref().map(|set| held_out(set, &student)).transpose();
    let validation = validation.map_err(|error| error.of_course(&course.name))?;
    if !looked {
        mixture.look_through(hear)?;
        for (set, source) in validation.iter().zip(&course.validation) {
            tell_left_out(&**set, &source.place(), hear)?;
            check_sound(&**set, &source.place(), hear)?;
        }
    }
    let checkpoint = folder.join("checkpoint");
    let training = Training {
        who: &course.name,
        student: &student,
        lesson: &course.lesson,
        portions: &mixture.portions,
        parent: None,
        seed: Seed(course.seed),
        device,
        checkpoint: Some(&checkpoint),
    };
    let Learnt { weights, losses } = training.run(hear)?;
    let scores = match &validation {
        Some(set) => measure(&course.name, &student, &weights, &**set, device)?,
        None => Metrics::default(),
    };
    write_losses(folder, &losses)?;
    let taught = Taught::save(folder, course, &student, weights, scores)?;
    // What stays behind is never read again.
    let _ = std::fs::remove_file(&checkpoint);
    hear(&News::Taught { who: &course.name, scores: taught.scores(), again: false });
    Ok(taught)
}

/// A network's metrics on a labelled set, whose classes go by the network's names: of those tasks that it has labels of.
///
/// # Errors
/// Sets that cannot be read or have other classes, and what the network says.
pub fn score(
    taught: &Taught,
    set: &SampleSource,
    device: Device,
    hear: &mut Hear,
) -> Result<Metrics, MustError> {
    let (student, of, place) = (taught.student(), measured(set), set.place());
    let set = in_classes(set.open()?, &student.classes, &student.tasks, &of)?;
    tell_left_out(&*set, &place, hear)?;
    let metrics = measure(&taught.course().name, student, taught.weights(), &*set, device)?;
    match student.tasks.first().filter(|_| metrics.is_empty()) {
        Some(task) => Err(MustError::NoSamples { of, label: task.name(), purpose: "measure it by" }),
        None => Ok(metrics),
    }
}

/// The sets of a mixture, their samples kept in memory once they are read.
pub(crate) fn kept(mixture: Mixture) -> Mixture {
    let keep =
        |portion: OpenPortion| OpenPortion { samples: Box::new(Kept::new(portion.samples, ROOM)), ..portion };
    Mixture { portions: mixture.portions.into_iter().map(keep).collect(), ..mixture }
}

/// A set that a network is measured on, in the network's classes; it has a label for each of the network's tasks.
pub(crate) fn held_out(set: &SampleSource, student: &Student) -> Result<Box<dyn Samples>, MustError> {
    let of = measured(set);
    let set = in_classes(set.open()?, &student.classes, &student.tasks, &of)?;
    check_labels(&[&*set], &student.tasks, &of, "measure it by")?;
    Ok(Box::new(Kept::new(set, ROOM)))
}

/// What a training came to.
pub(crate) struct Learnt {
    pub weights: Weights,
    /// Of each step the loss of each task that its batch had labels of.
    pub losses: Vec<Vec<(Label, f64)>>,
}

/// Writes `losses.csv`: a row a step, a column a task; empty where no sample of the batch had a label.
fn write_losses(folder: &Path, losses: &[Vec<(Label, f64)>]) -> Result<(), MustError> {
    let met = |task: &Label| losses.iter().flatten().any(|(other, _)| other == task);
    let tasks: Vec<Label> = Label::ALL.into_iter().filter(met).collect();
    let names = tasks.iter().map(|task| task.name());
    let mut text = std::iter::once("step").chain(names).collect::<Vec<_>>().join(",") + "\n";
    for (step, losses) in losses.iter().enumerate() {
        let of = |task: &Label| losses.iter().find(|(other, _)| other == task);
        let cells = tasks.iter().map(|task| of(task).map_or(String::new(), |(_, loss)| format!("{loss:.6}")));
        text += &(std::iter::once((step + 1).to_string()).chain(cells).collect::<Vec<_>>().join(",") + "\n");
    }
    let path = folder.join("losses.csv");
    std::fs::write(&path, text).map_err(MustError::io(&path))
}

/// One training of one network.
pub(crate) struct Training<'a> {
    pub who: &'a str,
    pub student: &'a Student,
    pub lesson: &'a Lesson,
    pub portions: &'a [OpenPortion],
    pub parent: Option<&'a Weights>,
    pub seed: Seed,
    pub device: Device,
    pub checkpoint: Option<&'a Path>,
}

#[cfg(feature = "train")]
mod real {
    use super::*;
    use crate::nn::{self, NnError, StudentTraining};

    /// Pictures that predictions are asked for at once.
    const LOOKING: usize = 32;

    impl Training<'_> {
        /// Trains, telling every step.
        pub(crate) fn run(&self, hear: &mut Hear) -> Result<Learnt, MustError> {
            let Training { who, student, lesson, parent, seed, device, checkpoint, .. } = *self;
            let sources: Vec<nn::Source> = self
                .portions
                .iter()
                .map(|portion| nn::Source { samples: &*portion.samples, share: portion.share })
                .collect();
            let training =
                StudentTraining { student, lesson, sources: &sources, parent, seed, device, checkpoint };
            let trained = training.run(&mut |step: &nn::Step| {
                let loss = step.losses.iter().map(|(_, loss)| loss).sum();
                hear(&News::Step { who, step: step.number, steps: lesson.steps, loss })
            });
            let learnt = |trained: nn::TrainedStudent| Learnt {
                weights: trained.weights,
                losses: trained.curve.into_iter().map(|step| step.losses).collect(),
            };
            trained.map(learnt).map_err(|error| said(who, error))
        }
    }

    /// A network's metrics on a set.
    pub(crate) fn measure(
        who: &str,
        student: &Student,
        weights: &Weights,
        set: &dyn Samples,
        device: Device,
    ) -> Result<Metrics, MustError> {
        let mut judge = crate::must::Judge::new(&student.tasks, &student.classes);
        let all: Vec<usize> = (0..set.len()).collect();
        for some in all.chunks(LOOKING) {
            let samples = some.iter().map(|index| set.sample(*index)).collect::<Result<Vec<_>, _>>()?;
            let pictures: Vec<_> = samples.iter().map(|sample| sample.picture.clone()).collect();
            let found = nn::predict(student, weights, &pictures, device).map_err(|error| said(who, error))?;
            samples.iter().zip(&found).for_each(|(sample, found)| judge.add(sample, found));
        }
        Ok(judge.metrics())
    }

    fn said(who: &str, error: NnError) -> MustError {
        match error {
            NnError::Stopped => MustError::Stopped,
            NnError::Sample(problem) => MustError::Sample(problem),
            other => MustError::Training { who: who.into(), problem: other.to_string() },
        }
    }
}

#[cfg(not(feature = "train"))]
mod real {
    use super::*;

    impl Training<'_> {
        /// Refuses: there is nothing to train with.
        pub(crate) fn run(&self, _hear: &mut Hear) -> Result<Learnt, MustError> {
            let Training { who, student, lesson, portions, parent, seed, device, checkpoint } = *self;
            let _ = (who, student, lesson, portions, parent, seed, device, checkpoint);
            Err(MustError::Without { what: "training", feature: "train" })
        }
    }

    /// Refuses: there is nothing to predict with.
    pub(crate) fn measure(
        _who: &str,
        _student: &Student,
        _weights: &Weights,
        _set: &dyn Samples,
        _device: Device,
    ) -> Result<Metrics, MustError> {
        Err(MustError::Without { what: "training", feature: "train" })
    }
}

pub(crate) use real::measure;
