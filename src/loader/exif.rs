//! Which way up a photograph is: the one EXIF tag that matters here.

use super::{Raster, Region};

/// The tag of the orientation in a TIFF directory.
const TAG: u16 = 0x0112;

/// What has to be done to a stored picture to see it upright: perhaps swap rows and columns, then perhaps mirror.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Upright {
    /// Rows of the upright picture are columns of the stored one.
    pub(super) swapped: bool,
    mirrored_across: bool,
    mirrored_down: bool,
}

impl Upright {
    /// From an EXIF block, as it starts after `Exif\0\0`. What cannot be read is upright.
    pub(super) fn from_exif(block: &[u8]) -> Upright {
        orientation(block).map_or(Upright::default(), Upright::from_code)
    }

    /// From EXIF's numbers 1 to 8.
    fn from_code(code: u16) -> Upright {
        let flags =
            |swapped, mirrored_across, mirrored_down| Upright { swapped, mirrored_across, mirrored_down };
        match code {
            2 => flags(false, true, false),
            3 => flags(false, true, true),
            4 => flags(false, false, true),
            5 => flags(true, false, false),
            6 => flags(true, false, true),
            7 => flags(true, true, true),
            8 => flags(true, true, false),
            _ => Upright::default(),
        }
    }

    /// Two sides of the stored picture as those of the upright one, or back.
    pub(super) fn sides<T>(self, sides: (T, T)) -> (T, T) {
        if self.swapped { (sides.1, sides.0) } else { sides }
    }

    /// A region of the upright picture in the stored one of `width` and `height`.
    pub(super) fn stored(self, region: Region, width: usize, height: usize) -> Region {
        let (mut left, mut top) = self.sides((region.left, region.top));
        let (across, down) = self.sides((region.width, region.height));
        if self.mirrored_across {
            left = width as f64 - left - across;
        }
        if self.mirrored_down {
            top = height as f64 - top - down;
        }
        Region { left, top, width: across, height: down }
    }

    /// The stored raster, upright.
    pub(super) fn turn(self, stored: Raster) -> Raster {
        if self == Upright::default() {
            return stored;
        }
        let (height, width) = self.sides((stored.height, stored.width));
        let mut bytes = Vec::with_capacity(stored.bytes.len());
        for row in 0..height {
            for column in 0..width {
                let (mut y, mut x) = self.sides((row, column));
                if self.mirrored_across {
                    x = stored.width - 1 - x;
                }
                if self.mirrored_down {
                    y = stored.height - 1 - y;
                }
                let start = (y * stored.width + x) * stored.channels;
                bytes.extend_from_slice(&stored.bytes[start..start + stored.channels]);
            }
        }
        Raster { bytes, channels: stored.channels, height, width }
    }
}

/// The orientation's number in the first directory of a TIFF block.
fn orientation(block: &[u8]) -> Option<u16> {
    let little = match block.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let two: [u8; 2] = block.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(two) } else { u16::from_be_bytes(two) })
    };
    let (first, second) = (usize::from(short(4)?), usize::from(short(6)?));
    let directory = if little { second << 16 | first } else { first << 16 | second };
    let entries = usize::from(short(directory)?);
    let entry = |index: usize| directory + 2 + index * 12;
    let found = (0..entries).map(entry).find(|&at| short(at) == Some(TAG))?;
    short(found + 8)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An EXIF block with one orientation, after `Exif\0\0`.
    pub fn block(code: u16, little: bool) -> Vec<u8> {
        let two = |value: u16| if little { value.to_le_bytes() } else { value.to_be_bytes() };
        let four = |value: u32| if little { value.to_le_bytes() } else { value.to_be_bytes() };
        let head: &[u8] = if little { b"II*\0" } else { b"MM\0*" };
        [head, &four(8), &two(1), &two(TAG), &two(3), &four(1), &two(code), &two(0), &four(0)].concat()
    }

    #[test]
    fn the_tag_is_read_in_either_byte_order_and_nonsense_is_upright() {
        for little in [true, false] {
            assert_eq!(orientation(&block(6, little)), Some(6));
            let whole = block(6, little);
            (0..whole.len() - 6).for_each(|length| {
                let _ = orientation(&whole[..length]);
            });
        }
        for nonsense in [&b""[..], b"II*\0\xff\xff\xff\xff", b"what is this thing"] {
            assert_eq!(Upright::from_exif(nonsense), Upright::default());
        }
    }

    #[test]
    fn every_orientation_turns_as_the_standard_says() {
        // Stored: 1 2 3 / 4 5 6. What stands in the upper left, and the rows, of the upright picture.
        let wanted: [&[u8]; 8] = [
            &[1, 2, 3, 4, 5, 6],
            &[3, 2, 1, 6, 5, 4],
            &[6, 5, 4, 3, 2, 1],
            &[4, 5, 6, 1, 2, 3],
            &[1, 4, 2, 5, 3, 6],
            &[4, 1, 5, 2, 6, 3],
            &[6, 3, 5, 2, 4, 1],
            &[3, 6, 2, 5, 1, 4],
        ];
        for (code, wanted) in (1..).zip(wanted) {
            let stored = Raster { bytes: vec![1, 2, 3, 4, 5, 6], channels: 1, height: 2, width: 3 };
            let upright = Upright::from_code(code);
            let turned = upright.turn(stored.clone());
            assert_eq!(turned.bytes, wanted, "orientation {code}");
            // The upper left pixel of the upright picture, as a region, lies where it is stored.
            let corner = Region { left: 0.0, top: 0.0, width: 1.0, height: 1.0 };
            let Region { left, top, .. } = upright.stored(corner, 3, 2);
            assert_eq!(stored.bytes[top as usize * 3 + left as usize], wanted[0], "orientation {code}");
        }
    }
}
