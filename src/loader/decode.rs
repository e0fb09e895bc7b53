//! A file's bytes to a raster: JPEG and PNG, looked at only where and as finely as is asked for.
//!
//! Large JPEGs are decoded at a quarter or an eighth of their size, which costs less than decoding them whole, where that
//! is still no coarser than what is wanted; smaller steps were measured to cost more than they save. A file's header is
//! checked before anything is allocated for its pixels.

use std::io::Cursor;

use image::codecs::png::PngDecoder;
use image::{DynamicImage, ImageDecoder, Limits};
use zune_core::bytestream::ZCursor;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::exif::Upright;
use super::resize::Resizer;
use super::{Raster, Region};

/// Most pixels of a picture: more than cameras make.
const MOST_PIXELS: usize = 1 << 27;
/// From this many stored pixels for each one wanted, along both sides, a JPEG is decoded smaller.
const SCALED_FROM: f64 = 4.0;

/// Decodes; keeps its buffers between pictures. One a thread.
#[derive(Default)]
pub(super) struct Decoder {
    resizer: Resizer,
    pixels: Vec<u8>,
}

impl Decoder {
    /// What `choose` asks for of the picture in `file`, upright, at the size of `shape` (height, width). `choose` hears the
    /// picture's width and height. Returns 3 channels, or 1.
    pub(super) fn decode(
        &mut self,
        file: &[u8],
        channels: usize,
        shape: (usize, usize),
        choose: impl FnOnce(usize, usize) -> Region,
    ) -> Result<Raster, String> {
        let raster = match file {
            [] => return Err("the file is empty".into()),
            [0xff, 0xd8, ..] => self.jpeg(file, shape, choose)?,
            [0x89, b'P', b'N', b'G', ..] => self.png(file, shape, choose)?,
            _ => return Err("neither a JPEG nor a PNG by its first bytes".into()),
        };
        Ok(raster.with_channels(channels))
    }

    /// `choose`'s region of a raster in memory.
    pub(super) fn cut(
        &mut self,
        from: Raster,
        shape: (usize, usize),
        region: Region,
    ) -> Result<Raster, String> {
        self.resizer.resize((&from.bytes, from.channels, from.height, from.width), region, shape)
    }

    fn jpeg(
        &mut self,
        file: &[u8],
        shape: (usize, usize),
        choose: impl FnOnce(usize, usize) -> Region,
    ) -> Result<Raster, String> {
        check_end(file)?;
        let most = usize::from(u16::MAX);
        let options = DecoderOptions::default().set_max_width(most).set_max_height(most);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
        decoder.decode_headers().map_err(said)?;
        let (width, height) = decoder.dimensions().ok_or("the header names no size")?;
        check_size(width, height)?;
        let upright = decoder.exif().map_or(Upright::default(), |block| Upright::from_exif(block));
        let (across, down) = upright.sides((width, height));
        let region = upright.stored(choose(across, down), width, height);
        let (rows, columns) = upright.sides(shape);
        let finer = (region.width / columns as f64).min(region.height / rows as f64);
        let small = if finer >= SCALED_FROM { scaled(file, (width, height), finer) } else { None };
        let stored = match small {
            Some(small) => {
                let share = (small.width as f64 / width as f64, small.height as f64 / height as f64);
                let region = region.scaled(share);
                self.cut(small, (rows, columns), region)?
            }
            None => {
                let size = decoder.output_buffer_size().ok_or("the header names no size")?;
                self.pixels.resize(size, 0);
                decoder.decode_into(&mut self.pixels).map_err(said)?;
                self.resizer.resize(
                    (&self.pixels, size / (width * height), height, width),
                    region,
                    (rows, columns),
                )?
            }
        };
        Ok(upright.turn(stored))
    }

    fn png(
        &mut self,
        file: &[u8],
        shape: (usize, usize),
        choose: impl FnOnce(usize, usize) -> Region,
    ) -> Result<Raster, String> {
        let mut limits = Limits::default();
        limits.max_alloc = Some(16 * MOST_PIXELS as u64);
        let decoder = PngDecoder::with_limits(Cursor::new(file), limits).map_err(said)?;
        let (width, height) = decoder.dimensions();
        check_size(width as usize, height as usize)?;
        let picture = DynamicImage::from_decoder(decoder).map_err(said)?;
        let (width, height) = (width as usize, height as usize);
        let from = Raster { bytes: picture.into_rgb8().into_raw(), channels: 3, height, width };
        self.cut(from, shape, choose(width, height))
    }
}

impl Region {
    fn scaled(self, (across, down): (f64, f64)) -> Region {
        Region {
            left: self.left * across,
            top: self.top * down,
            width: self.width * across,
            height: self.height * down,
        }
    }
}

impl Raster {
    /// The same with 1 channel (the luma of ITU-R 601, as Pillow rounds it) or 3.
    fn with_channels(self, channels: usize) -> Raster {
        let bytes = match (self.channels, channels) {
            (3, 1) => self.bytes.chunks_exact(3).map(|pixel| luma([pixel[0], pixel[1], pixel[2]])).collect(),
            (1, 3) => self.bytes.iter().flat_map(|&value| [value; 3]).collect(),
            _ => return self,
        };
        Raster { bytes, channels, ..self }
    }
}

/// How bright a pixel is.
pub(super) fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((u32::from(red) * 19595 + u32::from(green) * 38470 + u32::from(blue) * 7471 + 0x8000) >> 16) as u8
}

/// What a decoder says, on one line.
fn said(error: impl std::fmt::Display) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn check_size(width: usize, height: usize) -> Result<(), String> {
    match width * height {
        0 => Err(format!("its header says {width}x{height} pixels")),
        1..=MOST_PIXELS => Ok(()),
        _ => Err(format!(
            "its header says {width}x{height} pixels, more than the {MOST_PIXELS} that are decoded"
        )),
    }
}

/// Decoders paint what is missing grey. Between a scan and the end of a JPEG no marker can stand by chance.
fn check_end(file: &[u8]) -> Result<(), String> {
    let last = |marker: u8| file.windows(2).rposition(|two| two == [0xff, marker]);
    match (last(0xd9), last(0xda)) {
        (Some(end), Some(scan)) if end > scan => Ok(()),
        _ => Err("cut short: the end of its last scan is missing".into()),
    }
}

/// A JPEG of `sides` (width, height) decoded at a quarter or an eighth, not coarser than `finer` times; `None` where it
/// has other channels than colour or grey, or needs a decoder that takes more than the standard allows.
fn scaled(file: &[u8], sides: (usize, usize), finer: f64) -> Option<Raster> {
    let parts = if finer >= 8.0 { 8 } else { 4 };
    let mut decoder = jpeg_decoder::Decoder::new(file);
    decoder.read_info().ok()?;
    let channels = match decoder.info()?.pixel_format {
        jpeg_decoder::PixelFormat::L8 => 1,
        jpeg_decoder::PixelFormat::RGB24 => 3,
        _ => return None,
    };
    let part = |side: usize| side.div_ceil(parts) as u16;
    let (width, height) = decoder.scale(part(sides.0), part(sides.1)).ok()?;
    let bytes = decoder.decode().ok()?;
    let (width, height) = (usize::from(width), usize::from(height));
    (bytes.len() == width * height * channels).then_some(Raster { bytes, channels, height, width })
}

#[cfg(test)]
mod tests;
