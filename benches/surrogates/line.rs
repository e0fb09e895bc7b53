//! The lines of the tables.

/// One line: a surrogate with a set of features.
#[derive(Clone)]
pub struct Line {
    pub surrogate: String,
    pub set: &'static str,
    /// By column; `None` where it was not measured.
    pub scores: Vec<Option<Score>>,
}

/// How well unseen rows are ranked; a mean over all draws.
#[derive(Clone, Copy, Default)]
pub struct Score {
    pub spearman: f64,
    pub kendall: f64,
    /// The share of the unseen that are better than the best of the ten predicted best, in percent.
    pub missed: f64,
    /// The share of the unseen that are worth what is predicted, give or take two deviations.
    pub covered: f64,
}

impl Score {
    pub fn mean(scores: &[Score]) -> Option<Score> {
        let mean = |pick: fn(&Score) -> f64| scores.iter().map(pick).sum::<f64>() / scores.len() as f64;
        (!scores.is_empty()).then(|| Score {
            spearman: mean(|score| score.spearman),
            kendall: mean(|score| score.kendall),
            missed: mean(|score| score.missed),
            covered: mean(|score| score.covered),
        })
    }
}

pub fn header(first: &str, columns: &[String]) {
    println!("{first} {} |", columns.join(" | "));
    println!("|---|---|{}", "---:|".repeat(columns.len()));
}

impl Line {
    /// Prints all columns, once for each way to show them.
    pub fn print(&self, shows: &[&dyn Fn(&Score) -> String]) {
        let text = |score: &Option<Score>, show: &dyn Fn(&Score) -> String| {
            score.as_ref().map_or(String::new(), show)
        };
        let shown = shows.iter().flat_map(|show| self.scores.iter().map(move |score| text(score, *show)));
        println!("| {} | {} | {} |", self.surrogate, self.set, shown.collect::<Vec<_>>().join(" | "));
    }
}

/// The mean of each line over the tables that have it.
pub fn means(lines: &[Line]) -> Vec<Line> {
    let mut means: Vec<Line> = Vec::new();
    for line in lines {
        let alike = |other: &&Line| (&other.surrogate, other.set) == (&line.surrogate, line.set);
        if means.iter().any(|mean| alike(&mean)) {
            continue;
        }
        let alike: Vec<&Line> = lines.iter().filter(alike).collect();
        let mean = |at: usize| {
            let known: Vec<Score> = alike.iter().filter_map(|line| line.scores[at]).collect();
            Score::mean(&known)
        };
        means.push(Line { scores: (0..line.scores.len()).map(mean).collect(), ..line.clone() });
    }
    means
}
