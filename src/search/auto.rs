//! The default: looks at the space, the budget and the objectives, and hands the search to what suits them.
//!
//! | what it sees | what it takes | why |
//! |---|---|---|
//! | fewer than six trials | `random` | too few to learn from |
//! | several objectives, more than 2,000 trials | `nsga2` | a population covers a front, and has the trials to |
//! | several objectives, fewer | `bayesian` | learns each trial's lesson for every trade-off |
//! | anything else | `bayesian` | the fewest trials on every table that it was held against |
//!
//! `results/search/README.md` says how the figures of [`Bayesian`] were chosen, each table's by the others, and where the
//! default does not lead. A study's budget counts trials, and a short one counts like a long one;
//! so trainings of several lengths are used only where [`Auto::halving`] asks for it: then `bayesian` becomes
//! [`MultiFidelity`], and the others are scheduled by [`SuccessiveHalving`]. `results/search/multi_fidelity.md` says what
//! that is worth.

use serde::{Deserialize, Serialize};

use super::{
    Algorithm, Bayesian, Configure, Context, MultiFidelity, Next, Nsga2, Random, SearchAlgorithm,
    SuccessiveHalving,
};
use crate::space::{GenotypeError, Size};
use crate::trial::{History, Objective, TrialId};

/// The default algorithm.
///
/// ```
/// use cellwright::search::{Auto, Context};
/// use cellwright::trial::{Fidelity, Objective};
/// use cellwright::{Seed, Space};
///
/// let space = Space::untyped(&"(width: OneOf([8, 16, 32]), rate: Float(1e-4, 0.1, Log))".parse()?)?;
/// let context = Context {
///     space: &space, seed: Seed(1), trial: 0, trials: 50, fidelity: Fidelity(1), fidelities: &[],
/// };
/// let choice = Auto::default().choice(&context, &[Objective::Maximize("accuracy".into())]);
/// assert_eq!(choice.algorithm.kind(), "bayesian");
/// assert!(choice.why.contains("2 decisions"), "{}", choice.why);
/// # Ok::<(), cellwright::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auto {
    /// Whether candidates begin with short trainings, of which those that may be best go on to longer ones
    /// ([`MultiFidelity`]): each step is a trial of its own, and the study's `trials` should be some times as many.
    pub halving: bool,
}

/// What [`Auto`] has chosen, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The algorithm that searches.
    pub algorithm: Algorithm,
    /// What was seen and what it led to, in a line.
    pub why: String,
}

/// Fewer trials than this teach nothing that could still be used.
const LEARNABLE: u64 = 6;

/// With more trials than this a front is left to a population.
const FRONT: u64 = 2000;

impl Auto {
    /// What suits a study.
    pub fn choice(&self, context: &Context, objectives: &[Objective]) -> Choice {
        let proposer = match (context.trials, objectives.len()) {
            (..LEARNABLE, _) => Algorithm::Random(Random::default()),
            (FRONT.., 2..) => Algorithm::Nsga2(Nsga2::default()),
            _ => Algorithm::Bayesian(Bayesian::default()),
        };
        let why = format!("{}: {}", seen(context, objectives), reason(&proposer, objectives));
        if !self.halving {
            let shorter = context.fidelities.iter().any(|fidelity| *fidelity < context.fidelity);
            let hint = if shorter {
                "; shorter trials, which count like long ones, are left to `halving: true`"
            } else {
                ""
            };
            return Choice { algorithm: proposer, why: why + hint };
        }
        let algorithm = match proposer {
            Algorithm::Bayesian(Bayesian { first, curiosity }) => {
                Algorithm::MultiFidelity(MultiFidelity { first, curiosity, ..MultiFidelity::default() })
            }
            other => Algorithm::SuccessiveHalving(SuccessiveHalving {
                proposer: Box::new(other),
                ..SuccessiveHalving::default()
            }),
        };
        let why = match &algorithm {
            Algorithm::MultiFidelity(_) => {
                format!("{why}, from short trainings too: each is as long as tells most for what it costs")
            }
            _ => format!("{why}; the best of short trainings go on to longer ones"),
        };
        Choice { algorithm, why }
    }
}

/// What there is to search.
fn seen(context: &Context, objectives: &[Objective]) -> String {
    let open = context.space.decisions().iter().filter(|decision| !decision.kind.is_single()).count();
    let size = match context.space.size() {
        Size::Finite(size) => format!("{size} candidates"),
        Size::Continuous => "numbers without steps among them".into(),
    };
    let plural =
        if objectives.len() > 1 { format!(", {} objectives", objectives.len()) } else { String::new() };
    let figures = context.space.figure_names().join(", ");
    let known = if figures.is_empty() { figures } else { format!(", {figures} for nothing") };
    format!("{open} decisions, {size}{known}, {} trials{plural}", context.trials)
}

fn reason(algorithm: &Algorithm, objectives: &[Objective]) -> &'static str {
    match algorithm {
        Algorithm::Random(_) => "random search, for there are too few trials to learn from",
        Algorithm::Nsga2(_) => "NSGA-II, for there are trials enough to cover a front with a population",
        _ if objectives.len() > 1 => {
            "a Gaussian process over the decisions, which tries one trade-off after another"
        }
        _ => "a Gaussian process over the decisions, which learns most from few trials",
    }
}

impl Configure for Auto {
    fn start(&self) -> Box<dyn SearchAlgorithm> {
        Box::new(Chosen { config: self.clone(), inner: None })
    }
}

/// The algorithm that was chosen, once there is a study to choose for.
struct Chosen {
    config: Auto,
    inner: Option<(Algorithm, Box<dyn SearchAlgorithm>)>,
}

impl Chosen {
    fn inner(&mut self, context: &Context, history: &History) -> &mut dyn SearchAlgorithm {
        let algorithm = self.config.choice(context, history.objectives).algorithm;
        let known = self.inner.take().filter(|(known, _)| *known == algorithm);
        let inner = known.unwrap_or_else(|| {
            let started = algorithm.start();
            (algorithm, started)
        });
        &mut *self.inner.insert(inner).1
    }
}

impl SearchAlgorithm for Chosen {
    fn propose(&mut self, context: &Context, history: &History) -> Result<Next, GenotypeError> {
        self.inner(context, history).propose(context, history)
    }

    fn incumbent(&mut self, context: &Context, history: &History) -> Option<TrialId> {
        self.inner(context, history).incumbent(context, history)
    }

    fn explain(&self, context: &Context, objectives: &[Objective]) -> Option<String> {
        Some(self.config.choice(context, objectives).why)
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::spaces;
    use super::*;
    use crate::random::Seed;
    use crate::trial::Fidelity;

    fn choice(config: Auto, trials: u64, objectives: usize) -> Choice {
        let space = spaces::conditional();
        let (seed, fidelity) = (Seed(1), Fidelity(9));
        let context = Context { space: &space, seed, trial: 0, trials, fidelity, fidelities: &[] };
        let objectives = vec![Objective::Maximize("accuracy".into()); objectives];
        config.choice(&context, &objectives)
    }

    #[test]
    fn chooses_by_budget_and_objectives_and_says_why() {
        let kind = |trials, objectives| choice(Auto::default(), trials, objectives).algorithm.kind();
        assert_eq!([kind(5, 1), kind(50, 1), kind(50_000, 1)], ["random", "bayesian", "bayesian"]);
        assert_eq!([kind(50, 2), kind(5000, 3)], ["bayesian", "nsga2"]);
        let why = choice(Auto::default(), 50, 2).why;
        assert_eq!(
            why,
            "3 decisions, numbers without steps among them, 50 trials, 2 objectives: a Gaussian process over the \
             decisions, which tries one trade-off after another"
        );
    }

    #[test]
    fn halves_only_where_it_is_asked_to() {
        let kind = |trials, objectives| choice(Auto { halving: true }, trials, objectives).algorithm.kind();
        assert_eq!(
            [kind(50, 1), kind(50, 2), kind(5000, 2)],
            ["multi_fidelity", "multi_fidelity", "successive_halving"]
        );
        let why = choice(Auto { halving: true }, 50, 1).why;
        assert!(why.ends_with("each is as long as tells most for what it costs"), "{why}");
        let text: Auto = ron::from_str("(halving: true)").unwrap();
        assert!(text.halving);
    }
}
