//! Solids and where a ray meets them.

use super::vector::{Vector, along, dot, minus, scaled, unit};

/// A solid round its own origin, its axis along z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    Sphere {
        radius: f64,
    },
    Box {
        half: Vector,
    },
    Cylinder {
        radius: f64,
        half: f64,
    },
    /// Its tip at `half` above the origin, its base as far below.
    Cone {
        radius: f64,
        half: f64,
    },
    /// A ring: the circle of `radius`, as thick as `tube` round it.
    Torus {
        radius: f64,
        tube: f64,
    },
    /// As the cone, with a square base of side `2 * side`.
    Pyramid {
        side: f64,
        half: f64,
    },
}

impl Shape {
    pub const NAMES: [&'static str; 6] = ["sphere", "box", "cylinder", "cone", "torus", "pyramid"];

    /// Index into [`Shape::NAMES`].
    pub fn class(self) -> u16 {
        match self {
            Shape::Sphere { .. } => 0,
            Shape::Box { .. } => 1,
            Shape::Cylinder { .. } => 2,
            Shape::Cone { .. } => 3,
            Shape::Torus { .. } => 4,
            Shape::Pyramid { .. } => 5,
        }
    }

    /// Radius of the sphere round the origin that holds all of it.
    pub fn reach(self) -> f64 {
        match self {
            Shape::Sphere { radius } => radius,
            Shape::Box { half } => dot(half, half).sqrt(),
            Shape::Cylinder { radius, half } | Shape::Cone { radius, half } => {
                (radius * radius + half * half).sqrt()
            }
            Shape::Torus { radius, tube } => radius + tube,
            Shape::Pyramid { side, half } => (2.0 * side * side + half * half).sqrt(),
        }
    }

    /// The first distance along the ray beyond `from`, and the outward normal there.
    fn meet(self, origin: Vector, way: Vector, from: f64) -> Option<(f64, Vector)> {
        match self {
            Shape::Sphere { radius } => round(origin, way, radius, from),
            Shape::Box { half: [a, b, c] } => {
                let faces = [(0, a), (1, b), (2, c)];
                let planes = faces.into_iter().flat_map(|(axis, half)| {
                    [-1.0, 1.0].map(|side| {
                        let mut normal = [0.0; 3];
                        normal[axis] = side;
                        (normal, half)
                    })
                });
                convex(origin, way, planes, from)
            }
            Shape::Cylinder { radius, half } => {
                // x² + y² = radius²
                let terms = [
                    way[0] * way[0] + way[1] * way[1],
                    flat(origin, way),
                    flat(origin, origin) - radius * radius,
                ];
                let side = |at: Vector| (at[2].abs() <= half).then(|| unit([at[0], at[1], 0.0]));
                let caps = [(half, radius, 1.0), (-half, radius, -1.0)];
                turned(origin, way, terms, side, &caps, from)
            }
            Shape::Cone { radius, half } => {
                // x² + y² = (slope (half - z))²
                let slope = radius / (2.0 * half);
                let (k, tip) = (slope * slope, half - origin[2]);
                let terms = [
                    flat(way, way) - k * way[2] * way[2],
                    flat(origin, way) + k * tip * way[2],
                    flat(origin, origin) - k * tip * tip,
                ];
                let side = |at: Vector| {
                    let normal = [at[0], at[1], k * (half - at[2])];
                    (at[2].abs() <= half).then(|| unit(normal))
                };
                turned(origin, way, terms, side, &[(-half, radius, -1.0)], from)
            }
            Shape::Torus { radius, tube } => ring(origin, way, radius, tube, from),
            Shape::Pyramid { side, half } => {
                let normal = |x: f64, y: f64| unit([2.0 * half * x, 2.0 * half * y, side]);
                let slanted = [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)].map(|(x, y)| {
                    let normal = normal(x, y);
                    (normal, normal[2] * half)
                });
                let base = ([0.0, 0.0, -1.0], half);
                convex(origin, way, slanted.into_iter().chain([base]), from)
            }
        }
    }
}

/// The product of two vectors in the plane across the axis.
fn flat(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

fn round(origin: Vector, way: Vector, radius: f64, from: f64) -> Option<(f64, Vector)> {
    let terms = [dot(way, way), dot(origin, way), dot(origin, origin) - radius * radius];
    let at = roots(terms)?.into_iter().find(|&at| at > from)?;
    Some((at, scaled(along(origin, way, at), 1.0 / radius)))
}

/// The roots of `a t² + 2 b t + c`, the smaller first.
fn roots([a, b, c]: [f64; 3]) -> Option<[f64; 2]> {
    let inside = b * b - a * c;
    if inside < 0.0 || a == 0.0 {
        return None;
    }
    // The sum without cancellation, the other root by Vieta.
    let sum = -b - inside.sqrt().copysign(b);
    let pair = if sum == 0.0 { [0.0, 0.0] } else { [sum / a, c / sum] };
    Some(if pair[0] < pair[1] { pair } else { [pair[1], pair[0]] })
}

/// Where the ray enters the space behind all planes `normal · x = distance`.
fn convex(
    origin: Vector,
    way: Vector,
    planes: impl Iterator<Item = (Vector, f64)>,
    from: f64,
) -> Option<(f64, Vector)> {
    let (mut enter, mut leave, mut face) = (f64::NEG_INFINITY, f64::INFINITY, [0.0; 3]);
    for (normal, distance) in planes {
        let (slope, gap) = (dot(normal, way), distance - dot(normal, origin));
        if slope == 0.0 && gap < 0.0 {
            return None;
        }
        if slope < 0.0 && gap / slope > enter {
            (enter, face) = (gap / slope, normal);
        }
        if slope > 0.0 {
            leave = leave.min(gap / slope);
        }
    }
    (enter <= leave && enter > from).then_some((enter, face))
}

/// A solid of revolution: the side where `terms` are zero, and flat caps `(z, radius, direction)`.
fn turned(
    origin: Vector,
    way: Vector,
    terms: [f64; 3],
    side: impl Fn(Vector) -> Option<Vector>,
    caps: &[(f64, f64, f64)],
    from: f64,
) -> Option<(f64, Vector)> {
    let mut nearest: Option<(f64, Vector)> = None;
    let mut offer = |at: f64, normal: Vector| {
        if at > from && nearest.is_none_or(|(best, _)| at < best) {
            nearest = Some((at, normal));
        }
    };
    for at in roots(terms).into_iter().flatten() {
        side(along(origin, way, at)).into_iter().for_each(|normal| offer(at, normal));
    }
    for &(z, radius, up) in caps.iter().filter(|_| way[2] != 0.0) {
        let at = (z - origin[2]) / way[2];
        let there = along(origin, way, at);
        if flat(there, there) <= radius * radius {
            offer(at, [0.0, 0.0, up]);
        }
    }
    nearest
}

/// A torus, by steps as long as the distance to it, from where the ray enters the sphere round it.
fn ring(origin: Vector, way: Vector, radius: f64, tube: f64, from: f64) -> Option<(f64, Vector)> {
    const STEPS: usize = 120;
    const CLOSE: f64 = 1e-9;
    let reach = radius + tube;
    let [enter, leave] = roots([dot(way, way), dot(origin, way), dot(origin, origin) - reach * reach])?;
    let speed = dot(way, way).sqrt();
    let mut at = enter.max(from);
    for _ in 0..STEPS {
        if at > leave {
            return None;
        }
        let here = along(origin, way, at);
        let out = flat(here, here).sqrt();
        let distance = ((out - radius) * (out - radius) + here[2] * here[2]).sqrt() - tube;
        if distance < CLOSE {
            let core = if out > 0.0 { radius / out } else { 0.0 };
            return Some((at, unit(minus(here, [here[0] * core, here[1] * core, 0.0]))));
        }
        at += distance / speed;
    }
    None
}

/// A shape at a place in the world.
#[derive(Clone, Debug)]
pub(super) struct Solid {
    pub shape: Shape,
    /// Where its origin is.
    pub place: Vector,
    /// The world's directions of its own axes.
    pub axes: [Vector; 3],
}

impl Solid {
    /// A world's point in its own coordinates.
    pub fn inside(&self, point: Vector) -> Vector {
        let from = minus(point, self.place);
        self.axes.map(|axis| dot(axis, from))
    }

    /// The first distance along the ray beyond `from`, and the outward normal there, in the world.
    pub fn meet(&self, origin: Vector, way: Vector, from: f64) -> Option<(f64, Vector)> {
        let gap = minus(self.place, origin);
        let (length, forward, reach) = (dot(way, way), dot(gap, way), self.shape.reach());
        if (dot(gap, gap) - reach * reach) * length > forward * forward {
            return None;
        }
        let (at, normal) =
            self.shape.meet(self.inside(origin), self.axes.map(|axis| dot(axis, way)), from)?;
        let [x, y, z] = self.axes;
        Some((at, along(along(scaled(x, normal[0]), y, normal[1]), z, normal[2])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPES: [Shape; 6] = [
        Shape::Sphere { radius: 0.5 },
        Shape::Box { half: [0.3, 0.4, 0.5] },
        Shape::Cylinder { radius: 0.3, half: 0.5 },
        Shape::Cone { radius: 0.4, half: 0.5 },
        Shape::Torus { radius: 0.4, tube: 0.1 },
        Shape::Pyramid { side: 0.4, half: 0.5 },
    ];

    /// Below 0 inside, above 0 outside, 0 on the surface.
    fn level(shape: Shape, [x, y, z]: Vector) -> f64 {
        let out = (x * x + y * y).sqrt();
        match shape {
            Shape::Sphere { radius } => (out * out + z * z).sqrt() - radius,
            Shape::Box { half: [a, b, c] } => (x.abs() - a).max(y.abs() - b).max(z.abs() - c),
            Shape::Cylinder { radius, half } => (out - radius).max(z.abs() - half),
            Shape::Cone { radius, half } => (out - radius * (half - z) / (2.0 * half)).max(-half - z),
            Shape::Torus { radius, tube } => (out - radius).hypot(z) - tube,
            Shape::Pyramid { side, half } => {
                (x.abs().max(y.abs()) - side * (half - z) / (2.0 * half)).max(-half - z)
            }
        }
    }

    /// The gradient of the level by differences: the outward normal.
    fn slope(shape: Shape, at: Vector) -> Vector {
        let step = |axis: usize, by: f64| {
            let mut moved = at;
            moved[axis] += by;
            level(shape, moved)
        };
        unit([0, 1, 2].map(|axis| step(axis, 1e-6) - step(axis, -1e-6)))
    }

    #[test]
    fn rays_end_on_surfaces_and_miss_nothing_before() {
        for shape in SHAPES {
            let mut met = 0;
            for index in 0..900 {
                let origin = [-2.0, -0.7 + 0.045 * f64::from(index % 30) + 0.003, 0.35];
                let way = [1.0, 0.011, -0.4 + 0.025 * f64::from(index / 30) - 0.001];
                let Some((at, normal)) = shape.meet(origin, way, 0.0) else { continue };
                let point = along(origin, way, at);
                met += 1;
                assert!(level(shape, point).abs() < 1e-8, "{shape:?}: {:e} off", level(shape, point));
                assert!((dot(normal, normal) - 1.0).abs() < 1e-12 && dot(normal, way) < 1e-9, "{shape:?}");
                let edge = dot(slope(shape, point), normal) < 0.999;
                assert!(
                    !edge || (0..8).any(|_| level(shape, along(point, normal, -1e-5)) > -2e-5),
                    "{shape:?}"
                );
                let before = (1..40).map(|step| along(origin, way, at * f64::from(step) / 40.0));
                before.for_each(|point| assert!(level(shape, point) > 0.0, "{shape:?} was met before"));
            }
            assert!(met > 100, "{shape:?}: {met}");
        }
    }
}
