//! How a candidate is trained: the hyperparameters, as plain data.

use serde::{Deserialize, Serialize};

/// Everything about a training but the network, the data and the number of epochs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// The update rule.
    pub optimizer: Optimizer,
    /// The peak learning rate.
    pub learning_rate: f64,
    /// How the learning rate moves.
    pub schedule: Schedule,
    /// L2 (`Sgd`, `RmsProp`) or decoupled (`AdamW`) decay of weights; norms and biases are spared.
    pub weight_decay: f64,
    /// Pictures a step.
    pub batch: usize,
    /// Share of the target spread over all classes, in [0, 1).
    pub label_smoothing: f64,
    /// Probability of dropping the deepest branch, in [0, 1).
    pub drop_path: f64,
    /// Largest global norm of a gradient; 0 for no clipping.
    pub clip_norm: f64,
    /// What happens to the pictures.
    pub augment: Augment,
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
            augment: Augment::default(),
        }
    }
}

/// The update rule. Defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Optimizer {
    /// Stochastic gradient descent with momentum.
    Sgd {
        /// Momentum.
        #[serde(default = "momentum")]
        momentum: f64,
        /// Nesterov's look-ahead.
        #[serde(default = "nesterov")]
        nesterov: bool,
    },
    /// Adam with decoupled weight decay.
    AdamW {
        /// Decay of the first moment.
        #[serde(default = "beta1")]
        beta1: f64,
        /// Decay of the second moment.
        #[serde(default = "beta2")]
        beta2: f64,
        /// Added to the denominator.
        #[serde(default = "adam_epsilon")]
        epsilon: f64,
    },
    /// RMSProp with momentum.
    RmsProp {
        /// Decay of the squared gradient.
        #[serde(default = "alpha")]
        alpha: f64,
        /// Momentum.
        #[serde(default = "momentum")]
        momentum: f64,
        /// Added to the denominator.
        #[serde(default = "adam_epsilon")]
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
        #[serde(default)]
        warmup: f64,
    },
    /// Half a cosine from the peak to `floor` times the peak.
    Cosine {
        /// Fraction of linear warm-up.
        #[serde(default)]
        warmup: f64,
        /// Where it ends, as a share of the peak.
        #[serde(default)]
        floor: f64,
    },
    /// Rises from peak / 25 to the peak at `rise`, then falls by half a cosine to peak / 10,000 (Smith and Topin 2018).
    OneCycle {
        /// Fraction at which the peak stands.
        #[serde(default = "rise")]
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
    /// Side in pixels of a square set to the mean; 0 for none.
    pub cutout: usize,
    /// Alpha of mixup's Beta distribution; 0 for none.
    pub mixup: f64,
}
