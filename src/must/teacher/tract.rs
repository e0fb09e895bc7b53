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
    /// The network of `file`, which was read from `onnx`; `text` describes how.
    pub fn new(foreign: Foreign, onnx: &Path, file: &[u8], text: &str) -> Result<Runner, MustError> {
        let (shape, _) = foreign.numbers(&Picture::filled(1, 1, [0; 3]));
        // What tract does not know may end in a panic.
        let loaded = panics::catch(|| load(file, &shape).map_err(|error| format!("{error:#}")));
        let network = loaded.and_then(|loaded| loaded).map_err(|problem| {
            let hint = "check the file and `input`; only what tract runs can be a teacher here";
            MustError::no_teacher(onnx, format!("it cannot be run: {}", first_line(&problem)), hint)
        })?;
        let bytes = [fnv1a(file), fnv1a(text.as_bytes())].map(u64::to_le_bytes).concat();
        let teacher = Teacher {
            name: foreign.name.clone(),
            hash: format!("{:016x}", fnv1a(&bytes)),
            labels: foreign.labels(),
        };
        Ok(Runner { foreign, onnx: onnx.into(), network, teacher })
    }

    fn one(&self, picture: &Picture) -> Result<Predictions, String> {
        let (shape, numbers) = self.foreign.numbers(picture);
        let answers =
            panics::catch(|| run(&self.network, &shape, &numbers).map_err(|error| format!("{error:#}")))??;
        self.foreign.read(&answers, picture.size())
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
