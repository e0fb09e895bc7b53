//! Figures that a space knows of its candidates for nothing, on a scale that has no unit.
//!
//! Where a figure stands is told by a few random candidates: their median is the middle of the scale, and how far they
//! usually are from it is its step. Towards both ends the scale is compressed and never ends, so that candidates better
//! than all of those few still differ, and a proxy of -90,000 for a network that reads nothing drowns no other.

use super::ranks::ascending;
use crate::random::Seed;
use crate::space::{Genotype, Space};

/// Random candidates that tell where figures lie.
const SAMPLE: u64 = 32;

/// The scales of a space's figures.
#[derive(Clone, Debug, Default)]
pub(super) struct Gauges(Vec<Gauge>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Gauge {
    middle: f64,
    step: f64,
}

impl Gauges {
    /// The scales of all figures that are known of a space's candidates for nothing; the same space always has the same.
    pub fn of(space: &Space) -> Gauges {
        let names = space.figure_names();
        if names.is_empty() {
            return Gauges::default();
        }
        let look = |number| {
            let mut rng = Seed(0).stream(number, "what figures are like");
            space.figures(&space.random(&mut rng).ok()?)
        };
        let told: Vec<Vec<f64>> = (0..SAMPLE).filter_map(look).collect();
        let gauge = |figure: usize| Gauge::of(told.iter().filter_map(|all| all.get(figure).copied()));
        Gauges((0..names.len()).map(gauge).collect())
    }

    /// How many figures there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Where a candidate's figures stand, each within (0, 1); `None` for those that are not known.
    pub fn places(&self, space: &Space, genotype: &Genotype) -> Vec<Option<f64>> {
        let told = if self.0.is_empty() { None } else { space.figures(genotype) };
        let Some(told) = told else { return vec![None; self.0.len()] };
        let mut told = told.into_iter();
        let place =
            |gauge: &Gauge| told.next().filter(|figure| figure.is_finite()).map(|figure| gauge.place(figure));
        self.0.iter().map(place).collect()
    }
}

impl Gauge {
    fn of(figures: impl Iterator<Item = f64>) -> Gauge {
        let figures = ascending(figures.filter(|figure| figure.is_finite()));
        let middle = median(&figures).unwrap_or(0.0);
        let distances = ascending(figures.iter().map(|figure| (figure - middle).abs()));
        // Where most are equal, the others tell.
        let apart = &distances[distances.partition_point(|distance| *distance == 0.0)..];
        let step = median(&distances).filter(|step| *step > 0.0).or_else(|| median(apart));
        Gauge { middle, step: step.unwrap_or(1.0) }
    }

    fn place(&self, figure: f64) -> f64 {
        // Half of the candidates lie within a step of the middle: there the scale goes from a quarter to three quarters.
        let steps = (figure - self.middle) / self.step;
        0.5 + 0.5 * steps / (1.0 + steps.abs())
    }
}

/// Of ascending figures; `None` of none.
fn median(ascending: &[f64]) -> Option<f64> {
    ascending.get(ascending.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_lie_round_the_middle_and_none_beyond_the_ends() {
        let gauge = Gauge::of((0..101).map(|n| f64::from(n) * 10.0).chain([f64::NAN, f64::NEG_INFINITY]));
        assert_eq!(gauge, Gauge { middle: 500.0, step: 250.0 });
        assert_eq!([250.0, 500.0, 750.0].map(|figure| gauge.place(figure)), [0.25, 0.5, 0.75]);
        let far = [-1e9, -9e4, 1000.0, 2000.0].map(|figure| gauge.place(figure));
        assert!(far.windows(2).all(|pair| pair[0] < pair[1]), "{far:?}");
        assert!(far.iter().all(|place| (0.0..1.0).contains(place)), "{far:?}");
    }

    #[test]
    fn figures_that_are_mostly_or_all_alike_have_a_scale() {
        let mostly = Gauge::of([3.0, 3.0, 3.0, 3.0, 5.0].into_iter());
        assert_eq!((mostly.place(3.0), mostly.place(5.0)), (0.5, 0.75));
        assert_eq!(Gauge::of([2.0, 2.0].into_iter()).place(2.0), 0.5);
        assert_eq!(Gauge::of(std::iter::empty()), Gauge { middle: 0.0, step: 1.0 });
    }
}
