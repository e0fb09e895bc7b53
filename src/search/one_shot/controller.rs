//! A product of softmaxes, one for every decision, that learns by policy gradients.
//!
//! Dong et al. 2020 (AutoHAS), <https://arxiv.org/abs/2006.03656>: what a candidate is worth beyond the moving mean of
//! rewards moves the logits of all its choices at once (REINFORCE, Williams 1992). Bender et al. 2020 (TuNAS),
//! <https://arxiv.org/abs/2008.06120>, give the details that work on shared weights: Adam without a first moment, and a
//! rate that grows tenfold over the training, so that early rewards, of weights that know little, count for little.

use serde::{Deserialize, Serialize};

use super::paths::Paths;
use crate::random::Rng;
use crate::search::controller::policy::{errors, probabilities, sample};
use crate::space::{DecisionKind, Draw, Genotype, GenotypeError, Space};

/// Adam's decay of the mean of squares, as in TuNAS.
const SQUARES: f64 = 0.999;

/// The policy and all that its learning depends on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Policy {
    logits: Vec<f64>,
    squares: Vec<f64>,
    updates: i32,
    /// The moving mean of rewards.
    pub baseline: Option<f64>,
    least: Option<f64>,
}

/// What a number becomes of its basis and the probabilities of its values.
pub(super) type Combine<'a> = dyn Fn(&DecisionKind, &[Draw], &[f64]) -> Draw + 'a;

/// How a policy learns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// Adam's rate, in logits.
    pub rate: f64,
    /// How much of the moving mean of rewards remains with every reward.
    pub baseline: f64,
    /// Weight of the policy's entropy.
    pub entropy: f64,
}

impl Policy {
    /// All choices alike.
    pub fn start(paths: &Paths) -> Policy {
        let columns = paths.heads.columns();
        Policy { logits: vec![0.0; columns], squares: vec![0.0; columns], ..Policy::default() }
    }

    /// A path drawn by the policy.
    pub fn draw(&self, paths: &Paths, space: &Space, rng: &mut Rng) -> Result<Genotype, GenotypeError> {
        paths.draw(space, rng, &mut |head, allowed, rng| {
            sample(&self.probabilities(paths, head, |choice| allows(allowed, choice)), rng)
        })
    }

    /// The same with hyperparameters in the middle: numbers of their scale, choices at their first candidate.
    pub fn draw_held(&self, paths: &Paths, space: &Space, rng: &mut Rng) -> Result<Genotype, GenotypeError> {
        paths.build(space, |decision| match paths.middle(space, decision) {
            Some(draw) => draw,
            None => paths.heads.decide(space, decision, rng, &mut |head, allowed, rng| {
                sample(&self.probabilities(paths, head, |choice| allows(allowed, choice)), rng)
            }),
        })
    }

    /// The path that the policy comes to, with hyperparameters and, unless `rng` draws it, the architecture: the most
    /// probable of choices, and numbers by `number` of their basis and its probabilities.
    pub fn decode(
        &self,
        paths: &Paths,
        space: &Space,
        mut rng: Option<&mut Rng>,
        number: &Combine,
    ) -> Result<Genotype, GenotypeError> {
        // Nothing that is decoded is drawn.
        let mut unused = crate::random::Seed(0).stream(0, "unused");
        paths.build(space, |decision| {
            let kind = &space.decisions()[decision].kind;
            if let (Some(rng), false) = (&mut rng, paths.is_hyperparameter(decision)) {
                return paths.heads.decide(space, decision, rng, &mut |head, allowed, rng| {
                    sample(&self.probabilities(paths, head, |choice| allows(allowed, choice)), rng)
                });
            }
            let is_number = matches!(kind, DecisionKind::Int { .. } | DecisionKind::Float { .. });
            match paths.heads.heads(decision).next().filter(|_| is_number) {
                Some(head) => {
                    number(kind, &paths.heads.basis(kind), &self.probabilities(paths, head, |_| true))
                }
                None => paths.heads.decide(space, decision, &mut unused, &mut |head, allowed, _| {
                    most_probable(&self.probabilities(paths, head, |choice| allows(allowed, choice)))
                }),
            }
        })
    }

    /// Learns from paths with their rewards, by one step of Adam, and takes the rewards into the moving mean. A path
    /// without a reward could not be trained: it is worth the least of all so far.
    pub fn learn(
        &mut self,
        paths: &Paths,
        space: &Space,
        examples: &[(Genotype, Option<f64>)],
        rule: &Rule,
    ) -> Result<(), GenotypeError> {
        let mut gradient = vec![0.0; self.logits.len()];
        for (genotype, reward) in examples {
            let advantage = self.advantage(*reward, rule.baseline);
            for action in paths.actions(space, genotype)? {
                let all = self.probabilities(paths, action.head, |choice| action.allows(choice));
                let share = 1.0 / examples.len() as f64;
                let errors = errors(&all, action.choice, share * advantage, share * rule.entropy);
                let columns = &mut gradient[paths.heads.range(action.head)];
                columns.iter_mut().zip(errors).for_each(|(gradient, error)| *gradient += error);
            }
        }
        self.climb(&gradient, rule.rate);
        Ok(())
    }

    /// How much a reward is beyond the moving mean of those before it, which it then joins.
    fn advantage(&mut self, reward: Option<f64>, keep: f64) -> f64 {
        let Some(reward) = reward.filter(|reward| reward.is_finite()).or(self.least) else { return 0.0 };
        self.least = Some(self.least.map_or(reward, |least| least.min(reward)));
        let mean = self.baseline.unwrap_or(reward);
        self.baseline = Some(keep * mean + (1.0 - keep) * reward);
        reward - mean
    }

    fn climb(&mut self, gradient: &[f64], rate: f64) {
        self.updates = self.updates.saturating_add(1);
        let whole = 1.0 - SQUARES.powi(self.updates);
        for ((logit, square), slope) in self.logits.iter_mut().zip(&mut self.squares).zip(gradient) {
            *square = SQUARES * *square + (1.0 - SQUARES) * slope * slope;
            *logit += rate * slope / ((*square / whole).sqrt() + 1e-8);
        }
    }

    fn probabilities(&self, paths: &Paths, head: usize, allows: impl Fn(usize) -> bool) -> Vec<f64> {
        probabilities(&self.logits[paths.heads.range(head)], allows)
    }
}

fn allows(allowed: &[bool], choice: usize) -> bool {
    allowed.get(choice).copied().unwrap_or(true)
}

/// The first of the most probable.
fn most_probable(probabilities: &[f64]) -> usize {
    let best = |best: usize, next: usize| if probabilities[next] > probabilities[best] { next } else { best };
    (0..probabilities.len()).fold(0, best)
}

#[cfg(test)]
mod tests {
    use super::super::toy;
    use super::*;
    use crate::random::Seed;

    const RULE: Rule = Rule { rate: 0.05, baseline: 0.95, entropy: 0.0 };

    #[test]
    fn moves_towards_the_better_arm() {
        let space = toy::arms(3);
        let paths = Paths::of(&space, 5, true);
        let mut policy = Policy::start(&paths);
        for step in 0..400 {
            let mut rng = Seed(1).stream(step, "arms");
            let genotype = policy.draw(&paths, &space, &mut rng).unwrap();
            // The last arm pays most, the first nothing; every reward is as noisy as arms are apart.
            let arm = paths.actions(&space, &genotype).unwrap()[0].choice as f64;
            let noise = sample(&[0.5, 0.5], &mut rng) as f64 - 0.5;
            policy.learn(&paths, &space, &[(genotype, Some(0.2 * arm + 0.2 * noise))], &RULE).unwrap();
        }
        let all = policy.probabilities(&paths, 0, |_| true);
        assert!(all[2] > 0.9, "{all:?}");
        assert!((policy.baseline.unwrap() - 0.4).abs() < 0.1);
    }

    #[test]
    fn one_step_is_the_log_probabilitys_gradient_times_what_is_beyond_the_mean() {
        let space = toy::arms(2);
        let paths = Paths::of(&space, 5, true);
        let mut policy = Policy { baseline: Some(0.5), ..Policy::start(&paths) };
        let arm = |arm: &str| arm.parse::<Genotype>().unwrap();
        policy.learn(&paths, &space, &[(arm("1"), Some(0.9))], &RULE).unwrap();
        // The gradient is 0.4 (1 - 1/2) and -0.4 / 2; Adam's first step is its sign.
        assert!((policy.logits[1] - 0.05).abs() < 1e-6 && (policy.logits[0] + 0.05).abs() < 1e-6);
        assert_eq!(policy.baseline, Some(0.95 * 0.5 + 0.05 * 0.9));
        // What failed is worth the least so far.
        let before = policy.clone();
        policy.learn(&paths, &space, &[(arm("1"), None)], &RULE).unwrap();
        let mut other = before;
        other.learn(&paths, &space, &[(arm("1"), Some(0.9))], &RULE).unwrap();
        assert_eq!(policy, other);
    }

    #[test]
    fn a_policy_survives_its_notes_to_the_bit() {
        let space = toy::joint();
        let paths = Paths::of(&space, 4, true);
        let mut policy = Policy::start(&paths);
        for step in 0..20 {
            let genotype = policy.draw(&paths, &space, &mut Seed(2).stream(step, "test")).unwrap();
            policy.learn(&paths, &space, &[(genotype, Some((step as f64).sin()))], &RULE).unwrap();
        }
        let notes = serde_json::to_vec(&policy).unwrap();
        assert_eq!(serde_json::from_slice::<Policy>(&notes).unwrap(), policy);
    }
}
