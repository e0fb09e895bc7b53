//! Pictures of one size in memory, and a data set of them with its splits.

use std::sync::Arc;

use super::DataError;

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
