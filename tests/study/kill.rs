//! Kill -9 in a loop: what has ended is never lost and never done again, and the search comes out the same.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use cellwright::study::{Description, Event, Record};
use cellwright::trial::{Trial, TrialId, TrialState};
use rand::RngExt;

use crate::retrain::retrain_slowly;
use crate::support::{description, search, search_until, timeless};

const CHILD: &str = "CELLWRIGHT_STUDY_TEST_CHILD";
const MILLISECONDS: u64 = 30;
/// How many milliseconds a child lives at most, as long as each of them comes further.
const PATIENCE: u64 = 50;

/// So many that it takes a child's lifetime twenty times over.
pub fn trials(workers: usize) -> usize {
    150 * workers
}

fn experiment(workers: usize) -> Description {
    description(&format!("trials: {}, seed: 3, workers: {workers}", trials(workers)))
}

/// A command that runs this very program as a child: `work` is a number of workers that search, `retrain` or `stopping`.
pub fn child(work: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["kill::works_in_a_child", "--exact", "--ignored", "--nocapture"]);
    command.env(CHILD, format!("{work} {}", folder.display()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Not a test of its own: what the children of the other tests do.
#[test]
#[ignore = "the other tests start it"]
fn works_in_a_child() {
    let Ok(order) = std::env::var(CHILD) else { return };
    let (work, folder) = order.split_once(' ').unwrap();
    match work {
        "retrain" => retrain_slowly(Path::new(folder)),
        "stopping" => crate::stopping::search_slowly(Path::new(folder)),
        workers => search_slowly(Path::new(folder), workers.parse().unwrap()),
    }
}

fn search_slowly(folder: &Path, workers: usize) {
    let mut log =
        std::fs::OpenOptions::new().append(true).create(true).open(folder.with_extension("log")).unwrap();
    let mut listen = |event: &Event| {
        if let Event::Started { trial } = event {
            log.write_all(format!("{}\n", trial.id).as_bytes()).unwrap();
        }
    };
    let stop = AtomicBool::new(false);
    let result = search_until(folder, &experiment(workers), MILLISECONDS, &stop, &mut listen);
    if let Err(problem) = result {
        std::fs::write(folder.with_extension("error"), problem.to_string()).unwrap();
        std::process::exit(2);
    }
}

/// Starts a child and kills it after a time; `false` where it ended in time by itself.
pub fn lives(mut command: Command, time: Duration) -> bool {
    let mut child = command.spawn().unwrap();
    let end = std::time::Instant::now() + time;
    while std::time::Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    true
}

#[test]
fn one_worker_survives_kills() {
    survives_kills(1);
}

#[test]
fn three_workers_survive_kills() {
    survives_kills(3);
}

fn survives_kills(workers: usize) {
    let home = tempfile::tempdir().unwrap();
    let undisturbed = search(&home.path().join("undisturbed"), &experiment(workers), MILLISECONDS).unwrap();

    let folder = home.path().join("killed");
    let mut rng = cellwright::Seed(workers as u64).stream(0, "kill");
    let (mut kills, mut patience, mut known) = (0, PATIENCE, Vec::new());
    loop {
        let started = started(&folder).len();
        // After so many, the last child may take its time.
        let longest = if kills < 60 { patience } else { 100 * patience };
        let time = Duration::from_millis(rng.random_range(5..longest));
        if !lives(child(&workers.to_string(), &folder), time) {
            break;
        }
        kills += 1;
        let now = ended(&folder);
        // A busy machine may need longer than that to start a process at all.
        patience = if now.len() > known.len() { PATIENCE } else { patience * 3 / 2 };
        check(&known, &now, &self::started(&folder)[started..]);
        known = now;
    }
    assert!(kills >= 20, "only {kills} kills");
    let record = Record::read(&folder).unwrap();
    assert_eq!(timeless(&record.trials), timeless(&undisturbed.trials));
    println!("{workers} workers: {kills} kills, {} evaluations begun", started(&folder).len());
}

/// All that ended before is as it was, to the last bit, and was not begun again.
fn check(before: &[Trial], now: &[Trial], started: &[TrialId]) {
    let done: HashSet<TrialId> = before.iter().map(|trial| trial.id).collect();
    let kept: Vec<&Trial> = now.iter().filter(|trial| done.contains(&trial.id)).collect();
    assert_eq!(kept, before.iter().collect::<Vec<_>>());
    assert!(started.iter().all(|id| !done.contains(id)), "{started:?} were begun, {done:?} had ended");
    assert_eq!(started.iter().collect::<HashSet<_>>().len(), started.len(), "begun twice in one run");
}

fn ended(folder: &Path) -> Vec<Trial> {
    match Record::read(folder) {
        Ok(record) => record.trials.into_iter().filter(|trial| trial.state != TrialState::Pending).collect(),
        // Killed before the study was begun.
        Err(_) => Vec::new(),
    }
}

fn started(folder: &Path) -> Vec<TrialId> {
    let log = std::fs::read_to_string(folder.with_extension("log")).unwrap_or_default();
    log.lines().map(|line| line.parse().unwrap()).collect()
}

#[test]
fn two_processes_on_one_folder() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let mut first = child("1", &folder).spawn().unwrap();
    while ended(&folder).is_empty() {
        assert!(first.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(Duration::from_millis(5));
    }
    let refused = search(&folder, &experiment(1), MILLISECONDS).unwrap_err().to_string();
    assert!(refused.contains(&format!("is in use by process {};", first.id())), "{refused}");
    assert!(!Record::read(&folder).unwrap().trials.is_empty(), "looking is allowed");
    assert!(first.wait().unwrap().success(), "the first was not disturbed");
    search(&folder, &experiment(1), MILLISECONDS).unwrap();
}

/// The space of the command's test: the real evaluator and algorithm, no training.
const FILE: &str = "Space(
    name: \"killed\",
    program: (
        task: (input: (1, 8, 8), classes: 10),
        architecture: Sequential([
            Conv(kernel: OneOf([1, 3, 5]), channels: Int(4, 64)),
            SepConv(kernel: OneOf([3, 5, 7]), channels: Int(4, 64)),
        ]),
        training: (),
    ),
    experiment: (
        evaluator: Cost(()),
        algorithm: RegularizedEvolution(),
        objectives: [Maximize(\"params\"), Minimize(\"macs\")],
        trials: 6000, seed: 9, workers: 2, retrain: (top: 0),
    ),
)";

#[test]
fn the_command_survives_kills() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("space.ron");
    std::fs::write(&file, FILE).unwrap();
    let command = |folder: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cellwright"));
        command.arg("search").arg(&file).arg("--run").arg(folder).arg("--no-retrain");
        command.current_dir(home.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let (calm, killed) = (home.path().join("calm"), home.path().join("killed"));
    assert!(command(&calm).status().unwrap().success());
    let (mut kills, mut time) = (0, 10);
    while lives(command(&killed), Duration::from_millis(time)) {
        (kills, time) = (kills + 1, time * 11 / 10 + 1);
    }
    assert!(kills >= 10, "{kills} kills");
    let (calm, killed) = (Record::read(&calm).unwrap(), Record::read(&killed).unwrap());
    assert_eq!(calm.trials.len(), 6000);
    assert_eq!(timeless(&killed.trials), timeless(&calm.trials));
}
