//! Pictures in batches, ready for the network.

use burn::tensor::{Device, Tensor, TensorData};

use super::augment::{Normalizer, View};
use super::mix::Mix;
use crate::data::Pictures;
use crate::random::Rng;
use crate::recipe::Recipe;

/// Pictures and how to hand them out.
pub(super) struct Batches<'a> {
    pub(super) pictures: &'a Pictures,
    pub(super) normalizer: &'a Normalizer,
    pub(super) classes: usize,
}

/// Normalised pictures and, for each, a share of every class.
pub(super) struct Batch {
    pixels: Vec<f32>,
    targets: Vec<f32>,
    shape: [usize; 4],
}

impl Batch {
    /// `[batch, channels, height, width]`
    pub(super) fn input(&self, device: &Device) -> Tensor<4> {
        Tensor::from_data(TensorData::new(self.pixels.clone(), self.shape), device)
    }

    /// `[batch, classes]`
    pub(super) fn targets(&self, device: &Device) -> Tensor<2> {
        let shape = [self.shape[0], self.targets.len() / self.shape[0]];
        Tensor::from_data(TensorData::new(self.targets.clone(), shape), device)
    }
}

impl Batches<'_> {
    /// Augmented pictures with smoothed and mixed targets.
    pub(super) fn training(&self, members: &[usize], recipe: &Recipe, rng: &mut Rng) -> Batch {
        let (_, height, width) = self.pictures.shape;
        let mut batch = self.collect(members, || View::draw(&recipe.augment, height, width, rng));
        let mix = Mix::draw(&recipe.augment, members.len(), (height, width), rng);
        batch.targets = targets(self.labels(members), self.classes, recipe.label_smoothing, mix.as_ref());
        if let Some(mix) = mix {
            mix.pixels(&mut batch.pixels, (height, width));
        }
        batch
    }

    /// Pictures as they are.
    pub(super) fn plain(&self, members: &[usize]) -> Batch {
        self.collect(members, View::default)
    }

    /// The label of each member.
    pub(super) fn labels<'m>(&'m self, members: &'m [usize]) -> impl Iterator<Item = u16> + 'm {
        members.iter().map(|member| self.pictures.labels[*member])
    }

    fn collect(&self, members: &[usize], mut view: impl FnMut() -> View) -> Batch {
        let (channels, height, width) = self.pictures.shape;
        let size = channels * height * width;
        let mut pixels = Vec::with_capacity(members.len() * size);
        for member in members {
            view().write(self.pictures.picture(*member), (height, width), self.normalizer, &mut pixels);
        }
        let targets = targets(self.labels(members), self.classes, 0.0, None);
        Batch { pixels, targets, shape: [members.len(), channels, height, width] }
    }
}

/// A share of every class for each label, `[batch, classes]`, smoothed and mixed; every row sums to 1.
pub(super) fn targets(
    labels: impl Iterator<Item = u16>,
    classes: usize,
    smoothing: f64,
    mix: Option<&Mix>,
) -> Vec<f32> {
    let (spread, kept) = ((smoothing / classes as f64) as f32, 1.0 - smoothing as f32);
    let mut targets = Vec::new();
    for label in labels {
        let start = targets.len();
        targets.resize(start + classes, spread);
        targets[start + usize::from(label)] += kept;
    }
    if let Some(mix) = mix {
        mix.targets(&mut targets);
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use crate::recipe::Augment;
    use std::sync::Arc;

    fn pictures() -> Pictures {
        let pixels = (0..40).map(|value| value * 6).collect();
        let labels = (0..10).map(|value| value % 3).collect();
        Pictures { pixels: Arc::new(pixels), labels: Arc::new(labels), shape: (1, 2, 2) }
    }

    #[test]
    fn targets_are_smoothed() {
        let (pictures, normalizer) = (pictures(), Normalizer::new(&[0.0], &[1.0]));
        let batches = Batches { pictures: &pictures, normalizer: &normalizer, classes: 3 };
        let recipe = Recipe { label_smoothing: 0.3, ..Recipe::default() };
        let batch = batches.training(&[1, 5], &recipe, &mut Seed(0).stream(0, "augment"));
        let wanted = [0.1, 0.8, 0.1, 0.1, 0.1, 0.8];
        assert!(batch.targets.iter().zip(wanted).all(|(met, wanted)| (met - wanted).abs() < 1e-6));
        assert_eq!(batch.pixels[0], 24.0 / 255.0);
        assert_eq!(batch.input(&crate::nn::device()).dims(), [2, 1, 2, 2]);
        assert_eq!(batch.targets(&crate::nn::device()).dims(), [2, 3]);
    }

    #[test]
    fn augmentation_off_leaves_pictures_alone() {
        let (pictures, normalizer) = (pictures(), Normalizer::new(&[0.5], &[0.2]));
        let batches = Batches { pictures: &pictures, normalizer: &normalizer, classes: 3 };
        let recipe = Recipe { augment: Augment::default(), ..Recipe::default() };
        let drawn = batches.training(&[3, 4], &recipe, &mut Seed(0).stream(0, "augment"));
        assert_eq!(drawn.pixels, batches.plain(&[3, 4]).pixels);
    }
}
