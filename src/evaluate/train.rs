//! Really trains candidates: what the other evaluators stand in for.

use serde::{Deserialize, Serialize};

use super::{Evaluate, Prepare};
use crate::data::Source;
use crate::error::Error;
use crate::space::Space;

/// Trains each candidate by its own recipe; fidelity counts epochs.
///
/// A search-time trial learns from the training split and reports `accuracy` and `loss` on the validation split. The
/// last training of a winner learns from both, and reports `test_accuracy` and `test_loss`, looking at the test split
/// once.
///
/// A one-shot search trains weights that all candidates share; at fidelity 0, its candidates are judged by those. Each step
/// follows the whole recipe of the candidate that takes it. What counts epochs there (`schedule`, `progressive`) goes by
/// the share of the search's own budget, and `ema` averages the shared weights, by which candidates are then judged.
///
/// ```
/// use cellwright::evaluate::Train;
///
/// let train: Train = ron::from_str("(data: Digits, limit: 500)")?;
/// assert_eq!((train.limit, train.threads), (500, 1));
/// # Ok::<(), ron::error::SpannedError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Train {
    /// What to learn.
    pub data: Source,
    /// Largest number of training pictures of a search-time trial; 0 for all. The last training takes all.
    #[serde(default)]
    pub limit: usize,
    /// Largest number of validation pictures; 0 for all.
    #[serde(default)]
    pub validation_limit: usize,
    /// Processor threads of one training. Two trainings side by side (`workers`) on one thread each are faster than one
    /// on two. Figures repeat to the bit only with an equal number of threads.
    #[serde(default = "one")]
    pub threads: usize,
    /// Whether a candidate that goes on to a higher fidelity goes on with its training. All its trials are then parts of
    /// one training of the study's full fidelity, whose learning rates they follow: lower rungs are cheaper, and their
    /// figures those of a training that is cut off.
    #[serde(default)]
    pub resume: bool,
    /// Whether a child starts from its parent's weights wherever name and shape agree: of a mutant, all but what changed.
    /// Each trial then reports as `inherited` which share of its weights that is, and adds its epochs to its parent's.
    #[serde(default)]
    pub inherit: bool,
    /// Threads that load pictures, where they stay in their files or are cropped and scaled or go through RandAugment; 0
    /// for as many as the machine has cores. Figures do not depend on it.
    #[serde(default)]
    pub loaders: usize,
}

fn one() -> usize {
    1
}

/// What a search-time trial reports.
const METRICS: &[&str] = &["accuracy", "loss", "train_loss", "params", "macs"];
/// What it reports besides where children start from their parents' weights.
const INHERITED: &str = "inherited";

impl Prepare for Train {
    fn reports(&self) -> Vec<&str> {
        let inherited = self.inherit.then_some(INHERITED);
        METRICS.iter().copied().chain(inherited).collect()
    }

    #[cfg(feature = "train")]
    fn prepare(&self, _space: &Space) -> Result<Box<dyn Evaluate>, Error> {
        Ok(Box::new(trainer::Trainer::new(self)?))
    }

    #[cfg(not(feature = "train"))]
    fn prepare(&self, _space: &Space) -> Result<Box<dyn Evaluate>, Error> {
        Err(Error::WithoutTraining)
    }
}

#[cfg(feature = "train")]
mod supernet;
#[cfg(feature = "train")]
mod trainer;
