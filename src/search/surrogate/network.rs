//! One predictor network: embeddings, two hidden layers, a sigmoid; gradients and Adam by hand.
//!
//! The mean over blocks and the first layer are both linear, so they commute: the network first multiplies every
//! embedding with its slot's part of the first layer, which leaves one row a column, and then a candidate's first
//! layer is a weighted sum of a few rows. A table that a single slot reads is learnt as those rows directly.
//!
//! All loops run over contiguous rows in a fixed order, so results do not depend on the machine's vector width.

use ndarray::{Array1, Array2, ArrayView2, Axis, Slice};
use rand::RngExt;

use super::{Features, Layout, Slot};
use crate::random::Rng;

/// The shape of a network and how it learns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    pub embedding: usize,
    pub hidden: usize,
    pub learning_rate: f32,
    pub epochs: usize,
    pub updates: usize,
    pub batch: usize,
}

/// A tensor that learns.
struct Weights {
    value: Array2<f32>,
    gradient: Array2<f32>,
    mean: Array2<f32>,
    square: Array2<f32>,
}

impl Weights {
    fn uniform(rows: usize, columns: usize, bound: f32, rng: &mut Rng) -> Weights {
        Weights::of(Array2::from_shape_simple_fn((rows, columns), || rng.random_range(-bound..=bound)))
    }

    fn of(value: Array2<f32>) -> Weights {
        let zeros = || Array2::zeros(value.raw_dim());
        Weights { gradient: zeros(), mean: zeros(), square: zeros(), value }
    }

    /// One step of Adam (Kingma and Ba 2015), after which the gradient is zero again.
    fn step(&mut self, learning_rate: f32, moment: Moment) {
        let values = self.value.iter_mut().zip(self.gradient.iter_mut());
        for ((value, gradient), (mean, square)) in
            values.zip(self.mean.iter_mut().zip(self.square.iter_mut()))
        {
            *mean += (1.0 - BETA1) * (*gradient - *mean);
            *square += (1.0 - BETA2) * (*gradient * *gradient - *square);
            *value -= learning_rate * (*mean * moment.mean) / ((*square * moment.square).sqrt() + EPSILON);
            *gradient = 0.0;
        }
    }
}

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// The factors that undo Adam's start from zero, at one step.
#[derive(Clone, Copy)]
struct Moment {
    mean: f32,
    square: f32,
}

impl Moment {
    fn at(step: i32) -> Moment {
        Moment { mean: 1.0 / (1.0 - BETA1.powi(step)), square: 1.0 / (1.0 - BETA2.powi(step)) }
    }
}

impl Slot {
    fn columns(&self) -> Slice {
        Slice::from(self.start..self.start + self.width)
    }

    fn tokens(&self) -> Slice {
        Slice::from(..self.width)
    }
}

/// A network in learning.
struct Learner<'a> {
    layout: &'a Layout,
    /// Each shared kind's table, `[rows, embedding]`; empty for the others.
    tables: Vec<Weights>,
    /// The first layer's part for each slot of a shared kind, `[embedding, hidden]`; the slot's rows themselves,
    /// `[width, hidden]`, for the others.
    first: Vec<Weights>,
    first_bias: Weights,
    second: Weights,
    second_bias: Weights,
    last: Weights,
    last_bias: Weights,
}

/// A network that has learnt.
#[derive(Clone, Debug)]
pub(super) struct Network {
    rows: Array2<f32>,        // [columns, hidden]
    first_bias: Array1<f32>,  // [hidden]
    second: Array2<f32>,      // [hidden, hidden]
    second_bias: Array1<f32>, // [hidden]
    last: Array1<f32>,        // [hidden]
    last_bias: f32,
}

impl Network {
    /// Learns from `examples` with an L1 loss.
    pub fn fit(plan: Plan, layout: &Layout, examples: &[&(Features, f64)], rng: &mut Rng) -> Network {
        let mean = examples.iter().map(|(_, target)| target).sum::<f64>() / examples.len().max(1) as f64;
        let mut learner = Learner::new(plan, layout, mean, rng);
        let mut order: Vec<usize> = (0..examples.len()).collect();
        let mut step = 0;
        let pass = order.len().div_ceil(plan.batch.max(1)).max(1);
        for _ in 0..plan.epochs.max(plan.updates.div_ceil(pass)) {
            rand::seq::SliceRandom::shuffle(order.as_mut_slice(), rng);
            for batch in order.chunks(plan.batch.max(1)) {
                step += 1;
                let batch: Vec<_> = batch.iter().map(|index| examples[*index]).collect();
                learner.gradients(&batch);
                learner.step(plan.learning_rate, Moment::at(step));
            }
        }
        learner.finish()
    }

    /// The predicted target, in (0, 1).
    pub fn predict(&self, features: &Features) -> f64 {
        let first = first_layer(self.rows.view(), &self.first_bias, features);
        let mut second = self.second_bias.clone();
        accumulate(&mut second, &first, self.second.view());
        let rectified = second.iter().map(|activation| activation.max(0.0));
        let sum = rectified
            .zip(&self.last)
            .fold(self.last_bias, |sum, (activation, weight)| sum + activation * weight);
        sigmoid(sum)
    }
}

/// `[hidden]`, rectified.
fn first_layer(rows: ArrayView2<f32>, bias: &Array1<f32>, features: &Features) -> Array1<f32> {
    let mut sum = bias.clone();
    for (column, weight) in features {
        sum.scaled_add(*weight, &rows.row(*column as usize));
    }
    sum.mapv_inplace(|activation| activation.max(0.0));
    sum
}

/// `sum += input · weights`; zeros of the input, which rectified layers are full of, cost nothing.
fn accumulate(sum: &mut Array1<f32>, input: &Array1<f32>, weights: ArrayView2<f32>) {
    for (activation, row) in input.iter().zip(weights.rows()) {
        if *activation != 0.0 {
            sum.scaled_add(*activation, &row);
        }
    }
}

/// `a · b` in the order that does not depend on the machine.
fn product(a: ArrayView2<f32>, b: ArrayView2<f32>) -> Array2<f32> {
    let mut product = Array2::zeros((a.nrows(), b.ncols()));
    for (mut sum, input) in product.rows_mut().into_iter().zip(a.rows()) {
        for (factor, row) in input.iter().zip(b.rows()) {
            if *factor != 0.0 {
                sum.scaled_add(*factor, &row);
            }
        }
    }
    product
}

/// In double precision, where every platform's `exp` agrees after rounding.
fn sigmoid(sum: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(sum)).exp())
}

impl<'a> Learner<'a> {
    fn new(plan: Plan, layout: &'a Layout, mean: f64, rng: &mut Rng) -> Learner<'a> {
        let Plan { embedding, hidden, .. } = plan;
        let shared: Vec<bool> = (0..layout.kinds.len()).map(|kind| layout.is_shared(kind)).collect();
        let table = |(kind, rows): (usize, &usize)| if shared[kind] { *rows } else { 0 };
        let tables: Vec<usize> = layout.kinds.iter().enumerate().map(table).collect();
        let fan_in = (embedding * layout.slots.len()).max(1);
        let first = |slot: &Slot, rng: &mut Rng| match shared[slot.kind] {
            true => Weights::uniform(embedding, hidden, glorot(fan_in, hidden), rng),
            false => Weights::uniform(slot.width, hidden, EMBEDDING_BOUND, rng),
        };
        let mean = mean.clamp(0.02, 0.98);
        Learner {
            layout,
            tables: tables
                .iter()
                .map(|rows| Weights::uniform(*rows, embedding, EMBEDDING_BOUND, rng))
                .collect(),
            first: layout.slots.iter().map(|slot| first(slot, rng)).collect(),
            first_bias: Weights::of(Array2::zeros((1, hidden))),
            second: Weights::uniform(hidden, hidden, glorot(hidden, hidden), rng),
            second_bias: Weights::of(Array2::zeros((1, hidden))),
            last: Weights::uniform(1, hidden, glorot(hidden, 1), rng),
            last_bias: Weights::of(Array2::from_elem((1, 1), (mean / (1.0 - mean)).ln() as f32)),
        }
    }

    /// The first layer's row of every column, `[columns, hidden]`.
    fn rows(&self) -> Array2<f32> {
        let mut rows = Array2::zeros((self.layout.columns(), self.second.value.nrows()));
        for (slot, first) in self.layout.slots.iter().zip(&self.first) {
            let table = &self.tables[slot.kind].value;
            let mut part = rows.slice_axis_mut(Axis(0), slot.columns());
            match table.nrows() {
                0 => part.assign(&first.value),
                _ => part.assign(&product(table.slice_axis(Axis(0), slot.tokens()), first.value.view())),
            }
        }
        rows
    }

    /// Adds the gradients of the batch's mean absolute error.
    fn gradients(&mut self, batch: &[&(Features, f64)]) {
        let rows = self.rows();
        let mut row_gradients: Array2<f32> = Array2::zeros(rows.raw_dim());
        let second_back = self.second.value.t().as_standard_layout().into_owned();
        for (features, target) in batch {
            let delta = self.upper_gradients(&rows, &second_back, features, *target, batch.len());
            for (column, weight) in features {
                row_gradients.row_mut(*column as usize).scaled_add(*weight, &delta);
            }
        }
        self.lower_gradients(&row_gradients);
    }

    /// Both hidden layers and the last, for one example; returns the gradient at the first layer's sum.
    fn upper_gradients(
        &mut self,
        rows: &Array2<f32>,
        second_back: &Array2<f32>,
        features: &Features,
        target: f64,
        examples: usize,
    ) -> Array1<f32> {
        let first = first_layer(rows.view(), &self.first_bias.value.row(0).to_owned(), features);
        let mut second = self.second_bias.value.row(0).to_owned();
        accumulate(&mut second, &first, self.second.value.view());
        second.mapv_inplace(|activation| activation.max(0.0));
        let sum = second
            .iter()
            .zip(self.last.value.row(0))
            .fold(self.last_bias.value[[0, 0]], |sum, (a, b)| sum + a * b);
        let predicted = sigmoid(sum);
        let slope = (predicted - target).signum() * predicted * (1.0 - predicted) / examples as f64;
        let slope = if predicted == target { 0.0 } else { slope as f32 };

        self.last_bias.gradient[[0, 0]] += slope;
        self.last.gradient.row_mut(0).scaled_add(slope, &second);
        let mut delta = self.last.value.row(0).mapv(|weight| weight * slope);
        delta.zip_mut_with(&second, |delta, activation| *delta *= f32::from(*activation > 0.0));
        self.second_bias.gradient.row_mut(0).scaled_add(1.0, &delta);
        for (activation, mut row) in first.iter().zip(self.second.gradient.rows_mut()) {
            if *activation != 0.0 {
                row.scaled_add(*activation, &delta);
            }
        }
        let mut below = Array1::zeros(first.len());
        accumulate(&mut below, &delta, second_back.view());
        below.zip_mut_with(&first, |delta, activation| *delta *= f32::from(*activation > 0.0));
        self.first_bias.gradient.row_mut(0).scaled_add(1.0, &below);
        below
    }

    /// From the rows to what they are made of.
    fn lower_gradients(&mut self, row_gradients: &Array2<f32>) {
        for (slot, first) in self.layout.slots.iter().zip(&mut self.first) {
            let table = &mut self.tables[slot.kind];
            let part = row_gradients.slice_axis(Axis(0), slot.columns());
            if table.value.nrows() == 0 {
                first.gradient += &part;
                continue;
            }
            let back = first.value.t().as_standard_layout().into_owned();
            let mut tokens = table.gradient.slice_axis_mut(Axis(0), slot.tokens());
            tokens += &product(part, back.view());
            let embeddings =
                table.value.slice_axis(Axis(0), slot.tokens()).t().as_standard_layout().into_owned();
            first.gradient += &product(embeddings.view(), part);
        }
    }

    fn step(&mut self, learning_rate: f32, moment: Moment) {
        let upper = [
            &mut self.first_bias,
            &mut self.second,
            &mut self.second_bias,
            &mut self.last,
            &mut self.last_bias,
        ];
        for weights in self.tables.iter_mut().chain(&mut self.first).chain(upper) {
            weights.step(learning_rate, moment);
        }
    }

    fn finish(self) -> Network {
        let row = |weights: Weights| weights.value.index_axis_move(Axis(0), 0);
        Network {
            rows: self.rows(),
            first_bias: row(self.first_bias),
            second: self.second.value,
            second_bias: row(self.second_bias),
            last: row(self.last),
            last_bias: self.last_bias.value[[0, 0]],
        }
    }
}

/// PNAS draws its embeddings from U(-0.1, 0.1).
const EMBEDDING_BOUND: f32 = 0.1;

/// The bound of Glorot and Bengio's uniform initialisation (2010).
fn glorot(fan_in: usize, fan_out: usize) -> f32 {
    (6.0 / (fan_in + fan_out) as f32).sqrt()
}

#[cfg(test)]
mod tests;
