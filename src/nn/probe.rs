//! What a network tells before it is trained: gradients, activations and flow at its initial weights.

use burn::tensor::{DType, Tensor, TensorData};

use super::augment::Normalizer;
use super::batch::{Batch, Batches};
use super::execute::{Pass, Plan};
use super::loss::cross_entropy;
use super::train::floats;
use super::{Bank, NnError, device};
use crate::data::Pictures;
use crate::device::Device;
use crate::ir::{Graph, Role, Shape};
use crate::random::Seed;

/// A network at its initial weights, with a batch of pictures. Norms are as in training: by the batch's own statistics.
pub struct Probe<'g> {
    plan: Plan<'g>,
    start: Vec<Vec<f32>>,
    batch: Batch,
}

impl<'g> Probe<'g> {
    /// The network that `seed` starts, and `count` pictures that it draws of `pictures`; `normal` is mean and deviation of
    /// each channel, of pixels in [0, 1].
    ///
    /// # Errors
    /// [`NnError::Unfit`] where the network is not for these pictures, or has no parameters, or the device cannot be used.
    pub fn new(
        graph: &'g Graph,
        seed: Seed,
        pictures: &Pictures,
        normal: (&[f32], &[f32]),
        count: usize,
        device: Device,
    ) -> Result<Probe<'g>, NnError> {
        let plan = Plan::new(graph).on(device::open(device)?);
        let (channels, height, width) = pictures.shape;
        let (input, output) = (graph.shape(graph.input()), graph.shape(graph.output()));
        let Shape::Flat(classes) = output else {
            return Err(NnError::Unfit(format!(
                "the network ends in a map {output}, not in one logit a class"
            )));
        };
        if input != (Shape::Map { channels, height, width }) || pictures.is_empty() {
            let problem = format!("the network takes {input}, there are pictures of {:?}", pictures.shape);
            return Err(NnError::Unfit(problem));
        }
        if !(0..plan.parameters.len()).any(|slot| plan.trained(slot)) {
            return Err(NnError::Unfit("the network has no parameters".into()));
        }
        let bank = Bank::new(seed);
        let start = plan.parameters.iter().map(|parameter| bank.started(parameter)).collect();
        let normalizer = Normalizer::new(normal.0, normal.1);
        let batches = Batches { pictures, normalizer: &normalizer, classes };
        let mut rng = seed.stream(0, "probe");
        let members = rand::seq::index::sample(&mut rng, pictures.len(), count.clamp(1, pictures.len()));
        Ok(Probe { plan, start, batch: batches.plain(&members.into_vec()) })
    }

    /// The Euclidean norms of the loss's gradients, one for each weight of a convolution or linear layer.
    pub fn gradient_norms(&self) -> Vec<f64> {
        let values: Vec<Tensor<1>> = self
            .start
            .iter()
            .enumerate()
            .map(|(slot, values)| {
                let value = self.plan.vector(values.clone()).autodiff();
                if self.plan.trained(slot) { value.require_grad() } else { value }
            })
            .collect();
        let input = self.batch.input(&self.plan.device).autodiff();
        let (logits, _) = Pass::recounting(&self.plan, &values, 1.0).run(input);
        let mut all = cross_entropy(logits, self.batch.targets(&self.plan.device).autodiff()).backward();
        let weights = values.iter().enumerate().filter(|(slot, _)| self.is_weight(*slot));
        let norm = |(_, leaf): (usize, &Tensor<1>)| {
            leaf.grad_remove(&mut all)
                .map_or(0.0, |gradient| f64::from(gradient.square().sum().into_scalar::<f32>()).sqrt())
        };
        weights.map(norm).collect()
    }

    /// For every two pictures the number of activations that are on in both or off in both: `[count, count]`, by rows.
    pub fn agreements(&self) -> Vec<f64> {
        let values: Vec<Tensor<1>> =
            self.start.iter().map(|values| self.plan.vector(values.clone())).collect();
        let count = self.batch.input(&self.plan.device).dims()[0];
        let mut sum = vec![0.0; count * count];
        let mut watch = |output: Tensor<2>| {
            let on = output.greater_elem(0.0).float(); // [count, features]
            let off = on.clone().neg().add_scalar(1.0);
            let both = on.clone().matmul(on.transpose()) + off.clone().matmul(off.transpose());
            let both: Vec<f32> = both.into_data().iter::<f32>().collect();
            sum.iter_mut().zip(both).for_each(|(sum, one)| *sum += f64::from(one));
        };
        Pass::recounting(&self.plan, &values, 1.0)
            .watched(&mut watch)
            .run(self.batch.input(&self.plan.device));
        sum
    }

    /// For every picture the gradient of the sum of its logits by its pixels: `[count, pixels]`, by rows. As in
    /// training, the batch's statistics tie the pictures together.
    pub fn jacobian(&self) -> Vec<Vec<f32>> {
        let values: Vec<Tensor<1>> =
            self.start.iter().map(|values| self.plan.vector(values.clone()).autodiff()).collect();
        let input = self.batch.input(&self.plan.device).autodiff().require_grad();
        let count = input.dims()[0];
        let (logits, _) = Pass::recounting(&self.plan, &values, 1.0).run(input.clone());
        // Where nothing of a picture reaches the logits, its gradient is 0, and not missing.
        let nothing = input.clone().sum().mul_scalar(0.0);
        let mut all = (logits.sum() + nothing).backward();
        let Some(slope) = input.grad_remove(&mut all) else { return vec![Vec::new(); count] };
        let all = floats(slope.flatten(0, 3));
        all.chunks(all.len() / count.max(1)).map(<[f32]>::to_vec).collect()
    }

    /// The sum over all weights of weight times gradient, of a network whose parameters are all made positive and whose
    /// norms are left out, where every pixel is 1 and what is differentiated is the sum of all logits. In double
    /// precision: deep networks multiply it far beyond single.
    pub fn flow(&self) -> f64 {
        let kind = DType::F64;
        let positive = |(slot, values): (usize, &Vec<f32>)| {
            let values: Vec<f64> = values.iter().map(|value| f64::from(value.abs())).collect();
            let length = values.len();
            let value = Tensor::<1>::from_data(TensorData::new(values, [length]), (&self.plan.device, kind))
                .autodiff();
            if self.is_weight(slot) { value.require_grad() } else { value }
        };
        let values: Vec<Tensor<1>> = self.start.iter().enumerate().map(positive).collect();
        let mut shape = self.batch.input(&self.plan.device).dims();
        shape[0] = 1;
        let input = Tensor::<4>::ones(shape, (&self.plan.device, kind)).autodiff();
        let (logits, _) = Pass::new(&self.plan, &values, None).bare().run(input);
        let mut all = logits.sum().backward();
        let weights = values.iter().enumerate().filter(|(slot, _)| self.is_weight(*slot));
        let flow = |(_, leaf): (usize, &Tensor<1>)| {
            let gradient = leaf.grad_remove(&mut all)?;
            Some((gradient * leaf.clone().inner()).abs().sum().into_scalar::<f64>())
        };
        weights.filter_map(flow).sum()
    }

    fn is_weight(&self, slot: usize) -> bool {
        self.plan.parameters[slot].role == Role::Weight && self.plan.trained(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Conv, Primitive};

    fn pictures() -> Pictures {
        let pixels = (0..6 * 16).map(|value| (value * 37 % 251) as u8).collect();
        Pictures::new(pixels, vec![0, 1, 2, 0, 1, 2], (1, 4, 4))
    }

    fn graph(deep: bool) -> Graph {
        let mut graph = Graph::new(Shape::Map { channels: 1, height: 4, width: 4 });
        let mut x = graph.add_named("a", Primitive::Conv(Conv::square(3, 1)), &[graph.input()]).unwrap();
        if deep {
            x = graph.add_named("norm", Primitive::BATCH_NORM, &[x]).unwrap();
            x = graph.relu(x).unwrap();
        }
        let x = graph.add_named("pool", Primitive::GlobalAvgPool, &[x]).unwrap();
        let x = graph.add_named("flat", Primitive::Flatten, &[x]).unwrap();
        let x = graph.add_named("head", Primitive::Linear { features: 3, bias: false }, &[x]).unwrap();
        graph.set_output(x);
        graph
    }

    fn probe(graph: &Graph) -> Probe<'_> {
        Probe::new(graph, Seed(3), &pictures(), (&[0.5], &[0.3]), 6, Device::Cpu).unwrap()
    }

    #[test]
    fn flow_is_what_passes_through_each_layer() {
        for deep in [false, true] {
            let graph = graph(deep);
            let probe = probe(&graph);
            // Of a constant picture: each of three channels carries its weight, and to each logit once more its weight.
            let (a, head) = (&probe.start[0], &probe.start[probe.start.len() - 1]);
            let through: f64 = (0..3)
                .map(|channel| {
                    let out: f64 =
                        head[channel * 3..][..3].iter().map(|weight| f64::from(weight.abs())).sum();
                    f64::from(a[channel].abs()) * out
                })
                .sum();
            let met = probe.flow();
            assert!((met - 2.0 * through).abs() < 1e-9 * met, "{met} is not twice {through}");
        }
    }

    #[test]
    fn agreements_count_every_activation() {
        let graph = graph(true);
        let all = probe(&graph).agreements();
        assert_eq!(all.len(), 36);
        for row in 0..6 {
            assert_eq!(all[row * 6 + row], 3.0 * 16.0, "with itself a picture agrees everywhere");
            assert!((0..6).all(|column| all[row * 6 + column] == all[column * 6 + row]));
        }
        assert!(all.iter().any(|agreement| *agreement < 48.0));
    }

    #[test]
    fn the_jacobian_of_a_linear_network_is_its_weights() {
        let graph = graph(false);
        let probe = probe(&graph);
        let (a, head) = (&probe.start[0], &probe.start[1]);
        let slope: f32 =
            (0..3).map(|channel| a[channel] * head[channel * 3..][..3].iter().sum::<f32>()).sum();
        let rows = probe.jacobian();
        assert_eq!((rows.len(), rows[0].len()), (6, 16));
        assert!(rows.iter().flatten().all(|met| (met - slope / 16.0).abs() < 1e-6), "{rows:?}");
    }

    #[test]
    fn gradients_are_of_every_weight_and_the_same_again() {
        let graph = graph(true);
        let norms = probe(&graph).gradient_norms();
        assert_eq!(norms.len(), 2);
        assert!(norms.iter().all(|norm| *norm > 0.0));
        assert_eq!(probe(&graph).gradient_norms(), norms);
    }
}
