//! Simple Copy-Paste: objects of one picture onto another.
//!
//! Ghiasi et al., *Simple Copy-Paste is a Strong Data Augmentation Method for Instance Segmentation* (2021),
//! <https://arxiv.org/abs/2012.07177>. Some objects of a second picture are pasted at their own place, their edges as they
//! are; what they cover is taken from the masks below, whose boxes follow. An object whose box moved by more than 10 pixels
//! is dropped when no more than 300 of its pixels are left (of a picture of 1024 x 1024, as the authors' code has it; here
//! as shares, for pictures of any size).

use rand::RngExt;

use super::geometry::remaining;
use crate::data::{IGNORE, Mask, Object, Plane, Sample};
use crate::random::Rng;

const MOVED: f64 = 10.0 / 1024.0;
const FEWEST: f64 = 300.0 / (1024.0 * 1024.0);
/// The share of a box without a mask that may be covered before its object counts as hidden.
const HIDDEN: f64 = 0.7;

/// A random number of `source`'s objects pasted onto `target`.
///
/// Only objects with a mask can be pasted, and only onto a picture whose objects are known: else its labels would say of
/// some and not of others. Depth and normals under what was pasted become holes (another camera saw it), and classes of
/// pixels are ignored there where the source has none. Both samples are of one set of classes.
///
/// # Panics
/// If the pictures are not of one size.
pub fn copy_paste(target: &Sample, source: &Sample, rng: &mut Rng) -> Sample {
    let free = |object: &&Object| object.mask.is_some() && !object.crowd;
    let objects: Vec<&Object> = source.objects.iter().flatten().filter(free).collect();
    let count = ((rng.random::<f64>() * (objects.len() + 1) as f64) as usize).min(objects.len());
    let mut order: Vec<usize> = (0..objects.len()).collect();
    rand::seq::SliceRandom::shuffle(&mut order[..], rng);
    let chosen: Vec<Object> = order[..count].iter().map(|&index| objects[index].clone()).collect();
    pasted(target, source, &chosen)
}

fn pasted(target: &Sample, source: &Sample, chosen: &[Object]) -> Sample {
    assert_eq!(target.size(), source.size(), "pictures of one size");
    let Some(below) = target.objects.as_ref().filter(|_| !chosen.is_empty()) else { return target.clone() };
    let (width, height) = target.size();
    let mut cover = Plane::filled(width, height, false);
    chosen.iter().filter_map(|object| object.mask.as_ref()).for_each(|mask| {
        mask.for_each(|x, y| cover.set(x, y, true));
    });
    let kept = below.iter().filter_map(|object| uncovered(object, &cover));
    let classes = || source.segmentation.clone().unwrap_or_else(|| Plane::filled(width, height, IGNORE));
    let hole = |plane: &Plane<f32>| plane.covered(&Plane::filled(width, height, f32::NAN), &cover);
    let holes = |plane: &Plane<[f32; 3]>| plane.covered(&Plane::filled(width, height, [f32::NAN; 3]), &cover);
    Sample {
        picture: target.picture.covered(&source.picture, &cover),
        objects: Some(kept.chain(chosen.iter().cloned()).collect()),
        segmentation: target.segmentation.as_ref().map(|plane| plane.covered(&classes(), &cover)),
        depth: target.depth.as_ref().map(hole),
        normals: target.normals.as_ref().map(holes),
        name: target.name.clone(),
        class: target.class.clone(),
        pseudo: target.pseudo.clone(),
        camera: target.camera,
    }
}

/// What is left of an object under the cover, if it can still be seen.
fn uncovered(object: &Object, cover: &Plane<bool>) -> Option<Object> {
    let Some(mask) = &object.mask else {
        return (covered_share(object, cover) < HIDDEN || object.crowd).then(|| object.clone());
    };
    let mut plane = mask.plane();
    let mut touched = false;
    mask.for_each(|x, y| {
        if cover.at(x, y) {
            plane.set(x, y, false);
            touched = true;
        }
    });
    if !touched {
        return Some(object.clone());
    }
    let rest: Mask = plane.mask();
    let (area, after) = (rest.area() as f64, rest.bounds()?);
    let before = object.bounds;
    let edges = [
        before.left - after.left,
        before.top - after.top,
        before.right() - after.right(),
        before.bottom() - after.bottom(),
    ];
    let (width, height) = cover.size();
    let moved = edges.iter().any(|edge| edge.abs() > MOVED * width.max(height) as f64);
    let few = area <= FEWEST * (width * height) as f64;
    if moved && few && !object.crowd { None } else { remaining(object, before, after, Some(rest), 0.0) }
}

/// The share of an object's box that is covered.
fn covered_share(object: &Object, cover: &Plane<bool>) -> f64 {
    let (width, height) = cover.size();
    let Some(bounds) = object.bounds.clipped(width, height) else { return 1.0 };
    let (columns, rows) = (
        bounds.left as usize..(bounds.right().ceil() as usize).min(width),
        bounds.top as usize..(bounds.bottom().ceil() as usize).min(height),
    );
    let all = (columns.len() * rows.len()).max(1);
    let covered =
        rows.flat_map(|y| columns.clone().map(move |x| (x, y))).filter(|&(x, y)| cover.at(x, y)).count();
    covered as f64 / all as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Picture, Scenes};
    use crate::random::Seed;

    #[test]
    fn what_is_pasted_covers_and_what_is_hidden_goes() {
        let scenes = Scenes { width: 32, height: 32, ..Scenes::default() };
        let (mut pastes, mut hidden) = (0, 0);
        for index in 0..12 {
            let (target, source) = (scenes.sample(index), scenes.sample(index + 40));
            let result = copy_paste(&target, &source, &mut Seed(1).stream(index as u64, "paste"));
            assert_eq!(result.contradiction(&scenes.classes()), None);
            let (all, classes) = (result.objects.unwrap(), result.segmentation.unwrap());
            for object in &all {
                let mask = object.mask.as_ref().unwrap();
                assert_eq!(mask.bounds(), Some(object.bounds), "boxes follow their masks");
                mask.for_each(|x, y| assert_eq!(classes.at(x, y), 3 + object.class, "one object a pixel"));
            }
            let new = all.iter().filter(|object| source.objects.as_ref().unwrap().contains(object)).count();
            let old = target.objects.as_ref().unwrap().len();
            pastes += new;
            hidden += old + new - all.len();
            let changed = |x: usize, y: usize| result.depth.as_ref().unwrap().at(x, y).is_nan();
            let pasted = all.iter().rev().take(new).all(|object| {
                let mut holes = true;
                object.mask.as_ref().unwrap().for_each(|x, y| holes &= changed(x, y));
                holes
            });
            assert!(pasted, "another camera saw what was pasted");
        }
        assert!(pastes > 5 && hidden > 0, "{pastes} pasted, {hidden} hidden");
    }

    #[test]
    fn nothing_is_pasted_onto_a_picture_whose_objects_are_unknown() {
        let scenes = Scenes { width: 16, height: 16, ..Scenes::default() };
        let target = Sample::unlabelled("a", Picture::filled(16, 16, [7; 3]));
        let source = scenes.sample(0);
        let all = source.objects.clone().unwrap();
        assert_eq!(pasted(&target, &source, &all), target);
    }
}
