//! Boxes in Pascal VOC's XML files.
//!
//! Everingham et al., *The Pascal Visual Object Classes Challenge* (2010), <http://host.robots.ox.ac.uk/pascal/VOC/>:
//! pixels count from 1, and both ends of a box belong to it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use roxmltree::{Document, Node};

use super::names::ClassMap;
use super::{Reader, beside};
use crate::data::sample::{Bounds, Label, Object, Sample};
use crate::data::{Classes, DataError, Place};

pub(super) struct Voc {
    folder: PathBuf,
    names: Vec<String>,
    /// The number of the first pixel.
    first: f64,
}

impl Voc {
    /// Without a map of classes: those that the files of these pictures name, in alphabetical order.
    pub fn open(
        folder: &Path,
        classes: Option<&ClassMap>,
        first: u8,
        keys: &[String],
    ) -> Result<Voc, DataError> {
        beside(folder, "xml", keys)?;
        let names = match classes {
            Some(classes) => classes.ids(&[])?.names,
            None => named(folder, keys)?,
        };
        Ok(Voc { folder: folder.into(), names, first: f64::from(first) })
    }

    fn object(&self, node: Node, size: (usize, usize)) -> Result<Object, String> {
        let name = text(node, "name")?;
        let class = self.names.iter().position(|known| known == name);
        let class = class.ok_or_else(|| {
            format!("`{name}` is not in the class map{}", crate::data::nearest_name(name, &self.names))
        })?;
        let edges = child(node, "bndbox")?;
        let [left, top, right, bottom] = ["xmin", "ymin", "xmax", "ymax"].map(|edge| number(edges, edge));
        let bounds = Bounds::between(
            left? - self.first,
            top? - self.first,
            right? - self.first + 1.0,
            bottom? - self.first + 1.0,
        );
        if let Some(problem) = bounds.problem(size.0, size.1) {
            return Err(problem);
        }
        let difficult =
            child(node, "difficult").is_ok_and(|word| word.text().is_some_and(|text| text.trim() == "1"));
        let bounds = bounds.clipped(size.0, size.1).unwrap_or(bounds);
        Ok(Object { difficult, ..Object::new(bounds, class as u16) })
    }
}

impl Reader for Voc {
    fn gives(&self) -> Vec<Label> {
        vec![Label::Objects]
    }

    fn name_classes(&self, classes: &mut Classes) {
        classes.objects = self.names.clone();
    }

    /// A picture without a file is not annotated: nothing is known of its objects.
    fn label(&self, key: &str, sample: &mut Sample) -> Result<(), DataError> {
        let path = self.folder.join(format!("{key}.xml"));
        if !path.exists() {
            return Ok(());
        }
        let text = std::fs::read_to_string(&path).map_err(DataError::unreadable(&path))?;
        let document = parse(&path, &text)?;
        let wrong = |node: Node, problem: String| {
            let line = document.text_pos_at(node.range().start).row as usize;
            DataError::label(&path, Place::Line(line), problem, "mend the annotation or remove its file")
        };
        let root = document.root_element();
        if let Ok(size) = child(root, "size") {
            let stated = number(size, "width").and_then(|width| Ok((width, number(size, "height")?)));
            let (width, height) = stated.map_err(|problem| wrong(size, problem))?;
            // Some tools write 0 where they do not know.
            if (width, height) != (0.0, 0.0)
                && (width, height) != (sample.size().0 as f64, sample.size().1 as f64)
            {
                let (w, h) = sample.size();
                return Err(wrong(
                    size,
                    format!("it is of a picture of {width}x{height}, the picture is {w}x{h}"),
                ));
            }
        }
        let objects = root.children().filter(|node| node.has_tag_name("object"));
        let objects =
            objects.map(|node| self.object(node, sample.size()).map_err(|problem| wrong(node, problem)));
        sample.objects = Some(objects.collect::<Result<_, _>>()?);
        Ok(())
    }
}

/// Every class that the files name.
fn named(folder: &Path, keys: &[String]) -> Result<Vec<String>, DataError> {
    let names = |key: &String| -> Result<BTreeSet<String>, DataError> {
        let path = folder.join(format!("{key}.xml"));
        if !path.exists() {
            return Ok(BTreeSet::new());
        }
        let xml = std::fs::read_to_string(&path).map_err(DataError::unreadable(&path))?;
        let document = parse(&path, &xml)?;
        let objects = document.root_element().children().filter(|node| node.has_tag_name("object"));
        Ok(objects.filter_map(|node| text(node, "name").ok()).map(String::from).collect())
    };
    let found: Vec<BTreeSet<String>> = keys.par_iter().map(names).collect::<Result<_, _>>()?;
    Ok(found.into_iter().flatten().collect::<BTreeSet<_>>().into_iter().collect())
}

fn parse<'a>(path: &Path, text: &'a str) -> Result<Document<'a>, DataError> {
    Document::parse(text).map_err(|error| {
        let line = Place::Line(error.pos().row as usize);
        DataError::label(
            path,
            line,
            format!("no XML: {error}"),
            "download or write the file again, or remove it",
        )
    })
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Result<Node<'a, 'i>, String> {
    let found = node.children().find(|child| child.has_tag_name(name));
    found.ok_or_else(|| format!("<{}> has no <{name}>", node.tag_name().name()))
}

fn text<'a>(node: Node<'a, '_>, name: &str) -> Result<&'a str, String> {
    let text = child(node, name)?.text().map(str::trim).filter(|text| !text.is_empty());
    text.ok_or_else(|| format!("<{name}> is empty"))
}

fn number(node: Node, name: &str) -> Result<f64, String> {
    let text = text(node, name)?;
    text.parse().map_err(|_| format!("<{name}> is `{text}`, which is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Picture;

    fn read(xml: &str, map: Option<&ClassMap>) -> Result<Vec<Object>, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.xml"), xml).unwrap();
        let read = Voc::open(folder.path(), map, 1, &["a".into(), "b".into()]).and_then(|voc| {
            let mut sample = Sample::unlabelled("a", Picture::filled(20, 10, [0; 3]));
            voc.label("a", &mut sample)?;
            let mut other = Sample::unlabelled("b", Picture::filled(20, 10, [0; 3]));
            voc.label("b", &mut other)?;
            assert_eq!(other.objects, None, "a picture without a file is not annotated");
            Ok(sample.objects.unwrap())
        });
        read.map_err(|error| error.to_string().replace(&folder.path().display().to_string(), "DATA"))
    }

    fn object(name: &str, [left, top, right, bottom]: [&str; 4], rest: &str) -> String {
        format!(
            "<object><name>{name}</name><bndbox><xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox>{rest}</object>"
        )
    }

    fn annotation(objects: &str) -> String {
        format!("<annotation>\n<size><width>20</width><height>10</height></size>\n{objects}\n</annotation>")
    }

    #[test]
    fn boxes_count_from_one_and_hold_both_ends() {
        let dog = object("dog", ["1", "1", "20", "10"], "<difficult>1</difficult>");
        let cat = object("cat", ["3", "2", "3", "2"], "<difficult>0</difficult>");
        let objects = read(&annotation(&(dog + &cat)), None).unwrap();
        assert_eq!(objects[0].bounds, Bounds { left: 0.0, top: 0.0, width: 20.0, height: 10.0 });
        assert_eq!(objects[1].bounds, Bounds { left: 2.0, top: 1.0, width: 1.0, height: 1.0 });
        assert_eq!((objects[0].class, objects[1].class), (1, 0), "classes are in alphabetical order");
        assert_eq!((objects[0].difficult, objects[1].difficult), (true, false));
    }

    #[test]
    fn says_what_is_wrong_in_which_line() {
        let map = ClassMap::Names(vec!["cat".into(), "dog".into()]);
        let message = |xml: &str| read(xml, Some(&map)).unwrap_err();
        insta::assert_snapshot!(message(&annotation(&object("dgo", ["1", "1", "2", "2"], ""))), @"
        DATA/a.xml: line 3: `dgo` is not in the class map; did you mean `dog`?
          hint: mend the annotation or remove its file
        ");
        insta::assert_snapshot!(message(&annotation(&object("dog", ["1", "1", "22", "2"], ""))), @"
        DATA/a.xml: line 3: the box from (0, 0) to (22, 2) is outside the picture of 20x10
          hint: mend the annotation or remove its file
        ");
        insta::assert_snapshot!(message(&annotation(&object("dog", ["9", "1", "4", "2"], ""))), @"
        DATA/a.xml: line 3: the box from (8, 0) to (4, 2) is inverted or empty
          hint: mend the annotation or remove its file
        ");
        insta::assert_snapshot!(message(&annotation(&object("dog", ["one", "1", "4", "2"], ""))), @"
        DATA/a.xml: line 3: <xmin> is `one`, which is no number
          hint: mend the annotation or remove its file
        ");
        insta::assert_snapshot!(message("<annotation>\n<object><name>cat</name></object></annotation>"), @"
        DATA/a.xml: line 2: <object> has no <bndbox>
          hint: mend the annotation or remove its file
        ");
        insta::assert_snapshot!(message("<annotation>\n<object>"), @"
        DATA/a.xml: line 1: no XML: the root node was opened but never closed
          hint: download or write the file again, or remove it
        ");
        insta::assert_snapshot!(message(&annotation("").replace("20", "30")), @"
        DATA/a.xml: line 2: it is of a picture of 30x10, the picture is 20x10
          hint: mend the annotation or remove its file
        ");
    }
}
