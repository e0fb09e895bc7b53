//! One backbone, five tasks, taught by specialists: what surrounds multi-task self-training.
//!
//! Ghiasi, Zoph et al., *Multi-Task Self-Training for Learning General Representations* (2021),
//! <https://arxiv.org/abs/2108.11353>: specialist teachers label one shared set, and one student learns all tasks at once
//! from their pseudo labels.

pub mod augment;
pub mod draw;
pub mod metrics;
pub mod store;
pub mod student;
