//! The program that a shipped space describes: a network for a task, and how it is trained.

use serde::{Deserialize, Deserializer, Serialize, de};

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
    #[serde(deserialize_with = "picture")]
    pub input: (usize, usize, usize),
    /// Number of classes.
    #[serde(deserialize_with = "classes")]
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

/// Most channels, rows or columns of a picture, and most classes.
const MOST: usize = 65536;

fn picture<'de, D: Deserializer<'de>>(from: D) -> Result<(usize, usize, usize), D::Error> {
    let shape = <(usize, usize, usize)>::deserialize(from)?;
    match [shape.0, shape.1, shape.2].into_iter().find(|side| !(1..=MOST).contains(side)) {
        None => Ok(shape),
        Some(side) => Err(de::Error::custom(format!(
            "{side} is not between 1 and {MOST}: `(channels, height, width)` is needed here"
        ))),
    }
}

fn classes<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    match usize::deserialize(from)? {
        count @ 2..=MOST => Ok(count),
        count => Err(de::Error::custom(format!("{count} is not between 2 and {MOST}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_that_no_network_can_have_are_refused() {
        let read = |text: &str| ron::from_str::<Task>(text).map_err(|error| error.to_string());
        assert_eq!(read("(input: (3, 32, 32), classes: 10)"), Ok(Task { input: (3, 32, 32), classes: 10 }));
        for (text, words) in [
            ("(input: (3, 0, 32), classes: 10)", "0 is not between 1 and 65536"),
            ("(input: (3, 32, 99999999), classes: 10)", "99999999 is not between 1 and 65536"),
            ("(input: (3, 32, 32), classes: 1)", "1 is not between 2 and 65536"),
        ] {
            assert!(read(text).unwrap_err().contains(words), "{text}");
        }
    }
}
