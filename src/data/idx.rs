//! The IDX layout of MNIST, Fashion-MNIST and their kin, plain or gzip.
//!
//! LeCun et al., *Gradient-Based Learning Applied to Document Recognition* (1998).

use std::io::Read;
use std::path::{Path, PathBuf};

use super::{DataError, Dataset, Pictures, split};

const VALIDATION_SHARE: f64 = 0.1;
const PICTURES_MAGIC: u32 = 0x0000_0803;
const LABELS_MAGIC: u32 = 0x0000_0801;

/// Reads `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-...` of a folder, each with or without `.gz`.
pub(super) fn load(folder: &Path) -> Result<Dataset, DataError> {
    std::fs::read_dir(folder).map_err(DataError::unreadable(folder))?;
    let training = read(folder, "train")?;
    let test = read(folder, "t10k")?;
    if training.shape != test.shape {
        let missing = format!("training pictures are {:?}, test pictures {:?}", training.shape, test.shape);
        return Err(DataError::Layout { path: folder.into(), missing });
    }
    let classes = training.labels.iter().chain(test.labels.iter()).max().map_or(0, |&label| label + 1);
    let (train, validation) = split::take(&training, VALIDATION_SHARE, "validation");
    let names = (0..classes).map(|class| class.to_string()).collect();
    Dataset::new(&folder.display().to_string(), [train, validation, test], names)
}

fn read(folder: &Path, part: &str) -> Result<Pictures, DataError> {
    let (path, header, pixels) = array(folder, &format!("{part}-images-idx3-ubyte"), PICTURES_MAGIC, 3)?;
    let (_, labels_header, labels) = array(folder, &format!("{part}-labels-idx1-ubyte"), LABELS_MAGIC, 1)?;
    if header[0] != labels_header[0] {
        return Err(DataError::content(
            path,
            format!("{} pictures, but {} labels", header[0], labels_header[0]),
        ));
    }
    Ok(Pictures::new(pixels, labels.into_iter().map(u16::from).collect(), (1, header[1], header[2])))
}

/// One IDX file: its path, its dimensions and its bytes.
fn array(
    folder: &Path,
    name: &str,
    magic: u32,
    rank: usize,
) -> Result<(PathBuf, Vec<usize>, Vec<u8>), DataError> {
    let (path, bytes) = open(folder, name)?;
    let word = |index: usize| {
        bytes.get(index * 4..index * 4 + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    };
    let Some(header) = (0..=rank).map(word).collect::<Option<Vec<u32>>>() else {
        return Err(DataError::content(path, "cut short in its header"));
    };
    if header[0] != magic {
        return Err(DataError::content(
            path,
            format!("starts with {:#010x}, an IDX file of this kind with {magic:#010x}", header[0]),
        ));
    }
    let sizes: Vec<usize> = header[1..].iter().map(|&size| size as usize).collect();
    let expected = sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    let found = bytes.len() - 4 * (rank + 1);
    if expected != Some(found) {
        return Err(DataError::content(path, format!("its header says {sizes:?} bytes, {found} are there")));
    }
    Ok((path, sizes, bytes[4 * (rank + 1)..].to_vec()))
}

fn open(folder: &Path, name: &str) -> Result<(PathBuf, Vec<u8>), DataError> {
    let plain = folder.join(name);
    if plain.exists() {
        let bytes = std::fs::read(&plain).map_err(DataError::unreadable(&plain))?;
        return Ok((plain, bytes));
    }
    let zipped = folder.join(format!("{name}.gz"));
    let file = std::fs::File::open(&zipped).map_err(DataError::unreadable(&zipped))?;
    let mut bytes = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(std::io::BufReader::new(file));
    decoder.read_to_end(&mut bytes).map_err(DataError::unreadable(&zipped))?;
    Ok((zipped, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, part: &str, count: u32, labels: u32) {
        let header = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
        let pixels = (0..count * 6).map(|index| index as u8);
        let pictures: Vec<u8> = header(&[PICTURES_MAGIC, count, 2, 3]).into_iter().chain(pixels).collect();
        std::fs::write(folder.join(format!("{part}-images-idx3-ubyte")), pictures).unwrap();
        let classes: Vec<u8> = header(&[LABELS_MAGIC, labels])
            .into_iter()
            .chain((0..labels).map(|index| (index % 2) as u8))
            .collect();
        let file = std::fs::File::create(folder.join(format!("{part}-labels-idx1-ubyte.gz"))).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, &classes).unwrap();
    }

    #[test]
    fn reads_plain_and_gzip() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "train", 40, 40);
        write(folder.path(), "t10k", 4, 4);
        let data = load(folder.path()).unwrap();
        assert_eq!([data.train.len(), data.validation.len(), data.test.len()], [36, 4, 4]);
        assert_eq!(
            (data.shape(), data.test.picture(1), data.test.labels[1]),
            ((1, 2, 3), &[6, 7, 8, 9, 10, 11][..], 1)
        );
    }

    #[test]
    fn says_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "train", 40, 39);
        write(folder.path(), "t10k", 4, 4);
        let message = || {
            load(folder.path()).unwrap_err().to_string().replace(&folder.path().display().to_string(), "DATA")
        };
        insta::assert_snapshot!(message(), @"
        DATA/train-images-idx3-ubyte: 40 pictures, but 39 labels
          hint: download or write the file again, or remove it
        ");
        let pictures = folder.path().join("train-images-idx3-ubyte");
        let bytes = std::fs::read(&pictures).unwrap();
        std::fs::write(&pictures, &bytes[..100]).unwrap();
        insta::assert_snapshot!(message(), @"
        DATA/train-images-idx3-ubyte: its header says [40, 2, 3] bytes, 84 are there
          hint: download or write the file again, or remove it
        ");
        std::fs::write(&pictures, &bytes[..7]).unwrap();
        insta::assert_snapshot!(message(), @"
        DATA/train-images-idx3-ubyte: cut short in its header
          hint: download or write the file again, or remove it
        ");
        std::fs::write(&pictures, b"not an IDX file at all").unwrap();
        insta::assert_snapshot!(message(), @"
        DATA/train-images-idx3-ubyte: starts with 0x6e6f7420, an IDX file of this kind with 0x00000803
          hint: download or write the file again, or remove it
        ");
    }
}
