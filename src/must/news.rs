//! What long work tells on its way.

use crate::trial::Metrics;

/// Something that happened while teachers, labels or students are made.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum News<'a> {
    /// A network took a step.
    Step {
        /// The network's name.
        who: &'a str,
        /// Steps done.
        step: usize,
        /// Steps in all.
        steps: usize,
        /// The sum of its losses.
        loss: f64,
    },
    /// A set leaves out what cannot be read, because its source says so.
    LeftOut {
        /// How many of how many, where, and the first reason.
        line: &'a str,
    },
    /// Samples are read once before anything is learned from them.
    Looking {
        /// Where they are.
        place: &'a str,
        /// Samples read.
        done: usize,
        /// Samples that are read.
        of: usize,
        /// Samples that there are: of huge sets, not all are read.
        in_all: usize,
    },
    /// A network is there.
    Taught {
        /// The network's name.
        who: &'a str,
        /// How it does on its validation set.
        scores: &'a Metrics,
        /// Whether it was there before.
        again: bool,
    },
    /// Pictures were labelled.
    Labelled {
        /// Pictures with labels.
        done: usize,
        /// Pictures in all.
        pictures: usize,
    },
    /// A round of self-training begins: 0 is the teacher's.
    Round {
        /// Which.
        round: u32,
        /// Rounds in all, without the teacher's.
        rounds: u32,
    },
}

/// Hears the news; `false` asks to stop.
pub type Hear<'a> = dyn FnMut(&News) -> bool + 'a;
