//! Cellwright: a search space in RON becomes a trained, ranked, exported cell.

pub mod architecture;
pub mod candidate;
pub mod data;
pub mod error;
pub mod evaluate;
pub mod experiment;
pub mod export;
mod family;
pub mod ir;
#[cfg(feature = "train")]
pub mod nn;
pub mod op;
mod random;
pub mod recipe;
pub mod search;
pub mod space;
pub mod study;
pub mod symbolic;
pub mod trial;

pub use candidate::{Candidate, Task};
pub use error::{Error, Result};
pub use experiment::{Experiment, Retrain};
pub use random::{Rng, Seed};
pub use space::{Gene, Genotype, Space};
pub use study::Study;
