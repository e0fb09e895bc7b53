//! Bayesian optimisation with a Gaussian process over the space's decisions.
//!
//! Snoek et al. 2012, <https://arxiv.org/abs/1206.2944>, and over the cells of networks Ru et al. 2021,
//! <https://arxiv.org/abs/2006.07556>: after a few random trials, a Gaussian process says what is to be expected of every
//! candidate and how unsure that is; the one that may be best is tried next (its upper confidence bound, Srinivas et al.
//! 2010, <https://arxiv.org/abs/0912.3995>), and the process learns from it. Candidates are alike where they decide alike,
//! numbers where they are near, whatever hangs on a choice only under that choice, and cells where their paths are alike;
//! how much each of these counts is learnt from the scores.
//!
//! Scores are seen as ranks, spread out as a normal distribution. Trials that have not ended count as what is expected of
//! them, so several workers look at several places. The incumbent is the trial that is believed best: of many noisy
//! readings the best is a lucky one. With several objectives every proposal is for another trade-off, drawn at random. The
//! process looks at some hundred random candidates and at what lies near the best few; after some hundred trials it learns
//! from a choice of them, so that a proposal stays cheap.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::gaussian::{Model, seen};
use super::unseen::Unseen;
use super::{Configure, Context, Next, SearchAlgorithm};
use crate::space::GenotypeError;
use crate::trial::{History, Objective, Proposal, Trial, TrialId, TrialState};

/// Bayesian optimisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bayesian {
    /// Random trials before the process is asked. By default a quarter of the study's trials, 3 to 5.
    pub first: Option<usize>,
    /// How much a candidate's uncertainty counts against what is expected of it, in standard deviations.
    pub curiosity: f64,
}

impl Default for Bayesian {
    fn default() -> Bayesian {
        Bayesian { first: None, curiosity: 2.0 }
    }
}

impl Configure for Bayesian {
    fn start(&self) -> Box<dyn SearchAlgorithm> {
        Box::new(Search { config: self.clone(), unseen: Unseen::default(), model: None })
    }
}

struct Search {
    config: Bayesian,
    unseen: Unseen,
    model: Option<Model>,
}

impl SearchAlgorithm for Search {
    fn propose(&mut self, context: &Context, history: &History) -> Result<Next, GenotypeError> {
        self.unseen.read(history);
        let run = |genotype, parent, note| {
            Next::Run(Proposal { genotype, fidelity: context.fidelity, parent, note })
        };
        self.learn(context, history);
        let scores = match history.objectives {
            [_] => scores(history, 0),
            // Another trade-off for every proposal, so that the front is covered (ParEGO).
            several => blended(history, &weights(context, several.len())),
        };
        if let Some(model) = &mut self.model
            && let Some(choice) = model.choose(context.space, &self.unseen, &scores, self.config.curiosity)
        {
            let note = match history.objectives {
                [objective] => note(objective, choice.expected),
                _ => "a trade-off".into(),
            };
            return Ok(run(choice.genotype, choice.parent, note));
        }
        let mut rng = context.seed.stream(context.trial, "bayesian");
        let genotype = self.unseen.random(context, &mut rng)?;
        Ok(genotype.map_or(Next::Done, |genotype| run(genotype, None, "random".into())))
    }

    fn incumbent(&mut self, context: &Context, history: &History) -> Option<TrialId> {
        self.learn(context, history);
        let scores = scores(history, 0);
        let believed = self.model.as_ref().and_then(|model| model.incumbent(&scores));
        believed.map(|trial| history.trials[trial].id).or_else(|| history.best().map(|trial| trial.id))
    }
}

impl Search {
    /// Makes the model after the history's trials; none while the first ones have not ended.
    fn learn(&mut self, context: &Context, history: &History) {
        let scores = match history.objectives {
            [_] => scores(history, 0),
            several => blended(history, &vec![1.0 / several.len() as f64; several.len()]),
        };
        let first = self.config.first.unwrap_or((context.trials / 4).clamp(3, 5) as usize).max(1);
        let ended = scores.iter().take_while(|score| score.is_some()).count();
        let before = self.model.take();
        if ended >= first {
            let model = Model::after(before, context.space, context.seed, first, history.trials, &scores);
            self.model = Some(model);
        }
    }
}

/// The scores of all trials by one objective, as a model sees them.
fn scores(history: &History, objective: usize) -> Vec<Option<f64>> {
    let objective = &history.objectives[objective];
    let score = |trial: &Trial| match &trial.state {
        TrialState::Finished(metrics) => objective.score(metrics),
        TrialState::Pending | TrialState::Failed(_) => None,
    };
    history.trials.iter().map(|trial| seen(trial, score(trial))).collect()
}

/// A random trade-off: uniform among all weights that sum to one.
fn weights(context: &Context, objectives: usize) -> Vec<f64> {
    let mut rng = context.seed.stream(context.trial, "a trade-off");
    let drawn: Vec<f64> = (0..objectives).map(|_| -f64::ln(1.0 - rng.random::<f64>())).collect();
    let sum: f64 = drawn.iter().sum();
    drawn.into_iter().map(|weight| weight / sum).collect()
}

/// How much of the sum of all losses counts beside the largest, so that no one else's is forgotten.
const SUM: f64 = 0.05;

/// One score for several objectives: the largest weighted loss, a loss being the share of trials that are better
/// (Knowles 2006, <https://doi.org/10.1109/TEVC.2005.851274>).
fn blended(history: &History, weights: &[f64]) -> Vec<Option<f64>> {
    let losses: Vec<Vec<Option<f64>>> =
        (0..weights.len()).map(|objective| losses(&scores(history, objective))).collect();
    let blend = |trial: usize| {
        let own: Vec<f64> = losses.iter().map(|losses| losses[trial]).collect::<Option<_>>()?;
        if own.iter().any(|loss| loss.is_infinite()) {
            return Some(f64::NEG_INFINITY);
        }
        let weighted = own.iter().zip(weights).map(|(loss, weight)| loss * weight);
        let (most, sum) = weighted.fold((0.0f64, 0.0), |(most, sum), loss| (most.max(loss), sum + loss));
        Some(-most - SUM * sum)
    };
    (0..history.trials.len()).map(blend).collect()
}

/// The share of trials that are better; infinite for those without a score.
fn losses(scores: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut ascending: Vec<f64> = scores.iter().flatten().copied().collect();
    ascending.sort_unstable_by(f64::total_cmp);
    let loss = |score: f64| {
        let better = ascending.len() - ascending.partition_point(|other| *other <= score);
        if score.is_finite() { better as f64 / ascending.len() as f64 } else { f64::INFINITY }
    };
    scores.iter().map(|score| score.map(loss)).collect()
}

/// What is expected of a proposal, in the metric's own sense.
fn note(objective: &Objective, expected: Option<f64>) -> String {
    match (expected.filter(|score| score.is_finite()), objective) {
        (Some(score), Objective::Maximize(metric)) => format!("expects {metric} {score:.4}"),
        (Some(score), Objective::Minimize(metric)) => format!("expects {metric} {:.4}", -score),
        (None, _) => "expects nothing in particular".into(),
    }
}
