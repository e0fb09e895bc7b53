//! The student: a candidate's backbone, a feature pyramid over its stages, and a head for each task.
//!
//! As in *Multi-Task Self-Training* (Ghiasi, Zoph et al. 2021, <https://arxiv.org/abs/2108.11353>): one backbone and one
//! pyramid are shared by all tasks. Classification reads the last stage alone; objects are found on every level of the
//! pyramid; segmentation, depth and normals read the sum of all levels. Detection has one stage and no anchors
//! (*FCOS*, Tian et al. 2019, <https://arxiv.org/abs/1904.01355>), so that it needs no sampling of regions.

mod decode;
mod grid;
mod heads;
mod lesson;
mod pyramid;
mod targets;

use serde::{Deserialize, Serialize};

use crate::architecture::{Architecture, Body};
use crate::data::{Classes, Label};
use crate::ir::{Graph, Shape, ShapeError, Tensor};
pub use decode::{Answers, Decoding};
pub use grid::Grid;
pub use heads::{ObjectPart, SIDES};
pub use lesson::{Lesson, TaskWeights};
pub use targets::{Spot, assign};

/// Mean of red, green and blue that pictures in [0, 1] are normalised with: ImageNet's.
pub const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Deviation of red, green and blue that pictures in [0, 1] are normalised with: ImageNet's.
pub const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// A network for several tasks, as RON writes it: all that is needed to build it.
///
/// ```
/// use cellwright::data::{Classes, Label};
/// use cellwright::ir::Shape;
/// use cellwright::must::student::Student;
///
/// let backbone = ron::from_str("Staged((stages: [
///     (op: ConvBnRelu(()), repeats: 1, channels: 8, stride: 2),
///     (op: ConvBnRelu(()), repeats: 1, channels: 16, stride: 2),
/// ]))")?;
/// let names = |count: usize| (0..count).map(|class| class.to_string()).collect::<Vec<_>>();
/// let classes = Classes { pictures: names(3), segmentation: names(5), ..Classes::default() };
/// let student = Student::new(backbone, (64, 48), vec![Label::Class, Label::Segmentation, Label::Depth], classes);
/// let graph = student.graph()?;
/// let shape = |name: &str| graph.output_named(name).map(|output| graph.shape(output));
/// assert_eq!(shape("class"), Some(Shape::Flat(3)));
/// assert_eq!(shape("segmentation"), Some(Shape::Map { channels: 5, height: 48, width: 64 }));
/// assert_eq!(shape("normals"), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Student {
    /// The network whose stages are read; its own head classifies pictures.
    pub backbone: Architecture,
    /// Width and height in pixels of the pictures that it is built for.
    pub size: (usize, usize),
    /// Channels of the feature pyramid and of all heads on it.
    #[serde(default = "pyramid")]
    pub pyramid: usize,
    /// Pixels of the picture that one of the finest level is wide at least. Finer stages are no level, unless no stage is
    /// as coarse: then the last one is.
    #[serde(default = "finest")]
    pub finest: usize,
    /// Levels of the pyramid at least: where the backbone has fewer, strided convolutions make more, as long as there are
    /// pixels.
    #[serde(default = "levels")]
    pub levels: usize,
    /// Convolutions before each answer about objects; all levels share them.
    #[serde(default = "tower")]
    pub tower: usize,
    /// Which heads it has.
    pub tasks: Vec<Label>,
    /// What it tells apart.
    pub classes: Classes,
}

fn pyramid() -> usize {
    32
}
fn finest() -> usize {
    4
}
fn levels() -> usize {
    3
}
fn tower() -> usize {
    2
}

/// A student as primitives. Its outputs have the names of their tasks, those of objects one for each level and
/// [`ObjectPart`].
#[derive(Clone, Debug)]
pub struct Network {
    /// The primitives.
    pub graph: Graph,
    /// The pyramid's levels, finest first.
    pub grids: Vec<Grid>,
}

impl Student {
    /// A student of a backbone with the usual pyramid.
    pub fn new(backbone: Architecture, size: (usize, usize), tasks: Vec<Label>, classes: Classes) -> Student {
        Student {
            backbone,
            size,
            pyramid: pyramid(),
            finest: finest(),
            levels: levels(),
            tower: tower(),
            tasks,
            classes,
        }
    }

    /// The network as primitives; its outputs are named.
    ///
    /// # Errors
    /// Where it cannot be built: a layer's input has a shape that it cannot take, or a task has no class to tell apart.
    pub fn graph(&self) -> Result<Graph, ShapeError> {
        self.network().map(|network| network.graph)
    }

    /// The network as primitives, and where each pixel of its levels lies.
    ///
    /// # Errors
    /// As [`Student::graph`].
    pub fn network(&self) -> Result<Network, ShapeError> {
        let mut body = self.body()?;
        let used = self.used(&body)?;
        if self.has(Label::Class) {
            let logits = self.backbone.lower_head(&mut body, self.classes.pictures.len())?;
            body.graph.name_output(Label::Class.name(), logits);
        }
        let mut graph = body.graph;
        let mut grids = Vec::new();
        if self.tasks.iter().any(|task| *task != Label::Class) {
            let levels = pyramid::lower(&mut graph, &used, self.pyramid, self.levels)?;
            grids = levels.iter().map(|level| Grid::of(graph.shape(*level), self.size)).collect();
            self.lower_heads(&mut graph, &levels)?;
        }
        if let Some((_, first)) = graph.outputs().first() {
            let first = *first;
            graph.set_output(first);
        }
        Ok(Network { graph, grids })
    }

    /// The backbone alone: each stage's last map under a name, `features/0` for the finest, averaged over its pixels.
    ///
    /// # Errors
    /// As [`Student::graph`].
    pub fn feature_graph(&self) -> Result<Graph, ShapeError> {
        let body = self.body()?;
        let levels = body.levels();
        let mut graph = body.graph;
        for (index, level) in levels.into_iter().enumerate() {
            let pooled = graph.scoped(format!("features/{index}"), |graph| {
                let pooled = graph.add(crate::ir::Primitive::GlobalAvgPool, &[level])?;
                graph.add(crate::ir::Primitive::Flatten, &[pooled])
            })?;
            graph.name_output(format!("features/{index}"), pooled);
            graph.set_output(pooled);
        }
        Ok(graph)
    }

    /// Whether a parameter or node of this name is the backbone's, not of the pyramid or a head.
    pub fn is_backbone(scope: &str) -> bool {
        !["pyramid/", "heads/", "head/"].iter().any(|start| scope.starts_with(start))
    }

    /// Whether it has the head for this.
    pub fn has(&self, task: Label) -> bool {
        self.tasks.contains(&task)
    }

    /// How many numbers a task's answer has in each place: its classes, or 1 for a depth and 3 for a normal.
    pub fn channels(&self, task: Label) -> usize {
        match task {
            Label::Class => self.classes.pictures.len(),
            Label::Objects => self.classes.objects.len(),
            Label::Segmentation => self.classes.segmentation.len(),
            Label::Depth => 1,
            Label::Normals => 3,
        }
    }

    fn body(&self) -> Result<Body, ShapeError> {
        if let Some(problem) = self.problem() {
            return Err(ShapeError { scope: "student".into(), problem });
        }
        let (width, height) = self.size;
        self.backbone.body(Shape::Map { channels: 3, height, width })
    }

    /// What is wrong with it, whatever its backbone is.
    fn problem(&self) -> Option<String> {
        let count = |task: Label| self.tasks.iter().filter(|other| **other == task).count();
        let twice = Label::ALL.into_iter().find(|task| count(*task) > 1);
        let unnamed = self.tasks.iter().find(|task| {
            let fewest = if **task == Label::Objects { 1 } else { 2 };
            !matches!(task, Label::Depth | Label::Normals) && self.channels(**task) < fewest
        });
        match () {
            _ if self.tasks.is_empty() => Some("it has no task: `tasks` is empty".into()),
            _ if self.size.0 == 0 || self.size.1 == 0 => {
                Some(format!("pictures of {}x{} have no pixels", self.size.0, self.size.1))
            }
            _ if self.pyramid == 0 => Some("`pyramid` is 0: it needs channels".into()),
            _ => twice.map(|task| format!("the task `{}` is listed twice", task.name())).or_else(|| {
                let task = unnamed?;
                let count = self.channels(*task);
                Some(format!(
                    "the task `{}` has {count} classes: there is nothing to tell apart",
                    task.name()
                ))
            }),
        }
    }

    /// The stages that the pyramid stands on.
    fn used(&self, body: &Body) -> Result<Vec<Tensor>, ShapeError> {
        let levels = body.levels();
        let Some(last) = levels.last().copied() else {
            return Err(body.graph.refusal("the backbone hands on no map: a student needs one"));
        };
        let coarse = |level: &Tensor| {
            let stride = Grid::of(body.graph.shape(*level), self.size).stride;
            stride.0.max(stride.1) > self.finest as f64 - 0.5
        };
        let used: Vec<Tensor> = levels.into_iter().filter(coarse).collect();
        Ok(if used.is_empty() { vec![last] } else { used })
    }

    fn lower_heads(&self, graph: &mut Graph, levels: &[Tensor]) -> Result<(), ShapeError> {
        if self.has(Label::Objects) {
            heads::objects(graph, levels, self)?;
        }
        let dense = [Label::Segmentation, Label::Depth, Label::Normals];
        let dense: Vec<Label> = dense.into_iter().filter(|task| self.has(*task)).collect();
        if !dense.is_empty() {
            let sum = pyramid::sum(graph, levels)?;
            dense.into_iter().try_for_each(|task| heads::dense(graph, sum, task, self))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
