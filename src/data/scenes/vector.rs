//! Three numbers. Only operations that every machine rounds alike: sums, products, quotients, square roots.

pub(super) type Vector = [f64; 3];

pub(super) fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// `a + b * scale`.
pub(super) fn along(a: Vector, b: Vector, scale: f64) -> Vector {
    [a[0] + b[0] * scale, a[1] + b[1] * scale, a[2] + b[2] * scale]
}

pub(super) fn minus(a: Vector, b: Vector) -> Vector {
    along(a, b, -1.0)
}

pub(super) fn times(a: Vector, b: Vector) -> Vector {
    [a[0] * b[0], a[1] * b[1], a[2] * b[2]]
}

pub(super) fn scaled(a: Vector, scale: f64) -> Vector {
    a.map(|part| part * scale)
}

pub(super) fn unit(a: Vector) -> Vector {
    scaled(a, 1.0 / dot(a, a).sqrt())
}

pub(super) fn mixed(a: Vector, b: Vector, share: f64) -> Vector {
    along(scaled(a, 1.0 - share), b, share)
}
