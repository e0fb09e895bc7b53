//! What trials hand on to each other in the run folder: weights to children, trainings to promotions.
//!
//! What a trial may have is decided by numbers alone, never by which files happen to be there: an interrupted search
//! evaluates every trial as an undisturbed one would. A promotion continues the training of its candidate's first trial,
//! by that trial's seed; its checkpoint is a cache, and where it is gone the training starts over and comes to the same.
//! A child's parent is one of the last [`KEPT`] trials, whose weights are kept; older ones go, and whoever descends from
//! them starts afresh.

use std::path::{Path, PathBuf};

use super::retrain::discard;
use crate::evaluate::{Heritage, Inherits};
use crate::trial::{Fidelity, Trial, TrialId, TrialState};

/// How many trials' weights and checkpoints are kept.
const KEPT: u64 = 256;

/// What a trial is evaluated with.
pub(super) struct Estate {
    /// The trial whose seed counts: its own, or the first of its candidate's training.
    pub root: TrialId,
    pub checkpoint: Option<PathBuf>,
    pub heritage: Option<Heritage>,
}

impl Estate {
    /// What trial `id` has of the earlier ones; `source` tells whose evaluation stands behind a trial's figures.
    pub fn of(
        inherits: Inherits,
        folder: &Path,
        trials: &[Trial],
        id: TrialId,
        full: Fidelity,
        source: impl Fn(&Trial) -> TrialId,
    ) -> Estate {
        let trial = &trials[id as usize];
        let root = if inherits.promotions { root(trials, trial) } else { id };
        // A trial on the highest rung that was never lower leaves nothing to go on from.
        let is_part = inherits.promotions && (root != id || trial.proposal.fidelity < full);
        let parent = inherits.children.then(|| parent(trials, trial)).flatten().map(source);
        let parent = parent.filter(|parent| parent + KEPT > id);
        let heritage = Heritage {
            whole: is_part.then_some(full.max(trial.proposal.fidelity)),
            parent: parent.map(|parent| weights(folder, parent)),
            leave: inherits.children.then(|| weights(folder, id)),
        };
        Estate {
            root,
            checkpoint: is_part.then(|| checkpoint(folder, root)),
            heritage: (heritage != Heritage::default()).then_some(heritage),
        }
    }

    /// Removes what no trial can have any more once trial `id` is proposed, with so many under way.
    pub fn settle(inherits: Inherits, folder: &Path, id: TrialId, workers: usize) {
        if let Some(old) = id.checked_sub(KEPT + workers as u64) {
            if inherits.children {
                discard(&weights(folder, old));
            }
            if inherits.promotions {
                discard(&checkpoint(folder, old));
            }
        }
    }
}

/// The first trial of the training that this one is a part of.
fn root(trials: &[Trial], trial: &Trial) -> TrialId {
    let mut root = trial;
    while let Some(parent) = root.proposal.parent.and_then(|parent| trials.get(parent as usize)) {
        if parent.key != root.key || parent.proposal.fidelity >= root.proposal.fidelity {
            break;
        }
        root = parent;
    }
    root.id
}

/// The trial that this one is a child of: of another candidate, and evaluated as far.
fn parent<'t>(trials: &'t [Trial], trial: &Trial) -> Option<&'t Trial> {
    let parent = trials.get(trial.proposal.parent? as usize)?;
    let is_finished = matches!(parent.state, TrialState::Finished(_));
    let as_far = parent.proposal.fidelity == trial.proposal.fidelity;
    (is_finished && as_far && parent.key != trial.key).then_some(parent)
}

fn weights(folder: &Path, trial: TrialId) -> PathBuf {
    folder.join("weights").join(format!("trial-{trial}"))
}

fn checkpoint(folder: &Path, root: TrialId) -> PathBuf {
    folder.join("checkpoints").join(format!("search-{root}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{Genotype, Key};
    use crate::trial::{Metrics, Proposal};

    const BOTH: Inherits = Inherits { promotions: true, children: true };

    fn trial(id: u64, key: &str, fidelity: u32, parent: Option<u64>) -> Trial {
        let genotype = Genotype::default();
        let proposal = Proposal { genotype, fidelity: Fidelity(fidelity), parent, note: String::new() };
        Trial {
            id,
            proposal,
            key: Key::of(key),
            state: TrialState::Finished(Metrics::default()),
            seconds: 0.0,
        }
    }

    fn estate(inherits: Inherits, trials: &[Trial], id: u64) -> Estate {
        Estate::of(inherits, Path::new("run"), trials, id, Fidelity(9), |trial| trial.id)
    }

    #[test]
    fn a_promotion_goes_on_by_the_seed_and_in_the_file_of_its_first_trial() {
        let trials = [
            trial(0, "a", 1, None),
            trial(1, "b", 1, None),
            trial(2, "a", 3, Some(0)),
            trial(3, "a", 9, Some(2)),
        ];
        for id in [0, 2, 3] {
            let met = estate(BOTH, &trials, id);
            assert_eq!((met.root, met.checkpoint), (0, Some("run/checkpoints/search-0".into())));
            assert_eq!(met.heritage.unwrap().whole, Some(Fidelity(9)));
        }
        let none = estate(Inherits::default(), &trials, 3);
        assert_eq!((none.root, none.checkpoint, none.heritage), (3, None, None));
        let at_once = estate(Inherits { promotions: true, children: false }, &[trial(0, "a", 9, None)], 0);
        assert_eq!((at_once.root, at_once.checkpoint, at_once.heritage), (0, None, None));
    }

    #[test]
    fn a_child_takes_the_weights_of_a_parent_that_is_not_too_old() {
        let mut trials: Vec<Trial> = (0..300).map(|id| trial(id, &id.to_string(), 9, None)).collect();
        for (id, parent) in [(5, 2), (258, 2), (259, 3)] {
            trials[id].proposal.parent = Some(parent);
        }
        let parent = |id| estate(BOTH, &trials, id).heritage.unwrap().parent;
        assert_eq!(parent(5), Some("run/weights/trial-2".into()));
        assert_eq!((parent(258), parent(259), parent(6)), (None, None, None));
        assert_eq!(parent(258 - 1), None, "it has no parent");
        trials[2].state = TrialState::Failed("diverged".into());
        assert_eq!(estate(BOTH, &trials, 5).heritage.unwrap().parent, None);
        assert_eq!(estate(BOTH, &trials, 5).heritage.unwrap().leave, Some("run/weights/trial-5".into()));
    }
}
