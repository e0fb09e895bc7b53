//! BANANAS: an ensemble of small networks, and candidates drawn by how good each may be.
//!
//! White et al. 2021, <https://arxiv.org/abs/1910.11858>: networks learn from the trials so far what a cell is worth, seeing
//! its decisions (adjacency encoding) and which paths of ops lead through it (path encoding); each member of the ensemble
//! has an opinion, and how far these are apart says how unsure they are. Every round mutates the best candidates, draws
//! for each mutant what it may be worth, independently of the others (independent Thompson sampling), and tries those that
//! have drawn best.
//!
//! Which trials a round has learnt from follows from the history alone: it begins once so many have ended, so with several
//! workers some of a round's trials still run when the next is planned. Later rounds are longer, by as much as they have
//! more to learn from: the time of a proposal, on the mean, does not grow with the history.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::surrogate::{Encoding, FeatureSet, Features, Mlp, Prediction, Predictor, Scale};
use super::unseen::Unseen;
use super::{Configure, Context, Next, SearchAlgorithm};
use crate::random::Rng;
use crate::space::{Genotype, GenotypeError, Key};
use crate::trial::{History, Proposal, Trial, TrialId, TrialState};

/// BANANAS; the paper's defaults, but that networks have two layers of 20 where it has ten, and that scores are seen as
/// normal scores ([`Scale::normal`]) where it weighs errors by how good a candidate is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bananas {
    /// Random trials before the first round.
    pub first: usize,
    /// Trials of a round, at least; later rounds have a tenth of the trials so far.
    pub round: usize,
    /// Mutants that a round chooses from.
    pub candidates: usize,
    /// The best trials, which are mutated.
    pub parents: usize,
    /// What predicts.
    pub surrogate: Predictor,
    /// What it sees of a candidate.
    pub features: FeatureSet,
}

impl Default for Bananas {
    fn default() -> Bananas {
        let networks = Mlp { members: 5, embedding: 8, hidden: 20, learning_rate: 0.01, ..Mlp::default() };
        Bananas {
            first: 10,
            round: 10,
            candidates: 100,
            parents: 10,
            surrogate: Predictor::Mlp(networks),
            features: FeatureSet { paths: true, ..FeatureSet::default() },
        }
    }
}

impl Configure for Bananas {
    fn start(&self) -> Box<dyn SearchAlgorithm> {
        Box::new(Rounds {
            config: self.clone(),
            unseen: Unseen::default(),
            ended: 0,
            encoding: None,
            plan: None,
        })
    }
}

struct Rounds {
    config: Bananas,
    unseen: Unseen,
    /// The number of trials before the first that has not ended.
    ended: usize,
    encoding: Option<Encoding>,
    plan: Option<Plan>,
}

/// What one round would try, best first.
struct Plan {
    /// Number of trials that it was made from.
    trials: usize,
    ranked: Vec<Ranked>,
    /// How many of the best have been tried since.
    tried: usize,
}

struct Ranked {
    genotype: Genotype,
    key: Key,
    parent: TrialId,
    drawn: f64,
}

impl SearchAlgorithm for Rounds {
    fn propose(&mut self, context: &Context, history: &History) -> Result<Next, GenotypeError> {
        self.unseen.read(history);
        let run = |genotype, parent, note| {
            Next::Run(Proposal { genotype, fidelity: context.fidelity, parent, note })
        };
        let ended = self.ended(history);
        let start = self.config.round_after(ended);
        if let Some(trials) = start {
            if self.plan.as_ref().is_none_or(|plan| plan.trials != trials) {
                self.plan = Some(self.plan(context, history, trials)?);
            }
            if let Some(next) = self.plan.as_mut().and_then(|plan| plan.next(&self.unseen)) {
                let note = format!("mutant, drawn at {:.3}", next.drawn);
                return Ok(run(next.genotype.clone(), Some(next.parent), note));
            }
        }
        let mut rng = context.seed.stream(context.trial, "bananas");
        let genotype = self.unseen.random(context, &mut rng)?;
        Ok(genotype.map_or(Next::Done, |genotype| run(genotype, None, "random".into())))
    }
}

impl Plan {
    /// The best that no trial has.
    fn next(&mut self, unseen: &Unseen) -> Option<&Ranked> {
        let tried = self.ranked[self.tried..].iter().take_while(|candidate| !unseen.is_new(&candidate.key));
        self.tried += tried.count();
        self.ranked.get(self.tried)
    }
}

impl Bananas {
    /// How many trials the current round was planned from, after so many have ended; `None` before the first round.
    fn round_after(&self, ended: usize) -> Option<usize> {
        let mut start = self.first.max(1);
        if ended < start {
            return None;
        }
        loop {
            let next = start + self.round.max(start / 10).max(1);
            if next > ended {
                return Some(start);
            }
            start = next;
        }
    }
}

impl Rounds {
    /// The number of trials before the first that has not ended.
    fn ended(&mut self, history: &History) -> usize {
        if self.ended > history.trials.len() {
            (self.ended, self.plan) = (0, None);
        }
        let ended = |trial: &&Trial| trial.state != TrialState::Pending;
        self.ended += history.trials[self.ended..].iter().take_while(ended).count();
        self.ended
    }

    /// The plan of the round that begins after so many trials. Whether a mutant is new is asked when it is proposed: a
    /// search that goes on knows more trials by then.
    fn plan(&mut self, context: &Context, history: &History, trials: usize) -> Result<Plan, GenotypeError> {
        let known = History { trials: &history.trials[..trials], ..*history };
        let mut rng = context.seed.stream(trials as u64, "bananas round");
        let mutants = self.mutants(context, &known, &mut rng)?;
        let space = context.space;
        let Bananas { surrogate, features, .. } = &self.config;
        let encoding = self.encoding.get_or_insert_with(|| surrogate.encoding(space, *features));
        let scale = Scale::normal(known.scored().map(|(_, score)| score));
        let describe = |genotype: &Genotype| encoding.describe(space, genotype);
        let mut examples: Vec<(Features, f64)> = Vec::with_capacity(trials);
        for (trial, score) in known.scored() {
            examples.push((describe(&trial.proposal.genotype)?, scale.target(score)));
        }
        let mut surrogate = surrogate.start();
        surrogate.fit(encoding.layout(), &examples, context.seed.derive(trials as u64, "bananas networks"));
        let seen: Vec<Features> =
            mutants.iter().map(|mutant| describe(&mutant.genotype)).collect::<Result<_, _>>()?;
        let predictions = surrogate.predict_all(&seen);
        let draw = |(mutant, prediction): (Ranked, Prediction)| Ranked {
            drawn: prediction.mean + prediction.deviation * normal(&mut rng),
            ..mutant
        };
        let mut ranked: Vec<Ranked> = mutants.into_iter().zip(predictions).map(draw).collect();
        ranked.sort_by(|a, b| b.drawn.total_cmp(&a.drawn));
        Ok(Plan { trials, ranked, tried: 0 })
    }

    /// Mutants of the best trials, no two alike and none of them a known trial.
    fn mutants(
        &self,
        context: &Context,
        known: &History,
        rng: &mut Rng,
    ) -> Result<Vec<Ranked>, GenotypeError> {
        let mut best: Vec<(f64, &Trial)> = known.scored().map(|(trial, score)| (score, trial)).collect();
        best.sort_by(|a, b| b.0.total_cmp(&a.0));
        best.truncate(self.config.parents.max(1));
        let mut new = Unseen::default();
        new.read(known);
        let mut mutants = Vec::new();
        let wanted = self.config.candidates.max(known.trials.len() / 5);
        for draw in 0..2 * wanted {
            if best.is_empty() || mutants.len() == wanted {
                break;
            }
            let parent = best[draw % best.len()].1;
            // An error says that no mutant of this parent keeps to the constraints.
            let Ok(genotype) = context.space.mutate(&parent.proposal.genotype, rng) else { continue };
            let key = context.space.key(&genotype)?;
            if new.add(&key) {
                mutants.push(Ranked { genotype, key, parent: parent.id, drawn: 0.0 });
            }
        }
        Ok(mutants)
    }
}

/// A draw of the standard normal distribution (Box and Muller).
fn normal(rng: &mut Rng) -> f64 {
    let (radius, angle): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

#[cfg(test)]
mod tests {
    use super::super::contract::{small_networks, spaces, study};
    use super::*;
    use crate::search::Algorithm;

    #[test]
    fn rounds_begin_at_fixed_numbers_of_trials_and_grow() {
        let config = Bananas::default();
        let starts: Vec<_> = [9, 10, 19, 20, 99, 350].map(|ended| config.round_after(ended)).into();
        assert_eq!(starts, [None, Some(10), Some(10), Some(20), Some(90), Some(339)]);
    }

    #[test]
    fn after_the_first_trials_all_are_mutants_of_the_best() {
        let config = Bananas { surrogate: small_networks(), parents: 3, ..Bananas::default() };
        let trials = study(&spaces::wide(), &Algorithm::Bananas(config), 30);
        assert!(trials[..10].iter().all(|trial| trial.proposal.parent.is_none()));
        for trial in &trials[10..] {
            let parent = trial.proposal.parent.expect("a mutant") as usize;
            assert!(
                parent < trial.id as usize / 10 * 10,
                "{parent} is younger than the round of {}",
                trial.id
            );
        }
    }
}
