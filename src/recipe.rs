//! How a candidate is trained: the hyperparameters, as plain data.

use serde::{Deserialize, Deserializer, Serialize, de};

/// Everything about a training but the network, the data and the number of epochs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// The update rule.
    pub optimizer: Optimizer,
    /// The peak learning rate.
    #[serde(deserialize_with = "positive")]
    pub learning_rate: f64,
    /// How the learning rate moves.
    pub schedule: Schedule,
    /// L2 (`Sgd`, `RmsProp`) or decoupled (`AdamW`) decay of weights; norms and biases are spared.
    #[serde(deserialize_with = "at_least_zero")]
    pub weight_decay: f64,
    /// Pictures a step.
    #[serde(deserialize_with = "one_or_more")]
    pub batch: usize,
    /// Share of the target spread over all classes, in [0, 1).
    #[serde(deserialize_with = "share")]
    pub label_smoothing: f64,
    /// Probability of dropping the deepest branch, in [0, 1).
    #[serde(deserialize_with = "share")]
    pub drop_path: f64,
    /// Largest global norm of a gradient; 0 for no clipping.
    #[serde(deserialize_with = "at_least_zero")]
    pub clip_norm: f64,
    /// Decay a step of the weights' exponential moving average, which is what is judged and kept, in [0, 1); 0 for none.
    #[serde(deserialize_with = "share")]
    pub ema: f64,
    /// Weight of the loss of a second classifier, which looks at two thirds of the depth during training; 0 for none.
    #[serde(deserialize_with = "at_least_zero")]
    pub auxiliary: f64,
    /// How many digits numbers have on their way through the network.
    pub precision: Precision,
    /// What happens to the pictures.
    pub augment: Augment,
    /// How pictures and what hinders learning grow.
    pub progressive: Progressive,
}

impl Default for Recipe {
    fn default() -> Recipe {
        Recipe {
            optimizer: Optimizer::default(),
            learning_rate: 0.1,
            schedule: Schedule::default(),
            weight_decay: 5e-4,
            batch: 64,
            label_smoothing: 0.0,
            drop_path: 0.0,
            clip_norm: 0.0,
            ema: 0.0,
            auxiliary: 0.0,
            precision: Precision::default(),
            augment: Augment::default(),
            progressive: Progressive::default(),
        }
    }
}

/// How many digits numbers have on their way through the network. Weights, their updates, norms and losses have 32 bits
/// whatever is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// 32 bits, nothing rounded further. Burn's kernels for CUDA do not promise that, so it is refused there.
    Fp32,
    /// 32 bits; where a device multiplies faster with factors rounded to 10 binary digits (NVIDIA's tf32), it may. The
    /// CPU does not, and computes as with `Fp32`.
    #[default]
    Tf32,
    /// Activations, and the weights that they are multiplied with, are rounded to 16 bits of float32's range (bfloat16).
    Bf16,
}

/// The update rule. Defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Optimizer {
    /// Stochastic gradient descent with momentum.
    Sgd {
        /// Momentum.
        #[serde(default = "momentum", deserialize_with = "share")]
        momentum: f64,
        /// Nesterov's look-ahead.
        #[serde(default = "nesterov")]
        nesterov: bool,
    },
    /// Adam with decoupled weight decay.
    AdamW {
        /// Decay of the first moment.
        #[serde(default = "beta1", deserialize_with = "share")]
        beta1: f64,
        /// Decay of the second moment.
        #[serde(default = "beta2", deserialize_with = "share")]
        beta2: f64,
        /// Added to the denominator.
        #[serde(default = "adam_epsilon", deserialize_with = "positive")]
        epsilon: f64,
    },
    /// RMSProp with momentum.
    RmsProp {
        /// Decay of the squared gradient.
        #[serde(default = "alpha", deserialize_with = "share")]
        alpha: f64,
        /// Momentum.
        #[serde(default = "momentum", deserialize_with = "share")]
        momentum: f64,
        /// Added to the denominator.
        #[serde(default = "adam_epsilon", deserialize_with = "positive")]
        epsilon: f64,
    },
}

impl Default for Optimizer {
    fn default() -> Optimizer {
        Optimizer::Sgd { momentum: momentum(), nesterov: nesterov() }
    }
}

fn momentum() -> f64 {
    0.9
}
fn nesterov() -> bool {
    true
}
fn beta1() -> f64 {
    0.9
}
fn beta2() -> f64 {
    0.999
}
fn adam_epsilon() -> f64 {
    1e-8
}
fn alpha() -> f64 {
    0.99
}

/// How the learning rate moves over the training, per step. Fractions are of the whole training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Schedule {
    /// Stays at its peak, after warm-up.
    Constant {
        /// Fraction of linear warm-up.
        #[serde(default, deserialize_with = "fraction")]
        warmup: f64,
    },
    /// Half a cosine from the peak to `floor` times the peak.
    Cosine {
        /// Fraction of linear warm-up.
        #[serde(default, deserialize_with = "fraction")]
        warmup: f64,
        /// Where it ends, as a share of the peak.
        #[serde(default, deserialize_with = "fraction")]
        floor: f64,
    },
    /// Rises from peak / 25 to the peak at `rise`, then falls by half a cosine to peak / 10,000 (Smith and Topin 2018).
    OneCycle {
        /// Fraction at which the peak stands.
        #[serde(default = "rise", deserialize_with = "fraction")]
        rise: f64,
    },
}

impl Default for Schedule {
    fn default() -> Schedule {
        Schedule::Cosine { warmup: 0.0, floor: 0.0 }
    }
}

fn rise() -> f64 {
    0.3
}

/// What happens to the pictures of a training batch. All off by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augment {
    /// Zero padding in pixels before a random crop of the original size.
    pub crop: usize,
    /// Mirror left and right with probability 1/2.
    pub flip: bool,
    /// Smallest share of a picture's area that a random box shows, scaled to the whole size, in (0, 1]; its sides stand
    /// between 3:4 and 4:3 (Szegedy et al. 2015). 0 for none; ImageNet's is 0.08.
    #[serde(deserialize_with = "fraction")]
    pub resized_crop: f64,
    /// Random changes of colour and form.
    pub rand_augment: RandAugment,
    /// Side in pixels of a square set to the mean; 0 for none.
    pub cutout: usize,
    /// Alpha of mixup's Beta distribution; 0 for none.
    #[serde(deserialize_with = "at_least_zero")]
    pub mixup: f64,
    /// Alpha of CutMix's Beta distribution; 0 for none. With mixup on too, a coin decides for every batch.
    #[serde(deserialize_with = "at_least_zero")]
    pub cutmix: f64,
}

/// Some of 14 operations on every picture, all equally strong ([Cubuk et al. 2019](https://arxiv.org/abs/1909.13719)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandAugment {
    /// How many operations a picture goes through; 0 for none.
    pub ops: usize,
    /// How strong they are, from 0 to 30.
    #[serde(deserialize_with = "magnitude")]
    pub magnitude: f64,
}

impl Default for RandAugment {
    fn default() -> RandAugment {
        RandAugment { ops: 0, magnitude: 9.0 }
    }
}

/// Progressive learning ([Tan and Le 2021](https://arxiv.org/abs/2104.00298)): pictures start small and hardly changed,
/// and grow, with all that hinders learning, in equal stages to what the recipe says, as in the paper (its released code
/// begins one step later). Shares are those of the first stage.
///
/// ```
/// use cellwright::recipe::Recipe;
///
/// let text = "(augment: (rand_augment: (ops: 2, magnitude: 15)), progressive: (stages: 3, size: 0.5, rand_augment: 0.2))";
/// let recipe: Recipe = ron::from_str(text)?;
/// let stages: Vec<_> = [0, 4, 8].map(|epoch| recipe.stage(epoch, 9)).into();
/// assert_eq!(stages.iter().map(|stage| stage.side(224)).collect::<Vec<_>>(), [112, 168, 224]);
/// assert!((stages[0].augment.rand_augment.magnitude - 3.0).abs() < 1e-9);
/// # Ok::<(), ron::error::SpannedError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Progressive {
    /// Number of stages, each of as many epochs; 1 for a training that stays as it is.
    #[serde(deserialize_with = "one_or_more")]
    pub stages: usize,
    /// Share of the pictures' sides, in (0, 1]; sides are rounded to a multiple of four pixels.
    #[serde(deserialize_with = "part")]
    pub size: f64,
    /// Share of RandAugment's magnitude.
    #[serde(deserialize_with = "fraction")]
    pub rand_augment: f64,
    /// Share of the alphas of mixup and CutMix.
    #[serde(deserialize_with = "fraction")]
    pub mixup: f64,
    /// Share of the network's dropout rates.
    #[serde(deserialize_with = "fraction")]
    pub dropout: f64,
}

impl Default for Progressive {
    fn default() -> Progressive {
        Progressive { stages: 1, size: 1.0, rand_augment: 1.0, mixup: 1.0, dropout: 1.0 }
    }
}

/// What holds for one epoch of a training.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Share of the pictures' sides.
    pub size: f64,
    /// What happens to the pictures, in pixels of the full size.
    pub augment: Augment,
    /// What the network's dropout rates are multiplied by.
    pub dropout: f64,
}

impl Recipe {
    /// What holds for `epoch` (from 0) of `epochs`. Where there are fewer epochs than stages, each is a stage.
    pub fn stage(&self, epoch: u32, epochs: u32) -> Stage {
        let Progressive { stages, size, rand_augment, mixup, dropout } = self.progressive;
        let (epoch, epochs) = (u64::from(epoch), u64::from(epochs.max(1)));
        let stages = (stages as u64).clamp(1, epochs);
        let reached = if stages == 1 { 1.0 } else { (epoch * stages / epochs) as f64 / (stages - 1) as f64 };
        // Written so that the last stage is the recipe to the bit.
        let grown = |start: f64| 1.0 - (1.0 - start) * (1.0 - reached);
        let mut augment = self.augment.clone();
        augment.rand_augment.magnitude *= grown(rand_augment);
        augment.mixup *= grown(mixup);
        augment.cutmix *= grown(mixup);
        Stage { size: grown(size), augment, dropout: grown(dropout) }
    }

    /// What holds after this share of a training that counts no epochs, in [0, 1].
    pub fn stage_at(&self, share: f64) -> Stage {
        let part = (share.clamp(0.0, 1.0) * f64::from(Stage::FINE)) as u32;
        self.stage(part.min(Stage::FINE - 1), Stage::FINE)
    }
}

impl Stage {
    /// Parts that a training is divided into whose steps count no epochs.
    const FINE: u32 = 1_000_000;

    /// The side in pixels of pictures whose full side is `full`.
    pub fn side(&self, full: usize) -> usize {
        let side = (full as f64 * self.size / 4.0).round() as usize * 4;
        if self.size >= 1.0 { full } else { side.clamp(full.min(4), full) }
    }
}

fn bounded<'de, D: Deserializer<'de>>(
    from: D,
    holds: impl Fn(f64) -> bool,
    bound: &str,
) -> Result<f64, D::Error> {
    let number = f64::deserialize(from)?;
    if number.is_finite() && holds(number) {
        return Ok(number);
    }
    Err(de::Error::custom(format!("{number} is out of bounds: {bound} is needed here")))
}

fn positive<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    bounded(from, |number| number > 0.0, "a number above 0")
}
fn at_least_zero<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    bounded(from, |number| number >= 0.0, "a number of at least 0")
}
fn share<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    bounded(from, |number| (0.0..1.0).contains(&number), "a number from 0 up to, but without, 1")
}
fn fraction<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    bounded(from, |number| (0.0..=1.0).contains(&number), "a number from 0 to 1")
}
fn magnitude<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    bounded(from, |number| (0.0..=30.0).contains(&number), "a number from 0 to 30")
}
fn part<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    bounded(from, |number| number > 0.0 && number <= 1.0, "a number above 0 and up to 1")
}
fn one_or_more<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    match usize::deserialize(from)? {
        0 => Err(de::Error::custom("0 is out of bounds: at least 1 is needed here")),
        count => Ok(count),
    }
}

#[cfg(test)]
mod tests;
