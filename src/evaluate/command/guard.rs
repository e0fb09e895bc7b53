//! What outlives us: a shell that ends a trial's program where this process cannot any more.
//!
//! Nothing that runs in a process can clean up after a `kill -9` of it. So each trial has a small shell beside it that
//! waits for its standard input to end, which happens however this process dies; then it kills the program's group,
//! its children and theirs, and whatever carries the trial's mark, and removes the trial's temporary folder. It is told
//! when there is nothing to do.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::Pid;

use super::leftovers::MARK;

/// Its arguments are the variable with its value, and a folder or nothing. Several rounds, for what is killed may have
/// started something meanwhile.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
leader=
while read -r word; do
    case $word in
        done) exit 0 ;;
        *) leader=$word ;;
    esac
done
family=
parents=$leader
while [ -n "$parents" ]; do
    family="$family $parents"
    children=
    for process in $parents; do
        children="$children $(cat /proc/"$process"/task/*/children)"
    done
    parents=$(echo $children)
done
[ -z "$leader" ] || kill -s KILL -- "-$leader" $family
for round in 1 2 3; do
    for file in $(grep -lsF -- "$1" /proc/[0-9]*/environ); do
        process=${file#/proc/}
        kill -s KILL "${process%/environ}"
    done
done
[ -z "$2" ] || rm -rf -- "$2"
"#;

/// The shell beside a trial. Dropped, it goes without doing anything.
pub(super) struct Guard(Child);

impl Guard {
    /// Starts it, for a trial's mark and the folder that goes with the trial.
    pub fn start(mark: &str, folder: Option<&Path>) -> std::io::Result<Guard> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "cellwright guard", &format!("{MARK}={mark}")]);
        command.arg(folder.unwrap_or(Path::new("")));
        // Where we are ourselves part of a trial, it is not: it has to do its work when that trial is killed.
        command.env_remove(MARK).current_dir("/").process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(Guard)
    }

    /// Names the leader of the group that is to be killed.
    pub fn watch(&mut self, leader: Pid) {
        self.tell(&leader.as_raw_pid().to_string());
    }

    fn tell(&mut self, word: &str) {
        // A guard that somebody killed hears nothing; the trial goes on without it.
        let _ = self.0.stdin.as_mut().map(|input| writeln!(input, "{word}"));
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.tell("done");
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};

    use super::*;

    /// A sleeping process with a mark, in a group of its own.
    fn sleeper(mark: &str) -> Child {
        let mut command = Command::new("sleep");
        let sleeper = command.arg("60").env(MARK, mark).process_group(0).spawn().expect("there is a `sleep`");
        #[cfg(target_os = "linux")]
        crate::evaluate::command::leftovers::wait_for_mark(Pid::from_child(&sleeper));
        sleeper
    }

    #[test]
    fn what_loses_its_watcher_is_ended_with_its_folder() {
        let folder = tempfile::tempdir().expect("a folder").keep();
        std::fs::write(folder.join("data"), "much").expect("a file");
        // Another run of this test may be under way on this machine.
        let mark = format!("guard-test-{}-1", std::process::id());
        let mut guard = Guard::start(&format!("{mark}."), Some(&folder)).expect("a shell");
        let mut parent = Command::new("sh");
        parent.args(["-c", "setsid env -i sleep 60 & echo $!; wait"]).stdout(Stdio::piped()).process_group(0);
        let mut leader = parent.spawn().expect("there is a shell");
        let mut child = String::new();
        let mut told = BufReader::new(leader.stdout.take().expect("piped"));
        told.read_line(&mut child).expect("it says which");
        let (mut strayed, mut other) = (sleeper(&format!("{mark}.")), sleeper(&format!("{mark}1.")));
        guard.watch(Pid::from_child(&leader));
        // Its input ends, as it does when this process dies.
        drop(guard.0.stdin.take());
        assert!(!leader.wait().expect("it ends").success());
        assert!(!strayed.wait().expect("it ends").success());
        guard.0.wait().expect("it ends");
        assert!(!folder.exists());
        // The child had the output, too, which ends with it.
        #[cfg(target_os = "linux")]
        assert_eq!(told.read_line(&mut child).expect("it can be read"), 0, "{child}");
        assert!(other.try_wait().expect("it is a child").is_none(), "another trial's goes on");
        other.kill().and_then(|()| other.wait()).expect("it is killed");
    }

    #[test]
    fn what_has_ended_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut leader = sleeper("-");
        let mark = format!("guard-test-{}-2.", std::process::id());
        let mut guard = Guard::start(&mark, Some(folder.path())).expect("a shell");
        guard.watch(Pid::from_child(&leader));
        drop(guard);
        assert!(folder.path().exists() && leader.try_wait().expect("it is a child").is_none());
        leader.kill().and_then(|()| leader.wait()).expect("it is killed");
    }
}
