//! One-shot search: candidates are judged by weights that they all share, so that none needs a training of its own.
//!
//! Pham et al. 2018 (ENAS), <https://arxiv.org/abs/1802.03268>: the networks of a space have most of their parts in
//! common, and a part that is trained with one of them serves the others. The weights of all parts together are the
//! space's parameter bank, the [`Supernet`]; a step trains the few that one candidate needs. So the whole search costs
//! about as much as one training.
//!
//! A one-shot search has two halves. First [`OneShot::train`] trains the shared weights, and with them a policy where
//! the method has one; both are kept in one checkpoint, from which an interrupted training goes on. Then candidates are
//! proposed as by any other algorithm, at fidelity 0: no epochs of their own, but a look at the validation pictures with
//! the shared weights. What is proposed follows from the checkpoint and the history alone.
//!
//! # What is the same again
//! Every step draws its pictures and whatever is random from its own number, and a checkpoint holds every bit that later
//! steps depend on: with a budget of steps or epochs, an interrupted training ends exactly as an undisturbed one. With a
//! budget of seconds it goes on from its checkpoint too, but how many steps fit is the machine's affair.

mod autohas;
mod controller;
mod course;
mod decoding;
mod enas;
mod paths;
mod proposals;
mod single_path;
#[cfg(test)]
mod toy;

pub use autohas::{AutoHas, CostTarget};
pub use course::Budget;
pub use decoding::Decoding;
pub use enas::Enas;
pub use single_path::SinglePath;
#[cfg(test)]
pub(super) use toy::Toy;

use super::Context;
use crate::space::GenotypeError;
use crate::trial::{Fidelity, Objective, Supernet, SupernetError};

/// What a candidate spends that is judged by the shared weights: nothing of its own.
pub const SHARED: Fidelity = Fidelity(0);

/// How the training of shared weights goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sharing {
    /// Steps done.
    pub step: u64,
    /// How much of the budget is spent, in [0, 1].
    pub share: f64,
    /// The moving mean of rewards, where the method has rewards.
    pub reward: Option<f64>,
}

/// Hears how the training of shared weights goes on, and says whether it should.
pub type Hear<'a> = dyn FnMut(&Sharing) -> bool + 'a;

/// The half of a one-shot search that comes before its proposals.
pub trait OneShot {
    /// Trains the shared weights to the end of the budget, or goes on from their checkpoint; `false` where `hear` asked
    /// to stop, for which a checkpoint is kept too.
    ///
    /// # Errors
    /// [`OneShotError`]: no candidate can be trained, or the checkpoint cannot be read or written.
    fn train(
        &mut self,
        context: &Context,
        objectives: &[Objective],
        supernet: &mut dyn Supernet,
        hear: &mut Hear,
    ) -> Result<bool, OneShotError>;
}

/// Why shared weights were not trained.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OneShotError {
    /// The space yields no candidate.
    #[error(transparent)]
    Space(#[from] GenotypeError),
    /// The weights cannot be trained.
    #[error(transparent)]
    Supernet(#[from] SupernetError),
    /// One candidate after another could not be trained.
    #[error("{count} candidates in a row could not be trained, the last of them so: {last}")]
    Hopeless {
        /// How many.
        count: u32,
        /// Why the last could not.
        last: String,
    },
}

/// Proposals were asked for before there are shared weights.
fn untrained(name: &str) -> GenotypeError {
    GenotypeError(format!(
        "`{name}` proposes by weights that all candidates share, and nothing here trains them: search with \
         `cellwright search` and the evaluator `Train`"
    ))
}
