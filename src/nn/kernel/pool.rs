//! Maximum and mean over windows.

#![allow(clippy::needless_range_loop, reason = "tiles of registers are unrolled by index")]

use std::sync::Arc;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::operation::{Gradient, Operation};
use super::plane::{LINE, SLACK, Shifts, Slide};
use super::reuse::taken;
use super::scratch::{Scratch, with_scratch};
use super::simd::dispatch;

/// Shapes of a pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pool {
    pub(crate) slide: Slide,
    pub(crate) batch: usize,
    pub(crate) channels: usize,
}

/// Planes that a thread takes at once.
const TOGETHER: usize = 8;
/// Vectors of results held in registers.
const WIDE: usize = 4;

impl Pool {
    fn planes(&self) -> usize {
        self.batch * self.channels
    }

    fn shape(&self) -> Vec<usize> {
        let [height, width] = self.slide.output();
        vec![self.batch, self.channels, height, width]
    }

    fn area(&self) -> [usize; 2] {
        let output = self.slide.output();
        [self.slide.size[0] * self.slide.size[1], output[0] * output[1]]
    }

    /// The maxima of `x` `[planes, height, width]`, and which tap of its window each came from. Padding never wins.
    pub(crate) fn maxima(&self, x: &[f32]) -> (Vec<f32>, Vec<u8>) {
        let [area, results] = self.area();
        let shifts = self.slide.forward();
        let mut out = taken(self.planes() * results);
        let mut winners = vec![0; self.planes() * results];
        let chunks = out.par_chunks_mut(TOGETHER * results).zip(winners.par_chunks_mut(TOGETHER * results));
        chunks.zip(x.par_chunks(TOGETHER * area)).for_each(|((out, winners), x)| {
            let planes = out.chunks_exact_mut(results).zip(winners.chunks_exact_mut(results));
            planes
                .zip(x.chunks_exact(area))
                .for_each(|((out, winners), x)| maximum(&shifts, x, out, winners));
        });
        (out, winners)
    }

    /// The gradient of `x` from the maxima's.
    pub(crate) fn maxima_backward(&self, gradient: &[f32], winners: &[u8]) -> Vec<f32> {
        let [area, results] = self.area();
        let shifts = self.slide.backward();
        let mut out = taken(self.planes() * area);
        if !self.slide.complete() {
            out.fill(0.0);
        }
        let chunks = out.par_chunks_mut(TOGETHER * area).zip(gradient.par_chunks(TOGETHER * results));
        chunks.zip(winners.par_chunks(TOGETHER * results)).for_each(|((out, gradient), winners)| {
            let planes = out.chunks_exact_mut(area).zip(gradient.chunks_exact(results));
            for ((out, gradient), winners) in planes.zip(winners.chunks_exact(results)) {
                shifts.iter().for_each(|shifts| to_winners(shifts, gradient, winners, out));
            }
        });
        out
    }

    /// The means of `x` `[planes, height, width]`; `counted` is whether padding counts as zeros.
    pub(crate) fn means(&self, x: &[f32], counted: bool) -> Vec<f32> {
        let [area, results] = self.area();
        let (shifts, shares) = (self.slide.forward(), self.shares(counted));
        let mut out = taken(self.planes() * results);
        let chunks = out.par_chunks_mut(TOGETHER * results).zip(x.par_chunks(TOGETHER * area));
        chunks.for_each(|(out, x)| {
            for (out, x) in out.chunks_exact_mut(results).zip(x.chunks_exact(area)) {
                sums(&shifts, x, out);
                out.iter_mut().zip(&shares).for_each(|(out, share)| *out *= share);
            }
        });
        out
    }

    /// The gradient of `x` from the means'.
    pub(crate) fn means_backward(&self, gradient: &[f32], counted: bool) -> Vec<f32> {
        let [area, results] = self.area();
        let (shifts, shares) = (self.slide.backward(), self.shares(counted));
        let mut out = taken(self.planes() * area);
        if !self.slide.complete() {
            out.fill(0.0);
        }
        let chunks = out.par_chunks_mut(TOGETHER * area).zip(gradient.par_chunks(TOGETHER * results));
        chunks.for_each(|(out, gradient)| {
            for (out, gradient) in out.chunks_exact_mut(area).zip(gradient.chunks_exact(results)) {
                with_scratch(Scratch::Third, results, |scaled| {
                    let each = scaled.iter_mut().zip(gradient).zip(&shares);
                    each.for_each(|((scaled, gradient), share)| *scaled = gradient * share);
                    shifts.iter().for_each(|shifts| sums(shifts, scaled, out));
                });
            }
        });
        out
    }

    /// What a window's sum is multiplied by, for each result.
    fn shares(&self, counted: bool) -> Vec<f32> {
        let output = self.slide.output();
        let met = |axis: usize, at: usize| match counted {
            true => self.slide.kernel[axis],
            false => {
                let start = at * self.slide.stride[axis];
                let inside = self.slide.padding[axis]..self.slide.padding[axis] + self.slide.size[axis];
                (start..start + self.slide.kernel[axis]).filter(|place| inside.contains(place)).count()
            }
        };
        let columns: Vec<usize> = (0..output[1]).map(|column| met(1, column)).collect();
        let rows = (0..output[0]).map(|row| met(0, row));
        rows.flat_map(|row| columns.iter().map(move |column| 1.0 / (row * column).max(1) as f32)).collect()
    }
}

/// Maximum over windows.
#[derive(Clone, Debug)]
pub(crate) struct Max(pub(crate) Pool);

impl Operation<1> for Max {
    type Kept = Arc<Vec<u8>>;

    fn shape(&self) -> Vec<usize> {
        self.0.shape()
    }

    fn forward(&self, [x]: [&[f32]; 1]) -> (Vec<f32>, Arc<Vec<u8>>) {
        let (maxima, winners) = self.0.maxima(x);
        (maxima, Arc::new(winners))
    }

    fn read(&self) -> [bool; 1] {
        [false]
    }

    fn backward(
        &self,
        _: [&[f32]; 1],
        winners: &Arc<Vec<u8>>,
        gradient: Gradient,
        _: [bool; 1],
    ) -> [Option<Gradient>; 1] {
        [Some(self.0.maxima_backward(gradient.values(), winners).into())]
    }
}

/// Mean over windows.
#[derive(Clone, Debug)]
pub(crate) struct Mean {
    pub(crate) pool: Pool,
    /// Whether padding counts as zeros.
    pub(crate) counted: bool,
}

impl Operation<1> for Mean {
    type Kept = ();

    fn shape(&self) -> Vec<usize> {
        self.pool.shape()
    }

    fn forward(&self, [x]: [&[f32]; 1]) -> (Vec<f32>, ()) {
        (self.pool.means(x, self.counted), ())
    }

    fn read(&self) -> [bool; 1] {
        [false]
    }

    fn backward(&self, _: [&[f32]; 1], (): &(), gradient: Gradient, _: [bool; 1]) -> [Option<Gradient>; 1] {
        [Some(self.pool.means_backward(gradient.values(), self.counted).into())]
    }
}

/// Mean over whole maps.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    pub(crate) batch: usize,
    pub(crate) channels: usize,
    pub(crate) area: usize,
}

impl Operation<1> for Whole {
    type Kept = ();

    fn shape(&self) -> Vec<usize> {
        vec![self.batch, self.channels, 1, 1]
    }

    fn forward(&self, [x]: [&[f32]; 1]) -> (Vec<f32>, ()) {
        let mean = |plane: &[f32]| {
            (plane.iter().map(|value| f64::from(*value)).sum::<f64>() / self.area as f64) as f32
        };
        let planes = x.par_chunks(self.area).with_min_len(TOGETHER);
        (planes.map(mean).collect(), ())
    }

    fn read(&self) -> [bool; 1] {
        [false]
    }

    fn backward(&self, _: [&[f32]; 1], (): &(), gradient: Gradient, _: [bool; 1]) -> [Option<Gradient>; 1] {
        let mut out = taken(self.batch * self.channels * self.area);
        let planes = out.par_chunks_mut(self.area).with_min_len(TOGETHER).zip(gradient.values());
        planes.for_each(|(plane, gradient)| plane.fill(gradient / self.area as f32));
        [Some(out.into())]
    }
}

/// Floats that a tile may reach beyond the last result.
const BEYOND: usize = SLACK + WIDE * LINE;

fn maximum(shifts: &Shifts, x: &[f32], out: &mut [f32], winners: &mut [u8]) {
    let length = shifts.length();
    with_scratch(Scratch::First, shifts.channel() + BEYOND, |planes| {
        shifts.gather(x, &mut planes[..shifts.channel()], f32::NEG_INFINITY, |value| value);
        with_scratch(Scratch::Second, 2 * (length + BEYOND), |results| {
            let (best, from) = results.split_at_mut(length + BEYOND);
            dispatch(Maxima { map: planes, taps: &shifts.taps, best, from, length });
            shifts.scatter(best, out, |value| value);
            shifts.scatter(from, winners, |tap| tap as u8);
        });
    });
}

fn to_winners(shifts: &Shifts, gradient: &[f32], winners: &[u8], out: &mut [f32]) {
    let (channel, length) = (shifts.channel(), shifts.length());
    with_scratch(Scratch::First, 2 * (channel + BEYOND), |planes| {
        let (gradients, taken) = planes.split_at_mut(channel + BEYOND);
        shifts.gather(gradient, &mut gradients[..channel], 0.0, |value| value);
        shifts.gather(winners, &mut taken[..channel], -1.0, f32::from);
        with_scratch(Scratch::Second, length + BEYOND, |results| {
            dispatch(Winners { gradients, taken, taps: &shifts.taps, out: results, length });
            shifts.scatter(results, out, |value| value);
        });
    });
}

fn sums(shifts: &Shifts, x: &[f32], out: &mut [f32]) {
    let length = shifts.length();
    with_scratch(Scratch::First, shifts.channel() + BEYOND, |planes| {
        shifts.gather(x, &mut planes[..shifts.channel()], 0.0, |value| value);
        with_scratch(Scratch::Second, length + BEYOND, |results| {
            dispatch(Sums { map: planes, taps: &shifts.taps, out: results, length });
            shifts.scatter(results, out, |value| value);
        });
    });
}

/// The largest value over the taps, and the first tap that has it.
struct Maxima<'a> {
    map: &'a [f32],
    taps: &'a [(usize, usize)],
    best: &'a mut [f32],
    from: &'a mut [f32],
    length: usize,
}

impl WithSimd for Maxima<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut start = 0;
        while start < self.length {
            let mut best = [simd.splat_f32s(f32::NEG_INFINITY); WIDE];
            let mut from = [simd.splat_f32s(0.0); WIDE];
            for (tap, offset) in self.taps {
                let (vectors, _) = S::as_simd_f32s(&self.map[offset + start..][..WIDE * S::F32_LANES]);
                let tap = simd.splat_f32s(*tap as f32);
                for n in 0..WIDE {
                    // Also where it is not a number, so that a network that diverges is seen to.
                    let larger = simd.or_m32s(
                        simd.less_than_f32s(best[n], vectors[n]),
                        simd.not_m32s(simd.equal_f32s(vectors[n], vectors[n])),
                    );
                    best[n] = simd.select_f32s(larger, vectors[n], best[n]);
                    from[n] = simd.select_f32s(larger, tap, from[n]);
                }
            }
            let (line, _) = S::as_mut_simd_f32s(&mut self.best[start..][..WIDE * S::F32_LANES]);
            line.copy_from_slice(&best);
            let (line, _) = S::as_mut_simd_f32s(&mut self.from[start..][..WIDE * S::F32_LANES]);
            line.copy_from_slice(&from);
            start += WIDE * S::F32_LANES;
        }
    }
}

/// The sum over the taps of the gradients that the tap won.
struct Winners<'a> {
    gradients: &'a [f32],
    taken: &'a [f32],
    taps: &'a [(usize, usize)],
    out: &'a mut [f32],
    length: usize,
}

impl WithSimd for Winners<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let zero = simd.splat_f32s(0.0);
        let mut start = 0;
        while start < self.length {
            let mut sums = [zero; WIDE];
            for (tap, offset) in self.taps {
                let range = offset + start..offset + start + WIDE * S::F32_LANES;
                let (gradients, _) = S::as_simd_f32s(&self.gradients[range.clone()]);
                let (taken, _) = S::as_simd_f32s(&self.taken[range]);
                let tap = simd.splat_f32s(*tap as f32);
                for n in 0..WIDE {
                    let won = simd.select_f32s(simd.equal_f32s(taken[n], tap), gradients[n], zero);
                    sums[n] = simd.add_f32s(sums[n], won);
                }
            }
            let (line, _) = S::as_mut_simd_f32s(&mut self.out[start..][..WIDE * S::F32_LANES]);
            line.copy_from_slice(&sums);
            start += WIDE * S::F32_LANES;
        }
    }
}

/// The sum over the taps.
struct Sums<'a> {
    map: &'a [f32],
    taps: &'a [(usize, usize)],
    out: &'a mut [f32],
    length: usize,
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut start = 0;
        while start < self.length {
            let mut sums = [simd.splat_f32s(0.0); WIDE];
            for (_, offset) in self.taps {
                let (vectors, _) = S::as_simd_f32s(&self.map[offset + start..][..WIDE * S::F32_LANES]);
                for n in 0..WIDE {
                    sums[n] = simd.add_f32s(sums[n], vectors[n]);
                }
            }
            let (line, _) = S::as_mut_simd_f32s(&mut self.out[start..][..WIDE * S::F32_LANES]);
            line.copy_from_slice(&sums);
            start += WIDE * S::F32_LANES;
        }
    }
}
