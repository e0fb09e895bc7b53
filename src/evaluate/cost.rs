//! What a candidate costs, without training it: for size searches, constraints, and quick looks at a space.

use serde::{Deserialize, Serialize};

use super::{Evaluate, Failure, Job, Outcome, Prepare, Progress};
use crate::space::Space;
use crate::trial::Metrics;

/// Reports `params`, `macs`, `activation_bytes` and `depth`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cost {}

/// What it reports.
const METRICS: &[&str] = &["params", "macs", "activation_bytes", "depth"];

impl Prepare for Cost {
    fn reports(&self) -> Vec<&str> {
        METRICS.to_vec()
    }

    fn prepare(&self, _space: &Space) -> Result<Box<dyn Evaluate>, crate::error::Error> {
        Ok(Box::new(self.clone()))
    }
}

impl Evaluate for Cost {
    fn metrics(&self) -> Vec<&str> {
        METRICS.to_vec()
    }

    fn evaluate(&self, job: &Job, progress: &dyn Progress) -> Result<Outcome, Failure> {
        let graph = job.network()?.graph().map_err(|error| Failure::Candidate(error.to_string()))?;
        let cost = graph.cost();
        let figures = [cost.params, cost.macs, cost.activation_bytes, cost.depth];
        let metrics: Metrics =
            METRICS.iter().zip(figures).map(|(name, figure)| (name.to_string(), figure as f64)).collect();
        if progress.report(job.fidelity, &metrics) {
            Ok(Outcome { metrics, trained: None })
        } else {
            Err(Failure::Stopped)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::lone_job;
    use crate::trial::Fidelity;

    struct Until(bool);

    impl Progress for Until {
        fn report(&self, _done: Fidelity, _metrics: &Metrics) -> bool {
            self.0
        }
    }

    fn cost(architecture: &str, go_on: bool) -> Result<Outcome, Failure> {
        let text = format!("(task: (input: (1, 8, 8), classes: 10), architecture: {architecture})");
        Cost {}.evaluate(&lone_job(&text.parse().unwrap()), &Until(go_on))
    }

    #[test]
    fn counts_by_hand() {
        let metrics = cost("Sequential([Conv(kernel: 3, channels: 4)])", true).unwrap().metrics;
        assert!(metrics.keys().eq(METRICS));
        // Weights and biases of the convolution and of the classifier.
        assert_eq!(metrics["params"], f64::from(4 * 9 + 4 + 4 * 10 + 10));
        assert_eq!(metrics["macs"], f64::from(64 * 4 * 9 + 4 * 10));
        assert_eq!(metrics["depth"], 2.0);
        assert!(metrics["activation_bytes"] >= f64::from(64 * 4 * 4));
    }

    #[test]
    fn what_cannot_be_built_is_the_candidate_s_fault_and_stopping_nobody_s() {
        let failure = cost("Sequential([Linear(features: 4), Conv(kernel: 3)])", true).unwrap_err();
        assert!(matches!(failure, Failure::Candidate(_)), "{failure:?}");
        assert_eq!(cost("Sequential([])", false).unwrap_err(), Failure::Stopped);
    }
}
