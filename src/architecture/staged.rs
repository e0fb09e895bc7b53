//! Networks of stages: one op repeated at one width, as MobileNetV2 (<https://arxiv.org/abs/1801.04381>),
//! EfficientNetV2 (<https://arxiv.org/abs/2104.00298>) and ResNets are written.

use serde::{Deserialize, Serialize};

use super::{Body, Head, Stem, count, mark_auxiliary};
use crate::candidate::Task;
use crate::ir::{Graph, Shape, ShapeError};
use crate::op::{Op, Site};

/// A network of stages.
///
/// ```
/// use cellwright::Task;
/// use cellwright::architecture::Staged;
///
/// let network: Staged = ron::from_str("(stages: [(op: ConvBnRelu(()), repeats: 2, channels: 8, stride: 2)])")?;
/// let graph = network.graph(&Task { input: (3, 32, 32), classes: 10 })?;
/// assert_eq!(graph.cost().depth, 1 + 2 + 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Staged {
    /// The first layers.
    #[serde(default)]
    pub stem: Stem,
    /// What follows, in order.
    pub stages: Vec<Stage>,
    /// The last layers.
    #[serde(default)]
    pub head: Head,
    /// Multiplies the channels of stem and stages, rounded to multiples of 8; those of the head only above 1.
    #[serde(default = "one")]
    pub width: f64,
}

fn one() -> f64 {
    1.0
}

/// An op repeated at one width; the first one takes the stride.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The op.
    pub op: Op,
    /// How often it stands in a row.
    #[serde(deserialize_with = "count::<1024, _>")]
    pub repeats: usize,
    /// Output channels.
    #[serde(deserialize_with = "count::<65_536, _>")]
    pub channels: usize,
    /// Stride of the first.
    #[serde(default = "unit", deserialize_with = "count::<16, _>")]
    pub stride: usize,
}

fn unit() -> usize {
    1
}

impl Staged {
    /// The network as primitives.
    ///
    /// # Errors
    /// Where a layer's input has a shape that it cannot take.
    pub fn graph(&self, task: &Task) -> Result<Graph, ShapeError> {
        let mut body = self.body(task.shape())?;
        let logits = self.widened_head().lower(&mut body, task.classes)?;
        Ok(body.ending_in(logits))
    }

    /// The network without its head.
    pub(super) fn body(&self, input: Shape) -> Result<Body, ShapeError> {
        let mut body = Body::new(input);
        let graph = &mut body.graph;
        if !(self.width > 0.0 && self.width.is_finite()) {
            return Err(graph.refusal(format!("the width multiplier must be above 0, got {}", self.width)));
        }
        let first = self.stages.first().map_or(32, |stage| stage.channels);
        let mut x = self.stem.lower(graph, self.widen(self.stem.channels.unwrap_or(first)))?;
        body.layers.push(x);
        let total: usize = self.stages.iter().map(|stage| stage.repeats).sum();
        let mut done = 0;
        for (index, stage) in self.stages.iter().enumerate() {
            for repeat in 0..stage.repeats {
                done += 1;
                let stride = if repeat == 0 { stage.stride } else { 1 };
                let depth = done as f64 / total as f64;
                let site = Site { channels: Some(self.widen(stage.channels)), stride, depth };
                x = graph
                    .scoped(format!("stages.{index}.{repeat}"), |graph| stage.op.lower(graph, x, site))?;
                mark_auxiliary(graph, x, done - 1, total);
                body.layers.push(x);
            }
        }
        Ok(body)
    }

    /// The head at the width that the multiplier gives it.
    pub(super) fn widened_head(&self) -> Head {
        let channels =
            self.head.channels.map(|channels| if self.width > 1.0 { self.widen(channels) } else { channels });
        Head { channels, ..self.head.clone() }
    }

    /// Channels times the multiplier, to the nearest multiple of 8, never losing more than a tenth (MobileNetV2's rule).
    fn widen(&self, channels: usize) -> usize {
        if self.width == 1.0 {
            return channels;
        }
        let exact = channels as f64 * self.width;
        let rounded = ((exact / 8.0 + 0.5).floor() * 8.0).max(8.0);
        (if rounded < 0.9 * exact { rounded + 8.0 } else { rounded }) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_multiples_of_eight() {
        let widen = |width, channels| {
            Staged { stem: Stem::default(), stages: vec![], head: Head::default(), width }.widen(channels)
        };
        assert_eq!([widen(1.0, 30), widen(0.75, 32), widen(0.35, 16), widen(1.4, 24)], [30, 24, 8, 32]);
    }
}
