//! Scores in order, each put in its place as it comes: how many are less, and which stands where.
//!
//! Kept in short pieces, so that the next score moves few others however many there are.

use super::ranks::quantile;

/// Scores of trials in order, the worst first; of equal scores the later trial's.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    /// None of them empty.
    pieces: Vec<Vec<(f64, u32)>>,
    /// How many stand before each piece.
    before: Vec<usize>,
    len: usize,
}

/// A piece of more than this is halved.
const PIECE: usize = 256;

impl Order {
    /// These scores of trials in order; a failed trial's is minus infinity.
    pub fn of(scores: impl Iterator<Item = (f64, usize)>) -> Order {
        let mut all: Vec<(f64, u32)> = scores.map(|(score, trial)| (score, trial as u32)).collect();
        all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let pieces: Vec<_> = all.chunks(PIECE / 2).map(<[_]>::to_vec).collect();
        let mut order = Order { before: vec![0; pieces.len()], pieces, len: all.len() };
        order.count_from(0);
        order
    }

    /// The piece and the place in it of the first that is not less than the score of a trial; behind the last piece
    /// where all are.
    fn find(&self, score: f64, trial: usize) -> (usize, usize) {
        let less = |other: &(f64, u32)| other.0.total_cmp(&score).then((trial as u32).cmp(&other.1)).is_lt();
        let piece = self.pieces.partition_point(|piece| piece.last().is_some_and(less));
        (piece, self.pieces.get(piece).map_or(0, |entries| entries.partition_point(less)))
    }

    /// Puts the score of one more trial in its place.
    pub fn put(&mut self, score: f64, trial: usize) {
        let new = (score, trial as u32);
        let (mut piece, mut place) = self.find(score, trial);
        if piece > 0 && piece == self.pieces.len() {
            piece -= 1;
            place = self.pieces[piece].len();
        }
        self.len += 1;
        match self.pieces.get_mut(piece) {
            None => {
                self.pieces.push(vec![new]);
                self.before.push(0);
            }
            Some(entries) => {
                entries.insert(place, new);
                if entries.len() > PIECE {
                    let upper = entries.split_off(PIECE / 2);
                    self.pieces.insert(piece + 1, upper);
                    self.before.insert(piece + 1, 0);
                }
                self.count_from(piece);
            }
        }
    }

    /// Takes out the score of a trial, if it is there.
    pub fn remove(&mut self, score: f64, trial: usize) {
        let (piece, place) = self.find(score, trial);
        let Some(entries) = self.pieces.get_mut(piece) else { return };
        if entries.get(place).is_none_or(|(_, other)| *other as usize != trial) {
            return;
        }
        entries.remove(place);
        self.len -= 1;
        if entries.is_empty() {
            self.pieces.remove(piece);
            self.before.remove(piece);
        }
        self.count_from(piece);
    }

    /// How many stand above the score of a trial that is there: greater ones, and equal ones of earlier trials.
    pub fn better(&self, score: f64, trial: usize) -> usize {
        let (piece, place) = self.find(score, trial);
        self.len - self.before.get(piece).map_or(self.len, |before| before + place + 1)
    }

    fn count_from(&mut self, piece: usize) {
        let mut before = match piece.checked_sub(1) {
            Some(last) => self.before[last] + self.pieces[last].len(),
            None => 0,
        };
        for (count, entries) in self.before[piece..].iter_mut().zip(&self.pieces[piece..]) {
            *count = before;
            before += entries.len();
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// How many are less than a score.
    pub fn below(&self, score: f64) -> usize {
        self.count(|other| other < score)
    }

    /// How many are a score or less.
    pub fn upto(&self, score: f64) -> usize {
        self.count(|other| other <= score)
    }

    /// How many there are from the worst on of which something holds, as it does of none behind them.
    fn count(&self, holds: impl Fn(f64) -> bool) -> usize {
        let piece = self.pieces.partition_point(|piece| piece.last().is_some_and(|(score, _)| holds(*score)));
        match self.pieces.get(piece) {
            None => self.len,
            Some(entries) => self.before[piece] + entries.partition_point(|(score, _)| holds(*score)),
        }
    }

    /// The score and the trial at a place, the worst being at 0.
    pub fn at(&self, place: usize) -> Option<(f64, usize)> {
        let piece = self.before.partition_point(|before| *before <= place).checked_sub(1)?;
        let (score, trial) = *self.pieces[piece].get(place - self.before[piece])?;
        Some((score, trial as usize))
    }

    /// All, the best first; of equals the earliest trial first.
    pub fn best_first(&self) -> impl Iterator<Item = (f64, usize)> {
        let entries = self.pieces.iter().rev().flat_map(|piece| piece.iter().rev());
        entries.map(|(score, trial)| (*score, *trial as usize))
    }

    /// The normal score of one of them; equals share the middle of their ranks.
    pub fn normal(&self, score: f64) -> f64 {
        let share = (self.below(score) + self.upto(score)) as f64 / 2.0 / self.len.max(1) as f64;
        if share > 0.0 && share < 1.0 { quantile(share) } else { 0.0 }
    }

    /// The score that stands where a normal score would.
    pub fn score(&self, normal: f64) -> Option<f64> {
        let place = self.count(|other| self.normal(other) < normal);
        Some(self.at(place.min(self.len.checked_sub(1)?))?.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use rand::RngExt;

    #[test]
    fn what_is_put_in_one_by_one_stands_as_if_it_had_been_sorted() {
        let mut rng = Seed(1).stream(0, "test");
        // Many alike, and some without a figure.
        let mut draw = || match rng.random_range(0..20) {
            0 => f64::NEG_INFINITY,
            other => f64::from(other * rng.random_range(0..200)),
        };
        let scores: Vec<f64> = (0..3000).map(|_| draw()).collect();
        let mut grown = Order::default();
        for (trial, score) in scores.iter().enumerate() {
            grown.put(*score, trial);
        }
        let mut sorted: Vec<(f64, usize)> = scores.iter().copied().zip(0..).collect();
        sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
        let whole = Order::of(scores.iter().copied().zip(0..));
        for order in [&grown, &whole] {
            assert_eq!(order.best_first().collect::<Vec<_>>(), sorted);
            assert_eq!((order.len(), order.at(3000)), (3000, None));
            for place in (0..3000).step_by(7) {
                assert_eq!(order.at(place), Some(sorted[2999 - place]));
                let score = sorted[place].0;
                let count = |holds: &dyn Fn(f64) -> bool| scores.iter().filter(|it| holds(**it)).count();
                assert_eq!(order.below(score), count(&|other| other < score));
                assert_eq!(order.upto(score), count(&|other| other <= score));
                assert_eq!(order.better(score, sorted[place].1), place);
            }
        }
        for taken in sorted.iter().skip(1).step_by(2).chain(&sorted[1..4]) {
            grown.remove(taken.0, taken.1);
        }
        let left: Vec<(f64, usize)> =
            sorted.iter().copied().step_by(2).filter(|it| *it != sorted[2]).collect();
        assert_eq!(grown.best_first().collect::<Vec<_>>(), left);
        assert_eq!((grown.len(), grown.at(0)), (left.len(), left.last().copied()));
        left.iter().for_each(|(score, trial)| grown.remove(*score, *trial));
        assert_eq!((grown.len(), grown.at(0), grown.best_first().next()), (0, None, None));
        assert_eq!(Order::default().at(0), None);
    }

    #[test]
    fn normal_scores_know_neither_units_nor_how_bad_the_worst_is() {
        let order = Order::of([0.3, f64::NEG_INFINITY, 0.9, 0.3].into_iter().zip(0..));
        assert_eq!(order.normal(0.3), 0.0);
        assert_eq!(order.normal(0.9), -order.normal(f64::NEG_INFINITY));
        assert_eq!((order.score(2.0), order.score(0.0)), (Some(0.9), Some(0.3)));
        assert_eq!(Order::default().score(0.0), None);
    }
}
