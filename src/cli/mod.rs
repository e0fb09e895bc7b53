//! The command line: what may be typed. Each command is one file beside this one.

mod check;
mod data;
mod deliver;
mod export;
mod interrupt;
mod listen;
mod open;
mod rank;
mod retrain;
mod sample;
mod search;
mod show;
mod text;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Neural architecture search: a space in RON becomes a trained, ranked, exported cell.
#[derive(Debug, Parser)]
#[command(name = "cellwright", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
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
    /// Write a trial as RON, DOT, SVG, ONNX or safetensors.
    Export(export::Export),
    /// Say which data can be read, how each format is laid out, and what a data set holds.
    Data(data::Data),
}

/// A run folder, as every command after `search` takes it.
#[derive(Args, Debug)]
struct RunFolder {
    /// The study's folder, as `search` printed it.
    run: PathBuf,
}

impl Cli {
    /// Does what was typed.
    ///
    /// # Errors
    /// Whatever the command meets; `exit_code` of the error tells a user's mistake from failed work.
    pub fn run(self) -> cellwright::Result<()> {
        match self.command {
            Command::Check(command) => command.run(),
            Command::Show(command) => command.run(),
            Command::Sample(command) => command.run(),
            Command::Search(command) => command.run(),
            Command::Rank(command) => command.run(),
            Command::Retrain(command) => command.run(),
            Command::Export(command) => command.run(),
            Command::Data(command) => command.run(),
        }
    }
}

/// Tells an error on standard error: a space file's problems with their source lines, anything else as a sentence.
pub fn complain(error: &cellwright::Error) {
    match error {
        cellwright::Error::Space(problems) => eprint!("{}", problems.render_for_stderr()),
        error => eprintln!("error: {error}"),
    }
}
