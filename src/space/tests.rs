//! Properties that hold for every space, on random small ones.

use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::compile::Pieces;
use super::freeze::object;
use super::hyper::{Rule, float, int, many_of, one_of, permutation, prefix};
use super::{Genotype, Size, Space};
use crate::random::Seed;
use crate::symbolic::{Fields, Kind, Origin, Value};

fn number(value: i64) -> Value {
    Value { kind: Kind::Int(value.into()), origin: Origin::NONE }
}

fn list(items: Vec<Value>) -> Value {
    Value { kind: Kind::List(Arc::new(items)), origin: Origin::NONE }
}

fn named(name: &str, fields: Vec<Value>) -> Value {
    let fields =
        fields.into_iter().enumerate().map(|(index, value)| (format!("f{index}").into(), value)).collect();
    object(Origin::NONE, &Some(name.into()), Fields::Named(fields))
}

fn call(form: &str, piece: &str) -> Value {
    let piece = Value { kind: Kind::Str(piece.into()), origin: Origin::NONE };
    object(Origin::NONE, &Some(form.into()), Fields::Items(vec![piece]))
}

fn compiled(program: &Value, pieces: &Pieces) -> Result<Space, crate::error::SpaceError> {
    Space::open(program.clone(), pieces.clone(), super::program_type::untyped())
}

/// A program with hyper values of all kinds; `pieces` may be referred to.
fn program(pieces: &'static [&'static str]) -> BoxedStrategy<Value> {
    let mut leaves = vec![
        (0..3i64).prop_map(number).boxed(),
        (0..2i64, 0..2i64).prop_map(|(low, more)| int(low, low + more)).boxed(),
        Just(named("Leaf", vec![])).boxed(),
    ];
    leaves.extend(pieces.iter().map(|piece| Just(call("Ref", piece)).boxed()));
    leaves.extend(pieces.iter().map(|piece| Just(call("Fresh", piece)).boxed()));
    let leaf = proptest::strategy::Union::new(leaves);
    let tree = leaf.prop_recursive(3, 10, 3, |inner| {
        let some = prop::collection::vec(inner, 1..3);
        prop_oneof![
            some.clone().prop_map(|items| named("Node", items)),
            some.clone().prop_map(list),
            some.clone().prop_map(one_of),
            some.clone().prop_map(permutation),
            (some.clone(), 0..2usize).prop_map(|(items, min)| prefix(min.min(items.len()), items)),
            (some, 0..3usize, any::<bool>(), any::<bool>()).prop_map(|(items, k, distinct, sorted)| {
                let mut rules = Vec::new();
                rules.extend(distinct.then_some(Rule::Distinct));
                rules.extend(sorted.then_some(Rule::Sorted));
                many_of(if distinct { k.min(items.len()) } else { k }, items, &rules)
            }),
        ]
    });
    tree.boxed()
}

/// A space whose program and piece `b` may refer to `a` and `b`.
fn space() -> impl Strategy<Value = Space> {
    (program(&[]), program(&["a"]), program(&["a", "b"])).prop_map(|(a, b, program)| {
        let pieces = Pieces::from([("a".into(), a), ("b".into(), b)]);
        compiled(&program, &pieces).expect("a valid space")
    })
}

fn small(space: &Space) -> bool {
    matches!(space.size(), Size::Finite(count) if count <= 500u32.into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn size_is_the_number_of_genotypes(space in space().prop_filter("small", small)) {
        let all: Vec<String> = space.genotypes().map(|genotype| genotype.to_string()).collect();
        prop_assert_eq!(Size::Finite(all.len().into()), space.size());
        prop_assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }

    #[test]
    fn moves_stay_in_the_space(space in space(), seed in any::<u64>()) {
        let mut rng = Seed(seed).stream(0, "test");
        let (a, b) = (space.random(&mut rng).unwrap(), space.random(&mut rng).unwrap());
        let mutant = space.mutate(&a, &mut rng).unwrap();
        let child = space.crossover(&a, &b, &mut rng).unwrap();
        let neighbours = space.neighbours(&a).unwrap();
        for genotype in [&a, &b, &mutant, &child].into_iter().chain(&neighbours) {
            prop_assert!(space.validate(genotype).is_ok());
            prop_assert!(space.materialize(genotype).is_ok());
            prop_assert_eq!(&genotype.to_string().parse::<Genotype>().unwrap(), genotype);
        }
        prop_assert_ne!(neighbours.contains(&a), true);
        if space.discrete_size() > &1u8.into() && !neighbours.is_empty() {
            prop_assert_ne!(&mutant, &a);
        }
    }

    #[test]
    fn a_program_is_encoded_as_a_genotype_of_itself(space in space(), seed in any::<u64>()) {
        let drawn = space.random(&mut Seed(seed).stream(0, "test")).unwrap();
        let program = space.materialize(&drawn).unwrap();
        let encoded = space.encode(&program).unwrap();
        prop_assert_eq!(space.materialize(&encoded).unwrap(), program);
    }

    #[test]
    fn every_random_draw_is_among_all(space in space().prop_filter("small", small), seed in any::<u64>()) {
        let all: HashSet<String> = space.genotypes().map(|genotype| genotype.to_string()).collect();
        let drawn = space.random(&mut Seed(seed).stream(0, "test")).unwrap();
        prop_assert!(all.contains(&drawn.to_string()));
    }
}

#[test]
fn shared_pieces_are_drawn_once_and_fresh_ones_again() {
    let pieces = Pieces::from([("op".into(), one_of([1, 2, 3].map(number)))]);
    let space = |a, b| compiled(&list(vec![call(a, "op"), call(b, "op")]), &pieces).unwrap();
    assert_eq!(space("Ref", "Ref").size().to_string(), "3");
    assert_eq!(space("Ref", "Fresh").size().to_string(), "9");
    let program = space("Ref", "Ref").materialize(&"2".parse().unwrap()).unwrap();
    assert_eq!(program, list(vec![number(3), number(3)]));
}

#[test]
fn a_piece_met_in_a_branch_keeps_its_value_after_it() {
    let pieces = Pieces::from([("op".into(), one_of([1, 2, 3].map(number)))]);
    let branch = one_of([call("Ref", "op"), number(0)]);
    let space = compiled(&list(vec![branch, call("Ref", "op")]), &pieces).unwrap();
    assert_eq!(space.size().to_string(), "6");
    let text = |text: &str| space.materialize(&text.parse().unwrap()).unwrap();
    assert_eq!(text("0(2)"), list(vec![number(3), number(3)]));
    assert_eq!(text("1,2"), list(vec![number(0), number(3)]));
}

#[test]
fn decisions_are_numbered_named_and_conditioned() {
    let program = named(
        "Net",
        vec![
            one_of([named("Sgd", vec![float(0.1, 0.9).into()]), named("Adam", vec![])]),
            prefix(1, [int(1, 4), int(1, 4)]),
        ],
    );
    let space = Space::untyped(&program).unwrap();
    let ids: Vec<&str> = space.decisions().iter().map(|decision| decision.id.as_str()).collect();
    assert_eq!(ids, ["f0", "f0:Sgd.f0", "f1", "f1[0]", "f1[1]"]);
    assert_eq!(space.decisions()[0].labels, ["Sgd(f0: ?)", "Adam()"]);
    assert_eq!(space.decisions()[1].conditions[0].choices, [0]);
    assert!(space.decisions()[3].conditions.is_empty());
    assert_eq!(space.decisions()[4].conditions[0].choices, [1]);
    assert_eq!(space.size(), Size::Continuous);
    assert_eq!(space.discrete_size().to_string(), "40");
}

#[test]
fn a_wrong_genotype_is_refused_with_its_decision_value_and_range() {
    let program = named(
        "Net",
        vec![one_of([1, 2].map(number)), int(1, 8), many_of(2, [1, 2, 3].map(number), &[Rule::Distinct])],
    );
    let space = Space::untyped(&program).unwrap();
    let error = |text: &str| space.validate(&text.parse().unwrap()).unwrap_err().to_string();
    assert_eq!(error("2,#1,[0,1]"), "f0: choice 2 is not in 0..=1");
    assert_eq!(error("0,#9,[0,1]"), "f1: #9 is not in #1..=#8");
    assert_eq!(error("0,1,[0,1]"), "f1: choice `1` is not an integer such as `#1`");
    assert_eq!(error("0,#1,[0,0]"), "f2: choices must be distinct, and 0 stands twice");
    assert_eq!(error("0,#1,[0]"), "f2: 1 choices are not 2");
    assert_eq!(error("0,#1"), "f2: its gene is missing");
    assert_eq!(error("0(1),#1,[0,1]"), "f0: its choice has 1 gene too many, from `1` on");
    assert_eq!(error("0,#1,[0,1],4"), "1 gene too many after 3 decisions, from `4` on");
}

#[test]
fn every_value_of_a_decision_is_drawn_alike() {
    let four = [0, 1, 2, 3];
    let rules: [(&[Rule], usize); 4] =
        [(&[], 16), (&[Rule::Distinct], 12), (&[Rule::Sorted], 10), (&[Rule::Distinct, Rule::Sorted], 6)];
    let spaces = rules.iter().map(|(rules, values)| (many_of(2, four, rules), *values));
    let others = [(one_of(four), 4), (int(-2, 5), 8), (permutation([1, 2, 3]), 6), (prefix(1, four), 4)];
    for (value, values) in spaces.chain(others) {
        let space = Space::untyped(&value).unwrap();
        assert_eq!(space.size().to_string(), values.to_string());
        let (mut rng, draws) = (Seed(5).stream(0, "test"), 400 * values);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..draws {
            *counts.entry(space.random(&mut rng).unwrap().to_string()).or_insert(0usize) += 1;
        }
        // Six standard deviations of a binomial count.
        let spread = 6.0 * 400f64.sqrt();
        assert_eq!(counts.len(), values, "{value}: {counts:?}");
        assert!(counts.values().all(|count| count.abs_diff(400) < spread as usize), "{value}: {counts:?}");
    }
}

#[test]
fn floats_are_drawn_by_their_scale() {
    let median = |value: Value| {
        let space = Space::untyped(&value).unwrap();
        let mut rng = Seed(5).stream(0, "test");
        let mut draws: Vec<f64> =
            (0..2001).map(|_| space.decode(&space.random(&mut rng).unwrap()).unwrap()).collect();
        draws.sort_by(f64::total_cmp);
        draws[1000]
    };
    assert!((median(float(1.0, 100.0).into()) - 50.5).abs() < 5.0);
    assert!((median(float(1.0, 100.0).log().into()) - 10.0).abs() < 2.0);
    assert!((median(float(1.0, 100.0).reverse_log().into()) - 91.0).abs() < 2.0);
}

#[test]
fn deep_spaces_need_no_deep_stack() {
    let deep = |levels: usize| (0..levels).fold(one_of([1, 2]), |inner, _| one_of([inner, 0.into()]));
    let space = Space::untyped(&deep(90)).unwrap();
    assert_eq!(space.size().to_string(), "92");
    let all: Vec<Genotype> = space.genotypes().collect();
    assert_eq!(all.len(), 92);
    for genotype in &all {
        let program = space.materialize(genotype).unwrap();
        assert_eq!(space.materialize(&space.encode(&program).unwrap()).unwrap(), program);
        assert_eq!(genotype.to_string().parse::<Genotype>().unwrap(), *genotype);
    }
    assert!(Space::untyped(&deep(300)).unwrap_err().to_string().contains("nested more than"));
}

#[test]
fn every_candidate_is_held_against_the_type() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Net {
        kernels: Vec<u8>,
        widths: Vec<u8>,
    }
    let net = || Space::of(&Net { kernels: vec![3], widths: vec![8] }).unwrap();
    let refused = |path: &str, value: Value| match net().rebind(path, value) {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().iter().map(|problem| problem.message.clone()).collect(),
    };
    let number = "expected a whole number from 0 to 255, found";
    for rules in [&[][..], &[Rule::Distinct], &[Rule::Sorted], &[Rule::Distinct, Rule::Sorted]] {
        let met = refused("kernels", many_of(2, [1, 256, 2, 257], rules));
        for wrong in [256, 257] {
            assert!(met.iter().any(|message| message.ends_with(&format!("{number} `{wrong}`"))), "{met:?}");
        }
    }
    assert_eq!(refused("kernels[0]", int(250, 260)).len(), 1);
    assert_eq!(refused("widths", prefix(1, [1, 300])), [format!("widths[1]: {number} `300`")]);
    assert_eq!(refused("width", int(1, 2)), ["width: unknown field `width`"]);
    assert!(refused("widths", permutation([1, 2])).is_empty());
    let rebound = net().rebind("kernels[0]", one_of([3, 5])).unwrap().rebind("widths[0]", int(8, 9)).unwrap();
    assert_eq!(rebound.size().to_string(), "4");
}
