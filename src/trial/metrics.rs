//! Figures by name, such that many with the same names take little memory.

use std::fmt;
use std::ops::Index;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Figures of a trial by name, in the order in which they were told: `accuracy`, `loss`, `params`, `macs`, `seconds`.
/// Accuracies are in [0, 1]. Equal ones hold the same figures in whatever order.
///
/// ```
/// use cellwright::trial::Metrics;
///
/// let mut metrics = Metrics::from([("loss".to_string(), 0.3)]);
/// metrics.insert("accuracy".into(), 0.9);
/// assert_eq!(metrics["accuracy"], 0.9);
/// assert_eq!(metrics.keys().collect::<Vec<_>>(), ["loss", "accuracy"]);
/// assert_eq!(metrics.get("params"), None);
/// ```
#[derive(Clone, Default)]
pub struct Metrics {
    /// Shared by those that [`Names`] has seen.
    names: Arc<Vec<String>>,
    figures: Vec<f64>,
}

impl Metrics {
    /// No figures.
    pub fn new() -> Metrics {
        Metrics::default()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.figures.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.figures.is_empty()
    }

    /// A figure by its name.
    pub fn get(&self, name: &str) -> Option<&f64> {
        self.place(name).map(|place| &self.figures[place])
    }

    /// A figure by its name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut f64> {
        self.place(name).map(|place| &mut self.figures[place])
    }

    /// Whether there is a figure of this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// Sets a figure, behind all others where it is new; the one that it had.
    pub fn insert(&mut self, name: String, figure: f64) -> Option<f64> {
        match self.place(&name) {
            Some(place) => Some(std::mem::replace(&mut self.figures[place], figure)),
            None => {
                Arc::make_mut(&mut self.names).push(name);
                self.figures.push(figure);
                None
            }
        }
    }

    /// All names, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &String> + Clone {
        self.names.iter()
    }

    /// All figures, in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &f64> + Clone {
        self.figures.iter()
    }

    /// All names with their figures, in order.
    pub fn iter(&self) -> std::iter::Zip<std::slice::Iter<'_, String>, std::slice::Iter<'_, f64>> {
        self.names.iter().zip(&self.figures)
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other == name)
    }
}

/// The names that many trials' figures have in common, kept once.
#[derive(Debug, Default)]
pub(crate) struct Names(Vec<Arc<Vec<String>>>);

/// Most lists of names that are remembered: trials of one study mostly have one, or one a kind of end.
const LISTS: usize = 16;

impl Names {
    /// Makes figures share their names with earlier ones that have the same.
    pub fn share(&mut self, metrics: &mut Metrics) {
        metrics.figures.shrink_to_fit();
        match self.0.iter().find(|names| **names == metrics.names) {
            Some(names) => metrics.names = names.clone(),
            None if self.0.len() < LISTS => self.0.push(metrics.names.clone()),
            None => {}
        }
    }
}

impl PartialEq for Metrics {
    fn eq(&self, other: &Metrics) -> bool {
        self.len() == other.len() && self.iter().all(|(name, figure)| other.get(name) == Some(figure))
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Index<&str> for Metrics {
    type Output = f64;

    fn index(&self, name: &str) -> &f64 {
        match self.get(name) {
            Some(figure) => figure,
            None => panic!("there is no `{name}` among {self:?}"),
        }
    }
}

impl Extend<(String, f64)> for Metrics {
    fn extend<I: IntoIterator<Item = (String, f64)>>(&mut self, others: I) {
        for (name, figure) in others {
            self.insert(name, figure);
        }
    }
}

impl FromIterator<(String, f64)> for Metrics {
    fn from_iter<I: IntoIterator<Item = (String, f64)>>(all: I) -> Metrics {
        let mut metrics = Metrics::new();
        metrics.extend(all);
        metrics
    }
}

impl<const N: usize> From<[(String, f64); N]> for Metrics {
    fn from(all: [(String, f64); N]) -> Metrics {
        all.into_iter().collect()
    }
}

impl IntoIterator for Metrics {
    type Item = (String, f64);
    type IntoIter = std::iter::Zip<std::vec::IntoIter<String>, std::vec::IntoIter<f64>>;

    fn into_iter(self) -> Self::IntoIter {
        Arc::unwrap_or_clone(self.names).into_iter().zip(self.figures)
    }
}

impl<'a> IntoIterator for &'a Metrics {
    type Item = (&'a String, &'a f64);
    type IntoIter = std::iter::Zip<std::slice::Iter<'a, String>, std::slice::Iter<'a, f64>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Metrics, D::Error> {
        Ok(IndexMap::<String, f64>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shared_and_stay_each_ones_own() {
        let metrics = |loss| Metrics::from([("loss".to_string(), loss), ("params".to_string(), 7.0)]);
        let (mut names, mut first, mut second) = (Names::default(), metrics(0.5), metrics(0.25));
        names.share(&mut first);
        names.share(&mut second);
        assert!(Arc::ptr_eq(&first.names, &second.names));
        second.insert("accuracy".into(), 1.0);
        assert_eq!((first.len(), second.len()), (2, 3), "one that grows has names of its own");
        assert_eq!(second.insert("loss".into(), 0.125), Some(0.25));
        assert_eq!(first, metrics(0.5));
        let other_order = Metrics::from([("params".to_string(), 7.0), ("loss".to_string(), 0.5)]);
        assert_eq!(first, other_order);
        assert_ne!(first, second);
        assert_eq!(serde_json::to_string(&first).unwrap(), r#"{"loss":0.5,"params":7.0}"#);
        assert_eq!(serde_json::from_str::<Metrics>(r#"{"loss":0.5,"params":7.0}"#).unwrap(), first);
    }
}
