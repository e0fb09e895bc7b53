//! Pictures that could not be decoded: counted, and the first of them named.

use std::collections::HashSet;
use std::fmt::{self, Display};

/// How many are named.
const NAMED: usize = 3;

/// What was skipped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Broken {
    seen: HashSet<String>,
    first: Vec<(String, String)>,
}

impl Broken {
    /// One more, unless it is known.
    pub fn add(&mut self, name: String, problem: String) {
        if self.seen.contains(&name) {
            return;
        }
        if self.first.len() < NAMED {
            self.first.push((name.clone(), problem));
        }
        self.seen.insert(name);
    }

    /// All of `other` as well.
    pub fn join(&mut self, other: &Broken) {
        let mut problems = other.first.iter().cloned().collect::<std::collections::HashMap<_, _>>();
        let mut names: Vec<&String> = other.seen.iter().collect();
        names.sort_by_key(|name| (!problems.contains_key(*name), (*name).clone()));
        for name in names {
            let problem = problems.remove(name).unwrap_or_default();
            self.add(name.clone(), problem);
        }
    }

    /// How many different ones.
    pub fn count(&self) -> usize {
        self.seen.len()
    }
}

impl Display for Broken {
    /// Such as `2 pictures cannot be decoded and were skipped: a.jpg (cut short), b.png (...)`.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let one = self.count() == 1;
        let (pictures, were) = if one { ("picture", "was") } else { ("pictures", "were") };
        write!(f, "{} {pictures} cannot be decoded and {were} skipped: ", self.count())?;
        for (index, (name, problem)) in self.first.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name} ({problem})")?;
        }
        match self.count() - self.first.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_once_and_the_first_are_named() {
        let mut broken = Broken::default();
        for name in ["a.jpg", "b.png", "a.jpg"] {
            broken.add(name.into(), "cut short".into());
        }
        assert_eq!(
            broken.to_string(),
            "2 pictures cannot be decoded and were skipped: a.jpg (cut short), b.png (cut short)"
        );
        let mut others = Broken::default();
        for name in ["c", "d", "b.png", "e"] {
            others.add(name.into(), "empty".into());
        }
        broken.join(&others);
        assert_eq!(broken.count(), 5);
        let text = broken.to_string();
        assert!(text.ends_with("a.jpg (cut short), b.png (cut short), c (empty) and 2 more"), "{text}");
    }
}
