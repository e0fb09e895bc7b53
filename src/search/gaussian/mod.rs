//! A Gaussian process over the candidates of any space, made for search: it grows trial by trial, keeps what it knows of
//! a pool of candidates, and learns by itself what matters in the space.

mod census;
mod factor;
mod kernel;
mod likelihood;
mod model;
mod normal;
mod pool;
mod posterior;
mod view;

pub(super) use factor::dot;
pub(super) use model::{Model, seen};
pub(super) use normal::quantile;
