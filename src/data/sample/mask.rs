//! Masks of objects as runs, in COCO's formats.
//!
//! Lin et al., *Microsoft COCO: Common Objects in Context* (2014), <https://arxiv.org/abs/1405.0312>; the rule by which
//! a polygon becomes pixels, and the letters of compressed runs, are those of its tools
//! (`maskApi.c` of <https://github.com/cocodataset/cocoapi>, BSD-2-Clause), so that areas agree with theirs to the pixel.

use super::{Bounds, Plane};

/// The pixels of one object: lengths of runs in column-major order, the first of pixels that are not the object's.
///
/// ```
/// use cellwright::data::Mask;
///
/// let square = Mask::from_polygons(6, 4, &[vec![1.0, 1.0, 4.0, 1.0, 4.0, 3.0, 1.0, 3.0]]);
/// assert_eq!((square.area(), square.runs()), (6, &[5, 2, 2, 2, 2, 2, 9][..]));
/// let bounds = square.bounds().unwrap();
/// assert_eq!((bounds.left, bounds.top, bounds.width, bounds.height), (1.0, 1.0, 3.0, 2.0));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    width: usize,
    height: usize,
    runs: Vec<u32>,
}

impl Mask {
    /// The mask with these runs, which alternate between outside and inside, column after column.
    ///
    /// # Errors
    /// Runs that are not as many pixels as the picture has.
    pub fn from_runs(width: usize, height: usize, runs: Vec<u32>) -> Result<Mask, String> {
        let pixels: u64 = runs.iter().map(|&run| u64::from(run)).sum();
        let mask = Mask { width, height, runs };
        match pixels == (width * height) as u64 {
            true => Ok(mask),
            false => Err(format!(
                "its runs are {pixels} pixels, the picture of {width}x{height} has {}",
                width * height
            )),
        }
    }

    /// COCO's compressed runs: 6 bits a letter from `0`, each run after the second as its difference to the run two before.
    ///
    /// # Errors
    /// Letters that are none of these, and runs that do not fit the picture.
    pub fn from_letters(width: usize, height: usize, letters: &str) -> Result<Mask, String> {
        let mut runs: Vec<i64> = Vec::new();
        let (mut value, mut shift) = (0i64, 0);
        for letter in letters.bytes() {
            let bits = i64::from(letter) - 48;
            if !(0..64).contains(&bits) || shift > 30 {
                return Err(format!("`{}` is no letter of compressed runs here", char::from(letter)));
            }
            value |= (bits & 0x1f) << shift;
            shift += 5;
            if bits & 0x20 == 0 {
                value |= if bits & 0x10 != 0 { -1 << shift } else { 0 };
                value += if runs.len() > 2 { runs[runs.len() - 2] } else { 0 };
                runs.push(value);
                (value, shift) = (0, 0);
            }
        }
        let checked =
            runs.iter().map(|&run| u32::try_from(run).map_err(|_| format!("a run of {run} pixels")));
        Mask::from_runs(width, height, checked.collect::<Result<_, _>>()?)
    }

    /// The pixels in any of the polygons, each a list of x, y, x, y, ..: those whose middle is inside, by COCO's rule.
    pub fn from_polygons(width: usize, height: usize, polygons: &[Vec<f64>]) -> Mask {
        let mut plane = Plane::filled(width, height, false);
        for polygon in polygons {
            let single = Mask { width, height, runs: polygon_runs(polygon, width, height) };
            single.for_each(|x, y| plane.set(x, y, true));
        }
        Mask::from_plane(&plane)
    }

    /// The pixels that are true.
    pub fn from_plane(plane: &Plane<bool>) -> Mask {
        let (width, height) = plane.size();
        let (mut runs, mut inside, mut length) = (Vec::new(), false, 0);
        for x in 0..width {
            for y in 0..height {
                if plane.at(x, y) != inside {
                    runs.push(length);
                    (inside, length) = (!inside, 0);
                }
                length += 1;
            }
        }
        runs.push(length);
        Mask { width, height, runs }
    }

    /// True where the object is.
    pub fn plane(&self) -> Plane<bool> {
        let mut plane = Plane::filled(self.width, self.height, false);
        self.for_each(|x, y| plane.set(x, y, true));
        plane
    }

    /// Visits the object's pixels, column after column.
    pub fn for_each(&self, mut visit: impl FnMut(usize, usize)) {
        let mut start = 0;
        for (index, &run) in self.runs.iter().enumerate() {
            let end = start + run as usize;
            if index % 2 == 1 {
                (start..end).for_each(|pixel| visit(pixel / self.height, pixel % self.height));
            }
            start = end;
        }
    }

    /// `(width, height)` of the picture.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The runs, from pixels outside.
    pub fn runs(&self) -> &[u32] {
        &self.runs
    }

    /// How many pixels it has.
    pub fn area(&self) -> usize {
        self.runs.iter().skip(1).step_by(2).map(|&run| run as usize).sum()
    }

    /// The smallest box round it; `None` where it has no pixels.
    pub fn bounds(&self) -> Option<Bounds> {
        let (mut left, mut top, mut right, mut bottom) = (usize::MAX, usize::MAX, 0, 0);
        self.for_each(|x, y| {
            (left, top) = (left.min(x), top.min(y));
            (right, bottom) = (right.max(x + 1), bottom.max(y + 1));
        });
        let size = |from: usize, to: usize| (to - from) as f64;
        (right > 0).then(|| Bounds {
            left: left as f64,
            top: top as f64,
            width: size(left, right),
            height: size(top, bottom),
        })
    }
}

/// The runs of one polygon: its outline on a grid five times as fine, the crossings of pixels' middles, sorted.
fn polygon_runs(polygon: &[f64], width: usize, height: usize) -> Vec<u32> {
    const SCALE: f64 = 5.0;
    let outline = outline(polygon, SCALE);
    let mut crossings = Vec::new();
    for pair in outline.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        if x0 == x1 {
            continue;
        }
        let x = ((if x1 < x0 { x1 } else { x1 - 1 }) as f64 + 0.5) / SCALE - 0.5;
        if x.floor() != x || x < 0.0 || x > width as f64 - 1.0 {
            continue;
        }
        let y = ((y0.min(y1) as f64 + 0.5) / SCALE - 0.5).clamp(0.0, height as f64).ceil();
        crossings.push(x as usize * height + y as usize);
    }
    crossings.push(width * height);
    crossings.sort_unstable();
    merged(&crossings)
}

/// Runs between sorted crossings, where two at one place cancel.
fn merged(crossings: &[usize]) -> Vec<u32> {
    let mut before = 0;
    let lengths: Vec<u32> =
        crossings.iter().map(|&end| (end - std::mem::replace(&mut before, end)) as u32).collect();
    let mut runs = vec![lengths[0]];
    let mut rest = lengths[1..].iter();
    while let Some(&length) = rest.next() {
        match (length, runs.last_mut()) {
            (0, Some(last)) => *last += rest.next().copied().unwrap_or(0),
            _ => runs.push(length),
        }
    }
    runs
}

/// Every point of the closed outline on the finer grid.
fn outline(polygon: &[f64], scale: f64) -> Vec<(i64, i64)> {
    let mut corners: Vec<(i64, i64)> = polygon
        .chunks_exact(2)
        .map(|point| ((scale * point[0] + 0.5) as i64, (scale * point[1] + 0.5) as i64))
        .collect();
    corners.extend(corners.first().copied());
    let mut points = Vec::new();
    for pair in corners.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let (dx, dy) = ((to.0 - from.0).abs(), (to.1 - from.1).abs());
        let turned = if dx >= dy { from.0 > to.0 } else { from.1 > to.1 };
        let (start, end) = if turned { (to, from) } else { (from, to) };
        let steps = dx.max(dy);
        for step in (0..=steps).map(|step| if turned { steps - step } else { step }) {
            points.push(if dx >= dy {
                let slope = if dx == 0 { 0.0 } else { (end.1 - start.1) as f64 / dx as f64 };
                (start.0 + step, (start.1 as f64 + slope * step as f64 + 0.5) as i64)
            } else {
                let slope = (end.0 - start.0) as f64 / dy as f64;
                ((start.0 as f64 + slope * step as f64 + 0.5) as i64, start.1 + step)
            });
        }
    }
    points
}
