//! `cellwright bench` on a table of sixteen candidates.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::Home;

const SPACE: &str = r#"Space(
    name: "grid",
    program_type: Any,
    program: (a: OneOf([0, 1, 2, 3]), b: OneOf([0, 1, 2, 3])),
    experiment: (
        evaluator: Table(
            file: "grid.csv",
            key: Digits("code"),
            metrics: { "accuracy": [(columns: ["val_a", "val_b"])] },
            seconds: [(columns: "seconds")],
            hidden: { "test_accuracy": (columns: "test") },
        ),
        objectives: [Maximize("accuracy")],
        trials: 16,
    ),
)"#;

const BENCH: &str = r#"Bench(
    title: "Sixteen candidates",
    spaces: [(file: "grid.ron", metric: "test_accuracy", unit: Points)],
    algorithms: [
        (algorithm: Random),
        (label: "evolution", algorithm: RegularizedEvolution(population: 4, sample: 2)),
    ],
    seeds: 8,
    queries: 16,
    budgets: (queries: [4, 16], seconds: [60.0]),
)
"#;

/// A folder with the bench, its space, and a table whose readings tell the truth to a hundredth.
fn home() -> Home {
    let row = |index: u32| {
        let (a, b) = (index / 4, index % 4);
        let test = 0.5 + 0.03 * f64::from(index);
        format!("{a}{b},{:.3},{:.3},{test:.3},{}\n", test - 0.01, test + 0.01, 10 + index)
    };
    let home = Home::new();
    home.write("grid.ron", SPACE);
    home.write("bench.ron", BENCH);
    home.write(
        "grid.csv",
        format!("code,val_a,val_b,test,seconds\n{}", (0..16).map(row).collect::<String>()),
    );
    home
}

/// The JSON without what the clock says.
fn timeless(home: &Home, flags: &str) -> Value {
    let mut lines = home.run(&format!("bench bench.ron --json {flags}")).json();
    assert_eq!(lines.len(), 1);
    let mut results = lines.remove(0);
    for space in results["spaces"].as_array_mut().expect("spaces") {
        assert!(space["proposal_ms"][0][0].as_f64().expect("a time") > 0.0);
        space["proposal_ms"] = Value::Null;
    }
    results
}

#[test]
fn the_same_figures_on_any_number_of_threads() {
    let home = home();
    let alone = timeless(&home, "--threads 1");
    assert_eq!(alone, timeless(&home, "--threads 3"));
    assert_eq!(alone, timeless(&home, ""));
    let queries = &alone["spaces"][0]["axes"][0];
    assert_eq!(queries["budgets"], serde_json::json!([4.0, 16.0]));
    for curve in queries["curves"].as_array().expect("curves") {
        let at_budgets = curve["at_budgets"].as_array().expect("budgets");
        assert_eq!(at_budgets[0].as_array().map(Vec::len), Some(8), "a regret for each seed");
        // The whole space was looked at, and no reading is a hundredth off.
        assert!(at_budgets[1].as_array().expect("regrets").iter().all(|regret| regret.as_f64() == Some(0.0)));
    }
    assert_eq!(alone["rankings"][1]["wins"], serde_json::json!([0.5, 0.5]));
    assert_ne!(alone, timeless(&home, "--seeds 7"));
}

#[test]
fn a_table_for_each_question() {
    let home = home();
    let text = home.run("bench bench.ron").succeeded();
    let heads: Vec<&str> = text.lines().filter(|line| !line.contains("  ") && !line.is_empty()).collect();
    assert_eq!(
        heads,
        [
            "grid: regret by queries",
            "grid: regret by seconds",
            "Ranks by queries",
            "Ranks by seconds",
            "What a proposal costs"
        ]
    );
    let one = home.run("bench bench.ron --algorithm evolution --space grid --queries 4").succeeded();
    assert!(!one.contains("random") && !one.contains("Ranks"), "{one}");
}

#[test]
fn a_report_with_its_plots_and_figures() {
    let home = home();
    let said =
        home.run_words(&["bench", "bench.ron", "--output", "out", "--markdown", "--note", "machine: any"]);
    let printed = said.succeeded();
    assert_eq!(home.read("out/bench.md"), printed);
    let (head, rest) = printed.split_once("\n\n## grid: regret by queries\n").expect("a section");
    let took =
        head.strip_prefix("# Sixteen candidates\n\n- machine: any\n- took: ").expect("title, note and time");
    let (seconds, _) = took.split_once(" s on ").expect("on so many threads");
    assert!(seconds.parse::<f64>().is_ok_and(|seconds| seconds < 600.0), "{head}");
    assert!(rest.contains(": mean of 8 seeds and its 95 % interval"), "{rest}");
    assert!(printed.contains("![grid: regret by queries](grid-queries.svg)"));
    for axis in ["queries", "seconds"] {
        let svg = home.read(&format!("out/grid-{axis}.svg"));
        assert!(svg.starts_with("<svg") && svg.contains(">evolution<") && !svg.contains("NaN"), "{svg}");
    }
    let figures: Value = serde_json::from_str(&home.read("out/bench.json")).expect("JSON");
    assert_eq!(figures["algorithms"], serde_json::json!(["random", "evolution"]));
}

/// What the command says of the bench file with a word replaced.
fn refused(word: &str, other: &str) -> String {
    let home = home();
    assert!(BENCH.contains(word), "`{word}` is not in the file");
    home.write("bench.ron", BENCH.replace(word, other));
    home.run("bench bench.ron").refused()
}

#[test]
fn files_that_compare_nothing() {
    assert_snapshot!(refused("algorithm: Random", "algorithm: Randm"), @r#"
      × unknown name `Randm`
       ╭─[bench.ron:5:21]
     4 │     algorithms: [
     5 │         (algorithm: Randm),
       ·                     ──┬──
       ·                       ╰── algorithms[0].algorithm
     6 │         (label: "evolution", algorithm: RegularizedEvolution(population: 4, sample: 2)),
       ╰────
      help: did you mean `Random`?
    "#);
    assert_snapshot!(refused("seeds: 8", "seeds: 0"), @r#"
      × 0 seeds
       ╭─[bench.ron:8:12]
     7 │     ],
     8 │     seeds: 0,
       ·            ─
     9 │     queries: 16,
       ╰────
      help: at least 1 is needed, and 2 for an interval
    "#);
    assert_snapshot!(refused("[4, 16]", "[4, 17]"), @r#"
      × a budget of 17 queries, and runs of 16
        ╭─[bench.ron:10:14]
      9 │     queries: 16,
     10 │     budgets: (queries: [4, 17], seconds: [60.0]),
        ·              ───────────────────────────────────
     11 │ )
        ╰────
      help: raise `queries`, or leave the budget out
    "#);
    assert_snapshot!(refused("test_accuracy", "test_acuracy"), @"error: grid.ron: its evaluator keeps no `test_acuracy` from the search; it keeps test_accuracy (did you mean `test_accuracy`?)");
    assert_snapshot!(refused("grid.ron", "small.ron"), @"error: small.ron: its evaluator `cost` knows no truth that is kept from the search, so that nothing can be scored by it; use a `Table` with hidden columns");
    assert_snapshot!(refused("grid.ron", "none.ron"), @r#"
    error: none.ron: No such file or directory (os error 2)
      hint: check the path, which starts at the folder that the command is run in
    "#);
}

#[test]
fn words_that_choose_nothing() {
    let home = home();
    let said = |line: &str| home.run(&format!("bench bench.ron {line}")).refused();
    assert!(
        said("--algorithm evolutoin")
            .contains("no algorithm `evolutoin` in the file; it has random, evolution")
    );
    assert!(said("--space other").contains("no space `other` in the file; it has grid"));
    for flag in ["--seeds", "--queries", "--threads"] {
        assert!(said(&format!("{flag} 0")).contains("a whole number of at least 1 is needed"), "{flag}");
    }
    home.write("grid.ron", SPACE.replace("            seconds: [(columns: \"seconds\")],\n", ""));
    assert!(said("").contains("there are budgets of seconds, and its evaluator reports no `seconds`"));
}

const FRONT: &str = r#"Bench(
    spaces: [(
        file: "grid.ron",
        objectives: [Maximize("accuracy"), Minimize("seconds")],
        front: [Maximize("test_accuracy"), Minimize("cost")],
        unit: Points,
    )],
    algorithms: [(algorithm: Random), (label: "four workers", algorithm: Random, workers: 4), (algorithm: Nsga2)],
    seeds: 3,
    queries: 16,
    budgets: (queries: [4, 16], seconds: [70.0, 400.0]),
)
"#;

#[test]
fn fronts_are_judged_and_workers_share_the_time() {
    let home = home();
    home.write("grid.ron", SPACE.replace("hidden: { ", "hidden: { \"cost\": (columns: \"seconds\"), "));
    home.write("front.ron", FRONT);
    let results = home.run("bench front.ron --json").json().remove(0);
    assert_eq!(results["workers"], serde_json::json!([1, 4, 1]));
    let space = &results["spaces"][0];
    assert_eq!(space["metrics"], serde_json::json!(["test_accuracy", "cost"]));
    // Dearer candidates are better, so that all sixteen are the front: 1 + .. + 14 squares of a box of 15 x 15.
    assert!((space["best"].as_f64().expect("a volume") - 105.0 / 225.0).abs() < 1e-9, "{space}");
    let mean = |axis: usize, algorithm: usize, budget: usize| {
        let regrets = &space["axes"][axis]["curves"][algorithm]["at_budgets"][budget];
        let regrets: Vec<f64> = serde_json::from_value(regrets.clone()).expect("regrets");
        regrets.iter().sum::<f64>() / regrets.len() as f64
    };
    for algorithm in 0..3 {
        assert!(mean(0, algorithm, 0) > 10.0, "four of sixteen are no front");
        assert!(mean(0, algorithm, 1).abs() < 1e-9, "all of them are");
        assert!(mean(1, algorithm, 1).abs() < 1e-9, "400 seconds are enough for all");
    }
    assert!(mean(1, 1, 0) < mean(1, 0, 0), "in 70 seconds four workers see more than one");
    let said = |word: &str, other: &str| {
        home.write("front.ron", FRONT.replace(word, other));
        home.run("bench front.ron").refused()
    };
    let objectives = "objectives: [Maximize(\"accuracy\"), Minimize(\"seconds\")],";
    assert_snapshot!(said(objectives, ""), @"error: grid.ron: its `front` has 2, and its searches have 1 objectives; name what each of them is in truth, in their order");
    assert_snapshot!(said("\"seconds\")],", "\"second\")],"), @"error: grid.ron: its evaluator does not report `second`; it reports accuracy, seconds (did you mean `seconds`?)");
    assert_snapshot!(said("Minimize(\"cost\")", "Minimize(\"costs\")"), @"error: grid.ron: its evaluator keeps no `costs` from the search; it keeps cost, test_accuracy (did you mean `cost`?)");
    home.write("grid.ron", SPACE.replace("            seconds: [(columns: \"seconds\")],\n", ""));
    let one = "metric: \"test_accuracy\", unit: Points";
    let whole = FRONT.split("        objectives:").next().expect("its start").to_owned()
        + &format!("        {one})], algorithms: [(algorithm: Random, workers: 4)], queries: 16)\n");
    home.write("front.ron", whole);
    assert_snapshot!(home.run("bench front.ron").refused(), @"error: grid.ron: there are several workers, and its evaluator reports no `seconds`; name the column, or leave them out");
}
