//! What a teacher says of a picture, and what of it is kept.

use crate::data::{Class, IGNORE, Label, Object, Plane, Sample};

/// Objects from this share of the threshold on are ignored and not background.
const UNSURE: f32 = 0.5;

/// A teacher's answers for one picture, before anything is left out. What it was not taught is absent.
#[derive(Clone, Debug, Default)]
pub struct Predictions {
    /// One probability a class.
    pub class: Option<Vec<f32>>,
    /// Objects with their scores.
    pub objects: Option<Vec<Object>>,
    /// The likeliest class of each pixel, and its probability.
    pub segmentation: Option<(Plane<u16>, Plane<f32>)>,
    /// Depth of any scale and shift.
    pub depth: Option<Plane<f32>>,
    /// Normals of any length.
    pub normals: Option<Plane<[f32; 3]>>,
}

/// Labels that a teacher gave: soft classes, hard boxes and pixels it was sure of (and unsure boxes, as difficult ones), dense depth and normals.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PseudoLabels {
    /// One probability a class.
    pub class: Option<Vec<f32>>,
    /// Objects with their scores.
    pub objects: Option<Vec<Object>>,
    /// The class of each pixel, or [`IGNORE`].
    pub segmentation: Option<Plane<u16>>,
    /// Depth of any scale and shift; NaN is a hole.
    pub depth: Option<Plane<f32>>,
    /// Unit normals; NaN is a hole.
    pub normals: Option<Plane<[f32; 3]>>,
}

impl Predictions {
    /// The labels that students learn from: objects and pixels from `threshold` on, as in MuST (section 3 of
    /// <https://arxiv.org/abs/2108.11353>), where it is 0.5; the rest is ignored. Class, depth and normals are kept as they
    /// are.
    ///
    /// What is ignored is asked nothing: pixels are [`IGNORE`], and objects of at least half the threshold stay, as
    /// `difficult` ones, in whose boxes no student is told that there is nothing. What is less sure than that is left out,
    /// and is background: teachers say a little of everything, and if all of that were ignored nothing would be left.
    pub fn pseudo_labels(self, threshold: f32) -> PseudoLabels {
        let told = |object: Object| {
            let score = object.score.unwrap_or(1.0);
            let difficult = object.difficult || score < threshold;
            (score >= UNSURE * threshold).then_some(Object { difficult, ..object })
        };
        let sure_pixels = |(classes, scores): (Plane<u16>, Plane<f32>)| {
            Plane::from_fn(classes.width(), classes.height(), |x, y| {
                if scores.at(x, y) >= threshold { classes.at(x, y) } else { IGNORE }
            })
        };
        PseudoLabels {
            class: self.class,
            objects: self.objects.map(|objects| objects.into_iter().filter_map(told).collect()),
            segmentation: self.segmentation.map(sure_pixels),
            depth: self.depth,
            normals: self.normals.map(|normals| normals.map(unit)),
        }
    }
}

/// Of length 1; a hole where there is no direction.
fn unit(normal: [f32; 3]) -> [f32; 3] {
    let length = normal.iter().map(|part| part * part).sum::<f32>().sqrt();
    if length > 1e-6 { normal.map(|part| part / length) } else { [f32::NAN; 3] }
}

impl PseudoLabels {
    /// The labels there are.
    pub fn labels(&self) -> Vec<Label> {
        let there = [
            self.class.is_some(),
            self.objects.is_some(),
            self.segmentation.is_some(),
            self.depth.is_some(),
            self.normals.is_some(),
        ];
        Label::ALL.into_iter().zip(there).filter(|(_, there)| *there).map(|(label, _)| label).collect()
    }

    /// The sample with these labels where it has none of its own: what people said stays. Both are in one list of classes.
    ///
    /// # Errors
    /// Dense labels of another size than the picture.
    pub fn onto(self, sample: Sample) -> Result<Sample, String> {
        self.check_size(sample.size())?;
        Ok(sample.or(self.alone()))
    }

    /// That dense labels are of a picture's size.
    pub(super) fn check_size(&self, (width, height): (usize, usize)) -> Result<(), String> {
        let sizes = [
            self.segmentation.as_ref().map(Plane::size),
            self.depth.as_ref().map(Plane::size),
            self.normals.as_ref().map(Plane::size),
        ];
        match sizes.into_iter().flatten().find(|&size| size != (width, height)) {
            None => Ok(()),
            Some((w, h)) => Err(format!("the labels are of {w}x{h} pixels, the picture is {width}x{height}")),
        }
    }

    /// The labels without the picture that they are of.
    pub(super) fn alone(self) -> Sample {
        Sample {
            pseudo: self.labels(),
            class: self.class.map(Class::Soft),
            objects: self.objects,
            segmentation: self.segmentation,
            depth: self.depth,
            normals: self.normals,
            ..Sample::unlabelled("", Plane::filled(0, 0, [0; 3]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Bounds, Picture};

    #[test]
    fn what_the_teacher_is_unsure_of_is_left_out_and_what_people_said_stays() {
        let bounds = Bounds { left: 0.0, top: 0.0, width: 1.0, height: 1.0 };
        let object = |score| Object { score: Some(score), ..Object::new(bounds, 0) };
        let labels = Predictions {
            class: Some(vec![0.1, 0.9]),
            objects: Some(vec![object(0.24), object(0.49), object(0.5)]),
            segmentation: Some((Plane::new(2, 1, vec![3, 4]), Plane::new(2, 1, vec![0.4, 0.6]))),
            depth: Some(Plane::new(2, 1, vec![-1.0, 2.0])),
            normals: Some(Plane::new(2, 1, vec![[0.0, 0.0, -4.0], [0.0; 3]])),
        }
        .pseudo_labels(0.5);
        let told = labels.objects.iter().flatten().map(|object| (object.score, object.difficult));
        assert_eq!(told.collect::<Vec<_>>(), [(Some(0.49), true), (Some(0.5), false)]);
        assert_eq!(labels.segmentation.as_ref().unwrap().values(), [IGNORE, 4]);
        assert_eq!(labels.normals, Some(Plane::new(2, 1, vec![[0.0, 0.0, -1.0], [f32::NAN; 3]])));
        let own =
            Sample { class: Some(Class::Hard(0)), ..Sample::unlabelled("a", Picture::filled(2, 1, [0; 3])) };
        let both = labels.clone().onto(own).unwrap();
        assert_eq!((both.class, both.depth), (Some(Class::Hard(0)), labels.depth.clone()));
        let other = Sample::unlabelled("b", Picture::filled(2, 2, [0; 3]));
        assert_eq!(labels.onto(other).unwrap_err(), "the labels are of 2x1 pixels, the picture is 2x2");
    }
}
