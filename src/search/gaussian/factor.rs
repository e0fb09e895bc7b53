//! Cholesky factors, packed: row after row up to the diagonal. A row depends on earlier rows only, so a factor that has
//! grown row by row is, bit for bit, the factor of the whole.

/// A row of a packed triangle.
pub(super) fn row(packed: &[f64], at: usize) -> &[f64] {
    let start = at * (at + 1) / 2;
    &packed[start..=start + at]
}

/// The least that may be left of a variance.
const LEAST: f64 = 1e-9;

/// The factor of a symmetric matrix, in its place; `false` where there is none.
pub(super) fn factorize(packed: &mut [f64], count: usize) -> bool {
    for at in 0..count {
        let (done, rest) = packed.split_at_mut(at * (at + 1) / 2);
        let new = &mut rest[..=at];
        solve_row(done, new, at);
        let left = new[at] - dot(&new[..at], &new[..at]);
        if left.is_nan() || left < LEAST {
            return false;
        }
        new[at] = left.sqrt();
    }
    true
}

/// Adds a row to a factor: the covariances with all before, and the variance, of which a little always is left.
pub(super) fn grow(packed: &mut Vec<f64>, mut covariances: Vec<f64>, variance: f64) {
    let at = covariances.len();
    solve_row(packed, &mut covariances, at);
    let left = variance - dot(&covariances, &covariances);
    packed.extend(covariances);
    packed.push(left.max(LEAST).sqrt());
}

/// Forward substitution of the first `count` entries of a row.
pub(super) fn solve_row(factor: &[f64], new: &mut [f64], count: usize) {
    for at in 0..count {
        let before = row(factor, at);
        let (solved, rest) = new.split_at_mut(at);
        rest[0] = (rest[0] - dot(&before[..at], solved)) / before[at];
    }
}

/// Solves `L x = values`.
pub(super) fn forward(factor: &[f64], values: &[f64]) -> Vec<f64> {
    let mut solved = values.to_vec();
    solve_row(factor, &mut solved, values.len());
    solved
}

/// Solves `Lᵀ x = values`.
pub(super) fn backward(factor: &[f64], values: &[f64]) -> Vec<f64> {
    let mut solved = values.to_vec();
    for at in (0..values.len()).rev() {
        let entries = row(factor, at);
        let value = solved[at] / entries[at];
        solved[at] = value;
        solved[..at].iter_mut().zip(entries).for_each(|(sum, entry)| *sum -= entry * value);
    }
    solved
}

/// The inverse of the matrix that was factorised.
pub(super) fn inverse(factor: &[f64], count: usize) -> Vec<f64> {
    let mut lower: Vec<f64> = Vec::with_capacity(factor.len());
    for at in 0..count {
        let entries = row(factor, at);
        let mut new = vec![0.0; at + 1];
        for (before, entry) in entries[..at].iter().enumerate() {
            new.iter_mut().zip(row(&lower, before)).for_each(|(sum, value)| *sum -= entry * value);
        }
        new[at] = 1.0;
        lower.extend(new.into_iter().map(|value| value / entries[at]));
    }
    let mut inverse = vec![0.0; factor.len()];
    for below in 0..count {
        let entries = row(&lower, below);
        let mut start = 0;
        for (at, entry) in entries.iter().enumerate() {
            let sums = &mut inverse[start..=start + at];
            sums.iter_mut().zip(entries).for_each(|(sum, other)| *sum += entry * other);
            start += at + 1;
        }
    }
    inverse
}

/// The sum of products, in four lanes that the processor can run at once.
pub(in crate::search) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a_lanes, b_lanes) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a_lanes.remainder().iter().zip(b_lanes.remainder()).map(|(a, b)| a * b).sum();
    let mut lanes = [0.0; 4];
    for (a, b) in a_lanes.zip(b_lanes) {
        lanes.iter_mut().zip(a.iter().zip(b)).for_each(|(lane, (a, b))| *lane += a * b);
    }
    lanes.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A positive matrix: a product with its transpose.
    fn matrix(count: usize) -> Vec<f64> {
        let entry = |a: usize, b: usize| ((a * 7 + b * 3) % 11) as f64 / 11.0 + f64::from(u8::from(a == b));
        let product = |a: usize, b: usize| (0..count).map(|at| entry(a, at) * entry(b, at)).sum::<f64>();
        (0..count).flat_map(|a| (0..=a).map(move |b| (a, b))).map(|(a, b)| product(a, b)).collect()
    }

    #[test]
    fn a_factor_grown_row_by_row_is_the_factor_of_the_whole() {
        let packed = matrix(9);
        let mut whole = packed.clone();
        assert!(factorize(&mut whole, 9));
        let mut grown = Vec::new();
        for at in 0..9 {
            let entries = row(&packed, at);
            grow(&mut grown, entries[..at].to_vec(), entries[at]);
        }
        assert_eq!(whole, grown);
    }

    #[test]
    fn what_is_solved_gives_back_what_was_asked() {
        let packed = matrix(6);
        let mut factor = packed.clone();
        assert!(factorize(&mut factor, 6));
        let asked = [1.0, -2.0, 0.5, 3.0, 0.0, 1.5];
        let solved = backward(&factor, &forward(&factor, &asked));
        let inverse = inverse(&factor, 6);
        let entry = |packed: &[f64], a: usize, b: usize| row(packed, a.max(b))[a.min(b)];
        for (at, value) in asked.iter().enumerate() {
            let back: f64 = (0..6).map(|other| entry(&packed, at, other) * solved[other]).sum();
            assert!((back - value).abs() < 1e-9, "{back} is not {value}");
            let by_inverse: f64 = (0..6).map(|other| entry(&inverse, at, other) * asked[other]).sum();
            assert!((by_inverse - solved[at]).abs() < 1e-9);
        }
    }

    #[test]
    fn a_matrix_that_is_not_positive_has_no_factor() {
        assert!(!factorize(&mut [1.0, 2.0, 1.0], 2));
        assert!(!factorize(&mut [f64::NAN], 1));
    }
}
