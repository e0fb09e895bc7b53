//! Run folders in every bad state: each has its message, and nothing in them is touched.

use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use cellwright::study::{Record, StudyError};
use cellwright::{Error, Study};

use crate::kill::{child, trials};
use crate::support::{description, search, space, timeless};

const FIELDS: &str = "trials: 12, seed: 3";

/// What opening the folder says, with its name left out.
fn refusal(folder: &Path) -> String {
    let error = Study::open(folder, &space(), &description(FIELDS)).err().expect("this must not open");
    let words = error.to_string().replace(&*folder.display().to_string(), "RUN");
    assert_eq!(Error::from(error).exit_code(), 2);
    words
}

/// The names, sizes and hashes of a folder's files, but for the lock and what SQLite leaves when it reads.
fn contents(folder: &Path) -> Vec<(PathBuf, usize, u64)> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| !path.ends_with("study.lock") && !path.ends_with("study.sqlite-shm"))
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .filter(|(path, bytes)| !path.ends_with("study.sqlite-wal") || !bytes.is_empty())
        .map(|(path, bytes)| (path, bytes.len(), hash(&bytes)))
        .collect();
    files.sort();
    files
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn a_study() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    search(folder.path(), &description(FIELDS), 0).unwrap();
    folder
}

fn sql(folder: &Path, statement: &str) {
    rusqlite::Connection::open(folder.join("study.sqlite")).unwrap().execute_batch(statement).unwrap();
}

#[test]
fn another_experiment() {
    let folder = a_study();
    let before = contents(folder.path());
    let mut other = description("trials: 12, seed: 4, workers: 2");
    other.space = other.space.replace("8, 16, 32, 64", "8, 16, 32, 64, 128");
    let error = Study::open(folder.path(), &space(), &other).err().unwrap().to_string();
    insta::assert_snapshot!(error.replace(&*folder.path().display().to_string(), "RUN"), @"
    the study in `RUN` is of another experiment:
      experiment.seed: stored `3`, asked for `4`
      experiment.workers: stored `1`, asked for `2`
      space.training.batch[0][4]: asked for `128`, which is not stored
    choose another folder, or ask for the stored experiment
    ");
    assert_eq!(contents(folder.path()), before);
}

#[test]
fn a_newer_version() {
    let folder = a_study();
    sql(folder.path(), "PRAGMA user_version = 99");
    let before = contents(folder.path());
    insta::assert_snapshot!(refusal(folder.path()), @"the study in `RUN` has format 99, and this release knows formats up to 2: use the newer release that wrote it, or choose another folder");
    assert!(matches!(Record::read(folder.path()), Err(StudyError::Newer { found: 99, known: 2, .. })));
    assert_eq!(contents(folder.path()), before);
}

#[test]
fn an_older_format_is_gone_on_with() {
    let folder = a_study();
    let before = Record::read(folder.path()).unwrap();
    let columns = ["curve", "stopped_at", "expected"];
    columns.iter().for_each(|it| sql(folder.path(), &format!("ALTER TABLE trials DROP COLUMN {it}")));
    sql(folder.path(), "PRAGMA user_version = 1");
    assert!(matches!(Record::read(folder.path()), Err(StudyError::Older { found: 1, known: 2, .. })));
    assert_eq!(search(folder.path(), &description(FIELDS), 0).unwrap(), before);
    assert_eq!(Record::read(folder.path()).unwrap(), before);
}

#[test]
fn a_folder_that_is_not_a_study() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("thesis.tex"), "years of work").unwrap();
    insta::assert_snapshot!(refusal(folder.path()), @"`RUN` is not a run folder: it holds `thesis.tex` and no study; choose an empty or a new folder");
    assert!(!folder.path().join("study.lock").exists());
    assert!(matches!(Record::read(folder.path()), Err(StudyError::Missing { .. })));

    let folder = tempfile::tempdir().unwrap();
    sql(folder.path(), "CREATE TABLE trials (a); INSERT INTO trials VALUES (1)");
    let before = contents(folder.path());
    insta::assert_snapshot!(refusal(folder.path()), @"`RUN` is not a run folder: `study.sqlite` there is another program's database; choose an empty or a new folder");
    assert_eq!(contents(folder.path()), before);
}

#[test]
fn nothing_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let error = Record::read(&folder.path().join("none")).unwrap_err();
    assert!(error.to_string().contains("there is no study in"), "{error}");
    assert!(!folder.path().join("none").exists());
}

#[test]
fn a_beginning_that_was_killed_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("study.sqlite"), "").unwrap();
    std::fs::write(folder.path().join("study.lock"), "123\n").unwrap();
    assert!(matches!(Record::read(folder.path()), Err(StudyError::Missing { .. })));
    assert_eq!(search(folder.path(), &description(FIELDS), 0).unwrap().trials.len(), 12);
}

#[test]
fn a_damaged_database() {
    let folder = a_study();
    let path = folder.path().join("study.sqlite");
    let whole = std::fs::read(&path).unwrap();
    let noise = |at: usize| whole.iter().enumerate().map(move |(i, b)| if i < at { *b } else { b ^ 0x5a });
    for (name, bytes) in [
        ("all noise", noise(0).collect::<Vec<u8>>()),
        ("noise after the first page", noise(4096).collect()),
        ("cut in half", whole[..whole.len() / 2].to_vec()),
        ("not a database", b"once upon a time there was a study of cells ".repeat(200)),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        let words = refusal(folder.path());
        assert!(
            words.contains("is damaged") && words.contains("bring `study.sqlite` back"),
            "{name}: {words}"
        );
        assert!(std::fs::read(&path).unwrap() == bytes, "{name}");
    }
    std::fs::write(&path, whole).unwrap();
    assert_eq!(search(folder.path(), &description(FIELDS), 0).unwrap().trials.len(), 12);
}

#[test]
fn rows_that_make_no_sense() {
    for (statement, words) in [
        ("UPDATE trials SET genotype = '((' WHERE id = 3", "is damaged"),
        ("UPDATE trials SET metrics = '{\"a\": ' WHERE id = 3", "is damaged"),
        ("DELETE FROM trials WHERE id = 3", "trial 3 is missing"),
        ("UPDATE study SET experiment = '(('", "is damaged"),
        ("UPDATE study SET experiment = '(evaluator: Oracle)'", "this build cannot read its experiment"),
    ] {
        let folder = a_study();
        sql(folder.path(), statement);
        sql(folder.path(), "UPDATE trials SET state = 'finished' WHERE metrics IS NOT NULL");
        let words_met = refusal(folder.path());
        assert!(words_met.contains(words), "{statement}: {words_met}");
    }
}

#[test]
fn a_file_in_place_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    std::fs::write(&path, "a file").unwrap();
    let words = refusal(&path);
    assert!(words.starts_with("`RUN` is not a run folder: it is a file; choose"), "{words}");
    assert_eq!(std::fs::read(&path).unwrap(), b"a file");
}

/// A file system of its own; `None` where this machine does not allow it.
#[cfg(target_os = "linux")]
struct Disk {
    place: tempfile::TempDir,
}

#[cfg(target_os = "linux")]
impl Disk {
    fn new(kilobytes: u32) -> Option<Disk> {
        let place = tempfile::tempdir().unwrap();
        let mounted = mount(&["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "tmpfs"], place.path());
        if !mounted {
            println!("skipped: this user may not mount a file system");
        }
        mounted.then_some(Disk { place })
    }

    fn change(&self, options: &str) {
        assert!(mount(&["-o", &format!("remount,{options}")], self.place.path()));
    }
}

#[cfg(target_os = "linux")]
impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.place.path()).status();
    }
}

#[cfg(target_os = "linux")]
fn mount(arguments: &[&str], place: &Path) -> bool {
    let status =
        Command::new("mount").args(arguments).arg(place).stderr(std::process::Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_folder_can_be_read_and_not_searched_in() {
    let Some(disk) = Disk::new(2000) else { return };
    let folder = disk.place.path().join("run");
    let stored = search(&folder, &description(FIELDS), 0).unwrap();
    disk.change("ro");
    let words = refusal(&folder);
    assert!(words.starts_with("cannot write in the run folder `RUN`: "), "{words}");
    let words = refusal(&disk.place.path().join("new"));
    assert!(words.starts_with("cannot write in the run folder `RUN`: "), "{words}");
    assert_eq!(Record::read(&folder).unwrap().trials, stored.trials);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_nothing() {
    let whole = search(tempfile::tempdir().unwrap().path(), &description("trials: 400"), 0).unwrap();
    let Some(disk) = Disk::new(200) else { return };
    let folder = disk.place.path().join("run");
    let error = search(&folder, &description("trials: 400"), 0).unwrap_err();
    assert!(matches!(error, StudyError::Full { .. }), "{error}");
    assert!(error.to_string().contains("all trials stored so far are safe"), "{error}");
    let safe = Record::read(&folder).unwrap().trials.len();
    assert!(safe > 10, "{safe}");
    disk.change("size=8m");
    let on = search(&folder, &description("trials: 400"), 0).unwrap();
    assert_eq!(timeless(&on.trials), timeless(&whole.trials));
}

#[cfg(unix)]
#[test]
fn a_file_size_limit_is_a_full_disk() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    let command = child("3", &folder);
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 400; exec \"$0\" \"$@\""]);
    limited.arg(command.get_program()).args(command.get_args());
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = limited.output().unwrap();
    let error = std::fs::read_to_string(folder.with_extension("error"));
    let error = error.unwrap_or_else(|_| panic!("the limit was never met: {output:?}"));
    assert!(error.contains("all trials stored so far are safe"), "{error}");
    assert_eq!(output.status.code(), Some(2));
    let before = Record::read(&folder).unwrap().trials;
    assert!(child("3", &folder).status().unwrap().success());
    let after = Record::read(&folder).unwrap().trials;
    assert_eq!(after.len(), trials(3));
    let kept = before.iter().filter(|trial| trial.seconds > 0.0);
    assert!(kept.clone().count() > 3 && kept.into_iter().all(|trial| after.contains(trial)));
}
