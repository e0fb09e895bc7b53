//! Shapes, refusals, names, parameters and costs of graphs built by hand.

use super::*;

fn map(channels: usize, height: usize, width: usize) -> Shape {
    Shape::Map { channels, height, width }
}

/// The shape, or the refusal, of one primitive that reads inputs of these shapes.
fn infer(primitive: Primitive, inputs: &[Shape]) -> Result<Shape, String> {
    primitive.infer(inputs)
}

fn pool(kernel: usize, stride: usize, padding: usize) -> Primitive {
    Primitive::MaxPool(Window { kernel, stride, padding })
}

#[test]
fn convolutions_and_windows_shrink_as_in_pytorch() {
    let conv = |conv: Conv, side| infer(Primitive::Conv(conv), &[map(4, side, side)]).unwrap();
    assert_eq!(conv(Conv::square(8, 3), 7), map(8, 7, 7));
    assert_eq!(conv(Conv::square(8, 3).strided(2), 7), map(8, 4, 4));
    assert_eq!(conv(Conv::square(8, 3).strided(2), 8), map(8, 4, 4));
    assert_eq!(conv(Conv { padding: [0, 0], ..Conv::square(8, 3) }, 8), map(8, 6, 6));
    assert_eq!(conv(Conv::square(8, 5).dilated(2), 8), map(8, 8, 8));
    assert_eq!(conv(Conv { stride: [1, 2], ..Conv::new(8, [1, 7]) }, 8), map(8, 8, 4));
    assert_eq!(infer(pool(2, 2, 0), &[map(4, 7, 8)]), Ok(map(4, 3, 4)));
    assert_eq!(infer(pool(3, 2, 1), &[map(4, 7, 8)]), Ok(map(4, 4, 4)));
}

#[test]
fn other_primitives_have_their_shapes() {
    let square = map(6, 5, 5);
    assert_eq!(infer(Primitive::GlobalAvgPool, &[square]), Ok(map(6, 1, 1)));
    assert_eq!(infer(Primitive::Flatten, &[square]), Ok(Shape::Flat(150)));
    assert_eq!(infer(Primitive::Add, &[square, square, square]), Ok(square));
    assert_eq!(infer(Primitive::Mul, &[square, map(6, 1, 1)]), Ok(square));
    assert_eq!(infer(Primitive::Concat, &[square, map(2, 5, 5)]), Ok(map(8, 5, 5)));
    assert_eq!(infer(Primitive::Concat, &[Shape::Flat(3), Shape::Flat(4)]), Ok(Shape::Flat(7)));
    assert_eq!(infer(Primitive::Slice { start: 2, end: 5 }, &[square]), Ok(map(3, 5, 5)));
    assert_eq!(infer(Primitive::Shift { rows: 1 }, &[square]), Ok(square));
    let resize = |size| infer(Primitive::Resize { size, interpolation: Interpolation::Nearest }, &[square]);
    assert_eq!(resize([5, 11]), Ok(map(6, 5, 11)));
    assert_eq!(resize([4, 11]).unwrap_err(), "resize nearest to 4x11 cannot shrink a map, got [6, 5, 5]");
    assert_eq!(infer(Primitive::Zero { channels: 9, stride: 2 }, &[square]), Ok(map(9, 3, 3)));
    assert_eq!(infer(Primitive::Linear { features: 10, bias: true }, &[Shape::Flat(3)]), Ok(Shape::Flat(10)));
}

#[test]
fn refusals_say_what_is_needed_and_what_was_met() {
    let square = map(6, 5, 5);
    let refused = [
        (Primitive::Conv(Conv { padding: [0, 0], ..Conv::square(8, 7) }), vec![square]),
        (Primitive::Conv(Conv::square(8, 3).grouped(4)), vec![square]),
        (Primitive::Conv(Conv::square(0, 3)), vec![square]),
        (Primitive::Conv(Conv::square(8, 3).strided(0)), vec![square]),
        (Primitive::Conv(Conv { padding: [usize::MAX, 1], ..Conv::square(8, 3) }), vec![square]),
        (Primitive::Linear { features: 10, bias: true }, vec![square]),
        (pool(3, 2, 2), vec![square]),
        (pool(7, 1, 0), vec![square]),
        (Primitive::RELU, vec![]),
        (Primitive::RELU, vec![map(6, 0, 5)]),
        (Primitive::Add, vec![square]),
        (Primitive::Add, vec![square, map(6, 5, 4)]),
        (Primitive::Mul, vec![square, map(5, 1, 1)]),
        (Primitive::Concat, vec![square, Shape::Flat(3)]),
        (Primitive::Slice { start: 4, end: 7 }, vec![square]),
        (Primitive::Shift { rows: 5 }, vec![square]),
        (Primitive::Dropout { rate: 1.0 }, vec![square]),
        (Primitive::DropPath { depth: f64::NAN }, vec![square]),
        (Primitive::Input, vec![]),
    ];
    let lines: Vec<String> =
        refused.into_iter().map(|(primitive, inputs)| infer(primitive, &inputs).unwrap_err()).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    conv 7x7 needs a map of at least 7x7 with padding 0, got [6, 5, 5]
    conv of 4 groups needs a multiple of that, got 6 channels in, 8 out
    conv needs a channel count of at least 1, got 0
    conv needs a stride of at least 1, got 0
    conv 3x3 needs a map of at least 3x3 with padding 18446744073709551615, got [6, 5, 5]
    linear needs a vector, got [6, 5, 5]; flatten it first
    max pool 3x3 stride 2 needs a padding of at most half the window, got 2
    max pool 7x7 needs a map of at least 7x7 with padding 0, got [6, 5, 5]
    relu needs one input, got none
    relu cannot read an empty input [6, 0, 5]
    add needs two or more inputs of equal shape, got [6, 5, 5]
    add needs two or more inputs of equal shape, got [6, 5, 5] and [6, 5, 4]
    mul needs two equal shapes or a map and its gate, got [6, 5, 5] and [5, 1, 1]
    concat needs two or more inputs of equal height and width, got [6, 5, 5] and [3]
    slice 4..7 needs a range within the 6 channels of [6, 5, 5]
    shift 5 needs a map larger than 5x5, got [6, 5, 5]
    dropout needs a rate in [0, 1), got 1
    drop path needs a depth in (0, 1], got NaN
    a graph has one input, made by `Graph::new`
    ");
}

#[test]
fn errors_say_where() {
    let mut graph = Graph::new(Shape::Flat(64));
    let input = graph.input();
    let nested = graph.scoped("normal", |graph| {
        graph.scoped("block2", |graph| {
            graph.scoped("sep_conv_5x5", |graph| {
                graph.conv("depthwise", Conv::square(64, 5).grouped(64), input)
            })
        })
    });
    insta::assert_snapshot!(nested.unwrap_err(), @"normal/block2/sep_conv_5x5: conv 5x5 groups 64 needs a map, got [64]");
    insta::assert_snapshot!(graph.add(Primitive::Flatten, &[input]).unwrap_err(), @"network: flatten needs a map, got [64]");
    insta::assert_snapshot!(graph.relu(Tensor(7)).unwrap_err(), @"network: relu reads a tensor of another graph");
}

#[test]
fn sizes_beyond_counting_are_refused() {
    let huge = usize::MAX / 2;
    let mut graph = Graph::new(map(huge, 8, 8));
    let input = graph.input();
    assert!(graph.relu(input).is_err());
    assert!(graph.add(Primitive::Flatten, &[input]).is_err());
    let mut graph = Graph::new(map(3, 8, 8));
    let input = graph.input();
    assert!(graph.add(Primitive::Conv(Conv::square(huge, 3)), &[input]).is_err());
    assert!(graph.add(Primitive::Conv(Conv::new(4, [huge, huge])), &[input]).is_err());
    assert!(graph.add(Primitive::Conv(Conv::square(8, 3).dilated(huge)), &[input]).is_err());
    insta::assert_snapshot!(graph.add(Primitive::Conv(Conv::square(1 << 50, 3)), &[input]).unwrap_err(), @"network: conv 3x3 from [3, 8, 8] to [1125899906842624, 8, 8] has more than 9007199254740992 values; use fewer channels");
}

/// Input, stem, a gated branch, a sum, and a classifier; besides a dead convolution.
fn network() -> Result<Graph, ShapeError> {
    let mut graph = Graph::new(map(3, 8, 8));
    let input = graph.input();
    let stem = graph.scoped("stem", |graph| graph.conv_norm("conv", Conv::square(4, 3), input))?;
    let gate = graph.scoped("gate", |graph| {
        let mean = graph.add(Primitive::GlobalAvgPool, &[stem])?;
        let gate = graph.conv("conv", Conv { bias: true, ..Conv::square(4, 1) }, mean)?;
        graph.activation(Activation::Sigmoid, gate)
    })?;
    graph.scoped("gate", |graph| graph.conv("conv", Conv::square(4, 1), stem))?;
    let gated = graph.add(Primitive::Mul, &[stem, gate])?;
    let sum = graph.sum(&[gated, stem])?;
    let pooled = graph.add(Primitive::GlobalAvgPool, &[sum])?;
    let flat = graph.add(Primitive::Flatten, &[pooled])?;
    let logits = graph.add_named("classifier", Primitive::Linear { features: 10, bias: true }, &[flat])?;
    graph.set_output(logits);
    Ok(graph)
}

#[test]
fn a_graph_prints_as_a_table() {
    insta::assert_snapshot!(network().unwrap(), @r"
    scope                 primitive        shape      params   macs
    input                 input            [3, 8, 8]
    stem/conv             conv 3x3         [4, 8, 8]     108  6 912
    stem/batch_norm       batch norm       [4, 8, 8]       8
    gate/global_avg_pool  global avg pool  [4, 1, 1]
    gate/conv             conv 1x1         [4, 1, 1]      20     16
    gate/sigmoid          sigmoid          [4, 1, 1]
    gate.1/conv           conv 1x1         [4, 8, 8]      16  1 024
    mul                   mul              [4, 8, 8]
    add                   add              [4, 8, 8]
    global_avg_pool       global avg pool  [4, 1, 1]
    flatten               flatten          [4]
    classifier            linear           [10]           50     40
    total                                  [10]          202  7 992
    ");
}

#[test]
fn costs_count_every_node_and_the_longest_path() {
    let cost = network().unwrap().cost();
    // Stem 3 * 4 * 9, its norm, the gate with its bias, the dead convolution, the classifier.
    assert_eq!(cost.params, 108 + 8 + 20 + 16 + 50);
    assert_eq!(cost.macs, 108 * 64 + 16 + 16 * 64 + 40);
    // Input 192; conv, norm, dead conv, product, sum 256 each; three vectors of 4 in the gate, one pooled; logits 10.
    assert_eq!(cost.activation_bytes, 4 * (192 + 5 * 256 + 4 * 4 + 10));
    assert_eq!(cost.depth, 3);
}

#[test]
fn only_what_the_output_needs_is_live() {
    let graph = network().unwrap();
    let dead: Vec<&str> = graph
        .nodes()
        .iter()
        .zip(graph.live())
        .filter(|(_, live)| !live)
        .map(|(node, _)| node.scope.as_str())
        .collect();
    assert_eq!(dead, ["gate.1/conv"]);
}

#[test]
fn parameters_have_unique_names_shapes_and_initial_values() {
    let parameters = network().unwrap().parameters();
    let lines: Vec<String> = parameters
        .iter()
        .map(|parameter| format!("{} {:?} {:?}", parameter.name, parameter.shape, parameter.initial))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    stem/conv/weight [4, 3, 3, 3] Kaiming { fan: 36 }
    stem/batch_norm/scale [4] Constant(1.0)
    stem/batch_norm/offset [4] Constant(0.0)
    stem/batch_norm/running_mean [4] Constant(0.0)
    stem/batch_norm/running_variance [4] Constant(1.0)
    gate/conv/weight [4, 4, 1, 1] Kaiming { fan: 4 }
    gate/conv/bias [4] Constant(0.0)
    gate.1/conv/weight [4, 4, 1, 1] Kaiming { fan: 4 }
    classifier/weight [4, 10] Uniform { bound: 0.5 }
    classifier/bias [10] Uniform { bound: 0.5 }
    ");
}

#[test]
fn nodes_that_share_have_one_set_of_parameters_and_named_outputs_are_all_live() {
    let mut graph = Graph::new(map(3, 8, 8));
    let input = graph.input();
    let half = graph.add(Primitive::MaxPool(Window { kernel: 2, stride: 2, padding: 0 }), &[input]).unwrap();
    let whole = graph.conv("conv", Conv::square(4, 3), input).unwrap();
    let small = graph.add_shared("conv", whole, half).unwrap();
    let smaller = graph.add_shared("conv", small, half).unwrap();
    assert_eq!(graph.shape(small), map(4, 4, 4));
    assert_eq!(graph.nodes()[smaller.index()].shares, Some(whole));
    assert_eq!((graph.parameters().len(), graph.cost().params), (1, 3 * 4 * 9));
    assert_eq!(graph.cost().macs, 108 * (64 + 16 + 16), "each computes");
    let refused = graph.add_shared("other", whole, small).unwrap_err();
    insta::assert_snapshot!(refused, @"network: other cannot share parameters with conv from [4, 4, 4]");
    graph.name_output("small", small);
    let live = graph.live();
    assert!(live[whole.index()] && live[half.index()] && !live[smaller.index()], "the owner lives, too");
    graph.name_output("small", smaller);
    graph.name_output("whole", whole);
    assert_eq!(graph.outputs(), [("small".to_owned(), smaller), ("whole".to_owned(), whole)]);
    assert_eq!((graph.output_named("whole"), graph.output_named("none")), (Some(whole), None));
}

#[test]
fn a_scope_entered_again_gets_a_number() {
    let mut graph = Graph::new(map(3, 8, 8));
    let mut x = graph.input();
    for name in ["a", "a", "a.1", "a"] {
        x = graph.scoped(name, |graph| graph.relu(x)).unwrap();
    }
    x = graph.relu(x).unwrap();
    x = graph.relu(x).unwrap();
    graph.add_named("input", Primitive::RELU, &[x]).unwrap();
    let scopes: Vec<&str> = graph.nodes().iter().map(|node| node.scope.as_str()).collect();
    assert_eq!(
        scopes,
        ["input", "a/relu", "a.1/relu", "a.1.1/relu", "a.2/relu", "relu", "relu.1", "input.1"]
    );
}

#[test]
fn one_tensor_is_its_own_sum_and_concatenation() {
    let mut graph = Graph::new(map(3, 8, 8));
    let input = graph.input();
    assert_eq!((graph.sum(&[input]), graph.concat(&[input])), (Ok(input), Ok(input)));
    assert!(graph.sum(&[]).is_err());
    assert_eq!(graph.nodes().len(), 1);
}
