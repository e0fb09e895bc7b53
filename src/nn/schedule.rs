//! How the learning rate moves: the share of the peak at every step.

use crate::recipe::Schedule;

/// One-cycle's start, as a share of the peak (PyTorch's `div_factor` of 25).
const CYCLE_START: f64 = 1.0 / 25.0;
/// One-cycle's end, as a share of the peak.
const CYCLE_END: f64 = 1e-4;

impl Schedule {
    /// The learning rate of `step` (from 0) of `steps`, as a share of the peak.
    ///
    /// ```
    /// use cellwright::recipe::Schedule;
    ///
    /// let cosine = Schedule::Cosine { warmup: 0.0, floor: 0.0 };
    /// assert_eq!(cosine.factor(0, 100), 1.0);
    /// assert!((cosine.factor(50, 100) - 0.5).abs() < 1e-12);
    /// ```
    pub fn factor(&self, step: usize, steps: usize) -> f64 {
        let (step, steps) = (step as f64, steps.max(1) as f64);
        match *self {
            Schedule::Constant { warmup } => warm(step, warmup * steps).unwrap_or(1.0),
            Schedule::Cosine { warmup, floor } => {
                let risen = warmup * steps;
                warm(step, risen)
                    .unwrap_or_else(|| half_cosine(1.0, floor, (step - risen) / (steps - risen).max(1.0)))
            }
            Schedule::OneCycle { rise } => {
                // The last step, not the one after it, stands at the end, as in PyTorch's `OneCycleLR`.
                let (last, peak) = ((steps - 1.0).max(1.0), rise * (steps - 1.0));
                if step < peak {
                    half_cosine(CYCLE_START, 1.0, step / peak)
                } else {
                    half_cosine(1.0, CYCLE_END, (step - peak) / (last - peak).max(1.0))
                }
            }
        }
    }
}

/// Linear warm-up that reaches the peak with its last step; `None` after it.
fn warm(step: f64, risen: f64) -> Option<f64> {
    (step < risen).then(|| ((step + 1.0) / risen).min(1.0))
}

/// From `start` to `end` along half a cosine, `progress` in [0, 1].
fn half_cosine(start: f64, end: f64, progress: f64) -> f64 {
    end + (start - end) * 0.5 * (1.0 + (std::f64::consts::PI * progress.clamp(0.0, 1.0)).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(schedule: Schedule, steps: usize, wanted: &[(usize, f64)]) {
        for (step, factor) in wanted {
            let met = schedule.factor(*step, steps);
            assert!((met - factor).abs() < 1e-9, "{schedule:?} at {step}: {met}, not {factor}");
        }
    }

    #[test]
    fn constant_rises_and_stays() {
        close(Schedule::Constant { warmup: 0.0 }, 10, &[(0, 1.0), (9, 1.0)]);
        close(Schedule::Constant { warmup: 0.4 }, 10, &[(0, 0.25), (1, 0.5), (3, 1.0), (4, 1.0), (9, 1.0)]);
    }

    #[test]
    fn cosine_falls_to_its_floor() {
        let quarter = 0.5 * (1.0 + (std::f64::consts::PI * 0.25).cos());
        close(Schedule::Cosine { warmup: 0.0, floor: 0.0 }, 8, &[(0, 1.0), (2, quarter), (4, 0.5), (8, 0.0)]);
        close(Schedule::Cosine { warmup: 0.0, floor: 0.1 }, 8, &[(0, 1.0), (4, 0.55), (8, 0.1)]);
        close(Schedule::Cosine { warmup: 0.2, floor: 0.0 }, 10, &[(0, 0.5), (1, 1.0), (2, 1.0), (6, 0.5)]);
    }

    #[test]
    fn one_cycle_agrees_with_pytorch() {
        // OneCycleLR(max_lr=1, total_steps=11, pct_start=0.3, final_div_factor=400): peak at step 0.3 * 11 - 1 is theirs,
        // at 0.3 * 10 ours; start, peak and end agree.
        close(Schedule::OneCycle { rise: 0.3 }, 11, &[(0, 0.04), (3, 1.0), (10, 1e-4)]);
        close(Schedule::OneCycle { rise: 0.5 }, 11, &[(5, 1.0)]);
    }

    #[test]
    fn every_schedule_is_a_share_of_the_peak() {
        let all = [
            Schedule::Constant { warmup: 0.3 },
            Schedule::Cosine { warmup: 1.0, floor: 0.0 },
            Schedule::Cosine { warmup: 0.1, floor: 0.01 },
            Schedule::OneCycle { rise: 0.0 },
            Schedule::OneCycle { rise: 1.0 },
        ];
        for schedule in all {
            for steps in [1, 2, 3, 50] {
                for step in 0..steps {
                    let factor = schedule.factor(step, steps);
                    assert!((0.0..=1.0).contains(&factor), "{schedule:?} {step}/{steps}: {factor}");
                }
            }
        }
    }
}
