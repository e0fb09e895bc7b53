//! Boxes and masks in COCO's instances JSON.
//!
//! Lin et al., *Microsoft COCO: Common Objects in Context* (2014), <https://arxiv.org/abs/1405.0312>; layout:
//! <https://cocodataset.org/#format-data>.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::names::Ids;
use super::{Keys, Reader};
use crate::data::sample::{Bounds, Label, Mask, Object, Sample, rounded};
use crate::data::{Classes, DataError, Place};

#[derive(Deserialize)]
struct Instances {
    images: Vec<Image>,
    annotations: Vec<Annotation>,
    categories: Vec<Category>,
}

#[derive(Deserialize)]
pub(super) struct Image {
    pub id: u64,
    pub file_name: String,
    pub width: usize,
    pub height: usize,
}

#[derive(Deserialize)]
pub(super) struct Category {
    pub id: u64,
    pub name: String,
    /// Whether it can be counted, in panoptic files; those of instances hold such alone.
    #[serde(default = "one")]
    pub isthing: u8,
}

fn one() -> u8 {
    1
}

#[derive(Deserialize)]
struct Annotation {
    image_id: u64,
    category_id: u64,
    bbox: [f64; 4],
    #[serde(default)]
    iscrowd: u8,
    area: Option<f64>,
    segmentation: Option<Segmentation>,
}

/// What is inside an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum Segmentation {
    Polygons(Vec<Vec<f64>>),
    Runs { counts: Counts, size: [usize; 2] },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Counts {
    Plain(Vec<u32>),
    Letters(String),
}

/// The JSON with each picture's annotations found by its name.
pub(super) struct Coco {
    path: PathBuf,
    ids: Ids,
    by_key: HashMap<String, Listed>,
}

struct Listed {
    size: (usize, usize),
    /// With their places in the file.
    annotations: Vec<(usize, Annotation)>,
}

impl Coco {
    pub fn open(path: &Path, keys: &Keys) -> Result<Coco, DataError> {
        let Instances { images, annotations, categories } = json(path)?;
        let ids = numbered(&categories);
        let names = found(path, &images, keys)?;
        let sizes = images.iter().map(|image| (image.id, (image.width, image.height)));
        let mut listed: BTreeMap<u64, Listed> =
            sizes.map(|(id, size)| (id, Listed { size, annotations: Vec::new() })).collect();
        let mut unknown = HashSet::new();
        for (index, annotation) in annotations.into_iter().enumerate() {
            let Some(picture) = listed.get_mut(&annotation.image_id) else {
                unlisted(path, index, annotation.image_id, keys, &mut unknown)?;
                continue;
            };
            picture.annotations.push((index, annotation));
        }
        let by_key = listed.into_iter().filter_map(|(id, listed)| Some((names.get(&id)?.clone(), listed)));
        Ok(Coco { path: path.into(), ids, by_key: by_key.collect() })
    }

    fn object(
        &self,
        annotation: &Annotation,
        size: (usize, usize),
    ) -> Result<Object, (&'static str, String)> {
        let class = self.ids.index(annotation.category_id).ok_or_else(|| {
            (
                "category_id",
                format!("{} is not in `categories` ({})", annotation.category_id, self.ids.range()),
            )
        })?;
        let [left, top, width, height] = annotation.bbox;
        let bounds = Bounds { left, top, width, height };
        if let Some(problem) = bounds.problem(size.0, size.1) {
            return Err(("bbox", problem));
        }
        let mask = annotation.segmentation.as_ref().map(|segmentation| segmentation.mask(size)).transpose();
        let mask = mask.map_err(|problem| ("segmentation", problem))?;
        let crowd = annotation.iscrowd != 0;
        Ok(Object { crowd, mask, area: annotation.area, ..Object::new(bounds, class) })
    }
}

impl Reader for Coco {
    fn gives(&self) -> Vec<Label> {
        vec![Label::Objects]
    }

    fn name_classes(&self, classes: &mut Classes) {
        classes.objects = self.ids.names.clone();
    }

    /// A picture that the file does not list is not annotated: nothing is known of its objects.
    fn label(&self, key: &str, sample: &mut Sample) -> Result<(), DataError> {
        let Some(listed) = self.by_key.get(key) else { return Ok(()) };
        same_size(&self.path, key, listed.size, sample.size())?;
        let object = |(index, annotation): &(usize, Annotation)| {
            self.object(annotation, listed.size).map_err(|(field, problem)| {
                let place = Place::Path(format!("annotations[{index}].{field}"));
                DataError::label(&self.path, place, problem, "mend the annotation or take it out")
            })
        };
        sample.objects = Some(listed.annotations.iter().map(object).collect::<Result<_, _>>()?);
        Ok(())
    }
}

impl Segmentation {
    fn mask(&self, size: (usize, usize)) -> Result<Mask, String> {
        match self {
            Segmentation::Polygons(polygons) => {
                let inside: Result<Vec<_>, _> =
                    polygons.iter().map(|polygon| inside(polygon.clone(), size)).collect();
                Ok(Mask::from_polygons(size.0, size.1, &inside?))
            }
            Segmentation::Runs { size: [height, width], .. } if (*width, *height) != size => {
                Err(format!("its runs are of {width}x{height} pixels, its picture of {}x{}", size.0, size.1))
            }
            Segmentation::Runs { counts: Counts::Plain(runs), .. } => {
                Mask::from_runs(size.0, size.1, runs.clone())
            }
            Segmentation::Runs { counts: Counts::Letters(letters), .. } => {
                Mask::from_letters(size.0, size.1, letters)
            }
        }
    }
}

/// A polygon's numbers brought into the picture from at most half a pixel outside.
pub(super) fn inside(mut polygon: Vec<f64>, size: (usize, usize)) -> Result<Vec<f64>, String> {
    if polygon.len() < 6 || !polygon.len().is_multiple_of(2) {
        return Err(format!(
            "a polygon of {} numbers: it has x and y of at least three corners",
            polygon.len()
        ));
    }
    for (index, number) in polygon.iter_mut().enumerate() {
        let (end, axis) = if index % 2 == 0 { (size.0 as f64, "x") } else { (size.1 as f64, "y") };
        if !(-0.5..=end + 0.5).contains(number) {
            return Err(format!(
                "{axis} {} of a polygon is outside the picture of {}x{}",
                rounded(*number),
                size.0,
                size.1
            ));
        }
        *number = number.clamp(0.0, end);
    }
    Ok(polygon)
}

/// A file as `T`, errors with the path inside of it.
pub(super) fn json<T: DeserializeOwned>(path: &Path) -> Result<T, DataError> {
    let bytes = std::fs::read(path).map_err(DataError::unreadable(path))?;
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(&bytes)).map_err(|error| {
        let place = match error.path().to_string() {
            whole if whole == "." => Place::Whole,
            inner => Place::Path(inner),
        };
        DataError::label(
            path,
            place,
            error.inner().to_string(),
            "download or write the file again, or mend this place",
        )
    })
}

/// Categories by ascending id.
pub(super) fn numbered(categories: &[Category]) -> Ids {
    let sorted: BTreeMap<u64, String> =
        categories.iter().map(|category| (category.id, category.name.clone())).collect();
    Ids::new(sorted)
}

/// The name of each listed picture that is there.
pub(super) fn found(path: &Path, images: &[Image], keys: &Keys) -> Result<HashMap<u64, String>, DataError> {
    let key = |image: &Image| keys.of_file(&image.file_name).map(|key| (image.id, key));
    let found: HashMap<u64, String> = images.iter().filter_map(key).collect();
    if found.len() < images.len() && !keys.skip_broken {
        let (index, image) = images
            .iter()
            .enumerate()
            .find(|(_, image)| !found.contains_key(&image.id))
            .map_or((0, &images[0]), |missing| missing);
        let problem = format!(
            "there is no picture `{}` in {}; {} of {} are missing",
            image.file_name,
            keys.folder.display(),
            images.len() - found.len(),
            images.len()
        );
        let hint = "check `folder`, or set `skip_broken: true` to do without those that are missing";
        return Err(DataError::label(path, Place::Path(format!("images[{index}].file_name")), problem, hint));
    }
    for image in images.iter().filter(|image| !found.contains_key(&image.id)) {
        keys.note_missing(&image.file_name, path);
    }
    Ok(found)
}

/// An annotation of a picture that `images` does not list: an error, or left out once for each such picture.
pub(super) fn unlisted(
    path: &Path,
    index: usize,
    id: u64,
    keys: &Keys,
    unknown: &mut HashSet<u64>,
) -> Result<(), DataError> {
    let place = Place::Path(format!("annotations[{index}].image_id"));
    let problem = format!("{id} is the id of no picture in `images`");
    if !keys.skip_broken {
        return Err(DataError::label(path, place, problem, "take the annotation out, or list its picture"));
    }
    if unknown.insert(id) {
        keys.note(&format!("image {id}"), format!("{}: {place}{problem}", path.display()));
    }
    Ok(())
}

pub(super) fn same_size(
    path: &Path,
    key: &str,
    listed: (usize, usize),
    there: (usize, usize),
) -> Result<(), DataError> {
    if listed == there {
        return Ok(());
    }
    let ((width, height), (w, h)) = (listed, there);
    let problem = format!("picture `{key}` is listed as {width}x{height}, its file is {w}x{h}");
    Err(DataError::label(
        path,
        Place::Path("images".into()),
        problem,
        "labels belong to one size: bring the picture to it",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Picture, Plane};

    const HEAD: &str = r#"{"images": [{"id": 7, "file_name": "a.jpg", "width": 6, "height": 4}],
        "categories": [{"id": 18, "name": "dog"}, {"id": 3, "name": "car"}], "annotations": "#;

    fn read(annotations: &str) -> Result<Vec<Object>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        std::fs::write(&path, format!("{HEAD}{annotations}}}")).unwrap();
        let keys = Keys::listed(folder.path(), &["a"], false);
        let read = Coco::open(&path, &keys).and_then(|coco| {
            let mut sample = Sample::unlabelled("a", Picture::filled(6, 4, [0; 3]));
            coco.label("a", &mut sample)?;
            let mut classes = Classes::default();
            coco.name_classes(&mut classes);
            assert_eq!(classes.objects, ["car", "dog"]);
            Ok(sample.objects.unwrap())
        });
        read.map_err(|error| error.to_string().replace(&folder.path().display().to_string(), "DATA"))
    }

    #[test]
    fn polygons_runs_and_letters_are_one_mask() {
        let forms = [
            "[[1, 1, 4, 1, 4, 3, 1, 3]]",
            r#"{"size": [4, 6], "counts": [5, 2, 2, 2, 2, 2, 9]}"#,
            r#"{"size": [4, 6], "counts": "5220007"}"#,
        ];
        for form in forms {
            let text = format!(
                r#"[{{"id": 1, "image_id": 7, "category_id": 18, "bbox": [1, 1, 3, 2], "area": 6.5, "iscrowd": 0, "segmentation": {form}}}]"#
            );
            let objects = read(&text).unwrap();
            let expected = Plane::from_fn(6, 4, |x, y| (1..4).contains(&x) && (1..3).contains(&y));
            assert_eq!(objects[0].mask.as_ref().unwrap().plane(), expected, "{form}");
            assert_eq!((objects[0].class, objects[0].area()), (1, 6.5));
        }
        assert_eq!(read("[]").unwrap(), [], "a listed picture without annotations has no objects");
    }

    #[test]
    fn says_what_is_wrong_in_which_place() {
        let one = |image: u64, category: u64, bbox: &str, segmentation: &str| {
            read(&format!(
                r#"[{{"image_id": {image}, "category_id": {category}, "bbox": {bbox}, "segmentation": {segmentation}}}]"#
            ))
            .unwrap_err()
        };
        insta::assert_snapshot!(one(8, 18, "[1, 1, 3, 2]", "[]"), @"
        DATA/a.json: annotations[0].image_id: 8 is the id of no picture in `images`
          hint: take the annotation out, or list its picture
        ");
        insta::assert_snapshot!(one(7, 1, "[1, 1, 3, 2]", "[]"), @"
        DATA/a.json: annotations[0].category_id: 1 is not in `categories` (2 classes from 3 to 18)
          hint: mend the annotation or take it out
        ");
        insta::assert_snapshot!(one(7, 18, "[1, 1, 30, 2]", "[]"), @"
        DATA/a.json: annotations[0].bbox: the box from (1, 1) to (31, 3) is outside the picture of 6x4
          hint: mend the annotation or take it out
        ");
        insta::assert_snapshot!(one(7, 18, "[1, 1, 3]", "[]"), @"
        DATA/a.json: annotations[0].bbox: invalid length 3, expected an array of length 4 at line 2 column 145
          hint: download or write the file again, or mend this place
        ");
        insta::assert_snapshot!(one(7, 18, "[1, 1, 3, 2]", "[[1, 1, 2, 2]]"), @"
        DATA/a.json: annotations[0].segmentation: a polygon of 4 numbers: it has x and y of at least three corners
          hint: mend the annotation or take it out
        ");
        insta::assert_snapshot!(one(7, 18, "[1, 1, 3, 2]", r#"{"size": [6, 4], "counts": [24]}"#), @"
        DATA/a.json: annotations[0].segmentation: its runs are of 4x6 pixels, its picture of 6x4
          hint: mend the annotation or take it out
        ");
        insta::assert_snapshot!(one(7, 18, "[1, 1, 3, 2]", r#"{"size": [4, 6], "counts": [25]}"#), @"
        DATA/a.json: annotations[0].segmentation: its runs are 25 pixels, the picture of 6x4 has 24
          hint: mend the annotation or take it out
        ");
        insta::assert_snapshot!(read("[").unwrap_err(), @"
        DATA/a.json: annotations[0]: expected value at line 2 column 94
          hint: download or write the file again, or mend this place
        ");
    }

    #[test]
    fn missing_pictures_are_told_or_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        std::fs::write(&path, format!("{HEAD}[]}}")).unwrap();
        let message =
            Coco::open(&path, &Keys::listed(folder.path(), &["b"], false)).err().unwrap().to_string();
        insta::assert_snapshot!(message.replace(&folder.path().display().to_string(), "DATA"), @"
        DATA/a.json: images[0].file_name: there is no picture `a.jpg` in DATA; 1 of 1 are missing
          hint: check `folder`, or set `skip_broken: true` to do without those that are missing
        ");
        let keys = Keys::listed(folder.path(), &["b"], true);
        assert!(Coco::open(&path, &keys).is_ok());
        assert_eq!(keys.missing().len(), 1);
    }

    #[test]
    fn annotations_of_pictures_that_are_not_listed_are_counted_once_a_picture() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let one = |image: u64| format!(r#"{{"image_id": {image}, "category_id": 18, "bbox": [1, 1, 3, 2]}}"#);
        std::fs::write(&path, format!("{HEAD}[{}, {}, {}]}}", one(8), one(7), one(8))).unwrap();
        let keys = Keys::listed(folder.path(), &["a"], true);
        let coco = Coco::open(&path, &keys).unwrap();
        let mut sample = Sample::unlabelled("a", Picture::filled(6, 4, [0; 3]));
        coco.label("a", &mut sample).unwrap();
        assert_eq!(sample.objects.unwrap().len(), 1);
        let missing = keys.missing();
        assert_eq!((missing.len(), missing[0].0.as_str()), (1, "image 8"));
        let told = "annotations[0].image_id: 8 is the id of no picture in `images`";
        assert!(missing[0].1.ends_with(told), "{missing:?}");
    }
}
