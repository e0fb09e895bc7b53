//! Ensembles of networks that are Burn's ([`crate::nn`]): how a candidate becomes tokens, and what all of them share.

use rayon::prelude::*;

use super::networks::{Form, folds};
use super::{Features, Layout, Prediction, Surrogate};
use crate::nn::{Course, Kind, Regression, Sequence};
use crate::random::Seed;

/// How networks take a candidate in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Slot by slot; those that say nothing are passed over.
    InOrder,
    /// All slots together, each at its place.
    AtOnce,
}

/// The networks of an ensemble, and what they have learnt.
pub(super) struct Ensemble {
    form: Form,
    reading: Reading,
    reader: Reader,
    learnt: Option<Regression>,
}

impl Ensemble {
    /// An ensemble that has learnt nothing.
    pub fn new(form: Form, reading: Reading) -> Ensemble {
        Ensemble { form, reading, reader: Reader::default(), learnt: None }
    }

    fn course(&self) -> Course {
        let Form { embedding, hidden, learning_rate, epochs, updates, batch, .. } = self.form;
        let kind = match self.reading {
            Reading::InOrder => Kind::Recurrent,
            Reading::AtOnce => Kind::Perceptron { places: self.reader.slots },
        };
        let (embedding, units) = (embedding.max(1), hidden.max(1));
        Course { kind, embedding, units, rate: learning_rate, epochs, updates, batch }
    }

    fn read(&self, features: &Features) -> Sequence {
        match self.reading {
            Reading::InOrder => self.reader.in_order(features),
            Reading::AtOnce => self.reader.at_once(features),
        }
    }

    fn predict_together(&self, candidates: &[Features]) -> Vec<Prediction> {
        let Some(learnt) = &self.learnt else { return vec![Prediction::UNKNOWN; candidates.len()] };
        let sequences: Vec<Sequence> = candidates.iter().map(|features| self.read(features)).collect();
        let opinions = learnt.predict(&sequences.iter().collect::<Vec<_>>());
        opinions.iter().map(|all| Prediction::of(all.iter().copied().map(f64::from))).collect()
    }
}

impl Surrogate for Ensemble {
    fn fit(&mut self, layout: &Layout, examples: &[(Features, f64)], seed: Seed) {
        self.reader = Reader::of(layout);
        let folds = folds(self.form.members, examples.len(), seed);
        let read = |(features, target): &(Features, f64)| (self.read(features), *target as f32);
        let examples: Vec<(Sequence, f32)> = examples.iter().map(read).collect();
        let mut rng = seed.stream(0, "surrogate networks");
        let known = !folds.is_empty();
        let fit = || Regression::fit(self.course(), self.reader.tokens, &examples, folds, &mut rng);
        self.learnt = known.then(fit);
    }

    fn predict(&self, features: &Features) -> Prediction {
        self.predict_together(std::slice::from_ref(features))[0]
    }

    fn predict_all(&self, candidates: &[Features]) -> Vec<Prediction> {
        candidates.par_chunks(TOGETHER).flat_map_iter(|some| self.predict_together(some)).collect()
    }
}

/// Candidates that one thread predicts at once.
const TOGETHER: usize = 256;

/// How features become a row of tokens.
#[derive(Default)]
struct Reader {
    /// The slot of every column, and its row in the table of all kinds.
    columns: Vec<(u32, u32)>,
    /// Rows of that table.
    tokens: usize,
    slots: usize,
}

impl Reader {
    fn of(layout: &Layout) -> Reader {
        let before = |kind: usize| layout.kinds[..kind].iter().sum::<usize>();
        let places: Vec<usize> = layout.slots.iter().map(|slot| before(slot.kind)).collect();
        let columns = layout.slots.iter().zip(places).enumerate().flat_map(|(number, (slot, place))| {
            (0..slot.width).map(move |token| (number as u32, (place + token) as u32))
        });
        let (tokens, slots) = (layout.kinds.iter().sum(), layout.slots.len());
        Reader { columns: columns.collect(), tokens, slots }
    }

    /// Every token with its slot.
    fn placed(&self, features: &Features) -> impl Iterator<Item = (u32, (u32, f32))> {
        features.iter().map(|(column, weight)| {
            let (slot, token) = self.columns[*column as usize];
            (slot, (token, *weight))
        })
    }

    /// One step for each slot that says something, in order.
    fn in_order(&self, features: &Features) -> Sequence {
        let mut placed: Vec<(u32, (u32, f32))> = self.placed(features).collect();
        placed.sort_by_key(|(slot, _)| *slot);
        placed
            .chunk_by(|a, b| a.0 == b.0)
            .map(|slot| slot.iter().map(|(_, token)| *token).collect())
            .collect()
    }

    /// One place for each slot.
    fn at_once(&self, features: &Features) -> Sequence {
        let mut places = vec![Vec::new(); self.slots];
        self.placed(features).for_each(|(slot, token)| places[slot as usize].push(token));
        places
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Configure, EmbeddedMlp, FeatureSet, Lstm};
    use super::*;
    use crate::search::contract::spaces;

    #[test]
    fn slots_are_read_in_order_and_alike_ones_from_one_table() {
        let mut layout = Layout::default();
        layout.add(2);
        layout.add(3);
        layout.add_shared(4, 0);
        let reader = Reader::of(&layout);
        // The first kind has grown to four rows, the second has three more.
        assert_eq!((reader.tokens, reader.slots), (7, 3));
        let candidate = vec![(6, 0.5), (8, 0.5), (1, 1.0)];
        assert_eq!(reader.in_order(&candidate), [vec![(1, 1.0)], vec![(1, 0.5), (3, 0.5)]]);
        assert_eq!(reader.at_once(&candidate), [vec![(1, 1.0)], vec![], vec![(1, 0.5), (3, 0.5)]]);
        assert_eq!(reader.in_order(&vec![(4, 1.0)]), [[(6, 1.0)]]);
    }

    #[test]
    fn the_blocks_of_a_cell_are_read_one_after_the_other_or_as_their_mean() {
        let space = spaces::cell();
        let encoding = Lstm::default().encoding(&space, FeatureSet::default());
        let reader = Reader::of(encoding.layout());
        let describe = |encoding: &super::super::Encoding, genotype: &str| {
            encoding.describe(&space, &genotype.parse().unwrap()).unwrap()
        };
        let tokens = |row: Sequence| row.into_iter().map(|step| step[0].0).collect::<Vec<_>>();
        // Four inputs come first, then three ops: left input, left op, right input, right op, and last the rate.
        let two = reader.in_order(&describe(&encoding, "1(0,1,0,2,2,1,0,2),1.0"));
        assert_eq!(tokens(two)[..8], [0, 5, 0, 6, 2, 5, 0, 6]);
        assert_eq!(reader.in_order(&describe(&encoding, "0(0,1,0,2),1.0")).len(), 5);

        let encoding = EmbeddedMlp::default().encoding(&space, FeatureSet::default());
        let row = Reader::of(encoding.layout()).at_once(&describe(&encoding, "1(0,1,0,2,2,1,0,2),1.0"));
        // Left input 0 in one block and 2 in the other; left op 1 in both.
        assert_eq!(row[..2], [vec![(0, 0.5), (2, 0.5)], vec![(5, 0.5), (5, 0.5)]]);
        assert_eq!(row.len(), 5);
    }
}
