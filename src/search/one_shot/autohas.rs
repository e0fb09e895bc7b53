//! AutoHAS: architecture and hyperparameters in one run.
//!
//! Dong et al. 2020, <https://arxiv.org/abs/2006.03656>: the choices of an architecture and the values of its
//! hyperparameters are drawn from one product of softmaxes, a number as one of a few values of a basis. Hyperparameters
//! show only in what an update makes of the weights, so a candidate is judged after one optimizer step of its own, and
//! since that step must not spoil the weights for the others, it is taken on a copy that is then thrown away. The policy
//! moves towards what was worth more than the moving mean (REINFORCE); then a candidate drawn anew takes a step on the
//! shared weights themselves.
//!
//! That step is taken with the hyperparameters that the policy comes to so far, numbers where it stands on their scales,
//! not with drawn ones: one step at the highest learning rate of a wide scale undoes what hundreds of others have learnt.
//!
//! # Details
//! What the paper leaves open follows TuNAS (Bender et al. 2020, <https://arxiv.org/abs/2008.06120>): the policy rests
//! during the first quarter, in which hyperparameters
//! are held at the middle of their scales; its rate grows tenfold over the rest, and costs enter the reward by their distance from a
//! target. Learning rates follow the candidate's own schedule, as if the training of the shared weights were its own. A
//! reward is measured with the batch's own statistics in norms, final candidates with statistics counted anew for each.
//!
//! # Candidates
//! Shared weights without a step say nothing of hyperparameters. So every final candidate has those that the policy
//! comes to: choices by the highest probability, numbers as their basis weighed by its probabilities. The first has the
//! policy's architecture too; those of the others are drawn from it.

use serde::{Deserialize, Deserializer, Serialize, de};

use super::controller::{Policy, Rule};
use super::course::{Budget, Course};
use super::paths::Paths;
use super::proposals::{drawn, is_new, run};
use super::{Decoding, Hear, OneShot, OneShotError, untrained};
use crate::random::Rng;
use crate::search::unseen::Unseen;
use crate::search::{Configure, Context, Next, SearchAlgorithm};
use crate::space::{DecisionKind, Draw, Genotype, GenotypeError};
use crate::trial::{History, Metrics, Moment, Objective, Supernet};

/// AutoHAS, and by its switches two things that it is measured against.
///
/// ```
/// use cellwright::search::{Algorithm, Budget};
///
/// let text = "AutoHas(budget: Steps(2000), cost: (metric: \"macs\", target: 5e6))";
/// let Algorithm::AutoHas(config) = text.parse()? else { panic!("another algorithm") };
/// assert_eq!(config.budget, Budget::Steps(2000));
/// // A network of 1.2 times the target costs a fiftieth of accuracy: 0.1 times the distance of 0.2.
/// let cost = config.cost.expect("a target");
/// assert!((cost.reward(0.75, 6e6) - 0.73).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AutoHas {
    /// When the training of the shared weights ends.
    pub budget: Budget,
    /// The share of it in which the policy rests: architectures are drawn evenly, and hyperparameters held at the middle of
    /// their scales and at their first candidates.
    #[serde(deserialize_with = "part")]
    pub warmup: f64,
    /// Whether a candidate is judged after a step on a copy of its weights. Without, it is judged after a step on the
    /// shared weights themselves.
    pub temporary: bool,
    /// Steps on the copy.
    pub updates: u32,
    /// Whether hyperparameters are searched. Without, they are held at the middle of their scales and at their first
    /// candidates, and only the architecture is.
    pub hyperparameters: bool,
    /// Adam's rate for the policy at the end, in logits a step; it starts at a tenth of it. By default one over the root
    /// of the policy's steps, such that chance alone moves a logit by about one, however long the training.
    pub learning_rate: Option<f64>,
    /// How much of the moving mean of rewards remains with every reward.
    #[serde(deserialize_with = "part")]
    pub baseline: f64,
    /// Weight of the policy's entropy, which keeps it from settling early.
    pub entropy: f64,
    /// Values of a number's basis, from one end of its scale to the other.
    pub basis: usize,
    /// What numbers the policy comes to.
    pub decoding: Decoding,
    /// A figure that should come near a target.
    pub cost: Option<CostTarget>,
}

/// A figure that should come near a target: rewards fall with its distance from it, on both sides alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostTarget {
    /// The figure: `params` or `macs`.
    pub metric: String,
    /// What it should be.
    #[serde(deserialize_with = "above_zero")]
    pub target: f64,
    /// What the distance counts for, in rewards for each time the target.
    #[serde(default = "tenth")]
    pub weight: f64,
}

fn tenth() -> f64 {
    0.1
}

fn part<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    match f64::deserialize(from)? {
        share if (0.0..1.0).contains(&share) => Ok(share),
        share => Err(de::Error::custom(format!("{share} is out of bounds: from 0 up to, but without, 1"))),
    }
}

fn above_zero<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    match f64::deserialize(from)? {
        target if target > 0.0 && target.is_finite() => Ok(target),
        target => Err(de::Error::custom(format!("{target} is no target: a number above 0 is needed here"))),
    }
}

impl CostTarget {
    /// TuNAS's absolute-value reward: `score - weight |cost / target - 1|`.
    pub fn reward(&self, score: f64, cost: f64) -> f64 {
        score - self.weight * (cost / self.target - 1.0).abs()
    }
}

impl Default for AutoHas {
    fn default() -> AutoHas {
        AutoHas {
            budget: Budget::Epochs(100),
            warmup: 0.25,
            temporary: true,
            updates: 1,
            hyperparameters: true,
            learning_rate: None,
            baseline: 0.95,
            entropy: 0.0,
            basis: 5,
            decoding: Decoding::default(),
            cost: None,
        }
    }
}

impl AutoHas {
    /// The reward of figures; `None` where they lack one.
    fn reward(&self, objectives: &[Objective], figures: &Metrics) -> Option<f64> {
        let score = objectives.first()?.score(figures)?;
        match &self.cost {
            None => Some(score),
            Some(cost) => Some(cost.reward(score, *figures.get(&cost.metric)?)),
        }
    }

    fn rule(&self, course: &Course, moment: Moment) -> Rule {
        let all = course.state.steps.map_or_else(
            // By the clock: as many as there will be at the pace so far.
            || moment.step as f64 / moment.share.max(1e-3),
            |steps| steps as f64,
        );
        let rate = self.learning_rate.unwrap_or(1.0 / (all * (1.0 - self.warmup)).max(1.0).sqrt());
        let risen = (moment.share - self.warmup) / (1.0 - self.warmup);
        Rule { rate: rate * 10f64.powf(risen - 1.0), baseline: self.baseline, entropy: self.entropy }
    }

    fn step(
        &self,
        objectives: &[Objective],
        course: &mut Course,
        moment: Moment,
    ) -> Result<(), OneShotError> {
        let learns = moment.share >= self.warmup;
        let mut rng = course.stream(moment, "one-shot path");
        let drawn = if learns { course.draw(&mut rng)? } else { course.draw_held(&mut rng)? };
        if learns && self.temporary {
            let worth = course.worth(&drawn, moment, self.updates)?;
            self.learn(objectives, course, moment, drawn, worth)?;
            let fresh = come_to(course, &mut course.stream(moment, "one-shot shared path"))?;
            return course.update(&fresh, moment).map(drop);
        }
        let updated = course.update(&drawn, moment)?;
        if learns {
            let worth = if updated.is_some() { course.worth(&drawn, moment, 0)? } else { None };
            self.learn(objectives, course, moment, drawn, worth)?;
        }
        Ok(())
    }

    fn learn(
        &self,
        objectives: &[Objective],
        course: &mut Course,
        moment: Moment,
        drawn: Genotype,
        worth: Option<Metrics>,
    ) -> Result<(), OneShotError> {
        let reward = worth.and_then(|figures| self.reward(objectives, &figures));
        let rule = self.rule(course, moment);
        let (paths, space) = (course.paths, course.context.space);
        Ok(course.state.policy.learn(paths, space, &[(drawn, reward)], &rule)?)
    }
}

/// An architecture drawn by the policy, with the hyperparameters that it comes to.
fn come_to(course: &Course, rng: &mut Rng) -> Result<Genotype, OneShotError> {
    let number =
        |kind: &DecisionKind, basis: &[Draw], all: &[f64]| Decoding::OnScale.number(kind, basis, all);
    Ok(course.state.policy.decode(course.paths, course.context.space, Some(rng), &number)?)
}

impl Configure for AutoHas {
    fn start(&self) -> Box<dyn SearchAlgorithm> {
        Box::new(Search { config: self.clone(), learnt: None, unseen: Unseen::default() })
    }
}

struct Search {
    config: AutoHas,
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
        let paths = Paths::of(context.space, config.basis, config.hyperparameters);
        let mut course = Course::start(config.budget, context, &paths, supernet)?;
        let done =
            course.run(config.budget, hear, &mut |course, moment| config.step(objectives, course, moment))?;
        let policy = course.state.policy;
        self.learnt = done.then_some((paths, policy));
        Ok(done)
    }
}

impl SearchAlgorithm for Search {
    fn propose(&mut self, context: &Context, history: &History) -> Result<Next, GenotypeError> {
        self.unseen.read(history);
        let (paths, policy) = self.learnt.as_ref().ok_or_else(|| untrained("auto_has"))?;
        let mut rng = context.seed.stream(context.trial, "one-shot candidate");
        let decode = |rng: Option<&mut Rng>| {
            policy.decode(paths, context.space, rng, &|kind, basis, all| {
                self.config.decoding.number(kind, basis, all)
            })
        };
        let whole = decode(None)?;
        if is_new(&self.unseen, context, &whole) {
            return Ok(run(whole, "decoded from the policy"));
        }
        let note = "architecture drawn from the policy";
        drawn(&mut self.unseen, context, &mut rng, note, |rng| decode(Some(rng)))
    }

    fn one_shot(&mut self) -> Option<&mut dyn OneShot> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::toy::{self, Toy};
    use super::*;

    fn trained(config: &AutoHas, toy: &mut Toy, space: &crate::space::Space) -> Box<dyn SearchAlgorithm> {
        let mut search = config.start();
        let one_shot = search.one_shot().unwrap();
        let objectives = [Objective::Maximize("accuracy".into())];
        assert!(one_shot.train(&toy::context(space), &objectives, toy, &mut |_| true).unwrap());
        search
    }

    fn first(search: &mut dyn SearchAlgorithm, space: &crate::space::Space) -> Genotype {
        let objectives = [Objective::Maximize("accuracy".into())];
        let history = History { trials: &[], objectives: &objectives };
        match search.propose(&toy::context(space), &history).unwrap() {
            Next::Run(proposal) => proposal.genotype,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_absolute_reward_has_the_papers_form() {
        let cost = CostTarget { metric: "macs".into(), target: 84.0, weight: 0.1 };
        // At the target nothing is lost; 5 % beside it on either side costs 0.005.
        for (met, lost) in [(84.0, 0.0), (88.2, 0.005), (79.8, 0.005), (168.0, 0.1)] {
            assert!((cost.reward(0.7, met) - (0.7 - lost)).abs() < 1e-12, "{met}");
        }
        assert!(ron::from_str::<CostTarget>("(metric: \"macs\", target: 0.0)").is_err());
    }

    #[test]
    fn finds_the_better_architecture_and_hyperparameters() {
        let space = toy::joint();
        let mut toy = Toy::default();
        let config = AutoHas { budget: Budget::Steps(600), ..AutoHas::default() };
        let mut search = trained(&config, &mut toy, &space);
        let genotype = first(&mut *search, &space).to_string();
        // The toy pays for the last of both ops, a rate near 0.03 and no smoothing.
        let active: Vec<&str> = genotype.split(',').collect();
        assert_eq!((active[0], active[1], active[3]), ("2", "2", "0"), "{genotype}");
        let rate: f64 = active[2].parse().unwrap();
        assert!((0.005..0.2).contains(&rate), "{genotype}");
        // Half of the steps after warm-up were on copies, and those changed nothing.
        assert_eq!((toy.updated.len(), toy.copies), (600, 450));
        // Every other step was with what the policy came to: numbers that are in no basis.
        let rate =
            |(genotype, _): &(String, u64)| genotype.split(',').nth(2).unwrap().parse::<f64>().unwrap();
        let basis = [0.001, 0.00562341, 0.0316228, 0.177828, 1.0];
        let drawn = |rate: f64| basis.iter().filter(|value| (rate / *value - 1.0).abs() < 1e-4).count();
        assert!(toy.updated[200..].iter().all(|update| drawn(rate(update)) == 0), "{:?}", toy.updated);
    }

    #[test]
    fn a_cost_target_moves_the_choice() {
        let space = toy::joint();
        let cost = CostTarget { metric: "params".into(), target: 1.0, weight: 2.0 };
        let config = AutoHas { budget: Budget::Steps(600), cost: Some(cost), ..AutoHas::default() };
        let genotype = first(&mut *trained(&config, &mut Toy::default(), &space), &space);
        assert!(
            genotype.to_string().starts_with("0,0,"),
            "one parameter a choice and one beside: {genotype}"
        );
    }

    #[test]
    fn without_copies_there_is_one_update_a_step_and_without_hyperparameters_they_are_held() {
        let space = toy::joint();
        let mut toy = Toy::default();
        let config = AutoHas {
            budget: Budget::Steps(100),
            temporary: false,
            hyperparameters: false,
            ..AutoHas::default()
        };
        let mut search = trained(&config, &mut toy, &space);
        assert_eq!((toy.updated.len(), toy.copies), (100, 0));
        assert!(first(&mut *search, &space).to_string().ends_with(",0.0316228,0"));
    }

    #[test]
    fn the_same_follows_from_the_checkpoint_as_from_the_training() {
        let space = toy::joint();
        let config = AutoHas { budget: Budget::Steps(60), ..AutoHas::default() };
        let mut toy = Toy::default();
        let mut whole = trained(&config, &mut toy, &space);
        let mut again = trained(&config, &mut toy, &space);
        assert_eq!(toy.updated.len(), 60, "the second found all steps done");
        assert_eq!(first(&mut *again, &space), first(&mut *whole, &space));
    }
}
