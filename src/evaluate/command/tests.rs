//! Programs that do what they should, and programs that do anything else.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::Command;
use crate::error::Error;
use crate::evaluate::{Evaluate, Failure, Job, Outcome, Prepare, Progress};
use crate::random::Seed;
use crate::space::{Genotype, Space};
use crate::symbolic::{Value, from_value};
use crate::trial::{Fidelity, Metrics};

/// Hears all steps, and asks to stop after so many, or once a file is there.
struct Heard {
    steps: Mutex<Vec<(u32, f64)>>,
    stop_after: usize,
    stop_at: Option<PathBuf>,
}

impl Heard {
    fn all() -> Heard {
        Heard { steps: Mutex::default(), stop_after: usize::MAX, stop_at: None }
    }
}

impl Progress for Heard {
    fn report(&self, done: Fidelity, metrics: &Metrics) -> bool {
        let mut steps = self.steps.lock().unwrap();
        steps.push((done.0, metrics.values().copied().next().unwrap_or(f64::NAN)));
        steps.len() < self.stop_after
    }
    fn should_stop(&self) -> bool {
        self.stop_at.as_ref().is_some_and(|file| file.exists())
    }
}

fn space() -> Space {
    let program: Value =
        "Mlp(units: OneOf([16, 32]), op: OneOf([Relu, Conv(kernel: 3)]), rate: Float(0.0, 1.0))"
            .parse()
            .expect("RON");
    Space::untyped(&program).expect("a space")
}

fn command(fields: &str) -> Command {
    let text: Value = format!("(metrics: [\"loss\"], {fields})").parse().expect("RON");
    from_value(&text).unwrap_or_else(|error| panic!("{error}"))
}

fn run_heard(command: &Command, heard: &Heard) -> Result<Outcome, Failure> {
    let evaluator = command.prepare(&space()).unwrap_or_else(|error| panic!("{error}"));
    evaluate(&*evaluator, heard)
}

fn evaluate(evaluator: &dyn Evaluate, heard: &Heard) -> Result<Outcome, Failure> {
    let space = space();
    let genotype: Genotype = "1,1,0.25".parse().expect("a genotype");
    let (program, key) = (space.materialize(&genotype).unwrap(), space.key(&genotype).unwrap());
    let job = Job {
        genotype: &genotype,
        key: &key,
        program: &program,
        fidelity: Fidelity(3),
        seed: Seed(17),
        last: false,
        device: crate::device::Device::Cpu,
        checkpoint: None,
        heritage: None,
    };
    evaluator.evaluate(&job, heard)
}

/// What a shell script comes to: its `loss`, or its failure.
fn shell_with(script: &str, fields: &str) -> Result<f64, String> {
    let script = Value::from(script);
    let command = command(&format!("program: \"sh\", args: [\"-c\", {script}], {fields}"));
    match run_heard(&command, &Heard::all()) {
        Ok(outcome) => Ok(outcome.metrics["loss"]),
        Err(failure) => Err(failure.to_string()),
    }
}

fn shell(script: &str) -> Result<f64, String> {
    shell_with(script, "seconds: 20")
}

/// Waits until a process is gone.
fn is_gone(pid: &str) -> bool {
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until {
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // A zombie that nobody has buried is dead, too.
        if state.is_empty() || state.contains(") Z ") {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

#[test]
fn metrics_are_read_and_talk_is_passed_over() {
    assert_eq!(shell("echo training; echo '{\"loss\": 0.5}'; echo done"), Ok(0.5));
    assert_eq!(shell("echo '{\"loss\": 2, \"step\": 1}'; echo '{\"loss\": 1}'; echo warning >&2"), Ok(1.0));
    // Without a line's end at the end, and with its output closed before its end.
    assert_eq!(shell("printf '{\"loss\": 3}'"), Ok(3.0));
    assert_eq!(shell("echo '{\"loss\": 4}'; exec >&- 2>&-; sleep 0.2"), Ok(4.0));
}

#[test]
fn the_candidate_is_on_standard_input_or_in_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("trials");
    let save = "cat > \"$CELLWRIGHT_FOLDER/read.json\"; echo '{\"loss\": 1}'";
    assert_eq!(shell_with(save, &format!("folder: {kept:?}")), Ok(1.0));
    let trial = kept.join("trial-0000000000000011");
    let told = std::fs::read_to_string(trial.join("read.json")).expect("the program has read it");
    assert_eq!(told, std::fs::read_to_string(trial.join("candidate.json")).expect("it is kept"));
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(
        told,
        serde_json::json!({
            "program": {"type": "Mlp", "units": 32, "op": {"type": "Conv", "kernel": 3}, "rate": 0.25},
            "genotype": "1,1,0.25",
            "decisions": {"units": {"index": 1, "label": "32"}, "op": {"index": 1, "label": "Conv(kernel: 3)"}, "rate": 0.25},
            "fidelity": 3, "seed": 17, "folder": trial.display().to_string(), "last": false, "device": "cpu",
        })
    );
    let file = "test -z \"$(cat)\" && grep -q Mlp \"$0\" && echo \"{\\\"loss\\\": $1$2}\"";
    let script = Value::from(file);
    let given = command(&format!(
        "program: \"sh\", args: [\"-c\", {script}, \"{{candidate}}\", \"{{fidelity}}\", \"{{seed}}\"]"
    ));
    assert_eq!(run_heard(&given, &Heard::all()).expect("figures").metrics["loss"], 317.0);
}

#[test]
fn it_runs_where_and_with_what_it_is_told_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let there = folder.path().canonicalize().expect("it is there");
    let script = format!("test \"$(pwd -P)\" = {there:?} && echo \"{{\\\"loss\\\": $WORTH}}\"");
    assert_eq!(
        shell_with(&script, &format!("directory: {there:?}, environment: {{\"WORTH\": \"5\"}}")),
        Ok(5.0)
    );
}

#[test]
fn steps_are_reported_and_may_stop_it() {
    let script = "for i in 1 2 3; do echo \"{\\\"step\\\": $i, \\\"loss\\\": $i}\"; done; cd $CELLWRIGHT_FOLDER; \
                  echo $$ > pid.part; mv pid.part pid; sleep 600; echo '{\"loss\": 9}'";
    let folder = tempfile::tempdir().expect("a folder");
    let command = command(&format!(
        "program: \"sh\", args: [\"-c\", {}], folder: {:?}",
        Value::from(script),
        folder.path()
    ));
    let heard = Heard { stop_after: 2, ..Heard::all() };
    let start = Instant::now();
    assert_eq!(run_heard(&command, &heard).unwrap_err(), Failure::Stopped);
    assert_eq!(heard.steps.into_inner().unwrap(), [(1, 1.0), (2, 2.0)]);
    let pid = folder.path().join("trial-0000000000000011/pid");
    // The first may have been stopped before it could say its number.
    let _ = std::fs::remove_file(&pid);
    let heard = Heard { stop_at: Some(pid.clone()), ..Heard::all() };
    assert_eq!(run_heard(&command, &heard).unwrap_err(), Failure::Stopped);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    let pid = std::fs::read_to_string(&pid).expect("it ran");
    assert!(is_gone(pid.trim()), "{pid}");
}

#[test]
fn failures_have_the_program_s_last_words() {
    let told = |script: &str| shell(script).unwrap_err();
    assert_eq!(told("true"), "`sh` ended without having reported `loss`, without a word");
    assert_eq!(told("echo hello"), "`sh` ended without having reported `loss`; its last words: hello");
    assert_eq!(
        told("echo '{\"acc\": 1}'"),
        "`sh` ended without having reported `loss`; its last words: {\"acc\": 1}"
    );
    assert_eq!(
        told("echo '{\"loss\": 1}'; echo no such file >&2; exit 3"),
        "`sh` exited with code 3; its last words: no such file"
    );
    assert_eq!(told("kill -KILL $$"), "`sh` was ended by signal 9 (SIGKILL), without a word");
    assert_eq!(
        told("echo no learning >&2; echo '{\"loss\": NaN}'"),
        "`sh` reported that `loss` is not a number: it diverged; its last words: no learning"
    );
    let garbage = told("echo '{loss=1'; sleep 30");
    assert!(
        garbage.starts_with("`sh` is not understood: it printed `{loss=1`, which is no JSON:"),
        "{garbage}"
    );
    assert_eq!(
        told("head -c 3000 /dev/urandom | tr -d '{'").split("; its last").next(),
        Some("`sh` ended without having reported `loss`")
    );
}

#[test]
fn what_hangs_is_killed_with_all_it_has_started() {
    let folder = tempfile::tempdir().expect("a folder");
    // One child in the group, one that has left it, and one that waits for both; all deaf to a polite request.
    let script = format!(
        "trap '' TERM; cd {:?}; sleep 600 & echo $! > child; setsid sh -c 'trap \"\" TERM; echo $$ > daemon; sleep 600' & \
         echo 'still at it' >&2; sleep 600",
        folder.path()
    );
    let pid = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    let start = Instant::now();
    // A busy machine may need longer than half a second to start them all.
    for seconds in ["0.5", "5", "50"] {
        let told = shell_with(&script, &format!("seconds: {seconds}")).unwrap_err();
        if ["child", "daemon"].iter().all(|name| pid(name).ends_with('\n')) {
            let late = format!("`sh` had not ended after {seconds} s");
            assert_eq!(told, late + " and was killed; its last words: still at it");
            break;
        }
    }
    assert!(start.elapsed() < Duration::from_secs(120), "{:?}", start.elapsed());
    for name in ["child", "daemon"] {
        assert!(is_gone(pid(name).trim()), "{name} {}", pid(name));
    }
}

#[test]
fn what_it_leaves_behind_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = format!("sleep 600 & echo $! > {:?}/child; echo '{{\"loss\": 1}}'", folder.path());
    let start = Instant::now();
    assert_eq!(shell(&script), Ok(1.0));
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    let pid = std::fs::read_to_string(folder.path().join("child")).expect("it was started");
    assert!(is_gone(pid.trim()), "{pid}");
}

/// Without its environment, out of its group, and with another parent when the program has ended.
#[test]
#[cfg(target_os = "linux")]
fn what_hides_is_killed_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let pid = || std::fs::read_to_string(folder.path().join("pid")).expect("it was started");
    let hide = |how: &str| format!("cd {:?}; {how} sh -c 'echo $$ > pid; exec sleep 600'", folder.path());
    // Known by its output only: it is nobody's child as soon as it is there.
    let script = hide("(setsid env -i") + " &); until [ -s pid ]; do :; done; echo '{\"loss\": 1}'";
    assert_eq!(shell(&script), Ok(1.0));
    assert!(is_gone(pid().trim()), "{}", pid());
    // Known as a child only.
    std::fs::remove_file(folder.path().join("pid")).expect("it was there");
    let script = hide("setsid env -i")
        + " < /dev/null > /dev/null 2>&1 & until [ -s pid ]; do sleep 0.05; done; sleep 2; echo '{\"loss\": 1}'";
    assert_eq!(shell(&script), Ok(1.0));
    assert!(is_gone(pid().trim()), "{}", pid());
}

#[test]
#[cfg(target_os = "linux")]
fn what_an_earlier_run_of_a_study_left_is_ended_when_it_goes_on() {
    use super::leftovers::{MARK, wait_for_mark};
    use crate::evaluate::Home;
    use crate::space::Key;

    let folder = tempfile::tempdir().expect("a folder");
    let study = Key::of(&folder.path().canonicalize().expect("it is there").display().to_string());
    let mut orphan = std::process::Command::new("sleep");
    let mut orphan = orphan.arg("60").env(MARK, format!("{study}-1-2.")).spawn().expect("a `sleep`");
    wait_for_mark(rustix::process::Pid::from_child(&orphan));
    let left = tempfile::Builder::new().prefix(&format!("cellwright-{study}-")).tempdir().expect("a folder");
    let told = "echo '{\"loss\": 0}'; echo $CELLWRIGHT_TRIAL $CELLWRIGHT_FOLDER >&2; exit 1";
    let command = command(&format!("program: \"sh\", args: [\"-c\", {}]", Value::from(told)));
    let evaluator = command.prepare(&space()).unwrap_or_else(|error| panic!("{error}"));
    let home = Home { folder: folder.path(), device: crate::device::Device::Cpu };
    evaluator.move_in(&home, &mut |_, _, _| true).expect("nothing is in the way");
    assert!(!orphan.wait().expect("it ends").success());
    assert!(!left.path().exists());
    let failure = evaluate(&*evaluator, &Heard::all()).unwrap_err().to_string();
    let named = [format!(": {study}-{}-", std::process::id()), format!("/cellwright-{study}-")];
    assert!(named.iter().all(|name| failure.contains(name)), "{failure}");
}

#[test]
fn scripts_without_a_first_line_are_told_what_they_lack() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("program");
    let told = |text: &str| {
        std::fs::write(&file, text).expect("a file");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
        // Other tests start processes, which hold the file open for an instant.
        let mut failures = std::iter::repeat_with(|| {
            run_heard(&command(&format!("program: {file:?}")), &Heard::all()).unwrap_err().to_string()
        });
        let failure = failures.find(|failure| !failure.contains("file busy")).expect("it is tried for ever");
        failure.replace(&folder.path().display().to_string(), "HOME")
    };
    insta::assert_snapshot!(told("print('a')\n"), @"`HOME/program` cannot be run: Exec format error (os error 8); it is no program of this machine: a script's first line names what runs it, as in `#!/bin/sh`");
    insta::assert_snapshot!(told("#!/no/such/python\n"), @"`HOME/program` cannot be run: No such file or directory (os error 2); what its first line names, to run it, is not there");
}

#[test]
fn floods_are_stopped() {
    let told = shell("yes").unwrap_err();
    assert!(
        told.starts_with("`sh` printed more than 100,000 lines and was killed; its last words: y"),
        "{told}"
    );
    let told = shell("head -c 3000000 /dev/zero; sleep 30").unwrap_err();
    assert!(told.starts_with("`sh` printed a line of more than 1 MiB and was killed"), "{told}");
    // Of errors no more than the last words is kept, and more is borne.
    assert_eq!(shell("head -c 100000000 /dev/zero >&2; echo '{\"loss\": 1}'"), Ok(1.0));
    let told = shell("head -c 300000000 /dev/zero >&2; sleep 30").unwrap_err();
    assert_eq!(told, "`sh` printed more than 256 MiB on standard error and was killed, without a word");
    let slow = "while echo talk; do :; done | head -n 20000; sleep 300";
    // A busy machine may need longer than a second for so many lines.
    let is_told = |seconds: &u32| {
        let told = shell_with(slow, &format!("seconds: {seconds}")).unwrap_err();
        let expected = format!("after {seconds} s, in which it printed 20000 lines, and was killed;");
        told.contains(&expected)
    };
    assert!([1, 5, 50].iter().any(is_told));
}

#[test]
#[cfg(target_os = "linux")]
fn too_much_memory_is_not_given() {
    // `tail` keeps what it may have to print: all of a line that never ends.
    let much = "{ head -c 300000000 /dev/zero; sleep 60; } | tail -c 200000000";
    let told = shell_with(much, "memory_mib: 100").unwrap_err();
    assert!(
        told.starts_with("`sh` took ") && told.contains(" MiB of memory, of 100, and was killed"),
        "{told}"
    );
    assert_eq!(shell_with("sleep 0.5; echo '{\"loss\": 1}'", "memory_mib: 100"), Ok(1.0));
}

#[test]
fn it_is_tried_again_as_often_as_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let count = folder.path().join("count");
    let script = format!("echo x >> {count:?}; test $(wc -l < {count:?}) -ge 3 && echo '{{\"loss\": 1}}'");
    assert_eq!(
        shell_with(&script, "retries: 1").unwrap_err(),
        "`sh` exited with code 1, without a word (the last of 2 attempts)"
    );
    assert_eq!(shell_with(&script, "retries: 1"), Ok(1.0));
}

#[test]
fn what_cannot_be_run_is_refused_before_anything_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("data.txt");
    std::fs::write(&file, "no program").expect("a file");
    let refused = |fields: &str| match command(fields).prepare(&space()) {
        Err(error @ Error::Evaluator(_)) => {
            error.to_string().replace(&folder.path().display().to_string(), "HOME")
        }
        _ => panic!("nothing is wrong with it"),
    };
    insta::assert_snapshot!(refused("program: \"no-such-program\""), @"
    the command `no-such-program` is in no folder of PATH
      hint: give the evaluator's `program` a path, or a name that your shell finds; its arguments go to `args`
    ");
    insta::assert_snapshot!(refused("program: \"./no/such/program\""), @"
    the command `./no/such/program` is not there
      hint: give the evaluator's `program` a path, or a name that your shell finds; its arguments go to `args`
    ");
    insta::assert_snapshot!(refused(&format!("program: {file:?}")), @"
    the command `HOME/data.txt` is a file that cannot be run
      hint: give the evaluator's `program` a path, or a name that your shell finds; its arguments go to `args`
    ");
    insta::assert_snapshot!(refused("program: \"sh\", seconds: -1"), @"
    a command cannot run for -1 seconds
      hint: write `seconds: 60`
    ");
    insta::assert_snapshot!(refused("program: \"sh\", seconds: 1e300"), @"
    a command cannot run for 1e300 seconds
      hint: write `seconds: 60`
    ");
    insta::assert_snapshot!(refused("program: \"\""), @"
    the command `` is in no folder of PATH
      hint: give the evaluator's `program` a path, or a name that your shell finds; its arguments go to `args`
    ");
    insta::assert_snapshot!(refused("program: \"sh\", directory: \"no/such/folder\""), @"
    the command's `directory` no/such/folder is no folder
      hint: name the folder that the program is run in, or leave it out
    ");
    let metrics = |names: &[&str]| {
        let metrics = names.iter().map(|name| name.to_string()).collect();
        match (Command { metrics, ..command("program: \"sh\"") }).prepare(&space()) {
            Err(Error::Evaluator(mistake)) => format!("{}: {}", mistake.field, mistake.problem),
            _ => panic!("nothing is wrong with {names:?}"),
        }
    };
    assert_eq!(metrics(&[]), "metrics: the evaluator `command` reports no metric");
    assert_eq!(metrics(&["loss", "step"]), "metrics: `step` says how far a program is, and so is no metric");
    assert_eq!(metrics(&["loss", "accuracy", "loss"]), "metrics: `metrics` names `loss` twice");
}
