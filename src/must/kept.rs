//! Samples that stay in memory.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use crate::data::{Classes, DataError, Sample, Samples};

/// A set whose samples stay in memory once they were read, as far as there is room: what is rendered, decoded or inflated
/// once need not be so in every step.
pub(crate) struct Kept {
    set: Box<dyn Samples>,
    kept: Vec<OnceLock<Sample>>,
    /// Bytes left.
    room: AtomicI64,
}

impl Kept {
    /// The set, with so many bytes for its samples.
    pub fn new(set: Box<dyn Samples>, bytes: i64) -> Kept {
        let kept = (0..set.len()).map(|_| OnceLock::new()).collect();
        Kept { set, kept, room: AtomicI64::new(bytes) }
    }
}

/// About what a sample takes in memory.
fn bytes(sample: &Sample) -> i64 {
    let (width, height) = sample.size();
    let dense = [
        (true, 3),
        (sample.segmentation.is_some(), 2),
        (sample.depth.is_some(), 4),
        (sample.normals.is_some(), 12),
    ];
    let pixel: usize = dense.iter().filter(|(there, _)| *there).map(|(_, bytes)| bytes).sum();
    let masks = sample.objects.iter().flatten().filter_map(|object| object.mask.as_ref());
    let runs: usize = masks.map(|mask| 64 + 4 * mask.runs().len()).sum();
    (512 + width * height * pixel + runs) as i64
}

impl Samples for Kept {
    fn len(&self) -> usize {
        self.set.len()
    }

    fn classes(&self) -> &Classes {
        self.set.classes()
    }

    fn name(&self, index: usize) -> String {
        self.set.name(index)
    }

    fn sample(&self, index: usize) -> Result<Sample, DataError> {
        if let Some(sample) = self.kept[index].get() {
            return Ok(sample.clone());
        }
        let sample = self.set.sample(index)?;
        let bytes = bytes(&sample);
        if self.room.fetch_sub(bytes, Relaxed) >= bytes {
            // Two threads may read the same one; it is the same sample.
            let _ = self.kept[index].set(sample.clone());
        } else {
            self.room.fetch_add(bytes, Relaxed);
        }
        Ok(sample)
    }

    fn left_out(&self) -> &[(String, String)] {
        self.set.left_out()
    }

    fn listed(&self) -> usize {
        self.set.listed()
    }

    fn is_sound(&self) -> bool {
        self.set.is_sound()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::SampleSource;

    #[test]
    fn kept_samples_are_the_same_and_room_is_not_exceeded() {
        let scenes: SampleSource = "Scenes(count: 6, width: 16, height: 16)".parse().unwrap();
        let (plain, kept) = (scenes.open().unwrap(), Kept::new(scenes.open().unwrap(), 20_000));
        for index in [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5] {
            assert_eq!(kept.sample(index).unwrap(), plain.sample(index).unwrap());
        }
        let there = kept.kept.iter().filter(|one| one.get().is_some()).count();
        assert!((1..6).contains(&there), "{there}");
    }
}
