//! What a network costs, known before anything is trained.

use serde::{Deserialize, Serialize};

use super::Graph;

/// The cost of one forward pass of one sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Trainable parameters.
    pub params: u64,
    /// Multiply-accumulate operations of convolutions and linear layers.
    pub macs: u64,
    /// Bytes of all activations of one sample in f32, as training keeps them.
    pub activation_bytes: u64,
    /// Nodes with parameters on the longest path from input to output.
    pub depth: u64,
}

impl Graph {
    /// Parameters, multiply-adds, activation memory and depth.
    pub fn cost(&self) -> Cost {
        todo!()
    }
}
