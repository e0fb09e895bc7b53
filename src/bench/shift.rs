//! Trials under way at once, each as long as its evaluator says that it takes: what ends first is told first.

use std::collections::HashMap;

use crate::space::Key;
use crate::trial::{Fidelity, Metrics, Trial};

/// The trials that are under way, and the time.
#[derive(Default)]
pub(super) struct Shift {
    /// Seconds since the search began.
    pub now: f64,
    running: Vec<Running>,
    /// The figures of every candidate at every fidelity, and when they were or will be there: a study does not evaluate
    /// one twice either.
    known: HashMap<(Key, Fidelity), (Metrics, f64)>,
}

/// A trial that has begun.
pub(super) struct Running {
    /// When it ends, in seconds since the search began.
    end: f64,
    pub trial: Trial,
    pub result: Result<Metrics, String>,
}

impl Shift {
    /// How many trials are under way.
    pub fn size(&self) -> usize {
        self.running.len()
    }

    /// Begins a trial. One whose figures are there, or are on their way, costs nothing; nor does one that fails, for
    /// nobody says how long it took.
    pub fn begin(&mut self, trial: Trial, evaluate: impl FnOnce(&Trial) -> Result<Metrics, String>) {
        let identity = (trial.key.clone(), trial.proposal.fidelity);
        let (result, end) = match self.known.get(&identity) {
            Some((metrics, there)) => (Ok(metrics.clone()), there.max(self.now)),
            None => {
                let result = evaluate(&trial);
                let seconds = result.as_ref().ok().and_then(|metrics| metrics.get("seconds")).copied();
                let end = self.now + seconds.filter(|seconds| *seconds > 0.0).unwrap_or(0.0);
                if let Ok(metrics) = &result {
                    self.known.insert(identity, (metrics.clone(), end));
                }
                (result, end)
            }
        };
        self.running.push(Running { end, trial, result });
    }

    /// Waits for the trial that ends next; of several the one that was proposed first.
    pub fn next(&mut self) -> Option<Running> {
        let order = |a: &&Running, b: &&Running| a.end.total_cmp(&b.end).then(a.trial.id.cmp(&b.trial.id));
        let next = self.running.iter().min_by(order)?.trial.id;
        let place = self.running.iter().position(|running| running.trial.id == next)?;
        let ended = self.running.swap_remove(place);
        self.now = ended.end;
        Some(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::super::arena::tests::trial;
    use super::*;

    fn took(seconds: f64) -> Result<Metrics, String> {
        Ok([("seconds".to_owned(), seconds)].into_iter().collect())
    }

    #[test]
    fn what_ends_first_is_told_first() {
        let mut shift = Shift::default();
        let begin = |shift: &mut Shift, id, key: &str, seconds| {
            shift.begin(Trial { id, ..trial(key) }, |_| took(seconds));
        };
        begin(&mut shift, 0, "0,0,0", 30.0);
        begin(&mut shift, 1, "0,0,1", 10.0);
        // The candidate of trial 0 again: its figures come with that trial's, and after it.
        begin(&mut shift, 2, "0,0,0", f64::NAN);
        let mut told = vec![shift.next().expect("a trial").trial.id];
        assert_eq!((shift.now, shift.size()), (10.0, 2));
        begin(&mut shift, 3, "0,0,2", 15.0);
        shift.begin(Trial { id: 4, ..trial("0,0,3") }, |_| Err("diverged".into()));
        told.extend(std::iter::from_fn(|| shift.next()).map(|ended| ended.trial.id));
        assert_eq!((told, shift.now), (vec![1, 4, 3, 0, 2], 30.0));
        shift.begin(Trial { id: 5, ..trial("0,0,2") }, |_| unreachable!("its figures are there"));
        assert_eq!(shift.next().map(|ended| ended.result), Some(took(15.0)));
        assert_eq!(shift.now, 30.0);
    }
}
