//! How well each surrogate ranks what it has not seen, with each set of features: PNAS's table, on tables of real trainings.
//!
//! `cargo bench --no-default-features --bench surrogates` prints the tables of `results/search/surrogates.md`. Every cell
//! fits on n random rows, each with one reading of its reward as a search would get it, and predicts 1,000 others (all
//! others where a table has fewer), whose worth is the mean of their readings.

#[path = "surrogates/clock.rs"]
mod clock;
#[path = "surrogates/rank.rs"]
mod rank;
#[path = "surrogates/tables.rs"]
mod tables;

use cellwright::Seed;
use cellwright::search::surrogate::{Encoding, FeatureSet, Features, Layout, Predictor, Scale};
use cellwright::symbolic::{Value, from_value};
use rand::RngExt;
use rand::seq::SliceRandom;
use rayon::prelude::*;

use clock::microseconds;
use rank::{kendall, spearman};
use tables::{Row, Table};

/// Draws of rows, for each of which every surrogate is fitted once.
const SEEDS: u64 = 20;
/// Examples that are learnt from.
const COUNTS: [usize; 6] = [20, 50, 100, 150, 200, 400];
/// Rows of a table that are drawn from.
const POOL: usize = 2_400;
/// Rows that are predicted.
const UNSEEN: usize = 1_000;
/// The networks learn for a thousand times as long as others: fewer draws, sets and examples.
const SEEDS_OF_NETWORKS: u64 = 5;

/// Sets of features, by name; the networks are measured with those marked.
const SETS: [(&str, FeatureSet, bool); 8] = [
    ("decisions", set(true, false, false, false, false), true),
    ("decisions, labels", set(true, true, false, false, false), false),
    ("paths", set(false, false, true, false, false), false),
    ("graph", set(false, false, false, true, false), false),
    ("decisions, cost", set(true, false, false, false, true), false),
    ("decisions, labels, paths", set(true, true, true, false, false), true),
    ("decisions, labels, paths, graph", set(true, true, true, true, false), false),
    ("all", set(true, true, true, true, true), false),
];

const fn set(decisions: bool, labels: bool, paths: bool, graph: bool, cost: bool) -> FeatureSet {
    FeatureSet { decisions, labels, paths, graph, cost }
}

/// How scores become targets.
type Targets = fn(&[f64]) -> Scale;
const AS_THEY_ARE: Targets = |scores| Scale::of(scores.iter().copied());
const RANKS: Targets = |scores| Scale::ranks(scores.iter().copied());
const NORMAL: Targets = |scores| Scale::normal(scores.iter().copied());

fn main() {
    let tables = tables::all();
    let lines = lines(&tables);
    println!("## Mean over all tables: Spearman's correlation, and at 100 examples Kendall's\n");
    header("| surrogate | features |", &COUNTS.map(|count| format!("{count}")), "Kendall");
    for mean in means(&lines) {
        mean.print(&|score| format!("{:.3}", score.spearman), &|score| format!("{:.3}", score.kendall));
    }
    println!(
        "\n## Mean over all tables: better than the best of the ten predicted best, in percent of the unseen\n"
    );
    header("| surrogate | features |", &COUNTS.map(|count| format!("{count}")), "within 2 deviations");
    for mean in means(&lines) {
        mean.print(&|score| format!("{:.2}", score.missed), &|score| {
            format!("{:.0} %", 100.0 * score.covered)
        });
    }
    for table in &tables {
        println!("\n## {}: Spearman's correlation\n", table.name);
        header("| surrogate | features |", &COUNTS.map(|count| format!("{count}")), "Kendall");
        for line in lines.iter().filter(|line| line.table == table.name) {
            line.print(&|score| format!("{:.3}", score.spearman), &|score| format!("{:.3}", score.kendall));
        }
    }
    targets(&tables);
    times(&tables[0]);
}

fn header(first: &str, counts: &[String], last: &str) {
    println!("{first} {} | {last} |", counts.join(" | "));
    println!("|---|---|{}---:|", "---:|".repeat(counts.len()));
}

fn surrogate(name: &str) -> Predictor {
    from_value(&Value::unit(name)).expect("every surrogate has defaults")
}

/// One line of a table: a surrogate with a set of features.
struct Line {
    table: &'static str,
    surrogate: &'static str,
    set: &'static str,
    /// By the number of examples; `None` where it was not measured.
    scores: Vec<Option<Score>>,
}

/// How well unseen rows are ranked; a mean over all draws.
#[derive(Clone, Copy, Default)]
struct Score {
    spearman: f64,
    kendall: f64,
    /// The share of the unseen that are better than the best of the ten predicted best, in percent.
    missed: f64,
    /// The share of the unseen that are worth what is predicted, give or take two deviations.
    covered: f64,
}

impl Score {
    fn mean(scores: &[Score]) -> Option<Score> {
        let mean = |pick: fn(&Score) -> f64| scores.iter().map(pick).sum::<f64>() / scores.len() as f64;
        (!scores.is_empty()).then(|| Score {
            spearman: mean(|score| score.spearman),
            kendall: mean(|score| score.kendall),
            missed: mean(|score| score.missed),
            covered: mean(|score| score.covered),
        })
    }
}

impl Line {
    fn print(&self, each: &dyn Fn(&Score) -> String, last: &dyn Fn(&Score) -> String) {
        let text = |score: &Option<Score>, show: &dyn Fn(&Score) -> String| {
            score.as_ref().map_or(String::new(), show)
        };
        let scores: Vec<String> = self.scores.iter().map(|score| text(score, each)).collect();
        let at_100 = COUNTS.iter().position(|count| *count == 100).and_then(|at| self.scores[at]);
        println!("| {} | {} | {} | {} |", self.surrogate, self.set, scores.join(" | "), text(&at_100, last));
    }
}

/// Every surrogate with every set on every table.
fn lines(tables: &[Table]) -> Vec<Line> {
    let mut lines = Vec::new();
    for table in tables {
        for (name, features, networks_too) in SETS {
            let pool = Pool::of(table, features);
            for surrogate_name in Predictor::NAMES.iter().filter(|name| networks_too || **name != "Mlp") {
                let surrogate = surrogate(surrogate_name);
                let is_network = matches!(surrogate, Predictor::Mlp(_));
                let score = |count: usize| match is_network {
                    true if count > 150 => None,
                    true => pool.score(&surrogate, count, NORMAL, SEEDS_OF_NETWORKS),
                    false => pool.score(&surrogate, count, NORMAL, SEEDS),
                };
                let scores = COUNTS.into_iter().map(score).collect();
                lines.push(Line { table: table.name, surrogate: surrogate.kind(), set: name, scores });
            }
            eprintln!("{}: {name}", table.name);
        }
    }
    lines
}

/// The mean of each line over the tables that have it.
fn means(lines: &[Line]) -> Vec<Line> {
    let mut means: Vec<Line> = Vec::new();
    for line in lines {
        if means.iter().any(|mean| (mean.surrogate, mean.set) == (line.surrogate, line.set)) {
            continue;
        }
        let alike: Vec<&Line> =
            lines.iter().filter(|other| (other.surrogate, other.set) == (line.surrogate, line.set)).collect();
        let mean = |at: usize| {
            let known: Vec<Score> = alike.iter().filter_map(|line| line.scores[at]).collect();
            Score::mean(&known)
        };
        means.push(Line { scores: (0..COUNTS.len()).map(mean).collect(), ..*line });
    }
    means
}

/// Rows with their features.
struct Pool<'a> {
    layout: Layout,
    rows: Vec<(&'a Row, Features)>,
}

impl<'a> Pool<'a> {
    fn of(table: &'a Table, set: FeatureSet) -> Pool<'a> {
        let encoding = Encoding::with(&table.space, set);
        let mut order: Vec<&Row> = table.rows.iter().collect();
        order.shuffle(&mut Seed(1).stream(0, "pool"));
        order.truncate(POOL);
        let describe =
            |row: &'a Row| (row, encoding.describe(&table.space, &row.genotype).expect("of the space"));
        Pool { layout: encoding.layout().clone(), rows: order.into_par_iter().map(describe).collect() }
    }

    /// The mean over `seeds` draws; `None` where too few rows are left to predict.
    fn score(&self, surrogate: &Predictor, count: usize, targets: Targets, seeds: u64) -> Option<Score> {
        if self.rows.len() < count + 30 {
            return None;
        }
        let score = |seed| self.score_once(surrogate, count, targets, Seed(seed));
        Score::mean(&(0..seeds).into_par_iter().map(score).collect::<Vec<_>>())
    }

    fn score_once(&self, surrogate: &Predictor, count: usize, targets: Targets, seed: Seed) -> Score {
        let (examples, unknown, scale) = self.drawn(count, targets, seed);
        let mut learnt = surrogate.start();
        learnt.fit(&self.layout, &examples, seed);
        let features: Vec<Features> = unknown.iter().map(|(_, features)| features.clone()).collect();
        let predictions = learnt.predict_all(&features);
        let predicted: Vec<f64> = predictions.iter().map(|prediction| prediction.mean).collect();
        let truth: Vec<f64> = unknown.iter().map(|(row, _)| row.truth()).collect();
        let mut order: Vec<usize> = (0..truth.len()).collect();
        order.sort_by(|a, b| predicted[*b].total_cmp(&predicted[*a]));
        let best = order[..10].iter().map(|at| truth[*at]).fold(f64::NEG_INFINITY, f64::max);
        let off = |(it, truth): (&cellwright::search::surrogate::Prediction, &f64)| {
            (it.mean - scale.target(*truth)).abs() <= 2.0 * it.deviation
        };
        let within = predictions.iter().zip(&truth).filter(|pair| off(*pair)).count();
        Score {
            spearman: spearman(&predicted, &truth),
            kendall: kendall(&predicted, &truth),
            missed: 100.0 * truth.iter().filter(|other| **other > best).count() as f64 / truth.len() as f64,
            covered: within as f64 / truth.len() as f64,
        }
    }

    /// Examples, and rows that they do not hold.
    #[expect(clippy::type_complexity, reason = "one tuple, taken apart at once")]
    fn drawn(
        &self,
        count: usize,
        targets: Targets,
        seed: Seed,
    ) -> (Vec<(Features, f64)>, Vec<&(&'a Row, Features)>, Scale) {
        let mut rng = seed.stream(0, "rows");
        let mut order: Vec<&(&Row, Features)> = self.rows.iter().collect();
        order.shuffle(&mut rng);
        let unknown = order[count..].iter().copied().take(UNSEEN).collect();
        let known = &order[..count];
        let draw = |(row, _): &&(&Row, Features)| row.readings[rng.random_range(0..row.readings.len())];
        let readings: Vec<f64> = known.iter().map(draw).collect();
        let scale = targets(&readings);
        let examples = known.iter().zip(&readings);
        let examples = examples.map(|((_, features), reading)| (features.clone(), scale.target(*reading)));
        (examples.collect(), unknown, scale)
    }
}

/// What the scale of targets does, from the decisions alone.
fn targets(tables: &[Table]) {
    println!("\n## Mean over all tables, decisions only: how scores become targets\n");
    header("| surrogate | targets |", &COUNTS.map(|count| format!("{count}")), "Kendall");
    let pools: Vec<Pool> = tables.iter().map(|table| Pool::of(table, FeatureSet::default())).collect();
    for name in Predictor::NAMES.iter().filter(|name| **name != "Mlp") {
        for (set, targets) in [("as they are", AS_THEY_ARE), ("ranks", RANKS), ("normal scores", NORMAL)] {
            let surrogate = surrogate(name);
            let mean = |count: usize| {
                let known: Vec<Score> =
                    pools.iter().filter_map(|pool| pool.score(&surrogate, count, targets, SEEDS)).collect();
                Score::mean(&known)
            };
            let scores = COUNTS.into_iter().map(mean).collect();
            let line = Line { table: "", surrogate: surrogate.kind(), set, scores };
            line.print(&|score| format!("{:.3}", score.spearman), &|score| format!("{:.3}", score.kendall));
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
    for (set_name, set, networks_too) in [SETS[0], SETS[6]] {
        let pool = Pool::of(table, set);
        for name in Predictor::NAMES.iter().filter(|name| networks_too || **name != "Mlp") {
            let times: Vec<(f64, f64)> =
                [50, 150, 400].map(|count| pool.times(&surrogate(name), count)).into();
            let fits: Vec<String> = times.iter().map(|(fit, _)| format!("{:.2}", fit / 1e3)).collect();
            let predictions = times[1].1 / 1e3;
            println!("| {} | {set_name} | {} | {predictions:.2} |", surrogate(name).kind(), fits.join(" | "));
        }
    }
}

impl Pool<'_> {
    /// Microseconds of a fit on so many rows, and of 1,000 predictions after it.
    fn times(&self, surrogate: &Predictor, count: usize) -> (f64, f64) {
        let (examples, unknown, _) = self.drawn(count, NORMAL, Seed(1));
        let features: Vec<Features> = unknown.iter().map(|(_, features)| features.clone()).collect();
        let repeats = if matches!(surrogate, Predictor::Mlp(_)) { 1 } else { 5 };
        let fit = || {
            let mut learnt = surrogate.start();
            learnt.fit(&self.layout, &examples, Seed(1));
            learnt
        };
        let (learnt, fitting) = microseconds(repeats, fit);
        let (_, predicting) = microseconds(repeats, || learnt.predict_all(&features));
        (fitting, predicting)
    }
}
