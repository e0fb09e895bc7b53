//! A trial's figures on the way.

use indexmap::IndexMap;

use crate::trial::{Fidelity, Metrics, Objective};

/// Reports that are kept of one trial; a program that reports more is not listened to after them.
const MOST: usize = 10_000;

/// What a trial reported after each step, in ascending order of steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// The steps, in the unit of fidelity.
    pub steps: Vec<u32>,
    /// The figures by metric, one a step; not a number where a step has none.
    pub figures: IndexMap<String, Vec<f64>>,
}

/// A score on the way: more is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// After which step.
    pub step: u32,
    /// The score.
    pub score: f64,
}

impl Curve {
    /// Adds a report. One of a step that was reported before begins the curve anew from there: what reports it was
    /// started again. Whether it was kept.
    pub fn add(&mut self, done: Fidelity, metrics: &Metrics) -> bool {
        let known = self.steps.partition_point(|step| *step < done.0);
        self.steps.truncate(known);
        self.figures.values_mut().for_each(|figures| figures.truncate(known));
        if metrics.is_empty() || known >= MOST {
            return false;
        }
        self.steps.push(done.0);
        for name in metrics.keys() {
            if !self.figures.contains_key(&**name) {
                self.figures.insert(name.to_string(), vec![f64::NAN; known]);
            }
        }
        for (name, figures) in &mut self.figures {
            figures.push(metrics.get(name).copied().unwrap_or(f64::NAN));
        }
        true
    }

    /// Whether it tells anything that the trial's own figures do not: more than what stands at its end.
    pub fn tells(&self, whole: Fidelity) -> bool {
        self.steps.len() > 1 || self.steps.first().is_some_and(|step| *step < whole.0)
    }

    /// The scores by an objective; steps without one are left out.
    pub fn points(&self, objective: &Objective) -> Vec<Point> {
        let Some(figures) = self.figures.get(objective.metric()) else { return Vec::new() };
        let sign = if matches!(objective, Objective::Maximize(_)) { 1.0 } else { -1.0 };
        let all = self.steps.iter().zip(figures).filter(|(_, figure)| !figure.is_nan());
        all.map(|(step, figure)| Point { step: *step, score: sign * figure }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_no_number_and_what_starts_again_begins_anew() {
        let mut curve = Curve::default();
        let report = |name: &str, value: f64| Metrics::from([(name.to_string(), value)]);
        assert!(curve.add(Fidelity(1), &report("loss", 3.0)));
        assert!(curve.add(Fidelity(2), &report("accuracy", 0.5)));
        assert!(curve.add(Fidelity(4), &report("loss", 2.0)));
        assert!(!curve.add(Fidelity(5), &Metrics::default()));
        assert_eq!(curve.steps, [1, 2, 4]);
        let points = |curve: &Curve| -> Vec<(u32, f64)> {
            let points = curve.points(&Objective::Minimize("loss".into()));
            points.iter().map(|point| (point.step, point.score)).collect()
        };
        assert_eq!(points(&curve), [(1, -3.0), (4, -2.0)]);
        assert!(curve.add(Fidelity(2), &report("loss", 9.0)));
        assert_eq!(points(&curve), [(1, -3.0), (2, -9.0)]);
        assert_eq!(curve.points(&Objective::Maximize("other".into())), []);
    }
}
