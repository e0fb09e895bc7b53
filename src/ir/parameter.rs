//! The parameters of a graph: their names, shapes, and trained values.

use indexmap::IndexMap;

use super::{Graph, Primitive, Shape};

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

impl Role {
    /// The last part of the parameter's name.
    pub fn name(self) -> &'static str {
        match self {
            Role::Weight => "weight",
            Role::Bias => "bias",
            Role::Scale => "scale",
            Role::Offset => "offset",
            Role::RunningMean => "running_mean",
            Role::RunningVariance => "running_variance",
        }
    }

    /// Whether gradients change it; what is not trained is not counted as a parameter either.
    pub fn trained(self) -> bool {
        !matches!(self, Role::RunningMean | Role::RunningVariance)
    }
}

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initial {
    /// All the same value.
    Constant(f64),
    /// Normal with mean 0 and variance `2 / fan`: Kaiming's, for ReLU ([He et al. 2015](https://arxiv.org/abs/1502.01852)).
    Kaiming {
        /// Connections that leave one input channel's position: `out / groups * rows * columns` (PyTorch's `fan_out`).
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
    /// Unique name: the node's scope, `/`, and the role's name, such as `stem/conv/weight`.
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
    /// All parameters in node order, whether the output depends on them or not.
    pub fn parameters(&self) -> Vec<Parameter> {
        let named = |node: usize| {
            let scope = &self.nodes[node].scope;
            self.parameters_of(node).into_iter().map(move |(role, shape, initial)| Parameter {
                name: format!("{scope}/{}", role.name()),
                role,
                shape,
                initial,
                node,
            })
        };
        (0..self.nodes.len()).flat_map(named).collect()
    }

    /// The parameters of one node's own, without names.
    pub(super) fn parameters_of(&self, node: usize) -> Vec<(Role, Vec<usize>, Initial)> {
        let node = &self.nodes[node];
        match node.inputs.first() {
            Some(input) if node.shares.is_none() => node.primitive.parameters(self.shape(*input)),
            _ => Vec::new(),
        }
    }
}

impl Primitive {
    /// What the primitive owns when it reads `input`; the one `match` that says so.
    pub(super) fn parameters(&self, input: Shape) -> Vec<(Role, Vec<usize>, Initial)> {
        match self {
            Primitive::Conv(conv) => {
                let [rows, columns] = conv.kernel;
                let shape = vec![conv.channels, input.channels() / conv.groups, rows, columns];
                let fan = (conv.channels / conv.groups).saturating_mul(rows).saturating_mul(columns);
                with_bias(
                    (Role::Weight, shape, Initial::Kaiming { fan }),
                    conv.bias,
                    conv.channels,
                    Initial::Constant(0.0),
                )
            }
            Primitive::Linear { features, bias } => {
                let initial = Initial::Uniform { bound: 1.0 / (input.channels() as f64).sqrt() };
                let shape = vec![input.channels(), *features];
                with_bias((Role::Weight, shape, initial), *bias, *features, initial)
            }
            Primitive::BatchNorm { affine, .. } => batch_norm(*affine, input.channels()),
            Primitive::Input
            | Primitive::Activation(_)
            | Primitive::MaxPool(_)
            | Primitive::AvgPool { .. }
            | Primitive::GlobalAvgPool
            | Primitive::Flatten
            | Primitive::Add
            | Primitive::Mul
            | Primitive::Concat
            | Primitive::Slice { .. }
            | Primitive::Shift { .. }
            | Primitive::Resize { .. }
            | Primitive::Zero { .. }
            | Primitive::Dropout { .. }
            | Primitive::DropPath { .. } => Vec::new(),
        }
    }
}

fn with_bias(
    weight: (Role, Vec<usize>, Initial),
    bias: bool,
    channels: usize,
    initial: Initial,
) -> Vec<(Role, Vec<usize>, Initial)> {
    let bias = bias.then(|| (Role::Bias, vec![channels], initial));
    std::iter::once(weight).chain(bias).collect()
}

fn batch_norm(affine: bool, channels: usize) -> Vec<(Role, Vec<usize>, Initial)> {
    let roles =
        [(Role::Scale, 1.0), (Role::Offset, 0.0), (Role::RunningMean, 0.0), (Role::RunningVariance, 1.0)];
    let owned = roles.into_iter().filter(|(role, _)| affine || !role.trained());
    owned.map(|(role, value)| (role, vec![channels], Initial::Constant(value))).collect()
}
