//! Small networks on Burn, several side by side: what a search predicts and chooses with.
//!
//! All members of an ensemble are one batched product, and Adam (Kingma and Ba 2015) steps over all of them at once.
//! Neither numbers of threads nor what is read beside a row change their figures.
//!
//! # Shapes
//! M networks, B rows, V tokens, E an embedding's width, H units, O outputs.

mod perceptron;
mod policy;
mod recurrent;
mod regression;

pub(crate) use policy::{Reader, Speaker};
pub(crate) use regression::{Course, Kind, Regression, Sequence};

use burn::module::{Param, ParamId};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Tensor, TensorData};
use rand::RngExt;

use super::device;
use crate::random::Rng;

/// How large networks are.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    members: usize,
    tokens: usize,
    embedding: usize,
    units: usize,
    outputs: usize,
}

/// How far from 0 embeddings are drawn, in PNAS as by Zoph et al. 2018.
const EMBEDDING_BOUND: f32 = 0.1;

/// Networks in learning, with Adam's state.
struct Learner {
    parameters: Vec<Param<Tensor<3>>>,
    optimizer: ModuleOptimizer,
}

impl Learner {
    /// Networks that start from these parts.
    fn new(parts: Vec<Tensor<3>>) -> Learner {
        let parameter = |(part, id): (Tensor<3>, u64)| Param::initialized(ParamId::from(id), part.autodiff());
        let optimizer = ModuleOptimizer::from(AdamConfig::new().with_epsilon(1e-8).build());
        Learner { parameters: parts.into_iter().zip(1..).map(parameter).collect(), optimizer }
    }

    /// What the networks have learnt so far.
    fn parts(&self) -> Vec<Tensor<3>> {
        self.parameters.iter().map(|parameter| parameter.val().inner()).collect()
    }

    /// One step of Adam down the slope of `loss`, a sum over networks, which is given their parts.
    fn step(&mut self, rate: f64, loss: impl FnOnce(&[Tensor<3>]) -> Tensor<1>) {
        let leaf = |parameter: &Param<Tensor<3>>| parameter.val().inner().autodiff().require_grad();
        let leaves: Vec<Tensor<3>> = self.parameters.iter().map(leaf).collect();
        let mut gradients = loss(&leaves).backward();
        let mut all = GradientsParams::new();
        for (parameter, leaf) in self.parameters.iter().zip(&leaves) {
            if let Some(gradient) = leaf.grad_remove(&mut gradients) {
                all.register(parameter.id, gradient);
            }
        }
        self.parameters = self.optimizer.step(rate, std::mem::take(&mut self.parameters), all);
    }
}

/// Uniform within `bound` of 0.
fn drawn(shape: [usize; 3], bound: f32, rng: &mut Rng) -> Tensor<3> {
    let values = (0..shape.iter().product()).map(|_| rng.random_range(-bound..=bound)).collect();
    tensor(values, shape)
}

fn tensor(values: Vec<f32>, shape: [usize; 3]) -> Tensor<3> {
    Tensor::from_data(TensorData::new(values, shape), &device())
}

fn values(tensor: Tensor<3>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
