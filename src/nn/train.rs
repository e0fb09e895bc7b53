//! The training loop: epochs of shuffled batches, a look at the validation pictures, a checkpoint, a report.

#[cfg(test)]
mod data_tests;
mod losses;
mod numbers;
mod score;
mod state;
#[cfg(test)]
mod tests;

use std::path::Path;

use super::auxiliary::with_classifier;
use super::execute::Plan;
use super::feed::{Course, Feed};
use super::kernel::Kept;
use super::throughput::Throughput;
use super::{NnError, Share, device, estimated_bytes};
use crate::data::Supply;
use crate::device::Device;
use crate::ir::{Graph, Shape, Tensor as Place, Weights};
use crate::loader::Broken;
use crate::random::{Seed, fnv1a};
use crate::recipe::{Precision, Recipe};
use score::LOOKING;
pub use score::score;
pub(super) use score::scored;
use state::State;

use burn::tensor::{FloatDType, Tensor};

/// One training from start to end.
#[derive(Clone, Copy, Debug)]
pub struct Training<'a> {
    /// The network; its output is one logit a class.
    pub graph: &'a Graph,
    /// How it is trained.
    pub recipe: &'a Recipe,
    /// How many times the pictures are gone through.
    pub epochs: u32,
    /// The epochs that the learning rate's schedule is laid out for: more than `epochs` where the training is to go on.
    pub whole: u32,
    /// Weights that it starts from wherever name and shape agree.
    pub parent: Option<&'a Weights>,
    /// The source of all randomness.
    pub seed: Seed,
    /// The same network for smaller pictures, one for every size that the recipe's stages begin with.
    pub smaller: &'a [Graph],
    /// What gradients are taken on.
    pub train: Supply<'a>,
    /// What is looked at after every epoch.
    pub validation: Option<Supply<'a>>,
    /// Threads that load pictures, where they are in files or go through RandAugment; 0 for as many as there are cores.
    pub loaders: usize,
    /// Mean and standard deviation of each channel, of pixels in [0, 1].
    pub normal: (&'a [f32], &'a [f32]),
    /// Where tensors live.
    pub device: Device,
    /// Where to keep what is needed to go on after a kill.
    pub checkpoint: Option<&'a Path>,
}

/// How a network does on some pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Share of pictures whose class has the largest logit.
    pub accuracy: f64,
    /// Mean cross-entropy in nats.
    pub loss: f64,
}

/// What an epoch came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// From 1.
    pub number: u32,
    /// Mean loss of the epoch's steps, on augmented pictures and smoothed targets.
    pub train_loss: f64,
    /// The validation pictures' score after it.
    pub validation: Option<Score>,
}

/// What a training comes to.
#[derive(Clone, Debug)]
pub struct Trained {
    /// All parameters, running statistics included.
    pub weights: Weights,
    /// One entry an epoch.
    pub curve: Vec<Epoch>,
    /// How fast it was, since it last began.
    pub throughput: Throughput,
}

impl Epoch {
    pub(super) const BYTES: usize = 32;

    pub(super) fn to_bytes(self) -> [u8; Epoch::BYTES] {
        let score = self.validation.unwrap_or(Score { accuracy: f64::NAN, loss: f64::NAN });
        let fields = [f64::from(self.number), self.train_loss, score.accuracy, score.loss];
        std::array::from_fn(|index| fields[index / 8].to_le_bytes()[index % 8])
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Epoch> {
        let field =
            |index: usize| Some(f64::from_le_bytes(bytes.get(index * 8..)?.get(..8)?.try_into().ok()?));
        let (accuracy, loss) = (field(2)?, field(3)?);
        let validation = (!accuracy.is_nan()).then_some(Score { accuracy, loss });
        Some(Epoch { number: field(0)? as u32, train_loss: field(1)?, validation })
    }
}

impl Training<'_> {
    /// Trains, telling `heard` after every epoch, first those that a checkpoint knows; where that says `false`, the
    /// training stops. Waits until the device has what it takes.
    ///
    /// # Errors
    /// [`NnError`]: stopped, diverged, unfit, too big for the device, or a checkpoint that is not this training's.
    pub fn run(&self, heard: &mut dyn FnMut(&Epoch) -> bool) -> Result<Trained, NnError> {
        let share = self.share(&|| false)?.ok_or(NnError::Stopped)?;
        self.run_with(&share, heard)
    }

    /// What the training takes of its device, waited for beside others; `None` where `should_stop` says so before.
    ///
    /// # Errors
    /// [`NnError::Unfit`] where network and pictures do not go together, or the device is too small for it.
    pub fn share(&self, should_stop: &dyn Fn() -> bool) -> Result<Option<Share<'static>>, NnError> {
        self.check()?;
        let bytes = estimated_bytes(self.graph, self.batch().max(LOOKING / 4));
        Share::take(self.device, bytes, rayon::current_num_threads(), should_stop)
    }

    /// [`Training::run`] on what [`Training::share`] gave.
    ///
    /// # Errors
    /// As [`Training::run`].
    pub fn run_with(
        &self,
        _share: &Share,
        heard: &mut dyn FnMut(&Epoch) -> bool,
    ) -> Result<Trained, NnError> {
        let _kept = Kept;
        let classes = self.check()?;
        let device = device::open(self.device)?;
        check_precision(self.recipe.precision, self.device, &device)?;
        let taught = self.taught(classes)?;
        let learnt = self.learnt_plans(&taught, &device)?;
        // What is judged has no second classifier; its parameters are the first of those that are learnt.
        let plan = Plan::new(self.graph).on(device.clone()).at(self.recipe.precision);
        let checkpoint = self.checkpoint.map(|path| (path, self.identity()));
        let mut state = State::start(self, &learnt[0], checkpoint)?;
        let Training { recipe, epochs, whole, seed, train, normal, loaders, .. } = *self;
        let course = Course { recipe, epochs, whole, seed, train, normal, classes, loaders, device: &device };
        // Whoever stops trainings by their curves must hear the same whether this one was interrupted or not.
        for epoch in &state.curve {
            if !heard(epoch) {
                return Err(NnError::Stopped);
            }
        }
        let mut feed = Feed::start(course, state.curve.len() as u32)?;
        let mut unseen = Broken::default();
        for epoch in state.curve.len() as u32..self.epochs {
            let plan_now = self.plan_of(epoch, &learnt)?;
            let train_loss = state.learn(self, plan_now, &mut feed, epoch)?;
            let validation = match self.validation {
                Some(supply) => {
                    let (score, broken) = scored(&plan, &state.judged_values(), supply, self.normal)?;
                    unseen.join(&broken);
                    Some(score)
                }
                None => None,
            };
            if let Some(Score { loss, .. }) = validation.filter(|score| !score.loss.is_finite()) {
                return Err(diverged(epoch, self.steps() - 1, format!("validation loss is {loss}")));
            }
            let report = Epoch { number: epoch + 1, train_loss, validation };
            state.curve.push(report);
            if let Some((path, identity)) = checkpoint {
                state.checkpoint()?.save(path, identity)?;
            }
            if !heard(&report) {
                return Err(NnError::Stopped);
            }
        }
        let mut throughput = feed.throughput();
        throughput.broken.join(&unseen);
        Ok(Trained { throughput, ..state.finish(self) })
    }

    /// Height and width of the pictures in an epoch (from 0).
    fn sides(&self, epoch: u32) -> (usize, usize) {
        let (stage, (_, height, width)) = (self.recipe.stage(epoch, self.whole), self.train.shape());
        (stage.side(height), stage.side(width))
    }

    /// The network, and those for smaller pictures, with a second classifier each; none where the recipe asks for none.
    fn taught(&self, classes: usize) -> Result<Vec<(Graph, Place)>, NnError> {
        let all = std::iter::once(self.graph).chain(self.smaller).filter(|_| self.recipe.auxiliary > 0.0);
        all.map(|graph| with_classifier(graph, classes)).collect()
    }

    /// Plans of what is learnt: of the network, then of those for smaller pictures, which have the same parameters.
    fn learnt_plans<'g>(
        &'g self,
        taught: &'g [(Graph, Place)],
        device: &burn::tensor::Device,
    ) -> Result<Vec<Plan<'g>>, NnError> {
        let plain = std::iter::once(self.graph).chain(self.smaller).filter(|_| taught.is_empty());
        let with = taught.iter().map(|(graph, logits)| Plan::with_classifier(graph, *logits));
        let plans = plain.map(Plan::new).chain(with);
        let plans: Vec<Plan> = plans.map(|plan| plan.on(device.clone()).at(self.recipe.precision)).collect();
        plans.iter().try_for_each(|plan| check_parameters(&plans[0], plan))?;
        Ok(plans)
    }

    /// The plan for the pictures of an epoch.
    fn plan_of<'g>(&self, epoch: u32, plans: &'g [Plan<'g>]) -> Result<&'g Plan<'g>, NnError> {
        let (channels, _, _) = self.train.shape();
        let (height, width) = self.sides(epoch);
        let fits =
            |plan: &&Plan| plan.graph.shape(plan.graph.input()) == Shape::Map { channels, height, width };
        plans.iter().find(fits).ok_or_else(|| {
            NnError::Unfit(format!(
                "there is no network for the {height}x{width} pictures of epoch {}",
                epoch + 1
            ))
        })
    }

    /// The number of classes, if everything fits together.
    fn check(&self) -> Result<usize, NnError> {
        let shapes = (self.graph.shape(self.graph.input()), self.graph.shape(self.graph.output()));
        let (channels, height, width) = self.train.shape();
        if shapes.0 != (Shape::Map { channels, height, width }) {
            let problem =
                format!("the network takes {}, the pictures are {:?}", shapes.0, self.train.shape());
            return Err(NnError::Unfit(problem));
        }
        let Shape::Flat(classes) = shapes.1 else {
            return Err(NnError::Unfit(format!(
                "the network ends in a map {}, not in one logit a class",
                shapes.1
            )));
        };
        let known = [Some(self.train), self.validation];
        let highest = known.into_iter().flatten().flat_map(Supply::labels).max();
        match highest {
            None => Err(NnError::Unfit("there are no pictures to learn from".into())),
            Some(class) if usize::from(class) >= classes => Err(NnError::Unfit(format!(
                "class {class} is met, but the network knows only {classes} classes"
            ))),
            Some(_) if self.train.is_empty() || self.recipe.batch == 0 => {
                Err(NnError::Unfit("there are no pictures to learn from, or a batch is none of them".into()))
            }
            Some(_) => Ok(classes),
        }
    }

    fn batch(&self) -> usize {
        self.recipe.batch.min(self.train.len())
    }

    /// Steps an epoch: whole batches only, the rest has its turn in another epoch's order.
    fn steps(&self) -> usize {
        self.train.len() / self.batch()
    }

    /// Tells this training from every other one.
    fn identity(&self) -> u64 {
        let data = (identity(self.train), self.train.shape(), self.normal);
        let words = format!(
            "{:?} {:?} {:?} {} {:?} {data:?}",
            self.graph.nodes(),
            self.graph.output(),
            self.recipe,
            self.whole,
            (self.seed, self.parent.map(bytes))
        );
        fnv1a(words.as_bytes())
    }
}

/// Tells pictures from others: those in memory by content, those in files by name.
fn identity(supply: Supply) -> u64 {
    match supply {
        Supply::Memory(pictures) => {
            let labels: Vec<u8> = pictures.labels.iter().flat_map(|label| label.to_le_bytes()).collect();
            fnv1a(&labels).rotate_left(1) ^ fnv1a(&pictures.pixels)
        }
        Supply::Files(files) => files.identity(),
    }
}

/// A number for weights, whatever their order.
pub(super) fn bytes(weights: &Weights) -> u64 {
    let one = |(name, (_, values)): (&String, &(Vec<usize>, Vec<f32>))| {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        fnv1a(name.as_bytes()).rotate_left(17) ^ fnv1a(&bytes)
    };
    weights.iter().map(one).fold(0, u64::wrapping_add)
}

/// Whether the device computes with so many digits.
pub(super) fn check_precision(
    precision: Precision,
    place: Device,
    device: &burn::tensor::Device,
) -> Result<(), NnError> {
    let unfit = |problem: String| Err(NnError::Unfit(problem));
    match precision {
        Precision::Fp32 if place != Device::Cpu => unfit(format!(
            "`precision: Fp32` is not to be had on {place}: its kernels may round factors to tf32; use `Tf32`"
        )),
        Precision::Bf16 if !device.supports_dtype(FloatDType::BF16) => {
            unfit(format!("{place} does not compute with bfloat16; use another `precision`"))
        }
        _ => Ok(()),
    }
}

/// Whether a network for smaller pictures has the parameters of the network itself.
pub(super) fn check_parameters(there: &Plan, here: &Plan) -> Result<(), NnError> {
    let shapes = |plan: &Plan| -> Vec<(String, Vec<usize>)> {
        plan.parameters.iter().map(|one| (one.name.clone(), one.shape.clone())).collect()
    };
    let (there, here) = (shapes(there), shapes(here));
    if here == there {
        return Ok(());
    }
    let other = there.iter().find(|one| !here.contains(one)).or(here.first());
    Err(NnError::Unfit(format!(
        "parameter `{}` depends on the size of the pictures, which grow in `progressive`: pool globally before the \
         classifier, or leave `progressive.size` at 1",
        other.map_or("none", |(name, _)| name)
    )))
}

fn diverged(epoch: u32, step: usize, what: String) -> NnError {
    NnError::Diverged { epoch: epoch + 1, step: step + 1, what }
}

pub(super) fn floats(value: Tensor<1>) -> Vec<f32> {
    value.into_data().iter::<f32>().collect()
}
