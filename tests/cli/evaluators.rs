//! Tables and commands as evaluators, from the space file to the exit code.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::Home;

/// Six settings, searched by whatever evaluator.
fn space(evaluator: &str) -> String {
    format!(
        r#"Space(
    name: "settings",
    program_type: Any,
    program: Setting(a: OneOf([1, 2, 3]), b: OneOf([Relu, Tanh])),
    experiment: (evaluator: {evaluator}, objectives: [Minimize("loss")], trials: 4, seed: 1, retrain: (top: 0), algorithm: Random),
)
"#
    )
}

const TABLE: &str = r#"Table(file: "table.csv", key: Digits("code"), metrics: {"loss": [(columns: "loss")]}, only_rows: true)"#;
const ROWS: &str = "code,loss\n00,3\n21,1\n11,2\n";

#[test]
fn a_table_is_searched_to_its_last_row() {
    let home = Home::new();
    home.write("table.ron", space(TABLE));
    home.write("table.csv", ROWS);
    let said = home.run("search table.ron --run run");
    let table = said.out.clone();
    assert!(
        said.err.contains("settings: 6 candidates, of which 3 are in its table, 2 decisions; "),
        "{said}"
    );
    assert_snapshot!(table.lines().skip(1).map(|line| line.split_whitespace().last().unwrap()).collect::<Vec<_>>().join(" "), @"2,1 1,1 0,0 run/best/program.ron");
    assert_snapshot!(home.read("run/best/program.ron"), @"Setting(a: 3, b: Tanh)");
    let sampled = home.run("sample table.ron --number 20").succeeded();
    assert!(!sampled.contains("1,0"), "{sampled}");
    assert_snapshot!(home.run("show table.ron --genotype 2,1"), @"
    exit code 0
    --- stdout
    settings: 6 candidates, of which 3 are in its table, 2 decisions

    decisions
      a  1 | 2 | 3
      b  Relu | Tanh

    candidate 2,1
    Setting(a: 3, b: Tanh)
    ");
    assert_snapshot!(home.run("check table.ron"), @"
    exit code 0
    --- stdout
    table.ron: ok, `settings` has 6 candidates, of which 3 are in its table; 4 trials of random by table
    ");
    let shown = home.run("show table.ron --json").json();
    assert_eq!((&shown[0]["size"], &shown[0]["searched"]), (&json!("6"), &json!("3")));
    assert_snapshot!(home.run("export run --format svg"), @"
    exit code 2
    --- stderr
    error: the space's programs are no networks, of which svg could be made
      hint: `--format ron` writes the program itself
    ");
    home.run("export run --format ron -o best.ron").succeeded();
    assert_eq!(home.read("best.ron"), home.read("run/best/program.ron"));
    // The same command again has nothing left to do, and says the same.
    assert_eq!(home.run("search table.ron --run run").out, table);
}

#[test]
fn tables_that_cannot_be_used_begin_nothing() {
    let home = Home::new();
    let refused = |table: &str, rows: &str| {
        home.write("table.ron", space(table));
        home.write("table.csv", rows);
        let said = home.run("search table.ron --run run");
        assert!(!home.path("run").exists());
        said
    };
    assert_snapshot!(refused(&TABLE.replace("table.csv", "none.csv"), ROWS), @r#"
    exit code 2
    --- stderr
      × none.csv: No such file or directory (os error 2)
       ╭─[table.ron:5:41]
     4 │     program: Setting(a: OneOf([1, 2, 3]), b: OneOf([Relu, Tanh])),
     5 │     experiment: (evaluator: Table(file: "none.csv", key: Digits("code"), metrics: {"loss": [(columns: "loss")]}, only_rows: true), objectives: [Minimize("loss")], trials: 4, seed: 1, retrain: (top: 0), algorithm: Random),
       ·                                         ─────┬────
       ·                                              ╰── evaluator.file
     6 │ )
       ╰────
      help: check the path, which starts at the folder that the command is run in
    "#);
    assert_snapshot!(refused(&TABLE.replace("\"loss\")", "\"los\")"), ROWS), @r#"
    exit code 2
    --- stderr
      × table.csv: the table has no column `los`; it has code, loss
       ╭─[table.ron:5:104]
     4 │     program: Setting(a: OneOf([1, 2, 3]), b: OneOf([Relu, Tanh])),
     5 │     experiment: (evaluator: Table(file: "table.csv", key: Digits("code"), metrics: {"loss": [(columns: "los")]}, only_rows: true), objectives: [Minimize("loss")], trials: 4, seed: 1, retrain: (top: 0), algorithm: Random),
       ·                                                                                                        ──┬──
       ·                                                                                                          ╰── evaluator.metrics["loss"][0].columns
     6 │ )
       ╰────
      help: did you mean `loss`?
    "#);
    // What is hidden is no objective.
    let hidden = TABLE
        .replace("\"loss\":", "\"error\":")
        .replace("only_rows: true", "hidden: {\"loss\": (columns: \"loss\")}");
    assert_snapshot!(refused(&hidden, ROWS), @r#"
    exit code 2
    --- stderr
      × the evaluator `table` does not report `loss`; it reports error
       ╭─[table.ron:5:167]
     4 │     program: Setting(a: OneOf([1, 2, 3]), b: OneOf([Relu, Tanh])),
     5 │     experiment: (evaluator: Table(file: "table.csv", key: Digits("code"), metrics: {"error": [(columns: "loss")]}, hidden: {"loss": (columns: "loss")}), objectives: [Minimize("loss")], trials: 4, seed: 1, retrain: (top: 0), algorithm: Random),
       ·                                                                                                                                                                       ────────┬───────
       ·                                                                                                                                                                               ╰── objectives[0]
     6 │ )
       ╰────
      help: name one of those in the experiment's `objectives`
    "#);
    assert_snapshot!(refused(&TABLE.replace("only_rows", "only_row"), ROWS), @r#"
    exit code 2
    --- stderr
      × unknown field `only_row`
       ╭─[table.ron:5:115]
     4 │     program: Setting(a: OneOf([1, 2, 3]), b: OneOf([Relu, Tanh])),
     5 │     experiment: (evaluator: Table(file: "table.csv", key: Digits("code"), metrics: {"loss": [(columns: "loss")]}, only_row: true), objectives: [Minimize("loss")], trials: 4, seed: 1, retrain: (top: 0), algorithm: Random),
       ·                                                                                                                   ────┬───
       ·                                                                                                                       ╰── evaluator.only_row
     6 │ )
       ╰────
      help: did you mean `only_rows`?
    "#);
    assert_snapshot!(refused(TABLE, "code,loss\n00,3\n21\n"), @"
    exit code 2
    --- stderr
    error: table.csv:3: the row has 1 cell, the header 2
      hint: mend the row; a comma within a cell needs quotes round the cell
    ");
    assert_snapshot!(refused(TABLE, "code,loss\n00,3\n21,1\n00,4\n"), @"
    exit code 2
    --- stderr
    error: table.csv: lines 2 and 4 are of one candidate (0,0) and disagree on `loss`: 3 and 4
      hint: remove one; where they are repeated measurements, name the column that tells them apart by `seed`
    ");
    assert_snapshot!(refused(&TABLE.replace("only_rows", "skip_rows"), "code,loss\n99,3\n00000,4\n"), @"
    exit code 2
    --- stderr
    error: table.csv: none of 2 rows is a candidate of the space: a: choice 9 is not in 0..=2
      hint: check the table's `key`, and that the space is the table's
    ");
    assert_snapshot!(refused(TABLE, "code,loss\n00,3\n21,low\n"), @"
    exit code 2
    --- stderr
    error: table.csv:3, column `loss`: `low` is not a number
      hint: mend the cell, or leave it blank
    ");
}

/// What is wrong with an evaluator's description has its place in the space file, for `check` and for `search`.
#[test]
fn mistakes_of_evaluators_have_their_place() {
    let home = Home::new();
    home.write("table.csv", "code,loss,steps\n00,3,4\n21,1,4\n11,2,12\n");
    let command = r#"Command(program: "sh", metrics: ["loss"])"#;
    let mistakes = [
        (TABLE, "table.csv", "none.csv", "none.csv: No such file or directory", "Table(file: "),
        (TABLE, "table.csv", "", "`file` names no file", "Table(file: "),
        (TABLE, "(columns: \"loss\")", "(columns: \"los\")", "it has code, loss, steps", "[(columns: "),
        (TABLE, "Digits(\"code\")", "Digits([])", "`key` names no column", "key: "),
        (TABLE, "Digits(\"code\")", "Values({\"a\": \"code\"})", "no column for the decision `b`", "key: "),
        (TABLE, "[(columns: \"loss\")]", "[]", "`metrics` says nothing of `loss`", "metrics: "),
        (command, "\"sh\"", "\"no-such-program\"", "is in no folder of PATH", "program: "),
        (command, "\"sh\"", "\"\"", "the command `` is in no folder", "program: "),
        (command, "[\"loss\"]", "[]", "reports no metric", "metrics: "),
        (command, "[\"loss\"]", "[\"loss\", \"loss\"]", "names `loss` twice", "metrics: "),
        (
            command,
            "[\"loss\"]",
            "[\"accuracy\"]",
            "does not report `loss`; it reports accuracy",
            "objectives: [",
        ),
        (command, "\"sh\"", "\"sh\", seconds: -1", "cannot run for -1 seconds", "seconds: "),
        (command, "\"sh\"", "\"sh\", directory: \"none\"", "`directory` none is no folder", "directory: "),
    ];
    for (evaluator, word, other, message, before) in mistakes {
        let text = space(&evaluator.replacen(word, other, 1));
        home.write("bad.ron", &text);
        let line = text.lines().nth(4).expect("the experiment's");
        let place = format!("bad.ron:5:{}]", line.find(before).expect(before) + before.len() + 1);
        for words in ["check bad.ron", "search bad.ron --run run"] {
            let said = home.run(words).refused();
            assert!(said.contains(message) && said.contains(&place), "{message} {place}: {said}");
            assert!(!home.path("run").exists());
        }
    }
}

#[test]
fn what_is_wrong_with_a_table_itself_is_found_by_check() {
    let home = Home::new();
    home.write("table.ron", space(TABLE));
    home.write("table.csv", "code,loss\n00,3\n21\n");
    assert!(home.run("check table.ron").refused().contains("table.csv:3: the row has 1 cell, the header 2"));
}

#[test]
fn a_fidelity_below_all_of_a_table_begins_nothing() {
    let home = Home::new();
    let by_row = TABLE.replace("only_rows", "fidelity: \"steps\", only_rows");
    home.write("table.ron", space(&by_row).replace("trials: 4", "trials: 4, fidelity: 3"));
    home.write("table.csv", "code,loss,steps\n00,3,4\n21,1,4\n11,2,12\n");
    for words in ["check table.ron", "search table.ron --run run"] {
        let said = home.run(words).refused();
        let told = "trials have fidelity 3, and the evaluator `table` knows none below 4";
        assert!(said.contains(told) && said.contains("table.ron:5:"), "{said}");
        assert!(said.contains("`fidelity:` 4 or 12"), "{said}");
    }
    let said = home.run("search table.ron --run run --fidelity 2").refused();
    assert!(said.starts_with("error: trials have fidelity 2, and") && !home.path("run").exists(), "{said}");
    home.run("search table.ron --run run --fidelity 5").succeeded();
}

/// Figures of a table that was edited meanwhile would stand beside those of the one before.
#[test]
fn a_study_goes_on_with_the_table_that_it_began_with_or_not_at_all() {
    let home = Home::new();
    home.write("table.ron", space(TABLE));
    home.write("table.csv", ROWS);
    home.run("search table.ron --run run --trials 1").succeeded();
    for (rows, told) in [
        (ROWS.replace("11,2", "11,9"), "it still has 25 bytes, but others"),
        (format!("{ROWS}10,7\n"), "it had 25 bytes and has 30"),
    ] {
        home.write("table.csv", rows);
        let said = home.run("search table.ron --run run --trials 2").refused();
        let expected = format!("`table.csv` is not what it was when the study in `run` began: {told}; ");
        assert!(said.contains(&expected) && said.contains("search in another folder"), "{said}");
    }
    assert_eq!(home.run("rank run --json").json().len(), 1);
    home.write("table.csv", ROWS);
    assert!(
        home.run("search table.ron --run run --trials 2").err.contains("going on: 1 of 2 trials are there")
    );
}

#[test]
fn a_study_that_is_complete_needs_its_table_no_more() {
    let home = Home::new();
    let text = space(&TABLE.replace(", only_rows: true", "")).replace("top: 0", "top: 1");
    home.write("table.ron", &text);
    home.write("table.csv", "code,loss\n00,3\n01,4\n10,5\n11,6\n20,7\n21,8\n");
    let first = home.run("search table.ron --run run --trials 1");
    assert!(first.err.contains("1 trial, 1 worker") && first.err.contains("training trial 0\n"), "{first}");
    let again = home.run("search table.ron --run run --trials 1");
    assert!(again.out == first.out && again.err.contains("\nthe trial is there\n"), "{again}");
    std::fs::remove_file(home.path("table.csv")).expect("it was there");
    let without = home.run("search table.ron --run run --trials 1");
    assert!(without.code == Some(0) && without.out == first.out, "{without}");
    assert!(without.err.contains("table.csv: No such file"), "{without}");
    home.run("search table.ron --run run --trials 2").refused();
    home.run("search table.ron --run run --trials 1 --seed 2").refused();
}

#[test]
fn what_to_mend_where_all_trials_fail_is_the_evaluator_s() {
    let home = Home::new();
    home.write("table.ron", space(&TABLE.replace(", only_rows: true", "")));
    home.write("table.csv", "code,loss\n00,\n");
    let said = home.run("search table.ron --run run");
    assert!(
        said.code == Some(1) && said.err.contains("hint: mend the table, or what the evaluator"),
        "{said}"
    );
    let script = r#"Command(program: "false", metrics: ["loss"])"#;
    home.write("command.ron", space(script));
    let said = home.run("search command.ron --run other");
    assert!(said.code == Some(1) && said.err.contains("hint: run the program by itself"), "{said}");
}

/// What the table says that a training took, and what looking it up did.
#[test]
fn seconds_of_the_table_are_told_from_those_of_the_clock() {
    let home = Home::new();
    home.write("table.ron", space(&TABLE.replace("only_rows", "seconds: [(columns: \"s\")], only_rows")));
    home.write("table.csv", "code,loss,s\n00,3,40.5\n21,1,9\n11,2,7\n");
    assert_snapshot!(home.run("search table.ron --run run --trials 3").out.lines().next().unwrap_or_default(), @"rank  trial    loss  seconds  wall_seconds  genotype");
    assert_snapshot!(home.run("rank run --by -seconds --top 1"), @"
    exit code 0
    --- stdout
    rank  trial    loss  seconds  wall_seconds  genotype
    1         2  2.0000      7.0             _       1,1
    ");
    let trial = &home.run("rank run --json --by seconds").json()[0];
    assert_eq!(trial["metrics"], json!({"loss": 3.0, "seconds": 40.5}));
    assert!(trial["wall_seconds"].as_f64().is_some_and(|seconds| seconds < 40.0), "{trial}");
}

#[test]
fn candidates_without_a_row_are_failed_trials() {
    let home = Home::new();
    home.write("table.ron", space(&TABLE.replace(", only_rows: true", "")));
    home.write("table.csv", "code,loss\n00,3\n");
    let said = home.run("search table.ron --run run --trials 6");
    assert_eq!(said.code, Some(0), "{said}");
    assert_eq!(said.err.matches("table.csv has no row for this candidate").count(), 5, "{said}");
}

#[test]
fn blank_cells_are_told_with_their_row() {
    let home = Home::new();
    let other = TABLE.replace("\"loss\")]", "\"loss\")], \"size\": [(columns: \"size\")]");
    home.write("table.ron", space(&other));
    home.write("table.csv", "code,loss,size\n00,3,1\n21,,2\n11,,\n");
    let said = home.run("search table.ron --run run");
    assert!(said.err.contains("failed: table.csv:3: the evaluator reported no `loss`"), "{said}");
    assert!(said.err.contains("failed: table.csv:4 says nothing of this candidate"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_command_is_run_for_each_trial() {
    let home = Home::new();
    let script = r#"Command(program: "sh", args: ["-c", "echo '{\"loss\": 1.5}'"], metrics: ["loss"])"#;
    home.write("command.ron", space(script));
    let ranked = home.run("search command.ron --run run").succeeded();
    assert_eq!(ranked.matches("1.5").count(), 4, "{ranked}");
    home.write(
        "command.ron",
        space(&script.replace("echo '{\\\"loss\\\": 1.5}'", "echo no such data >&2; exit 9")),
    );
    let said = home.run("search command.ron --run failed");
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("`sh` exited with code 9; its last words: no such data"), "{said}");
    home.write("command.ron", space(&script.replace("\"sh\"", "\"no-such-program\"")));
    assert_snapshot!(home.run("search command.ron --run none"), @r#"
    exit code 2
    --- stderr
      × the command `no-such-program` is in no folder of PATH
       ╭─[command.ron:5:46]
     4 │     program: Setting(a: OneOf([1, 2, 3]), b: OneOf([Relu, Tanh])),
     5 │     experiment: (evaluator: Command(program: "no-such-program", args: ["-c", "echo '{\"loss\": 1.5}'"], metrics: ["loss"]), objectives: [Minimize("loss")], trials: 4, seed: 1, retrain: (top: 0), algorithm: Random),
       ·                                              ────────┬────────
       ·                                                      ╰── evaluator.program
     6 │ )
       ╰────
      help: give the evaluator's `program` a path, or a name that your shell finds; its arguments go to `args`
    "#);
    assert!(!home.path("none").exists());
}

/// A program that says how it goes on is told to end where it has no hope; what it had said by then is kept.
#[cfg(unix)]
#[test]
fn a_hopeless_command_is_told_to_end() {
    let home = Home::new();
    home.write(
        "steps.sh",
        r#"a=$(sed 's/.*"a": *\([0-9]\).*/\1/')
trap 'echo asked >> asked; exit 0' TERM
for step in 1 2 3 4; do
    echo "{\"step\": $step, \"loss\": $((10 * a - step))}"
    # Time to be told, for those that have no hope.
    if test $a -gt 1 && test $step -ge 2; then sleep 2; else sleep 0.02; fi
done
"#,
    );
    let script = r#"Command(program: "sh", args: ["steps.sh"], metrics: ["loss"])"#;
    let rule = "trials: 6, fidelity: 4, early_stopping: Some(Median(after: 2)), seed";
    home.write("command.ron", space(script).replace("trials: 4, seed", rule));
    let said = home.run("search command.ron --run run");
    assert_eq!(said.code, Some(0), "{said}");
    assert!(said.err.contains("hopeless trials stopped by median"), "{said}");
    assert!(said.err.contains("stopped at 2: loss 28"), "{said}");
    let ranked = home.run("rank run --json --curves").json();
    assert_eq!(ranked.len(), 6);
    let stopped: Vec<_> = ranked.iter().filter(|line| line["state"] == "stopped").collect();
    assert!(!stopped.is_empty());
    assert_eq!(home.read("asked").lines().count(), stopped.len());
    for line in &stopped {
        // All lose as much a step, so that what a loss comes to is known exactly.
        let (loss, at) = (line["metrics"]["loss"].as_f64().unwrap(), line["stopped_at"].as_f64().unwrap());
        assert!(at < 4.0 && loss >= 16.0, "{line}");
        assert_eq!(line["expected"]["loss"].as_f64().unwrap(), loss - (4.0 - at));
        assert_eq!(line["curve"]["steps"].as_array().unwrap().len(), at as usize);
    }
    let whole = ranked.iter().take_while(|line| line["state"] == "finished").count();
    assert_eq!(whole + stopped.len(), 6, "whole trainings go before those that were stopped");
    assert!(home.run("rank run").succeeded().contains("2 of 4"));
}

#[cfg(unix)]
#[test]
fn a_last_training_is_not_infinitely_good_either() {
    let home = Home::new();
    home.write(
        "last.sh",
        r#"case "$(cat)" in *'"last":true'*) echo '{"loss": -Infinity}' ;; *) echo '{"loss": 1}' ;; esac"#,
    );
    let script = r#"Command(program: "sh", args: ["last.sh"], metrics: ["loss"])"#;
    home.write("last.ron", space(script).replace("top: 0", "top: 1"));
    let said = home.run("search last.ron --run run --trials 1");
    assert!(
        said.err.contains("trained trial 0: failed: `loss` is -inf: nothing is infinitely good"),
        "{said}"
    );
}

/// The best setting cannot be trained to its end: the next best is, and is what is exported.
#[cfg(unix)]
#[test]
fn a_winner_that_cannot_be_trained_is_replaced() {
    let home = Home::new();
    home.write(
        "last.sh",
        r#"candidate=$(cat); a=$(echo "$candidate" | sed 's/.*"a": *\([0-9]\).*/\1/')
case "$a $candidate" in 1*'"last":true'*) echo 'too fast' >&2; exit 3 ;; *) echo "{\"loss\": $a}" ;; esac"#,
    );
    let script = r#"Command(program: "sh", args: ["last.sh"], metrics: ["loss"])"#;
    let text = space(script).replace("top: 0", "top: 1").replace("b: OneOf([Relu, Tanh])", "b: Relu");
    home.write("last.ron", text.replace("trials: 4", "trials: 3"));
    let said = home.run("search last.ron --run run");
    assert_eq!(said.code, Some(0), "{said}");
    let lines: Vec<&str> = said.err.lines().filter(|line| line.starts_with("trained trial ")).collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].contains("failed: `sh` exited with code 3; its last words: too fast"), "{said}");
    assert!(lines[1].contains("loss 2.0000"), "{said}");
    assert!(home.read("run/best/program.ron").contains("a: 2"), "{said}");
    let calls = |said: &str| said.matches("trained trial").count();
    assert_eq!(calls(&home.run("search last.ron --run run").err), 0, "nothing is left to train");
}

/// A second evaluator, which tells what costs nothing, is checked like the first.
#[test]
fn figures_are_checked_too() {
    let home = Home::new();
    let figures = format!("figures: {}, objectives", TABLE.replace("loss\"", "los\""));
    home.write("table.ron", space(TABLE).replace("objectives", &figures));
    home.write("table.csv", ROWS);
    for words in ["check table.ron", "search table.ron --run run"] {
        let said = home.run(words).refused();
        assert!(
            said.contains("no column `los`") && said.contains("figures.metrics[\"los\"][0].columns"),
            "{said}"
        );
    }
}

/// Everything that a program may do instead of what it should is a failed trial with its last words; the search goes on.
#[cfg(unix)]
#[test]
fn programs_that_do_anything_else_are_recorded_failures() {
    let home = Home::new();
    home.write(
        "any.sh",
        r#"case "$(cat)" in
            *Silent*) ;;
            *Garbage*) echo '{"loss": what}'; sleep 60 ;;
            *Hangs*) echo waiting >&2; sleep 60 ;;
            *Killed*) echo 'so long' >&2; kill -SEGV $$ ;;
            *Forks*) sleep 600 & echo $! > forked; echo '{"loss": 2}' ;;
            *Floods*) head -c 2000000 /dev/zero; sleep 60 ;;
            *Diverges*) echo '{"loss": NaN}' ;;
            *Perfect*) echo '{"loss": -Infinity}' ;;
            *Hopeless*) echo '{"loss": Infinity}' ;;
            *Exits*) echo '{"loss": 1}'; echo 'no data' >&2; exit 3 ;;
            *Bytes*) printf '\377\376\n{"loss": 3}\n' ;;
        esac"#,
    );
    let kinds = "Silent, Garbage, Hangs, Killed, Forks, Floods, Diverges, Perfect, Hopeless, Exits, Bytes";
    home.write(
        "any.ron",
        format!(
            r#"Space(program_type: Any, program: (kind: OneOf([{kinds}])), experiment: (
                evaluator: Command(program: "sh", args: ["any.sh"], metrics: ["loss"], seconds: 15),
                objectives: [Minimize("loss")], trials: 11, algorithm: Grid, workers: 3, retrain: (top: 0)))"#
        ),
    );
    let lines = home.run("search any.ron --run run --json").json();
    let mut trials: Vec<_> = lines.iter().filter(|line| line["event"] == "trial").collect();
    trials.sort_by_key(|trial| trial["trial"].as_u64());
    let said: Vec<&str> = trials.iter().map(|trial| trial["reason"].as_str().unwrap_or("finished")).collect();
    assert_eq!(
        said,
        [
            "`sh` ended without having reported `loss`, without a word",
            "`sh` is not understood: it printed `{\"loss\": what}`, which is no JSON: expected value at line 1 column 10; \
             its last words: {\"loss\": what}",
            "`sh` had not ended after 15 s and was killed; its last words: waiting",
            "`sh` was ended by signal 11 (SIGSEGV); its last words: so long",
            "finished",
            "`sh` printed a line of more than 1 MiB and was killed, without a word",
            "`sh` reported that `loss` is not a number: it diverged; its last words: {\"loss\": NaN}",
            "`loss` is -inf: nothing is infinitely good, so it was measured wrongly",
            "finished",
            "`sh` exited with code 3; its last words: no data",
            "finished",
        ]
    );
    let forked = home.read("forked");
    #[cfg(target_os = "linux")]
    assert!(ends(forked.trim()), "what it left behind is killed: {forked}");
    let ranked = home.run("rank run --json").json();
    let losses: Vec<_> = ranked.iter().map(|line| line["metrics"]["loss"].as_f64()).collect();
    assert_eq!(losses, [Some(2.0), Some(3.0), None], "what is infinitely bad comes last");
}

/// Whether a process ends soon, on however busy a machine.
#[cfg(target_os = "linux")]
fn ends(process: &str) -> bool {
    let state = || std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let mut looks = (0..6000).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        state()
    });
    looks.any(|state| state.is_empty() || state.contains(") Z "))
}

/// Nothing of a trial outlives a search that was killed: neither its program, nor what that has started, nor its folder.
#[cfg(target_os = "linux")]
#[test]
fn what_a_killed_search_was_running_is_ended() {
    let home = Home::new();
    home.write("tmp/other", "");
    home.write(
        "wait.sh",
        "if test -e second; then echo '{\"loss\": 1}'; exit; fi
        setsid sleep 600 & echo $! $$ > running.part; mv running.part running; sleep 600",
    );
    home.write("wait.ron", space(r#"Command(program: "sh", args: ["wait.sh"], metrics: ["loss"])"#));
    let mut command = home.command(&["search", "wait.ron", "--run", "run"]);
    command.env("TMPDIR", home.path("tmp")).stderr(std::process::Stdio::null());
    let mut search = command.spawn().expect("it starts");
    while !home.path("running").exists() {
        assert!(search.try_wait().expect("it is a child").is_none(), "it ended too early");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(home.contents("tmp").len(), 2, "the trial's folder holds its candidate");
    search.kill().and_then(|()| search.wait()).expect("it is killed");
    for process in home.read("running").split_whitespace() {
        assert!(ends(process), "{process}");
    }
    home.write("second", "");
    let ranked = home.run("search wait.ron --run run").succeeded();
    assert_eq!(ranked.matches("1.0000").count(), 4, "{ranked}");
    // The folder goes last.
    let left = || std::fs::read_dir(home.path("tmp")).expect("it is there").count();
    let mut looks = (0..6000).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        left()
    });
    assert!(looks.any(|left| left == 1), "{}", left());
}

/// Really trains: six settings, of which those of the smallest step learn least in two epochs.
#[cfg(unix)]
#[test]
fn a_python_program_trains_what_it_is_given() {
    if !python_has("csv, gzip, json") {
        return;
    }
    let home = Home::new();
    let root = env!("CARGO_MANIFEST_DIR");
    for file in ["examples/perceptron.ron", "examples/perceptron.py", "src/data/digits.csv.gz"] {
        home.write(file, std::fs::read(format!("{root}/{file}")).expect("it is shipped"));
    }
    let lines = home.run("search examples/perceptron.ron --run run --trials 6 --json").json();
    let accuracy = |line: &serde_json::Value| line["metrics"]["accuracy"].as_f64();
    let best = lines.iter().filter_map(accuracy).fold(0.0, f64::max);
    let worst = lines.iter().filter_map(accuracy).fold(1.0, f64::min);
    assert!(best > 0.7 && worst < best - 0.05, "{worst} {best}");
}

/// Whether a Python that has these modules is there; where it is not, says so.
#[cfg(unix)]
fn python_has(modules: &str) -> bool {
    let import = format!("import {modules}");
    let run = std::process::Command::new("python3").args(["-c", &import]).output();
    let has = run.is_ok_and(|output| output.status.success());
    if !has {
        println!("skipped: there is no python3 with {modules} here");
    }
    has
}

/// Really trains: settings begin with one epoch, and the best third of each rung goes on to three times as many.
#[cfg(unix)]
#[test]
fn a_scikit_learn_program_climbs_rungs() {
    if !python_has("sklearn") {
        return;
    }
    let home = Home::new();
    let root = env!("CARGO_MANIFEST_DIR");
    for file in ["examples/sklearn_mlp.ron", "examples/sklearn_mlp.py"] {
        home.write(file, std::fs::read(format!("{root}/{file}")).expect("it is shipped"));
    }
    let lines = home.run("search examples/sklearn_mlp.ron --run run --trials 14 --json").json();
    let trials: Vec<_> = lines.iter().filter(|line| line["event"] == "trial").collect();
    let on = |epochs: u64| trials.iter().filter(|trial| trial["fidelity"] == epochs).count();
    assert!(on(1) > on(3) && on(3) > 0 && on(1) + on(3) + on(9) == 14, "{lines:#?}");
    let accuracy = trials.iter().filter_map(|trial| trial["metrics"]["accuracy"].as_f64());
    assert!(accuracy.fold(0.0, f64::max) > 0.8, "{lines:#?}");
    let climbed = |trial: &&&serde_json::Value| trial["fidelity"] == 3;
    let climber = trials.iter().find(climbed).expect("one that climbed");
    let parent = trials.iter().find(|trial| trial["trial"] == climber["parent"]).expect("its lower rung");
    assert_eq!((&parent["fidelity"], &parent["genotype"]), (&json!(1), &climber["genotype"]));
}
