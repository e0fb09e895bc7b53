//! The study as its users meet it: searches that are stopped, killed, resumed, and run folders in every bad state.

mod folder;
mod heritage;
mod kill;
mod retrain;
mod search;
mod stopping;
mod support;
