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

use std::collections::BTreeMap;

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::gaussian::{Model, Rungs, Study, seen};
use super::unseen::Unseen;
use super::{Configure, Context, Next, SearchAlgorithm};
use crate::space::GenotypeError;
use crate::trial::{Fidelity, History, Objective, Proposal, Trial, TrialId};

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
        Box::new(Search::new(self.clone(), |context| vec![context.fidelity]))
    }
}

/// A search by a process.
pub(super) struct Search<F> {
    config: Bayesian,
    /// What the fidelities of a study are, ascending; the last is the study's.
    fidelities: F,
    unseen: Unseen,
    model: Option<Model>,
}

impl<F: Fn(&Context) -> Vec<Fidelity> + Send> SearchAlgorithm for Search<F> {
    fn propose(&mut self, context: &Context, history: &History) -> Result<Next, GenotypeError> {
        self.unseen.read(history);
        let rungs = Rungs::of((self.fidelities)(context));
        let run = |genotype, rung: usize, parent, note| {
            Next::Run(Proposal { genotype, fidelity: rungs.fidelities[rung], parent, note })
        };
        self.learn(context, history, &rungs);
        let scores = match history.objectives {
            [_] => scores(history, 0),
            // Another trade-off for every proposal, so that the front is covered (ParEGO).
            several => blended(history, &weights(context, several.len())),
        };
        let study = self.study(context, history, &rungs, &scores);
        if let Some(model) = &mut self.model
            && let Some(choice) = model.choose(&study, &self.unseen, self.config.curiosity)
        {
            let note = match history.objectives {
                [objective] => note(objective, choice.expected),
                _ => "a trade-off".into(),
            };
            let note = rungs.note(choice.rung) + &note;
            return Ok(run(choice.genotype, choice.rung, choice.parent, note));
        }
        let mut rng = context.seed.stream(context.trial, "bayesian");
        let genotype = self.unseen.random(context, &mut rng)?;
        Ok(genotype.map_or(Next::Done, |genotype| run(genotype, 0, None, rungs.note(0) + "random")))
    }

    fn incumbent(&mut self, context: &Context, history: &History) -> Option<TrialId> {
        let rungs = Rungs::of((self.fidelities)(context));
        self.learn(context, history, &rungs);
        let scores = scores(history, 0);
        let study = self.study(context, history, &rungs, &scores);
        let believed = self.model.as_ref().and_then(|model| model.incumbent(&study));
        believed.map(|trial| history.trials[trial].id).or_else(|| history.best().map(|trial| trial.id))
    }
}

impl<F: Fn(&Context) -> Vec<Fidelity> + Send> Search<F> {
    /// Before any trial.
    pub fn new(config: Bayesian, fidelities: F) -> Search<F> {
        Search { config, fidelities, unseen: Unseen::default(), model: None }
    }

    /// Makes the model after the history's trials; none while the first ones have not ended.
    fn learn(&mut self, context: &Context, history: &History, rungs: &Rungs) {
        let scores = match history.objectives {
            [_] => scores(history, 0),
            several => blended(history, &vec![1.0 / several.len() as f64; several.len()]),
        };
        let study = self.study(context, history, rungs, &scores);
        let ended = scores.iter().take_while(|score| score.is_some()).count();
        let before = self.model.take();
        if ended >= study.first {
            self.model = Some(Model::after(before, &study));
        }
    }

    fn study<'a>(
        &self,
        context: &'a Context,
        history: &'a History,
        rungs: &'a Rungs,
        scores: &'a [Option<f64>],
    ) -> Study<'a> {
        let first = self.config.first.unwrap_or((context.trials / 4).clamp(3, 5) as usize).max(1);
        Study { space: context.space, seed: context.seed, first, rungs, trials: history.trials, scores }
    }
}

/// The scores of all trials by one objective, as a model sees them.
fn scores(history: &History, objective: usize) -> Vec<Option<f64>> {
    let objective = &history.objectives[objective];
    let score = |trial: &Trial| objective.score(trial.state.whole()?);
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
        (0..weights.len()).map(|objective| losses(history, &scores(history, objective))).collect();
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

/// The share of the trials of the same fidelity that are better; infinite for those without a score.
fn losses(history: &History, scores: &[Option<f64>]) -> Vec<Option<f64>> {
    let fidelities = history.trials.iter().map(|trial| trial.proposal.fidelity);
    let mut alike: BTreeMap<Fidelity, Vec<f64>> = BTreeMap::new();
    for (fidelity, score) in fidelities.clone().zip(scores) {
        alike.entry(fidelity).or_default().extend(*score);
    }
    alike.values_mut().for_each(|scores| scores.sort_unstable_by(f64::total_cmp));
    let loss = |fidelity: Fidelity, score: f64| {
        let ascending = &alike[&fidelity];
        let better = ascending.len() - ascending.partition_point(|other| *other <= score);
        if score.is_finite() { better as f64 / ascending.len() as f64 } else { f64::INFINITY }
    };
    fidelities.zip(scores).map(|(fidelity, score)| score.map(|score| loss(fidelity, score))).collect()
}

/// What is expected of a proposal, in the metric's own sense.
fn note(objective: &Objective, expected: Option<f64>) -> String {
    match (expected.filter(|score| score.is_finite()), objective) {
        (Some(score), Objective::Maximize(metric)) => format!("expects {metric} {score:.4}"),
        (Some(score), Objective::Minimize(metric)) => format!("expects {metric} {:.4}", -score),
        (None, _) => "expects nothing in particular".into(),
    }
}
