//! A network that says what may come next in a row of tokens, and learns from what its rows were worth.

use super::recurrent::{State, Weights, fresh};
use super::{Learner, Sizes, tensor, values};
use crate::random::Rng;

/// A network over tokens that it reads and says alike.
pub(crate) struct Speaker {
    tokens: usize,
    learner: Learner,
    weights: Weights,
}

impl Speaker {
    /// A network that has learnt nothing; `units` is the width of its state and of an embedding.
    pub fn new(tokens: usize, units: usize, rng: &mut Rng) -> Speaker {
        let sizes = Sizes { members: 1, tokens, embedding: units, units, outputs: tokens };
        let learner = Learner::new(fresh(sizes, 0.0, rng));
        Speaker { tokens, weights: Weights::of(&learner.parts()), learner }
    }

    /// A reader at the beginning of a row.
    pub fn reader(&self) -> Reader<'_> {
        Reader { speaker: self, state: self.weights.rest(1) }
    }

    /// One step of Adam uphill. Of every row what is read at each step, nothing at the first. `slopes` is given the logits
    /// of all tokens, by row and step, and gives the derivatives by them of what is to grow.
    pub fn climb(
        &mut self,
        rate: f64,
        rows: &[Vec<Option<usize>>],
        slopes: impl FnOnce(Vec<Vec<Vec<f32>>>) -> Vec<Vec<Vec<f32>>>,
    ) {
        let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
        if longest == 0 {
            return;
        }
        let (count, tokens) = (rows.len(), self.tokens);
        self.learner.step(rate, |parts| {
            let weights = Weights::of(parts);
            let mut state = weights.rest(count);
            let mut hidden = Vec::with_capacity(longest);
            for step in 0..longest {
                let mut input = vec![0.0; count * tokens];
                for (row, read) in rows.iter().enumerate() {
                    read.get(step)
                        .copied()
                        .flatten()
                        .into_iter()
                        .for_each(|at| input[row * tokens + at] = 1.0);
                }
                state = weights.step(tensor(input, [1, count, tokens]), state);
                hidden.push(state.hidden.clone());
            }
            let logits = weights.outputs(burn::tensor::Tensor::cat(hidden, 1)); // [1, steps * rows, tokens]
            let all = values(logits.clone().inner());
            let of = |row: usize, step: usize| all[(step * count + row) * tokens..][..tokens].to_vec();
            let told = rows.iter().enumerate();
            let told = told.map(|(row, read)| (0..read.len()).map(|step| of(row, step)).collect()).collect();
            let mut wanted = vec![0.0; longest * count * tokens];
            for (row, slopes) in slopes(told).iter().enumerate() {
                for (step, slopes) in slopes.iter().enumerate() {
                    wanted[(step * count + row) * tokens..][..tokens].copy_from_slice(slopes);
                }
            }
            (logits * tensor(wanted, [1, longest * count, tokens])).sum().neg()
        });
        self.weights = Weights::of(&self.learner.parts());
    }
}

/// A row being read.
pub(crate) struct Reader<'a> {
    speaker: &'a Speaker,
    state: State,
}

impl Reader<'_> {
    /// Reads a token, or nothing at a row's beginning; the logits of all that may come next.
    pub fn read(&mut self, token: Option<usize>) -> Vec<f32> {
        let Speaker { tokens, weights, .. } = self.speaker;
        let mut input = vec![0.0; *tokens];
        token.into_iter().for_each(|token| input[token] = 1.0);
        self.state = weights.step(tensor(input, [1, 1, *tokens]), self.state.clone());
        values(weights.outputs(self.state.hidden.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn what_is_wanted_after_each_token_is_learnt() {
        let mut speaker = Speaker::new(4, 8, &mut Seed(1).stream(0, "test"));
        // First 0 or 1, then 2 after 0 and 3 after 1: the second choice hangs on the first.
        let rows = [vec![None, Some(0)], vec![None, Some(1)], vec![None]];
        for _ in 0..120 {
            speaker.climb(0.02, &rows, |logits| {
                assert_eq!(logits.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
                let towards = |logits: &[f32], wanted: usize| -> Vec<f32> {
                    let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
                    let slope =
                        |(at, logit): (usize, &f32)| f32::from(u8::from(at == wanted)) - logit.exp() / sum;
                    logits.iter().enumerate().map(slope).collect()
                };
                let second = |row: usize| towards(&logits[row][1], row + 2);
                vec![
                    vec![towards(&logits[0][0], 0), second(0)],
                    vec![towards(&logits[1][0], 1), second(1)],
                    vec![vec![0.0; 4]],
                ]
            });
        }
        for (first, then) in [(0, 2), (1, 3)] {
            let mut reader = speaker.reader();
            let start = reader.read(None);
            assert!((start[0] - start[1]).abs() < 0.5 && start[0] > start[2] + 1.0, "{start:?}");
            let next = reader.read(Some(first));
            let best = (0..4).max_by(|a, b| next[*a].total_cmp(&next[*b]));
            assert_eq!(best, Some(then), "{next:?}");
        }
    }
}
