//! Dense and grouped convolutions: results, the map's gradient and the weights' gradient.

use rayon::prelude::*;

use super::operation::{Gradient, Operation};
use super::plane::{LINE, SLACK, Shifts, Slide, spaced};
use super::product::{Correlation, Product, packed};
use super::reuse::taken;
use super::scratch::{Scratch, with_scratch};
use super::simd::{Masked, dispatch};

/// Shapes of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conv {
    pub(crate) slide: Slide,
    pub(crate) batch: usize,
    /// Channels of the map and of the results.
    pub(crate) channels: [usize; 2],
    pub(crate) groups: usize,
    /// Whether what is below zero in the map counts as zero: a ReLU before the convolution, without its own pass.
    pub(crate) relu: bool,
}

/// A product over one group's channels for each of its images.
struct Lowered {
    shifts: Shifts,
    /// Per group.
    weights: Vec<Vec<f32>>,
    offsets: Vec<usize>,
    /// Distance of the channels' planes.
    channel: usize,
    /// Channels of a group that are read and written.
    channels: [usize; 2],
    /// Whether results are written where they belong, whole vectors each.
    whole: bool,
    /// Whether maps are read where they are.
    in_place: bool,
}

impl Conv {
    fn window(&self) -> usize {
        self.slide.kernel[0] * self.slide.kernel[1]
    }

    fn area(&self) -> [usize; 2] {
        let output = self.slide.output();
        [self.slide.size[0] * self.slide.size[1], output[0] * output[1]]
    }

    fn of_group(&self) -> [usize; 2] {
        self.channels.map(|channels| channels / self.groups)
    }

    /// `x` `[batch, in, height, width]`, `weights` `[out, in / groups, rows, columns]`; returns `[batch, out, ..]`.
    pub(crate) fn results(&self, x: &[f32], weights: &[f32]) -> Vec<f32> {
        let [read, written] = self.of_group();
        let window = self.window();
        let shifts = self.slide.forward();
        let packed = (0..self.groups)
            .map(|group| {
                let weights = &weights[group * written * read * window..];
                // The taps of the forward shifts are all of the window, in order.
                packed(written, read * window, |row, k| weights[row * read * window + k])
            })
            .collect();
        let lowered = Lowered::new(shifts, packed, [read, written], self.slide.pointwise(), self.area());
        let [_, area] = self.area();
        let mut out = taken(self.batch * self.channels[1] * area);
        let images =
            out.par_chunks_mut(self.channels[1] * area).zip(x.par_chunks(self.channels[0] * self.area()[0]));
        images.for_each(|(out, x)| {
            lowered.run(x, out, self.area(), self.relu);
        });
        out
    }

    /// The gradient of `x` from the results' `[batch, out, ..]`.
    pub(crate) fn backward_data(&self, x: &[f32], weights: &[f32], gradient: &[f32]) -> Vec<f32> {
        let [read, written] = self.of_group();
        let window = self.window();
        let lowered: Vec<Lowered> = self
            .slide
            .backward()
            .into_iter()
            .map(|shifts| {
                let taps: Vec<usize> = shifts.taps.iter().map(|(tap, _)| *tap).collect();
                let packed = (0..self.groups).map(|group| {
                    let weights = &weights[group * written * read * window..];
                    packed(read, written * taps.len(), |row, k| {
                        weights[(k / taps.len() * read + row) * window + taps[k % taps.len()]]
                    })
                });
                let packed = packed.collect();
                let areas = [self.area()[1], self.area()[0]];
                Lowered::new(shifts, packed, [written, read], self.slide.pointwise(), areas)
            })
            .collect();
        let [area, results] = self.area();
        let mut out = taken(self.batch * self.channels[0] * area);
        if !self.slide.complete() {
            out.fill(0.0);
        }
        let size = self.channels[0] * area;
        let images = out.par_chunks_mut(size).zip(x.par_chunks(size));
        images.zip(gradient.par_chunks(self.channels[1] * results)).for_each(|((out, x), gradient)| {
            lowered.iter().for_each(|lowered| lowered.run(gradient, out, [results, area], false));
            if self.relu {
                dispatch(Masked { values: out, by: x });
            }
        });
        out
    }

    /// The weights' gradient `[out, in / groups, rows, columns]`.
    pub(crate) fn backward_weights(&self, x: &[f32], gradient: &[f32]) -> Vec<f32> {
        let shifts = self.slide.forward();
        let [read, _] = self.of_group();
        let count = self.channels[1] * read * self.window();
        // Parts and their order depend on the shapes alone, so the sums do not depend on the number of threads.
        let part = self.batch.div_ceil(PARTS);
        let [area, results] = self.area();
        let parts: Vec<Vec<f32>> = x
            .par_chunks(part * self.channels[0] * area)
            .zip(gradient.par_chunks(part * self.channels[1] * results))
            .map(|(x, gradient)| {
                let mut sums = vec![0.0; count];
                self.correlate(&shifts, x, gradient, &mut sums);
                sums
            })
            .collect();
        let mut parts = parts.into_iter();
        let mut sums = parts.next().unwrap_or_else(|| vec![0.0; count]);
        for part in parts {
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        sums
    }

    fn correlate(&self, shifts: &Shifts, x: &[f32], gradient: &[f32], sums: &mut [f32]) {
        let [read, written] = self.of_group();
        let [area, results] = self.area();
        let depth = read * self.window();
        let (channel, row) = (spaced(shifts.channel()), spaced(shifts.length()));
        let offsets = offsets(shifts, read, channel);
        let strides = [self.channels[1] * row, self.channels[0] * channel];
        let bytes = (strides[0] + strides[1]) * size_of::<f32>();
        let together = (CACHE / bytes).max(1);
        let x = x.chunks(together * self.channels[0] * area);
        for (x, gradient) in x.zip(gradient.chunks(together * self.channels[1] * results)) {
            let images = x.len() / (self.channels[0] * area);
            with_scratch(Scratch::First, images * strides[0], |gradients| {
                let channels = gradients.chunks_exact_mut(row).zip(gradient.chunks_exact(results));
                channels.for_each(|(plane, map)| shifts.spread(map, plane));
                with_scratch(Scratch::Second, images * strides[1] + SLACK, |map| {
                    // Numbers left from other work, times zero, need not be zero.
                    map[images * strides[1]..].fill(0.0);
                    let channels = map.chunks_exact_mut(channel).zip(x.chunks_exact(area));
                    channels.for_each(|(planes, map)| shifts.gather(map, planes, 0.0, |value| value));
                    for (group, out) in sums.chunks_exact_mut(written * depth).enumerate() {
                        dispatch(Correlation {
                            gradients: &gradients[group * written * row..],
                            map: &map[group * read * channel..],
                            offsets: &offsets,
                            out,
                            rows: written,
                            row,
                            length: shifts.length().next_multiple_of(LINE),
                            images,
                            strides,
                            relu: self.relu,
                        });
                    }
                });
            });
        }
    }
}

/// Where each channel's taps lie in planes `channel` apart.
fn offsets(shifts: &Shifts, channels: usize, channel: usize) -> Vec<usize> {
    let of = |one| shifts.taps.iter().map(move |(_, offset)| one * channel + offset);
    (0..channels).flat_map(of).collect()
}

impl Operation<2> for Conv {
    type Kept = ();

    fn shape(&self) -> Vec<usize> {
        let [height, width] = self.slide.output();
        vec![self.batch, self.channels[1], height, width]
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

/// Into how many parts a batch is cut at most for the weights' gradient.
const PARTS: usize = 8;
/// Bytes of planes that are worked on together.
const CACHE: usize = 400 << 10;
/// Bytes of a map that are read where they are: more would meet in the same places of the cache.
const SMALL: usize = 16 << 10;

impl Lowered {
    fn new(
        shifts: Shifts,
        weights: Vec<Vec<f32>>,
        channels: [usize; 2],
        pointwise: bool,
        areas: [usize; 2],
    ) -> Lowered {
        let whole = pointwise && areas[0].is_multiple_of(LINE);
        let in_place = whole && channels[0] * areas[0] * size_of::<f32>() <= SMALL;
        let channel = if in_place { areas[0] } else { spaced(shifts.channel()) };
        let offsets = offsets(&shifts, channels[0], channel);
        Lowered { shifts, weights, offsets, channel, channels, whole, in_place }
    }

    /// One image.
    fn run(&self, from: &[f32], to: &mut [f32], [read, written]: [usize; 2], relu: bool) {
        let groups =
            from.chunks_exact(self.channels[0] * read).zip(to.chunks_exact_mut(self.channels[1] * written));
        for ((from, to), weights) in groups.zip(&self.weights) {
            if self.in_place {
                self.product(weights, from, to, written, relu);
                continue;
            }
            with_scratch(Scratch::First, self.channels[0] * self.channel + SLACK, |planes| {
                let channels = planes.chunks_exact_mut(self.channel).zip(from.chunks_exact(read));
                channels.for_each(|(planes, map)| self.shifts.gather(map, planes, 0.0, |value| value));
                if self.whole {
                    return self.product(weights, planes, to, written, relu);
                }
                let stride = spaced(self.shifts.length());
                with_scratch(Scratch::Second, self.channels[1] * stride + SLACK, |results| {
                    self.product(weights, planes, results, stride, relu);
                    let channels = results.chunks_exact(stride).zip(to.chunks_exact_mut(written));
                    channels.for_each(|(results, map)| self.shifts.scatter(results, map, |value| value));
                });
            });
        }
    }

    fn product(&self, weights: &[f32], map: &[f32], out: &mut [f32], stride: usize, relu: bool) {
        let (offsets, rows, length) = (&self.offsets[..], self.channels[1], self.shifts.length());
        dispatch(Product { weights, offsets, map, out, rows, stride, length, relu });
    }
}
