//! The largest step of PNAS: 256 four-block cells, each grown by every possible fifth block, told apart by canonical
//! key, and scored by the surrogate.
//!
//! `cargo bench --no-default-features --bench progressive` prints the table of `results/progressive.md`.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use cellwright::search;
use cellwright::search::surrogate::{Encoding, Features, Predictor, Surrogate};
use cellwright::space::{Draw, Key};
use cellwright::{Genotype, Seed, Space};
use rayon::prelude::*;

const BEAM: usize = 256;

fn main() {
    let space =
        Space::load(concat!(env!("CARGO_MANIFEST_DIR"), "/search_spaces/pnas_cifar10.ron")).expect("loads");
    let beam = beam(&space);
    let surrogate = surrogate(&space, &beam);
    let encoding = Encoding::of(&space);

    let start = Instant::now();
    let clocks = Clocks::default();
    let grown: Vec<Vec<(Key, f64)>> = beam
        .par_iter()
        .map(|cell| {
            let drawings = clocks.enumerate.time(|| search::grown(&space, cell).expect("of the space"));
            let drawn = drawings.len() as u64;
            clocks.drawings.fetch_add(drawn, Relaxed);
            let keyed = clocks.key.time(|| distinct(&space, drawings));
            let score = |cell: &Genotype| {
                let active = space.active(cell).expect("of the space");
                surrogate.predict(&encoding.features(&space, &active)).mean
            };
            clocks.score.time(|| keyed.iter().map(|(key, cell)| (key.clone(), score(cell))).collect())
        })
        .collect();
    let mut best: HashMap<Key, f64> = HashMap::new();
    for (key, score) in grown.iter().flatten() {
        best.entry(key.clone()).and_modify(|best| *best = best.max(*score)).or_insert(*score);
    }
    let mut ranked: Vec<f64> = best.into_values().collect();
    ranked.sort_by(|a, b| b.total_cmp(a));
    let seconds = start.elapsed().as_secs_f64();

    let scored: usize = grown.iter().map(Vec::len).sum();
    println!(
        "| drawings | scored | cells | enumerate, thread s | key, thread s | score, thread s | all, wall s |"
    );
    println!("|---|---|---|---|---|---|---|");
    print!("| {} | {scored} | {} |", clocks.drawings.load(Relaxed), ranked.len());
    println!(" {} | {} | {} | **{seconds:.2}** |", clocks.enumerate, clocks.key, clocks.score);
    assert!(ranked.len() > 300_000 && ranked[..BEAM].iter().all(|score| score.is_finite()));
}

/// One drawing of every distinct cell, with its key.
fn distinct(space: &Space, drawings: Vec<Genotype>) -> Vec<(Key, Genotype)> {
    let mut seen = HashSet::new();
    let key = |cell: &Genotype| space.key(cell).expect("a cell");
    drawings.into_iter().map(|cell| (key(&cell), cell)).filter(|(key, _)| seen.insert(key.clone())).collect()
}

/// Time spent by all threads together, by what for.
#[derive(Default)]
struct Clocks {
    enumerate: Clock,
    key: Clock,
    score: Clock,
    drawings: AtomicU64,
}

/// Nanoseconds.
#[derive(Default)]
struct Clock(AtomicU64);

impl Clock {
    fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = work();
        self.0.fetch_add(start.elapsed().as_nanos() as u64, Relaxed);
        done
    }
}

impl std::fmt::Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2}", self.0.load(Relaxed) as f64 / 1e9)
    }
}

/// Distinct random cells of four blocks.
fn beam(space: &Space) -> Vec<Genotype> {
    let mut rng = Seed(1).stream(0, "beam");
    let mut seen = HashSet::new();
    let mut beam = Vec::new();
    while beam.len() < BEAM {
        let cell = space
            .build(&mut |decision| {
                Ok(match space.prefix_min(decision) {
                    Some(_) => Draw::Choice(3),
                    None => space.decisions()[decision].kind.draw(&mut rng),
                })
            })
            .expect("a cell");
        if seen.insert(space.key(&cell).expect("a cell")) {
            beam.push(cell);
        }
    }
    beam
}

/// An ensemble that has learnt from as many cells as PNAS has trained by then.
fn surrogate(space: &Space, cells: &[Genotype]) -> Box<dyn Surrogate> {
    let encoding = Encoding::of(space);
    let example = |cell: &Genotype| {
        let features: Features = encoding.features(space, &space.active(cell).expect("of the space"));
        let target = 0.8 + 0.1 * (features.iter().map(|(column, _)| *column as f64).sum::<f64>()).sin();
        (features, target)
    };
    let examples: Vec<_> = cells.iter().map(example).collect();
    let mut ensemble = Predictor::default().start();
    ensemble.fit(encoding.layout(), &examples, Seed(1));
    ensemble
}
