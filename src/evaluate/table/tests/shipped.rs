//! The tables that are shipped: whole, and with the best that is known of them.

use super::{figures, trial};
use crate::evaluate::{Evaluate, Prepare, Table};
use crate::experiment::Experiment;
use crate::space::{Size, Space};
use crate::trial::{Fidelity, Objective};

fn shipped(name: &str) -> (Space, Box<dyn Evaluate>) {
    let root = env!("CARGO_MANIFEST_DIR");
    let space =
        Space::load(format!("{root}/benches/search/{name}.ron")).unwrap_or_else(|error| panic!("{error}"));
    let experiment: Experiment = space.experiment_as().expect("an experiment").expect("it has one");
    let space = experiment.evaluator.restrict(space).unwrap_or_else(|error| panic!("{error}"));
    let evaluator = experiment.evaluator.prepare(&space).unwrap_or_else(|error| panic!("{error}"));
    (space, evaluator)
}

#[test]
fn nasbench201_is_whole_and_has_its_known_best() {
    let (space, evaluator) = shipped("nasbench201");
    assert_eq!(evaluator.metrics(), ["accuracy", "params", "macs", "latency_ms", "seconds"]);
    let best = evaluator.hidden_best(&Objective::Maximize("test_accuracy".into())).expect("known");
    assert!((best - 0.9437).abs() < 1e-4, "{best}");
    // Row 0: |avg_pool~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|
    let met = figures(trial(&*evaluator, &space, "4,2,1,2,1,1", 12, 0));
    assert!((met[0].1 - 0.63364).abs() < 1e-9 && (met[4].1 - 1444.2 * 0.06).abs() < 1e-9, "{met:?}");
    // The space builds the very network that was measured.
    let cost = space.cost(&"4,2,1,2,1,1".parse().unwrap()).expect("builds").expect("a network");
    assert!((met[1].1 - cost.params as f64).abs() < 0.5, "{met:?}");
}

#[test]
fn the_architecture_string_of_nasbench201_is_its_digits() {
    let (space, evaluator) = shipped("nasbench201");
    let words = r#"{"none": "Zero", "skip_connect": "SkipConnect", "nor_conv_1x1": "ReluConvBn(kernel: 1)",
                    "nor_conv_3x3": "ReluConvBn(kernel: 3)", "avg_pool_3x3": "AvgPool(kernel: 3)"}"#;
    let table: Table = ron::from_str(&format!(
        r#"(file: "tests/tables/nasbench201_cifar10.csv.gz", key: Text(column: "arch", words: {words}),
            metrics: {{"accuracy": [(columns: "c10_test200", scale: 0.01)]}})"#
    ))
    .expect("a description");
    let by_words = table.prepare(&space).expect("a table");
    for genotype in space.genotypes().step_by(97) {
        let key = space.key(&genotype).expect("a key");
        let test = evaluator.hidden(&genotype, &key).expect("a row")["test_accuracy"];
        assert_eq!(figures(trial(&*by_words, &space, &genotype.to_string(), 1, 0))[0].1, test);
    }
}

#[test]
fn ecnas_is_a_space_of_its_91_cells() {
    let (space, evaluator) = shipped("ecnas");
    assert_eq!(space.size(), Size::Finite(91u32.into()));
    assert_eq!(evaluator.fidelities(), [4, 12, 36, 108].map(Fidelity));
    for genotype in space.genotypes() {
        let met = figures(trial(&*evaluator, &space, &genotype.to_string(), 108, 0));
        let cost = space.cost(&genotype).expect("builds").expect("a network");
        let params = met.iter().find(|(name, _)| name == "params").expect("params").1;
        assert_eq!(params, cost.params as f64, "{genotype}");
    }
}

#[test]
fn fcnet_is_whole() {
    let (space, evaluator) = shipped("fcnet");
    assert_eq!(space.size(), Size::Finite(62_208u32.into()));
    let best = evaluator.hidden_best(&Objective::Minimize("mean_error".into())).expect("known");
    let first = figures(trial(&*evaluator, &space, "0,0,0,0,0,0,0,0,0", 1, 0));
    assert!([0.342, 0.341, 0.3392, 0.3387].contains(&first[0].1), "{first:?}");
    assert!((0.15..0.3387).contains(&best), "{best}");
}

/// 20,001 rows; a debug build looks at the table of 91 cells alone.
#[test]
#[cfg(not(debug_assertions))]
fn nasbench101_is_a_space_of_its_rows() {
    let start = std::time::Instant::now();
    let (space, evaluator) = shipped("nasbench101");
    println!("nasbench101 is ready after {:.2} s", start.elapsed().as_secs_f64());
    assert_eq!(space.size(), Size::Finite(20_001u32.into()));
    let best = evaluator.hidden_best(&Objective::Maximize("full_accuracy".into())).expect("known");
    assert!((0.945..0.95).contains(&best), "{best}");
}
