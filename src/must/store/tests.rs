//! Stores that are killed, cut, damaged, or of somebody else.

use std::path::Path;

use super::*;
use crate::data::{Bounds, Class, IGNORE, Object, Plane, Scenes};

const SCENES: Scenes = Scenes { count: 5, width: 16, height: 12, seed: 0, objects: 2 };

fn header() -> StoreHeader {
    let teacher = Teacher { name: "depth".into(), hash: "00ff".into(), labels: vec![Label::Depth] };
    let pictures = SampleSource::Part {
        of: Box::new(SampleSource::Scenes(SCENES)),
        labels: Some(vec![Label::Class]),
        skip: 0,
        take: None,
    };
    StoreHeader { pictures, classes: SCENES.classes(), teachers: vec![teacher], threshold: 0.5 }
}

fn labels(index: usize) -> PseudoLabels {
    let depth = Plane::from_fn(16, 12, |x, y| if x == 0 { f32::NAN } else { (index + x * y) as f32 / 8.0 });
    PseudoLabels { depth: Some(depth), ..PseudoLabels::default() }
}

/// Labels the pictures that are not labelled yet, up to `end`.
fn label(folder: &Path, end: usize) -> Result<usize, StoreError> {
    let mut writer = StoreWriter::open(folder, &header())?;
    let pictures = header().pictures.open()?;
    let todo: Vec<usize> = (0..end).filter(|&index| !writer.has(&pictures.name(index))).collect();
    todo.iter().try_for_each(|&index| writer.add(&pictures.name(index), &labels(index)))?;
    Ok(todo.len())
}

fn message(folder: &Path, error: StoreError) -> String {
    error.to_string().replace(&folder.display().to_string(), "STORE")
}

#[test]
fn labels_come_back_with_their_pictures_and_what_people_said_stays() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(label(folder.path(), 5).unwrap(), 5);
    let set = Store::open(folder.path()).unwrap().into_samples().unwrap();
    let (sample, truth) = (set.sample(3).unwrap(), SCENES.sample(3));
    assert_eq!((sample.picture, sample.class), (truth.picture, truth.class));
    assert_eq!((sample.depth, sample.normals), (labels(3).depth, None));
    let alone = Store::open(folder.path()).unwrap().into_pseudo_labels().unwrap();
    assert_eq!(alone.sample(3).unwrap().labels(), [Label::Depth]);
}

/// A picture of one of each of its own classes.
struct Own(Classes, Vec<Label>);

impl Samples for Own {
    fn len(&self) -> usize {
        1
    }
    fn classes(&self) -> &Classes {
        &self.0
    }
    fn name(&self, _index: usize) -> String {
        "one".into()
    }
    fn sample(&self, _index: usize) -> Result<Sample, DataError> {
        let sample = Sample {
            class: Some(Class::Hard(0)),
            objects: Some(vec![object(1)]),
            segmentation: Some(Plane::new(2, 1, vec![1, IGNORE])),
            ..Sample::unlabelled("one", Plane::filled(2, 1, [0; 3]))
        };
        Ok(sample.only(&self.1))
    }
}

fn object(class: u16) -> Object {
    Object::new(Bounds { left: 0.0, top: 0.0, width: 1.0, height: 1.0 }, class)
}

/// The labels of one picture of `ant`, `x y` and `s t`, by a teacher of `cat ant`, `y z` and `t u`, who says the second of
/// each; what the picture has of its own is `own`.
fn both(own: &[Label]) -> (Sample, Classes) {
    let names = |words: &str| words.split(' ').map(String::from).collect::<Vec<_>>();
    let classes = |pictures: &str, objects: &str, segmentation: &str| Classes {
        pictures: names(pictures),
        objects: names(objects),
        segmentation: names(segmentation),
    };
    let folder = tempfile::tempdir().unwrap();
    let header = StoreHeader { classes: classes("cat ant", "y z", "t u"), ..header() };
    let mut writer = StoreWriter::open(folder.path(), &header).unwrap();
    let labels = PseudoLabels {
        class: Some(vec![0.25, 0.75]),
        objects: Some(vec![object(1)]),
        segmentation: Some(Plane::new(2, 1, vec![1, IGNORE])),
        ..PseudoLabels::default()
    };
    writer.add("one", &labels).unwrap();
    let pictures = Own(classes("ant bee", "x y", "s t").only(own), own.to_vec());
    let set = Store::open(folder.path()).unwrap().labelled(Box::new(pictures)).unwrap();
    (set.sample(0).unwrap(), set.classes().clone())
}

#[test]
fn what_people_said_and_what_teachers_said_go_by_the_names_of_their_classes() {
    let tasks = [Label::Class, Label::Objects, Label::Segmentation];
    let told = |own: &[Label]| {
        let (sample, classes) = both(own);
        assert_eq!(sample.contradiction(&classes), None);
        let class = match sample.class.unwrap() {
            Class::Hard(class) => classes.pictures[usize::from(class)].clone(),
            Class::Soft(shares) => {
                let named = shares.iter().zip(&classes.pictures).filter(|(share, _)| **share > 0.0);
                named.map(|(share, name)| format!("{name} {share}")).collect::<Vec<_>>().join(" ")
            }
        };
        let object = classes.objects[usize::from(sample.objects.unwrap()[0].class)].clone();
        let pixels = sample.segmentation.unwrap();
        assert_eq!(pixels.at(1, 0), IGNORE);
        (class, object, classes.segmentation[usize::from(pixels.at(0, 0))].clone())
    };
    let words = |class: &str, object: &str, pixel: &str| (class.into(), object.into(), pixel.into());
    assert_eq!(told(&tasks), words("ant", "y", "t"));
    assert_eq!(told(&[]), words("cat 0.25 ant 0.75", "z", "u"));
    assert_eq!(told(&[Label::Objects]), words("cat 0.25 ant 0.75", "y", "u"));
    assert_eq!(both(&[Label::Objects]).0.pseudo, [Label::Class, Label::Segmentation]);
    assert_eq!(both(&tasks).1.pictures, ["cat", "ant", "bee"]);
    assert_eq!(both(&[]).1.pictures, ["cat", "ant"], "nobody says `bee`");
}

#[test]
fn killed_at_any_byte_it_goes_on_and_ends_the_same() {
    let whole = tempfile::tempdir().unwrap();
    label(whole.path(), 5).unwrap();
    let bytes = std::fs::read(whole.path().join("labels.bin")).unwrap();
    for end in (0..bytes.len()).step_by(bytes.len() / 23) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(whole.path().join("labels.ron"), folder.path().join("labels.ron")).unwrap();
        std::fs::write(folder.path().join("labels.bin"), &bytes[..end]).unwrap();
        let there = Store::open(folder.path()).unwrap();
        assert_eq!(there.len(), 5 * end / bytes.len(), "records of one length");
        assert!((0..there.len()).all(|index| there.labels(&format!("{index:06}")).unwrap() == labels(index)));
        assert_eq!(label(folder.path(), 5).unwrap(), 5 - there.len());
        assert_eq!(std::fs::read(folder.path().join("labels.bin")).unwrap(), bytes);
    }
}

#[test]
fn says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let opened = |path: &Path| message(path, Store::open(path).unwrap_err());
    insta::assert_snapshot!(opened(path), @"
    STORE/labels.ron: it is not there
      hint: name a folder that `must label` wrote, or write it again
    ");
    label(path, 3).unwrap();
    let unfinished = Store::open(path).unwrap().into_samples().err().unwrap();
    insta::assert_snapshot!(message(path, unfinished), @"
    STORE/labels.bin: 3 of 5 pictures are labelled, `000003` is not
      hint: run the same `must label` again: it goes on where it stopped
    ");
    let unknown = Store::open(path).unwrap().labels("000004").unwrap_err();
    insta::assert_snapshot!(message(path, unknown), @"
    STORE/labels.bin: no picture `000004` is labelled here, 3 others are
      hint: name a folder that `must label` wrote, or write it again
    ");

    let mut other = header();
    other.teachers[0].hash = "1234".into();
    insta::assert_snapshot!(message(path, StoreWriter::open(path, &other).unwrap_err()), @"
    STORE/labels.ron: these labels are for another run: by `depth` (00ff), not by `depth` (1234)
      hint: write to another folder, or remove this one
    ");
    other = StoreHeader { threshold: 0.7, ..header() };
    insta::assert_snapshot!(message(path, StoreWriter::open(path, &other).unwrap_err()), @"
    STORE/labels.ron: these labels are for another run: above the threshold 0.5, not 0.7
      hint: write to another folder, or remove this one
    ");

    other = StoreHeader { pictures: SampleSource::Scenes(SCENES), ..header() };
    insta::assert_snapshot!(message(path, StoreWriter::open(path, &other).unwrap_err()), @"
    STORE/labels.ron: these labels are for another run: pictures Part(of: Scenes(count: 5, width: 16, height: 12, seed: 0, objects: 2), labels: [Class], skip: 0, take: None), not Scenes(count: 5, width: 16, height: 12, seed: 0, objects: 2)
      hint: write to another folder, or remove this one
    ");

    let mut writer = StoreWriter::open(path, &header()).unwrap();
    insta::assert_snapshot!(message(path, StoreWriter::open(path, &header()).unwrap_err()), @"
    STORE/labels.bin: another process is writing these labels
      hint: wait until it has ended, or write to another folder
    ");
    insta::assert_snapshot!(message(path, writer.add("000001", &labels(1)).unwrap_err()), @"
    STORE/labels.bin: `000001` is labelled already
      hint: ask `has` before a picture is labelled
    ");
    drop(writer);

    let file = path.join("labels.bin");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    insta::assert_snapshot!(opened(path), @"
    STORE/labels.bin: the record at byte 0 is damaged: its bytes do not give its checksum
      hint: copy the file again, or remove it and run `must label` again
    ");
    insta::assert_snapshot!(message(path, label(path, 5).unwrap_err()), @"
    STORE/labels.bin: the record at byte 0 is damaged: its bytes do not give its checksum
      hint: copy the file again, or remove it and run `must label` again
    ");
    bytes[5] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    insta::assert_snapshot!(message(path, label(path, 5).unwrap_err()), @"
    STORE/labels.bin: the record at byte 0 is damaged: its length does not give its checksum
      hint: copy the file again, or remove it and run `must label` again
    ");
    assert_eq!(std::fs::read(&file).unwrap(), bytes, "nothing is cut off that was not cut off before");
    bytes[0] = b'?';
    std::fs::write(&file, &bytes).unwrap();
    insta::assert_snapshot!(opened(path), @"
    STORE/labels.bin: the record at byte 0 is damaged: no record begins here
      hint: copy the file again, or remove it and run `must label` again
    ");
    let whole = std::fs::read_to_string(path.join("labels.ron")).unwrap();
    for end in [0, 10, 60, whole.len() - 3] {
        std::fs::write(path.join("labels.ron"), &whole[..end]).unwrap();
        let told = opened(path);
        assert!(told.starts_with(&format!("STORE/labels.ron: it was cut off at byte {end}\n")), "{told}");
    }
    std::fs::write(path.join("labels.ron"), "(threshold: 3)").unwrap();
    insta::assert_snapshot!(opened(path), @"
    STORE/labels.ron: it does not begin with `// cellwright pseudo labels, layout 1`
      hint: name a folder that `must label` wrote, or write it again
    ");
}

#[test]
fn a_teacher_is_known_by_the_hash_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("teacher");
    std::fs::write(&path, "abc").unwrap();
    let teacher = Teacher::of_file("a", &path, vec![Label::Class]).unwrap();
    assert_eq!(teacher.hash, "e71fa2190541574b");
}
