//! The closed set of primitives every op is made of.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Interpolation;

/// What a node of the graph computes. Closed: shapes, cost, execution and every export are one exhaustive match each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Primitive {
    /// The network's input.
    Input,
    /// A 2-d convolution of `[channels, height, width]`.
    Conv(Conv),
    /// `y = x W + b` over `[features]`.
    Linear {
        /// Output features.
        features: usize,
        /// Whether `b` is there.
        bias: bool,
    },
    /// Batch normalisation over channels (or features), with running statistics.
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
    /// Maximum over a window; padded positions never win.
    MaxPool(Window),
    /// Mean over a window.
    AvgPool {
        /// The window.
        window: Window,
        /// Whether padded positions count as zeros; otherwise the mean is over the real positions only.
        count_padding: bool,
    },
    /// Mean over height and width: `[channels, height, width]` to `[channels, 1, 1]`.
    GlobalAvgPool,
    /// `[channels, height, width]` to `[channels * height * width]`.
    Flatten,
    /// Elementwise sum of two or more equal shapes.
    Add,
    /// Elementwise product of two; the second may be `[channels, 1, 1]` (a gate).
    Mul,
    /// Concatenation of two or more along channels (or features).
    Concat,
    /// Channels (or features) `start..end`.
    Slice {
        /// First channel kept.
        start: usize,
        /// One past the last channel kept.
        end: usize,
    },
    /// The map without its first `rows` rows and columns, padded with zeros at the other end (factorised reduction).
    Shift {
        /// Rows and columns moved.
        rows: usize,
    },
    /// A larger map, each of whose pixels is read from the nearest of the smaller one.
    Resize {
        /// Rows and columns of the result, neither fewer than there are.
        size: [usize; 2],
        /// How pixels between pixels are made up.
        interpolation: Interpolation,
    },
    /// Zeros, with height and width divided by `stride` and rounded up.
    Zero {
        /// Channels (or features).
        channels: usize,
        /// Stride.
        stride: usize,
    },
    /// Drops single activations with probability `rate` while training.
    Dropout {
        /// Probability of dropping, in [0, 1).
        rate: f64,
    },
    /// Drops a sample's whole branch while training (stochastic depth). The executor scales `depth` by the recipe's drop path.
    DropPath {
        /// The branch's relative depth, in (0, 1]: the recipe's drop-path probability is multiplied by it.
        depth: f64,
    },
}

impl Primitive {
    /// Batch normalisation as PyTorch has it: affine, epsilon 1e-5, momentum 0.1.
    pub const BATCH_NORM: Primitive = Primitive::BatchNorm { affine: true, epsilon: 1e-5, momentum: 0.1 };
    /// `max(x, 0)`.
    pub const RELU: Primitive = Primitive::Activation(Activation::Relu);

    /// The primitive's kind, as scopes name its nodes: `conv`, `batch_norm`, `relu`.
    pub fn kind(&self) -> &'static str {
        match self {
            Primitive::Input => "input",
            Primitive::Conv(_) => "conv",
            Primitive::Linear { .. } => "linear",
            Primitive::BatchNorm { .. } => "batch_norm",
            Primitive::Activation(activation) => activation.name(),
            Primitive::MaxPool(_) => "max_pool",
            Primitive::AvgPool { .. } => "avg_pool",
            Primitive::GlobalAvgPool => "global_avg_pool",
            Primitive::Flatten => "flatten",
            Primitive::Add => "add",
            Primitive::Mul => "mul",
            Primitive::Concat => "concat",
            Primitive::Slice { .. } => "slice",
            Primitive::Shift { .. } => "shift",
            Primitive::Resize { .. } => "resize",
            Primitive::Zero { .. } => "zero",
            Primitive::Dropout { .. } => "dropout",
            Primitive::DropPath { .. } => "drop_path",
        }
    }
}

impl fmt::Display for Primitive {
    /// The kind with spaces, then what is not the usual: `conv 3x3 stride 2 groups 16`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Primitive::Conv(conv) => conv.fmt(f),
            Primitive::MaxPool(window) => write!(f, "max pool {window}"),
            Primitive::AvgPool { window, count_padding } => {
                write!(f, "avg pool {window}{}", if *count_padding { " counting padding" } else { "" })
            }
            Primitive::Slice { start, end } => write!(f, "slice {start}..{end}"),
            Primitive::Shift { rows } => write!(f, "shift {rows}"),
            Primitive::Resize { size: [rows, columns], interpolation } => {
                write!(f, "resize {interpolation} to {rows}x{columns}")
            }
            Primitive::Zero { stride, .. } if *stride > 1 => write!(f, "zero stride {stride}"),
            Primitive::Dropout { rate } => write!(f, "dropout {rate}"),
            Primitive::DropPath { depth } => write!(f, "drop path {depth:.2}"),
            plain => f.write_str(&plain.kind().replace('_', " ")),
        }
    }
}

/// A 2-d convolution. Sizes of two are rows, then columns.
///
/// ```
/// use cellwright::ir::Conv;
///
/// let depthwise = Conv::square(16, 5).strided(2).grouped(16);
/// assert_eq!(depthwise.to_string(), "conv 5x5 stride 2 groups 16");
/// assert_eq!(depthwise.padding, [2, 2]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Conv {
    /// Output channels.
    pub channels: usize,
    /// Kernel height and width.
    pub kernel: [usize; 2],
    /// Stride.
    pub stride: [usize; 2],
    /// Dilation, the same both ways.
    pub dilation: usize,
    /// Groups; equal to the input channels for a depthwise convolution.
    pub groups: usize,
    /// Zero padding, the same on both sides.
    pub padding: [usize; 2],
    /// Whether a bias is added.
    pub bias: bool,
}

impl Conv {
    /// Stride 1, one group, no bias, and for odd kernels the padding that keeps height and width.
    pub fn new(channels: usize, kernel: [usize; 2]) -> Conv {
        let padding = kernel.map(|size| size / 2);
        Conv { channels, kernel, stride: [1, 1], dilation: 1, groups: 1, padding, bias: false }
    }

    /// [`Conv::new`] with a square kernel.
    pub fn square(channels: usize, kernel: usize) -> Conv {
        Conv::new(channels, [kernel, kernel])
    }

    /// The same with a stride, both ways.
    pub fn strided(self, stride: usize) -> Conv {
        Conv { stride: [stride, stride], ..self }
    }

    /// The same in groups; as many as there are input channels make it depthwise.
    pub fn grouped(self, groups: usize) -> Conv {
        Conv { groups, ..self }
    }

    /// The same with its kernel spread out, and padded so that height and width stay.
    pub fn dilated(self, dilation: usize) -> Conv {
        Conv { padding: self.kernel.map(|size| (size / 2).saturating_mul(dilation)), dilation, ..self }
    }

    /// Rows and columns that the dilated kernel spans.
    pub fn extent(&self) -> [usize; 2] {
        self.kernel.map(|size| size.saturating_sub(1).saturating_mul(self.dilation).saturating_add(1))
    }
}

impl fmt::Display for Conv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rows, columns] = self.kernel;
        write!(f, "conv {rows}x{columns}")?;
        match self.stride {
            [1, 1] => {}
            [down, across] if down == across => write!(f, " stride {down}")?,
            [down, across] => write!(f, " stride {down}x{across}")?,
        }
        if self.dilation > 1 {
            write!(f, " dilation {}", self.dilation)?;
        }
        if self.groups > 1 {
            write!(f, " groups {}", self.groups)?;
        }
        Ok(())
    }
}

/// A square pooling window.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// Window height and width.
    pub kernel: usize,
    /// Stride.
    pub stride: usize,
    /// Padding on both sides.
    pub padding: usize,
}

impl Window {
    /// The window with padding such that odd windows keep height and width at stride 1, and even windows halve them
    /// at stride 2.
    pub fn padded(kernel: usize, stride: usize) -> Window {
        Window { kernel, stride, padding: kernel.saturating_sub(1) / 2 }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{0}x{0}", self.kernel)?;
        if self.stride > 1 { write!(f, " stride {}", self.stride) } else { Ok(()) }
    }
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

impl Activation {
    /// All of them.
    pub const ALL: [Activation; 8] = [
        Activation::Relu,
        Activation::Relu6,
        Activation::Silu,
        Activation::Gelu,
        Activation::HardSwish,
        Activation::Sigmoid,
        Activation::HardSigmoid,
        Activation::Tanh,
    ];

    /// The name in snake case.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Relu => "relu",
            Activation::Relu6 => "relu6",
            Activation::Silu => "silu",
            Activation::Gelu => "gelu",
            Activation::HardSwish => "hard_swish",
            Activation::Sigmoid => "sigmoid",
            Activation::HardSigmoid => "hard_sigmoid",
            Activation::Tanh => "tanh",
        }
    }
}
