//! Short words for the nodes that nearly every op adds.

use super::{Activation, Conv, Graph, Primitive, ShapeError, Tensor};

impl Graph {
    /// A convolution, as `name` under the current scope.
    ///
    /// # Errors
    /// As [`Graph::add`].
    pub fn conv(&mut self, name: &str, conv: Conv, x: Tensor) -> Result<Tensor, ShapeError> {
        self.add_named(name, Primitive::Conv(conv), &[x])
    }

    /// A convolution and [`Primitive::BATCH_NORM`].
    ///
    /// # Errors
    /// As [`Graph::add`].
    pub fn conv_norm(&mut self, name: &str, conv: Conv, x: Tensor) -> Result<Tensor, ShapeError> {
        let x = self.conv(name, conv, x)?;
        self.add(Primitive::BATCH_NORM, &[x])
    }

    /// An elementwise non-linearity.
    ///
    /// # Errors
    /// As [`Graph::add`].
    pub fn activation(&mut self, activation: Activation, x: Tensor) -> Result<Tensor, ShapeError> {
        self.add(Primitive::Activation(activation), &[x])
    }

    /// ReLU.
    ///
    /// # Errors
    /// As [`Graph::add`].
    pub fn relu(&mut self, x: Tensor) -> Result<Tensor, ShapeError> {
        self.activation(Activation::Relu, x)
    }
}
