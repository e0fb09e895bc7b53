//! Early stopping: which trials have no hope, told from the figures that they report on the way.
//!
//! A rule looks at a trial's curve, its figures after each step of fidelity, beside those of trials that ended before.
//! With several objectives a trial is hopeless only where it is by every one of them: what is bad at one may be the best
//! at another. Nothing but curves enters a rule, and only those that the trial's proposal saw too, so that a search that
//! goes on after an interruption stops the same trials at the same steps.
//!
//! To add a rule: write `x.rs`, and add its `mod` line and its line in the table below.

use crate::family::family;

mod curve;
mod halving;
mod median;
mod peers;
mod watch;

pub use curve::{Curve, Point};
pub use halving::Halving;
pub use median::Median;
pub use peers::Peers;
pub(crate) use watch::Watch;

/// Whether a trial's curve so far, by one objective, is hopeless at its last point.
pub type Verdict = Box<dyn Fn(&[Point]) -> bool + Send + Sync>;

/// A rule's configuration: makes the verdict on a trial.
pub trait Rule {
    /// The verdict on a trial by one objective, from what the trials before it came to at the same fidelity.
    fn verdict(&self, peers: &Peers, objective: usize) -> Verdict;
}

family! {
    /// A rule by which trials are stopped, with its configuration.
    pub enum EarlyStopping: Rule {
        /// Worse than the median of the trials before.
        Median(Median) = "median",
        /// Not among the best share of those that came as far.
        Halving(Halving) = "halving",
    }
}

/// The best score of a curve; minus infinity where it has none.
fn best(points: &[Point]) -> f64 {
    points.iter().map(|point| point.score).fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbolic::{Value, from_value};

    fn points(scores: &[f64]) -> Vec<Point> {
        (1..).zip(scores).map(|(step, score)| Point { step, score: *score }).collect()
    }

    /// The step at which a rule stops a curve.
    fn stop(rule: &str, peers: &Peers, scores: &[f64]) -> Option<usize> {
        let rule: EarlyStopping = from_value(&rule.parse::<Value>().expect("RON")).expect("a rule");
        let (verdict, points) = (rule.verdict(peers, 0), points(scores));
        (1..=points.len()).find(|count| verdict(&points[..*count]))
    }

    /// Peers whose curves rise by a tenth a step, from these scores.
    fn peers(starts: &[f64]) -> Peers {
        let mut peers = Peers::new(1);
        for start in starts {
            let scores: Vec<f64> = (0..4).map(|step| start + 0.1 * f64::from(step)).collect();
            peers.add(&[points(&scores)], Some(&[scores[3]]));
        }
        peers
    }

    #[test]
    fn the_median_is_of_the_running_averages_and_the_trial_counts_by_its_best() {
        // At the third step the averages are 0.1 more than the starts, their median 0.4.
        let peers = peers(&[0.1, 0.2, 0.3, 0.4, 0.5]);
        let stop = |scores: &[f64]| stop("Median(after: 5, grace: 1)", &peers, scores);
        assert_eq!(stop(&[0.0, 0.1, 0.2]), Some(2));
        assert_eq!(stop(&[0.0, 0.36, 0.39]), Some(3));
        assert_eq!(stop(&[0.0, 0.41, 0.0]), None, "its best is as good");
        assert_eq!(stop(&[0.0, 0.36, 0.41, 0.44]), Some(4));
    }

    #[test]
    fn few_peers_and_first_steps_judge_nobody() {
        let few = peers(&[0.5, 0.6]);
        assert_eq!(stop("Median(after: 3, grace: 0)", &few, &[0.0, 0.0, 0.0]), None);
        assert_eq!(stop("Median(after: 2, grace: 0)", &few, &[0.0, 0.0, 0.0]), Some(1));
        assert_eq!(stop("Median(after: 2, grace: 2)", &few, &[0.0, 0.0, 0.0]), Some(3));
        assert_eq!(stop("Median", &Peers::new(1), &[0.0, 0.0]), None);
    }

    #[test]
    fn halving_keeps_the_best_share_at_its_rungs_alone() {
        let peers = peers(&[0.1, 0.2, 0.3, 0.4, 0.5]);
        let stop = |scores: &[f64]| stop("Halving(eta: 3, first: 2)", &peers, scores);
        // The second step is the only rung: two of six stay.
        assert_eq!(stop(&[0.0, 0.45, 0.0]), Some(2));
        assert_eq!(stop(&[0.0, 0.55, 0.0, 0.0]), None);
        assert_eq!(stop(&[0.0]), None);
    }

    #[test]
    fn zero_where_it_makes_no_rule_is_refused() {
        for text in ["Halving(eta: 1)", "Halving(first: 0)", "Median(after: 0)"] {
            let error = from_value::<EarlyStopping>(&text.parse::<Value>().expect("RON")).expect_err(text);
            assert!(error.to_string().contains("at least"), "{text}: {error}");
        }
    }
}
