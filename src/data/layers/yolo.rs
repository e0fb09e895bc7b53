//! Boxes and polygons in YOLO's text files: `class x y width height`, or `class x y x y x y ..`, as shares of the picture.
//!
//! Layout: <https://docs.ultralytics.com/datasets/detect/>. A picture without a file has no objects: that is the format's
//! own rule.

use std::path::{Path, PathBuf};

use super::names::Ids;
use super::{Reader, beside};
use crate::data::sample::{Bounds, Label, Mask, Object, Sample};
use crate::data::{Classes, DataError, Place};

pub(super) struct Yolo {
    folder: PathBuf,
    ids: Ids,
}

impl Yolo {
    pub fn open(folder: &Path, ids: Ids, keys: &[String]) -> Result<Yolo, DataError> {
        beside(folder, "txt", keys)?;
        Ok(Yolo { folder: folder.into(), ids })
    }

    fn object(&self, line: &str, size: (usize, usize)) -> Result<Object, String> {
        let mut words = line.split_whitespace();
        let class = words.next().unwrap_or_default();
        let id =
            class.parse::<u64>().map_err(|_| format!("`{class}` is no class: a whole number is needed"))?;
        let class = self
            .ids
            .index(id)
            .ok_or_else(|| format!("class {id} is not in the class map of {}", self.ids.range()))?;
        let number = |word: &str| word.parse::<f64>().map_err(|_| format!("`{word}` is no number"));
        let numbers = words.map(number).collect::<Result<Vec<_>, _>>()?;
        match numbers[..] {
            [x, y, width, height] => placed(boxed(x, y, width, height, size), class, size),
            [] => Err("a class without a box".into()),
            _ if numbers.len() >= 6 && numbers.len().is_multiple_of(2) => polygon(&numbers, class, size),
            _ => Err(format!("{} numbers behind the class: a box has 4, a polygon 6, 8, ..", numbers.len())),
        }
    }
}

impl Reader for Yolo {
    fn gives(&self) -> Vec<Label> {
        vec![Label::Objects]
    }

    fn name_classes(&self, classes: &mut Classes) {
        classes.objects = self.ids.names.clone();
    }

    fn label(&self, key: &str, sample: &mut Sample) -> Result<(), DataError> {
        let path = self.folder.join(format!("{key}.txt"));
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(DataError::unreadable(path)(error)),
        };
        let mut objects = Vec::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            objects.push(self.object(line, sample.size()).map_err(|problem| {
                let hint = "a line is `class x y width height`, x and y of the middle, as shares of the picture; or a polygon";
                DataError::label(&path, Place::Line(index + 1), problem, hint)
            })?);
        }
        sample.objects = Some(objects);
        Ok(())
    }
}

fn boxed(x: f64, y: f64, width: f64, height: f64, size: (usize, usize)) -> Bounds {
    let (across, down) = (size.0 as f64, size.1 as f64);
    let (left, top) = ((x - width / 2.0) * across, (y - height / 2.0) * down);
    Bounds { left, top, width: width * across, height: height * down }
}

fn placed(bounds: Bounds, class: u16, size: (usize, usize)) -> Result<Object, String> {
    match bounds.problem(size.0, size.1) {
        Some(problem) => Err(problem),
        None => Ok(Object::new(bounds.clipped(size.0, size.1).unwrap_or(bounds), class)),
    }
}

fn polygon(shares: &[f64], class: u16, size: (usize, usize)) -> Result<Object, String> {
    let points = super::coco::inside(
        shares
            .chunks_exact(2)
            .flat_map(|point| [point[0] * size.0 as f64, point[1] * size.1 as f64])
            .collect(),
        size,
    )?;
    let ends = |axis: usize| {
        let part = || points.iter().skip(axis).step_by(2).copied();
        (part().fold(f64::INFINITY, f64::min), part().fold(f64::NEG_INFINITY, f64::max))
    };
    let ((left, right), (top, bottom)) = (ends(0), ends(1));
    let object = placed(Bounds::between(left, top, right, bottom), class, size)?;
    Ok(Object { mask: Some(Mask::from_polygons(size.0, size.1, &[points])), ..object })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Picture;

    fn read(text: &str) -> Result<Vec<Object>, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.txt"), text).unwrap();
        let ids = Ids::new([(0, "cat".into()), (1, "dog".into())]);
        let yolo = Yolo::open(folder.path(), ids, &["a".into(), "b".into()]).unwrap();
        let mut sample = Sample::unlabelled("a", Picture::filled(20, 10, [0; 3]));
        let read = yolo.label("a", &mut sample).map_err(|error| error.to_string());
        read.map_err(|error| error.replace(&folder.path().display().to_string(), "DATA"))?;
        let mut other = Sample::unlabelled("b", Picture::filled(20, 10, [0; 3]));
        yolo.label("b", &mut other).unwrap();
        assert_eq!(other.objects, Some(vec![]), "a picture without a file has no objects");
        Ok(sample.objects.unwrap())
    }

    #[test]
    fn boxes_and_polygons() {
        let objects = read("1 0.5 0.5 0.2 0.4\n\n0 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5\n").unwrap();
        assert_eq!(objects[0], Object::new(Bounds { left: 8.0, top: 3.0, width: 4.0, height: 4.0 }, 1));
        assert_eq!(objects[1].bounds, Bounds { left: 2.0, top: 1.0, width: 8.0, height: 4.0 });
        assert_eq!((objects[1].class, objects[1].mask.as_ref().unwrap().area()), (0, 32));
    }

    #[test]
    fn says_what_is_wrong_in_which_line() {
        let message = |text: &str| read(text).unwrap_err();
        insta::assert_snapshot!(message("0 0.5 0.5 0.2 0.4\n2 0.5 0.5 0.2 0.4"), @"
        DATA/a.txt: line 2: class 2 is not in the class map of 2 classes from 0 to 1
          hint: a line is `class x y width height`, x and y of the middle, as shares of the picture; or a polygon
        ");
        insta::assert_snapshot!(message("0 0.9 0.5 0.4 0.4"), @"
        DATA/a.txt: line 1: the box from (14, 3) to (22, 7) is outside the picture of 20x10
          hint: a line is `class x y width height`, x and y of the middle, as shares of the picture; or a polygon
        ");
        insta::assert_snapshot!(message("0 0.5 0.5 -0.4 0.4"), @"
        DATA/a.txt: line 1: the box from (14, 3) to (6, 7) is inverted or empty
          hint: a line is `class x y width height`, x and y of the middle, as shares of the picture; or a polygon
        ");
        insta::assert_snapshot!(message("0 0.5 0.5 NaN 0.4"), @"
        DATA/a.txt: line 1: the box [NaN, 3.0, NaN, 4.0] (left, top, width, height) is no box
          hint: a line is `class x y width height`, x and y of the middle, as shares of the picture; or a polygon
        ");
        insta::assert_snapshot!(message("cat 0.5 0.5 0.2 0.4"), @"
        DATA/a.txt: line 1: `cat` is no class: a whole number is needed
          hint: a line is `class x y width height`, x and y of the middle, as shares of the picture; or a polygon
        ");
        insta::assert_snapshot!(message("0 0.5 0.5 0.2"), @"
        DATA/a.txt: line 1: 3 numbers behind the class: a box has 4, a polygon 6, 8, ..
          hint: a line is `class x y width height`, x and y of the middle, as shares of the picture; or a polygon
        ");
        insta::assert_snapshot!(message("0 0.5 0.5 3 0.2 0.4 0.4"), @"
        DATA/a.txt: line 1: x 60 of a polygon is outside the picture of 20x10
          hint: a line is `class x y width height`, x and y of the middle, as shares of the picture; or a polygon
        ");
    }
}
