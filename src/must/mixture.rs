//! What a network learns from: several sets of samples in fixed shares, brought to one list of classes.
//!
//! Sets name their classes each in an order of its own; a network has one order. Classes go by their names: the network's
//! are those of all its sets together, and every sample is told in the network's numbers. Labels that are no task of the
//! network are left out.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::classes::{Tables, kind, union};
use super::sound::{check_sound, tell_left_out};
use super::store::Store;
use super::{Hear, MustError};
use crate::data::{Classes, DataError, Label, Sample, SampleSource, Samples};

/// A set of samples and how much of every batch comes from it.
///
/// ```
/// use cellwright::must::Portion;
///
/// let portion: Portion = cellwright::symbolic::from_value(&"Labelled(set: Scenes(count: 20), share: 3)".parse()?)?;
/// assert_eq!(portion.share(), 3.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Portion {
    /// Samples that people labelled.
    Labelled {
        /// The set.
        set: SampleSource,
        /// Its share of a batch, relative to that of the others.
        #[serde(default = "one")]
        share: f64,
    },
    /// Pictures that teachers labelled; labels that the pictures have of their own stay.
    PseudoLabelled {
        /// The folder of the pseudo labels.
        store: PathBuf,
        /// Its share of a batch, relative to that of the others.
        #[serde(default = "one")]
        share: f64,
    },
}

fn one() -> f64 {
    1.0
}

impl Portion {
    /// Its share of a batch, relative to that of the others.
    pub fn share(&self) -> f64 {
        match self {
            Portion::Labelled { share, .. } | Portion::PseudoLabelled { share, .. } => *share,
        }
    }

    /// The set that people labelled; `None` where teachers did.
    pub fn set(&self) -> Option<&SampleSource> {
        match self {
            Portion::Labelled { set, .. } => Some(set),
            Portion::PseudoLabelled { .. } => None,
        }
    }

    /// Whether teachers labelled it.
    pub fn is_pseudo(&self) -> bool {
        matches!(self, Portion::PseudoLabelled { .. })
    }

    /// How messages call it.
    fn told(&self) -> String {
        match self {
            Portion::Labelled { set, .. } => format!("the labelled set {}", set.place()),
            Portion::PseudoLabelled { store, .. } => format!("the pseudo labels in {}", store.display()),
        }
    }

    /// Where its pictures or labels are.
    pub(super) fn place(&self) -> String {
        match self {
            Portion::Labelled { set, .. } => set.place(),
            Portion::PseudoLabelled { store, .. } => store.display().to_string(),
        }
    }

    fn open(&self) -> Result<Box<dyn Samples>, MustError> {
        match self {
            Portion::Labelled { set, .. } => Ok(set.open()?),
            Portion::PseudoLabelled { store, .. } => Ok(Box::new(Store::open(store)?.into_samples()?)),
        }
    }

    /// What tells its labels from others of the same words: whose they are.
    pub(super) fn identity(&self) -> Result<Option<String>, MustError> {
        let Portion::PseudoLabelled { store, .. } = self else { return Ok(None) };
        let store = Store::open(store)?;
        let header = store.header();
        let teachers = header.teachers.iter().map(|teacher| format!("{} {}", teacher.name, teacher.hash));
        Ok(Some(format!("{} from {}", teachers.collect::<Vec<_>>().join(", "), header.threshold)))
    }
}

/// A set that was opened.
pub struct OpenPortion {
    /// Where it is, for messages.
    pub place: String,
    /// Its samples, in the network's classes and with labels of the network's tasks alone.
    pub samples: Box<dyn Samples>,
    /// Its share of a batch, relative to that of the others.
    pub share: f64,
}

/// Sets of samples in one list of classes.
pub struct Mixture {
    /// The sets.
    pub portions: Vec<OpenPortion>,
    /// The classes that all of them have together.
    pub classes: Classes,
}

impl Mixture {
    /// Opens the sets. Each task has a label in at least one of them.
    ///
    /// # Errors
    /// Sets that cannot be read, shares that are none, and [`MustError::NoSamples`] for a task that no sample has a label
    /// of.
    pub fn open(portions: &[Portion], tasks: &[Label]) -> Result<Mixture, MustError> {
        check_shares(portions)?;
        let sets = portions.iter().map(Portion::open).collect::<Result<Vec<_>, _>>()?;
        let classes = union(sets.iter().map(|set| set.classes()), tasks);
        let portions = sets.into_iter().zip(portions).map(|(set, portion)| {
            let samples = in_classes(set, &classes, tasks, &portion.told())?;
            let place = portion.place();
            Ok(OpenPortion { place, samples, share: portion.share() })
        });
        let mixture = Mixture { portions: portions.collect::<Result<_, MustError>>()?, classes };
        mixture.check_tasks(tasks)?;
        Ok(mixture)
    }

    /// All sets are looked through side by side until every task's label is met, so that few samples are read.
    fn check_tasks(&self, tasks: &[Label]) -> Result<(), MustError> {
        let sets: Vec<&dyn Samples> = self.portions.iter().map(|portion| &*portion.samples).collect();
        let mut places: Vec<&str> = self.portions.iter().map(|portion| portion.place.as_str()).collect();
        places.dedup();
        let of = format!("the sets to learn from ({})", places.join(", "));
        check_labels(&sets, tasks, &of, "learn it from")
    }

    /// Tells what the sets leave out, and reads every sample once: see [`look_through`](super::look_through).
    pub(crate) fn look_through(&self, hear: &mut Hear) -> Result<(), MustError> {
        self.portions.iter().try_for_each(|portion| {
            tell_left_out(&*portion.samples, &portion.place, hear)?;
            check_sound(&*portion.samples, &portion.place, hear)
        })
    }
}

fn check_shares(portions: &[Portion]) -> Result<(), MustError> {
    if portions.is_empty() {
        return Err(MustError::settings(
            "there is nothing to learn from",
            "name a set, such as `Labelled(set: Scenes())`",
        ));
    }
    match portions.iter().map(Portion::share).find(|share| !(*share > 0.0 && share.is_finite())) {
        None => Ok(()),
        Some(share) => {
            let problem = format!("a set's `share` of a batch is {share}");
            Err(MustError::settings(problem, "write a number above 0, or leave the set out"))
        }
    }
}

/// Checks that every label is met in at least one of the sets.
///
/// # Errors
/// [`MustError::NoSamples`] for the first that is not, and samples that cannot be read on the way.
pub(super) fn check_labels(
    sets: &[&dyn Samples],
    labels: &[Label],
    of: &str,
    purpose: &'static str,
) -> Result<(), MustError> {
    let mut missing = labels.to_vec();
    let longest = sets.iter().map(|set| set.len()).max().unwrap_or(0);
    for index in 0..longest {
        for set in sets.iter().filter(|set| index < set.len()) {
            if missing.is_empty() {
                return Ok(());
            }
            let sample = set.sample(index)?;
            missing.retain(|label| !sample.has(*label));
        }
    }
    match missing.first() {
        None => Ok(()),
        Some(label) => Err(MustError::NoSamples { of: of.into(), label: label.name(), purpose }),
    }
}

/// The set in these classes, with labels of these tasks alone; `of` is how messages call it.
///
/// # Errors
/// [`MustError::Class`] for a class that is none of these.
pub(super) fn in_classes(
    set: Box<dyn Samples>,
    classes: &Classes,
    tasks: &[Label],
    of: &str,
) -> Result<Box<dyn Samples>, MustError> {
    let tables = Tables::between(set.classes(), classes, tasks, of).map_err(|unknown| MustError::Class {
        of: of.into(),
        kind: kind(unknown.label),
        class: unknown.class,
        known: match unknown.label {
            Label::Objects => classes.objects.clone(),
            Label::Segmentation => classes.segmentation.clone(),
            Label::Class | Label::Depth | Label::Normals => classes.pictures.clone(),
        },
    })?;
    Ok(Box::new(Told { set, tables, classes: classes.clone(), tasks: tasks.to_vec() }))
}

/// A set in the classes of somebody else.
struct Told {
    set: Box<dyn Samples>,
    tables: Tables,
    classes: Classes,
    tasks: Vec<Label>,
}

impl Samples for Told {
    fn len(&self) -> usize {
        self.set.len()
    }

    fn classes(&self) -> &Classes {
        &self.classes
    }

    fn name(&self, index: usize) -> String {
        self.set.name(index)
    }

    fn sample(&self, index: usize) -> Result<Sample, DataError> {
        self.tables.tell(self.set.sample(index)?.only(&self.tasks))
    }

    fn left_out(&self) -> &[(String, String)] {
        self.set.left_out()
    }

    fn listed(&self) -> usize {
        self.set.listed()
    }

    fn is_sound(&self) -> bool {
        self.set.is_sound()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Bounds, Class, IGNORE, Object, Picture, Plane};

    /// A set of one sample with all that has classes.
    struct One(Classes);

    impl Samples for One {
        fn len(&self) -> usize {
            1
        }
        fn classes(&self) -> &Classes {
            &self.0
        }
        fn name(&self, _index: usize) -> String {
            "one".into()
        }
        fn sample(&self, _index: usize) -> Result<Sample, DataError> {
            let bounds = Bounds { left: 0.0, top: 0.0, width: 1.0, height: 1.0 };
            Ok(Sample {
                class: Some(Class::Soft(vec![0.25, 0.75])),
                objects: Some(vec![Object::new(bounds, 1)]),
                segmentation: Some(Plane::new(2, 1, vec![0, IGNORE])),
                ..Sample::unlabelled("one", Picture::filled(2, 1, [0; 3]))
            })
        }
    }

    fn classes(pictures: &[&str], objects: &[&str], segmentation: &[&str]) -> Classes {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        Classes { pictures: names(pictures), objects: names(objects), segmentation: names(segmentation) }
    }

    #[test]
    fn classes_go_by_their_names_and_other_tasks_are_left_out() {
        let (here, there) =
            (classes(&["b", "a"], &["x", "y"], &["s"]), classes(&["a", "c"], &["y"], &["t", "s"]));
        let tasks = [Label::Class, Label::Objects, Label::Segmentation];
        let all = union([&there, &here].into_iter(), &tasks);
        assert_eq!(all, classes(&["a", "c", "b"], &["y", "x"], &["t", "s"]));
        let told = in_classes(Box::new(One(here.clone())), &all, &tasks, "it").unwrap().sample(0).unwrap();
        assert_eq!(told.class, Some(Class::Soft(vec![0.75, 0.0, 0.25])));
        assert_eq!(told.objects.unwrap()[0].class, 0);
        assert_eq!(told.segmentation.unwrap().values(), [1, IGNORE]);
        let one =
            in_classes(Box::new(One(here.clone())), &Classes::default(), &[Label::Depth], "it").unwrap();
        assert_eq!(one.sample(0).unwrap().labels(), []);
        let error = in_classes(Box::new(One(here)), &there, &tasks, "the sets").err().unwrap();
        assert_eq!(
            error.to_string(),
            "the sets have the picture class `b`, which is none of `a`, `c`\n  hint: use sets whose classes have the \
             same names"
        );
    }

    #[test]
    fn what_no_sample_has_and_shares_of_nothing_are_told() {
        let open = |text: &str, tasks: &[Label]| {
            let portion = crate::symbolic::from_value(&text.parse().unwrap()).unwrap();
            Mixture::open(&[portion], tasks).err().unwrap().to_string()
        };
        let part = "Labelled(set: Part(of: Scenes(count: 3, width: 8, height: 8), labels: [Depth]))";
        insta::assert_snapshot!(open(part, &[Label::Depth, Label::Normals]), @"
        no sample of the sets to learn from (Scenes) has normals, so that there is nothing to learn it from
          hint: add a set that has it, or leave the task out
        ");
        insta::assert_snapshot!(open("Labelled(set: Scenes(count: 3), share: 0)", &[Label::Depth]), @"
        a set's `share` of a batch is 0
          hint: write a number above 0, or leave the set out
        ");
        insta::assert_snapshot!(open("PseudoLabelled(store: \"no/such/folder\")", &[Label::Depth]), @"
        no/such/folder/labels.ron: it is not there
          hint: name a folder that `must label` wrote, or write it again
        ");
    }
}
