//! How shared weights are kept: every value, what the update rules remember of it, and the notes of who trains them.

use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use indexmap::IndexMap;

use super::{Held, Key, Supernet};
use crate::nn::NnError;
use crate::nn::checkpoint::Checkpoint;
use crate::nn::rule::RULES;
use crate::nn::train::floats;

/// What the notes are called in a checkpoint.
const NOTES: &str = "notes";
/// What an entry begins with that is a value, and one that is an average.
const VALUE: &str = "value ";
const AVERAGE: &str = "average";

impl Supernet {
    /// Keeps all weights and memories with `notes`, for the training with this identity.
    ///
    /// # Errors
    /// [`NnError::Checkpoint`] where it cannot be written.
    pub fn save(&self, path: &Path, identity: u64, notes: &[u8]) -> Result<(), NnError> {
        let mut values = IndexMap::new();
        for (key, held) in &self.held {
            let name = written(key);
            for (rule, memory) in held.memories.iter().enumerate().filter(|(_, memory)| memory.steps > 0) {
                let parts = [("first", &memory.first), ("second", &memory.second)];
                for (part, tensor) in parts {
                    if let Some(tensor) = tensor {
                        values.insert(format!("{rule} {part} {name}"), floats(tensor.clone()));
                    }
                }
                // Exact: a training has fewer steps than f32 has integers.
                values.insert(format!("{rule} steps {name}"), vec![memory.steps as f32]);
            }
            if let Some((average, steps)) = &held.average {
                values.insert(format!("{AVERAGE} value {name}"), floats(average.clone()));
                values.insert(format!("{AVERAGE} steps {name}"), vec![*steps as f32]);
            }
            values.insert(format!("{VALUE}{name}"), floats(held.value.clone()));
        }
        let bytes = IndexMap::from([(NOTES.to_owned(), notes.to_vec())]);
        Checkpoint { numbers: values, bytes }.save(path, identity)
    }

    /// Goes back to what was kept, and to no weights where nothing was; the notes.
    ///
    /// # Errors
    /// [`NnError::Checkpoint`] for a file that is damaged or another training's.
    pub fn load(&mut self, path: &Path, identity: u64) -> Result<Option<Vec<u8>>, NnError> {
        self.held.clear();
        let Some(mut kept) = Checkpoint::load(path, identity)? else { return Ok(None) };
        let damaged =
            || NnError::checkpoint(path, "holds entries that no search writes; delete it to start over");
        let (values, rest): (Vec<_>, Vec<_>) =
            kept.numbers.into_iter().partition(|(entry, _)| entry.starts_with(VALUE));
        for (entry, values) in values {
            let name = entry.strip_prefix(VALUE).and_then(read).ok_or_else(damaged)?;
            self.held.insert(name, Held::new(on(&self.device, values)));
        }
        for (entry, values) in rest {
            self.take_back(&entry, values).ok_or_else(damaged)?;
        }
        Ok(kept.bytes.shift_remove(NOTES))
    }

    /// What belongs to a value besides itself; `None` for an entry that nobody writes.
    fn take_back(&mut self, entry: &str, values: Vec<f32>) -> Option<()> {
        let mut words = entry.splitn(3, ' ');
        let (whose, part, name) = (words.next()?, words.next()?, words.next()?);
        let count = values.first().map_or(0, |count| *count as u32);
        let device = self.device.clone();
        let held = self.held.get_mut(&read(name)?)?;
        if whose == AVERAGE {
            let (average, steps) = held.average.get_or_insert_with(|| (held.value.clone(), 0));
            match part {
                "value" => *average = on(&device, values),
                "steps" => *steps = count,
                _ => return None,
            }
            return Some(());
        }
        let rule = whose.parse::<usize>().ok().filter(|rule| *rule < RULES)?;
        let memory = &mut held.memories[rule];
        match part {
            "first" => memory.first = Some(on(&device, values)),
            "second" => memory.second = Some(on(&device, values)),
            "steps" => memory.steps = count,
            _ => return None,
        }
        Some(())
    }
}

fn on(device: &burn::tensor::Device, values: Vec<f32>) -> Tensor<1> {
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), device)
}

pub(in crate::nn) fn written((name, shape): &Key) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("{name}|{}", sizes.join("x"))
}

pub(in crate::nn) fn read(text: &str) -> Option<Key> {
    let (name, sizes) = text.rsplit_once('|')?;
    let shape = sizes.split('x').map(|size| size.parse().ok()).collect::<Option<Vec<usize>>>()?;
    Some((name.into(), shape))
}
