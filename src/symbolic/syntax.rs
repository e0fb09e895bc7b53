//! Whether a text is RON: `ron`'s word on it, said in ours, and what is too much.

use std::ops::Range;

use serde::de::IgnoredAny;

use super::source::Place;
use super::token::{literal, skip_blank};
use super::value::Origin;
use crate::error::Problem;

/// The largest text that is read, in bytes.
pub const MAX_BYTES: usize = 4 << 20;

/// How many brackets may stand inside one another.
pub const MAX_DEPTH: usize = 200;

/// What is wrong with a text, before it is known where it belongs.
pub(super) struct Flaw {
    message: String,
    label: String,
    help: Option<String>,
}

impl Flaw {
    pub(super) fn new(message: impl Into<String>) -> Flaw {
        Flaw { message: message.into(), label: "here".into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Flaw {
        self.help = Some(help.into());
        self
    }

    pub(super) fn problem(self, origin: Origin) -> Problem {
        let mut problem = Problem::new(origin, self.message).label(self.label);
        problem.help = self.help;
        problem
    }
}

pub(super) fn too_large() -> Flaw {
    Flaw::new(format!("the file is larger than {} MiB, the most that is read", MAX_BYTES >> 20))
        .help("is this the right file? A program is some pages of text")
}

/// Whether `ron` can read the text, and if not, where it stumbles.
pub(super) fn check(text: &str) -> Result<(), (Range<usize>, Flaw)> {
    use ron::error::Error as Ron;
    let too_deep = || {
        Flaw::new(format!("nested more than {MAX_DEPTH} levels deep, the most that is read"))
            .help("are brackets left open? No program is that deep")
    };
    if let Some(at) = brackets(text, text.len()).1 {
        return Err((at..at + 1, too_deep()));
    }
    // `ron` counts up to three levels for one bracket.
    let options = ron::Options::default().with_recursion_limit(3 * MAX_DEPTH + 3);
    let Err(error) = options.from_str::<IgnoredAny>(text) else { return Ok(()) };
    let at = byte(text, error.span.end);
    let here = at..at + text[at..].chars().next().map_or(0, char::len_utf8);
    let flaw = match error.code {
        Ron::Eof if skip_blank(text, 0) == text.len() => {
            Flaw::new("the file is empty").help("a program is RON: `Name(field: 1)`")
        }
        Ron::ExceededRecursionLimit => too_deep(),
        Ron::ExpectedStringEnd => Flaw::new("the quotes that open before this are never closed"),
        Ron::UnclosedBlockComment => Flaw::new("a comment `/*` is never closed"),
        code => return Err(unbalanced(text, at).unwrap_or_else(|| (here, stumble(code)))),
    };
    Err((here, flaw))
}

/// What `ron` says, in our words.
fn stumble(code: ron::error::Error) -> Flaw {
    use ron::error::Error as Ron;
    match code {
        Ron::Eof => Flaw::new("the text ends too early"),
        Ron::ExpectedComma => Flaw::new("a comma is missing before this"),
        Ron::TrailingCharacters => Flaw::new("the program ends before this; nothing may follow it")
            .help("is this the right file? A program is RON: `Name(field: 1)`"),
        Ron::UnexpectedChar(c) => Flaw::new(format!("`{}` cannot stand here", c.escape_default())),
        code => Flaw::new(lower_first(&code.to_string())),
    }
}

pub(super) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}

/// The byte at a position of `ron`'s.
fn byte(text: &str, position: ron::error::Position) -> usize {
    let line: usize = text.split_inclusive('\n').take(position.line - 1).map(str::len).sum();
    text[line..].char_indices().nth(position.col - 1).map_or(text.len(), |(at, _)| line + at)
}

/// The brackets that are open at `end`, and the first one before it that is nested too deep.
fn brackets(text: &str, end: usize) -> (Vec<usize>, Option<usize>) {
    let mut open = Vec::new();
    let mut at = skip_blank(text, 0);
    while at < end {
        match text.as_bytes()[at] {
            b'(' | b'[' | b'{' if open.len() == MAX_DEPTH => return (open, Some(at)),
            b'(' | b'[' | b'{' => open.push(at),
            b')' | b']' | b'}' => drop(open.pop()),
            _ => {}
        }
        let length = literal(&text[at..]).max(text[at..].chars().next().map_or(1, char::len_utf8));
        at = skip_blank(text, at + length);
    }
    (open, None)
}

/// A bracket that is open where the text ends, or where another kind of bracket is closed.
fn unbalanced(text: &str, at: usize) -> Option<(Range<usize>, Flaw)> {
    let open = brackets(text, at).0.pop()?;
    let bracket = &text[open..=open];
    let closing = match bracket {
        "(" => ')',
        "[" => ']',
        _ => '}',
    };
    let here = skip_blank(text, at);
    match text[here..].chars().next() {
        None => {
            let flaw = Flaw::new(format!("the text ends before this `{bracket}` is closed"));
            Some((open..open + 1, Flaw { label: "never closed".into(), ..flaw }))
        }
        Some(met @ (')' | ']' | '}')) if met != closing => {
            let place = Place::of(&"".into(), text, open);
            let flaw = Flaw::new(format!("`{met}` stands where a `{closing}` is missing"));
            let open =
                format!("the `{bracket}` at line {}, column {} is still open", place.line, place.column);
            Some((here..here + 1, flaw.help(open)))
        }
        Some(_) => None,
    }
}
