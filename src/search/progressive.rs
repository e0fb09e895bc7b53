//! Progressive neural architecture search (PNAS).
//!
//! Liu et al. 2018, <https://arxiv.org/abs/1712.00559>: begin with the simplest cells, train them all, and learn from
//! them to predict what a cell is worth; then grow every cell of the beam by every possible block, train the K of them
//! that are predicted best, learn from all so far, and go on. So a space of 10¹² cells is searched with some hundred
//! trainings, since most of a large cell's worth shows in its parts.
//!
//! Over a program with a `Prefix` a level is one block more. Over any other the first level is random, and every
//! further level decides the next few decisions of its parents in every possible way. After the last level, where the
//! study still has trials to give, the best candidates so far are varied in one decision, as many a level as before or, where
//! that is more, a tenth of the trials so far: the time of a proposal, on the mean, does not grow with the history.

use serde::{Deserialize, Serialize};

use super::planner::Planner;
use super::surrogate::{FeatureSet, Predictor};
use super::unseen::Unseen;
use super::{Configure, Context, Next, SearchAlgorithm};
use crate::space::GenotypeError;
use crate::trial::{History, Proposal, Trial, TrialState};

/// PNAS. What is left out is chosen so that the study's trials suffice for all levels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Progressive {
    /// A published choice of all figures that are left out.
    pub preset: Option<Preset>,
    /// Candidates trained on each level after the first. By default the trials that the first level leaves, shared
    /// equally, at most PNAS's 256.
    pub beam: Option<usize>,
    /// Candidates trained on the first level, at most. By default all one-block cells where the trials allow, else an
    /// equal share of the trials; over a program without a `Prefix` as many as on any other level.
    pub first: Option<usize>,
    /// Levels: the most blocks that are grown. By default as many as the program allows, and over a program without
    /// a `Prefix` one for every eight trials, 2 to 6.
    pub levels: Option<usize>,
    /// What predicts; by default PNAS's networks, whose learning rate holds from the second fit on.
    pub surrogate: Predictor,
    /// What it gets to see of a candidate.
    pub features: FeatureSet,
    /// The networks' learning rate for their first fit, which has only the simplest candidates to learn from; other
    /// surrogates have no such rate.
    pub first_learning_rate: f64,
}

impl Default for Progressive {
    fn default() -> Progressive {
        Progressive {
            preset: None,
            beam: None,
            first: None,
            levels: None,
            surrogate: Predictor::default(),
            features: FeatureSet::default(),
            first_learning_rate: 0.01,
        }
    }
}

/// A published choice of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Preset {
    /// Liu et al. 2018: five blocks, K = 256, all one-block cells; 1,160 trials for cells of 8 ops.
    Pnas,
}

impl Progressive {
    /// The paper's own figures: [`Preset::Pnas`].
    pub fn pnas() -> Progressive {
        Progressive { preset: Some(Preset::Pnas), ..Progressive::default() }
    }

    /// With the preset's figures where there are none of its own.
    fn figures(&self) -> Progressive {
        match self.preset {
            None => self.clone(),
            Some(Preset::Pnas) => Progressive {
                beam: self.beam.or(Some(PNAS_BEAM)),
                first: self.first.or(Some(usize::MAX)),
                levels: self.levels.or(Some(5)),
                ..self.clone()
            },
        }
    }
}

/// PNAS's K.
pub(super) const PNAS_BEAM: usize = 256;

impl Configure for Progressive {
    fn start(&self) -> Box<dyn SearchAlgorithm> {
        Box::new(Climb { config: self.figures(), unseen: Unseen::default(), plan: None })
    }
}

/// The search under way. The plan of a level follows from the trials before it, whose notes say which level they are of.
struct Climb {
    config: Progressive,
    unseen: Unseen,
    plan: Option<Plan>,
}

/// What one level trains, in order.
struct Plan {
    level: usize,
    /// The number of trials before the level's first.
    start: usize,
    proposals: Vec<Proposal>,
}

impl SearchAlgorithm for Climb {
    fn propose(&mut self, context: &Context, history: &History) -> Result<Next, GenotypeError> {
        self.unseen.read(history);
        let trials = history.trials;
        if trials.last().is_some_and(|trial| trial.proposal.note == LEFT_OVER) {
            return self.left_over(context);
        }
        let current = trials.iter().rev().find_map(level_of);
        if let Some(level) = current {
            let before = trials.iter().rposition(|trial| level_of(trial) != Some(level));
            let start = match &self.plan {
                Some(plan) if plan.level == level && plan.start < trials.len() => plan.start,
                _ => before.map_or(0, |before| before + 1),
            };
            if let Some(proposal) = self.planned(context, history, level, start)? {
                return Ok(Next::Run(proposal));
            }
            if trials[start..].iter().any(|trial| trial.state == TrialState::Pending) {
                return Ok(Next::Wait);
            }
        }
        let next = current.map_or(1, |level| level + 1);
        match self.planned(context, history, next, trials.len())? {
            Some(proposal) => Ok(Next::Run(proposal)),
            None => self.left_over(context),
        }
    }
}

/// The note of candidates that no level reaches.
const LEFT_OVER: &str = "random, for no level has anything new";

/// The level that a trial was planned for.
pub(super) fn level_of(trial: &Trial) -> Option<usize> {
    let rest = trial.proposal.note.strip_prefix("level ")?;
    rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())].parse().ok()
}

impl Climb {
    /// The next proposal of a level that began after `start` trials; `None` where all are made.
    fn planned(
        &mut self,
        context: &Context,
        history: &History,
        level: usize,
        start: usize,
    ) -> Result<Option<Proposal>, GenotypeError> {
        if self.plan.as_ref().is_none_or(|plan| (plan.level, plan.start) != (level, start)) {
            let before = History { trials: &history.trials[..start], objectives: history.objectives };
            let proposals = Planner::new(&self.config, context, before, level).plan()?;
            self.plan = Some(Plan { level, start, proposals });
        }
        let made = history.trials.len() - start;
        Ok(self.plan.as_ref().and_then(|plan| plan.proposals.get(made)).cloned())
    }

    fn left_over(&mut self, context: &Context) -> Result<Next, GenotypeError> {
        let mut rng = context.seed.stream(context.trial, "progressive left over");
        let genotype = self.unseen.random(context, &mut rng)?;
        Ok(genotype.map_or(Next::Done, |genotype| {
            Next::Run(Proposal { genotype, fidelity: context.fidelity, parent: None, note: LEFT_OVER.into() })
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::{ask, small_networks, spaces, study};
    use super::*;
    use crate::search::Algorithm;
    use crate::search::surrogate::Forest;
    use crate::space::Gene;
    use crate::symbolic;

    fn levels(trials: &[Trial]) -> Vec<usize> {
        trials.iter().map(|trial| level_of(trial).unwrap_or(0)).collect()
    }

    fn config() -> Progressive {
        Progressive { surrogate: small_networks(), ..Progressive::default() }
    }

    #[test]
    fn levels_share_the_trials() {
        let trials = study(&spaces::cell(), &Algorithm::Progressive(config()), 24);
        assert_eq!(levels(&trials), [[1; 8], [2; 8], [3; 8]].concat());
        let trials = study(&spaces::wide(), &Algorithm::Progressive(config()), 24);
        assert_eq!(levels(&trials), [[1; 8], [2; 8], [3; 8]].concat());
    }

    #[test]
    fn every_surrogate_may_predict_whatever_it_is_shown() {
        let space = spaces::constrained();
        let text = "Progressive(surrogate: Forest(trees: 10), features: (labels: true, paths: true, graph: true, cost: true))";
        let forest: Algorithm = symbolic::from_value(&text.parse().unwrap()).unwrap();
        let all = FeatureSet { labels: true, paths: true, graph: true, cost: true, ..FeatureSet::default() };
        let surrogate = Predictor::Forest(Forest { trees: 10, ..Forest::default() });
        assert_eq!(
            forest,
            Algorithm::Progressive(Progressive { surrogate, features: all, ..Progressive::default() })
        );
        for name in Predictor::available().filter(|name| !["Mlp", "EmbeddedMlp", "Lstm"].contains(name)) {
            let surrogate = symbolic::from_value(&symbolic::Value::unit(name)).unwrap();
            let config = Progressive { surrogate, features: all, ..Progressive::default() };
            let trials = study(&space, &Algorithm::Progressive(config), 12);
            let predicted =
                trials.iter().filter(|trial| trial.proposal.note.contains("predicted accuracy 0."));
            assert_eq!((trials.len(), predicted.count()), (12, 6), "{name}");
        }
    }

    #[test]
    fn given_figures_are_kept_and_the_best_are_varied_beyond_the_last_level() {
        let config = Progressive { beam: Some(3), first: Some(5), levels: Some(2), ..config() };
        let trials = study(&spaces::cell(), &Algorithm::Progressive(config), 13);
        assert_eq!(levels(&trials), [1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4]);
        assert!(
            trials[5].proposal.note.starts_with("level 2 of 2, predicted accuracy 0."),
            "{}",
            trials[5].proposal.note
        );
    }

    #[test]
    fn pnas_trains_all_cells_of_one_block_and_then_256_a_level() {
        let parsed: Algorithm = "Progressive(preset: Pnas)".parse().expect("an algorithm");
        assert_eq!(parsed, Algorithm::Progressive(Progressive::pnas()));
        let trials = study(
            &spaces::cell(),
            &Algorithm::Progressive(Progressive { surrogate: small_networks(), ..Progressive::pnas() }),
            60,
        );
        // 36 of one block, with a rate beside them; the next level is of 256 and not of what is left.
        assert_eq!(levels(&trials), [[1; 36].as_slice(), &[2; 24]].concat());
        // A program without a `Prefix` has no simplest candidates: a first level like the others.
        let preset = Progressive { beam: Some(9), surrogate: small_networks(), ..Progressive::pnas() };
        let trials = study(&spaces::wide(), &Algorithm::Progressive(preset), 20);
        assert_eq!(levels(&trials), [[1; 9].as_slice(), &[2; 9], &[3; 2]].concat());
        let figures = Progressive { beam: Some(9), ..Progressive::pnas() }.figures();
        assert_eq!((figures.beam, figures.first, figures.levels), (Some(9), Some(usize::MAX), Some(5)));
    }

    #[test]
    fn cells_grow_out_of_cells_of_the_level_before() {
        let trials = study(&spaces::cell(), &Algorithm::Progressive(config()), 24);
        let blocks = |trial: &Trial| match &trial.proposal.genotype.0[0] {
            Gene::Choice(more, blocks) => (*more as usize + 1, blocks.clone()),
            other => panic!("{other} is no cell"),
        };
        for trial in &trials[8..] {
            let parent = &trials[trial.proposal.parent.expect("grown from a cell") as usize];
            let ((length, cell), (before, smaller)) = (blocks(trial), blocks(parent));
            assert_eq!((length, before), (level_of(trial).unwrap(), length - 1));
            assert_eq!(cell[..smaller.len()], smaller[..]);
        }
    }

    #[test]
    fn the_next_level_waits_for_every_trial_of_the_one_before() {
        let space = spaces::cell();
        let config = Algorithm::Progressive(config());
        let mut trials = study(&space, &config, 24);
        trials.truncate(8);
        assert!(matches!(ask(&space, &config, &trials, 24), Next::Run(_)));
        let state = std::mem::replace(&mut trials[3].state, TrialState::Pending);
        assert_eq!(ask(&space, &config, &trials, 24), Next::Wait);
        trials[3].state = TrialState::Failed("diverged".into());
        assert!(matches!(ask(&space, &config, &trials, 24), Next::Run(_)));
        trials[3].state = state;
        assert!(matches!(ask(&space, &config, &trials[..7], 24), Next::Run(_)));
    }
}
