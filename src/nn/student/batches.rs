//! Batches of several sets in fixed proportion, augmented ahead of use.
//!
//! Which samples a step has, and what happens to them, follows from the seed and the step's number alone: a training that
//! goes on in the middle has the batches that it would have had.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;

use super::losses::Targets;
use super::{Source, normalize};
use crate::data::{Label, Sample};
use crate::must::augment::Augment;
use crate::must::student::{Network, Student};
use crate::nn::NnError;
use crate::nn::augment::shuffle;
use crate::random::Seed;

/// Batches that wait for being used, for each thread that makes them.
const AHEAD: usize = 2;
/// Bytes of samples that are kept in memory as they were read.
const KEPT: usize = 1 << 30;

/// A batch, off any device.
pub(super) struct Batch {
    /// Normalised pictures, `[batch, 3, height, width]`.
    pub(super) input: Vec<f32>,
    pub(super) targets: Targets,
    /// By label, in the order of all: of which samples a teacher gave it.
    pub(super) pseudo: [Vec<bool>; Label::ALL.len()],
}

/// All that batches are made of.
pub(super) struct Kitchen<'a> {
    pub(super) student: &'a Student,
    pub(super) network: &'a Network,
    pub(super) sources: &'a [Source<'a>],
    pub(super) augment: Augment,
    pub(super) batch: usize,
    pub(super) seed: Seed,
    shelf: Shelf,
}

/// Samples that were read already, by set and index.
struct Shelf {
    /// By set and index, and the bytes of all.
    samples: Mutex<(Vec<Shelved>, usize)>,
}

/// One set's samples.
type Shelved = Vec<Option<Arc<Sample>>>;

/// A place of a batch: the `number`-th sample that is drawn from a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Draw {
    source: usize,
    number: usize,
}

/// Draws of one step after another.
struct Draws {
    shares: Vec<f64>,
    drawn: Vec<usize>,
    batch: usize,
}

impl Draws {
    fn new(shares: impl Iterator<Item = f64>, batch: usize) -> Draws {
        let shares: Vec<f64> = shares.collect();
        let sum: f64 = shares.iter().sum();
        let shares: Vec<f64> = shares.into_iter().map(|share| share / sum).collect();
        Draws { drawn: vec![0; shares.len()], shares, batch }
    }
}

impl Iterator for Draws {
    type Item = Vec<Draw>;

    /// Each place is of the set that is furthest behind its share.
    fn next(&mut self) -> Option<Vec<Draw>> {
        let mut place = |_| {
            let all = self.drawn.iter().sum::<usize>() as f64 + 1.0;
            let behind = |source: &usize| self.shares[*source] * all - self.drawn[*source] as f64;
            let sources = 0..self.shares.len();
            // The first of equals, whatever the order of floats says of ties.
            let source = sources.rev().max_by(|a, b| behind(a).total_cmp(&behind(b))).unwrap_or_default();
            self.drawn[source] += 1;
            Draw { source, number: self.drawn[source] - 1 }
        };
        Some((0..self.batch).map(&mut place).collect())
    }
}

impl<'a> Kitchen<'a> {
    pub(super) fn new(
        student: &'a Student,
        network: &'a Network,
        sources: &'a [Source<'a>],
        augment: Augment,
        batch: usize,
        seed: Seed,
    ) -> Kitchen<'a> {
        let shelves = sources.iter().map(|source| vec![None; source.samples.len()]).collect();
        let shelf = Shelf { samples: Mutex::new((shelves, 0)) };
        Kitchen { student, network, sources, augment, batch, seed, shelf }
    }

    /// Makes the batches from step `first` to `last` on so many threads; they come out in order.
    pub(super) fn serve<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        (first, last): (usize, usize),
        cooks: usize,
    ) -> impl Iterator<Item = Result<Batch, NnError>> {
        let hatches: Vec<Receiver<_>> = (0..cooks.max(1))
            .map(|cook| {
                let (send, receive) = sync_channel(AHEAD);
                let steps = (first + cook..last).step_by(cooks.max(1));
                scope.spawn(move || self.cook(steps, &send));
                receive
            })
            .collect();
        (first..last).map_while(move |step| hatches[(step - first) % hatches.len()].recv().ok())
    }

    fn cook(&self, steps: impl Iterator<Item = usize>, send: &SyncSender<Result<Batch, NnError>>) {
        let mut draws = Draws::new(self.sources.iter().map(|source| source.share), self.batch);
        let mut done = 0;
        let mut orders = vec![(usize::MAX, Vec::new()); self.sources.len()];
        for step in steps {
            let Some(members) = draws.nth(step - done) else { return };
            done = step + 1;
            let batch = self.plate(step, &members, &mut orders);
            let failed = batch.is_err();
            // Whoever eats may have left.
            if send.send(batch).is_err() || failed {
                return;
            }
        }
    }

    fn plate(&self, step: usize, members: &[Draw], orders: &mut [Order]) -> Result<Batch, NnError> {
        let mut samples = Vec::with_capacity(members.len());
        for (place, draw) in members.iter().enumerate() {
            samples.push(self.prepare(step * self.batch + place, *draw, orders)?);
        }
        let mut input = Vec::with_capacity(samples.len() * 3 * self.augment.width * self.augment.height);
        samples.iter().for_each(|sample| normalize(&sample.picture, &mut input));
        let of_teachers = |label| samples.iter().map(|sample| sample.pseudo.contains(&label)).collect();
        let pseudo = Label::ALL.map(of_teachers);
        Ok(Batch { input, targets: Targets::of(self.student, self.network, &samples), pseudo })
    }

    fn prepare(&self, place: usize, draw: Draw, orders: &mut [Order]) -> Result<Sample, NnError> {
        let sample = self.sample(draw, orders)?;
        let mut rng = self.seed.stream(place as u64, "student augment");
        if self.augment.copy_paste == 0.0 {
            return Ok(self.augment.apply(&sample, &mut rng));
        }
        // What is pasted stands half a set further on, so that nothing is pasted onto itself.
        let count = self.sources[draw.source].samples.len();
        let (round, at) = (draw.number / count, draw.number % count);
        let other = Draw { number: round * count + (at + count.div_ceil(2)) % count, ..draw };
        let other = self.sample(other, orders)?;
        Ok(self.augment.apply_pair(&sample, &other, &mut rng))
    }

    /// The sample of a draw: each set is gone through in a new order each time.
    fn sample(&self, draw: Draw, orders: &mut [Order]) -> Result<Arc<Sample>, NnError> {
        let Draw { source, number } = draw;
        let count = self.sources[source].samples.len();
        let (round, place) = (number / count, number % count);
        let order = &mut orders[source];
        if order.0 != round {
            let mut indices: Vec<u32> = (0..count as u32).collect();
            let seed = self.seed.derive(source as u64, "student order");
            shuffle(&mut indices, &mut seed.stream(round as u64, "order"));
            *order = (round, indices);
        }
        self.read(source, order.1[place] as usize)
    }

    fn read(&self, source: usize, index: usize) -> Result<Arc<Sample>, NnError> {
        if let Some(sample) = self.shelf.find(source, index) {
            return Ok(sample);
        }
        let samples = self.sources[source].samples;
        let sample = samples.sample(index).map_err(|error| NnError::Sample(error.to_string()))?;
        if let Some(problem) = sample.contradiction(&self.student.classes) {
            let name = &sample.name;
            return Err(NnError::Sample(format!("sample `{name}` is none for this student: {problem}")));
        }
        let sample = Arc::new(sample);
        self.shelf.keep(source, index, &sample);
        Ok(sample)
    }
}

/// A round through a set, and its order.
type Order = (usize, Vec<u32>);

impl Shelf {
    fn find(&self, source: usize, index: usize) -> Option<Arc<Sample>> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner).0[source][index].clone()
    }

    fn keep(&self, source: usize, index: usize, sample: &Arc<Sample>) {
        let (shelves, bytes) = &mut *self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let own = bytes_of(sample);
        if *bytes + own <= KEPT && shelves[source][index].is_none() {
            *bytes += own;
            shelves[source][index] = Some(sample.clone());
        }
    }
}

/// About as many as a sample takes.
fn bytes_of(sample: &Sample) -> usize {
    let of_pixel = 3
        + usize::from(sample.segmentation.is_some()) * 2
        + usize::from(sample.depth.is_some()) * 4
        + usize::from(sample.normals.is_some()) * 12;
    let runs = sample.objects.iter().flatten().filter_map(|object| object.mask.as_ref());
    sample.picture.values().len() * of_pixel + runs.map(|mask| mask.runs().len() * 4).sum::<usize>() + 512
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_mixed_in_proportion_from_the_first_batch_on() {
        let mut draws = Draws::new([3.0, 1.0].into_iter(), 8);
        let first = draws.next().unwrap();
        assert_eq!(first.iter().filter(|draw| draw.source == 0).count(), 6);
        let drawn: Vec<usize> =
            draws.take(9).flatten().filter(|draw| draw.source == 1).map(|draw| draw.number).collect();
        assert_eq!(drawn, (2..20).collect::<Vec<_>>(), "each is drawn in its turn");
        let uneven = Draws::new([1.0, 1.0, 1.0].into_iter(), 4).take(3).flatten();
        let counts = uneven.fold([0; 3], |mut counts, draw| {
            counts[draw.source] += 1;
            counts
        });
        assert_eq!(counts, [4, 4, 4]);
    }
}
