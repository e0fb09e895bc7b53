//! The embedded set: solids on a floor, rendered with all labels exact.
//!
//! Spheres, boxes, cylinders, cones, rings and pyramids of any size, colour and pattern stand on a ground under a sun or
//! before a wall, partly hidden by one another. One ray through the middle of each pixel says what it shows, how deep,
//! and which way the surface looks. Only operations that every machine rounds alike are used, and no more than that
//! each picture's own random stream: the same seed gives the same bytes everywhere, whatever the count.

mod compose;
mod light;
mod render;
mod shape;
mod vector;

use serde::{Deserialize, Serialize};

use super::sample::{Class, Classes, Object, Sample};
use crate::random::{Rng, Seed};
use compose::Scene;
use render::{Thing, View};
use shape::Shape;

/// How many pictures of which size.
///
/// ```
/// use cellwright::data::{Label, Scenes};
///
/// let scenes = Scenes { count: 100, width: 32, height: 24, ..Scenes::default() };
/// let sample = scenes.sample(7);
/// assert_eq!(sample.labels(), Label::ALL);
/// assert_eq!(sample, scenes.sample(7));
/// assert_eq!(scenes.classes().segmentation[..3], ["sky", "ground", "wall"]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenes {
    /// Pictures. A larger set begins with the smaller one.
    pub count: usize,
    /// Columns of a picture.
    pub width: usize,
    /// Rows of a picture.
    pub height: usize,
    /// Other seeds, other pictures.
    pub seed: u64,
    /// Solids that a scene holds at most; how many there are is drawn for each.
    pub objects: usize,
}

impl Default for Scenes {
    fn default() -> Scenes {
        Scenes { count: 1000, width: 64, height: 64, seed: 0, objects: 6 }
    }
}

/// The classes of pixels that are of no solid.
const STUFF: [&str; 3] = ["sky", "ground", "wall"];
/// Scenes that are drawn until one shows clearly what it is a picture of.
const ATTEMPTS: usize = 8;
/// The largest solid is at least this much larger in sight than any of another class.
const DOMINANCE: f64 = 1.3;

impl Scenes {
    /// What is wrong with these numbers, if anything.
    pub(super) fn problem(&self) -> Option<String> {
        let Scenes { count, width, height, objects, .. } = *self;
        match () {
            _ if count == 0 => Some("`count` is 0: there would be no pictures".into()),
            _ if width.min(height) < 8 || width.max(height) > 4096 => {
                Some(format!("pictures of {width}x{height}: sides are 8 to 4096 pixels"))
            }
            _ if !(1..=40).contains(&objects) => Some(format!("`objects` is {objects}: it is 1 to 40")),
            _ => None,
        }
    }

    /// The solids' names for pictures (which solid is the largest in sight) and objects; those and what is round them for
    /// pixels.
    pub fn classes(&self) -> Classes {
        let solids: Vec<String> = Shape::NAMES.iter().map(|&name| name.into()).collect();
        let segmentation = STUFF.iter().map(|&name| name.into()).chain(solids.clone()).collect();
        Classes { pictures: solids.clone(), objects: solids, segmentation }
    }

    /// The name of a picture: its index.
    pub(super) fn name(index: usize) -> String {
        format!("{index:06}")
    }

    /// One picture with all its labels.
    pub fn sample(&self, index: usize) -> Sample {
        let mut rng = Seed(self.seed).stream(index as u64, "scene");
        let view = self.clear_view(&mut rng);
        let scene = &view.scene;
        let class = |thing| match thing {
            Thing::Sky => 0,
            Thing::Ground => 1,
            Thing::Wall => 2,
            Thing::Solid(solid) => STUFF.len() as u16 + scene.solids[solid].shape.class(),
        };
        Sample {
            name: Scenes::name(index),
            class: largest(scene, &view.areas()).map(Class::Hard),
            objects: Some((0..scene.solids.len()).filter_map(|solid| object(&view, solid)).collect()),
            segmentation: Some(view.classes(class)),
            depth: Some(view.depth()),
            normals: Some(view.normals()),
            camera: Some(scene.eye.camera),
            pseudo: Vec::new(),
            picture: view.picture(&mut rng),
        }
    }

    /// A scene whose solids can all be seen, one of them clearly the largest.
    fn clear_view(&self, rng: &mut Rng) -> View {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let count = 1 + light::pick(rng, self.objects);
            let view = self.in_sight(Scene::random(rng, self.width, self.height, count));
            let areas = view.areas();
            if is_clear(&view.scene, &areas) {
                return view;
            }
            last = Some((view.scene, areas));
        }
        // What is not clear after all becomes so with its largest solid alone.
        match last {
            Some((scene, areas)) if !areas.is_empty() => {
                let first = areas.iter().max().and_then(|most| areas.iter().position(|area| area == most));
                View::new(scene.keeping(|solid| Some(solid) == first), self.width, self.height)
            }
            _ => self.clear_view(rng),
        }
    }

    /// Without the solids of which too little is seen, until all that are left can be seen.
    fn in_sight(&self, mut scene: Scene) -> View {
        let fewest = (self.width * self.height / 400).max(4);
        loop {
            let view = View::new(scene, self.width, self.height);
            let areas = view.areas();
            if areas.iter().all(|&area| area >= fewest) {
                return view;
            }
            scene = view.scene.keeping(|solid| areas[solid] >= fewest);
        }
    }
}

fn is_clear(scene: &Scene, areas: &[usize]) -> bool {
    let Some(class) = largest(scene, areas) else { return false };
    let most = |own: bool| {
        let of = scene.solids.iter().zip(areas).filter(|(solid, _)| (solid.shape.class() == class) == own);
        of.map(|(_, &area)| area).max().unwrap_or(0) as f64
    };
    most(true) >= DOMINANCE * most(false)
}

/// The class of the solid of which most is seen.
fn largest(scene: &Scene, areas: &[usize]) -> Option<u16> {
    let pairs = areas.iter().zip(&scene.solids);
    pairs.max_by_key(|(area, _)| **area).map(|(_, solid)| solid.shape.class())
}

fn object(view: &View, solid: usize) -> Option<Object> {
    let mask = view.of_solid(solid).mask();
    let bounds = mask.bounds()?;
    Some(Object { mask: Some(mask), ..Object::new(bounds, view.scene.solids[solid].shape.class()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{NormalFit, Plane};
    use crate::random::fnv1a;

    const SMALL: Scenes = Scenes { count: 12, width: 40, height: 32, seed: 3, objects: 5 };

    #[test]
    fn labels_agree_with_one_another() {
        for index in 0..SMALL.count {
            let sample = SMALL.sample(index);
            assert_eq!(sample.contradiction(&SMALL.classes()), None, "picture {index}");
            let (classes, depth) = (sample.segmentation.unwrap(), sample.depth.unwrap());
            let objects = sample.objects.unwrap();
            let largest = objects.iter().max_by_key(|object| object.mask.as_ref().unwrap().area()).unwrap();
            assert_eq!(sample.class, Some(Class::Hard(largest.class)));
            for object in &objects {
                object.mask.as_ref().unwrap().for_each(|x, y| {
                    assert_eq!(classes.at(x, y), 3 + object.class);
                    assert!(depth.at(x, y) > 0.0);
                });
            }
            let solid = classes.values().iter().filter(|&&class| class >= 3).count();
            let masks: usize = objects.iter().map(|object| object.mask.as_ref().unwrap().area()).sum();
            assert_eq!(solid, masks, "every pixel of a solid is in one mask");
            let holes = classes
                .values()
                .iter()
                .zip(depth.values())
                .all(|(class, depth)| (*class == 0) == depth.is_nan());
            assert!(holes, "the sky alone has no depth");
        }
    }

    #[test]
    fn normals_of_the_depth_are_the_normals() {
        let sample = Scenes { width: 96, height: 72, ..SMALL }.sample(1);
        let fit = NormalFit { radius: Some(1), ..NormalFit::default() };
        let derived = fit.normals(sample.depth.as_ref().unwrap(), &sample.camera.unwrap());
        let exact: Plane<[f32; 3]> = sample.normals.unwrap();
        let pairs =
            exact.values().iter().zip(derived.values()).filter(|(a, b)| !a[0].is_nan() && !b[0].is_nan());
        let close = |a: &[f32; 3], b: &[f32; 3]| (0..3).map(|axis| a[axis] * b[axis]).sum::<f32>() > 0.996;
        let (count, good) =
            pairs.fold((0, 0), |(count, good), (a, b)| (count + 1, good + u32::from(close(a, b))));
        assert!(
            count > 3000 && f64::from(good) > 0.9 * f64::from(count),
            "{good} of {count} within 5 degrees"
        );
    }

    #[test]
    fn the_same_bytes_on_every_machine() {
        let sample = SMALL.sample(4);
        let bytes: Vec<u8> = sample.picture.values().iter().flatten().copied().collect();
        let depths: Vec<u8> =
            sample.depth.unwrap().values().iter().flat_map(|depth| depth.to_le_bytes()).collect();
        insta::assert_debug_snapshot!((fnv1a(&bytes), fnv1a(&depths)), @"
    (
        3740536827037729390,
        16679338065976014499,
    )
    ");
    }

    #[test]
    fn classes_are_about_even() {
        let scenes = Scenes { count: 120, width: 16, height: 16, seed: 1, objects: 3 };
        let mut counts = [0; 6];
        for index in 0..scenes.count {
            if let Some(Class::Hard(class)) = scenes.sample(index).class {
                counts[usize::from(class)] += 1;
            }
        }
        assert!(counts.iter().all(|&count| count >= 6) && counts.iter().sum::<usize>() == 120, "{counts:?}");
    }
}
