//! What is wrong with a space, and where: collected, so that all of a file's problems are told at once.

use crate::symbolic::Origin;

/// One thing wrong.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub origin: Origin,
    pub message: String,
    pub help: Option<String>,
}

impl Problem {
    pub fn new(origin: Origin, message: impl Into<String>) -> Problem {
        Problem { origin, message: message.into(), help: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }
}

/// The word nearest to a misspelt one, if any is near enough to be meant.
pub(super) fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |other: &str| strsim::damerau_levenshtein(&word.to_lowercase(), &other.to_lowercase());
    let (best, near) =
        words.into_iter().map(|other| (other, distance(other))).min_by_key(|(_, near)| *near)?;
    (near <= 1 + word.chars().count() / 3).then_some(best)
}
