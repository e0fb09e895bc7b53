//! Pictures that stay in their files: class folders too big for memory, as a list that costs a few bytes a picture.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::DataError;
use crate::random::fnv1a;

/// The files of all class folders of a data set, those of a folder behind each other.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Listing {
    folders: Vec<Folder>,
    /// The number of the first file of each folder, and of all files.
    starts: Vec<u32>,
}

#[derive(Debug, PartialEq)]
struct Folder {
    path: PathBuf,
    label: u16,
    /// All names, one behind the other, each ending where `ends` says.
    names: String,
    ends: Vec<u32>,
}

impl Listing {
    /// Adds a class folder's files; their numbers.
    pub(super) fn add(
        &mut self,
        path: &Path,
        label: u16,
        mut files: Vec<String>,
    ) -> Result<std::ops::Range<u32>, DataError> {
        files.sort_unstable();
        let (mut names, mut ends) = (String::new(), Vec::with_capacity(files.len()));
        for file in files {
            names.push_str(&file);
            ends.push(names.len());
        }
        let start = self.starts.last().copied().unwrap_or(0);
        let end = u32::try_from(ends.len()).ok().and_then(|count| start.checked_add(count));
        let short: Result<Vec<u32>, _> = ends.into_iter().map(u32::try_from).collect();
        let (Some(end), Ok(ends)) = (end, short) else {
            return Err(DataError::Layout {
                path: path.into(),
                missing: "more pictures than can be listed".into(),
            });
        };
        names.shrink_to_fit();
        self.folders.push(Folder { path: path.into(), label, names, ends });
        if self.starts.is_empty() {
            self.starts.push(0);
        }
        self.starts.push(end);
        Ok(start..end)
    }

    fn folder(&self, file: u32) -> (&Folder, usize) {
        let folder = self.starts.partition_point(|start| *start <= file) - 1;
        (&self.folders[folder], (file - self.starts[folder]) as usize)
    }

    fn path(&self, file: u32) -> PathBuf {
        let (folder, place) = self.folder(file);
        let start = if place == 0 { 0 } else { folder.ends[place - 1] as usize };
        folder.path.join(&folder.names[start..folder.ends[place] as usize])
    }
}

/// Pictures in files: one split of a data set. Cheap to copy.
///
/// A file costs its name's length and eight bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Files {
    listing: Arc<Listing>,
    members: Arc<Vec<u32>>,
    /// `(channels, height, width)` that pictures are brought to.
    pub shape: (usize, usize, usize),
    /// Share of the middle that is looked at when nothing is drawn, in (0, 1].
    pub middle: f64,
}

impl Files {
    pub(super) fn new(
        listing: Arc<Listing>,
        members: Vec<u32>,
        shape: (usize, usize, usize),
        middle: f64,
    ) -> Files {
        Files { listing, members: Arc::new(members), shape, middle }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The class of the picture at `index`.
    pub fn label(&self, index: usize) -> u16 {
        self.listing.folder(self.members[index]).0.label
    }

    /// All classes, in order.
    pub fn labels(&self) -> impl Iterator<Item = u16> + '_ {
        (0..self.len()).map(|index| self.label(index))
    }

    /// The file of the picture at `index`.
    pub fn path(&self, index: usize) -> PathBuf {
        self.listing.path(self.members[index])
    }

    /// The first `limit` pictures; all where that is 0. The order of a split is mixed already.
    pub fn limited(&self, limit: usize) -> Files {
        let count = if limit == 0 { self.len() } else { limit.min(self.len()) };
        Files { members: Arc::new(self.members[..count].to_vec()), ..self.clone() }
    }

    /// All pictures of `self`, then all of `other`, which is of the same data set.
    ///
    /// # Panics
    /// If it is of another.
    pub fn join(&self, other: &Files) -> Files {
        assert!(Arc::ptr_eq(&self.listing, &other.listing), "splits of one data set");
        Files { members: Arc::new([&self.members[..], &other.members].concat()), ..self.clone() }
    }

    /// Tells these files, in this order, from others: by path and class, not by content.
    pub fn identity(&self) -> u64 {
        let folders = self.listing.folders.iter().fold(0, |sum: u64, folder| {
            let words = format!("{} {} {:?}", folder.path.display(), folder.label, folder.ends);
            sum.rotate_left(5) ^ fnv1a(words.as_bytes()) ^ fnv1a(folder.names.as_bytes())
        });
        self.members
            .iter()
            .fold(folders ^ fnv1a(format!("{:?} {}", self.shape, self.middle).as_bytes()), |sum, member| {
                (sum.rotate_left(5) ^ u64::from(*member)).wrapping_mul(0x0100_0000_01b3)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        let mut listing = Listing::default();
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(listing.add(Path::new("t/cat"), 0, names(&["b.jpg", "a.png"])).unwrap(), 0..2);
        assert_eq!(listing.add(Path::new("t/none"), 1, vec![]).unwrap(), 2..2);
        assert_eq!(listing.add(Path::new("t/dog"), 2, names(&["c.jpeg"])).unwrap(), 2..3);
        Files::new(Arc::new(listing), vec![2, 0, 1], (3, 8, 8), 0.875)
    }

    #[test]
    fn files_know_their_path_and_class() {
        let files = files();
        let paths: Vec<_> = (0..3).map(|index| files.path(index).display().to_string()).collect();
        assert_eq!(paths, ["t/dog/c.jpeg", "t/cat/a.png", "t/cat/b.jpg"]);
        assert_eq!(files.labels().collect::<Vec<_>>(), [2, 0, 0]);
    }

    #[test]
    fn parts_are_joined_and_told_apart() {
        let files = files();
        let first = files.limited(1);
        assert_eq!((first.len(), files.limited(0).len(), files.limited(9).len()), (1, 3, 3));
        assert_eq!(first.join(&files).labels().collect::<Vec<_>>(), [2, 2, 0, 0]);
        assert_ne!(first.identity(), files.identity());
        assert_eq!(files.limited(3).identity(), files.identity());
    }

    #[test]
    fn a_million_files_cost_a_few_bytes_each() {
        let mut listing = Listing::default();
        for label in 0..100 {
            let names = (0..1000).map(|at| format!("n{label:08}_{at}.JPEG")).collect();
            listing.add(Path::new("train"), label, names).unwrap();
        }
        let bytes: usize =
            listing.folders.iter().map(|folder| folder.names.capacity() + 4 * folder.ends.capacity()).sum();
        assert!(bytes < 100_000 * 24, "{bytes}");
        assert_eq!(listing.path(99_999).file_name().unwrap(), "n00000099_999.JPEG");
    }
}
