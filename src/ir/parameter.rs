//! The parameters of a graph: their names, shapes, and trained values.

use indexmap::IndexMap;

use super::Graph;

/// What a parameter is to its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Convolution `[out, in / groups, rows, columns]` or linear `[in, out]` weight: the only role that weight decay touches.
    Weight,
    /// Bias of a convolution or linear layer, `[out]`.
    Bias,
    /// Scale of a normalisation, `[channels]`.
    Scale,
    /// Shift of a normalisation, `[channels]`.
    Offset,
    /// Running mean, `[channels]`: not trained by gradient.
    RunningMean,
    /// Running variance (unbiased, as in PyTorch), `[channels]`: not trained by gradient.
    RunningVariance,
}

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initial {
    /// All the same value.
    Constant(f64),
    /// Kaiming normal, gain sqrt(2), over `fan_out` (convolutions) in units of input connections.
    Kaiming {
        /// Connections that the variance is divided by.
        fan: usize,
    },
    /// Uniform in `[-bound, bound]`.
    Uniform {
        /// Bound.
        bound: f64,
    },
}

/// One parameter tensor that a graph needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Unique name: the node's scope, `/`, and `weight`, `bias`, `scale`, `offset`, `running_mean` or `running_variance`.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Its shape.
    pub shape: Vec<usize>,
    /// How it starts.
    pub initial: Initial,
    /// The index of the node that reads it.
    pub node: usize,
}

/// Values of parameters by name, off any device: what training hands to exporters and checkpoints.
///
/// Every entry is `(shape, values in row-major order)`.
pub type Weights = IndexMap<String, (Vec<usize>, Vec<f32>)>;

impl Graph {
    /// All parameters in node order; the one `match` that says which primitive owns what.
    pub fn parameters(&self) -> Vec<Parameter> {
        todo!()
    }
}
