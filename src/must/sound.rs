//! Sets are looked through before anything is learned from them, so that a file that is broken is told at once and not
//! after hours of training.

use rayon::prelude::*;

use super::{Hear, MustError, News};
use crate::data::{DataError, Place, SampleSource, Samples};

/// Samples of one set that are read at most: of larger sets, so many, evenly spread. That is minutes, not hours.
const LOOKED_AT: usize = 20_000;
/// Samples between two times that somebody is told.
const SOME: usize = 256;

/// Opens sets, tells what each leaves out, and reads every sample once; of a set of more than 20,000 samples, 20,000 that
/// are evenly spread. Sets of which nothing can be broken any more (rendered, in memory, or `skip_broken`) are not read
/// again.
///
/// # Errors
/// The first sample that cannot be read or contradicts itself, with its file; [`MustError::Stopped`].
pub fn look_through(sources: &[&SampleSource], hear: &mut Hear) -> Result<(), MustError> {
    for (index, source) in sources.iter().enumerate() {
        if sources[..index].contains(source) {
            continue;
        }
        let (set, place) = (source.open()?, source.place());
        tell_left_out(&*set, &place, hear)?;
        check_sound(&*set, &place, hear)?;
    }
    Ok(())
}

/// Tells what a set leaves out, if anything.
pub(super) fn tell_left_out(set: &dyn Samples, place: &str, hear: &mut Hear) -> Result<(), MustError> {
    match left_out(set, place) {
        Some(line) if !hear(&News::LeftOut { line: &line }) => Err(MustError::Stopped),
        _ => Ok(()),
    }
}

/// What a set leaves out because its source says so, in one line; `None` where that is nothing.
///
/// ```
/// use cellwright::data::Scenes;
/// use cellwright::must::left_out;
///
/// let source: cellwright::data::SampleSource = "Scenes(count: 3)".parse()?;
/// assert_eq!(left_out(&*source.open()?, &source.place()), None);
/// # Ok::<(), cellwright::data::DataError>(())
/// ```
pub fn left_out(set: &dyn Samples, place: &str) -> Option<String> {
    let (name, why) = set.left_out().first()?;
    let (count, all) = (set.left_out().len(), set.listed());
    let why = why.lines().next().unwrap_or_default();
    Some(format!("left out {count} of {all} in {place}, the first `{name}`: {why}"))
}

/// Reads every sample of a set once, as [`look_through`] does.
pub(super) fn check_sound(set: &dyn Samples, place: &str, hear: &mut Hear) -> Result<(), MustError> {
    check_some(set, place, LOOKED_AT, hear)
}

fn check_some(set: &dyn Samples, place: &str, most: usize, hear: &mut Hear) -> Result<(), MustError> {
    if set.is_sound() {
        return Ok(());
    }
    let (of, in_all) = (set.len().min(most), set.len());
    let indices: Vec<usize> = (0..of).map(|index| index * in_all / of).collect();
    let mut done = 0;
    for some in indices.chunks(SOME) {
        if let Some(error) = some.par_iter().find_map_first(|index| problem(set, place, *index)) {
            return Err(error.into());
        }
        done += some.len();
        if !hear(&News::Looking { place, done, of, in_all }) {
            return Err(MustError::Stopped);
        }
    }
    Ok(())
}

fn problem(set: &dyn Samples, place: &str, index: usize) -> Option<DataError> {
    let sample = match set.sample(index) {
        Ok(sample) => sample,
        Err(error) => return Some(error),
    };
    sample.contradiction(set.classes()).map(|problem| {
        let problem = format!("sample `{}`: {problem}", sample.name);
        DataError::label(place, Place::Whole, problem, "mend the sample or take it out")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Class, Classes, Picture, Sample};

    /// Ten samples, of which the one of this number has a class that there is not.
    struct Ten(Option<usize>, Classes);

    impl Samples for Ten {
        fn len(&self) -> usize {
            10
        }
        fn classes(&self) -> &Classes {
            &self.1
        }
        fn name(&self, index: usize) -> String {
            index.to_string()
        }
        fn sample(&self, index: usize) -> Result<Sample, DataError> {
            let class = Some(Class::Hard(u16::from(self.0 == Some(index))));
            Ok(Sample { class, ..Sample::unlabelled(self.name(index), Picture::filled(1, 1, [0; 3])) })
        }
    }

    fn ten(broken: Option<usize>) -> Ten {
        Ten(broken, Classes { pictures: vec!["a".into()], ..Classes::default() })
    }

    #[test]
    fn every_sample_is_read_once_and_of_huge_sets_some() {
        let mut heard = Vec::new();
        let mut look = |set: &Ten, most: usize| {
            check_some(set, "pics", most, &mut |news: &News| {
                let News::Looking { done, of, in_all, .. } = *news else { panic!("{news:?}") };
                heard.push((done, of, in_all));
                true
            })
        };
        look(&ten(None), 20).unwrap();
        look(&ten(Some(3)), 5).unwrap();
        let error = look(&ten(Some(4)), 5).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let told = "pics: sample `4`: its class is 1, which the set's classes do not have";
        assert!(error.to_string().starts_with(told), "{error}");
        assert!(look(&ten(Some(9)), 10).is_err());
        assert_eq!(heard, [(10, 10, 10), (5, 5, 10)]);
        let stopped = check_some(&ten(None), "pics", 20, &mut |_: &News| false).unwrap_err();
        assert!(matches!(stopped, MustError::Stopped));
    }
}
