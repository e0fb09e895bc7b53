//! What a study tells while it runs: for progress bars and for programs.

use std::time::{Duration, Instant};

use crate::trial::{Fidelity, Metrics, Trial, TrialId};

use super::Final;

/// Something happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The search begins or goes on.
    Opened {
        /// Trials that ended in earlier runs.
        ended: u64,
        /// Trials that an earlier run began and did not end: they are redone.
        interrupted: u64,
        /// Trials in all.
        trials: u64,
    },
    /// An algorithm that chooses how it searches has chosen.
    Chosen {
        /// What it saw and what it chose, in a line.
        why: &'a str,
    },
    /// What all trials share is being made, before anything is evaluated.
    Preparing {
        /// What is done, in a few words.
        what: &'a str,
        /// How much of it is done.
        done: u64,
        /// Of how much.
        of: u64,
    },
    /// Weights that all candidates share are being trained, before anything is proposed.
    Sharing {
        /// Steps done.
        step: u64,
        /// How much of the budget is spent, in [0, 1].
        share: f64,
        /// The moving mean of rewards, where the method has rewards.
        reward: Option<f64>,
    },
    /// A trial was proposed and handed to a worker.
    Started {
        /// The trial, pending.
        trial: &'a Trial,
    },
    /// A trial or a final training came further.
    Step {
        /// The trial.
        trial: TrialId,
        /// How much of its fidelity is spent.
        done: Fidelity,
        /// The figures so far.
        metrics: &'a Metrics,
    },
    /// A trial finished or failed, and is stored. In the order of ending, which is not that of ids.
    Ended {
        /// The trial.
        trial: &'a Trial,
        /// The earlier trial of the same candidate at the same fidelity, whose figures were taken over.
        copied_from: Option<TrialId>,
        /// Trials that have ended.
        ended: u64,
        /// The best of them by the first objective.
        best: Option<&'a Trial>,
        /// How long the rest of the search will probably take.
        time_left: Option<Duration>,
    },
    /// The trial that just ended is the best so far by the first objective.
    Incumbent {
        /// The trial.
        trial: &'a Trial,
    },
    /// A final training begins, or goes on from its checkpoint.
    FinalStarted {
        /// The trial whose candidate is trained.
        trial: &'a Trial,
        /// What it may spend.
        fidelity: Fidelity,
    },
    /// A final training finished or failed, and is stored.
    FinalEnded {
        /// The training.
        training: &'a Final,
    },
}

/// Hears what happens, on the thread that called the study. Closures are listeners.
pub trait Listener {
    /// Something happened.
    fn hear(&mut self, event: &Event);
}

impl<F: FnMut(&Event)> Listener for F {
    fn hear(&mut self, event: &Event) {
        self(event);
    }
}

/// Estimates how long the rest takes, from the trials that were evaluated since it was made.
pub(super) struct Clock {
    start: Instant,
    evaluated: u32,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Clock {
        Clock { start: Instant::now(), evaluated: 0 }
    }

    /// One more trial was evaluated, and `left` are to come.
    pub fn tick(&mut self, left: u64) -> Option<Duration> {
        self.evaluated = self.evaluated.saturating_add(1);
        self.left(left)
    }

    /// How long `left` trials will take.
    pub fn left(&self, left: u64) -> Option<Duration> {
        let mean = self.start.elapsed().checked_div(self.evaluated)?;
        Duration::try_from_secs_f64(mean.as_secs_f64() * left as f64).ok()
    }
}
