//! Local search.
//!
//! White et al. 2020, <https://arxiv.org/abs/2005.02960>, and Ottelander et al. 2020, <https://arxiv.org/abs/2004.08996>:
//! stand on the best of a few random candidates, try its neighbours (one decision changed) in random order, and move to
//! the first that is better; where none is, the search starts again from new random candidates. On spaces of cells with
//! little noise nothing so simple does better, for good cells lie close together and local optima are few.
//!
//! Neighbours that the study knows already cost nothing: where one of them is better, the search moves there at once.
//! The walk is made again from the trials: a climb is told by the notes of its first candidates, and the order of a
//! candidate's neighbours follows from the number of its trial.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::unseen::Unseen;
use super::{Configure, Context, Next, SearchAlgorithm};
use crate::space::{Genotype, GenotypeError, Key};
use crate::trial::{History, Proposal, Trial, TrialId, TrialState};

/// Climbing by first improvement, with restarts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LocalSearch {
    /// Random candidates that every climb starts from the best of, at least 1. White et al. take 10; with 3 the first
    /// climb begins earlier, and ends as high.
    pub starts: usize,
}

impl Default for LocalSearch {
    fn default() -> LocalSearch {
        LocalSearch { starts: 3 }
    }
}

impl Configure for LocalSearch {
    fn start(&self) -> Box<dyn SearchAlgorithm> {
        Box::new(Climber { config: self.clone(), ..Climber::default() })
    }
}

#[derive(Default)]
struct Climber {
    config: LocalSearch,
    unseen: Unseen,
    /// The trial of each candidate, and how many trials were read for it.
    known: HashMap<Key, TrialId>,
    read: usize,
    /// The neighbours of candidates that were stood on.
    around: HashMap<TrialId, Vec<(Key, Genotype)>>,
    /// The number of the last climb, from 1, and the trials that it started from.
    climb: usize,
    starts: Vec<TrialId>,
    way: Way,
}

/// As much of a climb as no trial that has not ended can change.
#[derive(Clone, Copy, Default)]
struct Way {
    /// Where it started.
    from: TrialId,
    /// Where it stands.
    stand: TrialId,
    /// How many neighbours of that are known to be no better, from the first on.
    passed: usize,
}

/// What a climb has come to.
enum Stand {
    /// A neighbour of this trial is to be tried.
    Try(TrialId, Genotype),
    /// Every neighbour is worse, or is not yet known to be better.
    Stuck { waiting: bool },
}

impl SearchAlgorithm for Climber {
    fn propose(&mut self, context: &Context, history: &History) -> Result<Next, GenotypeError> {
        self.read(history);
        let climb = self.climb;
        let starts: Vec<&Trial> = self.starts.iter().map(|id| &history.trials[*id as usize]).collect();
        if starts.len() < self.config.starts.max(1) {
            return self.start(context, climb.max(1));
        }
        let best = starts.iter().filter_map(|trial| Some((history.score(trial)?, *trial)));
        // Of equals the first.
        let Some((_, best)) = best.reduce(|best, next| if next.0 > best.0 { next } else { best }) else {
            return match starts.iter().any(|trial| trial.state == TrialState::Pending) {
                true => Ok(Next::Wait),
                false => self.start(context, climb + 1),
            };
        };
        match self.climb(context, history, best)? {
            Stand::Try(parent, genotype) => {
                let note = format!("neighbour of {parent}");
                Ok(run(context, genotype, Some(parent), note))
            }
            Stand::Stuck { waiting: true } => Ok(Next::Wait),
            Stand::Stuck { waiting: false } => self.start(context, climb + 1),
        }
    }
}

/// The climb that a trial is a start of.
fn climb_of(trial: &Trial) -> Option<usize> {
    trial.proposal.note.strip_prefix(START)?.parse().ok()
}

/// The note of the candidates that a climb starts from, without its number.
const START: &str = "start of climb ";

impl Climber {
    fn read(&mut self, history: &History) {
        self.unseen.read(history);
        if self.read > history.trials.len() {
            *self = Climber { config: self.config.clone(), ..Climber::default() };
            self.unseen.read(history);
        }
        for (number, trial) in history.trials.iter().enumerate().skip(self.read) {
            self.known.entry(trial.key.clone()).or_insert(trial.id);
            let Some(climb) = climb_of(trial) else { continue };
            // The starts of a climb follow each other.
            if climb != self.climb
                || self.starts.last() != number.checked_sub(1).map(|it| it as TrialId).as_ref()
            {
                (self.climb, self.starts) = (climb, Vec::new());
            }
            self.starts.push(trial.id);
        }
        self.read = history.trials.len();
    }

    fn start(&mut self, context: &Context, climb: usize) -> Result<Next, GenotypeError> {
        let mut rng = context.seed.stream(context.trial, "local search");
        let genotype = self.unseen.random(context, &mut rng)?;
        Ok(genotype.map_or(Next::Done, |genotype| run(context, genotype, None, format!("{START}{climb}"))))
    }

    /// Walks from a trial's candidate to the first better neighbour, and from there on, until one must be tried.
    fn climb(&mut self, context: &Context, history: &History, from: &Trial) -> Result<Stand, GenotypeError> {
        if self.way.from != from.id {
            self.way = Way { from: from.id, stand: from.id, passed: 0 };
        }
        let mut way = self.way;
        // Until something is met that has not ended, what is found stays so.
        let mut is_firm = true;
        'climb: loop {
            let stand = &history.trials[way.stand as usize];
            let here = history.score(stand);
            let mut waiting = false;
            self.look_around(context, stand)?;
            for (key, genotype) in self.around.get(&stand.id).into_iter().flatten().skip(way.passed) {
                let Some(trial) = self.known.get(key).and_then(|id| history.trials.get(*id as usize)) else {
                    return Ok(Stand::Try(stand.id, genotype.clone()));
                };
                let is_open = trial.state == TrialState::Pending;
                (waiting, is_firm) = (waiting || is_open, is_firm && !is_open);
                let is_better = history.score(trial) > here;
                match is_better {
                    true => way = Way { stand: trial.id, passed: 0, ..way },
                    false => way.passed += 1,
                }
                if is_firm {
                    self.way = way;
                }
                if is_better {
                    continue 'climb;
                }
            }
            return Ok(Stand::Stuck { waiting });
        }
    }

    /// Puts the neighbours of a trial's candidate in an order that follows from the trial.
    fn look_around(&mut self, context: &Context, from: &Trial) -> Result<(), GenotypeError> {
        if let Entry::Vacant(place) = self.around.entry(from.id) {
            let near = context.space.neighbours(&from.proposal.genotype)?.into_iter();
            // What has no key is no program.
            let keyed = |genotype: Genotype| Some((context.space.key(&genotype).ok()?, genotype));
            let mut near: Vec<(Key, Genotype)> = near.filter_map(keyed).collect();
            near.shuffle(&mut context.seed.stream(from.id, "local search neighbours"));
            place.insert(near);
        }
        Ok(())
    }
}

fn run(context: &Context, genotype: Genotype, parent: Option<TrialId>, note: String) -> Next {
    Next::Run(Proposal { genotype, fidelity: context.fidelity, parent, note })
}

#[cfg(test)]
mod tests {
    use super::super::contract::{ask, spaces, study};
    use super::*;
    use crate::search::Algorithm;
    use crate::trial::Objective;

    fn config(starts: usize) -> Algorithm {
        Algorithm::LocalSearch(LocalSearch { starts })
    }

    fn scores(trials: &[Trial]) -> Vec<f64> {
        let objectives = [Objective::Maximize("accuracy".into())];
        History { trials, objectives: &objectives }.scored().map(|(_, score)| score).collect()
    }

    fn differences(a: &Trial, b: &Trial) -> usize {
        a.proposal.genotype.0.iter().zip(&b.proposal.genotype.0).filter(|(a, b)| a != b).count()
    }

    #[test]
    fn every_trial_is_a_neighbour_of_the_best_of_its_climb() {
        let trials = study(&spaces::wide(), &config(5), 60);
        let scores = scores(&trials);
        let mut climb = 0;
        for trial in &trials {
            let id = trial.id as usize;
            match trial.proposal.parent {
                None if trial.proposal.note.ends_with('1') => assert!(id < 5),
                None if trials[id - 1].proposal.parent.is_some() => climb = id,
                None => {}
                // A climb that has met an earlier one may stand on a trial of that.
                Some(parent) => {
                    assert_eq!(differences(trial, &trials[parent as usize]), 1);
                    let best = scores[climb..id].iter().copied().fold(0.0, f64::max);
                    assert!(scores[parent as usize] >= best, "trial {id} is a neighbour of {parent}");
                }
            }
        }
        assert_eq!(trials.iter().filter(|trial| trial.proposal.note == "start of climb 1").count(), 5);
    }

    #[test]
    fn a_local_optimum_is_left_once_all_its_neighbours_are_known() {
        let space = spaces::flat();
        let trials = study(&space, &config(1), 256);
        let second =
            trials.iter().position(|trial| trial.proposal.note == "start of climb 2").expect("a restart");
        let optimum = scores(&trials[..second])
            .into_iter()
            .enumerate()
            .fold((0, 0.0), |best, next| if next.1 > best.1 { next } else { best });
        // Four decisions of four: twelve neighbours.
        let near =
            trials[..second].iter().filter(|trial| differences(trial, &trials[optimum.0]) == 1).count();
        assert_eq!(near, 12);
        assert!(trials[second..].iter().all(|trial| trial.proposal.note != "start of climb 1"));
    }

    #[test]
    fn moves_at_the_first_better_neighbour_and_waits_where_that_is_still_open() {
        let space = spaces::flat();
        let config = config(1);
        let mut trials = study(&space, &config, 30);
        let better = trials.iter().position(|trial| scores(&trials)[trial.id as usize] > scores(&trials)[0]);
        let better = better.expect("a better neighbour");
        let Next::Run(next) = ask(&space, &config, &trials[..=better], 30) else { panic!("goes on") };
        assert_eq!(next.parent, Some(better as u64));
        // As long as the result is not known, it stays.
        trials[better].state = TrialState::Pending;
        let Next::Run(next) = ask(&space, &config, &trials[..=better], 30) else { panic!("goes on") };
        assert_eq!(next.parent, Some(0));
    }

    #[test]
    fn waits_for_the_last_neighbour_before_it_starts_again() {
        let space = spaces::small();
        let config = config(1);
        let mut trials = study(&space, &config, 6);
        let second = trials.iter().position(|trial| trial.proposal.note == "start of climb 2");
        let cut = second.unwrap_or(trials.len());
        trials.truncate(cut);
        trials[cut - 1].state = TrialState::Pending;
        assert_eq!(ask(&space, &config, &trials, 6), Next::Wait);
    }
}
