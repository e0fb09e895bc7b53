//! The largest step of PNAS: 256 four-block cells, each grown by every possible fifth block, told apart by canonical
//! key, and scored by the surrogate.
//!
//! `cargo bench --no-default-features --bench progressive` prints the table of `results/progressive.md`.

use std::collections::HashSet;
use std::time::Instant;

use cellwright::search::surrogate::{Encoding, Features, Mlp, Surrogate};
use cellwright::search::{self};
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
    let grown: Vec<Genotype> =
        beam.par_iter().flat_map_iter(|cell| search::grown(&space, cell).expect("of the space")).collect();
    let enumerated = start.elapsed().as_secs_f64();
    let keys: Vec<Key> = grown.par_iter().map(|cell| space.key(cell).expect("a cell")).collect();
    let keyed = start.elapsed().as_secs_f64();
    let mut seen = HashSet::with_capacity(grown.len());
    let unique: Vec<&Genotype> =
        grown.iter().zip(&keys).filter(|(_, key)| seen.insert(*key)).map(|(cell, _)| cell).collect();
    let told_apart = start.elapsed().as_secs_f64();
    let score = |cell: &&Genotype| {
        let active = space.active(cell).expect("of the space");
        surrogate.predict(&encoding.features(&space, &active)).mean
    };
    let scores: Vec<f64> = unique.par_iter().map(score).collect();
    let scored = start.elapsed().as_secs_f64();
    println!("| drawings | cells | enumerate | key | dedup | score | all |");
    println!("|---|---|---|---|---|---|---|");
    println!(
        "| {} | {} | {enumerated:.2} s | {:.2} s | {:.2} s | {:.2} s | **{scored:.2} s** |",
        grown.len(),
        unique.len(),
        keyed - enumerated,
        told_apart - keyed,
        scored - told_apart
    );
    println!("best {:.4}", scores.iter().copied().fold(0.0, f64::max));
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
fn surrogate(space: &Space, cells: &[Genotype]) -> impl Surrogate + use<> {
    let encoding = Encoding::of(space);
    let example = |cell: &Genotype| {
        let features: Features = encoding.features(space, &space.active(cell).expect("of the space"));
        let target = 0.8 + 0.1 * (features.iter().map(|(column, _)| *column as f64).sum::<f64>()).sin();
        (features, target)
    };
    let examples: Vec<_> = cells.iter().map(example).collect();
    let mut ensemble = Mlp::default().start();
    ensemble.fit(encoding.layout(), &examples, Seed(1));
    ensemble
}
