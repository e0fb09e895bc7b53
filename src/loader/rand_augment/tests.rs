//! Values worked out by hand, and some that Pillow gave.

use super::*;
use crate::random::{Seed, fnv1a};

fn grey(bytes: &[u8], width: usize) -> Raster {
    Raster { bytes: bytes.to_vec(), channels: 1, height: bytes.len() / width, width }
}

fn after(operation: Operation, mut raster: Raster) -> Vec<u8> {
    operation.apply(&mut raster, &mut Vec::new());
    raster.bytes
}

#[test]
fn moved_pixels_by_hand() {
    let nine = || grey(&[1, 2, 3, 4, 5, 6, 7, 8, 9], 3);
    assert_eq!(after(Operation::TranslateX(1.9), nine()), [0, 1, 2, 0, 4, 5, 0, 7, 8]);
    assert_eq!(after(Operation::TranslateY(-1.0), nine()), [4, 5, 6, 7, 8, 9, 0, 0, 0]);
    // Row y comes from one column further right than the row before.
    assert_eq!(after(Operation::ShearX(1.0), nine()), [2, 3, 0, 6, 0, 0, 0, 0, 0]);
    assert_eq!(after(Operation::ShearY(1.0), nine()), [4, 8, 0, 7, 0, 0, 0, 0, 0]);
    assert_eq!(after(Operation::Rotate(90.0), nine()), [3, 6, 9, 2, 5, 8, 1, 4, 7]);
    assert_eq!(after(Operation::Rotate(0.0), nine()), nine().bytes);
    let colour = Raster { bytes: vec![1, 2, 3, 4, 5, 6], channels: 3, height: 1, width: 2 };
    assert_eq!(after(Operation::TranslateX(1.0), colour), [0, 0, 0, 1, 2, 3]);
}

#[test]
fn changed_values_by_hand() {
    let four = || grey(&[0, 10, 100, 200], 2);
    assert_eq!(after(Operation::Identity, four()), [0, 10, 100, 200]);
    assert_eq!(after(Operation::Brightness(1.5), four()), [0, 15, 150, 255]);
    assert_eq!(after(Operation::Brightness(0.1), four()), [0, 1, 10, 20]);
    // The mean is 77.5, that is 78.
    assert_eq!(after(Operation::Contrast(0.5), four()), [39, 44, 89, 139]);
    assert_eq!(after(Operation::Contrast(1.5), four()), [0, 0, 111, 255]);
    assert_eq!(after(Operation::Posterize(1), four()), [0, 0, 0, 128]);
    assert_eq!(after(Operation::Posterize(8), four()), [0, 10, 100, 200]);
    assert_eq!(after(Operation::Solarize(100.0), four()), [0, 10, 155, 55]);
    // 255 / 50 is no number of 64 bits: Pillow's white stays one short, too.
    assert_eq!(after(Operation::AutoContrast, grey(&[50, 75, 100, 100], 2)), [0, 127, 254, 254]);
    assert_eq!(after(Operation::AutoContrast, grey(&[9, 9], 2)), [9, 9]);
    assert_eq!(after(Operation::Colour(0.0), four()), [0, 10, 100, 200]);
    let red = Raster { bytes: vec![200, 0, 0], channels: 3, height: 1, width: 1 };
    // Its luma is 59.8, that is 60.
    assert_eq!(after(Operation::Colour(0.0), red.clone()), [60, 60, 60]);
    assert_eq!(after(Operation::Colour(1.5), red), [255, 0, 0]);
}

#[test]
fn sharpness_keeps_the_border_and_smooths_the_inside() {
    let dot = || grey(&[0, 0, 0, 0, 130, 0, 0, 0, 0], 3);
    // 5 / 13 of the dot.
    assert_eq!(after(Operation::Sharpness(0.0), dot())[4], 50);
    assert_eq!(after(Operation::Sharpness(1.9), dot())[4], 202);
    assert_eq!(after(Operation::Sharpness(0.0), grey(&[1, 2, 3, 4], 2)), [1, 2, 3, 4]);
}

#[test]
fn equalize_spreads_values_evenly() {
    // 512 pixels: half 10, a quarter 20, a quarter 30. Step (512 - 128) / 255 = 1.
    let bytes: Vec<u8> = (0..512).map(|at| [10, 10, 20, 30][at % 4]).collect();
    let met = after(Operation::Equalize, grey(&bytes, 32));
    assert_eq!(met[..4], [0, 0, 255, 255]);
    // 1024 pixels over 4 values: step (1024 - 256) / 255 = 3; 1 / 3, 257 / 3, 513 / 3, 769 / 3.
    let bytes: Vec<u8> = (0..1024).map(|at| [5, 6, 7, 8][at % 4]).collect();
    assert_eq!(after(Operation::Equalize, grey(&bytes, 32))[..4], [0, 85, 171, 255]);
    assert_eq!(after(Operation::Equalize, grey(&[7; 600], 30)), [7; 600]);
}

#[test]
fn bytes_are_those_of_pillow() {
    let bytes: Vec<u8> = (0..64).flat_map(|at| [37, 11, 73].map(|step| (at * step % 251) as u8)).collect();
    let colours = || Raster { bytes: bytes.clone(), channels: 3, height: 8, width: 8 };
    // The FNV-1a hash of what Pillow 13.0 makes of them.
    for (operation, wanted) in [
        (Operation::Identity, 0x6f27_8184_6d63_107f),
        (Operation::Sharpness(1.45), 0xf749_d99b_d440_3ad2),
        (Operation::Sharpness(0.55), 0xd1be_8013_0b0a_ddab),
        (Operation::Colour(1.45), 0x35fa_5e9b_09e2_0b04),
        (Operation::Colour(0.55), 0x0cb5_9c56_e961_0693),
        (Operation::Contrast(1.45), 0x4ceb_4bd1_40be_d4af),
        (Operation::Contrast(0.55), 0x7431_8207_8a5d_c453),
        (Operation::Brightness(1.45), 0xd14d_f544_ebf0_17c8),
        (Operation::AutoContrast, 0x220c_8824_4666_2a2b),
        (Operation::Equalize, 0x6f27_8184_6d63_107f),
        (Operation::Posterize(6), 0x9e47_5e0f_dd3b_f805),
        (Operation::Solarize(127.5), 0x937d_968b_79f5_0f63),
        (Operation::Rotate(-15.0), 0x270d_06fe_656b_6d88),
        (Operation::ShearX(-0.15), 0xf32e_497b_3e98_7ade),
        (Operation::ShearY(0.15), 0x9e3a_0592_b392_1534),
    ] {
        assert_eq!(fnv1a(&after(operation, colours())), wanted, "{operation:?}");
    }
}

#[test]
fn all_operations_are_drawn_with_the_strength_and_both_signs() {
    let mut rng = Seed(1).stream(0, "test");
    let drawn: Vec<Operation> = (0..4000).map(|_| Operation::draw(15.0, 331, 662, &mut rng)).collect();
    let all = [
        Operation::Identity,
        Operation::ShearX(0.15),
        Operation::ShearX(-0.15),
        Operation::ShearY(0.15),
        Operation::TranslateX(150.0),
        Operation::TranslateX(-150.0),
        Operation::TranslateY(75.0),
        Operation::Rotate(-15.0),
        Operation::Brightness(1.45),
        Operation::Brightness(0.55),
        Operation::Colour(1.45),
        Operation::Contrast(0.55),
        Operation::Sharpness(1.45),
        Operation::Posterize(6),
        Operation::Solarize(127.5),
        Operation::AutoContrast,
        Operation::Equalize,
    ];
    for operation in all {
        let count = drawn.iter().filter(|met| **met == operation).count();
        assert!(count > 80, "{operation:?}: {count}");
    }
    let none = Operation::draw(0.0, 8, 8, &mut rng);
    let bytes: Vec<u8> = (0..64).collect();
    if !matches!(none, Operation::AutoContrast | Operation::Equalize) {
        assert_eq!(after(none, grey(&bytes, 8)), bytes, "{none:?}");
    }
}

#[test]
fn no_operation_changes_the_size_of_a_picture_however_small() {
    let mut rng = Seed(2).stream(0, "test");
    for (channels, height, width) in [(1, 1, 1), (3, 1, 5), (3, 2, 2), (1, 7, 3)] {
        let bytes: Vec<u8> = (0..channels * height * width).map(|at| (at * 91) as u8).collect();
        let mut raster = Raster { bytes, channels, height, width };
        let settings = recipe::RandAugment { ops: 60, magnitude: 30.0 };
        rand_augment(&mut raster, settings, &mut rng, &mut Vec::new());
        assert_eq!(raster.bytes.len(), channels * height * width);
    }
}
