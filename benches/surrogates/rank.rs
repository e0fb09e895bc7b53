//! Rank correlations.

/// Spearman's: the correlation of ranks; equal values share the mean of theirs.
pub fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 - 1.0) / 2.0;
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    let spread = (product(&a, &a) * product(&b, &b)).sqrt();
    if spread > 0.0 { product(&a, &b) / spread } else { 0.0 }
}

/// Kendall's tau-b: by how much more pairs agree than disagree, equal ones aside.
pub fn kendall(a: &[f64], b: &[f64]) -> f64 {
    let (mut balance, mut in_a, mut in_b) = (0i64, 0i64, 0i64);
    for first in 0..a.len() {
        for second in 0..first {
            let (x, y) = (order(a[first], a[second]), order(b[first], b[second]));
            balance += x * y;
            in_a += x * x;
            in_b += y * y;
        }
    }
    let all = (in_a as f64 * in_b as f64).sqrt();
    if all > 0.0 { balance as f64 / all } else { 0.0 }
}

fn order(a: f64, b: f64) -> i64 {
    i64::from(a > b) - i64::from(a < b)
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        equal.iter().for_each(|at| ranks[*at] = below as f64 + (equal.len() - 1) as f64 / 2.0);
        below += equal.len();
    }
    ranks
}
