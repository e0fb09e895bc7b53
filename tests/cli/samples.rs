//! Samples with any subset of labels: what a set holds, and sheets to look at.

use insta::assert_snapshot;

use crate::support::Home;

#[test]
fn scenes_are_counted_and_drawn() {
    let home = Home::new();
    let scenes = "Scenes(count: 3, width: 16, height: 12)";
    assert_snapshot!(home.run_words(&["data", scenes]), @"");
    assert_snapshot!(home.run_words(&["must", "show", scenes, "--skip", "1", "--tile", "32"]), @"");
    let sheet = image::open(home.path("samples.png")).expect("a picture");
    assert_eq!((sheet.width(), sheet.height()), (2 * 4 * 36 + 4, 12 + 24 + 4 + 4));
}

#[test]
fn what_is_no_set_of_samples_is_told() {
    let home = Home::new();
    let said = |words: &[&str]| home.run_words(words);
    assert_snapshot!(said(&["must", "show", "Scene(count: 3)"]), @"");
    assert_snapshot!(said(&["must", "show", "Scenes(count: 3)", "--skip", "3"]), @"");
    assert_snapshot!(said(&["data", "Pictures(folder: \"none\")"]), @"");
    home.write("labels/labels.txt", "no pseudo labels");
    assert_snapshot!(said(&["must", "show", "labels"]), @"");
}
