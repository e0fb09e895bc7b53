//! Tables and descriptions that cannot be used: what is said of them.

use std::io::Write;

use super::super::sheet::genotypes_within;
use super::{GRID, Home, PLAIN, space};
use crate::evaluate::{Prepare, Table, TableError};

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
    table.csv:3: the row has 3 cells, the header 2
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
    insta::assert_snapshot!(told("code;loss\n00;1\n", PLAIN), @"
    table.csv: the table has no column `loss`; it has code;loss
      hint: cells seem to be parted by ';': write `delimiter: ';'`
    ");
    insta::assert_snapshot!(told("code\tloss\n00\t1\n", PLAIN), @r"
    table.csv: the table has no column `loss`; it has code	loss
      hint: cells seem to be parted by '\t': write `delimiter: '\t'`
    ");
    insta::assert_snapshot!(told("code,loss,s\n00,1,5\n01,2,-5\n", &format!("{PLAIN}, seconds: [(columns: \"s\", scale: 2)]")), @"
    table.csv:3, column `s`: a training cannot have taken -10 seconds
      hint: mend the cell, or leave it blank
    ");
    insta::assert_snapshot!(told("code,loss\n00,1\n01,-inf\n", PLAIN), @"
    table.csv:3, column `loss`: -inf is no measurement: what is infinitely good would be the best of all
      hint: mend the cell, or leave it blank
    ");
    insta::assert_snapshot!(told("code,loss\n00,1\n21,\"2\n11,3\n", PLAIN), @r"
    table.csv:3, column `loss`: `2
    11,3` is not a number
      hint: mend the cell, or leave it blank
    ");
}

#[test]
fn more_candidates_than_fit_into_memory_are_refused() {
    let home = Home::new("code,loss\n00,1\n01,2\n00,1\n11,3\n");
    let (table, space) = (home.table(PLAIN), space(GRID));
    assert_eq!(genotypes_within(&table, &space, 3).expect("all of them").len(), 3);
    let error = genotypes_within(&table, &space, 2).expect_err("too many").to_string();
    assert!(error.contains("table.csv: the table has more than 2 candidates, which do not fit"), "{error}");
}

#[test]
fn a_file_of_more_rows_than_fit_into_memory_is_refused_early() {
    let home = Home::new(&format!("code,loss\n{}", "00,1\n".repeat(5000)));
    let file = std::fs::File::options().write(true).open(home.0.path().join("table.csv")).expect("the file");
    file.set_len(1 << 40).expect("a file with a hole");
    let problem = home.problem(&space(GRID), PLAIN);
    assert!(problem.starts_with("table.csv: the table has more than 40000000 rows"), "{problem}");
}

#[test]
fn messages_are_short_whatever_is_in_the_file() {
    let long = "x".repeat(100_000);
    let names: Vec<String> = (0..10_000).map(|column| format!("column_{column}")).collect();
    let names = format!("code,{}\n", names.join(","));
    for text in [
        format!("code,loss\n00,{long}\n"),
        format!("code,loss\n{long},1\n"),
        names,
        format!("{long},code\n00,1\n"),
    ] {
        let told = Home::new(&text).problem(&space(GRID), PLAIN);
        assert!(told.len() < 500, "{} characters: {told:.600}", told.len());
    }
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
    insta::assert_snapshot!(told(&format!(r#"{key}, metrics: {{"a": [(columns: ["a", "b", "a"])]}}"#)), @"
    the evaluator `table`: a reading of `a` names the column `a` twice
      hint: name each column of repeated measurements once: all are drawn alike
    ");
    insta::assert_snapshot!(told(&format!(r#"{key}, metrics: {{"a": [(columns: "a")]}}, delimiter: '→'"#)), @r"
    the evaluator `table`: `delimiter` is '→', which is no single byte
      hint: write `delimiter: ';'`, or `'\t'` for a tab
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
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"code,loss\n").expect("written");
    (0..2000).for_each(|row| packed.write_all(format!("00,{row}\n").as_bytes()).expect("written"));
    let packed = packed.finish().expect("written");
    let half = told("half.csv.gz", Some(&packed[..packed.len() / 2]));
    assert!(
        half.starts_with("half.csv.gz:") && half.contains("stream\n  hint: the file is cut short"),
        "{half}"
    );
    insta::assert_snapshot!(told("bytes.csv", Some(b"code,loss\n01,\xff\xff\n")), @"
    bytes.csv:2, column `loss`: the cell is no text in UTF-8 after 0 bytes
      hint: save the table as UTF-8
    ");
    insta::assert_snapshot!(told("head.csv", Some(b"code,na\xefve\n00,1\n")), @"
    head.csv:1, column `number 2`: the cell is no text in UTF-8 after 2 bytes
      hint: save the table as UTF-8
    ");
    std::fs::create_dir(folder.path().join("folder.csv")).expect("a folder");
    insta::assert_snapshot!(told("folder.csv", None), @"
    folder.csv: a folder, not a file
      hint: name the table's own file, plain or gzip
    ");
    #[cfg(unix)]
    insta::assert_snapshot!(told("/dev/zero", None), @"
    /dev/zero: a pipe or a device, not a file
      hint: name the table's own file, plain or gzip
    ");
}

#[test]
fn an_error_is_one_of_tables() {
    let error = TableError::description("a", "b");
    assert_eq!(error.to_string(), "the evaluator `table`: a\n  hint: b");
}
