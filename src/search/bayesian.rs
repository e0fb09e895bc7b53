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

use super::gaussian::{Model, Rungs, Stage, Study};
use super::ledger::Ledger;
use super::order::Order;
use super::unseen::Unseen;
use super::{Configure, Context, Next, SearchAlgorithm};
use crate::space::GenotypeError;
use crate::trial::{Fidelity, History, Objective, Proposal, Trial, TrialId, TrialState};

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
    ledger: Ledger,
    model: Option<Model>,
}

impl<F: Fn(&Context) -> Vec<Fidelity> + Send> SearchAlgorithm for Search<F> {
    fn propose(&mut self, context: &Context, history: &History) -> Result<Next, GenotypeError> {
        self.unseen.read(history);
        let rungs = Rungs::of((self.fidelities)(context));
        self.learn(context, history, &rungs, self.first(context));
        if let Some(proposal) = self.chosen(context, history, &rungs) {
            return Ok(Next::Run(proposal));
        }
        let mut rng = context.seed.stream(context.trial, "bayesian");
        if let Some(genotype) = self.unseen.random(context, &mut rng)? {
            let (fidelity, note) = (rungs.fidelities[0], rungs.note(0) + "random");
            return Ok(Next::Run(Proposal { genotype, fidelity, parent: None, note }));
        }
        // Nothing is new, but what was tried may go on to higher rungs, however few or many it is.
        if rungs.count() > 1 {
            if self.model.is_none() {
                self.learn(context, history, &rungs, 1);
            }
            if let Some(proposal) = self.rest(context, history, &rungs) {
                return Ok(Next::Run(proposal));
            }
        }
        let may_go_on = rungs.count() > 1 && self.ledger.ended() < history.trials.len();
        Ok(if may_go_on { Next::Wait } else { Next::Done })
    }

    fn incumbent(&mut self, context: &Context, history: &History) -> Option<TrialId> {
        let rungs = Rungs::of((self.fidelities)(context));
        self.learn(context, history, &rungs, self.first(context));
        let score = |trial: usize, _: usize| self.ledger.score(0, trial);
        let study = study(context, history, &rungs, &score, self.ledger.orders(0));
        let believed = self.model.as_ref().and_then(|model| model.incumbent(&study));
        believed.map(|trial| history.trials[trial].id).or_else(|| history.best().map(|trial| trial.id))
    }
}

impl<F: Fn(&Context) -> Vec<Fidelity> + Send> Search<F> {
    /// Before any trial.
    pub fn new(config: Bayesian, fidelities: F) -> Search<F> {
        let (unseen, ledger) = Default::default();
        Search { config, fidelities, unseen, ledger, model: None }
    }

    /// How many trials are random.
    fn first(&self, context: &Context) -> usize {
        self.config.first.unwrap_or((context.trials / 4).clamp(3, 5) as usize).max(1)
    }

    /// What goes on where nothing is new.
    fn rest(&mut self, context: &Context, history: &History, rungs: &Rungs) -> Option<Proposal> {
        if let Some(proposal) = self.chosen(context, history, rungs) {
            return Some(proposal);
        }
        let score = |_: usize, _: usize| None;
        let left = self.model.as_ref()?.rest(&study(context, history, rungs, &score, &[]))?;
        let (fidelity, note) = (rungs.fidelities[left.rung], rungs.note(left.rung) + "nothing is new");
        Some(Proposal { genotype: left.genotype, fidelity, parent: left.parent, note })
    }

    /// What the model would try next; none where it knows nothing that is new, or there is none.
    fn chosen(&mut self, context: &Context, history: &History, rungs: &Rungs) -> Option<Proposal> {
        let (model, ledger, curiosity) = (self.model.as_mut()?, &self.ledger, self.config.curiosity);
        let choice = match history.objectives {
            [_] => {
                let score = |trial: usize, _: usize| ledger.score(0, trial);
                let study = study(context, history, rungs, &score, ledger.orders(0));
                model.choose(&study, &self.unseen, curiosity)
            }
            // Another trade-off for every proposal, so that the front is covered (ParEGO).
            several => {
                let weights = weights(context, several.len());
                let score = |trial: usize, rung: usize| ledger.blended(&weights, trial, rung);
                let orders = ledger.blends(history.trials, rungs, &weights, model.learnt());
                let study = study(context, history, rungs, &score, &orders);
                model.choose(&study, &self.unseen, curiosity)
            }
        }?;
        let note = match history.objectives {
            [objective] => note(objective, choice.expected),
            _ => "a trade-off".into(),
        };
        let (fidelity, note) = (rungs.fidelities[choice.rung], rungs.note(choice.rung) + &note);
        Some(Proposal { genotype: choice.genotype, fidelity, parent: choice.parent, note })
    }

    /// Makes the model after the history's trials; none while the first ones have not ended.
    fn learn(&mut self, context: &Context, history: &History, rungs: &Rungs, first: usize) {
        let goes_on = self.ledger.read(history, rungs);
        let before = self.model.take().filter(|_| goes_on);
        let Some(stage) = settle(&mut self.ledger, history, rungs, first) else { return };
        let ledger = &self.ledger;
        let score = |trial: usize, rung: usize| ledger.settled_score(trial, rung);
        let study = study(context, history, rungs, &score, &[]);
        let among = |count: usize| ledger.first(history.trials, rungs, count);
        self.model = Some(Model::after(before, &study, stage, ledger.ended(), &among));
    }
}

/// The stage after the history's trials, whose scores are told from now on by how they stand there; none while the first
/// ones have not ended.
fn settle(ledger: &mut Ledger, history: &History, rungs: &Rungs, first: usize) -> Option<Stage> {
    let ended = ledger.ended();
    let stage = (ended >= first).then(|| Stage::after(ended, first))?;
    ledger.settle(history.trials, rungs, stage.compared());
    Some(stage)
}

/// The trial that a process believes best of those that another algorithm chose, the noise of its score taken out. Of trials
/// of several fidelities it is the best reading of the highest: most of those candidates were read before. What the space
/// knows of its candidates for nothing is not asked for.
pub(super) fn believed_best(context: &Context, history: &History) -> Option<TrialId> {
    let best = history.best()?;
    let is_alike = |trial: &Trial| trial.proposal.fidelity == best.proposal.fidelity;
    if !history.scored().all(|(trial, _)| is_alike(trial)) {
        return Some(best.id);
    }
    let space = context.space.uninformed();
    let context = Context { space: &space, ..*context };
    let (rungs, mut ledger) = (Rungs::of(vec![best.proposal.fidelity]), Ledger::default());
    ledger.read(history, &rungs);
    let Some(stage) = settle(&mut ledger, history, &rungs, ENOUGH) else { return Some(best.id) };
    let score = |trial: usize, rung: usize| ledger.settled_score(trial, rung);
    let among = |count: usize| ledger.first(history.trials, &rungs, count);
    let model = Model::of(&study(&context, history, &rungs, &score, &[]), stage, &among);
    let score = |trial: usize, _: usize| ledger.score(0, trial);
    let believed = model.incumbent(&study(&context, history, &rungs, &score, ledger.orders(0)));
    let believed = believed.map(|trial| &history.trials[trial]);
    // What was stopped on the way has no figures of its own to be named by.
    Some(believed.filter(|trial| !matches!(trial.state, TrialState::Stopped(_))).unwrap_or(best).id)
}

/// Trials from which on a process believes anything.
const ENOUGH: usize = 5;

fn study<'a>(
    context: &'a Context,
    history: &'a History,
    rungs: &'a Rungs,
    score: &'a dyn Fn(usize, usize) -> Option<f64>,
    orders: &'a [Order],
) -> Study<'a> {
    Study { space: context.space, seed: context.seed, rungs, trials: history.trials, score, orders }
}

/// A random trade-off: uniform among all weights that sum to one.
fn weights(context: &Context, objectives: usize) -> Vec<f64> {
    let mut rng = context.seed.stream(context.trial, "a trade-off");
    let drawn: Vec<f64> = (0..objectives).map(|_| -f64::ln(1.0 - rng.random::<f64>())).collect();
    let sum: f64 = drawn.iter().sum();
    drawn.into_iter().map(|weight| weight / sum).collect()
}

/// What is expected of a proposal, in the metric's own sense.
fn note(objective: &Objective, expected: Option<f64>) -> String {
    match (expected.filter(|score| score.is_finite()), objective) {
        (Some(score), Objective::Maximize(metric)) => format!("expects {metric} {score:.4}"),
        (Some(score), Objective::Minimize(metric)) => format!("expects {metric} {:.4}", -score),
        (None, _) => "expects nothing in particular".into(),
    }
}
