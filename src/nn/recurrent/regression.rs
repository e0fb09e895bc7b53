//! An ensemble that reads rows of tokens and says what each is worth, within (0, 1).

use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;
use rand::seq::SliceRandom;

use super::{Learner, Sizes, Weights, tensor, values};
use crate::random::Rng;

/// A row: at each step the tokens that are read at once, each with its weight.
pub(crate) type Sequence = Vec<Vec<(u32, f32)>>;

/// How an ensemble learns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    /// Width of an embedding.
    pub embedding: usize,
    /// Width of the state.
    pub units: usize,
    /// Adam's learning rate.
    pub rate: f64,
    /// Passes over a network's examples.
    pub epochs: usize,
    /// Examples a step.
    pub batch: usize,
}

/// An ensemble that has learnt.
#[derive(Clone, Debug)]
pub(crate) struct Regression {
    tokens: usize,
    weights: Weights,
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
        let Course { embedding, units, .. } = course;
        let mean = examples.iter().map(|(_, target)| target).sum::<f32>() / examples.len().max(1) as f32;
        let mean = mean.clamp(0.02, 0.98);
        let sizes = Sizes { members: folds.len(), tokens, embedding, units, outputs: 1 };
        let mut learner = Learner::new(sizes, (mean / (1.0 - mean)).ln(), rng);
        let shortest = folds.iter().map(Vec::len).min().unwrap_or(0);
        for _ in 0..course.epochs {
            folds.iter_mut().for_each(|fold| fold.shuffle(rng));
            for start in (0..shortest).step_by(course.batch.max(1)) {
                let end = (start + course.batch.max(1)).min(shortest);
                let rows: Vec<_> =
                    folds.iter().flat_map(|fold| &fold[start..end]).map(|index| &examples[*index]).collect();
                let sequences: Vec<&Sequence> = rows.iter().map(|(sequence, _)| sequence).collect();
                let targets = rows.iter().map(|(_, target)| *target).collect();
                let targets = tensor(targets, [folds.len(), end - start, 1]);
                learner.step(course.rate, |weights| {
                    let predicted = predicted(weights, tokens, &sequences, folds.len());
                    (predicted - targets).abs().sum().div_scalar((end - start) as f64)
                });
            }
        }
        Regression { tokens, weights: learner.weights() }
    }

    /// Each network's opinion of each row.
    pub fn predict(&self, sequences: &[&Sequence]) -> Vec<Vec<f32>> {
        let blank = Sequence::new();
        let mut opinions = Vec::with_capacity(sequences.len());
        for rows in sequences.chunks(ROWS) {
            let mut padded = rows.to_vec();
            padded.resize(ROWS, &blank);
            let by_member = values(predicted(&self.weights, self.tokens, &padded, 1));
            let of = |row: usize| by_member.iter().skip(row).step_by(ROWS).copied().collect();
            opinions.extend((0..rows.len()).map(of));
        }
        opinions
    }
}

/// What each network makes of its rows after their last step, `[M, B, 1]`. `sequences` are those of `readers` networks one
/// after the other: of all, or of one that stands for all.
fn predicted(weights: &Weights, tokens: usize, sequences: &[&Sequence], readers: usize) -> Tensor<3> {
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
    sigmoid(weights.outputs(last))
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
        let course = Course { embedding: 8, units: 12, rate: 0.02, epochs: 60, batch: 16 };
        let folds = vec![(0..60).collect(), (0..50).collect()];
        let learnt = Regression::fit(course, 3, &known, folds, &mut Seed(1).stream(0, "test"));
        let unknown = rows(150);
        let sequences: Vec<&Sequence> = unknown.iter().map(|(sequence, _)| sequence).collect();
        let together = learnt.predict(&sequences);
        let mean = |opinions: &Vec<f32>| opinions.iter().sum::<f32>() / opinions.len() as f32;
        let off: f32 = together
            .iter()
            .zip(&unknown)
            .map(|(opinions, (_, target))| (mean(opinions) - target).abs())
            .sum();
        assert!(off / 150.0 < 0.03, "off by {}", off / 150.0);
        for (sequence, opinions) in sequences.iter().zip(&together) {
            assert_eq!(&learnt.predict(&[*sequence])[0], opinions);
        }
    }
}
