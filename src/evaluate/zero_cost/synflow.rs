//! `synflow`: how much of a constant signal flows through the weights.
//!
//! Tanaka et al. 2020, <https://arxiv.org/abs/2006.05467>: with all weights made positive and every pixel 1, the sum of
//! all logits is a measure of how well layers pass signals on, and weight times gradient says how much of it passes
//! through one weight. Abdelfattah et al. 2021 add that up over all weights, norms left out. No picture is looked at.

/// The logarithm of the sum, which alone is of readable size; 0 flow is as good as none.
pub(super) fn score(flow: f64) -> f64 {
    flow.max(f64::MIN_POSITIVE).ln()
}
