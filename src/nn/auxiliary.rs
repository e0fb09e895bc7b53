//! A second classifier at two thirds of the depth, for training only: its loss brings gradients to the early layers.
//!
//! As in [NASNet](https://arxiv.org/abs/1707.07012) and [DARTS](https://arxiv.org/abs/1806.09055): ReLU, average pooling
//! of 5 at stride 3, a 1x1 convolution to 128 channels, a convolution over all that is left to 768, a linear layer.

use super::NnError;
use crate::ir::{Conv, Graph, Primitive, Shape, ShapeError, Tensor, Window};

/// Side and stride of the pooling.
const POOL: (usize, usize) = (5, 3);
/// Channels after the 1x1 convolution, and after the one over all that is left.
const WIDTHS: [usize; 2] = [128, 768];

/// `graph` with a second classifier behind its own nodes, and the classifier's logits.
///
/// Every parameter of `graph` keeps its name and its slot.
pub(super) fn with_classifier(graph: &Graph, classes: usize) -> Result<(Graph, Tensor), NnError> {
    let unfit =
        |problem: String| NnError::Unfit(format!("`auxiliary` asks for a second classifier: {problem}"));
    let place = graph.auxiliary();
    let place = place.ok_or_else(|| unfit("this network has no map at two thirds of its depth".into()))?;
    let mut graph = graph.clone();
    let logits = graph.scoped("auxiliary", |graph| lower(graph, place, classes));
    let logits = logits.map_err(|error| unfit(error.to_string()))?;
    Ok((graph, logits))
}

fn lower(graph: &mut Graph, place: Tensor, classes: usize) -> Result<Tensor, ShapeError> {
    let (_, height, width) = graph.map(place, "a second classifier")?;
    let mut x = graph.add(Primitive::RELU, &[place])?;
    if height.min(width) >= POOL.0 {
        let window = Window { kernel: POOL.0, stride: POOL.1, padding: 0 };
        x = graph.add(Primitive::AvgPool { window, count_padding: false }, &[x])?;
    }
    x = convolve(graph, x, Conv::new(WIDTHS[0], [1, 1]))?;
    let (_, height, width) = graph.map(x, "a second classifier")?;
    x = convolve(graph, x, Conv { padding: [0, 0], ..Conv::new(WIDTHS[1], [height, width]) })?;
    x = graph.add(Primitive::Flatten, &[x])?;
    debug_assert!(matches!(graph.shape(x), Shape::Flat(features) if features == WIDTHS[1]));
    graph.add(Primitive::Linear { features: classes, bias: true }, &[x])
}

fn convolve(graph: &mut Graph, x: Tensor, conv: Conv) -> Result<Tensor, ShapeError> {
    let x = graph.add(Primitive::Conv(conv), &[x])?;
    let x = graph.add(Primitive::BATCH_NORM, &[x])?;
    graph.add(Primitive::RELU, &[x])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(side: usize) -> Graph {
        let mut graph = Graph::new(Shape::Map { channels: 3, height: side, width: side });
        let x = graph.add(Primitive::Conv(Conv::square(4, 3)), &[graph.input()]).unwrap();
        graph.set_auxiliary(x);
        let x = graph.add(Primitive::GlobalAvgPool, &[x]).unwrap();
        let x = graph.add(Primitive::Flatten, &[x]).unwrap();
        let x = graph.add(Primitive::Linear { features: 10, bias: true }, &[x]).unwrap();
        graph.set_output(x);
        graph
    }

    #[test]
    fn every_parameter_of_the_network_keeps_its_slot() {
        for side in [1, 4, 5, 8, 32] {
            let graph = network(side);
            let (wider, logits) = with_classifier(&graph, 10).unwrap();
            assert_eq!(wider.shape(logits), Shape::Flat(10));
            assert_eq!(wider.output(), graph.output());
            let (own, all) = (graph.parameters(), wider.parameters());
            assert!(
                own.iter()
                    .zip(&all)
                    .all(|(one, other)| (&one.name, &one.shape) == (&other.name, &other.shape))
            );
            assert!(all[own.len()..].iter().all(|one| one.name.starts_with("auxiliary/")));
        }
        // 8x8 is DARTS' case: pooled to 2x2.
        let (wider, _) = with_classifier(&network(8), 10).unwrap();
        let over_all = wider.parameters().into_iter().find(|one| one.shape.first() == Some(&WIDTHS[1]));
        assert_eq!(over_all.unwrap().shape, [768, 128, 2, 2]);
    }

    #[test]
    fn a_network_without_a_place_for_it_says_so() {
        let mut graph = Graph::new(Shape::Flat(4));
        let x = graph.add(Primitive::Linear { features: 10, bias: true }, &[graph.input()]).unwrap();
        graph.set_output(x);
        let said = with_classifier(&graph, 10).unwrap_err().to_string();
        assert!(said.contains("no map at two thirds of its depth"), "{said}");
    }
}
