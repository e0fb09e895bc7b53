//! Depthwise convolutions, one filter a channel: every vector of results is a sum over the taps, held in registers.

#![allow(clippy::needless_range_loop, reason = "tiles of registers are unrolled by index")]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::operation::{Gradient, Operation};
use super::plane::{LINE, SLACK, Shifts, Slide};
use super::reuse::taken;
use super::scratch::{Scratch, with_scratch};
use super::simd::{Masked, dispatch, rectified};

/// Shapes of a depthwise convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Depthwise {
    pub(crate) slide: Slide,
    pub(crate) batch: usize,
    pub(crate) channels: usize,
    /// Whether what is below zero in the map counts as zero: a ReLU before the convolution, without its own pass.
    pub(crate) relu: bool,
}

/// Into how many parts a batch is cut at most for the weights' gradient.
const PARTS: usize = 8;

impl Depthwise {
    fn window(&self) -> usize {
        self.slide.kernel[0] * self.slide.kernel[1]
    }

    fn area(&self) -> [usize; 2] {
        let output = self.slide.output();
        [self.slide.size[0] * self.slide.size[1], output[0] * output[1]]
    }

    /// `x` `[batch, channels, height, width]`, `weights` `[channels, 1, rows, columns]`; returns `[batch, channels, ..]`.
    pub(crate) fn results(&self, x: &[f32], weights: &[f32]) -> Vec<f32> {
        let [area, results] = self.area();
        let shifts = [self.slide.forward()];
        let mut out = taken(self.batch * self.channels * results);
        let images = out.par_chunks_mut(self.channels * results).zip(x.par_chunks(self.channels * area));
        images.for_each(|(out, x)| {
            let channels = out.chunks_exact_mut(results).zip(x.chunks_exact(area));
            for ((out, x), weights) in channels.zip(weights.chunks_exact(self.window())) {
                slide(&shifts, x, weights, out, self.relu);
            }
        });
        out
    }

    /// The gradient of `x` from the results' `[batch, channels, ..]`.
    pub(crate) fn backward_data(&self, x: &[f32], weights: &[f32], gradient: &[f32]) -> Vec<f32> {
        let [area, results] = self.area();
        let shifts = self.slide.backward();
        let mut out = taken(self.batch * self.channels * area);
        if !self.slide.complete() {
            out.fill(0.0);
        }
        let images = out.par_chunks_mut(self.channels * area).zip(x.par_chunks(self.channels * area));
        images.zip(gradient.par_chunks(self.channels * results)).for_each(|((out, x), gradient)| {
            let channels = out.chunks_exact_mut(area).zip(gradient.chunks_exact(results));
            for ((out, gradient), weights) in channels.zip(weights.chunks_exact(self.window())) {
                slide(&shifts, gradient, weights, out, false);
            }
            if self.relu {
                dispatch(Masked { values: out, by: x });
            }
        });
        out
    }

    /// The weights' gradient `[channels, 1, rows, columns]`.
    pub(crate) fn backward_weights(&self, x: &[f32], gradient: &[f32]) -> Vec<f32> {
        let shifts = self.slide.forward();
        let [area, results] = self.area();
        // Parts and their order depend on the shapes alone, so the sums do not depend on the number of threads.
        let part = self.batch.div_ceil(PARTS) * self.channels;
        let parts: Vec<Vec<f32>> = x
            .par_chunks(part * area)
            .zip(gradient.par_chunks(part * results))
            .map(|(x, gradient)| self.correlate(&shifts, x, gradient))
            .collect();
        let mut sums = vec![0.0; self.channels * self.window()];
        for part in parts {
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        sums
    }

    fn correlate(&self, shifts: &Shifts, x: &[f32], gradient: &[f32]) -> Vec<f32> {
        let [area, results] = self.area();
        let images = x.len() / (self.channels * area);
        let (channel, length) = (shifts.channel(), shifts.length().next_multiple_of(LINE));
        let mut sums = vec![0.0; self.channels * self.window()];
        with_scratch(Scratch::First, images * length, |gradients| {
            with_scratch(Scratch::Second, images * channel + SLACK, |map| {
                // Numbers left from other work, times zero, need not be zero.
                map[images * channel..].fill(0.0);
                for (one, sums) in sums.chunks_exact_mut(self.window()).enumerate() {
                    for (image, plane) in gradients.chunks_exact_mut(length).enumerate() {
                        shifts.spread(&gradient[(image * self.channels + one) * results..][..results], plane);
                    }
                    for (image, planes) in map.chunks_exact_mut(channel).take(images).enumerate() {
                        let x = &x[(image * self.channels + one) * area..][..area];
                        match self.relu {
                            true => shifts.gather(x, planes, 0.0, rectified),
                            false => shifts.gather(x, planes, 0.0, |value| value),
                        }
                    }
                    let strides = [length, channel];
                    dispatch(TapSums { gradients, map, taps: &shifts.taps, sums, images, strides });
                }
            });
        });
        sums
    }
}

impl Operation<2> for Depthwise {
    type Kept = ();

    fn shape(&self) -> Vec<usize> {
        let [height, width] = self.slide.output();
        vec![self.batch, self.channels, height, width]
    }

    fn forward(&self, [x, weights]: [&[f32]; 2]) -> (Vec<f32>, ()) {
        (self.results(x, weights), ())
    }

    fn read(&self) -> [bool; 2] {
        [true, true]
    }

    fn backward(
        &self,
        [x, weights]: [&[f32]; 2],
        (): &(),
        gradient: Gradient,
        wanted: [bool; 2],
    ) -> [Option<Gradient>; 2] {
        let gradient = gradient.values();
        [
            wanted[0].then(|| self.backward_data(x, weights, gradient).into()),
            wanted[1].then(|| self.backward_weights(x, gradient).into()),
        ]
    }
}

/// One channel of one image: gathers, weighs, scatters.
fn slide(shifts: &[Shifts], from: &[f32], weights: &[f32], to: &mut [f32], relu: bool) {
    for shifts in shifts {
        let length = shifts.length();
        with_scratch(Scratch::First, shifts.channel() + SLACK + LINE * WIDE, |planes| {
            match relu {
                true => shifts.gather(from, &mut planes[..shifts.channel()], 0.0, rectified),
                false => shifts.gather(from, &mut planes[..shifts.channel()], 0.0, |value| value),
            }
            with_scratch(Scratch::Second, length + SLACK + LINE * WIDE, |results| {
                dispatch(WeightedTaps { map: planes, taps: &shifts.taps, weights, out: results, length });
                shifts.scatter(results, to, |value| value);
            });
        });
    }
}

/// Vectors of sums held in registers.
const WIDE: usize = 8;

/// `out[p] = sum over taps of weights[tap] * map[offset + p]` for `p` up to `length` and a tile beyond.
struct WeightedTaps<'a> {
    map: &'a [f32],
    taps: &'a [(usize, usize)],
    weights: &'a [f32],
    out: &'a mut [f32],
    length: usize,
}

impl WithSimd for WeightedTaps<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut start = 0;
        while start < self.length {
            if self.length - start > WIDE / 2 * S::F32_LANES {
                self.tile::<S, WIDE>(simd, start);
                start += WIDE * S::F32_LANES;
            } else {
                self.tile::<S, { WIDE / 2 }>(simd, start);
                start += WIDE / 2 * S::F32_LANES;
            }
        }
    }
}

impl WeightedTaps<'_> {
    #[inline(always)]
    fn tile<S: Simd, const N: usize>(&mut self, simd: S, start: usize) {
        let mut sums = [simd.splat_f32s(0.0); N];
        for (tap, offset) in self.taps {
            let weight = simd.splat_f32s(self.weights[*tap]);
            let (vectors, _) = S::as_simd_f32s(&self.map[offset + start..][..N * S::F32_LANES]);
            for n in 0..N {
                sums[n] = simd.mul_add_e_f32s(weight, vectors[n], sums[n]);
            }
        }
        let (line, _) = S::as_mut_simd_f32s(&mut self.out[start..][..N * S::F32_LANES]);
        line[..N].copy_from_slice(&sums[..N]);
    }
}

/// `sums[tap] += sum over images and p of gradients[p] * map[offset + p]`.
struct TapSums<'a> {
    gradients: &'a [f32],
    map: &'a [f32],
    taps: &'a [(usize, usize)],
    sums: &'a mut [f32],
    images: usize,
    /// Distances of the images of `gradients` and `map`; the first is the length of a sum.
    strides: [usize; 2],
}

impl WithSimd for TapSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut tap = 0;
        while tap < self.taps.len() {
            match self.taps.len() - tap {
                7.. => {
                    self.tile::<S, 7>(simd, tap);
                    tap += 7;
                }
                5.. => {
                    self.tile::<S, 5>(simd, tap);
                    tap += 5;
                }
                3.. => {
                    self.tile::<S, 3>(simd, tap);
                    tap += 3;
                }
                _ => {
                    self.tile::<S, 1>(simd, tap);
                    tap += 1;
                }
            }
        }
    }
}

impl TapSums<'_> {
    #[inline(always)]
    fn tile<S: Simd, const N: usize>(&mut self, simd: S, tap: usize) {
        let length = self.strides[0];
        let mut sums = [simd.splat_f32s(0.0); N];
        for image in 0..self.images {
            let (gradients, _) = S::as_simd_f32s(&self.gradients[image * length..][..length]);
            let map = &self.map[image * self.strides[1]..];
            let mut near: [&[S::f32s]; N] = [&[]; N];
            for n in 0..N {
                near[n] = &S::as_simd_f32s(&map[self.taps[tap + n].1..][..length]).0[..gradients.len()];
            }
            for v in 0..gradients.len() {
                for n in 0..N {
                    sums[n] = simd.mul_add_e_f32s(gradients[v], near[n][v], sums[n]);
                }
            }
        }
        for n in 0..N {
            self.sums[self.taps[tap + n].0] += simd.reduce_sum_f32s(sums[n]);
        }
    }
}
