//! What can be wrong with a table, with its file, line and column.

use std::fmt;
use std::path::PathBuf;

use crate::evaluate::short;
use crate::symbolic::nearest;

/// A table that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A file that is not there or cannot be read to its end.
    #[error("{}: {source}\n  hint: {}", place(path, *line), unreadable(source))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The line up to which it was read, where it was.
        line: Option<u64>,
        /// What the system or the decompression says.
        source: std::io::Error,
    },
    /// A file without a header, or without a row after it.
    #[error(
        "{}: the table has no {missing}\n  hint: the first line names the columns, every other is a row",
        path.display()
    )]
    Empty {
        /// The file.
        path: PathBuf,
        /// What there is none of.
        missing: &'static str,
    },
    /// A file whose name says gzip and whose first bytes do not.
    #[error("{}: not gzip, though its name says so\n  hint: compress it, or take the `.gz` from its name", path.display())]
    NotGzip {
        /// The file.
        path: PathBuf,
    },
    /// A folder, a pipe or a device: a table is read more than once.
    #[error("{}: {what}, not a file\n  hint: name the table's own file, plain or gzip", path.display())]
    NoFile {
        /// What was named.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A column that is not there.
    #[error("{}: the table has no column `{column}`; it has {}{}", path.display(), listed(known), meant(column, known))]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        column: String,
        /// What is there.
        known: Vec<String>,
    },
    /// A row that is not as long as the header.
    #[error("{}: the row has {}, the header {expected}\n  hint: mend the row; a comma within a cell needs quotes round the cell", place(path, Some(*line)), cells(*met))]
    Ragged {
        /// The file.
        path: PathBuf,
        /// The row's line.
        line: u64,
        /// Its number of cells.
        met: u64,
        /// That of the header.
        expected: u64,
    },
    /// A cell that does not hold what its column should.
    #[error("{}, column `{column}`: {problem}\n  hint: {hint}", place(path, Some(*line)))]
    Cell {
        /// The file.
        path: PathBuf,
        /// The row's line.
        line: u64,
        /// The cell's column.
        column: String,
        /// What is wrong, with the cell's text.
        problem: String,
        /// What to do.
        hint: &'static str,
    },
    /// Two rows of one candidate that do not say the same.
    #[error(
        "{}: lines {} and {} are of one candidate ({key}) and disagree on `{column}`: {} and {}\n  hint: \
         remove one; where they are repeated measurements, name the column that tells them apart by `seed`",
        path.display(), lines[0], lines[1], cells[0], cells[1]
    )]
    Disagreement {
        /// The file.
        path: PathBuf,
        /// The rows' lines.
        lines: [u64; 2],
        /// What both rows identify.
        key: String,
        /// The first column in which they differ.
        column: String,
        /// What they say there.
        cells: [Number; 2],
    },
    /// Not one row that is a candidate of the space.
    #[error(
        "{}: none of {rows} rows is a candidate of the space: {first}\n  hint: check the table's `key`, and that \
         the space is the table's",
        path.display()
    )]
    NoRow {
        /// The file.
        path: PathBuf,
        /// How many rows there are.
        rows: u64,
        /// Why the first is none.
        first: String,
    },
    /// More than is kept in memory.
    #[error("{}: the table has more than {most} {what}, which do not fit into memory\n  hint: {hint}", path.display())]
    TooMany {
        /// The file.
        path: PathBuf,
        /// What there are too many of.
        what: &'static str,
        /// How many are kept.
        most: usize,
        /// What to do.
        hint: &'static str,
    },
    /// A description that fits no table, or not this space.
    #[error("the evaluator `table`: {problem}\n  hint: {hint}")]
    Description {
        /// The field that is wrong; empty where it is none in particular.
        field: &'static str,
        /// What is wrong.
        problem: String,
        /// What to write instead.
        hint: String,
    },
}

/// A number of a table; not a number where the cell is blank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number(pub f64);

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        if self.0.is_nan() { out.write_str("blank") } else { write!(out, "{}", self.0) }
    }
}

impl TableError {
    pub(super) fn too_many(
        path: &std::path::Path,
        what: &'static str,
        most: usize,
        hint: &'static str,
    ) -> TableError {
        TableError::TooMany { path: path.into(), what, most, hint }
    }

    /// A mistake in the description itself.
    pub(super) fn description(problem: impl Into<String>, hint: impl Into<String>) -> TableError {
        TableError::Description { field: "", problem: problem.into(), hint: hint.into() }
    }

    /// The same, of a field, where it is one of the description.
    pub(super) fn of(mut self, name: &'static str) -> TableError {
        if let TableError::Description { field, .. } = &mut self {
            *field = name;
        }
        self
    }
}

/// `tables/a.csv:12`, or the file alone.
pub(super) fn place(path: &std::path::Path, line: Option<u64>) -> String {
    match line {
        Some(line) => format!("{}:{line}", path.display()),
        None => path.display().to_string(),
    }
}

/// `1 cell`, `3 cells`.
fn cells(count: u64) -> String {
    if count == 1 { "1 cell".into() } else { format!("{count} cells") }
}

/// The first of many names, each in the length of a message.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| short(name)).collect();
    let more = if names.len() > SHOWN { format!(", .. {} more", names.len() - SHOWN) } else { String::new() };
    shown.join(", ") + &more
}

fn unreadable(source: &std::io::Error) -> &'static str {
    use std::io::ErrorKind::{InvalidData, InvalidInput, NotFound, UnexpectedEof};
    match source.kind() {
        NotFound => "check the path, which starts at the folder that the command is run in",
        UnexpectedEof | InvalidData | InvalidInput => {
            "the file is cut short or damaged, or no text in UTF-8: make or download it again"
        }
        _ => "check the path and its permissions",
    }
}

fn meant(column: &str, known: &[String]) -> String {
    // A header of one name that holds all of them was parted at the wrong letter.
    if let [only] = known
        && let Some(between) = ['\t', ';', ',', '|', ' ']
            .into_iter()
            .find(|letter| only.split(*letter).any(|name| name == column))
    {
        return format!("\n  hint: cells seem to be parted by {between:?}: write `delimiter: {between:?}`");
    }
    match nearest(column, known.iter().map(String::as_str)) {
        Some(best) => format!("\n  hint: did you mean `{best}`?"),
        None => "\n  hint: name one of these in the evaluator's description".into(),
    }
}
