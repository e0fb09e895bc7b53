//! The embedded data set: 1,797 handwritten digits of 8x8 pixels.
//!
//! E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository (1998),
//! <https://doi.org/10.24432/C50P49>, CC BY 4.0: the test part of the set, pixels 0 to 16, then the class.

use std::io::Read;

use super::{DataError, Dataset, Pictures, split};

const CSV: &[u8] = include_bytes!("digits.csv.gz");
const NAME: &str = "digits";

/// 1,200 pictures to learn from, 300 to rank by, and 297 to test with (to within a picture a class).
pub(super) fn load() -> Result<Dataset, DataError> {
    let pictures = read()?;
    let (rest, test) = split::take(&pictures, 297.0 / 1797.0, "test");
    let (train, validation) = split::take(&rest, 0.2, "validation");
    Dataset::new(NAME, [train, validation, test], (0..10).map(|digit| digit.to_string()).collect())
}

fn read() -> Result<Pictures, DataError> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(CSV).read_to_string(&mut text).map_err(DataError::unreadable(NAME))?;
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let mut row = parse(line)?;
        labels.push(row.pop().ok_or_else(|| DataError::content(NAME, "an empty line"))?);
        pixels.extend(row.iter().map(|&level| (level * 255 / 16) as u8));
    }
    Ok(Pictures::new(pixels, labels, (1, 8, 8)))
}

fn parse(line: &str) -> Result<Vec<u16>, DataError> {
    let number =
        |cell: &str| cell.parse().map_err(|_| DataError::content(NAME, format!("`{cell}` is no number")));
    line.split(',').map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_digits_are_all_there_and_split_for_good() {
        let data = load().unwrap();
        let sizes = [&data.train, &data.validation, &data.test].map(Pictures::len);
        assert_eq!(sizes.iter().sum::<usize>(), 1797);
        insta::assert_debug_snapshot!(sizes, @"
        [
            1200,
            300,
            297,
        ]
        ");
        assert_eq!(data.shape(), (1, 8, 8));
        assert!((0.25..0.35).contains(&data.mean[0]), "{:?}", data.mean);
        for digit in 0..10 {
            assert!(data.validation.labels.iter().filter(|&&label| label == digit).count() >= 28);
        }
    }
}
