//! Single-path one-shot: uniform training, then evolution on the trained supernet.
//!
//! Guo et al. 2020 (SPOS), <https://arxiv.org/abs/1904.00420>: the shared weights learn with candidates that are drawn
//! evenly, so that no early favourite starves the others. Only then is searched: evolution proposes candidates, and each
//! is judged on the validation pictures with the shared weights, the statistics of its norms counted anew. Hyperparameters
//! are held: numbers at the middle of their scales, choices at their first candidates.
//!
//! A trial is one candidate of the evolution, whose generations are read off the history: the first is random, and half
//! of every later one are mutants, half crosses of the best candidates so far.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::course::Budget;
use super::enas::WIDTHS;
use super::paths::Paths;
use super::proposals::{self, run};
use super::{Hear, OneShot, OneShotError, SHARED, untrained};
use crate::random::Rng;
use crate::search::one_shot::course::Course;
use crate::search::unseen::Unseen;
use crate::search::{Configure, Context, Next, SearchAlgorithm};
use crate::space::{Genotype, GenotypeError, Space};
use crate::trial::{History, Objective, Proposal, Supernet, Trial, TrialState};

/// Single-path one-shot search. Guo et al. take 20 generations: 1,000 trials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SinglePath {
    /// When the training of the shared weights ends.
    pub budget: Budget,
    /// Candidates of a generation.
    pub population: usize,
    /// Candidates that may be parents: the best of all so far.
    pub parents: usize,
    /// The probability with which a mutant's decision is drawn anew.
    pub mutation: f64,
}

impl Default for SinglePath {
    fn default() -> SinglePath {
        SinglePath { budget: Budget::Epochs(100), population: 50, parents: 10, mutation: 0.1 }
    }
}

impl Configure for SinglePath {
    fn start(&self) -> Box<dyn SearchAlgorithm> {
        Box::new(Search { config: self.clone(), paths: None, unseen: Unseen::default() })
    }
}

struct Search {
    config: SinglePath,
    paths: Option<Paths>,
    unseen: Unseen,
}

/// Draws that may repeat before a random candidate takes their place.
const DRAWS: usize = 50;

impl OneShot for Search {
    fn train(
        &mut self,
        context: &Context,
        _objectives: &[Objective],
        supernet: &mut dyn Supernet,
        hear: &mut Hear,
    ) -> Result<bool, OneShotError> {
        let paths = Paths::of(context.space, WIDTHS, false);
        let budget = self.config.budget;
        let mut course = Course::start(budget, context, &paths, supernet)?;
        let done = course.run(budget, hear, &mut |course, moment| {
            // The policy never learns: it draws evenly.
            let drawn = course.draw(&mut course.stream(moment, "one-shot path"))?;
            course.update(&drawn, moment).map(drop)
        })?;
        self.paths = done.then_some(paths);
        Ok(done)
    }
}

impl SearchAlgorithm for Search {
    fn propose(&mut self, context: &Context, history: &History) -> Result<Next, GenotypeError> {
        self.unseen.read(history);
        let paths = self.paths.as_ref().ok_or_else(|| untrained("single_path"))?;
        let mut rng = context.seed.stream(context.trial, "one-shot candidate");
        let population = self.config.population.max(2);
        let (generation, member) = (context.trial as usize / population, context.trial as usize % population);
        let earlier = &history.trials[..generation * population];
        if earlier.iter().any(|trial| trial.state == TrialState::Pending) {
            return Ok(Next::Wait);
        }
        let parents = self.parents(history, earlier);
        let mutates = member < population / 2;
        for _ in 0..if parents.is_empty() { 0 } else { DRAWS } {
            let child = if mutates {
                self.mutant(paths, context.space, &parents, &mut rng)?
            } else {
                cross(context.space, &parents, &mut rng)
            };
            if let Some((genotype, parent, note)) =
                child.filter(|(genotype, ..)| self.is_new(context, genotype))
            {
                let parent = Some(parent.id);
                return Ok(Next::Run(Proposal { genotype, fidelity: SHARED, parent, note }));
            }
        }
        let even = even(paths, context, &mut rng, |genotype| self.is_new(context, genotype))?;
        if let Some(genotype) = even {
            return Ok(run(genotype, "random"));
        }
        let genotype = self.unseen.random(context, &mut rng)?;
        Ok(genotype.map_or(Next::Done, |genotype| run(genotype, "random")))
    }

    fn one_shot(&mut self) -> Option<&mut dyn OneShot> {
        Some(self)
    }
}

/// A child, the first of its parents, and what it is.
type Child<'a> = (Genotype, &'a Trial, String);

impl Search {
    fn is_new(&self, context: &Context, genotype: &Genotype) -> bool {
        proposals::is_new(&self.unseen, context, genotype)
    }

    /// The best of earlier generations; of equals the first.
    fn parents<'t>(&self, history: &History, earlier: &'t [Trial]) -> Vec<&'t Trial> {
        let mut scored: Vec<(f64, &Trial)> =
            earlier.iter().filter_map(|trial| Some((history.score(trial)?, trial))).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.id.cmp(&b.1.id)));
        scored.into_iter().take(self.config.parents.max(1)).map(|(_, trial)| trial).collect()
    }

    fn mutant<'t>(
        &self,
        paths: &Paths,
        space: &Space,
        parents: &[&'t Trial],
        rng: &mut Rng,
    ) -> Result<Option<Child<'t>>, GenotypeError> {
        let parent = parents[rng.random_range(0..parents.len())];
        let held = space.active(&parent.proposal.genotype)?;
        let genotype = paths.build(space, |decision| {
            let kind = &space.decisions()[decision].kind;
            let old = held.iter().find(|(other, _)| *other == decision).map(|(_, draw)| draw);
            match old {
                Some(draw) if rng.random::<f64>() >= self.config.mutation => draw.clone(),
                _ => kind.draw(rng),
            }
        })?;
        Ok(Some((genotype, parent, format!("mutant of {}", parent.id))))
    }
}

/// An even draw that is new; `None` where draws repeat.
fn even(
    paths: &Paths,
    context: &Context,
    rng: &mut Rng,
    is_new: impl Fn(&Genotype) -> bool,
) -> Result<Option<Genotype>, GenotypeError> {
    for _ in 0..DRAWS {
        let genotype =
            paths.build(context.space, |decision| context.space.decisions()[decision].kind.draw(rng))?;
        if is_new(&genotype) {
            return Ok(Some(genotype));
        }
    }
    Ok(None)
}

fn cross<'t>(space: &Space, parents: &[&'t Trial], rng: &mut Rng) -> Option<Child<'t>> {
    let [a, b] = std::array::from_fn(|_| parents[rng.random_range(0..parents.len())]);
    // An error says that no cross keeps to the constraints: other parents may have one.
    let genotype = space.crossover(&a.proposal.genotype, &b.proposal.genotype, rng).ok()?;
    Some((genotype, a, format!("cross of {} and {}", a.id, b.id)))
}

#[cfg(test)]
mod tests {
    use super::super::super::contract::{spaces, study};
    use super::*;
    use crate::search::Algorithm;

    #[test]
    fn generations_descend_from_the_best_of_those_before() {
        let config = SinglePath { budget: Budget::Steps(3), population: 10, parents: 3, mutation: 0.1 };
        let trials = study(&spaces::wide(), &Algorithm::SinglePath(config), 40);
        let objectives = [Objective::Maximize("accuracy".into())];
        let history = History { trials: &trials, objectives: &objectives };
        let best = |trials: &[Trial]| {
            let mut scores: Vec<f64> = trials.iter().filter_map(|trial| history.score(trial)).collect();
            scores.sort_by(|a, b| b.total_cmp(a));
            scores
        };
        assert!(trials[..10].iter().all(|trial| trial.proposal.note == "random"));
        for trial in &trials[10..] {
            let parent = trial.proposal.parent.expect("a parent") as usize;
            let start = trial.id as usize / 10 * 10;
            assert!(parent < start && history.score(&trials[parent]).unwrap() >= best(&trials[..start])[2]);
            let word = if (trial.id as usize - start) < 5 { "mutant" } else { "cross" };
            assert!(trial.proposal.note.starts_with(word), "{}", trial.proposal.note);
        }
        assert!(best(&trials[30..])[0] > best(&trials[..10])[0]);
    }
}
