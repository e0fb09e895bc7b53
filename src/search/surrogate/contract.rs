//! What every surrogate of the table must do.

use rand::RngExt;

use super::{Features, Layout, Measure, Mlp, Prediction, Predictor, Surrogate};
use crate::random::{Rng, Seed};
use crate::symbolic::{self, Value};

/// A surrogate by its name, with its defaults; but networks are small, for unoptimised builds.
fn start(name: &str) -> Box<dyn Surrogate> {
    match symbolic::from_value(&Value::unit(name)).expect("every surrogate has defaults") {
        Predictor::Mlp(mlp) => Predictor::Mlp(Mlp {
            embedding: 12,
            hidden: 16,
            epochs: 80,
            learning_rate: 0.01,
            batch: 16,
            ..mlp
        })
        .start(),
        #[cfg(feature = "train")]
        Predictor::EmbeddedMlp(mlp) => Predictor::EmbeddedMlp(super::EmbeddedMlp {
            embedding: 12,
            hidden: 16,
            epochs: 80,
            updates: 0,
            learning_rate: 0.01,
            batch: 16,
            ..mlp
        })
        .start(),
        #[cfg(feature = "train")]
        Predictor::Lstm(lstm) => Predictor::Lstm(super::Lstm {
            embedding: 12,
            hidden: 16,
            epochs: 80,
            learning_rate: 0.01,
            batch: 16,
            ..lstm
        })
        .start(),
        other => other.start(),
    }
}

/// Four choices of three, a number, a bag, and a number that hangs on the first choice.
fn layout() -> Layout {
    let mut layout = Layout::default();
    for _ in 0..4 {
        layout.add(3);
    }
    layout.add_measured(7, Measure::Number);
    layout.add_measured(5, Measure::Bag);
    layout.add_measured(7, Measure::Number);
    layout
}

/// A random candidate, and what it is worth: a sum over its parts.
fn example(rng: &mut Rng) -> (Features, f64) {
    let mut features = Features::new();
    let mut worth = 0.1;
    let mut choices = [0; 4];
    for (slot, choice) in choices.iter_mut().enumerate() {
        *choice = rng.random_range(0..3);
        features.push((3 * slot as u32 + *choice, 1.0));
        worth += [0.0, 0.1, 0.15][*choice as usize] * [1.0, 0.6, 0.3, 0.0][slot];
    }
    let mut number = |start: u32, share: f64| {
        let knot = (share * 6.0).floor().min(5.0);
        let upper = (share * 6.0 - knot) as f32;
        features.extend([(start + knot as u32, 1.0 - upper), (start + knot as u32 + 1, upper)]);
    };
    let (everywhere, sometimes) = (rng.random::<f64>(), rng.random::<f64>());
    number(12, everywhere);
    worth += 0.2 * everywhere;
    if choices[0] == 0 {
        number(24, sometimes);
        worth += 0.1 * sometimes;
    }
    for thing in (0..5).filter(|_| rng.random_bool(0.4)) {
        features.push((19 + thing, 1.0));
        worth += [0.1, 0.0, 0.05, 0.0, 0.0][thing as usize];
    }
    (features, worth)
}

fn examples(count: u64, seed: u64) -> Vec<(Features, f64)> {
    (0..count).map(|number| example(&mut Seed(seed).stream(number, "examples"))).collect()
}

/// The share of pairs that are predicted in their order.
fn concordance(surrogate: &dyn Surrogate, examples: &[(Features, f64)]) -> f64 {
    let predicted: Vec<f64> = examples.iter().map(|(features, _)| surrogate.predict(features).mean).collect();
    let (mut right, mut pairs) = (0.0, 0.0);
    for a in 0..examples.len() {
        for b in (0..a).filter(|b| (examples[a].1 - examples[*b].1).abs() > 1e-9) {
            right += f64::from(u8::from((predicted[a] > predicted[b]) == (examples[a].1 > examples[b].1)));
            pairs += 1.0;
        }
    }
    right / pairs
}

fn is_sane(prediction: Prediction) -> bool {
    prediction.mean.is_finite() && prediction.deviation.is_finite() && prediction.deviation >= 0.0
}

#[test]
fn what_adds_up_is_learnt_and_the_unseen_ranked() {
    for name in Predictor::available() {
        let (known, unknown) = (examples(100, 1), examples(60, 2));
        let mut surrogate = start(name);
        surrogate.fit(&layout(), &known, Seed(1));
        let (seen, unseen) = (concordance(&*surrogate, &known), concordance(&*surrogate, &unknown));
        assert!(seen > 0.88 && unseen > 0.8, "{name}: {seen} of the seen, {unseen} of the unseen");
        let off: f64 = unknown.iter().map(|(it, target)| (surrogate.predict(it).mean - target).abs()).sum();
        assert!(off / 60.0 < 0.06, "{name}: off by {}", off / 60.0);
    }
}

/// What is learnt with a name's own defaults.
#[cfg(feature = "train")]
#[test]
#[cfg_attr(debug_assertions, ignore = "networks of full size: runs with --release")]
fn networks_on_burn_learn_from_fifty_examples_by_their_defaults() {
    for name in ["EmbeddedMlp", "Lstm"] {
        let (known, unknown) = (examples(50, 1), examples(60, 2));
        let fit = || {
            let mut surrogate =
                symbolic::from_value::<Predictor>(&Value::unit(name)).expect("it has defaults").start();
            surrogate.fit(&layout(), &known, Seed(1));
            surrogate
        };
        let (surrogate, again) = (fit(), fit());
        let unseen = concordance(&*surrogate, &unknown);
        assert!(unseen > 0.75, "{name}: {unseen} of the unseen");
        // Who guesses says the mean of what is known.
        let mean = known.iter().map(|(_, target)| target).sum::<f64>() / known.len() as f64;
        let off = |guess: &dyn Fn(&Features) -> f64| -> f64 {
            unknown.iter().map(|(features, target)| (guess(features) - target).abs()).sum()
        };
        let (learnt, guessed) = (off(&|features| surrogate.predict(features).mean), off(&|_| mean));
        assert!(learnt < 0.7 * guessed, "{name}: off by {learnt}, a guess by {guessed}");
        let same = |(features, _): &(Features, f64)| surrogate.predict(features) == again.predict(features);
        assert!(unknown.iter().all(same), "{name}: another fit of the same seed");
    }
}

#[test]
fn what_was_never_seen_is_less_certain() {
    for name in Predictor::available() {
        let mut layout = Layout::default();
        layout.add(4);
        layout.add(2);
        let target = |n: u32| [0.2, 0.5, 0.8][n as usize % 3];
        let examples: Vec<_> =
            (0..40u32).map(|n| (vec![(n % 3, 1.0), (4 + n / 3 % 2, 1.0)], target(n))).collect();
        let mut surrogate = start(name);
        surrogate.fit(&layout, &examples, Seed(1));
        let known = surrogate.predict(&vec![(1, 1.0), (4, 1.0)]);
        assert!((known.mean - 0.5).abs() < 0.05, "{name}: {known:?}");
        let unknown = surrogate.predict(&vec![(3, 1.0), (4, 1.0)]);
        assert!(unknown.deviation > 2.0 * known.deviation, "{name}: {known:?} and {unknown:?}");
    }
}

#[test]
fn the_same_seed_predicts_the_same_alone_and_together() {
    for name in Predictor::available() {
        let (known, unknown) = (examples(30, 3), examples(40, 4));
        let unknown: Vec<Features> = unknown.into_iter().map(|(features, _)| features).collect();
        let predictions = || {
            let mut surrogate = start(name);
            surrogate.fit(&layout(), &examples(7, 9), Seed(8));
            surrogate.fit(&layout(), &known, Seed(1));
            let alone: Vec<Prediction> = unknown.iter().map(|features| surrogate.predict(features)).collect();
            assert_eq!(alone, surrogate.predict_all(&unknown), "{name}");
            alone
        };
        let first = predictions();
        assert_eq!(first, predictions(), "{name}");
        let mut fresh = start(name);
        fresh.fit(&layout(), &known, Seed(1));
        assert_eq!(first, fresh.predict_all(&unknown), "{name} remembers an earlier fit");
    }
}

#[test]
fn nothing_known_and_one_example_are_no_trouble() {
    for name in Predictor::available() {
        let unknown = Prediction { mean: 0.5, deviation: 0.5 };
        let candidate = vec![(0, 1.0)];
        let mut surrogate = start(name);
        assert_eq!(surrogate.predict(&candidate), unknown, "{name}");
        surrogate.fit(&layout(), &[], Seed(1));
        assert_eq!(surrogate.predict(&candidate), unknown, "{name}");
        surrogate.fit(&layout(), &[(candidate.clone(), 0.9)], Seed(1));
        let known = surrogate.predict(&candidate);
        assert!(is_sane(known) && (known.mean - 0.9).abs() < 0.05, "{name}: {known:?}");
        surrogate.fit(&layout(), &[], Seed(1));
        assert_eq!(surrogate.predict(&candidate), unknown, "{name}");
    }
}

#[test]
fn equal_targets_equal_candidates_and_no_columns_are_no_trouble() {
    for name in Predictor::available() {
        for target in [0.0, 0.7, 1.0] {
            let known: Vec<_> = examples(20, 5).into_iter().map(|(features, _)| (features, target)).collect();
            let mut surrogate = start(name);
            surrogate.fit(&layout(), &known, Seed(1));
            for (features, _) in examples(20, 6) {
                let prediction = surrogate.predict(&features);
                assert!(
                    is_sane(prediction) && (prediction.mean - target).abs() < 0.06,
                    "{name}: {prediction:?}"
                );
            }
        }
        let twins: Vec<_> = (0..12).map(|n| (vec![(0, 1.0)], f64::from(n % 2))).collect();
        let mut surrogate = start(name);
        surrogate.fit(&layout(), &twins, Seed(1));
        let prediction = surrogate.predict(&vec![(0, 1.0)]);
        assert!(is_sane(prediction) && (0.0..=1.0).contains(&prediction.mean), "{name}: {prediction:?}");

        let nothing: Vec<_> = (0..12).map(|n| (vec![], f64::from(n) / 12.0)).collect();
        surrogate.fit(&Layout::default(), &nothing, Seed(1));
        assert!(is_sane(surrogate.predict(&vec![])), "{name}");
    }
}

#[test]
fn a_thousand_columns_are_no_trouble() {
    for name in Predictor::available() {
        let mut layout = Layout::default();
        for _ in 0..20 {
            layout.add(25);
        }
        layout.add_measured(500, Measure::Bag);
        let known: Vec<(Features, f64)> = (0..30)
            .map(|number| {
                let mut rng = Seed(7).stream(number, "wide");
                let mut features: Features =
                    (0..20).map(|slot| (25 * slot + rng.random_range(0..25), 1.0)).collect();
                features.extend((0..8).map(|_| (500 + rng.random_range(0..500), 1.0)));
                (features, rng.random())
            })
            .collect();
        let mut surrogate = start(name);
        surrogate.fit(&layout, &known, Seed(1));
        assert!(known.iter().all(|(features, _)| is_sane(surrogate.predict(features))), "{name}");
        assert!(is_sane(surrogate.predict(&vec![(499, 1.0), (999, 1.0)])), "{name}");
    }
}

#[test]
fn every_surrogate_is_written_by_its_name() {
    let mlp: Predictor = symbolic::from_value(&"Mlp(members: 2)".parse().unwrap()).unwrap();
    assert_eq!(mlp, Predictor::Mlp(Mlp { members: 2, ..Mlp::default() }));
    for (name, label) in Predictor::NAMES.iter().zip(Predictor::LABELS) {
        if Predictor::available().any(|available| available == *name) {
            assert_eq!(symbolic::from_value::<Predictor>(&Value::unit(name)).unwrap().kind(), *label);
        }
    }
}
