//! Scores as normal scores: what a model of normal noise can be fitted to, whatever the metric.
//!
//! A score becomes the quantile of the standard normal distribution that its rank stands for. So neither the unit nor a
//! diverged training counts, a cell that cannot learn at all is as bad as the worst of the others and no worse, and the
//! more the search finds of what is good, the finer it tells good from good.

/// Scores in ascending order.
pub(super) fn ascending(scores: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut ascending: Vec<f64> = scores.collect();
    ascending.sort_unstable_by(f64::total_cmp);
    ascending
}

/// The share of ascending scores that a score is above, half of its equals counted.
pub(super) fn share(ascending: &[f64], score: f64) -> f64 {
    let below = ascending.partition_point(|other| *other < score);
    let upto = ascending.partition_point(|other| *other <= score);
    (below + upto) as f64 / 2.0 / ascending.len().max(1) as f64
}

/// The quantile of the standard normal distribution for 0 < share < 1, by Acklam's rational approximation, right to nine
/// digits.
pub(super) fn quantile(share: f64) -> f64 {
    const TAIL: f64 = 0.024_25;
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ];
    let polynomial = |powers: &[f64], at: f64| powers.iter().fold(0.0, |sum, power| sum * at + power);
    let tail = |share: f64| {
        let at = (-2.0 * share.ln()).sqrt();
        polynomial(&C, at) / polynomial(&D, at)
    };
    if share < TAIL {
        tail(share)
    } else if share > 1.0 - TAIL {
        -tail(1.0 - share)
    } else {
        let from_middle = share - 0.5;
        let square = from_middle * from_middle;
        from_middle * polynomial(&A, square) / polynomial(&B, square)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (share, expected) in
            [(0.5, 0.0), (0.841_344_746, 1.0), (0.975, 1.959_963_985), (0.001, -3.090_232_306)]
        {
            assert!((quantile(share) - expected).abs() < 1e-7, "{share}: {}", quantile(share));
        }
    }
}
