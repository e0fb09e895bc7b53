//! Standard output: results, and nothing else. Everything a command tells beside them goes to standard error.

use std::fmt::{Arguments, Display};
use std::io::{ErrorKind, Write};

use cellwright::{Error, Result};

/// What errors call it.
const NAME: &str = "standard output";

/// Writes a result.
///
/// # Errors
/// [`Error::Io`] where it cannot be written: the disk is full, or the reader has gone away ([`is_closed`]).
pub fn print(text: impl Display) -> Result<()> {
    write(format_args!("{text}"))
}

/// Writes a result and ends its line.
///
/// # Errors
/// As [`print`].
pub fn line(text: impl Display) -> Result<()> {
    write(format_args!("{text}\n"))
}

fn write(text: Arguments) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let written = out.write_fmt(text).and_then(|()| out.flush());
    written.map_err(|source| Error::Io { path: NAME.into(), source })
}

/// Whether the reader of standard output went away, as `head -1` does: it has all that it wants, so nothing failed.
pub fn is_closed(error: &Error) -> bool {
    matches!(error, Error::Io { path, source } if path == NAME && source.kind() == ErrorKind::BrokenPipe)
}
