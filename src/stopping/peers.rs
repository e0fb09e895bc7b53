//! What the trials before came to, step by step.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};

use super::Point;

/// The curves of trials at one fidelity, as rules see them.
#[derive(Clone, Debug)]
pub struct Peers {
    objectives: usize,
    /// By step and objective.
    met: BTreeMap<(u32, usize), Met>,
}

/// What trials came to by one objective after one step.
#[derive(Clone, Debug, Default)]
pub struct Met {
    /// The running averages up to this step of trials that were evaluated to their end, ascending.
    pub averages: Vec<f64>,
    /// The best scores up to this step of all trials that came as far, ascending.
    pub bests: Vec<f64>,
    /// How scores here stand to those at the end.
    pub(super) carry: Carry,
}

impl Peers {
    /// Before any trial, for so many objectives.
    pub fn new(objectives: usize) -> Peers {
        Peers { objectives, met: BTreeMap::new() }
    }

    /// Adds a trial's curves, one an objective, and the scores that it ended with where it was evaluated to its end.
    pub fn add(&mut self, curves: &[Vec<Point>], last: Option<&[f64]>) {
        for (objective, points) in curves.iter().enumerate().take(self.objectives) {
            let (mut best, mut sum) = (f64::NEG_INFINITY, 0.0);
            for (count, point) in (1u32..).zip(points) {
                (best, sum) = (best.max(point.score), sum + point.score);
                let met = self.met.entry((point.step, objective)).or_default();
                insert(&mut met.bests, best);
                if let Some(last) = last {
                    insert(&mut met.averages, sum / f64::from(count));
                    met.carry.add(point.score, last[objective]);
                }
            }
        }
    }

    /// What trials came to by an objective after each step, by step.
    pub fn steps(&self, objective: usize) -> impl Iterator<Item = (u32, &Met)> {
        let of =
            move |((step, other), met): (&(u32, usize), _)| (*other == objective).then_some((*step, met));
        self.met.iter().filter_map(of)
    }

    /// What trials came to by an objective after one step.
    pub fn at(&self, step: u32, objective: usize) -> Option<&Met> {
        self.met.get(&(step, objective))
    }
}

fn insert(ascending: &mut Vec<f64>, value: f64) {
    if !value.is_nan() {
        let place = ascending.partition_point(|other| other.total_cmp(&value).is_lt());
        ascending.insert(place, value);
    }
}

/// Carries a score on the way to the end: by the mean and the spread that trials have here and there.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Carry {
    count: f64,
    here: Moments,
    there: Moments,
}

/// A mean and a sum of squared distances from it, kept up to date (Welford 1962).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Moments {
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64, count: f64) {
        let before = value - self.mean;
        self.mean += before / count;
        self.squares += before * (value - self.mean);
    }
}

/// Trials from which on their spreads count; fewer tell only how far the end is from here.
const SPREAD: f64 = 4.0;

impl Carry {
    fn add(&mut self, here: f64, there: f64) {
        if here.is_finite() && there.is_finite() {
            self.count += 1.0;
            self.here.add(here, self.count);
            self.there.add(there, self.count);
        }
    }

    /// What a score here comes to at the end; itself where nothing is known.
    pub fn carry(&self, score: f64) -> f64 {
        let slope = (self.there.squares / self.here.squares).sqrt();
        let slope = if self.count >= SPREAD && slope.is_finite() && slope > 0.0 { slope } else { 1.0 };
        self.there.mean + slope * (score - self.here.mean)
    }
}

/// A number that makes a rule.
pub(super) fn one_or_more<'de, D: Deserializer<'de>, N: Deserialize<'de> + Default + PartialEq>(
    from: D,
) -> Result<N, D::Error> {
    let number = N::deserialize(from)?;
    if number == N::default() {
        return Err(de::Error::custom("0 is too little: at least 1 is needed here"));
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_carried_by_means_and_spreads() {
        let mut carry = Carry::default();
        assert_eq!(carry.carry(0.3), 0.3, "nothing is known");
        for (here, there) in [(0.1, 0.80), (0.2, 0.84)] {
            carry.add(here, there);
        }
        assert!((carry.carry(0.05) - 0.72).abs() < 1e-12, "{}", carry.carry(0.05));
        for (here, there) in [(0.3, 0.82), (0.4, 0.86), (f64::INFINITY, 1.0)] {
            carry.add(here, there);
        }
        // The spread at the end is a fifth of the one here.
        assert!((carry.carry(0.15) - 0.81).abs() < 1e-12, "{}", carry.carry(0.15));
    }
}
