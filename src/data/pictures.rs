//! Pictures of one size in memory, and a data set of them with its splits.

use std::sync::Arc;

use super::{DataError, Files};

/// Pictures of one size with one class each, as bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Pictures {
    /// `[count, channels, height, width]`, row-major.
    pub pixels: Arc<Vec<u8>>,
    /// One class index a picture.
    pub labels: Arc<Vec<u16>>,
    /// `(channels, height, width)`.
    pub shape: (usize, usize, usize),
}

impl Pictures {
    /// Pictures from raw bytes.
    ///
    /// # Panics
    /// If there are not exactly as many bytes as labels and shape need: readers check before they call.
    pub fn new(pixels: Vec<u8>, labels: Vec<u16>, shape: (usize, usize, usize)) -> Pictures {
        assert_eq!(pixels.len(), labels.len() * shape.0 * shape.1 * shape.2, "one byte a channel and pixel");
        Pictures { pixels: Arc::new(pixels), labels: Arc::new(labels), shape }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The bytes of one picture, `[channels, height, width]`.
    pub fn picture(&self, index: usize) -> &[u8] {
        let size = self.picture_bytes();
        &self.pixels[index * size..(index + 1) * size]
    }

    /// Copies of the pictures at `indices`, in that order.
    pub fn select(&self, indices: &[usize]) -> Pictures {
        let pixels = indices.iter().flat_map(|&index| self.picture(index)).copied().collect();
        let labels = indices.iter().map(|&index| self.labels[index]).collect();
        Pictures::new(pixels, labels, self.shape)
    }

    /// All pictures of `self`, then all of `other`.
    ///
    /// # Panics
    /// If their shapes differ.
    pub fn join(&self, other: &Pictures) -> Pictures {
        assert_eq!(self.shape, other.shape, "pictures of one shape");
        Pictures::new(
            [&self.pixels[..], &other.pixels].concat(),
            [&self.labels[..], &other.labels].concat(),
            self.shape,
        )
    }

    fn picture_bytes(&self) -> usize {
        self.shape.0 * self.shape.1 * self.shape.2
    }

    /// Mean and standard deviation of each channel, of pixels in [0, 1].
    fn statistics(&self) -> (Vec<f32>, Vec<f32>) {
        let (channels, height, width) = self.shape;
        let area = height * width;
        let moments = |channel: usize| {
            let pixels = || {
                let planes = self.pixels.chunks_exact(area).skip(channel).step_by(channels);
                planes.flatten().map(|&byte| f64::from(byte) / 255.0)
            };
            let count = (self.len() * area).max(1) as f64;
            let mean = pixels().sum::<f64>() / count;
            let variance = pixels().map(|pixel| (pixel - mean).powi(2)).sum::<f64>() / count;
            // A channel without any contrast is left as it is rather than divided by zero.
            (mean as f32, if variance > 0.0 { variance.sqrt() as f32 } else { 1.0 })
        };
        (0..channels).map(moments).unzip()
    }
}

/// A data set with its fixed splits. The search sees `train` and `validation` only.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// What gradients are taken on.
    pub train: Pictures,
    /// What candidates are ranked by: a fixed part of the training data.
    pub validation: Pictures,
    /// Looked at once, by the final training of a winner.
    pub test: Pictures,
    /// The classes' names, by index.
    pub classes: Vec<String>,
    /// Mean of each channel over `train`, of pixels in [0, 1].
    pub mean: Vec<f32>,
    /// Standard deviation of each channel over `train`, of pixels in [0, 1].
    pub deviation: Vec<f32>,
}

impl Dataset {
    /// A data set of three splits.
    ///
    /// # Errors
    /// An empty split, or fewer than two classes: nothing can be learned from them.
    pub fn new(
        name: &str,
        [train, validation, test]: [Pictures; 3],
        classes: Vec<String>,
    ) -> Result<Dataset, DataError> {
        if classes.len() < 2 {
            return Err(DataError::TooFewClasses { place: name.into(), found: classes });
        }
        for (split, pictures) in [("training", &train), ("validation", &validation), ("test", &test)] {
            if pictures.is_empty() {
                return Err(DataError::EmptySplit { place: name.into(), split });
            }
        }
        let (mean, deviation) = train.statistics();
        Ok(Dataset { train, validation, test, classes, mean, deviation })
    }

    /// `(channels, height, width)` of every picture.
    pub fn shape(&self) -> (usize, usize, usize) {
        self.train.shape
    }

    /// The same data with at most `train` training and `validation` validation pictures: the first of each split,
    /// whose order is already mixed. 0 keeps all.
    pub fn limited(mut self, train: usize, validation: usize) -> Dataset {
        for (pictures, limit) in [(&mut self.train, train), (&mut self.validation, validation)] {
            if limit > 0 && limit < pictures.len() {
                *pictures = pictures.select(&(0..limit).collect::<Vec<_>>());
            }
        }
        self
    }
}

/// A data set whose pictures stay in their files, with its fixed splits.
#[derive(Clone, Debug)]
pub struct FileSet {
    /// What gradients are taken on.
    pub train: Files,
    /// What candidates are ranked by: a fixed part of the training data.
    pub validation: Files,
    /// Looked at once, by the final training of a winner.
    pub test: Files,
    /// The classes' names, by index.
    pub classes: Vec<String>,
    /// Mean of each channel over some of `train`, of pixels in [0, 1].
    pub mean: Vec<f32>,
    /// Standard deviation of each channel over some of `train`, of pixels in [0, 1].
    pub deviation: Vec<f32>,
}

impl FileSet {
    /// A data set of three splits, normalised by the pictures of `sample`.
    ///
    /// # Errors
    /// An empty split.
    pub(super) fn new(
        name: &str,
        [train, validation, test]: [Files; 3],
        classes: Vec<String>,
        sample: &Pictures,
    ) -> Result<FileSet, DataError> {
        for (split, files) in [("training", &train), ("validation", &validation), ("test", &test)] {
            if files.is_empty() {
                return Err(DataError::EmptySplit { place: name.into(), split });
            }
        }
        let (mean, deviation) = sample.statistics();
        Ok(FileSet { train, validation, test, classes, mean, deviation })
    }

    /// The same data with at most `train` training and `validation` validation pictures. 0 keeps all.
    pub fn limited(mut self, train: usize, validation: usize) -> FileSet {
        self.train = self.train.limited(train);
        self.validation = self.validation.limited(validation);
        self
    }
}

/// A data set, wherever its pictures are.
#[derive(Clone, Debug)]
pub enum Set {
    /// All in memory.
    Memory(Dataset),
    /// In files.
    Files(FileSet),
}

/// One split, wherever its pictures are.
#[derive(Clone, Copy, Debug)]
pub enum Supply<'a> {
    /// All in memory.
    Memory(&'a Pictures),
    /// In files.
    Files(&'a Files),
}

impl<'a> From<&'a Pictures> for Supply<'a> {
    fn from(pictures: &'a Pictures) -> Supply<'a> {
        Supply::Memory(pictures)
    }
}

impl<'a> From<&'a Files> for Supply<'a> {
    fn from(files: &'a Files) -> Supply<'a> {
        Supply::Files(files)
    }
}

impl<'a> Supply<'a> {
    /// How many pictures there are.
    pub fn len(self) -> usize {
        match self {
            Supply::Memory(pictures) => pictures.len(),
            Supply::Files(files) => files.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// `(channels, height, width)` of the pictures that come of it.
    pub fn shape(self) -> (usize, usize, usize) {
        match self {
            Supply::Memory(pictures) => pictures.shape,
            Supply::Files(files) => files.shape,
        }
    }

    /// The class of the picture at `index`.
    pub fn label(self, index: usize) -> u16 {
        match self {
            Supply::Memory(pictures) => pictures.labels[index],
            Supply::Files(files) => files.label(index),
        }
    }

    /// All classes, in order.
    pub fn labels(self) -> impl Iterator<Item = u16> + 'a {
        (0..self.len()).map(move |index| self.label(index))
    }
}

impl Set {
    /// Training, validation and test split.
    pub fn splits(&self) -> [Supply<'_>; 3] {
        match self {
            Set::Memory(data) => [&data.train, &data.validation, &data.test].map(Supply::from),
            Set::Files(data) => [&data.train, &data.validation, &data.test].map(Supply::from),
        }
    }

    /// The classes' names, by index.
    pub fn classes(&self) -> &[String] {
        match self {
            Set::Memory(data) => &data.classes,
            Set::Files(data) => &data.classes,
        }
    }

    /// Mean and standard deviation of each channel, of pixels in [0, 1].
    pub fn normal(&self) -> (&[f32], &[f32]) {
        match self {
            Set::Memory(data) => (&data.mean, &data.deviation),
            Set::Files(data) => (&data.mean, &data.deviation),
        }
    }

    /// `(channels, height, width)` of every picture.
    pub fn shape(&self) -> (usize, usize, usize) {
        self.splits()[0].shape()
    }

    /// The same data with at most `train` training and `validation` validation pictures. 0 keeps all.
    pub fn limited(self, train: usize, validation: usize) -> Set {
        match self {
            Set::Memory(data) => Set::Memory(data.limited(train, validation)),
            Set::Files(data) => Set::Files(data.limited(train, validation)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_per_channel() {
        let pictures = Pictures::new(vec![0, 255, 51, 51, 255, 0, 51, 51], vec![0, 1], (2, 1, 2));
        let (mean, deviation) = pictures.statistics();
        assert_eq!(mean, [0.5, 0.2]);
        assert_eq!(deviation, [0.5, 1.0]);
    }

    #[test]
    fn select_and_join_keep_labels_with_their_pictures() {
        let pictures = Pictures::new(vec![10, 20, 30], vec![1, 2, 3], (1, 1, 1));
        let joined = pictures.select(&[2, 0]).join(&pictures.select(&[1]));
        assert_eq!((&joined.pixels[..], &joined.labels[..]), (&[30, 10, 20][..], &[3, 1, 2][..]));
    }
}
