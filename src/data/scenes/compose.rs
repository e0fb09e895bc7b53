//! A random scene: what stands where, in which light, seen from where.

use rand::RngExt;

use super::light::{Light, Material, pick};
use super::shape::{Shape, Solid};
use super::vector::{Vector, along, unit};
use crate::data::Camera;
use crate::random::Rng;

/// Ground further away than this is lost in haze, and has no depth.
pub(super) const FAR: f64 = 60.0;

/// Everything that a picture is made from.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub solids: Vec<Solid>,
    /// One for each solid.
    pub materials: Vec<Material>,
    pub ground: Material,
    pub wall: Option<Wall>,
    pub light: Light,
    pub eye: Eye,
    /// Standard deviation of the sensor's noise, of levels in [0, 1].
    pub noise: f64,
}

/// An upright plane behind everything: `normal · point = distance`.
#[derive(Clone, Debug)]
pub(super) struct Wall {
    pub normal: Vector,
    pub distance: f64,
    pub material: Material,
}

/// The camera in the world, where z is up and the ground is at 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Eye {
    pub place: Vector,
    /// The world's directions of the camera's x (right), y (down) and z (forward).
    pub axes: [Vector; 3],
    pub camera: Camera,
}

impl Eye {
    fn random(rng: &mut Rng, width: usize, height: usize) -> Eye {
        let tilt = 0.14 + 0.3 * rng.random::<f64>();
        let forward = unit([0.0, 1.0, -tilt]);
        let focal = width.max(height) as f64 * between(rng, 0.85, 1.25);
        let centre = ((width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0);
        Eye {
            place: [0.0, 0.0, between(rng, 0.9, 1.9)],
            axes: [[1.0, 0.0, 0.0], [0.0, forward[2], -forward[1]], forward],
            camera: Camera { focal: (focal, focal), centre },
        }
    }

    /// The direction of a pixel in the world, one metre deep.
    pub fn way(&self, x: f64, y: f64) -> Vector {
        let [right, down, _] = self.camera.ray(x, y);
        along(along(self.axes[2], self.axes[0], right), self.axes[1], down)
    }
}

impl Scene {
    /// A scene with `count` solids at most: as many as find a place.
    pub fn random(rng: &mut Rng, width: usize, height: usize, count: usize) -> Scene {
        let eye = Eye::random(rng, width, height);
        let wall = (rng.random::<f64>() < 0.6).then(|| Wall::random(rng));
        let mut solids: Vec<Solid> = Vec::new();
        for _ in 0..count {
            // A place that is taken is left to nobody: a crowded scene has fewer solids.
            let place = (0..12).find_map(|_| {
                let solid = standing(rng, &eye, width);
                solids.iter().all(|other| apart(other, &solid)).then_some(solid)
            });
            solids.extend(place);
        }
        let materials = solids.iter().map(|solid| Material::random(rng, 0.35 * solid.shape.reach(), 1.0));
        let materials = materials.collect();
        let ground = Material::random(rng, 0.5, 0.45);
        let noise = 0.02 * rng.random::<f64>();
        Scene { solids, materials, ground, wall, light: Light::random(rng), eye, noise }
    }

    /// The same without some of its solids.
    pub fn keeping(&self, keep: impl Fn(usize) -> bool) -> Scene {
        let kept = || (0..self.solids.len()).filter(|&index| keep(index));
        Scene {
            solids: kept().map(|index| self.solids[index].clone()).collect(),
            materials: kept().map(|index| self.materials[index].clone()).collect(),
            ..self.clone()
        }
    }
}

impl Wall {
    fn random(rng: &mut Rng) -> Wall {
        let normal = unit([between(rng, -0.5, 0.5), -1.0, 0.0]);
        Wall { normal, distance: -between(rng, 6.0, 10.0), material: Material::random(rng, 0.7, 0.5) }
    }
}

fn between(rng: &mut Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * rng.random::<f64>()
}

/// A random solid that stands on the ground in sight.
fn standing(rng: &mut Rng, eye: &Eye, width: usize) -> Solid {
    let size = between(rng, 0.2, 0.6);
    let (shape, lying) = random_shape(rng, size);
    let depth = between(rng, 2.0, 5.5);
    let sight = width as f64 / (2.0 * eye.camera.focal.0);
    let side = depth * sight * between(rng, -0.9, 0.9);
    let turn = heading(rng);
    let (ahead, across) = ([turn[0], turn[1], 0.0], [-turn[1], turn[0], 0.0]);
    let up = [0.0, 0.0, 1.0];
    let axes = if lying { [across, up, ahead] } else { [ahead, across, up] };
    Solid { shape, place: [side, depth, rests_at(shape, lying)], axes }
}

/// A shape about as large as `size`, and whether it lies on its side.
fn random_shape(rng: &mut Rng, size: f64) -> (Shape, bool) {
    let mut part = |low, high| size * between(rng, low, high);
    let numbers = [part(0.6, 1.1), part(0.6, 1.1), part(0.6, 1.3), part(0.22, 0.4)];
    let [a, b, tall, thin] = numbers;
    let shape = match pick(rng, Shape::NAMES.len()) {
        0 => Shape::Sphere { radius: 0.9 * a },
        1 => Shape::Box { half: [0.8 * a, 0.8 * b, 0.8 * tall] },
        2 => Shape::Cylinder { radius: 0.7 * a, half: 0.9 * tall },
        3 => Shape::Cone { radius: 0.85 * a, half: 0.9 * tall },
        4 => Shape::Torus { radius: 0.85 * a, tube: thin },
        _ => Shape::Pyramid { side: 0.85 * a, half: 0.9 * tall },
    };
    let may_lie = matches!(shape, Shape::Cylinder { .. } | Shape::Torus { .. });
    (shape, rng.random::<f64>() < 0.4 && may_lie)
}

/// A direction on the ground, all alike: a point of the unit disc, drawn until one is not too close to its middle.
fn heading(rng: &mut Rng) -> [f64; 2] {
    loop {
        let [x, y] = [between(rng, -1.0, 1.0), between(rng, -1.0, 1.0)];
        let square = x * x + y * y;
        if (0.01..=1.0).contains(&square) {
            return [x / square.sqrt(), y / square.sqrt()];
        }
    }
}

/// How high the origin of a shape is above the ground that it touches.
fn rests_at(shape: Shape, lying: bool) -> f64 {
    match shape {
        Shape::Sphere { radius } => radius,
        Shape::Box { half } => half[2],
        Shape::Cylinder { radius, half } => {
            if lying {
                radius
            } else {
                half
            }
        }
        Shape::Torus { radius, tube } => {
            if lying {
                radius + tube
            } else {
                tube
            }
        }
        Shape::Cone { half, .. } | Shape::Pyramid { half, .. } => half,
    }
}

/// Whether two solids leave one another room on the ground.
fn apart(one: &Solid, other: &Solid) -> bool {
    let [x, y] = [one.place[0] - other.place[0], one.place[1] - other.place[1]];
    let room = spread(one.shape) + spread(other.shape);
    x * x + y * y >= room * room
}

/// The radius on the ground that holds the shape as it stands or lies.
fn spread(shape: Shape) -> f64 {
    match shape {
        Shape::Sphere { radius } | Shape::Cone { radius, .. } => radius,
        Shape::Box { half: [a, b, _] } => (a * a + b * b).sqrt(),
        Shape::Cylinder { .. } => shape.reach(),
        Shape::Torus { radius, tube } => radius + tube,
        Shape::Pyramid { side, .. } => side * std::f64::consts::SQRT_2,
    }
}
