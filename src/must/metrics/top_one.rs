//! The share of pictures whose likeliest class is the right one.

use crate::data::Class;

/// Top-1 accuracy.
///
/// ```
/// use cellwright::data::Class;
/// use cellwright::must::metrics::TopOne;
///
/// let mut metric = TopOne::default();
/// metric.add(&Class::Hard(1), &[0.2, 0.7, 0.1]);
/// metric.add(&Class::Hard(0), &[0.2, 0.7, 0.1]);
/// assert_eq!(metric.accuracy(), Some(0.5));
/// ```
#[derive(Clone, Debug, Default)]
pub struct TopOne {
    right: u64,
    all: u64,
}

impl TopOne {
    /// One picture: its class (a teacher's likeliest one), and a score for each class. Of equal scores the first counts;
    /// scores that are no numbers are never right.
    pub fn add(&mut self, truth: &Class, scores: &[f32]) {
        let truth = match truth {
            Class::Hard(class) => Some(usize::from(*class)),
            Class::Soft(shares) => likeliest(shares),
        };
        self.all += 1;
        self.right += u64::from(truth.is_some() && likeliest(scores) == truth);
    }

    /// In [0, 1]; `None` without pictures.
    pub fn accuracy(&self) -> Option<f64> {
        (self.all > 0).then(|| self.right as f64 / self.all as f64)
    }
}

fn likeliest(scores: &[f32]) -> Option<usize> {
    let known = scores.iter().enumerate().filter(|(_, score)| !score.is_nan());
    known
        .fold(None, |best: Option<(usize, f32)>, (class, &score)| match best {
            Some((_, most)) if most >= score => best,
            _ => Some((class, score)),
        })
        .map(|(class, _)| class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_scores_counts_and_no_number_is_never_right() {
        let mut metric = TopOne::default();
        assert_eq!(metric.accuracy(), None);
        metric.add(&Class::Hard(1), &[0.1, 0.5, 0.5]);
        metric.add(&Class::Hard(0), &[f32::NAN, f32::NAN]);
        metric.add(&Class::Hard(1), &[f32::NAN, -3.0]);
        metric.add(&Class::Soft(vec![0.2, 0.8]), &[1.0, 0.0]);
        assert_eq!(metric.accuracy(), Some(0.5));
    }
}
