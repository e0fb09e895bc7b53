//! The order within layers: barycentres from above and below in turn, then swaps of neighbours, from several starts.

use rand::seq::SliceRandom;

use super::layer::Layered;
use crate::random::Seed;

const STARTS: u64 = 24;
const SWEEPS: usize = 12;

/// Orders every layer so that few links cross; of equally good orders, the first found.
pub(super) fn reduce_crossings(layered: &mut Layered) {
    let mut best = (usize::MAX, layered.layers.clone());
    for start in 0..STARTS {
        let mut tried = layered.clone();
        if start > 0 {
            let mut rng = Seed(0).stream(start, "layout");
            tried.layers.iter_mut().for_each(|layer| layer.shuffle(&mut rng));
        }
        for sweep in 0..SWEEPS {
            by_barycentre(&mut tried, sweep % 2 == 0);
            swap_neighbours(&mut tried);
            let count = crossings(&tried);
            if count < best.0 {
                best = (count, tried.layers.clone());
            }
        }
        if best.0 == 0 {
            break;
        }
    }
    layered.layers = best.1;
}

fn by_barycentre(layered: &mut Layered, downwards: bool) {
    let count = layered.layers.len();
    let order: Vec<usize> = if downwards { (0..count).collect() } else { (0..count).rev().collect() };
    for layer in order {
        let places = places(layered);
        let mean = |vertex: usize| {
            let near: Vec<usize> =
                if downwards { layered.above(vertex).collect() } else { layered.below(vertex).collect() };
            let sum: f64 = near.iter().map(|other| places[*other]).sum();
            if near.is_empty() { places[vertex] } else { sum / near.len() as f64 }
        };
        let mut keyed: Vec<(f64, usize)> =
            layered.layers[layer].iter().map(|vertex| (mean(*vertex), *vertex)).collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        layered.layers[layer] = keyed.into_iter().map(|key| key.1).collect();
    }
}

/// Every vertex's place in its layer, as a share of the layer, so that layers of different length compare.
fn places(layered: &Layered) -> Vec<f64> {
    let mut places = vec![0.0; layered.vertices.len()];
    for layer in &layered.layers {
        for (place, vertex) in layer.iter().enumerate() {
            places[*vertex] = (place as f64 + 0.5) / layer.len() as f64;
        }
    }
    places
}

fn swap_neighbours(layered: &mut Layered) {
    for layer in 0..layered.layers.len() {
        let mut best = crossings_at(layered, layer);
        for left in 1..layered.layers[layer].len() {
            if best == 0 {
                break;
            }
            layered.layers[layer].swap(left - 1, left);
            let count = crossings_at(layered, layer);
            if count < best {
                best = count;
            } else {
                layered.layers[layer].swap(left - 1, left);
            }
        }
    }
}

/// How many pairs of links cross.
pub(super) fn crossings(layered: &Layered) -> usize {
    (0..layered.layers.len()).map(|layer| crossings_below(layered, layer)).sum()
}

/// How many pairs of links cross just above and just below a layer.
fn crossings_at(layered: &Layered, layer: usize) -> usize {
    layer.checked_sub(1).map_or(0, |above| crossings_below(layered, above)) + crossings_below(layered, layer)
}

fn crossings_below(layered: &Layered, layer: usize) -> usize {
    let Some(below) = layered.layers.get(layer + 1) else { return 0 };
    let mut places = vec![0; layered.vertices.len()];
    below.iter().enumerate().for_each(|(place, vertex)| places[*vertex] = place);
    // Where the links end, in the order in which they start: every pair out of order crosses.
    let mut ends: Vec<usize> = Vec::new();
    let mut count = 0;
    for vertex in &layered.layers[layer] {
        let before = ends.len();
        ends.extend(layered.below(*vertex).map(|end| places[end]));
        let (earlier, own) = ends.split_at(before);
        count += own.iter().map(|end| earlier.iter().filter(|other| *other > end).count()).sum::<usize>();
    }
    count
}
