//! The training of a student: steps on batches of several sets, all tasks at once.

use std::path::Path;

use burn::tensor::Tensor;

use super::batches::Kitchen;
use super::state::State;
use crate::data::{Label, Samples};
use crate::device::Device;
use crate::ir::Weights;
use crate::must::student::{Lesson, Network, Student};
use crate::nn::execute::{Chance, Plan};
use crate::nn::kernel::Kept;
use crate::nn::{NnError, Share, cores, device, estimated_bytes, train};
use crate::random::{Seed, fnv1a};
use crate::recipe::{Precision, Recipe, Schedule};

/// Steps whose losses wait on a GPU for being read: reading one makes it wait.
const HELD: usize = 16;
/// A checkpoint is written after this share of the steps, but not sooner than after so many.
const CHECKPOINTS: (usize, usize) = (20, 50);
/// Threads that make batches for a GPU at most.
const COOKS: usize = 8;

/// One training of a student from start to end.
#[derive(Clone, Copy)]
pub struct StudentTraining<'a> {
    /// The network.
    pub student: &'a Student,
    /// How it is taught.
    pub lesson: &'a Lesson,
    /// What from: batches are mixed from all of them.
    pub sources: &'a [Source<'a>],
    /// Weights that it starts from wherever name and shape agree.
    pub parent: Option<&'a Weights>,
    /// The source of all randomness.
    pub seed: Seed,
    /// Where tensors live.
    pub device: Device,
    /// Where to keep what is needed to go on after a kill.
    pub checkpoint: Option<&'a Path>,
}

/// A set of samples that a student learns from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The samples; their classes are the student's.
    pub samples: &'a dyn Samples,
    /// How many of a batch are of this set, beside the shares of the others.
    pub share: f64,
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// From 1.
    pub number: usize,
    /// The loss of each task that any sample of the batch had a label for, before weights and before the update.
    pub losses: Vec<(Label, f64)>,
}

/// What a student's training comes to.
#[derive(Clone, Debug)]
pub struct TrainedStudent {
    /// All parameters, running statistics included.
    pub weights: Weights,
    /// One entry a step.
    pub curve: Vec<Step>,
    /// Seconds since it last began.
    pub seconds: f64,
}

impl Step {
    /// A loss for each label.
    pub(super) const NUMBERS: usize = Label::ALL.len();

    /// The loss of a task, where there was one.
    pub fn loss(&self, task: Label) -> Option<f64> {
        self.losses.iter().find(|(other, _)| *other == task).map(|(_, loss)| *loss)
    }

    pub(super) fn to_numbers(&self) -> Vec<f32> {
        // Losses are of 32 bits on every device, so nothing is lost.
        Label::ALL.into_iter().map(|task| self.loss(task).map_or(f32::NAN, |loss| loss as f32)).collect()
    }

    pub(super) fn from_numbers(number: usize, numbers: &[f32]) -> Step {
        let losses = Label::ALL.into_iter().zip(numbers).filter(|(_, loss)| !loss.is_nan());
        Step { number, losses: losses.map(|(task, loss)| (task, f64::from(*loss))).collect() }
    }
}

impl StudentTraining<'_> {
    /// Trains, telling `heard` of every step (on a GPU of several at once); where that says `false`, the training stops.
    /// Waits until the device has what it takes.
    ///
    /// # Errors
    /// [`NnError`]: stopped, diverged, unfit, too big for the device, a sample that cannot be read, or a checkpoint that is
    /// not this training's. What was learned until somebody stopped it, or until a broken sample, is kept in the checkpoint.
    pub fn run(&self, heard: &mut dyn FnMut(&Step) -> bool) -> Result<TrainedStudent, NnError> {
        let share = self.share(&|| false)?.ok_or(NnError::Stopped)?;
        self.run_with(&share, heard)
    }

    /// What the training takes of its device, waited for beside others; `None` where `should_stop` says so before.
    ///
    /// # Errors
    /// [`NnError::Unfit`] where network, lesson and sets do not go together, or the device is too small for it.
    pub fn share(&self, should_stop: &dyn Fn() -> bool) -> Result<Option<Share<'static>>, NnError> {
        let network = self.check()?;
        let bytes = estimated_bytes(&network.graph, self.lesson.batch);
        Share::take(self.device, bytes, rayon::current_num_threads(), should_stop)
    }

    /// [`StudentTraining::run`] on what [`StudentTraining::share`] gave.
    ///
    /// # Errors
    /// As [`StudentTraining::run`].
    pub fn run_with(
        &self,
        _share: &Share,
        heard: &mut dyn FnMut(&Step) -> bool,
    ) -> Result<TrainedStudent, NnError> {
        let _kept = Kept;
        let started = std::time::Instant::now();
        let network = self.check()?;
        let plan = Plan::of_named(&network.graph).on(device::open(self.device)?).at(self.lesson.precision);
        let plan = plan.frozen_where(|scope| self.lesson.frozen && Student::is_backbone(scope));
        let recipe = self.recipe();
        let checkpoint = self.checkpoint.map(|path| (path, self.identity()));
        let mut state = State::start(self, &recipe, &plan, checkpoint)?;
        let Lesson { augment, batch, .. } = self.lesson;
        let augment = augment.augment(self.student.size.0, self.student.size.1);
        let kitchen = Kitchen::new(self.student, &network, self.sources, augment, *batch, self.seed);
        std::thread::scope(|scope| {
            let steps = (state.curve.len(), self.lesson.steps);
            let batches = kitchen.serve(scope, steps, self.cooks());
            self.learn(&mut state, batches, &recipe, checkpoint, heard)
        })?;
        let (weights, curve) = state.finish();
        Ok(TrainedStudent { weights, curve, seconds: started.elapsed().as_secs_f64() })
    }

    fn learn(
        &self,
        state: &mut State,
        batches: impl Iterator<Item = Result<super::batches::Batch, NnError>>,
        recipe: &Recipe,
        checkpoint: Option<(&Path, u64)>,
        heard: &mut dyn FnMut(&Step) -> bool,
    ) -> Result<(), NnError> {
        let steps = self.lesson.steps;
        let every = (steps / CHECKPOINTS.0).max(CHECKPOINTS.1);
        let held = if self.device == Device::Cpu { 1 } else { HELD };
        let mut waiting: Vec<Vec<(Label, Tensor<1>)>> = Vec::with_capacity(held);
        for batch in batches {
            let step = state.curve.len() + waiting.len();
            let mut chance = Chance {
                rng: self.seed.stream(step as u64, "student drop"),
                drop_path: recipe.drop_path,
                dropout: 1.0,
            };
            let rate = recipe.learning_rate * recipe.schedule.factor(step, steps);
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => {
                    state.curve.extend(read(state, std::mem::take(&mut waiting))?);
                    save(state, checkpoint)?;
                    return Err(error);
                }
            };
            waiting.push(state.step(batch, rate, &mut chance));
            let saves = checkpoint.filter(|_| (step + 1).is_multiple_of(every) && step + 1 < steps);
            if waiting.len() < held && saves.is_none() && step + 1 < steps {
                continue;
            }
            let mut goes_on = true;
            for told in read(state, std::mem::take(&mut waiting))? {
                goes_on = goes_on && heard(&told);
                state.curve.push(told);
            }
            if !goes_on {
                save(state, checkpoint)?;
                return Err(NnError::Stopped);
            }
            save(state, saves)?;
        }
        match state.curve.len() == steps {
            true => Ok(()),
            false => Err(NnError::Unfit("the threads that make batches ended before their time".into())),
        }
    }

    /// The network, if everything fits together.
    fn check(&self) -> Result<Network, NnError> {
        let unfit = |problem: String| Err(NnError::Unfit(problem));
        if let Some(problem) = self.lesson.problem() {
            return unfit(format!("the lesson cannot be given: {problem}"));
        }
        if self.sources.is_empty() {
            return unfit("there are no samples to learn from".into());
        }
        let wrong = |source: &&Source| !(source.share > 0.0 && source.share.is_finite());
        if let Some(source) = self.sources.iter().find(wrong) {
            return unfit(format!("a set's share of batches is {}; it is above 0", source.share));
        }
        match (self.lesson.precision, self.device) {
            (Precision::Fp32, Device::Cuda(_)) => unfit(format!(
                "`precision: Fp32` is not to be had on {}: its kernels may round factors to tf32; use `Tf32`",
                self.device
            )),
            _ => self.student.network().map_err(|error| NnError::Unfit(error.to_string())),
        }
    }

    fn recipe(&self) -> Recipe {
        let lesson = self.lesson;
        Recipe {
            optimizer: lesson.optimizer.clone(),
            learning_rate: lesson.learning_rate,
            schedule: Schedule::Cosine { warmup: lesson.warm_up, floor: 0.0 },
            weight_decay: lesson.weight_decay,
            batch: lesson.batch,
            drop_path: lesson.drop_path,
            clip_norm: lesson.clip_norm,
            precision: lesson.precision,
            ..Recipe::default()
        }
    }

    /// Threads that make batches.
    fn cooks(&self) -> usize {
        match self.device {
            Device::Cpu => rayon::current_num_threads().div_ceil(COOKS),
            Device::Cuda(_) => cores().min(COOKS),
        }
    }

    /// Tells this training from every other one.
    fn identity(&self) -> u64 {
        let sources: Vec<_> = self
            .sources
            .iter()
            .map(|source| {
                let (samples, count) = (source.samples, source.samples.len());
                let ends = (samples.name(0), samples.name(count - 1));
                (count, ends, source.share)
            })
            .collect();
        let parent = self.parent.map(train::bytes);
        let words = format!("{:?} {:?} {:?} {:?} {parent:?}", self.student, self.lesson, self.seed, sources);
        fnv1a(words.as_bytes())
    }
}

/// Keeps what is needed to go on, where that is asked for.
fn save(state: &State, checkpoint: Option<(&Path, u64)>) -> Result<(), NnError> {
    match checkpoint {
        Some((path, identity)) => state.checkpoint()?.save(path, identity),
        None => Ok(()),
    }
}

/// What steps came to, read from the device in one go.
fn read(state: &State, waiting: Vec<Vec<(Label, Tensor<1>)>>) -> Result<Vec<Step>, NnError> {
    let first = state.curve.len() + 1;
    let all: Vec<Tensor<1>> = waiting.iter().flatten().map(|(_, loss)| loss.clone()).collect();
    let numbers = Tensor::cat(all.into_iter().chain([state.magnitude()]).collect(), 0).into_data();
    let mut numbers = numbers.iter::<f64>();
    let mut steps = Vec::with_capacity(waiting.len());
    for (told, number) in waiting.into_iter().zip(first..) {
        let losses: Vec<(Label, f64)> =
            told.into_iter().map(|(task, _)| (task, numbers.next().unwrap_or(f64::NAN))).collect();
        if let Some((task, loss)) = losses.iter().find(|(_, loss)| !loss.is_finite()) {
            return Err(diverged(number, format!("the loss of `{}` is {loss}", task.name())));
        }
        steps.push(Step { number, losses });
    }
    match numbers.next() {
        Some(magnitude) if !magnitude.is_finite() => {
            Err(diverged(first + steps.len() - 1, "weights are no longer finite".into()))
        }
        _ => Ok(steps),
    }
}

fn diverged(step: usize, what: String) -> NnError {
    NnError::Diverged { epoch: 1, step, what }
}

#[cfg(test)]
mod tests;
