//! The command line: what may be typed. Each command is one file beside this one.

mod bench;
mod check;
mod data;
mod deliver;
mod export;
mod interrupt;
mod listen;
mod must;
mod open;
mod out;
mod pace;
mod rank;
mod retrain;
mod sample;
mod search;
mod show;
mod text;
mod workers;

use std::io::Write;
use std::num::{IntErrorKind, ParseIntError};
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use cellwright::must::MustError;
use clap::{Args, Parser, Subcommand};

/// Neural architecture search: a space in RON becomes a trained, ranked, exported cell.
#[derive(Debug, Parser)]
#[command(name = "cellwright", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check space files: every mistake with its file, line and column.
    Check(check::Check),
    /// Show a space: its size, its decisions, and what one of its candidates looks like and costs.
    Show(show::Show),
    /// Print random candidates of a space.
    Sample(sample::Sample),
    /// Search a space: propose, train and rank candidates, then train the winner and export it.
    Search(search::Search),
    /// Rank the trials of a study by any metric, or show its Pareto front.
    Rank(rank::Rank),
    /// Train the best trials of a study at full length.
    Retrain(retrain::Retrain),
    /// Measure how fast candidates train here, alone or many at once.
    Pace(pace::Pace),
    /// Compare search algorithms on tables: regret, ranks, plots.
    Bench(bench::Bench),
    /// Write a trial as RON, DOT, SVG, ONNX or safetensors.
    Export(export::Export),
    /// Say which data can be read, how each format is laid out, and what a data set holds.
    Data(data::Data),
    /// Multi-task self-training: teachers, pseudo labels, students.
    Must(must::Must),
}

/// A run folder, as every command after `search` takes it.
#[derive(Args, Debug)]
struct RunFolder {
    /// The study's folder, as `search` printed it.
    run: PathBuf,
}

/// Does what was typed, and says what the process should exit with.
pub fn main() -> ExitCode {
    Cli::parse().run().unwrap_or_else(|error| complain(&error))
}

impl Cli {
    fn run(self) -> cellwright::Result<ExitCode> {
        let done = |()| ExitCode::SUCCESS;
        match self.command {
            Command::Check(command) => command.run(),
            Command::Show(command) => command.run().map(done),
            Command::Sample(command) => command.run().map(done),
            Command::Search(command) => command.run(),
            Command::Rank(command) => command.run().map(done),
            Command::Retrain(command) => command.run(),
            Command::Pace(command) => command.run().map(done),
            Command::Bench(command) => command.run().map(done),
            Command::Export(command) => command.run().map(done),
            Command::Data(command) => command.run().map(done),
            Command::Must(command) => command.run(),
        }
    }
}

/// Tells an error on standard error, a space file's problems with their source lines, anything else as a sentence; and
/// says what the process should exit with.
fn complain(error: &cellwright::Error) -> ExitCode {
    match error {
        error if out::is_closed(error) => return ExitCode::SUCCESS,
        cellwright::Error::Space(problems) | cellwright::Error::Must(MustError::File(problems)) => {
            tell(&problems.render_for_stderr());
        }
        error => tell(&format!("error: {error}\n")),
    }
    ExitCode::from(error.exit_code())
}

/// Writes to standard error; where nobody reads that, there is nobody to tell so.
fn tell(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// The exit code of what was stopped by Ctrl-C, as shells have it, after a word on how to go on.
fn stopped() -> ExitCode {
    tell("stopped; all that had ended is kept: run the same command again to go on\n");
    ExitCode::from(130)
}

/// An option's value that counts something and must not be 0.
fn at_least_one<N: FromStr<Err = ParseIntError> + From<u8> + PartialOrd>(
    text: &str,
) -> Result<N, &'static str> {
    match text.parse::<N>() {
        Ok(number) if number >= N::from(1) => Ok(number),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Err("that is too large"),
        _ => Err("a whole number of at least 1 is needed"),
    }
}

/// An option's value that is a seed or a trial's number.
fn number(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => "that is too large",
        _ => "a whole number is needed: 0, 1, 2, ..",
    })
}
