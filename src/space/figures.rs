//! What is known of a space's candidates for nothing, or nearly so: figures that no trial has to be spent on.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::{Genotype, Space};

/// Tells figures of candidates that cost next to nothing, such as zero-cost proxies. Who predicts in a search sees them
/// beside the candidate; what they mean and whether more is better it finds out by itself.
pub trait FreeFigures: Send + Sync {
    /// Their names.
    fn names(&self) -> &[String];

    /// Those of a candidate, one for each name; not a number where one is not known, `None` where none is. The same
    /// whenever it is asked, and from any thread.
    fn figures(&self, genotype: &Genotype) -> Option<Vec<f64>>;
}

/// Where the figures of a space come from.
#[derive(Clone, Default)]
pub(super) struct Source(Option<Arc<dyn FreeFigures>>);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.0.as_ref().map(|source| source.names())).finish()
    }
}

impl Space {
    /// The same space, of whose candidates something is known for nothing: searches that predict are shown it.
    ///
    /// ```
    /// use cellwright::space::FreeFigures;
    /// use cellwright::{Genotype, Space};
    ///
    /// /// How long a candidate's genotype is.
    /// struct Length([String; 1]);
    ///
    /// impl FreeFigures for Length {
    ///     fn names(&self) -> &[String] {
    ///         &self.0
    ///     }
    ///     fn figures(&self, genotype: &Genotype) -> Option<Vec<f64>> {
    ///         Some(vec![genotype.to_string().len() as f64])
    ///     }
    /// }
    ///
    /// let space = Space::untyped(&"(a: OneOf([1, 2]), b: OneOf([1, 2]))".parse()?)?;
    /// let space = space.informed(std::sync::Arc::new(Length(["length".into()])));
    /// assert_eq!(space.figure_names(), ["length"]);
    /// assert_eq!(space.figures(&"0,1".parse()?), Some(vec![3.0]));
    /// # Ok::<(), cellwright::Error>(())
    /// ```
    pub fn informed(self, figures: Arc<dyn FreeFigures>) -> Space {
        Space { figures: Source(Some(figures)), derived: Default::default(), ..self }
    }

    /// The same space, of whose candidates nothing is known for nothing.
    pub(crate) fn uninformed(&self) -> Cow<'_, Space> {
        match self.figures.0 {
            None => Cow::Borrowed(self),
            Some(_) => {
                Cow::Owned(Space { figures: Source(None), derived: Default::default(), ..self.clone() })
            }
        }
    }

    /// The names of the figures that are known of its candidates for nothing.
    pub fn figure_names(&self) -> &[String] {
        self.figures.0.as_ref().map_or(&[], |source| source.names())
    }

    /// What is known of a candidate for nothing, one figure for each of [`Space::figure_names`]; not a number where one is
    /// not known, `None` where none is.
    pub fn figures(&self, genotype: &Genotype) -> Option<Vec<f64>> {
        self.figures.0.as_ref()?.figures(genotype)
    }
}
