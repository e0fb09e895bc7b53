//! `grad_norm`: how much a first step would move.
//!
//! Abdelfattah et al. 2021, <https://arxiv.org/abs/2101.08134>: the sum of the Euclidean norms of the loss's gradients by the
//! weights of every layer, for one batch. The plainest proxy, and the one to beat.

/// The sum of the norms.
pub(super) fn score(norms: &[f64]) -> f64 {
    norms.iter().sum()
}
