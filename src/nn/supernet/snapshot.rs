//! What a network comes to by shared weights as they are at one time.

use burn::tensor::Tensor;

use super::{classes, drawn};
use crate::data::Supply;
use crate::loader::Broken;
use crate::nn::execute::{Pass, Plan};
use crate::nn::feed::{Lot, Lots};
use crate::nn::train::scored;
use crate::nn::{NnError, Score};
use crate::random::Seed;

/// Batches that the statistics of norms are counted from before a network is judged, and pictures in each.
const RECOUNT: (usize, usize) = (8, 128);

/// A network with its share of the weights at one time.
pub struct Snapshot<'g> {
    plan: Plan<'g>,
    values: Vec<Tensor<1>>,
    lots: Lots,
}

impl<'g> Snapshot<'g> {
    pub(super) fn new(plan: Plan<'g>, values: Vec<Tensor<1>>, loaders: usize) -> Snapshot<'g> {
        let lots = Lots::new(plan.device.clone(), loaders);
        Snapshot { plan, values, lots }
    }

    /// How many parameter tensors it has.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.values.len()
    }

    /// How the network does on all of `validation`, and which pictures could not be decoded. The statistics of its norms
    /// are counted anew on pictures of `train`: those that came with the weights are of all networks together, and no
    /// network's own.
    ///
    /// # Errors
    /// [`NnError`] where the network cannot be run, or no picture be decoded.
    pub fn score(
        mut self,
        train: Supply,
        validation: Supply,
        normal: (&[f32], &[f32]),
        seed: Seed,
    ) -> Result<(Score, Broken), NnError> {
        let classes = classes(self.plan.graph);
        let (most, size) = RECOUNT;
        let members = drawn(train.len(), most * size, seed, "recount");
        for (number, members) in members.chunks(size).enumerate() {
            let (input, _) = self.lots.plain(&Lot { supply: train, members, normal, classes, seed })?;
            // The mean of all so far; a last batch that is not full counts for as much as the others.
            let share = 1.0 / (number + 1) as f64;
            let (_, running) = Pass::recounting(&self.plan, &self.values, share).run(input);
            running.into_iter().for_each(|(slot, value)| self.values[slot] = value);
        }
        let (score, mut broken) = scored(&self.plan, &self.values, validation, normal)?;
        broken.join(self.lots.broken());
        Ok((score, broken))
    }
}
