//! Cross-entropy with soft targets, which label smoothing and mixup both are.

use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;

/// The mean cross-entropy of `logits` and `targets`, both `[batch, classes]`; every row of targets sums to 1.
pub(super) fn cross_entropy(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let [batch, _] = logits.dims();
    (log_softmax(logits, 1) * targets).sum().div_scalar(-(batch as f64))
}

/// How many of `logits` (rows of `classes`) are largest at their label, and the sum of their cross-entropies.
pub(super) fn judge(logits: &[f32], labels: impl Iterator<Item = u16>, classes: usize) -> (usize, f64) {
    logits.chunks(classes).zip(labels).fold((0, 0.0), |(right, loss), (row, label)| {
        let (hit, entropy) = judge_one(row, usize::from(label));
        (right + usize::from(hit), loss + entropy)
    })
}

fn judge_one(row: &[f32], label: usize) -> (bool, f64) {
    let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = row.iter().map(|logit| f64::from(logit - highest).exp()).sum();
    // The first of equal logits wins, as everywhere.
    let first = row.iter().position(|logit| *logit == highest);
    (first == Some(label), sum.ln() + f64::from(highest - row[label]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_targets_weigh_the_classes() {
        let device = crate::nn::device();
        let logits = Tensor::<2>::from_data([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]], &device);
        let targets = Tensor::<2>::from_data([[0.9, 0.05, 0.05], [1.0, 0.0, 0.0]], &device);
        // ln(e^2 + e + 1) = 2.4076059; row 1: 0.9 * 0.4076059 + 0.05 * (1.4076059 + 2.4076059); row 2: ln 3.
        let wanted = (0.9 * 0.407_605_9 + 0.05 * (1.407_605_9 + 2.407_605_9) + 3f64.ln()) / 2.0;
        let met: f32 = cross_entropy(logits, targets).into_scalar();
        assert!((f64::from(met) - wanted).abs() < 1e-6, "{met} {wanted}");
    }

    #[test]
    fn judging_counts_hits_and_sums_entropy() {
        let (right, loss) = judge(&[2.0, 1.0, 0.0, 0.0, 0.0, 0.0], [0u16, 2].into_iter(), 3);
        assert_eq!(right, 1, "the second row's first class wins the tie");
        assert!((loss - (0.407_605_964 + 3f64.ln())).abs() < 1e-6, "{loss}");
        assert!(judge(&[f32::NAN, 0.0], [1u16].into_iter(), 2).1.is_nan(), "divergence must not be hidden");
    }
}
