//! What came of all runs, added up.

use serde::{Serialize, Serializer};

use super::arena::Arena;
use super::left_out::{LeftOut, left_out};
use super::run::{Points, Run};
use super::statistics::{Summary, ranks};
use super::{Bench, Entrant, Unit};
use crate::space::Size;

/// Along what regret is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Trials.
    Queries,
    /// Seconds of evaluation, as the evaluator tells them.
    Seconds,
    /// Trials of full fidelity.
    FullTrials,
}

impl Axis {
    /// As reports and files spell it.
    pub fn label(self) -> &'static str {
        match self {
            Axis::Queries => "queries",
            Axis::Seconds => "seconds",
            Axis::FullTrials => "full trials",
        }
    }
}

/// A comparison's outcome. Whatever is not about time is the same for every run of the same file.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    /// The heading.
    pub title: String,
    /// What the reader should know.
    pub about: String,
    /// Seeds of each run.
    pub seeds: u64,
    /// The first of them.
    pub first_seed: u64,
    /// How many trials the regret is the mean of: 1 for the one believed best.
    pub top: usize,
    /// The algorithms, in the file's order.
    pub algorithms: Vec<String>,
    /// Trials of each under way at once.
    pub workers: Vec<usize>,
    /// What came of each space.
    pub spaces: Vec<SpaceResults>,
    /// Who is ahead over all spaces and seeds, at each budget.
    pub rankings: Vec<Ranking>,
    /// Who would be chosen without each space, where there are enough of them.
    pub left_out: Vec<LeftOut>,
}

/// What came of one space.
#[derive(Clone, Debug, Serialize)]
pub struct SpaceResults {
    /// The space.
    pub label: String,
    /// How many candidates it has, drawings of one graph counted each.
    pub candidates: String,
    /// The metrics that are kept from the search and looked at: one, or one for each objective of a front.
    pub metrics: Vec<String>,
    /// The best value of the one in the space; of a front the share of the box between the worst and the best figures
    /// that it dominates.
    pub best: f64,
    /// What regret is told in.
    pub unit: Unit,
    /// The regrets along each axis.
    pub axes: Vec<AxisResults>,
    /// Milliseconds of processor time of a proposal, by algorithm: over the last tenth of the trials before each of the
    /// file's budgets of queries, or over all where there are none.
    pub proposal_ms: Vec<Vec<f64>>,
}

/// Regrets along an axis.
#[derive(Clone, Debug, Serialize)]
pub struct AxisResults {
    /// The axis.
    #[serde(serialize_with = "label")]
    pub axis: Axis,
    /// The file's budgets.
    pub budgets: Vec<f64>,
    /// Where the curves have a point: the budgets, and more.
    pub points: Vec<f64>,
    /// A curve for each algorithm.
    pub curves: Vec<Curve>,
}

/// An algorithm's regrets.
#[derive(Clone, Debug, Serialize)]
pub struct Curve {
    /// The algorithm.
    pub algorithm: String,
    /// Mean and interval at each point.
    pub summaries: Vec<Summary>,
    /// The regret of each seed at each budget.
    pub at_budgets: Vec<Vec<f64>>,
}

impl Curve {
    /// Mean and interval at each budget.
    pub fn budgets(&self) -> impl Iterator<Item = Summary> {
        self.at_budgets.iter().map(|regrets| Summary::of(regrets))
    }
}

/// Who is ahead at a budget, over all spaces and seeds.
#[derive(Clone, Debug, Serialize)]
pub struct Ranking {
    /// What the budget is of.
    #[serde(serialize_with = "label")]
    pub axis: Axis,
    /// The budget.
    pub budget: f64,
    /// The rank of each algorithm, 1 for the least regret: mean over spaces and seeds.
    pub ranks: Vec<Summary>,
    /// The share of spaces and seeds in which each has the least regret; those who share it count a part each.
    pub wins: Vec<f64>,
}

fn label<S: Serializer>(axis: &Axis, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(axis.label())
}

/// The points of curves, the budgets among them: each a tenth further than the one before, as the eye sees them on a
/// logarithmic scale.
pub(super) fn points(axes: &[(Axis, Vec<f64>)]) -> Vec<Points> {
    axes.iter().map(|(axis, budgets)| (*axis, grid(*axis, budgets))).collect()
}

fn grid(axis: Axis, budgets: &[f64]) -> Vec<f64> {
    let last = budgets.last().copied().unwrap_or(1.0);
    let whole = |point: f64| if axis == Axis::Seconds { point } else { point.round() };
    let mut point = if axis == Axis::Seconds { last / 100.0 } else { 1.0 };
    let mut points = budgets.to_vec();
    while point < last {
        points.push(whole(point));
        point *= 1.15;
    }
    points.sort_by(f64::total_cmp);
    points.dedup();
    points
}

impl SpaceResults {
    /// What the regret is of: the metric, or the hypervolume of several.
    pub fn truth(&self) -> &str {
        match self.metrics.as_slice() {
            [metric] => metric,
            _ => "hypervolume",
        }
    }
}

impl Results {
    /// Adds up runs by space, algorithm and seed, as they come.
    pub(super) fn of(
        bench: &Bench,
        arenas: &[Arena],
        axes: &[(Axis, Vec<f64>)],
        points: &[Points],
        runs: &[Run],
    ) -> Results {
        let per_entrant = bench.seeds as usize;
        let per_space = per_entrant * bench.algorithms.len();
        let spaces: Vec<SpaceResults> = arenas
            .iter()
            .zip(runs.chunks(per_space.max(1)))
            .map(|(arena, runs)| {
                let entrants: Vec<&[Run]> = runs.chunks(per_entrant).collect();
                space(bench, arena, axes, points, &entrants)
            })
            .collect();
        let rankings = rankings(&spaces, axes);
        let algorithms: Vec<String> =
            bench.algorithms.iter().map(|entrant| entrant.label().to_owned()).collect();
        let (title, about) = (bench.title.clone(), bench.about.clone());
        let workers = bench.algorithms.iter().map(|entrant| entrant.workers(bench)).collect();
        let left_out = left_out(&spaces, &algorithms);
        Results {
            title,
            about,
            seeds: bench.seeds,
            first_seed: bench.first_seed,
            top: bench.top,
            algorithms,
            workers,
            spaces,
            rankings,
            left_out,
        }
    }
}

fn space(
    bench: &Bench,
    arena: &Arena,
    axes: &[(Axis, Vec<f64>)],
    points: &[Points],
    entrants: &[&[Run]],
) -> SpaceResults {
    let axis_results = |(number, (axis, budgets)): (usize, &(Axis, Vec<f64>))| {
        let points = &points[number].1;
        let named = bench.algorithms.iter().zip(entrants);
        let curves = named.map(|(entrant, runs)| curve(entrant, runs, number, points, budgets)).collect();
        AxisResults { axis: *axis, budgets: budgets.clone(), points: points.clone(), curves }
    };
    SpaceResults {
        label: arena.label.clone(),
        candidates: match arena.space.size() {
            Size::Finite(size) => size.to_string(),
            Size::Continuous => "continuously many".into(),
        },
        metrics: arena.truth.metrics(),
        best: arena.truth.best(),
        unit: arena.unit,
        axes: axes.iter().enumerate().map(axis_results).collect(),
        proposal_ms: entrants.iter().map(|runs| proposal_ms(runs, &bench.budgets.queries)).collect(),
    }
}

fn curve(entrant: &Entrant, runs: &[Run], axis: usize, points: &[f64], budgets: &[f64]) -> Curve {
    let at = |point: usize| runs.iter().map(|run| run.regrets[axis][point]).collect::<Vec<f64>>();
    let of_budget =
        |budget: &f64| points.iter().position(|point| point == budget).map(at).unwrap_or_default();
    Curve {
        algorithm: entrant.label().into(),
        summaries: (0..points.len()).map(|point| Summary::of(&at(point))).collect(),
        at_budgets: budgets.iter().map(of_budget).collect(),
    }
}

/// Mean milliseconds of a proposal in the last tenth before each budget, or of all.
fn proposal_ms(runs: &[Run], budgets: &[u64]) -> Vec<f64> {
    let tenth = |budget: &u64| (budget - budget.div_ceil(10)) as usize..*budget as usize;
    let spans = budgets.iter().map(tenth);
    let all = budgets.is_empty().then_some(0..usize::MAX);
    let mean = |span: std::ops::Range<usize>| {
        let within = |run: &Run| {
            let end = span.end.min(run.proposals.len());
            run.proposals[span.start.min(end)..end].to_vec()
        };
        let times: Vec<f32> = runs.iter().flat_map(within).collect();
        times.iter().map(|seconds| f64::from(*seconds) * 1e3).sum::<f64>() / times.len() as f64
    };
    spans.chain(all).map(mean).collect()
}

fn rankings(spaces: &[SpaceResults], axes: &[(Axis, Vec<f64>)]) -> Vec<Ranking> {
    let mut rankings = Vec::new();
    for (number, (axis, budgets)) in axes.iter().enumerate() {
        for (place, budget) in budgets.iter().enumerate() {
            let fields =
                spaces.iter().flat_map(|space| fields(&space.axes[number], place)).collect::<Vec<_>>();
            rankings.push(ranking(*axis, *budget, &fields));
        }
    }
    rankings
}

/// The regrets of all algorithms at a budget, seed by seed.
fn fields(results: &AxisResults, place: usize) -> Vec<Vec<f64>> {
    let seeds = results.curves.first().map_or(0, |curve| curve.at_budgets[place].len());
    let field = |seed: usize| results.curves.iter().map(|curve| curve.at_budgets[place][seed]).collect();
    (0..seeds).map(field).collect()
}

fn ranking(axis: Axis, budget: f64, fields: &[Vec<f64>]) -> Ranking {
    let ranked: Vec<Vec<f64>> = fields.iter().map(|field| ranks(field)).collect();
    let entrants = fields.first().map_or(0, Vec::len);
    let of = |entrant: usize| ranked.iter().map(|field| field[entrant]).collect::<Vec<f64>>();
    let wins = |entrant: usize| {
        let part = |field: &Vec<f64>| {
            let least = field.iter().copied().fold(f64::INFINITY, f64::min);
            let sharing = field.iter().filter(|rank| **rank == least).count();
            if field[entrant] == least { 1.0 / sharing as f64 } else { 0.0 }
        };
        ranked.iter().map(part).sum::<f64>() / ranked.len() as f64
    };
    Ranking {
        axis,
        budget,
        ranks: (0..entrants).map(|entrant| Summary::of(&of(entrant))).collect(),
        wins: (0..entrants).map(wins).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_and_wins_by_hand() {
        // Three fields of three algorithms: the first wins, shares, and comes last.
        let fields = [vec![0.1, 0.2, 0.3], vec![0.0, 0.0, 0.5], vec![0.9, 0.2, 0.1]];
        let ranking = ranking(Axis::Queries, 50.0, &fields);
        let means: Vec<f64> = ranking.ranks.iter().map(|summary| summary.mean).collect();
        assert_eq!(means, [(1.0 + 1.5 + 3.0) / 3.0, (2.0 + 1.5 + 2.0) / 3.0, (3.0 + 3.0 + 1.0) / 3.0]);
        assert_eq!(ranking.wins, [0.5, 0.5 / 3.0, 1.0 / 3.0]);
    }

    #[test]
    fn curves_have_a_point_at_every_budget() {
        let points = grid(Axis::Queries, &[20.0, 50.0]);
        assert_eq!((points[0], *points.last().unwrap()), (1.0, 50.0));
        assert!(points.contains(&20.0) && points.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(points.iter().all(|point| point.fract() == 0.0) && points.len() < 30);
        let seconds = grid(Axis::Seconds, &[1000.0]);
        assert_eq!((seconds[0], *seconds.last().unwrap()), (10.0, 1000.0));
    }

    #[test]
    fn the_time_of_a_proposal_is_that_of_the_last_tenth() {
        let runs = [0.0, 0.002].map(|more| Run {
            proposals: (0..20).map(|trial| if trial < 18 { 0.5 } else { 0.001 + more }).collect(),
            ..Run::default()
        });
        let ms = proposal_ms(&runs, &[10, 20]);
        assert!((ms[0] - 500.0).abs() < 1e-3 && (ms[1] - 2.0).abs() < 1e-3, "{ms:?}");
        assert!(proposal_ms(&runs, &[])[0] > 400.0);
    }
}
