//! What a program has started: the memory that all of it takes, and the end of all of it.
//!
//! A program and its children share a process group, which is killed as one. A child that has left the group, as daemons
//! do, is known by the variable that it inherited; that is looked for where there is a `/proc`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// The variable by which everything that a trial has started is known.
pub(super) const MARK: &str = "CELLWRIGHT_TRIAL";

/// Rounds of killing what was started while the round before went on.
const ROUNDS: usize = 20;

/// A program with all that it has started.
pub(super) struct Family {
    /// The program, which leads its process group.
    pub leader: Pid,
    /// What the variable holds: this trial's own word.
    pub mark: String,
}

impl Family {
    /// Asks the group to end.
    pub fn ask_to_end(&self) {
        // What is gone already needs no asking.
        let _ = kill_process_group(self.leader, Signal::TERM);
    }

    /// Kills the group and whatever has left it.
    pub fn kill(&self) {
        let _ = kill_process_group(self.leader, Signal::KILL);
        for _ in 0..ROUNDS {
            let left: Vec<Pid> = processes().filter(|process| self.has_marked(*process)).collect();
            if left.is_empty() {
                return;
            }
            for process in left {
                let _ = kill_process(process, Signal::KILL);
            }
        }
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
        if group != Some(self.leader.as_raw_pid()) && !self.has_marked(process) {
            return None;
        }
        let kibibytes: u64 = field("VmRSS:")?.split_whitespace().next()?.parse().ok()?;
        Some(kibibytes << 10)
    }

    /// Whether a process has inherited the variable.
    fn has_marked(&self, process: Pid) -> bool {
        let Ok(variables) = std::fs::read(proc(process).join("environ")) else { return false };
        let ours = format!("{MARK}={}", self.mark);
        variables.split(|byte| *byte == 0).any(|variable| OsStr::from_bytes(variable) == ours.as_str())
    }
}

fn proc(process: Pid) -> PathBuf {
    PathBuf::from(format!("/proc/{}", process.as_raw_pid()))
}

/// All processes there are; none where there is no `/proc`.
fn processes() -> impl Iterator<Item = Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
}
