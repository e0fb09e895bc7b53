//! Constraints: what a candidate may cost, checked before anything is trained.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ir::Cost;

/// Draws that may break a constraint before a move gives up.
pub(super) const MAX_DRAWS: u64 = 10_000;

/// A bound on the cost of a space's candidates: `Params(max: 200000)`, `Macs(min: 1000000, max: 5000000)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Constraint {
    /// Trainable parameters.
    Params(Bounds),
    /// Multiply-accumulate operations of one forward pass of one sample.
    Macs(Bounds),
    /// Bytes of all activations of one sample.
    ActivationBytes(Bounds),
    /// Layers with parameters on the longest path.
    Depth(Bounds),
}

/// The least and the greatest that is allowed, both included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// The least; anything where it is missing.
    #[serde(default)]
    pub min: Option<u64>,
    /// The greatest; anything where it is missing.
    #[serde(default)]
    pub max: Option<u64>,
}

impl Constraint {
    /// What is wrong with the constraint itself, as a message and a next step.
    pub(super) fn flaw(&self) -> Option<(String, String)> {
        let Bounds { min, max } = self.bounds();
        let name = self.name();
        match (min, max) {
            (None, None) => Some((format!("{name} has no bound"), format!("write {name}(max: ..)"))),
            (Some(min), Some(max)) if min > max => {
                Some((format!("{name} has min {min} above max {max}"), "swap them".to_string()))
            }
            _ => None,
        }
    }

    /// How far a cost is from what is allowed, as a share of the bound; `None` where it is allowed.
    pub(super) fn excess(&self, cost: &Cost) -> Option<f64> {
        let (value, Bounds { min, max }) = (self.value(cost), self.bounds());
        let over = max.filter(|max| value > *max).map(|max| (value - max) as f64 / max.max(1) as f64);
        let under = min.filter(|min| value < *min).map(|min| (min - value) as f64 / min.max(1) as f64);
        over.or(under)
    }

    /// What the constraint bounds.
    pub(super) fn value(&self, cost: &Cost) -> u64 {
        match self {
            Constraint::Params(_) => cost.params,
            Constraint::Macs(_) => cost.macs,
            Constraint::ActivationBytes(_) => cost.activation_bytes,
            Constraint::Depth(_) => cost.depth,
        }
    }

    fn bounds(&self) -> Bounds {
        match self {
            Constraint::Params(bounds)
            | Constraint::Macs(bounds)
            | Constraint::ActivationBytes(bounds)
            | Constraint::Depth(bounds) => *bounds,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Constraint::Params(_) => "Params",
            Constraint::Macs(_) => "Macs",
            Constraint::ActivationBytes(_) => "ActivationBytes",
            Constraint::Depth(_) => "Depth",
        }
    }
}

impl fmt::Display for Constraint {
    /// As a space file writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bounds { min, max } = self.bounds();
        let sides = [min.map(|min| format!("min: {min}")), max.map(|max| format!("max: {max}"))];
        let sides: Vec<String> = sides.into_iter().flatten().collect();
        write!(f, "{}({})", self.name(), sides.join(", "))
    }
}

/// Why a candidate is turned down.
#[derive(Clone, Debug)]
pub(super) enum Breach {
    /// It costs too much or too little: which constraint, the value met, and by what share it misses.
    Cost { constraint: Constraint, value: u64, excess: f64 },
    /// It cannot be built, and so has no cost.
    Shape(String),
}

impl Breach {
    /// The first constraint that a cost breaks.
    pub fn of(constraints: &[Constraint], cost: &Cost) -> Option<Breach> {
        constraints.iter().find_map(|constraint| {
            let excess = constraint.excess(cost)?;
            Some(Breach::Cost { constraint: *constraint, value: constraint.value(cost), excess })
        })
    }

    /// Of two, the one that misses by less.
    pub fn closer(self, other: Option<Breach>) -> Breach {
        match (&self, &other) {
            (Breach::Cost { excess: a, .. }, Some(Breach::Cost { excess: b, .. })) if b < a => {
                other.unwrap_or(self)
            }
            (Breach::Shape(_), Some(Breach::Cost { .. })) => other.unwrap_or(self),
            _ => self,
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Breach::Cost { constraint, value, .. } => {
                write!(f, "{constraint} turned all of them down, the closest with {value}")
            }
            Breach::Shape(message) => write!(f, "none could be built: {message}"),
        }
    }
}
