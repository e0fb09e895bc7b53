//! Data that cannot be read: each is refused with the file and what to do about it.

use insta::assert_snapshot;

use crate::support::Home;

fn data(home: &Home, source: &str) -> crate::support::Said {
    home.run_words(&["data", source])
}

/// A class folder of pictures.
fn class(home: &Home, folder: &str, pictures: u8) {
    for index in 0..pictures {
        let picture = image::GrayImage::from_pixel(8, 8, image::Luma([index * 9]));
        home.write(&format!("{folder}/{index}.png"), "");
        picture.save(home.path(&format!("{folder}/{index}.png"))).expect("a picture");
    }
}

#[test]
fn folders_of_pictures() {
    let home = Home::new();
    std::fs::create_dir(home.path("empty")).expect("a folder");
    class(&home, "lonely/cat", 5);
    class(&home, "few/cat", 1);
    class(&home, "few/dog", 1);
    for name in ["cat", "dog"] {
        class(&home, &format!("broken/{name}"), 20);
    }
    home.write("broken/dog/half.jpg", b"\xff\xd8\xff\xe0 and then nothing");
    home.write("broken/dog/text.png", "not a picture");
    assert_snapshot!(data(&home, "Folders(path: \"none\", size: 8)"), @"
    exit code 2
    --- stderr
    error: none: No such file or directory (os error 2)
      hint: `cellwright data` shows the layout that is expected
    ");
    assert_snapshot!(data(&home, "Folders(path: \"empty\", size: 8)"), @"
    exit code 2
    --- stderr
    error: empty: classification needs at least two classes, found none
      hint: each class is a folder of its own with pictures in it
    ");
    assert_snapshot!(data(&home, "Folders(path: \"lonely\", size: 8)"), @"
    exit code 2
    --- stderr
    error: lonely: classification needs at least two classes, found only `cat`
      hint: each class is a folder of its own with pictures in it
    ");
    assert_snapshot!(data(&home, "Folders(path: \"few\", size: 8)"), @"
    exit code 2
    --- stderr
    error: few: the validation split has no pictures
      hint: every class needs at least three pictures
    ");
    assert_snapshot!(data(&home, "Folders(path: \"broken\", size: 8)"), @r#"
    exit code 2
    --- stderr
    error: 2 of 42 pictures cannot be decoded: broken/dog/half.jpg (Format error decoding Jpeg: "No more bytes"), broken/dog/text.png (Format error decoding Png: Invalid PNG signature.)
      hint: remove or replace them, or set `skip_broken: true` to leave them out
    "#);
    assert_snapshot!(data(&home, "Folders(path: \"broken\", size: 8, channels: 1, skip_broken: true)"), @r#"
    exit code 0
    --- stdout
    pictures of 1x8x8 in 2 classes: cat, dog
    mean [0.3655], deviation [0.2015] of the training pixels in [0, 1]

    split       pictures  fewest a class  most a class
    train             28              14            14
    validation         6               3             3
    test               6               3             3
    --- stderr
    warning: left out broken/dog/half.jpg: Format error decoding Jpeg: "No more bytes"
    warning: left out broken/dog/text.png: Format error decoding Png: Invalid PNG signature.
    "#);
    assert_snapshot!(data(&home, "Folders(path: \"broken\", size: 0)"), @"
    exit code 2
    --- stderr
    error: broken: `size` is 0; it is the side of a picture in pixels
      hint: `cellwright data` shows the layout that is expected
    ");
    assert_snapshot!(data(&home, "Folders(path: \"broken\", size: 8, channels: 4)"), @"
    exit code 2
    --- stderr
    error: broken: `channels` is neither 1 (grey) nor 3 (colour)
      hint: `cellwright data` shows the layout that is expected
    ");
    assert_snapshot!(data(&home, "Folders(path: \"broken\", sise: 8)"), @r#"
    exit code 2
    --- stderr
    error: `Folders(path: "broken", sise: 8)` is no data source: Unexpected field named `sise` in `Folders`, expected one of `path`, `size`, `channels`, or `skip_broken` instead
      hint: write it as a space file does, such as `Digits` or `Cifar10("folder")`; `cellwright data` lists all
    "#);
}

#[test]
fn binary_files() {
    let home = Home::new();
    let batch = |records: usize| vec![0; 3073 * records];
    home.write("cut/data_batch_1.bin", &batch(4)[..9000]);
    home.write("cut/test_batch.bin", batch(4));
    home.write("label/data_batch_1.bin", vec![77; 3073 * 4]);
    home.write("label/test_batch.bin", batch(4));
    home.write("idx/train-images-idx3-ubyte", b"\0\0\x08\x03\0\0\0\x09\0\0\0\x1c\0\0\0\x1c and no pixels");
    home.write("idx/train-labels-idx1-ubyte", b"\0\0\x08\x01\0\0\0\x09123456789");
    home.write("idx/t10k-images-idx3-ubyte", "nonsense");
    home.write("idx/t10k-labels-idx1-ubyte", "nonsense");
    home.write("empty/readme", "");
    assert_snapshot!(data(&home, "Cifar10(\"cut\")"), @"
    exit code 2
    --- stderr
    error: cut/data_batch_1.bin: cut short: 9000 bytes are 2 records of 3073 and 2854 more
      hint: download or write the file again, or remove it
    ");
    assert_snapshot!(data(&home, "Cifar10(\"label\")"), @"
    exit code 2
    --- stderr
    error: label/data_batch_1.bin: record 0 has class 77, of 10 classes; is this CIFAR-10?
      hint: download or write the file again, or remove it
    ");
    assert_snapshot!(data(&home, "Cifar10(\"empty\")"), @"
    exit code 2
    --- stderr
    error: empty: none of CIFAR-10's training files (data_batch_1.bin, data_batch_2.bin, data_batch_3.bin, data_batch_4.bin, data_batch_5.bin) is here
      hint: `cellwright data` shows the layout that is expected
    ");
    assert_snapshot!(data(&home, "Cifar100(\"empty\")"), @"
    exit code 2
    --- stderr
    error: empty: none of CIFAR-100's training files (train.bin) is here
      hint: `cellwright data` shows the layout that is expected
    ");
    assert_snapshot!(data(&home, "Idx(\"idx\")"), @"
    exit code 2
    --- stderr
    error: idx/train-images-idx3-ubyte: its header says [9, 28, 28] bytes, 14 are there
      hint: download or write the file again, or remove it
    ");
    assert_snapshot!(data(&home, "Idx(\"empty\")"), @"
    exit code 2
    --- stderr
    error: empty/train-images-idx3-ubyte.gz: No such file or directory (os error 2)
      hint: `cellwright data` shows the layout that is expected
    ");
}

#[cfg(not(feature = "train"))]
#[test]
fn training_asked_of_a_binary_that_cannot_train() {
    let home = Home::new();
    home.small_but(
        "train.ron",
        "Cost, algorithm: Random, objectives: [Minimize(\"params\"), Maximize(\"depth\")]",
        "Train(data: Digits), algorithm: Random, objectives: [Maximize(\"accuracy\")]",
    );
    assert_snapshot!(home.run("search train.ron --run run"), @"
    exit code 2
    --- stderr
    error: this binary was built without training
      hint: build it with the default features, or use another evaluator
    ");
    assert!(!home.path("run").exists());
}

#[cfg(feature = "train")]
#[test]
fn a_search_on_data_that_is_not_there_begins_nothing() {
    let home = Home::new();
    home.small_but(
        "train.ron",
        "Cost, algorithm: Random, objectives: [Minimize(\"params\"), Maximize(\"depth\")]",
        "Train(data: Cifar10(\"none\")), objectives: [Maximize(\"accuracy\")]",
    );
    let said = home.run("search train.ron --run run").refused();
    assert!(said.contains("none: No such file"), "{said}");
    assert!(!home.path("run").exists());
}
