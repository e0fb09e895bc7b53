//! Run folders that cannot be used: each is refused with what to do, and what is in it stays as it is.

use insta::assert_snapshot;

use crate::support::Home;

fn sql(home: &Home, statement: &str) {
    rusqlite::Connection::open(home.path("run/study.sqlite"))
        .and_then(|db| db.execute_batch(statement))
        .expect("a statement");
}

/// What every command that takes a run folder says of `run`; the folder is not touched.
fn searched_and_looked_at(home: &Home) -> String {
    let before = home.contents("run");
    let said = ["search small.ron --run run", "rank run", "retrain run", "export run --format dot"]
        .map(|line| format!("$ {line}\n{}", home.run(line).refused()));
    assert_eq!(home.contents("run"), before);
    said.concat()
}

#[test]
fn of_another_experiment() {
    let home = Home::searched();
    let before = home.contents("run");
    assert_snapshot!(home.run("search small.ron --run run --seed 2 --workers 4"), @"
    exit code 2
    --- stderr
    error: the study in `run` is of another experiment:
      experiment.seed: stored `1`, asked for `2`
      experiment.workers: stored `1`, asked for `4`
    choose another folder, or ask for the stored experiment
    ");
    home.small_but("other.ron", "[8, 16]", "[8, 16, 32]");
    assert_snapshot!(home.run("search other.ron --run run"), @"
    exit code 2
    --- stderr
    error: the study in `run` is of another experiment:
      space.program.architecture.channels[0][2]: asked for `32`, which is not stored
    choose another folder, or ask for the stored experiment
    ");
    assert_eq!(home.contents("run"), before);
}

#[test]
fn of_a_newer_version() {
    let home = Home::searched();
    sql(&home, "PRAGMA user_version = 99");
    assert_snapshot!(searched_and_looked_at(&home), @"
    $ search small.ron --run run
    error: the study in `run` has format 99, and this release knows formats up to 2: use the newer release that wrote it, or choose another folder
    $ rank run
    error: the study in `run` has format 99, and this release knows formats up to 2: use the newer release that wrote it, or choose another folder
    $ retrain run
    error: the study in `run` has format 99, and this release knows formats up to 2: use the newer release that wrote it, or choose another folder
    $ export run --format dot
    error: the study in `run` has format 99, and this release knows formats up to 2: use the newer release that wrote it, or choose another folder
    ");
}

#[test]
fn damaged() {
    let home = Home::searched();
    let whole = std::fs::read(home.path("run/study.sqlite")).expect("a file");
    home.write("run/study.sqlite", &whole[..whole.len() / 2]);
    for line in ["search small.ron --run run", "rank run"] {
        let said = home.run(line).refused();
        assert!(
            said.contains("is damaged: ") && said.contains("bring `study.sqlite` back from a copy"),
            "{said}"
        );
    }
}

#[test]
fn of_somebody_else() {
    let home = Home::new();
    home.write("run/thesis.tex", "years of work");
    assert_snapshot!(searched_and_looked_at(&home), @"
    $ search small.ron --run run
    error: `run` is not a run folder: it holds `thesis.tex` and no study; choose an empty or a new folder
    $ rank run
    error: there is no study in `run`; start one with `cellwright search`
    $ retrain run
    error: there is no study in `run`; start one with `cellwright search`
    $ export run --format dot
    error: there is no study in `run`; start one with `cellwright search`
    ");
}

#[test]
fn not_there_or_a_file() {
    let home = Home::new();
    for line in ["rank none", "retrain none", "export none --format ron", "rank small.ron"] {
        let said = home.run(line).refused();
        assert!(
            said.contains("there is no study in `") && said.contains("start one with `cellwright search`"),
            "{said}"
        );
    }
    assert!(!home.path("none").exists());
    let before = home.contents("");
    assert_snapshot!(home.run("search small.ron --run small.ron"), @"
    exit code 2
    --- stderr
    error: `small.ron` is not a run folder: it is a file; choose an empty or a new folder
    ");
    assert_eq!(home.contents(""), before);
}

#[cfg(target_os = "linux")]
#[test]
fn where_nothing_can_be_written() {
    let home = Home::new();
    let said = home.run("search small.ron --run /proc/cellwright").refused();
    assert!(said.starts_with("error: cannot write in the run folder `/proc/cellwright`: "), "{said}");
    assert!(said.ends_with("mend it or choose another folder\n"), "{said}");
}

#[cfg(unix)]
#[test]
fn full() {
    let home = Home::new();
    let mut shell = std::process::Command::new("sh");
    let limited =
        "trap '' XFSZ; ulimit -f 100; exec \"$0\" search small.ron --run run --trials 100000 --no-retrain";
    let wide = "OneOf([8, 16])";
    home.small_but("small.ron", wide, "Int(1, 60000)");
    shell.args(["-c", limited, env!("CARGO_BIN_EXE_cellwright")]).current_dir(home.path(""));
    let said = home.said(shell.output().expect("there is a shell"));
    assert_eq!(said.code, Some(2), "{}", said.err.lines().last().unwrap_or_default());
    assert!(said.err.contains("all trials stored so far are safe: free some space"), "{said}");
    let safe = home.run("rank run --json --top 100000").json().len();
    let on = home.run(&format!("search small.ron --run run --no-retrain --trials {}", safe + 5));
    assert!(on.err.contains("going on: "), "{on}");
    on.succeeded();
    assert_eq!(home.run("rank run --json --top 100000").json().len(), safe + 5);
}

#[cfg(unix)]
#[test]
fn reached_by_a_link() {
    let home = Home::searched();
    std::os::unix::fs::symlink(home.path("run"), home.path("link")).expect("a link");
    std::os::unix::fs::symlink(home.path("nowhere"), home.path("dangling")).expect("a link");
    assert!(home.run("search small.ron --run link").err.contains("\nall 6 trials are there\n"));
    assert_snapshot!(home.run("search small.ron --run dangling"), @"
    exit code 2
    --- stderr
    error: cannot write in the run folder `dangling`: File exists (os error 17); mend it or choose another folder
    ");
}
