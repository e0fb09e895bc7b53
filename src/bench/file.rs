//! The experiment file: spaces, algorithms, seeds, budgets.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Axis, BenchError};
use crate::error::{Problem, Result, SpaceError};
use crate::search::Algorithm;
use crate::symbolic::{Sources, Value, from_value};
use crate::trial::Objective;

/// Which algorithms are compared, on which spaces, for how long.
///
/// ```
/// use cellwright::bench::Bench;
///
/// let bench = Bench::from_ron("bench.ron", r#"Bench(
///     spaces: [(file: "grid.ron", metric: "test_accuracy")],
///     algorithms: [(algorithm: Random), (algorithm: RegularizedEvolution)],
///     seeds: 10,
///     queries: 50,
///     budgets: (queries: [10, 50]),
/// )"#)?;
/// assert_eq!(bench.algorithms[1].label(), "regularized_evolution");
///
/// let error = Bench::from_ron("bench.ron", "Bench(spaces: [], algorithms: [(algorithm: Random)], seeds: 0)").unwrap_err();
/// assert!(error.to_string().contains("bench.ron:1:61: 0 seeds"), "{error}");
/// # Ok::<(), cellwright::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bench {
    /// The report's heading.
    #[serde(default)]
    pub title: String,
    /// What the reader should know, under the heading.
    #[serde(default)]
    pub about: String,
    /// Where.
    pub spaces: Vec<Scored>,
    /// Who.
    pub algorithms: Vec<Entrant>,
    /// From how many seeds each: `first_seed`, and on from it.
    #[serde(default = "twenty")]
    pub seeds: u64,
    /// The first seed. Figures that a comparison has chosen are to be told of seeds that had no say in it.
    #[serde(default)]
    pub first_seed: u64,
    /// Trials of a run at most. Algorithms plan with it.
    #[serde(default = "hundred")]
    pub queries: u64,
    /// Trials of a run that are under way at once. Several end in the order of the `seconds` that the evaluator reports,
    /// and each proposal sees what has ended by then.
    #[serde(default = "one")]
    pub workers: usize,
    /// Where the regret is told.
    #[serde(default)]
    pub budgets: Budgets,
    /// What the regret is of: 1 for the candidate believed best, more for the mean of so many trials with the best readings,
    /// which tells how many good ones a search has found.
    #[serde(default = "one")]
    pub top: usize,
}

/// A space, and the truth that its searches are scored by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scored {
    /// The space file, from the folder of this file.
    pub file: PathBuf,
    /// What the report calls it; the space's own name without it.
    #[serde(default)]
    pub label: Option<String>,
    /// The metric that the evaluator keeps from the search. It is better the same way as the first objective.
    #[serde(default)]
    pub metric: Option<String>,
    /// Instead of `metric`, to judge whole fronts: what each objective is in truth, by the metrics that the evaluator
    /// keeps from the search, and which way is better. The regret is then the share of the best front's hypervolume that
    /// the front of a run's readings lacks in truth.
    #[serde(default)]
    pub front: Vec<Objective>,
    /// What is optimised here, where that is not what the space's experiment says.
    #[serde(default)]
    pub objectives: Vec<Objective>,
    /// What regret is told in.
    #[serde(default)]
    pub unit: Unit,
}

/// What regret is told in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// The metric's own.
    #[default]
    Own,
    /// Hundredths: percentage points of an accuracy in [0, 1].
    Points,
}

/// An algorithm that takes part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entrant {
    /// What the report calls it; the algorithm's name without it.
    #[serde(default)]
    pub label: Option<String>,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// Trials of its runs at most, where that is not the file's `queries`: what spends less on most of its trials has more.
    #[serde(default)]
    pub queries: Option<u64>,
    /// Trials under way at once, where that is not the file's `workers`.
    #[serde(default)]
    pub workers: Option<usize>,
}

/// Where the regret is told, by what was spent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Budgets {
    /// After so many trials; all of them where no budget is given at all.
    pub queries: Vec<u64>,
    /// After so many seconds, as the evaluator tells them (its metric `seconds`).
    pub seconds: Vec<f64>,
    /// At the cost of so many trials of full fidelity: a trial of a tenth of it counts a tenth.
    pub full_trials: Vec<f64>,
}

impl Bench {
    /// Reads an experiment file.
    ///
    /// # Errors
    /// A file that cannot be read, or all that is wrong with it, each with its place.
    pub fn load(path: &Path) -> Result<Bench> {
        let mut sources = Sources::default();
        let tree = sources.load(path)?;
        let bench = Bench::of_tree(&tree, &sources)?;
        Ok(bench.beside(path.parent().unwrap_or(Path::new(""))))
    }

    /// Reads an experiment file's text; `label` is its path, for messages.
    ///
    /// # Errors
    /// All that is wrong with it, each with its place.
    pub fn from_ron(label: &str, text: &str) -> Result<Bench, SpaceError> {
        let mut sources = Sources::default();
        let tree = sources.read(label, text)?;
        Bench::of_tree(&tree, &sources)
    }

    fn of_tree(tree: &Value, sources: &Sources) -> Result<Bench, SpaceError> {
        let bench: Bench = from_value(tree).map_err(|error| SpaceError::from_program(&error, sources))?;
        let problems = bench.problems(tree);
        if problems.is_empty() { Ok(bench) } else { Err(SpaceError::new(problems, sources)) }
    }

    /// With its space files found from a folder.
    fn beside(mut self, folder: &Path) -> Bench {
        self.spaces.iter_mut().for_each(|scored| scored.file = folder.join(&scored.file));
        self
    }

    fn problems(&self, tree: &Value) -> Vec<Problem> {
        let at = |field: &str| tree.field(field).unwrap_or(tree).origin;
        let mut problems = Vec::new();
        let mut need = |holds: bool, field: &str, message: &str, help: &str| {
            if !holds {
                problems.push(Problem::new(at(field), message).help(help));
            }
        };
        need(
            !self.spaces.is_empty(),
            "spaces",
            "no space",
            "name at least one: `(file: \"space.ron\", metric: \"test_accuracy\")`",
        );
        need(
            !self.algorithms.is_empty(),
            "algorithms",
            "no algorithm",
            "name at least one: `(algorithm: Random)`",
        );
        need(self.seeds > 0, "seeds", "0 seeds", "at least 1 is needed, and 2 for an interval");
        need(self.queries > 0, "queries", "0 queries", "at least 1 is needed");
        let no_workers =
            self.workers == 0 || self.algorithms.iter().any(|entrant| entrant.workers == Some(0));
        need(
            !no_workers,
            if self.workers == 0 { "workers" } else { "algorithms" },
            "0 workers",
            "at least 1 is needed",
        );
        let judged = self.spaces.iter().all(|scored| scored.metric.is_some() != (scored.front.len() > 1));
        need(
            judged,
            "spaces",
            "a space that is not scored by one metric or one front",
            "name the metric that is kept from its searches, or by `front` one for each of two objectives or more",
        );
        need(self.top > 0, "top", "the mean of the best 0", "1 is the candidate believed best");
        let most = self.most_queries();
        let far = self.budgets.queries.iter().find(|budget| **budget > most);
        let message =
            far.map(|budget| format!("a budget of {budget} queries, and runs of {most}")).unwrap_or_default();
        need(far.is_none(), "budgets", &message, "raise `queries`, or leave the budget out");
        let nothing = self.budgets.queries.contains(&0)
            || self
                .budgets
                .seconds
                .iter()
                .chain(&self.budgets.full_trials)
                .any(|budget| !(*budget > 0.0 && budget.is_finite()));
        need(!nothing, "budgets", "a budget that is not above 0", "after no trial there is nothing to tell");
        let mut labels = HashSet::new();
        let twice = self.algorithms.iter().map(Entrant::label).find(|label| !labels.insert(*label));
        let message = format!("two algorithms are called `{}`", twice.unwrap_or_default());
        need(twice.is_none(), "algorithms", &message, "give each a `label` of its own");
        problems
    }

    /// Trials of the longest run.
    fn most_queries(&self) -> u64 {
        self.algorithms.iter().map(|entrant| entrant.queries(self)).max().unwrap_or(self.queries)
    }

    /// Along what the regret is told, with the budgets, ascending.
    pub(super) fn axes(&self) -> Vec<(Axis, Vec<f64>)> {
        let Budgets { queries, seconds, full_trials } = &self.budgets;
        let queries = queries.iter().map(|budget| *budget as f64).collect::<Vec<_>>();
        let mut axes = vec![
            (Axis::Queries, queries),
            (Axis::Seconds, seconds.clone()),
            (Axis::FullTrials, full_trials.clone()),
        ];
        axes.retain(|(_, budgets)| !budgets.is_empty());
        if axes.is_empty() {
            axes.push((Axis::Queries, vec![self.most_queries() as f64]));
        }
        for (_, budgets) in &mut axes {
            budgets.sort_by(f64::total_cmp);
            budgets.dedup();
        }
        axes
    }

    /// Only so many trials a run, and the budgets within them.
    pub fn with_queries(mut self, queries: u64) -> Bench {
        self.queries = queries;
        self.algorithms.iter_mut().for_each(|entrant| entrant.queries = None);
        self.budgets.queries.retain(|budget| *budget <= queries);
        self
    }

    /// Only these algorithms and spaces, by their labels; all where none is named. A space also goes by its file's name.
    ///
    /// # Errors
    /// [`BenchError::Unknown`] for a label that the file has not.
    pub fn only(mut self, algorithms: &[String], spaces: &[String]) -> Result<Bench, BenchError> {
        let labels =
            self.algorithms.iter().map(|entrant| vec![entrant.label().to_owned()]).collect::<Vec<_>>();
        self.algorithms = chosen("algorithm", self.algorithms, &labels, algorithms)?;
        let labels = self.spaces.iter().map(Scored::names).collect::<Vec<_>>();
        self.spaces = chosen("space", self.spaces, &labels, spaces)?;
        Ok(self)
    }
}

/// The items of which one of the names is asked for, in their order.
fn chosen<T>(
    what: &'static str,
    items: Vec<T>,
    names: &[Vec<String>],
    asked: &[String],
) -> Result<Vec<T>, BenchError> {
    if let Some(asked) = asked.iter().find(|asked| !names.iter().any(|names| names.contains(asked))) {
        let known = names.iter().filter_map(|names| names.first().cloned()).collect();
        return Err(BenchError::Unknown { what, asked: asked.clone(), known });
    }
    let wanted = |names: &Vec<String>| asked.is_empty() || names.iter().any(|name| asked.contains(name));
    Ok(items.into_iter().zip(names).filter(|(_, names)| wanted(names)).map(|(item, _)| item).collect())
}

impl Scored {
    /// The label, where there is one, and the file's name without its ending.
    fn names(&self) -> Vec<String> {
        let stem = self.file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        self.label.clone().into_iter().chain(stem).collect()
    }
}

impl Entrant {
    /// What the report calls it.
    pub fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(self.algorithm.kind())
    }

    /// Trials of its runs at most.
    pub(super) fn queries(&self, bench: &Bench) -> u64 {
        self.queries.unwrap_or(bench.queries)
    }

    /// Trials of its runs under way at once.
    pub(super) fn workers(&self, bench: &Bench) -> usize {
        self.workers.unwrap_or(bench.workers)
    }
}

fn one() -> usize {
    1
}
fn twenty() -> u64 {
    20
}
fn hundred() -> u64 {
    100
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"Bench(
    spaces: [(file: "a.ron", metric: "test"), (file: "b/c.ron", label: "C", metric: "test", unit: Points)],
    algorithms: [(algorithm: Random), (label: "old", algorithm: RegularizedEvolution(population: 9), queries: 80)],
    queries: 50,
    budgets: (queries: [50, 20], full_trials: [10]),
)"#;

    fn read(text: &str) -> Result<Bench, String> {
        Bench::from_ron("bench.ron", text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_reads_back_and_what_is_left_out_has_a_default() {
        let bench = read(FILE).unwrap();
        assert_eq!(ron::from_str::<Bench>(&ron::to_string(&bench).unwrap()).unwrap(), bench);
        assert_eq!((bench.seeds, bench.algorithms[0].label(), bench.most_queries()), (20, "random", 80));
        assert_eq!(bench.axes(), [(Axis::Queries, vec![20.0, 50.0]), (Axis::FullTrials, vec![10.0])]);
        let bare = Bench { budgets: Budgets::default(), ..bench };
        assert_eq!(bare.axes(), [(Axis::Queries, vec![80.0])]);
    }

    #[test]
    fn refuses_what_compares_nothing_with_its_place() {
        for (word, other, said) in [
            (
                "algorithm: Random",
                "algorithm: Randon",
                "bench.ron:3:30: unknown name `Randon`; did you mean `Random`?",
            ),
            ("queries: 50,\n", "queries: 0,\n", "0 queries"),
            ("queries: 50,\n", "queries: 50, workers: 0,\n", "bench.ron:4:27: 0 workers"),
            ("queries: 80)", "queries: 80, workers: 0)", "0 workers"),
            (
                "metric: \"test\")",
                "front: [Maximize(\"test\")])",
                "bench.ron:2:13: a space that is not scored by one",
            ),
            ("queries: 50,\n", "queries: 50, seeds: 0,\n", "bench.ron:4:25: 0 seeds; at least 1 is needed"),
            (
                "[50, 20]",
                "[50, 81]",
                "bench.ron:5:14: a budget of 81 queries, and runs of 80; raise `queries`",
            ),
            ("[50, 20]", "[0]", "a budget that is not above 0"),
            ("[10]", "[-1.0]", "a budget that is not above 0"),
            ("label: \"old\"", "label: \"random\"", "two algorithms are called `random`"),
            ("seconds", "seconds", ""),
        ] {
            let text = FILE.replacen(word, other, 1);
            match read(&text) {
                Err(error) => assert!(!said.is_empty() && error.contains(said), "{said}: {error}"),
                Ok(_) => assert_eq!(said, ""),
            }
        }
        let all = read("Bench(spaces: [], algorithms: [], seeds: 0)").unwrap_err();
        assert_eq!(all.lines().count(), 3, "{all}");
    }

    #[test]
    fn a_choice_keeps_the_file_s_order() {
        let labels =
            |bench: &Bench| bench.algorithms.iter().map(|one| one.label().to_owned()).collect::<Vec<_>>();
        let bench = read(FILE).unwrap();
        let both = ["old".to_owned(), "random".to_owned()];
        assert_eq!(labels(&bench.clone().only(&both, &[]).unwrap()), ["random", "old"]);
        let one = bench.clone().only(&both[..1], &["C".into()]).unwrap();
        assert_eq!((labels(&one), one.spaces.len()), (vec!["old".into()], 1));
        assert_eq!(bench.clone().only(&[], &["c".into()]).unwrap().spaces.len(), 1, "by its file's name");
        let error = bench.clone().only(&[], &["d".into()]).unwrap_err();
        assert_eq!(error.to_string(), "there is no space `d` in the file; it has a, C");
        let short = bench.with_queries(30);
        assert_eq!((short.most_queries(), short.budgets.queries), (30, vec![20]));
    }
}
