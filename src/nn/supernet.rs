//! Weights that all networks of a space share, on the device: the parameter bank under training.
//!
//! A network takes the parameters of its names and shapes, a step moves those alone, and they go back. Tensors are
//! shared until they change, so that a network's copy costs what its step makes new: memory is that of the bank and of
//! one network. Each parameter has a memory of its own for each update rule, so that networks with different
//! hyperparameters may take turns.

mod keep;
mod lesson;
mod snapshot;

use burn::tensor::Tensor;
use indexmap::IndexMap;
use rand::seq::index::sample;

use super::execute::{Pass, Plan};
use super::feed::Lots;
use super::loss::judge;
use super::rule::{Memory, RULES};
use super::train::{check_precision, floats};
use super::{Bank, NnError, Score, device};
use crate::data::Supply;
use crate::device::Device;
use crate::ir::{Graph, Parameter};
use crate::loader::Broken;
use crate::random::Seed;

pub(super) use keep::{read, written};
pub use lesson::Lesson;
pub use snapshot::Snapshot;

/// One parameter in the bank.
#[derive(Clone)]
struct Held {
    value: Tensor<1>,
    memories: [Memory; RULES],
    /// Its exponential moving average and how many steps that has followed, where a recipe asked for one.
    average: Option<(Tensor<1>, u32)>,
}

impl Held {
    fn new(value: Tensor<1>) -> Held {
        Held { value, memories: Default::default(), average: None }
    }

    /// What is judged: the average, where there is one.
    fn judged(&self) -> Tensor<1> {
        self.average.as_ref().map_or_else(|| self.value.clone(), |(average, _)| average.clone())
    }

    /// Moves the average towards the value, which was `before`, by one step of a recipe with this decay. Its first steps
    /// weigh more, as those of a training's average do; without decay, it is the value itself.
    fn follow(&mut self, before: Tensor<1>, decay: f64) {
        if decay == 0.0 {
            self.average = None;
            return;
        }
        let (start, steps) = self.average.take().unwrap_or((before, 0));
        let step = f64::from(steps) + 1.0;
        let decay = decay.min((1.0 + step) / (10.0 + step));
        let average = start.mul_scalar(decay) + self.value.clone().mul_scalar(1.0 - decay);
        self.average = Some((average, steps.saturating_add(1)));
    }
}

/// Name and shape.
pub(super) type Key = (String, Vec<usize>);

/// The parameter bank of a space under training.
pub struct Supernet {
    /// Where parameters start from that no network has asked for yet.
    fresh: Bank,
    held: IndexMap<Key, Held>,
    place: Device,
    device: burn::tensor::Device,
    lots: Lots,
    loaders: usize,
}

impl Supernet {
    /// A bank without parameters; `seed` is where new ones start from, `place` where they live. Pictures in files, and
    /// those that are cropped and scaled or go through RandAugment, are loaded by `loaders` threads; 0 for as many as there
    /// are cores.
    ///
    /// # Errors
    /// [`NnError::Unfit`] where the device cannot be used.
    pub fn new(seed: Seed, place: Device, loaders: usize) -> Result<Supernet, NnError> {
        let device = device::open(place)?;
        let lots = Lots::new(device.clone(), loaders);
        Ok(Supernet { fresh: Bank::new(seed), held: IndexMap::new(), place, device, lots, loaders })
    }

    /// How many parameter tensors there are so far.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether no network has asked for anything yet.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Pictures that could not be decoded so far.
    pub fn broken(&self) -> &Broken {
        self.lots.broken()
    }

    /// One step of a network on the shared weights; its loss before it. A step after which the network is worse on the same
    /// pictures than before and than guessing is not taken: where hyperparameters are drawn, one rate that no one would
    /// choose undoes what a hundred other steps have learnt.
    ///
    /// # Errors
    /// [`NnError::Diverged`] for a gradient that is not finite; [`NnError::Unfit`] for a network that does not go with the
    /// pictures or the device, or where no picture of the batch can be decoded.
    pub fn update(&mut self, lesson: &Lesson) -> Result<f64, NnError> {
        let taught = lesson.taught()?;
        let plan = self.plan(lesson, taught.plan())?;
        let mut path = self.path(&plan)?;
        let (before, batch) = lesson.step(&plan, &mut path, &mut self.lots, 0)?;
        let guess = (classes(lesson.graph) as f64).ln();
        if lesson::loss(&plan, &path, &batch) <= before.max(guess) {
            for (parameter, mut held) in plan.parameters.iter().zip(path) {
                let key = key(parameter);
                if let Some(before) = self.held.get(&key) {
                    held.follow(before.value.clone(), lesson.recipe.ema);
                }
                self.held.insert(key, held);
            }
        }
        Ok(before)
    }

    /// How a network does on a batch of `batch` validation pictures after so many steps on a copy of its weights, by the
    /// batch's own statistics.
    ///
    /// # Errors
    /// As [`Supernet::update`].
    pub fn worth(
        &mut self,
        lesson: &Lesson,
        updates: u32,
        validation: Supply,
        batch: usize,
    ) -> Result<Score, NnError> {
        let taught = lesson.taught()?;
        let plan = self.plan(lesson, taught.plan())?;
        let mut path = self.path(&plan)?;
        for number in 0..updates {
            lesson.step(&plan, &mut path, &mut self.lots, u64::from(number))?;
        }
        // The parameters of a second classifier stand behind the network's own, and are not asked any more.
        let whole = self.plan(lesson, Plan::new(lesson.graph))?;
        let values: Vec<Tensor<1>> =
            path.into_iter().take(whole.parameters.len()).map(|held| held.value).collect();
        let members = drawn(validation.len(), batch, lesson.seed, "validation batch");
        let (input, labels) = self.lots.plain(&lesson.lot(validation, &members, lesson.seed))?;
        let (logits, _) = Pass::recounting(&whole, &values, 1.0).run(input);
        let count = labels.len() as f64;
        let (right, loss) = judge(&floats(logits.flatten(0, 1)), labels.into_iter(), classes(lesson.graph));
        Ok(Score { accuracy: right as f64 / count, loss: loss / count })
    }

    /// A network's share of the weights as they are judged now.
    ///
    /// # Errors
    /// [`NnError::Unfit`] where it has none.
    pub fn snapshot<'g>(&mut self, graph: &'g Graph) -> Result<Snapshot<'g>, NnError> {
        let plan = Plan::new(graph).on(self.device.clone());
        let values = self.path(&plan)?.iter().map(Held::judged).collect();
        Ok(Snapshot::new(plan, values, self.loaders))
    }

    fn plan<'g>(&self, lesson: &Lesson, plan: Plan<'g>) -> Result<Plan<'g>, NnError> {
        let precision = lesson.recipe.precision;
        check_precision(precision, self.place, &self.device)?;
        Ok(plan.on(self.device.clone()).at(precision))
    }

    /// The parameters of a network, by slot.
    fn path(&mut self, plan: &Plan) -> Result<Vec<Held>, NnError> {
        if !(0..plan.parameters.len()).any(|slot| plan.trained(slot)) {
            return Err(NnError::Unfit("the network has no parameters to train".into()));
        }
        let fresh = &mut self.fresh;
        let mut take = |parameter: &Parameter| {
            let start = || Held::new(plan.vector(fresh.started(parameter)));
            self.held.entry(key(parameter)).or_insert_with(start).clone()
        };
        Ok(plan.parameters.iter().map(&mut take).collect())
    }
}

/// Different ones of `all` pictures, as many as asked for or as there are.
fn drawn(all: usize, count: usize, seed: Seed, purpose: &str) -> Vec<usize> {
    sample(&mut seed.stream(0, purpose), all, count.clamp(1, all.max(1)).min(all)).into_vec()
}

fn classes(graph: &Graph) -> usize {
    graph.shape(graph.output()).channels()
}

fn key(parameter: &Parameter) -> Key {
    (parameter.name.clone(), parameter.shape.clone())
}

#[cfg(test)]
mod tests;
