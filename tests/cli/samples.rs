//! Samples with any subset of labels: what a set holds, and sheets to look at.

use insta::assert_snapshot;

use crate::support::Home;

#[test]
fn scenes_are_counted_and_drawn() {
    let home = Home::new();
    let scenes = "Scenes(count: 3, width: 16, height: 12)";
    assert_snapshot!(home.run_words(&["data", scenes]), @"
    exit code 0
    --- stdout
    3 samples, 4 objects

    label         samples  classes
    class               3        6
    objects             3        6
    segmentation        3        9
    depth               3        -
    normals             3        -
    ");
    assert_snapshot!(home.run_words(&["must", "show", scenes, "--skip", "1", "--tile", "32"]), @"
    exit code 0
    --- stdout
    wrote samples.png: 2 of 3 pictures
    ");
    let sheet = image::open(home.path("samples.png")).expect("a picture");
    assert_eq!((sheet.width(), sheet.height()), (2 * 4 * 36 + 4, 12 + 24 + 4 + 4));
}

#[test]
fn what_is_no_set_of_samples_is_told() {
    let home = Home::new();
    let said = |words: &[&str]| home.run_words(words);
    assert_snapshot!(said(&["must", "show", "Scene(count: 3)"]), @"
    exit code 2
    --- stderr
    error: the source: line 1: `Scene(count: 3)` is no source of samples: Unexpected variant named `Scene` in enum `SampleSource`, expected one of `Scenes`, `Pictures`, `Classes`, or `Part` instead
      hint: `cellwright data` lists all sources, as they are written
    ");
    assert_snapshot!(said(&["must", "show", "Scenes(count: 3)", "--skip", "3"]), @"
    exit code 2
    --- stderr
    error: --skip 3 leaves none of 3 pictures
      hint: skip fewer
    ");
    assert_snapshot!(said(&["data", "Pictures(folder: \"none\")"]), @"
    exit code 2
    --- stderr
    error: none: No such file or directory (os error 2)
      hint: `cellwright data` shows the layout that is expected
    ");
    home.write("labels/labels.txt", "no pseudo labels");
    assert_snapshot!(said(&["must", "show", "labels"]), @"
    exit code 2
    --- stderr
    error: labels/labels.ron: it is not there
      hint: name a folder that `must label` wrote, or write it again
    ");
}
