//! Runs ONNX files in tract, a runtime of pure Rust.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tract_onnx::prelude::*;

use super::super::MustError;
use super::super::store::{Predictions, Teacher};
use super::Labeller;
use super::foreign::{Answer, Foreign};
use crate::data::{Classes, Picture};
use crate::device::Device;
use crate::panics;
use crate::random::fnv1a;

/// An ONNX file, ready to run.
pub(super) struct Runner {
    foreign: Foreign,
    onnx: PathBuf,
    network: Arc<TypedRunnableModel>,
    teacher: Teacher,
}

impl Runner {
    /// The network of `file`, which was read from `onnx`; `text`, of `path`, describes how. It is shown a blank picture, so
    /// that answers that are not what the description says are told before anything is labelled.
    pub fn new(
        foreign: Foreign,
        (path, onnx): (&Path, &Path),
        file: &[u8],
        text: &str,
    ) -> Result<Runner, MustError> {
        let (shape, _) = foreign.numbers(&Picture::filled(1, 1, [0; 3]));
        // What tract does not know may end in a panic.
        let loaded = panics::catch(|| load(file, &shape).map_err(|error| format!("{error:#}")));
        let cannot = |problem: String| {
            let hint = "check the file and `input`; only what tract runs can be a teacher here";
            MustError::no_teacher(onnx, format!("it cannot be run: {}", first_line(&problem)), hint)
        };
        let network = loaded.and_then(|loaded| loaded).map_err(cannot)?;
        let bytes = [fnv1a(file), fnv1a(text.as_bytes())].map(u64::to_le_bytes).concat();
        let teacher = Teacher {
            name: foreign.name.clone(),
            hash: format!("{:016x}", fnv1a(&bytes)),
            labels: foreign.labels(),
        };
        let runner = Runner { foreign, onnx: onnx.into(), network, teacher };
        let (width, height) = runner.foreign.input.size;
        let blank = Picture::filled(width, height, [128; 3]);
        let answers = runner.answers(&blank).map_err(cannot)?;
        runner.foreign.read(&answers, blank.size()).map_err(|problem| {
            let problem = format!("of a blank picture, {problem}");
            let hint = "bring `outputs`, `classes` and `input.layout` into line with the network's outputs";
            MustError::no_teacher(path, problem, hint)
        })?;
        Ok(runner)
    }

    fn one(&self, picture: &Picture) -> Result<Predictions, String> {
        self.foreign.read(&self.answers(picture)?, picture.size())
    }

    fn answers(&self, picture: &Picture) -> Result<Vec<Answer>, String> {
        let (shape, numbers) = self.foreign.numbers(picture);
        panics::catch(|| run(&self.network, &shape, &numbers).map_err(|error| format!("{error:#}")))?
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("it does not say why")
}

fn load(mut file: &[u8], shape: &[usize]) -> TractResult<Arc<TypedRunnableModel>> {
    let model = tract_onnx::onnx().model_for_read(&mut file)?;
    model.with_input_fact(0, f32::fact(shape).into())?.into_optimized()?.into_runnable()
}

fn run(network: &Arc<TypedRunnableModel>, shape: &[usize], numbers: &[f32]) -> TractResult<Vec<Answer>> {
    let answers = network.run(tvec!(Tensor::from_shape(shape, numbers)?.into()))?;
    let answer = |value: &TValue| {
        let floats = value.cast_to::<f32>()?;
        let values = floats.to_plain_array_view::<f32>()?.iter().copied().collect();
        Ok(Answer { shape: value.shape().to_vec(), values })
    };
    answers.iter().map(answer).collect()
}

impl Labeller for Runner {
    fn described(&self) -> &Teacher {
        &self.teacher
    }

    fn classes(&self) -> &Classes {
        &self.foreign.classes
    }

    /// Runs on the processor, whatever the device: tract knows no other.
    fn label(&self, pictures: &[Picture], _device: Device) -> Result<Vec<Predictions>, MustError> {
        let one = |picture: &Picture| {
            self.one(picture).map_err(|problem| MustError::Training {
                who: self.onnx.display().to_string(),
                problem: first_line(&problem).into(),
            })
        };
        pictures.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Graph, Primitive, Shape, Weights};

    /// The means of the three colours, as a network of somebody else's.
    fn means(folder: &Path, output: &str) -> Result<Box<dyn Labeller>, MustError> {
        let mut graph = Graph::new(Shape::Map { channels: 3, height: 4, width: 4 });
        let mean = graph.add(Primitive::GlobalAvgPool, &[graph.input()]).unwrap();
        graph.name_output("mean", mean);
        let mut file = Vec::new();
        crate::export::write_onnx("means", &graph, &Weights::new(), &[], &mut file).unwrap();
        std::fs::write(folder.join("means.onnx"), file).unwrap();
        let text = format!(
            "Foreign(name: \"means\", file: \"means.onnx\", input: (size: (4, 4)), outputs: [{output}],
             classes: (pictures: [\"red\", \"green\", \"blue\"]))"
        );
        std::fs::write(folder.join("means.ron"), text).unwrap();
        super::super::open(&folder.join("means.ron"))
    }

    #[test]
    fn answers_that_are_not_what_is_said_of_them_are_told_before_anything_is_labelled() {
        let folder = tempfile::tempdir().unwrap();
        let teacher = means(folder.path(), "Class(output: 0)").unwrap();
        let said = teacher.label(&[Picture::filled(9, 5, [0, 255, 0])], Device::Cpu).unwrap();
        let class = said[0].class.as_ref().unwrap();
        assert!(class[1] > class[0] && class.len() == 3, "{class:?}");
        let error = means(folder.path(), "Depth(output: 2)").err().unwrap();
        assert_eq!(error.exit_code(), 2);
        let told = error.to_string().replace(&folder.path().display().to_string(), "FOLDER");
        let expected =
            "FOLDER/means.ron: of a blank picture, there is no output 2, but 1\n  hint: bring `outputs`";
        assert!(told.starts_with(expected), "{told}");
    }
}
