//! Cellwright: a search space in RON becomes a trained, ranked, exported cell.
//!
//! > A space is searched, a genotype is materialised, an architecture is evaluated, a trial is stored, a winner is exported.
//!
//! The whole pipeline as a library, here with an evaluator that needs no training:
//!
//! ```
//! use std::sync::atomic::AtomicBool;
//!
//! use cellwright::evaluate::Prepare;
//! use cellwright::study::{Description, Event};
//! use cellwright::{Candidate, Experiment, Space, Study};
//!
//! let space = Space::from_ron("tiny.ron", r#"
//!     Space(
//!         let: { "op": OneOf([SepConv(kernel: 3), ReluConvBn(kernel: 3), MaxPool(kernel: 3), SkipConnect]) },
//!         program: (
//!             task: (input: (3, 32, 32), classes: 10),
//!             architecture: Stacked(
//!                 cell: Blocks([Block(left: Branch(input: PreviousCell, op: Fresh("op")),
//!                                     right: Branch(input: CellBefore, op: Fresh("op")))]),
//!                 stages: 2, repeats: 1, channels: 16,
//!             ),
//!         ),
//!         experiment: (evaluator: Cost, objectives: [Minimize("macs")], trials: 10),
//!     )"#)?;
//! assert_eq!(space.size().to_string(), "16");
//!
//! let experiment: Experiment = space.experiment_as()?.expect("the space says how it is searched");
//! let evaluator = experiment.evaluator.prepare(&space)?;
//! let description = Description { space: space.source_text(), experiment };
//!
//! let folder = tempfile::tempdir()?;
//! let mut study = Study::open(folder.path(), &space, &description)?;
//! study.search(&*evaluator, &AtomicBool::new(false), &mut |_: &Event| ())?;
//!
//! let winner = study.record().winners(&space, 1)[0];
//! let candidate: Candidate = space.decode(&study.record().trial(winner)?.proposal.genotype)?;
//! println!("{} multiply-adds", candidate.graph()?.cost().macs);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Any type of your own that is `Serialize + Deserialize` becomes a space in three lines: see [`Space::of`].
//!
//! With the feature `train` (on by default) candidates are trained for real on Burn; without it all else still builds.

pub mod architecture;
pub mod bench;
pub mod candidate;
pub mod data;
pub mod device;
pub mod error;
pub mod evaluate;
pub mod experiment;
pub mod export;
mod family;
pub mod ir;
#[cfg(feature = "train")]
pub mod loader;
pub mod must;
#[cfg(feature = "train")]
pub mod nn;
pub mod op;
mod panics;
pub mod pareto;
mod random;
pub mod recipe;
pub mod search;
pub mod space;
pub mod stopping;
pub mod study;
pub mod symbolic;
pub mod trial;

pub use candidate::{Candidate, Task};
pub use device::{Device, Devices};
pub use error::{Error, Result, SpaceError};
pub use experiment::{Experiment, Retrain};
pub use random::{Rng, Seed};
pub use space::{Gene, Genotype, Space};
pub use study::Study;
