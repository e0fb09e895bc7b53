//! Classes of pixels in PNG files: grey or palette, each value the number of a class.

use std::path::{Path, PathBuf};

use super::names::Ids;
use super::raw::Raw;
use super::{Keys, Reader};
use crate::data::sample::{IGNORE, Label, Sample};
use crate::data::{Classes, DataError, Place};

pub(super) struct Masks {
    folder: PathBuf,
    suffix: String,
    ids: Ids,
    ignored: Vec<u32>,
}

impl Masks {
    pub fn open(
        folder: &Path,
        suffix: &str,
        ids: Ids,
        ignored: &[u32],
        keys: &Keys,
    ) -> Result<Masks, DataError> {
        super::beside(folder, suffix.trim_start_matches('.'), keys.names())?;
        Ok(Masks { folder: folder.into(), suffix: suffix.into(), ids, ignored: ignored.to_vec() })
    }
}

impl Reader for Masks {
    fn gives(&self) -> Vec<Label> {
        vec![Label::Segmentation]
    }

    fn name_classes(&self, classes: &mut Classes) {
        classes.segmentation = self.ids.names.clone();
    }

    /// A picture without a file is not annotated: nothing is known of its pixels.
    fn label(&self, key: &str, sample: &mut Sample) -> Result<(), DataError> {
        let path = self.folder.join(format!("{key}{}", self.suffix));
        if !path.exists() {
            return Ok(());
        }
        let raw = Raw::read(&path)?;
        raw.check_size(&path, &sample.picture)?;
        let plane = raw.single(&path, "a mask holds one number a pixel")?;
        let class = |value: u16| match self.ids.index(u64::from(value)) {
            Some(class) => Some(class),
            None => self.ignored.contains(&u32::from(value)).then_some(IGNORE),
        };
        if let Some(pixel) = plane.values().iter().position(|&value| class(value).is_none()) {
            let (value, width) = (plane.values()[pixel], plane.width());
            let problem = format!(
                "class {value}, at pixel ({}, {}), is not in the class map of {}",
                pixel % width,
                pixel / width,
                self.ids.range()
            );
            let hint = "add it to `classes`, or to `ignored` where such pixels shall not count";
            return Err(DataError::label(path, Place::Whole, problem, hint));
        }
        sample.segmentation = Some(plane.map(|value| class(value).unwrap_or(IGNORE)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Picture;

    fn read(values: &[u8], width: u32, height: u32) -> Result<Sample, String> {
        let folder = tempfile::tempdir().unwrap();
        image::save_buffer(folder.path().join("a.png"), values, width, height, image::ColorType::L8).unwrap();
        let ids = Ids::new([(1, "cat".into()), (9, "dog".into())]);
        let keys = Keys::listed(folder.path(), &["a", "b"], false);
        let masks = Masks::open(folder.path(), ".png", ids, &[0], &keys).unwrap();
        let mut sample = Sample::unlabelled("a", Picture::filled(3, 2, [0; 3]));
        let read = masks.label("a", &mut sample);
        read.map_err(|error| error.to_string().replace(&folder.path().display().to_string(), "DATA"))?;
        let mut other = Sample::unlabelled("b", Picture::filled(3, 2, [0; 3]));
        masks.label("b", &mut other).unwrap();
        assert_eq!(other.segmentation, None);
        Ok(sample)
    }

    #[test]
    fn values_become_classes_and_what_is_ignored_stays_without() {
        let sample = read(&[0, 1, 9, 9, 0, 1], 3, 2).unwrap();
        assert_eq!(sample.segmentation.unwrap().values(), [IGNORE, 0, 1, 1, IGNORE, 0]);
    }

    #[test]
    fn palettes_of_a_few_bits_are_read_as_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let mut encoder = png::Encoder::new(std::fs::File::create(&path).unwrap(), 3, 2);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Two);
        encoder.set_palette([[0; 3], [9; 3], [99; 3], [255; 3]].concat());
        encoder.write_header().unwrap().write_image_data(&[0b00_01_10_00, 0b11_00_01_00]).unwrap();
        let raw = Raw::read(&path).unwrap();
        assert_eq!((raw.channels, &raw.values[..]), (1, &[0, 1, 2, 3, 0, 1][..]));
    }

    #[test]
    fn says_what_is_wrong() {
        insta::assert_snapshot!(read(&[0, 1, 9, 9, 0, 4], 3, 2).unwrap_err(), @"
        DATA/a.png: class 4, at pixel (2, 1), is not in the class map of 2 classes from 1 to 9
          hint: add it to `classes`, or to `ignored` where such pixels shall not count
        ");
        insta::assert_snapshot!(read(&[0, 1, 9, 9], 2, 2).unwrap_err(), @"
        DATA/a.png: it is 2x2, its picture 3x2
          hint: both must be of one size: bring one to the other's, a mask without mixing neighbours
        ");
    }
}
