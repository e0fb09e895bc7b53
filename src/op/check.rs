//! Rules on single fields of op configurations, for `#[serde(deserialize_with)]`: so a wrong number is refused where
//! it is written. Ops built in code meet the same rules when they are lowered, as a shape error.

use serde::de::{Deserialize, Deserializer, Error};

/// An odd kernel size.
pub(super) fn odd<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    rule(deserializer, |size: &usize| size % 2 == 1, "a kernel is odd and at least 1")
}

/// A count of at least 1.
pub(super) fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    rule(deserializer, |count: &usize| *count >= 1, "it is at least 1")
}

/// How many times something is repeated: each repeat is built, so the number is kept sane.
pub(super) fn few<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    rule(deserializer, |count: &usize| (1..=64).contains(count), "it lies in [1, 64]")
}

/// A count of at least 1, or nothing.
pub(super) fn positive_or_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<usize>, D::Error> {
    let count = Option::<usize>::deserialize(deserializer)?;
    if count == Some(0) { Err(D::Error::custom("0 is out of range: it is at least 1")) } else { Ok(count) }
}

/// A probability in [0, 1).
pub(super) fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    rule(deserializer, |rate: &f64| (0.0..1.0).contains(rate), "a rate lies in [0, 1)")
}

/// A share in [0, 1].
pub(super) fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    rule(deserializer, |share: &f64| (0.0..=1.0).contains(share), "a share lies in [0, 1]")
}

/// A share in (0, 1].
pub(super) fn positive_share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    rule(deserializer, |share: &f64| *share > 0.0 && *share <= 1.0, "a share here lies in (0, 1]")
}

/// A factor of at least 1, of any sane size.
pub(super) fn factor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    rule(deserializer, |factor: &f64| (1.0..=1e6).contains(factor), "a factor lies in [1, 1000000]")
}

/// A number of at least 0, of any sane size.
pub(super) fn not_negative<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    rule(deserializer, |number: &f64| (0.0..=1e6).contains(number), "it lies in [0, 1000000]")
}

/// A finite number above 0.
pub(super) fn above_zero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    rule(deserializer, |number: &f64| *number > 0.0 && number.is_finite(), "it is above 0")
}

fn rule<'de, D, T>(deserializer: D, holds: impl Fn(&T) -> bool, rule: &str) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + std::fmt::Debug,
{
    let value = T::deserialize(deserializer)?;
    if holds(&value) {
        Ok(value)
    } else {
        Err(D::Error::custom(format!("{value:?} is out of range: {rule}")))
    }
}
