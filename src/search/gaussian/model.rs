//! The process at one moment of a study: what is believed, what was learnt, and the pool to choose from.
//!
//! All of it follows from the trials alone. What is believed changes at fixed numbers of ended trials, and from then on
//! the process only grows; so a search that goes on after an interruption makes the same model again, bit for bit.

use std::sync::Arc;

use super::kernel::Belief;
use super::likelihood::learn;
use super::normal::Ranks;
use super::pool::{Ground, Pool, Size};
use super::posterior::Posterior;
use super::view::View;
use crate::random::Seed;
use crate::search::unseen::Unseen;
use crate::space::{Genotype, Space};
use crate::trial::{Trial, TrialId, TrialState};

/// What is believed is learnt again when the trials have grown by this factor, from so many of them at most.
const GROWTH: f64 = 1.4;
const LEARNT_FROM: usize = 80;

/// Of more trials than this, so many are chosen, anew after every few.
const TRIALS: usize = 256;
const CHOSEN: usize = 160;
const RENEWED: usize = 32;

/// The best so far, whose neighbours are candidates.
const BEST: usize = 8;

/// The pool while all trials are learnt from, and thereafter, when it is made anew so often that it must be cheap.
const POOL: Size = Size { scattered: 500, near: 120, mutants: 20, children: 40 };
const POOL_LATE: Size = Size { scattered: 100, near: 25, mutants: 10, children: 30 };

/// A process over a study's trials.
pub(in crate::search) struct Model {
    ground: Arc<Ground>,
    stage: Stage,
    belief: Belief,
    posterior: Posterior,
    /// The trials in the posterior, in its order.
    learnt: Vec<usize>,
    pool: Pool,
    /// The best trials among the first `surveyed`, best first.
    best: Vec<(f64, usize)>,
    surveyed: usize,
}

/// What changes only from time to time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stage {
    /// Number of trials that the belief was learnt from.
    believed: usize,
    /// Number of trials of which some are chosen; 0 while all are learnt from.
    chosen: usize,
}

/// A candidate that a model would try next.
pub(in crate::search) struct Choice {
    /// The candidate.
    pub genotype: Genotype,
    /// The trial that it derives from.
    pub parent: Option<TrialId>,
    /// The score that is expected of it.
    pub expected: Option<f64>,
}

impl Stage {
    /// The stage after so many trials have ended, the first belief being learnt after `first`.
    fn after(ended: usize, first: usize) -> Stage {
        let mut believed = first.max(1);
        loop {
            let next = ((believed as f64 * GROWTH).ceil() as usize).max(believed + 1);
            if next > ended {
                break;
            }
            believed = next;
        }
        Stage {
            believed: believed.min(ended),
            chosen: if ended > TRIALS { ended / RENEWED * RENEWED } else { 0 },
        }
    }

    fn start(&self) -> usize {
        self.believed.max(self.chosen)
    }
}

impl Model {
    /// The model after these trials, made anew or grown from the one before. `scores` has one entry a trial: more is
    /// better, minus infinity for a failed one, `None` for one that has not ended.
    pub fn after(
        before: Option<Model>,
        space: &Space,
        seed: Seed,
        first: usize,
        trials: &[Trial],
        scores: &[Option<f64>],
    ) -> Model {
        let ended = scores.iter().position(Option::is_none).unwrap_or(scores.len());
        let stage = Stage::after(ended, first);
        let mut model = match before {
            Some(model) if model.stage == stage => model,
            before => {
                let same = before.filter(|model| model.stage.believed == stage.believed);
                let belief = same.map(|model| model.belief);
                Model::start(belief, space, seed, stage, trials, scores)
            }
        };
        model.grow(space, seed, trials, scores, ended);
        model
    }

    fn start(
        belief: Option<Belief>,
        space: &Space,
        seed: Seed,
        stage: Stage,
        trials: &[Trial],
        scores: &[Option<f64>],
    ) -> Model {
        let ground = Ground::of(space);
        let belief = belief.unwrap_or_else(|| believe(&ground, space, trials, &scores[..stage.believed]));
        let mut posterior = Posterior::new(&ground.viewer, &belief);
        let mut learnt = chosen(&scores[..stage.chosen], CHOSEN);
        learnt.retain(|trial| {
            let view = ground.view(space, &trials[*trial].proposal.genotype);
            view.map(|view| posterior.learn(view)).is_some()
        });
        let pool = Pool::new(ground.clone(), if stage.chosen > 0 { POOL_LATE } else { POOL });
        let (best, surveyed) = (Vec::new(), 0);
        let mut model = Model { ground, stage, belief, posterior, learnt, pool, best, surveyed };
        model.populate(space, seed, trials, scores);
        model
    }

    fn populate(&mut self, space: &Space, seed: Seed, trials: &[Trial], scores: &[Option<f64>]) {
        let start = self.stage.start();
        let mut rng = seed.stream(start as u64, "a pool of candidates");
        let mut views = self.pool.scatter(space, &mut rng);
        for trial in 0..start {
            self.survey(trial, scores);
        }
        let best: Vec<&Trial> = self.best.iter().map(|(_, trial)| &trials[*trial]).collect();
        for trial in &best {
            views.extend(self.pool.surround(space, trial, seed));
        }
        views.extend(self.pool.cross(space, &best, &mut rng));
        views.into_iter().for_each(|view| self.posterior.offer(view));
    }

    /// Counts a trial among the best, if it is; whether it is.
    fn survey(&mut self, trial: usize, scores: &[Option<f64>]) -> bool {
        self.surveyed = trial + 1;
        let Some(score) = scores[trial].filter(|score| *score > f64::NEG_INFINITY) else { return false };
        let place = self.best.partition_point(|(other, _)| *other >= score);
        if place < BEST {
            self.best.insert(place, (score, trial));
            self.best.truncate(BEST);
        }
        place < BEST
    }

    fn grow(&mut self, space: &Space, seed: Seed, trials: &[Trial], scores: &[Option<f64>], ended: usize) {
        let next = self.learnt.last().map_or(0, |trial| trial + 1).max(self.stage.chosen);
        for (number, trial) in trials.iter().enumerate().skip(next) {
            if let Some(view) = self.ground.view(space, &trial.proposal.genotype) {
                self.posterior.learn(view);
                self.learnt.push(number);
            }
        }
        for (number, trial) in trials.iter().enumerate().take(ended).skip(self.surveyed) {
            if self.survey(number, scores) {
                let near = self.pool.surround(space, trial, seed);
                near.into_iter().for_each(|view| self.posterior.offer(view));
            }
        }
    }

    /// The candidate of the highest upper confidence bound: what is expected, and `curiosity` times how unsure that is.
    /// `None` where no member of the pool is new.
    pub fn choose(
        &mut self,
        space: &Space,
        unseen: &Unseen,
        scores: &[Option<f64>],
        curiosity: f64,
    ) -> Option<Choice> {
        let ranks = ranks(scores);
        let explained = self.posterior.explain(&self.targets(scores, &ranks));
        let predicted = self.posterior.predict(&explained);
        let curiosity = curiosity as f32;
        let bounds: Vec<f32> =
            predicted.iter().map(|(mean, deviation)| mean + curiosity * deviation).collect();
        let best = self.pool.best(space, unseen, &bounds)?;
        let (genotype, parent) = self.pool.member(best);
        Some(Choice { genotype, parent, expected: ranks.score(f64::from(predicted[best].0)) })
    }

    /// The trial that is believed best, the noise of its score taken out.
    pub fn incumbent(&self, scores: &[Option<f64>]) -> Option<usize> {
        let targets = self.targets(scores, &ranks(scores));
        let believed = self.posterior.believed(&self.posterior.explain(&targets), &targets);
        let scored = self.learnt.iter().zip(believed);
        let scored =
            scored.filter(|(trial, _)| scores[**trial].is_some_and(|score| score > f64::NEG_INFINITY));
        let known = scored.filter_map(|(trial, believed)| Some((*trial, believed?)));
        known.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(trial, _)| trial)
    }

    fn targets(&self, scores: &[Option<f64>], ranks: &Ranks) -> Vec<Option<f64>> {
        self.learnt.iter().map(|trial| scores[*trial].map(|score| ranks.normal(score))).collect()
    }
}

/// What these trials make believe.
fn believe(ground: &Ground, space: &Space, trials: &[Trial], scores: &[Option<f64>]) -> Belief {
    let ranks = ranks(scores);
    let from = chosen(scores, LEARNT_FROM).into_iter().filter_map(|trial| {
        let view = ground.view(space, &trials[trial].proposal.genotype)?;
        Some((view, ranks.normal(scores[trial]?)))
    });
    let (views, targets): (Vec<View>, Vec<f64>) = from.unzip();
    learn(&ground.viewer, &views.iter().collect::<Vec<_>>(), &targets)
}

fn ranks(scores: &[Option<f64>]) -> Ranks {
    Ranks::of(scores.iter().flatten().copied())
}

/// At most so many of the trials, in order: the best half, and others evenly from the rest by rank.
fn chosen(scores: &[Option<f64>], most: usize) -> Vec<usize> {
    let mut trials: Vec<usize> = (0..scores.len()).filter(|trial| scores[*trial].is_some()).collect();
    if trials.len() > most {
        let score = |trial: &usize| scores[*trial].unwrap_or(f64::NEG_INFINITY);
        trials.sort_by(|a, b| score(b).total_cmp(&score(a)));
        let rest = trials.split_off(most / 2);
        let wanted = most - most / 2;
        trials.extend((0..wanted).map(|number| rest[number * rest.len() / wanted]));
        trials.sort_unstable();
    }
    trials
}

/// The scores of trials as models see them: by `score`, minus infinity for those that ended without a finite one, and
/// `None` for those that have not ended.
pub(in crate::search) fn seen(trial: &Trial, score: Option<f64>) -> Option<f64> {
    match trial.state {
        TrialState::Pending => None,
        _ => Some(score.filter(|score| score.is_finite()).unwrap_or(f64::NEG_INFINITY)),
    }
}
