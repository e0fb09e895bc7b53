//! Tables small enough to check by eye, and those that are shipped.

use std::collections::HashSet;

use super::read::Csv;
use super::sheet::Sheet;
use super::{Table, TableError};
use crate::error::Error;
use crate::evaluate::{Evaluate, Failure, Job, Outcome, Prepare, Progress};
use crate::experiment::Experiment;
use crate::random::Seed;
use crate::space::{Genotype, Size, Space};
use crate::symbolic::{Value, from_value};
use crate::trial::{Fidelity, Metrics, Objective};

struct Heard;

impl Progress for Heard {
    fn report(&self, _done: Fidelity, _metrics: &Metrics) -> bool {
        true
    }
}

/// A table's text in a file, and its description.
struct Home(tempfile::TempDir);

impl Home {
    fn new(text: &str) -> Home {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::write(home.path().join("table.csv"), text).expect("a file");
        Home(home)
    }

    fn table(&self, description: &str) -> Table {
        let file = self.0.path().join("table.csv");
        let text: Value = format!("(file: {file:?}, {description})").parse().expect("RON");
        from_value(&text).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What is said of the table, without the folder's name.
    fn problem(&self, space: &Space, description: &str) -> String {
        let error = match self.table(description).prepare(space) {
            Err(error @ Error::Table(_)) => error,
            Err(error) => panic!("{error:?}"),
            Ok(_) => panic!("nothing is wrong"),
        };
        assert_eq!(error.exit_code(), 2);
        error.to_string().replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn space(program: &str) -> Space {
    Space::untyped(&program.parse().expect("RON")).expect("a space")
}

fn trial(
    evaluator: &dyn Evaluate,
    space: &Space,
    genotype: &str,
    fidelity: u32,
    seed: u64,
) -> Result<Outcome, Failure> {
    let genotype: Genotype = genotype.parse().expect("a genotype");
    let program = space.materialize(&genotype).expect("of the space");
    let key = space.key(&genotype).expect("a key");
    let job = Job {
        genotype: &genotype,
        key: &key,
        program: &program,
        fidelity: Fidelity(fidelity),
        seed: Seed(seed),
        last: false,
        device: crate::device::Device::Cpu,
        checkpoint: None,
    };
    evaluator.evaluate(&job, &Heard)
}

fn figures(outcome: Result<Outcome, Failure>) -> Vec<(String, f64)> {
    outcome.expect("figures").metrics.into_iter().collect()
}

const GRID: &str = "(a: OneOf([0, 1, 2]), b: OneOf([x, y]))";
const PLAIN: &str = r#"key: Digits("code"), metrics: {"loss": [(columns: "loss")]}"#;

#[test]
fn a_row_is_found_by_its_digits() {
    let (home, space) = (Home::new("code,loss\n00,0.5\n21,0.25\n"), space(GRID));
    let evaluator = home.table(PLAIN).prepare(&space).expect("a table");
    assert_eq!(evaluator.metrics(), ["loss"]);
    assert!(evaluator.fidelities().is_empty());
    assert_eq!(figures(trial(&*evaluator, &space, "2,1", 7, 0)), [("loss".into(), 0.25)]);
    let missing = trial(&*evaluator, &space, "1,1", 7, 0).unwrap_err().to_string();
    assert!(missing.ends_with("table.csv has no row for this candidate"), "{missing}");
}

#[test]
fn columns_of_digits_numbers_and_values_say_the_same() {
    let text = "a;b;both;name;width\n0;1;0-1;y;3\n2;0;2-0;x;10\n";
    let home = Home::new(text);
    let keys = [
        r#"key: Digits(["a", "b"])"#,
        r#"key: Numbers(columns: ["a", "b"])"#,
        r#"key: Numbers(columns: "both", separator: "-")"#,
        r#"key: Values({"a": "a", "b": "name"})"#,
    ];
    let space = space(GRID);
    for key in keys {
        let table = home.table(&format!(
            r#"{key}, metrics: {{"width": [(columns: "width", scale: 0.5)]}}, delimiter: ';'"#
        ));
        let evaluator = table.prepare(&space).expect("a table");
        assert_eq!(figures(trial(&*evaluator, &space, "2,0", 1, 0)), [("width".into(), 5.0)], "{key}");
    }
}

#[test]
fn digits_skip_what_is_not_active_or_stand_for_it() {
    let space = space("(a: OneOf([X(OneOf([0, 1]), Int(5, 9)), Y]), b: ManyOf(2, [0, 1, 2], distinct))");
    for text in ["code,loss\n01320,1\n121,2\n", "code,loss\n01320,1\n10021,2\n"] {
        let home = Home::new(text);
        let evaluator = home.table(PLAIN).prepare(&space).expect("a table");
        assert_eq!(figures(trial(&*evaluator, &space, "0(1,#8),[2,0]", 1, 0)), [("loss".into(), 1.0)]);
        assert_eq!(figures(trial(&*evaluator, &space, "1,[2,1]", 1, 0)), [("loss".into(), 2.0)]);
    }
}

#[test]
fn one_of_the_seeds_is_drawn_and_blanks_never() {
    let text = "code,a,b,c,t\n00,1,2,,10\n01,,,,20\n";
    let (home, space) = (Home::new(text), space(GRID));
    let description = r#"key: Digits("code"), metrics: {"loss": [(columns: ["a", "b", "c"])], "t": [(columns: "t")]},
        hidden: {"mean": (columns: ["a", "b", "c"], scale: 10)}"#;
    let evaluator = home.table(description).prepare(&space).expect("a table");
    let drawn: Vec<f64> =
        (0..200).map(|seed| figures(trial(&*evaluator, &space, "0,0", 1, seed))[0].1).collect();
    assert!(drawn.iter().all(|loss| [1.0, 2.0].contains(loss)));
    assert!((70..130).contains(&drawn.iter().filter(|loss| **loss == 1.0).count()));
    let again: Vec<f64> =
        (0..200).map(|seed| figures(trial(&*evaluator, &space, "0,0", 1, seed))[0].1).collect();
    assert_eq!(drawn, again);
    assert_eq!(figures(trial(&*evaluator, &space, "0,1", 1, 0)), [("t".into(), 20.0)]);
    let (genotype, key) = ("0,0".parse().unwrap(), space.key(&"0,0".parse().unwrap()).unwrap());
    assert_eq!(evaluator.hidden(&genotype, &key).unwrap()["mean"], 15.0);
    assert_eq!(evaluator.hidden_best(&Objective::Minimize("mean".into())), Some(15.0));
    assert_eq!(evaluator.hidden_best(&Objective::Minimize("loss".into())), None);
    assert_eq!((evaluator.metrics(), evaluator.hidden_metrics()), (vec!["loss", "t"], vec!["mean"]));
}

#[test]
fn a_fidelity_between_two_is_the_lower_one() {
    let (home, space) = (Home::new("code,low,high,s\n00,1,2,30\n"), space(GRID));
    let description = r#"key: Digits("code"),
        metrics: {"loss": [(fidelity: 30, columns: "high"), (fidelity: 10, columns: "low")]},
        seconds: [(fidelity: 10, columns: "s", scale: 0.5), (fidelity: 30, columns: "s")]"#;
    let evaluator = home.table(description).prepare(&space).expect("a table");
    assert_eq!(evaluator.fidelities(), [Fidelity(10), Fidelity(30)]);
    for (fidelity, loss, seconds) in [(10, 1.0, 15.0), (29, 1.0, 15.0), (30, 2.0, 30.0), (99, 2.0, 30.0)] {
        let met = figures(trial(&*evaluator, &space, "0,0", fidelity, 0));
        assert_eq!(met, [("loss".into(), loss), ("seconds".into(), seconds)]);
    }
    let low = trial(&*evaluator, &space, "0,0", 9, 0).unwrap_err().to_string();
    assert!(low.ends_with("knows no fidelity of 9 or less; its least is 10"), "{low}");
}

#[test]
fn rows_of_their_own_for_fidelities_and_seeds() {
    let text = "code,epochs,run,loss\n00,4,0,5\n00,4,1,7\n00,12,0,1\n00,12,1,3\n01,4,0,9\n00,4,1,7\n";
    let (home, space) = (Home::new(text), space(GRID));
    let description = r#"key: Digits("code"), metrics: {"loss": [(columns: "loss")]}, fidelity: "epochs", seed: "run",
        hidden: {"truth": (columns: "loss")}"#;
    let evaluator = home.table(description).prepare(&space).expect("a table");
    assert_eq!(evaluator.fidelities(), [Fidelity(4), Fidelity(12)]);
    let drawn = |fidelity| {
        let all = (0..50).map(|seed| figures(trial(&*evaluator, &space, "0,0", fidelity, seed))[0].1 as u8);
        let mut all: Vec<u8> = all.collect::<HashSet<_>>().into_iter().collect();
        all.sort_unstable();
        all
    };
    assert_eq!((drawn(5), drawn(12)), (vec![5, 7], vec![1, 3]));
    let missing = trial(&*evaluator, &space, "0,1", 12, 0).unwrap_err().to_string();
    assert!(missing.ends_with("says nothing of this candidate at fidelity 12"), "{missing}");
    let (genotype, key) = ("0,0".parse().unwrap(), space.key(&"0,0".parse().unwrap()).unwrap());
    assert_eq!(evaluator.hidden(&genotype, &key).unwrap()["truth"], 2.0);
}

#[test]
fn only_rows_are_proposed_where_that_is_asked_for() {
    let (home, whole) = (Home::new("code,loss\n00,0.5\n21,0.25\n11,1\n"), space(GRID));
    let table = home.table(&format!("{PLAIN}, only_rows: true"));
    let restricted = table.restrict(whole.clone()).expect("rows");
    assert_eq!(restricted.size(), Size::Finite(3u32.into()));
    let evaluator = table.prepare(&restricted).expect("a table");
    let mut rng = Seed(0).stream(0, "rows");
    for _ in 0..20 {
        let genotype = restricted.random(&mut rng).expect("a row").to_string();
        trial(&*evaluator, &restricted, &genotype, 1, 0).expect("a row");
    }
    assert_eq!(home.table(PLAIN).restrict(whole).expect("all").size(), Size::Finite(6u32.into()));
}

#[test]
fn a_candidate_that_is_isomorphic_to_a_row_has_it() {
    let space = Space::from_ron(
        "test.ron",
        "Space(program: (task: (input: (1, 8, 8), classes: 10), architecture: Stacked(cell: Blocks([
            (left: (input: PreviousCell, op: OneOf([Conv(kernel: 3), Conv(kernel: 5)])),
             right: (input: PreviousCell, op: OneOf([Conv(kernel: 3), Conv(kernel: 5)])))]),
            stages: 1, repeats: 1, channels: 8)))",
    )
    .expect("a space");
    let evaluator = Home::new("code,loss\n01,0.5\n").table(PLAIN).prepare(&space).expect("a table");
    assert_eq!(figures(trial(&*evaluator, &space, "1,0", 1, 0)), [("loss".into(), 0.5)]);
    assert!(trial(&*evaluator, &space, "1,1", 1, 0).is_err());
}

#[test]
fn broken_tables_are_told_with_their_place() {
    let told = |text: &str, description: &str| Home::new(text).problem(&space(GRID), description);
    insta::assert_snapshot!(told("", PLAIN), @"
    table.csv: the table has no header
      hint: the first line names the columns, every other is a row
    ");
    insta::assert_snapshot!(told("code,loss\n", PLAIN), @"
    table.csv: the table has no row
      hint: the first line names the columns, every other is a row
    ");
    insta::assert_snapshot!(told("code,los\n00,1\n", PLAIN), @"
    table.csv: the table has no column `loss`; it has code, los
      hint: did you mean `los`?
    ");
    insta::assert_snapshot!(told("code,loss,loss\n00,1,2\n", PLAIN), @"
    the evaluator `table`: table.csv has two columns `loss`
      hint: name the columns apart in the file's first line
    ");
    insta::assert_snapshot!(told("code,loss\n00,1\n01,1,2\n", PLAIN), @"
    table.csv:3: the row has 3, the header 2
      hint: mend the row; a comma within a cell needs quotes round the cell
    ");
    insta::assert_snapshot!(told("code,loss\n00,1\n01,much\n", PLAIN), @"
    table.csv:3, column `loss`: `much` is not a number
      hint: mend the cell, or leave it blank
    ");
    insta::assert_snapshot!(told("code,loss\n00,1\n0x,1\n", PLAIN), @"
    table.csv:3, column `code`: `x` of `0x` is no digit
      hint: mend the cell, or the table's `key`
    ");
    insta::assert_snapshot!(told("code,loss\n00,1\n01,2\n00,3\n", PLAIN), @"
    table.csv: lines 2 and 4 are of one candidate (0,0) and disagree on `loss`: 1 and 3
      hint: remove one; where they are repeated measurements, name the column that tells them apart by `seed`
    ");
    insta::assert_snapshot!(told("code,loss\n00,1\n31,2\n", PLAIN), @"
    table.csv:3, column `code`: the row is no candidate of the space: a: choice 3 is not in 0..=2
      hint: check the table's `key`; `skip_rows: true` leaves out all rows of other spaces
    ");
    insta::assert_snapshot!(told("code,loss\n00,1\n0,2\n", PLAIN), @"
    table.csv:3, column `code`: the row is no candidate of the space: b: its index is missing, after 1 of them
      hint: check the table's `key`; `skip_rows: true` leaves out all rows of other spaces
    ");
    insta::assert_snapshot!(told("code,loss\n99,1\n31,2\n", &format!("{PLAIN}, skip_rows: true")), @"
    table.csv: none of 2 rows is a candidate of the space: a: choice 9 is not in 0..=2
      hint: check the table's `key`, and that the space is the table's
    ");
    insta::assert_snapshot!(told("code,loss,epochs\n00,1,\n", &format!("{PLAIN}, fidelity: \"epochs\"")), @"
    table.csv:2, column `epochs`: `` is not a fidelity: a whole number from 1 on
      hint: mend the cell, or name another column by `fidelity`
    ");
    insta::assert_snapshot!(told("code,loss\n00,\u{fffd}\n", PLAIN), @"
    table.csv:2, column `loss`: `�` is not a number
      hint: mend the cell, or leave it blank
    ");
}

/// Whatever its length, no more of a table is in memory than a batch of rows and those that are kept.
#[test]
fn long_tables_are_read_in_a_stream() {
    let mut text = "code,loss\n".to_owned();
    (0..60_000).for_each(|row| text += &format!("{},{row}\n", 10_000 + row));
    text += "00,0.5\n";
    let (home, space) = (Home::new(&text), space(GRID));
    let mut csv = Csv::open(&home.0.path().join("table.csv"), ',').expect("a table");
    let batches: Vec<usize> =
        std::iter::from_fn(|| Some(csv.batch().expect("rows").len()).filter(|rows| *rows > 0)).collect();
    assert_eq!((batches.iter().sum::<usize>(), batches.iter().max()), (60_001, Some(&4096)));
    let table = home.table(&format!("{PLAIN}, skip_rows: true"));
    let sheet = Sheet::read(&table, &space, vec!["loss".into()]).expect("a table");
    assert_eq!(sheet.entries().count(), 1);
    let evaluator = table.prepare(&space).expect("a table");
    assert_eq!(figures(trial(&*evaluator, &space, "0,0", 1, 0)), [("loss".into(), 0.5)]);
}

#[test]
fn what_has_no_lines_is_no_table() {
    let home = Home::new(&"0".repeat(40 << 20));
    let problem = home.problem(&space(GRID), PLAIN);
    assert!(
        problem.starts_with("table.csv: a line is longer than 16 MiB\n  hint: the file is cut short"),
        "{problem}"
    );
}

#[test]
fn broken_descriptions_are_told() {
    let home = Home::new("code,a,b\n00,1,2\n");
    let told = |description: &str| home.problem(&space(GRID), description);
    let key = r#"key: Digits("code")"#;
    insta::assert_snapshot!(told(&format!("{key}, metrics: {{}}")), @r#"
    the evaluator `table`: `metrics` says nothing of `accuracy`
      hint: write `metrics: {"accuracy": [(columns: "the name of its column")]}`
    "#);
    insta::assert_snapshot!(told(&format!(r#"{key}, metrics: {{"a": []}}"#)), @r#"
    the evaluator `table`: `metrics` says nothing of `a`
      hint: write `metrics: {"accuracy": [(columns: "the name of its column")]}`
    "#);
    insta::assert_snapshot!(told(&format!(r#"{key}, metrics: {{"a": [(columns: [])]}}"#)), @r#"
    the evaluator `table`: a reading of `a` names no column
      hint: write `metrics: {"accuracy": [(columns: "the name of its column")]}`
    "#);
    insta::assert_snapshot!(told(&format!(r#"{key}, metrics: {{"seconds": [(columns: "a")]}}"#)), @"
    the evaluator `table`: `metrics` holds `seconds`
      hint: write `seconds: [(columns: ..)]` beside `metrics`
    ");
    insta::assert_snapshot!(
        told(&format!(r#"{key}, metrics: {{"a": [(columns: "a")]}}, hidden: {{"a": (columns: "b")}}"#)), @"
    the evaluator `table`: `a` is hidden and shown
      hint: give the hidden one another name
    ");
    insta::assert_snapshot!(
        told(&format!(r#"{key}, metrics: {{"a": [(fidelity: 4, columns: "a")]}}, seconds: [(fidelity: 8, columns: "b")]"#)), @"
    the evaluator `table`: `seconds` is read from fidelity 8 on, but other metrics from 4 on
      hint: add its reading there; `scale` may make it of another's
    ");
    insta::assert_snapshot!(
        told(&format!(r#"{key}, metrics: {{"a": [(fidelity: 4, columns: "a"), (fidelity: 4, columns: "b")]}}"#)), @"
    the evaluator `table`: `a` has two readings at fidelity 4
      hint: name all columns of repeated measurements in one reading
    ");
    insta::assert_snapshot!(
        told(&format!(r#"{key}, metrics: {{"a": [(fidelity: 4, columns: "a")]}}, fidelity: "b""#)), @"
    the evaluator `table`: `a` is read at fidelity 4, but column `b` tells fidelities
      hint: leave out one of them
    ");
    insta::assert_snapshot!(
        told(r#"key: Text(column: "code", words: {"0": "xx"}), metrics: {"a": [(columns: "a")]}"#), @"
    the evaluator `table`: no decision of the space has the candidate `xx`
      hint: `cellwright show` prints the candidates of each decision
    ");
    insta::assert_snapshot!(told(r#"key: Values({"a": "a"}), metrics: {"a": [(columns: "a")]}"#), @r#"
    the evaluator `table`: `key` names no column for the decision `b`
      hint: add it: `key: Values({"b": "column", ..})`
    "#);
    insta::assert_snapshot!(
        told(r#"key: Values({"a": "a", "b": "b", "c": "b"}), metrics: {"a": [(columns: "a")]}"#), @"
    the evaluator `table`: the space has no decision `c`
      hint: `cellwright show` prints the decisions
    ");
    insta::assert_snapshot!(
        told(r#"key: Matrix(adjacency: "a", ops: "b"), metrics: {"a": [(columns: "a")]}"#), @"
    the evaluator `table`: the decision `a` is no part of a matrix, and so no row can tell it
      hint: leave it fixed, or name a column for each decision by `Values`
    ");
    let floats = space("(a: Float(0.0, 1.0))");
    insta::assert_snapshot!(home.problem(&floats, &format!(r#"{key}, metrics: {{"a": [(columns: "a")]}}"#)), @"
    the evaluator `table`: a is a `Float`, whose values have no numbers
      hint: list its values in a `OneOf`, or name a column for each decision by `Values`
    ");
}

#[test]
fn files_that_are_no_tables() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = |name: &str, bytes: Option<&[u8]>| {
        let file = folder.path().join(name);
        bytes.iter().for_each(|bytes| std::fs::write(&file, bytes).expect("a file"));
        let table: Table = ron::from_str(&format!("(file: {file:?}, {PLAIN})")).expect("a description");
        let Err(error) = table.prepare(&space(GRID)) else { panic!("it is a table") };
        error.to_string().replace(&format!("{}/", folder.path().display()), "")
    };
    insta::assert_snapshot!(told("none.csv", None), @"
    none.csv: No such file or directory (os error 2)
      hint: check the path, which starts at the folder that the command is run in
    ");
    insta::assert_snapshot!(told("plain.csv.gz", Some(b"code,loss\n00,1\n")), @"
    plain.csv.gz: not gzip, though its name says so
      hint: compress it, or take the `.gz` from its name
    ");
    insta::assert_snapshot!(told("cut.csv.gz", Some(b"\x1f\x8b\x08\0\0\0\0\0\0\x03half of it")), @"
    cut.csv.gz: corrupt deflate stream
      hint: the file is cut short or damaged, or no text in UTF-8: make or download it again
    ");
    insta::assert_snapshot!(told("bytes.csv", Some(b"code,loss\n\xff\xff,1\n")), @"
    bytes.csv:2: invalid utf-8: invalid UTF-8 in field 0 near byte index 0
      hint: the file is cut short or damaged, or no text in UTF-8: make or download it again
    ");
}

fn shipped(name: &str) -> (Space, Box<dyn Evaluate>) {
    let root = env!("CARGO_MANIFEST_DIR");
    let space =
        Space::load(format!("{root}/benches/search/{name}.ron")).unwrap_or_else(|error| panic!("{error}"));
    let experiment: Experiment = space.experiment_as().expect("an experiment").expect("it has one");
    let space = experiment.evaluator.restrict(space).unwrap_or_else(|error| panic!("{error}"));
    let evaluator = experiment.evaluator.prepare(&space).unwrap_or_else(|error| panic!("{error}"));
    (space, evaluator)
}

#[test]
fn nasbench201_is_whole_and_has_its_known_best() {
    let (space, evaluator) = shipped("nasbench201");
    assert_eq!(evaluator.metrics(), ["accuracy", "params", "macs", "latency_ms", "seconds"]);
    let best = evaluator.hidden_best(&Objective::Maximize("test_accuracy".into())).expect("known");
    assert!((best - 0.9437).abs() < 1e-4, "{best}");
    // Row 0: |avg_pool~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|
    let met = figures(trial(&*evaluator, &space, "4,2,1,2,1,1", 12, 0));
    assert!((met[0].1 - 0.63364).abs() < 1e-9 && (met[4].1 - 1444.2 * 0.06).abs() < 1e-9, "{met:?}");
    // The space builds the very network that was measured.
    let cost = space.cost(&"4,2,1,2,1,1".parse().unwrap()).expect("builds").expect("a network");
    assert!((met[1].1 - cost.params as f64).abs() < 0.5, "{met:?}");
}

#[test]
fn the_architecture_string_of_nasbench201_is_its_digits() {
    let (space, evaluator) = shipped("nasbench201");
    let words = r#"{"none": "Zero", "skip_connect": "SkipConnect", "nor_conv_1x1": "ReluConvBn(kernel: 1)",
                    "nor_conv_3x3": "ReluConvBn(kernel: 3)", "avg_pool_3x3": "AvgPool(kernel: 3)"}"#;
    let table: Table = ron::from_str(&format!(
        r#"(file: "tests/tables/nasbench201_cifar10.csv.gz", key: Text(column: "arch", words: {words}),
            metrics: {{"accuracy": [(columns: "c10_test200", scale: 0.01)]}})"#
    ))
    .expect("a description");
    let by_words = table.prepare(&space).expect("a table");
    for genotype in space.genotypes().step_by(97) {
        let key = space.key(&genotype).expect("a key");
        let test = evaluator.hidden(&genotype, &key).expect("a row")["test_accuracy"];
        assert_eq!(figures(trial(&*by_words, &space, &genotype.to_string(), 1, 0))[0].1, test);
    }
}

#[test]
fn ecnas_is_a_space_of_its_91_cells() {
    let (space, evaluator) = shipped("ecnas");
    assert_eq!(space.size(), Size::Finite(91u32.into()));
    assert_eq!(evaluator.fidelities(), [4, 12, 36, 108].map(Fidelity));
    for genotype in space.genotypes() {
        let met = figures(trial(&*evaluator, &space, &genotype.to_string(), 108, 0));
        let cost = space.cost(&genotype).expect("builds").expect("a network");
        let params = met.iter().find(|(name, _)| name == "params").expect("params").1;
        assert_eq!(params, cost.params as f64, "{genotype}");
    }
}

#[test]
fn fcnet_is_whole() {
    let (space, evaluator) = shipped("fcnet");
    assert_eq!(space.size(), Size::Finite(62_208u32.into()));
    let best = evaluator.hidden_best(&Objective::Minimize("mean_error".into())).expect("known");
    let first = figures(trial(&*evaluator, &space, "0,0,0,0,0,0,0,0,0", 1, 0));
    assert!([0.342, 0.341, 0.3392, 0.3387].contains(&first[0].1), "{first:?}");
    assert!((0.15..0.3387).contains(&best), "{best}");
}

/// 20,001 rows; a debug build looks at the table of 91 cells alone.
#[test]
#[cfg(not(debug_assertions))]
fn nasbench101_is_a_space_of_its_rows() {
    let start = std::time::Instant::now();
    let (space, evaluator) = shipped("nasbench101");
    println!("nasbench101 is ready after {:.2} s", start.elapsed().as_secs_f64());
    assert_eq!(space.size(), Size::Finite(20_001u32.into()));
    let best = evaluator.hidden_best(&Objective::Maximize("full_accuracy".into())).expect("known");
    assert!((0.945..0.95).contains(&best), "{best}");
}

#[test]
fn an_error_is_one_of_tables() {
    let error = TableError::description("a", "b");
    assert_eq!(error.to_string(), "the evaluator `table`: a\n  hint: b");
}
