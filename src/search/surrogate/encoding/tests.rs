use super::*;
use crate::search::contract::spaces;

fn features(space: &Space, genotype: &str) -> Features {
    let active = space.active(&genotype.parse().unwrap()).unwrap();
    Encoding::of(space).features(space, &active)
}

#[test]
fn blocks_share_their_slots_and_alike_decisions_their_tables() {
    let space = spaces::cell();
    let encoding = Encoding::of(&space);
    let slots: Vec<(usize, usize)> =
        encoding.layout().slots.iter().map(|slot| (slot.kind, slot.width)).collect();
    // Left input and op, right input and op, and the knots of the rate: inputs grow to four, ops stay three.
    assert_eq!(slots, [(0, 4), (1, 3), (0, 4), (1, 3), (2, KNOTS)]);
    assert_eq!(encoding.layout().kinds, [4, 3, KNOTS]);
}

#[test]
fn the_tokens_of_blocks_are_averaged() {
    let space = spaces::cell();
    let two = features(&space, "1(0,1,0,2,2,1,0,2),1.0");
    let weight =
        |column: u32| two.iter().filter(|(other, _)| *other == column).map(|(_, weight)| weight).sum::<f32>();
    // Left inputs 0 and 2, left ops 1 and 1, right inputs 0 and 0, right ops 2 and 2.
    assert_eq!([weight(0), weight(2), weight(5), weight(7), weight(13)], [0.5, 0.5, 1.0, 1.0, 1.0]);
    // The rate, at its high end, is outside of all blocks.
    assert_eq!(weight(14 + KNOTS as u32 - 1), 1.0);
}

#[test]
fn numbers_lie_between_knots_and_inactive_decisions_have_no_token() {
    let space = spaces::conditional();
    // Three optimizers, then seven knots for the momentum of the first, then four depths.
    let first = features(&space, "0(0.25),3");
    assert_eq!(first[0], (0, 1.0));
    let momentum: Vec<_> = first.iter().filter(|(column, _)| (3..10).contains(column)).collect();
    assert_eq!(momentum, [&(4, 0.5), &(5, 0.5)]);
    assert_eq!(features(&space, "1,3"), [(1, 1.0), (13, 1.0)]);
}

#[test]
fn numbers_are_told_from_choices() {
    let measures = |space: &Space| {
        Encoding::of(space).layout().slots.iter().map(|slot| slot.measure).collect::<Vec<_>>()
    };
    let space = spaces::conditional();
    assert_eq!(measures(&space), [Measure::Choice, Measure::Number, Measure::Number]);
    let text = "(a: OneOf([0.3, 0.1]), b: OneOf([8, 4, 2]), c: OneOf([1, 3, 2]), d: OneOf([1, 2, X]))";
    let space = Space::untyped(&text.parse().unwrap()).unwrap();
    assert_eq!(measures(&space), [Measure::Choice, Measure::Number, Measure::Choice, Measure::Choice]);
}

#[test]
fn labels_are_counted_wherever_they_are_chosen() {
    let space = spaces::cell();
    let set = FeatureSet { labels: true, decisions: false, ..FeatureSet::default() };
    let encoding = Encoding::with(&space, set);
    let widths: Vec<usize> = encoding.layout().slots.iter().map(|slot| slot.width).collect();
    // Four inputs and three ops, on both sides of each block.
    assert_eq!(widths, [4, 3]);
    let two = encoding.describe(&space, &"1(0,1,0,2,2,1,0,2),1.0".parse().unwrap()).unwrap();
    assert_eq!(two, [(0, 0.75), (2, 0.25), (5, 0.5), (6, 0.5)]);
}

#[test]
fn programs_that_are_no_networks_have_decisions_only_and_always() {
    let space = spaces::conditional();
    let all = FeatureSet { decisions: false, paths: true, graph: true, cost: true, ..FeatureSet::default() };
    let (with, of) = (Encoding::with(&space, all), Encoding::of(&space));
    assert_eq!(with.layout(), of.layout());
    let genotype: Genotype = "0(0.25),3".parse().unwrap();
    let active = space.active(&genotype).unwrap();
    assert_eq!(with.describe(&space, &genotype).unwrap(), of.features(&space, &active));
}

#[test]
fn what_cannot_be_decided_otherwise_has_no_columns() {
    let space = spaces::one_point();
    assert_eq!(Encoding::of(&space).layout().columns(), 0);
    assert_eq!(features(&space, "0,#3"), []);
}
