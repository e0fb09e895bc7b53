//! The course of a one-shot training: step after step until the budget is spent, with checkpoints.

use std::time::{Duration, Instant};

use serde::{Deserialize, Deserializer, Serialize, de};

use super::controller::Policy;
use super::paths::Paths;
use super::{Hear, OneShotError, Sharing};
use crate::random::Rng;
use crate::search::Context;
use crate::space::Genotype;
use crate::trial::{Metrics, Moment, Supernet, SupernetError};

/// When the training of shared weights ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Budget {
    /// After so many steps.
    Steps(#[serde(deserialize_with = "some")] u64),
    /// After as many steps as go through the training pictures so many times.
    Epochs(#[serde(deserialize_with = "some")] u64),
    /// After so many seconds, earlier runs of the same training included.
    Seconds(#[serde(deserialize_with = "some_seconds")] f64),
}

fn some<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    match u64::deserialize(from)? {
        0 => Err(de::Error::custom("0 trains nothing: at least 1 is needed here")),
        count => Ok(count),
    }
}

fn some_seconds<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let seconds = f64::deserialize(from)?;
    if seconds > 0.0 && seconds.is_finite() {
        return Ok(seconds);
    }
    Err(de::Error::custom(format!("{seconds} seconds train nothing: a number above 0 is needed here")))
}

/// Candidates in a row that cannot be trained before the training is given up.
const HOPELESS: u32 = 100;
/// How often a checkpoint is kept.
const KEPT: Duration = Duration::from_secs(60);

/// All that the next steps depend on, weights aside.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub policy: Policy,
    /// Steps done.
    pub step: u64,
    /// Steps in all, where they are counted.
    pub steps: Option<u64>,
    /// Steps that go through the training pictures once.
    pub epoch: u64,
    /// Seconds spent.
    pub seconds: f64,
    /// Candidates in a row that could not be trained.
    failures: u32,
}

/// A training under way.
pub(super) struct Course<'a, 'n> {
    pub context: &'a Context<'a>,
    pub paths: &'a Paths,
    pub supernet: &'n mut dyn Supernet,
    pub state: State,
}

/// One step of a method.
pub(super) type Step<'s> = dyn FnMut(&mut Course, Moment) -> Result<(), OneShotError> + 's;

impl<'a, 'n> Course<'a, 'n> {
    /// The first step's state, or the checkpoint's.
    pub fn start(
        budget: Budget,
        context: &'a Context<'a>,
        paths: &'a Paths,
        supernet: &'n mut dyn Supernet,
    ) -> Result<Course<'a, 'n>, OneShotError> {
        let state = match supernet.restore()? {
            Some(notes) => serde_json::from_slice(&notes).map_err(|error| {
                SupernetError::Broken(format!("the checkpoint's notes cannot be read: {error}"))
            })?,
            None => State { policy: Policy::start(paths), ..State::default() },
        };
        let mut course = Course { context, paths, supernet, state };
        if course.state.epoch == 0 {
            course.measure(budget)?;
        }
        Ok(course)
    }

    /// Finds out how long an epoch is, by the first candidate that can be trained.
    fn measure(&mut self, budget: Budget) -> Result<(), OneShotError> {
        for attempt in 0.. {
            let genotype = self.draw(&mut self.context.seed.stream(attempt, "one-shot epoch"))?;
            let epoch = self.supernet.steps_an_epoch(&genotype);
            if let Some(epoch) = self.tried(epoch)? {
                self.state.epoch = epoch.max(1);
                break;
            }
        }
        self.state.steps = match budget {
            Budget::Steps(steps) => Some(steps),
            Budget::Epochs(epochs) => Some(epochs.saturating_mul(self.state.epoch)),
            Budget::Seconds(_) => None,
        };
        Ok(())
    }

    /// Steps until the budget is spent; `false` where `hear` asked to stop.
    pub fn run(&mut self, budget: Budget, hear: &mut Hear, step: &mut Step) -> Result<bool, OneShotError> {
        let before = self.state.seconds;
        let (start, mut kept, mut fresh) = (Instant::now(), Instant::now(), false);
        loop {
            let share = self.share(budget);
            let stops = !hear(&Sharing { step: self.state.step, share, reward: self.reward() });
            if fresh && (stops || share >= 1.0 || kept.elapsed() > KEPT) {
                self.keep()?;
                kept = Instant::now();
            }
            if stops || share >= 1.0 {
                return Ok(share >= 1.0);
            }
            step(self, Moment { step: self.state.step, share })?;
            self.state.step += 1;
            self.state.seconds = before + start.elapsed().as_secs_f64();
            fresh = true;
        }
    }

    /// What a candidate came to; `None` where it could not be trained, unless too many in a row cannot.
    pub fn tried<T>(&mut self, result: Result<T, SupernetError>) -> Result<Option<T>, OneShotError> {
        match result {
            Ok(figures) => {
                self.state.failures = 0;
                Ok(Some(figures))
            }
            Err(SupernetError::Candidate(last)) => {
                self.state.failures += 1;
                let count = self.state.failures;
                if count < HOPELESS { Ok(None) } else { Err(OneShotError::Hopeless { count, last }) }
            }
            Err(broken) => Err(broken.into()),
        }
    }

    /// One step of a candidate on the shared weights.
    pub fn update(&mut self, genotype: &Genotype, moment: Moment) -> Result<Option<Metrics>, OneShotError> {
        let updated = self.supernet.update(genotype, moment);
        self.tried(updated)
    }

    /// What a candidate is worth after so many steps on a copy of its weights.
    pub fn worth(
        &mut self,
        genotype: &Genotype,
        moment: Moment,
        updates: u32,
    ) -> Result<Option<Metrics>, OneShotError> {
        let worth = self.supernet.worth(genotype, moment, updates);
        self.tried(worth)
    }

    /// A path drawn by the policy.
    pub fn draw(&self, rng: &mut Rng) -> Result<Genotype, OneShotError> {
        Ok(self.state.policy.draw(self.paths, self.context.space, rng)?)
    }

    /// The same with every hyperparameter held.
    pub fn draw_held(&self, rng: &mut Rng) -> Result<Genotype, OneShotError> {
        Ok(self.state.policy.draw_held(self.paths, self.context.space, rng)?)
    }

    /// A stream for one of a step's purposes.
    pub fn stream(&self, moment: Moment, purpose: &str) -> Rng {
        self.context.seed.stream(moment.step, purpose)
    }

    fn reward(&self) -> Option<f64> {
        self.state.policy.baseline
    }

    fn share(&self, budget: Budget) -> f64 {
        let (done, all) = match (budget, self.state.steps) {
            (Budget::Seconds(seconds), _) => (self.state.seconds, seconds),
            (_, steps) => (self.state.step as f64, steps.unwrap_or(1).max(1) as f64),
        };
        (done / all).min(1.0)
    }

    fn keep(&mut self) -> Result<(), OneShotError> {
        let notes =
            serde_json::to_vec(&self.state).map_err(|error| SupernetError::Broken(error.to_string()))?;
        Ok(self.supernet.keep(&notes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::toy::{self, Toy};
    use super::*;

    fn updates(budget: Budget, toy: &mut Toy, most: u64) -> (bool, State) {
        let space = toy::arms(3);
        let context = toy::context(&space);
        let paths = Paths::of(&space, 5, true);
        let mut course = Course::start(budget, &context, &paths, toy).unwrap();
        let first = course.state.step;
        let done = course.run(budget, &mut |sharing| sharing.step < first + most, &mut |course, moment| {
            let genotype = course.draw(&mut course.stream(moment, "path"))?;
            course.update(&genotype, moment).map(drop)
        });
        let state = course.state.clone();
        (done.unwrap(), state)
    }

    #[test]
    fn ends_by_steps_epochs_and_seconds() {
        let (done, state) = updates(Budget::Steps(7), &mut Toy::default(), 100);
        assert_eq!((done, state.step), (true, 7));
        let (done, state) = updates(Budget::Epochs(3), &mut Toy::default(), 100);
        assert_eq!((done, state.step), (true, 3 * toy::EPOCH));
        let (done, state) = updates(Budget::Seconds(0.01), &mut Toy::default(), u64::MAX);
        assert!(done && state.seconds >= 0.01 && state.step > 0);
        for wrong in ["Steps(0)", "Epochs(0)", "Seconds(0.0)", "Seconds(-1.0)"] {
            assert!(ron::from_str::<Budget>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_interrupted_training_takes_the_same_steps_as_an_undisturbed_one() {
        let mut whole = Toy::default();
        updates(Budget::Steps(9), &mut whole, 100);
        let mut interrupted = Toy::default();
        // Asked to stop at once, it has not begun.
        assert_eq!(updates(Budget::Steps(9), &mut interrupted, 0).1.step, 0);
        let mut rounds = 0;
        while !updates(Budget::Steps(9), &mut interrupted, 1).0 {
            rounds += 1;
            assert!(rounds < 20, "no end");
        }
        assert_eq!(interrupted.updated, whole.updated);
        assert_eq!(updates(Budget::Steps(9), &mut whole, 100).1.step, 9, "what is complete stays as it is");
    }

    #[test]
    fn candidates_that_cannot_be_trained_are_passed_over_until_there_is_no_hope() {
        let mut toy = Toy { broken: 2, ..Toy::default() };
        assert_eq!(updates(Budget::Steps(30), &mut toy, 100).1.step, 30);
        assert!(toy.updated.len() < 30, "an arm of three cannot be trained");
        let space = toy::arms(3);
        let context = toy::context(&space);
        let paths = Paths::of(&space, 5, true);
        let mut hopeless = Toy { broken: 0, ..Toy::default() };
        let error = Course::start(Budget::Steps(5), &context, &paths, &mut hopeless).err().unwrap();
        assert!(error.to_string().contains("100 candidates in a row could not be trained"), "{error}");
    }
}
