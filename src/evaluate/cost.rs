//! What a candidate costs, without training it: for size searches, constraints, and quick looks at a space.

use serde::{Deserialize, Serialize};

use super::{Evaluate, Failure, Job, Outcome, Prepare, Progress};
use crate::trial::Metrics;

/// Reports `params`, `macs`, `activation_bytes` and `depth`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cost {}

impl Prepare for Cost {
    fn prepare(&self) -> Result<Box<dyn Evaluate>, crate::error::Error> {
        Ok(Box::new(self.clone()))
    }
}

impl Evaluate for Cost {
    fn metrics(&self) -> &'static [&'static str] {
        &["params", "macs", "activation_bytes", "depth"]
    }

    fn evaluate(&self, job: &Job, progress: &dyn Progress) -> Result<Outcome, Failure> {
        let graph = job.candidate.graph().map_err(|error| Failure::Candidate(error.to_string()))?;
        let cost = graph.cost();
        let figures = [cost.params, cost.macs, cost.activation_bytes, cost.depth];
        let metrics: Metrics = self
            .metrics()
            .iter()
            .zip(figures)
            .map(|(name, figure)| (name.to_string(), figure as f64))
            .collect();
        if progress.report(job.fidelity, &metrics) {
            Ok(Outcome { metrics, trained: None })
        } else {
            Err(Failure::Stopped)
        }
    }
}
