//! Places along layers: every vertex between its neighbours, as far as boxes leave room.

use super::BETWEEN_BOXES;
use super::layer::Layered;

const ROUNDS: usize = 1000;

/// The middle of every vertex, from 0 to the right.
///
/// Least squares over the links, layer by layer until nothing moves. Within a layer the best places under the least
/// distances are an isotonic regression, solved exactly by pooling adjacent violators.
pub(super) fn columns(layered: &Layered) -> Vec<f64> {
    let mut columns = vec![0.0; layered.vertices.len()];
    let pulls = pulls(layered);
    let count = layered.layers.len();
    for round in 0..ROUNDS {
        for step in 0..count {
            let layer = &layered.layers[if round % 2 == 0 { step } else { count - 1 - step }];
            let wishes: Vec<(f64, f64)> =
                layer.iter().map(|vertex| wish(&pulls[*vertex], &columns, *vertex)).collect();
            for (vertex, column) in layer.iter().zip(settle(layered, layer, &wishes)) {
                columns[*vertex] = column;
            }
        }
    }
    let left = |vertex: usize| columns[vertex] - layered.vertices[vertex].width / 2.0;
    let margin = (0..columns.len()).map(left).fold(f64::INFINITY, f64::min);
    columns.iter().map(|column| column - margin).collect()
}

/// Where a vertex would like to be, and how much.
fn wish(pulls: &[(usize, f64)], columns: &[f64], vertex: usize) -> (f64, f64) {
    let weight: f64 = pulls.iter().map(|pull| pull.1).sum();
    let sum: f64 = pulls.iter().map(|(other, pull)| pull * columns[*other]).sum();
    if weight > 0.0 { (sum / weight, weight) } else { (columns[vertex], 1.0) }
}

/// Every vertex's neighbours with how much their link wants to be straight: long edges most of all; one of many links
/// at either end hardly.
fn pulls(layered: &Layered) -> Vec<Vec<(usize, f64)>> {
    let mut pulls = vec![Vec::new(); layered.vertices.len()];
    for (above, below) in &layered.links {
        let bends = [above, below].iter().filter(|vertex| layered.vertices[***vertex].bend).count();
        let crowd = layered.below(*above).count() * layered.above(*below).count();
        let pull = [1.0, 2.0, 100.0][bends] / (crowd * crowd) as f64;
        pulls[*above].push((*below, pull));
        pulls[*below].push((*above, pull));
    }
    pulls
}

/// The places nearest to the wishes that keep a layer's order and distances.
fn settle(layered: &Layered, layer: &[usize], wishes: &[(f64, f64)]) -> Vec<f64> {
    let mut offset = 0.0;
    let mut offsets = Vec::new();
    for (index, vertex) in layer.iter().enumerate() {
        if index > 0 {
            let widths = layered.vertices[layer[index - 1]].width + layered.vertices[*vertex].width;
            offset += widths / 2.0 + BETWEEN_BOXES;
        }
        offsets.push(offset);
    }
    // Less its offset, every place must be at least the one before it: blocks of equal places, merged while they fall.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for ((wish, weight), offset) in wishes.iter().zip(&offsets) {
        let mut block = (wish - offset, *weight, 1);
        while let Some(last) = blocks.pop_if(|last| last.0 >= block.0) {
            let weight = last.1 + block.1;
            block = ((last.0 * last.1 + block.0 * block.1) / weight, weight, last.2 + block.2);
        }
        blocks.push(block);
    }
    let levels = blocks.iter().flat_map(|block| std::iter::repeat_n(block.0, block.2));
    levels.zip(&offsets).map(|(level, offset)| level + offset).collect()
}
