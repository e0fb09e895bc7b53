//! Maps made larger: each pixel a mean of at most four of the smaller map.

use std::sync::Arc;

use rayon::prelude::*;

use super::operation::{Gradient, Operation};
use super::reuse::taken;
use super::scratch::{Scratch, with_scratch};
use crate::ir::Taps;

/// Planes that a thread takes at once.
const TOGETHER: usize = 8;

/// Larger maps, axis by axis.
#[derive(Clone, Debug)]
pub(crate) struct Resample {
    pub(crate) batch: usize,
    pub(crate) channels: usize,
    /// Rows and columns of the smaller map.
    pub(crate) size: [usize; 2],
    /// What each row and each column of the larger map reads.
    pub(crate) taps: [Arc<Vec<Taps>>; 2],
}

impl Resample {
    /// Pixels of the smaller and of the larger map.
    fn areas(&self) -> [usize; 2] {
        [self.size[0] * self.size[1], self.taps[0].len() * self.taps[1].len()]
    }

    fn enlarge(&self, from: &[f32], to: &mut [f32]) {
        let [rows, columns] = &self.taps;
        let width = self.size[1];
        with_scratch(Scratch::First, width, |line| {
            for (taps, to) in rows.iter().zip(to.chunks_exact_mut(columns.len())) {
                let (first, second) =
                    (&from[taps.first * width..][..width], &from[taps.second * width..][..width]);
                mix(line, first, second, taps.share);
                for (to, taps) in to.iter_mut().zip(columns.iter()) {
                    *to = line[taps.first] + taps.share * (line[taps.second] - line[taps.first]);
                }
            }
        });
    }

    fn gather(&self, gradient: &[f32], out: &mut [f32]) {
        let [rows, columns] = &self.taps;
        let width = self.size[1];
        out.fill(0.0);
        with_scratch(Scratch::First, width, |line| {
            for (taps, gradient) in rows.iter().zip(gradient.chunks_exact(columns.len())) {
                line.fill(0.0);
                for (gradient, taps) in gradient.iter().zip(columns.iter()) {
                    line[taps.first] += (1.0 - taps.share) * gradient;
                    line[taps.second] += taps.share * gradient;
                }
                for (row, share) in [(taps.first, 1.0 - taps.share), (taps.second, taps.share)] {
                    if share != 0.0 {
                        let sums = out[row * width..][..width].iter_mut().zip(line.iter());
                        sums.for_each(|(sum, value)| *sum += share * value);
                    }
                }
            }
        });
    }
}

/// `line` between two others. Where the second has no share, what is no number in it does not count.
fn mix(line: &mut [f32], first: &[f32], second: &[f32], share: f32) {
    if share == 0.0 {
        return line.copy_from_slice(first);
    }
    let pairs = first.iter().zip(second);
    line.iter_mut().zip(pairs).for_each(|(line, (first, second))| *line = first + share * (second - first));
}

impl Operation<1> for Resample {
    type Kept = ();

    fn shape(&self) -> Vec<usize> {
        vec![self.batch, self.channels, self.taps[0].len(), self.taps[1].len()]
    }

    fn forward(&self, [x]: [&[f32]; 1]) -> (Vec<f32>, ()) {
        let [small, large] = self.areas();
        let mut out = taken(self.batch * self.channels * large);
        let planes = out.par_chunks_exact_mut(large).with_min_len(TOGETHER).zip(x.par_chunks_exact(small));
        planes.for_each(|(out, x)| self.enlarge(x, out));
        (out, ())
    }

    fn read(&self) -> [bool; 1] {
        [false]
    }

    fn backward(&self, _: [&[f32]; 1], (): &(), gradient: Gradient, _: [bool; 1]) -> [Option<Gradient>; 1] {
        let [small, large] = self.areas();
        let mut out = taken(self.batch * self.channels * small);
        let planes = out.par_chunks_exact_mut(small).with_min_len(TOGETHER);
        planes
            .zip(gradient.values().par_chunks_exact(large))
            .for_each(|(out, gradient)| self.gather(gradient, out));
        [Some(out.into())]
    }
}
