//! A training between two steps: what moves, what it was averaged to, and how it is kept.

use std::path::Path;

use burn::tensor::Tensor;

use super::losses::Losses;
use super::{Epoch, Trained, Training, diverged, floats};
use crate::device::Device;
use crate::ir::Parameter;
use crate::nn::NnError;
use crate::nn::average::Average;
use crate::nn::bank::Bank;
use crate::nn::checkpoint::Checkpoint;
use crate::nn::execute::{Chance, Pass, Plan, Ran};
use crate::nn::feed::Feed;
use crate::nn::heritage;
use crate::nn::loss::cross_entropy;
use crate::nn::optimizer::Learner;
use crate::nn::throughput::Throughput;
use crate::recipe::Recipe;

/// What a checkpoint's parts are called.
const VALUES: &str = "values/";
const AVERAGES: &str = "averages/";
const OPTIMIZER: &str = "optimizer";
const CURVE: &str = "curve";

/// A training under way.
pub(super) struct State<'p> {
    plan: &'p Plan<'p>,
    learner: Learner,
    /// What the learner does not move, such as running statistics, by slot; the others' entries are stale.
    fixed: Vec<Tensor<1>>,
    /// Of the trained parameters, group by group, and of all that is fixed, where the recipe asks for one.
    average: Option<Average>,
    /// The epochs done.
    pub(super) curve: Vec<Epoch>,
}

impl<'p> State<'p> {
    /// The first step's state, or the checkpoint's, which is given with the training's identity.
    pub(super) fn start(
        training: &Training,
        plan: &'p Plan<'p>,
        checkpoint: Option<(&Path, u64)>,
    ) -> Result<State<'p>, NnError> {
        let mut bank = heritage::bank(training.seed, training.parent)?;
        let kept = match checkpoint {
            Some((path, identity)) => Checkpoint::load(path, identity)?,
            None => None,
        };
        let stored = |name: &str| kept.as_ref()?.numbers.get(&format!("{VALUES}{name}")).cloned();
        let value = |one: &Parameter| stored(&one.name).unwrap_or_else(|| bank.value(one).to_vec());
        let values: Vec<Vec<f32>> = plan.parameters.iter().map(value).collect();
        let learner = Learner::new(plan, training.recipe, &values);
        if learner.is_empty() {
            return Err(NnError::Unfit("the network has no parameters to train".into()));
        }
        let fixed: Vec<Tensor<1>> = values.into_iter().map(|values| plan.vector(values)).collect();
        let mut state = State { plan, learner, fixed, average: None, curve: Vec::new() };
        if let (Some(kept), Some((path, _))) = (&kept, checkpoint) {
            state.go_on(kept).map_err(|problem| NnError::checkpoint(path, problem))?;
        }
        if training.recipe.ema > 0.0 {
            let steps = state.curve.len() * training.steps();
            let values = state.averaged(kept.as_ref());
            state.average = Some(Average::new(training.recipe.ema, steps as u64, values));
        }
        Ok(state)
    }

    fn go_on(&mut self, kept: &Checkpoint) -> Result<(), String> {
        let part = |name: &str| kept.bytes.get(name).ok_or_else(|| format!("holds no {name}"));
        self.learner.resume(part(OPTIMIZER)?.clone())?;
        let curve = part(CURVE)?.chunks(Epoch::BYTES).map(Epoch::from_bytes).collect::<Option<_>>();
        self.curve = curve.ok_or("is damaged (its curve is cut)")?;
        Ok(())
    }

    /// Where the average starts: at what is kept of it, or at the values themselves.
    fn averaged(&self, kept: Option<&Checkpoint>) -> Vec<Tensor<1>> {
        let stored = |index: usize| kept?.numbers.get(&format!("{AVERAGES}{index}")).cloned();
        let followed = self.followed().into_iter().enumerate();
        followed
            .map(|(index, value)| stored(index).map_or(value, |stored| self.plan.vector(stored)))
            .collect()
    }

    /// What the average follows: the learner's vectors, and all running statistics as one more.
    fn followed(&self) -> Vec<Tensor<1>> {
        let mut followed = self.learner.joined();
        let slots = self.kept_slots();
        if !slots.is_empty() {
            followed.push(Tensor::cat(slots.into_iter().map(|slot| self.fixed[slot].clone()).collect(), 0));
        }
        followed
    }

    /// The slots of what no gradient moves.
    fn kept_slots(&self) -> Vec<usize> {
        (0..self.plan.parameters.len()).filter(|slot| !self.plan.trained(*slot)).collect()
    }

    /// One epoch (from 0) of batches for `plan`'s pictures; the mean loss of its steps.
    pub(super) fn learn(
        &mut self,
        training: &Training,
        plan: &Plan,
        feed: &mut Feed,
        epoch: u32,
    ) -> Result<f64, NnError> {
        let steps = training.steps();
        let all = steps * training.whole as usize;
        let mut chance = Chance {
            rng: training.seed.stream(epoch.into(), "drop"),
            drop_path: training.recipe.drop_path,
            dropout: training.recipe.stage(epoch, training.whole).dropout,
        };
        let mut losses = Losses::default();
        feed.begin(epoch)?;
        for step in 0..steps {
            // Where no picture of a batch can be decoded, there is nothing to learn from it.
            let Some(batch) = feed.next(step) else { continue };
            let factor = training.recipe.schedule.factor(epoch as usize * steps + step, all);
            let rate = training.recipe.learning_rate * factor;
            let loss = self.step(plan, batch, training.recipe, rate, &mut chance);
            // Where reading is free, the rest of the epoch need not be waited for.
            let ends = training.device == Device::Cpu && !loss.clone().into_scalar::<f32>().is_finite();
            losses.push(loss);
            if ends {
                break;
            }
        }
        let mean =
            losses.mean(self.learner.magnitude()).map_err(|(step, what)| diverged(epoch, step, what))?;
        feed.end()?;
        Ok(mean)
    }

    /// One update; the loss before it, which stays on the device.
    fn step(
        &mut self,
        plan: &Plan,
        (input, targets): (Tensor<4>, Tensor<2>),
        recipe: &Recipe,
        learning_rate: f64,
        chance: &mut Chance,
    ) -> Tensor<1> {
        let (leaves, values) = self.leaves();
        let ran = Pass::new(plan, &values, Some(chance)).run_all(input.autodiff());
        let Ran { logits, auxiliary, running } = ran;
        let targets = targets.autodiff();
        let loss = cross_entropy(logits, targets.clone());
        let told = loss.clone().inner();
        let second = auxiliary.map(|logits| cross_entropy(logits, targets).mul_scalar(recipe.auxiliary));
        let loss = second.map_or(loss.clone(), |second| loss + second);
        self.learner.step(learning_rate, &leaves, &mut loss.backward());
        running.into_iter().for_each(|(slot, value)| self.fixed[slot] = value);
        if self.average.is_some() {
            let followed = self.followed();
            self.average.iter_mut().for_each(|average| average.follow(followed.clone()));
        }
        told
    }

    /// The trained parameters as leaves of a new autodiff graph, `(slot, leaf)`, and all parameters by slot with them.
    pub(super) fn leaves(&self) -> (Vec<(usize, Tensor<1>)>, Vec<Tensor<1>>) {
        let leaves = self.learner.leaves();
        let mut values: Vec<Tensor<1>> = self.fixed.iter().map(|value| value.clone().autodiff()).collect();
        leaves.iter().for_each(|(slot, leaf)| values[*slot] = leaf.clone());
        (leaves, values)
    }

    /// All parameters by slot.
    fn values(&self) -> Vec<Tensor<1>> {
        let mut values = self.fixed.clone();
        self.learner.parts().for_each(|(slot, part)| values[slot] = part);
        values
    }

    /// All parameters by slot, as they are judged and kept: the average where there is one.
    pub(super) fn judged_values(&self) -> Vec<Tensor<1>> {
        let mut values = self.values();
        let Some(average) = &self.average else { return values };
        let mut joined = average.values().to_vec();
        let kept = self.kept_slots();
        if !kept.is_empty()
            && let Some(all) = joined.pop()
        {
            let mut start = 0;
            for slot in kept {
                let length = values[slot].dims()[0];
                values[slot] = all.clone().narrow(0, start, length);
                start += length;
            }
        }
        self.learner.split(joined).for_each(|(slot, part)| values[slot] = part);
        values
    }

    /// What is needed to go on from here.
    pub(super) fn checkpoint(&self) -> Result<Checkpoint, NnError> {
        let mut kept = Checkpoint::default();
        for (parameter, value) in self.plan.parameters.iter().zip(self.values()) {
            kept.numbers.insert(format!("{VALUES}{}", parameter.name), floats(value));
        }
        for (index, value) in self.average.iter().flat_map(Average::values).enumerate() {
            kept.numbers.insert(format!("{AVERAGES}{index}"), floats(value.clone()));
        }
        kept.bytes.insert(OPTIMIZER.into(), self.learner.state().map_err(NnError::Unfit)?);
        kept.bytes.insert(CURVE.into(), self.curve.iter().copied().flat_map(Epoch::to_bytes).collect());
        Ok(kept)
    }

    /// The network's own parameters: a second classifier has done its work.
    pub(super) fn finish(self, training: &Training) -> Trained {
        let mut bank = Bank::new(training.seed);
        for (parameter, value) in self.plan.parameters.iter().zip(self.judged_values()) {
            bank.store(parameter, floats(value));
        }
        let throughput = Throughput::default();
        Trained { weights: bank.export(training.graph), curve: self.curve, throughput }
    }
}
