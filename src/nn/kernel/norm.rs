//! Batch normalisation with exact statistics: each plane's mean and squared deviations while it is in the cache, joined
//! in double precision in a fixed order ([Chan et al. 1979](https://doi.org/10.1007/978-3-642-51461-6_3)).

#![allow(clippy::needless_range_loop, reason = "tiles of registers are unrolled by index")]

use std::sync::Arc;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::operation::{Gradient, Operation};
use super::reuse::taken;
use super::simd::dispatch;

/// Shapes of a batch normalisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Norm {
    pub(crate) batch: usize,
    pub(crate) channels: usize,
    /// Height times width.
    pub(crate) area: usize,
    pub(crate) epsilon: f64,
    /// Whether a ReLU follows.
    pub(crate) relu: bool,
}

/// A batch's mean and biased variance of each channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Statistics {
    pub(crate) mean: Vec<f32>,
    pub(crate) variance: Vec<f32>,
}

/// The gradients of a normalisation.
pub(crate) struct Gradients {
    pub(crate) x: Vec<f32>,
    pub(crate) scale: Vec<f32>,
    pub(crate) offset: Vec<f32>,
}

impl Norm {
    fn samples(&self) -> f64 {
        (self.batch * self.area) as f64
    }

    fn image(&self) -> usize {
        self.channels * self.area
    }

    /// `x` `[batch, channels, height, width]` normalised, and what it was normalised by.
    pub(crate) fn forward(&self, x: &[f32], scale: &[f32], offset: &[f32]) -> (Vec<f32>, Statistics) {
        let statistics = self.statistics(x);
        let inverse = self.inverse(&statistics);
        let mut out = taken(x.len());
        out.par_chunks_mut(self.image()).zip(x.par_chunks(self.image())).for_each(|(out, x)| {
            let planes = out.chunks_exact_mut(self.area).zip(x.chunks_exact(self.area));
            for (channel, (out, x)) in planes.enumerate() {
                let factor = scale[channel] * inverse[channel];
                let [mean, offset] = [statistics.mean[channel], offset[channel]];
                dispatch(Normalized { x, out, mean, factor, offset, relu: self.relu });
            }
        });
        (out, statistics)
    }

    fn inverse(&self, statistics: &Statistics) -> Vec<f32> {
        let inverse = |variance: &f32| (1.0 / (f64::from(*variance) + self.epsilon).sqrt()) as f32;
        statistics.variance.iter().map(inverse).collect()
    }

    fn statistics(&self, x: &[f32]) -> Statistics {
        let each: Vec<Vec<[f32; 2]>> = x
            .par_chunks(self.image())
            .map(|x| x.chunks_exact(self.area).map(|plane| dispatch(Moments(plane))).collect())
            .collect();
        let joined = (0..self.channels).map(|channel| {
            let means = || each.iter().map(move |image| f64::from(image[channel][0]));
            let mean = means().sum::<f64>() / self.batch as f64;
            let between = means().map(|one| (one - mean).powi(2)).sum::<f64>() * self.area as f64;
            let within = each.iter().map(|image| f64::from(image[channel][1])).sum::<f64>();
            (mean as f32, ((within + between) / self.samples()) as f32)
        });
        let (mean, variance) = joined.unzip();
        Statistics { mean, variance }
    }

    /// The gradients from the results' `[batch, channels, height, width]`, whose memory the one of `x` takes over.
    pub(crate) fn backward(
        &self,
        x: &[f32],
        scale: &[f32],
        offset: &[f32],
        statistics: &Statistics,
        mut gradient: Vec<f32>,
    ) -> Gradients {
        let inverse = self.inverse(statistics);
        let line = |channel: usize| {
            let factor = scale[channel] * inverse[channel];
            Line { mean: statistics.mean[channel], factor, offset: offset[channel], relu: self.relu }
        };
        let each: Vec<Vec<[f32; 2]>> = x
            .par_chunks(self.image())
            .zip(gradient.par_chunks(self.image()))
            .map(|(x, gradient)| {
                let planes = x.chunks_exact(self.area).zip(gradient.chunks_exact(self.area)).enumerate();
                planes
                    .map(|(channel, (x, gradient))| dispatch(Reduced { x, gradient, line: line(channel) }))
                    .collect()
            })
            .collect();
        let sums: Vec<[f64; 2]> = (0..self.channels)
            .map(|channel| {
                [0, 1].map(|which| each.iter().map(|image| f64::from(image[channel][which])).sum())
            })
            .collect();
        gradient.par_chunks_mut(self.image()).zip(x.par_chunks(self.image())).for_each(|(gradient, x)| {
            let planes = gradient.chunks_exact_mut(self.area).zip(x.chunks_exact(self.area));
            for (channel, (gradient, x)) in planes.enumerate() {
                let line = line(channel);
                let means = sums[channel].map(|sum| sum / self.samples());
                let factor = f64::from(line.factor);
                let along = (-factor * f64::from(inverse[channel]).powi(2) * means[1]) as f32;
                dispatch(Returned { x, gradient, line, along, flat: (-factor * means[0]) as f32 });
            }
        });
        Gradients {
            x: gradient,
            scale: sums
                .iter()
                .zip(&inverse)
                .map(|(sum, inverse)| (sum[1] * f64::from(*inverse)) as f32)
                .collect(),
            offset: sums.iter().map(|sum| sum[0] as f32).collect(),
        }
    }
}

/// Normalisation by the batch's own statistics.
#[derive(Clone, Debug)]
pub(crate) struct Train {
    pub(crate) norm: Norm,
    pub(crate) shape: Vec<usize>,
}

impl Operation<3> for Train {
    type Kept = Arc<Statistics>;

    fn shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn forward(&self, [x, scale, offset]: [&[f32]; 3]) -> (Vec<f32>, Arc<Statistics>) {
        let (normalized, statistics) = self.norm.forward(x, scale, offset);
        (normalized, Arc::new(statistics))
    }

    fn read(&self) -> [bool; 3] {
        [true; 3]
    }

    fn backward(
        &self,
        [x, scale, offset]: [&[f32]; 3],
        statistics: &Arc<Statistics>,
        gradient: Gradient,
        wanted: [bool; 3],
    ) -> [Option<Gradient>; 3] {
        let made = self.norm.backward(x, scale, offset, statistics, gradient.into_values());
        let mut made = [made.x, made.scale, made.offset].into_iter().zip(wanted);
        std::array::from_fn(|_| made.next().and_then(|(made, wanted)| wanted.then(|| made.into())))
    }
}

/// Sums held in registers at once.
const WIDE: usize = 4;

/// A plane's mean, and the sum of its squared deviations from it.
struct Moments<'a>(&'a [f32]);

impl WithSimd for Moments<'_> {
    type Output = [f32; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [f32; 2] {
        let (vectors, rest) = S::as_simd_f32s(self.0);
        let (fours, ones) = pulp::as_arrays::<WIDE, _>(vectors);
        let mut sums = [simd.splat_f32s(0.0); WIDE];
        for four in fours {
            for n in 0..WIDE {
                sums[n] = simd.add_f32s(sums[n], four[n]);
            }
        }
        for one in ones {
            sums[0] = simd.add_f32s(sums[0], *one);
        }
        let total = joined(simd, sums) + rest.iter().sum::<f32>();
        let mean = total / self.0.len() as f32;
        let centre = simd.splat_f32s(mean);
        let mut sums = [simd.splat_f32s(0.0); WIDE];
        for four in fours {
            for n in 0..WIDE {
                let deviation = simd.sub_f32s(four[n], centre);
                sums[n] = simd.mul_add_e_f32s(deviation, deviation, sums[n]);
            }
        }
        for one in ones {
            let deviation = simd.sub_f32s(*one, centre);
            sums[0] = simd.mul_add_e_f32s(deviation, deviation, sums[0]);
        }
        [mean, joined(simd, sums) + rest.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>()]
    }
}

#[inline(always)]
fn joined<S: Simd>(simd: S, sums: [S::f32s; WIDE]) -> f32 {
    let [a, b, c, d] = sums;
    simd.reduce_sum_f32s(simd.add_f32s(simd.add_f32s(a, b), simd.add_f32s(c, d)))
}

/// `(x - mean) * factor + offset`, and no less than zero with a ReLU.
struct Normalized<'a> {
    x: &'a [f32],
    out: &'a mut [f32],
    mean: f32,
    factor: f32,
    offset: f32,
    relu: bool,
}

impl WithSimd for Normalized<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Normalized { x, out, mean, factor, offset, relu } = self;
        if relu {
            for (out, x) in out.iter_mut().zip(x) {
                let y = (x - mean).mul_add(factor, offset);
                *out = if y < 0.0 { 0.0 } else { y };
            }
        } else {
            for (out, x) in out.iter_mut().zip(x) {
                *out = (x - mean).mul_add(factor, offset);
            }
        }
    }
}

/// How a channel was normalised.
#[derive(Clone, Copy)]
struct Line {
    mean: f32,
    factor: f32,
    offset: f32,
    relu: bool,
}

/// The sums of a plane's gradients, and of their products with the deviations.
struct Reduced<'a> {
    x: &'a [f32],
    gradient: &'a [f32],
    line: Line,
}

impl WithSimd for Reduced<'_> {
    type Output = [f32; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [f32; 2] {
        let zero = simd.splat_f32s(0.0);
        let line = self.line;
        let [mean, factor, offset] = [line.mean, line.factor, line.offset].map(|value| value);
        let (centre, slope, shift) =
            (simd.splat_f32s(mean), simd.splat_f32s(factor), simd.splat_f32s(offset));
        let (xs, rest) = S::as_simd_f32s(self.x);
        let (gradients, left) = S::as_simd_f32s(self.gradient);
        let (mut flat, mut along) = ([zero; WIDE], [zero; WIDE]);
        for (v, (x, gradient)) in xs.iter().zip(gradients).enumerate() {
            let deviation = simd.sub_f32s(*x, centre);
            let mut gradient = *gradient;
            if line.relu {
                let y = simd.mul_add_e_f32s(deviation, slope, shift);
                gradient = simd.select_f32s(simd.less_than_f32s(zero, y), gradient, zero);
            }
            let n = v % WIDE;
            flat[n] = simd.add_f32s(flat[n], gradient);
            along[n] = simd.mul_add_e_f32s(deviation, gradient, along[n]);
        }
        let mut sums = [joined(simd, flat), joined(simd, along)];
        for (x, gradient) in rest.iter().zip(left) {
            let open = !line.relu || (x - mean).mul_add(factor, offset) > 0.0;
            let gradient = if open { *gradient } else { 0.0 };
            sums[0] += gradient;
            sums[1] += (x - mean) * gradient;
        }
        sums
    }
}

/// `factor * gradient + along * (x - mean) + flat`, in place of the gradient.
struct Returned<'a> {
    x: &'a [f32],
    gradient: &'a mut [f32],
    line: Line,
    along: f32,
    flat: f32,
}

impl WithSimd for Returned<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Returned { x, gradient, line: Line { mean, factor, offset, relu }, along, flat } = self;
        if relu {
            for (gradient, x) in gradient.iter_mut().zip(x) {
                let deviation = x - mean;
                let open = if deviation.mul_add(factor, offset) > 0.0 { *gradient } else { 0.0 };
                *gradient = open.mul_add(factor, deviation.mul_add(along, flat));
            }
        } else {
            for (gradient, x) in gradient.iter_mut().zip(x) {
                *gradient = gradient.mul_add(factor, (x - mean).mul_add(along, flat));
            }
        }
    }
}
