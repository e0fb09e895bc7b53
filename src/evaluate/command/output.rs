//! What a program prints, taken in by threads of its own and bounded: lines of standard output for whoever listens, and
//! the last words of both streams.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{ChildStderr, ChildStdout};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// The longest line that is read.
pub(super) const MAX_LINE: usize = 1 << 20;

/// The most that a program may print on standard output, in bytes and in lines.
pub(super) const MAX_OUTPUT: usize = 64 << 20;
pub(super) const MAX_LINES: usize = 100_000;

/// The most that it may print on standard error, in bytes: where programs draw bars of their progress for days.
pub(super) const MAX_ERRORS: usize = 256 << 20;

/// Lines that are worth telling of a program that ran out of time.
const MANY_LINES: usize = 10_000;

/// Bytes of last words that are kept of each stream.
const LAST_WORDS: usize = 2000;

/// Lines that wait to be heard: a program that prints faster waits, too.
const WAITING: usize = 256;

/// What is heard of a program's standard output.
pub(super) enum Heard {
    /// A line.
    Line(String),
    /// More than is bearable, and what it is that there is too much of.
    Flood(&'static str),
}

/// The listening end of a program's output. It ends when both streams do.
pub(super) struct Output {
    pub lines: Receiver<Heard>,
    said: [Arc<Mutex<Tail>>; 2],
    /// How many lines it has printed.
    printed: Arc<AtomicUsize>,
}

impl Output {
    /// Starts to listen. The threads end with the streams.
    pub fn listen(out: ChildStdout, err: ChildStderr) -> std::io::Result<Output> {
        let (sender, lines) = sync_channel(WAITING);
        let said: [Arc<Mutex<Tail>>; 2] = Default::default();
        let [tail, error_tail] = said.clone();
        let error_sender = sender.clone();
        let printed = Arc::new(AtomicUsize::new(0));
        let count = printed.clone();
        spawn(move || read_lines(BufReader::new(out), &sender, &tail, &count))?;
        spawn(move || drain(BufReader::with_capacity(1 << 16, err), &error_sender, &error_tail))?;
        Ok(Output { lines, said, printed })
    }

    /// `, in which it printed 53211 lines,`, where that are so many that they may be why it took its time.
    pub fn volume(&self) -> String {
        match self.printed.load(Relaxed) {
            few if few < MANY_LINES => String::new(),
            many => format!(", in which it printed {many} lines,"),
        }
    }

    /// The last words: of standard error, or else of standard output; empty where nothing was said.
    pub fn last_words(&self) -> String {
        let [out, err] = &self.said;
        let words = |tail: &Mutex<Tail>| tail.lock().unwrap_or_else(PoisonError::into_inner).words();
        let errors = words(err);
        if errors.is_empty() { words(out) } else { errors }
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name("command output".into()).spawn(work).map(drop)
}

/// The end of a stream.
#[derive(Default)]
struct Tail(VecDeque<u8>);

impl Tail {
    fn add(&mut self, bytes: &[u8]) {
        self.0.extend(&bytes[bytes.len().saturating_sub(LAST_WORDS)..]);
        let extra = self.0.len().saturating_sub(LAST_WORDS);
        self.0.drain(..extra);
    }

    /// The last few lines, in one.
    fn words(&mut self) -> String {
        const LINES: usize = 4;
        const LENGTH: usize = 400;
        let text = String::from_utf8_lossy(self.0.make_contiguous()).replace('\r', "\n");
        let text = text.replace(|letter: char| letter.is_control() && letter != '\n', " ");
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let words = lines[lines.len().saturating_sub(LINES)..].join(" / ");
        let cut = words.chars().count().saturating_sub(LENGTH);
        if cut > 0 { words.chars().skip(cut).collect() } else { words }
    }
}

fn keep(tail: &Mutex<Tail>, bytes: &[u8]) {
    tail.lock().unwrap_or_else(PoisonError::into_inner).add(bytes);
}

/// Hands on every line, until the stream ends, nobody listens or there is too much.
fn read_lines(
    mut stream: impl BufRead,
    sender: &SyncSender<Heard>,
    tail: &Mutex<Tail>,
    printed: &AtomicUsize,
) {
    let mut total = 0;
    for count in 1.. {
        let mut line = Vec::new();
        let limit = MAX_LINE as u64 + 1;
        let read = stream.by_ref().take(limit).read_until(b'\n', &mut line);
        if !matches!(read, Ok(read) if read > 0) {
            return;
        }
        keep(tail, &line);
        printed.store(count, Relaxed);
        total += line.len();
        let flood = match (line.len() > MAX_LINE, total > MAX_OUTPUT, count > MAX_LINES) {
            (true, _, _) => Some("a line of more than 1 MiB"),
            (_, true, _) => Some("more than 64 MiB"),
            (_, _, true) => Some("more than 100,000 lines"),
            _ => None,
        };
        let heard = match flood {
            Some(what) => Heard::Flood(what),
            None => Heard::Line(String::from_utf8_lossy(&line).trim_end().to_owned()),
        };
        if sender.send(heard).is_err() || flood.is_some() {
            return;
        }
    }
}

/// Reads a stream until it ends or there is too much, and keeps its last words only.
fn drain(mut stream: impl BufRead, sender: &SyncSender<Heard>, tail: &Mutex<Tail>) {
    let mut total = 0;
    while let Ok(bytes) = stream.fill_buf() {
        let length = bytes.len();
        if length == 0 {
            return;
        }
        keep(tail, bytes);
        stream.consume(length);
        total += length;
        if total > MAX_ERRORS {
            // Where nobody listens any more, the program is being killed already.
            let _ = sender.send(Heard::Flood("more than 256 MiB on standard error"));
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_words_are_kept() {
        let mut tail = Tail::default();
        for number in 0..10_000 {
            tail.add(format!("line {number}\n").as_bytes());
        }
        assert!(tail.0.len() <= LAST_WORDS);
        assert_eq!(tail.words(), "line 9996 / line 9997 / line 9998 / line 9999");
        tail.add(&[b'x'; 5000]);
        assert_eq!(tail.words(), "x".repeat(400));
        tail.add(&[0; 5000]);
        assert_eq!(tail.words(), "", "what cannot be seen is no word");
    }

    #[test]
    fn floods_end_at_the_bound() {
        let heard = |bytes: &'static [u8], repeat: usize| {
            let (sender, lines) = sync_channel(WAITING);
            let listener = std::thread::spawn(move || lines.into_iter().last());
            let stream = BufReader::new(Repeat { bytes, left: repeat });
            read_lines(stream, &sender, &Mutex::default(), &AtomicUsize::new(0));
            drop(sender);
            match listener.join().expect("it ends") {
                Some(Heard::Flood(what)) => what.to_owned(),
                Some(Heard::Line(line)) => line,
                None => String::new(),
            }
        };
        assert_eq!(heard(b"x", 2 << 20), "a line of more than 1 MiB");
        assert_eq!(heard(b"\n", 200_000), "more than 100,000 lines");
        const LINE: &[u8] = &{
            let mut line = [b'x'; 4096];
            line[4095] = b'\n';
            line
        };
        assert_eq!(heard(LINE, 1 << 15), "more than 64 MiB");
        assert_eq!(heard(b"a line\n", 3), "a line");
        assert_eq!(heard(b"cut", 1), "cut");
    }

    /// The same bytes over and over.
    struct Repeat {
        bytes: &'static [u8],
        left: usize,
    }

    impl Read for Repeat {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            if self.left == 0 {
                return Ok(0);
            }
            self.left -= 1;
            into[..self.bytes.len()].copy_from_slice(self.bytes);
            Ok(self.bytes.len())
        }
    }
}
