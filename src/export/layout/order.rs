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
    let mut best = crossings(layered);
    for layer in 0..layered.layers.len() {
        for left in 1..layered.layers[layer].len() {
            layered.layers[layer].swap(left - 1, left);
            let count = crossings(layered);
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
    let places = places(layered);
    let ends: Vec<(usize, f64, f64)> =
        layered.links.iter().map(|(a, b)| (layered.vertices[*a].layer, places[*a], places[*b])).collect();
    let cross = |a: &(usize, f64, f64), b: &(usize, f64, f64)| a.0 == b.0 && (a.1 - b.1) * (a.2 - b.2) < 0.0;
    ends.iter().enumerate().map(|(index, a)| ends[..index].iter().filter(|b| cross(a, b)).count()).sum()
}
