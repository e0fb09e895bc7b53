//! Measurements made before, as an evaluator: every row of a CSV file is a candidate.
//!
//! A table stands in for trainings that somebody has done already, such as NAS-Bench-101
//! (<https://arxiv.org/abs/1902.09635>) or NAS-Bench-201 (<https://arxiv.org/abs/2001.00326>), so that searches are
//! compared in seconds. A trial's figures are those of one of its candidate's repeated measurements, drawn from the
//! trial's own random stream; figures to judge searches by are kept where no search sees them.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::{Evaluate, Failure, Job, Outcome, Prepare, Progress};
use crate::error::Error;
use crate::space::{Genotype, Key, Space};
use crate::trial::{Fidelity, Metrics, Objective};

mod columns;
mod digits;
mod error;
mod key;
mod matrix;
mod measured;
mod read;
mod sheet;
#[cfg(test)]
mod tests;
mod text;

pub use columns::Columns;
pub use error::{Number, TableError};
pub use key::RowKey;
use measured::{Metric, levels};
use sheet::Sheet;

/// What is reported of a trial's cost, where the table knows it.
const SECONDS: &str = "seconds";

/// A CSV file, plain or gzip, of which every row is a candidate.
///
/// ```
/// use cellwright::evaluate::{Prepare, Table};
///
/// let table: Table = ron::from_str(r#"(
///     file: "tests/tables/nasbench201_cifar10.csv.gz",
///     key: Digits("ops"),
///     metrics: { "accuracy": [
///         (fidelity: 12, columns: "c10_val12", scale: 0.01),
///         (fidelity: 200, columns: ["c10_val200_a", "c10_val200_b", "c10_val200_c"], scale: 0.01),
///     ] },
///     seconds: [
///         (fidelity: 12, columns: "c10_train200_s", scale: 0.06),
///         (fidelity: 200, columns: "c10_train200_s"),
///     ],
///     hidden: { "test_accuracy": (columns: "c10_test200", scale: 0.01) },
/// )"#)?;
/// assert_eq!(table.reports(), ["accuracy", "seconds"]);
/// # Ok::<(), ron::error::SpannedError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The file; its first line names the columns.
    pub file: PathBuf,
    /// Which columns identify a candidate.
    pub key: RowKey,
    /// What is reported, by name: a reading for each fidelity, or one for all.
    pub metrics: IndexMap<String, Vec<Reading>>,
    /// What a trial's training cost when it was measured, in seconds: reported as `seconds`, the clock of a simulated
    /// search. What looking it up takes is the trial's own time, `wall_seconds` in rankings.
    #[serde(default)]
    pub seconds: Vec<Reading>,
    /// What is known and never shown to a search, by name: the mean of its columns. The last training of a winner
    /// reports it.
    #[serde(default)]
    pub hidden: IndexMap<String, Reading>,
    /// The column of the fidelity, where each has a row of its own.
    #[serde(default)]
    pub fidelity: Option<String>,
    /// The column that tells repeated measurements apart, where each has a row of its own.
    #[serde(default)]
    pub seed: Option<String>,
    /// Whether only the rows' candidates are ever proposed; otherwise a candidate without a row is a failed trial.
    #[serde(default)]
    pub only_rows: bool,
    /// Whether rows that are no candidates of the space are left out; otherwise they are a mistake.
    #[serde(default)]
    pub skip_rows: bool,
    /// What stands between cells.
    #[serde(default = "comma")]
    pub delimiter: char,
}

/// Where a metric stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The fidelity that it was measured at; 0, the default, for whatever fidelity.
    #[serde(default)]
    pub fidelity: u32,
    /// The column, or one for each of repeated measurements: of those that are neither blank nor `NaN`, a trial draws
    /// one.
    pub columns: Columns,
    /// What the cells are multiplied by: 0.01 makes percent a share.
    #[serde(default = "one")]
    pub scale: f64,
}

fn comma() -> char {
    ','
}
fn one() -> f64 {
    1.0
}

impl Prepare for Table {
    fn reports(&self) -> Vec<&str> {
        self.shown().map(|(name, _)| name).collect()
    }

    fn restrict(&self, space: Space) -> Result<Space, Error> {
        if !self.only_rows {
            return Ok(space);
        }
        self.check()?;
        let genotypes = sheet::genotypes(self, &space)?;
        Ok(space.only(genotypes)?)
    }

    fn prepare(&self, space: &Space) -> Result<Box<dyn Evaluate>, Error> {
        self.check()?;
        let sheet = Sheet::read(self, space, self.columns())?;
        for (name, reading) in self.readings() {
            let is_cost = name == SECONDS;
            reading.columns.0.iter().try_for_each(|column| sheet.check(column, reading.scale, is_cost))?;
        }
        let metrics: Vec<Metric> =
            self.shown().map(|(name, readings)| Metric::new(name, readings, &sheet)).collect();
        let hidden = self
            .hidden
            .iter()
            .map(|(name, reading)| Metric::new(name, std::slice::from_ref(reading), &sheet));
        let (hidden, levels) =
            (hidden.collect(), levels(&metrics, &sheet).map_err(|error| error.of("metrics"))?);
        Ok(Box::new(Measured { sheet, metrics, hidden, levels }))
    }

    fn is_quick(&self) -> bool {
        true
    }

    fn has_fidelities(&self) -> bool {
        self.fidelity.is_some() || self.readings().any(|(_, reading)| reading.fidelity > 0)
    }

    fn mend(&self) -> &'static str {
        "mend the table, or what the evaluator says of it: its `key` and `metrics`"
    }
}

impl Table {
    /// What is reported.
    fn shown(&self) -> impl Iterator<Item = (&str, &[Reading])> {
        let seconds = (!self.seconds.is_empty()).then_some((SECONDS, self.seconds.as_slice()));
        self.metrics.iter().map(|(name, readings)| (name.as_str(), readings.as_slice())).chain(seconds)
    }

    fn readings(&self) -> impl Iterator<Item = (&str, &Reading)> {
        let shown = self.shown().flat_map(|(name, readings)| readings.iter().map(move |one| (name, one)));
        shown.chain(self.hidden.iter().map(|(name, reading)| (name.as_str(), reading)))
    }

    /// All columns of figures, each once.
    fn columns(&self) -> Vec<String> {
        let mut columns: Vec<String> = Vec::new();
        for column in self.readings().flat_map(|(_, reading)| &reading.columns.0) {
            if !columns.contains(column) {
                columns.push(column.clone());
            }
        }
        columns
    }

    /// Whether the description can be that of any table.
    fn check(&self) -> Result<(), TableError> {
        let wrong =
            |field, problem: String, hint: &str| Err(TableError::description(problem, hint).of(field));
        if self.file.as_os_str().is_empty() {
            return wrong("file", "`file` names no file".into(), "write `file: \"table.csv\"`");
        }
        let empty = self.metrics.iter().find(|(_, readings)| readings.is_empty());
        if let Some(name) =
            empty.map(|(name, _)| name.as_str()).or(self.metrics.is_empty().then_some("accuracy"))
        {
            return wrong("metrics", format!("`metrics` says nothing of `{name}`"), READ);
        }
        if let Some((name, _)) = self.readings().find(|(_, reading)| reading.columns.0.is_empty()) {
            return wrong(self.field(name), format!("a reading of `{name}` names no column"), READ);
        }
        if let Some((name, reading)) = self.readings().find(|(_, reading)| !reading.scale.is_finite()) {
            return wrong(
                self.field(name),
                format!("`{name}` is scaled by {}", reading.scale),
                "give a number, such as `scale: 0.01`",
            );
        }
        let twice = |reading: &Reading| {
            let columns = &reading.columns.0;
            (1..columns.len())
                .find(|place| columns[..*place].contains(&columns[*place]))
                .map(|place| columns[place].clone())
        };
        if let Some((name, column)) =
            self.readings().find_map(|(name, reading)| Some((name, twice(reading)?)))
        {
            return wrong(
                self.field(name),
                format!("a reading of `{name}` names the column `{column}` twice"),
                "name each column of repeated measurements once: all are drawn alike",
            );
        }
        if self.metrics.contains_key(SECONDS) {
            return wrong(
                "metrics",
                "`metrics` holds `seconds`".into(),
                "write `seconds: [(columns: ..)]` beside `metrics`",
            );
        }
        if let Some(name) = self.hidden.keys().find(|name| self.shown().any(|(shown, _)| shown == *name)) {
            return wrong(
                "hidden",
                format!("`{name}` is hidden and shown"),
                "give the hidden one another name",
            );
        }
        let levelled = self.readings().find(|(_, reading)| reading.fidelity > 0);
        match (levelled, &self.fidelity) {
            (Some((name, reading)), Some(column)) => wrong(
                "fidelity",
                format!(
                    "`{name}` is read at fidelity {}, but column `{column}` tells fidelities",
                    reading.fidelity
                ),
                "leave out one of them",
            ),
            _ => Ok(()),
        }
    }
    /// The field that a metric is described in.
    fn field(&self, name: &str) -> &'static str {
        match (self.metrics.contains_key(name), self.hidden.contains_key(name)) {
            (true, _) => "metrics",
            (_, true) => "hidden",
            _ => SECONDS,
        }
    }
}

/// How a metric is described.
const READ: &str = "write `metrics: {\"accuracy\": [(columns: \"the name of its column\")]}`";

/// The evaluator behind [`Table`].
struct Measured {
    sheet: Sheet,
    metrics: Vec<Metric>,
    hidden: Vec<Metric>,
    /// The fidelities there are, ascending; none where figures have none.
    levels: Vec<Fidelity>,
}

impl Evaluate for Measured {
    fn metrics(&self) -> Vec<&str> {
        self.metrics.iter().map(|metric| metric.name.as_str()).collect()
    }

    fn fidelities(&self) -> &[Fidelity] {
        &self.levels
    }

    fn evaluate(&self, job: &Job, progress: &dyn Progress) -> Result<Outcome, Failure> {
        let level = self.level(job.fidelity)?;
        let lines = self.sheet.find(job.genotype, job.key).ok_or_else(|| {
            let path = self.sheet.path.display();
            Failure::Candidate(format!("{path} has no row for this candidate"))
        })?;
        // One draw for all metrics: columns of equal length are read from the same measurement.
        let share = job.seed.stream(0, "table").random();
        let metrics = |level: Fidelity| -> Metrics {
            let drawn = |metric: &Metric| metric.drawn(&self.sheet, lines, level, share);
            self.metrics.iter().filter_map(|metric| Some((metric.name.clone(), drawn(metric)?))).collect()
        };
        // What was measured at lower fidelities is what the training would have told on its way.
        for lower in self.levels.iter().filter(|lower| **lower < level && !job.last) {
            let metrics = metrics(*lower);
            if !metrics.is_empty() && !progress.report(*lower, &metrics) {
                return Err(Failure::Stopped);
            }
        }
        let mut metrics = metrics(level);
        if metrics.is_empty() {
            let row = self.sheet.place(lines, level);
            let at = if self.levels.is_empty() {
                String::new()
            } else {
                format!(" at fidelity {}", job.fidelity.0)
            };
            return Err(Failure::Candidate(format!("{row} says nothing of this candidate{at}")));
        }
        if !progress.report(job.fidelity, &metrics) {
            return Err(Failure::Stopped);
        }
        if job.last {
            metrics.extend(self.hidden(job.genotype, job.key).unwrap_or_default());
        }
        Ok(Outcome { metrics, trained: None })
    }

    fn origin(&self, genotype: &Genotype, key: &Key, fidelity: Fidelity) -> Option<String> {
        let (lines, level) = (self.sheet.find(genotype, key)?, self.level(fidelity).ok()?);
        Some(self.sheet.place(lines, level))
    }

    fn sources(&self) -> Vec<&Path> {
        vec![&self.sheet.path]
    }

    fn hidden_metrics(&self) -> Vec<&str> {
        self.hidden.iter().map(|metric| metric.name.as_str()).collect()
    }

    fn hidden(&self, genotype: &Genotype, key: &Key) -> Option<Metrics> {
        let lines = self.sheet.find(genotype, key)?;
        let mean = |metric: &Metric| Some((metric.name.clone(), metric.mean(&self.sheet, lines)?));
        Some(self.hidden.iter().filter_map(mean).collect())
    }

    fn hidden_best(&self, objective: &Objective) -> Option<f64> {
        let metric = self.hidden.iter().find(|metric| metric.name == objective.metric())?;
        let all = self.sheet.entries().filter_map(|lines| metric.mean(&self.sheet, lines));
        match objective {
            Objective::Maximize(_) => all.reduce(f64::max),
            Objective::Minimize(_) => all.reduce(f64::min),
        }
    }
}

impl Measured {
    /// The largest fidelity there is that is not above the one asked for.
    fn level(&self, asked: Fidelity) -> Result<Fidelity, Failure> {
        let Some(least) = self.levels.first() else { return Ok(asked) };
        self.levels.iter().rev().find(|level| **level <= asked).copied().ok_or_else(|| {
            let path = self.sheet.path.display();
            let (asked, least) = (asked.0, least.0);
            Failure::Candidate(format!("{path} knows no fidelity of {asked} or less; its least is {least}"))
        })
    }
}
