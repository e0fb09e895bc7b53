//! Scores of any metric as targets within [0, 1], and back.

use crate::search::ranks::{ascending, quantile, share};

/// How scores become targets.
///
/// Accuracies are taken as they are, as in PNAS. The scores of any other metric are replaced by their rank, so that
/// neither a unit nor a diverged training of loss 10⁹ drowns the rest.
///
/// ```
/// use cellwright::search::surrogate::Scale;
///
/// assert_eq!(Scale::of([0.9, 0.95].into_iter()).target(0.93), 0.93);
/// let losses = Scale::of([-1e9, -2.0, -1.0].into_iter());
/// assert_eq!(losses.target(-2.0), 0.5);
/// assert_eq!(losses.score(losses.target(-1.0)), -1.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Scale {
    /// Targets are the scores.
    Unit,
    /// Targets are ranks among these scores, which ascend.
    Rank(Vec<f64>),
    /// Targets are what a normal variable has at the rank among these scores, which ascend: the best and the worst stand
    /// apart from the many in the middle.
    Normal(Vec<f64>),
}

/// How much of [0, 1] one deviation of the normal variable is: four either way stay within.
const NORMAL_UNIT: f64 = 0.125;

/// Ranks stay clear of 0 and 1, which a sigmoid never reaches.
const MARGIN: f64 = 0.05;

impl Scale {
    /// The scale of these scores, none of which is NaN.
    pub fn of(scores: impl Iterator<Item = f64>) -> Scale {
        let ascending = ascending(scores);
        if ascending.iter().all(|score| (0.0..=1.0).contains(score)) {
            Scale::Unit
        } else {
            Scale::Rank(ascending)
        }
    }

    /// The scale of these scores, none of which is NaN, by their ranks alone.
    pub fn ranks(scores: impl Iterator<Item = f64>) -> Scale {
        Scale::Rank(ascending(scores))
    }

    /// The scale of these scores, none of which is NaN, by what a normal variable has at their ranks.
    pub fn normal(scores: impl Iterator<Item = f64>) -> Scale {
        Scale::Normal(ascending(scores))
    }

    /// The target of a score; equal scores have the middle of their ranks.
    pub fn target(&self, score: f64) -> f64 {
        match self {
            Scale::Unit => score,
            Scale::Rank(ascending) => {
                let below = ascending.partition_point(|other| *other < score);
                let upto = ascending.partition_point(|other| *other <= score);
                let last = ascending.len().saturating_sub(1).max(1) as f64;
                let rank = (below as f64 + upto.saturating_sub(1).max(below) as f64) / 2.0;
                MARGIN + (1.0 - 2.0 * MARGIN) * (rank / last).min(1.0)
            }
            Scale::Normal(ascending) => {
                let half = 0.5 / ascending.len().max(1) as f64;
                0.5 + quantile(share(ascending, score).clamp(half, 1.0 - half)) * NORMAL_UNIT
            }
        }
    }

    /// The score of a target: the nearest known one for ranks.
    pub fn score(&self, target: f64) -> f64 {
        match self {
            Scale::Unit => target,
            Scale::Rank(ascending) => {
                let last = ascending.len() - 1;
                let share = (target - MARGIN) / (1.0 - 2.0 * MARGIN);
                ascending[(share.clamp(0.0, 1.0) * last as f64).round() as usize]
            }
            Scale::Normal(ascending) => {
                let nearer =
                    |a: f64, b: f64| (self.target(a) - target).abs() <= (self.target(b) - target).abs();
                let above = ascending.partition_point(|score| self.target(*score) < target);
                let (low, high) = (above.saturating_sub(1), above.min(ascending.len() - 1));
                if nearer(ascending[low], ascending[high]) { ascending[low] } else { ascending[high] }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracies_are_their_own_targets() {
        let scale = Scale::of([0.0, 0.5, 1.0].into_iter());
        assert_eq!(scale, Scale::Unit);
        assert_eq!((scale.target(0.25), scale.score(0.25)), (0.25, 0.25));
    }

    #[test]
    fn ranks_keep_the_order_and_survive_infinities() {
        let scores = [f64::NEG_INFINITY, -3.0, -3.0, 12.0, f64::INFINITY];
        let scale = Scale::of(scores.into_iter());
        let targets: Vec<f64> = scores.iter().map(|score| scale.target(*score)).collect();
        assert!(targets.windows(2).all(|pair| pair[0] <= pair[1]), "{targets:?}");
        assert_eq!(targets[1], targets[2]);
        assert!(targets.iter().all(|target| (0.04..=0.96).contains(target)), "{targets:?}");
        assert_eq!((scale.score(targets[0]), scale.score(targets[3])), (f64::NEG_INFINITY, 12.0));
    }

    #[test]
    fn normal_scores_stretch_both_ends_and_come_back() {
        let scores: Vec<f64> = (0..99).map(|n| f64::from(n).powi(3)).collect();
        let scale = Scale::normal(scores.iter().copied());
        let target = |n: usize| scale.target(scores[n]);
        assert!((target(49) - 0.5).abs() < 1e-3 && (target(0) + target(98) - 1.0).abs() < 1e-9);
        // One deviation above the mean are 84 of 100.
        assert!((target(83) - 0.625).abs() < 0.002, "{}", target(83));
        assert!(target(98) - target(97) > 5.0 * (target(51) - target(50)));
        assert!(scores.iter().all(|score| scale.score(scale.target(*score)) == *score));
        assert_eq!((scale.score(-1.0), scale.score(2.0)), (scores[0], scores[98]));
        assert!((Scale::normal([7.0].into_iter()).target(7.0) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn equal_scores_have_equal_targets_in_the_middle() {
        let scale = Scale::of([7.0; 5].into_iter());
        assert_eq!(scale.target(7.0), 0.5);
        assert_eq!(Scale::of([7.0].into_iter()).score(0.5), 7.0);
    }
}
