//! What a space knows of its candidates for nothing, as features: every figure is a number on a line.

use super::{Features, Layout, Measure};
use crate::search::gauge::Gauges;
use crate::space::{Genotype, Space};

/// Places between which a figure lies.
const KNOTS: usize = 7;

/// Which side of a candidate the figures show, beside decisions, labels, paths, graph and cost.
const SIDE: usize = 5;

/// Where a space's figures stand.
#[derive(Clone, Debug, Default)]
pub(super) struct FigureSlots {
    gauges: Gauges,
    /// First column of the first figure.
    start: usize,
}

impl FigureSlots {
    /// The slots of a space's figures, added to a layout; none where they are not asked for, or nothing is known.
    pub fn of(space: &Space, wanted: bool, layout: &mut Layout) -> FigureSlots {
        let gauges = if wanted { Gauges::of(space) } else { Gauges::default() };
        let start = layout.columns();
        for _ in 0..gauges.len() {
            let slot = layout.add_measured(KNOTS, Measure::Number);
            layout.slots[slot].side = SIDE;
        }
        FigureSlots { gauges, start }
    }

    /// Adds a candidate's figures; nothing for those that are not known.
    pub fn describe(&self, space: &Space, genotype: &Genotype, features: &mut Features) {
        for (figure, place) in self.gauges.places(space, genotype).into_iter().enumerate() {
            let Some(place) = place else { continue };
            let at = place * (KNOTS - 1) as f64;
            let knot = (at as usize).min(KNOTS - 2);
            let upper = (at - knot as f64) as f32;
            let column = (self.start + figure * KNOTS + knot) as u32;
            features.extend([(column, 1.0 - upper), (column + 1, upper)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Encoding, FeatureSet};
    use crate::search::contract::spaces;
    use crate::space::{FreeFigures, Genotype};

    /// A candidate's first digit, and nothing.
    struct Digit([String; 2]);

    impl FreeFigures for Digit {
        fn names(&self) -> &[String] {
            &self.0
        }

        fn figures(&self, genotype: &Genotype) -> Option<Vec<f64>> {
            Some(vec![genotype.to_string()[..1].parse().ok()?, f64::NAN])
        }
    }

    #[test]
    fn figures_stand_beside_decisions_where_they_are_known_and_wanted() {
        let plain = spaces::flat();
        let space = plain.clone().informed(Arc::new(Digit(["first".into(), "none".into()])));
        let encoding = Encoding::of(&space);
        let columns = Encoding::of(&plain).layout().columns();
        assert_eq!(encoding.layout().columns(), columns + 14);
        let described = |genotype: &str| encoding.describe(&space, &genotype.parse().unwrap()).unwrap();
        let place = |genotype: &str| {
            let told = described(genotype).into_iter().filter(|(column, _)| *column as usize >= columns);
            told.map(|(column, weight)| (column as usize - columns) as f32 * weight).sum::<f32>()
        };
        let places = ["0,1,1,1", "1,0,0,0", "2,1,1,1", "3,0,1,2"].map(place);
        assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{places:?}");
        assert_eq!(described("0,1,1,1").len(), 4 + 2, "the second figure is not known");
        let unwanted = Encoding::with(&space, FeatureSet { figures: false, ..FeatureSet::default() });
        assert_eq!(unwanted.layout(), Encoding::of(&plain).layout());
    }
}
