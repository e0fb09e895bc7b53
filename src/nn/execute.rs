//! A graph run forward on Burn: one exhaustive match over the primitives.

use burn::tensor::activation::{gelu, hard_sigmoid, hard_swish, relu6, sigmoid, silu, tanh};
use burn::tensor::module::batch_norm;
use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use rand::RngExt;

use super::{NnError, device, kernel};
use crate::ir::{Activation, Graph, Parameter, Primitive, Role, Shape, Tensor as Place, Weights};
use crate::random::Rng;
use crate::recipe::Precision;

/// A tensor on its way through the network.
#[derive(Clone)]
pub(super) enum Value {
    /// `[batch, channels, height, width]`
    Map(Tensor<4>),
    /// `[batch, features]`
    Flat(Tensor<2>),
}

/// Applies one expression to either kind of value.
macro_rules! either {
    ($value:expr, $x:ident => $result:expr) => {
        match $value {
            Value::Map($x) => Value::Map($result),
            Value::Flat($x) => Value::Flat($result),
        }
    };
}

impl Value {
    pub(super) fn map(self) -> Tensor<4> {
        match self {
            Value::Map(x) => x,
            Value::Flat(x) => x.unsqueeze_dims(&[2, 3]),
        }
    }

    pub(super) fn flat(self) -> Tensor<2> {
        match self {
            Value::Map(x) => x.flatten(1, 3),
            Value::Flat(x) => x,
        }
    }
}

/// What is known of a graph before any numbers flow: its parameters, and when each tensor is read for the last time.
pub(super) struct Plan<'g> {
    pub(super) graph: &'g Graph,
    /// What is computed: the output, and the second classifier's if there is one, or all that have a name.
    outputs: Vec<Place>,
    pub(super) parameters: Vec<Parameter>,
    live: Vec<bool>,
    /// Of each node, whether its parameters stay as they are.
    frozen: Vec<bool>,
    /// `slots[node]` is the range of the parameters that the node computes with.
    slots: Vec<std::ops::Range<usize>>,
    readers: Vec<usize>,
    /// Of each convolution and norm, whether a ReLU next to it is computed along with it; of each such ReLU, too.
    merged: Vec<bool>,
    /// Where the parameters live.
    pub(super) device: Device,
    /// How many digits activations have.
    pub(super) precision: Precision,
}

impl<'g> Plan<'g> {
    /// The plan of a graph on the CPU.
    pub(super) fn new(graph: &'g Graph) -> Plan<'g> {
        Plan::with_outputs(graph, vec![graph.output()])
    }

    /// The same, with the logits of a second classifier as well.
    pub(super) fn with_classifier(graph: &'g Graph, logits: Place) -> Plan<'g> {
        Plan::with_outputs(graph, vec![graph.output(), logits])
    }

    /// The plan of a graph's outputs that have a name, in their order.
    pub(super) fn of_named(graph: &'g Graph) -> Plan<'g> {
        Plan::with_outputs(graph, graph.outputs().iter().map(|(_, output)| *output).collect())
    }

    fn with_outputs(graph: &'g Graph, outputs: Vec<Place>) -> Plan<'g> {
        let parameters = graph.parameters();
        let live = graph.live_for(&outputs);
        let mut slots: Vec<std::ops::Range<usize>> = Vec::with_capacity(graph.nodes().len());
        let mut readers = vec![0; graph.nodes().len()];
        let mut next = 0;
        for (index, node) in graph.nodes().iter().enumerate() {
            let start = next;
            next += parameters[start..].iter().take_while(|parameter| parameter.node == index).count();
            slots.push(match node.shares {
                Some(owner) => slots[owner.index()].clone(),
                None => start..next,
            });
            if live[index] {
                node.inputs.iter().for_each(|input| readers[input.index()] += 1);
            }
        }
        outputs.iter().for_each(|output| readers[output.index()] += 1);
        let merged = merged(graph, &live, &readers);
        let (device, precision) = (device(), Precision::Fp32);
        let frozen = vec![false; live.len()];
        Plan { graph, outputs, parameters, live, frozen, slots, readers, merged, device, precision }
    }

    /// The same on another device.
    pub(super) fn on(self, device: Device) -> Plan<'g> {
        Plan { device, ..self }
    }

    /// The same with other digits; 32 bits without this.
    pub(super) fn at(self, precision: Precision) -> Plan<'g> {
        Plan { precision, ..self }
    }

    /// The same with the parameters of all nodes fixed whose scope this says of; their norms use running statistics.
    pub(super) fn frozen_where(self, fixed: impl Fn(&str) -> bool) -> Plan<'g> {
        let frozen = self.graph.nodes().iter().map(|node| fixed(&node.scope)).collect();
        Plan { frozen, ..self }
    }

    /// Values of a parameter on the device.
    pub(super) fn vector(&self, values: Vec<f32>) -> Tensor<1> {
        let length = values.len();
        Tensor::from_data(TensorData::new(values, [length]), &self.device)
    }

    /// Whether gradients change the parameter at `slot`: its role says so, and the output depends on it.
    pub(super) fn trained(&self, slot: usize) -> bool {
        let parameter = &self.parameters[slot];
        parameter.role.trained() && self.live[parameter.node] && !self.frozen[parameter.node]
    }

    fn slot(&self, node: usize, role: Role) -> Option<usize> {
        self.slots[node].clone().find(|slot| self.parameters[*slot].role == role)
    }
}

/// Which ReLUs need no pass of their own over the numbers: those that alone read a norm, and those that only a
/// convolution reads.
fn merged(graph: &Graph, live: &[bool], readers: &[usize]) -> Vec<bool> {
    let nodes = graph.nodes();
    let mut merged = vec![false; nodes.len()];
    let is_relu = |node: usize| nodes[node].primitive == Primitive::RELU;
    for (node, it) in nodes.iter().enumerate().filter(|(node, _)| live[*node]) {
        let Some(input) = it.inputs.first().map(|input| input.index()) else { continue };
        let (relu, other) = match it.primitive {
            Primitive::Conv(_) if is_relu(input) && readers[input] == 1 => (input, node),
            _ if is_relu(node) && readers[input] == 1 => match nodes[input].primitive {
                Primitive::BatchNorm { .. } => (node, input),
                _ => continue,
            },
            _ => continue,
        };
        if !merged[relu] {
            (merged[relu], merged[other]) = (true, true);
        }
    }
    merged
}

/// What training adds to a forward pass.
pub(super) struct Chance {
    /// Where dropout and drop path draw from.
    pub(super) rng: Rng,
    /// Probability of dropping the deepest branch.
    pub(super) drop_path: f64,
    /// What the network's own dropout rates are multiplied by.
    pub(super) dropout: f64,
}

/// What comes of a pass.
pub(super) struct Ran {
    /// `[batch, classes]`, in 32 bits.
    pub(super) logits: Tensor<2>,
    /// The second classifier's, if the plan has one.
    pub(super) auxiliary: Option<Tensor<2>>,
    /// New running statistics by slot, off autodiff.
    pub(super) running: Vec<(usize, Tensor<1>)>,
}

/// One pass: batch statistics and dropped paths with a [`Chance`], running statistics without.
pub(super) struct Pass<'a> {
    plan: &'a Plan<'a>,
    /// All parameters, flattened, by slot.
    values: &'a [Tensor<1>],
    chance: Option<&'a mut Chance>,
    /// Batch statistics though nothing is trained: the share that they have in the new running ones.
    recount: Option<f64>,
    /// Whether norms are left out.
    bare: bool,
    /// Gets the output of every activation, `[batch, features]`.
    watch: Option<&'a mut dyn FnMut(Tensor<2>)>,
    device: Device,
    /// New running statistics by slot, off autodiff.
    running: Vec<(usize, Tensor<1>)>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        plan: &'a Plan<'a>,
        values: &'a [Tensor<1>],
        chance: Option<&'a mut Chance>,
    ) -> Pass<'a> {
        Pass {
            plan,
            values,
            chance,
            recount: None,
            bare: false,
            watch: None,
            device: plan.device.clone(),
            running: Vec::new(),
        }
    }

    /// A pass with batch statistics, of which so much enters the new running ones, and nothing dropped.
    pub(super) fn recounting(plan: &'a Plan<'a>, values: &'a [Tensor<1>], share: f64) -> Pass<'a> {
        Pass { recount: Some(share), ..Pass::new(plan, values, None) }
    }

    /// The same without norms.
    pub(super) fn bare(self) -> Pass<'a> {
        Pass { bare: true, ..self }
    }

    /// The same, showing the output of every activation, `[batch, features]`.
    pub(super) fn watched(self, watch: &'a mut dyn FnMut(Tensor<2>)) -> Pass<'a> {
        Pass { watch: Some(watch), ..self }
    }

    /// The logits `[batch, classes]` of `input`, and new running statistics.
    pub(super) fn run(self, input: Tensor<4>) -> (Tensor<2>, Vec<(usize, Tensor<1>)>) {
        let Ran { logits, running, .. } = self.run_all(input);
        (logits, running)
    }

    /// All that comes of `input`.
    pub(super) fn run_all(self, input: Tensor<4>) -> Ran {
        let device = input.device();
        let (outputs, running) = self.run_each(input);
        let mut outputs = outputs.into_iter().map(Value::flat);
        let logits = outputs.next().unwrap_or_else(|| Tensor::zeros([0, 0], &device));
        Ran { logits, auxiliary: outputs.next(), running }
    }

    /// The plan's outputs of `input` in 32 bits, and new running statistics.
    pub(super) fn run_each(mut self, input: Tensor<4>) -> (Vec<Value>, Vec<(usize, Tensor<1>)>) {
        self.device = input.device();
        let nodes = self.plan.graph.nodes();
        let mut left = self.plan.readers.clone();
        let mut made: Vec<Option<Value>> = vec![None; nodes.len()];
        let input = self.rounded(input);
        made[0] = Some(match nodes[0].shape {
            Shape::Map { .. } => Value::Map(input),
            Shape::Flat(_) => Value::Flat(input.flatten(1, 3)),
        });
        for (index, node) in nodes.iter().enumerate().skip(1).filter(|(index, _)| self.plan.live[*index]) {
            // The last reader takes the tensor itself, so that it can be worked on in place and is freed early.
            let inputs: Vec<Value> = node
                .inputs
                .iter()
                .filter_map(|input| {
                    let input = input.index();
                    left[input] -= 1;
                    if left[input] == 0 { made[input].take() } else { made[input].clone() }
                })
                .collect();
            made[index] = Some(self.compute(index, inputs));
        }
        let nothing = || Value::Flat(Tensor::zeros([0, 0], &self.device));
        let output = |output: &Place| either!(made[output.index()].clone().unwrap_or_else(nothing), x => self.widened(x));
        let outputs = self.plan.outputs.iter().map(output).collect();
        (outputs, self.running)
    }

    /// Numbers with as many digits as the plan asks for.
    fn rounded<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        if self.plan.precision == Precision::Bf16 { x.cast(FloatDType::BF16) } else { x }
    }

    /// Rounded numbers in 32 bits, for sums over many; others as they are.
    fn widened<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        if self.plan.precision == Precision::Bf16 { x.cast(FloatDType::F32) } else { x }
    }

    fn compute(&mut self, node: usize, mut inputs: Vec<Value>) -> Value {
        let graph = self.plan.graph;
        let first = inputs.remove(0);
        match &graph.nodes()[node].primitive {
            // The one input was placed before the pass; a graph holds no second.
            Primitive::Input => first,
            Primitive::Conv(conv) => {
                let weight = self.rounded(self.shaped::<4>(node, Role::Weight));
                let bias = self.vector(node, Role::Bias).map(|bias| self.rounded(bias));
                Value::Map(kernel::convolve(conv, first.map(), weight, bias, self.merges(node)))
            }
            Primitive::Linear { .. } => {
                let y = first.flat().matmul(self.rounded(self.shaped::<2>(node, Role::Weight))); // [batch, features]
                Value::Flat(match self.vector(node, Role::Bias) {
                    Some(bias) => y + self.rounded(bias).unsqueeze(),
                    None => y,
                })
            }
            Primitive::BatchNorm { .. } if self.bare => first,
            Primitive::BatchNorm { epsilon, momentum, .. } => {
                // Statistics of rounded numbers, in 32 bits.
                either!(first, x => {
                    let normalized = self.normalize(node, self.widened(x), *epsilon, *momentum);
                    self.rounded(normalized)
                })
            }
            Primitive::Activation(_) if self.merges(node) => first,
            Primitive::Activation(activation) => {
                let y = either!(first, x => activate(*activation, x));
                if let Some(watch) = &mut self.watch {
                    watch(y.clone().flat());
                }
                y
            }
            Primitive::MaxPool(window) => Value::Map(kernel::max_pool(first.map(), window)),
            Primitive::AvgPool { window, count_padding } => {
                Value::Map(kernel::avg_pool(first.map(), window, *count_padding))
            }
            Primitive::GlobalAvgPool => {
                let x = self.widened(first.map());
                Value::Map(self.rounded(kernel::global_pool(x)))
            }
            Primitive::Flatten => Value::Flat(first.flat()),
            Primitive::Add => inputs.into_iter().fold(first, add),
            Primitive::Mul => inputs.into_iter().fold(first, mul),
            Primitive::Concat => concat(first, inputs),
            Primitive::Slice { start, end } => either!(first, x => x.narrow(1, *start, end - start)),
            Primitive::Resize { size, interpolation } => {
                Value::Map(kernel::resize(first.map(), *size, *interpolation))
            }
            Primitive::Shift { rows } => Value::Map(shift(first.map(), *rows)),
            Primitive::Zero { .. } => self.zeros(node, first),
            Primitive::Dropout { rate } => self.dropout(first, *rate),
            Primitive::DropPath { depth } => self.drop_path(first, *depth),
        }
    }

    /// Whether the node is computed together with a ReLU, or is a ReLU that is: not where every step is looked at.
    fn merges(&self, node: usize) -> bool {
        self.plan.merged[node] && self.watch.is_none() && !self.bare
    }

    fn vector(&self, node: usize, role: Role) -> Option<Tensor<1>> {
        self.plan.slot(node, role).map(|slot| self.values[slot].clone())
    }

    /// A parameter in its own shape; only asked for where the node has it.
    fn shaped<const D: usize>(&self, node: usize, role: Role) -> Tensor<D> {
        match self.plan.slot(node, role) {
            Some(slot) => {
                let shape = &self.plan.parameters[slot].shape;
                self.values[slot].clone().reshape(std::array::from_fn::<usize, D, _>(|axis| shape[axis]))
            }
            None => Tensor::zeros([0; D], &self.device),
        }
    }

    fn normalize<const D: usize>(
        &mut self,
        node: usize,
        x: Tensor<D>,
        epsilon: f64,
        momentum: f64,
    ) -> Tensor<D> {
        let channels = x.dims()[1];
        let neutral = |fill: f32| Tensor::<1>::full([channels], fill, &self.device);
        let scale = self.vector(node, Role::Scale).unwrap_or_else(|| neutral(1.0));
        let offset = self.vector(node, Role::Offset).unwrap_or_else(|| neutral(0.0));
        let mean = self.plan.slot(node, Role::RunningMean);
        let variance = self.plan.slot(node, Role::RunningVariance);
        let (Some(mean), Some(variance)) = (mean, variance) else { return x };
        let learns = self.chance.is_some() && !self.plan.frozen[node];
        if !learns && self.recount.is_none() {
            let [mean, variance] = [mean, variance].map(|slot| self.values[slot].clone());
            let y = batch_norm(x, scale, offset, mean, variance, epsilon);
            return if self.merges(node) { kernel::rectify(y) } else { y };
        }
        let samples = x.shape().num_elements() / channels;
        let normalized = kernel::normalize(x, scale, offset, epsilon, self.merges(node));
        let momentum = self.recount.unwrap_or(momentum);
        // Burn's variance is the biased one; what is kept for later is unbiased, as in PyTorch.
        let unbiased = normalized.variance * (samples as f64 / (samples.max(2) - 1) as f64);
        for (slot, now) in [(mean, normalized.mean), (variance, unbiased)] {
            let before = self.values[slot].clone().inner();
            self.running.push((slot, before.mul_scalar(1.0 - momentum) + now.mul_scalar(momentum)));
        }
        normalized.output
    }

    fn zeros(&self, node: usize, input: Value) -> Value {
        let (batch, kind) = match &input {
            Value::Map(x) => (x.dims()[0], x.dtype()),
            Value::Flat(x) => (x.dims()[0], x.dtype()),
        };
        let place = (&self.device, kind);
        match self.plan.graph.nodes()[node].shape {
            Shape::Map { channels, height, width } => {
                Value::Map(Tensor::zeros([batch, channels, height, width], place))
            }
            Shape::Flat(features) => Value::Flat(Tensor::zeros([batch, features], place)),
        }
    }

    fn dropout(&mut self, value: Value, rate: f64) -> Value {
        let rate = rate * self.chance.as_ref().map_or(0.0, |chance| chance.dropout);
        either!(value, x => {
            let shape = x.dims();
            self.masked(x, shape, rate)
        })
    }

    fn drop_path(&mut self, value: Value, depth: f64) -> Value {
        let rate = self.chance.as_ref().map_or(0.0, |chance| chance.drop_path * depth);
        either!(value, x => {
            let mut shape = x.dims().map(|_| 1);
            shape[0] = x.dims()[0];
            self.masked(x, shape, rate)
        })
    }

    /// Drops entries of a mask of `shape` with probability `rate` and scales the others, so that the mean stays.
    fn masked<const D: usize>(&mut self, x: Tensor<D>, shape: [usize; D], rate: f64) -> Tensor<D> {
        match &mut self.chance {
            Some(chance) if rate > 0.0 => {
                let kept = (1.0 / (1.0 - rate)) as f32;
                let draw = || if chance.rng.random::<f64>() < rate { 0.0 } else { kept };
                let mask: Vec<f32> = std::iter::repeat_with(draw).take(shape.iter().product()).collect();
                x * self.rounded(Tensor::from_data(TensorData::new(mask, shape), &self.device))
            }
            _ => x,
        }
    }
}

fn activate<const D: usize>(activation: Activation, x: Tensor<D>) -> Tensor<D> {
    match activation {
        Activation::Relu => kernel::rectify(x),
        Activation::Relu6 => relu6(x),
        Activation::Silu => silu(x),
        Activation::Gelu => gelu(x),
        Activation::HardSwish => hard_swish(x),
        Activation::Sigmoid => sigmoid(x),
        Activation::HardSigmoid => hard_sigmoid(x, 1.0 / 6.0, 0.5),
        Activation::Tanh => tanh(x),
    }
}

fn add(a: Value, b: Value) -> Value {
    match (a, b) {
        (Value::Flat(a), Value::Flat(b)) => Value::Flat(kernel::add(a, b)),
        (a, b) => Value::Map(kernel::add(a.map(), b.map())),
    }
}

fn mul(a: Value, b: Value) -> Value {
    match (a, b) {
        (Value::Flat(a), Value::Flat(b)) => Value::Flat(a * b),
        (a, b) => Value::Map(a.map() * b.map()),
    }
}

fn concat(first: Value, rest: Vec<Value>) -> Value {
    match first {
        Value::Map(x) => {
            Value::Map(kernel::concat(std::iter::once(x).chain(rest.into_iter().map(Value::map)).collect()))
        }
        Value::Flat(x) => {
            Value::Flat(kernel::concat(std::iter::once(x).chain(rest.into_iter().map(Value::flat)).collect()))
        }
    }
}

fn shift(x: Tensor<4>, rows: usize) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let rest = x.narrow(2, rows, height - rows).narrow(3, rows, width - rows);
    rest.pad([(0, rows), (0, rows)], 0.0)
}

/// Values on the CPU.
#[cfg(test)]
pub(super) fn vector(values: Vec<f32>) -> Tensor<1> {
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), &device())
}

/// The logits of `input` under trained `weights`, as after training: running statistics, nothing dropped.
///
/// # Shapes
/// - `input`: `[batch, channels, height, width]`, row-major and normalised as in training; any batch
/// - returns: `[batch, classes]`, row-major
///
/// # Errors
/// [`NnError::Unfit`] where weights are missing or of another shape, or the input is not a whole number of pictures.
pub fn forward(graph: &Graph, weights: &Weights, input: &[f32]) -> Result<Vec<f32>, NnError> {
    let plan = Plan::new(graph);
    let values = loaded(&plan, weights)?;
    let logits = Pass::new(&plan, &values, None).run(pictures(graph, input)?).0;
    logits.try_into_vec_as().map_err(|error| NnError::Unfit(format!("the logits cannot be read: {error}")))
}

/// All parameters of `plan` by slot, from `weights`.
pub(super) fn loaded(plan: &Plan, weights: &Weights) -> Result<Vec<Tensor<1>>, NnError> {
    plan.parameters.iter().map(|parameter| loaded_one(plan, parameter, weights)).collect()
}

fn loaded_one(plan: &Plan, parameter: &Parameter, weights: &Weights) -> Result<Tensor<1>, NnError> {
    let Parameter { name, shape, .. } = parameter;
    match weights.get(name) {
        Some((met, values)) if met == shape && values.len() == shape.iter().product::<usize>() => {
            Ok(plan.vector(values.clone()))
        }
        Some((met, _)) => {
            Err(NnError::Unfit(format!("weights `{name}` are {met:?}; the network wants {shape:?}")))
        }
        None => Err(NnError::Unfit(format!("weights `{name}` of shape {shape:?} are missing"))),
    }
}

/// `input` as `[batch, channels, height, width]`.
fn pictures(graph: &Graph, input: &[f32]) -> Result<Tensor<4>, NnError> {
    let shape = graph.shape(graph.input());
    let [channels, height, width] = match shape {
        Shape::Map { channels, height, width } => [channels, height, width],
        Shape::Flat(features) => [features, 1, 1],
    };
    let one = channels * height * width;
    if input.is_empty() || !input.len().is_multiple_of(one) {
        let count = input.len();
        return Err(NnError::Unfit(format!("{count} values are not a number of pictures of shape {shape}")));
    }
    let shape = [input.len() / one, channels, height, width];
    Ok(Tensor::from_data(TensorData::new(input.to_vec(), shape), &device()))
}

#[cfg(test)]
mod tests;
