//! Augmentation that keeps all labels right together.
//!
//! The ladder of *Rethinking Pre-training and Self-training* (Zoph et al. 2020, <https://arxiv.org/abs/2006.06882>): flip and
//! a small jitter of scale, then a large one (Ghiasi et al. 2021), with Simple Copy-Paste where masks are known. Every sample
//! ends in one size, so that a batch can be made of them.

mod colour;
mod copy_paste;
mod geometry;
mod ladder;
mod tone;

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::data::Sample;
use crate::random::Rng;
pub use copy_paste::copy_paste;
pub use geometry::{cropped, flipped, scaled};
pub use ladder::Augmentation;

/// How samples are changed before they are learned from.
///
/// ```
/// use cellwright::Seed;
/// use cellwright::data::Scenes;
/// use cellwright::must::augment::Augment;
///
/// let augment = Augment::large(48, 32);
/// let sample = Scenes::default().sample(3);
/// let changed = augment.apply(&sample, &mut Seed(0).stream(3, "augment"));
/// assert_eq!(changed.size(), (48, 32));
/// assert_eq!(changed.labels(), sample.labels());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augment {
    /// Columns that every sample is brought to.
    pub width: usize,
    /// Rows that every sample is brought to.
    pub height: usize,
    /// How often left and right are exchanged, in [0, 1].
    pub flip: f64,
    /// The smallest and largest factor on the size at which the picture just fits.
    pub scale: (f64, f64),
    /// Brightness, contrast and saturation are each multiplied by a factor in `1 ± colour`.
    pub colour: f64,
    /// Objects of which a smaller share is left by a crop are dropped.
    pub visible: f64,
    /// How often objects of a second sample are pasted, in [0, 1].
    pub copy_paste: f64,
    /// Operations on colours that each picture goes through, drawn as RandAugment draws them.
    pub ops: usize,
    /// How strong those are, up to 30.
    pub magnitude: f64,
}

impl Default for Augment {
    fn default() -> Augment {
        Augment::small(64, 64)
    }
}

impl Augment {
    /// Nothing but the size: for looking, not for learning.
    pub fn none(width: usize, height: usize) -> Augment {
        Augment {
            width,
            height,
            flip: 0.0,
            scale: (1.0, 1.0),
            colour: 0.0,
            visible: 0.2,
            copy_paste: 0.0,
            ops: 0,
            magnitude: 0.0,
        }
    }

    /// Flip, a scale from 0.8 to 1.2, a little colour.
    pub fn small(width: usize, height: usize) -> Augment {
        Augment { flip: 0.5, scale: (0.8, 1.2), colour: 0.2, ..Augment::none(width, height) }
    }

    /// Flip, a scale from 0.5 to 2, more colour.
    pub fn large(width: usize, height: usize) -> Augment {
        Augment { flip: 0.5, scale: (0.5, 2.0), colour: 0.4, ..Augment::none(width, height) }
    }

    /// What is wrong with these numbers, if anything.
    pub fn problem(&self) -> Option<String> {
        let share = |name: &str, value: f64| {
            (!(0.0..=1.0).contains(&value)).then(|| format!("`{name}` is {value}; it is in [0, 1]"))
        };
        let (low, high) = self.scale;
        let scale = (!(low > 0.0 && low <= high && high <= 10.0)).then(|| {
            format!("`scale` is ({low}, {high}); both are above 0 and at most 10, the smaller first")
        });
        let size = (self.width == 0 || self.height == 0)
            .then(|| format!("samples of {}x{} have no pixels", self.width, self.height));
        size.or(scale)
            .or_else(|| share("flip", self.flip))
            .or_else(|| share("colour", self.colour))
            .or_else(|| share("visible", self.visible))
            .or_else(|| share("copy_paste", self.copy_paste))
            .or_else(|| self.tone_problem())
    }

    /// The sample, changed at random.
    pub fn apply(&self, sample: &Sample, rng: &mut Rng) -> Sample {
        let moved = self.moved(sample, rng);
        self.coloured(moved, rng)
    }

    /// The sample changed at random, sometimes with objects of `other`, itself changed, pasted onto it.
    pub fn apply_pair(&self, sample: &Sample, other: &Sample, rng: &mut Rng) -> Sample {
        let moved = self.moved(sample, rng);
        let paste = rng.random::<f64>() < self.copy_paste;
        let moved = if paste { copy_paste(&moved, &self.moved(other, rng), rng) } else { moved };
        self.coloured(moved, rng)
    }

    /// The whole sample in the middle of the size, nothing drawn: what predictions are measured on.
    pub fn fitted(&self, sample: &Sample) -> Sample {
        let (width, height) = self.fit(sample, 1.0);
        let middle = |outer: usize, inner: usize| -((outer as i64 - inner as i64) / 2);
        let (left, top) = (middle(self.width, width), middle(self.height, height));
        cropped(&scaled(sample, width, height), left, top, self.width, self.height, 0.0)
    }

    fn moved(&self, sample: &Sample, rng: &mut Rng) -> Sample {
        let flip = rng.random::<f64>() < self.flip;
        let factor = self.scale.0 + (self.scale.1 - self.scale.0) * rng.random::<f64>();
        let (width, height) = self.fit(sample, factor);
        let mut shift = |outer: usize, inner: usize| {
            let room = inner as i64 - outer as i64;
            let (low, high) = (room.min(0), room.max(0));
            low + ((rng.random::<f64>() * (high - low + 1) as f64) as i64).min(high - low)
        };
        let (left, top) = (shift(self.width, width), shift(self.height, height));
        let sample = if flip { &flipped(sample) } else { sample };
        cropped(&scaled(sample, width, height), left, top, self.width, self.height, self.visible)
    }

    /// The size at which the picture, in its own proportions, just fits, times a factor.
    fn fit(&self, sample: &Sample, factor: f64) -> (usize, usize) {
        let (width, height) = (sample.size().0 as f64, sample.size().1 as f64);
        let scale = (self.width as f64 / width).min(self.height as f64 / height) * factor;
        let side = |length: f64| ((length * scale).round() as usize).max(1);
        (side(width), side(height))
    }

    fn coloured(&self, sample: Sample, rng: &mut Rng) -> Sample {
        let picture = match self.colour > 0.0 {
            true => colour::jittered(&sample.picture, self.colour, rng),
            false => sample.picture,
        };
        Sample { picture: tone::toned(picture, self.ops, self.magnitude, rng), ..sample }
    }

    fn tone_problem(&self) -> Option<String> {
        let Augment { ops, magnitude, .. } = *self;
        let strength = (!(0.0..=tone::MOST).contains(&magnitude))
            .then(|| format!("`magnitude` is {magnitude}; it is in [0, {}]", tone::MOST));
        strength.or((ops > 9).then(|| format!("`ops` is {ops}; more than 9 leave nothing of a picture")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Label, Scenes};
    use crate::random::Seed;

    const SCENES: Scenes = Scenes { count: 60, width: 28, height: 20, seed: 5, objects: 5 };

    #[test]
    fn no_label_is_lost_or_made_and_none_contradicts_another() {
        for (index, augment) in
            [Augment::large(24, 24), Augment::small(40, 16), Augment::none(9, 30)].iter().enumerate()
        {
            for draw in 0..8 {
                let sample = SCENES.sample(draw + 8 * index);
                let changed = augment.apply(&sample, &mut Seed(draw as u64).stream(index as u64, "test"));
                assert_eq!(changed.contradiction(&SCENES.classes()), None);
                assert_eq!(changed.labels(), Label::ALL);
                assert_eq!(changed.class, sample.class);
                let classes = changed.segmentation.as_ref().unwrap();
                for object in changed.objects.iter().flatten() {
                    object
                        .mask
                        .as_ref()
                        .unwrap()
                        .for_each(|x, y| assert_eq!(classes.at(x, y), 3 + object.class));
                }
                let bare = augment.apply(&sample.only(&[Label::Depth]), &mut Seed(1).stream(0, "test"));
                assert_eq!(bare.labels(), [Label::Depth], "a label that is absent stays absent");
            }
        }
    }

    #[test]
    fn flipping_turns_normals_and_keeps_what_the_camera_sees() {
        for index in 0..6 {
            let sample = SCENES.sample(index);
            let mirror = flipped(&sample);
            assert_eq!(flipped(&mirror), sample);
            let (there, back) =
                (sample.normals.as_ref().unwrap().at(3, 15), mirror.normals.as_ref().unwrap().at(24, 15));
            assert_eq!(back, [-there[0], there[1], there[2]]);
            let (camera, mirrored) = (sample.camera.unwrap(), mirror.camera.unwrap());
            let (point, other) = (camera.point(3.0, 15.0, 2.0), mirrored.point(24.0, 15.0, 2.0));
            assert!((point[0] + other[0]).abs() < 1e-12 && point[1] == other[1]);
        }
    }

    #[test]
    fn boxes_follow_the_masks_through_scale_and_crop() {
        let mut cut = 0;
        for index in 0..20 {
            let sample = SCENES.sample(index);
            let same = scaled(&sample, 28, 20);
            assert_eq!(same, sample);
            let window = cropped(&sample, 6, -3, 15, 20, 0.3);
            for object in window.objects.as_ref().unwrap() {
                assert_eq!(object.mask.as_ref().unwrap().bounds(), Some(object.bounds));
            }
            let area =
                |sample: &Sample| sample.objects.iter().flatten().map(|object| object.area()).sum::<f64>();
            assert!(area(&window) <= area(&sample));
            cut += usize::from(area(&window) < area(&sample));
            for object in scaled(&sample, 56, 60).objects.unwrap() {
                let bounds = object.mask.as_ref().unwrap().bounds().unwrap();
                assert!(bounds.overlap(&object.bounds) > 0.99, "{bounds:?} {:?}", object.bounds);
            }
        }
        assert!(cut > 10, "{cut} of 20 were cut");
    }

    #[test]
    fn an_object_of_which_too_little_is_left_is_dropped_unless_it_is_a_crowd() {
        let mut sample = SCENES.sample(0);
        let objects = sample.objects.as_mut().unwrap();
        objects.truncate(1);
        objects[0] = crate::data::Object::new(
            crate::data::Bounds { left: 0.0, top: 0.0, width: 10.0, height: 10.0 },
            2,
        );
        let left = |sample: &Sample, visible: f64| cropped(sample, 8, 0, 20, 20, visible).objects.unwrap();
        assert_eq!((left(&sample, 0.3).len(), left(&sample, 0.2).len()), (0, 1));
        assert_eq!(
            left(&sample, 0.2)[0].bounds,
            crate::data::Bounds { left: 0.0, top: 0.0, width: 2.0, height: 10.0 }
        );
        sample.objects.as_mut().unwrap()[0].crowd = true;
        assert_eq!(left(&sample, 0.3).len(), 1);
    }

    #[test]
    fn numbers_that_are_none_are_told() {
        let problem = |augment: Augment| augment.problem().unwrap();
        assert_eq!(Augment::default().problem(), None);
        insta::assert_snapshot!(problem(Augment { flip: 1.5, ..Augment::default() }), @"`flip` is 1.5; it is in [0, 1]");
        insta::assert_snapshot!(problem(Augment { scale: (2.0, 0.5), ..Augment::default() }), @"`scale` is (2, 0.5); both are above 0 and at most 10, the smaller first");
        insta::assert_snapshot!(problem(Augment { width: 0, ..Augment::default() }), @"samples of 0x64 have no pixels");
    }
}
