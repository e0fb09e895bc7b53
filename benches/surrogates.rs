//! How well each surrogate ranks what it has not seen, with each set of features: PNAS's table, on tables of real trainings.
//!
//! `cargo bench --bench surrogates` prints `results/search/surrogates.md`; with `--no-default-features` without the
//! networks that run on Burn. Every cell fits on n random rows, each with one reading of its reward as a search would get
//! it, and predicts 1,000 others (all others where a table has fewer), whose worth is the mean of their readings.
//!
//! `cargo bench --bench surrogates -- 100 "Lstm(epochs: 20)" "Mlp(hidden: 50)"` compares these instead, by decisions alone
//! and on 100 rows; `cargo bench --bench surrogates -- times` tells what each takes.

#[path = "surrogates/clock.rs"]
mod clock;
#[path = "surrogates/grown.rs"]
mod grown;
#[path = "surrogates/line.rs"]
mod line;
#[path = "surrogates/pool.rs"]
mod pool;
#[path = "surrogates/rank.rs"]
mod rank;
#[path = "surrogates/tables.rs"]
mod tables;

use cellwright::search::surrogate::{Encoding, FeatureSet, Predictor};
use cellwright::symbolic::{Value, from_value};

use clock::microseconds;
use line::{Line, Score, header, means};
use pool::{AS_THEY_ARE, NORMAL, Pool, RANKS};
use tables::{Row, Table};

/// Examples that are learnt from.
const COUNTS: [usize; 4] = [50, 100, 200, 400];

/// Draws of rows, for each of which a surrogate is fitted once; networks, of which a fit takes up to seconds, have fewer.
const SEEDS: u64 = 20;
const SEEDS_OF_NETWORKS: [(&str, u64); 3] = [("mlp", 5), ("embedded_mlp", 2), ("lstm", 2)];

fn seeds(surrogate: &Predictor) -> u64 {
    let own = SEEDS_OF_NETWORKS.iter().find(|(kind, _)| *kind == surrogate.kind());
    own.map_or(SEEDS, |(_, seeds)| *seeds)
}

/// Sets of features, by name; networks, which learn for a thousand times as long as others, are measured with those marked.
const SETS: [(&str, FeatureSet, bool); 6] = [
    ("decisions", set(true, false, false, false, false), true),
    ("decisions, labels", set(true, true, false, false, false), false),
    ("paths", set(false, false, true, false, false), false),
    ("graph", set(false, false, false, true, false), false),
    ("decisions, labels, paths", set(true, true, true, false, false), true),
    ("all", set(true, true, true, true, true), false),
];

const fn set(decisions: bool, labels: bool, paths: bool, graph: bool, cost: bool) -> FeatureSet {
    FeatureSet { decisions, labels, paths, graph, cost, figures: false }
}

fn main() {
    let tables = tables::all();
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if asked == ["times"] {
        return times(&tables[0]);
    }
    if !asked.is_empty() {
        return compare(&tables, &asked);
    }
    let start = std::time::Instant::now();
    println!("{}", ABOUT.trim_start());
    for line in machine().lines() {
        println!("- {line}");
    }
    let lines: Vec<Line> = tables.iter().flat_map(lines).collect();
    let counts = COUNTS.map(|count| format!("{count}"));
    let twice = |first: &str, second: &str| -> Vec<String> {
        [first, second].iter().flat_map(|name| counts.iter().map(move |n| format!("{name} {n}"))).collect()
    };
    println!("\n## Mean over the tables: Spearman's correlation and Kendall's\n");
    header("| surrogate | features |", &twice("Spearman", "Kendall"));
    for mean in means(&lines) {
        mean.print(&[&|score: &Score| format!("{:.3}", score.spearman), &|score| {
            format!("{:.3}", score.kendall)
        }]);
    }
    println!("\n## Mean over the tables: what a search would lose, and how sure surrogates are\n");
    println!(
        "Missed is how many of the unseen, in percent, are better than the best of the ten predicted best; within is"
    );
    println!(
        "how many are worth what is predicted, give or take two deviations: 95 % where the deviations are right.\n"
    );
    header("| surrogate | features |", &twice("missed", "within"));
    for mean in means(&lines) {
        mean.print(&[&|score: &Score| format!("{:.2}", score.missed), &|score| {
            format!("{:.0} %", 100.0 * score.covered)
        }]);
    }
    grown::print(&tables);
    targets(&tables);
    times(&tables[0]);
    println!(
        "\nAll of this took {:.0} s on {} threads.",
        start.elapsed().as_secs_f64(),
        rayon::current_num_threads()
    );
}

/// The machine, its load and the commit.
fn machine() -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/machine");
    let told = std::process::Command::new(script).output().expect("benches/machine runs");
    String::from_utf8_lossy(&told.stdout).into_owned()
}

const ABOUT: &str = "
# How well surrogates rank what they have not seen

Each surrogate learns from n random rows of a table, each with one reading of its reward (one training), and predicts
1,000 others (the others, where a table has fewer), whose worth is the mean of their readings: mean of 20 draws of rows, of
networks, which learn for longer, of fewer (`mlp` 5, `embedded_mlp` and `lstm` 2), then of the tables: NAS-Bench-201 on
CIFAR-10, NAS-Bench-101 and FC-Net, and at n = 50 also the 91 cells of EC-NAS, so that the column of 50 is of other tables
than the rest. Targets are normal scores (`Scale::normal`). FC-Net's programs are no networks: there `paths` and `graph` are
absent, and its decisions stand. `lstm` reads a candidate's decisions in order.
`embedded_mlp` and `lstm` are PNAS's networks on Burn, `mlp` the first of them in plain Rust.
`cargo bench --bench surrogates` makes this file.
";

/// Surrogates of the caller's own, after numbers of rows of the caller's own.
fn compare(tables: &[Table], asked: &[String]) {
    let (counts, asked): (Vec<&String>, Vec<&String>) =
        asked.iter().partition(|word| word.parse::<usize>().is_ok());
    let counts: Vec<usize> = counts.into_iter().filter_map(|word| word.parse().ok()).collect();
    let counts = if counts.is_empty() { COUNTS.to_vec() } else { counts };
    for table in tables {
        println!("\n## {}: Spearman's correlation\n", table.name);
        header("| surrogate | features |", &counts.iter().map(usize::to_string).collect::<Vec<_>>());
        for text in &asked {
            let surrogate: Predictor =
                from_value(&text.parse().expect("RON")).unwrap_or_else(|error| panic!("`{text}`: {error}"));
            let pool = Pool::of(table, surrogate.encoding(&table.space, SETS[0].1));
            let score = |count: &usize| pool.score(&surrogate, *count, NORMAL, seeds(&surrogate));
            let scores = counts.iter().map(score).collect();
            let line = Line { surrogate: text.to_string(), set: SETS[0].0, scores };
            line.print(&[&|score: &Score| format!("{:.3}", score.spearman)]);
        }
    }
}

fn surrogate(name: &str) -> Predictor {
    from_value(&Value::unit(name)).expect("every surrogate has defaults")
}

fn is_network(name: &str) -> bool {
    ["Mlp", "EmbeddedMlp", "Lstm"].contains(&name)
}

/// Every surrogate with every set on a table, printed as they are measured.
fn lines(table: &Table) -> Vec<Line> {
    println!("\n## {}: Spearman's correlation\n", table.name);
    header("| surrogate | features |", &COUNTS.map(|count| format!("{count}")));
    let mut lines = Vec::new();
    for name in Predictor::available() {
        let surrogate = surrogate(name);
        let mut pools: Vec<(Pool, Vec<Option<Score>>)> = Vec::new();
        for (set, features, for_networks) in SETS {
            // What is read in order are decisions.
            if is_network(name) && !for_networks || name == "Lstm" && set != SETS[0].0 {
                continue;
            }
            let pool = Pool::of(table, surrogate.encoding(&table.space, features));
            let score = |count| pool.score(&surrogate, count, NORMAL, seeds(&surrogate));
            let scores = match pools.iter().find(|(other, _)| other.shows_the_same(&pool)) {
                Some((_, scores)) => scores.clone(),
                None => COUNTS.map(score).to_vec(),
            };
            pools.push((pool, scores.clone()));
            let line = Line { surrogate: surrogate.kind().into(), set, scores };
            line.print(&[&|score: &Score| format!("{:.3}", score.spearman)]);
            lines.push(line);
        }
    }
    lines
}

/// What the scale of targets does, from the decisions alone.
fn targets(tables: &[Table]) {
    println!("\n## Mean over the tables, decisions only: other ways for scores to become targets\n");
    header("| surrogate | targets |", &COUNTS.map(|count| format!("{count}")));
    let pools: Vec<Pool> = tables.iter().map(|table| Pool::of(table, Encoding::of(&table.space))).collect();
    for name in Predictor::available().filter(|name| !is_network(name)) {
        for (set, targets) in [("as they are", AS_THEY_ARE), ("ranks", RANKS)] {
            let surrogate = surrogate(name);
            let mean = |count: usize| {
                let known: Vec<Score> =
                    pools.iter().filter_map(|pool| pool.score(&surrogate, count, targets, SEEDS)).collect();
                Score::mean(&known)
            };
            let scores = COUNTS.into_iter().map(mean).collect();
            let line = Line { surrogate: surrogate.kind().into(), set, scores };
            line.print(&[&|score: &Score| format!("{:.3}", score.spearman)]);
        }
    }
}

/// What features, fits and predictions take.
fn times(table: &Table) {
    println!("\n## {}: processor time on one core\n", table.name);
    println!("| features | columns | preparing a space, ms | one candidate, us |");
    println!("|---|---:|---:|---:|");
    for (name, set, _) in SETS {
        let (encoding, prepared) = microseconds(1, || Encoding::with(&table.space, set));
        let rows: Vec<&Row> = table.rows.iter().step_by(61).collect();
        let describe = || {
            rows.iter()
                .map(|row| encoding.describe(&table.space, &row.genotype))
                .filter(Result::is_ok)
                .count()
        };
        let (described, spent) = microseconds(3, describe);
        let columns = encoding.layout().columns();
        println!("| {name} | {columns} | {:.1} | {:.1} |", prepared / 1e3, spent / described as f64);
    }
    println!();
    println!(
        "| surrogate | features | fit on 50, ms | on 150, ms | on 400, ms | 1,000 predictions after 150, ms |"
    );
    println!("|---|---|---:|---:|---:|---:|");
    for (set_name, set, _) in [SETS[0], SETS[4]] {
        for name in Predictor::available() {
            let surrogate = surrogate(name);
            let pool = Pool::of(table, surrogate.encoding(&table.space, set));
            let times: Vec<(f64, f64)> =
                [50, 150, 400].map(|count| pool.times(&surrogate, count, is_network(name))).into();
            let fits: Vec<String> = times.iter().map(|(fit, _)| format!("{:.2}", fit / 1e3)).collect();
            let predictions = times[1].1 / 1e3;
            println!("| {} | {set_name} | {} | {predictions:.2} |", surrogate.kind(), fits.join(" | "));
        }
    }
}
