//! Labels of ops: the name and sizes always, everything else only where it differs from the usual.

use std::fmt::Display;

/// A label in the making.
pub(super) struct Label(String);

impl Label {
    /// Starts with a name, `max pool`.
    pub fn new(name: &str) -> Label {
        Label(name.into())
    }

    /// Adds a square kernel, `5x5`.
    pub fn kernel(self, size: usize) -> Label {
        self.word(format!("{size}x{size}"))
    }

    /// Adds a word.
    pub fn word(self, word: impl Display) -> Label {
        Label(format!("{} {word}", self.0))
    }

    /// Adds `name value` unless the value is the usual one.
    pub fn unless<T: PartialEq + Display>(self, usual: T, name: &str, value: T) -> Label {
        if value == usual { self } else { self.word(name).word(value) }
    }

    /// Adds the value's own word unless it is the usual one.
    pub fn unless_usual(self, usual: &str, value: &str) -> Label {
        self.when(value != usual, value)
    }

    /// Adds a word where something holds.
    pub fn when(self, holds: bool, word: &str) -> Label {
        if holds { self.word(word) } else { self }
    }

    /// Adds the channels and stride that an op sets itself, and ends the label.
    pub fn sized(self, channels: Option<usize>, stride: Option<usize>) -> String {
        let label = channels.into_iter().fold(self, |label, channels| label.word("to").word(channels));
        stride.into_iter().fold(label, |label, stride| label.word("stride").word(stride)).0
    }

    /// Ends the label.
    pub fn end(self) -> String {
        self.0
    }
}
