//! Where pictures come from, as RON writes it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{DataError, Dataset, Set, cifar, digits, folders, idx};

/// A data set on disk or in the binary.
///
/// ```
/// use cellwright::data::Source;
///
/// let data = Source::Digits.load()?;
/// assert_eq!((data.shape(), data.classes.len()), ((1, 8, 8), 10));
/// # Ok::<(), cellwright::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Source {
    /// The embedded handwritten digits: 1,797 grey pictures of 8x8 pixels, 10 classes.
    Digits,
    /// The folder `cifar-10-batches-bin` of the official binary version.
    Cifar10(PathBuf),
    /// The folder `cifar-100-binary` of the official binary version.
    Cifar100(PathBuf),
    /// A folder of IDX files, as MNIST and Fashion-MNIST have them.
    Idx(PathBuf),
    /// A folder of class folders of JPEG and PNG files.
    Folders {
        /// The folder.
        path: PathBuf,
        /// Side in pixels of the square that every picture is scaled and cropped to.
        size: usize,
        /// 3 for colour, 1 for grey.
        #[serde(default = "colour")]
        channels: usize,
        /// Leave out pictures that cannot be decoded, instead of stopping.
        #[serde(default)]
        skip_broken: bool,
    },
    /// A folder as of `Folders`, of any size: pictures stay in their files and are decoded anew in every epoch, by
    /// threads of their own. Those that cannot be decoded are skipped and named.
    Stream {
        /// The folder.
        path: PathBuf,
        /// Side in pixels of the square that every picture is brought to.
        size: usize,
        /// 3 for colour, 1 for grey.
        #[serde(default = "colour")]
        channels: usize,
        /// Share of the short side that is looked at when nothing is drawn, in (0, 1].
        #[serde(default = "middle")]
        middle: f64,
    },
}

fn colour() -> usize {
    3
}

/// 224 of 256 pixels, as ImageNet is looked at.
fn middle() -> f64 {
    0.875
}

impl Source {
    /// Where its pictures are, for messages.
    pub(super) fn place(&self) -> String {
        match self {
            Source::Digits => "Digits".into(),
            Source::Cifar10(path) | Source::Cifar100(path) | Source::Idx(path) => path.display().to_string(),
            Source::Folders { path, .. } | Source::Stream { path, .. } => path.display().to_string(),
        }
    }

    /// Each format with the files it is read from.
    pub const LAYOUTS: &'static [(&'static str, &'static str)] = &[
        (
            "Digits",
            "embedded: 1,797 handwritten digits, 1x8x8, 10 classes (UCI Optical Recognition of Handwritten\nDigits, E. Alpaydin and C. Kaynak, CC BY 4.0)",
        ),
        (
            "Cifar10(\"folder\")",
            "data_batch_1.bin .. data_batch_5.bin, test_batch.bin, batches.meta.txt\none record: 1 label byte, 3,072 bytes red, green, blue; 3x32x32, 10 classes",
        ),
        (
            "Cifar100(\"folder\")",
            "train.bin, test.bin, fine_label_names.txt\none record: coarse and fine label byte, 3,072 bytes; 3x32x32, 100 classes",
        ),
        (
            "Idx(\"folder\")",
            "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte,\nt10k-labels-idx1-ubyte, each plain or .gz (MNIST, Fashion-MNIST)",
        ),
        (
            "Folders(path: \"folder\", size: 32)",
            "train/<class>/*.jpg|png and test/ or val/ alike, or just <class>/*.jpg|png\noptions: channels: 1 for grey, skip_broken: true",
        ),
        (
            "Stream(path: \"folder\", size: 224)",
            "the same folders, of any size: pictures stay in their files and are decoded anew in every epoch\noptions: channels: 1 for grey, middle: 0.875, the share of a picture that is looked at when no box is drawn",
        ),
    ];

    /// Reads everything into memory, or lists it, and splits it.
    ///
    /// # Errors
    /// [`DataError`] with the file or folder, what is wrong with it, and what to do.
    pub fn open(&self) -> Result<Set, DataError> {
        match self {
            Source::Stream { path, size, channels, middle } => {
                let options = folders::Options { size: *size, channels: *channels, skip_broken: true };
                options.check(path)?;
                if !(*middle > 0.0 && *middle <= 1.0) {
                    let missing = format!("`middle` is {middle}; it is a share above 0 and up to 1");
                    return Err(DataError::Layout { path: path.clone(), missing });
                }
                folders::list(path, options, *middle).map(Set::Files)
            }
            _ => self.load().map(Set::Memory),
        }
    }

    /// Reads everything into memory and splits it.
    ///
    /// # Errors
    /// [`DataError`] with the file or folder, what is wrong with it, and what to do; a `Stream`, which stays in its files.
    pub fn load(&self) -> Result<Dataset, DataError> {
        match self {
            Source::Digits => digits::load(),
            Source::Cifar10(folder) => cifar::load10(folder),
            Source::Cifar100(folder) => cifar::load100(folder),
            Source::Idx(folder) => idx::load(folder),
            Source::Folders { path, size, channels, skip_broken } => {
                let options =
                    folders::Options { size: *size, channels: *channels, skip_broken: *skip_broken };
                options.check(path)?;
                folders::load(path, options)
            }
            Source::Stream { path, .. } => {
                let missing = "a `Stream` stays in its files, and all pictures are needed in memory here; \
                               `Folders` reads them";
                Err(DataError::Layout { path: path.clone(), missing: missing.into() })
            }
        }
    }
}
