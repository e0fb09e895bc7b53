//! One backbone, five tasks, taught by specialists: multi-task self-training.
//!
//! Ghiasi, Zoph et al., *Multi-Task Self-Training for Learning General Representations* (2021),
//! <https://arxiv.org/abs/2108.11353>: specialist teachers label one shared set, and one student learns all tasks at once
//! from their pseudo labels.
//!
//! A [`Course`] says which network learns what, from which sets; [`teach()`] makes the network and keeps it in a folder,
//! which as a [`teacher`] labels pictures ([`Labelling`]) that other courses learn from. A [`Judge`] measures it, a
//! [`Transfer`] tells what its features are worth for other tasks, and [`SelfTraining`] repeats it all.

pub mod augment;
pub mod draw;
pub mod metrics;
pub mod store;
pub mod student;
pub mod teacher;

mod classes;
mod course;
mod error;
mod kept;
mod label;
mod mixture;
mod news;
mod scores;
mod self_training;
mod sound;
mod teach;
mod transfer;

#[cfg(feature = "train")]
pub(crate) use classes::union;
pub use course::{Backbone, Course};
#[cfg(feature = "train")]
pub(crate) use course::{check_lesson, check_tasks};
pub use error::MustError;
#[cfg(feature = "train")]
pub(crate) use label::check_different;
pub use label::{Labelling, THRESHOLD, check_threshold};
pub use mixture::{Mixture, OpenPortion, Portion};
pub use news::{Hear, News};
pub use scores::{Judge, metric_names};
pub use self_training::SelfTraining;
pub use sound::{left_out, look_through};
#[cfg(feature = "train")]
pub(crate) use teach::{Training, held_out, kept, measure, teach_from};
pub use teach::{score, teach};
pub use transfer::{OpenTransfer, Reference, TRANSFER, TaskSet, Transfer};
