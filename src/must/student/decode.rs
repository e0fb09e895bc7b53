//! Boxes from answers: what every pixel of every level says, sorted out.

use serde::{Deserialize, Serialize};

use super::{Grid, SIDES};
use crate::data::{Bounds, Object};

/// Distances above this many pixels of a level are taken for it: no box is larger, and nothing overflows.
const FARTHEST: f32 = 4096.0;

/// Which boxes are kept.
///
/// A box's score is the root of its class's probability times how near the middle it was told to be (the later form of
/// FCOS, <https://arxiv.org/abs/1904.01355>). Of boxes of one class that overlap, only the surest stays.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Decoding {
    /// Boxes of a lower score are not looked at.
    pub score: f32,
    /// Boxes of the highest scores that are looked at.
    pub candidates: usize,
    /// Boxes of one class that overlap more than this (intersection over union) are taken for one.
    pub overlap: f64,
    /// Boxes that are kept at most.
    pub objects: usize,
}

impl Default for Decoding {
    fn default() -> Decoding {
        Decoding { score: 0.05, candidates: 1000, overlap: 0.6, objects: 100 }
    }
}

/// What one level says of one picture.
#[derive(Clone, Copy, Debug)]
pub struct Answers<'a> {
    /// Logits, `[classes, height, width]`.
    pub classes: &'a [f32],
    /// Logarithms of distances to the sides, `[4, height, width]`.
    pub sides: &'a [f32],
    /// Logits, `[height, width]`.
    pub middle: &'a [f32],
}

impl Decoding {
    /// The objects of a picture of `size` (width, height), surest first.
    pub fn objects(&self, levels: &[(Grid, Answers)], size: (usize, usize)) -> Vec<Object> {
        let mut found: Vec<Object> =
            levels.iter().flat_map(|(grid, answers)| self.of_level(grid, answers, size)).collect();
        found.sort_by(|a, b| score(b).total_cmp(&score(a)));
        found.truncate(self.candidates);
        let mut kept: Vec<Object> = Vec::new();
        for object in found {
            let same = |other: &Object| {
                other.class == object.class && other.bounds.overlap(&object.bounds) > self.overlap
            };
            if kept.len() < self.objects && !kept.iter().any(same) {
                kept.push(object);
            }
        }
        kept
    }

    fn of_level<'a>(
        &'a self,
        grid: &'a Grid,
        answers: &'a Answers,
        (width, height): (usize, usize),
    ) -> impl Iterator<Item = Object> + 'a {
        let area = grid.area();
        let scored = answers.classes.iter().enumerate().map(move |(index, logit)| {
            let pixel = index % area;
            (index / area, pixel, (chance(*logit) * chance(answers.middle[pixel])).sqrt())
        });
        // What is no number is no object either.
        scored.filter(|(.., score)| *score >= self.score).filter_map(move |(class, pixel, score)| {
            let bounds = bounds(grid, answers.sides, pixel)?.clipped(width, height)?;
            let class = u16::try_from(class).ok()?;
            Some(Object { score: Some(score), ..Object::new(bounds, class) })
        })
    }
}

/// The box that a pixel tells of; `None` where it is none.
fn bounds(grid: &Grid, sides: &[f32], pixel: usize) -> Option<Bounds> {
    let (x, y) = grid.middle(pixel);
    let side = |side: usize| f64::from(sides[side * grid.area() + pixel].exp().min(FARTHEST));
    let (across, down) = grid.stride;
    let [left, top, right, bottom] = std::array::from_fn::<f64, SIDES, _>(side);
    let bounds = Bounds::between(x - left * across, y - top * down, x + right * across, y + bottom * down);
    (bounds.width > 0.0 && bounds.height > 0.0).then_some(bounds)
}

fn chance(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

fn score(object: &Object) -> f32 {
    object.score.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::must::student::{Spot, assign};

    const GRID: Grid = Grid { width: 8, height: 8, stride: (4.0, 4.0) };

    /// Answers that say of every pixel what it should, with scores that fall from the middle.
    fn perfect(objects: &[Object], classes: usize) -> [Vec<f32>; 3] {
        let (mut logits, mut sides, mut middle) =
            (vec![-9.0; 64 * classes], vec![0.0; 64 * 4], vec![-9.0; 64]);
        for (pixel, spot) in assign(objects, &[GRID]).into_iter().enumerate() {
            if let Spot::Object { class, sides: met, middle: near } = spot {
                logits[usize::from(class) * 64 + pixel] = 4.0;
                (0..4).for_each(|side| sides[side * 64 + pixel] = met[side].ln());
                middle[pixel] = (near.min(0.999) / (1.0 - near.min(0.999))).ln();
            }
        }
        [logits, sides, middle]
    }

    fn decoded(numbers: &[Vec<f32>; 3], decoding: Decoding) -> Vec<Object> {
        let [classes, sides, middle] = numbers;
        decoding.objects(&[(GRID, Answers { classes, sides, middle })], (32, 32))
    }

    #[test]
    fn what_was_assigned_comes_back_once() {
        let bounds = |left, top, width, height| Bounds { left, top, width, height };
        let objects = [
            Object::new(bounds(1.0, 2.0, 11.0, 9.0), 1),
            Object::new(bounds(15.0, 12.0, 16.0, 18.0), 0),
            Object::new(bounds(18.0, 1.0, 8.0, 8.0), 1),
        ];
        let found = decoded(&perfect(&objects, 2), Decoding { score: 0.3, ..Decoding::default() });
        assert_eq!(found.len(), 3, "{found:?}");
        for object in &objects {
            let same =
                |other: &&Object| other.class == object.class && other.bounds.overlap(&object.bounds) > 0.99;
            assert_eq!(found.iter().filter(same).count(), 1, "{object:?}");
        }
        assert!(found.windows(2).all(|pair| score(&pair[0]) >= score(&pair[1])));
        let few = decoded(&perfect(&objects, 2), Decoding { objects: 1, ..Decoding::default() });
        assert_eq!(few.len(), 1);
    }

    #[test]
    fn what_overlaps_is_one_object_unless_classes_differ() {
        let mut numbers =
            perfect(&[Object::new(Bounds { left: 8.0, top: 8.0, width: 12.0, height: 12.0 }, 0)], 2);
        let twin: Vec<f32> = numbers[0][..64].to_vec();
        numbers[0][64..].copy_from_slice(&twin);
        let found = decoded(&numbers, Decoding::default());
        assert_eq!(found.iter().map(|object| object.class).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn answers_that_are_no_numbers_are_no_objects() {
        let broken = [vec![f32::NAN; 128], vec![f32::NAN; 256], vec![f32::NAN; 64]];
        assert_eq!(decoded(&broken, Decoding::default()), []);
        let endless = [vec![9.0; 128], vec![f32::INFINITY; 256], vec![9.0; 64]];
        let found = decoded(&endless, Decoding::default());
        assert!(found.iter().all(|object| object.bounds.problem(32, 32).is_none()));
    }
}
