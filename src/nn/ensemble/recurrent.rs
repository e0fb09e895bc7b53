//! Long short-term memories of one layer.
//!
//! Hochreiter and Schmidhuber 1997, <https://doi.org/10.1162/neco.1997.9.8.1735>: a network reads a row of tokens one by
//! one, and gates say what of its state is kept, what is added and what is shown. Of a token only its embedding times the
//! input weights is ever needed, and so that is made once and not at every step.
//!
//! A gate stands beside the others as a network beside others, so that each of them lies in one piece: input, forget,
//! output, candidate, each M long.

use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;

use super::{EMBEDDING_BOUND, Sizes, device, drawn};
use crate::random::Rng;

/// Parts of networks that have learnt nothing: weights within 1/√H of 0, the last bias at `start`.
pub(super) fn fresh(sizes: Sizes, start: f32, rng: &mut Rng) -> Vec<Tensor<3>> {
    let Sizes { members, tokens, embedding, units, outputs } = sizes;
    let bound = 1.0 / (units.max(1) as f32).sqrt();
    vec![
        drawn([members, tokens, embedding], EMBEDDING_BOUND, rng),
        drawn([4 * members, embedding, units], bound, rng),
        drawn([4 * members, units, units], bound, rng),
        drawn([4 * members, 1, units], bound, rng),
        drawn([members, units, outputs], bound, rng),
        Tensor::full([members, 1, outputs], start, &device()),
    ]
}

/// Networks to read with; on an autodiff graph where their parameters are.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    tokens: Tensor<3>,      // [4M, V, H]
    units: Tensor<3>,       // [4M, H, H]
    bias: Tensor<3>,        // [4M, 1, H]
    output: Tensor<3>,      // [M, H, O]
    output_bias: Tensor<3>, // [M, 1, O]
}

/// What a network knows of the row so far.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub hidden: Tensor<3>, // [M, B, H]
    cell: Tensor<3>,       // [M, B, H]
}

impl Weights {
    /// Of the parts of [`fresh`], in their order.
    pub fn of(parts: &[Tensor<3>]) -> Weights {
        Weights {
            tokens: for_gates(parts[0].clone()).matmul(parts[1].clone()),
            units: parts[2].clone(),
            bias: parts[3].clone(),
            output: parts[4].clone(),
            output_bias: parts[5].clone(),
        }
    }

    /// The state before the first step of so many rows.
    pub fn rest(&self, rows: usize) -> State {
        let [members, units, _] = self.output.dims();
        let zeros = Tensor::zeros([members, rows, units], &device());
        State { hidden: zeros.clone(), cell: zeros }
    }

    /// One step: `input` is how much of every token is read, `[M, B, V]`, or `[1, B, V]` where all read the same.
    pub fn step(&self, input: Tensor<3>, before: State) -> State {
        let members = self.output.dims()[0];
        let input = if input.dims()[0] == 1 { input } else { for_gates(input) };
        let sums = input.matmul(self.tokens.clone())
            + for_gates(before.hidden).matmul(self.units.clone())
            + self.bias.clone();
        let gates = sigmoid(sums.clone().narrow(0, 0, 3 * members));
        let gate = |number: usize| gates.clone().narrow(0, number * members, members);
        let candidate = sums.narrow(0, 3 * members, members).tanh();
        let cell = gate(1) * before.cell + gate(0) * candidate;
        State { hidden: gate(2) * cell.clone().tanh(), cell }
    }

    /// `[M, B, O]` of `[M, B, H]`.
    pub fn outputs(&self, hidden: Tensor<3>) -> Tensor<3> {
        hidden.matmul(self.output.clone()) + self.output_bias.clone()
    }
}

/// The same for each of the four gates.
fn for_gates(networks: Tensor<3>) -> Tensor<3> {
    Tensor::cat(vec![networks; 4], 0)
}

#[cfg(test)]
mod tests {
    use burn::module::Param;

    use super::super::{Learner, tensor, values};
    use super::*;
    use crate::random::Seed;

    /// One unit by hand: what it shows after a token of weight 1 and one of weight ½.
    #[test]
    fn a_step_is_the_papers() {
        let parts = [
            tensor(vec![1.0, -2.0], [1, 2, 1]),
            tensor(vec![0.5, 0.4, -0.3, 0.8], [4, 1, 1]),
            tensor(vec![0.2, -0.1, 0.6, 0.3], [4, 1, 1]),
            tensor(vec![0.1, 1.0, 0.0, -0.2], [4, 1, 1]),
            tensor(vec![2.0], [1, 1, 1]),
            tensor(vec![0.25], [1, 1, 1]),
        ];
        let weights = Weights::of(&parts);
        let first = weights.step(tensor(vec![1.0, 0.0], [1, 1, 2]), weights.rest(1));
        let second = weights.step(tensor(vec![0.0, 0.5], [1, 1, 2]), first);
        let shown = values(weights.outputs(second.hidden))[0];
        let gate = |sum: f64| 1.0 / (1.0 + (-sum).exp());
        let (mut hidden, mut cell) = (0.0f64, 0.0f64);
        for read in [1.0, -1.0] {
            let sum = |input: f64, unit: f64, bias: f64| read * input + hidden * unit + bias;
            let (input, forget) = (gate(sum(0.5, 0.2, 0.1)), gate(sum(0.4, -0.1, 1.0)));
            let (output, candidate) = (gate(sum(-0.3, 0.6, 0.0)), sum(0.8, 0.3, -0.2).tanh());
            cell = forget * cell + input * candidate;
            hidden = output * cell.tanh();
        }
        assert!((f64::from(shown) - (2.0 * hidden + 0.25)).abs() < 1e-6, "{shown}");
    }

    #[test]
    fn networks_side_by_side_learn_as_if_alone() {
        let sizes = Sizes { members: 2, tokens: 3, embedding: 2, units: 4, outputs: 1 };
        let mut both = Learner::new(fresh(sizes, 0.0, &mut Seed(1).stream(0, "test")));
        let part = |learner: &Learner, place: usize| learner.parameters[place].val().inner();
        // Of the first and the second network, at each gate.
        let second = |both: Tensor<3>| {
            let places = (1..both.dims()[0]).step_by(2);
            Tensor::cat(places.map(|place| both.clone().narrow(0, place, 1)).collect(), 0)
        };
        let alone = Sizes { members: 1, ..sizes };
        let mut alone = Learner::new(fresh(alone, 0.0, &mut Seed(2).stream(0, "test")));
        for (place, parameter) in alone.parameters.iter_mut().enumerate() {
            let second = second(part(&both, place));
            *parameter = Param::initialized(parameter.id, second.autodiff());
        }
        let read = |weights: &Weights| {
            let input = tensor(vec![1.0, 0.0, 0.0, 0.0, 0.5, 1.0], [1, 2, 3]);
            let state = weights.step(input.clone(), weights.rest(2));
            weights.outputs(weights.step(input, state).hidden)
        };
        for _ in 0..3 {
            both.step(0.1, |parts| read(&Weights::of(parts)).sum());
            alone.step(0.1, |parts| read(&Weights::of(parts)).sum());
        }
        for place in 0..6 {
            let (with, without) = (second(part(&both, place)), part(&alone, place));
            let off =
                values(with).iter().zip(values(without)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 1e-6, "{place}: off by {off}");
        }
    }
}
