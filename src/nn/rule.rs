//! The update rules, parameter by parameter: what weights that several networks share are moved by.
//!
//! They are PyTorch's, as those of [`super::optimizer`] are, which moves all parameters of one network as one vector. A
//! parameter that only some networks have takes part in their steps alone, so that its state is its own.

use burn::tensor::Tensor;

use crate::recipe::Optimizer;

/// What an update rule remembers of one parameter.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// Steps so far.
    pub(super) steps: u32,
    /// Velocity, or the mean of gradients.
    pub(super) first: Option<Tensor<1>>,
    /// The mean of squares.
    pub(super) second: Option<Tensor<1>>,
}

/// The numbers of the update rules, in the order in which a parameter keeps its memories.
pub(super) const RULES: usize = 3;

/// Which memory a rule has.
pub(super) fn rule(optimizer: &Optimizer) -> usize {
    match optimizer {
        Optimizer::Sgd { .. } => 0,
        Optimizer::AdamW { .. } => 1,
        Optimizer::RmsProp { .. } => 2,
    }
}

/// A parameter after one step.
pub(super) fn stepped(
    optimizer: &Optimizer,
    (learning_rate, decay): (f64, f64),
    value: Tensor<1>,
    gradient: Tensor<1>,
    memory: &mut Memory,
) -> Tensor<1> {
    memory.steps = memory.steps.saturating_add(1);
    let decayed = |gradient: Tensor<1>| match decay {
        0.0 => gradient,
        decay => gradient + value.clone().mul_scalar(decay),
    };
    match *optimizer {
        Optimizer::Sgd { momentum, nesterov } => {
            let gradient = decayed(gradient);
            let moved = moving(memory, gradient.clone(), momentum);
            let moved =
                if nesterov && momentum != 0.0 { gradient + moved.mul_scalar(momentum) } else { moved };
            value - moved.mul_scalar(learning_rate)
        }
        Optimizer::AdamW { beta1, beta2, epsilon } => {
            let square = mean(memory.second.take(), gradient.clone().square(), beta2);
            let first = mean(memory.first.take(), gradient, beta1);
            let whole = |beta: f64| 1.0 - beta.powi(memory.steps.min(1 << 20) as i32);
            let root = square.clone().div_scalar(whole(beta2)).sqrt().add_scalar(epsilon);
            let moved = first.clone().div_scalar(whole(beta1)) / root;
            (memory.first, memory.second) = (Some(first), Some(square));
            value.mul_scalar(1.0 - learning_rate * decay) - moved.mul_scalar(learning_rate)
        }
        Optimizer::RmsProp { alpha, momentum, epsilon } => {
            let gradient = decayed(gradient);
            let square = mean(memory.second.take(), gradient.clone().square(), alpha);
            let moved = gradient / square.clone().sqrt().add_scalar(epsilon);
            memory.second = Some(square);
            value - moving(memory, moved, momentum).mul_scalar(learning_rate)
        }
    }
}

/// The velocity after a step; without momentum there is none.
fn moving(memory: &mut Memory, step: Tensor<1>, momentum: f64) -> Tensor<1> {
    if momentum == 0.0 {
        return step;
    }
    let velocity = match memory.first.take() {
        Some(before) => before.mul_scalar(momentum) + step,
        None => step,
    };
    memory.first = Some(velocity.clone());
    velocity
}

/// The moving mean, which starts at 0.
fn mean(before: Option<Tensor<1>>, now: Tensor<1>, keep: f64) -> Tensor<1> {
    let now = now.mul_scalar(1.0 - keep);
    match before {
        Some(before) => before.mul_scalar(keep) + now,
        None => now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::device;

    fn three_steps(optimizer: Optimizer) -> Vec<f64> {
        let vector = |values: [f32; 2]| Tensor::<1>::from_data(values, &device());
        let (mut value, mut memory) = (vector([1.0, -2.0]), Memory::default());
        for gradient in [[0.5, 1.0], [-0.25, 1.0], [0.125, -3.0]] {
            value = stepped(&optimizer, (0.1, 0.01), value, vector(gradient), &mut memory);
        }
        value.into_data().iter::<f64>().collect()
    }

    #[track_caller]
    fn close(met: &[f64], wanted: [f64; 2]) {
        let close = met.iter().zip(wanted).all(|(met, wanted)| (met - wanted).abs() < 2e-6);
        assert!(close, "{met:?}, not {wanted:?}");
    }

    /// PyTorch's documented updates, in f64.
    fn by_hand(rule: impl Fn(&mut [f64; 2], f64, f64, i32) -> f64) -> [f64; 2] {
        [(1.0, [0.5, -0.25, 0.125]), (-2.0, [1.0, 1.0, -3.0])].map(|(start, gradients)| {
            let (mut weight, mut state) = (start, [0.0; 2]);
            for (step, gradient) in gradients.into_iter().enumerate() {
                weight = rule(&mut state, weight, gradient, step as i32 + 1);
            }
            weight
        })
    }

    #[test]
    fn sgd_adamw_and_rmsprop_are_pytorchs() {
        for nesterov in [true, false] {
            let wanted = by_hand(|state, weight, gradient, _| {
                let gradient = gradient + 0.01 * weight;
                state[0] = 0.9 * state[0] + gradient;
                weight - 0.1 * if nesterov { gradient + 0.9 * state[0] } else { state[0] }
            });
            close(&three_steps(Optimizer::Sgd { momentum: 0.9, nesterov }), wanted);
        }
        let plain = by_hand(|_, weight, gradient, _| weight - 0.1 * (gradient + 0.01 * weight));
        close(&three_steps(Optimizer::Sgd { momentum: 0.0, nesterov: false }), plain);
        let wanted = by_hand(|state, weight, gradient, step| {
            *state = [0.9 * state[0] + 0.1 * gradient, 0.999 * state[1] + 0.001 * gradient * gradient];
            let (first, second) =
                (state[0] / (1.0 - 0.9f64.powi(step)), state[1] / (1.0 - 0.999f64.powi(step)));
            weight * (1.0 - 0.1 * 0.01) - 0.1 * first / (second.sqrt() + 1e-8)
        });
        close(&three_steps(Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }), wanted);
        let wanted = by_hand(|state, weight, gradient, _| {
            let gradient = gradient + 0.01 * weight;
            state[1] = 0.99 * state[1] + 0.01 * gradient * gradient;
            state[0] = 0.5 * state[0] + gradient / (state[1].sqrt() + 1e-8);
            weight - 0.1 * state[0]
        });
        close(&three_steps(Optimizer::RmsProp { alpha: 0.99, momentum: 0.5, epsilon: 1e-8 }), wanted);
    }
}
