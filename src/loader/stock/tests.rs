//! Order, bounds, broken files, and the same batches whatever the number of threads.

use std::path::Path;

use super::*;
use crate::data::{Set, Source};
use crate::random::Seed;
use crate::recipe::{Augment, Progressive, RandAugment, Recipe};

/// Two classes of 20 training and 4 other pictures of several sizes, JPEG and PNG.
fn paint(folder: &Path) {
    for (part, count) in [("train", 20), ("val", 4), ("test", 4)] {
        for class in ["cat", "dog"] {
            let place = folder.join(part).join(class);
            std::fs::create_dir_all(&place).unwrap();
            for index in 0..count {
                let (width, height) = (20 + index * 3, 40 - index);
                let picture = image::RgbImage::from_fn(width, height, |x, y| {
                    image::Rgb([(x * 9) as u8, (y * 6) as u8, (index * 12) as u8])
                });
                let kind = if index % 2 == 0 { "jpg" } else { "png" };
                picture.save(place.join(format!("{index:02}.{kind}"))).unwrap();
            }
        }
    }
}

fn files(folder: &Path) -> Files {
    let source = Source::Stream { path: folder.into(), size: 24, channels: 3, middle: 0.875 };
    let Set::Files(set) = source.open().unwrap() else { panic!("a stream is files") };
    set.train
}

fn recipe() -> Recipe {
    let augment = Augment {
        flip: true,
        crop: 2,
        cutout: 6,
        resized_crop: 0.2,
        rand_augment: RandAugment { ops: 2, magnitude: 12.0 },
        ..Augment::default()
    };
    let progressive = Progressive { stages: 3, size: 0.5, ..Progressive::default() };
    Recipe { augment, progressive, ..Recipe::default() }
}

fn loader(stock: Stock, count: usize, threads: usize) -> Loader<u8> {
    let looks = (0..3).map(|epoch| Look::training(&recipe().stage(epoch, 3), (24, 24))).collect();
    let agenda = Agenda::training(Seed(5), count, 8, 0, looks);
    Loader::start(stock, agenda, Tables::bytes(&[0.5; 3]), threads, 2).unwrap()
}

fn all<T: Pixels>(loader: &mut Loader<T>) -> Vec<Batch<T>> {
    std::iter::from_fn(|| loader.next()).collect()
}

#[test]
fn batches_are_the_same_to_the_bit_whatever_the_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    paint(folder.path());
    let files = files(folder.path());
    let alone = all(&mut loader(Stock::Files(files.clone()), files.len(), 1));
    assert_eq!(alone.len(), 3 * 5);
    let shapes: Vec<_> = [0, 5, 14].map(|at| alone[at].shape).into();
    assert_eq!(shapes, [(3, 12, 12), (3, 20, 20), (3, 24, 24)]);
    assert!(
        alone.iter().all(|batch| batch.pixels.len() == 8 * batch.shape.0 * batch.shape.1 * batch.shape.2)
    );
    for threads in [2, 5] {
        let mut loader = loader(Stock::Files(files.clone()), files.len(), threads);
        assert_eq!(all(&mut loader), alone);
        assert!(loader.most_held() <= 16, "{}", loader.most_held());
        assert_eq!(loader.broken().count(), 0);
    }
    assert_ne!(alone[0], alone[5]);
}

#[test]
fn a_broken_jpeg_in_the_middle_is_skipped_counted_and_named() {
    let folder = tempfile::tempdir().unwrap();
    paint(folder.path());
    let broken = folder.path().join("train/dog/04.jpg");
    let whole = std::fs::read(&broken).unwrap();
    let listed = files(folder.path());
    std::fs::write(&broken, &whole[..whole.len() / 2]).unwrap();
    std::fs::remove_file(folder.path().join("train/cat/07.png")).unwrap();
    let mut loader = loader(Stock::Files(listed.clone()), listed.len(), 3);
    let batches = all(&mut loader);
    assert_eq!(batches.len(), 3 * 5);
    assert_eq!(batches.iter().map(|batch| batch.labels.len()).sum::<usize>(), 3 * (40 - 2));
    assert_eq!(loader.broken().count(), 2);
    let text = loader.broken().to_string();
    assert!(text.contains("04.jpg (cut short") && text.contains("07.png (No such file"), "{text}");
}

#[test]
fn looking_sees_every_picture_once_in_order_in_its_middle() {
    let folder = tempfile::tempdir().unwrap();
    paint(folder.path());
    let files = files(folder.path());
    let look = Look { shape: (24, 24), augment: None, middle: 0.875 };
    let agenda = Agenda::looking(files.len(), 16, look);
    let tables = Tables::<f32>::new(&[0.5; 3], &[0.25; 3]);
    let mut loader = Loader::start(Stock::Files(files.clone()), agenda, tables, 2, 2).unwrap();
    let batches = all(&mut loader);
    assert_eq!(batches.iter().map(|batch| batch.labels.len()).collect::<Vec<_>>(), [16, 16, 8]);
    let labels: Vec<u16> = batches.iter().flat_map(|batch| batch.labels.clone()).collect();
    assert_eq!(labels, files.labels().collect::<Vec<_>>());
}

#[test]
fn pictures_in_memory_go_through_the_same_operations() {
    let pixels: Vec<u8> = (0..10 * 3 * 24 * 24).map(|at| (at % 251) as u8).collect();
    let pictures = Pictures::new(pixels, (0..10).map(|at| at % 2).collect(), (3, 24, 24));
    let drawn = all(&mut loader(Stock::Memory(pictures.clone()), 10, 2));
    assert_eq!((drawn.len(), drawn[2].shape), (3, (3, 24, 24)));
    // Looked at whole, they are what they were.
    let look = Look { shape: (24, 24), augment: None, middle: 1.0 };
    let agenda = Agenda::looking(10, 10, look);
    let mut loader =
        Loader::start(Stock::Memory(pictures.clone()), agenda, Tables::bytes(&[0.0; 3]), 2, 1).unwrap();
    assert_eq!(loader.next().unwrap().pixels, *pictures.pixels);
    assert!(loader.next().is_none());
}
