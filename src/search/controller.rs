//! A controller that learns by policy gradients.
//!
//! Zoph and Le 2017, <https://arxiv.org/abs/1611.01578>: candidates are drawn from a policy, and the policy is changed
//! such that what was worth more than the moving mean of all before becomes more probable (REINFORCE). Zoph et al. 2018,
//! <https://arxiv.org/abs/1707.07012>, do the same by proximal policy optimisation (Schulman et al. 2017,
//! <https://arxiv.org/abs/1707.06347>), which goes over a batch several times but never far from the policy that drew
//! it. AutoHAS (Dong et al. 2020, <https://arxiv.org/abs/2006.03656>) adds hyperparameters as decisions like any other,
//! numbers as choices among a few places of their scale.
//!
//! The policy follows from the trials: it is learnt anew from them, batch by batch in the order of their numbers, and
//! what is kept is a cache of that. A trial's note tells after how many batches it was drawn, from which the policy is
//! known that drew it; trials that are still pending end what can be learnt from, so that with several workers
//! candidates are drawn from a policy that lags behind by less than a batch.
//!
//! Rewards are scores less their moving mean, in units of their mean deviation and cut at three of them, so that
//! neither a metric's scale nor one broken training matters. A failed trial is worth the least of all scores so far.

use serde::{Deserialize, Serialize};

use super::unseen::Unseen;
use super::{Configure, Context, Next, SearchAlgorithm};
use crate::space::{Genotype, GenotypeError};
use crate::trial::{History, Proposal};

pub(super) mod heads;
mod learner;
#[cfg(feature = "train")]
mod lstm;
pub(super) mod policy;
#[cfg(not(feature = "train"))]
use super::NeedsTraining as Recurrent;
use learner::Learner;
#[cfg(feature = "train")]
pub use lstm::Recurrent;
pub use policy::PolicyKind;

/// Policy gradients. Zoph et al. 2018 take batches of 20 and 20,000 trials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Controller {
    /// How the policy learns from a batch.
    pub method: Method,
    /// What the choices of a candidate have to do with each other.
    pub policy: PolicyKind,
    /// Adam's learning rate. By default 0.1 for a softmax for each decision and 0.005 for an LSTM: Zoph et al. take
    /// 0.00035, for a hundred times as many trials.
    pub learning_rate: Option<f64>,
    /// Weight of the policy's entropy, which keeps it from settling early; rewards are in units of their deviation.
    pub entropy: f64,
    /// How much of the moving mean remains with every trial.
    pub baseline: f64,
    /// Trials between two changes of the policy. By default 1 for REINFORCE and 5 for PPO, which go over each several
    /// times.
    pub batch: Option<usize>,
    /// Equal parts of a number's scale, each one choice.
    pub bins: usize,
}

/// How a policy learns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Method {
    /// One step a batch.
    #[default]
    Reinforce,
    /// Proximal policy optimisation: several steps a batch.
    Ppo(Ppo),
}

/// Proximal policy optimisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ppo {
    /// A candidate counts no more once its probability has changed by this share.
    pub clip: f64,
    /// Steps a batch.
    pub steps: usize,
}

impl Default for Ppo {
    fn default() -> Ppo {
        Ppo { clip: 0.2, steps: 10 }
    }
}

impl Default for Controller {
    fn default() -> Controller {
        Controller {
            method: Method::default(),
            policy: PolicyKind::default(),
            learning_rate: None,
            entropy: 0.01,
            baseline: 0.95,
            batch: None,
            bins: 8,
        }
    }
}

impl Configure for Controller {
    fn start(&self) -> Box<dyn SearchAlgorithm> {
        Box::new(Search { config: self.clone(), unseen: Unseen::default(), learner: None })
    }
}

struct Search {
    config: Controller,
    unseen: Unseen,
    learner: Option<Learner>,
}

/// Draws from the policy that may repeat before a random candidate takes their place.
const DRAWS: usize = 100;

/// The note of a candidate drawn from the policy, without the number of batches that it had learnt from.
const DRAWN: &str = "drawn after batch ";

impl SearchAlgorithm for Search {
    fn propose(&mut self, context: &Context, history: &History) -> Result<Next, GenotypeError> {
        self.unseen.read(history);
        let learner = match self.learner.take().filter(|learner| learner.fits(history)) {
            Some(learner) => learner,
            None => Learner::start(&self.config, context),
        };
        let learner = self.learner.insert(learner);
        learner.learn(context, history)?;
        let mut rng = context.seed.stream(context.trial, "controller");
        for _ in 0..DRAWS {
            let genotype = learner.draw(context.space, &mut rng)?;
            if is_new(&self.unseen, context, &genotype) {
                return Ok(run(context, genotype, format!("{DRAWN}{}", learner.batches())));
            }
        }
        let genotype = self.unseen.random(context, &mut rng)?;
        Ok(genotype.map_or(Next::Done, |genotype| {
            run(context, genotype, "random, for the policy repeats itself".into())
        }))
    }
}

/// Whether no trial has it, it is a program, and it keeps to the constraints.
fn is_new(unseen: &Unseen, context: &Context, genotype: &Genotype) -> bool {
    context.space.key(genotype).is_ok_and(|key| unseen.is_new(&key))
        && context.space.admits(genotype).unwrap_or(false)
}

fn run(context: &Context, genotype: Genotype, note: String) -> Next {
    Next::Run(Proposal { genotype, fidelity: context.fidelity, parent: None, note })
}

#[cfg(test)]
mod tests {
    use super::super::contract::{beats_random, goes_on_after_interruptions, spaces, study};
    use super::*;
    use crate::search::Algorithm;

    fn variants() -> Vec<Algorithm> {
        let ppo = Controller { method: Method::Ppo(Ppo::default()), ..Controller::default() };
        [vec![ppo.clone()], recurrent(&ppo.method)].concat().into_iter().map(Algorithm::Controller).collect()
    }

    #[cfg(feature = "train")]
    fn recurrent(ppo: &Method) -> Vec<Controller> {
        let lstm = PolicyKind::Lstm(Recurrent { units: 8 });
        let lstm = Controller { policy: lstm, learning_rate: Some(0.03), ..Controller::default() };
        vec![lstm.clone(), Controller { method: ppo.clone(), ..lstm }]
    }

    #[cfg(not(feature = "train"))]
    fn recurrent(_: &Method) -> Vec<Controller> {
        Vec::new()
    }

    #[test]
    fn every_method_and_policy_goes_on_after_interruptions() {
        for config in variants() {
            goes_on_after_interruptions(&spaces::conditional(), &config);
        }
    }

    #[test]
    fn each_method_and_each_policy_learns() {
        variants().iter().take(2).for_each(|config| beats_random(&spaces::wide(), config));
    }

    #[test]
    fn the_policy_changes_after_every_batch() {
        let config = Controller { batch: Some(5), ..Controller::default() };
        let trials = study(&spaces::wide(), &Algorithm::Controller(config), 12);
        let notes: Vec<&str> = trials.iter().map(|trial| trial.proposal.note.as_str()).collect();
        assert_eq!(notes[..5], ["drawn after batch 0"; 5]);
        assert_eq!(notes[5..10], ["drawn after batch 1"; 5]);
        assert_eq!(notes[10..], ["drawn after batch 2"; 2]);
    }

    #[test]
    fn what_was_worth_more_is_drawn_more_often() {
        // Accuracy grows with every choice: of the last of many trials the choices are larger than of the first.
        let trials = study(&spaces::wide(), &Algorithm::Controller(Controller::default()), 150);
        let mean = |trials: &[crate::trial::Trial]| {
            let choices = trials.iter().flat_map(|trial| &trial.proposal.genotype.0).map(|gene| match gene {
                crate::space::Gene::Choice(choice, _) => f64::from(*choice),
                other => panic!("{other} is no choice"),
            });
            choices.sum::<f64>() / (8 * trials.len()) as f64
        };
        let (first, last) = (mean(&trials[..30]), mean(&trials[120..]));
        assert!(last > first + 0.5, "{first} grew to no more than {last}");
    }
}
