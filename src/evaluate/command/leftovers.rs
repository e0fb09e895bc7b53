//! What a program has started: the memory that all of it takes, and the end of all of it.
//!
//! A program and its children share a process group, which is killed as one. A child that has left the group, as daemons
//! do, is known by any of these, where there is a `/proc`: the variable that it inherited; a parent of the family, while it
//! had one; the program's input or output, which it still holds. What has given up all of them cannot be told from other
//! people's processes, and lives.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, getpid, kill_process, kill_process_group};

/// The variable by which everything that a trial has started is known.
pub(super) const MARK: &str = "CELLWRIGHT_TRIAL";

/// Rounds of killing what was started while the round before went on.
const ROUNDS: usize = 20;

/// A program with all that it has started.
pub(super) struct Family {
    /// The program, which leads its process group.
    leader: Pid,
    /// What the variable holds: this trial's own word.
    mark: String,
    /// What the system calls the pipes to and from the program.
    pipes: Vec<PathBuf>,
    /// Children and their children, as they were met, with when each began: numbers are given again.
    met: HashMap<Pid, u64>,
}

impl Family {
    pub fn new(leader: Pid, mark: String, pipes: [Option<PathBuf>; 3]) -> Family {
        Family { leader, mark, pipes: pipes.into_iter().flatten().collect(), met: HashMap::new() }
    }

    /// Asks the group to end.
    pub fn ask_to_end(&self) {
        // What is gone already needs no asking.
        let _ = kill_process_group(self.leader, Signal::TERM);
    }

    /// Makes the acquaintance of children and their children: one whose parent ends is nobody's child any more.
    pub fn meet(&mut self) {
        let mut parents: Vec<Pid> = vec![self.leader];
        parents.extend(self.met.keys().filter(|process| self.has_met(**process)));
        while let Some(parent) = parents.pop() {
            for child in children(parent) {
                if let Some(status) = Status::of(child)
                    && self.met.insert(child, status.began) != Some(status.began)
                {
                    parents.push(child);
                }
            }
        }
    }

    /// Kills the group and whatever has left it.
    pub fn kill(&mut self) {
        self.meet();
        let _ = kill_process_group(self.leader, Signal::KILL);
        kill_all(|process| self.has_met(process) || self.has_marked(process) || self.holds_pipe(process));
    }

    /// Bytes of memory that all of it takes now.
    pub fn memory(&self) -> u64 {
        processes().filter_map(|process| self.memory_of(process)).sum()
    }

    /// Bytes of memory of one process, if it is one of the family.
    fn memory_of(&self, process: Pid) -> Option<u64> {
        let status = std::fs::read_to_string(proc(process).join("status")).ok()?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let group = field("NSpgid:").and_then(|groups| groups.split_whitespace().last()?.parse().ok());
        let is_ours = group == Some(self.leader.as_raw_pid());
        if !is_ours && !self.has_met(process) && !self.has_marked(process) {
            return None;
        }
        let kibibytes: u64 = field("VmRSS:")?.split_whitespace().next()?.parse().ok()?;
        Some(kibibytes << 10)
    }

    /// Whether a process was met as a child, and lives.
    fn has_met(&self, process: Pid) -> bool {
        let Some(began) = self.met.get(&process) else { return false };
        Status::of(process).is_some_and(|status| status.began == *began && status.lives)
    }

    /// Whether a process has inherited the variable.
    fn has_marked(&self, process: Pid) -> bool {
        mark_of(process).is_some_and(|mark| mark == self.mark.as_bytes())
    }

    /// Whether a process reads from, or writes to, where the program does.
    fn holds_pipe(&self, process: Pid) -> bool {
        let held = |number: u8| std::fs::read_link(proc(process).join("fd").join(number.to_string())).ok();
        (0..3).filter_map(held).any(|pipe| self.pipes.contains(&pipe))
    }
}

/// Kills whatever the trials of a study left when the process that had started them was killed.
pub(super) fn kill_all_of(study: &str) {
    kill_all(|process| mark_of(process).is_some_and(|mark| mark.starts_with(study.as_bytes())));
}

fn kill_all(is_left: impl Fn(Pid) -> bool) {
    for _ in 0..ROUNDS {
        let left: Vec<Pid> = processes().filter(|process| is_left(*process)).collect();
        if left.is_empty() {
            return;
        }
        for process in left {
            let _ = kill_process(process, Signal::KILL);
        }
    }
}

/// What the variable holds that a process has inherited.
fn mark_of(process: Pid) -> Option<Vec<u8>> {
    let variables = std::fs::read(proc(process).join("environ")).ok()?;
    let marked =
        |variable: &[u8]| variable.strip_prefix(MARK.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec);
    variables.split(|byte| *byte == 0).find_map(marked)
}

/// Waits until a process that has just been started shows the variable: it does so a little after its start.
#[cfg(all(test, target_os = "linux"))]
pub(super) fn wait_for_mark(process: Pid) {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while mark_of(process).is_none() {
        assert!(std::time::Instant::now() < until, "{process:?} has no mark");
        std::thread::yield_now();
    }
}

/// What the system calls an open pipe; `None` where there is no `/proc`.
pub(super) fn pipe_of(end: &Option<impl AsFd>) -> Option<PathBuf> {
    let number = end.as_ref()?.as_fd().as_raw_fd();
    let name = std::fs::read_link(Path::new("/proc/self/fd").join(number.to_string())).ok()?;
    let is_pipe = name.as_os_str().as_bytes().starts_with(b"pipe:");
    is_pipe.then_some(name)
}

/// What the system tells of a process.
struct Status {
    /// When it began, in the system's own unit.
    began: u64,
    /// Whether it is more than a zombie.
    lives: bool,
}

impl Status {
    fn of(process: Pid) -> Option<Status> {
        let text = std::fs::read(proc(process).join("stat")).ok()?;
        // The name, in parentheses, may hold anything.
        let end = text.iter().rposition(|byte| *byte == b')')?;
        let text = OsStr::from_bytes(&text[end + 1..]).to_str()?;
        let mut fields = text.split_whitespace();
        let state = fields.next()?;
        Some(Status { began: fields.nth(18)?.parse().ok()?, lives: !matches!(state, "Z" | "X") })
    }
}

/// The children of all threads of a process.
fn children(process: Pid) -> Vec<Pid> {
    let threads = std::fs::read_dir(proc(process).join("task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(pid).collect::<Vec<Pid>>()).collect()
}

fn pid(number: &str) -> Option<Pid> {
    Pid::from_raw(number.parse().ok()?)
}

fn proc(process: Pid) -> PathBuf {
    PathBuf::from(format!("/proc/{}", process.as_raw_pid()))
}

/// All processes there are but this one; none where there is no `/proc`.
fn processes() -> impl Iterator<Item = Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| pid(entry.file_name().to_str()?));
    numbers.filter(|process| *process != getpid())
}
