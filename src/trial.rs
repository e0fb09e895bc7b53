//! The words that search, evaluation and storage share.

use serde::{Deserialize, Serialize};

use crate::space::{Genotype, Key};

mod metrics;
pub use metrics::Metrics;
pub(crate) use metrics::Names;

/// A trial's number in its study, from 0, in the order of proposing.
pub type TrialId = u64;

/// How much is spent on a trial, in the evaluator's own unit (epochs for training).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fidelity(pub u32);

/// What an algorithm wants evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The candidate.
    pub genotype: Genotype,
    /// How much to spend on it.
    pub fidelity: Fidelity,
    /// The trial it derives from: the parent of a mutation, or the same candidate at a lower fidelity.
    pub parent: Option<TrialId>,
    /// The algorithm's own words, kept with the trial: `level 2, predicted 0.913`.
    pub note: String,
}

/// What became of a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TrialState {
    /// Proposed and not yet ended; redone if its process dies.
    Pending,
    /// Evaluated.
    Finished(Metrics),
    /// Stopped on the way, for it had no hope.
    Stopped(Box<Stopped>),
    /// Ended without figures: it diverged, panicked, ran out of memory, or its candidate could not be built.
    Failed(String),
}

/// How a trial stood when it was stopped on the way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stopped {
    /// How much of its fidelity was spent.
    pub at: Fidelity,
    /// The figures there.
    pub metrics: Metrics,
    /// What the objectives were expected to come to at the end, from what other trials made of theirs: what algorithms
    /// learn from, for figures on the way do not compare with those at the end.
    pub expected: Metrics,
}

impl TrialState {
    /// What was measured, at the end or where the trial was stopped; `None` for pending and failed trials.
    pub fn metrics(&self) -> Option<&Metrics> {
        match self {
            TrialState::Finished(metrics) => Some(metrics),
            TrialState::Stopped(stopped) => Some(&stopped.metrics),
            TrialState::Pending | TrialState::Failed(_) => None,
        }
    }

    /// Makes the figures share their names with those of other trials.
    pub(crate) fn share(&mut self, names: &mut Names) {
        match self {
            TrialState::Finished(metrics) => names.share(metrics),
            TrialState::Stopped(stopped) => {
                names.share(&mut stopped.metrics);
                names.share(&mut stopped.expected);
            }
            TrialState::Pending | TrialState::Failed(_) => {}
        }
    }

    /// What compares with the figures of whole evaluations: those measured at the end, or for a trial that was stopped
    /// the expected objectives. `None` for pending and failed trials.
    pub fn whole(&self) -> Option<&Metrics> {
        match self {
            TrialState::Finished(metrics) => Some(metrics),
            TrialState::Stopped(stopped) => Some(&stopped.expected),
            TrialState::Pending | TrialState::Failed(_) => None,
        }
    }
}

/// One evaluation of one candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Its number.
    pub id: TrialId,
    /// What was asked for.
    pub proposal: Proposal,
    /// The candidate's identity up to isomorphism.
    pub key: Key,
    /// What became of it.
    pub state: TrialState,
    /// Wall-clock time of the evaluation, `wall_seconds` in rankings; 0 while pending. An evaluator may report `seconds`
    /// of its own among the metrics, such as what a training took that a table has measured.
    pub seconds: f64,
}

impl Trial {
    /// The fidelity that its figures are of: what was asked for, or what it came to where it was stopped.
    pub fn reached(&self) -> Fidelity {
        match &self.state {
            TrialState::Stopped(stopped) => stopped.at,
            _ => self.proposal.fidelity,
        }
    }
}

impl Proposal {
    /// Gives back the memory that was set aside for more.
    pub(crate) fn shrink(&mut self) {
        self.genotype.shrink();
        self.note.shrink_to_fit();
    }
}

/// Where in the training of shared weights a step stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Its number, from 0: what its pictures and all that is random in it are drawn by.
    pub step: u64,
    /// How much of the training lies before it, in [0, 1]: where learning rates stand on their schedules.
    pub share: f64,
}

/// Weights that all candidates of a space share: what one-shot searches train. A candidate's weights are those whose
/// name and shape its network asks for, so that what two networks have in common is trained with both.
pub trait Supernet {
    /// One optimizer step of a candidate, by its own hyperparameters, on the shared weights; its figures on the training
    /// batch before it.
    ///
    /// # Errors
    /// [`SupernetError::Candidate`] for a candidate that cannot be trained, which leaves the weights as they were.
    fn update(&mut self, genotype: &Genotype, moment: Moment) -> Result<Metrics, SupernetError>;

    /// What a candidate is worth on a batch of validation pictures, after `updates` optimizer steps by its own
    /// hyperparameters on a copy of its weights. The shared weights stay as they are.
    ///
    /// # Errors
    /// [`SupernetError::Candidate`] for a candidate that cannot be trained.
    fn worth(&mut self, genotype: &Genotype, moment: Moment, updates: u32) -> Result<Metrics, SupernetError>;

    /// How many steps of this candidate go through the training pictures once.
    ///
    /// # Errors
    /// [`SupernetError::Candidate`] for a candidate that cannot be trained.
    fn steps_an_epoch(&mut self, genotype: &Genotype) -> Result<u64, SupernetError>;

    /// Keeps weights, optimizers and `notes` such that a kill leaves either the old checkpoint or the new one.
    ///
    /// # Errors
    /// [`SupernetError::Broken`] where nothing can be written.
    fn keep(&mut self, notes: &[u8]) -> Result<(), SupernetError>;

    /// Goes back to what was kept last; its notes, or `None` where nothing was.
    ///
    /// # Errors
    /// [`SupernetError::Broken`] for a checkpoint that is damaged or another search's.
    fn restore(&mut self) -> Result<Option<Vec<u8>>, SupernetError>;
}

/// Why shared weights cannot be trained.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SupernetError {
    /// A candidate's fault: the next may do better.
    #[error("{0}")]
    Candidate(String),
    /// Nothing can go on.
    #[error("{0}")]
    Broken(String),
}

/// A metric and which way is better: `Maximize("accuracy")`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Objective {
    /// More is better.
    Maximize(String),
    /// Less is better.
    Minimize(String),
}

impl Objective {
    /// The metric's name.
    pub fn metric(&self) -> &str {
        match self {
            Objective::Maximize(metric) | Objective::Minimize(metric) => metric,
        }
    }

    /// The metric as a score of which more is always better; `None` where it is missing or not a number.
    pub fn score(&self, metrics: &Metrics) -> Option<f64> {
        let value = *metrics.get(self.metric())?;
        let score = if matches!(self, Objective::Maximize(_)) { value } else { -value };
        (!score.is_nan()).then_some(score)
    }

    /// Why a figure of this name says nothing of how good a candidate is, if it does not. An infinitely bad one does: it
    /// ranks last.
    pub(crate) fn refuses(&self, name: &str, figure: f64) -> Option<String> {
        let best = if matches!(self, Objective::Maximize(_)) { f64::INFINITY } else { f64::NEG_INFINITY };
        match figure {
            nan if nan.is_nan() => Some(format!("`{name}` is not a number: it diverged")),
            value if value == best => {
                Some(format!("`{name}` is {value}: nothing is infinitely good, so it was measured wrongly"))
            }
            _ => None,
        }
    }
}

/// Why figures cannot be ranked: one of the objectives is missing, not a number, or better than anything can be.
pub(crate) fn unfit(metrics: &Metrics, objectives: &[Objective]) -> Option<String> {
    objectives.iter().find_map(|objective| match metrics.get(objective.metric()) {
        None => Some(format!("the evaluator reported no `{}`", objective.metric())),
        Some(value) => objective.refuses(objective.metric(), *value),
    })
}

/// What an algorithm may look at when it proposes: trials `0..len`, by id, with what became of them.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    /// All trials, by id without gaps; the last few may be pending.
    pub trials: &'a [Trial],
    /// What to optimise, most important first; never empty.
    pub objectives: &'a [Objective],
}

impl<'a> History<'a> {
    /// The score of a trial by the first objective: more is better; of one that was stopped the expected one. `None` for
    /// pending and failed trials.
    pub fn score(&self, trial: &Trial) -> Option<f64> {
        self.objectives[0].score(trial.state.whole()?)
    }

    /// The score of a trial by every objective: more is better; `None` where it lacks one.
    pub fn scores(&self, trial: &Trial) -> Option<Vec<f64>> {
        let metrics = trial.state.whole()?;
        self.objectives.iter().map(|objective| objective.score(metrics)).collect()
    }

    /// The trial of the best score among those of the highest fidelity that any trial reached; of equals the first.
    pub fn best(&self) -> Option<&'a Trial> {
        let fidelity = self.scored().map(|(trial, _)| trial.reached()).max()?;
        let full = self.scored().filter(|(trial, _)| trial.reached() == fidelity);
        full.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(trial, _)| trial)
    }

    /// All trials that have a score with it, by id.
    pub fn scored(&self) -> impl Iterator<Item = (&'a Trial, f64)> + use<'a> {
        let history = *self;
        history.trials.iter().filter_map(move |trial| Some((trial, history.score(trial)?)))
    }
}
