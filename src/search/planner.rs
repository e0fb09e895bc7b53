//! The plan of one level of progressive search: candidates made, scored, and the best of them chosen.

use std::collections::HashMap;

use rand::RngExt;
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::Context;
use super::levels::{Decided, Levels, Step};
use super::progressive::{PNAS_BEAM, Progressive, level_of};
use super::surrogate::{Encoding, FeatureSet, Features, Prediction, Scale, Surrogate};
use super::unseen::Unseen;
use crate::space::{GenotypeError, Key};
use crate::trial::{History, Objective, Proposal, Trial, TrialId};

/// Between two steps of one level as many times more candidates are kept as a level trains.
const WIDTH: usize = 4;

/// Candidates of a level whose figures are looked up, at least.
const LOOKED_UP: usize = 100;

/// Candidates that one step looks at, at most; PNAS's largest has 589,824 drawings of 300,000 cells.
const CANDIDATES: usize = 1_000_000;

/// Candidates of the first level that are counted through, at most.
const FIRST_CANDIDATES: usize = 20_000;

/// All that the plan of a level follows from: nothing else may enter it, so that it can be made again.
pub(super) struct Planner<'a> {
    config: &'a Progressive,
    context: &'a Context<'a>,
    /// The trials before the level's first.
    history: History<'a>,
    unseen: Unseen,
    level: usize,
    levels: Levels,
}

/// A candidate and the trial that it derives from.
struct Candidate {
    decided: Decided,
    parent: TrialId,
}

/// One of a step's candidates by its place: expanding parent `parent` again gives it as number `child`.
struct Rank {
    score: f64,
    parent: usize,
    child: usize,
}

/// A surrogate that knows the space.
struct Model {
    encoding: Encoding,
    surrogate: Box<dyn Surrogate>,
    scale: Scale,
}

impl<'a> Planner<'a> {
    pub fn new(
        config: &'a Progressive,
        context: &'a Context<'a>,
        history: History<'a>,
        level: usize,
    ) -> Planner<'a> {
        let groups = (context.trials / 8).clamp(2, 6) as usize;
        let mut unseen = Unseen::default();
        unseen.read(&history);
        let levels = Levels::of(context.space, config.levels, groups);
        Planner { config, context, history, unseen, level, levels }
    }

    /// The level's proposals, best first.
    ///
    /// # Errors
    /// Where the space yields no candidates.
    pub fn plan(mut self) -> Result<Vec<Proposal>, GenotypeError> {
        match self.level {
            1 if self.levels.grow() => self.simplest(),
            1 => self.scattered(),
            _ => self.expanded(),
        }
    }

    /// The first level of a program with a `Prefix`: all one-block cells, or a random part of them.
    fn simplest(&mut self) -> Result<Vec<Proposal>, GenotypeError> {
        let mut rng = self.context.seed.stream(0, "progressive first level");
        let mut first = self.levels.first(self.context.space, FIRST_CANDIDATES, &mut rng)?;
        first.shuffle(&mut rng);
        let keys = self.keys(&first);
        let new = first
            .into_iter()
            .zip(keys)
            .filter(|(_, key)| key.as_ref().is_some_and(|key| self.unseen.add(key)));
        let mut new: Vec<Decided> = new.map(|(decided, _)| decided).collect();
        let rest = (self.levels.count() - 1) * self.config.beam.unwrap_or(PNAS_BEAM);
        let affordable = new.len() + rest <= self.trials();
        let share = if affordable { new.len() } else { self.trials().div_ceil(self.levels.count()) };
        new.truncate(self.config.first.unwrap_or(share).max(1));
        Ok(new.into_iter().map(|decided| self.proposal(decided, None, None)).collect())
    }

    /// The first level of any other program: random candidates.
    fn scattered(&mut self) -> Result<Vec<Proposal>, GenotypeError> {
        let mut rng = self.context.seed.stream(0, "progressive first level");
        let share = self.trials().div_ceil(self.levels.count()).clamp(1, PNAS_BEAM);
        // A preset's "all simple ones" means those of a first level that grows: here there is none.
        let first = self.config.first.filter(|first| *first < usize::MAX);
        let count = first.or(self.config.beam).unwrap_or(share).max(1);
        let mut proposals = Vec::new();
        while proposals.len() < count {
            let Some(genotype) = self.unseen.random(self.context, &mut rng)? else { break };
            self.unseen.add(&self.context.space.key(&genotype)?);
            proposals.push(self.proposal(Decided { genotype, active: Vec::new() }, None, None));
        }
        Ok(proposals)
    }

    /// A later level: the beam, step by step made to several, and the best of those that are new.
    fn expanded(&mut self) -> Result<Vec<Proposal>, GenotypeError> {
        // Figures known for nothing are only nearly so: the best few have theirs looked up.
        let model = self.fit(FeatureSet { figures: false, ..self.config.features });
        let mut candidates = self.parents();
        let steps = self.levels.steps(self.level).to_vec();
        for (number, step) in steps.iter().enumerate() {
            let ranks = self.ranked(&candidates, number, *step, model.as_ref())?;
            if number + 1 == steps.len() {
                let (ranks, model) = self.informed(&candidates, number, *step, ranks, model)?;
                return self.chosen(&candidates, number, *step, &ranks, model.as_ref());
            }
            let kept = &ranks[..ranks.len().min(WIDTH * self.beam())];
            candidates = self.children(&candidates, number, *step, kept)?;
        }
        Ok(Vec::new())
    }

    fn trials(&self) -> usize {
        usize::try_from(self.context.trials).unwrap_or(usize::MAX)
    }

    /// How many candidates this level trains.
    fn beam(&self) -> usize {
        let first = self.history.trials.iter().filter(|trial| level_of(trial) == Some(1)).count();
        let share = self.trials().saturating_sub(first) / (self.levels.count() - 1).max(1);
        let beam = self.config.beam.unwrap_or(share.clamp(1, PNAS_BEAM)).max(1);
        // Every level learns from all trials: levels of one size without end would take ever longer.
        if self.level > self.levels.count() { beam.max(self.history.trials.len() / 10) } else { beam }
    }

    /// The candidates that this level starts from: those that the level before trained; beyond the last level, the
    /// best of all. Failed ones only where all failed.
    fn parents(&self) -> Vec<Candidate> {
        let beyond = self.level > self.levels.count();
        let before = |trial: &&Trial| beyond || level_of(trial) == Some(self.level - 1);
        let mut trials: Vec<&Trial> = self.history.trials.iter().filter(before).collect();
        if trials.iter().any(|trial| self.history.score(trial).is_some()) {
            trials.retain(|trial| self.history.score(trial).is_some());
        }
        if beyond {
            let score = |trial: &Trial| self.history.score(trial).unwrap_or(f64::NEG_INFINITY);
            trials.sort_by(|a, b| score(b).total_cmp(&score(a)));
            trials.truncate(self.beam());
        }
        let candidate = |trial: &Trial| {
            let decided = Decided::of(self.context.space, &trial.proposal.genotype).ok()?;
            Some(Candidate { decided, parent: trial.id })
        };
        trials.into_iter().filter_map(candidate).collect()
    }

    /// What all trials so far teach of what is seen of them; `None` where none has a score.
    fn fit(&self, features: FeatureSet) -> Option<Model> {
        let space = self.context.space;
        let scale = Scale::of(self.history.scored().map(|(_, score)| score));
        let encoding = self.config.surrogate.encoding(space, features);
        let example = |(trial, score): (&Trial, f64)| {
            Some((encoding.describe(space, &trial.proposal.genotype).ok()?, scale.target(score)))
        };
        let examples: Vec<(Features, f64)> = self.history.scored().filter_map(example).collect();
        if examples.is_empty() {
            return None;
        }
        let mut surrogate = match &self.config.surrogate {
            first if self.level == 2 => {
                first.clone().with_learning_rate(self.config.first_learning_rate).start()
            }
            other => other.start(),
        };
        let seed = self.context.seed.derive(self.level as u64, "progressive surrogate");
        surrogate.fit(encoding.layout(), &examples, seed);
        Some(Model { encoding, surrogate, scale })
    }

    /// All candidates that a step makes, best first; in random order where nothing is known.
    fn ranked(
        &self,
        candidates: &[Candidate],
        number: usize,
        step: Step,
        model: Option<&Model>,
    ) -> Result<Vec<Rank>, GenotypeError> {
        let score_all = |parent: usize| {
            let mut rng = self
                .context
                .seed
                .stream((self.level * candidates.len() + parent) as u64, "progressive order");
            let children = self.expand(candidates, number, step, parent)?;
            let scores: Vec<f64> = match model {
                Some(model) => model.predict(self.context, &children),
                None => children.iter().map(|_| rng.random()).collect(),
            };
            Ok(scores.into_iter().enumerate().map(|(child, score)| Rank { score, parent, child }).collect())
        };
        let ranks: Vec<Vec<Rank>> =
            (0..candidates.len()).into_par_iter().map(score_all).collect::<Result<_, _>>()?;
        let mut ranks: Vec<Rank> = ranks.into_iter().flatten().collect();
        ranks.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(ranks)
    }

    /// What a step makes of one parent: the same whenever it is asked, so that only ranks need to be kept.
    fn expand(
        &self,
        candidates: &[Candidate],
        number: usize,
        step: Step,
        parent: usize,
    ) -> Result<Vec<Decided>, GenotypeError> {
        let purpose = format!("progressive level {} step {number}", self.level);
        let mut rng = self.context.seed.stream(parent as u64, &purpose);
        let limit = (CANDIDATES / candidates.len().max(1)).max(1);
        step.expand(self.context.space, &candidates[parent].decided, limit, &mut rng)
    }

    /// The ranks with the best of them, some times as many as are trained, ranked anew by what is known of them for
    /// nothing; and who ranked them.
    fn informed(
        &self,
        candidates: &[Candidate],
        number: usize,
        step: Step,
        mut ranks: Vec<Rank>,
        model: Option<Model>,
    ) -> Result<(Vec<Rank>, Option<Model>), GenotypeError> {
        if !self.config.features.figures || self.context.space.figure_names().is_empty() {
            return Ok((ranks, model));
        }
        let Some(informed) = self.fit(self.config.features) else { return Ok((ranks, model)) };
        let rest = ranks.split_off(ranks.len().min(LOOKED_UP.max(WIDTH * self.beam())));
        let children = self.children(candidates, number, step, &ranks)?;
        let decided: Vec<Decided> = children.into_iter().map(|child| child.decided).collect();
        let scores = informed.predict(self.context, &decided);
        ranks.iter_mut().zip(scores).for_each(|(rank, score)| rank.score = score);
        ranks.sort_by(|a, b| b.score.total_cmp(&a.score));
        ranks.extend(rest);
        Ok((ranks, Some(informed)))
    }

    /// The candidates at these ranks.
    fn children(
        &self,
        candidates: &[Candidate],
        number: usize,
        step: Step,
        ranks: &[Rank],
    ) -> Result<Vec<Candidate>, GenotypeError> {
        let mut places: HashMap<usize, Vec<usize>> = HashMap::new();
        for (place, rank) in ranks.iter().enumerate() {
            places.entry(rank.parent).or_default().push(place);
        }
        let remake = |(parent, places): (usize, Vec<usize>)| {
            let mut children = self.expand(candidates, number, step, parent)?;
            let take = |place: usize| {
                let none = Decided { genotype: Default::default(), active: Vec::new() };
                (place, std::mem::replace(&mut children[ranks[place].child], none))
            };
            Ok(places.into_iter().map(take).collect())
        };
        let remade: Vec<Vec<(usize, Decided)>> =
            places.into_par_iter().map(remake).collect::<Result<_, GenotypeError>>()?;
        let mut remade: Vec<(usize, Decided)> = remade.into_iter().flatten().collect();
        remade.sort_by_key(|(place, _)| *place);
        let parent = |place: usize| candidates[ranks[place].parent].parent;
        Ok(remade.into_iter().map(|(place, decided)| Candidate { decided, parent: parent(place) }).collect())
    }

    /// The best that are new, no two of them isomorphic: of several drawings of one candidate the best predicted.
    fn chosen(
        &mut self,
        candidates: &[Candidate],
        number: usize,
        step: Step,
        ranks: &[Rank],
        model: Option<&Model>,
    ) -> Result<Vec<Proposal>, GenotypeError> {
        let beam = self.beam();
        let mut proposals = Vec::with_capacity(beam);
        for ranks in ranks.chunks(4 * beam) {
            let children = self.children(candidates, number, step, ranks)?;
            let decided: Vec<Decided> = children.iter().map(|child| child.decided.clone()).collect();
            let keys = self.keys(&decided);
            for ((child, key), rank) in children.into_iter().zip(keys).zip(ranks) {
                if proposals.len() < beam && key.is_some_and(|key| self.unseen.add(&key)) {
                    let predicted = model.map(|model| model.scale.score(rank.score));
                    proposals.push(self.proposal(child.decided, Some(child.parent), predicted));
                }
            }
            if proposals.len() == beam {
                break;
            }
        }
        Ok(proposals)
    }

    /// Their identities; `None` for those that are no programs or break the constraints.
    fn keys(&self, decided: &[Decided]) -> Vec<Option<Key>> {
        let space = self.context.space;
        let key = |decided: &Decided| match space.admits(&decided.genotype) {
            Ok(true) => space.key(&decided.genotype).ok(),
            Ok(false) | Err(_) => None,
        };
        decided.par_iter().map(key).collect()
    }

    fn proposal(&self, decided: Decided, parent: Option<TrialId>, predicted: Option<f64>) -> Proposal {
        let (level, count) = (self.level, self.levels.count());
        let mut note =
            if level <= count { format!("level {level} of {count}") } else { format!("level {level}") };
        if let Some(score) = predicted {
            let (metric, value) = match &self.history.objectives[0] {
                Objective::Maximize(metric) => (metric, score),
                Objective::Minimize(metric) => (metric, -score),
            };
            note += &format!(", predicted {metric} {value:.4}");
        }
        Proposal { genotype: decided.genotype, fidelity: self.context.fidelity, parent, note }
    }
}

impl Model {
    /// What is expected of candidates; nothing of those that are no programs.
    fn predict(&self, context: &Context, children: &[Decided]) -> Vec<f64> {
        let describe = |child: &Decided| {
            self.encoding.describe_decided(context.space, &child.genotype, &child.active).ok()
        };
        let features: Vec<Option<Features>> = children.iter().map(describe).collect();
        let seen: Vec<Features> = features.iter().flatten().cloned().collect();
        let mut predictions = self.surrogate.predict_all(&seen).into_iter();
        let mut expected =
            |_: &Features| predictions.next().map_or(f64::NEG_INFINITY, |it: Prediction| it.mean);
        features.iter().map(|seen| seen.as_ref().map_or(f64::NEG_INFINITY, &mut expected)).collect()
    }
}
