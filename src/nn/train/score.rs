//! How weights do on pictures that nothing is learnt from.

use burn::tensor::Tensor;

use super::Score;
use crate::data::Supply;
use crate::device::Device;
use crate::ir::{Graph, Weights};
use crate::loader::Broken;
use crate::nn::augment::Normalizer;
use crate::nn::batch::Batches;
use crate::nn::execute::{Pass, Plan, loaded};
use crate::nn::feed::look_through;
use crate::nn::loss::judge;
use crate::nn::{NnError, device};

/// Pictures at a time.
pub(super) const LOOKING: usize = 128;
/// Most logits that wait on a device for being read.
const HELD: usize = 1 << 22;

/// How trained `weights` do on `pictures`, and which of those could not be decoded; `normal` is the training data's mean and
/// deviation.
///
/// # Errors
/// [`NnError::Unfit`] where network, weights and pictures do not go together.
pub fn score(
    graph: &Graph,
    weights: &Weights,
    pictures: Supply,
    normal: (&[f32], &[f32]),
    device: Device,
) -> Result<(Score, Broken), NnError> {
    let plan = Plan::new(graph).on(device::open(device)?);
    let values = loaded(&plan, weights)?;
    scored(&plan, &values, pictures, normal)
}

pub(in crate::nn) fn scored(
    plan: &Plan,
    values: &[Tensor<1>],
    supply: Supply,
    normal: (&[f32], &[f32]),
) -> Result<(Score, Broken), NnError> {
    let classes = plan.graph.shape(plan.graph.output()).channels();
    if let (Supply::Memory(pictures), true) = (supply, plan.device == crate::nn::device()) {
        let normalizer = Normalizer::new(normal.0, normal.1);
        let score = judged(plan, values, &Batches { pictures, normalizer: &normalizer, classes })?;
        return Ok((score, Broken::default()));
    }
    let (mut count, mut right, mut loss) = (0, 0, 0.0);
    let broken = look_through(supply, normal, &plan.device, LOOKING, |input, labels| {
        let (logits, _) = Pass::new(plan, values, None).run(input);
        let logits: Vec<f32> = logits.into_data().iter::<f32>().collect();
        let (hits, entropy) = judge(&logits, labels.iter().copied(), classes);
        (count, right, loss) = (count + labels.len(), right + hits, loss + entropy);
    })?;
    if count == 0 {
        return Err(NnError::Unfit(format!("nothing to judge by: {broken}")));
    }
    Ok((Score { accuracy: right as f64 / count as f64, loss: loss / count as f64 }, broken))
}

fn judged(plan: &Plan, values: &[Tensor<1>], batches: &Batches) -> Result<Score, NnError> {
    let all: Vec<usize> = (0..batches.pictures.labels.len()).collect();
    let (mut right, mut loss) = (0, 0.0);
    // Logits wait on the device for being read in one go: every reading makes it wait.
    for members in all.chunks((HELD / batches.classes).next_multiple_of(LOOKING)) {
        let look = |members: &[usize]| {
            Pass::new(plan, values, None).run(batches.plain(members).input(&plan.device)).0
        };
        let logits = Tensor::cat(members.chunks(LOOKING).map(look).collect(), 0);
        let logits: Vec<f32> = logits.into_data().iter::<f32>().collect();
        let (hits, entropy) = judge(&logits, batches.labels(members), batches.classes);
        (right, loss) = (right + hits, loss + entropy);
    }
    let count = all.len().max(1) as f64;
    Ok(Score { accuracy: right as f64 / count, loss: loss / count })
}
