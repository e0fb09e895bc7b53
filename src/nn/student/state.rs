//! A student between two steps: what moves, what it was averaged to, and how it is kept.

use std::path::Path;

use burn::tensor::{Tensor, TensorData};

use super::batches::Batch;
use super::train::{Step, StudentTraining};
use super::weighing::{Weighing, Weighted};
use crate::data::Label;
use crate::ir::{Initial, Parameter, Role, Weights};
use crate::must::student::ObjectPart;
use crate::nn::average::Average;
use crate::nn::bank::Bank;
use crate::nn::checkpoint::Checkpoint;
use crate::nn::execute::{Chance, Pass, Plan};
use crate::nn::optimizer::Learner;
use crate::nn::train::floats;
use crate::nn::{NnError, heritage};
use crate::recipe::Recipe;

/// What a checkpoint's parts are called.
const VALUES: &str = "values/";
const AVERAGES: &str = "averages/";
const WEIGHING: &str = "weighing/";
const OPTIMIZER: &str = "optimizer";
const CURVE: &str = "curve";

/// How likely an object of a class is said to be in a pixel before anything is learned (*RetinaNet*, Lin et al. 2017).
const PRIOR: f64 = 0.01;
/// The deviation of the weights that answers about objects start from (the same).
const SMALL: f64 = 0.01;

/// A training of a student under way.
pub(super) struct State<'p> {
    plan: &'p Plan<'p>,
    names: Vec<&'p str>,
    learner: Learner,
    /// What the learner does not move, such as running statistics, by slot; the others' entries are stale.
    fixed: Vec<Tensor<1>>,
    /// Of the trained parameters, group by group, and of all that is fixed, where the lesson asks for one.
    average: Option<Average>,
    weighing: Weighing,
    /// The steps done.
    pub(super) curve: Vec<Step>,
}

impl<'p> State<'p> {
    /// The first step's state, or the checkpoint's, which is given with the training's identity.
    pub(super) fn start(
        training: &StudentTraining,
        recipe: &Recipe,
        plan: &'p Plan<'p>,
        checkpoint: Option<(&Path, u64)>,
    ) -> Result<State<'p>, NnError> {
        let kept = match checkpoint {
            Some((path, identity)) => Checkpoint::load(path, identity)?,
            None => None,
        };
        let mut bank = heritage::bank(training.seed, training.parent)?;
        let value = |one: &Parameter| {
            let stored = kept.as_ref().and_then(|kept| kept.numbers.get(&format!("{VALUES}{}", one.name)));
            stored.cloned().unwrap_or_else(|| started(&mut bank, training.parent, one))
        };
        let values: Vec<Vec<f32>> = plan.parameters.iter().map(value).collect();
        let learner = Learner::new(plan, recipe, &values);
        if learner.is_empty() {
            return Err(NnError::Unfit("the student has no parameters to train".into()));
        }
        let weighing = Weighing::new(training.lesson.weights, training.lesson.normalised, &plan.device);
        let names = plan.graph.outputs().iter().map(|(name, _)| name.as_str()).collect();
        let fixed = values.into_iter().map(|values| plan.vector(values)).collect();
        let mut state = State { plan, names, learner, fixed, average: None, weighing, curve: Vec::new() };
        if let (Some(kept), Some((path, _))) = (&kept, checkpoint) {
            state.go_on(kept).map_err(|problem| NnError::checkpoint(path, problem))?;
        }
        if training.lesson.ema > 0.0 {
            let averages =
                kept.as_ref().map(|kept| stored_averages(kept, plan)).filter(|all| !all.is_empty());
            let values = averages.unwrap_or_else(|| state.followed());
            state.average = Some(Average::new(training.lesson.ema, state.curve.len() as u64, values));
        }
        Ok(state)
    }

    fn go_on(&mut self, kept: &Checkpoint) -> Result<(), String> {
        let part = |name: &str| kept.bytes.get(name).ok_or_else(|| format!("holds no {name}"));
        self.learner.resume(part(OPTIMIZER)?.clone())?;
        self.weighing.resume(&|name| kept.numbers.get(&format!("{WEIGHING}{name}")).cloned());
        let curve = kept.numbers.get(CURVE).ok_or("holds no curve")?;
        self.curve = curve
            .chunks(Step::NUMBERS)
            .zip(1..)
            .map(|(row, number)| Step::from_numbers(number, row))
            .collect();
        Ok(())
    }

    /// One update; each task's loss before it, which stays on the device.
    pub(super) fn step(
        &mut self,
        batch: Batch,
        learning_rate: f64,
        chance: &mut Chance,
    ) -> Vec<(Label, Tensor<1>)> {
        let Batch { input, targets, pseudo } = batch;
        let (height, width) = self.picture();
        let shape = [targets.batch, 3, height, width];
        let input = Tensor::<4>::from_data(TensorData::new(input, shape), &self.plan.device);
        let leaves = self.learner.leaves();
        let mut values: Vec<Tensor<1>> = self.fixed.iter().map(|value| value.clone().autodiff()).collect();
        leaves.iter().for_each(|(slot, leaf)| values[*slot] = leaf.clone());
        let (outputs, running) = Pass::new(self.plan, &values, Some(chance)).run_each(input.autodiff());
        let Weighted { total, told } = self.weighing.weigh(targets.losses(&self.names, outputs), &pseudo);
        // Where no sample has any label there is nothing to learn, and no statistics to keep either.
        if let Some(total) = total {
            self.learner.step(learning_rate, &leaves, &mut total.backward());
            running.into_iter().for_each(|(slot, value)| self.fixed[slot] = value);
        }
        if self.average.is_some() {
            let followed = self.followed();
            self.average.iter_mut().for_each(|average| average.follow(followed.clone()));
        }
        told
    }

    /// A number that is finite where all trained parameters are; it stays on the device.
    pub(super) fn magnitude(&self) -> Tensor<1> {
        self.learner.magnitude()
    }

    fn picture(&self) -> (usize, usize) {
        match self.plan.graph.shape(self.plan.graph.input()) {
            crate::ir::Shape::Map { height, width, .. } => (height, width),
            crate::ir::Shape::Flat(_) => (1, 1),
        }
    }

    /// What the average follows: the learner's vectors, and all that no gradient moves as one more.
    fn followed(&self) -> Vec<Tensor<1>> {
        let mut followed = self.learner.joined();
        let fixed: Vec<Tensor<1>> = self.fixed_slots().map(|slot| self.fixed[slot].clone()).collect();
        if !fixed.is_empty() {
            followed.push(Tensor::cat(fixed, 0));
        }
        followed
    }

    fn fixed_slots(&self) -> impl Iterator<Item = usize> {
        (0..self.plan.parameters.len()).filter(|slot| !self.plan.trained(*slot))
    }

    /// All parameters by slot, as they are kept: the average where there is one.
    fn judged(&self) -> Vec<Tensor<1>> {
        let mut values = self.fixed.clone();
        let Some(average) = &self.average else {
            self.learner.parts().for_each(|(slot, part)| values[slot] = part);
            return values;
        };
        let mut joined = average.values().to_vec();
        let fixed: Vec<usize> = self.fixed_slots().collect();
        if let (false, Some(all)) = (fixed.is_empty(), joined.pop()) {
            let mut start = 0;
            for slot in fixed {
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
        let mut values = self.fixed.clone();
        self.learner.parts().for_each(|(slot, part)| values[slot] = part);
        for (parameter, value) in self.plan.parameters.iter().zip(values) {
            kept.numbers.insert(format!("{VALUES}{}", parameter.name), floats(value));
        }
        for (index, value) in self.average.iter().flat_map(Average::values).enumerate() {
            kept.numbers.insert(format!("{AVERAGES}{index}"), floats(value.clone()));
        }
        for (name, values) in self.weighing.numbers() {
            kept.numbers.insert(format!("{WEIGHING}{name}"), values);
        }
        kept.numbers.insert(CURVE.into(), self.curve.iter().flat_map(Step::to_numbers).collect());
        kept.bytes.insert(OPTIMIZER.into(), self.learner.state().map_err(NnError::Unfit)?);
        Ok(kept)
    }

    /// All parameters, and what each step came to.
    pub(super) fn finish(self) -> (Weights, Vec<Step>) {
        let named = self.plan.parameters.iter().zip(self.judged());
        let weights =
            named.map(|(one, value)| (one.name.clone(), (one.shape.clone(), floats(value)))).collect();
        (weights, self.curve)
    }
}

fn stored_averages(kept: &Checkpoint, plan: &Plan) -> Vec<Tensor<1>> {
    (0..)
        .map_while(|index| Some(plan.vector(kept.numbers.get(&format!("{AVERAGES}{index}"))?.clone())))
        .collect()
}

/// What a parameter starts from: the parent's, or chance. Answers start nearly equal: those about objects say that there is
/// none.
fn started(bank: &mut Bank, parent: Option<&Weights>, parameter: &Parameter) -> Vec<f32> {
    let values = bank.value(parameter).to_vec();
    let inherited = parent.and_then(|parent| parent.get(&parameter.name));
    if inherited.is_some_and(|(shape, _)| *shape == parameter.shape) {
        return values;
    }
    let (name, role) = (parameter.name.as_str(), parameter.role);
    let answers = |part: ObjectPart| name.starts_with(&format!("heads/objects/{}/", part.name()));
    if role == Role::Bias && answers(ObjectPart::Class) {
        return vec![-((1.0 - PRIOR) / PRIOR).ln() as f32; values.len()];
    }
    let fan_in: usize = parameter.shape.iter().skip(1).product();
    let deviation = match role {
        Role::Weight if ObjectPart::ALL.into_iter().any(answers) => SMALL,
        Role::Weight if name.starts_with("heads/") && name.ends_with("/answer/weight") => {
            1.0 / (fan_in as f64).sqrt()
        }
        _ => return values,
    };
    let Initial::Kaiming { fan } = parameter.initial else { return values };
    let scale = (deviation / (2.0 / fan.max(1) as f64).sqrt()) as f32;
    values.into_iter().map(|value| value * scale).collect()
}
