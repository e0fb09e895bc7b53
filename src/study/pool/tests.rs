//! What one device's lack of memory means for the others.

use std::sync::Barrier;

use super::*;
use crate::symbolic::Value;

const DEVICES: [Device; 3] = [Device::Cuda(0), Device::Cuda(1), Device::Cuda(2)];
const FULL: Device = Device::Cuda(1);

/// Stands in for trainings on three GPUs, the second of which has no memory left: some trainings say so, in others the
/// driver panics.
struct Gpus {
    /// Makes each device take one of the first tasks.
    all: Barrier,
}

impl Evaluate for Gpus {
    fn metrics(&self) -> Vec<&str> {
        vec!["device"]
    }

    fn evaluate(&self, job: &Job, _: &dyn Progress) -> Result<Outcome, Failure> {
        if job.seed.0 < DEVICES.len() as u64 {
            self.all.wait();
        }
        match (job.device, job.seed.0 % 2) {
            (FULL, 0) => panic!("CUDA_ERROR_OUT_OF_MEMORY: out of memory"),
            (FULL, _) => Err(Failure::Candidate(format!("out of memory: 0 MiB of {FULL} are free"))),
            (device, _) => {
                let number = DEVICES.iter().position(|one| *one == device).map_or(-1.0, |place| place as f64);
                Ok(Outcome { metrics: [("device".to_string(), number)].into(), trained: None })
            }
        }
    }
}

#[test]
fn trials_on_a_gpu_without_memory_fail_and_those_on_the_others_go_on() {
    let space = Space::untyped(&Value::unit("Anything")).unwrap();
    let genotype = space.build(&mut |_| unreachable!("nothing is open")).unwrap();
    let (evaluator, stop) = (Gpus { all: Barrier::new(DEVICES.len()) }, AtomicBool::new(false));
    let site = Site { space: &space, evaluator: &evaluator, devices: &DEVICES, stop: &stop };
    let count = 60;
    let ended = Pool::with(DEVICES.len(), site, |pool| {
        for trial in 0..count {
            pool.start(Task {
                trial,
                genotype: genotype.clone(),
                key: space.key(&genotype).unwrap(),
                fidelity: Fidelity(1),
                seed: Seed(trial),
                last: false,
                checkpoint: None,
                heritage: None,
                watch: None,
            });
        }
        let ended = std::iter::from_fn(|| match pool.wait()? {
            Report::Ended(trial, ended) => Some((trial, ended.result)),
            Report::Step(..) => unreachable!("nothing is reported on the way"),
        });
        ended.take(count as usize).collect::<Vec<_>>()
    });
    let mut ended = ended.unwrap();
    ended.sort_by_key(|(trial, _)| *trial);
    assert!(ended.iter().map(|(trial, _)| *trial).eq(0..count), "every trial ends, and once");
    let (finished, failed): (Vec<_>, Vec<_>) = ended.iter().partition(|(_, result)| result.is_ok());
    assert!(!failed.is_empty() && finished.len() >= 2, "{} failed", failed.len());
    for (trial, result) in failed {
        let Err(Failure::Candidate(reason)) = result else { panic!("trial {trial}: {result:?}") };
        assert!(reason.contains("out of memory"), "trial {trial}: {reason}");
        assert_eq!(reason.contains("panicked"), trial % 2 == 0, "trial {trial}: {reason}");
    }
    let met = |number: f64| {
        finished.iter().any(|(_, result)| result.as_ref().is_ok_and(|done| done.metrics["device"] == number))
    };
    assert!(met(0.0) && met(2.0) && !met(1.0));
}
