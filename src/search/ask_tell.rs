//! Ask and tell: a search for whoever owns the loop.
//!
//! [`AskTell::ask`] yields a trial to evaluate, [`AskTell::tell`] takes what came of it, and [`AskTell::incumbent`] is
//! the candidate that the algorithm believes best. Several trials may be under way at once, told in any order. Nothing
//! is stored and nothing runs in the background; the same asks and tells give the same trials, and a search goes on from
//! the trials of an earlier one ([`AskTell::with_history`]).

use std::collections::BTreeSet;

use super::{Algorithm, Context, Next, SearchAlgorithm, SearchError};
use crate::random::Seed;
use crate::space::{Key, Space};
use crate::trial::{Fidelity, History, Metrics, Names, Objective, Trial, TrialId, TrialState};

mod error;
#[cfg(test)]
mod tests;
pub use error::AskTellError;

/// A search in which the caller evaluates.
///
/// ```
/// use cellwright::search::{Algorithm, AskTell, RegularizedEvolution};
/// use cellwright::space::hyper::{float, one_of};
/// use cellwright::trial::Objective;
/// use cellwright::{Seed, Space};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Training { batch: usize, learning_rate: f64 }
///
/// // Stands for a training of your own: the best learning rate is 0.01, and small batches learn more.
/// fn accuracy(training: &Training) -> f64 {
///     0.9 - 0.05 * (training.learning_rate.log10() + 2.0).powi(2) - 0.0001 * training.batch as f64
/// }
///
/// let space = Space::of(&Training { batch: 64, learning_rate: 0.1 })?
///     .rebind("batch", one_of([32, 64, 128]))?
///     .rebind("learning_rate", float(1e-4, 1.0).log())?;
/// let evolution = Algorithm::RegularizedEvolution(RegularizedEvolution::default());
/// let mut search = AskTell::new(&space, &evolution, Objective::Maximize("accuracy".into()))
///     .with_trials(60)
///     .with_seed(Seed(7));
///
/// while let Some(trial) = search.ask()? {
///     let training: Training = space.decode(&trial.proposal.genotype)?;
///     search.tell(trial.id, [("accuracy", accuracy(&training))])?;
/// }
///
/// let best = search.incumbent().expect("60 trials were told");
/// let best: Training = space.decode(&best.proposal.genotype)?;
/// assert_eq!(best.batch, 32);
/// assert!((0.003..0.03).contains(&best.learning_rate), "{}", best.learning_rate);
/// # Ok::<(), cellwright::Error>(())
/// ```
///
/// Several at once: ask as often as there are hands, and tell whatever ends.
///
/// ```
/// use cellwright::Space;
/// use cellwright::search::{Algorithm, AskTell, Random};
/// use cellwright::trial::Objective;
///
/// let space = Space::untyped(&"(width: OneOf([8, 16, 32]), depth: Int(1, 4))".parse()?)?;
/// let random = Algorithm::Random(Random::default());
/// let mut search = AskTell::new(&space, &random, Objective::Minimize("loss".into()));
/// let first = search.ask()?.expect("a trial");
/// let second = search.ask()?.expect("another trial");
/// search.tell(second.id, [("loss", 0.3), ("seconds", 12.0)])?;
/// search.tell_failure(first.id, "out of memory")?;
/// assert_eq!(search.incumbent().map(|trial| trial.id), Some(second.id));
///
/// // Kept wherever you like, and gone on with:
/// let stored = serde_json::to_string(search.trials())?;
/// let mut resumed = AskTell::new(&space, &random, Objective::Minimize("loss".into()))
///     .with_history(serde_json::from_str(&stored)?)?;
/// assert_eq!(resumed.ask()?, search.ask()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AskTell<'a> {
    setting: Setting<'a>,
    algorithm: Box<dyn SearchAlgorithm>,
    trials: Vec<Trial>,
    pending: BTreeSet<TrialId>,
    names: Names,
}

/// What an algorithm is told besides the history, the same for all trials.
struct Setting<'a> {
    space: &'a Space,
    objectives: Vec<Objective>,
    seed: Seed,
    trials: u64,
    fidelity: Fidelity,
    fidelities: Vec<Fidelity>,
}

impl Setting<'_> {
    fn context(&self, trial: TrialId) -> Context<'_> {
        Context {
            space: self.space,
            seed: self.seed,
            trial,
            trials: self.trials,
            fidelity: self.fidelity,
            fidelities: &self.fidelities,
        }
    }

    fn history<'h>(&'h self, trials: &'h [Trial]) -> History<'h> {
        History { trials, objectives: &self.objectives }
    }
}

impl<'a> AskTell<'a> {
    /// A search of 100 trials by one objective, from seed 0, all at fidelity 1.
    pub fn new(space: &'a Space, algorithm: &Algorithm, objective: Objective) -> AskTell<'a> {
        AskTell::with_algorithm(space, algorithm.start(), objective)
    }

    /// The same by an algorithm of the caller's own.
    pub fn with_algorithm(
        space: &'a Space,
        algorithm: Box<dyn SearchAlgorithm>,
        objective: Objective,
    ) -> AskTell<'a> {
        let (fidelity, fidelities) = (Fidelity(1), Vec::new());
        let setting =
            Setting { space, objectives: vec![objective], seed: Seed(0), trials: 100, fidelity, fidelities };
        AskTell { setting, algorithm, trials: Vec::new(), pending: BTreeSet::new(), names: Names::default() }
    }

    /// How many trials may be asked for in all. Algorithms plan with it, so say what you mean to spend.
    pub fn with_trials(mut self, trials: u64) -> Self {
        self.setting.trials = trials;
        self
    }

    /// The source of all the algorithm's randomness.
    pub fn with_seed(mut self, seed: Seed) -> Self {
        self.setting.seed = seed;
        self
    }

    /// One objective more; the first one ranks.
    pub fn with_objective(mut self, objective: Objective) -> Self {
        self.setting.objectives.push(objective);
        self
    }

    /// The most that a trial may spend, and the fidelities that can be evaluated, ascending (none where all can).
    pub fn with_fidelity(mut self, fidelity: Fidelity, fidelities: impl Into<Vec<Fidelity>>) -> Self {
        (self.setting.fidelity, self.setting.fidelities) = (fidelity, fidelities.into());
        self
    }

    /// Goes on from the trials of an earlier search with the same settings, as if it had never stopped. Trials that are
    /// still pending are to be evaluated and told: [`AskTell::pending`].
    ///
    /// # Errors
    /// [`AskTellError::History`] for trials that are not numbered from 0 without gaps, or not of this space.
    pub fn with_history(mut self, trials: Vec<Trial>) -> Result<Self, AskTellError> {
        for (place, trial) in trials.iter().enumerate() {
            let misfit = |problem| AskTellError::History { place, problem };
            if trial.id != place as TrialId {
                return Err(misfit(format!("its number is {}", trial.id)));
            }
            self.setting
                .space
                .validate(&trial.proposal.genotype)
                .map_err(|error| misfit(error.to_string()))?;
        }
        let pending = trials.iter().filter(|trial| trial.state == TrialState::Pending);
        self.pending = pending.map(|trial| trial.id).collect();
        self.trials = trials;
        Ok(self)
    }

    /// The next trial to evaluate. `None` where there is none now: the search is over, unless trials are pending, for
    /// some algorithms wait for their results; then ask again after telling.
    ///
    /// # Errors
    /// [`SearchError`]: the space yields no candidate, or the algorithm waits for nothing.
    pub fn ask(&mut self) -> Result<Option<Trial>, SearchError> {
        while (self.trials.len() as u64) < self.setting.trials {
            let id = self.trials.len() as TrialId;
            let history = self.setting.history(&self.trials);
            let next = self.algorithm.propose(&self.setting.context(id), &history);
            let proposal = match next.map_err(|problem| SearchError::NoCandidate { trial: id, problem })? {
                Next::Run(proposal) => proposal,
                Next::Wait if self.pending.is_empty() => {
                    return Err(SearchError::Stuck { trials: self.trials.len() });
                }
                Next::Wait | Next::Done => return Ok(None),
            };
            // What has no key cannot be built: it fails as itself, and is nobody's duplicate.
            let (key, state) = match self.setting.space.key(&proposal.genotype) {
                Ok(key) => (key, TrialState::Pending),
                Err(problem) => (
                    Key::of(&format!("none: {}", proposal.genotype)),
                    TrialState::Failed(problem.to_string()),
                ),
            };
            let trial = Trial { id, proposal, key, state, seconds: 0.0 };
            self.trials.push(trial.clone());
            if trial.state == TrialState::Pending {
                self.pending.insert(id);
                return Ok(Some(trial));
            }
        }
        Ok(None)
    }

    /// Ends a trial with its figures. The objective must be among them; where it is not a number, the trial has failed.
    /// `seconds`, where told, is the time that the trial took.
    ///
    /// # Errors
    /// [`AskTellError::NotAsked`], [`AskTellError::ToldBefore`], [`AskTellError::NoObjective`]; the search stays as it was.
    pub fn tell(
        &mut self,
        id: TrialId,
        metrics: impl IntoIterator<Item = (impl Into<String>, f64)>,
    ) -> Result<(), AskTellError> {
        let metrics: Metrics = metrics.into_iter().map(|(name, figure)| (name.into(), figure)).collect();
        let mut names = self.setting.objectives.iter().map(Objective::metric);
        if let Some(missing) = names.find(|name| !metrics.contains_key(name)) {
            let (metric, told) = (missing.into(), metrics.keys().cloned().collect());
            return Err(AskTellError::NoObjective { trial: id, metric, told });
        }
        let seconds = metrics.get("seconds").copied().unwrap_or_default();
        let state = match crate::trial::unfit(&metrics, &self.setting.objectives) {
            Some(reason) => TrialState::Failed(reason),
            None => TrialState::Finished(metrics),
        };
        self.end(id, state, seconds)
    }

    /// Ends a trial that came to nothing.
    ///
    /// # Errors
    /// [`AskTellError::NotAsked`], [`AskTellError::ToldBefore`]; the search stays as it was.
    pub fn tell_failure(&mut self, id: TrialId, reason: impl Into<String>) -> Result<(), AskTellError> {
        self.end(id, TrialState::Failed(reason.into()), 0.0)
    }

    /// Ends a trial as what became of it, whatever figures it has.
    pub(super) fn end(&mut self, id: TrialId, state: TrialState, seconds: f64) -> Result<(), AskTellError> {
        let asked = self.trials.len();
        let trial = usize::try_from(id).ok().and_then(|index| self.trials.get_mut(index));
        let trial = trial.ok_or(AskTellError::NotAsked { trial: id, asked })?;
        if !self.pending.remove(&id) {
            return Err(AskTellError::ToldBefore { trial: id });
        }
        (trial.state, trial.seconds) = (state, seconds);
        trial.state.share(&mut self.names);
        Ok(())
    }

    /// The trial of the candidate that the algorithm believes best, by all that it was told; `None` before any result.
    pub fn incumbent(&mut self) -> Option<&Trial> {
        let history = self.setting.history(&self.trials);
        let id = self.algorithm.incumbent(&self.setting.context(self.trials.len() as TrialId), &history)?;
        self.trials.get(usize::try_from(id).ok()?)
    }

    /// The trial with the best reading, lucky or not.
    pub fn best(&self) -> Option<&Trial> {
        self.setting.history(&self.trials).best()
    }

    /// All trials by id: what to store, and to go on from.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// The trials that were asked for and not told, by id.
    pub fn pending(&self) -> impl Iterator<Item = &Trial> {
        self.pending.iter().map(|id| &self.trials[*id as usize])
    }
}
