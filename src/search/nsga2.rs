//! NSGA-II: evolution towards a Pareto front.
//!
//! Deb et al. 2002, <https://doi.org/10.1109/4235.996017>: of parents and children together the best survive, which are
//! those of the first fronts, and within the last front that has room those that stand least crowded. Parents are the
//! winners of tournaments of two by the same order; their children mix the decisions of both, some drawn anew. So the
//! population moves to the front and spreads along it at the same time.
//!
//! Here every child competes as soon as it is evaluated (steady state: Durillo et al. 2009,
//! <https://doi.org/10.1007/978-3-642-01020-0_18>), which learns more from few trials and keeps several workers busy.
//! The population follows from the finished trials, taken in by their ids; with one objective it is the best so far.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::unseen::Unseen;
use super::{Configure, Context, Next, SearchAlgorithm};
use crate::pareto::{crowding, fronts};
use crate::random::Rng;
use crate::space::{Genotype, GenotypeError};
use crate::trial::{History, Proposal, TrialId, TrialState};

/// Evolution for several objectives. Deb et al. take a population of 100 for 25,000 trials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Nsga2 {
    /// Members of the population; as many trials are random at first. By default 10 for each objective, more for more
    /// than 500 trials, up to 100, but at most a fifth of the study's trials.
    pub population: Option<usize>,
    /// The share of children that mix two parents; all others have one.
    pub crossover: f64,
}

impl Default for Nsga2 {
    fn default() -> Nsga2 {
        Nsga2 { population: None, crossover: 0.9 }
    }
}

impl Configure for Nsga2 {
    fn start(&self) -> Box<dyn SearchAlgorithm> {
        Box::new(Evolution {
            config: self.clone(),
            unseen: Unseen::default(),
            settled: Population::default(),
        })
    }
}

struct Evolution {
    config: Nsga2,
    unseen: Unseen,
    settled: Population,
}

/// Pairs of parents whose children may all be repeats before a random candidate takes their place.
const PAIRS: usize = 20;

/// Times that a child which is a repeat has one more decision drawn anew.
const REPEATS: usize = 5;

impl SearchAlgorithm for Evolution {
    fn propose(&mut self, context: &Context, history: &History) -> Result<Next, GenotypeError> {
        self.unseen.read(history);
        let mut rng = context.seed.stream(context.trial, "nsga2");
        let size = self.config.population.unwrap_or_else(|| population(context, history)).max(2);
        if history.trials.len() >= size {
            let members = self.population(history, size).ranked();
            if let Some(proposal) = self.child(context, history, &members, &mut rng) {
                return Ok(Next::Run(proposal));
            }
        }
        let genotype = self.unseen.random(context, &mut rng)?;
        Ok(genotype.map_or(Next::Done, |genotype| {
            Next::Run(Proposal { genotype, fidelity: context.fidelity, parent: None, note: "random".into() })
        }))
    }
}

fn population(context: &Context, history: &History) -> usize {
    let each = 10 * history.objectives.len() as u64;
    each.max(context.trials / 50).min(100).min(context.trials / 5).max(4) as usize
}

impl Evolution {
    /// The survivors of all finished trials. What comes after a pending trial is taken in anew each time.
    fn population(&mut self, history: &History, size: usize) -> Population {
        if self.settled.size != size || self.settled.read > history.trials.len() {
            self.settled = Population { size, ..Population::default() };
        }
        let unread = &history.trials[self.settled.read..];
        let pending = unread.iter().position(|trial| trial.state == TrialState::Pending);
        let settled = self.settled.read + pending.unwrap_or(unread.len());
        self.settled.read(history, settled);
        let mut population = self.settled.clone();
        population.read(history, history.trials.len());
        population
    }

    /// A child that the study has not tried; `None` where all repeat, and where nothing has a score.
    fn child(
        &self,
        context: &Context,
        history: &History,
        members: &[Ranked],
        rng: &mut Rng,
    ) -> Option<Proposal> {
        let genotype = |id: TrialId| &history.trials[id as usize].proposal.genotype;
        for _ in 0..PAIRS {
            let (first, second) = (winner(members, rng)?, winner(members, rng)?);
            let mixed = first != second && rng.random::<f64>() < self.config.crossover;
            let other = if mixed { second } else { first };
            // An error says that no child keeps to the constraints: another pair may have one.
            if let Ok(Some(child)) = self.offspring(context, [genotype(first), genotype(other)], rng) {
                let note = match mixed {
                    true => format!("child of {first} and {second}"),
                    false => format!("child of {first}"),
                };
                return Some(Proposal {
                    genotype: child,
                    fidelity: context.fidelity,
                    parent: Some(first),
                    note,
                });
            }
        }
        None
    }

    /// A mixture of two, each decision of it drawn anew with a chance of one in their number; drawn anew once more as
    /// long as it is a repeat.
    fn offspring(
        &self,
        context: &Context,
        parents: [&Genotype; 2],
        rng: &mut Rng,
    ) -> Result<Option<Genotype>, GenotypeError> {
        let space = context.space;
        let mut child = match parents {
            [one, same] if one == same => one.clone(),
            [one, other] => space.crossover(one, other, rng)?,
        };
        let decisions = space.active(&child)?.len();
        let mutations = (0..decisions).filter(|_| rng.random_range(0..decisions) == 0).count();
        for _ in 0..mutations {
            child = space.mutate(&child, rng)?;
        }
        for _ in 0..REPEATS {
            if self.unseen.is_new(&space.key(&child)?) {
                return Ok(Some(child));
            }
            child = space.mutate(&child, rng)?;
        }
        Ok(None)
    }
}

/// The survivors of the first so many trials.
#[derive(Clone, Debug, Default)]
struct Population {
    size: usize,
    read: usize,
    members: Vec<(TrialId, Vec<f64>)>,
}

/// A member with its place in the order of survival: a smaller front first, then a larger distance.
struct Ranked {
    id: TrialId,
    front: usize,
    distance: f64,
}

impl Ranked {
    fn beats(&self, other: &Ranked) -> bool {
        self.front < other.front || (self.front == other.front && self.distance > other.distance)
    }
}

impl Population {
    /// Takes in the trials up to `end`, one by one; pending and failed ones are passed over.
    fn read(&mut self, history: &History, end: usize) {
        for trial in &history.trials[self.read.min(end)..end] {
            if let Some(scores) = history.scores(trial) {
                self.members.push((trial.id, scores));
                if self.members.len() > self.size {
                    self.drop_last();
                }
            }
        }
        self.read = end;
    }

    /// The most crowded of the last front goes; of equals the youngest.
    fn drop_last(&mut self) {
        let ranked = self.ranked();
        let last = (0..ranked.len()).reduce(|last, next| match ranked[last].beats(&ranked[next]) {
            true => next,
            false if ranked[next].beats(&ranked[last]) => last,
            false if ranked[next].id > ranked[last].id => next,
            false => last,
        });
        if let Some(last) = last {
            self.members.remove(last);
        }
    }

    fn ranked(&self) -> Vec<Ranked> {
        let scores: Vec<&[f64]> = self.members.iter().map(|(_, scores)| scores.as_slice()).collect();
        let fronts = fronts(&scores);
        let mut ranked: Vec<Ranked> = (self.members.iter().zip(&fronts))
            .map(|((id, _), front)| Ranked { id: *id, front: *front, distance: 0.0 })
            .collect();
        for front in 0..fronts.iter().max().map_or(0, |last| last + 1) {
            let places: Vec<usize> = (0..fronts.len()).filter(|place| fronts[*place] == front).collect();
            let of_front: Vec<&[f64]> = places.iter().map(|place| scores[*place]).collect();
            let distances = crowding(&of_front);
            places.iter().zip(distances).for_each(|(place, distance)| ranked[*place].distance = distance);
        }
        ranked
    }
}

/// The better of two members, drawn with return; of equals the first drawn.
fn winner(members: &[Ranked], rng: &mut Rng) -> Option<TrialId> {
    if members.is_empty() {
        return None;
    }
    let [first, second] = [(); 2].map(|()| &members[rng.random_range(0..members.len())]);
    Some(if second.beats(first) { second.id } else { first.id })
}

#[cfg(test)]
mod tests {
    use super::super::contract::{spaces, study, study_of_two};
    use super::*;
    use crate::pareto::hypervolume;
    use crate::search::{Algorithm, Random};
    use crate::trial::{Objective, Trial};

    fn objectives() -> [Objective; 2] {
        [Objective::Maximize("accuracy".into()), Objective::Minimize("cost".into())]
    }

    fn scores(trials: &[Trial]) -> Vec<Vec<f64>> {
        let history = History { trials, objectives: &objectives() };
        trials.iter().filter_map(|trial| history.scores(trial)).collect()
    }

    #[test]
    fn the_front_that_it_finds_dominates_more_than_random_search_s() {
        let space = spaces::wide();
        let volume = |config: &Algorithm| -> f64 {
            let volume = |seed| {
                let trials = study_of_two(&space, config, &objectives(), 80, seed);
                hypervolume(&scores(&trials), &[0.5, -1.0])
            };
            (0..8).map(volume).sum::<f64>() / 8.0
        };
        let random = volume(&Algorithm::Random(Random::default()));
        let evolved = volume(&Algorithm::Nsga2(Nsga2::default()));
        assert!(evolved > 1.02 * random, "{evolved} is hardly more than {random}");
    }

    #[test]
    fn the_least_crowded_of_the_last_front_survive() {
        let mut population = Population { size: 3, ..Population::default() };
        let points = [[0.0, 4.0], [1.0, 3.0], [3.5, 0.5], [4.0, 0.0]];
        population.members = (0..).zip(points.map(Vec::from)).collect();
        population.drop_last();
        let ids = |population: &Population| population.members.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        assert_eq!(ids(&population), [0, 1, 3], "2 stands close to 3");
        population.members.push((4, vec![0.5, 3.5]));
        population.members.push((5, vec![0.2, 0.1]));
        population.drop_last();
        assert_eq!(ids(&population), [0, 1, 3, 4], "5 is beaten");
    }

    #[test]
    fn parents_are_survivors() {
        let space = spaces::wide();
        let config = Algorithm::Nsga2(Nsga2 { population: Some(6), ..Nsga2::default() });
        let trials = study(&space, &config, 40);
        assert!(trials[..6].iter().all(|trial| trial.proposal.parent.is_none()));
        let objectives = [Objective::Maximize("accuracy".into())];
        for trial in &trials[6..] {
            let parent = trial.proposal.parent.expect("a child") as usize;
            let history = History { trials: &trials[..trial.id as usize], objectives: &objectives };
            let score = |id: usize| history.score(&trials[id]).expect("a score");
            let better = history.scored().filter(|(_, other)| *other > score(parent)).count();
            assert!(better < 6, "trial {}: {better} are better than its parent", trial.id);
        }
    }
}
