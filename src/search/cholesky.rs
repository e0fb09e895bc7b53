//! The Cholesky factor of a positive definite matrix, and what is solved with it: for all that search predicts with.
//!
//! Packed: row after row up to the diagonal. A row depends on earlier rows only, so a factor that has grown row by row is,
//! bit for bit, the factor of the whole.
//!
//! Written out because every result must be the same on every machine: the linear algebra crates that are faster choose
//! their instructions by what the processor has, and so round differently. All loops run over contiguous rows in a
//! fixed order, which compilers vectorise without changing the result.

use ndarray::Array2;

/// The lower triangular `L` with `matrix = L Lᵀ`.
#[derive(Clone, Debug, Default)]
pub(super) struct Cholesky {
    packed: Vec<f64>,
    size: usize,
}

/// The least that is left of a variance where a factor grows.
const LEAST: f64 = 1e-9;

impl Cholesky {
    /// The factor of a symmetric matrix, given row after row up to the diagonal; `None` where it is not positive definite
    /// in floating point.
    pub fn of(packed: Vec<f64>) -> Option<Cholesky> {
        let mut factor = Cholesky { packed, size: 0 };
        while factor.size * (factor.size + 1) / 2 < factor.packed.len() {
            let at = factor.size;
            let (done, rest) = factor.packed.split_at_mut(start(at));
            let new = &mut rest[..=at];
            solve_row(done, &mut new[..at]);
            let left = new[at] - dot(&new[..at], &new[..at]);
            if left.is_nan() || left <= 0.0 {
                return None;
            }
            new[at] = left.sqrt();
            factor.size += 1;
        }
        Some(factor)
    }

    /// The factor of a symmetric matrix of which only the upper triangle is read.
    pub fn of_upper(matrix: &Array2<f64>) -> Option<Cholesky> {
        let rows = (0..matrix.nrows()).flat_map(|row| (0..=row).map(move |column| matrix[[column, row]]));
        Cholesky::of(rows.collect())
    }

    /// Adds a row: the covariances with all before, and the variance, of which a little always is left.
    pub fn grow(&mut self, mut covariances: Vec<f64>, variance: f64) {
        self.half_solve(&mut covariances);
        let left = variance - dot(&covariances, &covariances);
        self.packed.extend(covariances);
        self.packed.push(left.max(LEAST).sqrt());
        self.size += 1;
    }

    /// A row of the factor, up to the diagonal.
    pub fn row(&self, at: usize) -> &[f64] {
        row(&self.packed, at)
    }

    /// `ln |matrix|`.
    pub fn log_determinant(&self) -> f64 {
        2.0 * (0..self.size).map(|at| self.row(at)[at].ln()).sum::<f64>()
    }

    /// `x` with `matrix · x = b`, in place.
    pub fn solve(&self, b: &mut [f64]) {
        self.half_solve(b);
        self.back_solve(b);
    }

    /// `z` with `L · z = b`, in place: then `zᵀ z = bᵀ · matrix⁻¹ · b`.
    pub fn half_solve(&self, b: &mut [f64]) {
        solve_row(&self.packed, b);
    }

    /// `x` with `Lᵀ · x = b`, in place.
    pub fn back_solve(&self, b: &mut [f64]) {
        for at in (0..b.len()).rev() {
            let entries = self.row(at);
            let value = b[at] / entries[at];
            b[at] = value;
            add_scaled(&mut b[..at], -value, entries);
        }
    }

    /// The inverse of the matrix, row after row up to the diagonal.
    pub fn inverse(&self) -> Vec<f64> {
        let mut lower: Vec<f64> = Vec::with_capacity(self.packed.len());
        for at in 0..self.size {
            let entries = self.row(at);
            let mut new = vec![0.0; at + 1];
            for (before, entry) in entries[..at].iter().enumerate() {
                add_scaled(&mut new, -entry, row(&lower, before));
            }
            new[at] = 1.0;
            lower.extend(new.into_iter().map(|value| value / entries[at]));
        }
        let mut inverse = vec![0.0; self.packed.len()];
        for below in 0..self.size {
            let entries = row(&lower, below);
            for (at, entry) in entries.iter().enumerate() {
                add_scaled(&mut inverse[start(at)..=start(at) + at], *entry, entries);
            }
        }
        inverse
    }
}

/// Where a row of a packed triangle starts.
fn start(at: usize) -> usize {
    at * (at + 1) / 2
}

/// A row of a packed triangle.
pub(super) fn row(packed: &[f64], at: usize) -> &[f64] {
    &packed[start(at)..=start(at) + at]
}

/// Forward substitution by the first rows of a factor.
fn solve_row(factor: &[f64], new: &mut [f64]) {
    for at in 0..new.len() {
        let before = row(factor, at);
        let (solved, rest) = new.split_at_mut(at);
        rest[0] = (rest[0] - dot(&before[..at], solved)) / before[at];
    }
}

/// The sum of products, in four lanes that the processor can run at once.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a_lanes, b_lanes) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a_lanes.remainder().iter().zip(b_lanes.remainder()).map(|(a, b)| a * b).sum();
    let mut lanes = [0.0; 4];
    for (a, b) in a_lanes.zip(b_lanes) {
        lanes.iter_mut().zip(a.iter().zip(b)).for_each(|(lane, (a, b))| *lane += a * b);
    }
    lanes.iter().sum::<f64>() + rest
}

/// `sum += factor · values`, as far as both reach.
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
            let factor = Cholesky::of_upper(&matrix).unwrap();
            let wanted: Vec<f64> = (0..size).map(|at| at as f64 - 1.5).collect();
            let mut solved = matrix.dot(&ndarray::ArrayView1::from(&wanted)).to_vec();
            factor.solve(&mut solved);
            assert!(solved.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-8), "{solved:?}");
            let inverse = factor.inverse();
            let entry = |(a, b): (usize, usize)| row(&inverse, a.max(b))[a.min(b)];
            let unit = matrix.dot(&Array2::from_shape_fn((size, size), entry)) - Array2::<f64>::eye(size);
            assert!(unit.iter().all(|value| value.abs() < 1e-8), "{unit}");
            let mut half = wanted.clone();
            factor.half_solve(&mut half);
            let mut whole = wanted.clone();
            factor.solve(&mut whole);
            assert!((dot(&half, &half) - dot(&wanted, &whole)).abs() < 1e-8 * dot(&half, &half));
        }
        let known = Cholesky::of(vec![4.0, 2.0, 3.0]).unwrap();
        assert!((known.log_determinant() - 8f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn a_factor_grown_row_by_row_is_the_factor_of_the_whole() {
        let matrix = positive(9);
        let whole = Cholesky::of_upper(&matrix).unwrap();
        let mut grown = Cholesky::default();
        for at in 0..9 {
            grown.grow((0..at).map(|before| matrix[[before, at]]).collect(), matrix[[at, at]]);
        }
        assert_eq!(whole.packed, grown.packed);
    }

    #[test]
    fn what_is_not_positive_definite_is_refused() {
        assert!(Cholesky::of(vec![1.0, 2.0, 1.0]).is_none());
        assert!(Cholesky::of(vec![f64::NAN]).is_none());
        assert!(Cholesky::of(vec![]).is_some());
    }
}
