//! Decisions: what a space leaves open, in order, and the values that each can take.

use super::hyper::Scale;
use crate::symbolic::Origin;

/// One thing that a space leaves open.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Where it stands in the program, such as `architecture.cell[1].left.op`; `:SepConv` in it says which candidate
    /// of the decision before it holds this one.
    pub id: String,
    /// What the space's author calls it: its `name`, or the name of its piece in `let`.
    pub name: Option<String>,
    /// What can be decided.
    pub kind: DecisionKind,
    /// Short texts of the candidates; empty for numbers.
    pub labels: Vec<String>,
    /// When it is decided at all: if any of these holds; empty for always.
    pub conditions: Vec<Condition>,
    /// Where it was written.
    pub origin: Origin,
}

/// A decision is active where another one, itself active, took one of these choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The other decision's number.
    pub decision: usize,
    /// The choices; for a `ManyOf`, the candidates of slot `slot`.
    pub choices: Vec<u32>,
    /// The slot of a `ManyOf` or `Permutation`.
    pub slot: Option<usize>,
}

/// What can be decided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DecisionKind {
    /// One of so many candidates: a `OneOf`, or the length of a `Prefix`.
    Choice {
        /// How many there are, at least one.
        candidates: u32,
    },
    /// A choice for each of `k` slots: `ManyOf` and `Permutation`.
    Many {
        /// Number of slots.
        k: u32,
        /// How many candidates each slot has.
        candidates: u32,
        /// No candidate twice.
        distinct: bool,
        /// Choices never fall from slot to slot.
        sorted: bool,
    },
    /// An integer, both ends included.
    Int {
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
    },
    /// A number, both ends included.
    Float {
        /// The least.
        low: f64,
        /// The greatest.
        high: f64,
        /// How it is drawn.
        scale: Scale,
    },
}

/// What one decision holds, without the decisions that hang on it.
#[derive(Clone, Debug, PartialEq)]
pub enum Draw {
    /// A candidate's number.
    Choice(u32),
    /// A candidate's number for each slot.
    Many(Vec<u32>),
    /// An integer.
    Int(i64),
    /// A number.
    Float(f64),
}

impl Decision {
    /// Where this decision stands within an element of the `Prefix` that `prefix` is the length of: the element's
    /// number and the rest of the path, which is the same for all elements alike; `None` where it stands in none.
    pub fn place_in<'a>(&'a self, prefix: &Decision) -> Option<(usize, &'a str)> {
        let element = self.id.strip_prefix(prefix.id.as_str())?.strip_prefix('[')?;
        let (number, place) = element.split_once(']')?;
        Some((number.parse().ok()?, place))
    }
}

impl DecisionKind {
    /// Why a draw is not one of this decision's; `None` if it is.
    pub(super) fn objection(&self, draw: &Draw) -> Option<String> {
        match (*self, draw) {
            (DecisionKind::Choice { candidates }, Draw::Choice(index)) => {
                (*index >= candidates).then(|| format!("choice {index} is not in 0..={}", candidates - 1))
            }
            (DecisionKind::Int { low, high }, Draw::Int(value)) => {
                (*value < low || *value > high).then(|| format!("#{value} is not in #{low}..=#{high}"))
            }
            (DecisionKind::Float { low, high, .. }, Draw::Float(value)) => {
                (!(low..=high).contains(value)).then(|| format!("{value:?} is not in {low:?}..={high:?}"))
            }
            (DecisionKind::Many { k, candidates, distinct, sorted }, Draw::Many(choices)) => {
                many_objection(k, candidates, distinct, sorted, choices)
            }
            _ => Some(format!("{} is not {}", draw.noun(), self.noun())),
        }
    }

    /// Whether there is only one value.
    pub fn is_single(&self) -> bool {
        match *self {
            DecisionKind::Choice { candidates } => candidates == 1,
            DecisionKind::Int { low, high } => low == high,
            DecisionKind::Float { low, high, .. } => low == high,
            DecisionKind::Many { k, candidates, distinct, sorted } => {
                k == 0 || candidates == 1 || (distinct && sorted && k == candidates)
            }
        }
    }

    fn noun(&self) -> &'static str {
        match self {
            DecisionKind::Choice { .. } => "a choice such as `0`",
            DecisionKind::Many { .. } => "a list of choices such as `[0,1]`",
            DecisionKind::Int { .. } => "an integer such as `#1`",
            DecisionKind::Float { .. } => "a float such as `0.5`",
        }
    }
}

impl Draw {
    fn noun(&self) -> String {
        match self {
            Draw::Choice(index) => format!("choice `{index}`"),
            Draw::Many(choices) => {
                let words: Vec<String> = choices.iter().map(u32::to_string).collect();
                format!("list `[{}]`", words.join(","))
            }
            Draw::Int(value) => format!("integer `#{value}`"),
            Draw::Float(value) => format!("float `{value:?}`"),
        }
    }
}

fn many_objection(k: u32, candidates: u32, distinct: bool, sorted: bool, choices: &[u32]) -> Option<String> {
    if choices.len() != k as usize {
        return Some(format!("{} choices are not {k}", choices.len()));
    }
    if let Some(index) = choices.iter().find(|index| **index >= candidates) {
        return Some(format!("choice {index} is not in 0..={}", candidates - 1));
    }
    let falls = choices.windows(2).find(|pair| pair[0] > pair[1]);
    if let (true, Some(pair)) = (sorted, falls) {
        return Some(format!("choices must be sorted, and {} stands before {}", pair[0], pair[1]));
    }
    let twice = choices.iter().enumerate().find(|(at, index)| choices[..*at].contains(index));
    match twice {
        Some((_, index)) if distinct => Some(format!("choices must be distinct, and {index} stands twice")),
        _ => None,
    }
}
