//! An ensemble that reads rows of tokens and says what each is worth, within (0, 1).

use std::f64::consts::PI;

use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;
use rand::seq::SliceRandom;

use super::{Learner, Sizes, perceptron, recurrent, tensor, values};
use crate::random::Rng;

/// A row: at each step or place the tokens that are read at once, each with its weight.
pub(crate) type Sequence = Vec<Vec<(u32, f32)>>;

/// How an ensemble learns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    /// What learns.
    pub kind: Kind,
    /// Width of an embedding.
    pub embedding: usize,
    /// Width of the state, or of hidden layers.
    pub units: usize,
    /// Adam's learning rate at the start; it falls to nothing along half a cosine.
    pub rate: f64,
    /// Passes over a network's examples, at least.
    pub epochs: usize,
    /// Steps of Adam, at least.
    pub updates: usize,
    /// Examples a step.
    pub batch: usize,
}

/// Which networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Long short-term memories: a row is read step by step, and may be of any length.
    Recurrent,
    /// Perceptrons: a row is seen at once.
    Perceptron {
        /// The places of every row.
        places: usize,
    },
}

/// An ensemble that has learnt.
#[derive(Clone, Debug)]
pub(crate) struct Regression {
    tokens: usize,
    network: Network,
}

/// Networks to predict with.
#[derive(Clone, Debug)]
enum Network {
    Recurrent(Box<recurrent::Weights>),
    Perceptron(Box<perceptron::Weights>, usize),
}

/// Rows are predicted so many at a time, the last of them padded: a product of another shape might be summed in another
/// order, and a row would be worth something else alone than among others.
const ROWS: usize = 64;

impl Regression {
    /// Learns, with an L1 loss, from rows with their targets; each network from those of its fold, which are of about
    /// equal size and not empty. Tokens are below `tokens`.
    pub fn fit(
        course: Course,
        tokens: usize,
        examples: &[(Sequence, f32)],
        mut folds: Vec<Vec<usize>>,
        rng: &mut Rng,
    ) -> Regression {
        let tokens = tokens.max(1);
        let Course { kind, embedding, units, .. } = course;
        let mean = examples.iter().map(|(_, target)| target).sum::<f32>() / examples.len().max(1) as f32;
        let mean = mean.clamp(0.02, 0.98);
        let sizes = Sizes { members: folds.len(), tokens, embedding, units, outputs: 1 };
        let mut learner = Learner::new(kind.fresh(sizes, (mean / (1.0 - mean)).ln(), rng));
        let shortest = folds.iter().map(Vec::len).min().unwrap_or(0);
        let batch = course.batch.max(1);
        let pass = shortest.div_ceil(batch);
        let updates = if pass > 0 { course.updates.max(course.epochs * pass) } else { 0 };
        for update in 0..updates {
            if update % pass == 0 {
                folds.iter_mut().for_each(|fold| fold.shuffle(rng));
            }
            let start = update % pass * batch;
            let end = (start + batch).min(shortest);
            let rows: Vec<_> =
                folds.iter().flat_map(|fold| &fold[start..end]).map(|index| &examples[*index]).collect();
            let sequences: Vec<&Sequence> = rows.iter().map(|(sequence, _)| sequence).collect();
            let targets = rows.iter().map(|(_, target)| *target).collect();
            let targets = tensor(targets, [folds.len(), end - start, 1]);
            let rate = course.rate * 0.5 * (1.0 + (PI * update as f64 / updates as f64).cos());
            learner.step(rate, |parts| {
                let predicted = kind.network(parts).predicted(tokens, &sequences, folds.len());
                (predicted - targets).abs().sum().div_scalar((end - start) as f64)
            });
        }
        Regression { tokens, network: kind.network(&learner.parts()) }
    }

    /// Each network's opinion of each row.
    pub fn predict(&self, sequences: &[&Sequence]) -> Vec<Vec<f32>> {
        let blank = Sequence::new();
        let mut opinions = Vec::with_capacity(sequences.len());
        for rows in sequences.chunks(ROWS) {
            let mut padded = rows.to_vec();
            padded.resize(ROWS, &blank);
            let by_member = values(self.network.predicted(self.tokens, &padded, 1));
            let of = |row: usize| by_member.iter().skip(row).step_by(ROWS).copied().collect();
            opinions.extend((0..rows.len()).map(of));
        }
        opinions
    }
}

impl Kind {
    /// Parts of networks that have learnt nothing but what the targets are on the mean.
    fn fresh(self, sizes: Sizes, start: f32, rng: &mut Rng) -> Vec<Tensor<3>> {
        match self {
            Kind::Recurrent => recurrent::fresh(sizes, start, rng),
            Kind::Perceptron { places } => perceptron::fresh(sizes, places.max(1), start, rng),
        }
    }

    fn network(self, parts: &[Tensor<3>]) -> Network {
        match self {
            Kind::Recurrent => Network::Recurrent(Box::new(recurrent::Weights::of(parts))),
            Kind::Perceptron { places } => {
                Network::Perceptron(Box::new(perceptron::Weights::of(parts)), places.max(1))
            }
        }
    }
}

impl Network {
    /// What each network makes of its rows, `[M, B, 1]`. `sequences` are those of `readers` networks one after the other:
    /// of all, or of one that stands for all.
    fn predicted(&self, tokens: usize, sequences: &[&Sequence], readers: usize) -> Tensor<3> {
        sigmoid(match self {
            Network::Recurrent(weights) => after_the_last(weights, tokens, sequences, readers),
            Network::Perceptron(weights, places) => {
                weights.outputs(at_places(tokens, sequences, readers, *places))
            }
        })
    }
}

/// How much of every token stands at each place, `[readers, B * places, V]`.
fn at_places(tokens: usize, sequences: &[&Sequence], readers: usize, places: usize) -> Tensor<3> {
    let mut input = vec![0.0; sequences.len() * places * tokens];
    for (row, sequence) in input.chunks_mut(places * tokens).zip(sequences) {
        for (place, read) in row.chunks_mut(tokens).zip(sequence.iter()) {
            read.iter().for_each(|(token, weight)| place[*token as usize] += weight);
        }
    }
    tensor(input, [readers, sequences.len() / readers * places, tokens])
}

/// What recurrent networks say of their rows after the last step of each.
fn after_the_last(
    weights: &recurrent::Weights,
    tokens: usize,
    sequences: &[&Sequence],
    readers: usize,
) -> Tensor<3> {
    let rows = sequences.len() / readers;
    let longest = sequences.iter().map(|sequence| sequence.len()).max().unwrap_or(0);
    let mut state = weights.rest(rows);
    let mut last = state.hidden.clone();
    for step in 0..longest {
        let mut input = vec![0.0; sequences.len() * tokens];
        for (row, sequence) in input.chunks_mut(tokens).zip(sequences) {
            let read = sequence.get(step).into_iter().flatten();
            read.for_each(|(token, weight)| row[*token as usize] += weight);
        }
        state = weights.step(tensor(input, [readers, rows, tokens]), state);
        // Shorter rows have ended before, and what is read beyond their end counts nothing.
        let ends = |sequence: &&Sequence| f32::from(u8::from(sequence.len() == step + 1));
        let ends: Vec<f32> = sequences.iter().map(ends).collect();
        if ends.iter().all(|ends| *ends == 1.0) {
            last = state.hidden.clone();
        } else if ends.contains(&1.0) {
            last = last + state.hidden.clone() * tensor(ends, [readers, rows, 1]);
        }
    }
    weights.outputs(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use rand::RngExt;

    /// Rows of one to four of three tokens, worth the more the later the first token comes: order counts.
    fn rows(count: u64) -> Vec<(Sequence, f32)> {
        let row = |number: u64| {
            let mut rng = Seed(4).stream(number, "rows");
            let tokens: Vec<u32> = (0..rng.random_range(1..5)).map(|_| rng.random_range(0..3)).collect();
            let first = tokens.iter().position(|token| *token == 0).unwrap_or(4);
            (tokens.iter().map(|token| vec![(*token, 1.0)]).collect(), 0.3 + 0.1 * first as f32)
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn the_order_of_tokens_is_learnt_and_rows_do_not_disturb_each_other() {
        let known = rows(60);
        for kind in [Kind::Recurrent, Kind::Perceptron { places: 4 }] {
            let course =
                Course { kind, embedding: 8, units: 12, rate: 0.02, epochs: 60, updates: 0, batch: 16 };
            let folds = vec![(0..60).collect(), (0..50).collect()];
            let learnt = Regression::fit(course, 3, &known, folds, &mut Seed(1).stream(0, "test"));
            let unknown = rows(150);
            let sequences: Vec<&Sequence> = unknown.iter().map(|(sequence, _)| sequence).collect();
            let together = learnt.predict(&sequences);
            let mean = |opinions: &Vec<f32>| opinions.iter().sum::<f32>() / opinions.len() as f32;
            let off = together.iter().zip(&unknown);
            let off: f32 = off.map(|(opinions, (_, target))| (mean(opinions) - target).abs()).sum();
            assert!(off / 150.0 < 0.03, "{kind:?}: off by {}", off / 150.0);
            for (sequence, opinions) in sequences.iter().zip(&together) {
                assert_eq!(&learnt.predict(&[*sequence])[0], opinions);
            }
        }
    }

    #[test]
    fn few_examples_are_gone_through_more_often() {
        let known = rows(6);
        let kind = Kind::Perceptron { places: 4 };
        let off = |updates: usize| {
            let course = Course { kind, embedding: 8, units: 12, rate: 0.02, epochs: 1, updates, batch: 16 };
            let learnt =
                Regression::fit(course, 3, &known, vec![(0..6).collect()], &mut Seed(1).stream(0, "test"));
            let opinion = |sequence: &Sequence| learnt.predict(&[sequence])[0][0];
            known.iter().map(|(sequence, target)| (opinion(sequence) - target).abs()).sum::<f32>() / 6.0
        };
        assert!(off(100) < 0.25 * off(0), "{} after 100 updates, {} after one", off(100), off(0));
    }
}
