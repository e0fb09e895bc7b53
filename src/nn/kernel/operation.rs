//! How loops over slices become operations of Burn's graph.

use std::fmt::Debug;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, AutodiffBackend, BackendTensor, DispatchDevice, DispatchKindConversion, DispatchTensor, Flex,
    TensorMetadata,
};
use burn::tensor::{DType, Tensor, TensorData};

/// A tensor of the CPU backend, and the same as a part of a graph.
type Plain = FloatTensor<Flex>;
type Tracked = FloatTensor<Autodiff<Flex>>;

/// An operation on `N` tensors, given as slices in row-major order.
pub(super) trait Operation<const N: usize>: Clone + Debug + Send + 'static {
    /// What the forward pass hands to the backward pass and to the caller, beside the result.
    type Kept: Clone + Debug + Send + 'static;

    /// The result's shape.
    fn shape(&self) -> Vec<usize>;

    /// The result.
    fn forward(&self, inputs: [&[f32]; N]) -> (Vec<f32>, Self::Kept);

    /// Which inputs the backward pass reads; the others are not kept for it, and given as empty slices.
    fn read(&self) -> [bool; N];

    /// The gradients of the `wanted` inputs from the result's.
    fn backward(
        &self,
        inputs: [&[f32]; N],
        kept: &Self::Kept,
        gradient: Gradient,
        wanted: [bool; N],
    ) -> [Option<Gradient>; N];
}

/// A gradient on its way back: memory of its own, or shared with others who look at the same gradient.
pub(super) struct Gradient(Plain);

impl Gradient {
    /// To read.
    pub(super) fn values(&self) -> &[f32] {
        self.0.as_slice().unwrap_or_default()
    }

    /// To write: its own memory where nobody else looks at it, a copy otherwise.
    pub(super) fn into_values(self) -> Vec<f32> {
        self.0.into_data().try_into_vec().unwrap_or_default()
    }

    /// The same gradient for another input.
    pub(super) fn share(&self) -> Gradient {
        Gradient(self.0.clone())
    }
}

impl From<Vec<f32>> for Gradient {
    fn from(values: Vec<f32>) -> Gradient {
        let shape = vec![values.len()];
        Gradient(tensor(values, shape))
    }
}

fn tensor(values: Vec<f32>, shape: Vec<usize>) -> Plain {
    Plain::from_data(TensorData::new(values, shape))
}

/// Whether the operations of this folder compute on `x`: on the CPU, in single precision.
pub(super) fn ours<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && matches!(x.device().inner().as_dispatch(), DispatchDevice::Flex(_))
}

/// Computes `operation` on `inputs`, which live where [`ours`] says so, as a part of the graph that any of them is in.
pub(super) fn run<O: Operation<N>, const N: usize>(
    operation: O,
    inputs: [DispatchTensor; N],
) -> (DispatchTensor, O::Kept) {
    let tracked = inputs.iter().any(|input| matches!(input.device(), DispatchDevice::Autodiff(_)));
    if !tracked {
        let inputs = inputs.map(|input| contiguous(plain(input)));
        let (output, kept) = operation.forward(inputs.each_ref().map(slice));
        let output = BackendTensor::Float(tensor(output, operation.shape()));
        return (<DispatchTensor as DispatchKindConversion<Flex>>::from_backend(output), kept);
    }
    let inputs = inputs.map(in_graph);
    let wanted = inputs.each_ref().map(Tracked::is_tracked);
    let prepared = Step(operation.clone()).prepare::<NoCheckpointing>(inputs.each_ref().map(Tracked::node));
    let inputs = inputs.map(|input| contiguous(input.into_primitive()));
    let (output, kept) = operation.forward(inputs.each_ref().map(slice));
    let output = tensor(output, operation.shape());
    let output = match prepared.compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let shapes = inputs.each_ref().map(|input| input.layout().shape().to_vec());
            let mut read = operation.read().into_iter();
            let inputs = inputs.map(|input| read.next().unwrap_or_default().then_some(input));
            prepared.finish(State { inputs, shapes, wanted, kept: kept.clone() }, output)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    let output = BackendTensor::Float(output);
    (<DispatchTensor as DispatchKindConversion<Autodiff<Flex>>>::from_backend(output), kept)
}

fn plain(input: DispatchTensor) -> Plain {
    match <DispatchTensor as DispatchKindConversion<Flex>>::try_into_backend(input) {
        Ok(input) => input.float(),
        Err(problem) => panic!("a kernel of the CPU met another device's tensor: {problem}"),
    }
}

fn in_graph(input: DispatchTensor) -> Tracked {
    match input.device() {
        DispatchDevice::Autodiff(_) => {
            match <DispatchTensor as DispatchKindConversion<Autodiff<Flex>>>::try_into_backend(input) {
                Ok(input) => input.float(),
                Err(problem) => panic!("a kernel of the CPU met another device's tensor: {problem}"),
            }
        }
        _ => Autodiff::<Flex>::from_inner(plain(input)),
    }
}

fn contiguous(input: Plain) -> Plain {
    if input.is_contiguous() { input } else { input.to_contiguous() }
}

fn slice(input: &Plain) -> &[f32] {
    input.as_slice().unwrap_or_default()
}

/// The backward pass of an operation.
#[derive(Debug)]
struct Step<O>(O);

#[derive(Clone, Debug)]
struct State<K, const N: usize> {
    inputs: [Option<Plain>; N],
    shapes: [Vec<usize>; N],
    wanted: [bool; N],
    kept: K,
}

impl<O: Operation<N>, const N: usize> Backward<Flex, N> for Step<O> {
    type State = State<O::Kept, N>;

    fn backward(self, ops: Ops<Self::State, N>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let State { inputs, shapes, wanted, kept } = ops.state;
        let gradient = Gradient(contiguous(gradients.consume::<Flex>(&ops.node)));
        let slices = inputs.each_ref().map(|input| input.as_ref().map(slice).unwrap_or_default());
        let made = self.0.backward(slices, &kept, gradient, wanted);
        for ((node, made), shape) in ops.parents.into_iter().zip(made).zip(shapes) {
            if let (Some(node), Some(Gradient(made))) = (node, made) {
                gradients.register::<Flex>(node.id, made.reshape(shape.into()));
            }
        }
    }
}
