//! `jacob_cov`: how differently the network looks at different pictures.
//!
//! Mellor et al. 2021 in their first version, <https://arxiv.org/abs/2006.04647v1>: the gradient of a picture's logits by
//! its pixels is the linear map that the network is round it. The less the maps of a batch correlate, the more flexible
//! the network: the score is how near the correlations' eigenvalues are to 1.

use super::spectrum::eigenvalues;

/// Keeps logarithm and quotient finite, as in the authors' code.
const FLOOR: f64 = 1e-5;

/// `-sum(ln(v + k) + 1 / (v + k))` over the eigenvalues of the correlations of `jacobian`'s rows, one for each picture.
pub(super) fn score(jacobian: &[Vec<f32>]) -> f64 {
    let rows: Vec<Vec<f64>> = jacobian.iter().map(|row| standardised(row)).collect();
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let correlations: Vec<f64> = rows.iter().flat_map(|a| rows.iter().map(move |b| product(a, b))).collect();
    let one = |value: f64| {
        // An eigenvalue of correlations is never negative but by rounding.
        let value = value.max(0.0) + FLOOR;
        value.ln() + 1.0 / value
    };
    -eigenvalues(&correlations, rows.len()).into_iter().map(one).sum::<f64>()
}

/// A row less its mean, of length 1; all 0 where it does not vary.
fn standardised(row: &[f32]) -> Vec<f64> {
    let mean = row.iter().map(|value| f64::from(*value)).sum::<f64>() / row.len().max(1) as f64;
    let centred: Vec<f64> = row.iter().map(|value| f64::from(*value) - mean).collect();
    let length = centred.iter().map(|value| value * value).sum::<f64>().sqrt();
    centred.into_iter().map(|value| if length > 0.0 { value / length } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_that_do_not_correlate_score_most() {
        // Eigenvalues 1 and 1; then 2 and 0.
        let apart = score(&[vec![1.0, -1.0, 0.0, 0.0], vec![0.0, 0.0, 1.0, -1.0]]);
        assert!((apart + 2.0 * (1.00001f64.ln() + 1.0 / 1.00001)).abs() < 1e-9);
        let alike = score(&[vec![1.0, -1.0, 0.0, 0.0], vec![2.0, -2.0, 0.0, 0.0]]);
        assert!(alike < -9e4, "{alike}");
        assert!(score(&[vec![1.0; 4], vec![1.0; 4]]).is_finite());
    }
}
