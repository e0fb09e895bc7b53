//! A window sliding over a map, turned into shifts by constants.
//!
//! A map is copied once into planes that are padded and, where the window strides, split by row and column remainder.
//! On these a tap of the window lies at a constant distance from its result, whatever the stride, the dilation and the
//! padding: rows of results are read and written in whole vectors, and what the vectors cover beyond a row's end is
//! computed and thrown away.

/// Floats that may be read or written beyond the last plane: the widest tile of the kernels.
pub(crate) const SLACK: usize = 64;

/// What lengths are rounded up to: the lanes of the widest vector, which fill a line of the cache.
pub(crate) const LINE: usize = 16;

/// At least `length`, in whole lines of the cache and an odd number of them: what lies so far apart does not meet in
/// the same places of the cache, as it would at multiples of 4 KiB.
pub(crate) fn spaced(length: usize) -> usize {
    (length.div_ceil(LINE) | 1) * LINE
}

/// A window over maps of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slide {
    /// Rows and columns of the map.
    pub(crate) size: [usize; 2],
    /// Rows and columns of the window.
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    /// On both sides.
    pub(crate) padding: [usize; 2],
    pub(crate) dilation: usize,
}

impl Slide {
    /// Rows and columns of the result; the window fits into the padded map.
    pub(crate) fn output(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            let extent = (self.kernel[axis] - 1) * self.dilation + 1;
            (self.size[axis] + 2 * self.padding[axis] - extent) / self.stride[axis] + 1
        })
    }

    /// Whether [`backward`](Slide::backward) reaches every place of the map.
    pub(crate) fn complete(&self) -> bool {
        self.backward().len() == self.stride[0] * self.stride[1]
    }

    /// Whether every result looks at its own place alone.
    pub(crate) fn pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.padding == [0, 0]
    }

    /// From the map to the results.
    pub(crate) fn forward(&self) -> Shifts {
        let reach = |tap: usize| tap * self.dilation;
        let taps: Vec<[usize; 2]> = self.taps().collect();
        let output = self.output();
        let span = |axis: usize| output[axis] + reach(self.kernel[axis] - 1) / self.stride[axis];
        let (rows, pitch) = (span(0), span(1));
        let mut remainders: Vec<[usize; 2]> = Vec::new();
        let mut offsets = Vec::with_capacity(taps.len());
        for (index, tap) in taps.iter().enumerate() {
            let remainder = [0, 1].map(|axis| reach(tap[axis]) % self.stride[axis]);
            let shift = [0, 1].map(|axis| reach(tap[axis]) / self.stride[axis]);
            let view = remainders.iter().position(|known| *known == remainder).unwrap_or_else(|| {
                remainders.push(remainder);
                remainders.len() - 1
            });
            offsets.push((index, (view * rows + shift[0]) * pitch + shift[1]));
        }
        let origin =
            |remainder: [usize; 2]| [0, 1].map(|axis| remainder[axis] as isize - self.padding[axis] as isize);
        Shifts {
            source: self.size,
            views: remainders
                .into_iter()
                .map(|one| View { origin: origin(one), step: self.stride })
                .collect(),
            rows,
            pitch,
            taps: offsets,
            results: output,
            target: output,
            place: View { origin: [0, 0], step: [1, 1] },
        }
    }

    /// From the results' gradients to the map's: one for each row and column remainder that the window reaches.
    pub(crate) fn backward(&self) -> Vec<Shifts> {
        let each = (0..self.stride[0]).flat_map(|row| (0..self.stride[1]).map(move |column| [row, column]));
        each.filter_map(|remainder| self.backward_of(remainder)).collect()
    }

    fn backward_of(&self, remainder: [usize; 2]) -> Option<Shifts> {
        // Places of the padded map with this remainder that lie in the map: `first..first + count`, in strides.
        let first =
            [0, 1].map(|axis| self.padding[axis].saturating_sub(remainder[axis]).div_ceil(self.stride[axis]));
        let count = [0, 1].map(|axis| {
            let end = (self.size[axis] + self.padding[axis]).saturating_sub(remainder[axis]);
            end.div_ceil(self.stride[axis]).saturating_sub(first[axis])
        });
        let reach = |tap: [usize; 2]| [0, 1].map(|axis| tap[axis] * self.dilation);
        let met: Vec<(usize, [usize; 2])> = self
            .taps()
            .enumerate()
            .filter(|(_, tap)| {
                [0, 1].iter().all(|axis| reach(*tap)[*axis] % self.stride[*axis] == remainder[*axis])
            })
            .map(|(index, tap)| (index, [0, 1].map(|axis| reach(tap)[axis] / self.stride[axis])))
            .collect();
        if met.is_empty() || count.contains(&0) {
            return None;
        }
        let most = [0, 1].map(|axis| met.iter().map(|(_, shift)| shift[axis]).max().unwrap_or(0));
        let (rows, pitch) = (count[0] + most[0], count[1] + most[1]);
        let offset = |shift: [usize; 2]| (most[0] - shift[0]) * pitch + most[1] - shift[1];
        let place = [0, 1].map(|axis| {
            (self.stride[axis] * first[axis] + remainder[axis]) as isize - self.padding[axis] as isize
        });
        Some(Shifts {
            source: self.output(),
            views: vec![View {
                origin: [0, 1].map(|axis| first[axis] as isize - most[axis] as isize),
                step: [1, 1],
            }],
            rows,
            pitch,
            taps: met.into_iter().map(|(index, shift)| (index, offset(shift))).collect(),
            results: count,
            target: self.size,
            place: View { origin: place, step: self.stride },
        })
    }

    fn taps(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let [rows, columns] = self.kernel;
        (0..rows).flat_map(move |row| (0..columns).map(move |column| [row, column]))
    }
}

/// A regular grid on a map: the place of its first entry, and the steps to the next row and column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    origin: [isize; 2],
    step: [usize; 2],
}

/// Results as weighted sums of shifted planes.
#[derive(Clone, Debug)]
pub(crate) struct Shifts {
    /// Rows and columns of the map that is read.
    source: [usize; 2],
    /// The planes of a channel, all of `rows` times `pitch`.
    views: Vec<View>,
    rows: usize,
    /// Distance of a row from the next, in planes and in rows of results.
    pub(crate) pitch: usize,
    /// Index of each tap in the window, and its distance from the result in the channel's planes.
    pub(crate) taps: Vec<(usize, usize)>,
    /// Rows and columns of results.
    pub(crate) results: [usize; 2],
    /// Rows and columns of the map that is written.
    target: [usize; 2],
    place: View,
}

impl Shifts {
    /// Floats of a channel's planes.
    pub(crate) fn channel(&self) -> usize {
        self.views.len() * self.rows * self.pitch
    }

    /// Floats from the first result to the last.
    pub(crate) fn length(&self) -> usize {
        (self.results[0] - 1) * self.pitch + self.results[1]
    }

    /// Copies one channel's map, each value as `seen`, into its planes; what lies outside, or behind them, is `filled`.
    #[inline(always)]
    pub(crate) fn gather<T: Copy>(
        &self,
        map: &[T],
        planes: &mut [f32],
        filled: f32,
        seen: impl Fn(T) -> f32 + Copy,
    ) {
        planes[self.channel()..].fill(filled);
        let plane = self.rows * self.pitch;
        for (view, plane) in self.views.iter().zip(planes.chunks_exact_mut(plane)) {
            for (row, line) in plane.chunks_exact_mut(self.pitch).enumerate() {
                let from = view.origin[0] + (row * view.step[0]) as isize;
                match usize::try_from(from).ok().filter(|from| *from < self.source[0]) {
                    Some(from) => self.gather_row(
                        &map[from * self.source[1]..][..self.source[1]],
                        view,
                        line,
                        filled,
                        seen,
                    ),
                    None => line.fill(filled),
                }
            }
        }
    }

    #[inline(always)]
    fn gather_row<T: Copy>(
        &self,
        row: &[T],
        view: &View,
        line: &mut [f32],
        filled: f32,
        seen: impl Fn(T) -> f32,
    ) {
        let (origin, step) = (view.origin[1], view.step[1]);
        // Columns of the plane before the map's first one, and those up to its end.
        let before = if origin < 0 { origin.unsigned_abs().div_ceil(step) } else { 0 }.min(line.len());
        let start = (origin + (before * step) as isize).unsigned_abs();
        let inside = row.len().saturating_sub(start).div_ceil(step).min(line.len() - before);
        let (head, rest) = line.split_at_mut(before);
        let (body, tail) = rest.split_at_mut(inside);
        head.fill(filled);
        tail.fill(filled);
        match step {
            1 => body.iter_mut().zip(&row[start..start + inside]).for_each(|(to, from)| *to = seen(*from)),
            _ if inside > 0 => {
                let every = row[start..].iter().step_by(step);
                body.iter_mut().zip(every).for_each(|(to, from)| *to = seen(*from));
            }
            _ => {}
        }
    }

    /// Copies rows of results, `pitch` apart and each value as `seen`, to their places in one channel's map.
    #[inline(always)]
    pub(crate) fn scatter<T: Copy>(&self, results: &[f32], map: &mut [T], seen: impl Fn(f32) -> T) {
        let [rows, columns] = self.results;
        let start = self.place.origin.map(isize::unsigned_abs);
        for (row, line) in results.chunks(self.pitch).take(rows).enumerate() {
            let to = (start[0] + row * self.place.step[0]) * self.target[1] + start[1];
            match self.place.step[1] {
                1 => map[to..to + columns].iter_mut().zip(line).for_each(|(to, from)| *to = seen(*from)),
                step => {
                    let every = map[to..].iter_mut().step_by(step);
                    every.zip(&line[..columns]).for_each(|(to, from)| *to = seen(*from));
                }
            }
        }
    }

    /// Copies one channel's map of results' gradients into a plane of rows `pitch` apart, zero between them.
    pub(crate) fn spread(&self, map: &[f32], plane: &mut [f32]) {
        let columns = self.results[1];
        let mut lines = plane.chunks_mut(self.pitch);
        for (row, line) in map.chunks_exact(columns).zip(&mut lines) {
            let kept = columns.min(line.len());
            line[..kept].copy_from_slice(&row[..kept]);
            line[kept..].fill(0.0);
        }
        lines.for_each(|line| line.fill(0.0));
    }
}
