//! The two products that convolutions are made of, over shifted rows: results from weights, weights' gradients from
//! results'. Both hold a tile of sums in registers and read each vector of the map once for all of its sums.

#![allow(clippy::needless_range_loop, reason = "tiles of registers are unrolled by index")]

use pulp::{Simd, WithSimd};

/// Result rows whose weights lie behind each other.
pub(crate) const BLOCK: usize = 8;

/// `out[row][p] = sum over k of weights[row][k] * map[offsets[k] + p]` for `p` up to `length`.
///
/// `out` and `map` have room for whole vectors: up to [`SLACK`](super::plane::SLACK) floats beyond `length`.
pub(crate) struct Product<'a> {
    /// From [`packed`].
    pub(crate) weights: &'a [f32],
    pub(crate) offsets: &'a [usize],
    pub(crate) map: &'a [f32],
    pub(crate) out: &'a mut [f32],
    pub(crate) rows: usize,
    /// Distance of the rows of `out`.
    pub(crate) stride: usize,
    pub(crate) length: usize,
    /// Whether what is below zero in `map` counts as zero.
    pub(crate) relu: bool,
}

/// Weights `value(row, k)` as [`Product`] reads them: blocks of [`BLOCK`] rows, in each the rows of every `k` together.
pub(crate) fn packed(rows: usize, depth: usize, value: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let mut packed = vec![0.0; rows.div_ceil(BLOCK) * BLOCK * depth];
    for row in 0..rows {
        let block = &mut packed[row / BLOCK * BLOCK * depth..][..BLOCK * depth];
        for (k, lane) in block.chunks_exact_mut(BLOCK).enumerate() {
            lane[row % BLOCK] = value(row, k);
        }
    }
    packed
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.relu { self.columns::<S, true>(simd) } else { self.columns::<S, false>(simd) }
    }
}

impl Product<'_> {
    #[inline(always)]
    fn columns<S: Simd, const RELU: bool>(mut self, simd: S) {
        let vectors = self.length.div_ceil(S::F32_LANES);
        let mut done = 0;
        while done < vectors {
            let start = done * S::F32_LANES;
            match vectors - done {
                1 => {
                    self.column::<S, RELU, 1>(simd, start);
                    done += 1;
                }
                2 | 4 => {
                    self.column::<S, RELU, 2>(simd, start);
                    done += 2;
                }
                _ => {
                    self.column::<S, RELU, 3>(simd, start);
                    done += 3;
                }
            }
        }
    }

    /// All rows of `N` vectors.
    #[inline(always)]
    fn column<S: Simd, const RELU: bool, const N: usize>(&mut self, simd: S, start: usize) {
        let blocks = self.rows.div_ceil(BLOCK);
        for block in 0..blocks {
            // What does not fit into the registers is done in two halves.
            if S::REGISTER_COUNT >= 32 {
                self.tile::<S, RELU, BLOCK, N>(simd, start, block, 0);
            } else {
                self.tile::<S, RELU, { BLOCK / 2 }, N>(simd, start, block, 0);
                self.tile::<S, RELU, { BLOCK / 2 }, N>(simd, start, block, BLOCK / 2);
            }
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const RELU: bool, const M: usize, const N: usize>(
        &mut self,
        simd: S,
        start: usize,
        block: usize,
        first: usize,
    ) {
        let depth = self.offsets.len();
        let weights = &self.weights[block * BLOCK * depth..][..BLOCK * depth];
        let row = block * BLOCK + first;
        let zero = simd.splat_f32s(0.0);
        let mut sums = [[zero; N]; M];
        for (lane, offset) in weights.chunks_exact(BLOCK).zip(self.offsets) {
            let (near, _) = S::as_simd_f32s(&self.map[offset + start..][..N * S::F32_LANES]);
            let mut vectors = [zero; N];
            for n in 0..N {
                // In this order what is not a number stays so.
                vectors[n] = if RELU { simd.max_f32s(zero, near[n]) } else { near[n] };
            }
            for m in 0..M {
                let weight = simd.splat_f32s(lane[first + m]);
                for n in 0..N {
                    sums[m][n] = simd.mul_add_e_f32s(weight, vectors[n], sums[m][n]);
                }
            }
        }
        for m in 0..M {
            if row + m < self.rows {
                let line = &mut self.out[(row + m) * self.stride + start..][..N * S::F32_LANES];
                let (line, _) = S::as_mut_simd_f32s(line);
                line[..N].copy_from_slice(&sums[m][..N]);
            }
        }
    }
}

/// `out[row][k] += sum over images and p of gradients[row][p] * map[offsets[k] + p]`.
///
/// Both planes lie image by image. `length` is a whole number of vectors; gradients are zero where no result is.
pub(crate) struct Correlation<'a> {
    pub(crate) gradients: &'a [f32],
    pub(crate) map: &'a [f32],
    pub(crate) offsets: &'a [usize],
    /// `[rows, offsets]`
    pub(crate) out: &'a mut [f32],
    pub(crate) rows: usize,
    /// Distance of the rows of `gradients`.
    pub(crate) row: usize,
    pub(crate) length: usize,
    pub(crate) images: usize,
    /// Distances of the images of `gradients` and `map`.
    pub(crate) strides: [usize; 2],
    /// Whether what is below zero in `map` counts as zero.
    pub(crate) relu: bool,
}

impl WithSimd for Correlation<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.relu { self.all_rows::<S, true>(simd) } else { self.all_rows::<S, false>(simd) }
    }
}

impl Correlation<'_> {
    #[inline(always)]
    fn all_rows<S: Simd, const RELU: bool>(mut self, simd: S) {
        let mut row = 0;
        while row < self.rows {
            match self.rows - row {
                8.. if S::REGISTER_COUNT >= 32 => {
                    self.rows_of::<S, RELU, 8>(simd, row);
                    row += 8;
                }
                4.. => {
                    self.rows_of::<S, RELU, 4>(simd, row);
                    row += 4;
                }
                _ => {
                    self.rows_of::<S, RELU, 1>(simd, row);
                    row += 1;
                }
            }
        }
    }

    #[inline(always)]
    fn rows_of<S: Simd, const RELU: bool, const M: usize>(&mut self, simd: S, row: usize) {
        let mut k = 0;
        while k < self.offsets.len() {
            if self.offsets.len() - k >= 3 {
                self.tile::<S, RELU, M, 3>(simd, row, k);
                k += 3;
            } else {
                self.tile::<S, RELU, M, 1>(simd, row, k);
                k += 1;
            }
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const RELU: bool, const M: usize, const N: usize>(
        &mut self,
        simd: S,
        row: usize,
        k: usize,
    ) {
        let zero = simd.splat_f32s(0.0);
        let mut sums = [[zero; N]; M];
        for image in 0..self.images {
            let gradients = &self.gradients[image * self.strides[0] + row * self.row..][..M * self.row];
            let map = &self.map[image * self.strides[1]..];
            let mut left: [&[S::f32s]; M] = [&[]; M];
            for m in 0..M {
                left[m] = S::as_simd_f32s(&gradients[m * self.row..][..self.length]).0;
            }
            let mut right: [&[S::f32s]; N] = [&[]; N];
            for n in 0..N {
                right[n] = S::as_simd_f32s(&map[self.offsets[k + n]..][..self.length]).0;
            }
            let vectors = left[0].len();
            for m in 0..M {
                left[m] = &left[m][..vectors];
            }
            for n in 0..N {
                right[n] = &right[n][..vectors];
            }
            for v in 0..vectors {
                let mut near = [zero; N];
                for n in 0..N {
                    near[n] = if RELU { simd.max_f32s(zero, right[n][v]) } else { right[n][v] };
                }
                for m in 0..M {
                    let gradient = left[m][v];
                    for n in 0..N {
                        sums[m][n] = simd.mul_add_e_f32s(gradient, near[n], sums[m][n]);
                    }
                }
            }
        }
        for m in 0..M {
            for n in 0..N {
                self.out[(row + m) * self.offsets.len() + k + n] += simd.reduce_sum_f32s(sums[m][n]);
            }
        }
    }
}
