//! Folders of other networks, of other courses, cut in half, or of nothing.

use std::path::Path;

use super::*;
use crate::data::Label;

const TEXT: &str = "Course(
    name: \"a\", backbone: Sequential([Conv(channels: 4), MaxPool(stride: 2)]), size: (16, 16), pyramid: 4, tasks: [Depth],
    sources: [Labelled(set: Part(of: Scenes(count: 3, width: 16, height: 16), labels: [Depth]))],
)";

fn course(from: &str, to: &str) -> Course {
    assert!(TEXT.contains(from), "{from}");
    Course::from_ron("course.ron", &TEXT.replace(from, to)).unwrap_or_else(|error| panic!("{error}"))
}

/// A network of a course with weights that nobody trained.
fn save(folder: &Path, course: &Course) -> Taught {
    let student = course.student(course.open().unwrap().classes).unwrap();
    let values = |shape: &[usize]| (0..shape.iter().product()).map(|index| index as f32).collect();
    let parameters = student.graph().unwrap().parameters();
    let weights = parameters.into_iter().map(|one| (one.name, (one.shape.clone(), values(&one.shape))));
    let scores = Metrics::from([("depth_delta".to_string(), 0.5)]);
    Taught::save(folder, course, &student, weights.collect(), scores).unwrap()
}

fn said<T>(folder: &Path, result: Result<T, MustError>) -> String {
    let error = result.err().expect("this must be refused");
    assert_eq!(error.exit_code(), 2);
    error.to_string().replace(&folder.display().to_string(), "TEACHERS")
}

#[test]
fn what_is_saved_is_read_and_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let course = course("a", "a");
    assert!(Taught::of_course(folder.path(), &course).unwrap().is_none());
    let saved = save(folder.path(), &course);
    let read = Taught::of_course(folder.path(), &course).unwrap().unwrap();
    assert_eq!((read.course(), read.student(), read.scores()), (&course, saved.student(), saved.scores()));
    assert!(saved.weights().iter().all(|(name, values)| read.weights()[name] == *values));
    let (described, hash) = (read.described(), read.described().hash.clone());
    assert_eq!((described.name.as_str(), described.labels.as_slice()), ("a", &[Label::Depth][..]));
    let file = Teacher::of_file("a", &folder.path().join(WEIGHTS), vec![Label::Depth]).unwrap();
    assert_eq!(hash, file.hash);
}

#[test]
fn another_course_of_the_same_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), &course("a", "a"));
    let other =
        |from: &str, to: &str| said(folder.path(), Taught::of_course(folder.path(), &course(from, to)));
    insta::assert_snapshot!(other("channels: 4", "channels: 8"), @"
    TEACHERS/teacher.ron: this is another teacher: it was taught with another architecture
      hint: give yours another name, or remove the folder to train it anew
    ");
    for (from, to, what) in [
        ("pyramid: 4", "pyramid: 8", "another architecture"),
        ("count: 3", "count: 4", "other sets to learn from"),
        ("pyramid: 4,", "pyramid: 4, seed: 7,", "another seed"),
        ("pyramid: 4,", "pyramid: 4, lesson: (steps: 7),", "another lesson"),
    ] {
        assert!(other(from, to).contains(what), "{}", other(from, to));
    }
}

#[test]
fn weights_of_another_network_or_cut_in_half_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    save(&folder.path().join("a"), &course("a", "a"));
    save(&folder.path().join("b"), &course("pyramid: 4", "pyramid: 8"));
    let (a, b) = (folder.path().join("a").join(WEIGHTS), folder.path().join("b").join(WEIGHTS));
    let own = std::fs::read(&a).unwrap();
    let opened = || said(folder.path(), Taught::open(&folder.path().join("a")));
    std::fs::copy(&b, &a).unwrap();
    let error = opened();
    assert!(error.starts_with("TEACHERS/a/weights.safetensors: `pyramid/"), "{error}");
    assert!(error.contains("` is of [8, 4, ") && error.contains("the network's is of [4, 4, "), "{error}");
    assert!(error.contains("these are the weights of another network"), "{error}");
    std::fs::write(&a, &own[..own.len() / 2]).unwrap();
    assert!(opened().starts_with("TEACHERS/a/weights.safetensors: these are no weights: "), "{}", opened());
    let mut changed = own.clone();
    *changed.last_mut().unwrap() ^= 1;
    std::fs::write(&a, changed).unwrap();
    assert!(opened().contains("teacher.ron says"), "{}", opened());
    std::fs::write(&a, own).unwrap();
    std::fs::write(folder.path().join("a").join(TEACHER), "(course: ())").unwrap();
    insta::assert_snapshot!(opened(), @"
    TEACHERS/a/teacher.ron: it does not begin with `// cellwright teacher, layout 1`
      hint: name a folder that `must teach` or `must train` wrote
    ");
    insta::assert_snapshot!(said(folder.path(), Taught::open(&folder.path().join("none"))), @"
    TEACHERS/none/teacher.ron: it is not there
      hint: name a folder that `must teach` or `must train` wrote
    ");
}

#[test]
fn one_process_alone_trains_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = Claim::take(folder.path()).unwrap();
    assert!(first.is_some() && Claim::take(folder.path()).unwrap().is_none());
    drop(first);
    assert!(Claim::take(folder.path()).unwrap().is_some());
}
