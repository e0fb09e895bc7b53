//! What stands on the pyramid: one head a task.

use super::Student;
use crate::data::Label;
use crate::ir::{Conv, Graph, Interpolation, Primitive, ShapeError, Tensor};

/// Convolutions of a head that answers for every pixel (section 3 of <https://arxiv.org/abs/2108.11353>).
const LAYERS: usize = 3;
/// Distances that say where a box is: to its left, top, right and bottom.
pub const SIDES: usize = 4;

/// What is answered about objects in each pixel of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectPart {
    /// One logit a class.
    Class,
    /// The logarithms of the distances to the four sides, in pixels of the level.
    Sides,
    /// The logit of how near the middle of its object the pixel is.
    Middle,
}

impl ObjectPart {
    /// All of them, in the order of the outputs.
    pub const ALL: [ObjectPart; 3] = [ObjectPart::Class, ObjectPart::Sides, ObjectPart::Middle];

    /// The name of its output on a level (0 for the finest).
    pub fn output(self, level: usize) -> String {
        format!("{}/{level}/{}", Label::Objects.name(), self.name())
    }

    /// Its name in scopes.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ObjectPart::Class => "class",
            ObjectPart::Sides => "sides",
            ObjectPart::Middle => "middle",
        }
    }
}

/// Adds the head for objects: a tower for classes and one for places, whose convolutions are the same on all levels. Norms
/// are each level's own, for levels differ in scale.
pub(super) fn objects(graph: &mut Graph, levels: &[Tensor], student: &Student) -> Result<(), ShapeError> {
    let answers: [(&str, &[(ObjectPart, usize)]); 2] = [
        ("classes", &[(ObjectPart::Class, student.classes.objects.len())]),
        ("places", &[(ObjectPart::Sides, SIDES), (ObjectPart::Middle, 1)]),
    ];
    for (tower, parts) in answers {
        let mut maps = levels.to_vec();
        for layer in 0..student.tower {
            let conv = Conv::square(student.pyramid, 3);
            maps = shared(graph, &format!("heads/objects/{tower}/layer{layer}"), conv, &maps)?;
            for (level, map) in maps.iter_mut().enumerate() {
                *map = graph.scoped(format!("heads/objects/{tower}/layer{layer}/level{level}"), |graph| {
                    let x = graph.add(Primitive::BATCH_NORM, &[*map])?;
                    graph.relu(x)
                })?;
            }
        }
        for (part, channels) in parts {
            let conv = Conv { bias: true, ..Conv::square(*channels, 3) };
            let answers = shared(graph, &format!("heads/objects/{}", part.name()), conv, &maps)?;
            for (level, answer) in answers.into_iter().enumerate() {
                graph.name_output(part.output(level), answer);
            }
        }
    }
    Ok(())
}

/// The same convolution on every level: one set of parameters.
fn shared(graph: &mut Graph, scope: &str, conv: Conv, levels: &[Tensor]) -> Result<Vec<Tensor>, ShapeError> {
    graph.scoped(scope, |graph| {
        let mut results: Vec<Tensor> = Vec::with_capacity(levels.len());
        for level in levels {
            results.push(match results.first() {
                Some(owner) => graph.add_shared("conv", *owner, *level)?,
                None => graph.conv("conv", conv.clone(), *level)?,
            });
        }
        Ok(results)
    })
}

/// Adds a head that answers for every pixel of the picture.
pub(super) fn dense(
    graph: &mut Graph,
    features: Tensor,
    task: Label,
    student: &Student,
) -> Result<(), ShapeError> {
    let (width, height) = student.size;
    let answer = graph.scoped(format!("heads/{}", task.name()), |graph| {
        let mut x = features;
        for layer in 0..LAYERS {
            x = graph.scoped(format!("layer{layer}"), |graph| {
                let x = graph.conv_norm("conv", Conv::square(student.pyramid, 3), x)?;
                graph.relu(x)
            })?;
        }
        let conv = Conv { bias: true, ..Conv::square(student.channels(task), 1) };
        let x = graph.conv("answer", conv, x)?;
        let interpolation = Interpolation::Bilinear;
        graph.add(Primitive::Resize { size: [height, width], interpolation }, &[x])
    })?;
    graph.name_output(task.name(), answer);
    Ok(())
}
