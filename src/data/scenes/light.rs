//! Colours: textures, sunlight with shadows, the dimming of what stands close to something else.

use rand::RngExt;

use super::shape::Solid;
use super::vector::{Vector, along, dot, minus, mixed, scaled, times, unit};
use crate::random::Rng;

/// What a surface looks like.
#[derive(Clone, Debug)]
pub(super) struct Material {
    colours: [Vector; 2],
    pattern: Pattern,
    /// Side of one piece of the pattern, in metres.
    grain: f64,
    /// How much of the sun it mirrors.
    gloss: f64,
    salt: u64,
}

#[derive(Clone, Copy, Debug)]
enum Pattern {
    Plain,
    Checks,
    Stripes,
    Clouds,
}

impl Material {
    /// Any material, with pieces of about `grain` metres; `vivid` in [0, 1] says how colourful.
    pub fn random(rng: &mut Rng, grain: f64, vivid: f64) -> Material {
        let first = colour(rng, vivid);
        let second = match rng.random::<f64>() {
            share if share < 0.5 => scaled(first, 0.45 + 0.35 * rng.random::<f64>()),
            _ => mixed(first, colour(rng, vivid), 0.7),
        };
        let patterns = [Pattern::Plain, Pattern::Plain, Pattern::Checks, Pattern::Stripes, Pattern::Clouds];
        Material {
            colours: [first, second],
            pattern: patterns[pick(rng, patterns.len())],
            grain: grain * (0.6 + 0.9 * rng.random::<f64>()),
            gloss: rng.random::<f64>() * rng.random::<f64>(),
            salt: rng.random(),
        }
    }

    /// Its colour at a point of its own coordinates, seen at `footprint` metres a pixel: patterns too fine fade.
    fn colour(&self, point: Vector, footprint: f64) -> Vector {
        // A seam that lies exactly in a face would flicker: patterns start off the origin.
        let cell = point.map(|part| part / self.grain + 0.37);
        let even = |part: f64| if (part.floor() as i64).rem_euclid(2) == 0 { 0.0 } else { 1.0 };
        let share = match self.pattern {
            Pattern::Plain => 0.0,
            Pattern::Checks => even(cell.iter().map(|part| part.floor()).sum()),
            Pattern::Stripes => even(cell[0] + 0.5 * cell[2]),
            Pattern::Clouds => 0.6 * clouds(cell, self.salt) + 0.4 * clouds(scaled(cell, 2.7), self.salt ^ 1),
        };
        let sharp = (self.grain / (2.0 * footprint)).min(1.0);
        mixed(self.colours[0], self.colours[1], 0.5 + (share - 0.5) * sharp)
    }
}

/// An even number below `count`.
pub(super) fn pick(rng: &mut Rng, count: usize) -> usize {
    ((rng.random::<f64>() * count as f64) as usize).min(count - 1)
}

/// A random colour of linear light.
pub(super) fn colour(rng: &mut Rng, vivid: f64) -> Vector {
    let (hue, value) = (6.0 * rng.random::<f64>(), 0.35 + 0.6 * rng.random::<f64>());
    let saturation = vivid * (0.35 + 0.65 * rng.random::<f64>());
    let part = |shift: f64| {
        let turn = (hue + shift) % 6.0;
        let share = turn.min(4.0 - turn).clamp(0.0, 1.0);
        let level = value * (1.0 - saturation * (1.0 - share));
        level * level
    };
    [part(2.0), part(0.0), part(4.0)]
}

/// Smooth noise in [0, 1] with one bump a unit.
fn clouds(point: Vector, salt: u64) -> f64 {
    let corner = point.map(f64::floor);
    let part = minus(point, corner).map(|part| part * part * (3.0 - 2.0 * part));
    let at = |x: f64, y: f64, z: f64| grey([corner[0] + x, corner[1] + y, corner[2] + z], salt);
    let row = |y: f64, z: f64| at(0.0, y, z) * (1.0 - part[0]) + at(1.0, y, z) * part[0];
    let side = |z: f64| row(0.0, z) * (1.0 - part[1]) + row(1.0, z) * part[1];
    side(0.0) * (1.0 - part[2]) + side(1.0) * part[2]
}

/// A fixed number in [0, 1) for each corner of the grid.
fn grey(corner: Vector, salt: u64) -> f64 {
    let mut hash = salt;
    for part in corner {
        hash = (hash ^ (part as i64 as u64)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 29;
    }
    (hash.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11) as f64 / (1u64 << 53) as f64
}

/// The light of a scene.
#[derive(Clone, Debug)]
pub(super) struct Light {
    /// Towards the sun.
    sun: Vector,
    colour: Vector,
    /// From the whole sky.
    ambient: Vector,
    /// The sky at the horizon and above.
    sky: [Vector; 2],
}

impl Light {
    pub fn random(rng: &mut Rng) -> Light {
        let mut side = || 2.0 * rng.random::<f64>() - 1.0;
        let sun = unit([1.2 * side(), 0.8 * side() - 0.4, 0.7 + 0.5 * side()]);
        let (strength, warmth) = (0.7 + 0.9 * rng.random::<f64>(), rng.random::<f64>());
        let colour = scaled([1.0, 0.98 - 0.2 * warmth, 0.95 - 0.4 * warmth], strength);
        let blue = mixed([0.55, 0.55, 0.55], [0.12, 0.28, 0.75], rng.random());
        let day = 0.5 + 0.5 * rng.random::<f64>();
        let horizon = mixed(blue, [0.85, 0.8, 0.75], 0.75);
        let ambient = scaled(mixed(blue, [0.5, 0.5, 0.5], 0.6), 0.35 + 0.5 * rng.random::<f64>());
        Light { sun, colour, ambient, sky: [scaled(horizon, day), scaled(blue, day)] }
    }

    /// What shows where a ray meets nothing.
    pub fn sky(&self, way: Vector) -> Vector {
        mixed(self.sky[0], self.sky[1], (3.0 * unit(way)[2]).clamp(0.0, 1.0))
    }

    /// The colour that haze has at the horizon.
    pub fn horizon(&self) -> Vector {
        self.sky[0]
    }

    /// The light that leaves a surface towards the eye.
    pub fn shade(&self, surface: &Surface, solids: &[Solid]) -> Vector {
        let albedo = surface.material.colour(surface.own, surface.footprint);
        let facing = dot(surface.normal, self.sun);
        let lifted = along(surface.point, surface.normal, 1e-6);
        let lit = facing > 0.0 && !solids.iter().any(|solid| solid.meet(lifted, self.sun, 0.0).is_some());
        let open = 0.65 + 0.35 * surface.normal[2];
        let around = scaled(self.ambient, open * openness(surface, solids));
        if !lit {
            return times(albedo, around);
        }
        let half = unit(minus(self.sun, unit(surface.way)));
        let shine = (0..5).fold(dot(half, surface.normal).max(0.0), |shine, _| shine * shine);
        let diffuse = times(albedo, along(around, self.colour, facing));
        along(diffuse, self.colour, 0.6 * surface.material.gloss * shine)
    }
}

/// A point that is seen.
pub(super) struct Surface<'a> {
    pub material: &'a Material,
    /// In the world.
    pub point: Vector,
    /// In the coordinates of its solid.
    pub own: Vector,
    pub normal: Vector,
    /// The direction of the ray that met it.
    pub way: Vector,
    /// Metres a pixel.
    pub footprint: f64,
    /// The solid that it belongs to.
    pub solid: Option<usize>,
}

/// The share of the sky that is not hidden by solids close by, each taken for a ball.
fn openness(surface: &Surface, solids: &[Solid]) -> f64 {
    let others = solids.iter().enumerate().filter(|(index, _)| surface.solid != Some(*index));
    others.fold(1.0, |open, (_, solid)| {
        let (gap, reach) = (minus(solid.place, surface.point), 0.8 * solid.shape.reach());
        let distance = dot(gap, gap).sqrt().max(reach);
        let towards = (dot(gap, surface.normal) / distance).max(0.0);
        open * (1.0 - 0.8 * towards * reach * reach / (distance * distance))
    })
}
