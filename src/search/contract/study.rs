//! A study without a store, as a caller who owns the loop has one.

use crate::random::Seed;
use crate::search::one_shot::Toy;
use crate::search::{Algorithm, AskTell, Context, Next, SearchAlgorithm};
use crate::space::Space;
use crate::trial::{Fidelity, History, Objective, Trial, TrialId, TrialState};

/// What becomes of a trial.
pub type Worth<'a> = dyn Fn(&Space, &Trial) -> TrialState + 'a;

/// A study without a store.
pub struct Study<'a> {
    pub space: &'a Space,
    pub seed: Seed,
    pub trials: u64,
    pub objectives: Vec<Objective>,
    pub fidelity: Fidelity,
    pub worth: &'a Worth<'a>,
    /// How many trials may be under way at once: the first that began ends first.
    pub workers: usize,
    /// Whether a fresh algorithm makes every proposal.
    pub interrupted: bool,
}

impl<'a> Study<'a> {
    pub fn new(space: &'a Space, worth: &'a Worth<'a>) -> Study<'a> {
        let objectives = vec![Objective::Maximize("accuracy".into())];
        let (seed, fidelity) = (Seed(1), Fidelity(1));
        Study { space, seed, trials: 30, objectives, fidelity, worth, workers: 1, interrupted: false }
    }

    /// All trials, and whether the algorithm ended the study itself.
    pub fn run(&self, config: &Algorithm) -> (Vec<Trial>, bool) {
        let mut supernet = Toy::of(self.space);
        let mut search = self.search(self.start(config, &mut supernet), Vec::new());
        loop {
            if self.interrupted {
                search = self.search(self.start(config, &mut supernet), search.trials().to_vec());
            }
            if search.pending().count() < self.workers && search.ask().expect("a proposal").is_some() {
                continue;
            }
            let Some(first) = search.pending().next().cloned() else { break };
            search.end(first.id, (self.worth)(self.space, &first), 0.0).expect("it is pending");
        }
        let trials = search.trials().to_vec();
        let is_done = (trials.len() as u64) < self.trials;
        (trials, is_done)
    }

    fn search(&self, algorithm: Box<dyn SearchAlgorithm>, trials: Vec<Trial>) -> AskTell<'_> {
        let search = AskTell::with_algorithm(self.space, algorithm, self.objectives[0].clone());
        let search = self.objectives[1..].iter().cloned().fold(search, AskTell::with_objective);
        let search = search.with_trials(self.trials).with_seed(self.seed).with_fidelity(self.fidelity, []);
        search.with_history(trials).expect("its own trials")
    }

    /// A fresh algorithm; its shared weights, where it has any, are trained or found in their checkpoint.
    fn start(&self, config: &Algorithm, supernet: &mut Toy) -> Box<dyn SearchAlgorithm> {
        let mut algorithm = config.start();
        if let Some(one_shot) = algorithm.one_shot() {
            let trained = one_shot.train(&self.context(0), &self.objectives, supernet, &mut |_| true);
            assert_eq!(trained, Ok(true));
        }
        algorithm
    }

    /// What an algorithm proposes after these trials.
    pub fn ask(&self, algorithm: &mut dyn SearchAlgorithm, trials: &[Trial]) -> Next {
        let context = self.context(trials.len() as u64);
        algorithm.propose(&context, &History { trials, objectives: &self.objectives }).expect("a proposal")
    }

    /// The trial that an algorithm believes best of these.
    pub fn believed(&self, algorithm: &mut dyn SearchAlgorithm, trials: &[Trial]) -> Option<TrialId> {
        let context = self.context(trials.len() as u64);
        algorithm.incumbent(&context, &History { trials, objectives: &self.objectives })
    }

    fn context(&self, trial: u64) -> Context<'_> {
        Context {
            space: self.space,
            seed: self.seed,
            trial,
            trials: self.trials,
            fidelity: self.fidelity,
            fidelities: &[],
        }
    }
}
