//! Who watches a trial: the verdicts on it, made before it begins.

use std::collections::BTreeMap;

use super::peers::Carry;
use super::{Curve, EarlyStopping, Peers, Verdict};
use crate::trial::{Fidelity, Metrics, Objective, Stopped, unfit};

/// The verdicts on one trial, from what the trials before it came to.
pub(crate) struct Watch {
    objectives: Vec<Objective>,
    whole: Fidelity,
    /// One an objective.
    verdicts: Vec<Verdict>,
    /// How scores are carried to the end, by step and objective.
    carries: BTreeMap<(u32, usize), Carry>,
}

impl Watch {
    /// The watch over a trial that may spend `whole`, beside others that might.
    pub fn new(rule: &EarlyStopping, peers: &Peers, objectives: &[Objective], whole: Fidelity) -> Watch {
        let places = 0..objectives.len();
        let carries = |place| peers.steps(place).map(move |(step, met)| ((step, place), met.carry));
        Watch {
            objectives: objectives.to_vec(),
            whole,
            verdicts: places.clone().map(|place| rule.verdict(peers, place)).collect(),
            carries: places.flat_map(carries).collect(),
        }
    }

    /// How a trial stands that is to be stopped after its last report; `None` where it may go on. What has no figures to
    /// be ranked by goes on too: its end says why.
    pub fn look(&self, curve: &Curve, metrics: &Metrics) -> Option<Stopped> {
        let at = curve.steps.last().copied().filter(|step| *step < self.whole.0)?;
        if unfit(metrics, &self.objectives).is_some() {
            return None;
        }
        let hopeless = |(objective, verdict): (&Objective, &Verdict)| verdict(&curve.points(objective));
        if !self.objectives.iter().zip(&self.verdicts).all(hopeless) {
            return None;
        }
        Some(Stopped { at: Fidelity(at), metrics: metrics.clone(), expected: self.expected(at, metrics) })
    }

    /// What the objectives are expected to come to at the end.
    fn expected(&self, at: u32, metrics: &Metrics) -> Metrics {
        let expected = |(place, objective): (usize, &Objective)| {
            let score = objective.score(metrics)?;
            let carried = self.carries.get(&(at, place)).map_or(score, |carry| carry.carry(score));
            let sign = if matches!(objective, Objective::Maximize(_)) { 1.0 } else { -1.0 };
            Some((objective.metric().to_owned(), sign * carried))
        };
        self.objectives.iter().enumerate().filter_map(expected).collect()
    }
}
