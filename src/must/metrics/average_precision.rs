//! Average precision of boxes, as COCO measures it.
//!
//! Lin et al., *Microsoft COCO: Common Objects in Context* (2014), <https://arxiv.org/abs/1405.0312>, and its tools
//! (`cocoeval.py` of <https://github.com/cocodataset/cocoapi>, BSD-2-Clause), whose every rule is kept: found boxes are taken
//! by falling score, each for the free true box that it overlaps most; crowds and objects outside of the range of areas
//! count neither as found nor as missed; precision is made to fall and read at 101 recalls. So the numbers equal theirs.

use rayon::prelude::*;

use crate::data::{Bounds, Object};

/// A box that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Where.
    pub bounds: Bounds,
    /// Of which class.
    pub class: u16,
    /// The surer, the higher.
    pub score: f64,
}

impl Detection {
    /// The detection that a predicted object is; without a score it is a sure one.
    pub fn of(object: &Object) -> Detection {
        Detection {
            bounds: object.bounds,
            class: object.class,
            score: f64::from(object.score.unwrap_or(1.0)),
        }
    }
}

/// COCO's twelve numbers, each in [0, 1]; `None` where no true box counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DetectionScores {
    /// Mean average precision over overlaps from 0.5 to 0.95.
    pub ap: Option<f64>,
    /// At an overlap of 0.5.
    pub ap50: Option<f64>,
    /// At an overlap of 0.75.
    pub ap75: Option<f64>,
    /// Of objects up to 32² pixels, between, and from 96² pixels on.
    pub ap_by_area: [Option<f64>; 3],
    /// Mean recall with 1, 10 and 100 boxes a picture and class.
    pub recall: [Option<f64>; 3],
    /// Recall with 100 boxes, of objects up to 32² pixels, between, and from 96² pixels on.
    pub recall_by_area: [Option<f64>; 3],
}

/// True and found boxes of pictures.
///
/// ```
/// use cellwright::data::{Bounds, Object};
/// use cellwright::must::metrics::{AveragePrecision, Detection};
///
/// let bounds = Bounds { left: 10.0, top: 10.0, width: 50.0, height: 80.0 };
/// let mut metric = AveragePrecision::new(2);
/// metric.add(&[Object::new(bounds, 1)], &[Detection { bounds, class: 1, score: 0.9 }]);
/// let scores = metric.scores();
/// assert!(scores.ap > Some(1.0 - 1e-9) && scores.ap50 > Some(1.0 - 1e-9));
/// assert_eq!(scores.ap_by_area[0], None, "there are no small objects");
/// ```
#[derive(Clone, Debug)]
pub struct AveragePrecision {
    /// By class: the pictures that have or found something of it.
    classes: Vec<Vec<Picture>>,
}

#[derive(Clone, Debug, Default)]
struct Picture {
    truths: Vec<Truth>,
    /// By falling score, no more than count.
    found: Vec<Found>,
    /// `[found, truth]`.
    overlaps: Vec<f64>,
}

#[derive(Clone, Copy, Debug)]
struct Truth {
    area: f64,
    crowd: bool,
    ignored: bool,
}

#[derive(Clone, Copy, Debug)]
struct Found {
    area: f64,
    score: f64,
}

const OVERLAPS: usize = 10;
const RECALLS: usize = 101;
const MOST: [usize; 3] = [1, 10, 100];
const SMALL: f64 = 32.0 * 32.0;
const LARGE: f64 = 96.0 * 96.0;
const HUGE: f64 = 1e10;
const AREAS: [(f64, f64); 4] = [(0.0, HUGE), (0.0, SMALL), (SMALL, LARGE), (LARGE, HUGE)];

impl AveragePrecision {
    /// Nothing yet, of this many classes.
    pub fn new(classes: usize) -> AveragePrecision {
        AveragePrecision { classes: vec![Vec::new(); classes] }
    }

    /// One picture: what is there and what was found. What was found of a class beyond the classes, or with a score that is
    /// no number, does not count. `difficult` objects count neither as found nor as missed, as Pascal VOC has it.
    pub fn add(&mut self, truth: &[Object], found: &[Detection]) {
        for (class, pictures) in self.classes.iter_mut().enumerate() {
            let truth: Vec<&Object> =
                truth.iter().filter(|object| usize::from(object.class) == class).collect();
            let of =
                |detection: &&Detection| usize::from(detection.class) == class && !detection.score.is_nan();
            let mut found: Vec<&Detection> = found.iter().filter(of).collect();
            if !truth.is_empty() || !found.is_empty() {
                found.sort_by(|a, b| b.score.total_cmp(&a.score));
                found.truncate(MOST[2]);
                pictures.push(Picture::new(&truth, &found));
            }
        }
    }

    /// COCO's numbers for all pictures.
    pub fn scores(&self) -> DetectionScores {
        let measured: Vec<Measured> =
            self.classes.par_iter().map(|pictures| Measured::new(pictures)).collect();
        let precision = |area: usize, overlaps: std::ops::Range<usize>| {
            let known = measured.iter().filter_map(|class| class.precision[area].as_ref());
            mean(known.flat_map(|rows| rows[overlaps.clone()].iter().copied()))
        };
        let recall = |area: usize, most: usize| {
            let known = measured.iter().filter_map(|class| class.recall[area][most].as_ref());
            mean(known.flat_map(|row| row.iter().copied()))
        };
        DetectionScores {
            ap: precision(0, 0..OVERLAPS),
            ap50: precision(0, 0..1),
            ap75: precision(0, 5..6),
            ap_by_area: [1, 2, 3].map(|area| precision(area, 0..OVERLAPS)),
            recall: [0, 1, 2].map(|most| recall(0, most)),
            recall_by_area: [1, 2, 3].map(|area| recall(area, 2)),
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0u64, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / count as f64)
}

impl Picture {
    fn new(truth: &[&Object], found: &[&Detection]) -> Picture {
        let overlap = |detection: &&Detection| {
            let bounds = detection.bounds;
            truth.iter().map(move |object| overlap(&bounds, object)).collect::<Vec<f64>>()
        };
        let truths = truth.iter().map(|object| {
            let ignored = object.crowd || object.difficult;
            Truth { area: object.area(), crowd: object.crowd, ignored }
        });
        let boxes = found.iter().map(|found| Found { area: found.bounds.area(), score: found.score });
        Picture {
            truths: truths.collect(),
            found: boxes.collect(),
            overlaps: found.iter().flat_map(overlap).collect(),
        }
    }

    /// What each found box is at each overlap, for objects of these areas: `[overlap, found]`.
    fn matched(&self, areas: (f64, f64)) -> Matched {
        let outside = |area: f64| area < areas.0 || area > areas.1;
        let ignored: Vec<bool> =
            self.truths.iter().map(|truth| truth.ignored || outside(truth.area)).collect();
        // Objects that count come first: one of them is preferred to any that does not.
        let mut order: Vec<usize> = (0..self.truths.len()).collect();
        order.sort_by_key(|&truth| ignored[truth]);
        let outcomes = (0..OVERLAPS).map(|index| {
            let mut taken = vec![false; self.truths.len()];
            let outcome = |(index_of, found): (usize, &Found), taken: &mut Vec<bool>| match self.best(
                index_of,
                least_overlap(index),
                &order,
                &ignored,
                taken,
            ) {
                Some(truth) => {
                    taken[truth] = true;
                    if ignored[truth] { Outcome::Ignored } else { Outcome::Right }
                }
                None if outside(found.area) => Outcome::Ignored,
                None => Outcome::Wrong,
            };
            self.found.iter().enumerate().map(|found| outcome(found, &mut taken)).collect()
        });
        Matched { outcomes: outcomes.collect(), count: ignored.iter().filter(|ignored| !**ignored).count() }
    }

    /// The free true box that a found one overlaps most, at least by `least`; later ones win where they overlap as much.
    fn best(
        &self,
        found: usize,
        least: f64,
        order: &[usize],
        ignored: &[bool],
        taken: &[bool],
    ) -> Option<usize> {
        let (mut best, mut least) = (None, least.min(1.0 - 1e-10));
        for &truth in order.iter().filter(|&&truth| !taken[truth] || self.truths[truth].crowd) {
            if best.is_some_and(|best: usize| !ignored[best] && ignored[truth]) {
                break;
            }
            let overlap = self.overlaps[found * self.truths.len() + truth];
            if overlap >= least {
                (best, least) = (Some(truth), overlap);
            }
        }
        best
    }
}

/// Intersection over union; over the found box alone where the true one is a crowd.
fn overlap(found: &Bounds, truth: &Object) -> f64 {
    let shared = found.shared(&truth.bounds);
    match shared > 0.0 {
        true if truth.crowd => shared / found.area(),
        true => shared / (found.area() + truth.bounds.area() - shared),
        false => 0.0,
    }
}

/// 0.5, 0.55, .., 0.95, to the last bit as `numpy.linspace` has them.
fn least_overlap(index: usize) -> f64 {
    if index + 1 == OVERLAPS { 0.95 } else { index as f64 * ((0.95 - 0.5) / (OVERLAPS - 1) as f64) + 0.5 }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Right,
    Wrong,
    Ignored,
}

struct Matched {
    /// `[overlap][found]`, by falling score.
    outcomes: Vec<Vec<Outcome>>,
    /// True boxes that count.
    count: usize,
}

/// One class over all pictures, by range of areas; `None` where no true box counts.
struct Measured {
    /// Mean precision over the recalls, for each overlap.
    precision: Vec<Option<Vec<f64>>>,
    /// By most boxes a picture: for each overlap.
    recall: Vec<Vec<Option<Vec<f64>>>>,
}

impl Measured {
    fn new(pictures: &[Picture]) -> Measured {
        let (mut precision, mut recall) = (Vec::new(), Vec::new());
        for areas in AREAS {
            let matched: Vec<Matched> = pictures.iter().map(|picture| picture.matched(areas)).collect();
            let count: usize = matched.iter().map(|matched| matched.count).sum();
            let curves = |most: usize| {
                let ranked = ranked(pictures, &matched, most);
                (count > 0)
                    .then(|| (0..OVERLAPS).map(|overlap| curve(&ranked, &matched, overlap, count)).unzip())
            };
            let by_most: Vec<Option<(Vec<f64>, Vec<f64>)>> = MOST.map(curves).into();
            precision.push(by_most.last().cloned().flatten().map(|(precisions, _)| precisions));
            recall.push(by_most.into_iter().map(|curves| curves.map(|(_, recalls)| recalls)).collect());
        }
        Measured { precision, recall }
    }
}

/// All found boxes of at most `most` a picture, by falling score: `(picture, found)`.
fn ranked(pictures: &[Picture], matched: &[Matched], most: usize) -> Vec<(usize, usize)> {
    let each = (0..matched.len()).flat_map(|picture| {
        let count = pictures[picture].found.len().min(most);
        (0..count).map(move |found| (picture, found))
    });
    let mut ranked: Vec<(usize, usize)> = each.collect();
    let score = |(picture, found): (usize, usize)| pictures[picture].found[found].score;
    ranked.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
    ranked
}

/// Mean precision over the recalls and the recall at the end, at one overlap.
fn curve(ranked: &[(usize, usize)], matched: &[Matched], overlap: usize, count: usize) -> (f64, f64) {
    let (mut right, mut wrong) = (0.0, 0.0);
    let (mut recalls, mut precisions) = (Vec::new(), Vec::new());
    for &(picture, found) in ranked {
        match matched[picture].outcomes[overlap][found] {
            Outcome::Right => right += 1.0,
            Outcome::Wrong => wrong += 1.0,
            Outcome::Ignored => (),
        }
        recalls.push(right / count as f64);
        precisions.push(right / (wrong + right + f64::EPSILON));
    }
    for index in (1..precisions.len()).rev() {
        precisions[index - 1] = precisions[index - 1].max(precisions[index]);
    }
    let at = |step: usize| {
        // As `numpy.linspace(0, 1, 101)` has it.
        let recall = if step + 1 == RECALLS { 1.0 } else { step as f64 * 0.01 };
        precisions.get(recalls.partition_point(|&reached| reached < recall)).copied().unwrap_or(0.0)
    };
    let mean = (0..RECALLS).map(at).sum::<f64>() / RECALLS as f64;
    (mean, recalls.last().copied().unwrap_or(0.0))
}
