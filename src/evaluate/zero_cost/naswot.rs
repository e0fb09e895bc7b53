//! `naswot`: how well activations tell pictures apart.
//!
//! Mellor et al. 2021, <https://arxiv.org/abs/2006.04647>: which activations a picture turns on is its code. Where codes of
//! different pictures are far apart, the network can be trained to tell them apart. The score is the logarithm of the
//! determinant of the matrix that counts for every two pictures the activations in which they agree.

use super::spectrum::eigenvalues;

/// The logarithm of the determinant of `agreements`, `[count, count]` by rows.
pub(super) fn score(agreements: &[f64], count: usize) -> f64 {
    let values = eigenvalues(agreements, count);
    // Pictures with equal codes make it singular: no eigenvalue counts for less than rounding leaves.
    let floor = values.iter().copied().fold(0.0, f64::max).max(1.0) * 1e-12;
    values.into_iter().map(|value| value.max(floor).ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_differ_score_more_than_codes_that_agree() {
        // Ten activations: codes that agree in eight, in half of them, and in all.
        let score = |agree: f64| score(&[10.0, agree, agree, 10.0], 2);
        assert!((score(8.0) - (100f64 - 64.0).ln()).abs() < 1e-9);
        assert!(score(5.0) > score(8.0) && score(8.0) > score(10.0));
        assert!(score(10.0).is_finite());
    }
}
