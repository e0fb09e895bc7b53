//! A Gaussian process over the candidates of any space, made for search: it grows trial by trial, keeps what it knows of
//! a pool of candidates, and learns by itself what matters in the space
//! and, where trials may be of several lengths, what short ones tell of long ones.

mod census;
mod kernel;
mod likelihood;
mod means;
mod model;
mod pool;
mod posterior;
mod stage;
mod study;
mod tried;
mod view;

pub(super) use model::{Model, seen};
pub(super) use stage::Stage;
pub(super) use study::{Rungs, Study};
