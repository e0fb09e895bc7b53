//! Every kind of file that is met in the wild, and what is no picture at all.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage};

use super::super::exif::tests::block;
use super::*;

/// Smooth colours, so that JPEG's losses stay small.
fn picture(width: u32, height: u32) -> RgbImage {
    let shade = |at: u32, of: u32| (40 + 180 * at / of.max(1)) as u8;
    RgbImage::from_fn(width, height, |x, y| Rgb([shade(x, width), shade(y, height), 90]))
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, 95);
    encoder.encode(picture, picture.width(), picture.height(), ExtendedColorType::Rgb8).unwrap();
    file
}

fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.into().write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

fn whole(width: usize, height: usize) -> Region {
    Region { left: 0.0, top: 0.0, width: width as f64, height: height as f64 }
}

fn decoded(file: &[u8], channels: usize, shape: (usize, usize)) -> Result<Raster, String> {
    Decoder::default().decode(file, channels, shape, whole)
}

#[track_caller]
fn close(met: &[u8], wanted: &[u8], most: u8) {
    assert_eq!(met.len(), wanted.len());
    let off = met.iter().zip(wanted).map(|(met, wanted)| met.abs_diff(*wanted)).max();
    assert!(off <= Some(most), "{off:?} apart: {:?} .. not {:?} ..", &met[..12], &wanted[..12]);
}

#[test]
fn colour_and_grey_jpegs_and_pngs_are_read() {
    let original = picture(24, 16);
    close(&decoded(&jpeg(&original), 3, (16, 24)).unwrap().bytes, &original, 4);
    assert_eq!(decoded(&png(original.clone()), 3, (16, 24)).unwrap().bytes, *original);
    // ITU-R 601.
    let shade = |pixel: &Rgb<u8>| {
        let [red, green, blue] = pixel.0.map(f64::from);
        (0.299 * red + 0.587 * green + 0.114 * blue).round() as u8
    };
    let grey: Vec<u8> = original.pixels().map(shade).collect();
    let from_colour = decoded(&png(original), 1, (16, 24)).unwrap();
    assert_eq!(from_colour.channels, 1);
    close(&from_colour.bytes, &grey, 2);
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 95).encode(&grey, 24, 16, ExtendedColorType::L8).unwrap();
    let spread: Vec<u8> = grey.iter().flat_map(|&value| [value; 3]).collect();
    close(&decoded(&file, 3, (16, 24)).unwrap().bytes, &spread, 4);
}

#[test]
fn deep_pngs_alpha_and_single_pixels_are_read() {
    let deep: ImageBuffer<Rgb<u16>, _> = ImageBuffer::from_pixel(3, 2, Rgb([0, 0x8080, 0xffff]));
    assert_eq!(decoded(&png(deep), 3, (1, 1)).unwrap().bytes, [0, 128, 255]);
    let depth: ImageBuffer<Luma<u16>, _> = ImageBuffer::from_pixel(3, 2, Luma([0x4040]));
    assert_eq!(decoded(&png(depth), 1, (2, 3)).unwrap().bytes, [64; 6]);
    let clear = image::RgbaImage::from_pixel(2, 2, image::Rgba([9, 8, 7, 0]));
    assert_eq!(decoded(&png(clear), 3, (1, 1)).unwrap().bytes, [9, 8, 7]);
    let dot = picture(1, 1);
    assert_eq!(decoded(&png(dot.clone()), 3, (2, 2)).unwrap().bytes, dot.repeat(4));
    close(&decoded(&jpeg(&dot), 3, (2, 2)).unwrap().bytes, &dot.repeat(4), 4);
}

#[test]
fn four_colour_and_progressive_jpegs_are_read() {
    // Made with Pillow: 16x16, the left half red, the right half blue; saved as CMYK, and as progressive RGB.
    for file in [&include_bytes!("cmyk.jpg")[..], include_bytes!("progressive.jpg")] {
        let Raster { bytes, .. } = decoded(file, 3, (16, 16)).unwrap();
        close(&bytes[..3], &[255, 0, 0], 12);
        close(&bytes[16 * 3 * 16 - 3..], &[0, 0, 255], 12);
    }
}

#[test]
fn rotated_photographs_stand_upright() {
    let upright = picture(8, 24);
    let lying = image::imageops::rotate270(&upright);
    let plain = jpeg(&lying);
    let exif = [b"Exif\0\0", &block(6, true)[..]].concat();
    let segment = [&[0xff, 0xe1][..], &(exif.len() as u16 + 2).to_be_bytes(), &exif].concat();
    let file = [&plain[..2], &segment, &plain[2..]].concat();
    let mut heard = (0, 0);
    let middle = |width, height| {
        heard = (width, height);
        Region { left: 0.0, top: 0.0, width: 8.0, height: 8.0 }
    };
    let met = Decoder::default().decode(&file, 3, (8, 8), middle).unwrap();
    assert_eq!(heard, (8, 24));
    let wanted = image::imageops::crop_imm(&upright, 0, 0, 8, 8).to_image();
    close(&met.bytes, &wanted, 6);
}

#[test]
fn a_large_jpeg_decoded_smaller_looks_the_same() {
    let original = picture(1000, 700);
    let file = jpeg(&original);
    for shape in [(70, 100), (150, 200)] {
        let region = Region { left: 100.0, top: 50.0, width: 850.0, height: 640.0 };
        let met = Decoder::default().decode(&file, 3, shape, |_, _| region).unwrap();
        let from = Raster { bytes: original.to_vec(), channels: 3, height: 700, width: 1000 };
        let wanted = Decoder::default().cut(from, shape, region).unwrap();
        close(&met.bytes, &wanted.bytes, 6);
    }
    assert_eq!(scaled(&file, (1000, 700), 4.0).map(|small| (small.width, small.height)), Some((250, 175)));
}

#[test]
fn what_is_no_picture_is_refused_with_a_reason() {
    let file = jpeg(&picture(64, 64));
    let said = |file: &[u8]| decoded(file, 3, (8, 8)).unwrap_err();
    assert!(said(b"").contains("empty"));
    assert!(said(b"GIF89a").contains("neither a JPEG nor a PNG"));
    for length in [2, 20, 300, file.len() / 2, file.len() - 2] {
        said(&file[..length]);
    }
    assert!(said(&file[..file.len() - 2]).contains("cut short"));
    let whole = png(picture(64, 64));
    for length in [8, 20, 40, whole.len() / 2] {
        said(&whole[..length]);
    }
}

#[test]
fn a_header_of_absurd_size_is_refused_before_anything_is_allocated() {
    let mut file = jpeg(&picture(64, 64));
    let frame = file.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
    file[frame + 5..frame + 9].fill(0xff);
    let error = decoded(&file, 3, (8, 8)).unwrap_err();
    assert!(error.contains("65535x65535 pixels, more than"), "{error}");
    let mut file = png(picture(64, 64));
    file[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    decoded(&file, 3, (8, 8)).unwrap_err();
    let mut decoder = Decoder::default();
    decoder.decode(&file, 3, (8, 8), whole).unwrap_err();
    assert_eq!(decoder.pixels.capacity(), 0);
}
