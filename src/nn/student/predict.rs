//! What a trained student says of pictures of any size.

use burn::tensor::{Device as Place, Tensor, TensorData};

use super::normalize;
use crate::data::{Bounds, Label, Object, Picture, Pixel, Plane, Sample};
use crate::device::Device;
use crate::ir::{Graph, Weights};
use crate::must::augment::Augment;
use crate::must::store::Predictions;
use crate::must::student::{Answers, Decoding, Network, ObjectPart, Student};
use crate::nn::execute::{Pass, Plan, Value, loaded};
use crate::nn::kernel::Kept;
use crate::nn::{NnError, device};

/// Pictures a step at most.
const TOGETHER: usize = 32;
/// Bytes of activations a step, where a single picture does not take more.
const BYTES: u64 = 1 << 30;

/// What a student says of pictures, in their own sizes: each is fitted into the size that the student is built for, and the
/// answers are brought back from there.
///
/// # Errors
/// [`NnError::Unfit`] where the student cannot be built, or weights are missing or of another shape.
pub fn predict(
    student: &Student,
    weights: &Weights,
    pictures: &[Picture],
    device: Device,
) -> Result<Vec<Predictions>, NnError> {
    let network = student.network().map_err(|error| NnError::Unfit(error.to_string()))?;
    let said = |outputs: Outputs, members: &[Picture]| {
        let one = |(index, picture): (usize, &Picture)| {
            Said { student, network: &network, outputs: &outputs, index }
                .predictions(Fit::of(student, picture))
        };
        members.iter().enumerate().map(one).collect()
    };
    each(student, &network.graph, weights, pictures, device, said)
}

/// The means of the backbone's stages over each picture, finest first, one behind the other: what a probe learns from.
///
/// # Errors
/// As [`predict`].
pub fn features(
    student: &Student,
    weights: &Weights,
    pictures: &[Picture],
    device: Device,
) -> Result<Vec<Vec<f32>>, NnError> {
    let graph = student.feature_graph().map_err(|error| NnError::Unfit(error.to_string()))?;
    let said = |outputs: Outputs, members: &[Picture]| {
        let one = |index: usize| outputs.all.iter().flat_map(|output| output.of(index).to_vec()).collect();
        (0..members.len()).map(one).collect()
    };
    each(student, &graph, weights, pictures, device, said)
}

/// Runs a graph's named outputs over pictures, some at a time.
fn each<T>(
    student: &Student,
    graph: &Graph,
    weights: &Weights,
    pictures: &[Picture],
    device: Device,
    said: impl Fn(Outputs, &[Picture]) -> Vec<T>,
) -> Result<Vec<T>, NnError> {
    let _kept = Kept;
    let plan = Plan::of_named(graph).on(device::open(device)?);
    let values = loaded(&plan, weights)?;
    let mut all = Vec::with_capacity(pictures.len());
    let together = (BYTES / graph.cost().activation_bytes.max(1)).clamp(1, TOGETHER as u64) as usize;
    for members in pictures.chunks(together) {
        let (outputs, _) = Pass::new(&plan, &values, None).run_each(input(student, members, &plan.device));
        let names = graph.outputs().iter().map(|(name, _)| name.clone());
        let outputs =
            names.zip(outputs).map(|(name, value)| Output::read(name, value, members.len())).collect();
        all.extend(said(Outputs { all: outputs }, members));
    }
    Ok(all)
}

/// Pictures in the student's size, `[batch, 3, height, width]`.
fn input(student: &Student, pictures: &[Picture], device: &Place) -> Tensor<4> {
    let (width, height) = student.size;
    let augment = Augment::none(width, height);
    let mut numbers = Vec::with_capacity(pictures.len() * 3 * width * height);
    for picture in pictures {
        let fitted = augment.fitted(&Sample::unlabelled("", picture.clone()));
        normalize(&fitted.picture, &mut numbers);
    }
    Tensor::from_data(TensorData::new(numbers, [pictures.len(), 3, height, width]), device)
}

/// The network's outputs of some pictures.
struct Outputs {
    all: Vec<Output>,
}

struct Output {
    name: String,
    values: Vec<f32>,
    /// Numbers of one picture.
    size: usize,
}

impl Output {
    fn read(name: String, value: Value, batch: usize) -> Output {
        let values: Vec<f32> = value.flat().into_data().iter::<f32>().collect();
        Output { name, size: values.len() / batch.max(1), values }
    }

    fn of(&self, index: usize) -> &[f32] {
        &self.values[index * self.size..][..self.size]
    }
}

impl Outputs {
    fn of(&self, name: &str, index: usize) -> Option<&[f32]> {
        self.all.iter().find(|output| output.name == name).map(|output| output.of(index))
    }
}

/// Where a picture lies in the student's.
struct Fit {
    /// The picture's own size.
    own: (usize, usize),
    /// Its size there.
    inner: (usize, usize),
    /// Columns to its left, and rows above it.
    border: (usize, usize),
}

impl Fit {
    /// As [`Augment::fitted`] does it.
    fn of(student: &Student, picture: &Picture) -> Fit {
        let (own, outer) = (picture.size(), student.size);
        let scale = (outer.0 as f64 / own.0 as f64).min(outer.1 as f64 / own.1 as f64);
        let side = |length: usize| ((length as f64 * scale).round() as usize).max(1);
        let inner = (side(own.0), side(own.1));
        let border = (outer.0.saturating_sub(inner.0) / 2, outer.1.saturating_sub(inner.1) / 2);
        Fit { own, inner, border }
    }

    fn plane<T: Pixel>(&self, plane: &Plane<T>, fill: T) -> Plane<T> {
        let (left, top) = (self.border.0 as i64, self.border.1 as i64);
        plane.cropped(left, top, self.inner.0, self.inner.1, fill).nearest(self.own.0, self.own.1)
    }

    fn object(&self, object: Object) -> Option<Object> {
        let (x, y) = (self.own.0 as f64 / self.inner.0 as f64, self.own.1 as f64 / self.inner.1 as f64);
        let (left, top) = (self.border.0 as f64, self.border.1 as f64);
        let Bounds { left: l, top: t, .. } = object.bounds;
        let (r, b) = (object.bounds.right(), object.bounds.bottom());
        let moved = Bounds::between((l - left) * x, (t - top) * y, (r - left) * x, (b - top) * y);
        Some(Object { bounds: moved.clipped(self.own.0, self.own.1)?, ..object })
    }
}

/// What was said of one picture.
struct Said<'a> {
    student: &'a Student,
    network: &'a Network,
    outputs: &'a Outputs,
    index: usize,
}

impl Said<'_> {
    fn of(&self, name: &str) -> Option<&[f32]> {
        self.outputs.of(name, self.index)
    }

    fn predictions(&self, fit: Fit) -> Predictions {
        let (width, height) = self.student.size;
        let area = width * height;
        let depth = self.of(Label::Depth.name()).map(|values| Plane::new(width, height, values.to_vec()));
        let normals = self.of(Label::Normals.name()).map(|values| {
            let normal = |pixel: usize| unit([values[pixel], values[area + pixel], values[2 * area + pixel]]);
            Plane::new(width, height, (0..area).map(normal).collect())
        });
        Predictions {
            class: self.of(Label::Class.name()).map(softmax),
            objects: self.student.has(Label::Objects).then(|| self.objects(&fit)),
            segmentation: self.of(Label::Segmentation.name()).map(|values| {
                let (classes, scores) = likeliest(values, area);
                let classes = Plane::new(width, height, classes);
                (fit.plane(&classes, 0), fit.plane(&Plane::new(width, height, scores), 0.0))
            }),
            depth: depth.map(|plane| fit.plane(&plane, f32::NAN)),
            normals: normals.map(|plane| fit.plane(&plane, [f32::NAN; 3])),
        }
    }

    fn objects(&self, fit: &Fit) -> Vec<Object> {
        let levels = self.network.grids.iter().enumerate().filter_map(|(level, grid)| {
            let [classes, sides, middle] = ObjectPart::ALL.map(|part| self.of(&part.output(level)));
            Some((*grid, Answers { classes: classes?, sides: sides?, middle: middle? }))
        });
        let levels: Vec<_> = levels.collect();
        let found = Decoding::default().objects(&levels, self.student.size);
        found.into_iter().filter_map(|object| fit.object(object)).collect()
    }
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shares: Vec<f32> = logits.iter().map(|logit| (logit - highest).exp()).collect();
    let sum: f32 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

/// The likeliest class of each pixel and its probability, from logits `[classes, pixels]`.
fn likeliest(logits: &[f32], area: usize) -> (Vec<u16>, Vec<f32>) {
    let mut best = vec![(0u16, f32::NEG_INFINITY); area];
    for (class, plane) in (0u16..).zip(logits.chunks_exact(area)) {
        for (best, logit) in best.iter_mut().zip(plane) {
            if *logit > best.1 {
                *best = (class, *logit);
            }
        }
    }
    let mut sums = vec![0.0f32; area];
    for plane in logits.chunks_exact(area) {
        sums.iter_mut().zip(plane).zip(&best).for_each(|((sum, logit), best)| *sum += (logit - best.1).exp());
    }
    (best.into_iter().map(|(class, _)| class).collect(), sums.into_iter().map(|sum| 1.0 / sum).collect())
}

fn unit(normal: [f32; 3]) -> [f32; 3] {
    let length = normal.iter().map(|part| part * part).sum::<f32>().sqrt();
    if length > 0.0 { normal.map(|part| part / length) } else { [f32::NAN; 3] }
}
