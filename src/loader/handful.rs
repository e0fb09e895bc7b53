//! A few pictures at once, for whoever learns only at the last moment which they are and how they are looked at.
//!
//! A [`Loader`](super::Loader) works ahead, and must know what comes. A step on weights that many candidates share knows
//! its candidate, and with it what happens to the pictures, when the step begins: all threads then load its batch together.

use std::sync::Mutex;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use super::agenda::Task;
use super::stock::{Desk, Loaded};
use super::{Batch, Broken, Look, Pixels, Stock, Tables};
use crate::random::Seed;

/// Threads that load a batch whenever they are told to.
///
/// ```
/// use cellwright::data::{Set, Source};
/// use cellwright::loader::{Broken, Handful, Look, Stock, Tables};
/// use cellwright::Seed;
///
/// let Set::Memory(data) = Source::Digits.open()? else { unreachable!("the digits are embedded") };
/// let tables = Tables::<f32>::new(&data.mean, &data.deviation);
/// let look = Look { shape: (8, 8), augment: None, middle: 1.0 };
/// let (stock, mut broken) = (Stock::Memory(data.train), Broken::default());
/// let batch = Handful::start(2)?.load(&stock, &tables, &[5, 0, 7], &look, Seed(0), &mut broken);
/// assert_eq!((batch.labels.len(), batch.shape, broken.count()), (3, (1, 8, 8), 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Handful {
    pool: ThreadPool,
    /// What threads keep between pictures; whoever comes first takes one.
    desks: Mutex<Vec<Desk>>,
}

impl Handful {
    /// Starts `threads` threads.
    ///
    /// # Errors
    /// Where the system has none left.
    pub fn start(threads: usize) -> Result<Handful, ThreadPoolBuildError> {
        let builder = ThreadPoolBuilder::new().num_threads(threads.max(1));
        let pool = builder.thread_name(|number| format!("picture loader {number}")).build()?;
        Ok(Handful { pool, desks: Mutex::default() })
    }

    /// The pictures at `members`, in that order, each drawn from a stream of its own of `seed`. There are fewer where some
    /// cannot be decoded, which join `broken`.
    pub fn load<T: Pixels>(
        &self,
        stock: &Stock,
        tables: &Tables<T>,
        members: &[usize],
        look: &Look,
        seed: Seed,
        broken: &mut Broken,
    ) -> Batch<T> {
        let one = |(place, member): (usize, &usize)| {
            let task = Task { member: *member, look, rng: seed.stream(place as u64, "view") };
            let mut desk = self.desk();
            let loaded = stock.load(tables, &mut desk, task);
            self.desks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(desk);
            loaded
        };
        let taken: Vec<Loaded<T>> = self.pool.install(|| members.par_iter().enumerate().map(one).collect());
        Batch::of(taken, (stock.channels(), look.shape.0, look.shape.1), broken)
    }

    fn desk(&self) -> Desk {
        self.desks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Pictures;
    use crate::recipe::{Augment, RandAugment};

    fn stock() -> Stock {
        let pixels = (0..30 * 3 * 12 * 10).map(|at| (at * 29 % 251) as u8).collect();
        Stock::Memory(Pictures::new(pixels, (0..30).map(|at| at % 4).collect(), (3, 12, 10)))
    }

    fn look() -> Look {
        let rand_augment = RandAugment { ops: 2, magnitude: 12.0 };
        let augment = Augment { flip: true, resized_crop: 0.3, rand_augment, ..Augment::default() };
        Look { shape: (8, 8), augment: Some(augment), middle: 1.0 }
    }

    #[test]
    fn what_is_loaded_depends_on_the_seed_and_not_on_the_threads() {
        let load = |threads, seed| {
            let (tables, mut broken) = (Tables::bytes(&[0.5; 3]), Broken::default());
            let handful = Handful::start(threads).unwrap();
            handful.load(&stock(), &tables, &[3, 9, 3, 28], &look(), Seed(seed), &mut broken)
        };
        let one = load(1, 7);
        assert_eq!((&one.labels[..], one.shape), (&[3, 1, 3, 0][..], (3, 8, 8)));
        assert_eq!(one.pixels.len(), 4 * 3 * 8 * 8);
        assert_eq!(load(3, 7), one);
        assert_ne!(load(1, 8).pixels, one.pixels);
        let size = 3 * 8 * 8;
        assert_ne!(one.pixels[..size], one.pixels[2 * size..3 * size], "each place has a stream of its own");
    }
}
