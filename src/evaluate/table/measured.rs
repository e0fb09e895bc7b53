//! A metric's readings: which columns hold it at which fidelity.

use super::sheet::{Line, Sheet};
use super::{Reading, TableError};
use crate::trial::Fidelity;

/// A metric with its readings, by fidelity ascending.
pub(super) struct Metric {
    pub name: String,
    readings: Vec<Level>,
}

/// Where a metric stands at a fidelity and above.
struct Level {
    fidelity: Fidelity,
    /// The columns, as the sheet numbers them.
    columns: Vec<usize>,
    scale: f64,
}

impl Metric {
    pub fn new(name: &str, readings: &[Reading], sheet: &Sheet) -> Metric {
        let level = |reading: &Reading| Level {
            fidelity: Fidelity(reading.fidelity),
            columns: reading.columns.0.iter().map(|column| sheet.column(column)).collect(),
            scale: reading.scale,
        };
        let mut readings: Vec<Level> = readings.iter().map(level).collect();
        readings.sort_by_key(|level| level.fidelity);
        Metric { name: name.into(), readings }
    }

    /// One of the measurements at a fidelity: the one at a share, in [0, 1), of the way through them.
    pub fn drawn(&self, sheet: &Sheet, lines: &[Line], at: Fidelity, share: f64) -> Option<f64> {
        let level = self.readings.iter().rev().find(|level| level.fidelity <= at)?;
        let count = level.figures(sheet, lines, at).count();
        level.figures(sheet, lines, at).nth((share * count as f64) as usize)
    }

    /// The mean of all measurements at the highest fidelity.
    pub fn mean(&self, sheet: &Sheet, lines: &[Line]) -> Option<f64> {
        let level = self.readings.last()?;
        let highest = lines.iter().filter_map(|line| line.fidelity).max().unwrap_or(level.fidelity);
        let (mut sum, mut count) = (0.0, 0.0);
        for figure in level.figures(sheet, lines, highest) {
            sum += figure;
            count += 1.0;
        }
        (count > 0.0).then(|| sum / count)
    }
}

impl Level {
    /// All that was measured at a fidelity, line by line; blanks are left out.
    fn figures<'a>(
        &'a self,
        sheet: &'a Sheet,
        lines: &'a [Line],
        at: Fidelity,
    ) -> impl Iterator<Item = f64> + 'a {
        let lines = lines.iter().filter(move |line| line.fidelity.is_none_or(|fidelity| fidelity == at));
        let cells = lines.flat_map(|line| self.columns.iter().map(|column| sheet.figure(line, *column)));
        cells.filter(|figure| !figure.is_nan()).map(|figure| figure * self.scale)
    }
}

/// The fidelities of all metrics, ascending.
///
/// # Errors
/// A metric that has no reading where another has its first, or two readings for one fidelity.
pub(super) fn levels(metrics: &[Metric], sheet: &Sheet) -> Result<Vec<Fidelity>, TableError> {
    if !sheet.levels.is_empty() {
        return Ok(sheet.levels.iter().copied().collect());
    }
    let all = || metrics.iter().flat_map(|metric| &metric.readings).map(|level| level.fidelity);
    let mut levels: Vec<Fidelity> = all().filter(|fidelity| fidelity.0 > 0).collect();
    levels.sort_unstable();
    levels.dedup();
    for metric in metrics {
        let least = metric.readings.iter().map(|level| level.fidelity).min();
        if let (Some(own), Some(first)) = (least, levels.first().filter(|first| Some(**first) < least)) {
            let problem = format!(
                "`{}` is read from fidelity {} on, but other metrics from {} on",
                metric.name, own.0, first.0
            );
            return Err(TableError::description(
                problem,
                "add its reading there; `scale` may make it of another's",
            ));
        }
        if let Some(pair) = metric.readings.windows(2).find(|pair| pair[0].fidelity == pair[1].fidelity) {
            let problem = format!("`{}` has two readings at fidelity {}", metric.name, pair[0].fidelity.0);
            return Err(TableError::description(
                problem,
                "name all columns of repeated measurements in one reading",
            ));
        }
    }
    Ok(levels)
}
