//! Teachers: networks that label pictures, each what it knows.
//!
//! A teacher of ours is a folder of two files: `teacher.ron` says which network it is, what it learned, how well, and what
//! its weights hash to; `weights.safetensors` holds those. A teacher of somebody else's is an ONNX file with a RON file
//! beside it that says how it is read. A student may become a teacher: both are folders of one kind.

mod foreign;
mod taught;
#[cfg(feature = "tract")]
mod tract;
mod weights;

use std::path::Path;

use super::MustError;
use super::store::{Predictions, Teacher};
use crate::data::{Classes, Picture};
use crate::device::Device;
pub use foreign::{Corners, Foreign, Input, Layout, Output};
pub use taught::Taught;
pub(crate) use taught::{Claim, TEACHER};

/// Labels pictures.
pub trait Labeller: Send + Sync {
    /// Its name, its hash, and what it labels.
    fn described(&self) -> &Teacher;

    /// The names of its classes.
    fn classes(&self) -> &Classes;

    /// What it says of these pictures, one answer a picture, of the picture's own size.
    ///
    /// # Errors
    /// What its network says.
    fn label(&self, pictures: &[Picture], device: Device) -> Result<Vec<Predictions>, MustError>;
}

/// The teacher at a path: a folder of ours, or a RON file that describes an ONNX file.
///
/// # Errors
/// [`MustError`], naming the file and what to do.
pub fn open(path: &Path) -> Result<Box<dyn Labeller>, MustError> {
    if path.is_dir() {
        return Ok(Box::new(Taught::open(path)?));
    }
    if path.extension().is_some_and(|extension| extension == "onnx") {
        let hint =
            "write a RON file that says how it is read (`cellwright must label --help`), and name that";
        return Err(MustError::no_teacher(
            path,
            "an ONNX file alone does not say what its numbers mean",
            hint,
        ));
    }
    foreign::open(path)
}
