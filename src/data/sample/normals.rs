//! Surface normals from a depth map.
//!
//! On a plane, inverse depth is linear in the pixel's direction: `n · (x, y, 1) / d = 1 / z`. So the normal is a linear
//! least-squares fit of inverse depth round the pixel, exact on planes at any angle; neighbours across a jump of depth
//! take no part, and those that fit badly are fitted again with less weight (one step of Tukey's biweight), as sensors
//! have outliers at edges.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Camera, Plane};

/// How normals are derived from depth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NormalFit {
    /// How far the neighbours reach, in pixels; `None` for an eightieth of the picture's width, at least 1.
    pub radius: Option<usize>,
    /// The largest difference of depth to a neighbour on the same surface, as a share of the depth.
    pub jump: f64,
}

impl Default for NormalFit {
    fn default() -> NormalFit {
        NormalFit { radius: None, jump: 0.05 }
    }
}

/// A neighbour's direction, and its inverse depth in units of that in the middle.
type Point = ([f64; 3], f64);

/// Neighbours without which a fit is no better than a guess.
const FEWEST: usize = 4;

impl NormalFit {
    /// Unit normals in the camera's coordinates, towards the camera. Holes of depth are holes of normals, and so is what
    /// has too few neighbours on its own surface.
    pub fn normals(&self, depth: &Plane<f32>, camera: &Camera) -> Plane<[f32; 3]> {
        let (width, height) = depth.size();
        let radius = self.radius.unwrap_or(width / 80).max(1) as i64;
        let steps = offsets(radius);
        let fit = |pixel: usize| self.fit(depth, camera, pixel % width, pixel / width, &steps);
        Plane::new(width, height, (0..width * height).into_par_iter().map(fit).collect())
    }

    fn fit(&self, depth: &Plane<f32>, camera: &Camera, x: usize, y: usize, steps: &[i64]) -> [f32; 3] {
        const HOLE: [f32; 3] = [f32::NAN; 3];
        let here = f64::from(depth.at(x, y));
        if here.is_nan() {
            return HOLE;
        }
        let mut points = [([0.0; 3], 0.0); 25];
        let mut count = 0;
        for (dy, dx) in steps.iter().flat_map(|dy| steps.iter().map(move |dx| (dy, dx))) {
            let (x, y) = (x as i64 + dx, y as i64 + dy);
            if x < 0 || y < 0 || x >= depth.width() as i64 || y >= depth.height() as i64 {
                continue;
            }
            let there = f64::from(depth.at(x as usize, y as usize));
            if (there - here).abs() <= self.jump * here {
                points[count] = (camera.ray(x as f64, y as f64), here / there);
                count += 1;
            }
        }
        let points = &points[..count];
        let plane = (count >= FEWEST).then(|| least_squares(points, &[1.0; 25])).flatten();
        let plane = plane.and_then(|plane| least_squares(points, &biweights(points, plane)).or(Some(plane)));
        plane.map_or(HOLE, towards_camera)
    }
}

/// At most five offsets from `-radius` to `radius`.
fn offsets(radius: i64) -> Vec<i64> {
    match radius {
        1 => vec![-1, 0, 1],
        _ => vec![-radius, -(radius / 2), 0, radius / 2, radius],
    }
}

/// A small weight for what is far from the plane, measured by the median distance.
fn biweights(points: &[Point], plane: [f64; 3]) -> [f64; 25] {
    let mut residuals = [0.0; 25];
    for (residual, (ray, value)) in residuals.iter_mut().zip(points) {
        *residual = (dot(*ray, plane) - value).abs();
    }
    let mut sorted = residuals;
    let sorted = &mut sorted[..points.len()];
    sorted.sort_unstable_by(f64::total_cmp);
    // Below a millionth of the depth it is rounding, not noise.
    let scale = (sorted[points.len() / 2] * 6.0).max(1e-6);
    residuals.map(|residual| {
        let share = (residual / scale).min(1.0);
        (1.0 - share * share) * (1.0 - share * share)
    })
}

/// The plane `p` with the least weighted squares of `p · ray - value`; `None` where the rays do not span one.
fn least_squares(points: &[Point], weights: &[f64; 25]) -> Option<[f64; 3]> {
    // Rays are measured from their mean: those of neighbours differ in the fourth digit only.
    let total: f64 = weights[..points.len()].iter().sum();
    let mean = |of: &dyn Fn(&Point) -> f64| {
        points.iter().zip(weights).map(|(point, weight)| weight * of(point)).sum::<f64>() / total
    };
    let (x, y, value) = (mean(&|p| p.0[0]), mean(&|p| p.0[1]), mean(&|p| p.1));
    let (mut xx, mut xy, mut yy, mut xv, mut yv) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for ((ray, there), weight) in points.iter().zip(weights) {
        let (dx, dy, dv) = (ray[0] - x, ray[1] - y, there - value);
        xx += weight * dx * dx;
        xy += weight * dx * dy;
        yy += weight * dy * dy;
        xv += weight * dx * dv;
        yv += weight * dy * dv;
    }
    let determinant = xx * yy - xy * xy;
    if determinant.is_nan() || determinant <= 1e-6 * xx * yy {
        return None;
    }
    let slope = [(xv * yy - yv * xy) / determinant, (yv * xx - xv * xy) / determinant];
    Some([slope[0], slope[1], value - slope[0] * x - slope[1] * y])
}

/// The plane's unit normal on the side that the camera sees.
fn towards_camera(plane: [f64; 3]) -> [f32; 3] {
    let length = dot(plane, plane).sqrt();
    plane.map(|part| (-part / length) as f32)
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAMERA: Camera = Camera { focal: (20.0, 22.0), centre: (11.5, 8.0) };

    fn degrees(a: [f32; 3], b: [f64; 3]) -> f64 {
        dot(a.map(f64::from), b).clamp(-1.0, 1.0).acos().to_degrees()
    }

    /// The depth of the plane `n · p = d`.
    fn tilted(normal: [f64; 3], distance: f64) -> Plane<f32> {
        Plane::from_fn(24, 18, |x, y| (distance / dot(CAMERA.ray(x as f64, y as f64), normal)) as f32)
    }

    #[test]
    fn planes_give_their_normal_and_holes_stay_holes() {
        let normal = [0.36, -0.48, -0.8];
        let mut depth = tilted(normal, -2.0);
        depth.set(5, 5, f32::NAN);
        // So coarse a camera has steep depth between neighbours.
        let normals = NormalFit { jump: 0.2, ..NormalFit::default() }.normals(&depth, &CAMERA);
        for y in 0..18 {
            for x in 0..24 {
                let there = normals.at(x, y);
                assert_eq!(there[0].is_nan(), (x, y) == (5, 5));
                assert!((x, y) == (5, 5) || degrees(there, normal) < 0.02, "{there:?} at ({x}, {y})");
            }
        }
    }

    #[test]
    fn an_outlier_and_a_jump_turn_no_normal() {
        let normal = [0.0, 0.6, -0.8];
        let mut depth = tilted(normal, -2.0);
        (12..24).for_each(|x| (0..18).for_each(|y| depth.set(x, y, 1.0 + depth.at(x, y))));
        depth.set(5, 5, depth.at(5, 5) * 1.03);
        let normals = NormalFit { radius: Some(2), ..NormalFit::default() }.normals(&depth, &CAMERA);
        for (x, y) in [(11, 9), (4, 4), (7, 6), (10, 2)] {
            assert!(degrees(normals.at(x, y), normal) < 1.0, "{:?} at ({x}, {y})", normals.at(x, y));
        }
    }
}
