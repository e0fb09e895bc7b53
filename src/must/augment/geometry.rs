//! Flip, scale and crop: every label moves with the picture.

use image::imageops::{FilterType, resize};
use image::{ImageBuffer, Rgb};

use crate::data::{Bounds, Camera, IGNORE, Mask, Object, Picture, Plane, Sample};

/// What is outside of the picture: ImageNet's mean colour, which says nothing.
const OUTSIDE: [u8; 3] = [124, 116, 104];

/// Left and right exchanged. Normals point to the other side, too.
///
/// ```
/// use cellwright::data::Scenes;
/// use cellwright::must::augment::flipped;
///
/// let sample = Scenes::default().sample(0);
/// assert_eq!(flipped(&flipped(&sample)), sample);
/// ```
pub fn flipped(sample: &Sample) -> Sample {
    let width = sample.size().0;
    let mirrored = |object: &Object| Object {
        bounds: Bounds { left: width as f64 - object.bounds.right(), ..object.bounds },
        mask: object.mask.as_ref().map(|mask| mask.plane().flipped().mask()),
        ..object.clone()
    };
    Sample {
        name: sample.name.clone(),
        class: sample.class.clone(),
        pseudo: sample.pseudo.clone(),
        picture: sample.picture.flipped(),
        objects: sample.objects.as_ref().map(|objects| objects.iter().map(mirrored).collect()),
        segmentation: sample.segmentation.as_ref().map(Plane::flipped),
        depth: sample.depth.as_ref().map(Plane::flipped),
        normals: sample.normals.as_ref().map(|plane| plane.flipped().map(|[x, y, z]| [-x, y, z])),
        camera: sample.camera.map(|camera| camera.flipped(width)),
    }
}

/// Another size. Colours are averaged, labels are those of the nearest pixel. Depth and normals keep their values: it is
/// the camera that changes.
pub fn scaled(sample: &Sample, width: usize, height: usize) -> Sample {
    let (old_width, old_height) = sample.size();
    let (x, y) = (width as f64 / old_width as f64, height as f64 / old_height as f64);
    let larger = |object: &Object| Object {
        bounds: Bounds {
            left: object.bounds.left * x,
            top: object.bounds.top * y,
            width: object.bounds.width * x,
            height: object.bounds.height * y,
        },
        mask: object.mask.as_ref().map(|mask| mask.plane().nearest(width, height).mask()),
        area: object.area.map(|area| area * x * y),
        ..object.clone()
    };
    Sample {
        name: sample.name.clone(),
        class: sample.class.clone(),
        pseudo: sample.pseudo.clone(),
        picture: resized(&sample.picture, width, height),
        objects: sample.objects.as_ref().map(|objects| objects.iter().map(larger).collect()),
        segmentation: sample.segmentation.as_ref().map(|plane| plane.nearest(width, height)),
        depth: sample.depth.as_ref().map(|plane| plane.nearest(width, height)),
        normals: sample.normals.as_ref().map(|plane| plane.nearest(width, height)),
        camera: sample.camera.map(|camera| camera.scaled(x, y)),
    }
}

fn resized(picture: &Picture, width: usize, height: usize) -> Picture {
    if picture.size() == (width, height) {
        return picture.clone();
    }
    let bytes = picture.values().iter().flatten().copied().collect();
    let (w, h) = picture.size();
    let Some(pixels) = ImageBuffer::<Rgb<u8>, Vec<u8>>::from_raw(w as u32, h as u32, bytes) else {
        return picture.nearest(width, height);
    };
    let resized = resize(&pixels, width as u32, height as u32, FilterType::Triangle);
    Plane::new(width, height, resized.pixels().map(|pixel| pixel.0).collect())
}

/// The window of `width` x `height` whose upper left corner is at (`left`, `top`), which may lie outside. What is outside
/// has no label. Objects of which less than the share `visible` is left are dropped, crowds never: an unmarked rest of one
/// would pass for background.
pub fn cropped(sample: &Sample, left: i64, top: i64, width: usize, height: usize, visible: f64) -> Sample {
    let window = Window { left, top, width, height };
    let objects =
        |objects: &Vec<Object>| objects.iter().filter_map(|object| window.object(object, visible)).collect();
    Sample {
        name: sample.name.clone(),
        class: sample.class.clone(),
        pseudo: sample.pseudo.clone(),
        picture: window.of(&sample.picture, OUTSIDE),
        objects: sample.objects.as_ref().map(objects),
        segmentation: sample.segmentation.as_ref().map(|plane| window.of(plane, IGNORE)),
        depth: sample.depth.as_ref().map(|plane| window.of(plane, f32::NAN)),
        normals: sample.normals.as_ref().map(|plane| window.of(plane, [f32::NAN; 3])),
        camera: sample.camera.map(|camera: Camera| camera.cropped(left, top)),
    }
}

struct Window {
    left: i64,
    top: i64,
    width: usize,
    height: usize,
}

impl Window {
    fn of<T: crate::data::Pixel>(&self, plane: &Plane<T>, fill: T) -> Plane<T> {
        plane.cropped(self.left, self.top, self.width, self.height, fill)
    }

    /// The part of an object that is left, if that is enough.
    fn object(&self, object: &Object, visible: f64) -> Option<Object> {
        let moved = Bounds {
            left: object.bounds.left - self.left as f64,
            top: object.bounds.top - self.top as f64,
            ..object.bounds
        };
        let inside = moved.clipped(self.width, self.height)?;
        let mask = object.mask.as_ref().map(|mask| self.of(&mask.plane(), false).mask());
        let cut = inside.area() < moved.area() * (1.0 - 1e-9);
        remaining(object, moved, if cut { inside } else { moved }, mask, visible)
    }
}

/// The object with what is left of its mask and box; `None` where that is less than the share `visible`. A mask that was
/// cut says where the box is.
pub(super) fn remaining(
    object: &Object,
    whole: Bounds,
    inside: Bounds,
    mask: Option<Mask>,
    visible: f64,
) -> Option<Object> {
    let before = object.mask.as_ref().map_or(whole.area(), |mask| mask.area() as f64);
    let after = mask.as_ref().map_or(inside.area(), |mask| mask.area() as f64);
    let share = if before > 0.0 { after / before } else { 0.0 };
    let kept = share >= visible || object.crowd;
    if !kept || after == 0.0 {
        return None;
    }
    let cut = mask.as_ref().filter(|_| share < 1.0).and_then(Mask::bounds);
    let area = object.area.map(|area| area * share);
    Some(Object { bounds: cut.unwrap_or(inside), mask, area, ..object.clone() })
}
