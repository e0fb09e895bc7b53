//! The closed intermediate representation: about twenty primitives, a graph of them, and what follows from the graph
//! alone (shapes, parameters, multiply-adds, activation memory).

mod cost;
mod graph;
mod layer;
mod parameter;
mod primitive;
mod resize;
mod shape;
mod table;
#[cfg(test)]
mod tests;

pub use cost::Cost;
pub use graph::{Graph, Node, Tensor};
pub use parameter::{Initial, Parameter, Role, Weights};
pub use primitive::{Activation, Conv, Primitive, Window};
pub use resize::{Interpolation, Taps};
pub use shape::{Shape, ShapeError};
