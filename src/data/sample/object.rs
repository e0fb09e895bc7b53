//! Objects in a picture: where each is, and of which class.

use serde::{Deserialize, Serialize};

use super::Mask;

/// A box in pixels from the upper left corner of the picture, as COCO writes it.
///
/// ```
/// use cellwright::data::Bounds;
///
/// let bounds = Bounds { left: 2.0, top: 1.0, width: 6.0, height: 4.0 };
/// let half = bounds.clipped(5, 10).unwrap();
/// assert_eq!((half.right(), half.area()), (5.0, 12.0));
/// assert_eq!(bounds.overlap(&half), 0.5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// From the picture's left edge to the box's.
    pub left: f64,
    /// From the picture's upper edge to the box's.
    pub top: f64,
    /// At least 0.
    pub width: f64,
    /// At least 0.
    pub height: f64,
}

impl Bounds {
    /// The box between two corners.
    pub fn between(left: f64, top: f64, right: f64, bottom: f64) -> Bounds {
        Bounds { left, top, width: right - left, height: bottom - top }
    }

    /// From the picture's left edge to the box's right one.
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// From the picture's upper edge to the box's lower one.
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// In square pixels.
    pub fn area(&self) -> f64 {
        self.width * self.height
    }

    /// The part inside a picture; `None` where nothing is.
    pub fn clipped(&self, width: usize, height: usize) -> Option<Bounds> {
        let (left, top) = (self.left.max(0.0), self.top.max(0.0));
        let (right, bottom) = (self.right().min(width as f64), self.bottom().min(height as f64));
        (right > left && bottom > top).then(|| Bounds::between(left, top, right, bottom))
    }

    /// Intersection over union, in [0, 1].
    pub fn overlap(&self, other: &Bounds) -> f64 {
        let shared = self.shared(other);
        if shared > 0.0 { shared / (self.area() + other.area() - shared) } else { 0.0 }
    }

    /// The area that both cover.
    pub fn shared(&self, other: &Bounds) -> f64 {
        let width = self.right().min(other.right()) - self.left.max(other.left);
        let height = self.bottom().min(other.bottom()) - self.top.max(other.top);
        if width > 0.0 && height > 0.0 { width * height } else { 0.0 }
    }

    /// What is wrong with it in a picture of this size, if anything. A rounding error of half a pixel is nothing.
    pub fn problem(&self, width: usize, height: usize) -> Option<String> {
        const SLACK: f64 = 0.5;
        let Bounds { left, top, .. } = *self;
        let numbers = [left, top, self.width, self.height];
        let (right, bottom) = (self.right(), self.bottom());
        if numbers.iter().any(|number| !number.is_finite()) {
            return Some(format!("the box {numbers:?} (left, top, width, height) is no box"));
        }
        let corners = [left, top, right, bottom].map(rounded);
        if self.width <= 0.0 || self.height <= 0.0 {
            let [left, top, right, bottom] = corners;
            return Some(format!("the box from ({left}, {top}) to ({right}, {bottom}) is inverted or empty"));
        }
        let inside = left >= -SLACK && top >= -SLACK;
        let inside = inside && right <= width as f64 + SLACK && bottom <= height as f64 + SLACK;
        (!inside).then(|| {
            let [left, top, right, bottom] = corners;
            format!("the box from ({left}, {top}) to ({right}, {bottom}) is outside the picture of {width}x{height}")
        })
    }
}

/// Thousandths of a pixel are enough to find a mistake by; what lies behind them is mostly the noise of sums.
pub(in crate::data) fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3 + 0.0
}

/// One object of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// The box round what is visible of it.
    pub bounds: Bounds,
    /// Index into the set's classes of objects.
    pub class: u16,
    /// Whether the box holds several objects that nobody told apart: to be found by none, and no mistake to find.
    pub crowd: bool,
    /// Whether it is too hard to count (Pascal VOC): finding it is neither asked for nor a mistake.
    pub difficult: bool,
    /// Its pixels, where they are known.
    pub mask: Option<Mask>,
    /// Its area in square pixels where the annotation states one of its own, as COCO's does.
    pub area: Option<f64>,
    /// How sure the teacher was, in [0, 1]; `None` for what people annotated.
    pub score: Option<f32>,
}

impl Object {
    /// A plain object of a class.
    pub fn new(bounds: Bounds, class: u16) -> Object {
        Object { bounds, class, crowd: false, difficult: false, mask: None, area: None, score: None }
    }

    /// Its stated area, else its mask's, else its box's.
    pub fn area(&self) -> f64 {
        let mask = self.mask.as_ref().map(|mask| mask.area() as f64);
        self.area.or(mask).unwrap_or_else(|| self.bounds.area())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_show_no_noise_of_sums() {
        let bounds = Bounds { left: 6.4, top: 0.1 + 0.2, width: 12.8, height: 3.0 };
        let told = bounds.problem(16, 16).unwrap();
        assert_eq!(told, "the box from (6.4, 0.3) to (19.2, 3.3) is outside the picture of 16x16");
    }
}
