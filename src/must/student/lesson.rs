//! How a student is taught: everything but the network and the samples.

use serde::{Deserialize, Serialize};

use crate::data::Label;
use crate::must::augment::Augmentation;
use crate::recipe::{Optimizer, Precision};

/// Everything about a student's training but the network, the samples and the seed.
///
/// ```
/// use cellwright::must::student::{Lesson, TaskWeights};
///
/// let lesson: Lesson = ron::from_str("(steps: 300, weights: Fixed(depth: 0.5), normalised: Some(1.0))")?;
/// assert_eq!(lesson.problem(), None);
/// assert_eq!(lesson.batch, 16);
/// # Ok::<(), ron::error::SpannedError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lesson {
    /// Updates of the weights.
    pub steps: usize,
    /// Samples a step, of all sets together.
    pub batch: usize,
    /// The update rule.
    pub optimizer: Optimizer,
    /// The peak learning rate; it falls from there by half a cosine to 0.
    pub learning_rate: f64,
    /// The share of the steps in which the learning rate rises, in [0, 1].
    pub warm_up: f64,
    /// Decay of weights; norms and biases are spared.
    pub weight_decay: f64,
    /// Largest global norm of a gradient; 0 for no clipping.
    pub clip_norm: f64,
    /// Probability of dropping the backbone's deepest branch, in [0, 1).
    pub drop_path: f64,
    /// Decay a step of the weights' moving average, which is what is kept, in [0, 1); 0 for none.
    pub ema: f64,
    /// How many digits numbers have on their way through the network.
    pub precision: Precision,
    /// What happens to samples. The size is the student's, whatever is said here.
    pub augment: Augmentation,
    /// What each task's loss is multiplied by.
    pub weights: TaskWeights,
    /// Whether the losses on people's labels and on teachers' are brought to one scale, and what the teachers' weighs then:
    /// the alpha of *Rethinking Pre-training and Self-training* (Zoph et al. 2020, <https://arxiv.org/abs/2006.06882>).
    /// Without it all samples are equal.
    pub normalised: Option<f64>,
    /// Whether the backbone stays as it is: only pyramid and heads learn.
    pub frozen: bool,
}

impl Default for Lesson {
    fn default() -> Lesson {
        Lesson {
            steps: 600,
            batch: 16,
            optimizer: Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
            learning_rate: 3e-3,
            warm_up: 0.1,
            weight_decay: 0.02,
            clip_norm: 5.0,
            drop_path: 0.0,
            ema: 0.0,
            precision: Precision::default(),
            augment: Augmentation::default(),
            weights: TaskWeights::default(),
            normalised: None,
            frozen: false,
        }
    }
}

/// What the losses of tasks are multiplied by before they are added up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum TaskWeights {
    /// Numbers of one's own.
    Fixed {
        /// Of the class of the picture.
        #[serde(default = "one")]
        class: f64,
        /// Of objects: classes, places and middles together.
        #[serde(default = "one")]
        objects: f64,
        /// Of the classes of pixels.
        #[serde(default = "one")]
        segmentation: f64,
        /// Of depth.
        #[serde(default = "one")]
        depth: f64,
        /// Of normals.
        #[serde(default = "one")]
        normals: f64,
    },
    /// `exp(-s)`, where `s` is learned for each task by descent of `exp(-s) loss + s`: the more of a task is left over, the
    /// less it weighs (Kendall, Gal and Cipolla 2018, <https://arxiv.org/abs/1705.07115>).
    Uncertainty,
}

impl Default for TaskWeights {
    fn default() -> TaskWeights {
        TaskWeights::Fixed { class: 1.0, objects: 1.0, segmentation: 1.0, depth: 1.0, normals: 1.0 }
    }
}

fn one() -> f64 {
    1.0
}

impl TaskWeights {
    /// The weight of a task's loss, where it is fixed.
    pub fn of(&self, task: Label) -> Option<f64> {
        let TaskWeights::Fixed { class, objects, segmentation, depth, normals } = *self else { return None };
        Some(match task {
            Label::Class => class,
            Label::Objects => objects,
            Label::Segmentation => segmentation,
            Label::Depth => depth,
            Label::Normals => normals,
        })
    }
}

impl Lesson {
    /// What is wrong with these numbers, if anything.
    pub fn problem(&self) -> Option<String> {
        let counts = [("steps", self.steps), ("batch", self.batch)];
        let count = counts.iter().find(|(_, count)| *count == 0);
        let count = count.map(|(name, _)| format!("`{name}` is 0; at least 1 is needed"));
        let above = |name: &str, value: f64| {
            let fine = value > 0.0 && value.is_finite();
            (!fine).then(|| format!("`{name}` is {value}; a number above 0 is needed"))
        };
        let not_below = |name: &str, value: f64| {
            let fine = value >= 0.0 && value.is_finite();
            (!fine).then(|| format!("`{name}` is {value}; a number of at least 0 is needed"))
        };
        let share = |name: &str, value: f64| {
            (!(0.0..1.0).contains(&value)).then(|| format!("`{name}` is {value}; it is in [0, 1)"))
        };
        let weights = || {
            let weights = Label::ALL.into_iter().filter_map(|task| Some((task, self.weights.of(task)?)));
            weights
                .into_iter()
                .find_map(|(task, weight)| not_below(&format!("weights.{}", task.name()), weight))
        };
        count
            .or_else(|| above("learning_rate", self.learning_rate))
            .or_else(|| not_below("weight_decay", self.weight_decay))
            .or_else(|| not_below("clip_norm", self.clip_norm))
            .or_else(|| (self.warm_up != 1.0).then(|| share("warm_up", self.warm_up)).flatten())
            .or_else(|| share("drop_path", self.drop_path))
            .or_else(|| share("ema", self.ema))
            .or_else(|| self.normalised.and_then(|alpha| not_below("normalised", alpha)))
            .or_else(weights)
            .or_else(|| self.augment.augment(1, 1).problem())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_no_training_can_use_are_told() {
        assert_eq!(Lesson::default().problem(), None);
        assert_eq!(ron::from_str::<Lesson>("()").unwrap(), Lesson::default());
        let problem = |text: &str| ron::from_str::<Lesson>(text).unwrap().problem().unwrap();
        assert_eq!(problem("(batch: 0)"), "`batch` is 0; at least 1 is needed");
        assert_eq!(problem("(learning_rate: inf)"), "`learning_rate` is inf; a number above 0 is needed");
        assert_eq!(problem("(ema: 1.0)"), "`ema` is 1; it is in [0, 1)");
        assert_eq!(
            problem("(weights: Fixed(normals: -1.0))"),
            "`weights.normals` is -1; a number of at least 0 is needed"
        );
        assert_eq!(problem("(augment: Own((flip: 2.0)))"), "`flip` is 2; it is in [0, 1]");
        assert_eq!(
            Lesson { warm_up: 1.0, weights: TaskWeights::Uncertainty, ..Lesson::default() }.problem(),
            None
        );
    }
}
