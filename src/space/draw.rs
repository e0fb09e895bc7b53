//! Values of one decision: drawn, redrawn, counted through, stepped round.

use rand::RngExt;
use rand::seq::SliceRandom;

use super::decision::{DecisionKind, Draw};
use super::hyper::Scale;
use crate::random::Rng;

/// Shares of a number's scaled range by which its neighbours differ.
const STEPS: [f64; 2] = [0.02, 0.1];

/// Significant decimal digits of a drawn float: more than any hyperparameter deserves, and short in files.
const DIGITS: usize = 6;

impl DecisionKind {
    /// A uniform draw.
    pub fn draw(&self, rng: &mut Rng) -> Draw {
        match *self {
            DecisionKind::Choice { candidates } => Draw::Choice(rng.random_range(0..candidates)),
            DecisionKind::Int { low, high } => Draw::Int(rng.random_range(low..=high)),
            DecisionKind::Float { low, high, scale } => {
                Draw::Float(scale.point(low, high, rng.random::<f64>()))
            }
            DecisionKind::Many { k, candidates, distinct, sorted } => {
                Draw::Many(draw_many(k, candidates, distinct, sorted, rng))
            }
        }
    }

    /// A uniform draw among all values but `old`; `old` itself where it is the only one.
    pub(super) fn redraw(&self, old: &Draw, rng: &mut Rng) -> Draw {
        if self.is_single() {
            return old.clone();
        }
        match (*self, old) {
            (DecisionKind::Choice { candidates }, Draw::Choice(index)) => {
                Draw::Choice((index + rng.random_range(1..candidates)) % candidates)
            }
            (DecisionKind::Int { low, high }, Draw::Int(value)) => {
                let drawn = rng.random_range(low..high);
                Draw::Int(if drawn >= *value { drawn + 1 } else { drawn })
            }
            // All others have many values, or few of which a draw soon meets another.
            _ => loop {
                let drawn = self.draw(rng);
                if drawn != *old {
                    return drawn;
                }
            },
        }
    }

    /// The least value: the first of [`DecisionKind::next`]'s round, and what a neighbour's new decisions hold.
    pub(crate) fn first(&self) -> Draw {
        match *self {
            DecisionKind::Choice { .. } => Draw::Choice(0),
            DecisionKind::Int { low, .. } => Draw::Int(low),
            DecisionKind::Float { low, .. } => Draw::Float(low),
            DecisionKind::Many { k, distinct: true, .. } => Draw::Many((0..k).collect()),
            DecisionKind::Many { k, .. } => Draw::Many(vec![0; k as usize]),
        }
    }

    /// The value after `draw` in order; floats have their low end only.
    pub(crate) fn next(&self, draw: &Draw) -> Option<Draw> {
        match (*self, draw) {
            (DecisionKind::Choice { candidates }, Draw::Choice(index)) => {
                (index + 1 < candidates).then_some(Draw::Choice(index + 1))
            }
            (DecisionKind::Int { high, .. }, Draw::Int(value)) => {
                (*value < high).then(|| Draw::Int(value + 1))
            }
            (DecisionKind::Many { candidates, distinct, sorted, .. }, Draw::Many(choices)) => {
                next_many(candidates, distinct, sorted, choices).map(Draw::Many)
            }
            _ => None,
        }
    }

    /// How far a number stands on the way from low to high, in [0, 1] and by its scale; `None` for choices.
    pub fn share(&self, draw: &Draw) -> Option<f64> {
        match (*self, draw) {
            (DecisionKind::Int { low, high }, Draw::Int(value)) => {
                let [low, high, value] = [low, high, *value].map(|number| number as f64);
                Some(if low < high { (value - low) / (high - low) } else { 0.0 })
            }
            (DecisionKind::Float { low, high, scale }, Draw::Float(value)) => {
                Some(scale.share(low, high, *value))
            }
            _ => None,
        }
    }

    /// The number at a share of the way from low to high: the inverse of [`DecisionKind::share`].
    pub fn at(&self, share: f64) -> Option<Draw> {
        match *self {
            DecisionKind::Int { low, high } => {
                let steps = i128::from(high) - i128::from(low);
                let value = i128::from(low) + (share * steps as f64).round() as i128;
                Some(Draw::Int(value.clamp(low.into(), high.into()) as i64))
            }
            DecisionKind::Float { low, high, scale } => Some(Draw::Float(scale.point(low, high, share))),
            DecisionKind::Choice { .. } | DecisionKind::Many { .. } => None,
        }
    }

    /// Values one edit away from `draw`, without it.
    pub(super) fn near(&self, draw: &Draw) -> Vec<Draw> {
        match (*self, draw) {
            (DecisionKind::Choice { candidates }, Draw::Choice(index)) => {
                (0..candidates).filter(|other| other != index).map(Draw::Choice).collect()
            }
            (DecisionKind::Int { low, high }, Draw::Int(value)) => near_int(low, high, *value),
            (DecisionKind::Float { low, high, scale }, Draw::Float(value)) => {
                near_float(low, high, scale, *value)
            }
            (DecisionKind::Many { candidates, distinct, sorted, .. }, Draw::Many(choices)) => {
                near_many(candidates, distinct, sorted, choices)
            }
            _ => Vec::new(),
        }
    }
}

impl Scale {
    /// The number at a share of the way from low to high, rounded for people.
    pub(super) fn point(self, low: f64, high: f64, share: f64) -> f64 {
        let exact = match self {
            Scale::Linear => low + share * (high - low),
            Scale::Log => low * (high / low).powf(share),
            // Shares of the distance from a point just above `high`, so that the end itself can be drawn.
            Scale::ReverseLog => low + high - low * (high / low).powf(1.0 - share),
        };
        let rounded = round(exact);
        // In a range narrower than the rounding there is no rounding.
        let wide = high - low > 1e-3 * low.abs().max(high.abs());
        if wide { rounded.clamp(low, high) } else { exact.clamp(low, high) }
    }

    /// The share of the way from low to high at which a number stands: the inverse of [`Scale::point`].
    pub(super) fn share(self, low: f64, high: f64, value: f64) -> f64 {
        if low == high {
            return 0.0;
        }
        match self {
            Scale::Linear => (value - low) / (high - low),
            Scale::Log => (value / low).ln() / (high / low).ln(),
            Scale::ReverseLog => 1.0 - ((low + high - value) / low).ln() / (high / low).ln(),
        }
    }
}

/// The float nearest to `exact` with few digits.
fn round(exact: f64) -> f64 {
    format!("{exact:.*e}", DIGITS - 1).parse().unwrap_or(exact)
}

fn draw_many(k: u32, candidates: u32, distinct: bool, sorted: bool, rng: &mut Rng) -> Vec<u32> {
    let mut choices = match (distinct, sorted) {
        (true, _) => {
            let mut all: Vec<u32> = (0..candidates).collect();
            all.partial_shuffle(rng, k as usize).0.to_vec()
        }
        // Every multiset alike: k of n with repeats is k distinct ones of n + k - 1, each lowered by its place.
        (false, true) => {
            let mut bars = draw_many(k, candidates + k.saturating_sub(1), true, true, rng);
            bars.iter_mut().zip(0..).for_each(|(choice, place)| *choice -= place);
            bars
        }
        (false, false) => (0..k).map(|_| rng.random_range(0..candidates)).collect(),
    };
    if sorted {
        choices.sort_unstable();
    }
    choices
}

/// The list after `choices` in lexicographic order.
fn next_many(candidates: u32, distinct: bool, sorted: bool, choices: &[u32]) -> Option<Vec<u32>> {
    (0..choices.len()).rev().find_map(|place| {
        let head = &choices[..place];
        let mut raised = head.to_vec();
        raised.push(allowed(candidates, distinct, head, choices[place] + 1)?);
        while raised.len() < choices.len() {
            let from = if sorted { raised[raised.len() - 1] } else { 0 };
            raised.push(allowed(candidates, distinct, &raised, from)?);
        }
        Some(raised)
    })
}

/// The least choice from `from` on that may follow `head`.
fn allowed(candidates: u32, distinct: bool, head: &[u32], from: u32) -> Option<u32> {
    (from..candidates).find(|choice| !distinct || !head.contains(choice))
}

fn near_int(low: i64, high: i64, value: i64) -> Vec<Draw> {
    let tenth = ((i128::from(high) - i128::from(low)) / 10).max(1);
    let mut near: Vec<i64> = [-tenth, -1, 1, tenth]
        .into_iter()
        .filter_map(|step| i64::try_from(i128::from(value) + step).ok())
        .filter(|other| (low..=high).contains(other))
        .collect();
    near.dedup();
    near.into_iter().map(Draw::Int).collect()
}

fn near_float(low: f64, high: f64, scale: Scale, value: f64) -> Vec<Draw> {
    let share = scale.share(low, high, value);
    let steps = STEPS.iter().rev().map(|step| -step).chain(STEPS);
    let mut near: Vec<f64> =
        steps.map(|step| scale.point(low, high, (share + step).clamp(0.0, 1.0))).collect();
    near.dedup();
    near.into_iter().filter(|other| *other != value).map(Draw::Float).collect()
}

/// One slot changed, or, of a permutation, two slots swapped.
fn near_many(candidates: u32, distinct: bool, sorted: bool, choices: &[u32]) -> Vec<Draw> {
    let mut near: Vec<Vec<u32>> = Vec::new();
    for slot in 0..choices.len() {
        for other in (0..candidates).filter(|other| *other != choices[slot]) {
            let mut changed = choices.to_vec();
            match choices.iter().position(|choice| *choice == other) {
                Some(twin) if distinct && !sorted && twin > slot => changed.swap(slot, twin),
                Some(_) if distinct => continue,
                _ => changed[slot] = other,
            }
            if sorted {
                changed.sort_unstable();
            }
            if changed != choices && !near.contains(&changed) {
                near.push(changed);
            }
        }
    }
    near.into_iter().map(Draw::Many).collect()
}
