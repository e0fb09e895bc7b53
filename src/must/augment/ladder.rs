//! The augmentation ladder of *Rethinking Pre-training and Self-training* (Zoph et al. 2020,
//! <https://arxiv.org/abs/2006.06882>): four strengths to choose from, in a file or in a search.

use serde::{Deserialize, Serialize};

use super::Augment;

/// How strongly samples are changed: a rung of the ladder, or numbers of one's own.
///
/// ```
/// use cellwright::must::augment::Augmentation;
///
/// let rung: Augmentation = ron::from_str("S3")?;
/// let augment = rung.augment(48, 32);
/// assert_eq!((augment.width, augment.height, augment.scale), (48, 32, (0.5, 2.0)));
/// # Ok::<(), ron::error::SpannedError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Augmentation {
    /// Nothing but the size.
    None,
    /// Flip and a small jitter of scale.
    #[default]
    S1,
    /// S1 and changes of colour. The paper's AutoAugment also turns and shears, which labels of boxes do not survive.
    S2,
    /// S2 with a large jitter of scale.
    S3,
    /// RandAugment's operations on colours and a large jitter of scale.
    S4,
    /// Numbers of one's own; `width` and `height` are the student's.
    Own(Augment),
}

impl Augmentation {
    /// The four rungs.
    pub const LADDER: [Augmentation; 4] =
        [Augmentation::S1, Augmentation::S2, Augmentation::S3, Augmentation::S4];

    /// The numbers for samples of this size.
    pub fn augment(&self, width: usize, height: usize) -> Augment {
        let none = Augment::none(width, height);
        let (small, large) = ((0.8, 1.2), (0.5, 2.0));
        match self {
            Augmentation::None => none,
            Augmentation::S1 => Augment { flip: 0.5, scale: small, ..none },
            Augmentation::S2 => {
                Augment { flip: 0.5, scale: small, colour: 0.4, ops: 1, magnitude: 9.0, ..none }
            }
            Augmentation::S3 => {
                Augment { flip: 0.5, scale: large, colour: 0.4, ops: 1, magnitude: 9.0, ..none }
            }
            Augmentation::S4 => Augment { flip: 0.5, scale: large, ops: 2, magnitude: 15.0, ..none },
            Augmentation::Own(augment) => Augment { width, height, ..augment.clone() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Scenes;
    use crate::random::Seed;

    #[test]
    fn every_rung_is_sound_and_keeps_labels_right() {
        let scenes = Scenes { count: 4, width: 24, height: 20, ..Scenes::default() };
        for (rung, index) in Augmentation::LADDER.into_iter().zip(0..) {
            let augment = rung.augment(24, 16);
            assert_eq!(augment.problem(), None);
            let sample = augment.apply(&scenes.sample(index), &mut Seed(1).stream(index as u64, "ladder"));
            assert_eq!(sample.contradiction(&scenes.classes()), None, "{rung:?}");
            assert_eq!(sample.size(), (24, 16));
        }
    }

    #[test]
    fn rungs_are_words_and_own_numbers_are_fields() {
        let own: Augmentation = ron::from_str("Own((flip: 0.25, copy_paste: 0.5))").unwrap();
        let augment = own.augment(8, 8);
        assert_eq!((augment.flip, augment.copy_paste, augment.width), (0.25, 0.5, 8));
        for rung in Augmentation::LADDER {
            assert_eq!(ron::from_str::<Augmentation>(&ron::to_string(&rung).unwrap()).unwrap(), rung);
        }
        assert!(ron::from_str::<Augmentation>("S5").is_err());
    }
}
