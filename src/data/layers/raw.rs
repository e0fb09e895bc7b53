//! PNG files as they are: the numbers in them, not their colours.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use image::ImageReader;
use png::{BitDepth, ColorType, Transformations};

use crate::data::sample::{Picture, Plane};
use crate::data::{DataError, Place};

/// The numbers of a PNG file, `[height, width, channels]`, of 1 to 16 bits each.
pub(super) struct Raw {
    pub width: usize,
    pub height: usize,
    /// 1 for grey and palettes, 3 for colours, 2 and 4 with opacity.
    pub channels: usize,
    pub bits: usize,
    pub values: Vec<u16>,
}

impl Raw {
    pub fn read(path: &Path) -> Result<Raw, DataError> {
        let file = File::open(path).map_err(DataError::unreadable(path))?;
        Raw::decode(file)
            .map_err(|error| DataError::content(path, format!("no PNG that can be read: {error}")))
    }

    fn decode(file: File) -> Result<Raw, png::DecodingError> {
        let mut decoder = png::Decoder::new(BufReader::new(file));
        decoder.set_transformations(Transformations::IDENTITY);
        let mut reader = decoder.read_info()?;
        let mut bytes = vec![0; reader.output_buffer_size()];
        let info = reader.next_frame(&mut bytes)?;
        let (width, height, bits) = (info.width as usize, info.height as usize, info.bit_depth as usize);
        let channels = info.color_type.samples();
        let mut values = Vec::with_capacity(width * height * channels);
        for row in bytes.chunks_exact(info.line_size).take(height) {
            match info.bit_depth {
                BitDepth::Sixteen => {
                    values.extend(row.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])))
                }
                BitDepth::Eight => values.extend(row.iter().map(|&byte| u16::from(byte))),
                _ => {
                    let mask = (1u16 << bits) - 1;
                    let part = |index: usize| {
                        let bit = index * bits;
                        (u16::from(row[bit / 8]) >> (8 - bits - bit % 8)) & mask
                    };
                    values.extend((0..width * channels).map(part));
                }
            }
        }
        debug_assert!(info.color_type != ColorType::Indexed || channels == 1);
        Ok(Raw { width, height, channels, bits, values })
    }

    /// The file's size, where it is not the picture's: a label belongs to one picture only.
    pub fn check_size(&self, path: &Path, picture: &Picture) -> Result<(), DataError> {
        let (width, height) = picture.size();
        if (self.width, self.height) == (width, height) {
            return Ok(());
        }
        let problem = format!("it is {}x{}, its picture {width}x{height}", self.width, self.height);
        Err(DataError::label(
            path,
            Place::Whole,
            problem,
            "both must be of one size: bring one to the other's, a mask without mixing neighbours",
        ))
    }

    /// The single channel of a map.
    pub fn single(self, path: &Path, what: &str) -> Result<Plane<u16>, DataError> {
        if self.channels == 1 {
            return Ok(Plane::new(self.width, self.height, self.values));
        }
        let problem = format!("a PNG of {} channels; {what}", self.channels);
        Err(DataError::label(path, Place::Whole, problem, "write it as grey or with a palette"))
    }
}

/// A JPEG or PNG file as red, green and blue.
pub(super) fn picture(path: &Path) -> Result<Picture, DataError> {
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format);
    let decoded = reader.map_err(DataError::unreadable(path))?.decode();
    let pixels = decoded
        .map_err(|error| {
            DataError::content(path, format!("cannot be decoded: {}", error.to_string().trim_end()))
        })?
        .to_rgb8();
    let (width, height) = (pixels.width() as usize, pixels.height() as usize);
    Ok(Plane::new(width, height, pixels.pixels().map(|pixel| pixel.0).collect()))
}
