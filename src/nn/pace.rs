//! How fast networks train on a device, measured on made-up pictures: one alone, or many that share it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use rand::Rng as _;
use rayon::ThreadPoolBuilder;

use super::{NnError, Training, cores};
use crate::data::{Pictures, Supply};
use crate::device::Device;
use crate::ir::{Graph, Shape};
use crate::random::Seed;
use crate::recipe::Recipe;

/// Most steps between two looks at the clock.
const STRETCH: u32 = 20;
/// Most that are tried at once on a GPU.
const MOST: usize = 64;
/// One more than half as many again must be worth a tenth.
const WORTH: f64 = 1.1;
/// Steps of a candidate when the number of workers is chosen.
const TRIED: u32 = 20;

/// Candidates to be timed: the networks, each with its recipe.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// The networks; each takes pictures and ends in a logit a class.
    pub candidates: &'a [(Graph, Recipe)],
    /// Where they train.
    pub device: Device,
    /// Processor threads of each.
    pub threads: usize,
    /// Where pictures and weights come from.
    pub seed: Seed,
}

/// What a measurement came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// From the first candidate's start to the last one's end, whatever is compiled on the way included.
    pub seconds: f64,
    /// How many candidates trained.
    pub candidates: usize,
    /// Timed steps of each.
    pub steps: u32,
    /// Median over the candidates of what came before the timed steps: compiling, and a few steps.
    pub start_seconds: f64,
    /// Median over the candidates of a timed step's length.
    pub step_seconds: f64,
}

impl Field<'_> {
    /// Trains every candidate for as many steps after a short start, `workers` of them at a time.
    ///
    /// # Errors
    /// [`NnError`]: a candidate that does not fit, or diverges on noise.
    pub fn time(&self, workers: usize, steps: u32) -> Result<Pace, NnError> {
        let (next, start) = (AtomicUsize::new(0), Instant::now());
        let done: Mutex<Vec<Result<Lap, NnError>>> = Mutex::default();
        std::thread::scope(|scope| {
            for _ in 0..workers.clamp(1, self.candidates.len().max(1)) {
                scope.spawn(|| {
                    while let Some(candidate) = self.candidates.get(next.fetch_add(1, Relaxed)) {
                        let lap = self.lap(candidate, steps);
                        done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(lap);
                    }
                });
            }
        });
        let seconds = start.elapsed().as_secs_f64();
        let laps = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let laps = laps.into_iter().collect::<Result<Vec<Lap>, NnError>>()?;
        let middle = |figure: fn(&Lap) -> f64| median(laps.iter().map(figure).collect());
        Ok(Pace {
            seconds,
            candidates: laps.len(),
            steps,
            start_seconds: middle(|lap| lap.start),
            step_seconds: middle(|lap| lap.step),
        })
    }

    /// How many workers train most: twice as many as long as that is worth it. On the CPU there is nothing to measure:
    /// as many as have cores of their own.
    ///
    /// # Errors
    /// As [`Field::time`].
    pub fn best_workers(&self) -> Result<usize, NnError> {
        if self.device == Device::Cpu {
            return Ok((cores() / self.threads.max(1)).max(1));
        }
        let rate = |workers: usize| -> Result<f64, NnError> {
            let pace = self.time(workers, TRIED)?;
            Ok(pace.candidates as f64 / pace.seconds)
        };
        // Kernels are compiled and tuned once a process: not a part of what is compared.
        rate(1)?;
        let (mut workers, mut best) = (1, rate(1)?);
        while workers * 2 <= MOST.min(self.candidates.len()) {
            let doubled = rate(workers * 2)?;
            if doubled < WORTH * best {
                break;
            }
            (workers, best) = (workers * 2, doubled);
        }
        Ok(workers)
    }

    fn lap(&self, (graph, recipe): &(Graph, Recipe), steps: u32) -> Result<Lap, NnError> {
        let stretch = steps.clamp(1, STRETCH);
        let pictures = noise(graph, recipe.batch * stretch as usize, self.seed)?;
        let channels = vec![0.5; pictures.shape.0];
        let epochs = 1 + steps.div_ceil(stretch);
        let training = Training {
            graph,
            recipe,
            epochs,
            whole: epochs,
            parent: None,
            smaller: &[],
            loaders: 0,
            seed: self.seed,
            train: Supply::Memory(&pictures),
            validation: None,
            normal: (&channels, &channels),
            device: self.device,
            checkpoint: None,
        };
        let pool = ThreadPoolBuilder::new().num_threads(self.threads).build();
        let pool = pool.map_err(|error| NnError::Unfit(format!("no threads to train on: {error}")))?;
        pool.install(|| {
            let share = training.share(&|| false)?.ok_or(NnError::Stopped)?;
            let (start, mut times) = (Instant::now(), Vec::new());
            training.run_with(&share, &mut |_| {
                times.push(start.elapsed().as_secs_f64());
                true
            })?;
            let timed = f64::from(training.epochs - 1) * f64::from(stretch);
            let (first, last) = (times[0], times[times.len() - 1]);
            Ok(Lap { start: first, step: (last - first) / timed })
        })
    }
}

/// One candidate's times in seconds.
struct Lap {
    start: f64,
    step: f64,
}

/// Pictures that mean nothing, for this network.
pub(super) fn noise(graph: &Graph, count: usize, seed: Seed) -> Result<Pictures, NnError> {
    let (Shape::Map { channels, height, width }, Shape::Flat(classes)) =
        (graph.shape(graph.input()), graph.shape(graph.output()))
    else {
        return Err(NnError::Unfit("only networks from pictures to classes can be timed".into()));
    };
    let mut rng = seed.stream(0, "noise");
    let mut pixels = vec![0; count * channels * height * width];
    rng.fill_bytes(&mut pixels);
    let labels = (0..count).map(|index| (index % classes) as u16).collect();
    Ok(Pictures::new(pixels, labels, (channels, height, width)))
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => figures[middle],
        _ => (figures[middle - 1] + figures[middle]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Primitive;

    fn network(features: usize) -> (Graph, Recipe) {
        let mut graph = Graph::new(Shape::Map { channels: 1, height: 4, width: 4 });
        let x = graph.add(Primitive::Flatten, &[graph.input()]).unwrap();
        let x = graph.add(Primitive::Linear { features, bias: true }, &[x]).unwrap();
        graph.set_output(x);
        (graph, Recipe { batch: 8, learning_rate: 0.01, ..Recipe::default() })
    }

    #[test]
    fn every_candidate_is_timed_once() {
        let candidates: Vec<_> = (2..7).map(network).collect();
        let field = Field { candidates: &candidates, device: Device::Cpu, threads: 1, seed: Seed(1) };
        let pace = field.time(2, 30).unwrap();
        assert_eq!((pace.candidates, pace.steps), (5, 30));
        assert!(pace.step_seconds > 0.0 && pace.seconds > 30.0 * pace.step_seconds, "{pace:?}");
        assert_eq!(field.best_workers().unwrap(), cores());
        assert_eq!(Field { threads: 1000, ..field }.best_workers().unwrap(), 1);
    }

    #[test]
    fn the_middle_of_few() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0]), 2.5);
        assert!(median(vec![]).is_nan());
    }
}
