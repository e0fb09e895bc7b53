//! Primitives as ONNX operators: one exhaustive match.

use super::proto::Attribute;
use super::writer::{INPUT, Writer};
use crate::ir::{Activation, Conv, Graph, Interpolation, Node, Primitive, Shape, Window};

/// Writes every node that the output depends on.
pub(super) fn nodes(graph: &Graph, writer: &mut Writer) {
    for (index, node) in graph.nodes().iter().enumerate() {
        if writer.is_live(index) {
            let value = lower(graph, node, writer);
            writer.define(index, value);
        }
    }
}

/// Writes one node and returns the name of the value that holds its output.
fn lower(graph: &Graph, node: &Node, writer: &mut Writer) -> String {
    let inputs: Vec<String> = node.inputs.iter().map(|input| writer.value(*input).to_string()).collect();
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let scope = node.scope.as_str();
    let owner = node.shares.map_or(scope, |owner| graph.nodes()[owner.index()].scope.as_str());
    let (weight, bias) = (format!("{owner}/weight"), format!("{owner}/bias"));
    let operands = |biased: bool| [inputs[0], &weight, &bias][..2 + usize::from(biased)].to_vec();
    match &node.primitive {
        Primitive::Input => return INPUT.to_string(),
        Primitive::Dropout { .. } | Primitive::DropPath { .. } => return inputs[0].to_string(),
        Primitive::Conv(conv) => writer.node("Conv", &operands(conv.bias), scope, convolution(conv)),
        // `Gemm` takes our weight as it is: `[in, out]`.
        Primitive::Linear { bias, .. } => writer.node("Gemm", &operands(*bias), scope, Vec::new()),
        Primitive::BatchNorm { affine, epsilon, .. } => {
            batch_norm(writer, inputs[0], node, owner, (*affine, *epsilon))
        }
        Primitive::Activation(activation) => activate(writer, *activation, inputs[0], scope),
        Primitive::MaxPool(window) => writer.node("MaxPool", &inputs, scope, pooling(window)),
        Primitive::AvgPool { window, count_padding } => {
            let mut attributes = pooling(window);
            attributes.push(Attribute::int("count_include_pad", usize::from(*count_padding)));
            writer.node("AveragePool", &inputs, scope, attributes);
        }
        Primitive::GlobalAvgPool => writer.node("GlobalAveragePool", &inputs, scope, Vec::new()),
        Primitive::Flatten => writer.node("Flatten", &inputs, scope, vec![Attribute::int("axis", 1)]),
        // Runtimes fuse `Add` into the convolution before it, but not `Sum`.
        Primitive::Add if inputs.len() == 2 => writer.node("Add", &inputs, scope, Vec::new()),
        Primitive::Add => writer.node("Sum", &inputs, scope, Vec::new()),
        Primitive::Mul => writer.node("Mul", &inputs, scope, Vec::new()),
        Primitive::Concat => writer.node("Concat", &inputs, scope, vec![Attribute::int("axis", 1)]),
        Primitive::Slice { start, end } => slice(writer, inputs[0], scope, &[(1, *start, *end)]),
        Primitive::Shift { rows } => shift(writer, inputs[0], scope, graph.shape(node.inputs[0]), *rows),
        Primitive::Resize { size, interpolation } => {
            resize(writer, inputs[0], scope, graph.shape(node.inputs[0]), *size, *interpolation)
        }
        Primitive::Zero { .. } => zero(writer, inputs[0], scope, node.shape),
    }
    scope.to_string()
}

fn convolution(conv: &Conv) -> Vec<Attribute> {
    let [rows, columns] = conv.padding;
    vec![
        Attribute::ints("dilations", &[conv.dilation; 2]),
        Attribute::int("group", conv.groups),
        Attribute::ints("kernel_shape", &conv.kernel),
        Attribute::ints("pads", &[rows, columns, rows, columns]),
        Attribute::ints("strides", &conv.stride),
    ]
}

fn pooling(window: &Window) -> Vec<Attribute> {
    vec![
        Attribute::ints("kernel_shape", &[window.kernel; 2]),
        Attribute::ints("pads", &[window.padding; 4]),
        Attribute::ints("strides", &[window.stride; 2]),
    ]
}

fn batch_norm(writer: &mut Writer, input: &str, node: &Node, owner: &str, (affine, epsilon): (bool, f64)) {
    let [scale, offset, mean, variance] =
        ["scale", "offset", "running_mean", "running_variance"].map(|name| format!("{owner}/{name}"));
    if !affine {
        // ONNX always wants them.
        let channels = node.shape.channels();
        writer.floats(&scale, &[channels], &vec![1.0; channels]);
        writer.floats(&offset, &[channels], &vec![0.0; channels]);
    }
    let operands = [input, &scale, &offset, &mean, &variance];
    writer.node("BatchNormalization", &operands, &node.scope, vec![Attribute::float("epsilon", epsilon)]);
}

fn activate(writer: &mut Writer, activation: Activation, input: &str, scope: &str) {
    match activation {
        Activation::Relu => writer.node("Relu", &[input], scope, Vec::new()),
        Activation::Relu6 => clip(writer, input, scope, 0.0, 6.0),
        Activation::Silu => {
            let gate = format!("{scope}/gate");
            writer.node("Sigmoid", &[input], &gate, Vec::new());
            writer.node("Mul", &[input, &gate], scope, Vec::new());
        }
        Activation::Gelu => gelu(writer, input, scope),
        Activation::HardSwish => writer.node("HardSwish", &[input], scope, Vec::new()),
        Activation::Sigmoid => writer.node("Sigmoid", &[input], scope, Vec::new()),
        Activation::HardSigmoid => {
            let line = vec![Attribute::float("alpha", 1.0 / 6.0), Attribute::float("beta", 0.5)];
            writer.node("HardSigmoid", &[input], scope, line);
        }
        Activation::Tanh => writer.node("Tanh", &[input], scope, Vec::new()),
    }
}

/// `x * (1 + erf(x / sqrt(2))) * 0.5`: an operator of its own comes only with set 20.
fn gelu(writer: &mut Writer, input: &str, scope: &str) {
    let [scaled, erf, raised, doubled] =
        ["scaled", "erf", "raised", "doubled"].map(|name| format!("{scope}/{name}"));
    let (root, one, half) =
        (writer.scalar(std::f32::consts::FRAC_1_SQRT_2), writer.scalar(1.0), writer.scalar(0.5));
    writer.node("Mul", &[input, &root], &scaled, Vec::new());
    writer.node("Erf", &[&scaled], &erf, Vec::new());
    writer.node("Add", &[&erf, &one], &raised, Vec::new());
    writer.node("Mul", &[input, &raised], &doubled, Vec::new());
    writer.node("Mul", &[&doubled, &half], scope, Vec::new());
}

fn clip(writer: &mut Writer, input: &str, output: &str, low: f32, high: f32) {
    let (low, high) = (writer.scalar(low), writer.scalar(high));
    writer.node("Clip", &[input, &low, &high], output, Vec::new());
}

/// Keeps `start..end` along every `(axis, start, end)`.
fn slice(writer: &mut Writer, input: &str, output: &str, ranges: &[(usize, usize, usize)]) {
    let mut column = |pick: fn(&(usize, usize, usize)) -> usize| {
        writer.integers(&ranges.iter().map(|range| pick(range) as i64).collect::<Vec<_>>())
    };
    let [starts, ends, axes] = [column(|r| r.1), column(|r| r.2), column(|r| r.0)];
    writer.node("Slice", &[input, &starts, &ends, &axes], output, Vec::new());
}

fn shift(writer: &mut Writer, input: &str, scope: &str, shape: Shape, rows: usize) {
    let (height, width) = sides(shape);
    let cut = format!("{scope}/cut");
    slice(writer, input, &cut, &[(2, rows, height), (3, rows, width)]);
    let rows = rows as i64;
    let pads = writer.integers(&[0, 0, 0, 0, 0, 0, rows, rows]);
    writer.node("Pad", &[&cut, &pads], scope, Vec::new());
}

/// By whole factors the operator for it; else products with matrices, for runtimes differ in how they round.
fn resize(
    writer: &mut Writer,
    input: &str,
    scope: &str,
    shape: Shape,
    size: [usize; 2],
    interpolation: Interpolation,
) {
    let (height, width) = sides(shape);
    if size[0].is_multiple_of(height) && size[1].is_multiple_of(width) {
        let scales = writer.vector(&[1.0, 1.0, (size[0] / height) as f32, (size[1] / width) as f32]);
        let (mode, coordinates) = match interpolation {
            Interpolation::Nearest => ("nearest", "asymmetric"),
            Interpolation::Bilinear => ("linear", "half_pixel"),
        };
        let attributes = vec![
            Attribute::text("mode", mode),
            Attribute::text("coordinate_transformation_mode", coordinates),
            Attribute::text("nearest_mode", "floor"),
        ];
        return writer.node("Resize", &[input, "", &scales], scope, attributes);
    }
    let [columns, rows, wider] = ["columns", "rows", "wider"].map(|name| format!("{scope}/{name}"));
    writer.floats(&columns, &[width, size[1]], &interpolation.matrix(width, size[1]));
    let matrix = interpolation.matrix(height, size[0]);
    let turned = (0..size[0] * height).map(|index| matrix[index % height * size[0] + index / height]);
    writer.floats(&rows, &[size[0], height], &turned.collect::<Vec<_>>());
    writer.node("MatMul", &[input, &columns], &wider, Vec::new());
    writer.node("MatMul", &[&rows, &wider], scope, Vec::new());
}

/// One value of every sample, clipped to zero (a product with zero would make infinite activations NaN) and spread out.
fn zero(writer: &mut Writer, input: &str, scope: &str, shape: Shape) {
    let [corner, zero] = ["corner", "zero"].map(|name| format!("{scope}/{name}"));
    let sizes = shape.sizes();
    let first: Vec<_> = (1..=sizes.len()).map(|axis| (axis, 0, 1)).collect();
    slice(writer, input, &corner, &first);
    clip(writer, &corner, &zero, 0.0, 0.0);
    let spread: Vec<i64> = std::iter::once(1).chain(sizes.into_iter().map(|size| size as i64)).collect();
    let spread = writer.integers(&spread);
    writer.node("Expand", &[&zero, &spread], scope, Vec::new());
}

/// Height and width; a vector counts as one row of one column.
fn sides(shape: Shape) -> (usize, usize) {
    match shape {
        Shape::Map { height, width, .. } => (height, width),
        Shape::Flat(_) => (1, 1),
    }
}
