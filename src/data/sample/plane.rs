//! One value a pixel: what pictures and dense labels are made of.

use super::Mask;

/// What a pixel may hold. Depth and normals have holes, which equal one another here.
pub trait Pixel: Copy + Send + Sync {
    /// Whether the two are the same, holes included.
    fn same(self, other: Self) -> bool;
}

impl Pixel for bool {
    fn same(self, other: bool) -> bool {
        self == other
    }
}

impl Pixel for u16 {
    fn same(self, other: u16) -> bool {
        self == other
    }
}

impl Pixel for f32 {
    fn same(self, other: f32) -> bool {
        self == other || (self.is_nan() && other.is_nan())
    }
}

impl Pixel for [u8; 3] {
    fn same(self, other: [u8; 3]) -> bool {
        self == other
    }
}

impl Pixel for [f32; 3] {
    fn same(self, other: [f32; 3]) -> bool {
        (0..3).all(|axis| self[axis].same(other[axis]))
    }
}

/// A rectangle of pixels, row after row.
///
/// ```
/// use cellwright::data::Plane;
///
/// let plane = Plane::from_fn(3, 2, |x, y| (10 * y + x) as u16);
/// assert_eq!(plane.at(2, 1), 12);
/// assert_eq!(plane.flipped().values(), [2, 1, 0, 12, 11, 10]);
/// assert_eq!(plane.cropped(2, 0, 2, 2, 99).values(), [2, 99, 12, 99]);
/// ```
#[derive(Clone, Debug)]
pub struct Plane<T> {
    width: usize,
    height: usize,
    values: Vec<T>,
}

impl<T: Pixel> PartialEq for Plane<T> {
    fn eq(&self, other: &Plane<T>) -> bool {
        self.size() == other.size() && self.values.iter().zip(&other.values).all(|(a, b)| a.same(*b))
    }
}

impl<T: Pixel> Plane<T> {
    /// A plane of these values, `[height, width]`.
    ///
    /// # Panics
    /// If there are not `width * height` of them: readers check before they call.
    pub fn new(width: usize, height: usize, values: Vec<T>) -> Plane<T> {
        assert_eq!(values.len(), width * height, "one value a pixel");
        Plane { width, height, values }
    }

    /// The same value everywhere.
    pub fn filled(width: usize, height: usize, value: T) -> Plane<T> {
        Plane { width, height, values: vec![value; width * height] }
    }

    /// The value of each pixel from its column and row.
    pub fn from_fn(width: usize, height: usize, mut value: impl FnMut(usize, usize) -> T) -> Plane<T> {
        let values = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Plane { width, height, values: values.map(|(x, y)| value(x, y)).collect() }
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// `(width, height)`.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The values, `[height, width]`.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// The values to change in place, `[height, width]`.
    pub fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }

    /// The value at a column and row.
    ///
    /// # Panics
    /// Outside of the plane.
    pub fn at(&self, x: usize, y: usize) -> T {
        assert!(x < self.width, "column {x} of {}", self.width);
        self.values[y * self.width + x]
    }

    /// Changes one value.
    ///
    /// # Panics
    /// Outside of the plane.
    pub fn set(&mut self, x: usize, y: usize, value: T) {
        assert!(x < self.width, "column {x} of {}", self.width);
        self.values[y * self.width + x] = value;
    }

    /// Another value for each.
    pub fn map<U: Pixel>(&self, value: impl Fn(T) -> U) -> Plane<U> {
        Plane {
            width: self.width,
            height: self.height,
            values: self.values.iter().map(|&old| value(old)).collect(),
        }
    }

    /// Left and right exchanged.
    pub fn flipped(&self) -> Plane<T> {
        Plane::from_fn(self.width, self.height, |x, y| self.at(self.width - 1 - x, y))
    }

    /// The window of `width` x `height` whose upper left corner is at (`left`, `top`), which may lie outside; what is
    /// outside becomes `fill`.
    pub fn cropped(&self, left: i64, top: i64, width: usize, height: usize, fill: T) -> Plane<T> {
        Plane::from_fn(width, height, |x, y| {
            let (x, y) = (left + x as i64, top + y as i64);
            let inside = (0..self.width as i64).contains(&x) && (0..self.height as i64).contains(&y);
            if inside { self.at(x as usize, y as usize) } else { fill }
        })
    }

    /// Another size, each pixel the nearest old one: no value is invented.
    pub fn nearest(&self, width: usize, height: usize) -> Plane<T> {
        let index = |new: usize, size: usize, old: usize| ((2 * new + 1) * old / (2 * size)).min(old - 1);
        if self.values.is_empty() {
            return Plane { width: 0, height: 0, values: Vec::new() };
        }
        Plane::from_fn(width, height, |x, y| {
            self.at(index(x, width, self.width), index(y, height, self.height))
        })
    }

    /// `over` where `mask` is, else `self`.
    ///
    /// # Panics
    /// If the three are not of one size.
    pub fn covered(&self, over: &Plane<T>, mask: &Plane<bool>) -> Plane<T> {
        assert!(self.size() == over.size() && self.size() == mask.size(), "planes of one size");
        let pairs = self.values.iter().zip(&over.values).zip(&mask.values);
        let values = pairs.map(|((&below, &above), &covers)| if covers { above } else { below }).collect();
        Plane { width: self.width, height: self.height, values }
    }
}

impl Plane<bool> {
    /// As runs, which take little memory.
    pub fn mask(&self) -> Mask {
        Mask::from_plane(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_invents_nothing_and_keeps_its_own_size() {
        let plane = Plane::from_fn(4, 3, |x, y| (y * 4 + x) as u16);
        assert_eq!(plane.nearest(4, 3), plane);
        assert_eq!(plane.nearest(2, 1).values(), [5, 7]);
        assert_eq!(plane.nearest(8, 6).nearest(4, 3), plane);
    }

    #[test]
    fn holes_are_equal_to_holes_only() {
        let hole = Plane::new(1, 1, vec![f32::NAN]);
        assert_eq!(hole, hole.clone());
        assert_ne!(hole, Plane::new(1, 1, vec![0.0]));
    }
}
