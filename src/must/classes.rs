//! One list of classes for sets that each have their own: classes go by their names.

use crate::data::{Class, Classes, DataError, IGNORE, Label, Place, Plane, Sample};

/// The names of the classes that are met, in the order in which they are met, of those tasks that have classes.
pub(crate) fn union<'a>(all: impl Iterator<Item = &'a Classes>, tasks: &[Label]) -> Classes {
    let mut union = Classes::default();
    for classes in all {
        for (label, names) in named(classes) {
            if tasks.contains(&label) {
                let known = names_of(&mut union, label);
                names.iter().for_each(|name| {
                    if !known.contains(name) {
                        known.push(name.clone());
                    }
                });
            }
        }
    }
    union
}

fn named(classes: &Classes) -> [(Label, &Vec<String>); 3] {
    [
        (Label::Class, &classes.pictures),
        (Label::Objects, &classes.objects),
        (Label::Segmentation, &classes.segmentation),
    ]
}

fn names_of(classes: &mut Classes, label: Label) -> &mut Vec<String> {
    match label {
        Label::Objects => &mut classes.objects,
        Label::Segmentation => &mut classes.segmentation,
        Label::Class | Label::Depth | Label::Normals => &mut classes.pictures,
    }
}

/// What a label's classes are classes of.
pub(super) fn kind(label: Label) -> &'static str {
    match label {
        Label::Objects => "object",
        Label::Segmentation => "pixel",
        Label::Class | Label::Depth | Label::Normals => "picture",
    }
}

/// The numbers of a set's classes in another list.
#[derive(Debug)]
pub(super) struct Tables {
    pictures: Vec<u16>,
    objects: Vec<u16>,
    segmentation: Vec<u16>,
    /// How many classes of pictures the other list has.
    all: usize,
    /// How messages call the set.
    of: String,
}

/// A class that another list does not have.
#[derive(Debug)]
pub(super) struct Unknown {
    pub label: Label,
    pub class: String,
}

impl Tables {
    /// From a set's own classes to `all`, of these tasks; `of` is how messages call the set.
    pub fn between(own: &Classes, all: &Classes, tasks: &[Label], of: &str) -> Result<Tables, Unknown> {
        let table = |label: Label, own: &[String], all: &[String]| -> Result<Vec<u16>, Unknown> {
            let place = |name: &String| {
                let place = all.iter().position(|other| other == name);
                place.map(|place| place as u16).ok_or_else(|| Unknown { label, class: name.clone() })
            };
            if tasks.contains(&label) { own.iter().map(place).collect() } else { Ok(Vec::new()) }
        };
        Ok(Tables {
            pictures: table(Label::Class, &own.pictures, &all.pictures)?,
            objects: table(Label::Objects, &own.objects, &all.objects)?,
            segmentation: table(Label::Segmentation, &own.segmentation, &all.segmentation)?,
            all: all.pictures.len(),
            of: of.into(),
        })
    }

    /// The sample in the other list's numbers.
    ///
    /// # Errors
    /// A number that stands for none of the set's classes: it would mean another class in the other list.
    pub fn tell(&self, mut sample: Sample) -> Result<Sample, DataError> {
        let name = sample.name.clone();
        sample.class = match sample.class {
            Some(Class::Hard(class)) => Some(Class::Hard(self.at(Label::Class, class, &name)?)),
            Some(Class::Soft(shares)) => Some(Class::Soft(self.spread(&shares, &name)?)),
            None => None,
        };
        for object in sample.objects.iter_mut().flatten() {
            object.class = self.at(Label::Objects, object.class, &name)?;
        }
        if let Some(plane) = &mut sample.segmentation {
            self.tell_pixels(plane, &name)?;
        }
        Ok(sample)
    }

    fn tell_pixels(&self, plane: &mut Plane<u16>, name: &str) -> Result<(), DataError> {
        for class in plane.values_mut().iter_mut().filter(|class| **class != IGNORE) {
            *class = self.at(Label::Segmentation, *class, name)?;
        }
        Ok(())
    }

    fn spread(&self, shares: &[f32], name: &str) -> Result<Vec<f32>, DataError> {
        if shares.len() != self.pictures.len() {
            let problem = format!("{} shares, of {} picture classes", shares.len(), self.pictures.len());
            return Err(self.wrong(name, &problem));
        }
        let mut all = vec![0.0; self.all];
        for (share, place) in shares.iter().zip(&self.pictures) {
            all[usize::from(*place)] += *share;
        }
        Ok(all)
    }

    fn at(&self, label: Label, class: u16, name: &str) -> Result<u16, DataError> {
        let table = match label {
            Label::Objects => &self.objects,
            Label::Segmentation => &self.segmentation,
            Label::Class | Label::Depth | Label::Normals => &self.pictures,
        };
        table.get(usize::from(class)).copied().ok_or_else(|| {
            self.wrong(name, &format!("the {} class {class}, of {} from 0", kind(label), table.len()))
        })
    }

    fn wrong(&self, name: &str, problem: &str) -> DataError {
        let problem = format!("sample `{name}` has {problem}");
        DataError::label(&self.of, Place::Whole, problem, "mend its labels, or name all classes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Bounds, Object, Picture};

    fn classes(pictures: &[&str], objects: &[&str], segmentation: &[&str]) -> Classes {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        Classes { pictures: names(pictures), objects: names(objects), segmentation: names(segmentation) }
    }

    #[test]
    fn a_number_that_stands_for_no_class_never_passes_for_another() {
        let own = classes(&["a"], &["x"], &["s"]);
        let all = classes(&["b", "a"], &["y", "x"], &["t", "s"]);
        let tables = Tables::between(&own, &all, &Label::ALL, "set").unwrap();
        let bare = || Sample::unlabelled("one", Picture::filled(1, 1, [0; 3]));
        let said = |sample| tables.tell(sample).unwrap_err().to_string();
        let bounds = Bounds { left: 0.0, top: 0.0, width: 1.0, height: 1.0 };
        let told = said(Sample { class: Some(Class::Hard(1)), ..bare() });
        assert!(told.starts_with("set: sample `one` has the picture class 1, of 1 from 0"), "{told}");
        let told = said(Sample { class: Some(Class::Soft(vec![0.5, 0.5])), ..bare() });
        assert!(told.starts_with("set: sample `one` has 2 shares, of 1 picture classes"), "{told}");
        let told = said(Sample { objects: Some(vec![Object::new(bounds, 1)]), ..bare() });
        assert!(told.contains("the object class 1"), "{told}");
        let told = said(Sample { segmentation: Some(Plane::filled(1, 1, 7)), ..bare() });
        assert!(told.contains("the pixel class 7"), "{told}");
        let unknown = Tables::between(&all, &own, &Label::ALL, "set").unwrap_err();
        assert_eq!((unknown.label, unknown.class.as_str()), (Label::Class, "b"));
    }
}
