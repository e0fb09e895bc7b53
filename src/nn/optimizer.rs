//! The update rules: Burn's optimizers over two flat vectors, the parameters that decay and those that do not.
//!
//! All parameters of a group lie behind each other in one vector, so that an update is a handful of tensor operations
//! whatever the number of layers, and the gradient's global norm is one sum.

use burn::module::{Param, ParamGroup, ParamId};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer, RmsPropConfig, SgdConfig};
use burn::tensor::{Bytes, Gradients, Tensor};

use super::execute::Plan;
use crate::ir::Role;
use crate::recipe::{Optimizer, Recipe};

/// The identity of the group that weight decay spares.
const SPARED: u64 = 2;
/// Added to the norm that a gradient is divided by, as PyTorch's `clip_grad_norm_` does.
const NORM_FLOOR: f64 = 1e-6;

/// Trained parameters and the optimizer that moves them.
pub(super) struct Learner {
    /// Slots (see [`Plan`]) and lengths of each group's members, in order. Groups are never empty.
    members: Vec<Vec<(usize, usize)>>,
    groups: Vec<Param<Tensor<1>>>,
    optimizer: ModuleOptimizer,
    clip_norm: f64,
}

impl Learner {
    /// Takes over the trained ones of `values`, which are all parameters of the plan by slot.
    pub(super) fn new(plan: &Plan, recipe: &Recipe, values: &[Vec<f32>]) -> Learner {
        let decays = |slot: &usize| plan.parameters[*slot].role == Role::Weight;
        let trained = (0..values.len()).filter(|slot| plan.trained(*slot));
        let (decayed, spared): (Vec<usize>, Vec<usize>) = trained.partition(decays);
        let (mut members, mut groups) = (Vec::new(), Vec::new());
        for (slots, id) in [(decayed, 1), (spared, SPARED)] {
            if !slots.is_empty() {
                let joined = slots.iter().flat_map(|slot| values[*slot].iter().copied()).collect();
                // Burn's optimizers take parameters that are on autodiff, though nothing is recorded for these.
                groups.push(Param::initialized(ParamId::from(id), plan.vector(joined).autodiff()));
                members.push(slots.into_iter().map(|slot| (slot, values[slot].len())).collect());
            }
        }
        Learner { members, groups, optimizer: optimizer(recipe), clip_norm: recipe.clip_norm }
    }

    /// Whether there is nothing to train.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The trained parameters as leaves of a new autodiff graph: `(slot, leaf)`.
    pub(super) fn leaves(&self) -> Vec<(usize, Tensor<1>)> {
        self.parts().map(|(slot, part)| (slot, part.autodiff().require_grad())).collect()
    }

    /// The trained parameters: `(slot, values)`.
    pub(super) fn parts(&self) -> impl Iterator<Item = (usize, Tensor<1>)> {
        self.split(self.joined())
    }

    /// The trained parameters as they are held: one vector a group.
    pub(super) fn joined(&self) -> Vec<Tensor<1>> {
        self.groups.iter().map(|group| group.val().inner()).collect()
    }

    /// Vectors like those of [`Learner::joined`] as parameters: `(slot, values)`.
    pub(super) fn split(&self, joined: Vec<Tensor<1>>) -> impl Iterator<Item = (usize, Tensor<1>)> {
        self.members.iter().zip(joined).flat_map(|(members, joined)| {
            let mut start = 0;
            members.iter().map(move |(slot, length)| {
                start += length;
                (*slot, joined.clone().narrow(0, start - length, *length))
            })
        })
    }

    /// One update. `leaves` are those of [`Learner::leaves`] that `gradients` came from.
    pub(super) fn step(
        &mut self,
        learning_rate: f64,
        leaves: &[(usize, Tensor<1>)],
        gradients: &mut Gradients,
    ) {
        let mut leaves = leaves.iter();
        let mut joined: Vec<Tensor<1>> = Vec::with_capacity(self.groups.len());
        for members in &self.members {
            let parts = leaves.by_ref().take(members.len()).map(|(_, leaf)| {
                leaf.grad_remove(gradients).unwrap_or_else(|| leaf.clone().inner().zeros_like())
            });
            joined.push(Tensor::cat(parts.collect(), 0));
        }
        let mut all = GradientsParams::new();
        for (group, gradient) in self.groups.iter().zip(clipped(joined, self.clip_norm)) {
            all.register(group.id, gradient);
        }
        let groups = std::mem::take(&mut self.groups);
        self.groups = self.optimizer.step(learning_rate, groups, all);
    }

    /// A number that is finite where all trained parameters are; it stays on the device.
    pub(super) fn magnitude(&self) -> Tensor<1> {
        Tensor::cat(self.groups.iter().map(|group| group.val().inner().abs().mean()).collect(), 0).sum()
    }

    /// The optimizer's state, such as momentum.
    pub(super) fn state(&self) -> Result<Vec<u8>, String> {
        self.optimizer.into_bytes().map(|bytes| bytes.to_vec()).map_err(|error| error.to_string())
    }

    /// Goes on from a state that [`Learner::state`] gave.
    pub(super) fn resume(&mut self, state: Vec<u8>) -> Result<(), String> {
        let fresh = self.optimizer.clone();
        self.optimizer = fresh.from_bytes(Bytes::from_bytes_vec(state)).map_err(|error| error.to_string())?;
        Ok(())
    }
}

/// Gradients scaled so that the norm over all of them is at most `limit`. The norm never leaves the device.
fn clipped(gradients: Vec<Tensor<1>>, limit: f64) -> Vec<Tensor<1>> {
    if limit <= 0.0 || gradients.is_empty() {
        return gradients;
    }
    let squares = gradients.iter().map(|part| part.clone().square().sum());
    let norm = Tensor::cat(squares.collect(), 0).sum().sqrt();
    let share = (norm + NORM_FLOOR).recip().mul_scalar(limit).clamp_max(1.0); // [1]
    gradients.into_iter().map(|part| part * share.clone()).collect()
}

fn optimizer(recipe: &Recipe) -> ModuleOptimizer {
    let spared = ParamGroup::from_ids(vec![ParamId::from(SPARED)]);
    let decay = recipe.weight_decay as f32;
    let penalty = |decay: f32| (decay != 0.0).then_some(WeightDecayConfig { penalty: decay });
    match recipe.optimizer {
        Optimizer::Sgd { momentum, nesterov } => {
            // Burn's dampening is 0.1 unless told otherwise.
            let momentum = (momentum != 0.0).then(|| {
                MomentumConfig::new().with_momentum(momentum).with_dampening(0.0).with_nesterov(nesterov)
            });
            let rule = |decay| {
                SgdConfig::new().with_momentum(momentum.clone()).with_weight_decay(penalty(decay)).build()
            };
            ModuleOptimizer::from(rule(decay)).with_group(spared, rule(0.0), None)
        }
        Optimizer::AdamW { beta1, beta2, epsilon } => {
            let rule = |decay| {
                let betas = AdamWConfig::new().with_beta_1(beta1 as f32).with_beta_2(beta2 as f32);
                betas.with_epsilon(epsilon as f32).with_weight_decay(decay).build()
            };
            ModuleOptimizer::from(rule(decay)).with_group(spared, rule(0.0), None)
        }
        Optimizer::RmsProp { alpha, momentum, epsilon } => {
            let rule = |decay| {
                let rates = RmsPropConfig::new().with_alpha(alpha as f32).with_momentum(momentum as f32);
                rates.with_epsilon(epsilon as f32).with_weight_decay(penalty(decay)).build()
            };
            ModuleOptimizer::from(rule(decay)).with_group(spared, rule(0.0), None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Graph, Primitive, Shape};
    use crate::nn::execute::vector;

    /// Two steps over a linear layer of one input: weight [1.0, -2.0] with gradients [0.5, 1.0], then [-0.25, 1.0];
    /// its bias [0.5, 0.5] gets the same gradients.
    fn two_steps(recipe: &Recipe) -> [Vec<f64>; 2] {
        let mut graph = Graph::new(Shape::Flat(1));
        let y = graph.add(Primitive::Linear { features: 2, bias: true }, &[graph.input()]).unwrap();
        graph.set_output(y);
        let plan = Plan::new(&graph);
        let mut learner = Learner::new(&plan, recipe, &[vec![1.0, -2.0], vec![0.5, 0.5]]);
        for gradient in [[0.5f32, 1.0], [-0.25, 1.0]] {
            let leaves = learner.leaves();
            let slope = || vector(gradient.to_vec()).autodiff();
            let loss = leaves
                .iter()
                .fold(vector(vec![0.0]).autodiff(), |loss, (_, leaf)| loss + (leaf.clone() * slope()).sum());
            learner.step(0.1, &leaves, &mut loss.backward());
        }
        let parts: Vec<Vec<f64>> =
            learner.parts().map(|(_, part)| part.into_data().iter::<f64>().collect()).collect();
        [parts[0].clone(), parts[1].clone()]
    }

    #[track_caller]
    fn close(met: &[f64], wanted: [f64; 2]) {
        assert!(
            met.iter().zip(wanted).all(|(met, wanted)| (met - wanted).abs() < 2e-6),
            "{met:?}, not {wanted:?}"
        );
    }

    /// PyTorch's documented update, in f64: `torch.optim.SGD`, dampening 0.
    fn sgd(start: f64, decay: f64, nesterov: bool) -> impl Fn([f64; 2]) -> f64 {
        move |gradients| {
            let (mut weight, mut velocity) = (start, None);
            for gradient in gradients {
                let gradient = gradient + decay * weight;
                let moved = velocity.map_or(gradient, |velocity: f64| 0.9 * velocity + gradient);
                velocity = Some(moved);
                weight -= 0.1 * if nesterov { gradient + 0.9 * moved } else { moved };
            }
            weight
        }
    }

    #[test]
    fn sgd_is_pytorchs_and_spares_the_bias() {
        for nesterov in [true, false] {
            let optimizer = Optimizer::Sgd { momentum: 0.9, nesterov };
            let [weight, bias] = two_steps(&Recipe { optimizer, weight_decay: 0.01, ..Recipe::default() });
            let (a, b) = ([0.5, -0.25], [1.0, 1.0]);
            close(&weight, [sgd(1.0, 0.01, nesterov)(a), sgd(-2.0, 0.01, nesterov)(b)]);
            close(&bias, [sgd(0.5, 0.0, nesterov)(a), sgd(0.5, 0.0, nesterov)(b)]);
        }
        // By hand: velocity 1, then 1.9; 0.5 - 0.1 * 1.9 - 0.1 * 2.71.
        close(&[sgd(0.5, 0.0, true)([1.0, 1.0]), 0.0], [0.5 - 0.19 - 0.271, 0.0]);
    }

    #[test]
    fn adamw_is_pytorchs_and_spares_the_bias() {
        let adamw = |start: f64, decay: f64, gradients: [f64; 2]| {
            let (mut weight, mut first, mut second) = (start, 0.0, 0.0);
            for (step, gradient) in (1..).zip(gradients) {
                weight *= 1.0 - 0.1 * decay;
                first = 0.9 * first + 0.1 * gradient;
                second = 0.999 * second + 0.001 * gradient * gradient;
                let deviation = (second / (1.0 - 0.999f64.powi(step))).sqrt() + 1e-8;
                weight -= 0.1 * first / (1.0 - 0.9f64.powi(step)) / deviation;
            }
            weight
        };
        let optimizer = Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
        let [weight, bias] = two_steps(&Recipe { optimizer, weight_decay: 0.05, ..Recipe::default() });
        close(&weight, [adamw(1.0, 0.05, [0.5, -0.25]), adamw(-2.0, 0.05, [1.0, 1.0])]);
        close(&bias, [adamw(0.5, 0.0, [0.5, -0.25]), adamw(0.5, 0.0, [1.0, 1.0])]);
        // By hand: equal gradients move by the learning rate each step.
        close(&[adamw(0.5, 0.0, [1.0, 1.0]), 0.0], [0.3, 0.0]);
    }

    #[test]
    fn rmsprop_is_pytorchs_and_spares_the_bias() {
        let rmsprop = |start: f64, decay: f64, gradients: [f64; 2]| {
            let (mut weight, mut square, mut buffer) = (start, 0.0, 0.0);
            for gradient in gradients {
                let gradient = gradient + decay * weight;
                square = 0.99 * square + 0.01 * gradient * gradient;
                buffer = 0.9 * buffer + gradient / (f64::sqrt(square) + 1e-8);
                weight -= 0.1 * buffer;
            }
            weight
        };
        let optimizer = Optimizer::RmsProp { alpha: 0.99, momentum: 0.9, epsilon: 1e-8 };
        let [weight, bias] = two_steps(&Recipe { optimizer, weight_decay: 0.01, ..Recipe::default() });
        close(&weight, [rmsprop(1.0, 0.01, [0.5, -0.25]), rmsprop(-2.0, 0.01, [1.0, 1.0])]);
        close(&bias, [rmsprop(0.5, 0.0, [0.5, -0.25]), rmsprop(0.5, 0.0, [1.0, 1.0])]);
    }

    #[test]
    fn clipping_bounds_the_norm_over_all_parameters() {
        let parts = |limit| {
            let parts = vec![vector(vec![3.0, 0.0]), vector(vec![0.0, 4.0])];
            let parts = clipped(parts, limit).into_iter();
            parts.flat_map(|part| part.into_data().iter::<f64>().collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        assert_eq!(parts(0.0), [3.0, 0.0, 0.0, 4.0]);
        assert_eq!(parts(6.0), [3.0, 0.0, 0.0, 4.0]);
        assert!(parts(1.0).iter().zip([0.6, 0.0, 0.0, 0.8]).all(|(met, wanted)| (met - wanted).abs() < 1e-5));
    }
}
