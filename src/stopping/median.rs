//! The median rule of Google Vizier: Golovin et al. 2017, <https://doi.org/10.1145/3097983.3098043>, section 3.2.1.
//!
//! A trial is stopped at a step if its best score so far is worse than the median of the running averages, up to that
//! step, of the trials that were evaluated to their end. The rule asks nothing of the curves' form. A trial that is as
//! good as the median at every step is never stopped.

use serde::{Deserialize, Serialize};

use super::{Peers, Rule, Verdict, best};

/// Stops a trial that is worse than the median of those before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Median {
    /// How many trials must have been evaluated to their end, and have reported the step.
    #[serde(deserialize_with = "super::peers::one_or_more")]
    pub after: usize,
    /// No trial is stopped up to this step.
    pub grace: u32,
}

impl Default for Median {
    fn default() -> Median {
        Median { after: 5, grace: 1 }
    }
}

impl Rule for Median {
    fn verdict(&self, peers: &Peers, objective: usize) -> Verdict {
        let bars = peers.steps(objective);
        let bars = bars.filter(|(_, met)| met.averages.len() >= self.after);
        let bars: std::collections::BTreeMap<u32, f64> =
            bars.map(|(step, met)| (step, median(&met.averages))).collect();
        let grace = self.grace;
        Box::new(move |points| {
            let Some(last) = points.last().filter(|last| last.step > grace) else { return false };
            bars.get(&last.step).is_some_and(|bar| best(points) < *bar)
        })
    }
}

/// The median of ascending figures; of an even number the mean of the two in the middle.
pub(super) fn median(ascending: &[f64]) -> f64 {
    let (lower, upper) = ((ascending.len() - 1) / 2, ascending.len() / 2);
    f64::midpoint(ascending[lower], ascending[upper])
}
