//! What holds of all trees and all types.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;

/// Everything that serde's data model has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Any {
    Unit,
    Numbers { small: i8, large: u64, huge: i128, single: f32, double: f64 },
    Text(String, char),
    Newtype(Width),
    Struct(Inner),
    Empty(Empty),
    Nothing(Nothing),
    Maybe(Option<Box<Any>>),
    MaybeInner(Option<Inner>),
    MaybeUnit(Option<()>),
    Twice(Option<Option<u8>>),
    Own(Own),
    MaybeOwn(Option<Own>),
    List(Vec<Any>),
    Map(BTreeMap<u8, Any>),
    Words(BTreeMap<String, bool>),
    Tuple((u8, (), Vec<u8>)),
    Wrapped(Box<Any>),
    Array([u8; 3]),
    Program(Value),
    Flat(Flat),
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Width(u32);
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    depth: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Empty {}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Nothing;
/// Variants that are called like an option's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Own {
    None,
    Some(u8),
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    a: u8,
    #[serde(flatten)]
    inner: Inner,
}

fn model() -> impl Strategy<Value = Any> {
    let inner = || (any::<usize>(), any::<Option<String>>()).prop_map(|(depth, name)| Inner { depth, name });
    let own = || prop_oneof![Just(Own::None), any::<u8>().prop_map(Own::Some)];
    let leaf = prop_oneof![
        Just(Any::Unit),
        any::<(i8, u64, i128, f32, f64)>().prop_map(|(small, large, huge, single, double)| {
            Any::Numbers { small, large, huge, single, double }
        }),
        any::<(String, char)>().prop_map(|(text, c)| Any::Text(text, c)),
        any::<u32>().prop_map(|width| Any::Newtype(Width(width))),
        inner().prop_map(Any::Struct),
        Just(Any::Empty(Empty {})),
        Just(Any::Nothing(Nothing)),
        proptest::option::of(inner()).prop_map(Any::MaybeInner),
        proptest::option::of(Just(())).prop_map(Any::MaybeUnit),
        any::<Option<Option<u8>>>().prop_map(Any::Twice),
        own().prop_map(Any::Own),
        proptest::option::of(own()).prop_map(Any::MaybeOwn),
        any::<BTreeMap<String, bool>>().prop_map(Any::Words),
        any::<(u8, (), Vec<u8>)>().prop_map(Any::Tuple),
        any::<[u8; 3]>().prop_map(Any::Array),
        tree().prop_map(Any::Program),
        (any::<u8>(), inner()).prop_map(|(a, inner)| Any::Flat(Flat { a, inner })),
    ];
    leaf.prop_recursive(4, 32, 4, |model| {
        prop_oneof![
            proptest::option::of(model.clone()).prop_map(|any| Any::Maybe(any.map(Box::new))),
            proptest::collection::vec(model.clone(), 0..4).prop_map(Any::List),
            proptest::collection::btree_map(any::<u8>(), model.clone(), 0..4).prop_map(Any::Map),
            model.prop_map(|any| Any::Wrapped(Box::new(any))),
        ]
    })
}

fn name() -> impl Strategy<Value = Name> {
    prop_oneof![
        4 => "[A-Za-z_][a-z0-9_]{0,8}",
        1 => prop_oneof![Just("true"), Just("inf"), Just("None"), Just("Some"), Just("b-c.d"), Just("3x"), Just("é")]
            .prop_map(str::to_owned),
    ]
    .prop_map(Name::from)
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i128>().prop_map(Value::from),
        (-100i64..100).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-f64::INFINITY), Just(-0.0)]
            .prop_map(Value::from),
        any::<char>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        name().prop_map(|name| Value::unit(&name)),
        Just(Value::from(Object { name: None, fields: Fields::Unit })),
    ];
    leaf.prop_recursive(4, 48, 5, |tree| {
        let items = || proptest::collection::vec(tree.clone(), 0..5);
        let fields = proptest::collection::btree_map(name(), tree.clone(), 0..5);
        let fields = prop_oneof![
            items().prop_map(Fields::Items),
            fields.prop_map(|fields| Fields::Named(fields.into_iter().collect()))
        ];
        prop_oneof![
            items().prop_map(Value::from),
            proptest::collection::btree_map(tree.clone(), tree.clone(), 0..4)
                .prop_map(|map| Kind::Map(Arc::new(map.into_iter().collect())).into()),
            (proptest::option::of(name()), fields).prop_map(|(name, fields)| Object { name, fields }.into()),
        ]
    })
}

proptest! {
    #[test]
    fn any_type_is_the_same_after_the_way_there_and_back(any in model()) {
        let value = to_value(&any).unwrap();
        let back: Any = from_value(&value).unwrap();
        // NaN is not equal to itself, but its tree is.
        prop_assert_eq!(to_value(&back).unwrap(), value.clone());
        let text: Any = from_value(&value.pretty().parse().unwrap()).unwrap();
        prop_assert_eq!(to_value(&text).unwrap(), value);
        if !format!("{any:?}").contains("NaN") {
            prop_assert_eq!(back, any);
        }
    }

    #[test]
    fn what_is_printed_is_read_back(value in tree()) {
        prop_assert_eq!(&value.to_string().parse::<Value>().unwrap(), &value);
        prop_assert_eq!(&value.pretty().parse::<Value>().unwrap(), &value);
        prop_assert!(!value.to_string().contains('\n'));
    }

    #[test]
    fn a_difference_leads_from_one_to_the_other(a in tree(), b in tree()) {
        let mut copy = a.clone();
        a.diff(&b).patch().apply(&mut copy).unwrap();
        prop_assert_eq!(&copy, &b);
        prop_assert_eq!(a.diff(&b).is_empty(), a == b);
    }

    #[test]
    fn every_node_is_found_by_its_path(value in tree()) {
        for (path, node) in value.query(&"**".parse().unwrap()) {
            prop_assert_eq!(value.get(&path), Some(node));
            let read: Path = path.to_string().parse().unwrap();
            prop_assert_eq!(&read, &path);
            prop_assert_eq!(value.query(&(&path).into()).len(), 1);
        }
    }

    #[test]
    fn a_changed_copy_leaves_the_original_alone(value in tree(), at in any::<proptest::sample::Index>()) {
        let nodes = value.query(&"**".parse().unwrap());
        let path = nodes[at.index(nodes.len())].0.clone();
        let text = value.to_string();
        let mut copy = value.clone();
        copy.set(&path, Value::unit("Changed")).unwrap();
        prop_assert_eq!(copy.get(&path).unwrap().name(), Some("Changed"));
        prop_assert_eq!(value.to_string(), text);
    }

    #[test]
    fn order_equality_and_hash_agree(a in tree(), b in tree(), c in tree()) {
        use std::cmp::Ordering::{Equal, Greater};
        let state = RandomState::new();
        prop_assert_eq!(a == b, a.cmp(&b) == Equal);
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert!(a.cmp(&b) == Greater || b.cmp(&c) == Greater || a.cmp(&c) != Greater);
        let same: Value = a.to_string().parse().unwrap();
        prop_assert_eq!(state.hash_one(&a), state.hash_one(&same));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[(){}\\[\\]:,\"'/*#!rb\\\\ 0-9a.+eN_\n-]{0,40}") {
        let _ = text.parse::<Value>();
        let _ = text.parse::<Path>();
        let _ = text.parse::<Pattern>();
    }
}

#[test]
fn the_order_of_fields_does_not_count() {
    let read = |text: &str| text.parse::<Value>().unwrap();
    let state = RandomState::new();
    for (a, b) in [("A(x: 1, y: 2)", "A(y: 2, x: 1)"), ("{1: 2, 3: 4}", "{3: 4, 1: 2}"), ("A()", "A")] {
        assert_eq!(read(a), read(b));
        assert_eq!(state.hash_one(read(a)), state.hash_one(read(b)));
    }
    assert_ne!(read("A(x: 1, y: 2)"), read("A(x: 2, y: 1)"));
    assert_ne!(read("[1, 2]"), read("[2, 1]"));
}

#[test]
fn trees_made_by_code_may_be_deeper_than_any_file() {
    let deep = |depth: usize| (0..depth).fold(Value::from(1), |inner, _| Value::from(vec![inner]));
    let (a, b) = (deep(1_000), deep(1_000));
    assert_eq!(a, b);
    assert_eq!(a.count(), 1_001);
    drop(a);
}

#[test]
fn types_that_nest_too_deep_are_refused() {
    let deep = (0..300).fold(Any::Unit, |inner, _| Any::Wrapped(Box::new(inner)));
    let error = to_value(&deep).unwrap_err().to_string();
    assert!(error.ends_with("nested more than 200 levels deep"), "{error}");
}

#[test]
fn messages_say_what_was_met_and_what_belongs_there() {
    let error = |text: &str| from_value::<Any>(&text.parse().unwrap()).unwrap_err().to_string();
    insta::assert_snapshot!(error("Numbers(small: 200, large: 1, huge: 1, single: 1, double: 1)"), @"small: expected a whole number from -128 to 127, found `200`");
    insta::assert_snapshot!(error("Numbers(small: 1, large: -1, huge: 1, single: 1, double: 1)"), @"large: expected a whole number, not below 0, found `-1`");
    insta::assert_snapshot!(error("Numbers(small: 1, large: 1, huge: 1.0, single: 1, double: 1)"), @"huge: expected a whole number, found `1.0`");
    insta::assert_snapshot!(error("Numbers(small: 1, large: 1, huge: 1, single: One, double: 1)"), @"single: expected a number, found `One`");
    insta::assert_snapshot!(error("Numbers(small: 1, large: 1)"), @"the field `huge` is missing; add `huge: ..`");
    insta::assert_snapshot!(error("Text(\"a\")"), @"expected 2 elements, found 1");
    insta::assert_snapshot!(error("Text(\"a\", 'b', 'c')"), @"expected 2 elements, found 3");
    insta::assert_snapshot!(error("Text(a: 1)"), @"expected `Text(..)` without field names, found `Text(a: 1)`");
    insta::assert_snapshot!(error("Newtype"), @"`Newtype` needs a whole number from 0 to 4294967295 in parentheses");
    insta::assert_snapshot!(error("Struct"), @"the field `depth` is missing; add `depth: ..`");
    insta::assert_snapshot!(error("Struct(deph: 1)"), @"deph: unknown field `deph`; did you mean `depth`?");
    insta::assert_snapshot!(error("Struct(Iner(depth: 1))"), @"[0]: found `Iner` where a `Inner` belongs; write `Inner(..)`, or leave the name out");
    insta::assert_snapshot!(error("Unit(1)"), @"expected `Unit` without fields, found `Unit(1)`");
    insta::assert_snapshot!(error("List([Unit, (1, 2), 3])"), @"[0][1]: expected one of the 21 names of `Any` (`Unit`, `Numbers`, ..), found `(1, 2)`");
    insta::assert_snapshot!(error("List((Unit, Unit))"), @"[0]: expected a list `[..]`, found `(Unit, Unit)`");
    insta::assert_snapshot!(error("Map({1: Unit, 2: Unt})"), @"[0][2]: unknown name `Unt`; did you mean `Unit`?");
    insta::assert_snapshot!(error("Map({\"k\": Unit})"), @r#"[0]["k"]: expected a whole number from 0 to 255, found `"k"`"#);
    insta::assert_snapshot!(error("Words({\"k\": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]})"), @r#"[0]["k"]: expected `true` or `false`, found `[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, ..`"#);
    insta::assert_snapshot!(error("Array([1, 2])"), @"[0]: expected 3 elements, found 2");
    insta::assert_snapshot!(error("\"Unit\""), @r#""Unit" is a text; write the name without quotes"#);
    insta::assert_snapshot!(error("Wrapped(Wrapped(Wrapped(Sruct(depth: 1))))"), @"[0][0][0]: unknown name `Sruct`; did you mean `Struct`?");
    insta::assert_snapshot!(error("Maybe(Some(Text(1, 'c')))"), @"[0][0][0]: expected a text in quotes, found `1`");
}

#[test]
fn long_programs_are_laid_out_over_lines() {
    let text = r#"Candidate(task: (input: (3, 32, 32), classes: 10), cell: Cell(blocks: [(left: SepConv(kernel: 3), right: MaxPool(kernel: 3, stride: 2)), (left: Zero, right: SkipConnect)]), tags: {"paper": "a text that is long enough to fill the better part of a line on its own, and a bit more than that"}, empty: [])"#;
    let value: Value = text.parse().unwrap();
    insta::assert_snapshot!(value.pretty(), @r#"
    Candidate(
        task: (input: (3, 32, 32), classes: 10),
        cell: Cell(
            blocks: [
                (left: SepConv(kernel: 3), right: MaxPool(kernel: 3, stride: 2)),
                (left: Zero, right: SkipConnect),
            ],
        ),
        tags: {
            "paper": "a text that is long enough to fill the better part of a line on its own, and a bit more than that",
        },
        empty: [],
    )
    "#);
}
