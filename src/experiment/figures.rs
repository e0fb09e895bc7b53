//! The figures of an evaluator that cost next to nothing, as what a space knows of its candidates.
//!
//! Every candidate is looked at once, and what is told of it is kept in the run folder: a search that goes on, and whoever
//! reads the folder later, knows the same. The same candidate is looked at with the same seed, in whichever trial it is
//! met; so what a search is shown follows from the candidates alone.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Experiment;
use super::prepare::located;
use crate::device::Device;
use crate::error::Error;
use crate::evaluate::{Evaluate, Job, Progress};
use crate::panics;
use crate::random::Seed;
use crate::space::{FreeFigures, Genotype, Space};
use crate::trial::{Fidelity, Metrics};

/// Where a run folder keeps what is known for nothing: a line each, the genotype and its figures between tabs.
const FILE: &str = "figures.tsv";

impl Experiment {
    /// The space, of whose candidates whatever [`Experiment::figures`] tells is known for nothing. What was told is read
    /// from the run folder, and kept there.
    ///
    /// # Errors
    /// An evaluator that cannot be prepared, or a folder that cannot be read or written.
    pub fn informed(&self, space: Space, folder: Option<&Path>) -> Result<Space, Error> {
        let Some(evaluator) = &self.figures else { return Ok(space) };
        let source = evaluator.prepare(&space).map_err(|error| located(&space, "figures", error))?;
        let source = Some(source);
        self.informed_by(source, evaluator.reports(), space, folder)
    }

    /// The same, but that nothing is known beyond what the run folder keeps: enough to say what the search believed.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn informed_by_folder(&self, space: Space, folder: &Path) -> Result<Space, Error> {
        let Some(evaluator) = &self.figures else { return Ok(space) };
        self.informed_by(None, evaluator.reports(), space, Some(folder))
    }

    fn informed_by(
        &self,
        evaluator: Option<Box<dyn Evaluate>>,
        names: Vec<&str>,
        space: Space,
        folder: Option<&Path>,
    ) -> Result<Space, Error> {
        let path = folder.map(|folder| folder.join(FILE));
        let known = path.as_deref().map_or(Ok(Known::default()), Known::read)?;
        let names = names.into_iter().map(String::from).collect();
        let (seed, whole) = (self.seed(), space.clone());
        Ok(space.informed(Arc::new(Figures {
            space: whole,
            evaluator,
            names,
            seed,
            path,
            known: Mutex::new(known),
        })))
    }
}

/// An evaluator that is asked for nothing but what it can tell at once.
struct Figures {
    space: Space,
    /// `None` where nothing is known but what is known already.
    evaluator: Option<Box<dyn Evaluate>>,
    names: Vec<String>,
    seed: Seed,
    path: Option<PathBuf>,
    known: Mutex<Known>,
}

/// What was told so far, by the genotype's text.
#[derive(Default)]
struct Known {
    figures: HashMap<String, Option<Vec<f64>>>,
    /// Where it is kept; opened when there is something to keep.
    file: Option<File>,
}

impl FreeFigures for Figures {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn figures(&self, genotype: &Genotype) -> Option<Vec<f64>> {
        let text = genotype.to_string();
        if let Some(known) = self.known().figures.get(&text) {
            return known.clone();
        }
        // Nobody waits meanwhile: a thread that does might be given another candidate to look at, and wait for itself.
        let told = self.look(genotype, self.evaluator.as_deref()?);
        let mut known = self.known();
        if !known.figures.contains_key(&text) {
            self.keep(&mut known, &text, told.as_deref());
            known.figures.insert(text, told.clone());
        }
        told
    }
}

impl Figures {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` for a candidate that cannot be evaluated.
    fn look(&self, genotype: &Genotype, evaluator: &dyn Evaluate) -> Option<Vec<f64>> {
        let (key, program) = (self.space.key(genotype).ok()?, self.space.materialize(genotype).ok()?);
        let job = Job {
            genotype,
            key: &key,
            program: &program,
            fidelity: evaluator.fidelities().last().copied().unwrap_or(Fidelity(1)),
            seed: self.seed.derive(0, "free figures"),
            last: false,
            device: Device::Cpu,
            checkpoint: None,
            heritage: None,
        };
        let outcome = panics::catch(|| evaluator.evaluate(&job, &Unheard)).ok()?.ok()?;
        let figure = |name: &String| outcome.metrics.get(name).copied().unwrap_or(f64::NAN);
        Some(self.names.iter().map(figure).collect())
    }

    /// What cannot be kept is looked at again another time: no search ends for that.
    fn keep(&self, known: &mut Known, genotype: &str, told: Option<&[f64]>) {
        let Some(path) = &self.path else { return };
        if known.file.is_none() {
            known.file = OpenOptions::new().create(true).append(true).open(path).ok();
        }
        let figures: String = told.unwrap_or_default().iter().map(|figure| format!("\t{figure:?}")).collect();
        // A line that a kill cut short ends here, and is passed over when it is read.
        let line = format!("\n{genotype}{figures}\t.");
        let _ = known.file.as_mut().map(|file| file.write_all(line.as_bytes()));
    }
}

impl Known {
    fn read(path: &Path) -> Result<Known, Error> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(problem) if problem.kind() == ErrorKind::NotFound => String::new(),
            Err(source) => return Err(Error::Io { path: path.display().to_string(), source }),
        };
        Ok(Known { figures: text.lines().filter_map(line).collect(), file: None })
    }
}

/// A genotype and what was told of it; `None` for a line that is not whole.
fn line(text: &str) -> Option<(String, Option<Vec<f64>>)> {
    let mut fields: Vec<&str> = text.strip_suffix("\t.")?.split('\t').collect();
    let genotype = fields.remove(0).to_string();
    let figures: Vec<f64> = fields.into_iter().map(|field| field.parse().ok()).collect::<Option<_>>()?;
    Some((genotype, (!figures.is_empty()).then_some(figures)))
}

/// Nobody listens, and nobody asks to stop.
struct Unheard;

impl Progress for Unheard {
    fn report(&self, _done: Fidelity, _metrics: &Metrics) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(feature = "train")]
    use crate::search::Algorithm;

    const SPACE: &str = "Space(program: (
        task: (input: (1, 8, 8), classes: 10),
        architecture: Sequential([Conv(kernel: OneOf([1, 3]), channels: OneOf([4, 8, Nonsense]))]),
    ))";

    fn experiment() -> Experiment {
        let text = "(evaluator: Cost(()), objectives: [Minimize(\"params\")], figures: Cost(()))";
        crate::symbolic::from_value(&text.parse().unwrap()).unwrap()
    }

    #[test]
    fn what_an_evaluator_tells_is_kept_and_read_again_to_the_bit() {
        let space = Space::from_ron("test.ron", &SPACE.replace(", Nonsense", "")).unwrap();
        let (folder, experiment) = (tempfile::tempdir().unwrap(), experiment());
        let told = |space: &Space, genotype: &str| space.figures(&genotype.parse().unwrap());
        let informed = experiment.informed(space.clone(), Some(folder.path())).unwrap();
        let names = informed.figure_names().to_vec();
        assert!(names.contains(&"params".to_string()), "{names:?}");
        let known = told(&informed, "1,0").unwrap();
        let params = names.iter().position(|name| name == "params").unwrap();
        assert_eq!((known.len(), known[params]), (names.len(), f64::from(9 * 4 + 4 + 4 * 10 + 10)));
        assert_eq!(told(&informed, "0,1,1"), None, "not of the space");

        // A kill in the middle of a line; then another search, and a reader.
        let path = folder.path().join(FILE);
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("\n0,1\t17.");
        std::fs::write(&path, text).unwrap();
        let reader =
            |genotype| told(&experiment.informed_by_folder(space.clone(), folder.path()).unwrap(), genotype);
        assert_eq!((reader("1,0"), reader("0,1")), (Some(known.clone()), None));
        let again = experiment.informed(space.clone(), Some(folder.path())).unwrap();
        let other = told(&again, "0,1").unwrap();
        assert_eq!((reader("1,0"), reader("0,1")), (Some(known), Some(other)));
    }

    #[cfg(feature = "train")]
    #[test]
    fn zero_cost_proxies_are_such_figures_and_searches_see_them() {
        use crate::search::surrogate::{Forest, Predictor};
        use crate::search::{AskTell, Bananas, Bayesian, Progressive};

        let space = Space::from_ron("test.ron", &SPACE.replace(", Nonsense", ", 12, 16")).unwrap();
        let text = "(evaluator: Cost(()), objectives: [Minimize(\"params\")],
                     figures: ZeroCost(data: Digits, proxies: [Naswot], batch: 8))";
        let experiment: Experiment = crate::symbolic::from_value(&text.parse().unwrap()).unwrap();
        let [one, other] = [0, 1].map(|_| experiment.informed(space.clone(), None).unwrap());
        assert_eq!(one.figure_names(), ["naswot", "params", "macs"]);
        let genotypes: Vec<Genotype> = space.genotypes().collect();
        let mut backwards: Vec<_> = genotypes.iter().rev().map(|genotype| other.figures(genotype)).collect();
        backwards.reverse();
        for (genotype, again) in genotypes.iter().zip(backwards) {
            let told = one.figures(genotype).expect("it can be built");
            assert!(told.iter().all(|figure| figure.is_finite()), "{told:?}");
            assert_eq!(Some(told), again, "in another order");
        }
        let surrogate = Predictor::Forest(Forest { trees: 5, ..Forest::default() });
        for algorithm in [
            Algorithm::Bayesian(Bayesian::default()),
            Algorithm::Bananas(Bananas { first: 3, surrogate: surrogate.clone(), ..Bananas::default() }),
            Algorithm::Progressive(Progressive { surrogate, ..Progressive::default() }),
        ] {
            let mut search = AskTell::new(&one, &algorithm, experiment.objectives[0].clone()).with_trials(8);
            while let Some(trial) = search.ask().unwrap() {
                let params = one.figures(&trial.proposal.genotype).unwrap()[1];
                search.tell(trial.id, [("params", params)]).unwrap();
            }
            assert_eq!(search.trials().len(), 8, "{}", algorithm.kind());
        }
    }

    #[test]
    fn without_such_an_evaluator_nothing_is_known() {
        let space = Space::from_ron("test.ron", &SPACE.replace(", Nonsense", "")).unwrap();
        let plain = Experiment { figures: None, ..experiment() };
        let same = plain.informed(space, None).unwrap();
        assert!(same.figure_names().is_empty() && same.figures(&"1,0".parse().unwrap()).is_none());
    }

    #[test]
    fn figures_that_are_no_numbers_come_back() {
        let (genotype, figures) = line("1(0,2)\tNaN\t-inf\t0.1\t.").unwrap();
        let figures = figures.unwrap();
        assert_eq!((&*genotype, figures[1], figures[2]), ("1(0,2)", f64::NEG_INFINITY, 0.1));
        assert!(figures[0].is_nan());
        assert_eq!(line("1\t."), Some(("1".into(), None)));
        assert_eq!((line("1\t0.5"), line("")), (None, None));
    }
}
