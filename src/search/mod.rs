//! Search algorithms: what to evaluate next, given what was evaluated.
//!
//! To add one: write `x.rs` (the paper and the idea in three sentences, the configuration with its defaults, the
//! trait, tests), and add its `mod` line and its line in the table below.

use crate::family::family;
use crate::random::Seed;
use crate::space::{GenotypeError, Space};
use crate::trial::{Fidelity, History, Objective, Proposal, TrialId};

/// What an algorithm is told besides the history.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The space.
    pub space: &'a Space,
    /// The study's seed; draw from `seed.stream(trial, "purpose")`.
    pub seed: Seed,
    /// The id that the proposal will get.
    pub trial: TrialId,
    /// How many trials the study may have in all.
    pub trials: u64,
    /// The fidelity of a search-time trial: the most that one may spend.
    pub fidelity: Fidelity,
    /// The fidelities that the evaluator knows, ascending; none where it knows every one.
    pub fidelities: &'a [Fidelity],
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Evaluate this.
    Run(Proposal),
    /// Nothing can be proposed before a pending trial ends; ask again then.
    Wait,
    /// The space or the algorithm is exhausted.
    Done,
}

/// Proposes candidates. A proposal is a pure function of context and history: whatever `self` keeps is a cache that
/// can be made again from them, so that a resumed search goes on exactly as if it had never stopped.
pub trait SearchAlgorithm: Send {
    /// The next step.
    ///
    /// # Errors
    /// Where the space cannot yield a candidate, such as constraints that nothing satisfies.
    fn propose(&mut self, context: &Context, history: &History) -> Result<Next, GenotypeError>;

    /// The trial of the candidate that is believed best, for the best of many noisy readings is a lucky one: by default by
    /// a Gaussian process over all trials, the one of [`Bayesian`]; where trials are of several fidelities by the best reading
    /// of the highest, whose candidates were mostly read before. A pure function, too.
    fn incumbent(&mut self, context: &Context, history: &History) -> Option<TrialId> {
        bayesian::believed_best(context, history)
    }

    /// The half of it that comes before its first proposal, for algorithms that judge candidates by weights which all of
    /// them share; others have none.
    fn one_shot(&mut self) -> Option<&mut dyn OneShot> {
        None
    }

    /// What it saw in a study and how it will search, in a line; `None` for what searches every study alike.
    fn explain(&self, _context: &Context, _objectives: &[Objective]) -> Option<String> {
        None
    }
}

/// An algorithm's configuration: makes the algorithm.
pub trait Configure {
    /// A fresh algorithm, before any trial.
    fn start(&self) -> Box<dyn SearchAlgorithm>;
}

mod ask_tell;
pub use ask_tell::{AskTell, AskTellError};
mod auto;
pub use auto::{Auto, Choice};
mod bananas;
pub use bananas::Bananas;
mod bayesian;
pub use bayesian::Bayesian;
mod cholesky;
#[cfg(test)]
mod contract;
mod controller;
#[cfg(feature = "train")]
pub use controller::Recurrent;
pub use controller::{Controller, Method, PolicyKind, Ppo};
mod error;
pub use error::SearchError;
mod gauge;
mod gaussian;
mod grid;
pub use grid::Grid;
mod ledger;
mod levels;
pub use levels::grown;
mod local_search;
pub use local_search::LocalSearch;
mod multi_fidelity;
pub use multi_fidelity::MultiFidelity;
#[cfg(not(feature = "train"))]
mod needs_training;
#[cfg(not(feature = "train"))]
pub use needs_training::NeedsTraining;
mod nsga2;
pub use nsga2::Nsga2;
pub mod one_shot;
pub use one_shot::{AutoHas, Budget, Enas, OneShot, SinglePath};
mod order;
mod planner;
mod progressive;
pub use progressive::{Preset, Progressive};
mod random;
pub use random::Random;
mod ranks;
mod regularized_evolution;
pub use regularized_evolution::RegularizedEvolution;
mod successive_halving;
pub use successive_halving::{Mode, SuccessiveHalving};
pub mod surrogate;
mod unseen;

family! {
    /// A search algorithm with its configuration.
    pub enum Algorithm: Configure {
        /// The default: chooses by space, budget and objectives.
        Auto(Auto) = "auto",
        /// Uniform draws without repeats.
        Random(Random) = "random",
        /// Every candidate in order, numbers at a few places of their scale.
        Grid(Grid) = "grid",
        /// Climbing to the first better neighbour, with restarts.
        LocalSearch(LocalSearch) = "local_search",
        /// PNAS: from simple cells to larger ones, a surrogate choosing which to train.
        Progressive(Progressive) = "progressive",
        /// Ageing evolution: the best of a few has a mutated child, the oldest dies.
        RegularizedEvolution(RegularizedEvolution) = "regularized_evolution",
        /// An ensemble of networks that sees paths, independent Thompson sampling.
        Bananas(Bananas) = "bananas",
        /// Gaussian process over decisions and cells, upper confidence bound.
        Bayesian(Bayesian) = "bayesian",
        /// Gaussian process over decisions, cells and fidelities, which also chooses how much to spend on each trial.
        MultiFidelity(MultiFidelity) = "multi_fidelity",
        /// Policy gradients: what was worth more than before becomes more probable.
        Controller(Controller) = "controller",
        /// Evolution towards the Pareto front of several objectives.
        Nsga2(Nsga2) = "nsga2",
        /// Many candidates for little, the best of them for more: a scheduler round any other algorithm.
        SuccessiveHalving(SuccessiveHalving) = "successive_halving",
        /// One-shot: architecture and hyperparameters by one policy on weights that all candidates share.
        AutoHas(AutoHas) = "auto_has",
        /// One-shot: the architecture by a policy that takes turns with the shared weights.
        Enas(Enas) = "enas",
        /// One-shot: evolution on shared weights that were trained evenly.
        SinglePath(SinglePath) = "single_path",
    }
}
