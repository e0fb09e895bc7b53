//! The `cellwright` command as it is used: every command, every kind of bad input, and what interrupts a search.

mod bad_data;
mod bad_runs;
mod bad_spaces;
mod bad_words;
mod bench;
mod checkpoints;
mod evaluators;
mod interrupt;
mod must;
mod samples;
mod spaces;
mod studies;
mod support;
