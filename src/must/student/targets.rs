//! Which pixel of which level answers for which object.
//!
//! As in *FCOS* (Tian et al. 2019, <https://arxiv.org/abs/1904.01355>), with its later sampling of centres: a pixel answers
//! for an object if it lies in its box and near its middle, and if the box is of the size that its level is for; of several
//! such objects, for the smallest. All other pixels say that there is nothing, but those in crowds and in objects that are
//! too hard to count are asked nothing.

use super::{Grid, SIDES};
use crate::data::{Bounds, Object};

/// How far from the middle of its object a pixel may lie, in pixels of its level.
const RADIUS: f64 = 1.5;
/// The largest distance to a side that a level is for, in its pixels; those of the last level have no limit.
const REACH: f64 = 8.0;

/// What a pixel of a level should answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spot {
    /// Anything.
    Ignored,
    /// That it is of no object.
    Background,
    /// Of which object it is.
    Object {
        /// The object's class.
        class: u16,
        /// Distances to its left, upper, right and lower side, in pixels of the level.
        sides: [f32; SIDES],
        /// How near the object's middle it is: 1 in the middle, 0 at a side.
        middle: f32,
    },
}

/// What each pixel of each level should answer, level after level.
///
/// ```
/// use cellwright::data::{Bounds, Object};
/// use cellwright::must::student::{Grid, Spot, assign};
///
/// let grid = Grid { width: 4, height: 4, stride: (8.0, 8.0) };
/// let object = Object::new(Bounds { left: 4.0, top: 4.0, width: 16.0, height: 16.0 }, 3);
/// let spots = assign(&[object], &[grid]);
/// assert_eq!(spots[15], Spot::Background);
/// let middle = Spot::Object { class: 3, sides: [1.0; 4], middle: 1.0 };
/// assert_eq!(spots[5], middle);
/// ```
pub fn assign(objects: &[Object], grids: &[Grid]) -> Vec<Spot> {
    let mut spots = Vec::with_capacity(grids.iter().map(Grid::area).sum());
    let mut nearest = 0.0;
    for (level, grid) in grids.iter().enumerate() {
        let last = level + 1 == grids.len();
        let farthest = if last { f64::INFINITY } else { REACH * grid.stride.0.max(grid.stride.1) };
        spots.extend((0..grid.area()).map(|index| spot(objects, grid, index, (nearest, farthest))));
        nearest = farthest;
    }
    spots
}

fn spot(objects: &[Object], grid: &Grid, index: usize, (nearest, farthest): (f64, f64)) -> Spot {
    let (x, y) = grid.middle(index);
    let counts = |object: &&Object| !object.crowd && !object.difficult;
    let fits = |object: &&Object| {
        let sides = sides(&object.bounds, x, y);
        let longest = sides.into_iter().fold(0.0, f64::max);
        let inside = sides.into_iter().all(|side| side > 0.0);
        inside
            && near(&object.bounds, grid, x, y)
            && longest <= farthest
            && (longest > nearest || nearest == 0.0)
    };
    let smallest =
        objects.iter().filter(counts).filter(fits).min_by(|a, b| a.bounds.area().total_cmp(&b.bounds.area()));
    if let Some(object) = smallest {
        let sides = sides(&object.bounds, x, y);
        let share = |a: f64, b: f64| a.min(b) / a.max(b);
        let middle = (share(sides[0], sides[2]) * share(sides[1], sides[3])).sqrt();
        let (across, down) = grid.stride;
        let scaled = [sides[0] / across, sides[1] / down, sides[2] / across, sides[3] / down];
        return Spot::Object {
            class: object.class,
            sides: scaled.map(|side| side as f32),
            middle: middle as f32,
        };
    }
    let hidden = |object: &Object| sides(&object.bounds, x, y).into_iter().all(|side| side > 0.0);
    let asked = !objects.iter().filter(|object| !counts(object)).any(hidden);
    if asked { Spot::Background } else { Spot::Ignored }
}

/// Distances from a place to the left, upper, right and lower side.
fn sides(bounds: &Bounds, x: f64, y: f64) -> [f64; SIDES] {
    [x - bounds.left, y - bounds.top, bounds.right() - x, bounds.bottom() - y]
}

fn near(bounds: &Bounds, grid: &Grid, x: f64, y: f64) -> bool {
    let middle = (bounds.left + bounds.width / 2.0, bounds.top + bounds.height / 2.0);
    (x - middle.0).abs() <= RADIUS * grid.stride.0 && (y - middle.1).abs() <= RADIUS * grid.stride.1
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRIDS: [Grid; 2] = [
        Grid { width: 16, height: 16, stride: (4.0, 4.0) },
        Grid { width: 8, height: 8, stride: (8.0, 8.0) },
    ];

    fn object(left: f64, top: f64, width: f64, height: f64, class: u16) -> Object {
        Object::new(Bounds { left, top, width, height }, class)
    }

    fn levels_of(objects: &[Object], class: u16) -> [usize; 2] {
        let spots = assign(objects, &GRIDS);
        let count = |spots: &[Spot]| {
            spots
                .iter()
                .filter(|spot| matches!(spot, Spot::Object { class: met, .. } if *met == class))
                .count()
        };
        [count(&spots[..256]), count(&spots[256..])]
    }

    #[test]
    fn small_objects_are_for_fine_levels_and_large_ones_for_coarse() {
        assert_eq!(levels_of(&[object(20.0, 20.0, 12.0, 12.0, 0)], 0), [9, 0]);
        let [fine, coarse] = levels_of(&[object(0.0, 0.0, 64.0, 64.0, 0)], 0);
        assert!(fine == 0 && coarse > 0, "{fine} {coarse}");
    }

    #[test]
    fn the_smallest_of_several_is_answered_for() {
        let (large, small) = (object(8.0, 8.0, 30.0, 30.0, 0), object(18.0, 18.0, 10.0, 10.0, 1));
        let [fine, _] = levels_of(&[large.clone(), small.clone()], 1);
        assert!(fine > 0);
        assert_eq!(levels_of(&[large.clone(), small], 0)[0] + fine, levels_of(&[large], 0)[0]);
    }

    #[test]
    fn crowds_are_asked_nothing_and_nothing_is_background() {
        assert!(assign(&[], &GRIDS).iter().all(|spot| *spot == Spot::Background));
        let crowd = Object { crowd: true, ..object(0.0, 0.0, 32.0, 64.0, 0) };
        let spots = assign(&[crowd, object(8.0, 8.0, 8.0, 8.0, 1)], &GRIDS);
        let ignored = spots.iter().filter(|spot| **spot == Spot::Ignored).count();
        let found = spots.iter().filter(|spot| matches!(spot, Spot::Object { .. })).count();
        assert_eq!(ignored + found, 128 + 32);
        assert!(found > 0, "an object in a crowd is one all the same");
    }
}
