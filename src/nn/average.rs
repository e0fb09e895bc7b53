//! The weights' exponential moving average ([Polyak and Juditsky 1992](https://doi.org/10.1137/0330046)).
//!
//! What is judged and kept at the end is not where the optimizer stands, but where it stood on average lately. The
//! first steps weigh more, as in TensorFlow: the decay of step `t` is at most `(1 + t) / (10 + t)`, so that a short
//! training is not an average of its random start. Running statistics are averaged with the weights they belong to.

use burn::tensor::Tensor;

/// Vectors that follow others.
pub(super) struct Average {
    decay: f64,
    /// Steps followed so far.
    steps: u64,
    values: Vec<Tensor<1>>,
}

impl Average {
    /// Starts at `values` after so many steps.
    pub(super) fn new(decay: f64, steps: u64, values: Vec<Tensor<1>>) -> Average {
        Average { decay, steps, values }
    }

    /// Moves towards `values` by one step; they are as long and as many as at the start.
    pub(super) fn follow(&mut self, values: Vec<Tensor<1>>) {
        self.steps += 1;
        let step = self.steps as f64;
        let decay = self.decay.min((1.0 + step) / (10.0 + step));
        let before = std::mem::take(&mut self.values).into_iter();
        let moved =
            before.zip(values).map(|(before, now)| before.mul_scalar(decay) + now.mul_scalar(1.0 - decay));
        self.values = moved.collect();
    }

    /// Where it stands.
    pub(super) fn values(&self) -> &[Tensor<1>] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::execute::vector;

    #[test]
    fn follows_as_computed_by_hand() {
        let at = |decay| {
            let mut average = Average::new(decay, 0, vec![vector(vec![1.0, 0.0]), vector(vec![5.0])]);
            for now in [2.0, 4.0] {
                average.follow(vec![vector(vec![now, 0.0]), vector(vec![5.0])]);
            }
            let values = average.values().iter().cloned();
            values.flat_map(|value| value.into_data().iter::<f64>().collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        // Decay 0.1 is below both (1 + 1) / (10 + 1) and 3 / 12: 0.1 * 1 + 0.9 * 2 = 1.9; 0.19 + 3.6 = 3.79.
        // Decay 0.99 is above both: 2/11 * 1 + 9/11 * 2 = 20/11; a quarter of that and three quarters of 4.
        for (decay, wanted) in [(0.1, 3.79), (0.99, 5.0 / 11.0 + 3.0)] {
            let met = at(decay);
            assert!((met[0] - wanted).abs() < 1e-6, "{met:?}, not {wanted}");
            assert!(met[1].abs() < 1e-6 && (met[2] - 5.0).abs() < 1e-5, "{met:?}");
        }
    }
}
