//! Angles between surface normals.
//!
//! Fouhey, Gupta and Hebert, *Data-Driven 3D Primitives for Single Image Understanding* (2013),
//! <https://openaccess.thecvf.com/content_iccv_2013/html/Fouhey_Data-Driven_3D_Primitives_2013_ICCV_paper.html>: the mean
//! angle, and the shares of pixels within 11.25, 22.5 and 30 degrees, over all pixels of all pictures that have a normal.

use crate::data::Plane;

/// The limits in degrees.
const LIMITS: [f64; 3] = [11.25, 22.5, 30.0];

/// Sums over pixels.
///
/// ```
/// use cellwright::data::Plane;
/// use cellwright::must::metrics::NormalAngle;
///
/// let mut metric = NormalAngle::default();
/// let truth = Plane::new(2, 1, vec![[0.0, 0.0, -1.0], [0.0, 0.0, -1.0]]);
/// metric.add(&truth, &Plane::new(2, 1, vec![[0.0, 0.0, -3.0], [0.0, -1.0, 0.0]]));
/// let scores = metric.scores().unwrap();
/// assert_eq!((scores.mean_degrees, scores.within[0]), (45.0, 0.5));
/// ```
#[derive(Clone, Debug, Default)]
pub struct NormalAngle {
    pixels: u64,
    degrees: f64,
    within: [u64; 3],
}

/// How far predicted normals are from the truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormalScores {
    /// The mean angle.
    pub mean_degrees: f64,
    /// The shares of pixels within 11.25, 22.5 and 30 degrees of the truth, in [0, 1].
    pub within: [f64; 3],
}

impl NormalAngle {
    /// One picture, of which the true normals' holes do not count. Predictions may be of any length; one without a
    /// direction is as wrong as can be.
    ///
    /// # Panics
    /// If the planes are not of one size.
    pub fn add(&mut self, truth: &Plane<[f32; 3]>, found: &Plane<[f32; 3]>) {
        assert_eq!(truth.size(), found.size(), "planes of one size");
        let pairs = truth.values().iter().zip(found.values()).filter(|(truth, _)| !truth[0].is_nan());
        for (truth, found) in pairs {
            let degrees = degrees(truth.map(f64::from), found.map(f64::from));
            self.pixels += 1;
            self.degrees += degrees;
            for (limit, within) in LIMITS.iter().zip(&mut self.within) {
                *within += u64::from(degrees < *limit);
            }
        }
    }

    /// `None` without any pixel that has a true normal.
    pub fn scores(&self) -> Option<NormalScores> {
        let count = self.pixels as f64;
        (self.pixels > 0).then(|| NormalScores {
            mean_degrees: self.degrees / count,
            within: self.within.map(|within| within as f64 / count),
        })
    }
}

fn degrees(a: [f64; 3], b: [f64; 3]) -> f64 {
    let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    if cosine.is_nan() { 180.0 } else { cosine.clamp(-1.0, 1.0).acos().to_degrees() }
}
