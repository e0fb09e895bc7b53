//! Problems as `miette` draws them: a few source lines, and a mark under the place.

use std::fmt;
use std::ops::Range;

use miette::{
    Diagnostic, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};

use super::Problem;
use crate::symbolic::{Place, Sources};

/// A problem with its place, as `miette` draws it.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) place: Option<Place>,
    source: Option<Excerpt>,
    label: Option<LabeledSpan>,
    message: String,
    pub(super) help: Option<String>,
}

impl Shown {
    pub(super) fn new(problem: &Problem, sources: &Sources) -> Shown {
        let (message, help) = (problem.message.clone(), problem.help.clone());
        let Some((file, range)) = sources.range(problem.origin, &problem.part) else {
            return Shown { place: None, source: None, label: None, message, help };
        };
        let (path, text) = sources.file(file);
        let place = Place::of(path, text, range.start);
        let source = Some(Excerpt::new(&place, text, range.start));
        let label = (!problem.label.is_empty()).then(|| problem.label.clone());
        let label = Some(LabeledSpan::new_primary_with_span(label, range));
        Shown { place: Some(place), source, label, message, help }
    }
}

/// What of a file is drawn with a problem: some lines, or a part of one where it is very long.
#[derive(Clone, Debug)]
struct Excerpt {
    text: String,
    /// Where in the file the text starts: bytes, lines, columns, from 0.
    offset: usize,
    line: usize,
    column: usize,
    /// The place itself.
    place: Place,
}

impl Excerpt {
    /// A line that is longer than twice this many bytes is cut this far from the place.
    const REACH: usize = 240;

    /// The line at `place` (the byte `at`) and its neighbours, or a part of the line where it is long.
    fn new(place: &Place, text: &str, at: usize) -> Excerpt {
        let short = |line: &Range<usize>| line.len() <= 2 * Excerpt::REACH;
        let here = line_at(text, at);
        let cut = text.floor_char_boundary(at.saturating_sub(Excerpt::REACH))
            ..text.ceil_char_boundary((at + Excerpt::REACH).min(text.len()));
        let (range, line) = if short(&here) {
            let before = here.start.checked_sub(1).map(|at| line_at(text, at)).filter(short);
            let after = (here.end < text.len()).then(|| line_at(text, here.end + 1)).filter(short);
            let lines_before = usize::from(before.is_some());
            let start = before.map_or(here.start, |line| line.start);
            (start..after.map_or(here.end, |line| line.end), place.line - 1 - lines_before)
        } else {
            (cut.start.max(here.start)..cut.end.min(here.end), place.line - 1)
        };
        let column = text[line_at(text, range.start).start..range.start].chars().count();
        Excerpt { offset: range.start, text: text[range].into(), line, column, place: place.clone() }
    }
}

/// The line that the byte `at` is in, or ends.
fn line_at(text: &str, at: usize) -> Range<usize> {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    start..text[at..].find('\n').map_or(text.len(), |newline| at + newline)
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let path = self.place.path.to_string();
        // Without lines round it, what is asked for is the place to be written above.
        let contents = if lines_before == 0 {
            MietteSpanContents::new_named(path, &[], *span, self.place.line - 1, self.place.column - 1, 1)
        } else {
            let whole = (self.offset, self.text.len()).into();
            let lines = self.text.lines().count();
            MietteSpanContents::new_named(path, self.text.as_bytes(), whole, self.line, self.column, lines)
        };
        Ok(Box::new(contents))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(&self.message)
    }
}
impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.label
            .clone()
            .map(|label| Box::new(std::iter::once(label)) as Box<dyn Iterator<Item = LabeledSpan>>)
    }
}
