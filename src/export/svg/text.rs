//! Text in a drawing: how wide it gets, and how it is written.

/// The width of `text` in pixels at `size`, on the safe side: enough for DejaVu Sans, which is
/// the widest of the fonts that a drawing asks for.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size * 1.12
}

/// A character's share of the font size, after Helvetica's metrics.
fn advance(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | '\'' | '|' => 0.24,
        ' ' | '.' | ',' | ':' | ';' | '!' | 'I' | 'f' | 't' | '/' | '\\' | '[' | ']' => 0.28,
        'r' | '(' | ')' | '-' | '"' | '·' | '`' => 0.34,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' | 'J' => 0.5,
        'm' | 'M' => 0.83,
        'w' | '<' | '>' | '+' | '=' | '×' => 0.72,
        'W' | '%' | '@' => 0.95,
        'A'..='Z' | '&' => 0.72,
        'a'..='z' | '0'..='9' | '_' | '$' | '#' | '?' | '*' => 0.56,
        // Anything not Latin may be as wide as it is high.
        _ => 1.0,
    }
}

/// `text` cut to `most` pixels, with an ellipsis where something is missing.
pub(super) fn fit(text: &str, size: f64, most: f64) -> String {
    if width(text, size) <= most {
        return text.to_string();
    }
    let mut kept = String::new();
    for character in text.chars() {
        if width(&kept, size) + size * 2.0 > most {
            break;
        }
        kept.push(character);
    }
    kept.trim_end().to_string() + "…"
}

/// `text` as the content of an XML element or attribute. Control characters, which XML has no way to write, are left out.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\r' | '\t' => escaped.push(' '),
            control if control.is_control() || matches!(control, '\u{fffe}' | '\u{ffff}') => {}
            plain => escaped.push(plain),
        }
    }
    escaped
}
