//! Where a pixel looks: the camera's intrinsics.

use serde::{Deserialize, Serialize};

/// A pinhole camera. It looks along z, x to the right and y down; the middle of the upper left pixel is (0, 0).
///
/// ```
/// use cellwright::data::Camera;
///
/// let camera = Camera { focal: (500.0, 500.0), centre: (319.5, 239.5) };
/// assert_eq!(camera.point(569.5, 239.5, 2.0), [1.0, 0.0, 2.0]);
/// assert_eq!(camera.flipped(640).centre, (319.5, 239.5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Camera {
    /// Focal lengths along x and y, in pixels.
    pub focal: (f64, f64),
    /// Where the optical axis meets the picture, in pixels.
    pub centre: (f64, f64),
}

impl Camera {
    /// The point in metres that a pixel with this depth in metres shows.
    pub fn point(&self, x: f64, y: f64, depth: f64) -> [f64; 3] {
        let ray = self.ray(x, y);
        [ray[0] * depth, ray[1] * depth, depth]
    }

    /// The direction that a pixel looks in, with z = 1.
    pub fn ray(&self, x: f64, y: f64) -> [f64; 3] {
        [(x - self.centre.0) / self.focal.0, (y - self.centre.1) / self.focal.1, 1.0]
    }

    /// The camera of the mirrored picture.
    pub fn flipped(&self, width: usize) -> Camera {
        Camera { centre: (width as f64 - 1.0 - self.centre.0, self.centre.1), ..*self }
    }

    /// The camera of the window whose upper left corner is at (`left`, `top`).
    pub fn cropped(&self, left: i64, top: i64) -> Camera {
        Camera { centre: (self.centre.0 - left as f64, self.centre.1 - top as f64), ..*self }
    }

    /// The camera of the picture scaled by these factors.
    pub fn scaled(&self, x: f64, y: f64) -> Camera {
        let centre = ((self.centre.0 + 0.5) * x - 0.5, (self.centre.1 + 0.5) * y - 0.5);
        Camera { focal: (self.focal.0 * x, self.focal.1 * y), centre }
    }
}
