//! What is to be expected on each rung, whatever the candidate: scores of short trainings are lower, and on high rungs
//! stand only those that did well below.
//!
//! Each rung's mean has a standard normal prior and is estimated by generalised least squares (Rasmussen and Williams
//! 2006, section 2.7, <https://gaussianprocess.org/gpml/>): what candidates explain is not taken for the rung's.

use crate::search::cholesky::{Cholesky, dot};

/// The means of all rungs.
pub(super) struct Means {
    /// By rung.
    pub means: Vec<f64>,
    /// Of every rung: which trials are on it, made independent.
    halves: Vec<Vec<f64>>,
}

impl Means {
    /// The means of scores that were made independent (`half`), by the factor of their covariances and their rungs.
    pub fn of(
        factor: &Cholesky,
        rungs: impl Iterator<Item = usize> + Clone,
        count: usize,
        half: &[f64],
    ) -> Means {
        let on = |rung: usize| {
            let mut on: Vec<f64> = rungs.clone().map(|other| f64::from(u8::from(other == rung))).collect();
            factor.half_solve(&mut on);
            on
        };
        Means::fitted((0..count).map(on).collect(), half)
    }

    /// The means by what was made independent already.
    pub fn fitted(halves: Vec<Vec<f64>>, half: &[f64]) -> Means {
        let mut packed = Vec::new();
        for (a, left) in halves.iter().enumerate() {
            packed.extend(halves[..a].iter().map(|right| dot(left, right)));
            packed.push(dot(left, left) + 1.0);
        }
        let mut means: Vec<f64> = halves.iter().map(|left| dot(left, half)).collect();
        match Cholesky::of(packed) {
            Some(factor) => factor.solve(&mut means),
            None => means.fill(0.0),
        }
        Means { means, halves }
    }

    /// The logarithm of how likely these means are, up to a constant.
    pub fn prior(&self) -> f64 {
        -0.5 * dot(&self.means, &self.means)
    }

    /// Takes the means from the scores that were made independent.
    pub fn take_from(&self, half: &mut [f64]) {
        for (mean, on) in self.means.iter().zip(&self.halves) {
            half.iter_mut().zip(on).for_each(|(value, on)| *value -= mean * on);
        }
    }
}
