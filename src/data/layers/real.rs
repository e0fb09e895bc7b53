//! The readers on real pictures, where they are unpacked: samples of COCO and of a 7-Scenes room.

use std::path::PathBuf;

use super::{ClassMap, Intrinsics, Layer, PictureFolder};
use crate::data::{IGNORE, Label, NormalFit, Sample, SampleSource, Samples};

/// The folder that data is unpacked to: `CELLWRIGHT_DATA`, else one under the temporary folder.
fn folder(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("CELLWRIGHT_DATA").map(PathBuf::from);
    let folder = root.unwrap_or_else(|| std::env::temp_dir().join("cellwright-data")).join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {} is not here", folder.display());
    None
}

fn coco(split: &str) -> Option<PictureFolder> {
    let root = folder("coco-sample")?;
    Some(PictureFolder {
        folder: root.join("images").join(split),
        suffix: None,
        labels: vec![
            Layer::Yolo {
                folder: root.join("labels-boxes").join(split),
                classes: ClassMap::File(root.join("boxes.yaml")),
            },
            Layer::Masks {
                folder: root.join("masks").join(split),
                suffix: ".png".into(),
                classes: ClassMap::File(root.join("masks.yaml")),
                ignored: vec![0],
            },
        ],
        skip_broken: false,
    })
}

fn room() -> Option<PictureFolder> {
    let root = folder("rgbd-sample")?;
    let camera = Some(Intrinsics::File(root.join("camera-intrinsics.txt")));
    let depth = Layer::Depth {
        folder: root.clone(),
        suffix: ".depth.png".into(),
        metres_per_unit: 0.001,
        holes: vec![0, u16::MAX],
        camera,
        normals: Some(NormalFit::default()),
    };
    Some(PictureFolder {
        folder: root,
        suffix: Some(".color.jpg".into()),
        labels: vec![depth],
        skip_broken: false,
    })
}

fn consistent(set: &dyn Samples, index: usize) -> Sample {
    let sample = set.sample(index).unwrap();
    assert_eq!(sample.contradiction(set.classes()), None, "{}", sample.name);
    sample
}

#[test]
fn coco_pictures_with_boxes_and_masks() {
    let Some(files) = coco("val2017") else { return };
    let set = SampleSource::Pictures(files).open().unwrap();
    assert_eq!((set.len(), set.classes().objects.len(), set.classes().segmentation.len()), (50, 80, 129));
    assert_eq!(set.classes().segmentation[0], "person");
    let sample = consistent(&*set, 3);
    assert_eq!(sample.labels(), [Label::Objects, Label::Segmentation]);
    assert!(sample.segmentation.unwrap().values().iter().any(|&class| class != IGNORE));
}

#[test]
fn coco_polygons_and_panoptic_boxes_agree() {
    let (Some(files), Some(root)) = (coco("train2017"), folder("coco-sample")) else { return };
    let with = |layer: Layer| {
        SampleSource::Pictures(PictureFolder { labels: vec![layer], ..files.clone() }).open().unwrap()
    };
    // Its polygons count classes as COCO does, its boxes without gaps.
    let polygons = with(Layer::Yolo {
        folder: root.join("labels-polygons/train2017"),
        classes: ClassMap::File(root.join("masks.yaml")),
    });
    let panoptic = with(Layer::Panoptic { json: root.join("panoptic_train2017.json"), masks: None });
    let index = (0..100).find(|&index| polygons.name(index) == "000000000009").unwrap();
    let (ours, theirs) = (consistent(&*polygons, index), consistent(&*panoptic, index));
    let (ours, theirs) = (ours.objects.unwrap(), theirs.objects.unwrap());
    assert_eq!((ours.len(), theirs.len()), (8, 8));
    for object in &ours {
        let best = theirs.iter().map(|other| other.bounds.overlap(&object.bounds)).fold(0.0, f64::max);
        assert!(best > 0.5, "{:?} is at none of the other boxes", object.bounds);
        let area = object.mask.as_ref().unwrap().area() as f64 / object.bounds.area();
        assert!((0.1..=1.0).contains(&area), "a mask fills {area} of its box");
    }
}

#[test]
fn a_room_with_depth_holes_and_normals() {
    let Some(files) = room() else { return };
    let set = SampleSource::Pictures(files).open().unwrap();
    assert_eq!((set.len(), set.name(1).as_str()), (125, "frame-000008"));
    let sample = consistent(&*set, 1);
    let (depth, normals) = (sample.depth.unwrap(), sample.normals.unwrap());
    let known = depth.values().iter().filter(|depth| !depth.is_nan()).count() as f64;
    assert!((0.6..0.99).contains(&(known / 307_200.0)), "{known} pixels have a depth");
    assert!(depth.values().iter().all(|&depth| depth.is_nan() || (0.3..10.0).contains(&depth)));
    let fitted = normals.values().iter().filter(|normal| !normal[0].is_nan()).count() as f64;
    assert!((0.8 * known..=known).contains(&fitted), "{fitted} of {known} have a normal");
}

#[test]
#[cfg_attr(debug_assertions, ignore = "decodes 275 pictures: run with --release")]
fn every_real_sample_can_be_read() {
    for files in [coco("train2017"), coco("val2017"), room()].into_iter().flatten() {
        let set = SampleSource::Pictures(files).open().unwrap();
        let problems: Vec<String> = set.check().iter().map(|(_, error)| error.to_string()).collect();
        assert_eq!(problems, Vec::<String>::new());
    }
}
