//! Fixed splits: the same pictures on every machine and in every study, every class in its share.

use rand::seq::SliceRandom;

use super::Pictures;
use crate::random::Seed;

/// Splits are part of the data, not of a study: this seed never changes.
const SEED: Seed = Seed(0);

/// Takes `share` of each class (at least one picture where the class has two) out of `pictures`.
/// Returns what is left and what was taken, both in a fixed mixed order.
pub(super) fn take(pictures: &Pictures, share: f64, purpose: &str) -> (Pictures, Pictures) {
    let labelled = pictures.labels.iter().enumerate().map(|(index, label)| (index, *label)).collect();
    let (kept, taken) = take_labelled(labelled, share, purpose);
    let indices = |part: Vec<(usize, u16)>| part.into_iter().map(|(index, _)| index).collect::<Vec<_>>();
    (pictures.select(&indices(kept)), pictures.select(&indices(taken)))
}

/// The same for anything with a label; a share of 0 only mixes.
pub(super) fn take_labelled<T>(
    mut all: Vec<(T, u16)>,
    share: f64,
    purpose: &str,
) -> (Labelled<T>, Labelled<T>) {
    let mut rng = SEED.stream(all.len() as u64, purpose);
    all.shuffle(&mut rng);
    let mut left_to_take = quotas(&all, share);
    let (taken, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, label)| {
        let quota = &mut left_to_take[usize::from(*label)];
        let take = *quota > 0;
        *quota -= usize::from(take);
        take
    });
    (kept, taken)
}

type Labelled<T> = Vec<(T, u16)>;

/// How many pictures of each class are taken.
fn quotas<T>(all: &[(T, u16)], share: f64) -> Vec<usize> {
    let classes = all.iter().map(|(_, label)| usize::from(*label) + 1).max().unwrap_or(0);
    let mut counts = vec![0usize; classes];
    all.iter().for_each(|(_, label)| counts[usize::from(*label)] += 1);
    let quota = |&count: &usize| {
        if count < 2 || share == 0.0 {
            0
        } else {
            ((count as f64 * share).round() as usize).clamp(1, count - 1)
        }
    };
    counts.iter().map(quota).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_gives_its_share_and_nothing_is_lost_or_doubled() {
        let labels: Vec<u16> = (0..100).map(|index| u16::from(index >= 80)).collect();
        let pictures = Pictures::new((0..100).collect(), labels, (1, 1, 1));
        let (kept, taken) = take(&pictures, 0.1, "validation");
        assert_eq!((kept.len(), taken.len()), (90, 10));
        assert_eq!(taken.labels.iter().filter(|&&label| label == 1).count(), 2);
        let mut all = [&kept.pixels[..], &taken.pixels].concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<u8>>());
        assert_eq!(take(&pictures, 0.1, "validation").1, taken);
    }
}
