//! How loops over slices become operations of Burn's graph.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt::Debug;

use burn::backend::autodiff::NodeId;
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

use rayon::prelude::*;

use super::merge::TOGETHER;
use super::reuse::{clear, keep, taken, worthwhile};
use super::simd::{Added, dispatch};

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

/// A tensor that keeps its memory for the next results when the last one to look at it lets it go.
#[derive(Clone, Debug)]
struct Held(Option<Plain>);

impl Held {
    fn new(tensor: Plain) -> Held {
        Held(Some(if tensor.is_contiguous() { tensor } else { tensor.to_contiguous() }))
    }

    fn values(&self) -> &[f32] {
        self.0.as_ref().and_then(|tensor| tensor.as_slice()).unwrap_or_default()
    }

    fn shape(&self) -> Vec<usize> {
        self.0.as_ref().map(|tensor| tensor.layout().shape().to_vec()).unwrap_or_default()
    }

    /// Whether nobody else looks at it.
    fn alone(&self) -> bool {
        self.0.as_ref().is_some_and(Plain::is_unique)
    }

    fn into_tensor(mut self) -> Option<Plain> {
        self.0.take()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let whole = |tensor: &Plain| {
            let count = tensor.layout().num_elements();
            let bytes = count * size_of::<f32>();
            tensor.is_unique()
                && tensor.dtype() == DType::F32
                && tensor.bytes().len() == bytes
                && worthwhile(count)
        };
        if let Some(Ok(values)) = self.0.take().filter(whole).map(|tensor| tensor.into_data().try_into_vec())
        {
            keep(values);
        }
    }
}

/// A gradient on its way back: memory of its own, or shared with others who look at the same gradient.
pub(super) struct Gradient(Held);

impl Gradient {
    /// To read.
    pub(super) fn values(&self) -> &[f32] {
        self.0.values()
    }

    /// To write: its own memory where nobody else looks at it, a copy otherwise.
    pub(super) fn into_values(self) -> Vec<f32> {
        match self.0.into_tensor() {
            Some(tensor) if tensor.is_unique() => tensor.into_data().try_into_vec().unwrap_or_default(),
            Some(tensor) => {
                let held = Held(Some(tensor));
                let mut copy = taken(held.values().len());
                copy.copy_from_slice(held.values());
                copy
            }
            None => Vec::new(),
        }
    }

    /// The same gradient for another input.
    pub(super) fn share(&self) -> Gradient {
        Gradient(self.0.clone())
    }
}

impl From<Vec<f32>> for Gradient {
    fn from(values: Vec<f32>) -> Gradient {
        let shape = vec![values.len()];
        Gradient(Held(Some(tensor(values, shape))))
    }
}

fn tensor(values: Vec<f32>, shape: Vec<usize>) -> Plain {
    Plain::from_data(TensorData::new(values, shape))
}

/// Whether the operations of this folder compute on `x`: on the CPU, in single precision.
pub(super) fn ours<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && matches!(x.device().inner().as_dispatch(), DispatchDevice::Flex(_))
}

/// A stretch of work whose memory is given back at its end.
pub(in crate::nn) struct Kept;

impl Drop for Kept {
    fn drop(&mut self) {
        clear();
        // Nodes that no backward pass came by again, such as those of Burn's own operations.
        let _ = NOTED.try_with(|noted| noted.borrow_mut().clear());
    }
}

/// Computes `operation` on `inputs`, which live where [`ours`] says so, as a part of the graph that any of them is in.
pub(super) fn run<O: Operation<N>, const N: usize>(
    operation: O,
    inputs: [DispatchTensor; N],
) -> (DispatchTensor, O::Kept) {
    let tracked = inputs.iter().any(|input| matches!(input.device(), DispatchDevice::Autodiff(_)));
    if !tracked {
        let inputs = inputs.map(|input| Held::new(plain(input)));
        let (output, kept) = operation.forward(inputs.each_ref().map(Held::values));
        let output = BackendTensor::Float(tensor(output, operation.shape()));
        return (<DispatchTensor as DispatchKindConversion<Flex>>::from_backend(output), kept);
    }
    let inputs = inputs.map(in_graph);
    let wanted = inputs.each_ref().map(Tracked::is_tracked);
    let prepared = Step(operation.clone()).prepare::<NoCheckpointing>(inputs.each_ref().map(Tracked::node));
    let inputs = inputs.map(|input| Held::new(input.into_primitive()));
    let (output, kept) = operation.forward(inputs.each_ref().map(Held::values));
    let output = tensor(output, operation.shape());
    let output = match prepared.compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let shapes = inputs.each_ref().map(Held::shape);
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

/// The backward pass of an operation.
#[derive(Debug)]
struct Step<O>(O);

#[derive(Clone, Debug)]
struct State<K, const N: usize> {
    inputs: [Option<Held>; N],
    shapes: [Vec<usize>; N],
    wanted: [bool; N],
    kept: K,
}

impl<O: Operation<N>, const N: usize> Backward<Flex, N> for Step<O> {
    type State = State<O::Kept, N>;

    fn backward(self, ops: Ops<Self::State, N>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let State { inputs, shapes, wanted, kept } = ops.state;
        forget(ops.node.id);
        let gradient = Gradient(Held::new(gradients.consume::<Flex>(&ops.node)));
        let slices = inputs.each_ref().map(|input| input.as_ref().map(Held::values).unwrap_or_default());
        let made = self.0.backward(slices, &kept, gradient, wanted);
        for ((node, made), shape) in ops.parents.into_iter().zip(made).zip(shapes) {
            let Some((node, made)) = node.zip(made) else { continue };
            // What an operation of this folder has sent there before is joined here, on all cores and in its own memory;
            // anything else is Burn's to join. A leaf's gradient stays where it is for good.
            let joined = match noted(node.id) && !node.parents.is_empty() {
                true => sum(Gradient(Held::new(gradients.consume::<Flex>(&node))), made),
                false => made,
            };
            note(node.id);
            if let Some(joined) = joined.0.into_tensor() {
                gradients.register::<Flex>(node.id, joined.reshape(shape.into()));
            }
        }
    }
}

/// Nodes that are remembered at most.
const MOST_NOTED: usize = 1 << 14;

thread_local! {
    /// Nodes that have a gradient from an operation of this folder and have not passed it on yet.
    static NOTED: RefCell<HashSet<NodeId>> = RefCell::default();
}

fn noted(node: NodeId) -> bool {
    NOTED.with_borrow(|noted| noted.contains(&node))
}

fn note(node: NodeId) {
    NOTED.with_borrow_mut(|noted| {
        // Those of Burn's own operations are never forgotten; without a note, Burn joins the gradients.
        if noted.len() >= MOST_NOTED {
            noted.clear();
        }
        noted.insert(node)
    });
}

fn forget(node: NodeId) {
    NOTED.with_borrow_mut(|noted| noted.remove(&node));
}

fn sum(before: Gradient, more: Gradient) -> Gradient {
    let (mut sum, other) = match before.0.alone() {
        true => (before.into_values(), more),
        false => (more.into_values(), before),
    };
    let chunks = sum.par_chunks_mut(TOGETHER).zip(other.values().par_chunks(TOGETHER));
    chunks.for_each(|(sum, more)| dispatch(Added { sum, more }));
    sum.into()
}
