//! A region of a raster scaled to a size: bilinear, wide enough when shrinking that nothing is skipped, as Pillow does it.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{InnerPixel, U8, U8x3};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions};

use super::{Raster, Region};
use crate::data::Pictures;

/// Scales; keeps its buffers between pictures.
#[derive(Default)]
pub(super) struct Resizer(fast_image_resize::Resizer);

impl Resizer {
    /// `region` of `from`, which is `[height, width, channels]` bytes, at the size of `shape` (height, width).
    pub(super) fn resize(
        &mut self,
        from: (&[u8], usize, usize, usize),
        region: Region,
        shape: (usize, usize),
    ) -> Result<Raster, String> {
        let (bytes, channels, height, width) = from;
        let mut out = vec![0; shape.0 * shape.1 * channels];
        let region = inside(region, width as f64, height as f64);
        match channels {
            1 => self.typed::<U8>(bytes, (height, width), region, shape, &mut out)?,
            3 => self.typed::<U8x3>(bytes, (height, width), region, shape, &mut out)?,
            _ => return Err(format!("{channels} channels, where only 1 and 3 are known")),
        }
        Ok(Raster { bytes: out, channels, height: shape.0, width: shape.1 })
    }

    // One pixel type at a time: the resizer's untyped entry would be compiled for all that there are.
    fn typed<P: PixelTrait + InnerPixel>(
        &mut self,
        bytes: &[u8],
        (height, width): (usize, usize),
        region: Region,
        shape: (usize, usize),
        out: &mut [u8],
    ) -> Result<(), String> {
        let from = TypedImageRef::<P>::from_buffer(width as u32, height as u32, bytes);
        let from = from.map_err(|error| error.to_string())?;
        let to = TypedImage::<P>::from_buffer(shape.1 as u32, shape.0 as u32, out);
        let mut to = to.map_err(|error| error.to_string())?;
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).crop(
            region.left,
            region.top,
            region.width,
            region.height,
        );
        self.0.resize_typed(&from, &mut to, &options).map_err(|error| error.to_string())
    }
}

/// The region without what rounding let stand out of the picture.
fn inside(region: Region, width: f64, height: f64) -> Region {
    let (left, top) = (region.left.clamp(0.0, width), region.top.clamp(0.0, height));
    Region { left, top, width: region.width.min(width - left), height: region.height.min(height - top) }
}

/// Pictures in memory at another size (height, width).
///
/// # Errors
/// Where they have neither one channel nor three.
pub fn resized(pictures: &Pictures, shape: (usize, usize)) -> Result<Pictures, String> {
    let (channels, height, width) = pictures.shape;
    let mut resizer = Resizer::default();
    let all = Region { left: 0.0, top: 0.0, width: width as f64, height: height as f64 };
    let mut pixels = Vec::with_capacity(pictures.len() * channels * shape.0 * shape.1);
    for plane in pictures.pixels.chunks_exact(height * width) {
        pixels.extend(resizer.resize((plane, 1, height, width), all, shape)?.bytes);
    }
    Ok(Pictures::new(pixels, pictures.labels.to_vec(), (channels, shape.0, shape.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Region = Region { left: 0.0, top: 0.0, width: 4.0, height: 2.0 };

    /// A triangle filter as wide as a target pixel, in f64, over one row of a channel; what lies beside a region counts.
    fn reference(row: &[u8], left: f64, across: f64, to: usize) -> Vec<f64> {
        let scale = across / to as f64;
        let reach = scale.max(1.0);
        let weigh = |target: usize| {
            let centre = left + (target as f64 + 0.5) * scale;
            let weight = |at: usize| (1.0 - ((at as f64 + 0.5 - centre) / reach).abs()).max(0.0);
            let sum: f64 = (0..row.len()).map(weight).sum();
            (0..row.len()).map(|at| weight(at) * f64::from(row[at])).sum::<f64>() / sum
        };
        (0..to).map(weigh).collect()
    }

    #[test]
    fn crops_and_scales_as_a_slow_reference_does() {
        let bytes: Vec<u8> = (0..32u32).map(|at| (at * at * 37 % 251) as u8).collect();
        for (region, to) in
            [((0.0, 32.0), 32), ((0.0, 32.0), 8), ((3.0, 20.0), 7), ((5.0, 10.0), 25), ((31.0, 1.0), 3)]
        {
            let region_ = Region { left: region.0, top: 0.0, width: region.1, height: 1.0 };
            let met = Resizer::default().resize((&bytes, 1, 1, 32), region_, (1, to)).unwrap();
            let wanted = reference(&bytes, region.0, region.1, to);
            let close =
                met.bytes.iter().zip(&wanted).all(|(met, wanted)| (f64::from(*met) - wanted).abs() <= 1.0);
            assert!(close, "{region:?} to {to}: {:?}, not {wanted:?}", met.bytes);
        }
    }

    #[test]
    fn channels_stay_apart_and_a_size_kept_is_a_copy() {
        let colour: Vec<u8> = (0..8).flat_map(|at| [at, 100 + at, 200 + at]).collect();
        let same = Resizer::default().resize((&colour, 3, 2, 4), ALL, (2, 4)).unwrap();
        assert_eq!(same.bytes, colour);
        let dot = Resizer::default().resize((&colour, 3, 2, 4), ALL, (1, 1)).unwrap();
        assert_eq!(dot.bytes, [4, 104, 204]);
        assert!(Resizer::default().resize((&colour, 2, 3, 4), ALL, (1, 1)).is_err());
    }

    #[test]
    fn pictures_in_memory_shrink() {
        let pictures = Pictures::new(vec![0, 0, 40, 40, 100, 100, 100, 100], vec![1, 2], (1, 2, 2));
        let small = resized(&pictures, (1, 1)).unwrap();
        assert_eq!(
            (&small.pixels[..], &small.labels[..], small.shape),
            (&[20, 100][..], &[1, 2][..], (1, 1, 1))
        );
    }
}
