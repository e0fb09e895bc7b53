//! The same batches whichever way they come.

use super::*;
use crate::recipe::{Augment, Progressive, RandAugment};

fn pictures() -> Pictures {
    let pixels = (0..20 * 3 * 16 * 16).map(|at| (at * 31 % 253) as u8).collect();
    Pictures::new(pixels, (0..20).map(|at| at % 4).collect(), (3, 16, 16))
}

const MEAN: [f32; 3] = [0.5, 0.4, 0.6];
const DEVIATION: [f32; 3] = [0.2, 0.25, 0.3];

fn recipe(augment: Augment) -> Recipe {
    let progressive = Progressive { stages: 2, size: 0.5, mixup: 0.5, ..Progressive::default() };
    Recipe { batch: 6, label_smoothing: 0.1, augment, progressive, ..Recipe::default() }
}

fn course<'a>(recipe: &'a Recipe, pictures: &'a Pictures, device: &'a Device, loaders: usize) -> Course<'a> {
    Course {
        recipe,
        epochs: 2,
        whole: 2,
        seed: Seed(3),
        train: pictures.into(),
        normal: (&MEAN, &DEVIATION),
        classes: 4,
        loaders,
        device,
    }
}

/// Every batch of both epochs: numbers, targets and shape.
fn all(mut feed: Feed) -> Vec<(Vec<f32>, Vec<f32>, [usize; 4])> {
    let mut batches = Vec::new();
    for epoch in 0..2 {
        feed.begin(epoch).unwrap();
        for step in 0..3 {
            let (input, targets) = feed.next(step).unwrap();
            let shape = input.dims();
            batches.push((
                input.into_data().iter::<f32>().collect(),
                targets.into_data().iter::<f32>().collect(),
                shape,
            ));
        }
        feed.end().unwrap();
    }
    let throughput = feed.throughput();
    assert_eq!(throughput.pictures, 2 * 3 * 6);
    assert!(throughput.waited_seconds <= throughput.seconds);
    batches
}

#[track_caller]
fn alike(met: &[(Vec<f32>, Vec<f32>, [usize; 4])], wanted: &[(Vec<f32>, Vec<f32>, [usize; 4])]) {
    for (met, wanted) in met.iter().zip(wanted) {
        assert_eq!((&met.1, met.2), (&wanted.1, wanted.2));
        let apart = met.0.iter().zip(&wanted.0).map(|(met, wanted)| (met - wanted).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-4, "{apart}");
    }
}

#[test]
fn batches_gathered_on_the_device_are_those_of_the_host() {
    let augment = Augment { crop: 2, flip: true, cutout: 4, mixup: 0.4, cutmix: 1.0, ..Augment::default() };
    let (recipe, pictures, device) = (recipe(augment), pictures(), super::device());
    let host = all(Feed::start(course(&recipe, &pictures, &device, 1), 0).unwrap());
    assert_eq!([host[0].2, host[5].2], [[6, 3, 8, 8], [6, 3, 16, 16]]);
    assert!(
        host.iter()
            .all(|(_, targets, _)| targets.chunks(4).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-5))
    );
    let mut feed = Feed::start(course(&recipe, &pictures, &device, 1), 0).unwrap();
    let resident = Resident::new(&pictures, (&MEAN, &DEVIATION), &device).unwrap();
    feed.way = Way::Resident(pictures.clone(), Box::new(resident));
    alike(&all(feed), &host);
}

#[test]
fn loaded_batches_depend_neither_on_threads_nor_on_where_they_are_normalised() {
    let rand_augment = RandAugment { ops: 2, magnitude: 9.0 };
    let augment = Augment {
        crop: 1,
        flip: true,
        resized_crop: 0.3,
        rand_augment,
        mixup: 0.4,
        cutmix: 1.0,
        ..Augment::default()
    };
    let (recipe, pictures, device) = (recipe(augment), pictures(), super::device());
    let one = all(Feed::start(course(&recipe, &pictures, &device, 1), 0).unwrap());
    let many = all(Feed::start(course(&recipe, &pictures, &device, 4), 0).unwrap());
    assert_eq!(one, many);
    let mut feed = Feed::start(course(&recipe, &pictures, &device, 1), 0).unwrap();
    let looks = (0..2).map(|epoch| Look::training(&recipe.stage(epoch, 2), (16, 16))).collect();
    let agenda = Agenda::training(Seed(3), 20, 6, 0, looks);
    let loader =
        Loader::start(Supply::from(&pictures).into(), agenda, Tables::bytes(&MEAN), 2, AHEAD).unwrap();
    feed.way = Way::Bytes(loader, Box::new(OnDevice::new((&MEAN, &DEVIATION), &device)));
    alike(&all(feed), &one);
    // A training that goes on gets what it would have got.
    let mut late = Feed::start(course(&recipe, &pictures, &device, 2), 1).unwrap();
    late.begin(1).unwrap();
    let (input, _) = late.next(0).unwrap();
    assert_eq!(input.into_data().iter::<f32>().collect::<Vec<_>>(), one[3].0);
}

#[test]
fn pictures_of_two_channels_are_refused_where_colours_matter() {
    let pictures = Pictures::new(vec![0; 20 * 2 * 4], vec![0; 20], (2, 2, 2));
    let augment = Augment { resized_crop: 0.5, ..Augment::default() };
    let (recipe, device) = (recipe(augment), super::device());
    let normal = (&[0.0; 2][..], &[1.0; 2][..]);
    let course = Course { normal, ..course(&recipe, &pictures, &device, 1) };
    let error = Feed::start(course, 0).err().unwrap().to_string();
    assert!(error.contains("2 channels") && error.contains("resized_crop"), "{error}");
}
