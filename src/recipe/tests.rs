use super::*;

#[test]
fn what_is_left_out_has_a_default_and_what_is_written_reads_back() {
    assert_eq!(ron::from_str::<Recipe>("()").unwrap(), Recipe::default());
    let text = "(optimizer: AdamW(), schedule: OneCycle(), batch: 32, augment: (crop: 4, mixup: 0.2))";
    let recipe: Recipe = ron::from_str(text).unwrap();
    assert_eq!(recipe.optimizer, Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
    assert_eq!(recipe.schedule, Schedule::OneCycle { rise: 0.3 });
    assert_eq!(ron::from_str::<Recipe>(&ron::to_string(&recipe).unwrap()).unwrap(), recipe);
}

#[test]
fn numbers_that_no_training_can_use_are_refused() {
    for (text, bound) in [
        ("(learning_rate: 0.0)", "above 0"),
        ("(learning_rate: inf)", "above 0"),
        ("(batch: 0)", "at least 1"),
        ("(label_smoothing: 1.0)", "without, 1"),
        ("(drop_path: -0.1)", "without, 1"),
        ("(ema: 1.0)", "without, 1"),
        ("(auxiliary: -0.4)", "at least 0"),
        ("(clip_norm: NaN)", "at least 0"),
        ("(optimizer: Sgd(momentum: 1.5))", "without, 1"),
        ("(schedule: Cosine(warmup: 1.1))", "from 0 to 1"),
        ("(augment: (mixup: -1.0))", "at least 0"),
        ("(augment: (resized_crop: 1.5))", "from 0 to 1"),
        ("(augment: (rand_augment: (magnitude: 31.0)))", "from 0 to 30"),
        ("(progressive: (stages: 0))", "at least 1"),
        ("(progressive: (size: 0.0))", "above 0 and up to 1"),
        ("(progressive: (dropout: 1.1))", "from 0 to 1"),
    ] {
        let error = ron::from_str::<Recipe>(text).unwrap_err().to_string();
        assert!(error.contains(bound), "{text}: {error}");
    }
}

#[test]
fn stages_grow_in_equal_steps_to_what_the_recipe_says() {
    // EfficientNetV2-M's table without its last column: 128 to 380 pixels, RandAugment 5 to 20, mixup 0 to 0.2,
    // dropout 0.1 to 0.4.
    let augment =
        Augment { rand_augment: RandAugment { ops: 2, magnitude: 20.0 }, mixup: 0.2, ..Augment::default() };
    let progressive =
        Progressive { stages: 4, size: 128.0 / 380.0, rand_augment: 0.25, mixup: 0.0, dropout: 0.25 };
    let recipe = Recipe { augment, progressive, ..Recipe::default() };
    let sides: Vec<usize> = (0..8).map(|epoch| recipe.stage(epoch, 8).side(380)).collect();
    assert_eq!(sides, [128, 128, 212, 212, 296, 296, 380, 380]);
    let third = recipe.stage(5, 8);
    let close = |met: f64, wanted: f64| assert!((met - wanted).abs() < 1e-12, "{met}, not {wanted}");
    close(third.augment.rand_augment.magnitude, 15.0);
    close(third.augment.mixup, 0.2 * 2.0 / 3.0);
    close(third.dropout * 0.4, 0.3);
    assert_eq!(recipe.stage(7, 8).augment, recipe.augment);
    assert_eq!(recipe.stage(0, 1).size, 1.0, "a single epoch sees whole pictures");
    let sizes: Vec<usize> = (0..2).map(|epoch| recipe.stage(epoch, 2).side(380)).collect();
    assert_eq!(sizes, [128, 380], "fewer epochs than stages");
    assert_eq!(recipe.stage(0, 8).side(3), 3, "a side never grows");
    let shares = [0.0, 0.249, 0.25, 0.5, 0.99, 1.0];
    assert_eq!(shares.map(|share| recipe.stage_at(share).side(380)), [128, 128, 212, 296, 380, 380]);
    assert_eq!(
        Recipe::default().stage_at(0.3),
        Recipe::default().stage(0, 1),
        "and without stages all of it"
    );
}
