//! Perceptrons of two hidden layers over the joined embeddings of a row's places.
//!
//! Liu et al. 2018, <https://arxiv.org/abs/1712.00559>: the embeddings of a block's tokens are joined, blocks are averaged,
//! and two rectified layers follow. What stands at one place is a weighted sum of tokens, so that the mean over blocks is
//! a matter of weights: it is taken before the product, which is linear.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;

use super::{EMBEDDING_BOUND, Sizes, device, drawn};
use crate::random::Rng;

/// Parts of networks that have learnt nothing, for rows of so many places: weights as Glorot and Bengio draw them, the last
/// bias at `start`.
pub(super) fn fresh(sizes: Sizes, places: usize, start: f32, rng: &mut Rng) -> Vec<Tensor<3>> {
    let Sizes { members, tokens, embedding, units, outputs } = sizes;
    let mut layer = |rows: usize, columns: usize| {
        drawn([members, rows, columns], (6.0 / (rows + columns) as f32).sqrt(), rng)
    };
    let (first, second, output) =
        (layer(places * embedding, units), layer(units, units), layer(units, outputs));
    vec![
        drawn([members, tokens, embedding], EMBEDDING_BOUND, rng),
        first,
        Tensor::zeros([members, 1, units], &device()),
        second,
        Tensor::zeros([members, 1, units], &device()),
        output,
        Tensor::full([members, 1, outputs], start, &device()),
    ]
}

/// Networks to read with; on an autodiff graph where their parameters are.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    tokens: Tensor<3>,      // [M, V, E]
    first: Tensor<3>,       // [M, places * E, H]
    first_bias: Tensor<3>,  // [M, 1, H]
    second: Tensor<3>,      // [M, H, H]
    second_bias: Tensor<3>, // [M, 1, H]
    output: Tensor<3>,      // [M, H, O]
    output_bias: Tensor<3>, // [M, 1, O]
}

impl Weights {
    /// Of the parts of [`fresh`], in their order.
    pub fn of(parts: &[Tensor<3>]) -> Weights {
        Weights {
            tokens: parts[0].clone(),
            first: parts[1].clone(),
            first_bias: parts[2].clone(),
            second: parts[3].clone(),
            second_bias: parts[4].clone(),
            output: parts[5].clone(),
            output_bias: parts[6].clone(),
        }
    }

    /// `[M, B, O]`: `input` is how much of every token stands at each place of each row, `[M, B * places, V]`, or
    /// `[1, B * places, V]` where all read the same.
    pub fn outputs(&self, input: Tensor<3>) -> Tensor<3> {
        let ([members, _, embedding], [_, width, _]) = (self.tokens.dims(), self.first.dims());
        let rows = input.dims()[1] * embedding / width;
        let joined = input.matmul(self.tokens.clone()).reshape([members, rows, width]);
        let first = relu(joined.matmul(self.first.clone()) + self.first_bias.clone());
        let second = relu(first.matmul(self.second.clone()) + self.second_bias.clone());
        second.matmul(self.output.clone()) + self.output_bias.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{tensor, values};
    use super::*;

    /// Two places, an embedding of one, one unit a layer, by hand.
    #[test]
    fn places_have_weights_of_their_own_and_share_the_tokens() {
        let parts = [
            tensor(vec![0.5, -2.0], [1, 2, 1]),
            tensor(vec![3.0, 0.25], [1, 2, 1]),
            tensor(vec![0.1], [1, 1, 1]),
            tensor(vec![2.0], [1, 1, 1]),
            tensor(vec![-0.2], [1, 1, 1]),
            tensor(vec![1.5], [1, 1, 1]),
            tensor(vec![0.3], [1, 1, 1]),
        ];
        let weights = Weights::of(&parts);
        // The first row has half of each token and then the second; the next has the second and nothing.
        let input = tensor(vec![0.5, 0.5, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0], [1, 4, 2]);
        let shown = values(weights.outputs(input));
        let by_hand = |first: f32, second: f32| {
            let below = (3.0 * first + 0.25 * second + 0.1f32).max(0.0);
            1.5 * (2.0 * below - 0.2).max(0.0) + 0.3
        };
        let expected = [by_hand(-0.75, -2.0), by_hand(-2.0, 0.0)];
        assert!(shown.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{shown:?}, not {expected:?}");
        let positive = values(weights.outputs(tensor(vec![1.0, 0.0, 1.0, 0.0], [1, 2, 2])));
        assert!((positive[0] - by_hand(0.5, 0.5)).abs() < 1e-6 && positive[0] > 1.0, "{positive:?}");
    }
}
