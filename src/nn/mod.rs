//! Training: an [`ir::Graph`](crate::ir::Graph) executed on Burn. The only room that names Burn.
//!
//! Everything random (initial weights, order of pictures, augmentation, dropped paths) comes from streams of the
//! training's own seed, never from a device's global one: trainings that run beside each other on several threads, or
//! go on from a checkpoint, give the same figures to the bit as alone and undisturbed.

mod augment;
mod auxiliary;
mod average;
mod bank;
mod batch;
mod budget;
mod checkpoint;
mod device;
mod ensemble;
mod error;
mod execute;
mod feed;
mod heritage;
mod kernel;
mod loss;
mod memory;
mod mix;
mod numbers;
mod optimizer;
mod pace;
mod probe;
mod resident;
mod rule;
mod schedule;
mod student;
mod supernet;
mod throughput;
mod train;

pub use bank::Bank;
pub use budget::{Share, cores};
pub use checkpoint::Checkpoint;
pub(crate) use ensemble::{Course, Kind, Reader, Regression, Sequence, Speaker};
pub use error::NnError;
pub use execute::forward;
pub use heritage::{inherit, inherited, leave};
pub use memory::{estimated_bytes, free_bytes};
pub use numbers::write_numbers;
pub use pace::{Field, Pace};
pub use probe::Probe;
pub use student::{Source, Step, StudentTraining, TrainedStudent, features, predict};
pub use supernet::{Lesson, Snapshot, Supernet};
pub use throughput::Throughput;
pub use train::{Epoch, Score, Trained, Training, score};

/// Burn's CPU backend in pure Rust: where tensors live that no device was named for.
fn device() -> burn::tensor::Device {
    burn::tensor::Device::flex()
}
