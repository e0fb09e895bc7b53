//! Kendall's tau-b: how well two rankings agree.
//!
//! Kendall 1945, "The treatment of ties in ranking problems", <https://doi.org/10.1093/biomet/33.3.239>; computed in
//! O(n log n) as in Knight 1966, <https://doi.org/10.1080/01621459.1966.10480879>.

/// Kendall's tau-b of pairs of scores: 1 where both rank alike, -1 where one is the other reversed, ties accounted for.
///
/// `None` for fewer than two pairs, where one side is all ties, and where a score is not a number: there is no ranking.
///
/// ```
/// use cellwright::study::kendall_tau;
///
/// assert_eq!(kendall_tau(&[(0.1, 10.0), (0.2, 20.0), (0.3, 30.0)]), Some(1.0));
/// assert_eq!(kendall_tau(&[(0.1, 10.0), (0.2, 5.0)]), Some(-1.0));
/// assert_eq!(kendall_tau(&[(0.1, 10.0)]), None);
/// ```
pub fn kendall_tau(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.iter().any(|(x, y)| x.is_nan() || y.is_nan()) {
        return None;
    }
    // Adding 0 makes -0 and 0 the tie that they are.
    let mut pairs: Vec<(f64, f64)> = pairs.iter().map(|(x, y)| (x + 0.0, y + 0.0)).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let tied_x = tied(&pairs, |a, b| a.0 == b.0);
    let tied_both = tied(&pairs, |a, b| a == b);
    let mut ys: Vec<f64> = pairs.iter().map(|pair| pair.1).collect();
    let discordant = sort_counting_swaps(&mut ys);
    let tied_y = tied(&ys, |a, b| a == b);

    let all = pairs_among(pairs.len());
    let difference = (all + tied_both) as f64 - (tied_x + tied_y + 2 * discordant) as f64;
    let scale = ((all - tied_x) as f64).sqrt() * ((all - tied_y) as f64).sqrt();
    (scale > 0.0).then(|| (difference / scale).clamp(-1.0, 1.0))
}

fn pairs_among(count: usize) -> u64 {
    let count = count as u64;
    count * count.saturating_sub(1) / 2
}

/// Pairs that are tied, of sorted items.
fn tied<T>(items: &[T], same: impl FnMut(&T, &T) -> bool) -> u64 {
    items.chunk_by(same).map(|chunk| pairs_among(chunk.len())).sum()
}

/// Sorts by merging, and counts the swaps that bubble sort would have made.
fn sort_counting_swaps(values: &mut [f64]) -> u64 {
    if values.len() < 2 {
        return 0;
    }
    let middle = values.len() / 2;
    let swaps = sort_counting_swaps(&mut values[..middle]) + sort_counting_swaps(&mut values[middle..]);
    let (left, right) = (values[..middle].to_vec(), values[middle..].to_vec());
    let (mut l, mut r, mut crossed) = (0, 0, 0);
    for value in values.iter_mut() {
        if r == right.len() || (l < left.len() && left[l] <= right[r]) {
            *value = left[l];
            l += 1;
        } else {
            *value = right[r];
            r += 1;
            crossed += (left.len() - l) as u64;
        }
    }
    swaps + crossed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tau(x: &[f64], y: &[f64]) -> Option<f64> {
        kendall_tau(&x.iter().copied().zip(y.iter().copied()).collect::<Vec<_>>())
    }

    #[test]
    fn published_values() {
        // SciPy's documentation of `kendalltau`.
        let scipy = tau(&[12., 2., 1., 12., 2.], &[1., 4., 7., 1., 0.]).unwrap();
        assert!((scipy - -0.471_404_520_791_031_6).abs() < 1e-15, "{scipy}");
        // Two judges of twelve, 11 of 66 pairs discordant: (55 - 11) / 66.
        let judges: Vec<f64> = (1..=12).map(f64::from).collect();
        let other = tau(&judges, &[1., 3., 2., 4., 7., 8., 5., 6., 12., 11., 10., 9.]).unwrap();
        assert!((other - 44.0 / 66.0).abs() < 1e-15, "{other}");
    }

    #[test]
    fn no_ranking_no_tau() {
        assert_eq!(tau(&[], &[]), None);
        assert_eq!(tau(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), None);
        assert_eq!(tau(&[1.0, f64::NAN], &[1.0, 2.0]), None);
        assert_eq!(tau(&[0.0, -0.0], &[1.0, 2.0]), None);
    }

    /// The definition, in O(n^2).
    fn by_definition(pairs: &[(f64, f64)]) -> Option<f64> {
        let sign = |d: f64| if d == 0.0 { 0.0 } else { d.signum() };
        let (mut agreement, mut x, mut y) = (0.0, 0.0, 0.0);
        for (i, a) in pairs.iter().enumerate() {
            for b in &pairs[..i] {
                let (dx, dy) = (sign(a.0 - b.0), sign(a.1 - b.1));
                agreement += dx * dy;
                x += dx * dx;
                y += dy * dy;
            }
        }
        (x * y > 0.0).then(|| agreement / (x.sqrt() * y.sqrt()))
    }

    proptest! {
        #[test]
        fn equals_its_definition(pairs in prop::collection::vec((0..8i32, -4..4i32), 0..60)) {
            let pairs: Vec<(f64, f64)> = pairs.into_iter().map(|(x, y)| (x.into(), y.into())).collect();
            match (kendall_tau(&pairs), by_definition(&pairs)) {
                (Some(fast), Some(slow)) => prop_assert!((fast - slow).abs() < 1e-12, "{fast} {slow}"),
                (fast, slow) => prop_assert_eq!(fast, slow),
            }
        }
    }
}
