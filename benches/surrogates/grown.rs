//! PNAS's own protocol: fit on cells of one size, rank unseen ones of that size and of the next.

use cellwright::Seed;
use cellwright::search::surrogate::Predictor;
use rayon::prelude::*;

use super::line::{Line, Score, header};
use super::pool::{NORMAL, Pool};
use super::tables::Table;
use super::{SETS, is_network, seeds, surrogate};

/// PNAS fits on K cells of a size.
const KNOWN: usize = 256;
/// Where a size has fewer cells, so many of them are kept to be predicted.
const KEPT: usize = 50;

/// Which sizes of which table: of NAS-Bench-201 cells of so many connections that carry something, of NAS-Bench-101 cells
/// of so many vertices.
const SIZES: [(usize, &str, [usize; 3]); 2] = [(0, "connections", [3, 4, 5]), (1, "vertices", [5, 6, 7])];

/// Prints the tables.
pub fn print(tables: &[Table]) {
    println!("\n## PNAS's protocol: cells of one size, and of the next\n");
    println!(
        "Fitted on {KNOWN} random cells of b (of NAS-Bench-101's 130 cells of five vertices on 80): Spearman's correlation"
    );
    println!(
        "over unseen cells of b, and over cells of b + 1, none of which is known. Mean of as many draws as above."
    );
    for (table, unit, sizes) in SIZES {
        let table = &tables[table];
        println!("\n### {}, b {unit}\n", table.name);
        let next = |size: usize| table.rows.iter().any(|row| row.size == size + 1);
        let columns = sizes.iter().flat_map(|size| {
            let beyond = next(*size).then(|| format!("{size} to {}", size + 1));
            [Some(format!("{size}")), beyond].into_iter().flatten()
        });
        header("| surrogate | features |", &columns.collect::<Vec<_>>());
        for name in Predictor::available() {
            for (set_name, set, _) in [SETS[0], SETS[4]] {
                if name == "Lstm" && set_name != SETS[0].0 {
                    continue;
                }
                let predictor = surrogate(name);
                let pool = |size: usize| {
                    Pool::among(table, predictor.encoding(&table.space, set), |row| row.size == size)
                };
                let scores = sizes.iter().flat_map(|size| scores(&predictor, &pool(*size), &pool(size + 1)));
                let scores = scores.map(Some).collect();
                let line = Line { surrogate: predictor.kind().into(), set: set_name, scores };
                line.print(&[&|score: &Score| format!("{:.3}", score.spearman)]);
            }
            if is_network(name) {
                eprintln!("{} by size: {name}", table.name);
            }
        }
    }
}

/// Of unseen cells of the size, and of the next where there are any.
fn scores(surrogate: &Predictor, pool: &Pool, next: &Pool) -> Vec<Score> {
    let count = KNOWN.min(pool.len() - KEPT);
    let draw = |seed| {
        let (known, unknown) = pool.drawn(count, Seed(seed));
        let (_, beyond) = next.drawn(0, Seed(seed));
        let lots = [&unknown[..], &beyond[..]];
        pool.judged(surrogate, &known, if beyond.is_empty() { &lots[..1] } else { &lots }, NORMAL, Seed(seed))
    };
    let draws: Vec<Vec<Score>> = (0..seeds(surrogate)).into_par_iter().map(draw).collect();
    let lots = draws[0].len();
    let mean = |lot: usize| Score::mean(&draws.iter().map(|scores| scores[lot]).collect::<Vec<_>>());
    (0..lots).filter_map(mean).collect()
}
