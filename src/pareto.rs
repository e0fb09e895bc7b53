//! Several objectives at once: who beats whom, how crowded a front is, and how much it dominates.
//!
//! A point is a list of scores, one for each objective, of which more is always better. No score is NaN. Fronts are
//! found by the efficient non-dominated sort of Zhang et al. 2015, <https://doi.org/10.1109/TEVC.2014.2308305>, the
//! crowding distance is that of NSGA-II (Deb et al. 2002, <https://doi.org/10.1109/4235.996017>), and hypervolumes are
//! computed by the exclusive volumes of While et al. 2012, <https://doi.org/10.1109/TEVC.2010.2077298>.
//!
//! ```
//! use cellwright::pareto::{fronts, hypervolume};
//!
//! // Accuracy, and minus the millions of parameters.
//! let points = [[0.9, -4.0], [0.8, -1.0], [0.7, -2.0]];
//! assert_eq!(fronts(&points), [0, 0, 1]);
//! let volume = hypervolume(&points, &[0.5, -5.0]);
//! assert!((volume - (0.4 * 1.0 + 0.3 * 3.0)).abs() < 1e-12);
//! ```

use std::cmp::Ordering;

/// Whether `a` is nowhere worse and somewhere better.
pub fn dominates(a: &[f64], b: &[f64]) -> bool {
    a != b && a.iter().zip(b).all(|(a, b)| a >= b)
}

/// The front of each point: 0 where no other dominates it, 1 where none but those of front 0 do, and so on. Equal
/// points share a front.
pub fn fronts<P: AsRef<[f64]>>(points: &[P]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|a, b| lexicographic(points[*b].as_ref(), points[*a].as_ref()));
    let mut members: Vec<Vec<usize>> = Vec::new();
    let mut fronts = vec![0; points.len()];
    for place in order {
        // Whoever dominates a point comes before it, so that fronts are complete as far as it is concerned.
        let beaten = |front: &Vec<usize>| {
            front.iter().rev().any(|other| dominates(points[*other].as_ref(), points[place].as_ref()))
        };
        let front = members.partition_point(beaten);
        match members.get_mut(front) {
            Some(members) => members.push(place),
            None => members.push(vec![place]),
        }
        fronts[place] = front;
    }
    fronts
}

/// How far apart the neighbours of each point of one front stand, summed over the objectives, each of which spans 1:
/// infinite at an objective's ends. Objectives in which all are equal, or whose span is infinite, do not count.
pub fn crowding<P: AsRef<[f64]>>(points: &[P]) -> Vec<f64> {
    let mut distances = vec![0.0; points.len()];
    let objectives = points.first().map_or(0, |point| point.as_ref().len());
    let mut order: Vec<usize> = (0..points.len()).collect();
    for objective in 0..objectives {
        let score = |place: usize| points[place].as_ref()[objective];
        order.sort_by(|a, b| score(*a).total_cmp(&score(*b)));
        let (low, high) = (order[0], order[order.len() - 1]);
        let span = score(high) - score(low);
        if !span.is_finite() || span <= 0.0 {
            continue;
        }
        distances[low] = f64::INFINITY;
        distances[high] = f64::INFINITY;
        for three in order.windows(3) {
            distances[three[1]] += (score(three[2]) - score(three[0])) / span;
        }
    }
    distances
}

/// The volume that the points dominate beyond the reference point, exactly, for any number of objectives. Points that
/// are not better than the reference in every objective add nothing.
pub fn hypervolume<P: AsRef<[f64]>>(points: &[P], reference: &[f64]) -> f64 {
    let lengths = |point: &P| -> Vec<f64> {
        point.as_ref().iter().zip(reference).map(|(score, least)| score - least).collect()
    };
    let boxes: Vec<Vec<f64>> =
        points.iter().map(lengths).filter(|lengths| lengths.iter().all(|length| *length > 0.0)).collect();
    if boxes.iter().flatten().any(|length| length.is_infinite()) {
        return f64::INFINITY;
    }
    union(undominated(boxes))
}

/// The volume of the union of boxes that all begin at the origin, none of them within another.
fn union(mut boxes: Vec<Vec<f64>>) -> f64 {
    match boxes.first().map_or(0, Vec::len) {
        0 => 0.0,
        1 => boxes.iter().map(|lengths| lengths[0]).fold(0.0, f64::max),
        2 => area(boxes),
        _ => {
            // The largest last: their overlaps with what is left are then few.
            boxes.sort_by(|a, b| lexicographic(a, b));
            let exclusive = |place: usize| {
                let lengths = &boxes[place];
                let overlap = |other: &Vec<f64>| other.iter().zip(lengths).map(|(a, b)| a.min(*b)).collect();
                let overlaps = boxes[place + 1..].iter().map(overlap).collect();
                lengths.iter().product::<f64>() - union(undominated(overlaps))
            };
            (0..boxes.len()).map(exclusive).sum()
        }
    }
}

/// The area of a staircase.
fn area(mut boxes: Vec<Vec<f64>>) -> f64 {
    boxes.sort_by(|a, b| lexicographic(b, a));
    let mut height = 0.0;
    let mut area = 0.0;
    for lengths in boxes {
        if lengths[1] > height {
            area += lengths[0] * (lengths[1] - height);
            height = lengths[1];
        }
    }
    area
}

/// Those that no other contains, equal ones once.
fn undominated(mut boxes: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    boxes.sort_by(|a, b| lexicographic(b, a));
    let mut kept: Vec<Vec<f64>> = Vec::new();
    for lengths in boxes {
        let within = |other: &Vec<f64>| other.iter().zip(&lengths).all(|(a, b)| a >= b);
        if !kept.iter().any(within) {
            kept.push(lengths);
        }
    }
    kept
}

/// By the first objective, then by the second, and so on; -0 and 0 are equal.
fn lexicographic(a: &[f64], b: &[f64]) -> Ordering {
    let orders = a.iter().zip(b).map(|(a, b)| (a + 0.0).total_cmp(&(b + 0.0)));
    orders.fold(Ordering::Equal, Ordering::then)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fronts_of_two_objectives() {
        let points = [
            [0.9, -100.0],
            [0.8, -50.0],
            [0.8, -60.0],
            [0.7, -10.0],
            [0.6, -70.0],
            [0.9, -100.0],
            [-0.0, -5.0],
        ];
        assert_eq!(fronts(&points), [0, 0, 1, 0, 2, 0, 0]);
        assert_eq!(fronts(&[[0.0, 1.0], [-0.0, 2.0]]), [1, 0], "zero has no sign");
        assert!(fronts::<[f64; 2]>(&[]).is_empty());
    }

    #[test]
    fn ends_are_never_crowded_and_the_middle_counts_its_neighbours() {
        let points = [[0.0, 4.0], [1.0, 3.0], [3.0, 1.0], [4.0, 0.0]];
        let end = f64::INFINITY;
        assert_eq!(crowding(&points), [end, 3.0 / 4.0 + 3.0 / 4.0, 3.0 / 4.0 + 3.0 / 4.0, end]);
        assert_eq!(crowding(&[[1.0, 2.0], [1.0, 2.0]]), [0.0, 0.0]);
        let infinite = [[f64::NEG_INFINITY, 0.0], [1.0, 1.0], [2.0, 2.0]];
        assert_eq!(crowding(&infinite), [end, 1.0, end]);
    }

    #[test]
    fn volumes_by_hand() {
        // Two boxes of 3 x 1 and 1 x 2 that share 1 x 1, and one that lies within the first.
        assert_eq!(hypervolume(&[[3.0, 1.0], [1.0, 2.0], [2.0, 1.0]], &[0.0, 0.0]), 4.0);
        assert_eq!(hypervolume(&[[3.0, 1.0], [1.0, 2.0]], &[1.0, 0.0]), 2.0);
        assert_eq!(hypervolume(&[[3.0]], &[1.0]), 2.0);
        // 2 x 2 x 2 and 3 x 1 x 1 share 2 x 1 x 1.
        assert_eq!(hypervolume(&[[2.0, 2.0, 2.0], [3.0, 1.0, 1.0]], &[0.0; 3]), 9.0);
        // And 1 x 1 x 4, which shares 1 x 1 x 2 with the first and 1 x 1 x 1 with both.
        let three = [[2.0, 2.0, 2.0], [3.0, 1.0, 1.0], [1.0, 1.0, 4.0]];
        assert_eq!(hypervolume(&three, &[0.0; 3]), 11.0);
        // The same with a fourth side of 2 for all.
        let four = three.map(|[a, b, c]| [a, b, c, 2.0]);
        assert_eq!(hypervolume(&four, &[0.0; 4]), 22.0);
        assert_eq!(hypervolume(&[[1.0, 1.0]], &[1.0, 0.0]), 0.0);
        assert_eq!(hypervolume::<[f64; 2]>(&[], &[0.0, 0.0]), 0.0);
        assert_eq!(hypervolume(&[[f64::INFINITY, 1.0], [1.0, 2.0]], &[0.0, 0.0]), f64::INFINITY);
    }

    /// Whole boxes of side one that are covered.
    fn counted(points: &[Vec<f64>], sides: usize) -> f64 {
        let cells = (0..6usize.pow(sides as u32)).map(|number| -> Vec<f64> {
            (0..sides).map(|side| (number / 6usize.pow(side as u32) % 6) as f64 + 1.0).collect()
        });
        let covered = |cell: &Vec<f64>| {
            points.iter().any(|point| point.iter().zip(cell).all(|(length, corner)| length >= corner))
        };
        cells.filter(covered).count() as f64
    }

    proptest! {
        #[test]
        fn fronts_are_layers_of_the_undominated(
            points in prop::collection::vec(prop::array::uniform3(0..6u8), 0..40)
        ) {
            let points: Vec<[f64; 3]> = points.into_iter().map(|point| point.map(f64::from)).collect();
            let fronts = fronts(&points);
            let mut left: Vec<usize> = (0..points.len()).collect();
            for front in 0.. {
                if left.is_empty() { break }
                let (undominated, rest): (Vec<usize>, Vec<usize>) = left.iter().copied()
                    .partition(|one| !left.iter().any(|other| dominates(&points[*other], &points[*one])));
                prop_assert!(undominated.iter().all(|one| fronts[*one] == front));
                left = rest;
            }
        }

        #[test]
        fn volumes_are_what_counting_gives(
            sides in 1..5usize, points in prop::collection::vec(prop::collection::vec(0..7u8, 4), 0..8)
        ) {
            let points: Vec<Vec<f64>> = points.into_iter()
                .map(|point| point[..sides].iter().map(|length| f64::from(*length)).collect()).collect();
            prop_assert_eq!(hypervolume(&points, &vec![0.0; sides]), counted(&points, sides));
        }
    }
}
