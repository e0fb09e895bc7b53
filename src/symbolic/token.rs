//! Where the tokens of a RON text begin and end.

/// The first byte from `at` on that is neither blank nor in a comment.
pub(super) fn skip_blank(text: &str, mut at: usize) -> usize {
    loop {
        let rest = &text[at..];
        let blank = rest.find(|c| !is_blank(c)).unwrap_or(rest.len());
        at += blank;
        let rest = &rest[blank..];
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            at += block_comment(rest);
        } else {
            return at;
        }
    }
}

/// RON's blanks are Unicode's `Pattern_White_Space`.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, '\t'..='\r' | ' ' | '\u{85}' | '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}')
}

/// The length of a block comment; they nest.
pub(super) fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    loop {
        let rest = &text[at..];
        match rest.find(['/', '*']) {
            None => return text.len(),
            Some(mark) if rest[mark..].starts_with("/*") => (depth, at) = (depth + 1, at + mark + 2),
            Some(mark) if rest[mark..].starts_with("*/") => (depth, at) = (depth - 1, at + mark + 2),
            Some(mark) => at += mark + 1,
        }
        if depth == 0 {
            return at;
        }
    }
}

/// The length of the string, character or raw string at the start of `text`; 0 if there is none.
pub(super) fn literal(text: &str) -> usize {
    let raw = text.strip_prefix('r').map(|rest| rest.len() - rest.trim_start_matches('#').len());
    match (text.as_bytes().first(), raw) {
        (Some(quote @ (b'"' | b'\'')), _) => quoted(text, *quote),
        (_, Some(hashes)) if text[1 + hashes..].starts_with('"') => {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = &text[hashes + 2..];
            hashes + 2 + body.find(&end).map_or(body.len(), |at| at + end.len())
        }
        _ => 0,
    }
}

/// The length of a literal between quotes, in which `\` hides the next character.
pub(super) fn quoted(text: &str, quote: u8) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() && bytes[at] != quote {
        at += 1 + usize::from(bytes[at] == b'\\');
    }
    (at + 1).min(bytes.len())
}

/// The length of the identifier at the start of `text`, raw ones (`r#`) included.
pub(super) fn identifier(text: &str) -> usize {
    let raw = text.starts_with("r#");
    let body = if raw { &text[2..] } else { text };
    let in_name = |c: char| c == '_' || c.is_alphanumeric() || raw && matches!(c, '.' | '+' | '-');
    let length = body.find(|c: char| !in_name(c)).unwrap_or(body.len());
    let number = !raw && body.starts_with(|c: char| c.is_numeric());
    if length == 0 || number || literal(text) > 0 { 0 } else { length + 2 * usize::from(raw) }
}

/// The length of the number at the start of `text`.
pub(super) fn number(text: &str) -> usize {
    if text.starts_with("b'") {
        return 1 + quoted(&text[1..], b'\'');
    }
    let hex = text.trim_start_matches(['+', '-']).starts_with("0x");
    let mut last = ' ';
    let ends = |c: char| {
        let sign = matches!(c, '+' | '-') && (matches!(last, ' ' | '.') || !hex && matches!(last, 'e' | 'E'));
        last = c;
        !sign && !matches!(c, '.' | '_') && !c.is_ascii_alphanumeric()
    };
    text.find(ends).unwrap_or(text.len())
}

pub(super) fn is_bytes(text: &str) -> bool {
    ["b\"", "br\"", "br#"].iter().any(|start| text.starts_with(start))
}
