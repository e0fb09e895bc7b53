//! Pseudo labels: all teachers go through one set of pictures, and what they are sure of is written down.

use std::path::Path;

use super::classes::union;
use super::sound::tell_left_out;
use super::store::{Predictions, StoreHeader, StoreWriter, Teacher};
use super::teacher::Labeller;
use super::{Hear, MustError, News};
use crate::data::{Classes, Label, SampleSource};
use crate::device::Device;

/// Pictures that teachers see at once.
const AT_ONCE: usize = 16;
/// MuST's threshold: objects and pixels that a teacher is less sure of are ignored.
pub const THRESHOLD: f32 = 0.5;

/// What is labelled, by whom, and where to.
#[derive(Clone, Copy)]
pub struct Labelling<'a> {
    /// The teachers, no two of one task.
    pub teachers: &'a [Box<dyn Labeller>],
    /// The pictures.
    pub pictures: &'a SampleSource,
    /// Objects and pixels with a lower score are ignored, objects below half of it left out; in [0, 1].
    pub threshold: f32,
    /// The store's folder.
    pub folder: &'a Path,
    /// Where the teachers' networks run.
    pub device: Device,
}

impl Labelling<'_> {
    /// Labels the pictures that are not labelled yet; returns how many those were. A picture is kept as soon as it is
    /// labelled: the same call goes on where one was stopped.
    ///
    /// # Errors
    /// [`MustError::TwoTeachers`], a store of other teachers or pictures, and what teachers and sets say.
    pub fn run(&self, hear: &mut Hear) -> Result<usize, MustError> {
        let header = self.header()?;
        let pictures = self.pictures.open()?;
        tell_left_out(&*pictures, &self.pictures.place(), hear)?;
        let mut writer = StoreWriter::open(self.folder, &header)?;
        let todo: Vec<usize> =
            (0..pictures.len()).filter(|index| !writer.has(&pictures.name(*index))).collect();
        for some in todo.chunks(AT_ONCE) {
            let samples = some.iter().map(|index| pictures.sample(*index)).collect::<Result<Vec<_>, _>>()?;
            let seen: Vec<_> = samples.iter().map(|sample| sample.picture.clone()).collect();
            let mut said = vec![Predictions::default(); seen.len()];
            for teacher in self.teachers {
                let predictions = teacher.label(&seen, self.device)?;
                said.iter_mut().zip(predictions).for_each(|(all, one)| {
                    take(all, one, &teacher.described().labels);
                });
            }
            for (sample, said) in samples.iter().zip(said) {
                writer.add(&sample.name, &said.pseudo_labels(self.threshold))?;
            }
            if !hear(&News::Labelled { done: writer.len(), pictures: pictures.len() }) {
                return Err(MustError::Stopped);
            }
        }
        Ok(todo.len())
    }

    /// What the store is to hold.
    ///
    /// # Errors
    /// No teacher, two of one task, and a threshold that is none.
    pub fn header(&self) -> Result<StoreHeader, MustError> {
        if self.teachers.is_empty() {
            return Err(MustError::settings("there is no teacher to label anything", "name at least one"));
        }
        check_threshold(self.threshold)?;
        check_different(self.teachers.iter().map(|teacher| teacher.described()))?;
        let mut classes = Classes::default();
        for teacher in self.teachers {
            let own = union(std::iter::once(teacher.classes()), &teacher.described().labels);
            for (all, own) in [
                (&mut classes.pictures, own.pictures),
                (&mut classes.objects, own.objects),
                (&mut classes.segmentation, own.segmentation),
            ] {
                if !own.is_empty() {
                    *all = own;
                }
            }
        }
        let teachers = self.teachers.iter().map(|teacher| teacher.described().clone()).collect();
        Ok(StoreHeader { pictures: self.pictures.clone(), classes, teachers, threshold: self.threshold })
    }
}

/// That a threshold of scores is in [0, 1].
///
/// # Errors
/// [`MustError::Settings`].
pub fn check_threshold(threshold: f32) -> Result<(), MustError> {
    if (0.0..=1.0).contains(&threshold) {
        return Ok(());
    }
    let problem = format!("the threshold is {threshold}");
    Err(MustError::settings(problem, "write a score in [0, 1]; the papers' is 0.5"))
}

/// That no two teachers are of one task.
pub(crate) fn check_different<'a>(
    teachers: impl Iterator<Item = &'a Teacher> + Clone,
) -> Result<(), MustError> {
    for label in Label::ALL {
        let mut of = teachers.clone().filter(|teacher| teacher.labels.contains(&label));
        if let (Some(first), Some(second)) = (of.next(), of.next()) {
            let (first, second) = (first.name.clone(), second.name.clone());
            return Err(MustError::TwoTeachers { first, second, label: label.name() });
        }
    }
    Ok(())
}

/// Takes over what a teacher says of its labels.
fn take(all: &mut Predictions, one: Predictions, labels: &[Label]) {
    for label in labels {
        match label {
            Label::Class => all.class = one.class.clone(),
            Label::Objects => all.objects = one.objects.clone(),
            Label::Segmentation => all.segmentation = one.segmentation.clone(),
            Label::Depth => all.depth = one.depth.clone(),
            Label::Normals => all.normals = one.normals.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Picture, Plane};
    use crate::must::store::Store;

    /// Says the same of every picture.
    struct Parrot(Teacher, Classes);

    impl Parrot {
        fn boxed(name: &str, labels: &[Label]) -> Box<dyn Labeller> {
            let classes =
                Classes { pictures: vec![format!("{name} 1"), format!("{name} 2")], ..Classes::default() };
            let teacher = Teacher { name: name.into(), hash: "1".into(), labels: labels.to_vec() };
            Box::new(Parrot(teacher, classes))
        }
    }

    impl Labeller for Parrot {
        fn described(&self) -> &Teacher {
            &self.0
        }
        fn classes(&self) -> &Classes {
            &self.1
        }
        fn label(&self, pictures: &[Picture], _device: Device) -> Result<Vec<Predictions>, MustError> {
            let one = |picture: &Picture| Predictions {
                class: Some(vec![0.25, 0.75]),
                depth: Some(Plane::filled(picture.width(), picture.height(), 2.0)),
                ..Predictions::default()
            };
            Ok(pictures.iter().map(one).collect())
        }
    }

    fn labelling<'a>(
        teachers: &'a [Box<dyn Labeller>],
        pictures: &'a SampleSource,
        folder: &'a Path,
    ) -> Labelling<'a> {
        Labelling { teachers, pictures, threshold: 0.5, folder, device: Device::Cpu }
    }

    #[test]
    fn each_teacher_says_what_it_was_asked_for_and_stopping_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let teachers = [Parrot::boxed("a", &[Label::Class]), Parrot::boxed("b", &[Label::Depth])];
        let pictures: SampleSource = "Scenes(count: 40, width: 8, height: 8)".parse().unwrap();
        let labelling = labelling(&teachers, &pictures, folder.path());
        let stopped = labelling.run(&mut |_: &News| false).unwrap_err();
        assert!(matches!(stopped, MustError::Stopped));
        let mut heard = Vec::new();
        let went_on = labelling.run(&mut |news: &News| {
            let News::Labelled { done, pictures } = *news else { panic!("{news:?}") };
            heard.push((done, pictures));
            true
        });
        assert_eq!((went_on.unwrap(), heard), (24, vec![(32, 40), (40, 40)]));
        assert_eq!(labelling.run(&mut |_: &News| panic!("nothing is left")).unwrap(), 0);
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.header().classes.pictures, ["a 1", "a 2"]);
        let labels = store.labels("000039").unwrap();
        assert_eq!(labels.labels(), [Label::Class, Label::Depth]);
        // The same folder is not for other teachers.
        let others = [Parrot::boxed("c", &[Label::Class])];
        let error = Labelling { teachers: &others, ..labelling }.run(&mut |_: &News| true).unwrap_err();
        assert!(error.to_string().contains("by `a` (1), `b` (1), not by `c` (1)"), "{error}");
    }

    #[test]
    fn what_cannot_be_labelled_with_is_told() {
        let pictures: SampleSource = "Scenes(count: 2)".parse().unwrap();
        let teachers =
            [Parrot::boxed("a", &[Label::Depth]), Parrot::boxed("b", &[Label::Class, Label::Depth])];
        let folder = Path::new("never/written");
        let error = |labelling: Labelling| labelling.run(&mut |_: &News| true).unwrap_err().to_string();
        insta::assert_snapshot!(error(labelling(&teachers, &pictures, folder)), @"
        both `a` and `b` label depth
          hint: leave one of them out: students are told one thing of a picture
        ");
        let sure = Labelling { threshold: 1.5, ..labelling(&teachers[..1], &pictures, folder) };
        insta::assert_snapshot!(error(sure), @"
        the threshold is 1.5
          hint: write a score in [0, 1]; the papers' is 0.5
        ");
        assert!(error(labelling(&[], &pictures, folder)).starts_with("there is no teacher"));
    }
}
