//! An epoch's losses, read once.

use burn::tensor::Tensor;

/// How many losses are joined to one tensor.
const JOINED: usize = 64;

/// The losses of an epoch's steps. They stay on the device until its end: reading one would make it wait.
#[derive(Default)]
pub(super) struct Losses {
    joined: Vec<Tensor<1>>,
    last: Vec<Tensor<1>>,
}

impl Losses {
    pub(super) fn push(&mut self, loss: Tensor<1>) {
        self.last.push(loss);
        if self.last.len() == JOINED {
            self.joined.push(Tensor::cat(std::mem::take(&mut self.last), 0));
        }
    }

    /// Their mean; or the first step (from 0) that diverged, and how. `magnitude` is finite where all weights are.
    pub(super) fn mean(mut self, magnitude: Tensor<1>) -> Result<f64, (usize, String)> {
        self.joined.append(&mut self.last);
        self.joined.push(magnitude);
        let mut losses: Vec<f64> = Tensor::cat(self.joined, 0).into_data().iter::<f64>().collect();
        let magnitude = losses.pop().unwrap_or_default();
        let steps = losses.len().max(1);
        match losses.iter().position(|loss| !loss.is_finite()) {
            Some(step) => Err((step, format!("loss is {}", losses[step]))),
            None if !magnitude.is_finite() => Err((steps - 1, "weights are no longer finite".into())),
            // Where no step could be taken there is no mean: not a number.
            None => Ok(losses.iter().sum::<f64>() / losses.len() as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::execute::vector;

    fn mean(losses: impl Iterator<Item = f32>, magnitude: f32) -> Result<f64, (usize, String)> {
        let mut all = Losses::default();
        losses.for_each(|loss| all.push(vector(vec![loss])));
        all.mean(vector(vec![magnitude]))
    }

    #[test]
    fn the_mean_is_of_all_and_the_first_that_diverged_is_told() {
        for steps in [1, JOINED - 1, JOINED, 3 * JOINED + 5] {
            let losses = || (0..steps).map(|step| step as f32);
            assert_eq!(mean(losses(), 1.0), Ok((steps - 1) as f64 / 2.0));
            let middle = steps / 2;
            let broken = losses().map(|loss| if loss >= middle as f32 { f32::NAN } else { loss });
            assert_eq!(mean(broken, 1.0), Err((middle, "loss is NaN".into())));
            let (step, what) = mean(losses(), f32::INFINITY).unwrap_err();
            assert_eq!((step, what.as_str()), (steps - 1, "weights are no longer finite"));
        }
    }
}
