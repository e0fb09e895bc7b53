//! Asks the CUDA driver what there is, before Burn does: where a library is missing, Burn ends with a panic.
//!
//! cudarc, which Burn's own backend loads CUDA with, panics too where a library is not found; only here is that an
//! answer.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};

use cudarc::driver::CudaContext;
use cudarc::nvrtc::compile_ptx;

use super::DeviceError;
use crate::panics::catch;

/// What every generated kernel includes.
const HEADER: &str = "include/cuda_fp16.h";
/// Where CUDA is looked for without CUDA_PATH, as Burn does.
const PLACES: [&str; 2] = ["/usr/local/cuda", "/opt/cuda"];
/// The smallest kernel: whether it compiles is whether any does.
const KERNEL: &str = "extern \"C\" __global__ void probe() { }";

/// How many GPUs the driver sees, if all that training needs is there. Asked once a process.
pub(super) fn count() -> Result<usize, DeviceError> {
    static FOUND: LazyLock<Result<usize, DeviceError>> = LazyLock::new(|| {
        let counted =
            catch(CudaContext::device_count).map_err(|words| DeviceError::NoDriver(short(&words)))?;
        let count = counted.map_err(|error| DeviceError::NoDriver(format!("it answers {error}")))?;
        let compiled =
            catch(|| compile_ptx(KERNEL)).map_err(|words| DeviceError::NoCompiler(short(&words)))?;
        compiled.map_err(|error| DeviceError::NoCompiler(format!("it answers {error}")))?;
        headers()?;
        Ok(count.max(0) as usize)
    });
    FOUND.clone()
}

/// Bytes free on a GPU when this was first asked of it: later on Burn's own pools would count as used.
pub(super) fn memory(index: usize) -> Option<u64> {
    static FREE: Mutex<Option<HashMap<usize, Option<u64>>>> = Mutex::new(None);
    let mut known = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    let asked = || catch(|| CudaContext::new(index).and_then(|context| context.mem_get_info())).ok()?.ok();
    *known.get_or_insert_default().entry(index).or_insert_with(|| asked().map(|(free, _)| free as u64))
}

fn headers() -> Result<(), DeviceError> {
    let set = std::env::var_os("CUDA_PATH").map(PathBuf::from);
    let place = set.or_else(|| PLACES.iter().map(PathBuf::from).find(|place| place.exists()));
    let place = place.unwrap_or_else(|| PathBuf::from("/usr"));
    if place.join(HEADER).is_file() {
        return Ok(());
    }
    Err(DeviceError::NoHeaders(format!("{} is not there", place.join(HEADER).display())))
}

/// The first sentence of a panic's words: what was looked for.
fn short(words: &str) -> String {
    let words = words.split_once(": ").map_or(words, |(_, rest)| rest);
    words.split(" - ").next().unwrap_or(words).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_cuda_is_told_what_is_missing() {
        match count() {
            Ok(count) => assert!(count < 1024, "{count}"),
            Err(error) => assert!(error.to_string().contains("hint: "), "{error}"),
        }
    }

    #[test]
    fn a_panics_words_are_cut_to_what_was_looked_for() {
        let words = "panicked at a.rs:1: Unable to load \"cuda\" - searched for: x. Ensure that";
        assert_eq!(short(words), "Unable to load \"cuda\"");
    }
}
