//! All numbers of a first step, for another framework to check.

use super::state::State;
use super::{NnError, Training, device};
use crate::ir::Weights;
use crate::nn::execute::{Chance, Pass, Plan};
use crate::nn::feed::{Course, Feed};
use crate::nn::loss::cross_entropy;

impl Training<'_> {
    /// The first batch's `input` and `targets`, the `logits` and `loss` of the network as it starts, every
    /// `weights/NAME` and every `gradients/NAME`; nothing is dropped.
    ///
    /// # Errors
    /// As [`Training::run`].
    pub fn first_step(&self) -> Result<Weights, NnError> {
        let classes = self.check()?;
        let plan = Plan::new(self.graph).on(device::open(self.device)?).at(self.recipe.precision);
        let state = State::start(self, &plan, None)?;
        let Training { recipe, epochs, whole, seed, train, normal, loaders, .. } = *self;
        let device = &plan.device;
        let mut feed =
            Feed::start(Course { recipe, epochs, whole, seed, train, normal, classes, loaders, device }, 0)?;
        feed.begin(0)?;
        let nothing = || NnError::Unfit("no picture of the first batch can be decoded".into());
        let (input, targets) = feed.next(0).ok_or_else(nothing)?;
        let mut chance = Chance { rng: self.seed.stream(0, "drop"), drop_path: 0.0, dropout: 0.0 };
        let (leaves, values) = state.leaves();
        let pass = Pass::new(&plan, &values, Some(&mut chance));
        let (logits, _) = pass.run(input.clone().autodiff());
        let loss = cross_entropy(logits.clone(), targets.clone().autodiff());
        let gradients = loss.backward();

        let mut numbers = Weights::new();
        let mut keep = |name: String, shape: &[usize], values: Vec<f32>| {
            numbers.insert(name, (shape.to_vec(), values));
        };
        keep("input".into(), &input.dims(), input.into_data().iter::<f32>().collect());
        keep("targets".into(), &targets.dims(), targets.into_data().iter::<f32>().collect());
        keep("logits".into(), &logits.dims(), logits.inner().into_data().iter::<f32>().collect());
        keep("loss".into(), &[1], loss.inner().into_data().iter::<f32>().collect());
        for (slot, parameter) in plan.parameters.iter().enumerate() {
            let values = values[slot].clone().inner().into_data().iter::<f32>().collect();
            keep(format!("weights/{}", parameter.name), &parameter.shape, values);
        }
        for (slot, leaf) in leaves {
            let parameter = &plan.parameters[slot];
            let gradient = leaf.grad(&gradients).unwrap_or_else(|| leaf.inner().zeros_like());
            let gradient = gradient.into_data().iter::<f32>().collect();
            keep(format!("gradients/{}", parameter.name), &parameter.shape, gradient);
        }
        Ok(numbers)
    }
}
