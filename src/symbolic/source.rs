//! The files that programs are read from, and where in them a node stands.

use std::ops::Range;
use std::sync::Arc;

use super::value::Origin;

/// The files that programs were read from, and the byte range behind every [`Origin`].
///
/// ```
/// use cellwright::symbolic::Sources;
///
/// let mut sources = Sources::default();
/// let program = sources.read("recipe.ron", "(\n    batch: 64,\n)")?;
/// let batch = program.field("batch").unwrap();
/// assert_eq!(sources.place(batch.origin).unwrap().to_string(), "recipe.ron:2:12");
/// # Ok::<(), cellwright::error::SpaceError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<(Arc<str>, Arc<str>)>,
    spans: Vec<Span>,
}

/// The bytes of a node, and where the key stands that it was written under.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) file: u32,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) key: Option<u32>,
}

/// What of a node a message is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All of it (as far as its first line goes).
    #[default]
    Whole,
    /// The name in front of its parentheses.
    Name,
    /// The field's name or map's key, given here, that it was written under.
    Key(String),
}

/// A place in a file, as editors count: lines and columns from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
}

impl Place {
    /// The place of a byte of a text.
    pub(crate) fn of(path: &Arc<str>, text: &str, byte: usize) -> Place {
        let before = &text[..byte];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
        Place { path: path.clone(), line, column: 1 + before[line_start..].chars().count() }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(out, "{}:{}:{}", self.path, self.line, self.column)
    }
}

impl Sources {
    /// The file, line and column where a node starts; `None` for nodes made by code.
    pub fn place(&self, origin: Origin) -> Option<Place> {
        let (file, range) = self.range(origin, &Part::Whole)?;
        let (path, text) = self.file(file);
        Some(Place::of(path, text, range.start))
    }

    /// The path and text of a file.
    pub(crate) fn file(&self, index: usize) -> (&Arc<str>, &Arc<str>) {
        let (path, text) = &self.files[index];
        (path, text)
    }

    /// The file that a node was read from, and the bytes of a part of the node.
    pub(crate) fn range(&self, origin: Origin, part: &Part) -> Option<(usize, Range<usize>)> {
        let span = self.spans.get((origin.0 as usize).checked_sub(1)?)?;
        let (_, text) = self.file(span.file as usize);
        let whole = first_line(text, span.start as usize..span.end as usize);
        let range = match part {
            Part::Whole => whole,
            Part::Name => word(text, whole.start).unwrap_or(whole),
            Part::Key(key) => {
                span.key.and_then(|start| key_range(text, start as usize, key)).unwrap_or(whole)
            }
        };
        Some((span.file as usize, range))
    }

    pub(super) fn add_file(&mut self, path: &str, text: &str) -> u32 {
        self.files.push((path.into(), text.into()));
        (self.files.len() - 1) as u32
    }

    pub(super) fn add_span(&mut self, span: Span) -> Origin {
        self.spans.push(span);
        Origin(self.spans.len() as u32)
    }

    pub(super) fn set_key(&mut self, origin: Origin, key: usize) {
        self.spans[origin.0 as usize - 1].key = Some(key as u32);
    }
}

fn first_line(text: &str, range: Range<usize>) -> Range<usize> {
    let end = text[range.clone()].find('\n').map_or(range.end, |newline| range.start + newline);
    range.start..end
}

/// The identifier at `start`.
fn word(text: &str, start: usize) -> Option<Range<usize>> {
    let length = text[start..].find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(text.len() - start);
    (length > 0).then_some(start..start + length)
}

/// The key at `start`, if it is this one: a node may have been moved under another key since it was read.
fn key_range(text: &str, start: usize, key: &str) -> Option<Range<usize>> {
    let prefix = ["", "r#", "\""]
        .into_iter()
        .find(|prefix| text[start..].strip_prefix(prefix).is_some_and(|rest| rest.starts_with(key)))?;
    let suffix = usize::from(prefix == "\"");
    Some(start..start + prefix.len() + key.len() + suffix)
}
