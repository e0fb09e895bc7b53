//! The feature pyramid: what coarse stages know, at the resolution of fine ones.
//!
//! Lin et al., *Feature Pyramid Networks for Object Detection* (2017), <https://arxiv.org/abs/1612.03144>. Each stage is
//! brought to one width by a 1x1 convolution, the coarser level is added to the finer one, and a 3x3 convolution smooths
//! the sum. Stages of searched cells are of any scale, so all these convolutions have a batch norm. Further levels come
//! from the coarsest by strided convolutions (*RetinaNet*, Lin et al. 2017, <https://arxiv.org/abs/1708.02002>).

use crate::ir::{Conv, Graph, Interpolation, Primitive, ShapeError, Tensor};

/// Adds a pyramid over `stages` (finest first) with at least `count` levels, if the last has pixels for that.
pub(super) fn lower(
    graph: &mut Graph,
    stages: &[Tensor],
    channels: usize,
    count: usize,
) -> Result<Vec<Tensor>, ShapeError> {
    let layer = |graph: &mut Graph, name: String, conv: Conv, x: Tensor| {
        graph.scoped(format!("pyramid/{name}"), |graph| graph.conv_norm("conv", conv, x))
    };
    let mut merged: Vec<Tensor> = Vec::with_capacity(stages.len());
    for (index, stage) in stages.iter().enumerate().rev() {
        let lateral = layer(graph, format!("lateral{index}"), Conv::square(channels, 1), *stage)?;
        merged.push(match merged.last() {
            Some(coarser) => {
                let coarser = enlarge(graph, *coarser, lateral, Interpolation::Nearest)?;
                graph.sum(&[lateral, coarser])?
            }
            None => lateral,
        });
    }
    merged.reverse();
    let mut levels = Vec::with_capacity(count.max(merged.len()));
    for (index, x) in merged.into_iter().enumerate() {
        levels.push(layer(graph, format!("level{index}"), Conv::square(channels, 3), x)?);
    }
    while let (true, Some(last)) = (levels.len() < count, levels.last().copied()) {
        let (_, height, width) = graph.map(last, "a pyramid")?;
        if height.min(width) < 2 {
            break;
        }
        let active = graph.relu(last)?;
        let conv = Conv::square(channels, 3).strided(2);
        levels.push(layer(graph, format!("level{}", levels.len()), conv, active)?);
    }
    Ok(levels)
}

/// The sum of all levels at the resolution of the first.
pub(super) fn sum(graph: &mut Graph, levels: &[Tensor]) -> Result<Tensor, ShapeError> {
    let Some((first, rest)) = levels.split_first() else {
        return Err(graph.refusal("a pyramid has no level"));
    };
    graph.scoped("pyramid/sum", |graph| {
        let mut terms = vec![*first];
        for level in rest {
            terms.push(enlarge(graph, *level, *first, Interpolation::Bilinear)?);
        }
        graph.sum(&terms)
    })
}

/// A map with the rows and columns of another.
fn enlarge(
    graph: &mut Graph,
    x: Tensor,
    like: Tensor,
    interpolation: Interpolation,
) -> Result<Tensor, ShapeError> {
    let (_, height, width) = graph.map(like, "a pyramid")?;
    graph.add(Primitive::Resize { size: [height, width], interpolation }, &[x])
}
