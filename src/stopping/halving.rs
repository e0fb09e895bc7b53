//! Successive halving within trials: the stopping variant of ASHA, Li et al. 2020, <https://arxiv.org/abs/1810.05934>.
//!
//! At rungs that grow by a factor a trial is held against all that ever came as far, stopped later or not: it goes on if
//! its best score so far is among the best share of them, itself included. Where the `successive_halving` algorithm starts
//! every candidate short and promotes, this rule starts every trial in full, and so needs no trial twice.

use serde::{Deserialize, Deserializer, Serialize, de};

use super::{Peers, Rule, Verdict, best};

/// Stops a trial at a rung where it is not among the best `eta`-th.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Halving {
    /// One of so many goes on at each rung, and each rung is so many times the step of the one below; at least 2.
    #[serde(deserialize_with = "two_or_more")]
    pub eta: u32,
    /// The step of the first rung.
    #[serde(deserialize_with = "super::peers::one_or_more")]
    pub first: u32,
}

impl Default for Halving {
    fn default() -> Halving {
        Halving { eta: 3, first: 1 }
    }
}

impl Rule for Halving {
    fn verdict(&self, peers: &Peers, objective: usize) -> Verdict {
        let rungs = std::iter::successors(Some(self.first), |rung| rung.checked_mul(self.eta));
        let bar = |rung: u32| {
            let met = peers.at(rung, objective)?;
            // With the trial itself: so many go on, of at least `eta` that are there.
            let kept = (met.bests.len() + 1) / self.eta as usize;
            (kept > 0).then(|| met.bests[met.bests.len() - kept])
        };
        let bars: std::collections::BTreeMap<u32, f64> =
            rungs.filter_map(|rung| Some((rung, bar(rung)?))).collect();
        Box::new(move |points| {
            let bar = points.last().and_then(|last| bars.get(&last.step));
            bar.is_some_and(|bar| best(points) < *bar)
        })
    }
}

fn two_or_more<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        few @ ..2 => Err(de::Error::custom(format!("{few} halves nothing: at least 2 is needed here"))),
        eta => Ok(eta),
    }
}
