//! Space files: what they extend and patch, what they keep, and what their constraints turn down.

use cellwright::space::{DecisionKind, Size};
use cellwright::{Candidate, Experiment, Seed, Space};

const SMALL: &str = "tests/spaces/small.ron";

fn small(with: &str) -> Space {
    let text = format!("Space(extends: \"small.ron\", {with})");
    Space::from_ron("tests/spaces/text.ron", &text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_file_is_read_with_all_its_sections() {
    let space = Space::load(SMALL).unwrap();
    assert_eq!((space.name(), space.about()), (Some("small"), Some("A space for tests of spaces.")));
    assert_eq!(space.size(), Size::Continuous);
    assert_eq!(*space.discrete_size(), 18u32.into());
    let named: Vec<_> = space.decisions().iter().map(|decision| decision.name.as_deref()).collect();
    assert_eq!(named, [Some("width"), Some("op"), Some("op"), None]);
    assert_eq!(space.decisions()[2].id, "architecture[0][2]");
    let experiment: Experiment = space.experiment_as().unwrap().expect("the file has one");
    assert_eq!(experiment.trials, 5);
}

#[test]
fn an_extended_space_is_the_other_one_with_its_changes() {
    let space = small(
        r#"name: "wider", patch: [
            Set("let[\"width\"]", OneOf([8, 16, 32])),
            Set("training.learning_rate", 0.1),
            Replace(query: "**<MaxPool>", with: AvgPool(kernel: 3)),
            Set("experiment.trials", 7),
        ], let: { "unused": 1 }"#,
    );
    assert_eq!(space.name(), Some("wider"));
    assert_eq!(space.size().to_string(), "27");
    assert_eq!(space.decisions()[1].labels, ["SepConv(kernel: 3)", "AvgPool(kernel: 3)", "SkipConnect"]);
    assert_eq!(space.experiment_as::<Experiment>().unwrap().unwrap().trials, 7);
}

#[test]
fn an_experiment_with_a_mistake_is_told_with_its_place() {
    let space = small(r#"patch: [Set("experiment.trialz", 7)]"#);
    let error = space.experiment_as::<Experiment>().unwrap_err().to_string();
    assert_eq!(error, "tests/spaces/text.ron:1:62: unknown field `trialz`; did you mean `trials`?");
}

#[test]
fn the_source_text_needs_no_other_file() {
    let space = small(r#"patch: [Set("training.batch", OneOf([32, 64]))]"#);
    let text = space.source_text();
    let again = Space::from_ron("somewhere/else.ron", &text).unwrap();
    assert_eq!(again.source_text(), text);
    assert_eq!(again.constraints(), space.constraints());
    let rebound = space.rebind("training.learning_rate", 0.1).unwrap();
    let space = Space::from_ron("rebound.ron", &rebound.source_text()).unwrap();
    assert_eq!(space.size().to_string(), "36");
    assert_eq!((space.name(), space.constraints()), (Some("small"), again.constraints()));
    assert_eq!(rebound.experiment(), space.experiment());
    let (space, again) = (rebound, space);
    for index in 0..20 {
        let genotype = space.random(&mut Seed(index).stream(0, "test")).unwrap();
        assert_eq!(again.materialize(&genotype).unwrap(), space.materialize(&genotype).unwrap());
    }
}

#[test]
fn constraints_turn_down_and_count() {
    let space = small(r#"patch: [Set("training.learning_rate", 0.1)], constraints: [Params(max: 800)]"#);
    let rng = &mut Seed(3).stream(0, "test");
    let all: Vec<_> = space.genotypes().collect();
    assert!(!all.is_empty() && all.len() < 18, "{}", all.len());
    for _ in 0..50 {
        let parent = space.random(rng).unwrap();
        let other = space.mutate(&parent, rng).unwrap();
        let child = space.crossover(&parent, &other, rng).unwrap();
        let near = space.neighbours(&parent).unwrap();
        for genotype in [&parent, &other, &child].into_iter().chain(&near) {
            assert!(space.cost(genotype).unwrap().unwrap().params <= 800);
            assert!(all.contains(genotype));
        }
    }
    assert!(space.rejections() > 0);
}

#[test]
fn constraints_that_nothing_meets_say_so() {
    let space = small("constraints: [Params(max: 100)]");
    let error = space.random(&mut Seed(3).stream(0, "test")).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"no candidate within the constraints in 10000 draws: Params(max: 100) turned all of them down, the closest with 178; loosen the constraint or widen the space");
    assert_eq!(space.rejections(), 10_000);
}

#[test]
fn typed_programs_are_encoded_with_their_defaults_written_out() {
    let space = small(r#"patch: [Set("training.learning_rate", 0.1)]"#);
    for genotype in space.genotypes() {
        let candidate: Candidate = space.decode(&genotype).unwrap();
        let program = cellwright::symbolic::to_value(&candidate).unwrap();
        assert_eq!(space.encode(&program).unwrap(), genotype);
    }
    let mut program = space.materialize(&"0,0,0".parse().unwrap()).unwrap();
    program.set("architecture[0][1]", cellwright::symbolic::Value::unit("Zero")).unwrap();
    let error = space.encode(&program).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"architecture[0][1]: `Zero` is not one of: SepConv(kernel: 3), MaxPool, SkipConnect");
    program.set("architecture[0][1]", cellwright::symbolic::Value::unit("MaxPool")).unwrap();
    program.set("training.batch", 1).unwrap();
    let error = space.encode(&program).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"training.batch: the program has `1` where the space has `64`");
}

#[test]
fn isomorphic_candidates_have_one_key() {
    let space = Space::load("search_spaces/quickstart.ron").unwrap();
    let key = |text: &str| space.key(&text.parse().unwrap()).unwrap();
    assert_eq!(key("0(0,1,1,2)"), key("0(1,2,0,1)"));
    assert_ne!(key("0(0,1,1,2)"), key("0(0,1,1,3)"));
    assert!(matches!(space.decisions()[0].kind, DecisionKind::Choice { candidates: 2 }));
}

#[test]
fn a_genotype_of_another_space_is_refused() {
    let space = Space::load(SMALL).unwrap();
    let error = |text: &str| space.materialize(&text.parse().unwrap()).unwrap_err().to_string();
    insta::assert_snapshot!(error("0,1,2,0.01,3"), @"1 gene too many after 4 decisions, from `3` on");
    insta::assert_snapshot!(error("0,1,2,1.5"), @"training.learning_rate: 1.5 is not in 0.001..=0.1");
    insta::assert_snapshot!(error("0,1,7,0.01"), @"architecture[0][2]: choice 7 is not in 0..=2");
}
