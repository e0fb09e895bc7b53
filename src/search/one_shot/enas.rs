//! ENAS: the architecture alone, by a policy that takes turns with the shared weights.
//!
//! Pham et al. 2018, <https://arxiv.org/abs/1802.03268>: for one pass through the training pictures the shared weights
//! learn, each batch with a candidate drawn from the policy; then the policy learns for some steps, each from a few
//! candidates judged on validation pictures as the weights are. Both take turns until the budget is spent. The policy
//! here is a softmax for each decision in place of their recurrent network, and hyperparameters are held: numbers at the
//! middle of their scales, choices at their first candidates.

use serde::{Deserialize, Serialize};

use super::controller::{Policy, Rule};
use super::course::{Budget, Course};
use super::paths::Paths;
use super::proposals::drawn;
use super::{Hear, OneShot, OneShotError, untrained};
use crate::random::Rng;
use crate::search::unseen::Unseen;
use crate::search::{Configure, Context, Next, SearchAlgorithm};
use crate::space::{Draw, GenotypeError};
use crate::trial::{History, Moment, Objective, Supernet};

/// Efficient neural architecture search. Defaults are those of the authors' search on CIFAR-10.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Enas {
    /// When the training of the shared weights ends; steps of the policy count, too.
    pub budget: Budget,
    /// The policy's steps after each pass through the training pictures.
    pub policy_steps: u64,
    /// Candidates judged for one step of the policy.
    pub aggregate: usize,
    /// Adam's rate for the policy, in logits a step.
    pub learning_rate: f64,
    /// How much of the moving mean of rewards remains with every reward.
    pub baseline: f64,
    /// Weight of the policy's entropy.
    pub entropy: f64,
}

impl Default for Enas {
    fn default() -> Enas {
        Enas {
            budget: Budget::Epochs(150),
            policy_steps: 30,
            aggregate: 10,
            learning_rate: 0.0035,
            baseline: 0.99,
            entropy: 1e-4,
        }
    }
}

impl Enas {
    fn step(
        &self,
        objectives: &[Objective],
        course: &mut Course,
        moment: Moment,
    ) -> Result<(), OneShotError> {
        let turn = moment.step % (course.state.epoch + self.policy_steps);
        let mut rng = course.stream(moment, "one-shot path");
        if turn < course.state.epoch {
            let drawn = course.draw(&mut rng)?;
            return course.update(&drawn, moment).map(drop);
        }
        let mut examples = Vec::with_capacity(self.aggregate);
        for _ in 0..self.aggregate.max(1) {
            let drawn = course.draw(&mut rng)?;
            let worth = course.worth(&drawn, moment, 0)?;
            let score = |figures| objectives.first().and_then(|objective| objective.score(&figures));
            examples.push((drawn, worth.and_then(score)));
        }
        let rule = Rule { rate: self.learning_rate, baseline: self.baseline, entropy: self.entropy };
        let (paths, space) = (course.paths, course.context.space);
        Ok(course.state.policy.learn(paths, space, &examples, &rule)?)
    }
}

impl Configure for Enas {
    fn start(&self) -> Box<dyn SearchAlgorithm> {
        Box::new(Search { config: self.clone(), learnt: None, unseen: Unseen::default() })
    }
}

struct Search {
    config: Enas,
    learnt: Option<(Paths, Policy)>,
    unseen: Unseen,
}

impl OneShot for Search {
    fn train(
        &mut self,
        context: &Context,
        objectives: &[Objective],
        supernet: &mut dyn Supernet,
        hear: &mut Hear,
    ) -> Result<bool, OneShotError> {
        let config = &self.config;
        // No number is open unless it is part of the architecture, such as a width.
        let paths = Paths::of(context.space, WIDTHS, false);
        let mut course = Course::start(config.budget, context, &paths, supernet)?;
        let done =
            course.run(config.budget, hear, &mut |course, moment| config.step(objectives, course, moment))?;
        let policy = course.state.policy;
        self.learnt = done.then_some((paths, policy));
        Ok(done)
    }
}

/// Values of a number that is part of an architecture.
pub(super) const WIDTHS: usize = 5;

impl SearchAlgorithm for Search {
    fn propose(&mut self, context: &Context, history: &History) -> Result<Next, GenotypeError> {
        self.unseen.read(history);
        let (paths, policy) = self.learnt.as_ref().ok_or_else(|| untrained("enas"))?;
        let mut rng = context.seed.stream(context.trial, "one-shot candidate");
        // Hyperparameters are held, so that there is nothing to decode.
        let first = |_: &_, basis: &[Draw], _: &[f64]| basis[0].clone();
        let draw = |rng: &mut Rng| policy.decode(paths, context.space, Some(rng), &first);
        drawn(&mut self.unseen, context, &mut rng, "drawn from the policy", draw)
    }

    fn one_shot(&mut self) -> Option<&mut dyn OneShot> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::toy::{self, Toy};
    use super::*;

    #[test]
    fn weights_and_policy_take_turns() {
        let space = toy::joint();
        let config = Enas { budget: Budget::Steps(40), policy_steps: 6, aggregate: 3, ..Enas::default() };
        let mut toy = Toy::default();
        let mut search = config.start();
        let objectives = [Objective::Maximize("accuracy".into())];
        let context = toy::context(&space);
        assert!(search.one_shot().unwrap().train(&context, &objectives, &mut toy, &mut |_| true).unwrap());
        // Four updates an epoch, then six steps of the policy, four times over.
        let steps: Vec<u64> = toy.updated.iter().map(|(_, step)| *step).collect();
        assert_eq!(steps, [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33]);
        assert!(toy.updated.iter().all(|(genotype, _)| genotype.ends_with(",0.0316228,0")), "held");
        assert_eq!(toy.copies, 0);
    }
}
