//! A level of the pyramid as a grid of places in the picture.

use crate::ir::Shape;

/// Where each pixel of a map lies in the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Pixels of the picture that one of the map is wide and high.
    pub stride: (f64, f64),
}

impl Grid {
    /// The grid of a map over a picture of `size` (width, height).
    pub fn of(map: Shape, size: (usize, usize)) -> Grid {
        let (height, width) = match map {
            Shape::Map { height, width, .. } => (height, width),
            Shape::Flat(_) => (1, 1),
        };
        Grid { width, height, stride: (size.0 as f64 / width as f64, size.1 as f64 / height as f64) }
    }

    /// Its pixels.
    pub fn area(&self) -> usize {
        self.width * self.height
    }

    /// The middle of a pixel, by its index in row-major order, in pixels of the picture.
    pub fn middle(&self, index: usize) -> (f64, f64) {
        let (column, row) = (index % self.width, index / self.width);
        ((column as f64 + 0.5) * self.stride.0, (row as f64 + 0.5) * self.stride.1)
    }
}
