//! Whether two descriptions are of one study, and what differs where they are not.

use std::sync::Arc;

use super::Description;
use crate::experiment::Experiment;
use crate::symbolic::{Change, Fields, Kind, ProgramError, Value, to_value};

/// How many differences an error shows.
const SHOWN: usize = 6;
/// How long a difference may be, in characters.
const WIDTH: usize = 160;
/// The fields of a space file that may change: words about it, and the experiment, which is compared by itself.
const APART: [&str; 2] = ["about", "experiment"];

/// What keeps a stored study from being gone on with as `asked`, a line each; empty where nothing does.
///
/// The number of trials, the device and the final training may change: what is stored stays true.
pub(super) fn differences(stored: &Description, asked: &Description) -> Result<Vec<String>, ProgramError> {
    let experiment = Experiment {
        trials: asked.experiment.trials,
        device: asked.experiment.device,
        retrain: asked.experiment.retrain,
        ..stored.experiment.clone()
    };
    let mut lines = changes("experiment", &to_value(&experiment)?, &to_value(&asked.experiment)?);
    if stored.space != asked.space {
        lines.extend(match (stored.space.parse::<Value>(), asked.space.parse::<Value>()) {
            (Ok(stored), Ok(asked)) => changes("space", &space_alone(stored), &space_alone(asked)),
            _ => vec!["  space: another text".into()],
        });
    }
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    Ok(lines)
}

/// A space file without what may change.
fn space_alone(mut file: Value) -> Value {
    if let Kind::Object(object) = &mut file.kind
        && let Fields::Named(fields) = &mut Arc::make_mut(object).fields
    {
        fields.retain(|(name, _)| !APART.contains(&&**name));
    }
    file
}

fn changes(what: &str, stored: &Value, asked: &Value) -> Vec<String> {
    stored.diff(asked).0.iter().map(|change| format!("  {what}.{}", shorten(&words(change)))).collect()
}

fn words(change: &Change) -> String {
    match change {
        Change::Changed { path, from, to } => format!("{path}: stored `{from}`, asked for `{to}`"),
        Change::Added { path, value } => format!("{path}: asked for `{value}`, which is not stored"),
        Change::Removed { path, value } => format!("{path}: stored `{value}`, which is not asked for"),
    }
}

fn shorten(line: &str) -> String {
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(space: &str, experiment: &str) -> Description {
        let text = format!("(evaluator: Cost(()), objectives: [Minimize(\"params\")], {experiment})");
        Description { space: space.into(), experiment: ron::from_str(&text).unwrap() }
    }

    #[test]
    fn what_may_change_is_the_same_study() {
        let stored =
            description("Space(about: \"a\", program: (a: 1), experiment: (trials: 10))", "trials: 10");
        let asked = description(
            "Space(about: \"b\",\n program: (a: 1), experiment: (trials: 20))",
            "trials: 20, device: \"cuda:1\", retrain: (top: 3)",
        );
        assert_eq!(differences(&stored, &asked).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn says_what_differs() {
        let stored = description("Space(program: (a: 1, b: OneOf([2, 3])))", "seed: 1");
        let asked = description("Space(program: (a: 1, b: OneOf([2, 4, 5]), c: 3))", "seed: 1, workers: 3");
        let lines = differences(&stored, &asked).unwrap().join("\n");
        insta::assert_snapshot!(lines, @r"
          experiment.workers: stored `1`, asked for `3`
          space.program.b[0][1]: stored `3`, asked for `4`
          space.program.b[0][2]: asked for `5`, which is not stored
          space.program.c: asked for `3`, which is not stored
        ");
    }

    #[test]
    fn long_and_many_differences_are_cut() {
        let many = |letter: &str| {
            (0..20).map(|n| format!("{letter}{n}: \"{}\",", "x".repeat(n * 20))).collect::<String>()
        };
        let space = |letter| description(&format!("({})", many(letter)), "");
        let lines = differences(&space("a"), &space("b")).unwrap();
        assert_eq!((lines.len(), &*lines[SHOWN]), (SHOWN + 1, "  and 34 more"));
        assert!(lines.iter().all(|line| line.len() < 200));
        let words = differences(&description("no RON (", ""), &description("nor this", "")).unwrap();
        assert_eq!(words, ["  space: another text"]);
    }
}
