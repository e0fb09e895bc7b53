//! One student: its rounds, its figures, and what stays of it.

use std::path::PathBuf;

use super::school::{Ready, School, failure};
use super::{INHERITED, Pupil};
use crate::candidate::Candidate;
use crate::evaluate::{Failure, Job, Outcome, Progress};
use crate::ir::Weights;
use crate::must::student::{Lesson, Student};
use crate::must::teacher::{Labeller, Taught};
use crate::must::{
    Backbone, Course, Hear, Labelling, Mixture, MustError, News, Portion, Training, kept, measure,
};
use crate::nn;
use crate::random::{Seed, fnv1a};
use crate::recipe::Recipe;
use crate::symbolic::from_value;
use crate::trial::{Fidelity, Metrics};

/// One trial.
pub(super) struct Schooling<'a> {
    pub school: &'a School,
    pub ready: &'a Ready,
    pub job: &'a Job<'a>,
    pub progress: &'a dyn Progress,
}

impl Schooling<'_> {
    pub fn run(&self) -> Result<Outcome, Failure> {
        let (student, lesson) = self.student()?;
        let graph = student.graph().map_err(|error| Failure::Candidate(error.to_string()))?;
        let cost = graph.cost();
        let parent = self.job.heritage.and_then(|heritage| heritage.parent.as_deref());
        let parent =
            parent.map(nn::inherit).transpose().map_err(|error| Failure::Obstacle(error.to_string()))?;
        let inherited = parent.as_ref().map_or(0.0, |weights| nn::inherited(&graph, weights));
        let (weights, loss) = self.taught(&student, &lesson, parent.as_ref()).map_err(failure)?;
        if let Some(path) = self.job.heritage.and_then(|heritage| heritage.leave.as_deref()) {
            nn::leave(&weights, path).map_err(|error| Failure::Obstacle(error.to_string()))?;
        }
        let mut metrics = self.measured(&student, &weights).map_err(failure)?;
        let size = [("loss", loss), ("params", cost.params as f64), ("macs", cost.macs as f64)];
        let inherits = self.school.config.inherit && !self.job.last;
        let more = size.into_iter().chain(inherits.then_some((INHERITED, inherited)));
        metrics.extend(more.map(|(name, figure)| (name.to_string(), figure)));
        if self.job.last {
            self.keep(&student, &lesson, weights, &metrics).map_err(failure)?;
        }
        Ok(Outcome { metrics, trained: None })
    }

    /// The candidate as a student, and how it learns.
    fn student(&self) -> Result<(Student, Lesson), Failure> {
        let Pupil { backbone, size, lesson } = self.pupil()?;
        let config = &self.school.config;
        let backbone = backbone.architecture().map_err(|error| Failure::Candidate(error.to_string()))?;
        let classes = self.ready.mixture.classes.clone();
        let student = Student::new(backbone, size, config.tasks.clone(), classes);
        let steps = self.job.fidelity.0 as usize * config.unit;
        let lesson = Lesson { steps, ..lesson.unwrap_or_else(|| config.lesson.clone()) };
        match lesson.problem() {
            None => Ok((Student { pyramid: config.pyramid, ..student }, lesson)),
            Some(problem) => Err(Failure::Candidate(format!("`lesson`: {problem}"))),
        }
    }

    fn pupil(&self) -> Result<Pupil, Failure> {
        if let Ok(candidate) = from_value::<Candidate>(self.job.program) {
            return pupil_of(candidate);
        }
        from_value(self.job.program).map_err(|error| {
            Failure::Candidate(format!(
                "the program is neither a network for a task nor `(backbone: .., size: .., lesson: ..)`: {error}"
            ))
        })
    }

    /// The student after all rounds, and its last loss.
    fn taught(
        &self,
        student: &Student,
        lesson: &Lesson,
        parent: Option<&Weights>,
    ) -> Result<(Weights, f64), MustError> {
        let rounds = self.school.config.rounds;
        let mut taught = self.round(student, lesson, parent, &self.ready.mixture, 0)?;
        for round in 1..rounds {
            let folder = tempfile::tempdir_in(&self.ready.folder)
                .map_err(|source| MustError::Io { path: self.ready.folder.clone(), source })?;
            let mixture = self.relabelled(student, lesson, taught.0, folder.path().join("student"))?;
            taught = self.round(student, lesson, parent, &mixture, round)?;
        }
        Ok(taught)
    }

    fn round(
        &self,
        student: &Student,
        lesson: &Lesson,
        parent: Option<&Weights>,
        mixture: &Mixture,
        round: u32,
    ) -> Result<(Weights, f64), MustError> {
        let (unit, rounds) = (self.school.config.unit, self.school.config.rounds);
        let mut last = f64::NAN;
        let hear: &mut Hear = &mut |news: &News| {
            let News::Step { step, loss, .. } = *news else { return !self.progress.should_stop() };
            last = loss;
            if step % unit != 0 {
                return !self.progress.should_stop();
            }
            // All rounds together are the fidelity.
            let done = (step / unit) as u32 / rounds + round * self.job.fidelity.0 / rounds;
            self.progress.report(Fidelity(done), &Metrics::from([("loss".to_string(), loss)]))
        };
        let training = Training {
            who: "the student",
            student,
            lesson,
            portions: &mixture.portions,
            parent,
            seed: self.job.seed.derive(u64::from(round), "round"),
            device: self.job.device,
            checkpoint: None,
        };
        let weights = training.run(hear)?.weights;
        Ok((weights, last))
    }

    /// What the next round's student learns from: the pictures, labelled by the last one.
    fn relabelled(
        &self,
        student: &Student,
        lesson: &Lesson,
        weights: Weights,
        folder: PathBuf,
    ) -> Result<Mixture, MustError> {
        let config = &self.school.config;
        let course = self.course(student, lesson, "student");
        let taught = Taught::save(&folder, &course, student, weights, Metrics::default())?;
        let teachers = [Box::new(taught) as Box<dyn Labeller>];
        let Some(pictures) = &config.pictures else {
            return Err(MustError::settings("`rounds` has no `pictures` to label", "name them"));
        };
        let store = folder.join("labels");
        let (threshold, device) = (config.threshold, self.job.device);
        let labelling = Labelling { teachers: &teachers, pictures, threshold, folder: &store, device };
        labelling.run(&mut |_: &News| !self.progress.should_stop())?;
        let portions: Vec<Portion> = config
            .labelled
            .iter()
            .cloned()
            .chain([Portion::PseudoLabelled { store, share: config.share }])
            .collect();
        Ok(kept(Mixture::open(&portions, &config.tasks)?))
    }

    /// The metrics that the trial reports of its student.
    fn measured(&self, student: &Student, weights: &Weights) -> Result<Metrics, MustError> {
        let (ready, device) = (self.ready, self.job.device);
        let mut metrics = measure("the student", student, weights, &*ready.validation, device)?;
        if let (true, Some(test)) = (self.job.last, &ready.test) {
            let on_test = measure("the student", student, weights, &**test, device)?;
            metrics.extend(on_test.into_iter().map(|(name, figure)| (format!("test_{name}"), figure)));
        }
        if let Some((transfer, reference)) = &ready.transfer {
            let hear: &mut Hear = &mut |_: &News| !self.progress.should_stop();
            metrics.extend(transfer.run(student, weights, reference, device, hear)?);
        }
        Ok(metrics)
    }

    /// Keeps a winner's student beside the teachers: as a folder that may teach in its turn.
    fn keep(
        &self,
        student: &Student,
        lesson: &Lesson,
        weights: Weights,
        metrics: &Metrics,
    ) -> Result<(), MustError> {
        let key = fnv1a(format!("{} {}", self.job.key, self.job.fidelity.0).as_bytes());
        let name = format!("student-{key:016x}");
        let folder = self.ready.folder.join("students").join(&name);
        let course = self.course(student, lesson, &name);
        Taught::save(&folder, &course, student, weights, metrics.clone())?;
        eprintln!("kept the student in {}", folder.display());
        Ok(())
    }

    fn course(&self, student: &Student, lesson: &Lesson, name: &str) -> Course {
        let Seed(seed) = self.job.seed;
        Course {
            name: name.into(),
            backbone: Backbone::from(student.backbone.clone()),
            size: student.size,
            pyramid: student.pyramid,
            tasks: student.tasks.clone(),
            sources: self.ready.portions.clone(),
            validation: Some(self.school.config.validation.clone()),
            lesson: lesson.clone(),
            seed,
        }
    }
}

/// A candidate's network; its recipe is for classification alone, and would be passed over in silence.
fn pupil_of(candidate: Candidate) -> Result<Pupil, Failure> {
    let (channels, height, width) = candidate.task.input;
    if candidate.training != Recipe::default() {
        return Err(Failure::Candidate(
            "`training` says how classification is trained, and students learn by the evaluator's `lesson`: leave \
             it out; to search over lessons, use `program_type: Any` and `(backbone: .., size: .., lesson: ..)`"
                .into(),
        ));
    }
    if channels != 3 {
        return Err(Failure::Candidate(format!(
            "`task.input` has {channels} channels, and students see red, green and blue: write 3"
        )));
    }
    Ok(Pupil { backbone: candidate.architecture.into(), size: (width, height), lesson: None })
}
