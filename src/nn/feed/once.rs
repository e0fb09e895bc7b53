//! Single batches, for whoever learns only with each step what recipe it follows: weights that many candidates share.
//!
//! They come the same ways as a training's, but nothing can be loaded ahead of a recipe that nobody knows yet.

use burn::tensor::{Device, Tensor, TensorData};

use super::{Finish, Look, check_colours, needs_loading, no_threads, shape, threads};
use crate::data::{Pictures, Supply};
use crate::loader::{self, Broken, Handful, Stock, Tables};
use crate::nn::NnError;
use crate::nn::augment::{Normalizer, View};
use crate::nn::batch::Batches;
use crate::nn::mix::Mix;
use crate::nn::resident::{OnDevice, Resident};
use crate::random::Seed;
use crate::recipe::{Recipe, Stage};

/// The pictures of one batch.
#[derive(Clone, Copy)]
pub(in crate::nn) struct Lot<'a> {
    pub(in crate::nn) supply: Supply<'a>,
    /// Which of them.
    pub(in crate::nn) members: &'a [usize],
    /// Mean and standard deviation of each channel, of pixels in [0, 1].
    pub(in crate::nn) normal: (&'a [f32], &'a [f32]),
    pub(in crate::nn) classes: usize,
    /// The source of all that happens to them.
    pub(in crate::nn) seed: Seed,
}

/// Hands out single batches.
pub(in crate::nn) struct Lots {
    device: Device,
    /// Threads that load pictures; 0 for as many as there are cores.
    loaders: usize,
    /// Those threads, once they were needed.
    handful: Option<Handful>,
    broken: Broken,
}

impl Lots {
    pub(in crate::nn) fn new(device: Device, loaders: usize) -> Lots {
        Lots { device, loaders, handful: None, broken: Broken::default() }
    }

    /// What could not be decoded so far.
    pub(in crate::nn) fn broken(&self) -> &Broken {
        &self.broken
    }

    /// Changed pictures `[batch, channels, height, width]` at the stage's size, and a share of every class for each
    /// `[batch, classes]`.
    ///
    /// # Errors
    /// [`NnError::Unfit`] where pictures are of a kind that cannot be cropped or scaled, no thread is left to load them, or
    /// not one of them can be decoded.
    pub(in crate::nn) fn training(
        &mut self,
        lot: &Lot,
        recipe: &Recipe,
        stage: &Stage,
    ) -> Result<(Tensor<4>, Tensor<2>), NnError> {
        let (channels, height, width) = lot.supply.shape();
        let look = Look::training(stage, (height, width));
        let recipe = Recipe { augment: look.augment.clone().unwrap_or_default(), ..recipe.clone() };
        match lot.supply {
            Supply::Memory(pictures) if !needs_loading(&recipe.augment) => {
                if look.shape == (height, width) {
                    return Ok(self.drawn(lot, pictures, lot.members, &recipe));
                }
                let smaller = loader::resized(&pictures.select(lot.members), look.shape);
                let all: Vec<usize> = (0..lot.members.len()).collect();
                Ok(self.drawn(lot, &smaller.map_err(NnError::Unfit)?, &all, &recipe))
            }
            _ => {
                check_colours(channels)?;
                self.loaded(lot, &look, &recipe)
            }
        }
    }

    /// Pictures as they are judged, with their labels.
    ///
    /// # Errors
    /// As [`Lots::training`].
    pub(in crate::nn) fn plain(&mut self, lot: &Lot) -> Result<(Tensor<4>, Vec<u16>), NnError> {
        let files = match lot.supply {
            Supply::Files(files) => files,
            Supply::Memory(pictures) => {
                let normalizer = Normalizer::new(lot.normal.0, lot.normal.1);
                let batches = Batches { pictures, normalizer: &normalizer, classes: lot.classes };
                let labels = batches.labels(lot.members).collect();
                return Ok((batches.plain(lot.members).input(&self.device), labels));
            }
        };
        let look = Look { shape: (files.shape.1, files.shape.2), augment: None, middle: files.middle };
        let tables = Normalizer::new(lot.normal.0, lot.normal.1);
        let batch = self.take(lot, &tables, &look)?;
        let shape = shape(&batch).ok_or_else(|| self.nothing())?;
        Ok((Tensor::from_data(TensorData::new(batch.pixels, shape), &self.device), batch.labels))
    }

    /// Pictures in memory that are only moved, mirrored, cut and mixed.
    fn drawn(
        &self,
        lot: &Lot,
        pictures: &Pictures,
        members: &[usize],
        recipe: &Recipe,
    ) -> (Tensor<4>, Tensor<2>) {
        let (device, classes, mut rng) = (&self.device, lot.classes, lot.seed.stream(0, "augment"));
        let resident =
            if *device == crate::nn::device() { None } else { Resident::new(pictures, lot.normal, device) };
        let normalizer = Normalizer::new(lot.normal.0, lot.normal.1);
        let batches = Batches { pictures, normalizer: &normalizer, classes };
        let Some(resident) = resident else {
            let batch = batches.training(members, recipe, &mut rng);
            return (batch.input(device), batch.targets(device));
        };
        let (augment, (_, height, width)) = (&recipe.augment, pictures.shape);
        let views: Vec<View> = members.iter().map(|_| View::draw(augment, height, width, &mut rng)).collect();
        let mix = Mix::draw(augment, members.len(), (height, width), &mut rng);
        let labels = batches.labels(members).collect();
        Finish { recipe, classes, device }.mixed(resident.batch(members, &views), labels, mix)
    }

    fn loaded(&mut self, lot: &Lot, look: &Look, recipe: &Recipe) -> Result<(Tensor<4>, Tensor<2>), NnError> {
        let mut rng = lot.seed.stream(0, "mix");
        let batch = if self.device == crate::nn::device() {
            let batch = self.take(lot, &Normalizer::new(lot.normal.0, lot.normal.1), look)?;
            self.finish(lot, recipe).numbers(batch, &mut rng)
        } else {
            let batch = self.take(lot, &Tables::bytes(lot.normal.0), look)?;
            self.finish(lot, recipe).bytes(batch, &OnDevice::new(lot.normal, &self.device), &mut rng)
        };
        batch.ok_or_else(|| self.nothing())
    }

    fn finish<'a>(&'a self, lot: &Lot, recipe: &'a Recipe) -> Finish<'a> {
        Finish { recipe, classes: lot.classes, device: &self.device }
    }

    fn take<T: loader::Pixels>(
        &mut self,
        lot: &Lot,
        tables: &Tables<T>,
        look: &Look,
    ) -> Result<loader::Batch<T>, NnError> {
        let started = match self.handful.take() {
            Some(handful) => handful,
            None => Handful::start(threads(self.loaders)).map_err(no_threads)?,
        };
        let handful = self.handful.insert(started);
        let stock = Stock::from(lot.supply);
        Ok(handful.load(&stock, tables, lot.members, look, lot.seed, &mut self.broken))
    }

    fn nothing(&self) -> NnError {
        NnError::Unfit(format!("not one picture of a batch can be learnt from: {}", self.broken))
    }
}
