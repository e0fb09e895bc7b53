//! From a scene to its picture and labels: one ray through the middle of each pixel says what it shows.

use rand::RngExt;

use super::compose::{FAR, Scene};
use super::light::Surface;
use super::vector::{Vector, along, dot, minus, mixed, scaled, unit};
use crate::data::{Picture, Plane};
use crate::random::Rng;

/// What a ray meets first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hit {
    pub thing: Thing,
    /// Metres along the camera's axis.
    pub depth: f64,
    normal: Vector,
}

/// What there is to meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    Sky,
    Ground,
    Wall,
    /// By its index in the scene.
    Solid(usize),
}

const NOTHING: Hit = Hit { thing: Thing::Sky, depth: f64::INFINITY, normal: [0.0; 3] };

/// What each pixel of a scene shows.
pub(super) struct View {
    pub scene: Scene,
    pub width: usize,
    pub height: usize,
    hits: Vec<Hit>,
}

impl View {
    pub fn new(scene: Scene, width: usize, height: usize) -> View {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x as f64, y as f64)));
        let hits = pixels.map(|(x, y)| first(&scene, scene.eye.way(x, y))).collect();
        View { scene, width, height, hits }
    }

    fn plane<T: crate::data::Pixel>(&self, value: impl Fn(&Hit) -> T) -> Plane<T> {
        Plane::new(self.width, self.height, self.hits.iter().map(value).collect())
    }

    /// How many pixels of each solid are seen.
    pub fn areas(&self) -> Vec<usize> {
        let mut areas = vec![0; self.scene.solids.len()];
        for hit in &self.hits {
            if let Thing::Solid(index) = hit.thing {
                areas[index] += 1;
            }
        }
        areas
    }

    pub fn of_solid(&self, index: usize) -> Plane<bool> {
        self.plane(|hit| hit.thing == Thing::Solid(index))
    }

    pub fn classes(&self, class: impl Fn(Thing) -> u16) -> Plane<u16> {
        self.plane(|hit| class(hit.thing))
    }

    pub fn depth(&self) -> Plane<f32> {
        self.plane(|hit| if hit.depth.is_finite() { hit.depth as f32 } else { f32::NAN })
    }

    pub fn normals(&self) -> Plane<[f32; 3]> {
        let axes = self.scene.eye.axes;
        self.plane(|hit| match hit.thing {
            Thing::Sky => [f32::NAN; 3],
            _ => unit(axes.map(|axis| dot(axis, hit.normal))).map(|part| part as f32),
        })
    }

    /// The picture as a camera takes it: edges smoothed, with the sensor's noise.
    pub fn picture(&self, rng: &mut Rng) -> Picture {
        let colour = |x: f64, y: f64, hit: Option<&Hit>| {
            let way = self.scene.eye.way(x, y);
            let hit = hit.copied().unwrap_or_else(|| first(&self.scene, way));
            self.colour(&hit, way)
        };
        let index = |x: usize, y: usize| y * self.width + x;
        let pixels = |x: usize, y: usize| (x as f64, y as f64, &self.hits[index(x, y)]);
        let plain: Vec<Vector> = (0..self.height)
            .flat_map(|y| (0..self.width).map(move |x| (x, y)))
            .map(|(x, y)| {
                let (x, y, hit) = pixels(x, y);
                colour(x, y, Some(hit))
            })
            .collect();
        Plane::from_fn(self.width, self.height, |x, y| {
            let here = plain[index(x, y)];
            let smooth = self.neighbours(x, y).all(|other| close(here, plain[other]));
            let light = if smooth {
                here
            } else {
                let corners = [(-0.375, -0.125), (0.125, -0.375), (0.375, 0.125), (-0.125, 0.375)];
                let at = |(dx, dy): (f64, f64)| colour(x as f64 + dx, y as f64 + dy, None);
                corners.into_iter().fold([0.0; 3], |sum, corner| along(sum, at(corner), 0.25))
            };
            light.map(|level| developed(level, self.scene.noise, rng))
        })
    }

    fn neighbours(&self, x: usize, y: usize) -> impl Iterator<Item = usize> {
        let (width, here) = (self.width, y * self.width + x);
        let sides = [(x > 0, here.wrapping_sub(1)), (x + 1 < width, here + 1)];
        let ends = [(y > 0, here.wrapping_sub(width)), (y + 1 < self.height, here + width)];
        sides.into_iter().chain(ends).filter(|(there, _)| *there).map(|(_, index)| index)
    }

    fn colour(&self, hit: &Hit, way: Vector) -> Vector {
        let scene = &self.scene;
        let point = along(scene.eye.place, way, hit.depth);
        let (material, own, solid) = match hit.thing {
            Thing::Sky => return scene.light.sky(way),
            Thing::Ground => (&scene.ground, point, None),
            Thing::Solid(index) => (&scene.materials[index], scene.solids[index].inside(point), Some(index)),
            Thing::Wall => match &scene.wall {
                Some(wall) => (&wall.material, along_wall(wall.normal, point), None),
                None => return scene.light.sky(way),
            },
        };
        let footprint = hit.depth / scene.eye.camera.focal.0;
        let surface = Surface { material, point, own, normal: hit.normal, way, footprint, solid };
        let haze = if scene.wall.is_some() { 0.0 } else { (hit.depth / FAR).min(1.0) };
        mixed(scene.light.shade(&surface, &scene.solids), scene.light.horizon(), haze)
    }
}

/// A wall's point in the wall's own coordinates, so that its pattern is upright.
fn along_wall(normal: Vector, point: Vector) -> Vector {
    [normal[1] * point[0] - normal[0] * point[1], 0.0, point[2]]
}

fn first(scene: &Scene, way: Vector) -> Hit {
    let eye = scene.eye.place;
    let mut hit = NOTHING;
    if way[2] < 0.0 && -eye[2] / way[2] < FAR {
        hit = Hit { thing: Thing::Ground, depth: -eye[2] / way[2], normal: [0.0, 0.0, 1.0] };
    }
    if let Some(wall) = &scene.wall {
        let depth = (wall.distance - dot(wall.normal, eye)) / dot(wall.normal, way);
        if depth > 0.0 && depth < hit.depth {
            hit = Hit { thing: Thing::Wall, depth, normal: wall.normal };
        }
    }
    for (index, solid) in scene.solids.iter().enumerate() {
        if let Some((depth, normal)) = solid.meet(eye, way, 0.0)
            && depth < hit.depth
        {
            hit = Hit { thing: Thing::Solid(index), depth, normal };
        }
    }
    hit
}

/// Whether two colours are too alike for an eye to see a step.
fn close(one: Vector, other: Vector) -> bool {
    minus(one, other).iter().all(|part| part.abs() < 0.03)
}

/// Linear light as a level from 0 to 255, by the square root that screens expect about.
fn developed(light: f64, noise: f64, rng: &mut Rng) -> u8 {
    let bits: u64 = rng.random();
    let sum: u64 = (0..4).map(|part| (bits >> (16 * part)) & 0xffff).sum();
    // Four even numbers have a deviation of sqrt(4 / 12) of their range.
    let bell = (sum as f64 / 65536.0 - 2.0) / (1.0f64 / 3.0).sqrt();
    let light = light / (1.0 + 0.25 * light);
    let level = (1.12 * light).max(0.0).sqrt() + noise * bell;
    scaled([level.clamp(0.0, 1.0); 3], 255.0)[0].round() as u8
}
