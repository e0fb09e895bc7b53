//! Fixed splits: the same pictures on every machine and in every study, every class in its share.

use rand::seq::SliceRandom;

use super::Pictures;
use crate::random::Seed;

/// Splits are part of the data, not of a study: this seed never changes.
const SEED: Seed = Seed(0);

/// Takes `share` of each class (at least one picture where the class has two) out of `pictures`.
/// Returns what is left and what was taken, both in a fixed mixed order.
pub(super) fn take(pictures: &Pictures, share: f64, purpose: &str) -> (Pictures, Pictures) {
    let mut order: Vec<usize> = (0..pictures.len()).collect();
    order.shuffle(&mut SEED.stream(pictures.len() as u64, purpose));

    let mut left_to_take = quotas(pictures, share);
    let (taken, kept): (Vec<_>, Vec<_>) = order.into_iter().partition(|&index| {
        let quota = &mut left_to_take[usize::from(pictures.labels[index])];
        let take = *quota > 0;
        *quota -= usize::from(take);
        take
    });
    (pictures.select(&kept), pictures.select(&taken))
}

/// How many pictures of each class are taken.
fn quotas(pictures: &Pictures, share: f64) -> Vec<usize> {
    let classes = pictures.labels.iter().max().map_or(0, |&label| usize::from(label) + 1);
    let mut counts = vec![0usize; classes];
    pictures.labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
    let quota = |&count: &usize| {
        if count < 2 { 0 } else { ((count as f64 * share).round() as usize).clamp(1, count - 1) }
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
