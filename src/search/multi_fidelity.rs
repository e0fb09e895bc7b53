//! Bayesian optimisation that also chooses how much to spend on each trial.
//!
//! Swersky et al. 2013, <https://papers.nips.cc/paper/5086-multi-task-bayesian-optimization>: one Gaussian process over
//! candidates and fidelities learns from short trainings as much as they turn out to tell of full ones. As in MOBSTER
//! (Klein et al. 2020, <https://arxiv.org/abs/2003.10865>) the process and not a rank decides who goes on. The candidate
//! is the one that may be best at the full fidelity, exactly as in [`Bayesian`]; then it is tried on that rung, above all
//! that it was tried on, where a trial explains most of what is unknown of its full worth, for what it costs.
//!
//! So a candidate goes on as long as it may be the best of all, and no further. Short trainings that tell little of full
//! ones are seen through once a few candidates were tried on both, and from then on trials are full ones. The incumbent is
//! the candidate of which most is expected at the full fidelity, whatever it was tried on. After some hundred trials those
//! that are learnt from, the best of every rung and some of the others, are those that may go on; the rest do once nothing
//! is new.
//!
//! The rungs are those of [`SuccessiveHalving`](super::SuccessiveHalving), and as there every step is a trial of its own,
//! so that a study needs several times as many; a trial is taken to cost its share of the full fidelity. Where there is
//! but one rung it is [`Bayesian`] itself.

use serde::{Deserialize, Serialize};

use super::bayesian::Search;
use super::successive_halving::{at_least_two, rungs};
use super::{Bayesian, Configure, Context, SearchAlgorithm};

/// Bayesian optimisation on several rungs.
///
/// ```
/// use cellwright::search::{Algorithm, AskTell, MultiFidelity};
/// use cellwright::trial::{Fidelity, Objective};
/// use cellwright::Space;
///
/// let space = Space::untyped(&"(width: OneOf([8, 16, 32]), depth: Int(1, 9))".parse()?)?;
/// let algorithm = Algorithm::MultiFidelity(MultiFidelity::default());
/// let mut search = AskTell::new(&space, &algorithm, Objective::Maximize("accuracy".into()))
///     .with_fidelity(Fidelity(27), []);
/// // The first candidates are trained shortly.
/// assert_eq!(search.ask()?.map(|trial| trial.proposal.fidelity), Some(Fidelity(1)));
/// # Ok::<(), cellwright::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MultiFidelity {
    /// Random trials on the lowest rung before the process is asked. By default a quarter of the study's trials, 3 to 5.
    pub first: Option<usize>,
    /// How much a candidate's uncertainty counts against what is expected of it, in standard deviations.
    pub curiosity: f64,
    /// Every rung has so many times the fidelity of the one below; at least 2.
    #[serde(deserialize_with = "at_least_two")]
    pub eta: u32,
    /// The fidelity of the lowest rung, or more, in the evaluator's unit. By default such that there are at most four
    /// rungs.
    pub min_fidelity: Option<u32>,
}

impl Default for MultiFidelity {
    fn default() -> MultiFidelity {
        MultiFidelity { first: None, curiosity: 2.0, eta: 3, min_fidelity: None }
    }
}

impl Configure for MultiFidelity {
    fn start(&self) -> Box<dyn SearchAlgorithm> {
        let bayesian = Bayesian { first: self.first, curiosity: self.curiosity };
        let (eta, least) = (self.eta, self.min_fidelity);
        Box::new(Search::new(bayesian, move |context: &Context| rungs(eta, least, context)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Algorithm;
    use super::super::contract::{FULL, affording, schedules_alike, spaces, study, study_on_rungs, truth};
    use super::*;
    use crate::trial::{Fidelity, TrialState};

    fn config() -> Algorithm {
        Algorithm::MultiFidelity(MultiFidelity::default())
    }

    #[test]
    fn on_one_rung_it_is_bayesian() {
        let bayesian = Algorithm::Bayesian(Bayesian::default());
        assert_eq!(study(&spaces::small(), &config(), 6), study(&spaces::small(), &bayesian, 6));
        let space = spaces::conditional();
        assert_eq!(study(&space, &config(), 9), study(&space, &bayesian, 9));
    }

    #[test]
    fn it_goes_on_after_interruptions() {
        schedules_alike(&spaces::conditional(), &config());
    }

    #[test]
    fn candidates_only_climb_and_the_small_space_ends_at_the_top() {
        let (trials, done) = study_on_rungs(&spaces::small(), &config(), 100, 1);
        assert!(done);
        for (number, trial) in trials.iter().enumerate() {
            let own = trials[..number].iter().rfind(|earlier| earlier.key == trial.key);
            if let Some(own) = own {
                assert!(own.proposal.fidelity < trial.proposal.fidelity);
                assert_eq!(trial.proposal.parent, Some(own.id));
            }
        }
        assert!(trials.iter().all(|trial| matches!(trial.state, TrialState::Finished(_))));
        assert_eq!(trials.iter().filter(|trial| trial.proposal.fidelity == FULL).count(), 6);
        assert_eq!(trials[0].proposal.fidelity, Fidelity(1));
    }

    #[test]
    #[cfg_attr(debug_assertions, ignore = "many proposals: runs with --release")]
    fn at_the_same_cost_it_finds_more_than_full_trials_alone() {
        // Full trainings that there is time for. Over 200 seeds the mean is .788 beside .740 with 4, .849 beside .847 with 8,
        // and from 12 on full trials alone are as good.
        const COST: u32 = 4;
        let space = spaces::wide();
        let found = |config: &Algorithm, trials: u64| {
            let best = |seed| {
                let trials = affording(study_on_rungs(&space, config, trials, seed).0, COST);
                let full = trials.iter().filter(|trial| trial.proposal.fidelity == FULL);
                full.map(|trial| truth(&space, trial)).fold(0.0, f64::max)
            };
            (0..60).map(best).sum::<f64>() / 60.0
        };
        let full = found(&Algorithm::Bayesian(Bayesian::default()), COST.into());
        let several = found(&config(), 150);
        assert!(several > full, "{several} is no more than {full}");
    }
}
