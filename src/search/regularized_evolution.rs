//! Regularized evolution.
//!
//! Real et al. 2019, <https://arxiv.org/abs/1802.01548>: of a few members of the population, drawn at random, the best
//! has a mutated child, and the oldest member dies, however good. So nothing survives by one lucky evaluation, and what
//! lasts must keep proving itself through its children.
//!
//! The population is the last trials of the history, and nothing else is kept: it survives any interruption. Trials
//! that failed or have not ended are members that never win.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::unseen::Unseen;
use super::{Configure, Context, Next, SearchAlgorithm};
use crate::random::Rng;
use crate::space::{Genotype, GenotypeError};
use crate::trial::{History, Proposal, Trial, TrialId};

/// Ageing evolution. Real et al. take a population of 100 and samples of 25 for 20,000 trials.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegularizedEvolution {
    /// Members of the population; the first ones are random. By default a quarter of the study's trials, 4 to 100.
    pub population: Option<usize>,
    /// Members drawn, with return, of which the best is the parent. By default a quarter of the population, at least 2.
    pub sample: Option<usize>,
}

impl Configure for RegularizedEvolution {
    fn start(&self) -> Box<dyn SearchAlgorithm> {
        Box::new(Evolution { config: self.clone(), unseen: Unseen::default() })
    }
}

struct Evolution {
    config: RegularizedEvolution,
    unseen: Unseen,
}

/// Mutants of one tournament's winner that may repeat before another tournament is held.
const MUTANTS: usize = 10;

/// Tournaments that may end without a new mutant before a random candidate takes its place.
const TOURNAMENTS: usize = 10;

impl SearchAlgorithm for Evolution {
    fn propose(&mut self, context: &Context, history: &History) -> Result<Next, GenotypeError> {
        self.unseen.read(history);
        let mut rng = context.seed.stream(context.trial, "regularized evolution");
        let size = self.population(context);
        if let Some((genotype, parent)) = self.child(context, history, size, &mut rng) {
            let note = format!("child of {parent}");
            return Ok(run(context, genotype, Some(parent), note));
        }
        let genotype = self.unseen.random(context, &mut rng)?;
        Ok(genotype.map_or(Next::Done, |genotype| run(context, genotype, None, "random".into())))
    }
}

impl Evolution {
    fn population(&self, context: &Context) -> usize {
        self.config.population.unwrap_or_else(|| (context.trials / 4).clamp(4, 100) as usize).max(1)
    }

    /// A mutant that the study has not tried, and its parent; `None` while the population is not complete, and where no
    /// member has a score or all mutants repeat.
    fn child(
        &self,
        context: &Context,
        history: &History,
        size: usize,
        rng: &mut Rng,
    ) -> Option<(Genotype, TrialId)> {
        let population = &history.trials[history.trials.len().checked_sub(size)?..];
        let sample = self.config.sample.unwrap_or(size.div_ceil(4).max(2)).max(1);
        for _ in 0..TOURNAMENTS {
            let parent = winner(history, population, sample, rng)?;
            let mutate = || context.space.mutate(&parent.proposal.genotype, rng);
            // An error says that no mutant keeps to the constraints: another parent may have one.
            if let Ok(Some(child)) = self.unseen.first(context.space, MUTANTS, mutate) {
                return Some((child, parent.id));
            }
        }
        None
    }
}

/// The best of `sample` members drawn with return; drawn again while none of them has a score and any member has one.
fn winner<'a>(history: &History, population: &'a [Trial], sample: usize, rng: &mut Rng) -> Option<&'a Trial> {
    population.iter().find(|member| history.score(member).is_some())?;
    loop {
        let drawn = (0..sample).map(|_| &population[rng.random_range(0..population.len())]);
        let scored = drawn.filter_map(|member| Some((history.score(member)?, member)));
        // Of equals the first drawn: `max_by` would take the last.
        let best = scored.reduce(|best, next| if next.0 > best.0 { next } else { best });
        if let Some((_, member)) = best {
            return Some(member);
        }
    }
}

fn run(context: &Context, genotype: Genotype, parent: Option<TrialId>, note: String) -> Next {
    Next::Run(Proposal { genotype, fidelity: context.fidelity, parent, note })
}

#[cfg(test)]
mod tests {
    use super::super::contract::{spaces, study};
    use super::*;
    use crate::search::Algorithm;
    use crate::trial::Objective;

    fn config(population: usize, sample: usize) -> Algorithm {
        Algorithm::RegularizedEvolution(RegularizedEvolution {
            population: Some(population),
            sample: Some(sample),
        })
    }

    #[test]
    fn parents_are_the_best_of_the_last_trials_and_never_older() {
        let space = spaces::wide();
        // So many draws with return that the best member of five is among them.
        let trials = study(&space, &config(5, 100), 40);
        assert!(trials[..5].iter().all(|trial| trial.proposal.parent.is_none()));
        let score = |trial: &Trial| {
            History { trials: &[], objectives: &[Objective::Maximize("accuracy".into())] }.score(trial)
        };
        for trial in &trials[5..] {
            let population = &trials[trial.id as usize - 5..trial.id as usize];
            let best = population.iter().filter_map(score).fold(0.0, f64::max);
            let parent = trial.proposal.parent.expect("a child");
            assert!(parent + 5 >= trial.id, "{parent} has died before {}", trial.id);
            assert_eq!(score(&trials[parent as usize]), Some(best));
            let (child, parent) = (&trial.proposal.genotype, &trials[parent as usize].proposal.genotype);
            let changed = child.0.iter().zip(&parent.0).filter(|(a, b)| a != b).count();
            assert_eq!(changed, 1, "{child} differs from {parent} in one decision");
        }
    }

    #[test]
    fn a_population_of_nothing_but_failures_is_no_end() {
        let space = spaces::flat();
        let mut trials = study(&space, &config(4, 2), 8);
        trials.iter_mut().for_each(|trial| trial.state = crate::trial::TrialState::Failed("diverged".into()));
        assert!(
            winner(
                &History { trials: &trials, objectives: &[Objective::Maximize("accuracy".into())] },
                &trials,
                2,
                &mut crate::random::Seed(1).stream(0, "test")
            )
            .is_none()
        );
    }
}
