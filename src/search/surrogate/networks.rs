//! What ensembles of networks have in common: the form of their configuration, and who learns from what.

use rand::seq::SliceRandom;

use crate::random::Seed;

/// How an ensemble of networks is made and learns: what every such configuration says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Form {
    pub members: usize,
    pub embedding: usize,
    pub hidden: usize,
    pub learning_rate: f64,
    pub epochs: usize,
    pub updates: usize,
    pub batch: usize,
}

/// Makes a configuration of networks: all have one form, PNAS's five networks of 100 and batches of their own defaults.
macro_rules! networks {
    (
        $(#[$doc:meta])*
        $name:ident { learning_rate: $rate:literal, epochs: $epochs:literal, updates: $updates:literal, batch: $batch:literal }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            /// How many networks; each learns from all but one `members`-th of the examples.
            pub members: usize,
            /// Width of an embedding.
            pub embedding: usize,
            /// Width of a hidden layer, or of the state.
            pub hidden: usize,
            /// Adam's learning rate.
            pub learning_rate: f64,
            /// Passes over the examples, at least.
            pub epochs: usize,
            /// Steps of Adam, at least: few examples are gone through more often.
            pub updates: usize,
            /// Examples a step.
            pub batch: usize,
        }

        impl Default for $name {
            fn default() -> $name {
                $name {
                    members: 5,
                    embedding: 100,
                    hidden: 100,
                    learning_rate: $rate,
                    epochs: $epochs,
                    updates: $updates,
                    batch: $batch,
                }
            }
        }

        impl $name {
            /// What all networks say.
            fn form(&self) -> super::networks::Form {
                let $name { members, embedding, hidden, learning_rate, epochs, updates, batch } = *self;
                super::networks::Form { members, embedding, hidden, learning_rate, epochs, updates, batch }
            }
        }
    };
}
pub(super) use networks;

/// The examples that each of `members` networks learns from: all but its own share, or all where there are too few to
/// share out; none where there are none.
pub(super) fn folds(members: usize, examples: usize, seed: Seed) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..examples).collect();
    order.shuffle(&mut seed.stream(0, "surrogate folds"));
    let share = members > 1 && examples >= 2 * members;
    let fold = |member: usize| {
        let own = order.iter().enumerate().filter(|(place, _)| !share || place % members != member);
        own.map(|(_, index)| *index).collect()
    };
    (0..if examples > 0 { members } else { 0 }).map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_left_out_once() {
        let folds = folds(5, 23, Seed(1));
        assert!(folds.iter().all(|fold| (18..=19).contains(&fold.len())), "{folds:?}");
        assert!((0..23).all(|index| folds.iter().filter(|fold| fold.contains(&index)).count() == 4));
        assert_eq!(super::folds(5, 9, Seed(1)).iter().map(Vec::len).collect::<Vec<_>>(), [9; 5]);
        assert!(super::folds(5, 0, Seed(1)).is_empty());
    }
}
