//! What a number becomes of the values it was drawn from and the probabilities that a policy has given them.

use serde::{Deserialize, Serialize};

use crate::space::{DecisionKind, Draw};

/// What a number becomes of its basis, a few values of its scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decoding {
    /// The sum of the basis' values, each times its probability: the paper's. Of a logarithmic scale it leans to the large
    /// values, as rewards after a single step lean to small rates.
    #[default]
    Combination,
    /// The same on the number's own scale: of a logarithmic one the large values count for no more than the small.
    OnScale,
    /// The most probable value.
    MostProbable,
}

impl Decoding {
    /// The number that a basis and its probabilities come to.
    pub(super) fn number(self, kind: &DecisionKind, basis: &[Draw], probabilities: &[f64]) -> Draw {
        let mean = |value: &dyn Fn(&Draw) -> f64| {
            basis.iter().zip(probabilities).map(|(draw, share)| share * value(draw)).sum::<f64>()
        };
        match self {
            Decoding::MostProbable => {
                let likelier = |best: usize, next: usize| {
                    if probabilities[next] > probabilities[best] { next } else { best }
                };
                basis[(0..probabilities.len()).fold(0, likelier)].clone()
            }
            Decoding::OnScale => {
                let share = mean(&|draw| kind.share(draw).unwrap_or(0.5));
                kind.at(share).unwrap_or_else(|| basis[0].clone())
            }
            Decoding::Combination => match *kind {
                DecisionKind::Int { low, high } => Draw::Int((mean(&value).round() as i64).clamp(low, high)),
                DecisionKind::Float { low, high, .. } => Draw::Float(mean(&value).clamp(low, high)),
                DecisionKind::Choice { .. } | DecisionKind::Many { .. } => kind.first(),
            },
        }
    }
}

fn value(draw: &Draw) -> f64 {
    match draw {
        Draw::Int(value) => *value as f64,
        Draw::Float(value) => *value,
        Draw::Choice(_) | Draw::Many(_) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_combined_of_their_basis() {
        let kind = DecisionKind::Float { low: 0.001, high: 1.0, scale: crate::space::hyper::Scale::Log };
        let basis: Vec<Draw> = [0.001, 0.0316228, 1.0].map(Draw::Float).to_vec();
        let all = [0.5, 0.3, 0.2];
        let number = |decoding: Decoding| match decoding.number(&kind, &basis, &all) {
            Draw::Float(value) => value,
            other => panic!("{other:?}"),
        };
        assert!((number(Decoding::Combination) - (0.0005 + 0.3 * 0.0316228 + 0.2)).abs() < 1e-9);
        assert!((number(Decoding::OnScale).log10() - (-3.0 * 0.5 - 1.5 * 0.3)).abs() < 1e-3);
        assert_eq!(number(Decoding::MostProbable), 0.001);
        let kind = DecisionKind::Int { low: 1, high: 9 };
        let basis = [1, 5, 9].map(Draw::Int);
        assert_eq!(Decoding::default().number(&kind, &basis, &all), Draw::Int(4));
    }
}
