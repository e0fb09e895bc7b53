//! Results as tables: regret at the budgets, ranks, and what a proposal costs.

use super::{Axis, AxisResults, LeftOut, Results, SpaceResults, Summary, Unit};

/// A heading, a sentence, and a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// What it is about.
    pub heading: String,
    /// How to read it.
    pub words: String,
    /// Rows of cells: the first row names the columns, the first column the algorithms.
    pub rows: Vec<Vec<String>>,
    /// The best cell of every column that has one: row and column.
    pub best: Vec<(usize, usize)>,
    /// The file name of its plot.
    pub plot: Option<String>,
}

impl Results {
    /// All tables.
    pub fn sections(&self) -> Vec<Section> {
        let mut sections = Vec::new();
        for space in &self.spaces {
            sections.extend(space.axes.iter().map(|axis| self.regrets(space, axis)));
        }
        let axes = self.spaces.first().map_or(&[][..], |space| &space.axes);
        if self.algorithms.len() > 1 {
            sections.extend(axes.iter().map(|axis| self.ranks(axis.axis)));
        }
        if !self.left_out.is_empty() {
            sections.push(self.leave_one_out());
        }
        sections.push(self.times());
        sections
    }

    fn regrets(&self, space: &SpaceResults, axis: &AxisResults) -> Section {
        let summaries: Vec<Vec<Summary>> =
            axis.curves.iter().map(|curve| curve.budgets().collect()).collect();
        let digits = digits(summaries.iter().flatten().map(|summary| summary.mean));
        let cell = |summary: &Summary| interval(summary, digits);
        Section {
            heading: format!("{}: regret by {}", space.label, axis.axis.label()),
            words: self.words(space),
            rows: self.table(&axis.budgets, |entrant, place| cell(&summaries[entrant][place])),
            best: least(&summaries),
            plot: Some(plot_name(&space.label, axis.axis)),
        }
    }

    /// How to read a table of regrets.
    fn words(&self, space: &SpaceResults) -> String {
        let SpaceResults { candidates, best, metrics, .. } = space;
        let (best, unit) = (figure(*best), unit(space.unit));
        let what = match metrics.as_slice() {
            [metric] => format!(
                "How far `{metric}` {} is from {best}, the best of {candidates} candidates{unit}",
                self.of_whom()
            ),
            several => format!(
                "Which share of the hypervolume of the best front the front that was found lacks{unit}. Found are the trials \
                 whose readings no other's beat, measured by what they are in truth (`{}`); the best front, of all \
                 {candidates} candidates, dominates {best} of the box between the worst and the best figures",
                several.join("`, `")
            ),
        };
        let at_once: Vec<String> = self
            .algorithms
            .iter()
            .zip(&self.workers)
            .map(|(label, workers)| format!("`{label}` {workers}"))
            .collect();
        let workers = match self.workers.iter().all(|workers| *workers == 1) {
            true => String::new(),
            false => {
                format!(
                    " Trials under way at once: {}; they end in the order of their seconds.",
                    at_once.join(", ")
                )
            }
        };
        let seeds = self.of_seeds();
        format!("{what}: mean of {seeds} and its 95 % interval by Student's t.{workers}")
    }

    /// How many seeds, and which where they do not begin at 0.
    fn of_seeds(&self) -> String {
        match self.first_seed {
            0 => format!("{} seeds", self.seeds),
            first => format!("{} seeds, {first} to {}", self.seeds, first.saturating_add(self.seeds - 1)),
        }
    }

    fn of_whom(&self) -> String {
        match self.top {
            1 => "of the candidate believed best".into(),
            top => format!("of the {top} trials with the best readings, on the mean,"),
        }
    }

    fn ranks(&self, axis: Axis) -> Section {
        let rankings: Vec<_> = self.rankings.iter().filter(|ranking| ranking.axis == axis).collect();
        let budgets: Vec<f64> = rankings.iter().map(|ranking| ranking.budget).collect();
        let of = |entrant: usize| rankings.iter().map(move |ranking| ranking.ranks[entrant]).collect();
        let summaries: Vec<Vec<Summary>> = (0..self.algorithms.len()).map(of).collect();
        let cell = |entrant: usize, place: usize| {
            let wins = 100.0 * rankings[place].wins[entrant];
            format!("{} ({wins:.0} %)", interval(&summaries[entrant][place], 2))
        };
        Section {
            heading: format!("Ranks by {}", axis.label()),
            words: format!(
                "The mean place among the {} algorithms, 1 for the least regret, over {} x {} seeds, with its 95 % interval; \
                 in brackets how often each comes first, ties shared.",
                self.algorithms.len(),
                spaces(self.spaces.len()),
                self.seeds,
            ),
            rows: self.table(&budgets, cell),
            best: least(&summaries),
            plot: None,
        }
    }

    fn leave_one_out(&self) -> Section {
        let head = [
            "left out",
            "chosen by the others",
            "mean rank",
            "next",
            "mean rank",
            "rank where it was left out",
        ];
        let row = |out: &LeftOut| {
            let (rank, next, own) = (number(out.rank, 2), number(out.next_rank, 2), number(out.own_rank, 2));
            vec![out.space.clone(), out.chosen.clone(), rank, out.next.clone(), next, own]
        };
        let mut rows = vec![head.map(String::from).to_vec()];
        rows.extend(self.left_out.iter().map(row));
        Section {
            heading: "Leave one space out".into(),
            words: "Who is ahead on all other spaces, by the mean rank over their seeds and budgets, and what rank that choice \
                    has on the space that had no say in it."
                .into(),
            rows,
            best: Vec::new(),
            plot: None,
        }
    }

    fn times(&self) -> Section {
        let queries =
            self.spaces.iter().flat_map(|space| &space.axes).find(|axis| axis.axis == Axis::Queries);
        let budgets = queries.map_or(&[][..], |axis| &axis.budgets);
        let columns = self.spaces.first().and_then(|space| space.proposal_ms.first()).map_or(0, Vec::len);
        let mean = |entrant: usize, place: usize| {
            // Where a space was searched to its end before, nothing was proposed.
            let times = self.spaces.iter().map(|space| space.proposal_ms[entrant][place]);
            let times: Vec<f64> = times.filter(|time| time.is_finite()).collect();
            times.iter().sum::<f64>() / times.len() as f64
        };
        let heads = match columns == budgets.len() {
            true => budgets.to_vec(),
            false => vec![f64::NAN; columns],
        };
        Section {
            heading: "What a proposal costs".into(),
            words: "Milliseconds of processor time, over the last tenth of the trials before each number of queries (over \
                    all where none is given); what evaluations cost is not in it."
                .into(),
            rows: self.table(&heads, |entrant, place| number(mean(entrant, place), 3)),
            best: Vec::new(),
            plot: None,
        }
    }

    /// A row for each algorithm, a column for each budget.
    fn table(&self, budgets: &[f64], cell: impl Fn(usize, usize) -> String) -> Vec<Vec<String>> {
        let head = budgets.iter().map(|budget| if budget.is_nan() { "all".into() } else { figure(*budget) });
        let mut rows = vec![std::iter::once("algorithm".to_owned()).chain(head).collect::<Vec<_>>()];
        rows.extend(self.algorithms.iter().enumerate().map(|(entrant, label)| {
            let cells = (0..budgets.len()).map(|place| cell(entrant, place));
            std::iter::once(label.clone()).chain(cells).collect()
        }));
        rows
    }
}

/// The report as Markdown, with lines of the caller's own under the title: the machine, the commit. Plots are looked for
/// in the folder of the report.
pub fn markdown(results: &Results, notes: &[String], with_plots: bool) -> String {
    let title = if results.title.is_empty() { "Algorithms compared" } else { &results.title };
    let mut text = format!("# {title}\n");
    if !results.about.is_empty() {
        text += &format!("\n{}\n", results.about);
    }
    let notes: Vec<String> =
        notes.iter().flat_map(|note| note.lines()).map(|line| format!("- {line}\n")).collect();
    if !notes.is_empty() {
        text += &format!("\n{}", notes.concat());
    }
    for section in results.sections() {
        text += &format!("\n## {}\n\n{}\n\n{}", section.heading, section.words, section.markdown());
        if let Some(plot) = section.plot.as_ref().filter(|_| with_plots) {
            text += &format!("\n![{}]({plot})\n", section.heading);
        }
    }
    text
}

impl Section {
    /// The table as Markdown, the best of each column in bold.
    fn markdown(&self) -> String {
        let mut text = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            let cell = |(column, cell): (usize, &String)| match self.best.contains(&(number, column)) {
                true => format!(" **{cell}** |"),
                false => format!(" {} |", cell.replace('|', "\\|")),
            };
            text += &format!("|{}\n", row.iter().enumerate().map(cell).collect::<String>());
            if number == 0 {
                text += &format!("|---|{}\n", "---:|".repeat(row.len().saturating_sub(1)));
            }
        }
        text
    }
}

/// The file that a plot goes into.
pub(super) fn plot_name(space: &str, axis: Axis) -> String {
    let tame = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    let tamed: String = format!("{space} {}", axis.label()).chars().map(tame).collect();
    let words: Vec<&str> = tamed.split('-').filter(|word| !word.is_empty()).collect();
    format!("{}.svg", words.join("-"))
}

/// The least of every column.
fn least(summaries: &[Vec<Summary>]) -> Vec<(usize, usize)> {
    let columns = summaries.first().map_or(0, Vec::len);
    let least = |column: usize| {
        let means =
            summaries.iter().map(|row| row[column].mean).enumerate().filter(|(_, mean)| !mean.is_nan());
        let (row, _) = means.min_by(|a, b| a.1.total_cmp(&b.1))?;
        Some((row + 1, column + 1))
    };
    if summaries.len() < 2 { Vec::new() } else { (0..columns).filter_map(least).collect() }
}

fn interval(summary: &Summary, digits: usize) -> String {
    match (summary.mean.is_nan(), summary.half.is_nan()) {
        (true, _) => "-".into(),
        (false, true) => format!("{:.digits$}", summary.mean),
        (false, false) => format!("{:.digits$} ± {:.digits$}", summary.mean, summary.half),
    }
}

/// Digits behind the point that leave the largest figure four.
fn digits(figures: impl Iterator<Item = f64>) -> usize {
    let largest = figures
        .filter(|figure| figure.is_finite())
        .fold(0.0, |largest: f64, figure| largest.max(figure.abs()));
    if largest > 0.0 { (3.0 - largest.log10().floor()).clamp(0.0, 9.0) as usize } else { 3 }
}

fn number(figure: f64, digits: usize) -> String {
    if figure.is_nan() { "-".into() } else { format!("{figure:.digits$}") }
}

/// A budget or a metric's value, without more digits than it has.
pub(super) fn figure(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        format!("{value:.0}")
    } else {
        format!("{}", (value * 1e6).round() / 1e6)
    }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Own => "",
        Unit::Points => ", in percentage points",
    }
}

fn spaces(count: usize) -> String {
    if count == 1 { "1 space".into() } else { format!("{count} spaces") }
}

#[cfg(test)]
pub(super) mod tests;
