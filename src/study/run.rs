//! The search loop: propose, evaluate, store, in an order that does not depend on which evaluation is faster.
//!
//! With `W` workers, proposal `n` is made once the trials up to `n - W` have ended, and shows the algorithm exactly
//! those: later trials look pending even where they have already ended. An algorithm that says [`Next::Wait`] is shown
//! one trial more, again in the order of ids. How many trials a proposal saw is stored with it, so that a resumed
//! search shows what an uninterrupted one would have shown.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

use super::firsts::Firsts;
use super::heritage::Estate;
use super::listen::Clock;
use super::pool::{Ended, Pool, Report, Site, Task};
use super::store::Store;
use super::umpire::Umpire;
use super::{Ending, Event, Listener, StudyError};
use crate::evaluate::{Failure, Outcome};
use crate::experiment::Experiment;
use crate::search::{Context, Next, SearchAlgorithm, SearchError};
use crate::space::Key;
use crate::stopping::Curve;
use crate::trial::{Fidelity, History, Names, Objective, Proposal, Trial, TrialId, TrialState, unfit};

/// A search under way.
pub(super) struct Search<'a> {
    pub site: Site<'a>,
    pub experiment: &'a Experiment,
    pub folder: &'a Path,
    pub store: &'a mut Store,
    pub listener: &'a mut dyn Listener,
    pub pool: &'a Pool<'a>,
    pub memory: Memory,
    pub umpire: Umpire<'a>,
}

/// What the search knows of its trials.
pub(super) struct Memory {
    /// All trials as the algorithm sees them: from `shown` on they look pending.
    trials: Vec<Trial>,
    /// How many trials the algorithm sees the results of.
    shown: usize,
    /// Trials that have ended and are not shown yet.
    arrived: BTreeMap<TrialId, Trial>,
    /// The trial whose figures stand for a candidate at a fidelity.
    first: Firsts,
    /// Trials that wait for the figures of an earlier one of the same candidate.
    parked: HashMap<TrialId, Vec<TrialId>>,
    running: usize,
    ended: u64,
    best: Option<(Fidelity, f64, TrialId)>,
    clock: Clock,
    names: Names,
}

impl Search<'_> {
    /// Goes on until the budget is spent, the algorithm is done, or somebody asks to stop.
    pub fn run(&mut self, algorithm: &mut dyn SearchAlgorithm) -> Result<Ending, StudyError> {
        self.redo_interrupted()?;
        if (self.memory.trials.len() as u64) < self.experiment.trials
            && let Some(why) = algorithm.explain(&self.context(), &self.experiment.objectives)
        {
            self.listener.hear(&Event::Chosen { why: &why });
        }
        let ending = self.propose_all(algorithm)?;
        while self.memory.running > 0 {
            self.hear_next()?;
        }
        self.store.flush()?;
        Ok(ending)
    }

    fn redo_interrupted(&mut self) -> Result<(), StudyError> {
        let interrupted = self.memory.interrupted();
        self.listener.hear(&Event::Opened {
            ended: self.memory.ended,
            interrupted: interrupted.len() as u64,
            trials: self.experiment.trials,
        });
        interrupted.into_iter().try_for_each(|id| self.begin(id))
    }

    fn propose_all(&mut self, algorithm: &mut dyn SearchAlgorithm) -> Result<Ending, StudyError> {
        let mut ending = Ending::Complete;
        while (self.memory.trials.len() as u64) < self.experiment.trials {
            let count = self.memory.trials.len();
            if !self.show((count + 1).saturating_sub(self.experiment.workers))?
                || self.site.stop.load(Relaxed)
            {
                return Ok(Ending::Stopped);
            }
            match self.ask(algorithm)? {
                Next::Run(proposal) => self.add(proposal)?,
                Next::Wait if self.memory.shown == count => {
                    return Err(SearchError::Stuck { trials: count }.into());
                }
                Next::Wait => drop(self.show(self.memory.shown + 1)?),
                Next::Done => {
                    ending = Ending::Exhausted;
                    break;
                }
            }
        }
        Ok(if self.show(self.memory.trials.len())? { ending } else { Ending::Stopped })
    }

    /// Shows the algorithm the results of the first `count` trials, waiting for them; `false` where asked to stop.
    fn show(&mut self, count: usize) -> Result<bool, StudyError> {
        while self.memory.shown < count {
            if let Some(shown) = self.memory.show_next() {
                self.umpire.show(shown);
                continue;
            }
            if self.site.stop.load(Relaxed) || !self.hear_next()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn ask(&mut self, algorithm: &mut dyn SearchAlgorithm) -> Result<Next, StudyError> {
        // What has ended by now is made durable before anything new is proposed.
        while let Some(report) = self.pool.poll() {
            self.hear(report)?;
        }
        let context = self.context();
        let history = History { trials: &self.memory.trials, objectives: &self.experiment.objectives };
        let trial = context.trial;
        let proposed = algorithm.propose(&context, &history);
        Ok(proposed.map_err(|problem| SearchError::NoCandidate { trial, problem })?)
    }

    /// What the algorithm is told for its next proposal.
    fn context(&self) -> Context<'_> {
        Context {
            space: self.site.space,
            seed: self.experiment.seed(),
            trial: self.memory.trials.len() as TrialId,
            trials: self.experiment.trials,
            fidelity: self.experiment.fidelity(),
            fidelities: self.site.evaluator.fidelities(),
        }
    }

    fn add(&mut self, mut proposal: Proposal) -> Result<(), StudyError> {
        proposal.shrink();
        let id = self.memory.trials.len() as TrialId;
        let key = self.site.space.key(&proposal.genotype);
        // What has no key cannot be built: it fails as itself, and is nobody's duplicate.
        let (key, problem) = match key {
            Ok(key) => (key, None),
            Err(problem) => (Key::of(&format!("none: {}", proposal.genotype)), Some(problem.to_string())),
        };
        let trial = Trial { id, proposal, key, state: TrialState::Pending, seconds: 0.0 };
        self.store.propose(&trial, self.memory.shown)?;
        self.umpire.propose(id, self.memory.shown);
        self.memory.trials.push(trial);
        match problem {
            None => self.begin(id),
            Some(reason) => self.settle(id, TrialState::Failed(reason), 0.0, None, None),
        }
    }

    /// Evaluates a pending trial, or takes over the figures of an earlier one of the same candidate.
    fn begin(&mut self, id: TrialId) -> Result<(), StudyError> {
        let memory = &mut self.memory;
        let trial = &memory.trials[id as usize];
        let first = memory.first.of(&memory.trials, &trial.key, trial.proposal.fidelity);
        if let Some(first) = first.filter(|first| *first != id) {
            match &memory.truth(first).state {
                TrialState::Pending => {
                    memory.parked.entry(first).or_default().push(id);
                    return Ok(());
                }
                state @ (TrialState::Finished(_) | TrialState::Stopped(_)) => {
                    let state = state.clone();
                    return self.settle(id, state, 0.0, Some(first), None);
                }
                TrialState::Failed(_) => {}
            }
        }
        memory.first.set(&memory.trials, id);
        self.dispatch(id)
    }

    fn dispatch(&mut self, id: TrialId) -> Result<(), StudyError> {
        let watch = self.umpire.watch(self.store, &self.memory.trials, self.memory.shown, id)?;
        let trial = &self.memory.trials[id as usize];
        self.listener.hear(&Event::Started { trial });
        let inherits = self.site.evaluator.inherits();
        Estate::settle(inherits, self.folder, id, self.experiment.workers);
        // Figures that were taken over are of another trial's evaluation, which left the weights.
        let source = |parent: &Trial| {
            let first = &self.memory.first;
            first.of(&self.memory.trials, &parent.key, parent.proposal.fidelity).unwrap_or(parent.id)
        };
        let (trials, full) = (&self.memory.trials, self.experiment.fidelity());
        let estate = Estate::of(inherits, self.folder, trials, id, full, source);
        self.pool.start(Task {
            trial: id,
            genotype: trial.proposal.genotype.clone(),
            key: trial.key.clone(),
            fidelity: trial.proposal.fidelity,
            seed: self.experiment.seed().derive(estate.root, "trial"),
            last: false,
            checkpoint: estate.checkpoint,
            heritage: estate.heritage,
            watch,
        });
        self.memory.running += 1;
        Ok(())
    }

    /// Waits for a report; `false` where none will come.
    fn hear_next(&mut self) -> Result<bool, StudyError> {
        match self.pool.wait() {
            Some(report) => self.hear(report).map(|()| true),
            None => {
                self.memory.running = 0;
                Ok(false)
            }
        }
    }

    fn hear(&mut self, report: Report) -> Result<(), StudyError> {
        match report {
            Report::Step(trial, done, metrics) => {
                self.listener.hear(&Event::Step { trial, done, metrics: &metrics });
                Ok(())
            }
            Report::Ended(id, ended) => {
                let Ended { result, stopped, curve, seconds } = *ended;
                self.memory.running -= 1;
                let whole = self.memory.trials[id as usize].proposal.fidelity;
                let curve = Some(curve).filter(|curve| curve.tells(whole));
                let state = match stopped {
                    Some(stopped) => Some(TrialState::Stopped(stopped)),
                    None => self.verdict(id, result),
                };
                match state {
                    Some(state) => self.settle(id, state, seconds, None, curve),
                    None => Ok(()),
                }
            }
        }
    }

    /// What an evaluation's result means for its trial; `None` where it stays pending.
    fn verdict(&self, id: TrialId, result: Result<Outcome, Failure>) -> Option<TrialState> {
        match result {
            Ok(outcome) => Some(match unfit(&outcome.metrics, &self.experiment.objectives) {
                None => TrialState::Finished(outcome.metrics),
                Some(reason) => {
                    let Trial { key, proposal, .. } = &self.memory.trials[id as usize];
                    let (genotype, fidelity) = (&proposal.genotype, proposal.fidelity);
                    let origin = self.site.evaluator.origin(genotype, key, fidelity);
                    let origin = origin.map(|origin| format!("{origin}: ")).unwrap_or_default();
                    TrialState::Failed(origin + &reason)
                }
            }),
            Err(Failure::Candidate(reason) | Failure::Obstacle(reason)) => Some(TrialState::Failed(reason)),
            Err(Failure::Stopped) => None,
        }
    }

    /// Stores what became of a trial, and serves those that waited for it.
    fn settle(
        &mut self,
        id: TrialId,
        state: TrialState,
        seconds: f64,
        copied_from: Option<TrialId>,
        curve: Option<Curve>,
    ) -> Result<(), StudyError> {
        let mut trial = Trial { state, seconds, ..self.memory.trials[id as usize].clone() };
        trial.state.share(&mut self.memory.names);
        self.store.end(&trial, copied_from, curve.as_ref())?;
        self.umpire.end(id, curve);
        self.memory.ended += 1;
        let ended = self.memory.ended;
        let left = self.experiment.trials.saturating_sub(ended);
        let clock = &mut self.memory.clock;
        let time_left = if copied_from.is_none() { clock.tick(left) } else { clock.left(left) };
        let is_best = self.memory.is_best(&trial, &self.experiment.objectives[0]);
        self.memory.arrived.insert(id, trial);
        let (trial, best) = (self.memory.truth(id), self.memory.best.map(|(.., id)| self.memory.truth(id)));
        self.listener.hear(&Event::Ended { trial, copied_from, ended, best, time_left });
        if is_best {
            self.listener.hear(&Event::Incumbent { trial });
        }
        let parked = self.memory.parked.remove(&id).unwrap_or_default();
        parked.into_iter().try_for_each(|id| self.begin(id))
    }
}

impl Memory {
    /// What a store holds, of which the last proposal saw the first `shown` results.
    pub fn new(mut trials: Vec<Trial>, shown: usize, objective: &Objective) -> Memory {
        let mut memory = Memory {
            trials: Vec::new(),
            shown,
            arrived: BTreeMap::new(),
            first: Firsts::default(),
            parked: HashMap::new(),
            running: 0,
            ended: 0,
            best: None,
            clock: Clock::start(),
            names: Names::default(),
        };
        for trial in &trials {
            memory.read(trial, &trials, objective);
        }
        for trial in trials.iter_mut().skip(shown).filter(|trial| trial.state != TrialState::Pending) {
            let pending = Trial { state: TrialState::Pending, seconds: 0.0, ..trial.clone() };
            memory.arrived.insert(trial.id, std::mem::replace(trial, pending));
        }
        memory.trials = trials;
        memory
    }

    fn read(&mut self, trial: &Trial, trials: &[Trial], objective: &Objective) {
        self.ended += u64::from(trial.state != TrialState::Pending);
        self.is_best(trial, objective);
        let first = self.first.of(trials, &trial.key, trial.proposal.fidelity);
        if first.is_none_or(|first| matches!(trials[first as usize].state, TrialState::Failed(_))) {
            self.first.set(trials, trial.id);
        }
    }

    /// All trials, with what really became of them.
    pub fn into_trials(mut self) -> Vec<Trial> {
        for (id, trial) in self.arrived {
            self.trials[id as usize] = trial;
        }
        self.trials
    }

    fn interrupted(&self) -> Vec<TrialId> {
        let pending = |id: &TrialId| self.truth(*id).state == TrialState::Pending;
        (self.shown as TrialId..self.trials.len() as TrialId).filter(pending).collect()
    }

    /// A trial with what really became of it.
    fn truth(&self, id: TrialId) -> &Trial {
        self.arrived.get(&id).unwrap_or(&self.trials[id as usize])
    }

    /// Shows one trial more, if it has ended.
    fn show_next(&mut self) -> Option<&Trial> {
        let trial = self.arrived.remove(&(self.shown as TrialId))?;
        let place = self.shown;
        self.trials[place] = trial;
        self.shown += 1;
        self.trials.get(place)
    }

    /// Whether a trial is better than all that ended before it; a higher fidelity goes before a better figure.
    fn is_best(&mut self, trial: &Trial, objective: &Objective) -> bool {
        let TrialState::Finished(metrics) = &trial.state else { return false };
        let Some(score) = objective.score(metrics) else { return false };
        let place = (trial.proposal.fidelity, score);
        let is_best = self.best.is_none_or(|(fidelity, best, _)| place > (fidelity, best));
        if is_best {
            self.best = Some((place.0, score, trial.id));
        }
        is_best
    }
}
