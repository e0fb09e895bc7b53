//! What tells candidates apart.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::random::fnv1a_128;

/// Two candidates with equal keys are the same candidate: isomorphic architectures with equal hyperparameters.
///
/// It is a 128-bit hash of the text that spells the candidate in canonical form: fixed for all time, as stored studies need
/// it, and small, for a search keeps one for every trial. Its own text is 32 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 16]);

/// The digits of a key, and of an architecture's.
const DIGITS: usize = 32;

impl Key {
    /// The key of a candidate by the text that spells it. Where this begins with the digits of an architecture's key, the
    /// rest enters as a hash of its own.
    pub fn of(text: &str) -> Key {
        match text.split_at_checked(DIGITS) {
            Some((digits, rest)) if is_hash(digits) && rest.starts_with(' ') => {
                Key::joined(digits, fnv1a_128(&rest.as_bytes()[1..]))
            }
            _ => Key(fnv1a_128(text.as_bytes()).to_be_bytes()),
        }
    }

    /// [`Key::of`] an architecture's digits and a text of which only the hash is given.
    pub(super) fn joined(architecture: &str, rest: u128) -> Key {
        let joined: Vec<u8> = architecture.bytes().chain(rest.to_be_bytes()).collect();
        Key(fnv1a_128(&joined).to_be_bytes())
    }

    /// Some of its bits, as evenly spread as a hash of its own would be.
    pub(crate) fn bits(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// A key as it is stored: its digits, or what it is the hash of, which earlier releases stored.
    pub(crate) fn stored(text: &str) -> Key {
        text.parse().unwrap_or_else(|_| Key::of(text))
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// A text that is no key.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{0}` is no key: 32 hexadecimal digits")]
pub struct NoKey(String);

impl FromStr for Key {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Key, NoKey> {
        let number = is_hash(text).then(|| u128::from_str_radix(text, 16).ok()).flatten();
        number.map(|number| Key(number.to_be_bytes())).ok_or_else(|| NoKey(text.into()))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        Ok(Key::stored(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_fixed_for_all_time_and_read_back() {
        assert_eq!(Key::of("a").to_string(), "d228cb696f1a8caf78912b704e4a8964");
        let digits = "19f345f435d416d81f675b8366ad79ca";
        let network = Key::of(&format!("{digits} (classes: 10) (batch: 8)"));
        assert_eq!(network, Key::joined(digits, fnv1a_128(b"(classes: 10) (batch: 8)")));
        assert_ne!(network, Key::of(&format!("{digits} (classes: 10) (batch: 9)")));
        assert_eq!(Key::stored(&network.to_string()), network);
        assert_eq!(Key::stored(&format!("{digits} (classes: 10) (batch: 8)")), network);
        assert!("d228".parse::<Key>().is_err() && "é".repeat(16).parse::<Key>().is_err());
        assert_ne!(Key::of(&"é".repeat(20)), Key::of(""));
    }
}
