//! Parameters and multiply-adds worked out by hand, and those of published networks built from the ops.

use super::contract::{map, op};
use super::{Op, Site};
use crate::ir::{Cost, Graph, Shape};

/// The cost of one op on a map.
fn cost(ron: &str, input: Shape, site: Site) -> (u64, u64) {
    let mut graph = Graph::new(input);
    let input = graph.input();
    let output = op(ron).lower(&mut graph, input, site).unwrap();
    graph.set_output(output);
    let Cost { params, macs, .. } = graph.cost();
    (params, macs)
}

/// Checks one op on a 16 x 8 x 8 map.
fn check(ron: &str, channels: usize, stride: usize, params: u64, macs: u64) {
    let site = Site { channels: Some(channels), stride, ..Site::default() };
    assert_eq!(cost(ron, map(16, 8, 8), site), (params, macs), "{ron} to {channels} at stride {stride}");
}

#[test]
fn convolutions_cost_what_a_hand_computes() {
    check("Conv(kernel: 3)", 16, 1, 9 * 256 + 16, 9 * 256 * 64);
    check("Conv(kernel: 3, bias: false, groups: 16)", 32, 2, 9 * 32, 9 * 32 * 16);
    check("ConvBnRelu(kernel: 1)", 32, 1, 512 + 64, 512 * 64);
    check("ReluConvBn(kernel: 3)", 16, 1, 2304 + 32, 2304 * 64);
    check("ReluConvBn(kernel: 3, dilation: 2)", 16, 2, 2304 + 32, 2304 * 16);
    check("FactorizedConv(kernel: 7)", 16, 1, 2 * 7 * 256 + 32, 2 * 7 * 256 * 64);
    // At stride 2 the row's output is 8 x 4, the column's 4 x 4.
    check("FactorizedConv(kernel: 7)", 16, 2, 2 * 7 * 256 + 32, 7 * 256 * (32 + 16));
}

#[test]
fn separable_convolutions_cost_what_a_hand_computes() {
    // Twice: depthwise 25 * 16, pointwise 16 * 16, norm 2 * 16.
    check("SepConv(kernel: 5)", 16, 1, 2 * (400 + 256 + 32), 2 * (400 + 256) * 64);
    // The first application strides and widens: 400 + 16 * 32, then 25 * 32 + 32 * 32, norms 2 * 32 each.
    check("SepConv(kernel: 5)", 32, 2, 400 + 512 + 64 + 800 + 1024 + 64, (400 + 512 + 800 + 1024) * 16);
    check("SepConv(kernel: 3, repeats: 1)", 16, 1, 144 + 256 + 32, (144 + 256) * 64);
    check("DilConv(kernel: 3)", 16, 1, 144 + 256 + 32, (144 + 256) * 64);
}

#[test]
fn pools_skips_and_zeros_cost_nothing_unless_they_project() {
    for free in ["MaxPool", "AvgPool", "Zero"] {
        check(&format!("{free}()"), 16, 2, 0, 0);
    }
    check("SkipConnect()", 16, 1, 0, 0);
    check("MaxPool(kernel: 3, normalize: true)", 16, 1, 0, 0);
    check("AvgPool(kernel: 3)", 32, 2, 512 + 64, 512 * 16);
    check("SkipConnect()", 32, 1, 512 + 64, 512 * 64);
    // Two halves of 16 channels each, one norm over both.
    check("SkipConnect()", 32, 2, 2 * 256 + 64, 2 * 256 * 16);
    check("SkipConnect(reduction: Strided)", 32, 2, 512 + 64, 512 * 16);
}

#[test]
fn blocks_cost_what_a_hand_computes() {
    let (expand, depthwise, project) = (16 * 96, 9 * 96, 96 * 24);
    let params = expand + depthwise + project + 2 * (96 + 96 + 24);
    let macs = expand * 64 + (depthwise + project) * 16;
    check("MbConv(kernel: 3, expansion: 6, channels: 24, stride: 2)", 99, 1, params, macs);
    // The gate squeezes 96 channels to 16 / 4 features and back, with biases.
    let gated = "MbConv(kernel: 3, expansion: 6, channels: 24, stride: 2, squeeze_excitation: 0.25, activation: Silu)";
    check(gated, 99, 1, params + 2 * 96 * 4 + 4 + 96, macs + 2 * 96 * 4);
    check("MbConv(expansion: 1)", 16, 1, 144 + 32 + 256 + 32, (144 + 256) * 64);
    check("FusedMbConv(expansion: 4)", 16, 1, 9216 + 128 + 1024 + 32, (9216 + 1024) * 64);
    check("FusedMbConv(expansion: 1)", 32, 2, 4608 + 64, 4608 * 16);
    check("SqueezeExcitation(ratio: 0.25)", 16, 1, 2 * 64 + 4 + 16, 2 * 64);
    check("ResidualBlock()", 16, 1, 2 * (2304 + 32), 2 * 2304 * 64);
    check("ResidualBlock()", 32, 2, 4608 + 9216 + 512 + 3 * 64, (4608 + 9216 + 512) * 16);
    check(
        "ResidualBlock(order: ReluConvBn, shortcut: AvgPool)",
        32,
        2,
        4608 + 9216 + 512 + 2 * 64,
        14336 * 16,
    );
    check("BottleneckBlock()", 16, 1, 64 + 144 + 64 + 8 + 8 + 32, (64 + 144 + 64) * 64);
}

#[test]
fn vectors_cost_what_a_hand_computes() {
    assert_eq!(cost("Linear(features: 10)", Shape::Flat(64), Site::default()), (650, 640));
    assert_eq!(cost("Linear(features: 10, bias: false)", Shape::Flat(64), Site::default()), (640, 640));
    assert_eq!(cost("BatchNorm()", Shape::Flat(64), Site::default()), (128, 0));
    assert_eq!(cost("BatchNorm(affine: false)", Shape::Flat(64), Site::default()), (0, 0));
}

/// `repeats` times an op with its channels, striding the first time.
fn stage(fields: &str, channels: usize, repeats: usize, stride: usize) -> Vec<Op> {
    let (name, fields) = fields.split_once('(').unwrap();
    let fields = fields.trim_end_matches(')');
    let at = |stride| op(&format!("{name}({fields}, channels: {channels}, stride: {stride})"));
    (0..repeats).map(|index| at(if index == 0 { stride } else { 1 })).collect()
}

/// The cost of a network of ops, followed by global pooling and `head`.
fn network(side: usize, body: Vec<Op>, head: &[&str]) -> (u64, u64) {
    let mut graph = Graph::new(map(3, side, side));
    let mut x = graph.input();
    let head = ["GlobalAvgPool()", "Flatten()"].iter().chain(head).map(|ron| op(ron));
    for op in body.into_iter().chain(head) {
        x = op.lower(&mut graph, x, Site::default()).unwrap();
    }
    graph.set_output(x);
    let cost = graph.cost();
    (cost.params, cost.macs)
}

// The figures are torchvision's: its parameter counts, and the multiply-adds of its convolutions and linear layers.

#[test]
fn mobilenet_v2_has_3_504_872_parameters() {
    let mut body = vec![op("ConvBnRelu(channels: 32, stride: 2, activation: Relu6)")];
    body.extend(stage("MbConv(expansion: 1)", 16, 1, 1));
    for (channels, repeats, stride) in
        [(24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1)]
    {
        body.extend(stage("MbConv(expansion: 6)", channels, repeats, stride));
    }
    body.push(op("ConvBnRelu(kernel: 1, channels: 1280, activation: Relu6)"));
    assert_eq!(
        network(224, body, &["Dropout(rate: 0.2)", "Linear(features: 1000)"]),
        (3_504_872, 300_774_272)
    );
}

#[test]
fn mobilenet_v3_large_has_5_483_032_parameters() {
    let mut body = vec![op("ConvBnRelu(channels: 16, stride: 2, activation: HardSwish)")];
    // Kernel, expansion, squeezed features by input channels, activation, output channels, stride.
    let rows = [
        (3, "1", "0", "Relu", 16, 1),
        (3, "4", "0", "Relu", 24, 2),
        (3, "3", "0", "Relu", 24, 1),
        (5, "3", "1", "Relu", 40, 2),
        (5, "3", "0.8", "Relu", 40, 1),
        (5, "3", "0.8", "Relu", 40, 1),
        (3, "6", "0", "HardSwish", 80, 2),
        (3, "2.5", "0", "HardSwish", 80, 1),
        (3, "2.3", "0", "HardSwish", 80, 1),
        (3, "2.3", "0", "HardSwish", 80, 1),
        (3, "6", "1.5", "HardSwish", 112, 1),
        (3, "6", "1.5", "HardSwish", 112, 1),
        (5, "6", "1.5", "HardSwish", 160, 2),
        (5, "6", "1.5", "HardSwish", 160, 1),
        (5, "6", "1.5", "HardSwish", 160, 1),
    ];
    for (kernel, expansion, squeezed, activation, channels, stride) in rows {
        let fields = format!("kernel: {kernel}, expansion: {expansion}, squeeze_excitation: {squeezed}");
        body.extend(stage(&format!("MbConv({fields}, activation: {activation})"), channels, 1, stride));
    }
    body.push(op("ConvBnRelu(kernel: 1, channels: 960, activation: HardSwish)"));
    let head =
        ["Linear(features: 1280)", "Activation(function: HardSwish)", "Dropout()", "Linear(features: 1000)"];
    assert_eq!(network(224, body, &head), (5_483_032, 216_589_760));
}

#[test]
fn efficientnet_v2_s_has_21_458_488_parameters() {
    let mut body = vec![op("ConvBnRelu(channels: 24, stride: 2, activation: Silu)")];
    for (expansion, channels, repeats, stride) in [(1, 24, 2, 1), (4, 48, 4, 2), (4, 64, 4, 2)] {
        body.extend(stage(&format!("FusedMbConv(expansion: {expansion})"), channels, repeats, stride));
    }
    for (expansion, channels, repeats, stride) in [(4, 128, 6, 2), (6, 160, 9, 1), (6, 256, 15, 2)] {
        let fields = format!("expansion: {expansion}, squeeze_excitation: 0.25, activation: Silu");
        body.extend(stage(&format!("MbConv({fields})"), channels, repeats, stride));
    }
    body.push(op("ConvBnRelu(kernel: 1, channels: 1280, activation: Silu)"));
    let (params, macs) = network(384, body, &["Linear(features: 1000)"]);
    assert_eq!((params, macs / 1_000_000), (21_458_488, 8_365), "published as 8.37 G");
}

#[test]
fn resnets_have_their_published_size() {
    let stem = ["ConvBnRelu(kernel: 7, channels: 64, stride: 2)", "MaxPool(kernel: 3, stride: 2)"];
    let resnet = |block: &str, widths: [usize; 4], repeats: [usize; 4]| {
        let stages = (0..4).flat_map(|n| stage(block, widths[n], repeats[n], if n == 0 { 1 } else { 2 }));
        stem.iter().map(|ron| op(ron)).chain(stages).collect()
    };
    let head = ["Linear(features: 1000)"];
    let basic = resnet("ResidualBlock(kernel: 3)", [64, 128, 256, 512], [2, 2, 2, 2]);
    assert_eq!(network(224, basic, &head), (11_689_512, 1_814_073_344));
    let bottleneck = resnet("BottleneckBlock(kernel: 3)", [256, 512, 1024, 2048], [3, 4, 6, 3]);
    assert_eq!(network(224, bottleneck, &head), (25_557_032, 4_089_184_256));
}
