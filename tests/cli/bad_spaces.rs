//! Space files in every bad state: each is refused with its place and what to do next, in a moment and with little memory.

use std::time::{Duration, Instant};

use insta::assert_snapshot;

use crate::support::{Home, SMALL};

/// A name, the words of `small.ron` that are replaced, what by, and words of the answer.
type Mistake = (&'static str, &'static str, &'static str, &'static [&'static str]);

const CHANNELS: &str = "OneOf([8, 16])";

#[rustfmt::skip]
const MISTAKES: &[Mistake] = &[
    ("unknown op", "SkipConnect", "SkipConect", &["unknown name `SkipConect`", "did you mean `SkipConnect`?"]),
    ("unknown field", "stages:", "stage:", &["unknown field `stage`", "did you mean `stages`?"]),
    ("unknown section", "program:", "programme:", &["`programme`", "did you mean `program`?"]),
    ("unknown evaluator", "Cost", "Costs", &["unknown name `Costs`", "did you mean `Cost`?"]),
    ("unknown algorithm", "algorithm: Random", "algorithm: Randm", &["unknown name `Randm`", "did you mean `Random`?"]),
    ("unknown metric", "\"params\"", "\"parms\"", &["does not report `parms`", "did you mean `params`?"]),
    ("a text for a number", "stages: 2", "stages: \"two\"", &["expected a whole number", "\"two\""]),
    ("a number for a list", "OneOf([8, 16])", "OneOf(8)", &["OneOf"]),
    ("a negative size", "stages: 2", "stages: -2", &["expected a whole number, not below 0", "-2"]),
    ("a huge size", "stages: 2", "stages: 4000000000", &["4000000000 is not between 1 and 16"]),
    ("more than a number holds", "stages: 2", "stages: 9999999999999999999999", &["9999999999999999999999"]),
    ("huge channels", CHANNELS, "OneOf([8, 4000000000])", &["4000000000 is not between 1 and 65536"]),
    ("an even kernel", "kernel: 5", "kernel: 4", &["4 is out of range: a kernel is odd"]),
    ("no choices", CHANNELS, "OneOf([])", &["OneOf has no candidates", "give at least one candidate"]),
    ("low above high", CHANNELS, "Int(16, 8)", &["Int has low 16 above high 8", "help: "]),
    ("not a bound", "0.1", "Float(NaN, 1)", &["`low` of Float is a finite number, not `NaN`"]),
    ("an endless bound", "0.1", "Float(0.1, inf)", &["`high` of Float is a finite number, not `inf`"]),
    ("a logarithm of 0", "0.1", "Float(0, 1, Log)", &["needs low above 0", "start from a small positive number"]),
    ("a dangling name", CHANNELS, "Ref(\"widths\")", &["no piece \"widths\" in `let`"]),
    ("circular names", "program:", "let: {\"a\": Ref(\"b\"), \"b\": Ref(\"a\")}, program:", &["circular piece: \"a\" holds \"b\" holds \"a\""]),
    ("a dangling base", "program:", "extends: \"none.ron\", program:", &["cannot read none.ron", "beside the file that it stands in"]),
    ("a circular base", "program:", "extends: \"bad.ron\", program:", &["circular `extends`: bad.ron extends bad.ron"]),
    ("no trials", "trials: 6", "trials: 0", &["0 is too little: at least 1"]),
    ("no objective", "[Minimize(\"params\"), Maximize(\"depth\")]", "[]", &["no objective: name at least one"]),
    ("a field given twice", "stages: 2", "stages: 2, stages: 3", &["the field `stages` is given twice"]),
    ("an input of no pixels", "(1, 8, 8)", "(1, 0, 8)", &["0 is not between 1 and 65536"]),
    ("one class", "classes: 10", "classes: 1", &["1 is not between 2 and 65536"]),
];

#[test]
fn every_mistake_has_its_place_and_its_next_step() {
    let home = Home::new();
    for (name, word, other, answers) in MISTAKES {
        home.small_but("bad.ron", word, other);
        for line in ["check bad.ron", "search bad.ron --run run"] {
            let said = home.run(line);
            assert_eq!(said.code, Some(2), "{name}: {said}");
            let said = said.refused();
            let missing: Vec<_> = answers.iter().filter(|answer| !said.contains(**answer)).collect();
            assert!(missing.is_empty(), "{name}: {missing:?} not in\n{said}");
            assert!(said.contains("bad.ron:"), "{name}: no place in\n{said}");
        }
        assert!(!home.path("run").exists(), "{name}: nothing is begun");
    }
}

#[test]
fn all_mistakes_of_all_files_are_told_at_once_and_in_order() {
    let home = Home::new();
    let text = SMALL.replace("SkipConnect", "SkipConect").replace("stages: 2", "stages: -2");
    home.write("two.ron", text.replace("program", "about: \"é\",\n    program"));
    home.write("empty.ron", "");
    assert_snapshot!(home.run("check two.ron small.ron none.ron empty.ron"), @"
    exit code 2
    --- stdout
    small.ron: ok, `small` has 24 candidates; 6 trials of random by cost
    --- stderr
      × unknown name `SkipConect`
       ╭─[two.ron:8:123]
     7 │             cell: Blocks([Block(
     8 │                 left: Branch(input: OneOf([CellBefore, PreviousCell]), op: OneOf([SepConv(kernel: 3), MaxPool(kernel: 3), SkipConect])),
       ·                                                                                                                           ─────┬────
       ·                                                                                                                                ╰── architecture.cell[0][0].left.op
     9 │                 right: Branch(input: PreviousCell, op: OneOf([SepConv(kernel: 5), AvgPool(kernel: 3)])),
       ╰────
      help: did you mean `SkipConnect`?

      × expected a whole number, not below 0, found `-2`
        ╭─[two.ron:11:21]
     10 │             )]),
     11 │             stages: -2, repeats: 1, channels: OneOf([8, 16]),
        ·                     ─┬
        ·                      ╰── architecture.stages
     12 │         ),
        ╰────

    2 problems
    error: none.ron: No such file or directory (os error 2)
      hint: check the path, which starts at the folder that the command is run in
      × the file is empty
       ╭─[empty.ron:1:1]
       ╰────
      help: a program is RON: `Name(field: 1)`
    ");
}

#[test]
fn files_that_are_no_spaces() {
    let home = Home::new();
    home.write("prose.ron", "once upon a time");
    home.write("half.ron", &SMALL[..SMALL.len() / 2]);
    home.write("latin1.ron", b"Space(name: \"gr\xf6\xdfte\")");
    home.write("folder/inside.ron", "");
    home.write("list.ron", "[1, 2, 3]");
    home.write("without.ron", "Space(name: \"nothing\")");
    home.write("never.ron", SMALL.split("experiment").next().expect("it has one").to_owned() + ")");
    assert_snapshot!(home.run("check prose.ron half.ron latin1.ron folder list.ron without.ron"), @r#"
    exit code 2
    --- stderr
      × the program ends before this; nothing may follow it
       ╭─[prose.ron:1:6]
     1 │ once upon a time
       ·      ┬
       ·      ╰── here
       ╰────
      help: is this the right file? A program is RON: `Name(field: 1)`
      × the text ends before this `(` is closed
       ╭─[half.ron:8:30]
     7 │                 left: Branch(input: OneOf([CellBefore, PreviousCell]), op: OneOf([SepConv(kernel: 3), MaxPool(kernel: 3), SkipConnect])),
     8 │                 right: Branch(input: Pre
       ·                              ┬
       ·                              ╰── never closed
       ╰────
      × the file is not UTF-8 text from here on
       ╭─[latin1.ron:1:16]
     1 │ Space(name: "gr��te")
       ·                ┬
       ·                ╰── here
       ╰────
      help: save it as UTF-8; is this the right file?
    error: folder: Is a directory (os error 21)
      hint: name a file, not a folder
      × a space file is `Space(name: .., program: .., ..)`
       ╭─[list.ron:1:1]
     1 │ [1, 2, 3]
       · ─────────
       ╰────
      help: its sections are name, about, extends, patch, let, program_type, program, constraints, experiment
      × the space has no `program`
      help: add `program: (task: .., architecture: .., training: ..)`
    "#);
    assert_snapshot!(home.run("search never.ron"), @r#"
    exit code 2
    --- stderr
    error: never.ron says nothing of how it is searched
      hint: add an `experiment:` section: `experiment: (evaluator: Train(data: Digits), objectives: [Maximize("accuracy")], trials: 24, fidelity: 5)`
    "#);
    assert!(!home.path("runs").exists());
}

#[test]
fn huge_and_deep_files_are_refused_in_a_moment() {
    let home = Home::new();
    let deep =
        |open: &str, close: &str| format!("Space(program: {}1{})", open.repeat(5_000), close.repeat(5_000));
    home.write("brackets.ron", "(".repeat(100_000_000));
    home.write("text.ron", format!("Space(name: \"{}", "a".repeat(100_000_000)));
    home.write("some.ron", deep("Some(", ")"));
    home.write("choices.ron", deep("OneOf([", "])"));
    home.write("open.ron", "[".repeat(1_000_000));
    home.write("comments.ron", "/*".repeat(1_000_000));
    for (file, words) in [
        ("brackets.ron", "larger than 4 MiB"),
        ("text.ron", "larger than 4 MiB"),
        ("some.ron", "nested more than 200 levels deep"),
        ("choices.ron", "nested more than 200 levels deep"),
        ("open.ron", "nested more than 200 levels deep"),
        ("comments.ron", "is never closed"),
    ] {
        let start = Instant::now();
        let said = frugally(&home, &format!("check {file}")).refused();
        assert!(said.contains(words) && said.len() < 4000, "{file}: {said}");
        assert!(start.elapsed() < Duration::from_secs(10), "{file}: {:?}", start.elapsed());
    }
}

/// Runs a command with 512 MB of address space, where the system can hold it to that.
fn frugally(home: &Home, line: &str) -> crate::support::Said {
    if !cfg!(target_os = "linux") {
        return home.run(line);
    }
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "ulimit -v 524288; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_cellwright")]);
    home.said(shell.args(line.split(' ')).current_dir(home.path("")).output().expect("there is a shell"))
}
