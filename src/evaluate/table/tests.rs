//! Tables small enough to check by eye.

use std::collections::HashSet;

use super::Table;
use super::read::Csv;
use super::sheet::Sheet;
use crate::error::Error;
use crate::evaluate::{Evaluate, Failure, Job, Outcome, Prepare, Progress};
use crate::random::Seed;
use crate::space::{Genotype, Size, Space};
use crate::symbolic::{Value, from_value};
use crate::trial::{Fidelity, Metrics, Objective};

mod broken;
mod shipped;

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
        heritage: None,
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

/// Keeps what it hears, and wants it to end at a fidelity.
struct Until(u32, std::sync::Mutex<Vec<(u32, f64)>>);

impl Progress for Until {
    fn report(&self, done: Fidelity, metrics: &Metrics) -> bool {
        self.1.lock().expect("alone").push((done.0, metrics["loss"]));
        done.0 < self.0
    }
}

#[test]
fn lower_fidelities_are_told_on_the_way() {
    let (home, space) = (Home::new("code,low,high\n00,3,2\n"), space(GRID));
    let description = r#"key: Digits("code"),
        metrics: {"loss": [(fidelity: 30, columns: "high"), (fidelity: 10, columns: "low")]}"#;
    let evaluator = home.table(description).prepare(&space).expect("a table");
    let heard = |end: u32, last: bool| {
        let genotype: Genotype = "0,0".parse().expect("a genotype");
        let (program, key) = (space.materialize(&genotype).unwrap(), space.key(&genotype).unwrap());
        let (genotype, key, fidelity) = (&genotype, &key, Fidelity(30));
        let job = Job { genotype, key, fidelity, last, ..crate::evaluate::lone_job(&program) };
        let until = Until(end, std::sync::Mutex::default());
        let outcome = evaluator.evaluate(&job, &until).map(|outcome| outcome.metrics["loss"]);
        (outcome, until.1.into_inner().expect("alone"))
    };
    assert_eq!(heard(99, false), (Ok(2.0), vec![(10, 3.0), (30, 2.0)]));
    assert_eq!(heard(5, false), (Err(Failure::Stopped), vec![(10, 3.0)]));
    assert_eq!(heard(99, true), (Ok(2.0), vec![(30, 2.0)]));
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
fn what_other_programs_write_is_read() {
    let space = space(GRID);
    let plain = "code,loss,note\n00,0.5,a\n21,0.25,b\n";
    let forms = [
        plain.replace('\n', "\r\n"),
        format!("\u{feff}{plain}"),
        plain.replace("b\n", "\"one\nand \"\"two\"\"\""),
        plain.replace(',', " , "),
        plain.replace('\n', "\n\n"),
    ];
    for text in forms {
        let home = Home::new(&text);
        let evaluator = home.table(PLAIN).prepare(&space).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(figures(trial(&*evaluator, &space, "2,1", 1, 0)), [("loss".into(), 0.25)], "{text:?}");
    }
}
