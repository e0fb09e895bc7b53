//! Errors of depth.
//!
//! Eigen, Puhrsch and Fergus, *Depth Map Prediction from a Single Image using a Multi-Scale Deep Network* (2014),
//! <https://arxiv.org/abs/1406.2283>: root of the mean square, mean absolute error relative to the truth, and the share of
//! pixels whose ratio to the truth is below 1.25 and its powers, over all pixels of all pictures that have a true depth.
//! What knows depth only up to scale and shift is first brought to the truth's, picture by picture, by least squares
//! (Ranftl et al. 2019, <https://arxiv.org/abs/1907.01341>).

use crate::data::Plane;

/// What is done to a prediction before it is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alignment {
    /// Nothing: it claims to be in metres.
    #[default]
    Metric,
    /// The scale and the shift that fit the picture's truth best.
    ScaleAndShift,
}

/// Predictions below this, in metres, are taken for it: a ratio needs a depth above 0.
const NEAREST: f64 = 1e-3;

/// Sums over pixels.
///
/// ```
/// use cellwright::data::Plane;
/// use cellwright::must::metrics::{Alignment, DepthError};
///
/// let mut metric = DepthError::new(Alignment::Metric);
/// metric.add(&Plane::new(3, 1, vec![2.0, 4.0, f32::NAN]), &Plane::new(3, 1, vec![2.0, 3.0, 9.0]));
/// let scores = metric.scores().unwrap();
/// assert_eq!((scores.relative, scores.delta[0]), (0.125, 0.5));
/// ```
#[derive(Clone, Debug, Default)]
pub struct DepthError {
    alignment: Alignment,
    pixels: u64,
    squares: f64,
    relative: f64,
    below: [u64; 3],
}

/// How far predicted depth is from the truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DepthScores {
    /// Root of the mean square, in metres.
    pub rmse: f64,
    /// Mean absolute error as a share of the true depth.
    pub relative: f64,
    /// The shares of pixels within a factor of 1.25, 1.25² and 1.25³ of the truth, in [0, 1].
    pub delta: [f64; 3],
}

impl DepthError {
    /// Sums of nothing yet.
    pub fn new(alignment: Alignment) -> DepthError {
        DepthError { alignment, ..DepthError::default() }
    }

    /// One picture, of which the true depth's holes do not count. A prediction that is no number counts as the nearest.
    ///
    /// # Panics
    /// If the planes are not of one size.
    pub fn add(&mut self, truth: &Plane<f32>, found: &Plane<f32>) {
        assert_eq!(truth.size(), found.size(), "planes of one size");
        let pairs = truth.values().iter().zip(found.values()).filter(|(truth, _)| **truth > 0.0);
        let pairs: Vec<(f64, f64)> =
            pairs.map(|(truth, found)| (f64::from(*truth), f64::from(*found))).collect();
        let (scale, shift) = match self.alignment {
            Alignment::Metric => (1.0, 0.0),
            Alignment::ScaleAndShift => fitted(&pairs),
        };
        pairs.into_iter().for_each(|(truth, found)| self.pixel(truth, scale * found + shift));
    }

    fn pixel(&mut self, truth: f64, found: f64) {
        let found = found.max(NEAREST);
        let ratio = (truth / found).max(found / truth);
        self.pixels += 1;
        self.squares += (truth - found) * (truth - found);
        self.relative += (truth - found).abs() / truth;
        for (power, below) in self.below.iter_mut().enumerate() {
            *below += u64::from(ratio < [1.25, 1.5625, 1.953125][power]);
        }
    }

    /// `None` without any pixel that has a true depth.
    pub fn scores(&self) -> Option<DepthScores> {
        let count = self.pixels as f64;
        (self.pixels > 0).then(|| DepthScores {
            rmse: (self.squares / count).sqrt(),
            relative: self.relative / count,
            delta: self.below.map(|below| below as f64 / count),
        })
    }
}

/// The scale and shift of the second numbers that bring them closest to the first. Where all are alike, a shift alone.
pub(super) fn fitted(pairs: &[(f64, f64)]) -> (f64, f64) {
    let known = || pairs.iter().filter(|(_, found)| found.is_finite());
    let count = known().count() as f64;
    if count == 0.0 {
        return (1.0, 0.0);
    }
    let mean_truth = known().map(|(truth, _)| truth).sum::<f64>() / count;
    let mean_found = known().map(|(_, found)| found).sum::<f64>() / count;
    let spread: f64 = known().map(|(_, found)| (found - mean_found) * (found - mean_found)).sum();
    let shared: f64 = known().map(|(truth, found)| (truth - mean_truth) * (found - mean_found)).sum();
    let scale = if spread > 1e-12 * mean_found * mean_found * count { shared / spread } else { 0.0 };
    (scale, mean_truth - scale * mean_found)
}
