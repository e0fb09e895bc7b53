//! Trained weights as a file that another training starts from.

use std::path::Path;

use indexmap::IndexMap;

use super::checkpoint::Checkpoint;
use super::supernet::{read, written};
use super::{Bank, NnError};
use crate::ir::{Graph, Weights};
use crate::random::Seed;

/// What tells these files from checkpoints.
const IDENTITY: u64 = 0x7765_6967_6874_7321;

/// Writes weights, replacing what was there in one piece.
///
/// # Errors
/// [`NnError::Checkpoint`] where that cannot be done.
pub fn leave(weights: &Weights, path: &Path) -> Result<(), NnError> {
    let numbers: IndexMap<String, Vec<f32>> = weights
        .iter()
        .map(|(name, (shape, values))| (written(&(name.clone(), shape.clone())), values.clone()))
        .collect();
    Checkpoint { numbers, ..Checkpoint::default() }.save(path, IDENTITY)
}

/// The weights of a file that [`leave`] wrote.
///
/// # Errors
/// [`NnError::Checkpoint`] where it is gone or damaged.
pub fn inherit(path: &Path) -> Result<Weights, NnError> {
    let gone = || NnError::checkpoint(path, "the parent's weights are gone; search in a new run folder");
    let kept = Checkpoint::load(path, IDENTITY)?.ok_or_else(gone)?;
    let entry = |(name, values): (String, Vec<f32>)| {
        let (name, shape) = read(&name).ok_or_else(gone)?;
        Ok((name, (shape, values)))
    };
    kept.numbers.into_iter().map(entry).collect()
}

/// How much of a network's weights stands in others under the same name and shape: a share of all their numbers.
pub fn inherited(graph: &Graph, weights: &Weights) -> f64 {
    let size = |shape: &[usize]| shape.iter().product::<usize>() as f64;
    let (mut taken, mut all) = (0.0, 0.0);
    for parameter in graph.parameters() {
        let known = weights.get(&parameter.name).is_some_and(|(shape, _)| *shape == parameter.shape);
        all += size(&parameter.shape);
        taken += if known { size(&parameter.shape) } else { 0.0 };
    }
    if all > 0.0 { taken / all } else { 0.0 }
}

/// The bank that a training starts from: a parent's weights, and what `seed` starts all others from.
///
/// # Errors
/// [`NnError::Unfit`] for weights that are not as many as their shapes say.
pub(super) fn bank(seed: Seed, parent: Option<&Weights>) -> Result<Bank, NnError> {
    let mut bank = Bank::new(seed);
    parent.map_or(Ok(()), |weights| bank.import(weights))?;
    Ok(bank)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Conv, Primitive, Shape};

    fn graph(kernel: usize) -> Graph {
        let mut graph = Graph::new(Shape::Map { channels: 1, height: 8, width: 8 });
        let x = graph.add_named("a", Primitive::Conv(Conv::square(2, 3)), &[graph.input()]).unwrap();
        let x = graph.add_named("b", Primitive::Conv(Conv::square(2, kernel)), &[x]).unwrap();
        graph.set_output(x);
        graph
    }

    #[test]
    fn a_child_has_its_parents_weights_where_name_and_shape_agree() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights/trial-1");
        assert!(inherit(&path).unwrap_err().to_string().contains("are gone"));
        let left = Bank::new(Seed(1)).export(&graph(3));
        leave(&left, &path).unwrap();
        let parent = inherit(&path).unwrap();
        assert_eq!(parent["a/weight"], left["a/weight"]);
        let child = bank(Seed(2), Some(&parent)).unwrap().export(&graph(5));
        assert_eq!(child["a/weight"], left["a/weight"]);
        assert_eq!(child["b/weight"], Bank::new(Seed(2)).export(&graph(5))["b/weight"]);
        // 18 numbers of 18 + 100.
        assert!((inherited(&graph(5), &parent) - 18.0 / 118.0).abs() < 1e-12);
        assert_eq!(inherited(&graph(3), &parent), 1.0);
    }
}
