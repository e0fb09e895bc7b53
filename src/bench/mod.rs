//! Algorithms compared: each on each space, from many seeds, scored by a truth that no search is shown.
//!
//! An experiment file says who meets where:
//! ```ron
//! Bench(
//!     title: "NAS-Bench-201",
//!     spaces: [(file: "nasbench201.ron", metric: "test_accuracy", unit: Points)],
//!     algorithms: [(algorithm: Random), (label: "evolution (20, 5)", algorithm: RegularizedEvolution(population: 20, sample: 5))],
//!     seeds: 200,
//!     queries: 150,
//!     budgets: (queries: [20, 50, 100, 150]),
//! )
//! ```
//! A run is a search of one space by one algorithm from one seed, exactly as `cellwright search` would do it. At every
//! budget the algorithm names the candidate that it believes best ([`SearchAlgorithm::incumbent`]), and the run's regret
//! is how far that candidate's truth is from the best one of the whole space. A table's columns that are kept from the
//! search are such a truth ([`Evaluate::hidden`]). Of several objectives the whole front is judged ([`Scored::front`]), and
//! several trials may be under way at once ([`Bench::workers`]).
//!
//! [`SearchAlgorithm::incumbent`]: crate::search::SearchAlgorithm::incumbent
//! [`Evaluate::hidden`]: crate::evaluate::Evaluate::hidden

mod arena;
mod clock;
mod error;
mod file;
mod left_out;
mod plot;
mod report;
mod results;
mod run;
mod shift;
mod statistics;
mod truth;

pub use error::BenchError;
pub use file::{Bench, Budgets, Entrant, Scored, Unit};
pub use left_out::LeftOut;
pub use report::{Section, markdown};
pub use results::{Axis, AxisResults, Curve, Ranking, Results, SpaceResults};
pub use statistics::{Summary, ranks};

use crate::error::Result;
use arena::Arena;

/// How many threads run searches, and who hears how far they are.
#[derive(Clone, Copy)]
pub struct Crew<'a> {
    /// Threads; the results do not depend on them.
    pub threads: usize,
    /// Called after every run with how many have ended, of how many.
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
}

impl Bench {
    /// Runs every algorithm on every space from every seed. The same file gives the same results, times aside.
    ///
    /// # Errors
    /// A space that does not load or has no truth to score by, and an algorithm that finds nothing to propose.
    pub fn run(&self, crew: Crew) -> Result<Results> {
        let arenas =
            self.spaces.iter().map(|scored| Arena::open(scored, self)).collect::<Result<Vec<_>>>()?;
        let axes = self.axes();
        let points = results::points(&axes);
        let runs = run::all(self, &arenas, &points, crew)?;
        Ok(Results::of(self, &arenas, &axes, &points, &runs))
    }
}
