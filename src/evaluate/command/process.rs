//! One run of a program, from its start to the end of all that it has started.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use rustix::process::Pid;

use super::guard::Guard;
use super::leftovers::{Family, MARK, pipe_of};
use super::metrics::{Figures, Line};
use super::output::{Heard, Output};
use crate::evaluate::{Failure, Progress};

/// How often a silent program is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// How often its memory is: that takes a look at every process there is.
const WEIGH: Duration = Duration::from_millis(200);

/// How often its children are met.
const MEET: Duration = Duration::from_millis(100);

/// Lines that are heard between two looks at the program.
const BATCH: usize = 1000;

/// How long a program may take to end when it is asked to: to write down what it has learnt, on however busy a machine.
const GRACE: Duration = Duration::from_secs(5);

/// How long its output may take to arrive when all that held it has ended: as long as a busy machine needs to read it.
const ARRIVAL: Duration = Duration::from_secs(10);

/// What a run may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub time: Duration,
    /// In bytes.
    pub memory: Option<u64>,
}

/// What to run.
pub(super) struct Order<'a> {
    /// What its user calls it.
    pub name: &'a str,
    pub program: &'a Path,
    pub args: &'a [String],
    pub environment: &'a IndexMap<String, String>,
    pub directory: Option<&'a Path>,
    /// The trial's own folder.
    pub folder: &'a Path,
    /// Whether the folder goes with the trial.
    pub passing: bool,
    /// The word for the study, with which the marks of all its trials begin.
    pub study: &'a str,
    /// What is written to its standard input.
    pub input: String,
    pub limits: Limits,
}

/// How a run ended.
enum End {
    /// By itself.
    Exited(ExitStatus),
    /// Somebody asked the trial to stop.
    Stopped,
    /// It was killed, and why.
    Killed(String),
}

/// Runs a program to its end and takes in what it prints.
///
/// # Errors
/// [`Failure::Candidate`] with its last words where it fails in any way, [`Failure::Stopped`] where it was asked to stop.
pub(super) fn run(order: Order, figures: &mut Figures, progress: &dyn Progress) -> Result<(), Failure> {
    let name = order.name;
    let failed = |error: std::io::Error| {
        Failure::Candidate(format!("`{name}` cannot be run: {error}{}", next_step(&error)))
    };
    let mut run = Run::start(order).map_err(failed)?;
    let end = run.follow(figures, progress);
    let end = run.finish(end, figures, progress);
    let said = match run.output.last_words() {
        words if words.is_empty() => ", without a word".to_owned(),
        words => format!("; its last words: {words}"),
    };
    let told = |what: String| Err(Failure::Candidate(format!("`{name}` {what}{said}")));
    match (end.map_err(failed)?, figures.missing()) {
        (End::Stopped, _) => Err(Failure::Stopped),
        (End::Killed(why), _) => told(why),
        (End::Exited(status), _) if !status.success() => told(exit(status)),
        (End::Exited(_), Some(metric)) => told(format!("ended without having reported `{metric}`")),
        (End::Exited(_), None) => match figures.not_a_number() {
            Some(metric) => told(format!("reported that `{metric}` is not a number: it diverged")),
            None => Ok(()),
        },
    }
}

/// What to do about a program that is there and that the system refuses.
fn next_step(error: &std::io::Error) -> &'static str {
    match rustix::io::Errno::from_io_error(error) {
        Some(rustix::io::Errno::NOEXEC) => {
            "; it is no program of this machine: a script's first line names what runs it, as in `#!/bin/sh`"
        }
        Some(rustix::io::Errno::NOENT) => "; what its first line names, to run it, is not there",
        _ => "",
    }
}

/// `exited with code 3`, or the signal that ended it.
fn exit(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exited with code {code}"),
        None => format!("was ended by {}", status.to_string().replacen("signal: ", "signal ", 1)),
    }
}

/// A program that runs. Dropped, it is killed.
struct Run {
    child: Child,
    family: Family,
    /// Goes last.
    _guard: Guard,
    output: Output,
    limits: Limits,
    start: Instant,
}

impl Drop for Run {
    fn drop(&mut self) {
        self.family.kill();
        // The zombie, if it is one: whatever this says, it is gone.
        let _ = self.child.wait();
    }
}

impl Run {
    fn start(order: Order) -> std::io::Result<Run> {
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        // It ends in what is in none of its parts, so that no trial's is the beginning of another's.
        let mark = format!("{}-{}-{number}.", order.study, std::process::id());
        let mut command = Command::new(order.program);
        command.args(order.args).envs(order.environment).env(MARK, &mark);
        command.env("CELLWRIGHT_FOLDER", order.folder);
        if let Some(directory) = order.directory {
            command.current_dir(directory);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut guard = Guard::start(&mark, order.passing.then_some(order.folder))?;
        let start = Instant::now();
        let mut child = command.process_group(0).spawn()?;
        let leader = Pid::from_child(&child);
        guard.watch(leader);
        let (input, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let mut family = Family::new(leader, mark, [pipe_of(&input), pipe_of(&out), pipe_of(&err)]);
        let listening = match (out, err) {
            (Some(out), Some(err)) => Output::listen(out, err),
            _ => Err(std::io::Error::other("its output was not caught")),
        };
        let fed = listening.and_then(|output| feed(input, order.input).map(|()| output));
        match fed {
            Ok(output) => Ok(Run { child, family, _guard: guard, output, limits: order.limits, start }),
            Err(error) => {
                family.kill();
                child.wait().and(Err(error))
            }
        }
    }

    /// Takes in what is printed until the program ends, or has to.
    fn follow(&mut self, figures: &mut Figures, progress: &dyn Progress) -> std::io::Result<End> {
        let (mut weighed, mut met) = (self.start, self.start);
        loop {
            if let Some(end) = self.listen(figures, progress) {
                return Ok(end);
            }
            if met.elapsed() > MEET {
                met = Instant::now();
                self.family.meet();
            }
            if let Some(status) = self.child.try_wait()? {
                return Ok(End::Exited(status));
            }
            if progress.should_stop() {
                return Ok(End::Stopped);
            }
            if self.start.elapsed() > self.limits.time {
                let (seconds, volume) = (self.limits.time.as_secs_f64(), self.output.volume());
                return Ok(End::Killed(format!("had not ended after {seconds} s{volume} and was killed")));
            }
            if let Some(limit) = self.limits.memory.filter(|_| weighed.elapsed() > WEIGH) {
                weighed = Instant::now();
                let taken = self.family.memory();
                if taken > limit {
                    let [taken, limit] = [taken, limit].map(|bytes| bytes >> 20);
                    return Ok(End::Killed(format!(
                        "took {taken} MiB of memory, of {limit}, and was killed"
                    )));
                }
            }
        }
    }

    /// Takes in what is there to be heard, and waits a little where nothing is; how the run has to end, if it has to.
    fn listen(&self, figures: &mut Figures, progress: &dyn Progress) -> Option<End> {
        match self.output.lines.recv_timeout(LOOK) {
            Ok(heard) => {
                let rest = self.output.lines.try_iter().take(BATCH);
                std::iter::once(heard).chain(rest).find_map(|heard| hear(heard, figures, progress))
            }
            Err(RecvTimeoutError::Timeout) => None,
            // It has closed its output, and is about to end or goes on in silence.
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(LOOK / 10);
                None
            }
        }
    }

    /// Ends whatever still runs, and takes in the rest of what was printed.
    fn finish(
        &mut self,
        end: std::io::Result<End>,
        figures: &mut Figures,
        progress: &dyn Progress,
    ) -> std::io::Result<End> {
        if !matches!(end, Ok(End::Exited(_))) {
            self.family.ask_to_end();
            let asked = Instant::now();
            while asked.elapsed() < GRACE && self.child.try_wait()?.is_none() {
                // What waits for its lines to be heard could not end.
                let _ = self.output.lines.recv_timeout(LOOK);
            }
        }
        self.family.kill();
        self.child.wait()?;
        let deadline = Instant::now() + ARRIVAL;
        while let Ok(heard) =
            self.output.lines.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            if matches!(end, Ok(End::Exited(_)))
                && let Some(end) = hear(heard, figures, progress)
            {
                return Ok(end);
            }
        }
        end
    }
}

/// Takes in what was printed; how the run has to end, if it has to.
fn hear(heard: Heard, figures: &mut Figures, progress: &dyn Progress) -> Option<End> {
    match heard {
        Heard::Flood(what) => Some(End::Killed(format!("printed {what} and was killed"))),
        Heard::Line(line) => match figures.read(&line) {
            Line::Read => None,
            Line::Step(done, metrics) => (!progress.report(done, &metrics)).then_some(End::Stopped),
            Line::Broken(problem) => Some(End::Killed(format!("is not understood: {problem}"))),
        },
    }
}

/// Writes to a program's standard input, which it may read when it likes, or never.
fn feed(input: Option<ChildStdin>, text: String) -> std::io::Result<()> {
    let Some(mut input) = input else { return Ok(()) };
    let write = move || {
        // A program that does not read its input has told enough by that.
        let _ = input.write_all(text.as_bytes());
    };
    std::thread::Builder::new().name("command input".into()).spawn(write).map(drop)
}
