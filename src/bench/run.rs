//! One search after another, on as many threads as there are, scored on the way.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread::Builder;

use super::arena::Arena;
use super::clock::thread_seconds;
use super::shift::Shift;
use super::{Axis, Bench, BenchError, Crew, Entrant};
use crate::random::Seed;
use crate::search::{AskTell, AskTellError};

/// What the stack of a thread holds: what a study's worker has, for the same algorithms and evaluators.
const STACK_BYTES: usize = 16 << 20;

/// A run's figures.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    /// The regret at every point of every axis; not a number where no trial had a result by then.
    pub regrets: Vec<Vec<f64>>,
    /// Seconds of processor time of every proposal.
    pub proposals: Vec<f32>,
}

/// Points along an axis at which the regret is told.
pub(super) type Points = (Axis, Vec<f64>);

/// All runs: by space, then by algorithm, then by seed.
pub(super) fn all(
    bench: &Bench,
    arenas: &[Arena],
    points: &[Points],
    crew: Crew,
) -> Result<Vec<Run>, BenchError> {
    let mut tasks = Vec::new();
    for arena in arenas {
        for entrant in &bench.algorithms {
            let seeds = (0..bench.seeds).map(|seed| bench.first_seed.wrapping_add(seed));
            tasks.extend(seeds.map(|seed| Task { bench, arena, entrant, seed, points }));
        }
    }
    let (next, ended, failed) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let work = || -> Result<Vec<(usize, Run)>, BenchError> {
        // An algorithm that works in parallel would wait for the other runs' work: here it has this thread for itself.
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
        alone.map_err(|problem| BenchError::NoThreads {
            threads: crew.threads,
            problem: problem.to_string(),
        })?;
        let mut runs = Vec::new();
        while !failed.load(Relaxed) {
            let number = next.fetch_add(1, Relaxed);
            let Some(task) = tasks.get(number) else { break };
            let run = task.run().inspect_err(|_| failed.store(true, Relaxed))?;
            runs.push((number, run));
            (crew.progress)(ended.fetch_add(1, Relaxed) + 1, tasks.len());
        }
        Ok(runs)
    };
    let threads = crew.threads.min(tasks.len()).max(1);
    let no_threads =
        |problem: std::io::Error| BenchError::NoThreads { threads, problem: problem.to_string() };
    let mut runs = std::thread::scope(|scope| {
        let start = |_| Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work).map_err(no_threads);
        let started = (0..threads).map(start).collect::<Result<Vec<_>, _>>()?;
        let mut runs = Vec::with_capacity(tasks.len());
        for thread in started {
            runs.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(runs)
    })?;
    runs.sort_by_key(|(number, _)| *number);
    Ok(runs.into_iter().map(|(_, run)| run).collect())
}

/// One search to do.
struct Task<'a> {
    bench: &'a Bench,
    arena: &'a Arena,
    entrant: &'a Entrant,
    seed: u64,
    points: &'a [Points],
}

impl Task<'_> {
    fn run(&self) -> Result<Run, BenchError> {
        self.search().map_err(|problem| BenchError::Run {
            space: self.arena.label.clone(),
            algorithm: self.entrant.label().into(),
            seed: self.seed,
            problem,
        })
    }

    fn start(&self) -> AskTell<'_> {
        let (arena, experiment) = (self.arena, &self.arena.experiment);
        let first = experiment.objectives[0].clone();
        let search = AskTell::new(&arena.space, &self.entrant.algorithm, first)
            .with_seed(Seed(self.seed))
            .with_trials(self.entrant.queries(self.bench))
            .with_fidelity(experiment.fidelity(), arena.evaluator.fidelities());
        experiment.objectives[1..].iter().cloned().fold(search, AskTell::with_objective)
    }

    fn search(&self) -> Result<Run, AskTellError> {
        let mut search = self.start();
        let mut marks: Vec<Mark> =
            self.points.iter().map(|(axis, points)| Mark::new(*axis, points)).collect();
        let mut proposals = Vec::new();
        let mut shift = Shift::default();
        let workers = self.entrant.workers(self.bench);
        loop {
            while shift.size() < workers {
                let start = thread_seconds();
                let asked = search.ask()?;
                proposals.push((thread_seconds() - start) as f32);
                let Some(trial) = asked else { break };
                shift.begin(trial, |trial| self.arena.evaluate(trial, Seed(self.seed)));
            }
            let Some(ended) = shift.next() else { break };
            for mark in &mut marks {
                match mark.axis {
                    Axis::Queries => continue,
                    Axis::Seconds => mark.spent = shift.now,
                    Axis::FullTrials => mark.spent += self.arena.share(&ended.trial),
                }
                mark.reach(mark.spent, false, || self.arena.regret(&mut search));
            }
            match ended.result {
                Ok(metrics) => search.tell(ended.trial.id, metrics)?,
                Err(reason) => search.tell_failure(ended.trial.id, reason)?,
            }
            let told = (search.trials().len() - shift.size()) as f64;
            let queries = marks.iter_mut().filter(|mark| mark.axis == Axis::Queries);
            queries.for_each(|mark| mark.reach(told, true, || self.arena.regret(&mut search)));
            if marks.iter().all(Mark::is_done) {
                break;
            }
        }
        let last = self.arena.regret(&mut search);
        let regrets = marks.into_iter().map(|mark| mark.end(last)).collect();
        Ok(Run { regrets, proposals })
    }
}

/// How far a run has come along an axis.
struct Mark<'a> {
    axis: Axis,
    points: &'a [f64],
    spent: f64,
    regrets: Vec<f64>,
}

impl<'a> Mark<'a> {
    fn new(axis: Axis, points: &'a [f64]) -> Mark<'a> {
        Mark { axis, points, spent: 0.0, regrets: Vec::with_capacity(points.len()) }
    }

    fn is_done(&self) -> bool {
        self.regrets.len() == self.points.len()
    }

    /// Notes the regret at every point that has been passed; `exactly`: or reached.
    fn reach(&mut self, spent: f64, exactly: bool, regret: impl FnOnce() -> f64) {
        let passed = |point: &&f64| **point < spent || (exactly && **point == spent);
        let count = self.points[self.regrets.len()..].iter().take_while(passed).count();
        if count > 0 {
            self.regrets.extend(std::iter::repeat_n(regret(), count));
        }
    }

    /// The regrets at all points: where the search ended before, it stays where it was.
    fn end(mut self, last: f64) -> Vec<f64> {
        self.regrets.resize(self.points.len(), last);
        self.regrets
    }
}

#[cfg(test)]
mod tests {
    use super::super::arena::tests::arena;
    use super::super::results::points;
    use super::*;

    #[test]
    fn a_point_counts_once_it_is_spent() {
        let points = [1.0, 2.0, 2.5, 4.0];
        let mut exact = Mark::new(Axis::Queries, &points);
        exact.reach(1.0, true, || 0.9);
        exact.reach(2.0, true, || 0.5);
        assert_eq!(exact.end(0.1), [0.9, 0.5, 0.1, 0.1]);
        // A trial that costs more than is left of a budget is none of the budget's.
        let mut cost = Mark::new(Axis::Seconds, &points);
        cost.reach(0.7, false, || 0.9);
        cost.reach(2.0, false, || 0.8);
        cost.reach(3.0, false, || 0.5);
        assert!(!cost.is_done());
        cost.reach(9.0, false, || 0.4);
        assert!(cost.is_done());
        assert_eq!(cost.end(0.1), [0.8, 0.5, 0.5, 0.4]);
    }

    const BENCH: &str = r#"Bench(
        spaces: [(file: "none.ron", metric: "test")],
        algorithms: [(algorithm: Random), (algorithm: RegularizedEvolution(population: 5, sample: 3))],
        seeds: 6, queries: 64, budgets: (queries: [8, 40, 64], seconds: [1000.0], full_trials: [7.5]),
    )"#;

    fn runs(threads: usize) -> Vec<Run> {
        let bench = Bench::from_ron("bench.ron", BENCH).expect("a bench");
        let counted = AtomicUsize::new(0);
        let crew = Crew { threads, progress: &|_, of| assert!(counted.fetch_add(1, Relaxed) < of) };
        let runs = all(&bench, &[arena()], &points(&bench.axes()), crew).expect("runs");
        assert_eq!(counted.load(Relaxed), 12);
        runs
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        // As text, for what is not a number is not equal to itself.
        let told = |threads| runs(threads).iter().map(|run| format!("{:?}", run.regrets)).collect::<Vec<_>>();
        let (alone, together) = (told(1), told(3));
        assert_eq!(alone, together);
        assert_ne!(alone[0], alone[1], "seeds differ");
        assert_ne!(alone[0], alone[6], "algorithms differ");
    }

    #[test]
    fn a_space_searched_to_its_end_has_no_regret_left() {
        for run in runs(2) {
            let (queries, trials) = (&run.regrets[0], &run.regrets[2]);
            assert_eq!(*queries.last().expect("a point"), 0.0);
            assert!(queries.iter().all(|regret| *regret >= 0.0), "{queries:?}");
            // All trials are full ones, so that 7.5 of them are 7.
            let bench = Bench::from_ron("bench.ron", BENCH).expect("a bench");
            let by_queries = &points(&bench.axes())[0].1;
            let seven = by_queries.iter().rposition(|point| *point <= 7.0).expect("a point");
            assert_eq!(*trials.last().expect("a point"), queries[seven]);
        }
    }

    #[test]
    fn several_workers_spend_less_time_and_know_less() {
        let search = |workers| {
            let text = BENCH.replace("seeds: 6", &format!("workers: {workers}, seeds: 6"));
            let bench = Bench::from_ron("bench.ron", &text).expect("a bench");
            let points = points(&bench.axes());
            let crew = Crew { threads: 1, progress: &|_, _| () };
            let runs = all(&bench, &[arena()], &points, crew).expect("runs");
            let mean = |axis: usize, at: f64| {
                let place = points[axis].1.iter().position(|point| *point == at).expect("a point");
                runs[6..].iter().map(|run| run.regrets[axis][place]).sum::<f64>() / 6.0
            };
            assert!(runs.iter().all(|run| run.regrets[0].last() == Some(&0.0)), "the whole space was seen");
            (mean(0, 40.0), mean(1, 1000.0))
        };
        let [(queries, _), (few, seconds)] = [search(1), search(8)];
        assert_eq!(search(1), search(1));
        // 1000 seconds are the whole space for eight, and the evolution of one learns from every trial.
        assert!(seconds == 0.0 && queries <= few, "{queries} {few} {seconds}");
    }
}
