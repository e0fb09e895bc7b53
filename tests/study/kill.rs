//! Kill -9 in a loop: what has ended is never lost and never done again, and the search comes out the same.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use cellwright::study::{Description, Event, Record};
use cellwright::trial::{Trial, TrialId, TrialState};
use rand::RngExt;

use crate::support::{description, search, search_until, timeless};

const CHILD: &str = "CELLWRIGHT_STUDY_TEST_CHILD";
const MILLISECONDS: u64 = 30;
/// How many milliseconds a child lives at most, as long as each of them comes further.
const PATIENCE: u64 = 50;

fn experiment(workers: usize) -> Description {
    description(&format!("trials: 150, seed: 3, workers: {workers}"))
}

/// A command that runs this very program as a child that searches in `folder`.
pub fn child(folder: &Path, workers: usize) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["kill::searches_in_a_child", "--exact", "--ignored", "--nocapture"]);
    command.env(CHILD, format!("{workers} {}", folder.display()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Not a test of its own: what the children of the other tests do.
#[test]
#[ignore = "the other tests start it"]
fn searches_in_a_child() {
    let Ok(order) = std::env::var(CHILD) else { return };
    let (workers, folder) = order.split_once(' ').unwrap();
    let folder = PathBuf::from(folder);
    let mut log =
        std::fs::OpenOptions::new().append(true).create(true).open(folder.with_extension("log")).unwrap();
    let mut listen = |event: &Event| {
        if let Event::Started { trial } = event {
            log.write_all(format!("{}\n", trial.id).as_bytes()).unwrap();
        }
    };
    let description = experiment(workers.parse().unwrap());
    let result = search_until(&folder, &description, MILLISECONDS, &AtomicBool::new(false), &mut listen);
    if let Err(problem) = result {
        std::fs::write(folder.with_extension("error"), problem.to_string()).unwrap();
        std::process::exit(2);
    }
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
        let mut child = child(&folder, workers).spawn().unwrap();
        let finished = wait(&mut child, Duration::from_millis(rng.random_range(5..patience)));
        if finished {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        let now = ended(&folder);
        // A busy machine may need longer than that to start a process at all.
        patience = if now.len() > known.len() { PATIENCE.max(patience - 20) } else { patience + 40 };
        check(&known, &now, &self::started(&folder)[started..]);
        known = now;
    }
    assert!(kills >= 20, "only {kills} kills");
    let record = Record::read(&folder).unwrap();
    assert_eq!(timeless(&record.trials), timeless(&undisturbed.trials));
    println!("{workers} workers: {kills} kills, {} evaluations begun", started(&folder).len());
}

/// Whether the child ends in time by itself.
fn wait(child: &mut Child, time: Duration) -> bool {
    let end = std::time::Instant::now() + time;
    while std::time::Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return true;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    false
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
    let mut first = child(&folder, 1).spawn().unwrap();
    while ended(&folder).is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let refused = search(&folder, &experiment(1), MILLISECONDS).unwrap_err().to_string();
    assert!(refused.contains(&format!("is in use by process {};", first.id())), "{refused}");
    assert!(!Record::read(&folder).unwrap().trials.is_empty(), "looking is allowed");
    assert!(first.wait().unwrap().success(), "the first was not disturbed");
    search(&folder, &experiment(1), MILLISECONDS).unwrap();
}
