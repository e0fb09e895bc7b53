//! What a program prints: lines of metrics, and talk round them.

use serde_json::Value as Json;

use crate::evaluate::{Failure, Progress, short};
use crate::trial::{Fidelity, Metrics};

/// The names by which a line says how far its program is.
const STEPS: [&str; 2] = ["fidelity", "step"];

/// Whether a name is no metric's.
pub(super) fn is_reserved(name: &str) -> bool {
    STEPS.contains(&name)
}

/// The metrics of a program, as they come.
pub(super) struct Figures<'a> {
    names: &'a [String],
    /// Whether metrics that nobody named are kept: the last training of a winner may say more.
    takes_all: bool,
    latest: Metrics,
    /// How far it said that it was.
    reached: Option<Fidelity>,
}

/// What became of a line.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    /// Metrics on the way: how far, and all that is known by now.
    Step(Fidelity, Metrics),
    /// Metrics, or talk.
    Read,
    /// Metrics that cannot be read, and why.
    Broken(String),
}

impl<'a> Figures<'a> {
    pub fn new(names: &'a [String], takes_all: bool) -> Figures<'a> {
        Figures { names, takes_all, latest: Metrics::new(), reached: None }
    }

    /// Takes in a line. What does not start like a JSON object is talk.
    pub fn read(&mut self, line: &str) -> Line {
        if !line.trim_start().starts_with('{') {
            return Line::Read;
        }
        let Json::Object(figures) = (match serde_json::from_str(&with_odd_numbers_quoted(line)) {
            Ok(json) => json,
            Err(error) => {
                return Line::Broken(format!("it printed `{}`, which is no JSON: {error}", short(line)));
            }
        }) else {
            return Line::Read;
        };
        let step = STEPS.iter().find_map(|name| figures.get(*name)).map(|step| {
            let number = step.as_u64().and_then(|step| u32::try_from(step).ok());
            number.ok_or_else(|| format!("it printed `{}`, where {step} is not how far it is", short(line)))
        });
        for (name, figure) in figures.iter().filter(|(name, _)| !is_reserved(name)) {
            let is_named = self.names.contains(name);
            match number(figure) {
                Some(value) if is_named || self.takes_all => {
                    self.latest.insert(name.clone(), value);
                }
                None if is_named => {
                    return Line::Broken(format!("it reported {figure} as `{name}`, which is not a number"));
                }
                _ => {}
            }
        }
        match step {
            None => Line::Read,
            Some(Ok(step)) => {
                self.reached = Some(Fidelity(step));
                Line::Step(Fidelity(step), self.latest.clone())
            }
            Some(Err(problem)) => Line::Broken(problem),
        }
    }

    /// The first metric that was named and never reported.
    pub fn missing(&self) -> Option<&str> {
        self.names.iter().map(String::as_str).find(|name| !self.latest.contains_key(name))
    }

    /// A metric that is not a number at the program's end.
    pub fn not_a_number(&self) -> Option<&str> {
        self.latest.iter().find(|(_, value)| value.is_nan()).map(|(name, _)| name.as_str())
    }

    /// All metrics at the program's end, in the order in which they were named.
    pub fn outcome(mut self, fidelity: Fidelity, progress: &dyn Progress) -> Result<Metrics, Failure> {
        let named = self.names.iter().filter_map(|name| Some((name.clone(), *self.latest.get(name)?)));
        let mut latest: Metrics = named.collect();
        latest.extend(self.latest);
        self.latest = latest;
        // A program that counted to its end itself has reported that.
        let told = self.reached.is_some_and(|reached| reached >= fidelity);
        let goes_on = if told { !progress.should_stop() } else { progress.report(fidelity, &self.latest) };
        if goes_on { Ok(self.latest) } else { Err(Failure::Stopped) }
    }
}

/// A number, or one of the words for numbers that JSON has none for.
fn number(json: &Json) -> Option<f64> {
    match json {
        Json::Number(number) => number.as_f64(),
        Json::String(word) => match word.trim_start_matches('-') {
            "NaN" | "nan" => Some(f64::NAN),
            "Infinity" | "inf" => Some(if word.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }),
            _ => None,
        },
        _ => None,
    }
}

/// The line with `NaN` and `Infinity`, which Python's `json` prints bare, in quotes.
fn with_odd_numbers_quoted(line: &str) -> String {
    let (mut text, mut rest, mut in_text) = (String::with_capacity(line.len()), line, false);
    while let Some(letter) = rest.chars().next() {
        let word =
            ["-Infinity", "Infinity", "NaN"].into_iter().find(|word| !in_text && rest.starts_with(word));
        let length = match (word, letter) {
            (Some(word), _) => {
                text.extend(["\"", word, "\""]);
                word.len()
            }
            (None, '\\') if in_text => {
                let escaped = letter.len_utf8() + rest[1..].chars().next().map_or(0, char::len_utf8);
                text.push_str(&rest[..escaped]);
                escaped
            }
            (None, letter) => {
                in_text ^= letter == '"';
                text.push(letter);
                letter.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Goes;
    impl Progress for Goes {
        fn report(&self, _done: Fidelity, _metrics: &Metrics) -> bool {
            true
        }
    }

    fn names() -> Vec<String> {
        vec!["loss".into(), "accuracy".into()]
    }

    #[test]
    fn lines_add_up_and_talk_is_passed_over() {
        let names = names();
        let mut figures = Figures::new(&names, false);
        assert_eq!(figures.read("epoch 1 of 3"), Line::Read);
        assert_eq!(figures.read("[1, 2]"), Line::Read);
        let first = Metrics::from([("accuracy".to_string(), 0.5)]);
        assert_eq!(
            figures.read(r#"{"step": 1, "accuracy": 0.5, "other": 3}"#),
            Line::Step(Fidelity(1), first)
        );
        assert_eq!(figures.missing(), Some("loss"));
        assert_eq!(figures.read(r#"  {"loss": 2, "name": "a{b"}"#), Line::Read);
        assert_eq!(figures.missing(), None);
        let metrics = figures.outcome(Fidelity(3), &Goes).expect("figures");
        assert_eq!(metrics.into_iter().collect::<Vec<_>>(), [("loss".into(), 2.0), ("accuracy".into(), 0.5)]);
    }

    #[test]
    fn the_last_training_may_say_more() {
        let names = names();
        let mut figures = Figures::new(&names, true);
        figures.read(r#"{"test_accuracy": 0.4, "accuracy": 0.5, "loss": 1}"#);
        let metrics = figures.outcome(Fidelity(3), &Goes).expect("figures");
        assert_eq!(metrics.keys().collect::<Vec<_>>(), ["loss", "accuracy", "test_accuracy"]);
    }

    #[test]
    fn what_python_prints_for_numbers_that_json_has_not_is_understood() {
        let names = names();
        let mut figures = Figures::new(&names, false);
        assert_eq!(figures.read(r#"{"loss": -Infinity, "note": "NaN \" NaN", "accuracy": NaN}"#), Line::Read);
        assert_eq!(figures.latest["loss"], f64::NEG_INFINITY);
        assert_eq!(figures.not_a_number(), Some("accuracy"));
    }

    #[test]
    fn broken_lines_are_told() {
        let names = names();
        let read = |line: &str| match Figures::new(&names, false).read(line) {
            Line::Broken(problem) => problem,
            other => panic!("{other:?}"),
        };
        assert_eq!(read(r#"{"loss": "much"}"#), "it reported \"much\" as `loss`, which is not a number");
        assert_eq!(read(r#"{"step": -1}"#), "it printed `{\"step\": -1}`, where -1 is not how far it is");
        assert!(read("{'loss': 1}").starts_with("it printed `{'loss': 1}`, which is no JSON: "));
        assert!(read(&format!("{{{}", "x".repeat(200))).contains(&format!("{}..`", "x".repeat(79))));
    }
}
