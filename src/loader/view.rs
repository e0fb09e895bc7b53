//! The last look at a picture of the right size: moved, mirrored, with a hole, and normalised, in one pass over its bytes.
//!
//! What is moved in from outside is black; a hole ([DeVries and Taylor 2017](https://arxiv.org/abs/1708.04552)) has the
//! mean's colour, which is zero after normalising.

use std::ops::Range;

use rand::RngExt;

use super::Raster;
use crate::random::Rng;
use crate::recipe::Augment;

/// What every byte of every channel becomes.
#[derive(Clone, Debug)]
pub struct Tables<T> {
    values: Vec<[T; 256]>,
    /// What a hole is filled with, by channel.
    hole: Vec<T>,
}

impl Tables<f32> {
    /// Numbers of mean 0 and deviation 1: `mean` and `deviation` of each channel are of pixels in [0, 1]. A channel that
    /// never varies is only centred.
    pub fn new(mean: &[f32], deviation: &[f32]) -> Tables<f32> {
        let table = |(mean, deviation): (&f32, &f32)| {
            let deviation = if *deviation > 0.0 { *deviation } else { 1.0 };
            std::array::from_fn(|byte| (byte as f32 / 255.0 - mean) / deviation)
        };
        Tables { values: mean.iter().zip(deviation).map(table).collect(), hole: vec![0.0; mean.len()] }
    }
}

impl Tables<u8> {
    /// Bytes as they are, for a device that normalises itself.
    pub fn bytes(mean: &[f32]) -> Tables<u8> {
        let hole = mean.iter().map(|mean| (mean * 255.0).round() as u8).collect();
        Tables { values: vec![std::array::from_fn(|byte| byte as u8); mean.len()], hole }
    }
}

/// How one picture is looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Rows and columns that the picture is moved down and right by.
    pub moved: (isize, isize),
    /// Left and right swapped.
    pub mirrored: bool,
    /// Rows and columns of the hole.
    pub cut: Option<(Range<usize>, Range<usize>)>,
}

impl View {
    /// Draws a view of a picture of `height` and `width`.
    pub fn draw(augment: &Augment, height: usize, width: usize, rng: &mut Rng) -> View {
        let reach = augment.crop as i64;
        let mut shift = || if reach == 0 { 0 } else { rng.random_range(-reach..=reach) as isize };
        let moved = (shift(), shift());
        let mirrored = augment.flip && rng.random::<bool>();
        let cut = (augment.cutout > 0).then(|| {
            let mut side = |size: usize| {
                let centre = rng.random_range(0..size);
                let start = centre.saturating_sub(augment.cutout / 2);
                start..(centre + augment.cutout.div_ceil(2)).min(size)
            };
            (side(height), side(width))
        });
        View { moved, mirrored, cut }
    }

    /// The picture's row that stands in `row` of the view; `None` where nothing does.
    pub fn source_row(&self, row: usize, height: usize) -> Option<usize> {
        row.checked_add_signed(-self.moved.0).filter(|row| *row < height)
    }

    /// The picture's column that stands in `column` of the view; `None` where nothing does.
    pub fn source_column(&self, column: usize, width: usize) -> Option<usize> {
        let column = if self.mirrored { width - 1 - column } else { column };
        column.checked_add_signed(-self.moved.1).filter(|column| *column < width)
    }

    /// Appends the view of `[channels, height, width]` bytes to `out`, laid out alike.
    pub fn write<T: Copy>(&self, bytes: &[u8], sides: (usize, usize), tables: &Tables<T>, out: &mut Vec<T>) {
        let area = sides.0 * sides.1;
        self.write_strided(bytes, sides, (area, 1), tables, out);
    }

    /// Appends the view of a raster, `[channels, height, width]`, to `out`.
    pub(super) fn write_raster<T: Copy>(&self, raster: &Raster, tables: &Tables<T>, out: &mut Vec<T>) {
        self.write_strided(&raster.bytes, (raster.height, raster.width), (1, raster.channels), tables, out);
    }

    /// `strides` are the distances between channels and between neighbours of a row.
    fn write_strided<T: Copy>(
        &self,
        bytes: &[u8],
        (height, width): (usize, usize),
        strides: (usize, usize),
        tables: &Tables<T>,
        out: &mut Vec<T>,
    ) {
        // What of a row comes from the picture: so many columns, from one of its own to one of the view's.
        let (from, to) = (span(-self.moved.1, width).start, span(self.moved.1, width));
        for (channel, (table, hole)) in tables.values.iter().zip(&tables.hole).enumerate() {
            let start = out.len();
            out.resize(start + height * width, table[0]);
            let plane = &mut out[start..];
            for row in span(self.moved.0, height) {
                let source = row.wrapping_add_signed(-self.moved.0);
                let first = channel * strides.0 + (source * width + from) * strides.1;
                let line = &mut plane[row * width..][to.clone()];
                let values = bytes[first..].iter().step_by(strides.1);
                line.iter_mut().zip(values).for_each(|(value, byte)| *value = table[usize::from(*byte)]);
            }
            if self.mirrored {
                plane.chunks_exact_mut(width).for_each(<[T]>::reverse);
            }
            if let Some((rows, columns)) = &self.cut {
                rows.clone().for_each(|row| plane[row * width..][columns.clone()].fill(*hole));
            }
        }
    }
}

/// Where on a side of `size` a picture moved by `moved` lies.
fn span(moved: isize, size: usize) -> Range<usize> {
    let size = size as isize;
    let (start, end) = (moved.clamp(0, size), (size + moved).clamp(0, size));
    start as usize..end as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    fn plain(channels: usize) -> Tables<f32> {
        Tables::<f32>::new(&vec![0.0; channels], &vec![1.0 / 255.0; channels])
    }

    fn seen(view: &View) -> Vec<f32> {
        let mut out = Vec::new();
        view.write(&[1, 2, 3, 4, 5, 6], (2, 3), &plain(1), &mut out);
        out.iter().map(|value| value.round()).collect()
    }

    #[test]
    fn views_move_mirror_and_cut() {
        assert_eq!(seen(&View::default()), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let moved = View { moved: (1, -1), ..View::default() };
        assert_eq!(seen(&moved), [0.0, 0.0, 0.0, 2.0, 3.0, 0.0]);
        let mirrored = View { mirrored: true, ..View::default() };
        assert_eq!(seen(&mirrored), [3.0, 2.0, 1.0, 6.0, 5.0, 4.0]);
        let cut = View { cut: Some((0..1, 1..3)), ..View::default() };
        assert_eq!(seen(&cut), [1.0, 0.0, 0.0, 4.0, 5.0, 6.0]);
    }

    /// Pixel by pixel, as one would write it down.
    fn reference(view: &View, bytes: &[u8], channels: usize, height: usize, width: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for channel in 0..channels {
            for row in 0..height {
                for column in 0..width {
                    let column_ = if view.mirrored { width - 1 - column } else { column };
                    let (y, x) = (row as isize - view.moved.0, column_ as isize - view.moved.1);
                    let inside = (0..height as isize).contains(&y) && (0..width as isize).contains(&x);
                    let hole = view
                        .cut
                        .as_ref()
                        .is_some_and(|(rows, columns)| rows.contains(&row) && columns.contains(&column));
                    let at = || (channel * height + y as usize) * width + x as usize;
                    out.push(if hole {
                        128
                    } else if inside {
                        bytes[at()]
                    } else {
                        0
                    });
                }
            }
        }
        out
    }

    #[test]
    fn drawn_views_equal_a_slow_reference_in_both_layouts() {
        let (channels, height, width) = (3, 7, 9);
        let bytes: Vec<u8> = (0..channels * height * width).map(|at| (at * 53 % 255) as u8 + 1).collect();
        let interleaved = (0..height * width)
            .flat_map(|at| (0..channels).map(move |channel| channel * height * width + at))
            .map(|at| bytes[at])
            .collect();
        let raster = Raster { bytes: interleaved, channels, height, width };
        let tables = Tables::bytes(&[0.5; 3]);
        let mut rng = Seed(4).stream(0, "test");
        for reach in [0, 2, 12] {
            let augment = Augment { crop: reach, flip: true, cutout: 4, ..Augment::default() };
            for _ in 0..50 {
                let view = View::draw(&augment, height, width, &mut rng);
                let (mut planar, mut other) = (Vec::new(), Vec::new());
                view.write(&bytes, (height, width), &tables, &mut planar);
                view.write_raster(&raster, &tables, &mut other);
                assert_eq!(planar, reference(&view, &bytes, channels, height, width), "{view:?}");
                assert_eq!(other, planar);
            }
        }
    }

    #[test]
    fn draws_stay_in_bounds_and_reach_them() {
        let augment = Augment { crop: 2, flip: true, cutout: 3, ..Augment::default() };
        let mut rng = Seed(5).stream(0, "test");
        let views: Vec<View> = (0..500).map(|_| View::draw(&augment, 8, 8, &mut rng)).collect();
        let rows: Vec<isize> = views.iter().map(|view| view.moved.0).collect();
        assert_eq!((rows.iter().min(), rows.iter().max()), (Some(&-2), Some(&2)));
        assert!((150..350).contains(&views.iter().filter(|view| view.mirrored).count()));
        for view in views {
            let (rows, columns) = view.cut.expect("cutout is on");
            assert!(rows.end <= 8 && columns.end <= 8 && (2..=3).contains(&rows.len()));
        }
        assert_eq!(View::draw(&Augment::default(), 8, 8, &mut rng), View::default());
    }

    #[test]
    fn normalised_channels_have_mean_zero_and_deviation_one() {
        let tables = Tables::<f32>::new(&[0.5, 0.2], &[0.25, 0.0]);
        let mut out = Vec::new();
        View::default().write(&[255, 51], (1, 1), &tables, &mut out);
        assert!((out[0] - 2.0).abs() < 1e-6 && out[1].abs() < 1e-6, "{out:?}");
    }
}
