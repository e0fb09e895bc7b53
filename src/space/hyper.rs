//! Hyper values: objects with reserved names that leave a place of a program open.
//!
//! | written | stands for |
//! |---|---|
//! | `OneOf([a, b])` | one of the candidates |
//! | `ManyOf(k, [a, b, c])`, `ManyOf(k, [..], distinct, sorted)` | a list of k of the candidates |
//! | `Permutation([a, b, c])` | the list in any order |
//! | `Int(low, high)` | an integer, both ends included |
//! | `Float(low, high)`, `Float(low, high, Log)` | a number, both ends included |
//! | `Prefix(min, [a, b, c])` | the first n elements of the list, n >= min |
//! | `Ref("x")` | the piece `x` of `let`, its decisions shared with every other `Ref("x")` |
//! | `Fresh("x")` | the piece `x`, its decisions drawn again |
//!
//! Each can be written with names too: `ManyOf(k: 2, of: [..], distinct: true)`, `Float(low: 0, high: 1, scale: Log)`,
//! `OneOf(of: [..], name: "op")`, where `name` is what reports call the decision.

use serde::{Deserialize, Serialize};

use crate::symbolic::Value;

/// How a `Float` is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scale {
    /// Uniformly.
    #[default]
    Linear,
    /// Uniformly in the logarithm: for learning rates.
    Log,
    /// The mirror image of `Log`: dense near the high end.
    ReverseLog,
}

/// An open number, as [`float`] makes it; becomes a [`Value`].
#[derive(Clone, Copy, Debug)]
pub struct Number {
    low: f64,
    high: f64,
    scale: Scale,
}

impl Number {
    /// Drawn uniformly in the logarithm.
    pub fn log(self) -> Number {
        Number { scale: Scale::Log, ..self }
    }

    /// Drawn by the mirror image of [`Number::log`].
    pub fn reverse_log(self) -> Number {
        Number { scale: Scale::ReverseLog, ..self }
    }
}

impl From<Number> for Value {
    fn from(Number { low, high, scale }: Number) -> Value {
        match scale {
            Scale::Linear => Value::call("Float", [low, high]),
            Scale::Log => Value::call("Float", [low.into(), high.into(), Value::unit("Log")]),
            Scale::ReverseLog => Value::call("Float", [low.into(), high.into(), Value::unit("ReverseLog")]),
        }
    }
}

/// What the choices of a [`many_of`] must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// No candidate twice.
    Distinct,
    /// In the candidates' order.
    Sorted,
}

/// An open integer, both ends included.
///
/// ```
/// use cellwright::space::hyper::{float, int, many_of, one_of, permutation, prefix, Rule};
/// use cellwright::symbolic::Value;
///
/// let text = |value: Value| value.to_string();
/// assert_eq!(text(int(1, 8)), "Int(1, 8)");
/// assert_eq!(text(float(1e-4, 0.1).log().into()), "Float(0.0001, 0.1, Log)");
/// assert_eq!(text(one_of([16, 32])), "OneOf([16, 32])");
/// assert_eq!(text(many_of(2, ["a", "b", "c"], &[Rule::Distinct])), r#"ManyOf(2, ["a", "b", "c"], distinct)"#);
/// assert_eq!(text(permutation([1, 2])), "Permutation([1, 2])");
/// assert_eq!(text(prefix(1, [one_of([true, false]), int(0, 1)])), "Prefix(1, [OneOf([true, false]), Int(0, 1)])");
/// ```
pub fn int(low: i64, high: i64) -> Value {
    Value::call("Int", [low, high])
}

/// An open number, both ends included.
pub fn float(low: f64, high: f64) -> Number {
    Number { low, high, scale: Scale::Linear }
}

/// One of the candidates.
pub fn one_of(candidates: impl IntoIterator<Item = impl Into<Value>>) -> Value {
    Value::call("OneOf", [list(candidates)])
}

/// A list of `k` of the candidates.
pub fn many_of(k: usize, candidates: impl IntoIterator<Item = impl Into<Value>>, rules: &[Rule]) -> Value {
    let rules = rules.iter().map(|rule| match rule {
        Rule::Distinct => Value::unit("distinct"),
        Rule::Sorted => Value::unit("sorted"),
    });
    Value::call("ManyOf", [k.into(), list(candidates)].into_iter().chain(rules))
}

/// The elements in any order.
pub fn permutation(elements: impl IntoIterator<Item = impl Into<Value>>) -> Value {
    Value::call("Permutation", [list(elements)])
}

/// The first `min` elements or more.
pub fn prefix(min: usize, elements: impl IntoIterator<Item = impl Into<Value>>) -> Value {
    Value::call("Prefix", [min.into(), list(elements)])
}

fn list(items: impl IntoIterator<Item = impl Into<Value>>) -> Value {
    items.into_iter().collect::<Vec<_>>().into()
}
