//! Shared weights behind the trainer: steps of candidates, and what they are worth by the weights as they are.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::trainer::{Trainer, failure, named, panicked, warn};
use crate::candidate::Candidate;
use crate::evaluate::{Failure, Outcome, Share};
use crate::ir::Graph;
use crate::nn::{self, Lesson, NnError, Score};
use crate::random::fnv1a;
use crate::space::Genotype;
use crate::trial::{Metrics, Moment, Supernet, SupernetError};

/// Validation pictures of one reward. TuNAS takes four training batches.
const REWARD: usize = 256;

/// The supernet of one search.
pub(super) struct Shared<'a> {
    trainer: &'a Trainer,
    share: Share<'a>,
    threads: ThreadPool,
    identity: u64,
    /// Pictures that could not be decoded, as far as that was told.
    told: usize,
}

impl<'a> Shared<'a> {
    /// Without weights yet.
    pub(super) fn new(trainer: &'a Trainer, share: Share<'a>) -> Result<Shared<'a>, SupernetError> {
        let broken = |problem: &dyn std::fmt::Display| SupernetError::Broken(problem.to_string());
        let threads = ThreadPoolBuilder::new().num_threads(trainer.threads()).build();
        let threads = threads.map_err(|problem| broken(&problem))?;
        let words = format!("{:?} {} {}", share.seed, trainer.identity(), share.space.source_text());
        let seed = share.seed.derive(0, "shared weights");
        let supernet = nn::Supernet::new(seed, share.device, trainer.loaders());
        *trainer.lock() = Some(supernet.map_err(|problem| broken(&problem))?);
        Ok(Shared { trainer, share, threads, identity: fnv1a(words.as_bytes()), told: 0 })
    }

    /// The candidate's network and recipe.
    fn candidate(&self, genotype: &Genotype) -> Result<(Candidate, Graph), SupernetError> {
        let candidate: Candidate =
            self.share.space.decode(genotype).map_err(|error| {
                SupernetError::Candidate(format!("no network with its training: {error}"))
            })?;
        let graph =
            self.trainer.graph(&candidate).map_err(|error| SupernetError::Candidate(error.to_string()))?;
        Ok((candidate, graph))
    }

    fn step<T: Send>(
        &self,
        genotype: &Genotype,
        moment: Moment,
        work: impl FnOnce(&mut nn::Supernet, &Lesson) -> Result<T, NnError> + Send,
    ) -> Result<(T, Graph), SupernetError> {
        let (candidate, graph) = self.candidate(genotype)?;
        let staged = self.trainer.staged(&candidate, &candidate.training.stage_at(moment.share));
        let staged = staged.map_err(|error| SupernetError::Candidate(error.to_string()))?;
        let [train, _] = self.trainer.supplies();
        let lesson = Lesson {
            graph: &graph,
            learnt: staged.as_ref().unwrap_or(&graph),
            recipe: &candidate.training,
            train,
            normal: self.trainer.normal(),
            share: moment.share,
            seed: self.share.seed.derive(moment.step, "one-shot step"),
        };
        let stepped = AssertUnwindSafe(|| self.with(|supernet| work(supernet, &lesson)));
        let stepped = catch_unwind(stepped).unwrap_or_else(|panic| Err(NnError::Unfit(panicked(&*panic))));
        let done = stepped.map_err(|error| SupernetError::Candidate(error.to_string()))?;
        Ok((done, graph))
    }

    fn with<T: Send>(
        &self,
        work: impl FnOnce(&mut nn::Supernet) -> Result<T, NnError> + Send,
    ) -> Result<T, NnError> {
        self.threads.install(|| match &mut *self.trainer.lock() {
            Some(supernet) => work(supernet),
            None => Err(NnError::Unfit("there are no shared weights".into())),
        })
    }
}

impl Supernet for Shared<'_> {
    fn update(&mut self, genotype: &Genotype, moment: Moment) -> Result<Metrics, SupernetError> {
        let (loss, graph) = self.step(genotype, moment, |supernet, lesson| supernet.update(lesson))?;
        Ok(named([("train_loss", loss)].into_iter().chain(size(&graph))))
    }

    fn worth(&mut self, genotype: &Genotype, moment: Moment, updates: u32) -> Result<Metrics, SupernetError> {
        let [_, validation] = self.trainer.supplies();
        let (score, graph) = self
            .step(genotype, moment, |supernet, lesson| supernet.worth(lesson, updates, validation, REWARD))?;
        Ok(figures(score, &graph))
    }

    fn steps_an_epoch(&mut self, genotype: &Genotype) -> Result<u64, SupernetError> {
        let (candidate, _) = self.candidate(genotype)?;
        let [train, _] = self.trainer.supplies();
        Ok(train.len().div_ceil(candidate.training.batch.max(1)) as u64)
    }

    fn keep(&mut self, notes: &[u8]) -> Result<(), SupernetError> {
        let saved = self.with(|supernet| {
            supernet.save(&self.share.checkpoint, self.identity, notes).map(|()| supernet.broken().clone())
        });
        let saved = saved.map(|broken| {
            // As often as there is something new to say, and not with every checkpoint.
            if broken.count() > self.told {
                warn(&broken);
                self.told = broken.count();
            }
        });
        saved.map_err(|error| SupernetError::Broken(error.to_string()))
    }

    fn restore(&mut self) -> Result<Option<Vec<u8>>, SupernetError> {
        let loaded = self.with(|supernet| supernet.load(&self.share.checkpoint, self.identity));
        loaded.map_err(|error| SupernetError::Broken(error.to_string()))
    }
}

impl Trainer {
    /// What a candidate comes to by the shared weights, on all validation pictures.
    pub(super) fn look(&self, candidate: &Candidate, seed: crate::random::Seed) -> Result<Outcome, Failure> {
        let graph = self.graph(candidate)?;
        let snapshot = match &mut *self.lock() {
            Some(supernet) => supernet.snapshot(&graph).map_err(failure)?,
            None => {
                return Err(Failure::Candidate(
                    "fidelity 0 is for one-shot searches: there are no shared weights".into(),
                ));
            }
        };
        let [train, validation] = self.supplies();
        let (score, broken) = snapshot.score(train, validation, self.normal(), seed).map_err(failure)?;
        warn(&broken);
        Ok(Outcome { metrics: figures(score, &graph), trained: None })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<nn::Supernet>> {
        self.shared().lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn figures(score: Score, graph: &Graph) -> Metrics {
    named([("accuracy", score.accuracy), ("loss", score.loss)].into_iter().chain(size(graph)))
}

fn size(graph: &Graph) -> [(&'static str, f64); 2] {
    let cost = graph.cost();
    [("params", cost.params as f64), ("macs", cost.macs as f64)]
}

#[cfg(test)]
mod tests;
