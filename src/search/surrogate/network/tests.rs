use super::*;
use crate::random::Seed;

/// Two slots that share a table, and one with its own.
fn layout() -> Layout {
    let mut layout = Layout::default();
    layout.add(3);
    layout.add_shared(2, 0);
    layout.add(2);
    layout
}

fn plan() -> Plan {
    Plan { embedding: 3, hidden: 6, learning_rate: 0.01, epochs: 0, updates: 0, batch: 4 }
}

fn examples() -> Vec<(Features, f64)> {
    vec![
        (vec![(0, 1.0), (3, 1.0), (5, 0.5)], 0.9),
        (vec![(1, 1.0), (4, 1.0), (6, 1.0)], 0.2),
        (vec![(2, 0.5), (0, 0.5), (3, 1.0)], 0.7),
    ]
}

fn loss(learner: Learner, examples: &[(Features, f64)]) -> f64 {
    let network = learner.finish();
    let errors = examples.iter().map(|(features, target)| (network.predict(features) - target).abs());
    errors.sum::<f64>() / examples.len() as f64
}

/// Every tensor of a learner, to be nudged.
fn tensor<'a>(learner: &'a mut Learner<'_>, index: usize) -> &'a mut Weights {
    match index {
        0 => &mut learner.tables[0],
        1..=3 => &mut learner.first[index - 1],
        4 => &mut learner.first_bias,
        5 => &mut learner.second,
        6 => &mut learner.second_bias,
        7 => &mut learner.last,
        _ => &mut learner.last_bias,
    }
}

#[test]
fn gradients_equal_finite_differences() {
    let (layout, examples) = (layout(), examples());
    let batch: Vec<_> = examples.iter().collect();
    let fresh = || Learner::new(plan(), &layout, 0.5, &mut Seed(3).stream(0, "test"));
    let mut learner = fresh();
    learner.gradients(&batch);
    let mut checked = 0;
    for index in 0..9 {
        let gradient = tensor(&mut learner, index).gradient.clone();
        for (place, slope) in gradient.indexed_iter() {
            let nudged = |by: f32| {
                let mut learner = fresh();
                tensor(&mut learner, index).value[place] += by;
                loss(learner, &examples)
            };
            let measured = (nudged(4e-4) - nudged(-4e-4)) / 8e-4;
            assert!((measured - f64::from(*slope)).abs() < 2e-3, "{index} {place:?}: {measured} and {slope}");
            checked += usize::from(slope.abs() > 1e-4);
        }
    }
    assert!(checked > 40, "only {checked} gradients are not zero");
}

#[test]
fn adams_first_step_is_the_learning_rate_against_the_gradient() {
    let mut weights = Weights::of(Array2::from_elem((1, 2), 1.0));
    weights.gradient[[0, 0]] = 0.3;
    weights.gradient[[0, 1]] = -7.0;
    weights.step(0.01, Moment::at(1));
    assert!((weights.value[[0, 0]] - 0.99).abs() < 1e-6 && (weights.value[[0, 1]] - 1.01).abs() < 1e-6);
    assert_eq!(weights.gradient[[0, 0]], 0.0);
}

#[test]
fn starts_at_the_mean_target() {
    let features: Features = vec![];
    let examples = [(features.clone(), 0.9), (features.clone(), 0.7)];
    let batch: Vec<_> = examples.iter().collect();
    let network = Network::fit(plan(), &layout(), &batch, &mut Seed(1).stream(0, "test"));
    assert!((network.predict(&features) - 0.8).abs() < 1e-6);
}
