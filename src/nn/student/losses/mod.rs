//! What each task's answers cost, sample by sample.
//!
//! A loss is a sum over whatever the task counts (pictures, pixels, boxes) of a sample. Sums stay apart until
//! [`super::weighing`] adds up those of people's labels and those of teachers', so that each kind is divided by its own
//! count. A sample without the label has a count of 0 and a sum of 0.

mod class;
mod depth;
mod normals;
mod objects;
mod segmentation;

use burn::tensor::{Tensor, TensorData};

use crate::data::{Label, Sample};
use crate::must::student::{Network, ObjectPart, Student};
use crate::nn::execute::Value;

/// One term of a task's loss.
pub(super) struct Term {
    /// Of each sample, the sum over what it counts, `[batch]`.
    pub(super) sums: Tensor<1>,
    /// Of each sample, how many (or how much) that is.
    pub(super) counts: Vec<f32>,
    /// What the sums are divided by at least.
    pub(super) least: f32,
}

/// What a batch should be answered, off any device. Tasks that no sample of it has a label for are not there.
pub(super) struct Targets {
    tasks: Vec<(Label, Task)>,
    pub(super) batch: usize,
}

/// One task's targets, and which samples have any.
struct Task {
    answers: Answers,
    labelled: Vec<bool>,
}

impl Task {
    fn of<T>((targets, labelled): (T, Vec<bool>), answers: fn(T) -> Answers) -> Task {
        Task { answers: answers(targets), labelled }
    }
}

enum Answers {
    Class(class::Targets),
    Objects(objects::Targets),
    Segmentation(segmentation::Targets),
    Depth(depth::Targets),
    Normals(normals::Targets),
}

/// One task's loss of a batch.
pub(super) struct Loss {
    pub(super) task: Label,
    pub(super) terms: Vec<Term>,
    /// Which samples have the label.
    pub(super) labelled: Vec<bool>,
}

impl Targets {
    /// What a student should answer of samples, which are of its size.
    pub(super) fn of(student: &Student, network: &Network, samples: &[Sample]) -> Targets {
        let tasks = student.tasks.iter().filter_map(|label| {
            let channels = student.channels(*label);
            Some((
                *label,
                match label {
                    Label::Class => Task::of(class::targets(samples, channels)?, Answers::Class),
                    Label::Objects => {
                        Task::of(objects::targets(samples, channels, &network.grids)?, Answers::Objects)
                    }
                    Label::Segmentation => {
                        Task::of(segmentation::targets(samples, channels)?, Answers::Segmentation)
                    }
                    Label::Depth => Task::of(depth::targets(samples)?, Answers::Depth),
                    Label::Normals => Task::of(normals::targets(samples)?, Answers::Normals),
                },
            ))
        });
        Targets { tasks: tasks.collect(), batch: samples.len() }
    }

    /// The losses of a network's outputs, whose names are `names`.
    pub(super) fn losses(&self, names: &[&str], outputs: Vec<Value>) -> Vec<Loss> {
        let named = |name: &str| {
            let place = names.iter().position(|other| *other == name);
            place.and_then(|place| outputs.get(place)).cloned()
        };
        let losses = self.tasks.iter().filter_map(|(label, task)| {
            let map = || Some(named(label.name())?.map());
            let terms = match &task.answers {
                Answers::Class(targets) => class::loss(named(label.name())?.flat(), targets),
                Answers::Objects(targets) => {
                    let part = |part: ObjectPart| {
                        (0..).map_while(|level| Some(named(&part.output(level))?.map())).collect()
                    };
                    objects::loss(ObjectPart::ALL.map(part), targets)
                }
                Answers::Segmentation(targets) => segmentation::loss(map()?, targets),
                Answers::Depth(targets) => depth::loss(map()?, targets),
                Answers::Normals(targets) => normals::loss(map()?, targets),
            };
            Some(Loss { task: *label, terms, labelled: task.labelled.clone() })
        });
        losses.collect()
    }
}

/// Numbers that nothing is learned of, beside `like`.
fn constant<const D: usize, const E: usize>(
    values: &[f32],
    shape: [usize; D],
    like: &Tensor<E>,
) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), (&like.device(), like.dtype()))
}

/// The sum over all but the first axis.
fn per_sample<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    let batch = x.dims()[0];
    let rest = x.shape().num_elements() / batch.max(1);
    x.reshape([batch, rest]).sum_dim(1).reshape([batch])
}

/// Which samples have something, and the targets, if any has.
fn where_any<T>(labelled: Vec<bool>, targets: T) -> Option<(T, Vec<bool>)> {
    labelled.contains(&true).then_some((targets, labelled))
}

/// 1 where a sample has the label.
fn ones(labelled: &[bool]) -> Vec<f32> {
    labelled.iter().map(|has| f32::from(u8::from(*has))).collect()
}

#[cfg(test)]
mod tests;
