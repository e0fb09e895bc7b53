//! How good predictions are: the five tasks' metrics of a set of samples.

use super::metrics::{Alignment, AveragePrecision, DepthError, Detection, MeanIou, NormalAngle, TopOne};
use super::store::Predictions;
use crate::data::{Classes, Label, Sample};
use crate::trial::Metrics;

/// The names of a task's metrics; the first is what the task is summed up by: in [0, 1], more is better.
///
/// ```
/// use cellwright::data::Label;
/// use cellwright::must::metric_names;
///
/// let first: Vec<&str> = Label::ALL.iter().map(|task| metric_names(*task)[0]).collect();
/// assert_eq!(first, ["accuracy", "ap50", "miou", "depth_delta", "normals_within"]);
/// ```
pub fn metric_names(task: Label) -> &'static [&'static str] {
    match task {
        Label::Class => &["accuracy"],
        Label::Objects => &["ap50", "ap"],
        Label::Segmentation => &["miou", "pixel_accuracy"],
        Label::Depth => &["depth_delta", "depth_rmse", "depth_relative"],
        Label::Normals => &["normals_within", "normals_degrees"],
    }
}

/// Takes one sample after the other with what was predicted of it. Labels that a sample lacks do not count, nor do
/// predictions that are absent where nothing is asked for.
///
/// Depth is measured after it was brought to each picture's scale and shift, which students that learn from relative depth
/// cannot know.
///
/// ```
/// use cellwright::data::{Label, Scenes};
/// use cellwright::must::Judge;
/// use cellwright::must::store::Predictions;
///
/// let scenes = Scenes { count: 1, width: 16, height: 16, ..Scenes::default() };
/// let sample = scenes.sample(0);
/// let mut judge = Judge::new(&[Label::Depth], &scenes.classes());
/// judge.add(&sample, &Predictions { depth: sample.depth.clone(), ..Predictions::default() });
/// assert_eq!(judge.metrics()["depth_delta"], 1.0);
/// ```
#[derive(Clone, Debug)]
pub struct Judge {
    tasks: Vec<Label>,
    class: TopOne,
    objects: AveragePrecision,
    segmentation: MeanIou,
    depth: DepthError,
    normals: NormalAngle,
}

impl Judge {
    /// Nothing yet, of these tasks.
    pub fn new(tasks: &[Label], classes: &Classes) -> Judge {
        Judge {
            tasks: tasks.to_vec(),
            class: TopOne::default(),
            objects: AveragePrecision::new(classes.objects.len()),
            segmentation: MeanIou::new(classes.segmentation.len()),
            depth: DepthError::new(Alignment::ScaleAndShift),
            normals: NormalAngle::default(),
        }
    }

    /// One sample. Predictions are of the picture's own size and in the classes of the sample's set.
    pub fn add(&mut self, truth: &Sample, found: &Predictions) {
        for task in self.tasks.clone() {
            match task {
                Label::Class => {
                    if let (Some(truth), Some(found)) = (&truth.class, &found.class) {
                        self.class.add(truth, found);
                    }
                }
                Label::Objects => {
                    if let (Some(truth), Some(found)) = (&truth.objects, &found.objects) {
                        self.objects.add(truth, &found.iter().map(Detection::of).collect::<Vec<_>>());
                    }
                }
                Label::Segmentation => {
                    if let (Some(truth), Some((found, _))) = (&truth.segmentation, &found.segmentation) {
                        self.segmentation.add(truth, found);
                    }
                }
                Label::Depth => {
                    if let (Some(truth), Some(found)) = (&truth.depth, &found.depth) {
                        self.depth.add(truth, found);
                    }
                }
                Label::Normals => {
                    if let (Some(truth), Some(found)) = (&truth.normals, &found.normals) {
                        self.normals.add(truth, found);
                    }
                }
            }
        }
    }

    /// The metrics of all tasks of which there was something to measure, by [`metric_names`].
    pub fn metrics(&self) -> Metrics {
        let figures = self.tasks.iter().flat_map(|task| {
            let names = metric_names(*task).iter().map(|name| name.to_string());
            names.zip(self.figures(*task)).filter_map(|(name, figure)| Some((name, figure?)))
        });
        figures.collect()
    }

    /// A task's figures in the order of their names.
    fn figures(&self, task: Label) -> Vec<Option<f64>> {
        match task {
            Label::Class => vec![self.class.accuracy()],
            Label::Objects => {
                let scores = self.objects.scores();
                vec![scores.ap50, scores.ap]
            }
            Label::Segmentation => {
                let scores = self.segmentation.scores();
                vec![scores.as_ref().map(|scores| scores.mean_iou), scores.map(|scores| scores.accuracy)]
            }
            Label::Depth => {
                let scores = self.depth.scores();
                let of = |figure: fn(super::metrics::DepthScores) -> f64| scores.map(figure);
                vec![of(|scores| scores.delta[0]), of(|scores| scores.rmse), of(|scores| scores.relative)]
            }
            Label::Normals => {
                let scores = self.normals.scores();
                vec![scores.map(|scores| scores.within[0]), scores.map(|scores| scores.mean_degrees)]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Class, Plane, Scenes};

    const SCENES: Scenes = Scenes { count: 6, width: 24, height: 24, seed: 2, objects: 4 };

    /// What a teacher that knows everything says.
    fn truth(sample: &Sample) -> Predictions {
        let Some(Class::Hard(class)) = sample.class else { panic!("a hard class") };
        let segmentation = sample.segmentation.clone().unwrap();
        let (width, height) = segmentation.size();
        Predictions {
            class: Some((0..6).map(|other| f32::from(u8::from(other == class))).collect()),
            objects: sample.objects.clone(),
            segmentation: Some((segmentation, Plane::filled(width, height, 1.0))),
            // Depth of another scale is as good.
            depth: sample.depth.as_ref().map(|depth| depth.map(|depth| 3.0 - 2.0 * depth)),
            normals: sample.normals.clone(),
        }
    }

    #[test]
    fn the_truth_is_perfect_and_nothing_is_nothing() {
        let mut judge = Judge::new(&Label::ALL, &SCENES.classes());
        assert!(judge.metrics().is_empty(), "{:?}", judge.metrics());
        for index in 0..SCENES.count {
            let sample = SCENES.sample(index);
            judge.add(&sample, &truth(&sample));
        }
        let metrics = judge.metrics();
        let names: Vec<&str> = Label::ALL.iter().flat_map(|task| metric_names(*task)).copied().collect();
        assert_eq!(metrics.keys().map(String::as_str).collect::<Vec<_>>(), names);
        for task in Label::ALL {
            assert!((metrics[metric_names(task)[0]] - 1.0).abs() < 1e-6, "{metrics:?}");
        }
        assert!(metrics["depth_rmse"] < 1e-4 && metrics["normals_degrees"] < 0.1, "{metrics:?}");
    }

    #[test]
    fn labels_that_are_absent_do_not_count() {
        let mut judge = Judge::new(&Label::ALL, &SCENES.classes());
        let sample = SCENES.sample(0);
        judge.add(&sample.clone().only(&[Label::Normals]), &truth(&sample));
        assert_eq!(judge.metrics().keys().collect::<Vec<_>>(), ["normals_within", "normals_degrees"]);
    }
}
