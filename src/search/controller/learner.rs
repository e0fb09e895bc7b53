//! A policy with what it has learnt from the first trials of a history.

use super::heads::{Action, Heads};
use super::policy::{Policy, errors, follow, log_probability, probabilities, sample};
use super::{Controller, DRAWN, Method};
use crate::random::Rng;
use crate::search::Context;
use crate::space::{Genotype, GenotypeError, Space};
use crate::trial::{History, Trial, TrialId, TrialState};

/// The policy and the state of its learning.
pub(super) struct Learner {
    config: Controller,
    heads: Heads,
    policy: Box<dyn Policy>,
    baseline: Baseline,
    batches: usize,
    /// The logarithm of the probability with which each trial was drawn, as far as that is known.
    drawn: Vec<Option<f64>>,
    last: Option<TrialId>,
}

/// A trial that the policy drew, and what it was worth.
struct Example {
    actions: Vec<Action>,
    advantage: f64,
    /// The logarithm of the probability with which it was drawn; 0 where no one asks.
    drawn: f64,
}

impl Learner {
    pub fn start(config: &Controller, context: &Context) -> Learner {
        let heads = Heads::of(context.space, config.bins);
        let policy = config.policy.start(&heads, config.learning_rate, context.seed);
        let baseline = Baseline { keep: config.baseline.clamp(0.0, 1.0 - 1e-6), ..Baseline::default() };
        let config = config.clone();
        Learner { config, heads, policy, baseline, batches: 0, drawn: Vec::new(), last: None }
    }

    /// Whether a history goes on from the one that was learnt from.
    pub fn fits(&self, history: &History) -> bool {
        let end = self.batches * self.batch();
        end <= history.trials.len()
            && self.last == end.checked_sub(1).and_then(|last| history.trials.get(last)).map(|trial| trial.id)
    }

    /// How many batches the policy has learnt from.
    pub fn batches(&self) -> usize {
        self.batches
    }

    fn batch(&self) -> usize {
        let default = if matches!(self.config.method, Method::Ppo(_)) { 5 } else { 1 };
        self.config.batch.unwrap_or(default).max(1)
    }

    /// A candidate drawn from the policy.
    pub fn draw(&self, space: &Space, rng: &mut Rng) -> Result<Genotype, GenotypeError> {
        let mut walk = self.policy.walk();
        self.heads.draw(space, rng, &mut |head, allowed, rng| {
            let all =
                probabilities(&walk.logits(head), |choice| allowed.get(choice).copied().unwrap_or(true));
            let choice = sample(&all, rng);
            walk.choose(head, choice);
            choice
        })
    }

    /// Learns from all batches that have ended.
    pub fn learn(&mut self, context: &Context, history: &History) -> Result<(), GenotypeError> {
        let unread = history.trials.iter().skip(self.batches * self.batch());
        let ended = unread.take_while(|trial| trial.state != TrialState::Pending).count();
        for _ in 0..ended / self.batch() {
            let start = self.batches * self.batch();
            self.note_drawn(context.space, history)?;
            let batch = &history.trials[start..start + self.batch()];
            let examples = self.examples(context.space, history, batch)?;
            self.improve(&examples);
            self.batches += 1;
            self.last = batch.last().map(|trial| trial.id);
        }
        Ok(())
    }

    /// Keeps with which probability this policy draws those trials that it drew, where that is asked for later.
    fn note_drawn(&mut self, space: &Space, history: &History) -> Result<(), GenotypeError> {
        if self.config.method == Method::Reinforce {
            return Ok(());
        }
        self.drawn.resize(history.trials.len(), None);
        let note = format!("{DRAWN}{}", self.batches);
        for index in self.batches * self.batch()..history.trials.len() {
            if history.trials[index].proposal.note == note {
                let actions = self.heads.actions(space, &history.trials[index].proposal.genotype)?;
                self.drawn[index] = Some(log_probability(&follow(&*self.policy, &actions), &actions));
            }
        }
        Ok(())
    }

    /// What a batch teaches: its trials that were drawn from a policy and have a worth.
    fn examples(
        &mut self,
        space: &Space,
        history: &History,
        batch: &[Trial],
    ) -> Result<Vec<Example>, GenotypeError> {
        let mut examples = Vec::new();
        for trial in batch {
            let advantage = self.baseline.advantage(history.score(trial));
            let drawn = self.drawn.get(trial.id as usize).copied().flatten();
            if let (Some(advantage), true) = (advantage, trial.proposal.note.starts_with(DRAWN)) {
                let actions = self.heads.actions(space, &trial.proposal.genotype)?;
                let now = || log_probability(&follow(&*self.policy, &actions), &actions);
                let drawn =
                    if self.config.method == Method::Reinforce { 0.0 } else { drawn.unwrap_or_else(now) };
                examples.push(Example { actions, advantage, drawn });
            }
        }
        Ok(examples)
    }

    fn improve(&mut self, examples: &[Example]) {
        let steps = match &self.config.method {
            Method::Reinforce => 1,
            Method::Ppo(ppo) => ppo.steps,
        };
        let rows: Vec<&[Action]> = examples.iter().map(|example| &example.actions[..]).collect();
        let share = 1.0 / examples.len().max(1) as f64;
        let config = &self.config;
        for _ in 0..if examples.is_empty() { 0 } else { steps } {
            self.policy.climb(&rows, &mut |row, logits| wants(config, &examples[row], share, logits));
        }
    }
}

/// The derivatives by the logits along an example's row of what is to grow.
fn wants(config: &Controller, example: &Example, share: f64, logits: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let along = logits.iter().zip(&example.actions);
    let all: Vec<Vec<f64>> =
        along.map(|(logits, action)| probabilities(logits, |choice| action.allows(choice))).collect();
    let weight = match &config.method {
        Method::Reinforce => example.advantage,
        Method::Ppo(ppo) => {
            let log = log_probability(&all, &example.actions);
            let ratio = (log - example.drawn).exp();
            // Beyond the clip the objective is flat.
            let far = if example.advantage > 0.0 { ratio > 1.0 + ppo.clip } else { ratio < 1.0 - ppo.clip };
            if far { 0.0 } else { example.advantage * ratio }
        }
    };
    all.iter()
        .zip(&example.actions)
        .map(|(all, action)| errors(all, action.choice, share * weight, share * config.entropy))
        .collect()
}

/// The moving mean of scores and of how far they are from it.
#[derive(Clone, Debug, Default)]
struct Baseline {
    /// How much of the means remains with every score.
    keep: f64,
    weight: f64,
    sum: f64,
    deviations: f64,
    /// The least and the greatest finite score so far.
    range: Option<(f64, f64)>,
}

/// Rewards are cut at so many mean deviations.
const CUT: f64 = 3.0;

impl Baseline {
    /// How much better than its predecessors a trial is, which then joins them; `None` where there is no measure yet.
    fn advantage(&mut self, score: Option<f64>) -> Option<f64> {
        let score = self.finite(score)?;
        let known = self.weight > 0.0;
        let mean = if known { self.sum / self.weight } else { score };
        let deviation = (score - mean).abs();
        self.weight = self.keep * self.weight + (1.0 - self.keep);
        self.sum = self.keep * self.sum + (1.0 - self.keep) * score;
        self.deviations = self.keep * self.deviations + (1.0 - self.keep) * deviation;
        let unit = self.deviations / self.weight;
        let advantage = (score - mean) / unit;
        (known && unit > 0.0 && advantage.is_finite()).then(|| advantage.clamp(-CUT, CUT))
    }

    /// The score, or what stands for it: of what failed, or is infinitely bad, the least so far.
    fn finite(&mut self, score: Option<f64>) -> Option<f64> {
        match score {
            Some(score) if score.is_finite() => {
                let (least, most) = self.range.unwrap_or((score, score));
                self.range = Some((least.min(score), most.max(score)));
                Some(score)
            }
            Some(f64::INFINITY) => self.range.map(|(_, most)| most),
            _ => self.range.map(|(least, _)| least),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advantages_do_not_depend_on_the_scale_and_are_cut() {
        let scores = [0.5, 0.6, 0.4, 0.7, 0.55];
        let advantages = |scale: f64| -> Vec<Option<f64>> {
            let mut baseline = Baseline { keep: 0.95, ..Baseline::default() };
            scores.iter().map(|score| baseline.advantage(Some(scale * score))).collect()
        };
        let (small, large) = (advantages(1.0), advantages(1000.0));
        assert_eq!(small[0], None, "the first has nothing to be held against");
        for (small, large) in small[1..].iter().zip(&large[1..]) {
            assert!((small.unwrap() - large.unwrap()).abs() < 1e-9);
        }
        assert!(small[1].unwrap() > 0.0 && small[2].unwrap() < 0.0);
        let mut baseline = Baseline { keep: 0.95, ..Baseline::default() };
        (0..50).for_each(|trial| _ = baseline.advantage(Some(0.5 + 0.01 * f64::from(trial % 2))));
        assert_eq!(baseline.advantage(Some(1e6)), Some(CUT));
    }

    #[test]
    fn what_failed_is_worth_the_least_so_far() {
        let mut baseline = Baseline { keep: 0.9, ..Baseline::default() };
        assert_eq!(baseline.advantage(None), None);
        [0.5, 0.7, 0.3].iter().for_each(|score| _ = baseline.advantage(Some(*score)));
        let mut other = baseline.clone();
        assert_eq!(baseline.advantage(None), other.advantage(Some(0.3)));
        assert_eq!(baseline.advantage(Some(f64::INFINITY)), other.advantage(Some(0.7)));
        assert_eq!(baseline.advantage(Some(f64::NEG_INFINITY)), other.advantage(Some(0.3)));
    }
}
