//! Shape inference: one exhaustive match over the primitives.

/// Shapes that do not fit: says where, what, and which shapes were met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{scope}: {problem}")]
pub struct ShapeError {
    /// The node's place in the architecture.
    pub scope: String,
    /// Such as `conv 5x5 needs a map of at least 5x5 with padding 0, got [16, 2, 2]`.
    pub problem: String,
}
