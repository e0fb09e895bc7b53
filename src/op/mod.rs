//! The ops that spaces choose between: one file each, named as in the papers.
//!
//! An op says once what it is made of ([`Lower::build`]); shapes, cost, training and every export follow from that.
//! To add one: write `x.rs`, and add its `mod` line and its line in the table below.
//!
//! ```
//! use cellwright::ir::{Graph, Shape};
//! use cellwright::op::{Lower, Op, SepConv, Site};
//!
//! let op = Op::SepConv(SepConv { kernel: 5, ..SepConv::default() });
//! assert_eq!(op.label(), "sep conv 5x5");
//!
//! let mut graph = Graph::new(Shape::Map { channels: 16, height: 8, width: 8 });
//! let input = graph.input();
//! let output = op.lower(&mut graph, input, Site { stride: 2, channels: Some(32), ..Site::default() })?;
//! assert_eq!(graph.shape(output), Shape::Map { channels: 32, height: 4, width: 4 });
//! assert_eq!(graph.parameters()[0].name, "sep_conv_5x5/depthwise/weight");
//! # Ok::<(), cellwright::ir::ShapeError>(())
//! ```

use crate::family::family;
use crate::ir::{Graph, ShapeError, Tensor};

/// Where an op stands: what the architecture asks of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Site {
    /// Output channels the architecture wants here; an op's own `channels` field goes before it; without either the
    /// op keeps its input's channels.
    pub channels: Option<usize>,
    /// Stride the architecture wants here, 1 or 2; an op's own `stride` field goes before it.
    pub stride: usize,
    /// How deep in the network this is, in (0, 1]: the `depth` of an op's own residual [`DropPath`](crate::ir::Primitive::DropPath).
    pub depth: f64,
}

impl Default for Site {
    /// The input's channels, stride 1, at the very end of the network.
    fn default() -> Site {
        Site { channels: None, stride: 1, depth: 1.0 }
    }
}

impl Site {
    /// `(channels, stride)` to build: the op's own fields before the site's wishes before what the input has.
    fn resolve(
        &self,
        graph: &Graph,
        input: Tensor,
        channels: Option<usize>,
        stride: Option<usize>,
    ) -> (usize, usize) {
        let kept = graph.shape(input).channels();
        (channels.or(self.channels).unwrap_or(kept), stride.unwrap_or(self.stride))
    }

    /// For ops that cannot change channels or size: refuses a site that asks for it.
    fn keep(&self, graph: &Graph, input: Tensor, op: &dyn Lower) -> Result<(), ShapeError> {
        let kept = graph.shape(input).channels();
        let (channels, stride) = self.resolve(graph, input, None, None);
        if (channels, stride) == (kept, 1) {
            return Ok(());
        }
        let asked = format!("{channels} channels at stride {stride} are asked for here");
        Err(graph
            .refusal(format!("{} keeps its input's {kept} channels and its size, but {asked}", op.label())))
    }
}

/// What an op means to the graph round it, for pruning and for canonical keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Passes its input on (at stride 1 and with equal channels).
    Identity,
    /// Yields zeros.
    Zero,
    /// Anything else.
    Computes,
}

/// What an op is made of.
pub trait Lower {
    /// Adds the op's primitives to `graph`, reading `input`, and returns its output.
    ///
    /// # Errors
    /// [`ShapeError`] where the input's shape does not suit the op.
    fn build(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError>;

    /// A short name for people, such as `sep conv 5x5`. Ops with different labels compute different things, and ops
    /// with equal labels the same: canonical keys rely on it.
    fn label(&self) -> String;

    /// What the op means to the graph round it.
    fn meaning(&self) -> Meaning {
        Meaning::Computes
    }

    /// [`Lower::build`] under the op's own scope: its label with underscores, `sep_conv_5x5`.
    ///
    /// # Errors
    /// As [`Lower::build`].
    fn lower(&self, graph: &mut Graph, input: Tensor, site: Site) -> Result<Tensor, ShapeError> {
        graph.scoped(self.label().replace(' ', "_"), |graph| self.build(graph, input, site))
    }
}

mod check;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod golden;
mod label;

mod activation;
mod avg_pool;
mod batch_norm;
mod bottleneck_block;
mod conv;
mod conv_bn_relu;
mod dil_conv;
mod dropout;
mod factorized_conv;
mod flatten;
mod fused_mb_conv;
mod global_avg_pool;
mod linear;
mod max_pool;
mod mb_conv;
mod relu_conv_bn;
mod residual_block;
mod sep_conv;
mod skip_connect;
mod squeeze_excitation;
mod zero;

pub use activation::ActivationOp;
pub use avg_pool::AvgPool;
pub use batch_norm::BatchNorm;
pub use bottleneck_block::BottleneckBlock;
pub use conv::Conv;
pub use conv_bn_relu::ConvBnRelu;
pub use dil_conv::DilConv;
pub use dropout::Dropout;
pub use factorized_conv::FactorizedConv;
pub use flatten::Flatten;
pub use fused_mb_conv::FusedMbConv;
pub use global_avg_pool::GlobalAvgPool;
pub use linear::Linear;
pub use max_pool::MaxPool;
pub use mb_conv::MbConv;
pub use relu_conv_bn::ReluConvBn;
pub use residual_block::{Order, ResidualBlock, Shortcut};
pub use sep_conv::SepConv;
pub use skip_connect::{Reduction, SkipConnect};
pub use squeeze_excitation::SqueezeExcitation;
pub use zero::Zero;

family! {
    /// An op with its configuration.
    pub enum Op: Lower {
        /// A plain convolution.
        Conv(Conv) = "conv",
        /// Convolution, batch normalisation, activation.
        ConvBnRelu(ConvBnRelu) = "conv_bn_relu",
        /// ReLU, convolution, batch normalisation; dilated at will.
        ReluConvBn(ReluConvBn) = "relu_conv_bn",
        /// Depthwise-separable convolution, applied twice.
        SepConv(SepConv) = "sep_conv",
        /// Dilated depthwise-separable convolution, applied once.
        DilConv(DilConv) = "dil_conv",
        /// 1xk then kx1 convolution.
        FactorizedConv(FactorizedConv) = "factorized_conv",
        /// Maximum over a window.
        MaxPool(MaxPool) = "max_pool",
        /// Mean over a window.
        AvgPool(AvgPool) = "avg_pool",
        /// Identity; at stride 2 or where channels change, a projection.
        SkipConnect(SkipConnect) = "skip_connect",
        /// No connection.
        Zero(Zero) = "zero",
        /// Mobile inverted bottleneck.
        MbConv(MbConv) = "mb_conv",
        /// Mobile inverted bottleneck with its expansion and depthwise convolution fused.
        FusedMbConv(FusedMbConv) = "fused_mb_conv",
        /// A gate on every channel.
        SqueezeExcitation(SqueezeExcitation) = "squeeze_excitation",
        /// Basic residual block.
        ResidualBlock(ResidualBlock) = "residual_block",
        /// Bottleneck residual block.
        BottleneckBlock(BottleneckBlock) = "bottleneck_block",
        /// Fully connected layer.
        Linear(Linear) = "linear",
        /// An elementwise non-linearity.
        Activation(ActivationOp) = "activation",
        /// Batch normalisation.
        BatchNorm(BatchNorm) = "batch_norm",
        /// Drops activations while training.
        Dropout(Dropout) = "dropout",
        /// Mean over height and width.
        GlobalAvgPool(GlobalAvgPool) = "global_avg_pool",
        /// A map as a vector.
        Flatten(Flatten) = "flatten",
    }
}
