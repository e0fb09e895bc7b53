//! The program that a shipped space describes: a network for a task, and how it is trained.

use serde::{Deserialize, Serialize};

use crate::architecture::Architecture;
use crate::ir::{Graph, Shape, ShapeError};
use crate::recipe::Recipe;

/// One point of a space: an architecture with its training recipe.
///
/// ```
/// use cellwright::Candidate;
/// use cellwright::symbolic::{Sources, from_value};
///
/// let text = "(
///     task: (input: (3, 32, 32), classes: 10),
///     architecture: Sequential([ConvBnRelu(kernel: 3, channels: 16), MaxPool(kernel: 2, stride: 2)]),
/// )";
/// let candidate: Candidate = from_value(&Sources::default().read("candidate.ron", text)?)?;
/// let cost = candidate.graph()?.cost();
/// assert_eq!(cost.params, 3 * 3 * 3 * 16 + 2 * 16 + 16 * 10 + 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// What the network is for.
    pub task: Task,
    /// The network.
    pub architecture: Architecture,
    /// How it is trained.
    #[serde(default)]
    pub training: Recipe,
}

/// Picture classification: what goes in and what comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// `(channels, height, width)` of a picture.
    pub input: (usize, usize, usize),
    /// Number of classes.
    pub classes: usize,
}

impl Task {
    /// The input as a shape.
    pub fn shape(&self) -> Shape {
        let (channels, height, width) = self.input;
        Shape::Map { channels, height, width }
    }
}

impl Candidate {
    /// The network as primitives.
    ///
    /// # Errors
    /// Where a layer's input has a shape that it cannot take.
    pub fn graph(&self) -> Result<Graph, ShapeError> {
        self.architecture.graph(&self.task)
    }
}
