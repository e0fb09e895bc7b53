//! When the process is made anew: at fixed numbers of ended trials, so that it follows from the trials alone.

/// What is believed is learnt again when the trials have grown by this factor.
const GROWTH: f64 = 1.4;

/// Of more trials than this some are chosen, anew after every few.
const TRIALS: usize = 256;
const RENEWED: usize = 32;

/// What changes only from time to time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::search) struct Stage {
    /// Number of trials that the belief was learnt from.
    pub believed: usize,
    /// Number of trials of which some are chosen; 0 while all are learnt from.
    pub chosen: usize,
}

impl Stage {
    /// The stage after so many trials have ended, the first belief being learnt after `first`.
    pub fn after(ended: usize, first: usize) -> Stage {
        let mut believed = first.max(1);
        loop {
            let next = ((believed as f64 * GROWTH).ceil() as usize).max(believed + 1);
            if next > ended {
                break;
            }
            believed = next;
        }
        Stage {
            believed: believed.min(ended),
            chosen: if ended > TRIALS { ended / RENEWED * RENEWED } else { 0 },
        }
    }

    /// Number of trials that scores are compared with.
    pub fn compared(&self) -> usize {
        if self.chosen > 0 { self.chosen } else { self.believed }
    }

    /// Number of trials that had ended when it began.
    pub fn start(&self) -> usize {
        self.believed.max(self.chosen)
    }
}
