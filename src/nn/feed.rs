//! Hands a training its batches, from where they come quickest.
//!
//! Pictures in memory are looked at in the training's own thread on the CPU, and on any other device where they lie as
//! bytes. Pictures in files, and those that are cropped and scaled or go through RandAugment, come from the loader's
//! threads. What is drawn depends on the seed alone.

mod once;

use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData};

use super::augment::{Normalizer, View};
use super::batch::{Batches, targets};
use super::mix::Mix;
use super::resident::{OnDevice, Resident};
use super::throughput::Throughput;
use super::{NnError, device};
use crate::data::{Pictures, Supply};
use crate::loader::{self, Agenda, Batch, Broken, Loader, Look, Tables};
use crate::random::{Rng, Seed};
use crate::recipe::{Augment, Recipe};

pub(super) use once::{Lot, Lots};

/// Batches that loaded pictures are ahead of their use.
const AHEAD: usize = 3;

/// What is to be handed out.
#[derive(Clone, Copy)]
pub(super) struct Course<'a> {
    pub(super) recipe: &'a Recipe,
    /// How many epochs there are.
    pub(super) epochs: u32,
    /// How many the recipe's stages are laid out for.
    pub(super) whole: u32,
    pub(super) seed: Seed,
    pub(super) train: Supply<'a>,
    /// Mean and standard deviation of each channel, of pixels in [0, 1].
    pub(super) normal: (&'a [f32], &'a [f32]),
    pub(super) classes: usize,
    /// Threads that load pictures; 0 for as many as there are cores.
    pub(super) loaders: usize,
    pub(super) device: &'a Device,
}

/// The batches of a training.
pub(super) struct Feed<'a> {
    course: Course<'a>,
    way: Way,
    epoch: u32,
    /// The recipe as it is in this epoch.
    recipe: Recipe,
    order: Vec<usize>,
    rng: Rng,
    /// Pictures handed out in this epoch.
    met: u64,
    began: Instant,
    throughput: Throughput,
}

/// Where batches come from.
enum Way {
    /// Made here, of pictures at this epoch's size.
    Host(Pictures, Normalizer),
    /// Gathered on the device, of pictures at this epoch's size.
    Resident(Pictures, Box<Resident>),
    Numbers(Loader<f32>),
    Bytes(Loader<u8>, Box<OnDevice>),
}

impl<'a> Feed<'a> {
    /// Starts at epoch `first` (from 0).
    ///
    /// # Errors
    /// [`NnError::Unfit`] where pictures are of a kind that cannot be cropped or scaled, or there are no threads left.
    pub(super) fn start(course: Course<'a>, first: u32) -> Result<Feed<'a>, NnError> {
        let way = Way::of(&course, first)?;
        Ok(Feed {
            course,
            way,
            epoch: first,
            recipe: course.recipe.clone(),
            order: Vec::new(),
            rng: course.seed.stream(first.into(), "augment"),
            met: 0,
            began: Instant::now(),
            throughput: Throughput::default(),
        })
    }

    /// Begins an epoch (from 0): they come one after the other.
    ///
    /// # Errors
    /// [`NnError::Unfit`] where pictures cannot be brought to the epoch's size.
    pub(super) fn begin(&mut self, epoch: u32) -> Result<(), NnError> {
        self.began = Instant::now();
        (self.epoch, self.met) = (epoch, 0);
        let (_, height, width) = self.course.train.shape();
        let look = Look::training(&self.course.recipe.stage(epoch, self.course.whole), (height, width));
        if let Some(augment) = look.augment {
            self.recipe.augment = augment;
        }
        self.rng = self.course.seed.stream(epoch.into(), "augment");
        let Supply::Memory(whole) = self.course.train else { return Ok(()) };
        let resized = |pictures: &Pictures| match look.shape {
            same if same == (pictures.shape.1, pictures.shape.2) => Ok(None),
            full if full == (height, width) => Ok(Some(whole.clone())),
            smaller => loader::resized(whole, smaller).map(Some).map_err(NnError::Unfit),
        };
        match &mut self.way {
            Way::Host(pictures, _) => {
                if let Some(other) = resized(pictures)? {
                    *pictures = other;
                }
            }
            Way::Resident(pictures, resident) => {
                if let Some(other) = resized(pictures)? {
                    **resident =
                        Resident::new(&other, self.course.normal, self.course.device).ok_or_else(|| {
                            NnError::Unfit("too many pictures for one tensor on the device".into())
                        })?;
                    *pictures = other;
                }
            }
            Way::Numbers(_) | Way::Bytes(..) => return Ok(()),
        }
        self.order =
            loader::order(self.course.seed, epoch, whole.len()).into_iter().map(|at| at as usize).collect();
        self.throughput.waited_seconds += self.began.elapsed().as_secs_f64();
        Ok(())
    }

    /// The epoch's batch number `step` (from 0): normalised pictures `[batch, channels, height, width]` and a share of every
    /// class for each `[batch, classes]`. `None` where no picture of it could be decoded.
    pub(super) fn next(&mut self, step: usize) -> Option<(Tensor<4>, Tensor<2>)> {
        let start = Instant::now();
        let batch = self.made(step);
        self.throughput.waited_seconds += start.elapsed().as_secs_f64();
        let count = batch.as_ref().map_or(0, |(input, _)| input.dims()[0]) as u64;
        self.met += count;
        self.throughput.pictures += count;
        batch
    }

    /// Ends the epoch, once the device has done its work.
    ///
    /// # Errors
    /// [`NnError::Unfit`] where not a single picture could be decoded.
    pub(super) fn end(&mut self) -> Result<(), NnError> {
        self.throughput.seconds += self.began.elapsed().as_secs_f64();
        match self.met {
            0 => Err(NnError::Unfit(format!(
                "nothing to learn from in epoch {}: {}",
                self.epoch + 1,
                self.broken()
            ))),
            _ => Ok(()),
        }
    }

    /// What was handed out so far.
    pub(super) fn throughput(&self) -> Throughput {
        Throughput { broken: self.broken(), ..self.throughput.clone() }
    }

    fn broken(&self) -> Broken {
        match &self.way {
            Way::Host(..) | Way::Resident(..) => Broken::default(),
            Way::Numbers(loader) => loader.broken().clone(),
            Way::Bytes(loader, _) => loader.broken().clone(),
        }
    }

    fn made(&mut self, step: usize) -> Option<(Tensor<4>, Tensor<2>)> {
        let Course { classes, device, train, .. } = self.course;
        let size = self.recipe.batch.min(train.len());
        let chosen = self.order.get(step * size..(step + 1) * size);
        // Of loaded pictures, whose other draws are their own.
        let mut rng = self.course.seed.derive(self.epoch.into(), "mix").stream(step as u64, "mix");
        match &mut self.way {
            Way::Host(pictures, normalizer) => {
                let batches = Batches { pictures, normalizer, classes };
                let batch = batches.training(chosen?, &self.recipe, &mut self.rng);
                Some((batch.input(device), batch.targets(device)))
            }
            Way::Resident(pictures, resident) => {
                let (members, (_, height, width)) = (chosen?, pictures.shape);
                let augment = &self.recipe.augment;
                let views: Vec<View> =
                    members.iter().map(|_| View::draw(augment, height, width, &mut self.rng)).collect();
                let mix = Mix::draw(augment, members.len(), (height, width), &mut self.rng);
                let labels: Vec<u16> = members.iter().map(|member| pictures.labels[*member]).collect();
                let input = resident.batch(members, &views);
                Some(Finish { recipe: &self.recipe, classes, device }.mixed(input, labels, mix))
            }
            Way::Numbers(loader) => {
                let batch = loader.next()?;
                Finish { recipe: &self.recipe, classes, device }.numbers(batch, &mut rng)
            }
            Way::Bytes(loader, normal) => {
                let batch = loader.next()?;
                Finish { recipe: &self.recipe, classes, device }.bytes(batch, normal, &mut rng)
            }
        }
    }
}

/// Makes tensors of what was loaded: what needs the whole batch is done here.
struct Finish<'a> {
    recipe: &'a Recipe,
    classes: usize,
    device: &'a Device,
}

impl Finish<'_> {
    /// Of numbers; `None` where there are no pictures. What is mixed with what is drawn from `rng`.
    fn numbers(&self, batch: Batch<f32>, rng: &mut Rng) -> Option<(Tensor<4>, Tensor<2>)> {
        let (shape, mix) = (shape(&batch)?, self.mix(&batch, rng));
        let mut pixels = batch.pixels;
        if let Some(mix) = &mix {
            mix.pixels(&mut pixels, (shape[2], shape[3]));
        }
        let input = Tensor::from_data(TensorData::new(pixels, shape), self.device);
        Some((input, self.targets(batch.labels, mix.as_ref())))
    }

    /// Of bytes, which are normalised where they go.
    fn bytes(&self, batch: Batch<u8>, normal: &OnDevice, rng: &mut Rng) -> Option<(Tensor<4>, Tensor<2>)> {
        let (shape, mix) = (shape(&batch)?, self.mix(&batch, rng));
        Some(self.mixed(normal.upload(batch.pixels, shape), batch.labels, mix))
    }

    fn mix<T>(&self, batch: &Batch<T>, rng: &mut Rng) -> Option<Mix> {
        Mix::draw(&self.recipe.augment, batch.labels.len(), (batch.shape.1, batch.shape.2), rng)
    }

    fn mixed(&self, input: Tensor<4>, labels: Vec<u16>, mix: Option<Mix>) -> (Tensor<4>, Tensor<2>) {
        let targets = self.targets(labels, mix.as_ref());
        (mix.map_or(input.clone(), |mix| mix.tensor(input)), targets)
    }

    fn targets(&self, labels: Vec<u16>, mix: Option<&Mix>) -> Tensor<2> {
        let shape = [labels.len(), self.classes];
        let shares = targets(labels.into_iter(), shape[1], self.recipe.label_smoothing, mix);
        Tensor::from_data(TensorData::new(shares, shape), self.device)
    }
}

/// `[batch, channels, height, width]`; `None` where there are no pictures.
fn shape<T>(batch: &Batch<T>) -> Option<[usize; 4]> {
    let (channels, height, width) = batch.shape;
    (!batch.labels.is_empty()).then_some([batch.labels.len(), channels, height, width])
}

impl Way {
    fn of(course: &Course, first: u32) -> Result<Way, NnError> {
        let (channels, height, width) = course.train.shape();
        let augment = &course.recipe.augment;
        let on_cpu = *course.device == device();
        if let Supply::Memory(pictures) = course.train
            && !needs_loading(augment)
        {
            let resident = if on_cpu { None } else { Resident::new(pictures, course.normal, course.device) };
            let normalizer = Normalizer::new(course.normal.0, course.normal.1);
            return Ok(resident.map_or(Way::Host(pictures.clone(), normalizer), |resident| {
                Way::Resident(pictures.clone(), Box::new(resident))
            }));
        }
        check_colours(channels)?;
        let stages = (first..course.epochs).map(|epoch| course.recipe.stage(epoch, course.whole));
        let looks = stages.map(|stage| Look::training(&stage, (height, width))).collect();
        let agenda = Agenda::training(course.seed, course.train.len(), course.recipe.batch, first, looks);
        let (stock, threads) = (course.train.into(), threads(course.loaders));
        if on_cpu {
            let tables = Normalizer::new(course.normal.0, course.normal.1);
            return Ok(Way::Numbers(
                Loader::start(stock, agenda, tables, threads, AHEAD).map_err(no_threads)?,
            ));
        }
        let loader = Loader::start(stock, agenda, Tables::bytes(course.normal.0), threads, AHEAD);
        Ok(Way::Bytes(loader.map_err(no_threads)?, Box::new(OnDevice::new(course.normal, course.device))))
    }
}

/// Whether pictures in memory go through the loader, too.
fn needs_loading(augment: &Augment) -> bool {
    augment.resized_crop > 0.0 || augment.rand_augment.ops > 0
}

fn check_colours(channels: usize) -> Result<(), NnError> {
    match channels {
        1 | 3 => Ok(()),
        _ => Err(NnError::Unfit(format!(
            "pictures of {channels} channels go through no `resized_crop` or `rand_augment`: 1 or 3 are needed"
        ))),
    }
}

fn threads(wanted: usize) -> usize {
    if wanted == 0 { loader::usual_threads() } else { wanted }
}

fn no_threads(error: impl std::fmt::Display) -> NnError {
    NnError::Unfit(format!("no threads to load pictures with: {error}"))
}

/// Pictures as they are judged, one batch of `size` after the other, with their labels; then what could not be decoded.
pub(super) fn look_through(
    supply: Supply,
    normal: (&[f32], &[f32]),
    device: &Device,
    size: usize,
    mut seen: impl FnMut(Tensor<4>, &[u16]),
) -> Result<Broken, NnError> {
    let tables = Normalizer::new(normal.0, normal.1);
    let files = match supply {
        Supply::Files(files) => files,
        Supply::Memory(pictures) => {
            let all: Vec<usize> = (0..pictures.len()).collect();
            let resident =
                if *device == self::device() { None } else { Resident::new(pictures, normal, device) };
            let batches = Batches { pictures, normalizer: &tables, classes: 1 };
            for members in all.chunks(size) {
                let labels: Vec<u16> = batches.labels(members).collect();
                let input = match &resident {
                    Some(resident) => resident.batch(members, &vec![View::default(); members.len()]),
                    None => batches.plain(members).input(device),
                };
                seen(input, &labels);
            }
            return Ok(Broken::default());
        }
    };
    let (channels, height, width) = files.shape;
    let look = Look { shape: (height, width), augment: None, middle: files.middle };
    let agenda = Agenda::looking(files.len(), size, look);
    let mut loader =
        Loader::start(supply.into(), agenda, tables, loader::usual_threads(), AHEAD).map_err(no_threads)?;
    while let Some(batch) = loader.next() {
        let shape = [batch.labels.len(), channels, height, width];
        if !batch.labels.is_empty() {
            seen(Tensor::from_data(TensorData::new(batch.pixels, shape), device), &batch.labels);
        }
    }
    Ok(loader.broken().clone())
}

#[cfg(test)]
mod tests;
