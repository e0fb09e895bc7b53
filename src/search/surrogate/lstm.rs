//! The other predictor of Progressive NAS: an ensemble of recurrent networks that read a cell token by token.
//!
//! Liu et al. 2018, <https://arxiv.org/abs/1712.00559>, section 4.3: inputs and ops are embedded by two tables that all
//! blocks share, a long short-term memory reads them in order, and of its last state a sigmoid makes the prediction; L1
//! loss, Adam, embeddings and state of 100, the last bias at the mean target, five networks, each on another four fifths.
//! Here any slot that says something is a step, whatever its kind: several tokens of one slot are read at once.
//!
//! The networks are Burn's ([`crate::nn`]); what they share with the others is the layout of tokens and its tables.

use rand::seq::SliceRandom;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::mlp::fold;
use super::{Configure, Encoding, FeatureSet, Features, Layout, Prediction, Surrogate};
use crate::nn::{Course, Regression, Sequence};
use crate::random::Seed;
use crate::space::Space;

/// An ensemble of long short-term memories; PNAS's figures are the defaults where it tells them: it does not tell how long
/// they learn, and its rate falls from 0.01 to 0.002 after the first cells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lstm {
    /// How many networks; each learns from all but one `members`-th of the examples.
    pub members: usize,
    /// Width of an embedding.
    pub embedding: usize,
    /// Width of the state.
    pub hidden: usize,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// Passes over the examples.
    pub epochs: usize,
    /// Examples a step.
    pub batch: usize,
}

impl Default for Lstm {
    fn default() -> Lstm {
        Lstm { members: 5, embedding: 100, hidden: 100, learning_rate: 0.005, epochs: 20, batch: 32 }
    }
}

impl Configure for Lstm {
    fn start(&self) -> Box<dyn Surrogate> {
        Box::new(Ensemble { config: self.clone(), reader: Reader::default(), learnt: None })
    }

    /// Every block's decisions by themselves: what is averaged has no order.
    fn encoding(&self, space: &Space, set: FeatureSet) -> Encoding {
        Encoding::in_order(space, set)
    }
}

/// The networks of an [`Lstm`].
struct Ensemble {
    config: Lstm,
    reader: Reader,
    learnt: Option<Regression>,
}

impl Surrogate for Ensemble {
    fn fit(&mut self, layout: &Layout, examples: &[(Features, f64)], seed: Seed) {
        self.reader = Reader::of(layout);
        let Lstm { members, embedding, hidden, learning_rate, epochs, batch } = self.config;
        let course =
            Course { embedding: embedding.max(1), units: hidden.max(1), rate: learning_rate, epochs, batch };
        let mut order: Vec<usize> = (0..examples.len()).collect();
        order.shuffle(&mut seed.stream(0, "surrogate folds"));
        let folds: Vec<Vec<usize>> =
            (0..members).map(|member| fold(member, members, &order).collect()).collect();
        let read = |(features, target): &(Features, f64)| (self.reader.read(features), *target as f32);
        let examples: Vec<(Sequence, f32)> = examples.iter().map(read).collect();
        let known = !examples.is_empty() && members > 0;
        let mut rng = seed.stream(0, "surrogate networks");
        let fit = || Regression::fit(course, self.reader.tokens, &examples, folds, &mut rng);
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

impl Ensemble {
    fn predict_together(&self, candidates: &[Features]) -> Vec<Prediction> {
        let Some(learnt) = &self.learnt else { return vec![Prediction::UNKNOWN; candidates.len()] };
        let sequences: Vec<Sequence> = candidates.iter().map(|features| self.reader.read(features)).collect();
        let opinions = learnt.predict(&sequences.iter().collect::<Vec<_>>());
        opinions.iter().map(|all| Prediction::of(all.iter().copied().map(f64::from))).collect()
    }
}

/// How features become a row of tokens.
#[derive(Default)]
struct Reader {
    /// The slot of every column, and its row in the table of all kinds.
    columns: Vec<(u32, u32)>,
    /// Rows of that table.
    tokens: usize,
}

impl Reader {
    fn of(layout: &Layout) -> Reader {
        let before = |kind: usize| layout.kinds[..kind].iter().sum::<usize>();
        let places: Vec<usize> = layout.slots.iter().map(|slot| before(slot.kind)).collect();
        let columns = layout.slots.iter().zip(places).enumerate().flat_map(|(number, (slot, place))| {
            (0..slot.width).map(move |token| (number as u32, (place + token) as u32))
        });
        Reader { columns: columns.collect(), tokens: layout.kinds.iter().sum() }
    }

    /// One step for each slot that says something, in order.
    fn read(&self, features: &Features) -> Sequence {
        let place = |(column, weight): &(u32, f32)| {
            let (slot, token) = self.columns[*column as usize];
            (slot, (token, *weight))
        };
        let mut placed: Vec<(u32, (u32, f32))> = features.iter().map(place).collect();
        placed.sort_by_key(|(slot, _)| *slot);
        placed
            .chunk_by(|a, b| a.0 == b.0)
            .map(|slot| slot.iter().map(|(_, token)| *token).collect())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_read_in_order_and_alike_ones_from_one_table() {
        let mut layout = Layout::default();
        layout.add(2);
        layout.add(3);
        layout.add_shared(4, 0);
        let reader = Reader::of(&layout);
        // The first kind has grown to four rows, the second has three more.
        assert_eq!(reader.tokens, 7);
        let read = reader.read(&vec![(6, 0.5), (8, 0.5), (1, 1.0)]);
        assert_eq!(read, [vec![(1, 1.0)], vec![(1, 0.5), (3, 0.5)]]);
        assert_eq!(reader.read(&vec![(4, 1.0)]), [[(6, 1.0)]]);
    }

    #[test]
    fn the_blocks_of_a_cell_are_read_one_after_the_other() {
        let space = crate::search::contract::spaces::cell();
        let encoding = Lstm::default().encoding(&space, FeatureSet::default());
        let reader = Reader::of(encoding.layout());
        let read =
            |genotype: &str| reader.read(&encoding.describe(&space, &genotype.parse().unwrap()).unwrap());
        let tokens = |row: Sequence| row.into_iter().map(|step| step[0].0).collect::<Vec<_>>();
        // Four inputs come first, then three ops: left input, left op, right input, right op, and last the rate.
        assert_eq!(tokens(read("1(0,1,0,2,2,1,0,2),1.0"))[..8], [0, 5, 0, 6, 2, 5, 0, 6]);
        assert_eq!(read("0(0,1,0,2),1.0").len(), 5);
    }
}
