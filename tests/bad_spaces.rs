//! Every way to write a space wrongly has a file, and every file's message a snapshot: all of a file's mistakes at once,
//! each with its place and the next step.

use std::path::Path;

use cellwright::{Error, Space};

/// What a person sees; relative to the crate's root, where tests run.
fn message(path: &Path) -> String {
    match Space::load(path) {
        Ok(_) => panic!("{} is a space", path.display()),
        Err(Error::Space(error)) => error.render(false),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let mut files: Vec<_> =
        std::fs::read_dir("tests/bad_spaces").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "ron"));
    files.sort();
    assert!(files.len() > 25, "the files are there");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("bad_spaces");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for path in files {
            insta::assert_snapshot!(path.file_stem().unwrap().to_str().unwrap(), message(&path));
        }
    });
}

#[test]
fn a_missing_file_is_told() {
    insta::assert_snapshot!(message(Path::new("tests/bad_spaces/nowhere.ron")), @"
    tests/bad_spaces/nowhere.ron: No such file or directory (os error 2)
      hint: check the path, which starts at the folder that the command is run in
    ");
    assert!(message(Path::new("tests/bad_spaces")).starts_with("tests/bad_spaces: "));
}

#[test]
fn a_hundred_megabytes_of_brackets_end_soon() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("brackets.ron");
    std::fs::write(&path, "[".repeat(100 << 20)).unwrap();
    let start = std::time::Instant::now();
    assert!(message(&path).contains("larger than"));
    assert!(start.elapsed().as_secs() < 5);
    for text in ["[".repeat(3 << 20), "Space(program:".repeat(100_000), "(".repeat(1 << 20)] {
        std::fs::write(&path, text).unwrap();
        assert!(message(&path).contains("nested more than"), "{}", message(&path));
    }
}
