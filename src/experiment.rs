//! The experiment: what is searched for in a space, how, and for how long. The `experiment:` section of a space file.

mod figures;
mod prepare;

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::device::Devices;
use crate::error::SpaceError;
use crate::evaluate::Evaluator;
use crate::random::Seed;
use crate::search::{Algorithm, Auto};
use crate::stopping::EarlyStopping;
use crate::symbolic::{Value, alternatives, from_value};
use crate::trial::{Fidelity, Objective};

/// How a space is searched.
///
/// ```
/// use cellwright::Experiment;
///
/// let text = r#"(evaluator: Cost(()), objectives: [Minimize("params")], trials: 50)"#;
/// let experiment: Experiment = ron::from_str(text)?;
/// assert_eq!(experiment.trials, 50);
/// assert_eq!(experiment.algorithm.kind(), "auto");
/// assert_eq!(experiment.workers, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Finds out what a candidate is worth.
    pub evaluator: Evaluator,
    /// Proposes candidates.
    #[serde(default = "auto")]
    pub algorithm: Algorithm,
    /// Tells of candidates what costs next to nothing, such as `ZeroCost(data: Digits)`: figures that algorithms which predict
    /// (`Auto`, `Bayesian`, `Bananas`, `Progressive`) see beside a candidate's decisions, once for each that they consider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<Evaluator>,
    /// What to optimise: the first ranks; several make a Pareto front.
    #[serde(deserialize_with = "some_objectives")]
    pub objectives: Vec<Objective>,
    /// Trials in all. May grow between two runs of one study.
    #[serde(default = "hundred", deserialize_with = "positive")]
    pub trials: u64,
    /// What a search-time trial may spend, in the evaluator's unit (epochs for training).
    #[serde(default = "one", deserialize_with = "positive")]
    pub fidelity: u32,
    /// The source of all randomness.
    #[serde(default)]
    pub seed: u64,
    /// Trials evaluated at the same time. Part of the experiment, not of the machine: proposal `n` sees the results of
    /// trials up to `n - workers`, whichever ends first.
    #[serde(default = "one", deserialize_with = "positive")]
    pub workers: usize,
    /// The rule by which hopeless trials are stopped on the way, where evaluations report how they go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// Where networks are trained: `"cpu"`, `"cuda"`, `"cuda:1"`, `"all"`. May change between two runs of one study.
    #[serde(default)]
    pub device: Devices,
    /// What happens to the winners.
    #[serde(default)]
    pub retrain: Retrain,
}

/// The final training of the best candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retrain {
    /// How many of the best are trained again; 0 for none.
    pub top: usize,
    /// What each may spend, in the evaluator's unit.
    #[serde(deserialize_with = "positive")]
    pub fidelity: u32,
}

impl Default for Retrain {
    fn default() -> Retrain {
        Retrain { top: 1, fidelity: 20 }
    }
}

impl Experiment {
    /// The seed, as a source of streams.
    pub fn seed(&self) -> Seed {
        Seed(self.seed)
    }

    /// The fidelity of a search-time trial.
    pub fn fidelity(&self) -> Fidelity {
        Fidelity(self.fidelity)
    }
}

/// Words that are no search algorithm.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct UnknownAlgorithm(String);

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// Reads a name as the command line spells it, with all defaults, or a configuration in RON.
    ///
    /// ```
    /// use cellwright::search::Algorithm;
    ///
    /// let evolution: Algorithm = "regularized_evolution".parse()?;
    /// assert_eq!(evolution, "RegularizedEvolution".parse()?);
    /// let small: Algorithm = "RegularizedEvolution(population: 20)".parse()?;
    /// assert_eq!(small.kind(), "regularized_evolution");
    /// let error = "local_serch".parse::<Algorithm>().unwrap_err();
    /// assert_eq!(error.to_string(), "unknown name `local_serch`; did you mean `local_search`?");
    /// # Ok::<(), cellwright::experiment::UnknownAlgorithm>(())
    /// ```
    fn from_str(text: &str) -> Result<Algorithm, UnknownAlgorithm> {
        let word = text.trim();
        let mut names = Algorithm::LABELS.iter().zip(Algorithm::NAMES);
        let value = match names.find(|(label, name)| [**label, **name].contains(&word)) {
            Some((_, name)) => Value::unit(name),
            None if !word.contains('(') => {
                let labels = Algorithm::LABELS.iter().map(|label| label.to_string()).collect::<Vec<_>>();
                let help = alternatives("algorithms", word, &labels).unwrap_or_default();
                return Err(UnknownAlgorithm(format!("unknown name `{word}`; {help}")));
            }
            None => word.parse().map_err(|error: SpaceError| UnknownAlgorithm(error.to_string()))?,
        };
        from_value(&value).map_err(|error| UnknownAlgorithm(error.to_string()))
    }
}

fn auto() -> Algorithm {
    Algorithm::Auto(Auto::default())
}
fn hundred() -> u64 {
    100
}
fn one<N: From<u8>>() -> N {
    N::from(1)
}

fn positive<'de, D: Deserializer<'de>, N: Deserialize<'de> + Default + PartialEq>(
    from: D,
) -> Result<N, D::Error> {
    let number = N::deserialize(from)?;
    if number == N::default() {
        Err(de::Error::custom("0 is too little: at least 1 is needed here"))
    } else {
        Ok(number)
    }
}

fn some_objectives<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Objective>, D::Error> {
    let objectives = Vec::<Objective>::deserialize(from)?;
    if objectives.is_empty() {
        return Err(de::Error::custom("no objective: name at least one, such as `[Maximize(\"accuracy\")]`"));
    }
    Ok(objectives)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_answer_to_their_labels_and_names() {
        for (label, name) in Algorithm::LABELS.iter().zip(Algorithm::NAMES) {
            let algorithm: Algorithm = label.parse().expect("a label");
            assert_eq!(algorithm.kind(), *label);
            assert_eq!(name.parse(), Ok(algorithm));
        }
        let error = |text: &str| text.parse::<Algorithm>().expect_err("a mistake").to_string();
        assert!(
            error("fastest").contains("the algorithms are `auto`, `random`, `grid`"),
            "{}",
            error("fastest")
        );
        assert!(error("Grid(point: 3)").contains("did you mean `points`?"), "{}", error("Grid(point: 3)"));
        assert!(!error("Grid(points: ").is_empty());
    }

    const SHORTEST: &str = r#"(evaluator: Cost(()), objectives: [Minimize("params")])"#;

    #[test]
    fn what_is_left_out_has_a_default() {
        let experiment: Experiment = ron::from_str(SHORTEST).unwrap();
        assert_eq!(
            (experiment.trials, experiment.fidelity, experiment.seed, experiment.workers),
            (100, 1, 0, 1)
        );
        assert_eq!(experiment.retrain, Retrain { top: 1, fidelity: 20 });
    }

    #[test]
    fn what_is_written_reads_back() {
        let experiment: Experiment = ron::from_str(SHORTEST).unwrap();
        assert_eq!(ron::from_str::<Experiment>(&ron::to_string(&experiment).unwrap()).unwrap(), experiment);
    }

    #[test]
    fn refuses_what_makes_no_search() {
        for (field, word) in
            [("trials: 0", "at least 1"), ("workers: 0", "at least 1"), ("trails: 9", "trails")]
        {
            let text = SHORTEST.replace("(evaluator", &format!("({field}, evaluator"));
            let error = ron::from_str::<Experiment>(&text).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
        let none =
            ron::from_str::<Experiment>("(evaluator: Cost(()), objectives: [])").unwrap_err().to_string();
        assert!(none.contains("no objective"), "{none}");
    }
}
