//! Mean intersection over union of the classes of pixels.
//!
//! Everingham et al., *The Pascal Visual Object Classes Challenge* (2010),
//! <http://host.robots.ox.ac.uk/pascal/VOC/>: for each class, pixels that are of it and were found, over pixels that are of it
//! or were taken for it, counted over all pictures; classes of neither kind take no part in the mean.

use crate::data::{IGNORE, Plane};

/// Pixels by what they are and what they were taken for.
///
/// ```
/// use cellwright::data::{IGNORE, Plane};
/// use cellwright::must::metrics::MeanIou;
///
/// let mut metric = MeanIou::new(3);
/// metric.add(&Plane::new(4, 1, vec![0, 0, 1, IGNORE]), &Plane::new(4, 1, vec![0, 1, 1, 2]));
/// let scores = metric.scores().unwrap();
/// assert_eq!((scores.mean_iou, scores.classes[2]), (0.5, None));
/// ```
#[derive(Clone, Debug)]
pub struct MeanIou {
    classes: usize,
    /// `[truth, found]`; the last column is for pixels that were taken for nothing.
    counts: Vec<u64>,
}

/// How well pixels were told apart. Shares in [0, 1].
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentationScores {
    /// Mean over the classes that were there or were found.
    pub mean_iou: f64,
    /// Of each class; `None` where it was neither there nor found.
    pub classes: Vec<Option<f64>>,
    /// The share of pixels whose class was found.
    pub accuracy: f64,
}

impl MeanIou {
    /// A count of nothing yet.
    pub fn new(classes: usize) -> MeanIou {
        MeanIou { classes, counts: vec![0; classes * (classes + 1)] }
    }

    /// One picture. Pixels whose truth is [`IGNORE`] do not count; those found as anything beyond the classes are wrong.
    ///
    /// # Panics
    /// If the planes are not of one size, or a true class is beyond the classes.
    pub fn add(&mut self, truth: &Plane<u16>, found: &Plane<u16>) {
        assert_eq!(truth.size(), found.size(), "planes of one size");
        let pairs = truth.values().iter().zip(found.values()).filter(|(truth, _)| **truth != IGNORE);
        for (&truth, &found) in pairs {
            let (truth, found) = (usize::from(truth), usize::from(found).min(self.classes));
            assert!(truth < self.classes, "class {truth} of {}", self.classes);
            self.counts[truth * (self.classes + 1) + found] += 1;
        }
    }

    /// `None` without any pixel that counts.
    pub fn scores(&self) -> Option<SegmentationScores> {
        let count = |truth: usize, found: usize| self.counts[truth * (self.classes + 1) + found];
        let all: u64 = self.counts.iter().sum();
        let overlap = |class: usize| {
            let there: u64 = (0..=self.classes).map(|found| count(class, found)).sum();
            let found: u64 = (0..self.classes).map(|truth| count(truth, class)).sum();
            let (both, either) = (count(class, class), there + found - count(class, class));
            (either > 0).then(|| both as f64 / either as f64)
        };
        let classes: Vec<Option<f64>> = (0..self.classes).map(overlap).collect();
        let known: Vec<f64> = classes.iter().copied().flatten().collect();
        let right: u64 = (0..self.classes).map(|class| count(class, class)).sum();
        (all > 0).then(|| SegmentationScores {
            mean_iou: known.iter().sum::<f64>() / known.len() as f64,
            classes,
            accuracy: right as f64 / all as f64,
        })
    }
}
