//! COCO's panoptic JSON, with its PNG files where they are there.
//!
//! Kirillov et al., *Panoptic Segmentation* (2019), <https://arxiv.org/abs/1801.00868>: each pixel's colour is the id of its
//! segment (red + 256 green + 65536 blue), the JSON says what each segment is. Countable segments are objects. Without the
//! PNG files, objects have boxes only, and pixels no class.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::coco::{Category, Image, found, json, numbered, same_size, unlisted};
use super::names::Ids;
use super::raw::Raw;
use super::{Keys, Reader};
use crate::data::sample::{Bounds, IGNORE, Label, Object, Plane, Sample};
use crate::data::{Classes, DataError, Place};

#[derive(Deserialize)]
struct File {
    images: Vec<Image>,
    annotations: Vec<Annotation>,
    categories: Vec<Category>,
}

#[derive(Deserialize)]
struct Annotation {
    image_id: u64,
    file_name: String,
    segments_info: Vec<Segment>,
}

#[derive(Deserialize)]
struct Segment {
    id: u64,
    category_id: u64,
    bbox: [f64; 4],
    area: Option<f64>,
    #[serde(default)]
    iscrowd: u8,
}

pub(super) struct Panoptic {
    path: PathBuf,
    /// Folder of the PNG files.
    masks: Option<PathBuf>,
    /// All categories, for pixels.
    all: Ids,
    /// Those that can be counted, for objects.
    things: Ids,
    by_key: HashMap<String, Listed>,
}

struct Listed {
    size: (usize, usize),
    /// Its place in the file.
    index: usize,
    annotation: Annotation,
}

impl Panoptic {
    pub fn open(path: &Path, masks: Option<&Path>, keys: &Keys) -> Result<Panoptic, DataError> {
        let File { images, annotations, categories } = json(path)?;
        let names = found(path, &images, keys)?;
        let sizes: HashMap<u64, (usize, usize)> =
            images.iter().map(|image| (image.id, (image.width, image.height))).collect();
        let mut by_key = HashMap::new();
        let mut unknown = HashSet::new();
        for (index, annotation) in annotations.into_iter().enumerate() {
            let Some(&size) = sizes.get(&annotation.image_id) else {
                unlisted(path, index, annotation.image_id, keys, &mut unknown)?;
                continue;
            };
            if let Some(key) = names.get(&annotation.image_id) {
                by_key.insert(key.clone(), Listed { size, index, annotation });
            }
        }
        let all = numbered(&categories);
        let (things, _): (Vec<Category>, Vec<Category>) =
            categories.into_iter().partition(|category| category.isthing != 0);
        let masks = masks.map(Path::to_path_buf);
        Ok(Panoptic { path: path.into(), masks, all, things: numbered(&things), by_key })
    }

    /// The object that a segment is, `None` where it is nothing that can be counted.
    fn object(
        &self,
        segment: &Segment,
        size: (usize, usize),
    ) -> Result<Option<Object>, (&'static str, String)> {
        if self.all.index(segment.category_id).is_none() {
            let problem = format!("{} is not in `categories` ({})", segment.category_id, self.all.range());
            return Err(("category_id", problem));
        }
        let Some(class) = self.things.index(segment.category_id) else { return Ok(None) };
        let [left, top, width, height] = segment.bbox;
        let bounds = Bounds { left, top, width, height };
        match bounds.problem(size.0, size.1) {
            Some(problem) => Err(("bbox", problem)),
            None => {
                let crowd = segment.iscrowd != 0;
                Ok(Some(Object { crowd, area: segment.area, ..Object::new(bounds, class) }))
            }
        }
    }

    /// The segment of each pixel: its index in the list, or none where the id is 0.
    fn segments(&self, folder: &Path, listed: &Listed, sample: &Sample) -> Result<Plane<u16>, DataError> {
        let path = folder.join(&listed.annotation.file_name);
        let raw = Raw::read(&path)?;
        raw.check_size(&path, &sample.picture)?;
        if (raw.channels, raw.bits) != (3, 8) {
            let problem = format!("a PNG of {} channels of {} bits", raw.channels, raw.bits);
            let hint = "panoptic masks are colours of three bytes, which make the segment's id";
            return Err(DataError::label(path, Place::Whole, problem, hint));
        }
        let segments = &listed.annotation.segments_info;
        let index: HashMap<u64, u16> = segments.iter().map(|segment| segment.id).zip(0..).collect();
        let mut values = Vec::with_capacity(raw.width * raw.height);
        for (pixel, colour) in raw.values.chunks_exact(3).enumerate() {
            let id = u64::from(colour[0]) + 256 * u64::from(colour[1]) + 65536 * u64::from(colour[2]);
            values.push(match (id, index.get(&id)) {
                (0, _) => IGNORE,
                (_, Some(&segment)) => segment,
                (id, None) => {
                    let (x, y) = (pixel % raw.width, pixel / raw.width);
                    let place = format!("annotations[{}].segments_info", listed.index);
                    let problem = format!(
                        "segment {id}, at pixel ({x}, {y}), is not in `{place}` of {}",
                        self.path.display()
                    );
                    return Err(DataError::label(
                        path,
                        Place::Whole,
                        problem,
                        "mask and JSON belong together: read both of one release",
                    ));
                }
            });
        }
        Ok(Plane::new(raw.width, raw.height, values))
    }
}

impl Reader for Panoptic {
    fn gives(&self) -> Vec<Label> {
        match self.masks {
            Some(_) => vec![Label::Objects, Label::Segmentation],
            None => vec![Label::Objects],
        }
    }

    fn name_classes(&self, classes: &mut Classes) {
        classes.objects = self.things.names.clone();
        if self.masks.is_some() {
            classes.segmentation = self.all.names.clone();
        }
    }

    fn label(&self, key: &str, sample: &mut Sample) -> Result<(), DataError> {
        let Some(listed) = self.by_key.get(key) else { return Ok(()) };
        same_size(&self.path, key, listed.size, sample.size())?;
        let segments = &listed.annotation.segments_info;
        let mut objects = Vec::new();
        for (index, segment) in segments.iter().enumerate() {
            objects.push(self.object(segment, listed.size).map_err(|(field, problem)| {
                let place = format!("annotations[{}].segments_info[{index}].{field}", listed.index);
                DataError::label(&self.path, Place::Path(place), problem, "mend the segment or take it out")
            })?);
        }
        if let Some(folder) = &self.masks {
            let plane = self.segments(folder, listed, sample)?;
            for (index, object) in (0..).zip(&mut objects) {
                let Some(object) = object else { continue };
                object.mask = Some(plane.map(|segment| segment == index).mask());
            }
            let class = |segment: u16| {
                let segment = segments.get(usize::from(segment));
                segment.and_then(|segment| self.all.index(segment.category_id)).unwrap_or(IGNORE)
            };
            sample.segmentation = Some(plane.map(class));
        }
        sample.objects = Some(objects.into_iter().flatten().collect());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Picture;

    const JSON: &str = r#"{"images": [{"id": 7, "file_name": "a.jpg", "width": 3, "height": 2}],
        "categories": [{"id": 200, "name": "grass", "isthing": 0}, {"id": 18, "name": "dog", "isthing": 1}],
        "annotations": [{"image_id": 7, "file_name": "a.png", "segments_info": [
            {"id": 5, "category_id": 200, "bbox": [0, 0, 2, 2], "area": 3, "iscrowd": 0},
            {"id": 65537, "category_id": 18, "bbox": [1, 0, 2, 2], "area": 2, "iscrowd": 1}]}]}"#;

    fn read(ids: [[u8; 3]; 6], masks: bool) -> Result<Sample, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.json");
        std::fs::write(&path, JSON).unwrap();
        let file = folder.path().join("a.png");
        image::save_buffer(&file, &ids.concat(), 3, 2, image::ColorType::Rgb8).unwrap();
        let masks = masks.then_some(folder.path());
        let read =
            Panoptic::open(&path, masks, &Keys::listed(folder.path(), &["a"], false)).and_then(|reader| {
                let mut sample = Sample::unlabelled("a", Picture::filled(3, 2, [0; 3]));
                reader.label("a", &mut sample)?;
                let mut classes = Classes::default();
                reader.name_classes(&mut classes);
                assert_eq!(sample.contradiction(&classes), None);
                Ok(sample)
            });
        read.map_err(|error| error.to_string().replace(&folder.path().display().to_string(), "DATA"))
    }

    const GRASS: [u8; 3] = [5, 0, 0];
    const DOG: [u8; 3] = [1, 0, 1];

    #[test]
    fn segments_are_pixels_and_countable_ones_objects() {
        let sample = read([GRASS, DOG, [0; 3], GRASS, GRASS, DOG], true).unwrap();
        assert_eq!(sample.segmentation.unwrap().values(), [1, 0, IGNORE, 1, 1, 0]);
        let objects = sample.objects.unwrap();
        assert_eq!((objects.len(), objects[0].crowd, objects[0].class), (1, true, 0));
        assert_eq!(objects[0].mask.as_ref().unwrap().area(), 2);
        let boxes = read([GRASS; 6], false).unwrap();
        assert_eq!((boxes.segmentation, boxes.objects.unwrap().len()), (None, 1));
    }

    #[test]
    fn a_segment_that_is_not_listed_is_named() {
        insta::assert_snapshot!(read([GRASS, [9, 0, 0], DOG, GRASS, GRASS, DOG], true).unwrap_err(), @"
        DATA/a.png: segment 9, at pixel (1, 0), is not in `annotations[0].segments_info` of DATA/p.json
          hint: mask and JSON belong together: read both of one release
        ");
    }
}
