//! The closed set of primitives every op is made of.

use serde::{Deserialize, Serialize};

/// What a node of the graph computes. Closed: shapes, cost, execution and every export are one exhaustive match each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Primitive {
    /// The network's input.
    Input,
    /// A 2-d convolution of `[channels, height, width]`.
    Conv(Conv),
    /// `y = x W + b` over the last axis of `[features]`.
    Linear {
        /// Output features.
        features: usize,
        /// Whether `b` is there.
        bias: bool,
    },
    /// Batch normalisation over channels, with running statistics.
    BatchNorm {
        /// Whether scale and shift are learned.
        affine: bool,
        /// Added to the variance.
        epsilon: f64,
        /// The share of a batch's statistics that enters the running ones.
        momentum: f64,
    },
    /// An elementwise non-linearity.
    Activation(Activation),
    /// Maximum over a window.
    MaxPool(Window),
    /// Mean over a window; padded positions are not counted.
    AvgPool(Window),
    /// Mean over height and width: `[channels, height, width]` to `[channels, 1, 1]`.
    GlobalAvgPool,
    /// `[channels, height, width]` to `[channels * height * width]`.
    Flatten,
    /// Elementwise sum of two or more equal shapes.
    Add,
    /// Elementwise product of two; the second may be `[channels, 1, 1]` (a gate).
    Mul,
    /// Concatenation along channels.
    Concat,
    /// Channels `start..end`.
    Slice {
        /// First channel kept.
        start: usize,
        /// One past the last channel kept.
        end: usize,
    },
    /// The picture without its first `rows` rows and columns, padded with zeros at the other end (factorised reduction).
    Shift {
        /// Rows and columns moved.
        rows: usize,
    },
    /// Zeros of the input's shape, with height and width divided by `stride`.
    Zero {
        /// Stride.
        stride: usize,
    },
    /// Drops single activations with probability `rate` while training.
    Dropout {
        /// Probability of dropping.
        rate: f64,
    },
    /// Drops a sample's whole branch while training (stochastic depth). The executor scales `rate` by the recipe's drop path.
    DropPath {
        /// The branch's relative depth, in (0, 1]: the recipe's drop-path probability is multiplied by it.
        depth: f64,
    },
}

/// A 2-d convolution.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Conv {
    /// Output channels.
    pub channels: usize,
    /// Kernel height and width.
    pub kernel: [usize; 2],
    /// Stride, the same both ways.
    pub stride: usize,
    /// Dilation, the same both ways.
    pub dilation: usize,
    /// Groups; equal to the input channels for a depthwise convolution.
    pub groups: usize,
    /// Zero padding on both sides, rows then columns.
    pub padding: [usize; 2],
    /// Whether a bias is added.
    pub bias: bool,
}

/// A pooling window.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// Window height and width.
    pub kernel: usize,
    /// Stride.
    pub stride: usize,
    /// Padding on both sides.
    pub padding: usize,
}

/// An elementwise non-linearity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Activation {
    /// `max(x, 0)`.
    #[default]
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x * sigmoid(x)`, also called swish.
    Silu,
    /// `x * Phi(x)`, exact (erf).
    Gelu,
    /// `x * relu6(x + 3) / 6`.
    HardSwish,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `relu6(x + 3) / 6`.
    HardSigmoid,
    /// `tanh(x)`.
    Tanh,
}
