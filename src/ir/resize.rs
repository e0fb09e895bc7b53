//! Where the pixels of a larger map look in the smaller one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a map grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Interpolation {
    /// Each pixel is the one that it lies on: pixel `i` of `to` reads pixel `i * from / to`, rounded down.
    Nearest,
    /// Each pixel is a mean of the nearest two along either axis, measured between the middles of pixels; beyond the
    /// outermost middles it is the outermost pixel (PyTorch's `bilinear` without `align_corners`).
    Bilinear,
}

/// The two pixels that one pixel of a longer axis reads, and the second one's share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Taps {
    /// The one before.
    pub first: usize,
    /// The one behind it, or the same again.
    pub second: usize,
    /// Its share, in [0, 1); the first has the rest.
    pub share: f32,
}

impl Interpolation {
    /// What each of `to` pixels of one axis reads of `from` pixels.
    ///
    /// ```
    /// use cellwright::ir::Interpolation;
    ///
    /// let read: Vec<usize> = Interpolation::Nearest.taps(2, 4).iter().map(|taps| taps.first).collect();
    /// assert_eq!(read, [0, 0, 1, 1]);
    /// let shares: Vec<f32> = Interpolation::Bilinear.taps(2, 4).iter().map(|taps| taps.share).collect();
    /// assert_eq!(shares, [0.0, 0.25, 0.75, 0.0]);
    /// ```
    pub fn taps(self, from: usize, to: usize) -> Vec<Taps> {
        let last = from.saturating_sub(1);
        let tap = |index: usize| match self {
            Interpolation::Nearest => {
                let first = (index * from / to).min(last);
                Taps { first, second: first, share: 0.0 }
            }
            Interpolation::Bilinear => {
                // In whole numbers, so that no rounding decides which pixel is read.
                let doubled = ((2 * index + 1) * from).saturating_sub(to);
                let (first, rest) = (doubled / (2 * to), doubled % (2 * to));
                match first >= last {
                    true => Taps { first: last, second: last, share: 0.0 },
                    false => Taps { first, second: first + 1, share: (rest as f64 / (2 * to) as f64) as f32 },
                }
            }
        };
        (0..to).map(tap).collect()
    }

    /// The same as a matrix `[from, to]`, row-major: a row of pixels times this is the longer row.
    pub fn matrix(self, from: usize, to: usize) -> Vec<f32> {
        let mut matrix = vec![0.0; from * to];
        for (column, taps) in self.taps(from, to).into_iter().enumerate() {
            matrix[taps.first * to + column] += 1.0 - taps.share;
            matrix[taps.second * to + column] += taps.share;
        }
        matrix
    }
}

impl fmt::Display for Interpolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Interpolation::Nearest => "nearest",
            Interpolation::Bilinear => "bilinear",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_sum_to_one_and_growing_by_nothing_is_the_identity() {
        for interpolation in [Interpolation::Nearest, Interpolation::Bilinear] {
            for (from, to) in [(1, 5), (3, 3), (3, 7), (4, 8), (17, 33)] {
                let matrix = interpolation.matrix(from, to);
                for column in 0..to {
                    let sum: f32 = (0..from).map(|row| matrix[row * to + column]).sum();
                    assert!((sum - 1.0).abs() < 1e-6);
                }
                let same = (0..from).all(|row| matrix[row * to + row] == 1.0);
                assert!(from != to || same, "{interpolation} {from}");
            }
        }
    }

    #[test]
    fn bilinear_reads_between_the_middles_as_pytorch_does() {
        // `F.interpolate(torch.tensor([0., 3., 6.])[None, None], size=5, mode="linear")`
        let matrix = Interpolation::Bilinear.matrix(3, 5);
        let read: Vec<f32> =
            (0..5).map(|column| 3.0 * matrix[5 + column] + 6.0 * matrix[10 + column]).collect();
        for (met, wanted) in read.iter().zip([0.0, 1.2, 3.0, 4.8, 6.0]) {
            assert!((met - wanted).abs() < 1e-5, "{read:?}");
        }
    }
}
