//! A CSV file, plain or gzip, read row by row: never more of it in memory than a batch of rows.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};
use flate2::bufread::MultiGzDecoder;

use super::TableError;

/// The first bytes of every gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The longest line of a table, in bytes: what has longer ones is no table, and is not read into memory to learn that.
const MAX_LINE: usize = 16 << 20;

/// Rows that are read before they are worked on, side by side.
const BATCH: usize = 4096;

/// By how much the rows that a file promises must exceed what there may be: lines differ in length.
const MARGIN: f64 = 1.2;

/// An open table.
pub(super) struct Csv {
    path: PathBuf,
    header: Vec<String>,
    reader: csv::Reader<Box<dyn Read>>,
    rows: u64,
    /// The size of its text, where the file tells it.
    bytes: Option<u64>,
}

impl Csv {
    /// Opens a table and reads its header.
    pub fn open(path: &Path, delimiter: char) -> Result<Csv, TableError> {
        let delimiter = u8::try_from(delimiter).map_err(|_| {
            let problem = format!("`delimiter` is {delimiter:?}, which is no single byte");
            TableError::description(problem, "write `delimiter: ';'`, or `'\\t'` for a tab").of("delimiter")
        })?;
        let (stream, bytes) = content(path)?;
        let lines: Box<dyn Read> = Box::new(Lines { stream, length: 0 });
        let reader = ReaderBuilder::new().delimiter(delimiter).trim(Trim::All).from_reader(lines);
        let mut csv = Csv { path: path.into(), header: Vec::new(), reader, rows: 0, bytes };
        let header = csv.reader.headers().map(|header| header.iter().map(String::from).collect());
        csv.header = header.map_err(|error| csv.told(error))?;
        match csv.header.is_empty() {
            true => Err(TableError::Empty { path: path.into(), missing: "header" }),
            false => Ok(csv),
        }
    }

    /// How many rows were read so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether its rows so far, at their mean length, promise clearly more than `most` of them: one learns early that a
    /// file is too big. What is packed promises nothing.
    pub fn promises_more_than(&self, most: u64) -> bool {
        let read = self.reader.position().byte().max(1);
        self.bytes.is_some_and(|bytes| self.rows as f64 * bytes as f64 / read as f64 > most as f64 * MARGIN)
    }

    /// The names of all columns.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The number of a column.
    pub fn column(&self, name: &str) -> Result<usize, TableError> {
        let mut found = self.header.iter().enumerate().filter(|(_, other)| *other == name);
        match (found.next(), found.next()) {
            (Some((column, _)), None) => Ok(column),
            (Some(_), Some(_)) => Err(TableError::description(
                format!("{} has two columns `{name}`", self.path.display()),
                "name the columns apart in the file's first line",
            )),
            (None, _) => {
                let (path, known) = (self.path.clone(), self.header.clone());
                Err(TableError::NoColumn { path, column: name.into(), known })
            }
        }
    }

    /// The next rows; none at the table's end.
    pub fn batch(&mut self) -> Result<Vec<StringRecord>, TableError> {
        let mut batch = Vec::with_capacity(BATCH);
        let mut record = StringRecord::new();
        while batch.len() < BATCH && self.reader.read_record(&mut record).map_err(|error| self.told(error))? {
            batch.push(record.clone());
        }
        self.rows += batch.len() as u64;
        if self.rows == 0 {
            return Err(TableError::Empty { path: self.path.clone(), missing: "row" });
        }
        Ok(batch)
    }

    fn told(&self, error: csv::Error) -> TableError {
        let (path, line) = (self.path.clone(), error.position().map(csv::Position::line));
        let now = Some(self.reader.position().line());
        match error.into_kind() {
            ErrorKind::UnequalLengths { expected_len: expected, len: met, .. } => {
                TableError::Ragged { path, line: line.unwrap_or(0), met, expected }
            }
            ErrorKind::Io(source) => {
                TableError::Unreadable { path, line: now.filter(|line| *line > 1), source }
            }
            ErrorKind::Utf8 { err, .. } => {
                let (line, place) = (line.or(now).unwrap_or(1), err.field());
                let column =
                    self.header.get(place).cloned().unwrap_or_else(|| format!("number {}", place + 1));
                let problem = format!("the cell is no text in UTF-8 after {} bytes", err.valid_up_to());
                TableError::Cell { path, line, column, problem, hint: "save the table as UTF-8" }
            }
            other => {
                TableError::Unreadable { path, line, source: std::io::Error::other(format!("{other:?}")) }
            }
        }
    }
}

/// A stream that fails where a line is too long.
struct Lines<R> {
    stream: R,
    /// Bytes since the last line's end.
    length: usize,
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.stream.read(into)?;
        self.length = match into[..read].iter().rposition(|byte| *byte == b'\n') {
            Some(end) => read - end - 1,
            None => self.length + read,
        };
        if self.length > MAX_LINE {
            let message = format!("a line is longer than {} MiB", MAX_LINE >> 20);
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, message));
        }
        Ok(read)
    }
}

/// The file's text, unpacked where it is gzip: told by its first bytes, as names may lie. Its size, where it is plain.
fn content(path: &Path) -> Result<(Box<dyn Read>, Option<u64>), TableError> {
    let unreadable = |source| TableError::Unreadable { path: path.into(), line: None, source };
    let about = path.metadata().map_err(unreadable)?;
    let kind = about.file_type();
    if !kind.is_file() {
        let what = if kind.is_dir() { "a folder" } else { "a pipe or a device" };
        return Err(TableError::NoFile { path: path.into(), what });
    }
    let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(unreadable)?);
    let is_gzip = file.fill_buf().map_err(unreadable)?.starts_with(&GZIP);
    let says_gzip = path.extension().is_some_and(|extension| extension == "gz");
    match (is_gzip, says_gzip) {
        (true, _) => Ok((Box::new(BufReader::new(MultiGzDecoder::new(file))), None)),
        (false, true) => Err(TableError::NotGzip { path: path.into() }),
        (false, false) => Ok((Box::new(file), Some(about.len()))),
    }
}
