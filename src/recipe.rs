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
    /// Side in pixels of a square set to the mean; 0 for none.
    pub cutout: usize,
    /// Alpha of mixup's Beta distribution; 0 for none.
    #[serde(deserialize_with = "at_least_zero")]
    pub mixup: f64,
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
fn one_or_more<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    match usize::deserialize(from)? {
        0 => Err(de::Error::custom("0 is out of bounds: at least 1 is needed here")),
        count => Ok(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_a_default_and_what_is_written_reads_back() {
        assert_eq!(ron::from_str::<Recipe>("()").unwrap(), Recipe::default());
        let text = "(optimizer: AdamW(), schedule: OneCycle(), batch: 32, augment: (crop: 4, mixup: 0.2))";
        let recipe: Recipe = ron::from_str(text).unwrap();
        assert_eq!(recipe.optimizer, Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
        assert_eq!(recipe.schedule, Schedule::OneCycle { rise: 0.3 });
        assert_eq!(ron::from_str::<Recipe>(&ron::to_string(&recipe).unwrap()).unwrap(), recipe);
    }

    #[test]
    fn numbers_that_no_training_can_use_are_refused() {
        for (text, bound) in [
            ("(learning_rate: 0.0)", "above 0"),
            ("(learning_rate: inf)", "above 0"),
            ("(batch: 0)", "at least 1"),
            ("(label_smoothing: 1.0)", "without, 1"),
            ("(drop_path: -0.1)", "without, 1"),
            ("(clip_norm: NaN)", "at least 0"),
            ("(optimizer: Sgd(momentum: 1.5))", "without, 1"),
            ("(schedule: Cosine(warmup: 1.1))", "from 0 to 1"),
            ("(augment: (mixup: -1.0))", "at least 0"),
        ] {
            let error = ron::from_str::<Recipe>(text).unwrap_err().to_string();
            assert!(error.contains(bound), "{text}: {error}");
        }
    }
}
