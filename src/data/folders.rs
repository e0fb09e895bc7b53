//! Folders of pictures by class, as ImageNet has them.

use std::path::Path;
use std::sync::Arc;

use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageReader};
use rayon::prelude::*;

use super::files::Listing;
use super::{DataError, Dataset, FileSet, Files, Pictures, split};

/// Pictures that a set in files is normalised by: their mean is within a hundredth of that of all.
const SAMPLE: usize = 512;

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
        (None, None) => return Err(neither(folder)),
    };
    Dataset::new(&place, [train, validation, test], classes)
}

/// The same folders, their pictures left where they are. `middle` is the share of it that is looked at when nothing is
/// drawn.
pub(super) fn list(folder: &Path, options: Options, middle: f64) -> Result<FileSet, DataError> {
    let place = folder.display().to_string();
    let part = |name: &str| Some(folder.join(name)).filter(|path| path.is_dir());
    let shape = (options.channels, options.size, options.size);
    let mut listing = Listing::default();
    let (classes, parts) = match part("train") {
        None => {
            let classes = class_folders(folder)?;
            let (rest, test) = split::take_labelled(listed(&mut listing, folder, &classes)?, 0.15, "test");
            let (train, validation) = split::take_labelled(rest, 0.15 / 0.85, "validation");
            (classes, [train, validation, test])
        }
        Some(train) => {
            let classes = class_folders(&train)?;
            let training = listed(&mut listing, &train, &classes)?;
            let mut more = |path: &Path| listed(&mut listing, path, &classes);
            let parts = match (part("val").or(part("validation")), part("test")) {
                (Some(validation), Some(test)) => {
                    [split::take_labelled(training, 0.0, "none").0, more(&validation)?, more(&test)?]
                }
                (Some(test), None) | (None, Some(test)) => {
                    let (train, validation) = split::take_labelled(training, 0.1, "validation");
                    [train, validation, more(&test)?]
                }
                (None, None) => return Err(neither(folder)),
            };
            (classes, parts)
        }
    };
    let listing = Arc::new(listing);
    let files = |members: Vec<(u32, u16)>| {
        Files::new(listing.clone(), members.into_iter().map(|(file, _)| file).collect(), shape, middle)
    };
    let [train, validation, test] = parts.map(files);
    let sample = sampled(&train, options)?;
    FileSet::new(&place, [train, validation, test], classes, &sample)
}

/// Lists the files of all classes: their numbers and labels.
fn listed(listing: &mut Listing, folder: &Path, classes: &[String]) -> Result<Vec<(u32, u16)>, DataError> {
    refuse_strangers(folder, classes)?;
    let mut members = Vec::new();
    for (label, class) in classes.iter().enumerate() {
        let path = folder.join(class);
        let names = names_in(&path)?;
        members.extend(listing.add(&path, label as u16, names)?.map(|file| (file, label as u16)));
    }
    Ok(members)
}

/// Some pictures of a split, decoded; those that cannot be are left out.
fn sampled(files: &Files, options: Options) -> Result<Pictures, DataError> {
    let some: Vec<usize> = (0..files.len().min(SAMPLE)).collect();
    let decoded: Vec<_> = some
        .par_iter()
        .map(|&index| (decode(&files.path(index), options), files.path(index), files.label(index)))
        .collect();
    let (mut pixels, mut labels, mut broken) = (Vec::new(), Vec::new(), Vec::new());
    for (picture, path, label) in decoded {
        match picture {
            Ok(bytes) => {
                pixels.extend(bytes);
                labels.push(label);
            }
            Err(problem) => broken.push((path, problem)),
        }
    }
    if labels.is_empty() && !broken.is_empty() {
        return Err(DataError::Broken { pictures: some.len(), broken });
    }
    Ok(Pictures::new(pixels, labels, files.shape))
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

fn neither(folder: &Path) -> DataError {
    let missing = "`train` is here, but neither `test` nor `val`".to_owned();
    DataError::Layout { path: folder.into(), missing }
}

fn refuse_strangers(folder: &Path, classes: &[String]) -> Result<(), DataError> {
    match class_folders(folder)?.iter().find(|name| !classes.contains(name)) {
        None => Ok(()),
        Some(other) => {
            let missing = format!("`{other}` is no class of the training folder");
            Err(DataError::Layout { path: folder.into(), missing })
        }
    }
}

fn read(folder: &Path, classes: &[String], options: Options) -> Result<Pictures, DataError> {
    refuse_strangers(folder, classes)?;
    let mut files = Vec::new();
    for (label, class) in classes.iter().enumerate() {
        let path = folder.join(class);
        let mut names = names_in(&path)?;
        names.sort_unstable();
        files.extend(names.into_iter().map(|name| (path.join(name), label as u16)));
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

/// The names of a class's JPEG and PNG files, in no order.
fn names_in(folder: &Path) -> Result<Vec<String>, DataError> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(DataError::unreadable(folder))? {
        let name = entry.map_err(DataError::unreadable(folder))?.file_name();
        let extension =
            Path::new(&name).extension().map(|extension| extension.to_string_lossy().to_lowercase());
        if !matches!(extension.as_deref(), Some("jpg" | "jpeg" | "png")) {
            continue;
        }
        names.push(name.into_string().map_err(|name| DataError::Layout {
            path: folder.into(),
            missing: format!("the file name `{}` is not UTF-8; rename it", name.to_string_lossy()),
        })?);
    }
    if names.is_empty() {
        let missing = "no JPEG or PNG files in this class".into();
        return Err(DataError::Layout { path: folder.into(), missing });
    }
    Ok(names)
}

/// One picture as `[channels, size, size]` bytes: the short side scaled to `size`, the middle kept.
fn decode(path: &Path, options: Options) -> Result<Vec<u8>, String> {
    let reader = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|error| error.to_string())?;
    let said = |error: image::ImageError| error.to_string().trim_end().to_owned();
    let mut decoder = reader.into_decoder().map_err(said)?;
    let orientation = decoder.orientation().map_err(said)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(said)?;
    picture.apply_orientation(orientation);
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

    #[test]
    fn listed_files_are_split_as_loaded_ones_are() {
        let folder = tempfile::tempdir().unwrap();
        for class in ["cat", "dog"] {
            paint(&folder.path().join("train"), class, 20);
            paint(&folder.path().join("val"), class, 5);
        }
        std::fs::write(folder.path().join("train/dog/zzz.jpg"), b"broken").unwrap();
        let files = list(folder.path(), OPTIONS, 0.875).unwrap();
        assert_eq!([files.train.len(), files.validation.len(), files.test.len()], [37, 4, 10]);
        let loaded = load(folder.path(), Options { skip_broken: true, ..OPTIONS }).unwrap();
        assert_eq!((&files.classes, files.train.shape), (&loaded.classes, loaded.shape()));
        assert!((files.mean[1] - loaded.mean[1]).abs() < 1e-3, "{:?} {:?}", files.mean, loaded.mean);
        for index in 0..4 {
            let class = files.validation.path(index).parent().unwrap().file_name().unwrap().to_owned();
            assert_eq!(class.to_str().unwrap(), files.classes[usize::from(files.validation.label(index))]);
        }
        let plain = tempfile::tempdir().unwrap();
        paint(plain.path(), "cat", 20);
        paint(plain.path(), "dog", 20);
        let files = list(plain.path(), OPTIONS, 1.0).unwrap();
        assert_eq!([files.train.len(), files.validation.len(), files.test.len()], [28, 6, 6]);
        assert!(list(&plain.path().join("cat"), OPTIONS, 1.0).is_err());
    }
}
