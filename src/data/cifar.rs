//! CIFAR-10 and CIFAR-100 in their official binary layout.
//!
//! Krizhevsky, *Learning Multiple Layers of Features from Tiny Images* (2009),
//! <https://www.cs.toronto.edu/~kriz/cifar.html>.

use std::path::{Path, PathBuf};

use super::{DataError, Dataset, Pictures, split};

const SHAPE: (usize, usize, usize) = (3, 32, 32);
const PICTURE_BYTES: usize = 3 * 32 * 32;
/// Both sets are ranked by a tenth of their training pictures: 45,000 and 5,000.
const VALIDATION_SHARE: f64 = 0.1;

/// One of the two binary layouts.
struct Layout {
    name: &'static str,
    train: &'static [&'static str],
    test: &'static str,
    class_names: &'static str,
    /// Label bytes before the pixels; the last of them is the class.
    label_bytes: usize,
    classes: usize,
}

const CIFAR10: Layout = Layout {
    name: "CIFAR-10",
    train: &[
        "data_batch_1.bin",
        "data_batch_2.bin",
        "data_batch_3.bin",
        "data_batch_4.bin",
        "data_batch_5.bin",
    ],
    test: "test_batch.bin",
    class_names: "batches.meta.txt",
    label_bytes: 1,
    classes: 10,
};

const CIFAR100: Layout = Layout {
    name: "CIFAR-100",
    train: &["train.bin"],
    test: "test.bin",
    class_names: "fine_label_names.txt",
    label_bytes: 2,
    classes: 100,
};

/// Reads the folder `cifar-10-batches-bin`. Training batches that are not there are left out; one at least must be.
pub(super) fn load10(folder: &Path) -> Result<Dataset, DataError> {
    load(folder, &CIFAR10)
}

/// Reads the folder `cifar-100-binary`, with the 100 fine classes.
pub(super) fn load100(folder: &Path) -> Result<Dataset, DataError> {
    load(folder, &CIFAR100)
}

fn load(folder: &Path, layout: &Layout) -> Result<Dataset, DataError> {
    std::fs::read_dir(folder).map_err(DataError::unreadable(folder))?;
    let there: Vec<PathBuf> =
        layout.train.iter().map(|file| folder.join(file)).filter(|path| path.exists()).collect();
    if there.is_empty() {
        let missing =
            format!("none of {}'s training files ({}) is here", layout.name, layout.train.join(", "));
        return Err(DataError::Layout { path: folder.into(), missing });
    }
    let training = read(&there, layout)?;
    let test = read(&[folder.join(layout.test)], layout)?;
    let (train, validation) = split::take(&training, VALIDATION_SHARE, "validation");
    Dataset::new(&folder.display().to_string(), [train, validation, test], class_names(folder, layout))
}

fn read(files: &[PathBuf], layout: &Layout) -> Result<Pictures, DataError> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for path in files {
        let bytes = std::fs::read(path).map_err(DataError::unreadable(path))?;
        let record = layout.label_bytes + PICTURE_BYTES;
        let left = bytes.len() % record;
        if bytes.is_empty() || left != 0 {
            let problem = format!(
                "cut short: {} bytes are {} records of {record} and {left} more",
                bytes.len(),
                bytes.len() / record
            );
            return Err(DataError::content(path, problem));
        }
        for (index, bytes) in bytes.chunks_exact(record).enumerate() {
            let label = bytes[layout.label_bytes - 1];
            if usize::from(label) >= layout.classes {
                let problem = format!(
                    "record {index} has class {label}, of {} classes; is this {}?",
                    layout.classes, layout.name
                );
                return Err(DataError::content(path, problem));
            }
            labels.push(u16::from(label));
            pixels.extend_from_slice(&bytes[layout.label_bytes..]);
        }
    }
    Ok(Pictures::new(pixels, labels, SHAPE))
}

/// The names in the official text file where it is there and whole, else the classes' numbers.
fn class_names(folder: &Path, layout: &Layout) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join(layout.class_names)).unwrap_or_default();
    let names: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    if names.len() == layout.classes {
        names
    } else {
        (0..layout.classes).map(|class| class.to_string()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, file: &str, records: usize, label_bytes: usize) {
        let record =
            |index: usize| [vec![(index % 5) as u8; label_bytes], vec![index as u8; PICTURE_BYTES]].concat();
        std::fs::write(folder.join(file), (0..records).flat_map(record).collect::<Vec<_>>()).unwrap();
    }

    #[test]
    fn reads_both_layouts() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "data_batch_1.bin", 40, 1);
        write(folder.path(), "data_batch_3.bin", 10, 1);
        write(folder.path(), "test_batch.bin", 10, 1);
        write(folder.path(), "train.bin", 50, 2);
        write(folder.path(), "test.bin", 10, 2);
        for (data, classes) in [(load10(folder.path()).unwrap(), 10), (load100(folder.path()).unwrap(), 100)]
        {
            assert_eq!([data.train.len(), data.validation.len(), data.test.len()], [45, 5, 10]);
            assert_eq!((data.shape(), data.classes.len()), (SHAPE, classes));
            let first = data.test.picture(3);
            assert_eq!((first[0], data.test.labels[3]), (3, 3));
        }
    }

    #[test]
    fn says_which_file_is_cut_short_missing_or_of_another_set() {
        let folder = tempfile::tempdir().unwrap();
        let message = || {
            load10(folder.path())
                .unwrap_err()
                .to_string()
                .replace(&folder.path().display().to_string(), "DATA")
        };
        insta::assert_snapshot!(message(), @"
        DATA: none of CIFAR-10's training files (data_batch_1.bin, data_batch_2.bin, data_batch_3.bin, data_batch_4.bin, data_batch_5.bin) is here
          hint: `cellwright data` shows the layout that is expected
        ");
        std::fs::write(folder.path().join("data_batch_1.bin"), vec![0; 5000]).unwrap();
        insta::assert_snapshot!(message(), @"
        DATA/data_batch_1.bin: cut short: 5000 bytes are 1 records of 3073 and 1927 more
          hint: download or write the file again, or remove it
        ");
        std::fs::write(folder.path().join("data_batch_1.bin"), vec![77; 3073]).unwrap();
        insta::assert_snapshot!(message(), @"
        DATA/data_batch_1.bin: record 0 has class 77, of 10 classes; is this CIFAR-10?
          hint: download or write the file again, or remove it
        ");
        write(folder.path(), "data_batch_1.bin", 40, 1);
        insta::assert_snapshot!(message(), @"
        DATA/test_batch.bin: No such file or directory (os error 2)
          hint: `cellwright data` shows the layout that is expected
        ");
    }

    #[test]
    fn reads_original_records() {
        let sample =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/datasets/cifar10-official-sample.tar.xz");
        let Ok(unpacked) = unpack(&sample) else {
            return println!("skipped: {} is not here, or tar cannot read it", sample.display());
        };
        let data = load10(&unpacked.path().join("cifar10-official-sample")).unwrap();
        assert_eq!(data.train.len() + data.validation.len(), 1017);
        assert_eq!((data.test.len(), data.classes[6].as_str()), (1017, "frog"));
        // The first test picture of CIFAR-10 is a cat whose first red pixel is 158.
        assert_eq!(
            (data.classes[usize::from(data.test.labels[0])].as_str(), data.test.picture(0)[0]),
            ("cat", 158)
        );
    }

    fn unpack(archive: &Path) -> std::io::Result<tempfile::TempDir> {
        let folder = tempfile::tempdir()?;
        let status = std::process::Command::new("tar")
            .arg("-xJf")
            .arg(archive)
            .arg("-C")
            .arg(folder.path())
            .status()?;
        if status.success() { Ok(folder) } else { Err(std::io::Error::other("tar failed")) }
    }
}
