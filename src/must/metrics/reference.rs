//! Against the field's own tools: `tests/metrics/cases.json` holds what `tests/metrics/reference.py` printed.

use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

use super::*;
use crate::data::{Bounds, Mask, Object, Plane};

#[derive(Deserialize)]
struct Cases {
    detection: Vec<DetectionCase>,
    polygons: Vec<PolygonCase>,
    segmentation: Vec<SegmentationCase>,
    depth: Vec<DepthCase>,
    normals: Vec<NormalCase>,
}

#[derive(Deserialize)]
struct DetectionCase {
    name: String,
    classes: usize,
    pictures: usize,
    truth: Vec<TrueBox>,
    found: Vec<FoundBox>,
    stats: Vec<f64>,
}

#[derive(Deserialize)]
struct TrueBox {
    picture: usize,
    class: u16,
    bbox: [f64; 4],
    area: f64,
    crowd: bool,
}

#[derive(Deserialize)]
struct FoundBox {
    picture: usize,
    class: u16,
    bbox: [f64; 4],
    score: f64,
}

#[derive(Deserialize)]
struct PolygonCase {
    width: usize,
    height: usize,
    polygons: Vec<Vec<f64>>,
    letters: String,
    runs: Vec<u32>,
    area: usize,
}

#[derive(Deserialize)]
struct SegmentationCase {
    classes: usize,
    truth: Vec<Vec<u16>>,
    found: Vec<Vec<u16>>,
    mean_iou: Option<f64>,
    accuracy: Option<f64>,
}

#[derive(Deserialize)]
struct DepthCase {
    truth: Vec<Option<f32>>,
    found: Vec<f32>,
    rmse: f64,
    relative: f64,
    delta: [f64; 3],
    scale: f64,
    shift: f64,
}

#[derive(Deserialize)]
struct NormalCase {
    truth: Vec<[f32; 3]>,
    found: Vec<[f32; 3]>,
    mean: f64,
    within: [f64; 3],
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/metrics")
}

fn close(ours: f64, theirs: f64, what: &str) {
    assert!((ours - theirs).abs() <= 1e-6, "{what}: {ours} here, {theirs} there");
}

fn bounds([left, top, width, height]: [f64; 4]) -> Bounds {
    Bounds { left, top, width, height }
}

impl DetectionCase {
    fn check(&self) {
        let mut metric = AveragePrecision::new(self.classes);
        for picture in 0..self.pictures {
            let here = self.truth.iter().filter(|truth| truth.picture == picture).map(|truth| {
                let (crowd, area) = (truth.crowd, Some(truth.area));
                Object { crowd, area, ..Object::new(bounds(truth.bbox), truth.class) }
            });
            let found = self.found.iter().filter(|found| found.picture == picture).map(|found| Detection {
                bounds: bounds(found.bbox),
                class: found.class,
                score: found.score,
            });
            metric.add(&here.collect::<Vec<_>>(), &found.collect::<Vec<_>>());
        }
        let scores = metric.scores();
        let ours = [
            &[scores.ap, scores.ap50, scores.ap75][..],
            &scores.ap_by_area,
            &scores.recall,
            &scores.recall_by_area,
        ];
        for (index, (ours, theirs)) in ours.concat().into_iter().zip(&self.stats).enumerate() {
            close(ours.unwrap_or(-1.0), *theirs, &format!("{}, number {index}", self.name));
        }
    }
}

impl Cases {
    fn check(&self) {
        assert!(self.detection.len() >= 17 && self.detection.iter().all(|case| case.stats.len() == 12));
        self.detection.iter().for_each(DetectionCase::check);
        for case in &self.polygons {
            let mask = Mask::from_polygons(case.width, case.height, &case.polygons);
            assert_eq!((mask.runs(), mask.area()), (&case.runs[..], case.area), "{:?}", case.polygons);
            assert_eq!(Mask::from_letters(case.width, case.height, &case.letters), Ok(mask));
        }
        for case in &self.segmentation {
            let mut metric = MeanIou::new(case.classes);
            for (truth, found) in case.truth.iter().zip(&case.found) {
                metric.add(
                    &Plane::new(truth.len(), 1, truth.clone()),
                    &Plane::new(found.len(), 1, found.clone()),
                );
            }
            assert_eq!(metric.scores().is_some(), case.mean_iou.is_some());
            if let (Some(scores), Some(mean), Some(accuracy)) =
                (metric.scores(), case.mean_iou, case.accuracy)
            {
                close(scores.mean_iou, mean, "mean IoU");
                close(scores.accuracy, accuracy, "pixel accuracy");
            }
        }
        self.depth.iter().for_each(DepthCase::check);
        for case in &self.normals {
            let mut metric = NormalAngle::default();
            let plane = |rows: &[[f32; 3]]| Plane::new(rows.len(), 1, rows.to_vec());
            metric.add(&plane(&case.truth), &plane(&case.found));
            let scores = metric.scores().unwrap();
            // Normals are held in single precision.
            assert!(
                (scores.mean_degrees - case.mean).abs() < 1e-4,
                "{} and {}",
                scores.mean_degrees,
                case.mean
            );
            (0..3).for_each(|limit| close(scores.within[limit], case.within[limit], "share of angles"));
        }
    }
}

impl DepthCase {
    fn check(&self) {
        let truth: Vec<f32> = self.truth.iter().map(|depth| depth.unwrap_or(f32::NAN)).collect();
        let plane = |values: &[f32]| Plane::new(values.len(), 1, values.to_vec());
        let mut metric = DepthError::new(Alignment::Metric);
        metric.add(&plane(&truth), &plane(&self.found));
        let scores = metric.scores().unwrap();
        close(scores.rmse, self.rmse, "RMSE");
        close(scores.relative, self.relative, "relative error");
        (0..3).for_each(|power| close(scores.delta[power], self.delta[power], "delta"));
        let known = truth.iter().zip(&self.found).filter(|(truth, _)| !truth.is_nan());
        let pairs: Vec<(f64, f64)> =
            known.map(|(truth, found)| (f64::from(*truth), f64::from(*found))).collect();
        let (scale, shift) = depth_error::fitted(&pairs);
        close(scale, self.scale, "scale");
        close(shift, self.shift, "shift");
    }
}

#[test]
fn equal_to_the_reference_on_random_and_hostile_cases() {
    let text = std::fs::read_to_string(folder().join("cases.json")).unwrap();
    serde_json::from_str::<Cases>(&text).unwrap().check();
}

/// Where Python has pycocotools: other cases than those that are kept.
#[test]
#[cfg_attr(debug_assertions, ignore = "starts Python: run with --release")]
fn equal_to_the_reference_on_fresh_cases() {
    for seed in ["1", "2"] {
        let run = Command::new("python3").arg(folder().join("reference.py")).arg(seed).output();
        let Some(run) = run.ok().filter(|run| run.status.success()) else {
            return println!("skipped: python3 does not have numpy and pycocotools");
        };
        serde_json::from_slice::<Cases>(&run.stdout).unwrap().check();
    }
}
