//! Which trials are best: by one metric, or by the Pareto front over several.
//!
//! Fronts are found by the efficient non-dominated sort of Zhang et al. 2015, <https://doi.org/10.1109/TEVC.2014.2308305>.

use std::collections::HashMap;

use crate::space::Key;
use crate::trial::{Metrics, Objective, Trial, TrialState};

/// A trial with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked<'a> {
    /// The trial.
    pub trial: &'a Trial,
    /// Its figures.
    pub metrics: &'a Metrics,
    /// Its Pareto front: 0 for trials that no other beats in all objectives. With one objective, equal figures share one.
    pub front: usize,
    /// Its score by each objective: more is better.
    pub scores: Vec<f64>,
}

/// Candidates from best to worst: by front, within a front by the first objective, then by id.
///
/// Every candidate is there once, with its first trial at the highest fidelity that it was evaluated at. Trials
/// without a figure for one of the objectives are left out.
pub fn rank<'a>(trials: &'a [Trial], objectives: &[Objective]) -> Vec<Ranked<'a>> {
    let mut ranked: Vec<Ranked> = candidates(trials).filter_map(|trial| scored(trial, objectives)).collect();
    ranked.sort_by(|a, b| better(&b.scores, &a.scores).then(a.trial.id.cmp(&b.trial.id)));
    let mut fronts: Vec<Vec<usize>> = Vec::new();
    for place in 0..ranked.len() {
        // Whoever dominates a trial stands before it, so that fronts are complete as far as it is concerned.
        let beaten = |front: &Vec<usize>| {
            front.iter().rev().any(|other| dominates(&ranked[*other].scores, &ranked[place].scores))
        };
        let front = fronts.partition_point(beaten);
        match fronts.get_mut(front) {
            Some(members) => members.push(place),
            None => fronts.push(vec![place]),
        }
        ranked[place].front = front;
    }
    ranked.sort_by(|a, b| {
        let first = b.scores[0].total_cmp(&a.scores[0]);
        a.front.cmp(&b.front).then(first).then(a.trial.id.cmp(&b.trial.id))
    });
    ranked
}

/// One trial of every candidate: at its highest fidelity, the first.
fn candidates(trials: &[Trial]) -> impl Iterator<Item = &Trial> {
    let mut best: HashMap<&Key, &Trial> = HashMap::new();
    for trial in trials.iter().filter(|trial| matches!(trial.state, TrialState::Finished(_))) {
        let known = best.entry(&trial.key).or_insert(trial);
        if trial.proposal.fidelity > known.proposal.fidelity {
            *known = trial;
        }
    }
    best.into_values()
}

fn scored<'a>(trial: &'a Trial, objectives: &[Objective]) -> Option<Ranked<'a>> {
    let TrialState::Finished(metrics) = &trial.state else { return None };
    // Adding 0 makes -0 and 0 equal, as they are.
    let score = |objective: &Objective| Some(objective.score(metrics)? + 0.0);
    let scores: Vec<f64> = objectives.iter().map(score).collect::<Option<_>>()?;
    (!scores.is_empty()).then_some(Ranked { trial, metrics, front: 0, scores })
}

fn better(a: &[f64], b: &[f64]) -> std::cmp::Ordering {
    let orders = a.iter().zip(b).map(|(a, b)| a.total_cmp(b));
    orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
}

/// Whether `a` is nowhere worse and somewhere better.
fn dominates(a: &[f64], b: &[f64]) -> bool {
    a != b && a.iter().zip(b).all(|(a, b)| a >= b)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::space::Genotype;
    use crate::trial::{Fidelity, Proposal};

    fn trial(id: u64, key: &str, fidelity: u32, figures: &[(&str, f64)]) -> Trial {
        let genotype = Genotype::default();
        let proposal = Proposal { genotype, fidelity: Fidelity(fidelity), parent: None, note: String::new() };
        let metrics = figures.iter().map(|(name, figure)| (name.to_string(), *figure)).collect();
        Trial { id, proposal, key: Key(key.into()), state: TrialState::Finished(metrics), seconds: 1.0 }
    }

    fn ids(ranked: &[Ranked]) -> Vec<(u64, usize)> {
        ranked.iter().map(|ranked| (ranked.trial.id, ranked.front)).collect()
    }

    #[test]
    fn ranks_either_way_and_ties_by_id() {
        let figures = [0.5, 0.9, 0.5, 0.7, f64::NAN];
        let mut trials: Vec<Trial> =
            (0..5).map(|id| trial(id, &id.to_string(), 1, &[("loss", figures[id as usize])])).collect();
        trials.push(Trial { state: TrialState::Failed("diverged".into()), id: 5, ..trials[0].clone() });
        let down = [Objective::Minimize("loss".into())];
        assert_eq!(ids(&rank(&trials, &down)), [(0, 0), (2, 0), (3, 1), (1, 2)]);
        let up = [Objective::Maximize("loss".into())];
        assert_eq!(ids(&rank(&trials, &up)), [(1, 0), (3, 1), (0, 2), (2, 2)]);
        assert!(rank(&trials, &[Objective::Maximize("accuracy".into())]).is_empty());
    }

    #[test]
    fn a_candidate_counts_once_at_its_highest_fidelity() {
        let trials = [
            trial(0, "a", 1, &[("accuracy", 0.9)]),
            trial(1, "b", 1, &[("accuracy", 0.8)]),
            trial(2, "a", 3, &[("accuracy", 0.7)]),
            trial(3, "a", 3, &[("accuracy", 0.95)]),
        ];
        assert_eq!(ids(&rank(&trials, &[Objective::Maximize("accuracy".into())])), [(1, 0), (2, 1)]);
    }

    #[test]
    fn fronts_of_two_objectives() {
        let points = [(0.9, 100.0), (0.8, 50.0), (0.8, 60.0), (0.7, 10.0), (0.6, 70.0), (0.9, 100.0)];
        let trials: Vec<Trial> = (0..)
            .zip(points)
            .map(|(id, (accuracy, params))| {
                trial(id, &id.to_string(), 1, &[("accuracy", accuracy), ("params", params)])
            })
            .collect();
        let both = [Objective::Maximize("accuracy".into()), Objective::Minimize("params".into())];
        assert_eq!(ids(&rank(&trials, &both)), [(0, 0), (5, 0), (1, 0), (3, 0), (2, 1), (4, 2)]);
    }

    proptest! {
        #[test]
        fn fronts_are_layers_of_the_undominated(points in prop::collection::vec((0..6u8, 0..6u8, 0..6u8), 0..40)) {
            let trials: Vec<Trial> = (0..).zip(&points).map(|(id, (a, b, c))| {
                let figures = [("a", (*a).into()), ("b", (*b).into()), ("c", (*c).into())];
                trial(id, &id.to_string(), 1, &figures)
            }).collect();
            let objectives = ["a", "b", "c"].map(|name| Objective::Maximize(name.into()));
            let ranked = rank(&trials, &objectives);
            prop_assert_eq!(ranked.len(), points.len());
            let mut left: Vec<&Ranked> = ranked.iter().collect();
            for front in 0.. {
                if left.is_empty() { break }
                let (undominated, rest): (Vec<&Ranked>, Vec<&Ranked>) = left.iter().copied()
                    .partition(|one| !left.iter().any(|other| dominates(&other.scores, &one.scores)));
                prop_assert!(undominated.iter().all(|one| one.front == front));
                left = rest;
            }
        }
    }
}
