//! Whether two descriptions are of one study, and what differs where they are not.

use super::Description;
use crate::experiment::Experiment;
use crate::symbolic::{Fields, Name, ProgramError, Value, to_value};

/// How many differing lines an error shows.
const SHOWN: usize = 6;

/// What keeps a stored study from being gone on with as `asked`, a line each; empty where nothing does.
///
/// The number of trials and the final training may change: what is stored stays true.
pub(super) fn differences(stored: &Description, asked: &Description) -> Result<Vec<String>, ProgramError> {
    let experiment = Experiment {
        trials: asked.experiment.trials,
        retrain: asked.experiment.retrain,
        ..stored.experiment.clone()
    };
    let mut lines = fields(&to_value(&experiment)?, &to_value(&asked.experiment)?);
    lines.extend(between(stored.space.trim(), asked.space.trim()));
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    Ok(lines)
}

/// The fields of two experiments that differ.
fn fields(stored: &Value, asked: &Value) -> Vec<String> {
    let Some(Fields::Named(fields)) = stored.as_object().map(|object| &object.fields) else {
        return Vec::new();
    };
    let differs = |(name, stored): &(Name, Value)| {
        let asked = asked.field(name).filter(|asked| *asked != stored)?;
        Some(format!("  experiment.{name}: stored `{stored}`, asked for `{asked}`"))
    };
    fields.iter().filter_map(differs).collect()
}

/// The lines between the first and the last that differ, paired up.
fn between(stored: &str, asked: &str) -> Vec<String> {
    let (stored, asked): (Vec<&str>, Vec<&str>) = (stored.lines().collect(), asked.lines().collect());
    let same = stored.iter().zip(&asked).take_while(|(a, b)| a == b).count();
    let shorter = stored.len().min(asked.len()) - same;
    let tail = stored.iter().rev().zip(asked.iter().rev()).take(shorter).take_while(|(a, b)| a == b).count();
    let line = |lines: &[&str], at: usize| match lines[..lines.len() - tail].get(at) {
        Some(line) => format!("`{}`", line.trim()),
        None => "nothing".into(),
    };
    let end = stored.len().max(asked.len()) - tail;
    (same..end)
        .map(|at| (at, line(&stored, at), line(&asked, at)))
        .filter(|(_, stored, asked)| stored != asked)
        .map(|(at, stored, asked)| format!("  space, line {}: stored {stored}, asked for {asked}", at + 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(space: &str, experiment: &str) -> Description {
        let text = format!("(evaluator: Cost(()), objectives: [Minimize(\"params\")], {experiment})");
        Description { space: space.into(), experiment: ron::from_str(&text).unwrap() }
    }

    #[test]
    fn more_trials_are_the_same_study() {
        let stored = description("(a: 1)", "trials: 10");
        assert!(
            differences(&stored, &description("(a: 1)\n", "trials: 20, retrain: (top: 3)"))
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn says_what_differs() {
        let stored = description("(\n  a: 1,\n  b: 2,\n  c: 3,\n)", "seed: 1");
        let asked = description("(\n  a: 1,\n  b: 5,\n  b2: 6,\n  c: 3,\n)", "seed: 1, workers: 3");
        let lines = differences(&stored, &asked).unwrap().join("\n");
        insta::assert_snapshot!(lines, @r"
        experiment.workers: stored `1`, asked for `3`
        space, line 3: stored `b: 2,`, asked for `b: 5,`
        space, line 4: stored nothing, asked for `b2: 6,`
        ");
    }

    #[test]
    fn shows_a_few_lines_only() {
        let many = |letter: &str| (0..20).map(|n| format!("{letter}{n}\n")).collect::<String>();
        let lines = differences(&description(&many("a"), ""), &description(&many("b"), "")).unwrap();
        assert_eq!(lines.len(), SHOWN + 1);
        assert_eq!(lines[SHOWN], "  and 14 more");
    }
}
