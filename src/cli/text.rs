//! Text in columns and figures in short form.

use std::fmt::Display;

use cellwright::Space;
use cellwright::space::Size;

/// Rows in columns: the first left-aligned, the others right-aligned, two spaces between.
pub fn columns(rows: &[Vec<String>]) -> String {
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..).map_while(width).collect();
    let line = |row: &Vec<String>| {
        let cell = |(column, cell): (usize, &String)| {
            let width = widths[column];
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        };
        row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// `1 decision`, `2 decisions`.
pub fn plural(count: impl Display + PartialEq + From<u8>, word: &str) -> String {
    if count == 1.into() { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// A space's size, `15,625 candidates`: exact while it is short, beyond that in powers of ten, too.
pub fn size(space: &Space) -> String {
    match space.size() {
        Size::Continuous => "continuously many candidates".into(),
        Size::Finite(size) => counted(&size.to_string()),
    }
}

fn counted(digits: &str) -> String {
    match digits.len() {
        1 if digits == "1" => "1 candidate".into(),
        ..=12 => format!("{} candidates", grouped(digits)),
        // No power of ten that a program can hold is needed to round the first digits.
        length => {
            let head = digits[..5].parse::<f64>().map_or(0.0, |head| head / 1e4);
            let (head, power) = if head < 9.995 { (head, length - 1) } else { (head / 10.0, length) };
            format!("{head:.2}e{power} candidates (exactly {})", grouped(digits))
        }
    }
}

/// `15625` as `15,625`.
pub fn grouped(digits: &str) -> String {
    let from_end = |index: usize| digits.len() - index;
    let comma = |index: usize| if index > 0 && from_end(index).is_multiple_of(3) { "," } else { "" };
    digits.chars().enumerate().map(|(index, digit)| format!("{}{digit}", comma(index))).collect()
}

/// A count in three digits with its unit: `4.7 k`, `21.5 M`.
pub fn count(value: f64) -> String {
    let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    match units.iter().find(|(unit, _)| value.abs() >= *unit) {
        Some((unit, name)) => format!("{:.*} {name}", digits(value / unit), value / unit),
        None => format!("{value}"),
    }
}

/// A metric as people read it: counts short, shares with four digits.
pub fn metric(name: &str, value: f64) -> String {
    match name {
        "params" | "macs" | "activation_bytes" => count(value),
        "depth" => format!("{value}"),
        "seconds" | "wall_seconds" => format!("{value:.1}"),
        _ => format!("{value:.4}"),
    }
}

/// A duration in its two largest units: `41 s`, `2 min 5 s`, `3 h 20 min`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

fn digits(value: f64) -> usize {
    if value.abs() >= 100.0 { 0 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let figures: Vec<_> = [0.0, 999.0, 4_740.0, 21_458_488.0, 300e6, 2.5e13].map(count).into();
        assert_eq!(figures, ["0", "999", "4.7 k", "21.5 M", "300 M", "25.0 T"]);
        assert_eq!([12.3, 125.0, 12_000.0].map(duration), ["12 s", "2 min 5 s", "3 h 20 min"]);
    }

    #[test]
    fn sizes_are_rounded_and_exact() {
        assert_eq!(["1", "2", "15625"].map(counted), ["1 candidate", "2 candidates", "15,625 candidates"]);
        assert_eq!(counted("556869504614656"), "5.57e14 candidates (exactly 556,869,504,614,656)");
        assert_eq!(counted("9999999999999"), "1.00e13 candidates (exactly 9,999,999,999,999)");
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["trial".into(), "accuracy".into()], vec!["7".into(), "0.9".into()]];
        assert_eq!(columns(&rows), "trial  accuracy\n7           0.9\n");
    }
}
