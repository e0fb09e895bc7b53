//! One step of one network on weights that others share.

use burn::tensor::{Gradients, Tensor};

use super::{Held, classes, drawn};
use crate::data::Supply;
use crate::ir::{Graph, Role, Tensor as Place};
use crate::nn::NnError;
use crate::nn::auxiliary::with_classifier;
use crate::nn::execute::{Chance, Pass, Plan, Ran};
use crate::nn::feed::{Lot, Lots};
use crate::nn::loss::cross_entropy;
use crate::nn::rule::{rule, stepped};
use crate::nn::train::check_parameters;
use crate::random::Seed;
use crate::recipe::{Recipe, Stage};

/// Largest global norm of a gradient on shared weights: hyperparameters are drawn for them that no one would choose.
const CLIP_NORM: f64 = 5.0;
/// Added to the norm that a gradient is divided by, as PyTorch's `clip_grad_norm_` does.
const NORM_FLOOR: f64 = 1e-6;
/// Parts that a whole training is divided into, to find a place on a schedule.
const FINE: f64 = 1e6;

/// One step of one network.
#[derive(Clone, Copy, Debug)]
pub struct Lesson<'a> {
    /// The network; its output is one logit a class.
    pub graph: &'a Graph,
    /// The same network for the pictures that it learns from: `graph` itself, unless the recipe's stage at `share` has
    /// smaller ones.
    pub learnt: &'a Graph,
    /// How it is trained.
    pub recipe: &'a Recipe,
    /// What gradients are taken on.
    pub train: Supply<'a>,
    /// Mean and standard deviation of each channel, of pixels in [0, 1].
    pub normal: (&'a [f32], &'a [f32]),
    /// How much of the whole training lies before the step, in [0, 1].
    pub share: f64,
    /// The source of all that is random in the step.
    pub seed: Seed,
}

/// The pictures of a step and their targets: `[batch, channels, height, width]` and `[batch, classes]`.
pub(super) type Batch = (Tensor<4>, Tensor<2>);

/// What is learnt: the network, with a second classifier where the recipe asks for one.
pub(super) enum Taught<'a> {
    Plain(&'a Graph),
    Twice(Box<(Graph, Place)>),
}

impl Taught<'_> {
    pub(super) fn plan(&self) -> Plan<'_> {
        match self {
            Taught::Plain(graph) => Plan::new(graph),
            Taught::Twice(both) => Plan::with_classifier(&both.0, both.1),
        }
    }
}

impl<'a> Lesson<'a> {
    /// What is learnt in the step.
    ///
    /// # Errors
    /// [`NnError::Unfit`] for a network that has no place for a second classifier, or whose parameters depend on the size
    /// of the pictures where that changes.
    pub(super) fn taught(&self) -> Result<Taught<'a>, NnError> {
        let with = |graph: &'a Graph| match self.recipe.auxiliary > 0.0 {
            true => Ok(Taught::Twice(Box::new(with_classifier(graph, classes(graph))?))),
            false => Ok(Taught::Plain(graph)),
        };
        let taught = with(self.learnt)?;
        if !std::ptr::eq(self.learnt, self.graph) {
            check_parameters(&with(self.graph)?.plan(), &taught.plan())?;
        }
        Ok(taught)
    }

    /// Some pictures of `supply`.
    pub(super) fn lot<'l>(&'l self, supply: Supply<'l>, members: &'l [usize], seed: Seed) -> Lot<'l> {
        Lot { supply, members, normal: self.normal, classes: classes(self.graph), seed }
    }

    /// Takes step `number` on `path`; the loss before it, and the pictures.
    pub(super) fn step(
        &self,
        plan: &Plan,
        path: &mut [Held],
        lots: &mut Lots,
        number: u64,
    ) -> Result<(f64, Batch), NnError> {
        let (recipe, stage) = (self.recipe, self.recipe.stage_at(self.share));
        let seed = self.seed.derive(number, "step");
        let members = drawn(self.train.len(), recipe.batch, seed, "training batch");
        let batch = lots.training(&self.lot(self.train, &members, seed), recipe, &stage)?;
        let Stage { dropout, .. } = stage;
        let mut chance = Chance { rng: seed.stream(0, "drop"), drop_path: recipe.drop_path, dropout };
        let Slopes { loss, running, gradients } = slopes(plan, path, &batch, recipe.auxiliary, &mut chance);
        let norm = norm(&gradients);
        if !loss.is_finite() || !norm.is_finite() {
            let what = format!("loss is {loss}, its gradient's norm {norm}");
            return Err(NnError::Diverged { epoch: 1, step: 1, what });
        }
        self.climb(plan, path, gradients, norm);
        running.into_iter().for_each(|(slot, value)| path[slot].value = value);
        Ok((loss, batch))
    }

    /// Moves every parameter that has a gradient.
    fn climb(&self, plan: &Plan, path: &mut [Held], gradients: Vec<(usize, Tensor<1>)>, norm: f64) {
        let recipe = self.recipe;
        let limit = if recipe.clip_norm > 0.0 { recipe.clip_norm.min(CLIP_NORM) } else { CLIP_NORM };
        let share = (limit / (norm + NORM_FLOOR)).min(1.0);
        let rate = recipe.learning_rate * recipe.schedule.factor((self.share * FINE) as usize, FINE as usize);
        let rule = rule(&recipe.optimizer);
        for (slot, gradient) in gradients {
            let decay = if plan.parameters[slot].role == Role::Weight { recipe.weight_decay } else { 0.0 };
            let gradient = if share < 1.0 { gradient.mul_scalar(share) } else { gradient };
            let Held { value, memories, .. } = &mut path[slot];
            *value = stepped(&recipe.optimizer, (rate, decay), value.clone(), gradient, &mut memories[rule]);
        }
    }
}

/// The loss of a network whose parameters are `path`, by the batch's own statistics and with nothing dropped.
pub(super) fn loss(plan: &Plan, path: &[Held], (input, targets): &Batch) -> f64 {
    let values: Vec<Tensor<1>> = path.iter().map(|held| held.value.clone()).collect();
    let (logits, _) = Pass::recounting(plan, &values, 1.0).run(input.clone());
    f64::from(cross_entropy(logits, targets.clone()).into_scalar::<f32>())
}

/// What a step follows from.
struct Slopes {
    /// The loss of the network itself.
    loss: f64,
    /// New running statistics, by slot.
    running: Vec<(usize, Tensor<1>)>,
    /// The gradients of all trained parameters, by slot.
    gradients: Vec<(usize, Tensor<1>)>,
}

fn slopes(
    plan: &Plan,
    path: &[Held],
    (input, targets): &Batch,
    auxiliary: f64,
    chance: &mut Chance,
) -> Slopes {
    let leaf = |(slot, held): (usize, &Held)| {
        let value = held.value.clone().autodiff();
        if plan.trained(slot) { value.require_grad() } else { value }
    };
    let values: Vec<Tensor<1>> = path.iter().enumerate().map(leaf).collect();
    let ran = Pass::new(plan, &values, Some(chance)).run_all(input.clone().autodiff());
    let Ran { logits, auxiliary: second, running } = ran;
    let targets = targets.clone().autodiff();
    let loss = cross_entropy(logits, targets.clone());
    let figure = f64::from(loss.clone().into_scalar::<f32>());
    let second = second.map(|logits| cross_entropy(logits, targets).mul_scalar(auxiliary));
    let mut all: Gradients = second.map_or(loss.clone(), |second| loss + second).backward();
    let trained = values.iter().enumerate().filter(|(slot, _)| plan.trained(*slot));
    // What the loss does not depend on, such as a branch that was dropped, has no gradient.
    let found = trained.filter_map(|(slot, leaf)| Some((slot, leaf.grad_remove(&mut all)?)));
    let gradients = found.collect();
    Slopes { loss: figure, running, gradients }
}

fn norm(gradients: &[(usize, Tensor<1>)]) -> f64 {
    let squares: Vec<Tensor<1>> =
        gradients.iter().map(|(_, gradient)| gradient.clone().square().sum()).collect();
    if squares.is_empty() {
        return 0.0;
    }
    f64::from(Tensor::cat(squares, 0).sum().into_scalar::<f32>()).sqrt()
}
