use insta::assert_snapshot;

use super::super::Ranking;
use super::super::results::Curve;
use super::*;

fn curve(algorithm: &str, at_budgets: [[f64; 3]; 2]) -> Curve {
    let summaries = at_budgets.iter().map(|regrets| Summary::of(regrets)).collect();
    let at_budgets = at_budgets.iter().map(|regrets| regrets.to_vec()).collect();
    Curve { algorithm: algorithm.into(), summaries, at_budgets }
}

pub fn results() -> Results {
    let (one, two) = (Summary::of(&[1.0, 1.0, 2.0]), Summary::of(&[2.0, 2.0, 1.0]));
    let ranking = |budget| Ranking {
        axis: Axis::Queries,
        budget,
        ranks: vec![two, one],
        wins: vec![1.0 / 3.0, 2.0 / 3.0],
    };
    Results {
        title: "A comparison".into(),
        about: "Of two.".into(),
        seeds: 3,
        first_seed: 0,
        top: 1,
        algorithms: vec!["random".into(), "evolution (20, 5)".into()],
        workers: vec![1, 1],
        spaces: vec![SpaceResults {
            label: "NAS-Bench-201: CIFAR-10".into(),
            candidates: "15625".into(),
            metrics: vec!["test_accuracy".into()],
            best: 0.9437,
            unit: Unit::Points,
            axes: vec![AxisResults {
                axis: Axis::Queries,
                budgets: vec![10.0, 50.0],
                points: vec![10.0, 50.0],
                curves: vec![
                    curve("random", [[1.0, 1.1, 1.2], [0.5, 0.7, 0.3]]),
                    curve("evolution (20, 5)", [[1.0, 1.2, 1.4], [0.1, 0.0, 0.2]]),
                ],
            }],
            proposal_ms: vec![vec![0.01, 0.012], vec![0.5, 2.0]],
        }],
        rankings: vec![ranking(10.0), ranking(50.0)],
        left_out: Vec::new(),
    }
}

#[test]
fn a_report_in_markdown() {
    assert_snapshot!(markdown(&results(), &["machine: any\ncommit: none".into()], true), @r#"
        # A comparison

        Of two.

        - machine: any
        - commit: none

        ## NAS-Bench-201: CIFAR-10: regret by queries

        How far `test_accuracy` of the candidate believed best is from 0.9437, the best of 15625 candidates, in percentage points: mean of 3 seeds and its 95 % interval by Student's t.

        | algorithm | 10 | 50 |
        |---|---:|---:|
        | random | **1.100 ± 0.248** | 0.500 ± 0.497 |
        | evolution (20, 5) | 1.200 ± 0.497 | **0.100 ± 0.248** |

        ![NAS-Bench-201: CIFAR-10: regret by queries](nas-bench-201-cifar-10-queries.svg)

        ## Ranks by queries

        The mean place among the 2 algorithms, 1 for the least regret, over 1 space x 3 seeds, with its 95 % interval; in brackets how often each comes first, ties shared.

        | algorithm | 10 | 50 |
        |---|---:|---:|
        | random | 1.67 ± 1.43 (33 %) | 1.67 ± 1.43 (33 %) |
        | evolution (20, 5) | **1.33 ± 1.43 (67 %)** | **1.33 ± 1.43 (67 %)** |

        ## What a proposal costs

        Milliseconds of processor time, over the last tenth of the trials before each number of queries (over all where none is given); what evaluations cost is not in it.

        | algorithm | 10 | 50 |
        |---|---:|---:|
        | random | 0.010 | 0.012 |
        | evolution (20, 5) | 0.500 | 2.000 |
        "#);
}

#[test]
fn fronts_and_workers_are_explained() {
    let mut results = results();
    results.workers[1] = 8;
    results.spaces[0].metrics.push("params".into());
    let words = &results.sections()[0].words;
    assert_snapshot!(words, @"Which share of the hypervolume of the best front the front that was found lacks, in percentage points. Found are the trials whose readings no other's beat, measured by what they are in truth (`test_accuracy`, `params`); the best front, of all 15625 candidates, dominates 0.9437 of the box between the worst and the best figures: mean of 3 seeds and its 95 % interval by Student's t. Trials under way at once: `random` 1, `evolution (20, 5)` 8; they end in the order of their seconds.");
    assert!(results.plots()[0].1.contains(">regret of hypervolume (points)<"));
}

#[test]
fn file_names_are_plain() {
    assert_eq!(
        plot_name("NAS-Bench-201: CIFAR-10", Axis::FullTrials),
        "nas-bench-201-cifar-10-full-trials.svg"
    );
    assert_eq!(plot_name("../x", Axis::Seconds), "x-seconds.svg");
}

#[test]
fn figures_have_as_many_digits_as_they_need() {
    assert_eq!([1.085, 0.0123, 123.4, 0.0].map(|figure| digits([figure].into_iter())), [3, 5, 1, 3]);
    assert_eq!([50.0, 1e6, 0.25].map(figure), ["50", "1000000", "0.25"]);
    assert_eq!(interval(&Summary::of(&[f64::NAN, 1.0]), 3), "-");
    assert_eq!(interval(&Summary::of(&[1.0]), 3), "1.000");
}
