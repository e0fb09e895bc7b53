//! Eigenvalues of symmetric matrices.

use linfa_linalg::eigh::EigValshInto;
use ndarray_16::Array2;

/// The eigenvalues of a symmetric `[count, count]` matrix, given by rows, in any order; all NaN where there are none to be
/// found.
pub(super) fn eigenvalues(matrix: &[f64], count: usize) -> Vec<f64> {
    let found = Array2::from_shape_vec((count, count), matrix.to_vec()).ok();
    let found = found.filter(|matrix| matrix.iter().all(|value| value.is_finite()));
    let values = found.and_then(|matrix| matrix.eigvalsh_into().ok());
    values.map_or_else(|| vec![f64::NAN; count.max(1)], |values| values.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvalues_of_a_symmetric_matrix() {
        let mut values = eigenvalues(&[2.0, 1.0, 1.0, 2.0], 2);
        values.sort_by(f64::total_cmp);
        assert!((values[0] - 1.0).abs() < 1e-12 && (values[1] - 3.0).abs() < 1e-12);
        assert!(eigenvalues(&[f64::NAN; 4], 2)[0].is_nan());
    }
}
