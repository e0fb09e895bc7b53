//! What every op in the table must keep, whatever it computes.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Meaning, Op, Site};
use crate::ir::{Graph, Shape, ShapeError};
use crate::symbolic::{Sources, from_value, to_value};

/// Ops that leave channels and size as they are, and refuse a site that asks for anything else.
const KEEPING: [&str; 4] = ["SqueezeExcitation", "Activation", "BatchNorm", "Dropout"];
/// Ops with a shape of their own.
const RESHAPING: [&str; 3] = ["Linear", "GlobalAvgPool", "Flatten"];

/// An op from its text.
pub(super) fn op(ron: &str) -> Op {
    parse(ron).unwrap_or_else(|error| panic!("{ron}: {error}"))
}

/// A map.
pub(super) fn map(channels: usize, height: usize, width: usize) -> Shape {
    Shape::Map { channels, height, width }
}

fn parse(ron: &str) -> Result<Op, ron::error::SpannedError> {
    let extensions =
        ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES | ron::extensions::Extensions::IMPLICIT_SOME;
    ron::Options::default().with_default_extension(extensions).from_str(ron)
}

/// Every op with its defaults.
fn ops() -> impl Iterator<Item = (&'static str, Op)> {
    Op::NAMES.iter().map(|name| (*name, op(&format!("{name}()"))))
}

fn lower(op: &Op, input: Shape, site: Site) -> Result<(Graph, Shape), ShapeError> {
    let mut graph = Graph::new(input);
    let input = graph.input();
    let output = op.lower(&mut graph, input, site)?;
    graph.set_output(output);
    let shape = graph.shape(output);
    Ok((graph, shape))
}

fn sites() -> impl Iterator<Item = Site> {
    let wishes = [None, Some(8), Some(12)];
    wishes.into_iter().flat_map(|channels| [1, 2].map(|stride| Site { channels, stride, ..Site::default() }))
}

#[test]
fn every_op_gives_the_shape_that_the_site_asks_for() {
    for (name, op) in ops().filter(|(name, _)| !KEEPING.contains(name) && !RESHAPING.contains(name)) {
        for (site, side) in sites().flat_map(|site| [(site, 8), (site, 7)]) {
            let (_, shape) = lower(&op, map(8, side, side), site).unwrap();
            let side = side.div_ceil(site.stride);
            assert_eq!(shape, map(site.channels.unwrap_or(8), side, side), "{name} at {site:?}");
        }
    }
}

#[test]
fn ops_that_keep_the_shape_refuse_to_change_it() {
    for (name, op) in ops().filter(|(name, _)| KEEPING.contains(name)) {
        for site in sites() {
            let kept = site.stride == 1 && site.channels.unwrap_or(8) == 8;
            let shape = lower(&op, map(8, 8, 8), site).map(|(_, shape)| shape);
            assert_eq!(shape.ok(), kept.then_some(map(8, 8, 8)), "{name} at {site:?}");
        }
    }
    let error = lower(&op("Dropout()"), map(8, 8, 8), Site { stride: 2, ..Site::default() }).unwrap_err();
    insta::assert_snapshot!(error, @"dropout_0.5: dropout 0.5 keeps its input's 8 channels and its size, but 8 channels at stride 2 are asked for here");
}

#[test]
fn ops_with_a_shape_of_their_own_have_it() {
    let shape = |ron, input| lower(&op(ron), input, Site::default()).map(|(_, shape)| shape);
    assert_eq!(shape("GlobalAvgPool()", map(8, 7, 5)), Ok(map(8, 1, 1)));
    assert_eq!(shape("Flatten()", map(8, 7, 5)), Ok(Shape::Flat(280)));
    assert_eq!(shape("Linear(features: 10)", Shape::Flat(280)), Ok(Shape::Flat(10)));
    assert_eq!(shape("MaxPool(kernel: 2, stride: 2)", map(8, 8, 8)), Ok(map(8, 4, 4)));
}

#[test]
fn every_op_survives_a_round_trip_through_its_text() {
    for (name, op) in ops() {
        let text = ron::to_string(&op).unwrap();
        assert_eq!(ron::from_str::<Op>(&text).as_ref(), Ok(&op), "{name}: {text}");
        let json = serde_json::to_string(&op).unwrap();
        assert_eq!(serde_json::from_str::<Op>(&json).unwrap(), op, "{name}: {json}");
    }
}

#[test]
fn space_files_write_ops_as_the_papers_do() {
    let read = |text: &str| {
        let value = Sources::default().read("space.ron", text).unwrap();
        from_value::<Op>(&value).map_err(|error| error.to_string())
    };
    for (name, usual) in ops() {
        assert_eq!(read(name), Ok(usual.clone()), "{name}");
        assert_eq!(from_value::<Op>(&to_value(&usual).unwrap()).unwrap(), usual, "{name}");
    }
    let narrow = "MbConv(kernel: 3, expansion: 6, channels: 24, stride: 2)";
    assert_eq!(read(narrow), Ok(op(narrow)));
    assert_eq!(read("SepConv(kernel: 5)").unwrap().label(), "sep conv 5x5");
    insta::assert_snapshot!(read("SepConv(kernel: 4)").unwrap_err(), @"kernel: 4 is out of range: a kernel is odd and at least 1");
}

#[test]
fn wrong_fields_are_refused_where_they_are_written() {
    let refusal = |ron| parse(ron).unwrap_err().to_string();
    insta::assert_snapshot!(refusal("SepConv(kernel: 4)"), @"1:17-1:18: 4 is out of range: a kernel is odd and at least 1");
    insta::assert_snapshot!(refusal("MbConv(channels: 0)"), @"1:18-1:19: 0 is out of range: it is at least 1");
    insta::assert_snapshot!(refusal("Dropout(rate: 1.0)"), @"1:15-1:18: 1.0 is out of range: a rate lies in [0, 1)");
    insta::assert_snapshot!(refusal("SepConv(size: 3)"), @"1:9-1:13: Unexpected field named `size` in `SepConv`, expected one of `kernel`, `channels`, `stride`, or `repeats` instead");
}

#[test]
fn lowering_twice_gives_equal_graphs() {
    for (name, op) in ops() {
        for site in sites() {
            let once = lower(&op, map(8, 8, 8), site).map(|(graph, _)| graph);
            assert_eq!(once, lower(&op, map(8, 8, 8), site).map(|(graph, _)| graph), "{name}");
        }
    }
}

#[test]
fn the_same_op_in_a_row_shares_no_parameter_names() {
    for (name, op) in ops().filter(|(name, _)| !RESHAPING.contains(name)) {
        let mut graph = Graph::new(map(8, 8, 8));
        let mut x = graph.input();
        for _ in 0..3 {
            x = op.lower(&mut graph, x, Site::default()).unwrap();
        }
        let names: Vec<String> = graph.parameters().into_iter().map(|parameter| parameter.name).collect();
        let distinct: std::collections::HashSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{name}: {names:?}");
    }
}

#[test]
fn ops_that_need_a_map_say_so_on_a_vector() {
    let takes_vectors = ["SkipConnect", "Zero", "Linear", "Activation", "BatchNorm", "Dropout"];
    for (name, op) in ops() {
        let lowered = lower(&op, Shape::Flat(64), Site::default());
        assert_eq!(lowered.is_ok(), takes_vectors.contains(&name), "{name}: {lowered:?}");
        if let Err(error) = lowered {
            assert!(error.to_string().ends_with("needs a map, got [64]"), "{error}");
        }
    }
}

#[test]
fn every_op_takes_or_refuses_the_smallest_map_and_no_empty_one() {
    for (name, op) in ops() {
        for site in sites() {
            // Taken or refused, but without a panic; most ops take it.
            let _ = lower(&op, map(8, 1, 1), site);
            for empty in [map(0, 8, 8), map(8, 0, 8), map(8, 8, 0), Shape::Flat(0)] {
                let lowered = lower(&op, empty, site);
                let identity = op.meaning() == Meaning::Identity
                    && lowered.as_ref().is_ok_and(|(_, shape)| *shape == empty);
                assert!(lowered.is_err() || identity, "{name} on {empty}");
            }
        }
    }
}

/// Values worth trying in any field.
fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::select(vec![0, 1, 2, 3, 4, 5, 7, 12, 1 << 20, i64::MAX]).prop_map(Value::from),
        prop::sample::select(vec![-1.0, 0.0, 0.3, 1.0, 1.5, 6.0, 1e300]).prop_map(Value::from),
        prop::sample::select(vec!["Relu", "Silu", "Strided", "ReluConvBn", "AvgPool"]).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ]
}

/// An op's defaults with some fields replaced.
fn variants() -> impl Strategy<Value = Option<Op>> {
    (0..Op::NAMES.len(), prop::collection::vec((0..8usize, values()), 0..3)).prop_map(|(index, changes)| {
        let mut program = serde_json::to_value(op(&format!("{}()", Op::NAMES[index]))).unwrap();
        let fields = program[Op::NAMES[index]].as_object_mut().unwrap();
        for (field, value) in changes {
            fields.values_mut().nth(field).into_iter().for_each(|old| *old = value.clone());
        }
        serde_json::from_value(program).ok()
    })
}

fn sizes() -> impl Strategy<Value = usize> {
    prop::sample::select(vec![0, 1, 2, 3, 4, 7, 8, 32, 1 << 31, 1 << 50, usize::MAX])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_op_panics_whatever_the_shape(
        op in variants(), (channels, height, width) in (sizes(), sizes(), sizes()), vector: bool,
        wish in prop::option::of(sizes()), stride in sizes(), depth in prop::sample::select(vec![0.0, 0.5, 1.0, f64::NAN]),
    ) {
        let input = if vector { Shape::Flat(channels) } else { map(channels, height, width) };
        let site = Site { channels: wish, stride, depth };
        if let Some(Ok((graph, shape))) = op.map(|op| lower(&op, input, site)) {
            prop_assert!(shape == input || !shape.sizes().contains(&0));
            prop_assert!(graph.to_string().contains("total"));
            let counted: u64 = graph.parameters().iter().filter(|parameter| parameter.role.trained())
                .map(|parameter| parameter.shape.iter().map(|size| *size as u64).product::<u64>()).sum();
            prop_assert_eq!(graph.cost().params, counted);
        }
    }

    #[test]
    fn labels_are_equal_exactly_where_ops_are(a in variants(), b in variants()) {
        if let (Some(a), Some(b)) = (a, b) {
            prop_assert_eq!(a.label() == b.label(), a == b, "{:?} and {:?}", a, b);
        }
    }
}

#[test]
fn every_single_field_shows_in_the_label() {
    let candidates =
        [json!(5), json!(2), json!(0.125), json!(true), json!(false), json!("Silu"), json!("Strided")];
    let more = [json!("ReluConvBn"), json!("AvgPool"), json!("HardSigmoid")];
    for (name, op) in ops() {
        let program = serde_json::to_value(&op).unwrap();
        for field in program[name].as_object().unwrap().keys() {
            let changed = candidates.iter().chain(&more).filter_map(|value| {
                let mut program = program.clone();
                program[name][field] = value.clone();
                serde_json::from_value::<Op>(program).ok().filter(|changed| *changed != op)
            });
            let labels: Vec<String> = changed.map(|changed| changed.label()).collect();
            assert!(!labels.is_empty(), "no other value found for {name}.{field}");
            assert!(!labels.contains(&op.label()), "{name}.{field} does not show in {labels:?}");
        }
    }
}
