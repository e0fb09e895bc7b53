//! The process at one moment of a study: what is believed, what was learnt, and the pool to choose from.
//!
//! Where trials may be of several lengths, the process learns across them (Swersky et al. 2013, multi-task Bayesian
//! optimisation, <https://papers.nips.cc/paper/5086-multi-task-bayesian-optimization>): what candidates have in common
//! counts between two rungs by how well these correlate, and so does what is a candidate's own. Every rung has a mean, a
//! scale and a noise of its own, and scores are ranked among those of their rung.
//!
//! All of it follows from the trials alone. What is believed changes at fixed numbers of ended trials, and from then on
//! the process only grows; so a search that goes on after an interruption makes the same model again, bit for bit.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::kernel::{Belief, Standing};
use super::likelihood::learn;
use super::pool::{Ground, Pool, Size};
use super::posterior::{Explained, Posterior};
use super::stage::Stage;
use super::study::Study;
use super::tried::Tried;
use super::view::View;
use crate::search::order::Order;
use crate::search::unseen::Unseen;
use crate::space::Genotype;
use crate::trial::{Trial, TrialId, TrialState};

/// What is believed is learnt from so many trials at most.
const LEARNT_FROM: usize = 80;

/// Where not all trials are learnt from, so many are.
const CHOSEN: usize = 160;

/// The best so far, whose neighbours are candidates; where there are several rungs, the best of each.
const BEST: usize = 8;
const BEST_OF_RUNG: usize = 4;

/// The pool while all trials are learnt from; and thereafter, when it is made anew so often that it must be cheap, or where
/// candidates have figures to be looked up.
const POOL: Size = Size { scattered: 500, near: 120, mutants: 20, children: 40 };
const POOL_LATE: Size = Size { scattered: 100, near: 25, mutants: 10, children: 30 };

/// A process over a study's trials.
pub(in crate::search) struct Model {
    ground: Arc<Ground>,
    stage: Stage,
    belief: Belief,
    posterior: Posterior,
    /// The trials in the posterior, in its order; where there are several rungs, their candidates may go on.
    learnt: Vec<usize>,
    pool: Pool,
    /// Where the candidates of these stand in the pool, by name.
    seats: HashMap<u32, usize>,
    /// Of every rung the best trials among the first `surveyed`, best first.
    best: Vec<Vec<(f64, usize)>>,
    surveyed: usize,
    tried: Tried,
}

/// The scores of the first so many trials among themselves, by rung.
type Among<'a> = dyn Fn(usize) -> Cow<'a, [Order]> + 'a;

/// A candidate that a model would try next.
pub(in crate::search) struct Choice {
    /// The candidate.
    pub genotype: Genotype,
    /// The rung to try it on.
    pub rung: usize,
    /// The trial that it derives from.
    pub parent: Option<TrialId>,
    /// The score that is expected of it on the highest rung.
    pub expected: Option<f64>,
}

impl Model {
    /// The model at a stage of a study of which so many trials have ended, made anew or grown from the one before.
    pub fn after(before: Option<Model>, study: &Study, stage: Stage, ended: usize, among: &Among) -> Model {
        let mut model = match before {
            Some(model) if model.stage == stage => model,
            Some(Model { belief, tried, stage: before, .. }) => {
                let belief = Some(belief).filter(|_| before.believed == stage.believed);
                Model::start(belief, tried, study, stage, among).populated(study)
            }
            None => Model::start(None, Tried::default(), study, stage, among).populated(study),
        };
        model.grow(study, ended);
        model
    }

    /// A model of one rung that is only asked what it believes of its trials: without a pool to choose from.
    pub fn of(study: &Study, stage: Stage, among: &Among) -> Model {
        let mut model = Model::start(None, Tried::default(), study, stage, among);
        for number in model.next()..study.trials.len() {
            model.learn(study, number);
        }
        model
    }

    fn start(belief: Option<Belief>, mut tried: Tried, study: &Study, stage: Stage, among: &Among) -> Model {
        let ground = Ground::of(study.space);
        tried.read(study);
        let belief = belief.unwrap_or_else(|| believe(&ground, study, &tried, &among(stage.believed)));
        let mut posterior = Posterior::new(&ground.viewer, &belief);
        let orders = among(stage.compared());
        let chosen = if stage.chosen > 0 { chosen(&orders, CHOSEN) } else { Vec::new() };
        let mut learnt: Vec<usize> = chosen.into_iter().map(|(trial, _)| trial).collect();
        learnt.retain(|trial| {
            let standing = study.standing(&ground, *trial, tried.name(*trial));
            standing.map(|standing| posterior.learn(standing)).is_some()
        });
        // Figures known for nothing are nearly so: those of many candidates take their time.
        let cheap = stage.chosen > 0 || !study.space.figure_names().is_empty();
        let pool = Pool::new(ground.clone(), if cheap { POOL_LATE } else { POOL });
        let best = orders.iter().map(|order| best(order, study.rungs.count())).collect();
        let (surveyed, seats) = (stage.compared(), HashMap::new());
        Model { ground, stage, belief, posterior, learnt, pool, seats, best, surveyed, tried }
    }

    fn populated(mut self, study: &Study) -> Model {
        let start = self.stage.start();
        let mut rng = study.seed.stream(start as u64, "a pool of candidates");
        let mut views = self.pool.scatter(study.space, &mut rng);
        for trial in self.surveyed..start {
            self.survey(study, trial);
        }
        let best: Vec<&Trial> = self.best.iter().flatten().map(|(_, trial)| &study.trials[*trial]).collect();
        for trial in &best {
            views.extend(self.pool.surround(study.space, trial, study.seed));
        }
        views.extend(self.pool.cross(study.space, &best, &mut rng));
        // Of many candidates only those that are learnt from may go on.
        let named: Vec<usize> = match (study.rungs.count(), self.stage.chosen) {
            (1, _) => Vec::new(),
            (_, 0) => (0..start).collect(),
            _ => self.learnt.clone(),
        };
        let seat = |trial: &usize| self.pool.seat(study.space, &study.trials[*trial]);
        views.extend(named.iter().filter_map(seat));
        for number in named {
            if let (Some(name), Some(seat)) =
                (self.tried.name(number), self.pool.find(&study.trials[number].proposal.genotype))
            {
                self.pool.name(seat, name);
                self.seats.entry(name).or_insert(seat);
            }
        }
        for (number, view) in views.into_iter().enumerate() {
            self.offer(study, view, self.pool.named(number));
        }
        self
    }

    fn offer(&mut self, study: &Study, view: View, name: Option<u32>) {
        self.posterior.offer(Standing { view, rung: study.rungs.count() - 1, name });
    }

    /// Counts a trial among the best of its rung, if it is; whether it is.
    fn survey(&mut self, study: &Study, trial: usize) -> bool {
        self.surveyed = trial + 1;
        let most = best_of(self.best.len());
        let best = &mut self.best[study.rung(trial)];
        let Some(score) = study.score(trial).filter(|score| *score > f64::NEG_INFINITY) else {
            return false;
        };
        let place = best.partition_point(|(other, _)| *other >= score);
        if place < most {
            best.insert(place, (score, trial));
            best.truncate(most);
        }
        place < most
    }

    fn grow(&mut self, study: &Study, ended: usize) {
        self.tried.read(study);
        let next = self.next();
        for number in next..study.trials.len() {
            if let Some(name) = self.tried.name(number)
                && let Some(seat) = self.pool.find(&study.trials[number].proposal.genotype)
            {
                self.take_seat(seat, name);
            }
            self.learn(study, number);
        }
        for number in self.surveyed..ended {
            if self.survey(study, number) {
                let near = self.pool.surround(study.space, &study.trials[number], study.seed);
                near.into_iter().for_each(|view| self.offer(study, view, None));
            }
        }
        self.seat_the_rest(study, next);
    }

    /// The first trial that is not learnt from yet.
    fn next(&self) -> usize {
        self.learnt.last().map_or(0, |trial| trial + 1).max(self.stage.chosen)
    }

    fn learn(&mut self, study: &Study, number: usize) {
        if let Some(standing) = study.standing(&self.ground, number, self.tried.name(number)) {
            self.posterior.learn(standing);
            self.learnt.push(number);
        }
    }

    fn take_seat(&mut self, seat: usize, name: u32) {
        if let Entry::Vacant(entry) = self.seats.entry(name) {
            entry.insert(seat);
            self.pool.name(seat, name);
            self.posterior.name(seat, name);
        }
    }

    /// Candidates that were tried though they were not in the pool are put there.
    fn seat_the_rest(&mut self, study: &Study, from: usize) {
        for number in from..study.trials.len() {
            let Some(name) = self.tried.name(number) else { continue };
            if self.seats.contains_key(&name) {
                continue;
            }
            if let Some(view) = self.pool.seat(study.space, &study.trials[number]) {
                self.offer(study, view, Some(name));
            }
            if let Some(seat) = self.pool.find(&study.trials[number].proposal.genotype) {
                self.take_seat(seat, name);
            }
        }
    }

    /// The candidate of the highest upper confidence bound: what is expected, and `curiosity` times how unsure that is;
    /// and the rung on which a trial tells most of it for what it costs. `None` where no member of the pool is new.
    pub fn choose(&mut self, study: &Study, unseen: &Unseen, curiosity: f64) -> Option<Choice> {
        let (explained, mean) = self.explained(study);
        let predicted = self.posterior.predict(&explained);
        let curiosity = curiosity as f32;
        let bounds: Vec<f32> =
            predicted.iter().map(|(mean, deviation)| mean + curiosity * deviation).collect();
        let tried = &self.tried;
        let best = self.pool.best(study.space, unseen, &bounds, |name| tried.next(name).is_some())?;
        let lowest = self.pool.named(best).and_then(|name| tried.next(name)).unwrap_or(0);
        let rung = self.rung(study, best, lowest);
        let (genotype, origin) = self.pool.member(best);
        let parent = self.pool.named(best).map(|name| self.tried.last(name)).or(origin);
        let expected = study.orders.last()?.score(f64::from(predicted[best].0) + mean);
        Some(Choice { genotype, rung, parent, expected })
    }

    /// Where nothing is new: a candidate that was tried and got furthest of those that may go on.
    pub fn rest(&self, study: &Study) -> Option<Choice> {
        let (name, rung) = self.tried.furthest()?;
        let last = self.tried.last(name);
        let genotype = study.trials[last as usize].proposal.genotype.clone();
        Some(Choice { genotype, rung, parent: Some(last), expected: None })
    }

    /// The rung, from `lowest` on, on which a trial tells most for what it costs of a candidate's worth on the highest.
    fn rung(&self, study: &Study, member: usize, lowest: usize) -> usize {
        let costs = &study.rungs.costs;
        if lowest + 1 == costs.len() {
            return lowest;
        }
        let gains = self.posterior.gains(member);
        let worth = |rung: &usize| gains[*rung] / costs[*rung];
        (lowest..costs.len())
            .reduce(|best, next| if worth(&next) >= worth(&best) { next } else { best })
            .unwrap_or(lowest)
    }

    /// The scores made independent, and the mean on the highest rung.
    fn explained(&self, study: &Study) -> (Explained, f64) {
        let targets = self.targets(study);
        let mut explained = self.posterior.explain(&targets);
        let means = self.posterior.means(&targets, &mut explained);
        (explained, means.last().copied().unwrap_or_default())
    }

    /// The trial that is believed best, the noise of its score taken out.
    pub fn incumbent(&self, study: &Study) -> Option<usize> {
        if study.rungs.count() > 1 {
            return self.incumbent_on_rungs(study);
        }
        let targets = self.targets(study);
        let believed = self.posterior.believed(&self.posterior.explain(&targets), &targets);
        let scored = self.learnt.iter().zip(believed);
        let scored = scored.filter(|(trial, _)| study.is_scored(**trial));
        let known = scored.filter_map(|(trial, believed)| Some((*trial, believed?)));
        known.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(trial, _)| trial)
    }

    /// The last trial of the candidate of which most is expected on the highest rung.
    fn incumbent_on_rungs(&self, study: &Study) -> Option<usize> {
        let (explained, _) = self.explained(study);
        let predicted = self.posterior.predict(&explained);
        let worth = |name: u32| Some(predicted[*self.seats.get(&name)?].0);
        let scored = self.learnt.iter().filter(|trial| study.is_scored(**trial));
        let known = scored.filter_map(|trial| {
            let name = self.tried.name(*trial)?;
            Some((name, worth(name)?))
        });
        let best = known.reduce(|best, next| if next.1 >= best.1 { next } else { best });
        best.and_then(|(name, _)| self.tried.last_scored(name))
    }

    fn targets(&self, study: &Study) -> Vec<Option<f64>> {
        let target =
            |trial: &usize| study.score(*trial).map(|score| study.orders[study.rung(*trial)].normal(score));
        self.learnt.iter().map(target).collect()
    }

    /// The trials that are learnt from, ascending.
    pub fn learnt(&self) -> &[usize] {
        &self.learnt
    }
}

/// How many of the best of every rung have their neighbours looked at.
fn best_of(rungs: usize) -> usize {
    if rungs > 1 { BEST_OF_RUNG } else { BEST }
}

/// The best of a rung that have a figure.
fn best(order: &Order, rungs: usize) -> Vec<(f64, usize)> {
    let scored = order.best_first().take_while(|(score, _)| *score > f64::NEG_INFINITY);
    scored.take(best_of(rungs)).collect()
}

/// What the first trials make believe.
fn believe(ground: &Ground, study: &Study, tried: &Tried, orders: &[Order]) -> Belief {
    let from = chosen(orders, LEARNT_FROM).into_iter().filter_map(|(trial, score)| {
        let standing = study.standing(ground, trial, tried.name(trial))?;
        let target = orders[standing.rung].normal(score);
        Some((standing, target))
    });
    let (standings, targets): (Vec<Standing>, Vec<f64>) = from.unzip();
    learn(&ground.viewer, &study.rungs.costs, &standings, &targets)
}

/// At most so many trials with their scores, by number: of every rung its share, the best half of it and others evenly
/// from the rest by rank.
fn chosen(orders: &[Order], most: usize) -> Vec<(usize, f64)> {
    let mut rungs: Vec<&Order> = orders.iter().collect();
    // What rungs of few trials do not need is left to those of many.
    rungs.sort_by_key(|order| order.len());
    let (mut all, mut others) = (Vec::new(), rungs.len());
    for order in rungs {
        let most = (most - all.len()) / others;
        others -= 1;
        if order.len() <= most {
            all.extend(order.best_first());
            continue;
        }
        all.extend(order.best_first().take(most / 2));
        let (rest, wanted) = (order.len() - most / 2, most - most / 2);
        all.extend((0..wanted).filter_map(|number| order.at(rest - 1 - number * rest / wanted)));
    }
    let mut all: Vec<(usize, f64)> = all.into_iter().map(|(score, trial)| (trial, score)).collect();
    all.sort_unstable_by_key(|(trial, _)| *trial);
    all
}

/// The scores of trials as models see them: by `score`, minus infinity for those that ended without a finite one, and
/// `None` for those that have not ended.
pub(in crate::search) fn seen(trial: &Trial, score: Option<f64>) -> Option<f64> {
    match trial.state {
        TrialState::Pending => None,
        _ => Some(score.filter(|score| score.is_finite()).unwrap_or(f64::NEG_INFINITY)),
    }
}
