//! Which trials are best: by one metric, or by the Pareto front over several.

use std::collections::HashMap;

use crate::pareto::fronts;
use crate::space::Key;
use crate::trial::{Fidelity, Metrics, Objective, Trial};

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
/// Every candidate is there once, with its first trial at the highest fidelity that it reached. Those that got less far
/// than others, stopped ones among them, stand behind them, on fronts of their own: figures at two fidelities do not
/// compare.
/// Trials without a figure for one of the objectives are left out.
pub fn rank<'a>(trials: &'a [Trial], objectives: &[Objective]) -> Vec<Ranked<'a>> {
    let mut ranked: Vec<Ranked> = candidates(trials).filter_map(|trial| scored(trial, objectives)).collect();
    ranked.sort_by_key(|ranked| (std::cmp::Reverse(fidelity(ranked)), ranked.trial.id));
    let mut before = 0;
    for equals in ranked.chunk_by_mut(|a, b| fidelity(a) == fidelity(b)) {
        let scores: Vec<&[f64]> = equals.iter().map(|ranked| ranked.scores.as_slice()).collect();
        let fronts = fronts(&scores);
        equals.iter_mut().zip(&fronts).for_each(|(ranked, front)| ranked.front = before + front);
        before += fronts.iter().max().map_or(0, |last| last + 1);
    }
    ranked.sort_by(|a, b| {
        let first = b.scores[0].total_cmp(&a.scores[0]);
        a.front.cmp(&b.front).then(first).then(a.trial.id.cmp(&b.trial.id))
    });
    ranked
}

fn fidelity(ranked: &Ranked) -> Fidelity {
    ranked.trial.reached()
}

/// One trial of every candidate: at its highest fidelity, the first.
fn candidates(trials: &[Trial]) -> impl Iterator<Item = &Trial> {
    let mut best: HashMap<&Key, &Trial> = HashMap::new();
    for trial in trials.iter().filter(|trial| trial.state.metrics().is_some()) {
        let known = best.entry(&trial.key).or_insert(trial);
        if trial.reached() > known.reached() {
            *known = trial;
        }
    }
    best.into_values()
}

fn scored<'a>(trial: &'a Trial, objectives: &[Objective]) -> Option<Ranked<'a>> {
    let metrics = trial.state.metrics()?;
    // Adding 0 makes -0 and 0 equal, as they are.
    let score = |objective: &Objective| Some(objective.score(metrics)? + 0.0);
    let scores: Vec<f64> = objectives.iter().map(score).collect::<Option<_>>()?;
    (!scores.is_empty()).then_some(Ranked { trial, metrics, front: 0, scores })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Genotype;
    use crate::trial::{Fidelity, Proposal, Stopped, TrialState};

    fn trial(id: u64, key: &str, fidelity: u32, figures: &[(&str, f64)]) -> Trial {
        let genotype = Genotype::default();
        let proposal = Proposal { genotype, fidelity: Fidelity(fidelity), parent: None, note: String::new() };
        let metrics = figures.iter().map(|(name, figure)| (name.to_string(), *figure)).collect();
        Trial { id, proposal, key: Key::of(key), state: TrialState::Finished(metrics), seconds: 1.0 }
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
        // The first at its third step, and only then the one that got no further than its first, however good.
        assert_eq!(ids(&rank(&trials, &[Objective::Maximize("accuracy".into())])), [(2, 0), (1, 1)]);
    }

    #[test]
    fn what_was_stopped_counts_by_what_it_came_to() {
        let mut trials: Vec<Trial> =
            (0..4).map(|id| trial(id, &id.to_string(), 9, &[("accuracy", 0.6)])).collect();
        for (id, at, accuracy) in [(0, 3, 0.9), (1, 5, 0.7)] {
            let metrics = Metrics::from([("accuracy".to_string(), accuracy)]);
            let expected = metrics.clone();
            trials[id].state = TrialState::Stopped(Box::new(Stopped { at: Fidelity(at), metrics, expected }));
        }
        let ranked = rank(&trials, &[Objective::Maximize("accuracy".into())]);
        assert_eq!(ids(&ranked), [(2, 0), (3, 0), (1, 1), (0, 2)]);
        assert_eq!(ranked[3].metrics["accuracy"], 0.9, "what was measured");
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
}
