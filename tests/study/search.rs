//! The loop: the same trials however fast, however often stopped, with any luck of the threads.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use cellwright::Study;
use cellwright::evaluate::{Evaluate, Failure, Job, Outcome, Progress};
use cellwright::search::{Context, Next, SearchAlgorithm, SearchError};
use cellwright::space::{Gene, Genotype, GenotypeError};
use cellwright::study::{Ending, Event, Record, StudyError};
use cellwright::trial::{Fidelity, History, Proposal, TrialState};

use crate::support::{Simulated, description, metrics, search, search_until, space, timeless};

#[test]
fn trials_do_not_depend_on_which_evaluation_is_faster() {
    for workers in [1, 3] {
        let description = description(&format!("trials: 80, seed: 5, workers: {workers}"));
        let run = |milliseconds| {
            let folder = tempfile::tempdir().unwrap();
            timeless(&search(folder.path(), &description, milliseconds).unwrap().trials)
        };
        let instant = run(0);
        assert_eq!(instant.len(), 80);
        assert!(instant.iter().all(|trial| trial.state != TrialState::Pending));
        // Latencies are drawn from the stream that figures are drawn from, so that only `0` against `0` compares.
        assert_eq!(run(0), instant, "workers: {workers}");
        assert_eq!(run(6), run(6), "workers: {workers}");
    }
}

#[test]
fn a_search_stopped_anywhere_goes_on_as_if_it_had_not_been() {
    for workers in [1, 3] {
        let description = description(&format!("trials: 60, seed: 11, workers: {workers}"));
        let folder = tempfile::tempdir().unwrap();
        let whole = timeless(&search(folder.path(), &description, 3).unwrap().trials);

        let folder = tempfile::tempdir().unwrap();
        let mut stops = 0;
        loop {
            let stop = AtomicBool::new(false);
            let mut ended_now = 0;
            let mut stop_soon = |event: &Event| {
                ended_now += u64::from(matches!(event, Event::Ended { .. }));
                stop.store(ended_now > stops % 5, Relaxed);
            };
            let (ending, record) =
                search_until(folder.path(), &description, 3, &stop, &mut stop_soon).unwrap();
            if ending == Ending::Complete {
                assert_eq!(timeless(&record.trials), whole, "workers: {workers}");
                break;
            }
            assert_eq!(ending, Ending::Stopped);
            stops += 1;
        }
        assert!(stops >= 8, "{stops}");
    }
}

#[test]
fn more_trials_go_on_where_fewer_ended() {
    let folder = tempfile::tempdir().unwrap();
    let whole = search(folder.path(), &description("trials: 50, workers: 2"), 0).unwrap();
    let folder = tempfile::tempdir().unwrap();
    search(folder.path(), &description("trials: 20, workers: 2"), 0).unwrap();
    let longer = search(folder.path(), &description("trials: 50, workers: 2"), 0).unwrap();
    assert_eq!(timeless(&longer.trials), timeless(&whole.trials));
    assert_eq!(longer.description.experiment.trials, 50);
    assert_eq!(Record::read(folder.path()).unwrap().description.experiment.trials, 50);
}

#[test]
fn failures_and_panics_are_recorded_with_their_reasons() {
    let folder = tempfile::tempdir().unwrap();
    let record = search(folder.path(), &description("trials: 120, workers: 2"), 0).unwrap();
    let reasons: Vec<&str> = record
        .trials
        .iter()
        .filter_map(|trial| match &trial.state {
            TrialState::Failed(reason) => Some(reason.as_str()),
            _ => None,
        })
        .collect();
    for words in ["diverged at batch", "panicked at tests/study/support.rs:", "`accuracy` is not a number"] {
        assert!(reasons.iter().any(|reason| reason.starts_with(words)), "{words}: {reasons:?}");
    }
}

#[test]
fn a_candidate_is_evaluated_once_at_a_fidelity() {
    let folder = tempfile::tempdir().unwrap();
    let (mut started, mut copies) = (vec![], vec![]);
    let mut listen = |event: &Event| match event {
        Event::Started { trial } => started.push((trial.key.clone(), trial.proposal.fidelity, trial.id)),
        Event::Ended { trial, copied_from: Some(first), .. } => copies.push((trial.id, *first)),
        _ => {}
    };
    let description = description("trials: 150, workers: 3");
    let (_, record) =
        search_until(folder.path(), &description, 2, &AtomicBool::new(false), &mut listen).unwrap();
    assert!(copies.len() > 10, "{}", copies.len());
    for (id, first) in copies {
        let (copy, first) = (&record.trials[id as usize], &record.trials[first as usize]);
        assert!(first.id < copy.id && first.key == copy.key);
        assert_eq!((&first.state, first.proposal.fidelity), (&copy.state, copy.proposal.fidelity));
        assert!(!started.iter().any(|(_, _, started)| *started == id));
    }
    // Who is evaluated again had failed before.
    for (place, (key, fidelity, _)) in started.iter().enumerate() {
        let before = started[..place].iter().filter(|one| (&one.0, one.1) == (key, *fidelity));
        for (_, _, id) in before {
            assert!(matches!(record.trials[*id as usize].state, TrialState::Failed(_)), "trial {id}");
        }
    }
}

#[test]
fn events_tell_the_whole_story() {
    let folder = tempfile::tempdir().unwrap();
    let description = description("trials: 30, workers: 2");
    let (mut ended, mut incumbents, mut last_left) = (0, vec![], None);
    let mut listen = |event: &Event| match event {
        Event::Ended { ended: count, time_left, .. } => {
            ended += 1;
            assert_eq!(*count, ended);
            last_left = *time_left;
        }
        Event::Incumbent { trial } => incumbents.push((*trial).clone()),
        _ => {}
    };
    let (_, record) =
        search_until(folder.path(), &description, 2, &AtomicBool::new(false), &mut listen).unwrap();
    assert_eq!(ended, 30);
    assert_eq!(last_left, Some(std::time::Duration::ZERO));
    let objectives = &record.description.experiment.objectives[..1];
    let ranked = cellwright::study::rank(&record.trials, objectives);
    let TrialState::Finished(best) = &incumbents.last().unwrap().state else {
        panic!("incumbents are finished")
    };
    // A higher fidelity goes before a better figure.
    let figures = record.trials.iter().filter_map(|trial| match &trial.state {
        TrialState::Finished(metrics) => Some((trial.proposal.fidelity, metrics["accuracy"])),
        _ => None,
    });
    let highest = figures.max_by(|a, b| a.partial_cmp(b).unwrap()).unwrap();
    assert_eq!(best["accuracy"], highest.1);
    assert!(!ranked.is_empty());
}

/// Proposes one genotype, whatever it is.
struct Only(Genotype, u64);

impl SearchAlgorithm for Only {
    fn propose(&mut self, context: &Context, _history: &History) -> Result<Next, GenotypeError> {
        if context.trial == self.1 {
            return Ok(Next::Done);
        }
        let (genotype, note) = (self.0.clone(), String::new());
        Ok(Next::Run(Proposal { genotype, fidelity: context.fidelity, parent: None, note }))
    }
}

/// Always waits.
struct Sleeper;

impl SearchAlgorithm for Sleeper {
    fn propose(&mut self, _context: &Context, _history: &History) -> Result<Next, GenotypeError> {
        Ok(Next::Wait)
    }
}

#[test]
fn a_candidate_that_cannot_be_built_is_a_failed_trial() {
    let folder = tempfile::tempdir().unwrap();
    let space = space();
    let description = description("trials: 10");
    let mut study = Study::open(folder.path(), &space, &description).unwrap();
    let mut foreign = Only(Genotype(vec![Gene::Int(7)].into()), 3);
    let stop = AtomicBool::new(false);
    let evaluator = Simulated { milliseconds: 0 };
    let ending = study.search_with(&mut foreign, &evaluator, &stop, &mut |_: &Event| {}).unwrap();
    assert_eq!((ending, study.record().trials.len()), (Ending::Exhausted, 3));
    assert!(study.record().trials.iter().all(|trial| matches!(trial.state, TrialState::Failed(_))));

    let stuck = study.search_with(&mut Sleeper, &evaluator, &stop, &mut |_: &Event| {}).unwrap_err();
    assert!(matches!(stuck, StudyError::Search(SearchError::Stuck { trials: 3 })), "{stuck}");
}

#[test]
fn an_objective_that_nobody_measures_is_refused_before_the_first_trial() {
    let folder = tempfile::tempdir().unwrap();
    let space = space();
    let mut description = description("trials: 10");
    description.experiment =
        ron::from_str("(evaluator: Cost(()), objectives: [Maximize(\"acuracy\")])").unwrap();
    let mut study = Study::open(folder.path(), &space, &description).unwrap();
    let stop = AtomicBool::new(false);
    let error = study.search(&Simulated { milliseconds: 0 }, &stop, &mut |_: &Event| {}).unwrap_err();
    insta::assert_snapshot!(error, @"the evaluator `cost` does not report `acuracy`; it reports accuracy, params (did you mean `accuracy`?)");
    assert!(study.record().trials.is_empty());
}

/// Takes no time, and would not notice what it is asked.
struct Instant;

impl Evaluate for Instant {
    fn metrics(&self) -> Vec<&str> {
        vec!["accuracy", "params"]
    }
    fn evaluate(&self, job: &Job, _progress: &dyn Progress) -> Result<Outcome, Failure> {
        Ok(Outcome { metrics: metrics(job.network()?.training.label_smoothing, 1.0), trained: None })
    }
}

/// Draws at ever new fidelities, so that nothing is copied.
struct Drawer;

impl SearchAlgorithm for Drawer {
    fn propose(&mut self, context: &Context, _history: &History) -> Result<Next, GenotypeError> {
        let genotype = context.space.random(&mut context.seed.stream(context.trial, "draw"))?;
        let fidelity = Fidelity(context.trial as u32);
        Ok(Next::Run(Proposal { genotype, fidelity, parent: None, note: String::new() }))
    }
}

#[test]
fn ten_thousand_trials_take_as_long_each_as_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let (space, description) = (space(), description("trials: 10000"));
    let mut study = Study::open(folder.path(), &space, &description).unwrap();
    let start = std::time::Instant::now();
    let mut times = vec![];
    let mut listen = |event: &Event| {
        if let Event::Ended { ended, .. } = event
            && ended % 2500 == 0
        {
            times.push(start.elapsed().as_secs_f64());
        }
    };
    study.search_with(&mut Drawer, &Instant, &AtomicBool::new(false), &mut listen).unwrap();
    println!("2,500, 5,000, 7,500 and 10,000 trials after {times:.2?} s");
    assert!(times[3] < 60.0, "{times:?}");
    let (first, last) = (times[0], times[3] - times[2]);
    // Generous, for machines that have other work; reading all trials for each would take minutes.
    assert!(last < 10.0 * first + 5.0, "the last quarter took {last} s, the first {first} s");
    let opened = std::time::Instant::now();
    drop(study);
    assert_eq!(Study::open(folder.path(), &space, &description).unwrap().record().trials.len(), 10_000);
    assert!(opened.elapsed().as_secs_f64() < 5.0);
}
