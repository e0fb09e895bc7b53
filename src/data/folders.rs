//! Folders of pictures by class, as ImageNet has them.

use std::path::{Path, PathBuf};

use image::imageops::FilterType;
use image::{DynamicImage, ImageReader};
use rayon::prelude::*;

use super::{DataError, Dataset, Pictures, split};

/// What a folder source is told besides its path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// Side of the square that pictures are brought to.
    pub size: usize,
    /// 3 for colour, 1 for grey.
    pub channels: usize,
    /// Leave pictures out that cannot be decoded.
    pub skip_broken: bool,
}

impl Options {
    pub(super) fn check(self, path: &Path) -> Result<(), DataError> {
        let problem = match self {
            Options { size: 0, .. } => "`size` is 0; it is the side of a picture in pixels",
            Options { size: 4097.., .. } => "`size` is above 4096 pixels",
            Options { channels: 1 | 3, .. } => return Ok(()),
            _ => "`channels` is neither 1 (grey) nor 3 (colour)",
        };
        Err(DataError::Layout { path: path.into(), missing: problem.into() })
    }
}

/// Pictures and class names by split: `train`, then `validation` and `test` where they are folders.
///
/// With `train/` beside it, `val/` is the test split unless there is a `test/` too, as papers report ImageNet; the
/// validation split is then a tenth of `train/`. Class folders without `train/` above them give 15 % to each.
pub(super) fn load(folder: &Path, options: Options) -> Result<Dataset, DataError> {
    let place = folder.display().to_string();
    let part = |name: &str| Some(folder.join(name)).filter(|path| path.is_dir());
    let Some(train) = part("train") else {
        let classes = class_folders(folder)?;
        let (rest, test) = split::take(&read(folder, &classes, options)?, 0.15, "test");
        let (train, validation) = split::take(&rest, 0.15 / 0.85, "validation");
        return Dataset::new(&place, [train, validation, test], classes);
    };
    let classes = class_folders(&train)?;
    let training = read(&train, &classes, options)?;
    let (train, validation, test) = match (part("val").or(part("validation")), part("test")) {
        (Some(validation), Some(test)) => {
            (training, read(&validation, &classes, options)?, read(&test, &classes, options)?)
        }
        (Some(test), None) | (None, Some(test)) => {
            let (train, validation) = split::take(&training, 0.1, "validation");
            (train, validation, read(&test, &classes, options)?)
        }
        (None, None) => {
            let missing = "`train` is here, but neither `test` nor `val`".to_owned();
            return Err(DataError::Layout { path: folder.into(), missing });
        }
    };
    Dataset::new(&place, [train, validation, test], classes)
}

/// The sub-folders' names in alphabetical order: the classes.
fn class_folders(folder: &Path) -> Result<Vec<String>, DataError> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(DataError::unreadable(folder))? {
        let entry = entry.map_err(DataError::unreadable(folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    if names.len() < 2 {
        return Err(DataError::TooFewClasses { place: folder.display().to_string(), found: names });
    }
    Ok(names)
}

fn read(folder: &Path, classes: &[String], options: Options) -> Result<Pictures, DataError> {
    if let Some(other) = class_folders(folder)?.iter().find(|name| !classes.contains(name)) {
        let missing = format!("`{other}` is no class of the training folder");
        return Err(DataError::Layout { path: folder.into(), missing });
    }
    let mut files = Vec::new();
    for (label, class) in classes.iter().enumerate() {
        let found = pictures_in(&folder.join(class))?;
        files.extend(found.into_iter().map(|path| (path, label as u16)));
    }
    let decoded: Vec<_> =
        files.par_iter().map(|(path, label)| (decode(path, options), path, *label)).collect();
    let (mut pixels, mut labels, mut broken) = (Vec::new(), Vec::new(), Vec::new());
    for (picture, path, label) in decoded {
        match picture {
            Ok(bytes) => {
                pixels.extend(bytes);
                labels.push(label);
            }
            Err(problem) => broken.push((path.clone(), problem)),
        }
    }
    if !broken.is_empty() && !options.skip_broken {
        return Err(DataError::Broken { pictures: files.len(), broken });
    }
    broken.iter().for_each(|(path, problem)| eprintln!("warning: left out {}: {problem}", path.display()));
    Ok(Pictures::new(pixels, labels, (options.channels, options.size, options.size)))
}

/// JPEG and PNG files of a class, in alphabetical order.
fn pictures_in(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let entries = std::fs::read_dir(folder).map_err(DataError::unreadable(folder))?;
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(DataError::unreadable(folder))?;
    paths.retain(|path| {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        matches!(extension.as_deref(), Some("jpg" | "jpeg" | "png"))
    });
    if paths.is_empty() {
        return Err(DataError::Layout {
            path: folder.into(),
            missing: "no JPEG or PNG files in this class".into(),
        });
    }
    paths.sort();
    Ok(paths)
}

/// One picture as `[channels, size, size]` bytes: the short side scaled to `size`, the middle kept.
fn decode(path: &Path, options: Options) -> Result<Vec<u8>, String> {
    let reader = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|error| error.to_string())?;
    let picture = reader.decode().map_err(|error| error.to_string().trim_end().to_owned())?;
    let side = options.size as u32;
    let picture = if (picture.width(), picture.height()) == (side, side) {
        picture
    } else {
        picture.resize_to_fill(side, side, FilterType::Triangle)
    };
    Ok(planes(&picture, options.channels))
}

/// Interleaved pixels to one plane a channel.
fn planes(picture: &DynamicImage, channels: usize) -> Vec<u8> {
    if channels == 1 {
        return picture.to_luma8().into_raw();
    }
    let interleaved = picture.to_rgb8().into_raw();
    (0..3).flat_map(|channel| interleaved.iter().skip(channel).step_by(3).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: Options = Options { size: 4, channels: 3, skip_broken: false };

    fn paint(folder: &Path, class: &str, count: u8) {
        std::fs::create_dir_all(folder.join(class)).unwrap();
        for index in 0..count {
            let picture = image::RgbImage::from_pixel(6, 8, image::Rgb([index, 100, 200]));
            picture.save(folder.join(class).join(format!("{index:03}.png"))).unwrap();
        }
    }

    fn message(folder: &Path) -> String {
        load(folder, OPTIONS).unwrap_err().to_string().replace(&folder.display().to_string(), "DATA")
    }

    #[test]
    fn reads_class_folders_with_and_without_splits() {
        let folder = tempfile::tempdir().unwrap();
        paint(folder.path(), "cat", 20);
        paint(folder.path(), "dog", 20);
        let data = load(folder.path(), OPTIONS).unwrap();
        assert_eq!([data.train.len(), data.validation.len(), data.test.len()], [28, 6, 6]);
        assert_eq!((data.shape(), &data.classes[..]), ((3, 4, 4), &["cat".to_owned(), "dog".to_owned()][..]));
        assert_eq!(data.train.picture(0)[16..], [[100; 16], [200; 16]].concat());

        let folder = tempfile::tempdir().unwrap();
        for class in ["cat", "dog"] {
            paint(&folder.path().join("train"), class, 20);
            paint(&folder.path().join("val"), class, 5);
        }
        let data = load(folder.path(), OPTIONS).unwrap();
        assert_eq!([data.train.len(), data.validation.len(), data.test.len()], [36, 4, 10]);
    }

    #[test]
    fn says_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        insta::assert_snapshot!(message(folder.path()), @"
        DATA: classification needs at least two classes, found none
          hint: each class is a folder of its own with pictures in it
        ");
        paint(folder.path(), "cat", 5);
        insta::assert_snapshot!(message(folder.path()), @"
        DATA: classification needs at least two classes, found only `cat`
          hint: each class is a folder of its own with pictures in it
        ");
        paint(folder.path(), "dog", 0);
        insta::assert_snapshot!(message(folder.path()), @"
        DATA/dog: no JPEG or PNG files in this class
          hint: `cellwright data` shows the layout that is expected
        ");
        insta::assert_snapshot!(message(&folder.path().join("nowhere")), @"
        DATA: No such file or directory (os error 2)
          hint: `cellwright data` shows the layout that is expected
        ");
        paint(folder.path(), "train/cat", 5);
        paint(folder.path(), "train/dog", 5);
        insta::assert_snapshot!(message(folder.path()), @"
        DATA: `train` is here, but neither `test` nor `val`
          hint: `cellwright data` shows the layout that is expected
        ");
    }

    #[test]
    fn a_broken_jpeg_is_named_or_left_out() {
        let folder = tempfile::tempdir().unwrap();
        paint(folder.path(), "cat", 20);
        paint(folder.path(), "dog", 20);
        let broken = folder.path().join("dog/000.jpg");
        std::fs::write(&broken, b"\xff\xd8\xff\xe0 and then nothing").unwrap();
        let text = message(folder.path());
        assert!(text.starts_with("1 of 41 pictures cannot be decoded: DATA/dog/000.jpg ("), "{text}");
        let data = load(folder.path(), Options { skip_broken: true, ..OPTIONS }).unwrap();
        assert_eq!(data.train.len() + data.validation.len() + data.test.len(), 40);
    }
}
