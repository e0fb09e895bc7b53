//! The Cholesky factor of a positive definite matrix, and what is solved with it.
//!
//! Written out because every result must be the same on every machine: the linear algebra crates that are faster choose
//! their instructions by what the processor has, and so round differently. All loops run over contiguous rows in a
//! fixed order, which compilers vectorise without changing the result.

use ndarray::Array2;

use crate::search::gaussian::dot;

/// The upper triangular `U` with `matrix = Uᵀ U`.
#[derive(Clone, Debug)]
pub(super) struct Cholesky {
    size: usize,
    /// Row by row; what is below the diagonal is of no meaning.
    upper: Vec<f64>,
}

impl Cholesky {
    /// The factor of a symmetric matrix, of which only the upper triangle is read; `None` where it is not positive
    /// definite in floating point.
    pub fn of(matrix: Array2<f64>) -> Option<Cholesky> {
        let size = matrix.nrows();
        let mut upper = matrix.as_standard_layout().into_owned().into_raw_vec_and_offset().0;
        for pivot in 0..size {
            let (above, below) = upper.split_at_mut((pivot + 1) * size);
            let row = &mut above[pivot * size + pivot..];
            if row[0].is_nan() || row[0] <= 0.0 {
                return None;
            }
            let root = row[0].sqrt();
            row.iter_mut().for_each(|value| *value /= root);
            for (step, other) in below.chunks_exact_mut(size).enumerate() {
                add_scaled(&mut other[pivot + 1 + step..], -row[1 + step], &row[1 + step..]);
            }
        }
        Some(Cholesky { size, upper })
    }

    /// `ln |matrix|`.
    pub fn log_determinant(&self) -> f64 {
        2.0 * (0..self.size).map(|at| self.row(at)[at].ln()).sum::<f64>()
    }

    /// `x` with `matrix · x = b`, in place.
    pub fn solve(&self, b: &mut [f64]) {
        self.half_solve(b);
        for at in (0..self.size).rev() {
            let row = self.row(at);
            b[at] = (b[at] - dot(&row[at + 1..], &b[at + 1..])) / row[at];
        }
    }

    /// `z` with `Uᵀ · z = b`, in place: then `zᵀ z = bᵀ · matrix⁻¹ · b`.
    pub fn half_solve(&self, b: &mut [f64]) {
        for at in 0..self.size {
            let row = self.row(at);
            b[at] /= row[at];
            let solved = b[at];
            add_scaled(&mut b[at + 1..], -solved, &row[at + 1..]);
        }
    }

    /// The inverse of the matrix.
    pub fn inverse(&self) -> Array2<f64> {
        let size = self.size;
        // The rows of U⁻ᵀ, which is lower triangular.
        let mut lower = vec![0.0; size * size];
        for at in 0..size {
            let (before, rest) = lower.split_at_mut(at * size);
            let row = &mut rest[..=at];
            row[at] = 1.0;
            for (above, solved) in before.chunks_exact(size).enumerate() {
                let factor = self.row(above)[at];
                add_scaled(&mut row[..=above], -factor, &solved[..=above]);
            }
            let root = self.row(at)[at];
            row.iter_mut().for_each(|value| *value /= root);
        }
        let mut inverse = vec![0.0; size * size];
        for (at, row) in lower.chunks_exact(size).enumerate() {
            for (factor, sum) in row[..=at].iter().zip(inverse.chunks_exact_mut(size)) {
                add_scaled(&mut sum[..=at], *factor, &row[..=at]);
            }
        }
        Array2::from_shape_vec((size, size), inverse).expect("as long as the matrix")
    }

    fn row(&self, at: usize) -> &[f64] {
        &self.upper[at * self.size..(at + 1) * self.size]
    }
}

/// `sum += factor · values`.
pub(super) fn add_scaled(sum: &mut [f64], factor: f64, values: &[f64]) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += factor * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use rand::RngExt;

    fn positive(size: usize) -> Array2<f64> {
        let mut rng = Seed(1).stream(size as u64, "test");
        let root = Array2::from_shape_simple_fn((size, size), || rng.random_range(-1.0..1.0));
        root.dot(&root.t()) + 0.1 * Array2::<f64>::eye(size)
    }

    #[test]
    fn solves_inverts_and_knows_the_determinant() {
        for size in [1, 2, 5, 23] {
            let matrix = positive(size);
            let factor = Cholesky::of(matrix.clone()).unwrap();
            let wanted: Vec<f64> = (0..size).map(|at| at as f64 - 1.5).collect();
            let mut solved = matrix.dot(&ndarray::ArrayView1::from(&wanted)).to_vec();
            factor.solve(&mut solved);
            assert!(solved.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-8), "{solved:?}");
            let unit = matrix.dot(&factor.inverse()) - Array2::<f64>::eye(size);
            assert!(unit.iter().all(|value| value.abs() < 1e-8), "{unit}");
            let mut half = wanted.clone();
            factor.half_solve(&mut half);
            let mut whole = wanted.clone();
            factor.solve(&mut whole);
            assert!((dot(&half, &half) - dot(&wanted, &whole)).abs() < 1e-8 * dot(&half, &half));
        }
        let known = Array2::from_shape_vec((2, 2), vec![4.0, 2.0, 2.0, 3.0]).unwrap();
        assert!((Cholesky::of(known).unwrap().log_determinant() - 8f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn what_is_not_positive_definite_is_refused() {
        let matrix = |values| Array2::from_shape_vec((2, 2), values).unwrap();
        assert!(Cholesky::of(matrix(vec![1.0, 2.0, 2.0, 1.0])).is_none());
        assert!(Cholesky::of(matrix(vec![f64::NAN, 0.0, 0.0, 1.0])).is_none());
        assert!(Cholesky::of(Array2::zeros((0, 0))).is_some());
    }
}
