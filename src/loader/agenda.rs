//! What is to be loaded: which picture stands where in every epoch, and how it is looked at.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use rand::RngExt;

use crate::random::{Rng, Seed};
use crate::recipe::{Augment, Stage};

/// The order of an epoch (from 0) of a training on `count` pictures.
pub fn order(seed: Seed, epoch: u32, count: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    shuffle(&mut order, &mut seed.stream(epoch.into(), "shuffle"));
    order
}

/// A uniform permutation (Fisher and Yates).
pub fn shuffle<T>(items: &mut [T], rng: &mut Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, rng.random_range(0..=last));
    }
}

/// How the pictures of an epoch are looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// Height and width that they are brought to.
    pub shape: (usize, usize),
    /// What happens to them; `None` where they are only looked at.
    pub augment: Option<Augment>,
    /// Share of the middle that is looked at where no box is drawn, in (0, 1].
    pub middle: f64,
}

impl Look {
    /// That of a training's stage, of pictures whose full height and width are `full`.
    pub fn training(stage: &Stage, full: (usize, usize)) -> Look {
        let shape = (stage.side(full.0), stage.side(full.1));
        let share = shape.0 as f64 / full.0 as f64;
        let pixels = |count: usize| (count as f64 * share).round() as usize;
        let mut augment = stage.augment.clone();
        (augment.crop, augment.cutout) = (pixels(augment.crop), pixels(augment.cutout));
        Look { shape, augment: Some(augment), middle: 1.0 }
    }
}

/// All that is to be loaded, one after the other.
#[derive(Debug)]
pub struct Agenda {
    /// Where randomness comes from.
    pub seed: Seed,
    /// Pictures of an epoch's whole: those that do not fill a batch are left out when training.
    pub count: usize,
    /// Pictures a batch.
    pub batch: usize,
    /// The epochs (from 0) to go through.
    pub epochs: Range<u32>,
    /// How each of the epochs is looked at.
    pub looks: Vec<Look>,
    orders: Mutex<Vec<(u32, Arc<Vec<u32>>)>>,
}

/// One picture to load.
pub(super) struct Task<'a> {
    /// Which.
    pub(super) member: usize,
    pub(super) look: &'a Look,
    /// What happens to this picture in this epoch is drawn from here, and nothing else.
    pub(super) rng: Rng,
}

impl Agenda {
    /// Trains on `count` pictures for as many `epochs` as there are `looks`.
    pub fn training(seed: Seed, count: usize, batch: usize, start: u32, looks: Vec<Look>) -> Agenda {
        let epochs = start..start + looks.len() as u32;
        Agenda { seed, count, batch: batch.clamp(1, count.max(1)), epochs, looks, orders: Mutex::default() }
    }

    /// Looks at every picture once, in order.
    pub fn looking(count: usize, batch: usize, look: Look) -> Agenda {
        let look = Look { augment: None, ..look };
        Agenda {
            seed: Seed(0),
            count,
            batch: batch.max(1),
            epochs: 0..1,
            looks: vec![look],
            orders: Mutex::default(),
        }
    }

    fn trains(&self) -> bool {
        self.looks.first().is_some_and(|look| look.augment.is_some())
    }

    /// Pictures handed out in an epoch.
    pub(super) fn pictures_an_epoch(&self) -> u64 {
        let whole = self.count / self.batch * self.batch;
        (if self.trains() { whole } else { self.count }) as u64
    }

    /// Pictures handed out in all.
    pub(super) fn pictures(&self) -> u64 {
        self.pictures_an_epoch() * self.looks.len() as u64
    }

    /// How the picture handed out at `position` is looked at.
    pub(super) fn look(&self, position: u64) -> &Look {
        let epoch = position / self.pictures_an_epoch().max(1);
        &self.looks[(epoch as usize).min(self.looks.len() - 1)]
    }

    /// The picture that is handed out at `position`.
    pub(super) fn task(&self, position: u64) -> Task<'_> {
        let each = self.pictures_an_epoch().max(1);
        let (epoch, place) = (self.epochs.start + (position / each) as u32, position % each);
        let member = if self.trains() { self.order(epoch)[place as usize] as usize } else { place as usize };
        let rng = self.seed.derive(epoch.into(), "views").stream(place, "view");
        Task { member, look: self.look(position), rng }
    }

    /// Kept for two epochs: threads that work ahead are in the next one while others end this one.
    fn order(&self, epoch: u32) -> Arc<Vec<u32>> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = orders.iter().find(|(of, _)| *of == epoch) {
            return known.clone();
        }
        let made = Arc::new(order(self.seed, epoch, self.count));
        if orders.len() > 1 {
            orders.remove(0);
        }
        orders.push((epoch, made.clone()));
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Progressive, Recipe};

    fn agenda(start: u32) -> Agenda {
        let progressive = Progressive { stages: 3, size: 0.5, ..Progressive::default() };
        let augment = Augment { crop: 4, cutout: 8, ..Augment::default() };
        let recipe = Recipe { progressive, augment, ..Recipe::default() };
        let looks = (start..3).map(|epoch| Look::training(&recipe.stage(epoch, 3), (32, 32))).collect();
        Agenda::training(Seed(7), 25, 10, start, looks)
    }

    #[test]
    fn epochs_are_whole_batches_in_orders_of_their_own_and_looks_grow() {
        let agenda = agenda(0);
        assert_eq!((agenda.pictures_an_epoch(), agenda.pictures()), (20, 60));
        let members = |epoch: u64| (0..20).map(|at| agenda.task(epoch * 20 + at).member).collect::<Vec<_>>();
        assert_ne!(members(0), members(1));
        let mut sorted = members(2);
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), 20);
        let shapes: Vec<_> = [0, 20, 59].map(|at| agenda.look(at).shape).into();
        assert_eq!(shapes, [(16, 16), (24, 24), (32, 32)]);
        let augment = agenda.look(0).augment.clone().unwrap();
        assert_eq!((augment.crop, augment.cutout), (2, 4));
    }

    #[test]
    fn a_training_that_goes_on_loads_what_it_would_have_loaded() {
        let (whole, rest) = (agenda(0), agenda(1));
        for at in 0..40 {
            let (mut a, mut b) = (whole.task(at + 20), rest.task(at));
            assert_eq!((a.member, a.look, a.rng.random::<u64>()), (b.member, b.look, b.rng.random::<u64>()));
        }
    }

    #[test]
    fn looking_goes_through_all_in_order() {
        let look = Look { shape: (8, 8), augment: Some(Augment::default()), middle: 0.875 };
        let agenda = Agenda::looking(7, 3, look);
        assert_eq!(
            (0..agenda.pictures()).map(|at| agenda.task(at).member).collect::<Vec<_>>(),
            (0..7).collect::<Vec<_>>()
        );
        assert_eq!(agenda.look(0).augment, None);
    }

    #[test]
    fn every_epoch_has_its_own_order_and_the_same_one_again() {
        let first = order(Seed(1), 0, 10);
        assert_eq!(first, order(Seed(1), 0, 10));
        assert_ne!(first, order(Seed(1), 1, 10));
    }
}
