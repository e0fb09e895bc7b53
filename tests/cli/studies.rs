//! `search`, then everything that looks at what it left: `rank`, `retrain`, `export`, and `search` again.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::Home;

#[test]
fn a_search_tells_its_trials_ranks_them_and_draws_the_winner() {
    let home = Home::new();
    assert_snapshot!(home.run("search small.ron --run run"), @"
    exit code 0
    --- stdout
    rank  trial  front  params    macs  activation_bytes  depth  wall_seconds  genotype
    1         5      1   1.2 k  35.5 k            67.9 k      5             _   0,1,1,0
    2         2      1   1.5 k  39.6 k            71.0 k      6             _   1,2,1,0
    3         0      1   4.5 k   111 k            99.7 k     17             _   1,1,0,0
    4         1      2   4.8 k   115 k             103 k     17             _   0,2,0,0
    5         4      3   5.0 k   149 k             142 k      5             _   0,2,1,1
    wrote run/best/cell.ron, run/best/cell.dot, run/best/cell.svg
    --- stderr
    small: 24 candidates, 4 decisions; random, 6 trials at fidelity 1, 1 worker, seed 1; run folder run
    1/6 trial 0 params 4.5 k, macs 111 k, activation_bytes 99.7 k, depth 17; best params 4.5 k (trial 0), about _ left
    2/6 trial 1 params 4.8 k, macs 115 k, activation_bytes 103 k, depth 17; best params 4.5 k (trial 0), about _ left
    3/6 trial 2 params 1.5 k, macs 39.6 k, activation_bytes 71.0 k, depth 6; best params 1.5 k (trial 2), about _ left
    4/6 trial 3 params 12.8 k, macs 333 k, activation_bytes 199 k, depth 17; best params 1.5 k (trial 2), about _ left
    5/6 trial 4 params 5.0 k, macs 149 k, activation_bytes 142 k, depth 5; best params 1.5 k (trial 2), about _ left
    6/6 trial 5 params 1.2 k, macs 35.5 k, activation_bytes 67.9 k, depth 5; best params 1.2 k (trial 5), about _ left
    training trial 5 at fidelity 20
    trained trial 5: params 1.2 k, macs 35.5 k, activation_bytes 67.9 k, depth 5 in _
    ");
    for (file, start) in [("cell.ron", "// Found by"), ("cell.dot", "digraph"), ("cell.svg", "<svg")] {
        let text = home.read(&format!("run/best/{file}"));
        assert!(text.trim_start().starts_with(start), "{file}: {text}");
    }
}

#[test]
fn without_a_run_folder_the_space_names_it() {
    let home = Home::new();
    home.run("search small.ron --no-retrain").succeeded();
    assert!(home.path("runs/small/study.sqlite").is_file());
}

#[test]
fn the_same_search_again_does_nothing_twice() {
    let home = Home::searched();
    let before = home.run("rank run --json").json();
    assert_snapshot!(home.run("search small.ron --run run").told(), @"
    small: 24 candidates, 4 decisions; random, 6 trials at fidelity 1, 1 worker, seed 1; run folder run
    all 6 trials are there
    ");
    assert_eq!(home.run("rank run --json").json(), before, "even the seconds are the old ones");
}

#[test]
fn more_trials_go_on_where_the_search_ended() {
    let home = Home::searched();
    assert_snapshot!(home.run("search small.ron --run run --trials 8").told(), @"
    small: 24 candidates, 4 decisions; random, 8 trials at fidelity 1, 1 worker, seed 1; run folder run
    going on: 6 of 8 trials are there
    7/8 trial 6 params 19.2 k, macs 468 k, activation_bytes 263 k, depth 17; best params 1.2 k (trial 5), about _ left
    8/8 trial 7 params 5.0 k, macs 149 k, activation_bytes 142 k, depth 6; best params 1.2 k (trial 5), about _ left
    ");
    assert_snapshot!(home.run("search small.ron --run run --trials 3").told(), @"
    small: 24 candidates, 4 decisions; random, 3 trials at fidelity 1, 1 worker, seed 1; run folder run
    all 3 trials are there, and 5 more
    ");
    home.run("search small.ron --run at-once --trials 8").succeeded();
    assert_eq!(trials(&home, "run"), trials(&home, "at-once"));
}

#[test]
fn workers_and_seed_can_be_typed() {
    let home = Home::new();
    home.run("search small.ron --run run --workers 3 --seed 9 --fidelity 2 --trials 9").succeeded();
    let trials = home.run("rank run --json").json();
    assert_eq!(trials.len(), 9);
    assert!(trials.iter().all(|trial| trial["fidelity"] == 2));
}

#[test]
fn json_has_a_line_for_every_event_and_nothing_else() {
    let home = Home::new();
    let lines = home.run("search small.ron --run run --json").json();
    let event = |name: &str| lines.iter().filter(|line| line["event"] == name).count();
    assert_eq!((event("opened"), event("trial"), event("retrained")), (1, 6, 1), "{lines:?}");
    assert_eq!(event("opened") + event("trial") + event("incumbent") + event("retrained"), lines.len());
    let trial = lines.iter().find(|line| line["event"] == "trial").expect("a trial");
    assert_eq!(
        (&trial["trial"], &trial["state"], &trial["reason"]),
        (&json!(0), &json!("finished"), &Value::Null)
    );
    assert!(trial["metrics"]["params"].is_number() && trial["wall_seconds"].is_number(), "{trial}");
    assert!(home.path("run/best/cell.svg").is_file());
}

#[test]
fn every_algorithm_can_be_typed_by_its_label_or_in_ron() {
    let home = Home::new();
    // What searches with shared weights needs an evaluator that trains.
    let one_shot = ["auto_has", "enas", "single_path"];
    for label in cellwright::search::Algorithm::LABELS.iter().filter(|label| !one_shot.contains(label)) {
        let told =
            home.run(&format!("search small.ron --run {label} --algorithm {label} --no-retrain")).told();
        assert!(told.contains(&format!("; {label}, 6 trials")), "{told}");
    }
    for label in one_shot {
        let refused =
            home.run(&format!("search small.ron --run {label} --algorithm {label} --no-retrain")).refused();
        let words = format!(
            "`{label}` searches with weights that all candidates share, and the evaluator `cost` trains none"
        );
        assert!(refused.contains(&words), "{refused}");
        assert!(refused.contains(&format!("; {label}, 6 trials judged by shared weights, ")), "{refused}");
    }
    let pnas =
        ["search", "small.ron", "--run", "pnas", "--algorithm", "Progressive(preset: Pnas)", "--no-retrain"];
    let told = home.run_words(&pnas).told();
    assert!(told.contains("; progressive, 6 trials"), "{told}");
    assert_snapshot!(home.run("search small.ron --algorithm local_serch").refused(), @"
    error: invalid value 'local_serch' for '--algorithm <NAME>': unknown name `local_serch`; did you mean `local_search`?

    For more information, try '--help'.
    ");
    let wrong = home.run_words(&["search", "small.ron", "--algorithm", "Nsga2(populaton: 9)"]).refused();
    assert_snapshot!(wrong, @"
    error: invalid value 'Nsga2(populaton: 9)' for '--algorithm <NAME>': populaton: unknown field `populaton`; did you mean `population`?

    For more information, try '--help'.
    ");
}

#[test]
fn the_hypervolume_is_measured_from_any_point() {
    let home = Home::searched();
    let last = |options: &str| {
        let told = home.run(&format!("rank run --by -params --by -macs {options}")).succeeded();
        told.lines().last().unwrap_or_default().to_owned()
    };
    assert_snapshot!(last(""), @"hypervolume of the front, from params 12.8 k, macs 333 k: 3.46444e9");
    assert_snapshot!(last("--reference 2000,50000"), @"hypervolume of the front, from params 2.0 k, macs 50.0 k: 1.18128e7");
    let lines = home.run("rank run --by -params --by -macs --json --reference 2000,50000").json();
    assert_eq!(lines[6]["reference"], json!({"params": 2000.0, "macs": 50000.0}));
    assert!(lines[6]["hypervolume"].as_f64().is_some_and(|volume| volume > 0.0), "{}", lines[6]);
    assert_snapshot!(home.run("rank run --by -params --by -macs --reference 2000").refused(), @"
    error: the reference has 1 figure, and there are 2 objectives
      hint: give one figure for each objective, in their order: `--reference 0.5,1e6`
    ");
}

#[test]
fn trials_are_ranked_by_any_metric_either_way() {
    let home = Home::searched();
    assert_snapshot!(home.run("rank run"), @"
    exit code 0
    --- stdout
    rank  trial  front  params    macs  activation_bytes  depth  wall_seconds  genotype
    1         5      1   1.2 k  35.5 k            67.9 k      5             _   0,1,1,0
    2         2      1   1.5 k  39.6 k            71.0 k      6             _   1,2,1,0
    3         0      1   4.5 k   111 k            99.7 k     17             _   1,1,0,0
    4         1      2   4.8 k   115 k             103 k     17             _   0,2,0,0
    5         4      3   5.0 k   149 k             142 k      5             _   0,2,1,1
    6         3      3  12.8 k   333 k             199 k     17             _   0,1,0,1
    hypervolume of the front, from params 12.8 k, depth 5: 1.02960e5
    ");
    assert_snapshot!(home.run("rank run --by -macs --top 2"), @"
    exit code 0
    --- stdout
    rank  trial  params    macs  activation_bytes  depth  wall_seconds  genotype
    1         5   1.2 k  35.5 k            67.9 k      5             _   0,1,1,0
    2         2   1.5 k  39.6 k            71.0 k      6             _   1,2,1,0
    ");
    assert_snapshot!(home.run("rank run --by params --by -macs --pareto"), @"
    exit code 0
    --- stdout
    rank  trial  front  params    macs  activation_bytes  depth  wall_seconds  genotype
    1         3      1  12.8 k   333 k             199 k     17             _   0,1,0,1
    2         4      1   5.0 k   149 k             142 k      5             _   0,2,1,1
    3         1      1   4.8 k   115 k             103 k     17             _   0,2,0,0
    4         0      1   4.5 k   111 k            99.7 k     17             _   1,1,0,0
    5         2      1   1.5 k  39.6 k            71.0 k      6             _   1,2,1,0
    6         5      1   1.2 k  35.5 k            67.9 k      5             _   0,1,1,0
    hypervolume of the front, from params 1.2 k, macs 333 k: 8.55010e8
    ");
    let order = |by: &str| -> Vec<f64> {
        let ranked = home.run(&format!("rank run --json --by {by}")).json();
        ranked.iter().map(|trial| trial["metrics"]["macs"].as_f64().expect("a number")).collect()
    };
    let mut down = order("macs");
    assert!(down.is_sorted_by(|a, b| a >= b) && down.len() == 6, "{down:?}");
    down.reverse();
    assert_eq!(order("-macs"), down);
}

#[test]
fn a_finished_study_can_be_looked_at_where_nothing_can_be_written() {
    let home = Home::searched();
    let before = home.contents("run");
    for line in ["rank run", "rank run --json", "export run --format svg -o out.svg"] {
        home.run(line).succeeded();
    }
    assert_eq!(home.contents("run"), before);
}

#[test]
fn winners_are_trained_again_once() {
    let home = Home::searched();
    assert_snapshot!(home.run("retrain run --top 2 --fidelity 3"), @"
    exit code 0
    --- stdout
    trial  search  final  wall_seconds
    5       1.2 k  1.2 k             _  params 1.2 k, macs 35.5 k, activation_bytes 67.9 k, depth 5
    2       1.5 k  1.5 k             _  params 1.5 k, macs 39.6 k, activation_bytes 71.0 k, depth 6
    Kendall's tau between search-time and final params: 1.000
    --- stderr
    training trial 5 at fidelity 3
    training trial 2 at fidelity 3
    trained trial 5: params 1.2 k, macs 35.5 k, activation_bytes 67.9 k, depth 5 in _
    trained trial 2: params 1.5 k, macs 39.6 k, activation_bytes 71.0 k, depth 6 in _
    ");
    let again = home.run("retrain run --top 2 --fidelity 3");
    assert_eq!((again.code, again.err.as_str()), (Some(0), ""), "{again}");
    let lines = home.run("retrain run --trial 5 --trial 4 --fidelity 3 --json").json();
    let trained: Vec<_> = lines.iter().map(|line| (&line["event"], &line["trial"])).collect();
    assert_eq!(trained, [(&json!("retrained"), &json!(4))]);
}

#[test]
fn every_format_without_weights_is_written_and_read_back() {
    let home = Home::searched();
    for format in ["ron", "dot", "svg"] {
        let said = home.run(&format!("export run --trial 2 --format {format}"));
        assert_eq!(said.succeeded(), format!("wrote small-2.{format}\n"));
    }
    assert!(home.read("small-2.dot").starts_with("digraph") && home.read("small-2.svg").contains("</svg>"));
    assert_snapshot!(home.run("check small-2.ron"), @"
    exit code 0
    --- stdout
    small-2.ron: ok, `small trial 2` has 1 candidate; no experiment
    ");
    let params = |line: &str| home.run(line).json()[0]["params"].clone();
    let ranked = home.run("rank run --json").json();
    let genotype = ranked.iter().find(|trial| trial["trial"] == 2).expect("trial 2")["genotype"].clone();
    let genotype = genotype.as_str().expect("a string");
    assert_eq!(
        params("show small-2.ron --json"),
        params(&format!("show small.ron --json --genotype {genotype}")),
        "what was exported is what was searched"
    );
}

/// A study's trials in order, without what the clock says and how they compare.
pub fn trials(home: &Home, run: &str) -> Vec<Value> {
    let mut trials = home.run(&format!("rank {run} --json --top 100000")).json();
    for trial in &mut trials {
        for one in ["wall_seconds", "rank", "front"] {
            trial[one].take();
        }
    }
    trials.sort_by_key(|trial| trial["trial"].as_u64());
    trials
}

/// Of its two candidates one cannot be built.
const HALF_BROKEN: &str = "Space(
    name: \"half-broken\",
    program: (
        task: (input: (1, 8, 8), classes: 10),
        architecture: Sequential([OneOf([Flatten, SepConv(kernel: 3)]), MaxPool(kernel: 3)]),
    ),
    experiment: (evaluator: Cost, algorithm: Random, objectives: [Minimize(\"params\")], trials: 4, retrain: (top: 0)),
)";

#[test]
fn a_candidate_that_cannot_be_built_is_a_recorded_failure() {
    let home = Home::new();
    home.write("half.ron", HALF_BROKEN);
    let lines = home.run("search half.ron --run run --json").json();
    let failed: Vec<_> = lines.iter().filter(|line| line["state"] == "failed").collect();
    let finished = lines.iter().filter(|line| line["state"] == "finished").count();
    assert!(!failed.is_empty() && finished > 0, "{lines:?}");
    assert_eq!(failed[0]["reason"], "layers.1/max_pool_3x3: max pool 3x3 needs a map, got [64]");
    assert_eq!(home.run("rank run --json").json().len(), finished);
    let id = &failed[0]["trial"];
    let said = home.run(&format!("export run --trial {id} --format svg")).refused();
    assert!(said.contains("needs a map") && !home.path("half-broken-0.svg").exists(), "{said}");
    assert_snapshot!(home.run("show half.ron --genotype 0"), @"
    exit code 2
    --- stderr
    error: candidate 0 cannot be built: layers.1/max_pool_3x3: max pool 3x3 needs a map, got [64]
      hint: choose another by `--genotype` or `--seed`; a search records such a candidate as failed
    ");
    assert_snapshot!(home.run("sample half.ron -n 2 --seed 1"), @"
    exit code 0
    --- stdout
    genotype  params   macs
    1             44  1.3 k
    0              -      -
    --- stderr
    0 cannot be built: layers.1/max_pool_3x3: max pool 3x3 needs a map, got [64]
    ");
}

#[test]
fn a_search_of_which_nothing_came_is_failed_work() {
    let home = Home::new();
    home.write("half.ron", HALF_BROKEN);
    assert_snapshot!(home.run("search half.ron --run run --trials 1"), @"
    exit code 1
    --- stdout
    no trial has finished
    --- stderr
    half-broken: 2 candidates, 1 decision; random, 1 trial at fidelity 1, 1 worker, seed 0; run folder run
    1/1 trial 0 failed: layers.1/max_pool_3x3: max pool 3x3 needs a map, got [64]; about _ left
    error: the only trial failed: layers.1/max_pool_3x3: max pool 3x3 needs a map, got [64]
      hint: mend the space or its recipe, and search in a new run folder
    ");
    assert_snapshot!(home.run("rank run"), @"
    exit code 0
    --- stdout
    no trial has finished
    ");
    for line in ["export run --format svg", "retrain run"] {
        let said = home.run(line).refused();
        assert!(
            said.contains("no trial of the study in run has finished") && said.contains("hint: "),
            "{said}"
        );
    }
}
