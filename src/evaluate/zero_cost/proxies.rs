//! The evaluator behind [`ZeroCost`](super::ZeroCost).

use rayon::ThreadPoolBuilder;

use super::{Proxy, ZeroCost, grad_norm, jacob_cov, naswot, synflow};
use crate::data::Dataset;
use crate::error::Error;
use crate::evaluate::{Evaluate, Failure, Job, Outcome, Progress};
use crate::nn::Probe;
use crate::trial::Metrics;

pub(super) struct Proxies {
    config: ZeroCost,
    data: Dataset,
}

impl Proxies {
    pub(super) fn new(config: &ZeroCost) -> Result<Proxies, Error> {
        Ok(Proxies { config: config.clone(), data: config.data.load()? })
    }

    fn probe(&self, job: &Job) -> Result<Outcome, Failure> {
        let candidate = job.network()?;
        let graph = candidate.graph().map_err(|error| Failure::Candidate(error.to_string()))?;
        let normal = (&self.data.mean[..], &self.data.deviation[..]);
        let probe =
            Probe::new(&graph, job.seed, &self.data.train, normal, self.config.batch.max(2), job.device)
                .map_err(|error| Failure::Candidate(error.to_string()))?;
        let cost = graph.cost();
        let figures = self.config.proxies.iter().map(|proxy| score(*proxy, &probe));
        let figures = figures.chain([cost.params as f64, cost.macs as f64]);
        let metrics: Metrics = self.config.metrics().into_iter().map(String::from).zip(figures).collect();
        Ok(Outcome { metrics, trained: None })
    }
}

fn score(proxy: Proxy, probe: &Probe) -> f64 {
    match proxy {
        Proxy::Synflow => synflow::score(probe.flow()),
        Proxy::Naswot => {
            let agreements = probe.agreements();
            naswot::score(&agreements, agreements.len().isqrt())
        }
        Proxy::JacobCov => jacob_cov::score(&probe.jacobian()),
        Proxy::GradNorm => grad_norm::score(&probe.gradient_norms()),
    }
}

/// Deep networks are differentiated by recursion; a thread's usual 2 MiB are little for that.
const STACK_BYTES: usize = 16 << 20;

impl Evaluate for Proxies {
    fn metrics(&self) -> Vec<&str> {
        self.config.metrics()
    }

    fn evaluate(&self, job: &Job, progress: &dyn Progress) -> Result<Outcome, Failure> {
        let pool =
            ThreadPoolBuilder::new().num_threads(self.config.threads.max(1)).stack_size(STACK_BYTES).build();
        let pool = pool.map_err(|error| Failure::Candidate(format!("no threads to evaluate on: {error}")))?;
        let outcome = pool.install(|| self.probe(job))?;
        if progress.report(job.fidelity, &outcome.metrics) { Ok(outcome) } else { Err(Failure::Stopped) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Source;
    use crate::evaluate::{Prepare, lone_job};
    use crate::space::Space;
    use crate::symbolic::{Value, to_value};
    use crate::trial::Fidelity;

    struct On;

    impl Progress for On {
        fn report(&self, _done: Fidelity, _metrics: &Metrics) -> bool {
            true
        }
    }

    fn scored(layers: &str) -> Result<Outcome, Failure> {
        scored_by(layers, &Proxy::ALL)
    }

    fn scored_by(layers: &str, proxies: &[Proxy]) -> Result<Outcome, Failure> {
        let text = format!("(task: (input: (1, 8, 8), classes: 10), architecture: Sequential([{layers}]))");
        let program = to_value(&ron::from_str::<crate::Candidate>(&text).unwrap()).unwrap();
        let config = ZeroCost { data: Source::Digits, proxies: proxies.to_vec(), batch: 16, threads: 1 };
        let space = Space::untyped(&Value::unit("Anything")).unwrap();
        config.prepare(&space).unwrap().evaluate(&lone_job(&program), &On)
    }

    #[test]
    fn every_proxy_is_a_number_and_the_same_again() {
        let layers = "ConvBnRelu(ConvBnRelu(channels: Some(8))), ConvBnRelu(ConvBnRelu(channels: Some(8)))";
        let outcome = scored(layers).unwrap();
        let names: Vec<&str> = outcome.metrics.keys().map(String::as_str).collect();
        assert_eq!(names, ["synflow", "naswot", "jacob_cov", "grad_norm", "params", "macs"]);
        let one = scored_by(layers, &[Proxy::Naswot]).unwrap().metrics;
        assert_eq!(one.keys().map(String::as_str).collect::<Vec<_>>(), ["naswot", "params", "macs"]);
        assert_eq!(one["naswot"], outcome.metrics["naswot"]);
        assert!(outcome.metrics.values().all(|figure| figure.is_finite()), "{:?}", outcome.metrics);
        assert_eq!(scored(layers).unwrap(), outcome);
        let wider = scored(&layers.replace("Some(8)", "Some(16)")).unwrap();
        assert!(wider.metrics["synflow"] > outcome.metrics["synflow"]);
        assert!(wider.metrics["naswot"] > outcome.metrics["naswot"]);
    }
}
