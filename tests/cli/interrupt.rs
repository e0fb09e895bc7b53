//! What comes between: Ctrl-C, readers that go away, full disks behind standard output.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use crate::studies::trials;
use crate::support::Home;

const LONG: &str = "search long.ron --trials 3000 --no-retrain --run";

/// Some thousand candidates, searched by what they cost.
fn home() -> Home {
    let home = Home::new();
    let space =
        std::fs::read_to_string(format!("{}/search_spaces/quickstart.ron", env!("CARGO_MANIFEST_DIR")));
    let (program, _) = space.as_deref().expect("shipped").split_once("experiment:").expect("it has one");
    let experiment = "experiment: (evaluator: Cost, algorithm: RegularizedEvolution, \
                      objectives: [Minimize(\"macs\")], workers: 2))";
    home.write("long.ron", format!("{program}{experiment}"));
    home
}

/// Starts a search that tells its events on `stderr`, and waits until 30 trials have ended.
fn begun(home: &Home, run: &str) -> (Child, impl BufRead) {
    let words: Vec<&str> = LONG.split_whitespace().chain([run]).collect();
    let piped = home.command(&words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = piped.expect("it starts");
    let mut lines = BufReader::new(child.stderr.take().expect("piped"));
    let mut line = String::new();
    while !line.starts_with("30/") {
        line.clear();
        assert!(lines.read_line(&mut line).expect("UTF-8") > 0, "the search ended too early");
    }
    (child, lines)
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("there is a `kill`").success());
}

#[test]
fn ctrl_c_stops_cleanly_and_the_same_command_goes_on_as_if_nothing_had_been() {
    let home = home();
    let (mut child, mut lines) = begun(&home, "stopped");
    interrupt(&child);
    let mut rest = String::new();
    lines.read_to_string(&mut rest).expect("UTF-8");
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "{rest}");
    assert!(rest.contains("\nstopping after what is running now; Ctrl-C again stops at once"), "{rest}");
    assert!(
        rest.ends_with("stopped; all that had ended is kept: run the same command again to go on\n"),
        "{rest}"
    );
    let stopped = trials(&home, "stopped");
    assert!((30..3000).contains(&stopped.len()), "{}", stopped.len());

    home.run(&format!("{LONG} undisturbed")).succeeded();
    let on = home.run(&format!("{LONG} stopped"));
    assert!(on.err.contains("\ngoing on: "), "{on}");
    let whole = trials(&home, "undisturbed");
    assert_eq!(whole.len(), 3000);
    assert_eq!(trials(&home, "stopped"), whole);
    // Of two workers, one may have ended a trial while the other was stopped in the one before: no more is missing.
    let reached =
        &whole[..=whole.iter().position(|trial| Some(trial) == stopped.last()).expect("as undisturbed")];
    let missing = reached.iter().filter(|trial| !stopped.contains(trial)).count();
    assert!(
        missing <= 1 && reached.len() == stopped.len() + missing,
        "{} of {}",
        stopped.len(),
        reached.len()
    );
}

#[test]
fn a_second_process_on_a_run_folder_is_refused_and_may_look() {
    let home = home();
    let (mut child, mut lines) = begun(&home, "run");
    let said = home.run(&format!("{LONG} run")).refused();
    let ranked = home.run("rank run --json").json();
    interrupt(&child);
    lines.read_to_end(&mut Vec::new()).expect("it ends");
    child.wait().expect("it ends");
    let expected = format!("error: the study in `run` is in use by process {};", child.id());
    assert!(said.starts_with(&expected) && said.contains("choose another folder"), "{said}");
    assert_eq!(ranked.len(), 10);
}

/// Runs a command by the shell, `cellwright` being its `$0`.
fn shell(home: &Home, script: &str) -> crate::support::Said {
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_cellwright")]).current_dir(home.path(""));
    home.said(command.output().expect("there is a shell"))
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let home = Home::searched();
    for command in [
        "check small.ron small.ron small.ron",
        "show small.ron --layers",
        "sample small.ron -n 3000",
        "sample small.ron -n 3000 --json",
        "sample small.ron -n 300 --programs",
        "rank run",
        "rank run --json",
        "data",
        "search small.ron --run run",
        "search small.ron --run other --json",
    ] {
        // `true` reads nothing and is gone at once; what the command says of it comes last on standard error.
        let script = format!("{{ \"$0\" {command}; echo \"left $?\" >&2; }} | true");
        let said = shell(&home, &script);
        assert!(said.err.ends_with("left 0\n") && !said.err.contains("error"), "{command}: {said}");
    }
    assert!(home.path("other/best/cell.svg").is_file(), "a search is done to its end, whoever listens");
}

#[test]
fn nobody_need_listen_at_all() {
    let home = Home::new();
    let said = shell(&home, "\"$0\" search small.ron --run run >&- 2>&-");
    assert_eq!(said.code, Some(0), "{said}");
    let said = shell(&home, "{ \"$0\" check none.ron; echo $?; } 2>&1 >/dev/null | true");
    assert_eq!(said.code, Some(0), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_cannot_be_written_are_a_fault() {
    let home = Home::new();
    insta::assert_snapshot!(shell(&home, "\"$0\" sample small.ron > /dev/full"), @"
    exit code 2
    --- stderr
    error: standard output: No space left on device (os error 28)
      hint: free some space, or choose another place
    ");
}
