//! Weights that all networks of a space share, on the device: the parameter bank under training.
//!
//! A network takes the parameters of its names and shapes, a step moves those alone, and they go back. Tensors are
//! shared until they change, so that a network's copy costs what its step makes new: memory is that of the bank and of
//! one network. Each parameter has a memory of its own for each update rule, so that networks with different
//! hyperparameters may take turns.

use std::path::Path;

use burn::tensor::{Gradients, Tensor, TensorData};
use indexmap::IndexMap;
use rand::seq::index::sample;

use super::augment::Normalizer;
use super::batch::{Batch, Batches};
use super::checkpoint::Checkpoint;
use super::execute::{Chance, Pass, Plan};
use super::loss::{cross_entropy, judge};
use super::rule::{Memory, RULES, rule, stepped};
use super::train::{floats, judged};
use super::{Bank, NnError, Score, device};
use crate::data::Pictures;
use crate::device::Device;
use crate::ir::{Graph, Parameter, Role};
use crate::random::Seed;
use crate::recipe::Recipe;

/// What the notes are called in a checkpoint.
const NOTES: &str = "notes";
/// Largest global norm of a gradient on shared weights: hyperparameters are drawn for them that no one would choose.
const CLIP_NORM: f64 = 5.0;
/// Added to the norm that a gradient is divided by, as PyTorch's `clip_grad_norm_` does.
const NORM_FLOOR: f64 = 1e-6;
/// Batches that the statistics of norms are counted from before a network is judged, and pictures in each.
const RECOUNT: (usize, usize) = (8, 128);

/// One step of one network.
#[derive(Clone, Copy, Debug)]
pub struct Lesson<'a> {
    /// The network; its output is one logit a class.
    pub graph: &'a Graph,
    /// How it is trained.
    pub recipe: &'a Recipe,
    /// What gradients are taken on.
    pub train: &'a Pictures,
    /// Mean and standard deviation of each channel, of pixels in [0, 1].
    pub normal: (&'a [f32], &'a [f32]),
    /// How much of the whole training lies before the step, in [0, 1].
    pub share: f64,
    /// The source of all that is random in the step.
    pub seed: Seed,
}

/// One parameter in the bank.
#[derive(Clone)]
struct Held {
    value: Tensor<1>,
    memories: [Memory; RULES],
}

/// Name and shape.
pub(super) type Key = (String, Vec<usize>);

/// The parameter bank of a space under training.
pub struct Supernet {
    /// Where parameters start from that no network has asked for yet.
    fresh: Bank,
    held: IndexMap<Key, Held>,
    device: burn::tensor::Device,
}

impl Supernet {
    /// A bank without parameters; `seed` is where new ones start from, `device` where they live.
    ///
    /// # Errors
    /// [`NnError::Unfit`] where the device cannot be used.
    pub fn new(seed: Seed, device: Device) -> Result<Supernet, NnError> {
        Ok(Supernet { fresh: Bank::new(seed), held: IndexMap::new(), device: device::open(device)? })
    }

    /// How many parameter tensors there are so far.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether no network has asked for anything yet.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// One step of a network on the shared weights; its loss before it. A step after which the network is worse on the same
    /// pictures than before and than guessing is not taken: where hyperparameters are drawn, one rate that no one would
    /// choose undoes what a hundred other steps have learnt.
    ///
    /// # Errors
    /// [`NnError::Diverged`] for a gradient that is not finite; [`NnError::Unfit`] for a network that does not go with the pictures.
    pub fn update(&mut self, lesson: &Lesson) -> Result<f64, NnError> {
        let plan = Plan::new(lesson.graph).on(self.device.clone());
        let mut path = self.path(&plan)?;
        let (before, batch) = step(&plan, &mut path, lesson, 0)?;
        let guess = (classes(lesson.graph) as f64).ln();
        if loss(&plan, &path, &batch) <= before.max(guess) {
            for (parameter, held) in plan.parameters.iter().zip(path) {
                self.held.insert(key(parameter), held);
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
        validation: &Pictures,
        batch: usize,
    ) -> Result<Score, NnError> {
        let plan = Plan::new(lesson.graph).on(self.device.clone());
        let mut path = self.path(&plan)?;
        for number in 0..updates {
            step(&plan, &mut path, lesson, u64::from(number))?;
        }
        let normalizer = Normalizer::new(lesson.normal.0, lesson.normal.1);
        let batches =
            Batches { pictures: validation, normalizer: &normalizer, classes: classes(lesson.graph) };
        let members = drawn(validation, batch, lesson.seed, "validation batch");
        let values: Vec<Tensor<1>> = path.into_iter().map(|held| held.value).collect();
        let input = batches.plain(&members).input(&plan.device);
        let (logits, _) = Pass::recounting(&plan, &values, 1.0).run(input);
        let (right, loss) = judge(&floats(logits.flatten(0, 1)), batches.labels(&members), batches.classes);
        let count = members.len().max(1) as f64;
        Ok(Score { accuracy: right as f64 / count, loss: loss / count })
    }

    /// A network's share of the weights as they are now.
    ///
    /// # Errors
    /// [`NnError::Unfit`] where it has none.
    pub fn snapshot<'g>(&mut self, graph: &'g Graph) -> Result<Snapshot<'g>, NnError> {
        let plan = Plan::new(graph).on(self.device.clone());
        let values = self.path(&plan)?.into_iter().map(|held| held.value).collect();
        Ok(Snapshot { plan, values })
    }

    /// The parameters of a network, by slot.
    fn path(&mut self, plan: &Plan) -> Result<Vec<Held>, NnError> {
        if !(0..plan.parameters.len()).any(|slot| plan.trained(slot)) {
            return Err(NnError::Unfit("the network has no parameters to train".into()));
        }
        let fresh = &mut self.fresh;
        let mut take = |parameter: &Parameter| {
            let start =
                || Held { value: plan.vector(fresh.started(parameter)), memories: Default::default() };
            self.held.entry(key(parameter)).or_insert_with(start).clone()
        };
        Ok(plan.parameters.iter().map(&mut take).collect())
    }

    /// Keeps all weights and memories with `notes`, for the training with this identity.
    ///
    /// # Errors
    /// [`NnError::Checkpoint`] where it cannot be written.
    pub fn save(&self, path: &Path, identity: u64, notes: &[u8]) -> Result<(), NnError> {
        let mut values = IndexMap::new();
        for (key, held) in &self.held {
            let name = written(key);
            for (rule, memory) in held.memories.iter().enumerate().filter(|(_, memory)| memory.steps > 0) {
                let parts = [("first", &memory.first), ("second", &memory.second)];
                for (part, tensor) in parts {
                    if let Some(tensor) = tensor {
                        values.insert(format!("{rule} {part} {name}"), floats(tensor.clone()));
                    }
                }
                // Exact: a training has fewer steps than f32 has integers.
                values.insert(format!("{rule} steps {name}"), vec![memory.steps as f32]);
            }
            values.insert(format!("value {name}"), floats(held.value.clone()));
        }
        let bytes = IndexMap::from([(NOTES.to_owned(), notes.to_vec())]);
        Checkpoint { numbers: values, bytes }.save(path, identity)
    }

    /// Goes back to what was kept, and to no weights where nothing was; the notes.
    ///
    /// # Errors
    /// [`NnError::Checkpoint`] for a file that is damaged or another training's.
    pub fn load(&mut self, path: &Path, identity: u64) -> Result<Option<Vec<u8>>, NnError> {
        self.held.clear();
        let Some(mut kept) = Checkpoint::load(path, identity)? else { return Ok(None) };
        let damaged =
            || NnError::checkpoint(path, "holds entries that no search writes; delete it to start over");
        for (entry, values) in &kept.numbers {
            let Some(name) = entry.strip_prefix("value ") else { continue };
            let held = Held { value: on(&self.device, values.clone()), memories: Default::default() };
            self.held.insert(read(name).ok_or_else(damaged)?, held);
        }
        let device = self.device.clone();
        let value = |values: Vec<f32>| on(&device, values);
        for (entry, values) in kept.numbers.into_iter().filter(|(entry, _)| !entry.starts_with("value ")) {
            let mut words = entry.splitn(3, ' ');
            let (rule, part, name) = (words.next(), words.next(), words.next());
            let rule = rule.and_then(|rule| rule.parse::<usize>().ok()).filter(|rule| *rule < RULES);
            let held = name.and_then(read).and_then(|key| self.held.get_mut(&key));
            let (Some(rule), Some(held)) = (rule, held) else { return Err(damaged()) };
            let memory = &mut held.memories[rule];
            match part {
                Some("first") => memory.first = Some(value(values)),
                Some("second") => memory.second = Some(value(values)),
                _ => memory.steps = values.first().map_or(0, |steps| *steps as u32),
            }
        }
        Ok(kept.bytes.shift_remove(NOTES))
    }
}

/// A network with its share of the weights at one time.
pub struct Snapshot<'g> {
    plan: Plan<'g>,
    values: Vec<Tensor<1>>,
}

impl Snapshot<'_> {
    /// How the network does on all of `validation`, the statistics of its norms counted anew on pictures of `train`: those
    /// that came with the weights are of all networks together, and no network's own.
    ///
    /// # Errors
    /// [`NnError`] where the network cannot be run.
    pub fn score(
        mut self,
        train: &Pictures,
        validation: &Pictures,
        normal: (&[f32], &[f32]),
        seed: Seed,
    ) -> Result<Score, NnError> {
        let normalizer = Normalizer::new(normal.0, normal.1);
        let classes = classes(self.plan.graph);
        let batches = |pictures| Batches { pictures, normalizer: &normalizer, classes };
        let (most, size) = RECOUNT;
        let members = drawn(train, most * size, seed, "recount");
        for (number, members) in members.chunks(size).enumerate() {
            let input = batches(train).plain(members).input(&self.plan.device);
            // The mean of all so far; a last batch that is not full counts for as much as the others.
            let share = 1.0 / (number + 1) as f64;
            let (_, running) = Pass::recounting(&self.plan, &self.values, share).run(input);
            running.into_iter().for_each(|(slot, value)| self.values[slot] = value);
        }
        judged(&self.plan, &self.values, &batches(validation))
    }
}

/// The loss of a network whose parameters are `path`, by the batch's own statistics and with nothing dropped.
fn loss(plan: &Plan, path: &[Held], batch: &Batch) -> f64 {
    let values: Vec<Tensor<1>> = path.iter().map(|held| held.value.clone()).collect();
    let (logits, _) = Pass::recounting(plan, &values, 1.0).run(batch.input(&plan.device));
    f64::from(cross_entropy(logits, batch.targets(&plan.device)).into_scalar::<f32>())
}

/// One step of a network whose parameters are `path`; its loss before it, and the pictures.
fn step(plan: &Plan, path: &mut [Held], lesson: &Lesson, number: u64) -> Result<(f64, Batch), NnError> {
    let recipe = lesson.recipe;
    let normalizer = Normalizer::new(lesson.normal.0, lesson.normal.1);
    let batches = Batches { pictures: lesson.train, normalizer: &normalizer, classes: classes(lesson.graph) };
    let seed = lesson.seed.derive(number, "step");
    let members = drawn(lesson.train, recipe.batch, seed, "training batch");
    let batch = batches.training(&members, recipe, &mut seed.stream(0, "augment"));
    let mut chance = Chance { rng: seed.stream(0, "drop"), drop_path: recipe.drop_path, dropout: 1.0 };
    let (loss, running, gradients) = gradients(plan, path, &batch, &mut chance);
    let limit = if recipe.clip_norm > 0.0 { recipe.clip_norm.min(CLIP_NORM) } else { CLIP_NORM };
    let norm = norm(&gradients);
    if !loss.is_finite() || !norm.is_finite() {
        let what = format!("loss is {loss}, its gradient's norm {norm}");
        return Err(NnError::Diverged { epoch: 1, step: 1, what });
    }
    let share = (limit / (norm + NORM_FLOOR)).min(1.0);
    let rate = recipe.learning_rate * recipe.schedule.factor((lesson.share * FINE) as usize, FINE as usize);
    let rule = rule(&recipe.optimizer);
    for (slot, gradient) in gradients {
        let decay = if plan.parameters[slot].role == Role::Weight { recipe.weight_decay } else { 0.0 };
        let gradient = if share < 1.0 { gradient.mul_scalar(share) } else { gradient };
        let Held { value, memories } = &mut path[slot];
        *value = stepped(&recipe.optimizer, (rate, decay), value.clone(), gradient, &mut memories[rule]);
    }
    running.into_iter().for_each(|(slot, value)| path[slot].value = value);
    Ok((loss, batch))
}

/// Parts that a whole training is divided into, to find a place on a schedule.
const FINE: f64 = 1e6;

/// Loss, new running statistics, and the gradients of all trained parameters, by slot.
type Slopes = (f64, Vec<(usize, Tensor<1>)>, Vec<(usize, Tensor<1>)>);

fn gradients(plan: &Plan, path: &[Held], batch: &Batch, chance: &mut Chance) -> Slopes {
    let leaf = |(slot, held): (usize, &Held)| {
        let value = held.value.clone().autodiff();
        if plan.trained(slot) { value.require_grad() } else { value }
    };
    let values: Vec<Tensor<1>> = path.iter().enumerate().map(leaf).collect();
    let (logits, running) = Pass::new(plan, &values, Some(chance)).run(batch.input(&plan.device).autodiff());
    let loss = cross_entropy(logits, batch.targets(&plan.device).autodiff());
    let figure = f64::from(loss.clone().into_scalar::<f32>());
    let mut all: Gradients = loss.backward();
    let trained = values.iter().enumerate().filter(|(slot, _)| plan.trained(*slot));
    // What the loss does not depend on, such as a branch that was dropped, has no gradient.
    let found = trained.filter_map(|(slot, leaf)| Some((slot, leaf.grad_remove(&mut all)?)));
    let found = found.collect();
    (figure, running, found)
}

fn norm(gradients: &[(usize, Tensor<1>)]) -> f64 {
    let squares: Vec<Tensor<1>> =
        gradients.iter().map(|(_, gradient)| gradient.clone().square().sum()).collect();
    if squares.is_empty() {
        return 0.0;
    }
    f64::from(Tensor::cat(squares, 0).sum().into_scalar::<f32>()).sqrt()
}

fn on(device: &burn::tensor::Device, values: Vec<f32>) -> Tensor<1> {
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), device)
}

/// Different pictures, as many as asked for or as there are.
fn drawn(pictures: &Pictures, count: usize, seed: Seed, purpose: &str) -> Vec<usize> {
    let all = pictures.len();
    sample(&mut seed.stream(0, purpose), all, count.clamp(1, all.max(1)).min(all)).into_vec()
}

fn classes(graph: &Graph) -> usize {
    graph.shape(graph.output()).channels()
}

fn key(parameter: &Parameter) -> Key {
    (parameter.name.clone(), parameter.shape.clone())
}

pub(super) fn written((name, shape): &Key) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("{name}|{}", sizes.join("x"))
}

pub(super) fn read(text: &str) -> Option<Key> {
    let (name, sizes) = text.rsplit_once('|')?;
    let shape = sizes.split('x').map(|size| size.parse().ok()).collect::<Option<Vec<usize>>>()?;
    Some((name.into(), shape))
}

#[cfg(test)]
mod tests;
