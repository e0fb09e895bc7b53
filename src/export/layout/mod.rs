//! Draws a directed acyclic graph in layers, without lines through boxes.
//!
//! After Sugiyama, Tagawa and Toda, [Methods for Visual Understanding of Hierarchical System
//! Structures](https://doi.org/10.1109/TSMC.1981.4308636) (1981): layers by longest path, bends where an edge crosses
//! a layer, an order in each layer with few crossings, then places. All edges of one source share their bends, so that
//! an input read all over a cell is one trunk with branches.

mod layer;
mod order;
mod place;

use std::collections::BTreeSet;

use layer::{Layered, Vertex};

/// Space between the boxes of a layer.
const BETWEEN_BOXES: f64 = 22.0;
/// Least space between two layers.
const BETWEEN_LAYERS: f64 = 30.0;
/// What a bend takes of its layer's width.
const BEND: f64 = 8.0;
/// Space between the ends of two edges at one box.
const BETWEEN_ENDS: f64 = 16.0;

/// A point of the drawing; y grows downwards.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A graph to lay out: boxes in topological order, and edges from lower to higher indices.
#[derive(Clone, Debug, Default)]
pub(super) struct Sketch {
    /// Width and height of every box.
    pub(super) sizes: Vec<(f64, f64)>,
    /// `(from, to)`.
    pub(super) edges: Vec<(usize, usize)>,
}

/// A piece of an edge: straight down from `from` to `leaves`, in a curve to `enters`, straight down to `to`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Piece {
    pub(super) from: Point,
    pub(super) leaves: f64,
    pub(super) enters: f64,
    pub(super) to: Point,
    /// The box that the whole edge comes from.
    pub(super) source: usize,
    /// Whether the piece ends at a box.
    pub(super) arrives: bool,
}

/// Where everything goes, within `width` and `height`.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// The middle of every box.
    pub(super) boxes: Vec<Point>,
    pub(super) pieces: Vec<Piece>,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Layout {
    /// Lays a graph out; the same graph is always laid out alike.
    pub(super) fn of(sketch: &Sketch) -> Layout {
        let mut layered = Layered::of(sketch);
        order::reduce_crossings(&mut layered);
        let columns = place::columns(&layered);
        let bands = bands(&layered, &columns);
        let boxes = (0..sketch.sizes.len()).map(|vertex| {
            let band = bands[layered.vertices[vertex].layer];
            Point { x: columns[vertex], y: (band.0 + band.1) / 2.0 }
        });
        let boxes: Vec<Point> = boxes.collect();
        let pieces = pieces(&layered, &columns, &bands);
        let right = |vertex: usize| columns[vertex] + layered.vertices[vertex].width / 2.0;
        Layout {
            width: (0..columns.len()).map(right).fold(0.0, f64::max),
            height: bands.last().map_or(0.0, |band| band.1),
            boxes,
            pieces,
        }
    }
}

/// Top and bottom of every layer. Layers with wide curves between them stand further apart.
fn bands(layered: &Layered, columns: &[f64]) -> Vec<(f64, f64)> {
    let mut top = 0.0;
    let mut bands = Vec::new();
    for (index, layer) in layered.layers.iter().enumerate() {
        let height = layer.iter().map(|vertex| layered.vertices[*vertex].height).fold(0.0, f64::max);
        bands.push((top, top + height));
        let below = layered.links.iter().filter(|link| layered.vertices[link.0].layer == index);
        let widest = below.map(|(a, b)| (columns[*a] - columns[*b]).abs()).fold(0.0, f64::max);
        top += height + BETWEEN_LAYERS + (widest * 0.08).min(28.0);
    }
    bands
}

fn pieces(layered: &Layered, columns: &[f64], bands: &[(f64, f64)]) -> Vec<Piece> {
    let piece = |&(a, b): &(usize, usize)| {
        let (above, below) = (&layered.vertices[a], &layered.vertices[b]);
        let (upper, lower) = (bands[above.layer], bands[below.layer]);
        let from = if above.bend { upper.1 } else { middle(upper) + above.height / 2.0 };
        let to = if below.bend { lower.1 } else { middle(lower) - below.height / 2.0 };
        Piece {
            from: Point { x: columns[a], y: from },
            leaves: upper.1,
            enters: lower.0,
            to: Point { x: columns[b] + end(layered, columns, a, b), y: to },
            source: above.source,
            arrives: !below.bend,
        }
    };
    layered.links.iter().map(piece).collect()
}

fn middle(band: (f64, f64)) -> f64 {
    (band.0 + band.1) / 2.0
}

/// How far from the middle of box `b` the edge from `a` ends: edges end side by side, in the order they come from.
fn end(layered: &Layered, columns: &[f64], a: usize, b: usize) -> f64 {
    let Vertex { width, bend, .. } = layered.vertices[b];
    let mut sources: Vec<usize> = layered.above(b).collect();
    if bend || sources.len() < 2 {
        return 0.0;
    }
    sources.sort_by(|left, right| columns[*left].total_cmp(&columns[*right]));
    let place = sources.iter().position(|source| *source == a).unwrap_or(0) as f64;
    let gaps = (sources.len() - 1) as f64;
    let step = ((width - 2.0 * BETWEEN_ENDS) / gaps).clamp(0.0, BETWEEN_ENDS);
    (place - gaps / 2.0) * step
}

/// Every edge once.
fn distinct(edges: &[(usize, usize)]) -> BTreeSet<(usize, usize)> {
    edges.iter().copied().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any graph of up to 14 boxes, every one of which reads one to three others.
    fn sketches() -> impl Strategy<Value = Sketch> {
        let read = proptest::collection::vec(any::<proptest::sample::Index>(), 1..=3);
        proptest::collection::vec((40.0..160.0, 20.0..44.0, read), 2..14).prop_map(|boxes| {
            let edges = |(to, (_, _, reads)): (usize, &(f64, f64, Vec<proptest::sample::Index>))| {
                reads.iter().filter(|_| to > 1).map(|from| (from.index(to), to)).collect::<Vec<_>>()
            };
            Sketch {
                sizes: boxes.iter().map(|(width, height, _)| (*width, *height)).collect(),
                edges: boxes.iter().enumerate().flat_map(edges).collect(),
            }
        })
    }

    fn inside(point: Point, middle: Point, size: (f64, f64)) -> bool {
        let slack = 0.01;
        (point.x - middle.x).abs() < size.0 / 2.0 - slack && (point.y - middle.y).abs() < size.1 / 2.0 - slack
    }

    /// Points of a piece as it is painted.
    fn walk(piece: &Piece) -> Vec<Point> {
        let (from, to) = (piece.from, piece.to);
        let bow = (piece.leaves + piece.enters) / 2.0;
        let curve = (0..=20).map(|step| {
            let (t, u) = (f64::from(step) / 20.0, 1.0 - f64::from(step) / 20.0);
            let mix = |a: f64, b: f64, c: f64, d: f64| {
                u * u * u * a + 3.0 * u * u * t * b + 3.0 * u * t * t * c + t * t * t * d
            };
            Point { x: mix(from.x, from.x, to.x, to.x), y: mix(piece.leaves, bow, bow, piece.enters) }
        });
        std::iter::once(from).chain(curve).chain([to]).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn layouts_can_be_read(sketch in sketches()) {
            let layout = Layout::of(&sketch);
            boxes_keep_apart_and_within_the_drawing(&sketch, &layout);
            no_line_passes_through_a_box(&sketch, &layout);
            every_edge_arrives_from_above(&sketch, &layout);
        }
    }

    fn boxes_keep_apart_and_within_the_drawing(sketch: &Sketch, layout: &Layout) {
        let sized: Vec<_> = layout.boxes.iter().zip(&sketch.sizes).collect();
        for (index, (a, size)) in sized.iter().enumerate() {
            assert!(a.x - size.0 / 2.0 > -0.01 && a.x + size.0 / 2.0 < layout.width + 0.01);
            assert!(a.y - size.1 / 2.0 > -0.01 && a.y + size.1 / 2.0 < layout.height + 0.01);
            for (b, other) in &sized[..index] {
                let (x, y) = ((size.0 + other.0) / 2.0, (size.1 + other.1) / 2.0);
                assert!((a.x - b.x).abs() > x + 10.0 || (a.y - b.y).abs() > y + 10.0, "{a:?} and {b:?}");
            }
        }
    }

    fn no_line_passes_through_a_box(sketch: &Sketch, layout: &Layout) {
        for point in layout.pieces.iter().flat_map(walk) {
            for (middle, size) in layout.boxes.iter().zip(&sketch.sizes) {
                assert!(!inside(point, *middle, *size), "{point:?} lies in the box at {middle:?}");
            }
        }
    }

    fn every_edge_arrives_from_above(sketch: &Sketch, layout: &Layout) {
        assert!(layout.pieces.iter().all(|piece| piece.from.y <= piece.to.y));
        for (from, to) in distinct(&sketch.edges) {
            let (place, size) = (layout.boxes[to], sketch.sizes[to]);
            let arrives = |piece: &Piece| {
                let (x, y) = (piece.to.x - place.x, piece.to.y - (place.y - size.1 / 2.0));
                piece.source == from && piece.arrives && y.abs() < 0.01 && x.abs() <= size.0 / 2.0
            };
            assert!(layout.pieces.iter().any(arrives), "{from} to {to}");
        }
    }

    #[test]
    fn a_plane_graph_is_drawn_without_crossings() {
        // Two columns whose boxes were numbered crosswise.
        let edges = vec![(0, 3), (0, 5), (1, 2), (1, 4), (2, 7), (3, 6), (4, 7), (5, 6), (6, 8), (7, 8)];
        let mut layered = Layered::of(&Sketch { sizes: vec![(60.0, 30.0); 9], edges });
        assert!(order::crossings(&layered) > 0);
        order::reduce_crossings(&mut layered);
        assert_eq!(order::crossings(&layered), 0);
    }
}
