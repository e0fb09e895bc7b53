use super::*;

const ALL: FeatureSet =
    FeatureSet { decisions: true, labels: true, paths: true, graph: true, cost: true, figures: false };

fn nasbench201() -> Space {
    Space::load(concat!(env!("CARGO_MANIFEST_DIR"), "/search_spaces/nasbench201.ron")).expect("loads")
}

fn sight(genotype: &str) -> Sight {
    Sight::of(&nasbench201(), &genotype.parse().unwrap(), true).unwrap().expect("a network")
}

#[test]
fn cells_are_seen_as_their_ops_see_each_other() {
    // 0 -> 1 by a 3x3, 1 -> 3 by a pool; 0 -> 3 by a skip. The rest is zero.
    let seen = sight("3,0,0,1,4,0");
    assert_eq!(seen.paths.len(), 2);
    assert_eq!(seen.figures[OF_CELLS], [Some(2.0), Some(4.0), Some(2.0), Some(1.0)]);
    // Two ops; each with what it reads and the output so; and once more.
    assert_eq!([&seen.ops, &seen.near, &seen.far].map(|it| it.values().sum::<u32>()), [2, 3, 3]);
    let dead = sight("0,0,0,0,0,0");
    assert_eq!((dead.paths.len(), dead.figures[0]), (0, Some(0.0)));
}

#[test]
fn isomorphic_cells_look_alike_and_others_do_not() {
    // By node 1 or by node 2.
    let (one, other) = (sight("3,0,0,1,4,0"), sight("0,3,0,1,0,4"));
    assert_eq!((&one.paths, &one.near, &one.far), (&other.paths, &other.near, &other.far));
    assert_eq!(one.figures, other.figures);
    let reversed = sight("4,0,0,1,3,0");
    assert_ne!(one.paths, reversed.paths);
    assert_eq!(one.ops, reversed.ops);
    assert_ne!(one.near, reversed.near);
}

#[test]
fn columns_are_those_of_random_candidates_and_always_the_same() {
    let space = nasbench201();
    let features = || {
        let mut features = NetworkFeatures::of(&space, ALL);
        let mut layout = Layout::default();
        features.place(&mut layout);
        (features, layout)
    };
    let ((features, layout), (again, _)) = (features(), features());
    let paths = &features.bags[0].places;
    // A path has up to three ops of three kinds: 1 + 3 + 9 + 27 in all.
    assert!((10..=40).contains(&paths.len()), "{}", paths.len());
    let counted: usize = features.bags.iter().map(|bag| bag.places.len()).sum();
    assert_eq!((features.bags.len(), layout.columns()), (4, counted + KNOTS * features.gauges.len()));
    assert!(features.gauges.len() >= 5, "{:?}", features.gauges);
    let describe = |features: &NetworkFeatures, genotype: &str| {
        let mut described = Features::new();
        features.describe(&space, &genotype.parse().unwrap(), &mut described).unwrap();
        described
    };
    let known = describe(&features, "3,0,4,1,4,2");
    assert_eq!(known, describe(&again, "3,0,4,1,4,2"));
    assert!(known.iter().all(|(column, _)| (*column as usize) < layout.columns()));
}

#[test]
fn figures_rank_among_those_of_random_candidates() {
    let gauge = Gauge { figure: 0, start: 0, known: vec![1.0, 2.0, 2.0, 1e9] };
    assert_eq!([0.0, 2.0, 5.0, 1e12].map(|figure| gauge.rank(figure)), [0.0, 0.5, 0.75, 1.0]);
}
